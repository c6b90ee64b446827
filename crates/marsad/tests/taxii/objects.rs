//! Objects to exchange. Their ids and versions follow from small numbers, so that tables can name them.

/// `tool--…0007` for `("tool", 7)`.
pub(crate) fn id(kind: &str, number: usize) -> String {
    format!("{kind}--00000000-0000-4000-8000-{number:012}")
}

/// The instant of a version.
pub(crate) fn version(number: usize) -> String {
    format!("2024-01-01T00:{number:02}:00.000Z")
}

/// A tool, an indicator or another object with a name; its name is `tool7/2` for `("tool", 7, 2)`.
pub(crate) fn object(kind: &str, number: usize, at: usize) -> String {
    let (id, created, modified) = (id(kind, number), version(0), version(at));
    let more = match kind {
        "indicator" => r#","pattern":"[file:name = 'x']","pattern_type":"stix","valid_from":"2024-01-01T00:00:00Z""#,
        "malware" => r#","is_family":false"#,
        _ => "",
    };
    format!(
        r#"{{"type":"{kind}","spec_version":"2.1","id":"{id}","created":"{created}","modified":"{modified}","name":"{kind}{number}/{at}"{more}}}"#
    )
}

/// A tool of STIX 2.0.
pub(crate) fn old_tool(number: usize, at: usize) -> String {
    let now = object("tool", number, at);
    now.replace(r#""spec_version":"2.1","#, "").replacen('{', r#"{"labels":["remote-access"],"#, 1)
}

/// An address: an object without versions of its own. Its label is the address.
pub(crate) fn address(number: usize) -> String {
    let id = id("ipv4-addr", number);
    format!(r#"{{"type":"ipv4-addr","spec_version":"2.1","id":"{id}","value":"192.0.2.{number}"}}"#)
}

pub(crate) fn envelope(objects: &[String]) -> String {
    format!(r#"{{"objects":[{}]}}"#, objects.join(","))
}

/// Tools with these numbers, in version 1.
pub(crate) fn tools(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers.map(|number| object("tool", number, 1)).collect()
}

/// The labels of the objects in a page, in order.
pub(crate) fn labels(answer: &super::wire::Answer) -> Vec<String> {
    let label = |object: &serde_json::Value| {
        let text = object.get("name").or(object.get("value")).and_then(serde_json::Value::as_str);
        text.unwrap().to_owned()
    };
    answer.list("objects").iter().map(label).collect()
}
