//! Checking one value against what its property asks for. STIX 2.1 §2.

use std::borrow::Cow;

use super::walk::{Slots, Walk};
use super::{Code, forms, names};
use crate::id::Id;
use crate::json::{Kind as Json, Value};
use crate::object_type::{is_sco, is_sdo, is_smo, is_sro};
use crate::registry;
use crate::schema::{Category, Format, Kind, Role, Target, Version, external_reference, find, granular_marking};
use crate::timestamp::Timestamp;
use crate::vocab::Vocabulary;

impl<'t> Walk<'_, 't> {
    /// Checks `value`, which stands under `name`, a property whose type is defined at `clause`.
    pub(super) fn value(&mut self, value: Value<'t>, kind: &'static Kind, name: &'static str, clause: &'static str) {
        match kind {
            Kind::Any | Kind::Definition => {
                self.present(value);
                self.references.gather(value, self.pen.base);
            }
            Kind::Objects => self.present(value),
            Kind::Type => {}
            Kind::Text => {
                if value.kind() != Json::String {
                    self.wrong(value, "a string", clause);
                }
            }
            Kind::Boolean => {
                if value.kind() != Json::Bool {
                    self.wrong(value, "true or false", clause);
                }
            }
            Kind::Integer(least, most) => self.integer(value, *least, *most, name, clause),
            Kind::Number(least, most) => self.number(value, *least, *most, name, clause),
            Kind::SpecVersion => {
                if !self.text(value, clause).is_none_or(|text| matches!(text.as_ref(), "2.1" | "2.0")) {
                    self.pen.note(Code::SpecVersion, value, "");
                }
            }
            Kind::Id => self.own_id(value),
            Kind::Time | Kind::FineTime | Kind::Second => self.time(value, kind, clause),
            Kind::Ref(target) => self.reference(value, *target, name, clause),
            Kind::Refs(target) => {
                if self.list(value, name, clause) {
                    for item in value.items() {
                        self.reference(item, *target, name, clause);
                    }
                }
            }
            Kind::List(kind) => {
                if self.list(value, name, clause) {
                    for item in value.items() {
                        self.value(item, kind, name, clause);
                    }
                }
            }
            Kind::Open(vocabulary, code) => self.open(value, vocabulary, *code, true, clause),
            Kind::Listed(vocabulary, code) => self.open(value, vocabulary, *code, false, clause),
            Kind::Closed(vocabulary) => {
                if !self.text(value, clause).is_none_or(|text| vocabulary.contains(&text)) {
                    self.pen.note_in(Code::Enumeration, value, vocabulary.name, vocabulary.clause);
                }
            }
            Kind::Form(form) => self.form(value, *form, clause),
            Kind::Hex => {
                if !self.text(value, clause).is_none_or(|text| forms::is_hex(&text)) {
                    self.pen.note(Code::Hex, value, name);
                }
            }
            Kind::Binary => {
                if !self.text(value, clause).is_none_or(|text| forms::is_base64(&text)) {
                    self.pen.note(Code::Binary, value, name);
                }
            }
            Kind::Hashes => self.hashes(value, name),
            Kind::Dictionary(dictionary) => self.dictionary(value, *dictionary, name),
            Kind::Object(shape) => self.embedded(value, shape, name, clause),
            Kind::AnyObject => {
                if value.kind() != Json::Object {
                    self.wrong(value, "an object", clause);
                }
                self.references.gather(value, self.pen.base);
            }
            Kind::External => self.external_reference(value, clause),
            Kind::Granular => self.granular_marking(value, clause),
            Kind::Extensions => self.extensions(value),
            Kind::Container => self.container(value),
            Kind::Contents => self.contents(value),
            Kind::Reserved => self.reserved(value, name),
        }
    }

    /// A value of the wrong JSON type.
    #[cold]
    fn wrong(&mut self, value: Value<'t>, wanted: &'static str, clause: &'static str) {
        let code = if value.kind() == Json::Null { Code::Null } else { Code::WrongKind };
        self.pen.note_in(code, value, wanted, clause);
    }

    /// The text of a string; anything else is noted.
    #[inline]
    pub(super) fn text(&mut self, value: Value<'t>, clause: &'static str) -> Option<Cow<'t, str>> {
        if let Some(plain) = value.raw_str() {
            return Some(Cow::Borrowed(plain));
        }
        let text = value.as_str();
        if text.is_none() {
            self.wrong(value, "a string", clause);
        }
        text
    }

    fn present(&mut self, value: Value<'t>) {
        match value.kind() {
            Json::Null => self.pen.note(Code::Null, value, ""),
            Json::Array if value.is_empty() => self.pen.note(Code::EmptyList, value, ""),
            _ => {}
        }
    }

    /// Whether the value is a list that is not empty.
    #[inline]
    fn list(&mut self, value: Value<'t>, name: &'static str, clause: &'static str) -> bool {
        if value.kind() != Json::Array {
            self.wrong(value, "a list", clause);
            return false;
        }
        if value.is_empty() {
            self.pen.note(Code::EmptyList, value, name);
            return false;
        }
        true
    }

    fn integer(&mut self, value: Value<'t>, least: i64, most: i64, name: &'static str, clause: &'static str) {
        match value.kind() {
            Json::Integer => {}
            // JSON has one type of numbers: 3.0 is the integer 3.
            Json::Float if value.as_f64().is_some_and(|number| number.fract() == 0.0) => {
                let inside = value.as_f64().is_some_and(|number| number >= least as f64 && number <= most as f64);
                if !inside {
                    self.pen.note_in(Code::Range, value, name, clause);
                }
                return;
            }
            _ => return self.wrong(value, "an integer", clause),
        }
        match value.as_i64() {
            Some(number) if (least..=most).contains(&number) => {}
            Some(number) if number.unsigned_abs() < 1 << 53 => self.pen.note_in(Code::Range, value, name, clause),
            _ => self.pen.note(Code::IntegerRange, value, name),
        }
    }

    fn number(&mut self, value: Value<'t>, least: f64, most: f64, name: &'static str, clause: &'static str) {
        match value.as_f64() {
            None => self.wrong(value, "a number", clause),
            Some(number) if (least..=most).contains(&number) => {}
            Some(_) => self.pen.note_in(Code::Range, value, name, clause),
        }
    }

    fn time(&mut self, value: Value<'t>, kind: &Kind, clause: &'static str) {
        let Some(text) = self.text(value, clause) else { return };
        let Ok(time) = Timestamp::parse(&text) else {
            return self.pen.note(Code::TimestampFormat, value, "");
        };
        let digits = time.fraction_digits();
        match kind {
            Kind::FineTime if digits < 3 => self.pen.note(Code::TimestampPrecision, value, "at least three digits"),
            Kind::FineTime if digits > 3 && self.version == Version::V20 => {
                self.pen.note(Code::TimestampPrecision, value, "exactly three digits");
            }
            Kind::Second if digits > 0 => self.pen.note_in(Code::TimestampPrecision, value, "no digits", clause),
            _ => {}
        }
    }

    fn own_id(&mut self, value: Value<'t>) {
        let Some(text) = self.text(value, "STIX 2.1 §2.9") else { return };
        let Ok(id) = Id::parse(&text) else {
            return self.pen.note(Code::IdFormat, value, "");
        };
        let object_type = self.outline.type_name();
        if object_type.is_some_and(|name| name != id.object_type()) {
            self.pen.note(Code::IdPrefix, value, "");
        }
        if self.version == Version::V20 {
            if id.uuid_version() != 4 {
                self.pen.note_in(Code::IdFormat, value, "2.0", "STIX 2.0 §2.7");
            }
            return;
        }
        let advised = match self.shape.category {
            Category::Sco => {
                if self.shape.name == "process" {
                    4
                } else {
                    5
                }
            }
            Category::CustomSco => return,
            _ => 4,
        };
        if id.uuid_version() != advised {
            self.pen.note(Code::UuidCheck, value, if advised == 4 { "4" } else { "5" });
        }
    }

    fn reference(&mut self, value: Value<'t>, target: Target, name: &'static str, clause: &'static str) {
        let Some(text) = self.text(value, clause) else { return };
        if let (Some(container), Target::Local(_) | Target::LocalSco) = (self.container, target) {
            self.references.note(value, &text, self.pen.base);
            return self.local_reference(value, &text, container, target, clause);
        }
        let Ok(id) = Id::parse(&text) else {
            // The published schemas take any string from inside a cyber-observable, which in a container is a key.
            let local = matches!(target, Target::Local(_) | Target::LocalSco);
            return self.pen.note(
                if local { Code::ReferenceFormatAdvised } else { Code::ReferenceFormat },
                value,
                name,
            );
        };
        if !matches!(target, Target::Creator | Target::Types(["marking-definition"])) {
            self.references.push(value, self.pen.base);
        }
        if self.version == Version::V20 && id.uuid_version() != 4 {
            return self.pen.note_in(Code::ReferenceFormat, value, name, "STIX 2.0 §2.7");
        }
        if !names_target(id.object_type(), target) {
            if target == Target::Creator && find(Version::V21, id.object_type()).is_none() {
                // The published schemas do not ask for the type; a custom type may stand for an identity.
                return self.pen.note(Code::CreatorType, value, "");
            }
            self.pen.note_in(Code::ReferenceTarget, value, wish(target), clause);
        }
    }

    /// A reference inside a deprecated container names one of its keys. STIX 2.1 §2.13.
    fn local_reference(
        &mut self,
        value: Value<'t>,
        key: &str,
        container: Value<'t>,
        target: Target,
        clause: &'static str,
    ) {
        let found = if self.spend(container.len()) { container.get(key) } else { None };
        let Some(object) = found else {
            return self.pen.note(Code::ReferenceUnresolved, value, "");
        };
        let Some(object_type) = object.get("type").and_then(|found| found.as_str()) else { return };
        if let Target::Local(types) = target
            && !types.contains(&object_type.as_ref())
        {
            self.pen.note_in(Code::ReferenceTarget, value, wish(target), clause);
        }
    }

    fn open(
        &mut self,
        value: Value<'t>,
        vocabulary: &'static Vocabulary,
        code: Code,
        spelled: bool,
        clause: &'static str,
    ) {
        let Some(text) = self.text(value, clause) else { return };
        if vocabulary.contains(&text) {
            return;
        }
        self.pen.note_in(code, value, vocabulary.name, vocabulary.clause);
        if spelled && !names::is_plain_term(&text) {
            self.pen.note(Code::OpenVocabFormat, value, "");
        }
    }

    fn form(&mut self, value: Value<'t>, form: Format, clause: &'static str) {
        let Some(text) = self.text(value, clause) else { return };
        let (code, good) = match form {
            Format::Ipv4 => (Code::Ipv4, self.outline.defanged || forms::is_ipv4(&text)),
            Format::Ipv6 => (Code::Ipv6, self.outline.defanged || forms::is_ipv6(&text)),
            Format::Mac => (Code::MacAddress, self.outline.defanged || forms::is_mac(&text)),
            Format::Email => (Code::EmailAddress, self.outline.defanged || forms::is_email(&text)),
            Format::Domain => (Code::DomainName, self.outline.defanged || forms::is_domain(&text)),
            Format::Uri => (Code::Uri, self.outline.defanged || forms::is_uri(&text)),
            Format::MediaType => (Code::MediaType, registry::MEDIA_TYPES.contains(&text)),
            Format::MediaTypeAdvised => (Code::MimeType, registry::MEDIA_TYPES.contains(&text)),
            Format::Charset => (Code::CharacterSet, registry::CHARSETS.contains(&text)),
            Format::Language => (Code::LanguageTag, forms::is_language(&text)),
            Format::Language20 => (Code::LanguageTag, registry::LANGUAGES.contains(&text)),
            Format::Cpe => (Code::Cpe, forms::is_cpe(&text)),
            Format::RelationshipType => (
                Code::RelationshipName,
                !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')),
            ),
            Format::Country => (Code::Countries, registry::COUNTRIES.contains(&text.to_ascii_uppercase())),
            Format::RegistryKey => (Code::RegistryHive, forms::is_registry_key(&text)),
            Format::Product => (
                Code::MalwareAnalysisProduct,
                !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')),
            ),
            Format::KillChain => (Code::KillChainNames, names::is_plain_term(&text)),
            Format::Priority => {
                (Code::WindowsProcessPriority, text.strip_suffix("_CLASS").is_some_and(|stem| !stem.is_empty()))
            }
            Format::Protocol => (Code::Protocols, registry::is_protocol(&text)),
        };
        if !good {
            self.pen.note(code, value, "");
        }
    }

    fn external_reference(&mut self, value: Value<'t>, clause: &'static str) {
        if value.kind() != Json::Object {
            return self.wrong(value, "an object", clause);
        }
        let shape = external_reference();
        let (mut source, mut identifier, mut seen) = (None, None, 0);
        for (key, item) in value.entries() {
            let name = key.as_str();
            let Some(found) = shape.property(&name) else {
                self.references.member(&name, item, self.pen.base);
                continue;
            };
            seen |= 1 << found.number;
            match found.property.role {
                Role::Main => source = Some(item),
                Role::Second => identifier = Some(item),
                _ => {}
            }
            self.value(item, &found.property.kind, found.property.name, shape.clause);
        }
        if source.is_none() {
            self.pen.note_in(Code::Required, value, "source_name", shape.clause);
        }
        self.rules(value, shape, seen, None);
        let (source, identifier) =
            (source.and_then(|found| found.as_str()), identifier.and_then(|found| found.as_str()));
        let good = match (source.as_deref(), identifier.as_deref()) {
            (Some("cve"), identifier) => identifier.is_some_and(forms::is_cve),
            (Some("capec"), identifier) => identifier.is_some_and(forms::is_capec),
            (_, Some(identifier)) => !forms::is_cve(identifier) && !forms::is_capec(identifier),
            _ => true,
        };
        if !good {
            self.pen.note(Code::ExternalReference, value, "");
        }
        if seen & shape.bit("url") != 0 && seen & shape.bit("hashes") == 0 {
            self.pen.note(Code::ExtrefHashes, value, "");
        }
    }

    fn granular_marking(&mut self, value: Value<'t>, clause: &'static str) {
        if value.kind() != Json::Object {
            return self.wrong(value, "an object", clause);
        }
        let mut slots = Slots::EMPTY;
        let shape = granular_marking();
        let seen = self.members(value, shape, Some(&mut slots));
        self.rules(value, shape, seen, None);
        for selector in slots.get(Role::Main).into_iter().flat_map(|found| found.items()) {
            let Some(text) = selector.as_str() else { continue };
            if !names::is_selector(&text) {
                self.pen.note(Code::Selector, selector, "");
            } else if !selects(self.root, &text, &mut self.budget) {
                self.pen.note(Code::SelectorTarget, selector, "");
            }
        }
        let itself = self.outline.id.and_then(|found| found.as_str());
        if self.shape.category == Category::Marking
            && let Some(marking) = slots.get(Role::Second)
            && marking.as_str() == itself
        {
            self.pen.note(Code::MarkingItself, marking, "");
        }
    }

    fn reserved(&mut self, value: Value<'t>, name: &'static str) {
        self.pen.note(Code::ReservedName, value, name);
    }
}

/// Whether a selector hits something that is there; no longer looked for once the budget is used up. STIX 2.1 §7.2.3.
fn selects(root: Value<'_>, selector: &str, budget: &mut usize) -> bool {
    let mut at = root;
    selector.split('.').all(|step| {
        let index = names::index(step);
        let Some(left) = budget.checked_sub(index.unwrap_or(at.len()).min(at.len())) else { return false };
        *budget = left;
        let next = match index {
            Some(index) => at.items().nth(index),
            None => at.get(step),
        };
        next.map(|found| at = found).is_some()
    })
}

/// Whether an object of this type may be referred to.
fn names_target(object_type: &str, target: Target) -> bool {
    match target {
        Target::Types(types) | Target::Local(types) => types.contains(&object_type),
        Target::Creator => object_type == "identity",
        Target::Object => object_type != "bundle",
        Target::Translatable => !matches!(object_type, "bundle" | "language-content"),
        Target::Sco | Target::LocalSco => {
            !is_sdo(object_type) && !is_sro(object_type) && !is_smo(object_type) && object_type != "bundle"
        }
        Target::Observed => !is_sdo(object_type) && !is_smo(object_type) && object_type != "bundle",
        Target::End => !is_sro(object_type) && !is_smo(object_type) && object_type != "bundle",
        Target::Sighted => {
            !is_sro(object_type) && !is_smo(object_type) && !is_sco(object_type) && object_type != "bundle"
        }
    }
}

/// What a reference may name, for a message.
fn wish(target: Target) -> &'static str {
    match target {
        Target::Types(types) | Target::Local(types) => match types {
            ["marking-definition"] => "a marking-definition",
            ["software"] => "a software",
            ["observed-data"] => "an observed-data",
            ["identity", "location"] => "an identity or a location",
            ["file", "artifact"] | ["artifact", "file"] => "a file or an artifact",
            ["file", "directory"] => "a file or a directory",
            ["file"] => "a file",
            ["artifact"] => "an artifact",
            ["directory"] => "a directory",
            ["email-addr"] => "an email-addr",
            ["user-account"] => "a user-account",
            ["network-traffic"] => "a network-traffic",
            ["process"] => "a process",
            ["mac-addr"] => "a mac-addr",
            ["autonomous-system"] => "an autonomous-system",
            ["ipv4-addr", "ipv6-addr", "domain-name"] => "an ipv4-addr, an ipv6-addr or a domain-name",
            ["file", "network-traffic", "artifact"] => "a file, a network-traffic or an artifact",
            _ => "an ipv4-addr, an ipv6-addr, a mac-addr or a domain-name",
        },
        Target::Creator => "an identity",
        Target::Object => "a STIX object, which a bundle is not",
        Target::Translatable => "a STIX object other than a language-content",
        Target::Sco | Target::LocalSco => "a cyber-observable",
        Target::Observed => "a cyber-observable, a relationship or a sighting",
        Target::End => "a domain object or a cyber-observable",
        Target::Sighted => "a domain object or a custom object",
    }
}
