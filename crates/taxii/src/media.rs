//! Media types and their negotiation (TAXII 2.1 §1.6.8, §3.6).

/// What every answer is. Written without spaces: a widespread client looks for exactly these tokens.
pub const TAXII: &str = "application/taxii+json;version=2.1";
/// The content of a collection.
pub const STIX_21: &str = "application/stix+json;version=2.1";
/// The content of a collection.
pub const STIX_20: &str = "application/stix+json;version=2.0";

/// A type with its parameters, lower case.
struct Range {
    name: String,
    version: Option<String>,
    refused: bool,
}

fn ranges(header: &str) -> impl Iterator<Item = Range> + '_ {
    header.split(',').map(|range| {
        let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
        let mut out = Range { name: parts.next().unwrap_or_default(), version: None, refused: false };
        for parameter in parts {
            let (name, value) = parameter.split_once('=').unwrap_or((&parameter, ""));
            let value = value.trim().trim_matches('"');
            match name.trim() {
                "version" => out.version = Some(value.to_owned()),
                "q" => out.refused = value.parse::<f32>().is_ok_and(|weight| weight <= 0.0),
                _ => {}
            }
        }
        out
    })
}

/// Whether an `Accept` header lets us answer with [`TAXII`].
///
/// Every request must have one (§1.6.8.1); where it is missing or empty we answer all the same, as other servers do.
/// `*/*` and `application/*` are taken at their word: real clients send them.
#[must_use]
pub fn acceptable(accept: Option<&str>) -> bool {
    let Some(accept) = accept.filter(|text| !text.trim().is_empty()) else { return true };
    ranges(accept).any(|range| {
        let named = match range.name.as_str() {
            "*/*" | "application/*" => true,
            "application/taxii+json" => range.version.as_deref().is_none_or(|version| version == "2.1"),
            _ => false,
        };
        named && !range.refused
    })
}

/// Whether the `Content-Type` of a POST is one that we read (§3.6: anything else is 415).
#[must_use]
pub fn readable(content_type: Option<&str>) -> bool {
    content_type.is_some_and(|text| {
        let mut found = ranges(text);
        let one = found.next().is_some_and(|range| {
            range.name == "application/taxii+json" && range.version.as_deref().is_none_or(|version| version == "2.1")
        });
        one && found.next().is_none()
    })
}

/// Whether an answer's `Content-Type` is TAXII 2.1, for clients. The version may be missing: old servers leave it out.
#[must_use]
pub fn is_taxii(content_type: Option<&str>) -> bool {
    readable(content_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept() {
        let table = [
            (None, true),
            (Some(""), true),
            (Some("application/taxii+json;version=2.1"), true),
            (Some("application/taxii+json; version=2.1"), true),
            (Some("application/taxii+json; version=\"2.1\""), true),
            (Some("Application/TAXII+JSON;Version=2.1"), true),
            (Some("application/taxii+json"), true),
            (Some("application/taxii+json;version=2.0"), false),
            (Some("application/vnd.oasis.taxii+json; version=2.0"), false),
            (Some("application/json"), false),
            (Some("xml"), false),
            (Some("text/html, application/taxii+json;version=2.1;q=0.1"), true),
            (Some("application/json, text/plain, */*"), true),
            (Some("application/*"), true),
            (Some("*/*;q=0"), false),
            (Some(","), false),
        ];
        for (header, wanted) in table {
            assert_eq!(acceptable(header), wanted, "{header:?}");
        }
    }

    #[test]
    fn content_type() {
        let table = [
            (None, false),
            (Some("application/taxii+json;version=2.1"), true),
            (Some("application/taxii+json; charset=utf-8; version=2.1"), true),
            (Some("application/taxii+json"), true),
            (Some("application/taxii+json;version=2.0"), false),
            (Some("application/stix+json;version=2.1"), false),
            (Some("application/json"), false),
            (Some("application/taxii+json, text/plain"), false),
            (Some("*/*"), false),
        ];
        for (header, wanted) in table {
            assert_eq!(readable(header), wanted, "{header:?}");
        }
    }
}
