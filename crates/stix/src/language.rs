//! Translations of objects: `language-content`. STIX 2.1 §7.1.
//!
//! A translation mirrors its target: text for text, a list for a list of the same length with `""` for what is not
//! translated, an object for an object. Only what people read is translated: identifiers, times, patterns, references,
//! markings and the like stay, whatever a translation says of them, since a translation may come from somebody else.

use crate::{
    id::Id,
    json::{self, Kind, Limits, Tape, Value},
    rewrite::Rewriter,
    timestamp::Timestamp,
};

/// An object as people read it in another language.
///
/// This is a view: it is no version of the object and must not be shared as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The object with what is translated in the place of the original; the object itself if there is no translation.
    pub text: Vec<u8>,
    /// The tag of the translation that was taken, as its author wrote it.
    pub tag: Option<String>,
    /// What was translated, as selectors (§7.2.3): `name`, `goals.[1]`.
    pub translated: Vec<String>,
    /// What the translation says and could not be taken over.
    pub problems: Vec<Problem>,
}

/// A part of a translation that does not mirror its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The tag of the translation.
    pub tag: String,
    /// The part, as a selector into the object.
    pub path: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// How a part of a translation fails to mirror its target. STIX 2.1 §7.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The object has no such property: to be ignored.
    Absent,
    /// The property is not for people to read: to be ignored.
    NotTranslatable,
    /// A text where the object has a list or an object, or the other way round.
    Kind,
    /// A list of another length.
    Length,
}

/// Why a translation is not one of this object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// One of the texts is not JSON.
    #[error("the text is not JSON")]
    Json(#[source] json::Error),
    /// The second text is no `language-content` with `object_ref` and `contents`.
    #[error("a translation is a `language-content` with `object_ref` and `contents`")]
    NotLanguageContent,
    /// `object_ref` names another object.
    #[error("the translation is of `{0}`")]
    OtherObject(String),
    /// `object_modified` names another version.
    #[error("the translation is of the version of {0}")]
    OtherVersion(String),
}

/// The object as people read it in the wanted language, a tag of RFC 5646, or in the nearest more general one that
/// there is a translation for (see [`best_tag`]).
///
/// # Errors
/// If the translation is not one of this object or version, or a text cannot be read.
pub fn apply(object: &[u8], content: &[u8], wanted: &str) -> Result<View, Error> {
    let (mut object_tape, mut content_tape) = (Tape::new(), Tape::new());
    let object = object_tape.parse(object, &Limits::default()).map_err(Error::Json)?;
    let content = content_tape.parse(content, &Limits::default()).map_err(Error::Json)?;
    let contents = contents_for(&object, &content)?;
    let tags: Vec<_> = contents.entries().map(|(tag, translation)| (tag.as_str(), translation)).collect();
    let best = best_tag(tags.iter().map(|(tag, _)| tag.as_ref()), wanted);
    let Some((tag, translation)) = tags.iter().find(|(tag, _)| Some(tag.as_ref()) == best) else {
        return Ok(View { text: object.text().to_vec(), tag: None, translated: Vec::new(), problems: Vec::new() });
    };
    let mut mirror = Mirror { tag, translated: Vec::new(), problems: Vec::new() };
    let mut text = Vec::with_capacity(object.text().len());
    mirror.value(&object, translation, "", &mut text);
    Ok(View { text, tag: Some(tag.to_string()), translated: mirror.translated, problems: mirror.problems })
}

/// What in all the languages of a translation does not mirror the object.
///
/// # Errors
/// As [`apply`].
pub fn check(object: &[u8], content: &[u8]) -> Result<Vec<Problem>, Error> {
    let (mut object_tape, mut content_tape) = (Tape::new(), Tape::new());
    let object = object_tape.parse(object, &Limits::default()).map_err(Error::Json)?;
    let content = content_tape.parse(content, &Limits::default()).map_err(Error::Json)?;
    let mut problems = Vec::new();
    for (tag, translation) in contents_for(&object, &content)?.entries() {
        let mut mirror = Mirror { tag: &tag.as_str(), translated: Vec::new(), problems: Vec::new() };
        mirror.value(&object, &translation, "", &mut Vec::new());
        problems.append(&mut mirror.problems);
    }
    Ok(problems)
}

/// Of the tags at hand the wanted one, or the longest beginning of it that is there: for `ar-Arab-MA` that may be
/// `ar-Arab` or `ar`, never `ar-EG`. Letters of either case are the same. RFC 4647 §3.4.
pub fn best_tag<'a>(available: impl Iterator<Item = &'a str> + Clone, wanted: &str) -> Option<&'a str> {
    let mut wanted = wanted;
    loop {
        if let Some(found) = available.clone().find(|tag| tag.eq_ignore_ascii_case(wanted)) {
            return Some(found);
        }
        wanted = wanted.rsplit_once('-')?.0;
        // A single letter or digit introduces what followed it and means nothing without.
        if let Some((rest, last)) = wanted.rsplit_once('-')
            && last.len() == 1
        {
            wanted = rest;
        }
    }
}

/// `contents`, if the translation is of this object and version.
fn contents_for<'t>(object: &Value<'_>, content: &Value<'t>) -> Result<Value<'t>, Error> {
    let text = |value: &Value<'_>, name: &str| value.get(name).and_then(|found| found.as_str()).map(String::from);
    let target = text(content, "object_ref").filter(|_| text(content, "type").as_deref() == Some("language-content"));
    let contents = content.get("contents").filter(|contents| contents.kind() == Kind::Object);
    let (Some(target), Some(contents)) = (target, contents) else { return Err(Error::NotLanguageContent) };
    if text(object, "id").as_deref() != Some(&target) {
        return Err(Error::OtherObject(target));
    }
    if let Some(pinned) = text(content, "object_modified") {
        let modified = text(object, "modified").unwrap_or_default();
        let same = match (Timestamp::parse(&pinned), Timestamp::parse(&modified)) {
            (Ok(pinned), Ok(modified)) => pinned == modified,
            _ => pinned == modified,
        };
        if !same {
            return Err(Error::OtherVersion(pinned));
        }
    }
    Ok(contents)
}

/// Walks an object and its translation side by side.
struct Mirror<'a> {
    tag: &'a str,
    translated: Vec<String>,
    problems: Vec<Problem>,
}

impl Mirror<'_> {
    fn value(&mut self, original: &Value<'_>, translation: &Value<'_>, path: &str, out: &mut Vec<u8>) {
        match (original.kind(), translation.kind()) {
            // An empty text stands for what is not translated, in a list of objects too.
            (_, Kind::String) if translation.as_str().is_some_and(|text| text.is_empty()) => {
                out.extend_from_slice(original.text());
            }
            (Kind::String, Kind::String) if is_identity(original) => {
                self.fault(original, path, Fault::NotTranslatable, out)
            }
            (Kind::String, Kind::String) => {
                out.extend_from_slice(translation.text());
                self.translated.push(path.to_owned());
            }
            (Kind::Object, Kind::Object) => self.object(original, translation, path, out),
            (Kind::Array, Kind::Array) if original.len() == translation.len() => {
                out.push(b'[');
                for (at, (original, translation)) in original.items().zip(translation.items()).enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    self.value(&original, &translation, &format!("{path}.[{at}]"), out);
                }
                out.push(b']');
            }
            (Kind::Array, Kind::Array) => self.fault(original, path, Fault::Length, out),
            (Kind::Integer | Kind::Float | Kind::Bool | Kind::Null, _) => {
                self.fault(original, path, Fault::NotTranslatable, out);
            }
            _ => self.fault(original, path, Fault::Kind, out),
        }
    }

    fn object(&mut self, original: &Value<'_>, translation: &Value<'_>, path: &str, out: &mut Vec<u8>) {
        let within = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        for (key, _) in translation.entries().filter(|(key, _)| original.get(&key.as_str()).is_none()) {
            let path = within(&key.as_str());
            self.problems.push(Problem { tag: self.tag.to_owned(), path, fault: Fault::Absent });
        }
        let mut rewriter = Rewriter::new(original, out);
        for (key, value) in original.entries() {
            let name = key.as_str();
            let Some(translation) = translation.get(&name) else {
                rewriter.keep(&key, &value);
                continue;
            };
            let path = within(&name);
            rewriter.replace(&key, &value, |out| {
                if is_for_machines(&name) {
                    self.fault(&value, &path, Fault::NotTranslatable, out);
                } else {
                    self.value(&value, &translation, &path, out);
                }
            });
        }
        rewriter.finish();
    }

    /// The original stays.
    fn fault(&mut self, original: &Value<'_>, path: &str, fault: Fault, out: &mut Vec<u8>) {
        out.extend_from_slice(original.text());
        self.problems.push(Problem { tag: self.tag.to_owned(), path: path.to_owned(), fault });
    }
}

/// Whether a text is an identifier or a time, under whatever name.
fn is_identity(value: &Value<'_>) -> bool {
    value.as_str().is_some_and(|text| Id::parse(&text).is_ok() || Timestamp::parse(&text).is_ok())
}

/// Whether a property is read by machines: by its name, since custom properties have to be judged too.
fn is_for_machines(name: &str) -> bool {
    const NAMES: [&str; 22] = [
        "type",
        "spec_version",
        "id",
        "created",
        "modified",
        "lang",
        "object_marking_refs",
        "granular_markings",
        "extensions",
        "hashes",
        "pattern",
        "pattern_type",
        "pattern_version",
        "url",
        "external_id",
        "payload_bin",
        "relationship_type",
        "definition_type",
        "definition",
        "value",
        "cpe",
        "country",
    ];
    const ENDINGS: [&str; 5] = ["_ref", "_refs", "_bin", "_hex", "_enc"];
    NAMES.contains(&name) || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    use super::*;

    const ID: &str = "intrusion-set--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";

    fn object() -> Json {
        json!({
            "type": "intrusion-set", "id": ID, "modified": "2020-01-01T00:00:00.000Z", "revoked": false,
            "name": "Bank", "description": "Long", "goals": ["a", "b"], "created_by_ref": "x",
            "external_references": [{"source_name": "s", "url": "http://u", "description": "d"}],
            "x_note": {"text": "t", "at": "2020-01-01T00:00:00Z"}
        })
    }

    fn content(contents: Json) -> Json {
        json!({"type": "language-content", "object_ref": ID, "contents": contents})
    }

    fn view(contents: Json, wanted: &str) -> (Json, View) {
        let view = apply(object().to_string().as_bytes(), content(contents).to_string().as_bytes(), wanted).unwrap();
        (serde_json::from_slice(&view.text).unwrap(), view)
    }

    #[test]
    fn a_translation_mirrors_its_target() {
        let contents = json!({"ar": {
            "name": "مصرف", "goals": ["", "ب"], "external_references": [{"description": "وصف"}], "x_note": {"text": "نص"}
        }});
        let (found, view) = view(contents, "ar");
        let mut expected = object();
        expected["name"] = "مصرف".into();
        expected["goals"][1] = "ب".into();
        expected["external_references"][0]["description"] = "وصف".into();
        expected["x_note"]["text"] = "نص".into();
        assert_eq!(found, expected);
        assert_eq!(view.translated, ["external_references.[0].description", "goals.[1]", "name", "x_note.text"]);
        assert_eq!((view.tag.as_deref(), view.problems.len()), (Some("ar"), 0));
    }

    #[test]
    fn what_does_not_mirror_is_ignored_and_told() {
        let cases = [
            ("no such property", json!({"names": "x"}), "names", Fault::Absent),
            ("a longer list", json!({"goals": ["x", "y", "z"]}), "goals", Fault::Length),
            ("a shorter list", json!({"goals": []}), "goals", Fault::Length),
            ("text for a list", json!({"goals": "x"}), "goals", Fault::Kind),
            ("a list for text", json!({"name": ["x"]}), "name", Fault::Kind),
            ("a number for text", json!({"name": 3}), "name", Fault::Kind),
            ("text for a truth value", json!({"revoked": "true"}), "revoked", Fault::NotTranslatable),
            ("the id", json!({"id": "x"}), "id", Fault::NotTranslatable),
            ("a reference", json!({"created_by_ref": "y"}), "created_by_ref", Fault::NotTranslatable),
            (
                "an address",
                json!({"external_references": [{"url": "http://v"}]}),
                "external_references.[0].url",
                Fault::NotTranslatable,
            ),
            ("a time under any name", json!({"x_note": {"at": "now"}}), "x_note.at", Fault::NotTranslatable),
        ];
        for (name, translation, path, fault) in cases {
            let (found, view) = view(json!({"fr": translation}), "fr");
            assert_eq!(found, object(), "{name}");
            assert_eq!(view.problems, [Problem { tag: "fr".into(), path: path.into(), fault }], "{name}");
            assert!(view.translated.is_empty(), "{name}");
        }
    }

    #[test]
    fn all_languages_are_checked() {
        let contents = content(json!({"fr": {"goals": []}, "ar": {"name": "x"}, "de": {"nam": "x"}}));
        let problems = check(object().to_string().as_bytes(), contents.to_string().as_bytes()).unwrap();
        let tags: Vec<&str> = problems.iter().map(|problem| problem.tag.as_str()).collect();
        assert_eq!(tags, ["de", "fr"]);
    }

    #[test]
    fn the_nearest_more_general_language() {
        let at_hand = ["ar", "ar-Arab-MA", "fr-FR", "zh-Hant-x-a"];
        for (wanted, expected) in [
            ("ar", Some("ar")),
            ("AR", Some("ar")),
            ("ar-MA", Some("ar")),
            ("ar-arab-ma", Some("ar-Arab-MA")),
            ("ar-Arab-MA-x-dialect", Some("ar-Arab-MA")),
            ("ar-Arab-EG", Some("ar")),
            ("fr", None),
            ("fr-FR-1990", Some("fr-FR")),
            ("zh-Hant", None),
            ("en", None),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(best_tag(at_hand.into_iter(), wanted), expected, "{wanted}");
        }
    }

    #[test]
    fn without_a_translation_the_object_is_shown_as_it_is() {
        let (found, view) = view(json!({"fr": {"name": "x"}}), "ar");
        assert_eq!((found, view.tag), (object(), None));
    }

    #[test]
    fn translations_of_something_else() {
        let (object, other) = (object().to_string(), "intrusion-set--00000000-17d4-4cbf-938f-98ee46b3cd3f");
        let applied = |content: &Json| apply(object.as_bytes(), content.to_string().as_bytes(), "fr").map(|_| ());
        let mut of = content(json!({}));
        assert_eq!(applied(&of), Ok(()), "no `object_modified`: of whatever version there is");
        of["object_modified"] = "2020-01-01T00:00:00.0Z".into();
        assert_eq!(applied(&of), Ok(()), "the same instant");
        of["object_modified"] = "2020-01-01T00:00:00.001Z".into();
        assert_eq!(applied(&of), Err(Error::OtherVersion("2020-01-01T00:00:00.001Z".into())));
        of["object_ref"] = other.into();
        assert_eq!(applied(&of), Err(Error::OtherObject(other.into())));
        of["contents"] = json!([]);
        assert_eq!(applied(&of), Err(Error::NotLanguageContent));
        assert_eq!(applied(&json!({"type": "note", "object_ref": ID, "contents": {}})), Err(Error::NotLanguageContent));
        assert!(matches!(apply(b"{", b"{}", "fr"), Err(Error::Json(_))));
    }

    proptest! {
        #[test]
        fn the_identity_of_an_object_is_never_translated(name in "type|id|modified|created_by_ref|object_marking_refs", text in ".{0,9}") {
            let mut object = object();
            object["object_marking_refs"] = json!(["m"]);
            let content = content(json!({"fr": {&name: text, "name": "nom"}}));
            let view = apply(object.to_string().as_bytes(), content.to_string().as_bytes(), "fr").unwrap();
            let found: Json = serde_json::from_slice(&view.text).unwrap();
            prop_assert_eq!(&found[&name], &object[&name]);
            prop_assert_eq!(&found["name"], "nom");
        }
    }
}
