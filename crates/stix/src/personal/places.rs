//! Where in an object data about persons may stand, and whether a mask may stand there too.

use super::Kind;
use super::text::{Find, scan};
use crate::json::{Kind as Json, Value};
use crate::redact::Places;
use crate::schema::{
    self, Category, Dictionary, Format, Shape, Version, external_reference, predefined, predefined20,
    shape_of_contained,
};

/// Calls `note` with every string that holds such data: whether it is fixed there, and what stands where in its text.
/// The first finding may be about the whole text and overlap others. What is at one of the places is gone past.
pub(crate) fn visit<'t>(
    object: Value<'t>,
    shape: &'static Shape,
    version: Version,
    past: &Places,
    note: &mut dyn FnMut(Value<'t>, bool, &[Find]),
) {
    let mut visit = Visit { past, note, version, owner: shape, individual: false, finds: Vec::new() };
    visit.object(object, shape);
}

struct Visit<'v, 't> {
    past: &'v Places,
    note: &'v mut dyn FnMut(Value<'t>, bool, &[Find]),
    version: Version,
    /// The table of the object at hand: the whole, or one in a container.
    owner: &'static Shape,
    /// Whether it is the identity of an individual.
    individual: bool,
    finds: Vec<Find>,
}

/// Strings that machines write and read, in which digits mean nothing else.
const MACHINE: [&str; 20] = [
    "authority_key_identifier",
    "configuration_version",
    "cpe",
    "data",
    "decryption_key",
    "definition_type",
    "extension_type",
    "imphash",
    "message_id",
    "owner_sid",
    "pattern_version",
    "pdfid0",
    "pdfid1",
    "serial_number",
    "sid",
    "subject_key_identifier",
    "subject_public_key_modulus",
    "swid",
    "tool_version",
    "version",
];

impl<'t> Visit<'_, 't> {
    /// An object of its own or in a container.
    fn object(&mut self, object: Value<'t>, shape: &'static Shape) {
        self.owner = shape;
        // A class that is taken out tells nothing; the name is then taken for a person's.
        self.individual = shape.name == "identity"
            && object.get("identity_class").is_some_and(|class| {
                self.past.contains(&class.span().start) || class.as_str().is_some_and(|class| class == "individual")
            })
            || shape.category == Category::Language
                && object.get("object_ref").and_then(|id| id.as_str()).is_some_and(|id| id.starts_with("identity--"));
        self.members(object, shape, false);
    }

    fn members(&mut self, object: Value<'t>, shape: &'static Shape, fixed: bool) {
        for (key, item) in object.entries() {
            if self.past.contains(&item.span().start) {
                continue;
            }
            let name = key.as_str();
            let fixed = fixed || shape.identifying.contains(&name.as_ref());
            match shape.property(&name) {
                Some(found) => self.value(item, &found.property.kind, found.property.name, fixed),
                None => self.free(item, &name, fixed),
            }
        }
    }

    /// A value that a table describes.
    fn value(&mut self, value: Value<'t>, kind: &'static schema::Kind, name: &'static str, fixed: bool) {
        use schema::Kind;
        match kind {
            Kind::Text => self.text(value, name, fixed || name == "pattern"),
            Kind::Form(Format::Email | Format::Uri) => self.text(value, name, true),
            Kind::List(Kind::Text) => self.free(value, name, fixed),
            Kind::List(inner) => self.each(value, |walk, item| walk.value(item, inner, name, fixed)),
            Kind::Open(..) | Kind::Any | Kind::Definition | Kind::AnyObject | Kind::Contents => {
                self.free(value, name, fixed);
            }
            Kind::Dictionary(Dictionary::Headers) => self.headers(value, fixed),
            Kind::Dictionary(_) => self.free(value, name, fixed),
            Kind::Object(shape) => self.members(value, shape, fixed),
            Kind::External => self.members(value, external_reference(), fixed),
            Kind::Extensions => self.extensions(value, fixed),
            Kind::Container => {
                let outer = (self.owner, self.individual);
                for (_, object) in value.entries() {
                    if !self.past.contains(&object.span().start) {
                        let name = object.get("type").and_then(|name| name.as_str()).unwrap_or_default();
                        self.object(object, shape_of_contained(self.version, &name));
                    }
                }
                (self.owner, self.individual) = outer;
            }
            _ => {}
        }
    }

    fn each(&mut self, list: Value<'t>, mut look: impl FnMut(&mut Self, Value<'t>)) {
        for item in list.items() {
            if !self.past.contains(&item.span().start) {
                look(self, item);
            }
        }
    }

    /// A value that no table describes, and which stands under a name.
    fn free(&mut self, value: Value<'t>, name: &str, fixed: bool) {
        match value.kind() {
            Json::String => self.text(value, name, fixed),
            Json::Array => self.each(value, |walk, item| walk.free(item, name, fixed)),
            Json::Object => {
                for (key, item) in value.entries() {
                    if self.past.contains(&item.span().start) {
                        continue;
                    }
                    let key = key.as_str();
                    self.finds.clear();
                    scan(&key, &mut self.finds);
                    if !self.finds.is_empty() {
                        (self.note)(item, true, &self.finds);
                    }
                    self.free(item, &key, fixed);
                }
            }
            _ => {}
        }
    }

    fn extensions(&mut self, value: Value<'t>, fixed: bool) {
        for (key, extension) in value.entries() {
            if self.past.contains(&extension.span().start) {
                continue;
            }
            let key = key.as_str();
            let known = match self.version {
                Version::V21 => predefined(self.owner.name, &key),
                Version::V20 => predefined20(self.owner.name, &key),
            };
            match known {
                Some(shape) => self.members(extension, shape, fixed),
                None => self.free(extension, &key, fixed),
            }
        }
    }

    /// Header fields of a message; those that name people have names before addresses.
    fn headers(&mut self, value: Value<'t>, fixed: bool) {
        for (key, item) in value.entries() {
            if self.past.contains(&item.span().start) {
                continue;
            }
            let key = key.as_str();
            match item.kind() {
                Json::Array => self.each(item, |walk, item| walk.header(item, &key, fixed)),
                _ => self.header(item, &key, fixed),
            }
        }
    }

    fn header(&mut self, value: Value<'t>, name: &str, fixed: bool) {
        let Some(text) = value.as_str() else { return self.free(value, name, fixed) };
        if is_machine(&name.to_ascii_lowercase()) {
            return;
        }
        self.finds.clear();
        if names_people(name)
            && let Some((before, _)) = text.split_once('<')
        {
            let person = before.trim().trim_matches('"');
            let start = before.find(person).unwrap_or_default();
            if person.chars().any(char::is_alphabetic) && person != Kind::Name.mask() && !person.contains('@') {
                self.finds.push(Find { kind: Kind::Name, range: start..start + person.len() });
            }
        }
        scan(&text, &mut self.finds);
        self.done(value, fixed);
    }

    fn text(&mut self, value: Value<'t>, name: &str, fixed: bool) {
        let Some(text) = value.as_str() else { return };
        if is_machine(name) {
            return;
        }
        self.finds.clear();
        if let Some(kind) = self.typed(name)
            && !text.is_empty()
            && text != kind.mask()
        {
            self.finds.push(Find { kind, range: 0..text.len() });
        }
        if name == "pattern" && self.owner.name == "indicator" {
            let kinds = compared(&text).into_iter().flatten();
            self.finds.extend(kinds.map(|kind| Find { kind, range: 0..text.len() }));
        }
        scan(&text, &mut self.finds);
        self.done(value, fixed);
    }

    fn done(&mut self, value: Value<'t>, fixed: bool) {
        if !self.finds.is_empty() {
            (self.note)(value, fixed, &self.finds);
        }
    }

    /// The kind of data that a property of this name is made for.
    fn typed(&self, name: &str) -> Option<Kind> {
        Some(match (self.owner.name, name) {
            ("email-addr", "value") => Kind::Email,
            ("email-addr" | "user-account", "display_name") => Kind::Name,
            ("user-account", "user_id" | "account_login") => Kind::Account,
            ("note" | "opinion", "authors") => Kind::Name,
            ("identity" | "language-content", "name") if self.individual => Kind::Name,
            _ => return None,
        })
    }
}

fn is_machine(name: &str) -> bool {
    MACHINE.binary_search(&name).is_ok() || name == "message-id" || name.ends_with("_hex") || name.ends_with("_bin")
}

/// Header fields that hold a mailbox: RFC 5322 §3.6.2, §3.6.3.
fn names_people(field: &str) -> bool {
    const FIELDS: [&str; 8] = ["from", "sender", "reply-to", "to", "cc", "bcc", "return-path", "delivered-to"];
    let field = field.strip_prefix("Resent-").unwrap_or(field);
    FIELDS.iter().any(|name| field.eq_ignore_ascii_case(name))
}

/// What a pattern compares with, by the properties that it names; STIX 2.1 §9.
fn compared(pattern: &str) -> [Option<Kind>; 3] {
    let mail = pattern.contains("email-addr:value")
        || pattern.contains("email-message:") && (pattern.contains("_ref.value") || pattern.contains("_refs["));
    let account = pattern.contains("user-account:");
    let name = pattern.contains("display_name");
    [mail.then_some(Kind::Email), account.then_some(Kind::Account), name.then_some(Kind::Name)]
}
