//! The observable objects of STIX 2.1 §6, as far as a path can go into them. A test compares this with the published
//! schemas.

/// What a property holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Text,
    Integer,
    /// Any number.
    Number,
    Boolean,
    Timestamp,
    Hex,
    Binary,
    /// Hashes by algorithm.
    Hashes,
    /// Keys that the standard does not name.
    Dictionary,
    /// Extensions by name.
    Extensions,
    /// An object that is referred to.
    Reference,
    /// An object of this shape.
    Shape(&'static str),
}

/// A property as the standard has it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Property {
    pub(crate) kind: Kind,
    pub(crate) is_list: bool,
}

/// Each type or shape with its properties: `name:kind`, `[kind]` for a list, a bare word for text.
const SHAPES: &[(&str, &str)] = &[
    ("artifact", "mime_type payload_bin:binary url hashes:hashes encryption_algorithm decryption_key"),
    ("autonomous-system", "number:integer name rir"),
    ("directory", "path path_enc ctime:time mtime:time atime:time contains_refs:[ref]"),
    ("domain-name", "value resolves_to_refs:[ref]"),
    ("email-addr", "value display_name belongs_to_ref:ref"),
    (
        "email-message",
        "is_multipart:bool date:time content_type from_ref:ref sender_ref:ref to_refs:[ref] cc_refs:[ref] bcc_refs:[ref] \
         message_id subject received_lines:[text] additional_header_fields:dictionary body \
         body_multipart:[email-mime-part] raw_email_ref:ref",
    ),
    ("email-mime-part", "body body_raw_ref:ref content_type content_disposition"),
    (
        "file",
        "hashes:hashes size:integer name name_enc magic_number_hex:hex mime_type ctime:time mtime:time atime:time \
         parent_directory_ref:ref contains_refs:[ref] content_ref:ref",
    ),
    ("archive-ext", "contains_refs:[ref] comment"),
    ("ntfs-ext", "sid alternate_data_streams:[alternate-data-stream]"),
    ("alternate-data-stream", "name hashes:hashes size:integer"),
    ("pdf-ext", "version is_optimized:bool document_info_dict:dictionary pdfid0 pdfid1"),
    ("raster-image-ext", "image_height:integer image_width:integer bits_per_pixel:integer exif_tags:dictionary"),
    (
        "windows-pebinary-ext",
        "pe_type imphash machine_hex:hex number_of_sections:integer time_date_stamp:time pointer_to_symbol_table_hex:hex \
         number_of_symbols:integer size_of_optional_header:integer characteristics_hex:hex file_header_hashes:hashes \
         optional_header:pe-optional-header sections:[pe-section]",
    ),
    (
        "pe-optional-header",
        "magic_hex:hex major_linker_version:integer minor_linker_version:integer size_of_code:integer \
         size_of_initialized_data:integer size_of_uninitialized_data:integer address_of_entry_point:integer \
         base_of_code:integer base_of_data:integer image_base:integer section_alignment:integer file_alignment:integer \
         major_os_version:integer minor_os_version:integer major_image_version:integer minor_image_version:integer \
         major_subsystem_version:integer minor_subsystem_version:integer win32_version_value_hex:hex \
         size_of_image:integer size_of_headers:integer checksum_hex:hex subsystem_hex:hex dll_characteristics_hex:hex \
         size_of_stack_reserve:integer size_of_stack_commit:integer size_of_heap_reserve:integer \
         size_of_heap_commit:integer loader_flags_hex:hex number_of_rva_and_sizes:integer hashes:hashes",
    ),
    ("pe-section", "name size:integer entropy:number hashes:hashes"),
    ("ipv4-addr", "value resolves_to_refs:[ref] belongs_to_refs:[ref]"),
    ("ipv6-addr", "value resolves_to_refs:[ref] belongs_to_refs:[ref]"),
    ("mac-addr", "value"),
    ("mutex", "name"),
    (
        "network-traffic",
        "start:time end:time is_active:bool src_ref:ref dst_ref:ref src_port:integer dst_port:integer protocols:[text] \
         src_byte_count:integer dst_byte_count:integer src_packets:integer dst_packets:integer ipfix:dictionary \
         src_payload_ref:ref dst_payload_ref:ref encapsulates_refs:[ref] encapsulated_by_ref:ref",
    ),
    (
        "http-request-ext",
        "request_method request_value request_version request_header:dictionary message_body_length:integer \
         message_body_data_ref:ref",
    ),
    ("icmp-ext", "icmp_type_hex:hex icmp_code_hex:hex"),
    (
        "socket-ext",
        "address_family is_blocking:bool is_listening:bool options:dictionary socket_type socket_descriptor:integer \
         socket_handle:integer",
    ),
    ("tcp-ext", "src_flags_hex:hex dst_flags_hex:hex"),
    (
        "process",
        "is_hidden:bool pid:integer created_time:time cwd command_line environment_variables:dictionary \
         opened_connection_refs:[ref] creator_user_ref:ref image_ref:ref parent_ref:ref child_refs:[ref]",
    ),
    (
        "windows-process-ext",
        "aslr_enabled:bool dep_enabled:bool priority owner_sid window_title startup_info:dictionary integrity_level",
    ),
    (
        "windows-service-ext",
        "service_name descriptions:[text] display_name group_name start_type service_dll_refs:[ref] service_type \
         service_status",
    ),
    ("software", "name cpe swid languages:[text] vendor version"),
    ("url", "value"),
    (
        "user-account",
        "user_id credential account_login account_type display_name is_service_account:bool is_privileged:bool \
         can_escalate_privs:bool is_disabled:bool account_created:time account_expires:time \
         credential_last_changed:time account_first_login:time account_last_login:time",
    ),
    ("unix-account-ext", "gid:integer groups:[text] home_dir shell"),
    (
        "windows-registry-key",
        "key values:[windows-registry-value] modified_time:time creator_user_ref:ref number_of_subkeys:integer",
    ),
    ("windows-registry-value", "name data data_type"),
    (
        "x509-certificate",
        "is_self_signed:bool hashes:hashes version serial_number signature_algorithm issuer validity_not_before:time \
         validity_not_after:time subject subject_public_key_algorithm subject_public_key_modulus \
         subject_public_key_exponent:integer x509_v3_extensions:x509-v3-extensions",
    ),
    (
        "x509-v3-extensions",
        "basic_constraints name_constraints policy_constraints key_usage extended_key_usage subject_key_identifier \
         authority_key_identifier subject_alternative_name issuer_alternative_name subject_directory_attributes \
         crl_distribution_points inhibit_any_policy private_key_usage_period_not_before:time \
         private_key_usage_period_not_after:time certificate_policies policy_mappings",
    ),
];

/// What every observable object has (STIX 2.1 §3.2).
const COMMON: &str = "type id spec_version object_marking_refs:[text] granular_markings:[granular-marking] defanged:bool \
     extensions:extensions";

/// Types of observable objects (STIX 2.1 §6).
pub(crate) const TYPES: [&str; 18] = [
    "artifact",
    "autonomous-system",
    "directory",
    "domain-name",
    "email-addr",
    "email-message",
    "file",
    "ipv4-addr",
    "ipv6-addr",
    "mac-addr",
    "mutex",
    "network-traffic",
    "process",
    "software",
    "url",
    "user-account",
    "windows-registry-key",
    "x509-certificate",
];

/// Types of STIX 2.1 that are not observable: observed data never shows them to a pattern (STIX 2.1 §9.3).
pub(crate) const UNOBSERVABLE: [&str; 25] = [
    "attack-pattern",
    "campaign",
    "course-of-action",
    "grouping",
    "identity",
    "incident",
    "indicator",
    "infrastructure",
    "intrusion-set",
    "location",
    "malware",
    "malware-analysis",
    "note",
    "observed-data",
    "opinion",
    "report",
    "threat-actor",
    "tool",
    "vulnerability",
    "relationship",
    "sighting",
    "extension-definition",
    "language-content",
    "marking-definition",
    "bundle",
];

/// The property of an observable type or a shape of the standard; none if it has no such property. The shape of an
/// extension that the standard does not define is not known.
pub(crate) fn property(shape: &str, name: &str) -> Option<Property> {
    let own = SHAPES.iter().find(|(known, _)| *known == shape).map_or("", |(_, properties)| *properties);
    let common = if TYPES.contains(&shape) { COMMON } else { "" };
    let of = |entry: &'static str| entry.split_once(':').unwrap_or((entry, "text"));
    let (_, kind) = own.split_whitespace().chain(common.split_whitespace()).map(of).find(|(own, _)| *own == name)?;
    let (kind, is_list) = match kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')) {
        Some(element) => (element, true),
        None => (kind, false),
    };
    let kind = match kind {
        "text" => Kind::Text,
        "integer" => Kind::Integer,
        "number" => Kind::Number,
        "bool" => Kind::Boolean,
        "time" => Kind::Timestamp,
        "hex" => Kind::Hex,
        "binary" => Kind::Binary,
        "hashes" => Kind::Hashes,
        "dictionary" | "granular-marking" => Kind::Dictionary,
        "extensions" => Kind::Extensions,
        "ref" => Kind::Reference,
        shape => Kind::Shape(shape),
    };
    Some(Property { kind, is_list })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn is_shape(name: &str) -> bool {
        SHAPES.iter().any(|(known, _)| *known == name)
    }

    /// The names of the properties in a published schema, its parts that are taken from others left out.
    fn published(schema: &serde_json::Value) -> Vec<String> {
        let own = schema["properties"].as_object().into_iter().flatten();
        let mut names: Vec<String> = own.map(|(name, _)| name.clone()).collect();
        for parts in ["allOf", "oneOf", "anyOf"] {
            names.extend(schema[parts].as_array().into_iter().flatten().flat_map(published));
        }
        names
    }

    #[test]
    fn every_type_and_property_is_that_of_the_published_schemas() {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/stix21-schemas/schemas/observables");
        if !folder.is_dir() {
            println!("skipped: no published schemas beside the project");
            return;
        }
        let mut compared = 0;
        for object_type in TYPES {
            let text = std::fs::read_to_string(folder.join(format!("{object_type}.json"))).unwrap();
            let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
            let names = published(&schema);
            for name in &names {
                compared += 1;
                assert!(property(object_type, name).is_some(), "{object_type}:{name} is not known");
            }
            let own = SHAPES.iter().find(|(known, _)| *known == object_type).unwrap().1;
            for entry in own.split_whitespace() {
                let name = entry.split(':').next().unwrap();
                assert!(names.iter().any(|known| known == name), "{object_type}:{name} is not in the schema");
            }
            let extensions = schema["definitions"].as_object().into_iter().flatten();
            for (name, shape) in extensions.filter(|(name, _)| is_shape(name)) {
                for property_name in published(shape) {
                    compared += 1;
                    assert!(property(name, &property_name).is_some(), "{name}.{property_name} is not known");
                }
            }
        }
        assert!(compared > 150, "{compared}");
    }
}
