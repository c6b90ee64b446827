//! Cyber-observables of STIX 2.0, which stand in the container of an observed-data. STIX 2.0 part 4.

use super::shape;
use super::terms::{ENCRYPTION_ALGORITHM, REGISTRY_DATATYPE};
use crate::schema::common::{COUNT, INTEGER, TEXTS, URI};
use crate::schema::extension::embedded;
use crate::schema::property::{may, must};
use crate::schema::sco_shapes::{MIME_PART, X509_EXTENSIONS};
use crate::schema::{Category, Dictionary, Format, Kind, Property, Role, Rule, Shape, Target};
use crate::validate::Code;
use crate::vocab;

/// What cyber-observables share, part 3 §3.
pub(super) const COMMON: &[Property] =
    &[must("type", Kind::Type), may("extensions", Kind::Extensions).role(Role::Extensions)];

const fn sco(name: &'static str, clause: &'static str, own: &'static [Property], rules: &'static [Rule]) -> Shape {
    shape(name, clause, Category::Sco, COMMON, own, rules)
}

const CREATED: Property = may("created", Kind::Time);
const MODIFIED: Property = may("modified", Kind::Time);
const ACCESSED: Property = may("accessed", Kind::Time);
const MAILBOX: Target = Target::Local(&["email-addr"]);
const PAYLOAD: Target = Target::Local(&["artifact"]);
const USER: Target = Target::Local(&["user-account"]);
const END: Kind = Kind::Ref(Target::Local(&["ipv4-addr", "ipv6-addr", "mac-addr", "domain-name"]));
const PORT: Kind = Kind::Integer(0, 65_535);

static REGISTRY_VALUE: Shape = embedded(
    "windows-registry-value-type",
    "STIX 2.0 part 4 §2.17.2",
    &[must("name", Kind::Text), may("data", Kind::Text), may("data_type", Kind::Closed(&REGISTRY_DATATYPE))],
    &[],
);

static ARTIFACT: Shape = sco(
    "artifact",
    "STIX 2.0 part 4 §2.1",
    &[
        may("mime_type", Kind::Form(Format::MediaType)),
        may("payload_bin", Kind::Binary),
        may("url", URI),
        may("hashes", Kind::Hashes),
    ],
    &[Rule::OneOf("payload_bin", "url"), Rule::Needs("url", "hashes")],
);
static AUTONOMOUS_SYSTEM: Shape = sco(
    "autonomous-system",
    "STIX 2.0 part 4 §2.2",
    &[must("number", INTEGER), may("name", Kind::Text), may("rir", Kind::Text)],
    &[],
);
static DIRECTORY: Shape = sco(
    "directory",
    "STIX 2.0 part 4 §2.3",
    &[
        must("path", Kind::Text),
        may("path_enc", Kind::Form(Format::Charset)),
        CREATED,
        MODIFIED,
        ACCESSED,
        may("contains_refs", Kind::Refs(Target::Local(&["file", "directory"]))),
    ],
    &[],
);
static DOMAIN_NAME: Shape = sco(
    "domain-name",
    "STIX 2.0 part 4 §2.4",
    &[
        must("value", Kind::Form(Format::Domain)),
        may("resolves_to_refs", Kind::Refs(Target::Local(&["ipv4-addr", "ipv6-addr", "domain-name"]))),
    ],
    &[],
);
static EMAIL_ADDR: Shape = sco(
    "email-addr",
    "STIX 2.0 part 4 §2.5",
    &[
        must("value", Kind::Form(Format::Email)),
        may("display_name", Kind::Text),
        may("belongs_to_ref", Kind::Ref(USER)),
    ],
    &[],
);
static EMAIL_MESSAGE: Shape = sco(
    "email-message",
    "STIX 2.0 part 4 §2.6",
    &[
        must("is_multipart", Kind::Boolean),
        may("date", Kind::Time),
        may("content_type", Kind::Text),
        may("from_ref", Kind::Ref(MAILBOX)),
        may("sender_ref", Kind::Ref(MAILBOX)),
        may("to_refs", Kind::Refs(MAILBOX)),
        may("cc_refs", Kind::Refs(MAILBOX)),
        may("bcc_refs", Kind::Refs(MAILBOX)),
        may("subject", Kind::Text),
        may("received_lines", TEXTS),
        may("additional_header_fields", Kind::Dictionary(Dictionary::Headers)),
        may("body", Kind::Text),
        may("body_multipart", Kind::List(&Kind::Object(&MIME_PART))),
        may("raw_email_ref", Kind::Ref(PAYLOAD)),
    ],
    &[Rule::Forbids("is_multipart", "body"), Rule::ForbidsUnless("is_multipart", "body_multipart")],
);
static FILE: Shape = sco(
    "file",
    "STIX 2.0 part 4 §2.7",
    &[
        may("hashes", Kind::Hashes),
        may("size", COUNT),
        may("name", Kind::Text),
        may("name_enc", Kind::Form(Format::Charset)),
        may("magic_number_hex", Kind::Hex),
        may("mime_type", Kind::Form(Format::MediaTypeAdvised)),
        CREATED,
        MODIFIED,
        ACCESSED,
        may("parent_directory_ref", Kind::Ref(Target::Local(&["directory"]))),
        may("is_encrypted", Kind::Boolean),
        may("encryption_algorithm", Kind::Listed(&ENCRYPTION_ALGORITHM, Code::EncryptionAlgo)),
        may("decryption_key", Kind::Text),
        may("contains_refs", Kind::Refs(Target::LocalSco)),
        may("content_ref", Kind::Ref(PAYLOAD)),
    ],
    &[
        Rule::AnyOf(&["hashes", "name"]),
        Rule::ForbidsUnless("is_encrypted", "encryption_algorithm"),
        Rule::ForbidsUnless("is_encrypted", "decryption_key"),
    ],
);
static IPV4_ADDR: Shape = sco(
    "ipv4-addr",
    "STIX 2.0 part 4 §2.8",
    &[
        must("value", Kind::Form(Format::Ipv4)),
        may("resolves_to_refs", Kind::Refs(Target::Local(&["mac-addr"]))),
        may("belongs_to_refs", Kind::Refs(Target::Local(&["autonomous-system"]))),
    ],
    &[],
);
static IPV6_ADDR: Shape = sco(
    "ipv6-addr",
    "STIX 2.0 part 4 §2.9",
    &[
        must("value", Kind::Form(Format::Ipv6)),
        may("resolves_to_refs", Kind::Refs(Target::Local(&["mac-addr"]))),
        may("belongs_to_refs", Kind::Refs(Target::Local(&["autonomous-system"]))),
    ],
    &[],
);
static MAC_ADDR: Shape = sco("mac-addr", "STIX 2.0 part 4 §2.10", &[must("value", Kind::Form(Format::Mac))], &[]);
static MUTEX: Shape = sco("mutex", "STIX 2.0 part 4 §2.11", &[must("name", Kind::Text)], &[]);
static NETWORK_TRAFFIC: Shape = sco(
    "network-traffic",
    "STIX 2.0 part 4 §2.12",
    &[
        may("start", Kind::Time),
        may("end", Kind::Time),
        may("is_active", Kind::Boolean),
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
        may("src_payload_ref", Kind::Ref(PAYLOAD)),
        may("dst_payload_ref", Kind::Ref(PAYLOAD)),
        may("encapsulates_refs", Kind::Refs(Target::Local(&["network-traffic"]))),
        may("encapsulated_by_ref", Kind::Ref(Target::Local(&["network-traffic"]))),
    ],
    &[Rule::AnyOf(&["src_ref", "dst_ref"]), Rule::Forbids("is_active", "end")],
);
static PROCESS: Shape = sco(
    "process",
    "STIX 2.0 part 4 §2.13",
    &[
        may("is_hidden", Kind::Boolean),
        may("pid", INTEGER),
        may("name", Kind::Text),
        may("created", Kind::Time),
        may("cwd", Kind::Text),
        may("arguments", TEXTS),
        may("command_line", Kind::Text),
        may("environment_variables", Kind::Dictionary(Dictionary::Any)),
        may("opened_connection_refs", Kind::Refs(Target::Local(&["network-traffic"]))),
        may("creator_user_ref", Kind::Ref(USER)),
        may("binary_ref", Kind::Ref(Target::Local(&["file"]))),
        may("parent_ref", Kind::Ref(Target::Local(&["process"]))),
        may("child_refs", Kind::Refs(Target::Local(&["process"]))),
    ],
    &[Rule::AnyOwn],
);
static SOFTWARE: Shape = sco(
    "software",
    "STIX 2.0 part 4 §2.14",
    &[
        must("name", Kind::Text),
        may("cpe", Kind::Form(Format::Cpe)),
        may("languages", Kind::List(&Kind::Form(Format::Language20))),
        may("vendor", Kind::Text),
        may("version", Kind::Text),
    ],
    &[],
);
static URL: Shape = sco("url", "STIX 2.0 part 4 §2.15", &[must("value", URI)], &[]);
static USER_ACCOUNT: Shape = sco(
    "user-account",
    "STIX 2.0 part 4 §2.16",
    &[
        must("user_id", Kind::Text),
        may("account_login", Kind::Text),
        may("account_type", Kind::Listed(&vocab::ACCOUNT_TYPE, Code::AccountType)),
        may("display_name", Kind::Text),
        may("is_service_account", Kind::Boolean),
        may("is_privileged", Kind::Boolean),
        may("can_escalate_privs", Kind::Boolean),
        may("is_disabled", Kind::Boolean),
        may("account_created", Kind::Time),
        may("account_expires", Kind::Time),
        may("password_last_changed", Kind::Time),
        may("account_first_login", Kind::Time),
        may("account_last_login", Kind::Time),
    ],
    &[],
);
static WINDOWS_REGISTRY_KEY: Shape = sco(
    "windows-registry-key",
    "STIX 2.0 part 4 §2.17",
    &[
        must("key", Kind::Form(Format::RegistryKey)),
        may("values", Kind::List(&Kind::Object(&REGISTRY_VALUE))),
        MODIFIED,
        may("creator_user_ref", Kind::Ref(USER)),
        may("number_of_subkeys", INTEGER),
    ],
    &[],
);
static X509_CERTIFICATE: Shape = sco(
    "x509-certificate",
    "STIX 2.0 part 4 §2.18",
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
);
pub(super) static SHAPES: [&Shape; 18] = [
    &ARTIFACT,
    &AUTONOMOUS_SYSTEM,
    &DIRECTORY,
    &DOMAIN_NAME,
    &EMAIL_ADDR,
    &EMAIL_MESSAGE,
    &FILE,
    &IPV4_ADDR,
    &IPV6_ADDR,
    &MAC_ADDR,
    &MUTEX,
    &NETWORK_TRAFFIC,
    &PROCESS,
    &SOFTWARE,
    &URL,
    &USER_ACCOUNT,
    &WINDOWS_REGISTRY_KEY,
    &X509_CERTIFICATE,
];
