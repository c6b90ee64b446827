//! Cyber-observables. STIX 2.1 §6.

use super::common::{COUNT, INTEGER, OBSERVABLE, TEXTS, URI};
use super::property::{may, must};
use super::sco_shapes::{MIME_PART, REGISTRY_VALUE, X509_EXTENSIONS};
use super::{Category, Dictionary, Format, Kind, Property, Role, Rule, Shape, Target};
use crate::validate::Code;
use crate::vocab;

const fn sco(name: &'static str, clause: &'static str, own: &'static [Property], rules: &'static [Rule]) -> Shape {
    Shape::new(name, clause, Category::Sco, OBSERVABLE, own, rules)
}

const MTIME: Property = may("mtime", Kind::Time);
const CTIME: Property = may("ctime", Kind::Time);
const ATIME: Property = may("atime", Kind::Time);
const EMAIL_ADDR: Target = Target::Local(&["email-addr"]);
const ARTIFACT_REF: Target = Target::Local(&["artifact"]);
const USER: Target = Target::Local(&["user-account"]);
const END: Kind = Kind::Ref(Target::Local(&["ipv4-addr", "ipv6-addr", "mac-addr", "domain-name"]));
const PORT: Kind = Kind::Integer(0, 65_535);

pub(super) static ARTIFACT: Shape = sco(
    "artifact",
    "STIX 2.1 §6.1",
    &[
        may("mime_type", Kind::Form(Format::MediaType)),
        may("payload_bin", Kind::Binary),
        may("url", URI),
        may("hashes", Kind::Hashes),
        may("encryption_algorithm", Kind::Closed(&vocab::ENCRYPTION_ALGORITHM)),
        may("decryption_key", Kind::Text),
    ],
    &[
        Rule::OneOf("payload_bin", "url"),
        Rule::Needs("url", "hashes"),
        Rule::Needs("decryption_key", "encryption_algorithm"),
    ],
)
.identified_by(&["hashes", "payload_bin"]);

pub(super) static AUTONOMOUS_SYSTEM: Shape = sco(
    "autonomous-system",
    "STIX 2.1 §6.2",
    &[must("number", INTEGER), may("name", Kind::Text), may("rir", Kind::Text)],
    &[],
)
.identified_by(&["number"]);

pub(super) static DIRECTORY: Shape = sco(
    "directory",
    "STIX 2.1 §6.3",
    &[
        must("path", Kind::Text),
        may("path_enc", Kind::Form(Format::Charset)),
        CTIME,
        MTIME,
        ATIME,
        may("contains_refs", Kind::Refs(Target::Local(&["file", "directory"]))),
    ],
    &[],
)
.identified_by(&["path"]);

pub(super) static DOMAIN_NAME: Shape = sco(
    "domain-name",
    "STIX 2.1 §6.4",
    &[
        must("value", Kind::Form(Format::Domain)),
        may("resolves_to_refs", Kind::Refs(Target::Local(&["ipv4-addr", "ipv6-addr", "domain-name"]))),
    ],
    &[],
)
.identified_by(&["value"]);

pub(super) static EMAIL_ADDRESS: Shape = sco(
    "email-addr",
    "STIX 2.1 §6.5",
    &[
        must("value", Kind::Form(Format::Email)),
        may("display_name", Kind::Text),
        may("belongs_to_ref", Kind::Ref(USER)),
    ],
    &[],
)
.identified_by(&["value"]);

pub(super) static EMAIL_MESSAGE: Shape = sco(
    "email-message",
    "STIX 2.1 §6.6",
    &[
        must("is_multipart", Kind::Boolean).role(Role::Main),
        may("date", Kind::Time),
        may("content_type", Kind::Text),
        may("from_ref", Kind::Ref(EMAIL_ADDR)),
        may("sender_ref", Kind::Ref(EMAIL_ADDR)),
        may("to_refs", Kind::Refs(EMAIL_ADDR)),
        may("cc_refs", Kind::Refs(EMAIL_ADDR)),
        may("bcc_refs", Kind::Refs(EMAIL_ADDR)),
        may("message_id", Kind::Text),
        may("subject", Kind::Text),
        may("received_lines", TEXTS),
        may("additional_header_fields", Kind::Dictionary(Dictionary::Headers)),
        may("body", Kind::Text),
        may("body_multipart", Kind::List(&Kind::Object(&MIME_PART))),
        may("raw_email_ref", Kind::Ref(ARTIFACT_REF)),
    ],
    &[Rule::Forbids("is_multipart", "body"), Rule::ForbidsUnless("is_multipart", "body_multipart")],
)
.identified_by(&["from_ref", "subject", "body"]);

pub(super) static FILE: Shape = sco(
    "file",
    "STIX 2.1 §6.7",
    &[
        may("hashes", Kind::Hashes),
        may("size", COUNT),
        may("name", Kind::Text),
        may("name_enc", Kind::Form(Format::Charset)),
        may("magic_number_hex", Kind::Hex),
        may("mime_type", Kind::Form(Format::MediaTypeAdvised)),
        CTIME,
        MTIME,
        ATIME,
        may("parent_directory_ref", Kind::Ref(Target::Local(&["directory"]))),
        may("contains_refs", Kind::Refs(Target::LocalSco)),
        may("content_ref", Kind::Ref(ARTIFACT_REF)),
    ],
    &[Rule::AnyOf(&["hashes", "name"]), Rule::Needs("name_enc", "name")],
)
.identified_by(&["hashes", "name", "extensions", "parent_directory_ref"]);

pub(super) static IPV4_ADDR: Shape = sco(
    "ipv4-addr",
    "STIX 2.1 §6.8",
    &[
        must("value", Kind::Form(Format::Ipv4)),
        may("resolves_to_refs", Kind::Refs(Target::Local(&["mac-addr"]))),
        may("belongs_to_refs", Kind::Refs(Target::Local(&["autonomous-system"]))),
    ],
    &[],
)
.identified_by(&["value"]);

pub(super) static IPV6_ADDR: Shape = sco(
    "ipv6-addr",
    "STIX 2.1 §6.9",
    &[
        must("value", Kind::Form(Format::Ipv6)),
        may("resolves_to_refs", Kind::Refs(Target::Local(&["mac-addr"]))),
        may("belongs_to_refs", Kind::Refs(Target::Local(&["autonomous-system"]))),
    ],
    &[],
)
.identified_by(&["value"]);

pub(super) static MAC_ADDR: Shape =
    sco("mac-addr", "STIX 2.1 §6.10", &[must("value", Kind::Form(Format::Mac))], &[]).identified_by(&["value"]);

pub(super) static MUTEX: Shape =
    sco("mutex", "STIX 2.1 §6.11", &[must("name", Kind::Text)], &[]).identified_by(&["name"]);

pub(super) static NETWORK_TRAFFIC: Shape = sco(
    "network-traffic",
    "STIX 2.1 §6.12",
    &[
        may("start", Kind::Time),
        may("end", Kind::Time),
        may("is_active", Kind::Boolean).role(Role::Main),
        may("src_ref", END),
        may("dst_ref", END),
        may("src_port", PORT),
        may("dst_port", PORT),
        must("protocols", Kind::List(&Kind::Form(Format::Protocol))),
        may("src_byte_count", INTEGER),
        may("dst_byte_count", INTEGER),
        may("src_packets", INTEGER),
        may("dst_packets", INTEGER),
        may("ipfix", Kind::Dictionary(Dictionary::Ipfix)),
        may("src_payload_ref", Kind::Ref(ARTIFACT_REF)),
        may("dst_payload_ref", Kind::Ref(ARTIFACT_REF)),
        may("encapsulates_refs", Kind::Refs(Target::Local(&["network-traffic"]))),
        may("encapsulated_by_ref", Kind::Ref(Target::Local(&["network-traffic"]))),
    ],
    &[Rule::Order("start", "end", false), Rule::AnyOf(&["src_ref", "dst_ref"]), Rule::Forbids("is_active", "end")],
)
.identified_by(&["start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions"]);

pub(super) static PROCESS: Shape = sco(
    "process",
    "STIX 2.1 §6.13",
    &[
        may("is_hidden", Kind::Boolean),
        may("pid", INTEGER),
        may("created_time", Kind::Time),
        may("cwd", Kind::Text),
        may("command_line", Kind::Text),
        may("environment_variables", Kind::Dictionary(Dictionary::Any)),
        may("opened_connection_refs", Kind::Refs(Target::Local(&["network-traffic"]))),
        may("creator_user_ref", Kind::Ref(USER)),
        may("image_ref", Kind::Ref(Target::Local(&["file"]))),
        may("parent_ref", Kind::Ref(Target::Local(&["process"]))),
        may("child_refs", Kind::Refs(Target::Local(&["process"]))),
    ],
    &[Rule::AnyOwn],
);

pub(super) static SOFTWARE: Shape = sco(
    "software",
    "STIX 2.1 §6.14",
    &[
        must("name", Kind::Text),
        may("cpe", Kind::Form(Format::Cpe)),
        may("swid", Kind::Text),
        may("languages", Kind::List(&Kind::Form(Format::Language))),
        may("vendor", Kind::Text),
        may("version", Kind::Text),
    ],
    &[],
)
.identified_by(&["name", "cpe", "swid", "vendor", "version"]);

pub(super) static URL: Shape = sco("url", "STIX 2.1 §6.15", &[must("value", URI)], &[]).identified_by(&["value"]);

pub(super) static USER_ACCOUNT: Shape = sco(
    "user-account",
    "STIX 2.1 §6.16",
    &[
        may("user_id", Kind::Text),
        may("credential", Kind::Text),
        may("account_login", Kind::Text),
        may("account_type", Kind::Listed(&vocab::ACCOUNT_TYPE, Code::AccountType)),
        may("display_name", Kind::Text),
        may("is_service_account", Kind::Boolean),
        may("is_privileged", Kind::Boolean),
        may("can_escalate_privs", Kind::Boolean),
        may("is_disabled", Kind::Boolean),
        may("account_created", Kind::Time),
        may("account_expires", Kind::Time),
        may("credential_last_changed", Kind::Time),
        may("account_first_login", Kind::Time),
        may("account_last_login", Kind::Time),
    ],
    &[Rule::AnyOwn],
)
.identified_by(&["account_type", "user_id", "account_login"]);

pub(super) static WINDOWS_REGISTRY_KEY: Shape = sco(
    "windows-registry-key",
    "STIX 2.1 §6.17",
    &[
        may("key", Kind::Form(Format::RegistryKey)),
        may("values", Kind::List(&Kind::Object(&REGISTRY_VALUE))),
        may("modified_time", Kind::Time),
        may("creator_user_ref", Kind::Ref(USER)),
        may("number_of_subkeys", INTEGER),
    ],
    &[Rule::AnyOwn],
)
.identified_by(&["key", "values"]);

pub(super) static X509_CERTIFICATE: Shape = sco(
    "x509-certificate",
    "STIX 2.1 §6.18",
    &[
        may("is_self_signed", Kind::Boolean),
        may("hashes", Kind::Hashes),
        may("version", Kind::Text),
        may("serial_number", Kind::Text),
        may("signature_algorithm", Kind::Text),
        may("issuer", Kind::Text),
        may("validity_not_before", Kind::Time),
        may("validity_not_after", Kind::Time),
        may("subject", Kind::Text),
        may("subject_public_key_algorithm", Kind::Text),
        may("subject_public_key_modulus", Kind::Text),
        may("subject_public_key_exponent", INTEGER),
        may("x509_v3_extensions", Kind::Object(&X509_EXTENSIONS)),
    ],
    &[Rule::AnyOwn],
)
.identified_by(&["hashes", "serial_number"]);
