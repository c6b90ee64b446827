//! The extensions that the standard itself defines, and the types inside them. STIX 2.1 §6.

use super::common::{COUNT, INTEGER, NUMBER, TEXTS};
use super::property::{may, must};
use super::{Category, Dictionary, Kind, Property, Rule, Shape, Target};
use crate::validate::Code;
use crate::vocab;

/// The predefined extension called `key` of cyber-observables of type `of`. STIX 2.1 §3.9, §6.
#[must_use]
pub fn predefined(of: &str, key: &str) -> Option<&'static Shape> {
    Some(match (of, key) {
        ("file", "archive-ext") => &ARCHIVE,
        ("file", "ntfs-ext") => &NTFS,
        ("file", "pdf-ext") => &PDF,
        ("file", "raster-image-ext") => &RASTER_IMAGE,
        ("file", "windows-pebinary-ext") => &WINDOWS_PEBINARY,
        ("network-traffic", "http-request-ext") => &HTTP_REQUEST,
        ("network-traffic", "icmp-ext") => &ICMP,
        ("network-traffic", "socket-ext") => &SOCKET,
        ("network-traffic", "tcp-ext") => &TCP,
        ("process", "windows-process-ext") => &WINDOWS_PROCESS,
        ("process", "windows-service-ext") => &WINDOWS_SERVICE,
        ("user-account", "unix-account-ext") => &UNIX_ACCOUNT,
        _ => return None,
    })
}

pub(super) const fn embedded(
    name: &'static str,
    clause: &'static str,
    own: &'static [Property],
    rules: &'static [Rule],
) -> Shape {
    Shape::new(name, clause, Category::Part, &[], own, rules)
}

pub(super) static ARCHIVE: Shape = embedded(
    "archive-ext",
    "STIX 2.1 §6.7.2",
    &[must("contains_refs", Kind::Refs(Target::Local(&["file", "directory"]))), may("comment", Kind::Text)],
    &[],
);

pub(super) static NTFS: Shape = embedded(
    "ntfs-ext",
    "STIX 2.1 §6.7.3",
    &[may("sid", Kind::Text), may("alternate_data_streams", Kind::List(&Kind::Object(&DATA_STREAM)))],
    &[Rule::AnyOwn],
);

static DATA_STREAM: Shape = embedded(
    "alternate-data-stream-type",
    "STIX 2.1 §6.7.3",
    &[must("name", Kind::Text), may("hashes", Kind::Hashes), may("size", COUNT)],
    &[],
);

pub(super) static PDF: Shape = embedded(
    "pdf-ext",
    "STIX 2.1 §6.7.4",
    &[
        may("version", Kind::Text),
        may("is_optimized", Kind::Boolean),
        may("document_info_dict", Kind::Dictionary(Dictionary::PdfInfo)),
        may("pdfid0", Kind::Text),
        may("pdfid1", Kind::Text),
    ],
    &[Rule::AnyOwn],
);

pub(super) static RASTER_IMAGE: Shape = embedded(
    "raster-image-ext",
    "STIX 2.1 §6.7.5",
    &[
        may("image_height", INTEGER),
        may("image_width", INTEGER),
        may("bits_per_pixel", INTEGER),
        may("exif_tags", Kind::Dictionary(Dictionary::Exif)),
    ],
    &[Rule::AnyOwn],
);

pub(super) static WINDOWS_PEBINARY: Shape = embedded(
    "windows-pebinary-ext",
    "STIX 2.1 §6.7.6",
    &[
        must("pe_type", Kind::Listed(&vocab::WINDOWS_PEBINARY_TYPE, Code::WindowsPebinaryType)),
        may("imphash", Kind::Text),
        may("machine_hex", Kind::Hex),
        may("number_of_sections", COUNT),
        may("time_date_stamp", Kind::Second),
        may("pointer_to_symbol_table_hex", Kind::Hex),
        may("number_of_symbols", COUNT),
        may("size_of_optional_header", COUNT),
        may("characteristics_hex", Kind::Hex),
        may("file_header_hashes", Kind::Hashes),
        may("optional_header", Kind::Object(&PE_OPTIONAL_HEADER)),
        may("sections", Kind::List(&Kind::Object(&PE_SECTION))),
    ],
    &[Rule::AnyBesides("pe_type")],
);

pub(super) static PE_OPTIONAL_HEADER: Shape = embedded(
    "windows-pe-optional-header-type",
    "STIX 2.1 §6.7.6",
    &[
        may("magic_hex", Kind::Hex),
        may("major_linker_version", INTEGER),
        may("minor_linker_version", INTEGER),
        may("size_of_code", COUNT),
        may("size_of_initialized_data", COUNT),
        may("size_of_uninitialized_data", COUNT),
        may("address_of_entry_point", INTEGER),
        may("base_of_code", INTEGER),
        may("base_of_data", INTEGER),
        may("image_base", INTEGER),
        may("section_alignment", INTEGER),
        may("file_alignment", INTEGER),
        may("major_os_version", INTEGER),
        may("minor_os_version", INTEGER),
        may("major_image_version", INTEGER),
        may("minor_image_version", INTEGER),
        may("major_subsystem_version", INTEGER),
        may("minor_subsystem_version", INTEGER),
        may("win32_version_value_hex", Kind::Hex),
        may("size_of_image", COUNT),
        may("size_of_headers", COUNT),
        may("checksum_hex", Kind::Hex),
        may("subsystem_hex", Kind::Hex),
        may("dll_characteristics_hex", Kind::Hex),
        may("size_of_stack_reserve", COUNT),
        may("size_of_stack_commit", COUNT),
        may("size_of_heap_reserve", COUNT),
        may("size_of_heap_commit", COUNT),
        may("loader_flags_hex", Kind::Hex),
        may("number_of_rva_and_sizes", INTEGER),
        may("hashes", Kind::Hashes),
    ],
    &[Rule::AnyOwn],
);

pub(super) static PE_SECTION: Shape = embedded(
    "windows-pe-section-type",
    "STIX 2.1 §6.7.6",
    &[must("name", Kind::Text), may("size", COUNT), may("entropy", NUMBER), may("hashes", Kind::Hashes)],
    &[],
);

pub(super) static HTTP_REQUEST: Shape = embedded(
    "http-request-ext",
    "STIX 2.1 §6.12.2",
    &[
        must("request_method", Kind::Text),
        must("request_value", Kind::Text),
        may("request_version", Kind::Text),
        may("request_header", Kind::Dictionary(Dictionary::RequestHeaders)),
        may("message_body_length", INTEGER),
        may("message_body_data_ref", Kind::Ref(Target::Local(&["artifact"]))),
    ],
    &[],
);

pub(super) static ICMP: Shape = embedded(
    "icmp-ext",
    "STIX 2.1 §6.12.3",
    &[must("icmp_type_hex", Kind::Hex), must("icmp_code_hex", Kind::Hex)],
    &[],
);

pub(super) static SOCKET: Shape = embedded(
    "socket-ext",
    "STIX 2.1 §6.12.4",
    &[
        must("address_family", Kind::Closed(&vocab::NETWORK_SOCKET_ADDRESS_FAMILY)),
        may("is_blocking", Kind::Boolean),
        may("is_listening", Kind::Boolean),
        may("options", Kind::Dictionary(Dictionary::SocketOptions)),
        may("socket_type", Kind::Closed(&vocab::NETWORK_SOCKET_TYPE)),
        may("socket_descriptor", COUNT),
        may("socket_handle", INTEGER),
    ],
    &[],
);

pub(super) static TCP: Shape = embedded(
    "tcp-ext",
    "STIX 2.1 §6.12.5",
    &[may("src_flags_hex", Kind::Hex), may("dst_flags_hex", Kind::Hex)],
    &[Rule::AnyOwn],
);

pub(super) static WINDOWS_PROCESS: Shape = embedded(
    "windows-process-ext",
    "STIX 2.1 §6.13.2",
    &[
        may("aslr_enabled", Kind::Boolean),
        may("dep_enabled", Kind::Boolean),
        may("priority", Kind::Form(super::Format::Priority)),
        may("owner_sid", Kind::Text),
        may("window_title", Kind::Text),
        may("startup_info", Kind::Dictionary(Dictionary::StartupInfo)),
        may("integrity_level", Kind::Closed(&vocab::WINDOWS_INTEGRITY_LEVEL)),
    ],
    &[Rule::AnyOwn],
);

pub(super) static WINDOWS_SERVICE: Shape = embedded(
    "windows-service-ext",
    "STIX 2.1 §6.13.3",
    &[
        may("service_name", Kind::Text),
        may("descriptions", TEXTS),
        may("display_name", Kind::Text),
        may("group_name", Kind::Text),
        may("start_type", Kind::Closed(&vocab::WINDOWS_SERVICE_START_TYPE)),
        may("service_dll_refs", Kind::Refs(Target::Local(&["file"]))),
        may("service_type", Kind::Closed(&vocab::WINDOWS_SERVICE_TYPE)),
        may("service_status", Kind::Closed(&vocab::WINDOWS_SERVICE_STATUS)),
    ],
    &[Rule::AnyOwn],
);

pub(super) static UNIX_ACCOUNT: Shape = embedded(
    "unix-account-ext",
    "STIX 2.1 §6.16.2",
    &[may("gid", NUMBER), may("groups", TEXTS), may("home_dir", Kind::Text), may("shell", Kind::Text)],
    &[Rule::AnyOwn],
);
