//! Selectors of granular markings: which part of an object a marking is about. STIX 2.1 §7.2.3.1.

use crate::json::{Kind, Value};

/// Whether a selector has the form that the published schemas ask for: `id`, or a property name of 3 to 249
/// characters `[a-z0-9_-]` followed by components, each `[n]` or a key of 1 to 250 such characters.
///
/// Keys with capitals, such as `SHA-256`, do not fit: their dictionary is to be selected as a whole.
pub fn is_well_formed(selector: &str) -> bool {
    if selector == "id" {
        return true;
    }
    let name = |text: &str, least: usize, most: usize| {
        (least..=most).contains(&text.len())
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
    };
    let mut components = selector.split('.');
    components.next().is_some_and(|first| name(first, 3, 249))
        && components.all(|component| match bracketed(component) {
            Some(digits) => !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()),
            None => name(component, 1, 250),
        })
}

/// What a selector names in an object; `None` if there is no such property, key or element.
///
/// Components are keys of objects and zero-based indexes `[n]` of lists. Nothing else is tolerated: no index into
/// an object, no key into a list, no leading zeros.
pub fn resolve<'t>(object: Value<'t>, selector: &str) -> Option<Value<'t>> {
    selector.split('.').try_fold(object, |value, component| match bracketed(component) {
        Some(digits) if value.kind() == Kind::Array => value.items().nth(index(digits)?),
        Some(_) => None,
        None => value.get(component),
    })
}

/// Whether what `inner` names is what `outer` names, or lies within it: `external_references` covers
/// `external_references.[0].url`, but `name` does not cover `name_enc`.
pub fn covers(outer: &str, inner: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn bracketed(component: &str) -> Option<&str> {
    component.strip_prefix('[')?.strip_suffix(']')
}

fn index(digits: &str) -> Option<usize> {
    let canonical = digits == "0" || !digits.starts_with('0');
    (canonical && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Limits, Tape};

    const OBJECT: &str = r#"{
        "id": "indicator--1", "labels": ["a", "b"], "description": "text", "empty": "",
        "external_references": [{"source_name": "x", "hashes": {"SHA-256": "f"}}, {"source_name": "y"}],
        "granular_markings": [{"selectors": ["labels"]}]
    }"#;

    #[test]
    fn resolution() {
        let mut tape = Tape::new();
        let object = tape.parse(OBJECT.as_bytes(), &Limits::default()).unwrap();
        let cases: &[(&str, Option<&str>)] = &[
            ("id", Some(r#""indicator--1""#)),
            ("description", Some(r#""text""#)),
            ("empty", Some(r#""""#)),
            ("labels", Some(r#"["a", "b"]"#)),
            ("labels.[1]", Some(r#""b""#)),
            ("external_references.[1].source_name", Some(r#""y""#)),
            ("external_references.[0].hashes.SHA-256", Some(r#""f""#)),
            ("granular_markings.[0].selectors.[0]", Some(r#""labels""#)),
            ("", None),
            ("name", None),
            ("labels.[2]", None),
            ("labels.[01]", None),
            ("labels.[-1]", None),
            ("labels.[+1]", None),
            ("labels.[]", None),
            ("labels.[18446744073709551616]", None),
            ("labels.1", None),
            ("labels.name", None),
            ("description.[0]", None),
            ("description.", None),
            (".description", None),
            ("external_references.[0].[0]", None),
            ("external_references[0]", None),
            ("Description", None),
        ];
        for (selector, expected) in cases {
            let found = resolve(object, selector).map(|value| std::str::from_utf8(value.text()).unwrap());
            assert_eq!(found, *expected, "{selector}");
        }
    }

    #[test]
    fn form() {
        let long = "a".repeat(249);
        for good in ["id", "labels", "labels.[0]", "a-b_c", "external_references.[10].url", "ext.a", &long] {
            assert!(is_well_formed(good), "{good}");
        }
        let too_long = "a".repeat(250);
        for bad in [
            "",
            "ab",
            "ID",
            "labels.",
            ".labels",
            "labels.[a]",
            "labels.[]",
            "labels[0]",
            "hashes.SHA-256",
            "näme",
            &too_long,
        ] {
            assert!(!is_well_formed(bad), "{bad}");
        }
    }

    #[test]
    fn covering_goes_by_components() {
        for (outer, inner, expected) in [
            ("labels", "labels", true),
            ("labels", "labels.[0]", true),
            ("labels.[0]", "labels", false),
            ("name", "name_enc", false),
            ("labels.[1]", "labels.[10]", false),
            ("x", "x.y.z", true),
        ] {
            assert_eq!(covers(outer, inner), expected, "{outer} {inner}");
        }
    }
}
