//! Values whose names the producer chooses: dictionaries, hashes, extensions, containers, translations.

use super::outline::Outline;
use super::walk::{Slots, Walk};
use super::{Code, forms, names};
use crate::id::Id;
use crate::json::{Kind as Json, Value};
use crate::registry;
use crate::schema::{Category, Dictionary, Version, predefined, predefined20, shape_of_contained};
use crate::vocab;

impl<'t> Walk<'_, 't> {
    /// A dictionary with its rules of keys and values. STIX 2.1 §2.3.
    pub(super) fn dictionary(&mut self, value: Value<'t>, dictionary: Dictionary, name: &'static str) {
        if value.kind() != Json::Object {
            return self.pen.note(Code::WrongKind, value, "a dictionary");
        }
        if value.is_empty() && self.version == Version::V21 {
            return self.pen.note(Code::DictionaryEmpty, value, name);
        }
        self.references.gather(value, self.pen.base);
        for (key, item) in value.entries() {
            let key = key.as_str();
            if !names::is_key(&key, self.version) && dictionary != Dictionary::RequestHeaders {
                self.pen.note(Code::DictionaryKey, item, name);
            }
            let texts = item.kind() == Json::Array && item.items().all(|text| text.kind() == Json::String);
            let text = item.kind() == Json::String;
            let whole = item.kind() == Json::Integer;
            let (good, wanted) = match dictionary {
                Dictionary::Any => {
                    (item.kind() != Json::Null && !(item.kind() == Json::Array && item.is_empty()), "a value")
                }
                Dictionary::Texts | Dictionary::PdfInfo => (text, "a string"),
                Dictionary::Headers => (text || texts, "a list of strings"),
                Dictionary::RequestHeaders if self.version == Version::V20 => (text, "a string"),
                Dictionary::RequestHeaders => (texts, "a list of strings"),
                Dictionary::Ipfix | Dictionary::Exif => (text || whole, "a string or an integer"),
                Dictionary::SocketOptions if self.version == Version::V20 => (item.kind() != Json::Null, "a value"),
                Dictionary::SocketOptions => (whole, "an integer"),
                Dictionary::StartupInfo => {
                    (is_startup_field(&key, item), "a field of STARTUPINFO with a value of its type")
                }
            };
            if !good {
                self.pen.note(Code::DictionaryValue, item, wanted);
            }
            match dictionary {
                Dictionary::Ipfix if !registry::IPFIX.contains(&key) => self.pen.note(Code::Ipfix, item, ""),
                Dictionary::RequestHeaders if !registry::REQUEST_HEADERS.contains(&key) => {
                    self.pen.note(Code::HttpRequestHeaders, item, "");
                }
                Dictionary::SocketOptions if !registry::SOCKET_OPTIONS.contains(&key) => {
                    if self.version == Version::V21 && !is_socket_option(&key) {
                        self.pen.note(Code::DictionaryKey, item, name);
                    }
                    self.pen.note(Code::SocketOptions, item, "");
                }
                Dictionary::PdfInfo if !registry::is_pdf_info(&key) => self.pen.note(Code::PdfDocInfo, item, ""),
                Dictionary::Exif if !is_exif(&key) => self.pen.note(Code::DictionaryKey, item, name),
                _ => {}
            }
        }
    }

    /// A dictionary of hashes. STIX 2.1 §2.7.
    pub(super) fn hashes(&mut self, value: Value<'t>, name: &'static str) {
        if value.kind() != Json::Object {
            return self.pen.note(Code::WrongKind, value, "a dictionary of hashes");
        }
        if value.is_empty() && self.version == Version::V21 {
            return self.pen.note(Code::DictionaryEmpty, value, name);
        }
        for (key, item) in value.entries() {
            let key = key.as_str();
            if key.len() < 3 || !names::is_key(&key, self.version) {
                self.pen.note(Code::HashName, item, "");
            }
            let Some(text) = self.text(item, "STIX 2.1 §2.7") else { continue };
            let older = self.version == Version::V20;
            if !forms::is_hash(&key, &text, older) {
                self.pen.note(Code::HashValue, item, "");
            }
            let known = vocab::HASH_ALGORITHM.contains(&key) && !older || older && is_hash20(&key);
            if !known && self.shape.category == Category::Sco && !key.starts_with("x_") {
                self.pen.note(Code::HashAlgo, item, "");
            }
            if key.len() > 30 && self.shape.category == Category::Sco {
                self.pen.note(Code::HashLength, item, "");
            }
        }
    }

    /// `extensions`: predefined ones by their tables, others by their declaration. STIX 2.1 §3.2, §7.3.
    pub(super) fn extensions(&mut self, value: Value<'t>) {
        if value.kind() != Json::Object {
            return self.pen.note(Code::WrongKind, value, "a dictionary of extensions");
        }
        if self.version == Version::V20 {
            return self.older_extensions(value);
        }
        if value.is_empty() {
            return self.pen.note(Code::DictionaryEmpty, value, "extensions");
        }
        let undeclared = has_predefined(self.shape.name) && !self.outline.uses_extension(&["property-extension"]);
        for (key, extension) in value.entries() {
            let key = key.as_str();
            if let Some(shape) = predefined(self.shape.name, &key) {
                self.embedded(extension, shape, shape.name, shape.clause);
                continue;
            }
            let declared = Id::parse(&key).is_ok_and(|id| id.object_type() == "extension-definition");
            let named = names::is_custom_extension(&key) && self.shape.category != Category::Marking;
            if !declared && !named {
                self.pen.note(Code::ExtensionKey, extension, "");
                if undeclared {
                    self.pen.note(Code::ExtensionsUse, extension, "");
                }
                continue;
            }
            self.extension(extension, declared);
            if !declared && undeclared {
                self.pen.note(Code::ExtensionsUse, extension, "");
            }
            if !declared {
                if !names::has_source_prefix(key.strip_suffix("-ext").unwrap_or_default(), b'-') {
                    self.pen.note(Code::CustomPrefix, extension, "");
                }
                if !key.starts_with("x-") {
                    self.pen.note(Code::CustomPrefixLax, extension, "");
                }
            }
        }
    }

    /// Extensions of a cyber-observable in STIX 2.0: predefined ones, and dictionaries. STIX 2.0 part 3 §4.
    fn older_extensions(&mut self, value: Value<'t>) {
        for (key, extension) in value.entries() {
            let key = key.as_str();
            if let Some(shape) = predefined20(self.shape.name, &key) {
                self.embedded(extension, shape, shape.name, shape.clause);
                continue;
            }
            if !names::is_key(&key, self.version) {
                self.pen.note(Code::DictionaryKey, extension, "extensions");
            }
            self.dictionary(extension, Dictionary::Any, "extensions");
            if has_predefined(self.shape.name) {
                let stem = key.strip_suffix("-ext").unwrap_or_default();
                if !names::has_source_prefix(stem, b'-') {
                    self.pen.note(Code::CustomPrefix, extension, "");
                }
                if !stem.starts_with("x-") {
                    self.pen.note(Code::CustomPrefixLax, extension, "");
                }
            }
        }
    }

    /// One extension that the standard does not define.
    fn extension(&mut self, extension: Value<'t>, declared: bool) {
        if extension.kind() != Json::Object {
            return self.pen.note(Code::WrongKind, extension, "an object");
        }
        if extension.is_empty() {
            return self.pen.note(Code::DictionaryEmpty, extension, "extensions");
        }
        self.references.gather(extension, self.pen.base);
        for (key, item) in extension.entries() {
            let key = key.as_str();
            if key == "extension_type" {
                let known = item.as_str().is_some_and(|text| vocab::EXTENSION_TYPE.contains(&text));
                if !known {
                    self.pen.note(Code::ExtensionType, item, "");
                }
            } else {
                self.custom_member(&key, item, extension);
            }
        }
        if declared && extension.get("extension_type").is_none() {
            self.pen.note(Code::ExtensionType, extension, "extension_type");
        }
    }

    /// `observed-data.objects`, deprecated: cyber-observables that refer to one another by key. STIX 2.1 §2.13, §4.14.
    pub(super) fn container(&mut self, value: Value<'t>) {
        if value.kind() != Json::Object {
            return self.pen.note(Code::WrongKind, value, "a dictionary of cyber-observables");
        }
        if value.is_empty() {
            return self.pen.note(Code::DictionaryEmpty, value, "objects");
        }
        let (outer_root, outer_shape, outline) = (self.root, self.shape, self.outline);
        self.container = Some(value);
        for (key, object) in value.entries() {
            if !key.as_str().bytes().all(|byte| byte.is_ascii_digit()) || key.text().len() == 2 {
                self.pen.note(Code::ObservableObjectKeys, object, "");
            }
            self.contained(object);
        }
        (self.root, self.shape, self.outline) = (outer_root, outer_shape, outline);
        (self.container, self.toplevel) = (None, None);
    }

    fn contained(&mut self, object: Value<'t>) {
        if object.kind() != Json::Object {
            return self.pen.note(Code::WrongKind, object, "a cyber-observable");
        }
        let outline = Outline::of(object);
        let Some(object_type) = outline.type_name() else {
            return self.pen.note(Code::Required, object, "type");
        };
        let place = outline.object_type.unwrap_or(object);
        if !super::is_type(&object_type, self.version) || object_type == "action" {
            self.pen.note(Code::TypeName, place, "");
        }
        (self.root, self.outline, self.toplevel, self.nested) = (object, outline, None, false);
        self.shape = shape_of_contained(self.version, &object_type);
        let mut slots = Slots::EMPTY;
        if self.shape.category == Category::CustomSco && object_type != "action" {
            self.custom_type(&object_type, place);
        }
        let seen = self.members(object, self.shape, Some(&mut slots));
        self.rules(object, self.shape, seen, Some(&slots));
        self.observable(object, seen, &slots);
    }

    /// `language-content.contents`: tags to translated properties. STIX 2.1 §7.1.
    pub(super) fn contents(&mut self, value: Value<'t>) {
        if value.kind() != Json::Object {
            return self.pen.note(Code::WrongKind, value, "a dictionary of languages");
        }
        if value.is_empty() {
            return self.pen.note(Code::DictionaryEmpty, value, "contents");
        }
        self.references.gather(value, self.pen.base);
        for (tag, translation) in value.entries() {
            if !forms::is_language(&tag.as_str()) {
                self.pen.note_in(Code::LanguageTag, translation, "contents", "STIX 2.1 §7.1");
            }
            if translation.kind() != Json::Object {
                self.pen.note(Code::LanguageContents, translation, "an object of translated properties");
                continue;
            }
            for (key, item) in translation.entries() {
                if !names::is_property(&key.as_str(), self.version) {
                    self.pen.note(Code::LanguageContents, item, "a property's name");
                } else if item.kind() == Json::Null {
                    self.pen.note(Code::Null, item, "");
                }
            }
        }
    }

    /// Dictionaries in cyber-observables should have lower-case keys. STIX 2.1 §2.3.
    pub(super) fn lower_keys(&mut self, value: Value<'t>) {
        for (key, item) in value.entries() {
            let name = key.as_str();
            let long = self.version == Version::V20 && name.len() > 30;
            if long || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                self.pen.note(Code::ObservableDictionaryKeys, item, "");
            }
            if item.kind() == Json::Object && !keeps_case(&name) {
                self.lower_keys(item);
            }
        }
    }
}

/// Dictionaries whose keys are names from elsewhere and keep their case.
fn keeps_case(name: &str) -> bool {
    matches!(
        name,
        "hashes"
            | "file_header_hashes"
            | "request_header"
            | "additional_header_fields"
            | "document_info_dict"
            | "exif_tags"
            | "ipfix"
            | "options"
            | "environment_variables"
            | "startup_info"
    )
}

fn has_predefined(object_type: &str) -> bool {
    matches!(object_type, "file" | "network-traffic" | "process" | "user-account")
}

fn is_hash20(name: &str) -> bool {
    matches!(
        name,
        "MD5"
            | "MD6"
            | "RIPEMD-160"
            | "SHA-1"
            | "SHA-224"
            | "SHA-256"
            | "SHA-384"
            | "SHA-512"
            | "SHA3-224"
            | "SHA3-256"
            | "SHA3-384"
            | "SHA3-512"
            | "ssdeep"
            | "WHIRLPOOL"
    )
}

/// An Exif tag begins with a capital. STIX 2.1 §6.7.5.
fn is_exif(key: &str) -> bool {
    key.len() > 1 && key.starts_with(|first: char| first.is_ascii_uppercase())
}

/// `SO_…`, `IP_…`, `TCP_…` and so on. STIX 2.1 §6.12.4.
fn is_socket_option(key: &str) -> bool {
    let families = ["SO", "ICMP", "ICMP6", "IP", "IPV6", "MCAST", "TCP", "IRLMP"];
    key.split_once('_').is_some_and(|(family, rest)| {
        families.contains(&family)
            && rest.split('_').all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase()))
    })
}

/// A field of the STARTUPINFO structure with a value of its type. STIX 2.1 §6.13.2.
fn is_startup_field(key: &str, value: Value<'_>) -> bool {
    match key {
        "lpDesktop" | "lpTitle" | "dwFillAttribute" | "dwFlags" | "wShowWindow" | "hStdInput" | "hStdOutput"
        | "hStdError" => value.kind() == Json::String,
        "cb" | "dwX" | "dwY" | "dwXSize" | "dwYSize" | "dwXCountChars" | "dwYCountChars" => {
            value.kind() == Json::Integer
        }
        "lpReserved" | "lpReserved2" => value.kind() == Json::Null,
        "cbReserved2" => value.as_i64() == Some(0),
        _ => false,
    }
}
