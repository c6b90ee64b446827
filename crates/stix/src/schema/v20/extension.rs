//! Predefined extensions that STIX 2.0 has otherwise than 2.1. STIX 2.0 part 4 §2.

use super::terms::PROTOCOL_FAMILY;
use crate::schema::common::{COUNT, INTEGER, TEXTS};
use crate::schema::extension::{self, embedded};
use crate::schema::property::{may, must};
use crate::schema::{Dictionary, Format, Kind, Rule, Shape, Target};
use crate::validate::Code;
use crate::vocab;

/// The predefined extension called `key` of cyber-observables of type `of`.
pub(in crate::schema) fn predefined(of: &str, key: &str) -> Option<&'static Shape> {
    Some(match (of, key) {
        ("file", "archive-ext") => &ARCHIVE,
        ("file", "raster-image-ext") => &RASTER_IMAGE,
        ("file", "windows-pebinary-ext") => &WINDOWS_PEBINARY,
        ("network-traffic", "socket-ext") => &SOCKET,
        ("process", "windows-process-ext") => &WINDOWS_PROCESS,
        ("process", "windows-service-ext") => &WINDOWS_SERVICE,
        _ => return extension::predefined(of, key),
    })
}

static ARCHIVE: Shape = embedded(
    "archive-ext",
    "STIX 2.0 part 4 §2.7.2",
    &[
        must("contains_refs", Kind::Refs(Target::Local(&["file"]))),
        may("version", Kind::Text),
        may("comment", Kind::Text),
    ],
    &[],
);

static RASTER_IMAGE: Shape = embedded(
    "raster-image-ext",
    "STIX 2.0 part 4 §2.7.5",
    &[
        may("image_height", INTEGER),
        may("image_width", INTEGER),
        may("bits_per_pixel", INTEGER),
        may("image_compression_algorithm", Kind::Text),
        may("exif_tags", Kind::Dictionary(Dictionary::Exif)),
    ],
    &[Rule::AnyOwn],
);

static WINDOWS_PEBINARY: Shape = embedded(
    "windows-pebinary-ext",
    "STIX 2.0 part 4 §2.7.6",
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
        may("optional_header", Kind::Object(&extension::PE_OPTIONAL_HEADER)),
        may("sections", Kind::List(&Kind::Object(&extension::PE_SECTION))),
    ],
    &[],
);

static SOCKET: Shape = embedded(
    "socket-ext",
    "STIX 2.0 part 4 §2.12.4",
    &[
        must("address_family", Kind::Closed(&vocab::NETWORK_SOCKET_ADDRESS_FAMILY)),
        may("is_blocking", Kind::Boolean),
        may("is_listening", Kind::Boolean),
        may("protocol_family", Kind::Closed(&PROTOCOL_FAMILY)),
        may("options", Kind::Dictionary(Dictionary::SocketOptions)),
        may("socket_type", Kind::Closed(&vocab::NETWORK_SOCKET_TYPE)),
        may("socket_descriptor", COUNT),
        may("socket_handle", INTEGER),
    ],
    &[],
);

static WINDOWS_PROCESS: Shape = embedded(
    "windows-process-ext",
    "STIX 2.0 part 4 §2.13.2",
    &[
        may("aslr_enabled", Kind::Boolean),
        may("dep_enabled", Kind::Boolean),
        may("priority", Kind::Form(Format::Priority)),
        may("owner_sid", Kind::Text),
        may("window_title", Kind::Text),
        may("startup_info", Kind::Dictionary(Dictionary::StartupInfo)),
    ],
    &[Rule::AnyOwn],
);

static WINDOWS_SERVICE: Shape = embedded(
    "windows-service-ext",
    "STIX 2.0 part 4 §2.13.3",
    &[
        must("service_name", Kind::Text),
        may("descriptions", TEXTS),
        may("display_name", Kind::Text),
        may("group_name", Kind::Text),
        may("start_type", Kind::Closed(&vocab::WINDOWS_SERVICE_START_TYPE)),
        may("service_dll_refs", Kind::Refs(Target::Local(&["file"]))),
        may("service_type", Kind::Closed(&vocab::WINDOWS_SERVICE_TYPE)),
        may("service_status", Kind::Closed(&vocab::WINDOWS_SERVICE_STATUS)),
    ],
    &[],
);
