//! Deterministic identifiers of cyber-observables: a UUIDv5 over what makes the thing itself. STIX 2.1 §2.9.
//!
//! SHA-1 can be made to collide, so two different observables may be given one id on purpose: a store must compare
//! contents before it takes two for one (Appendix D).

use uuid::Uuid;

use crate::{
    canonical,
    id::SCO_NAMESPACE,
    json::{Key, Value},
};

/// The properties from which the id of a standard cyber-observable is made, sorted; `None` for other types, and
/// nothing for `process`, whose ids are random. STIX 2.1 §6.
pub fn contributing(object_type: &str) -> Option<&'static [&'static str]> {
    Some(match object_type {
        "artifact" => &["hashes", "payload_bin"],
        "autonomous-system" => &["number"],
        "directory" => &["path"],
        "domain-name" | "email-addr" | "ipv4-addr" | "ipv6-addr" | "mac-addr" | "url" => &["value"],
        "email-message" => &["body", "from_ref", "subject"],
        "file" => &["extensions", "hashes", "name", "parent_directory_ref"],
        "mutex" => &["name"],
        "network-traffic" => &["dst_port", "dst_ref", "end", "extensions", "protocols", "src_port", "src_ref", "start"],
        "process" => &[],
        "software" => &["cpe", "name", "swid", "vendor", "version"],
        "user-account" => &["account_login", "account_type", "user_id"],
        "windows-registry-key" => &["key", "values"],
        "x509-certificate" => &["hashes", "serial_number"],
        _ => return None,
    })
}

/// The deterministic UUID of a standard cyber-observable.
///
/// `None` if the type is not one of the standard, or if no contributing property is present: then the id must be a
/// random UUIDv4 (§2.9).
pub fn deterministic(object: &Value<'_>) -> Option<Uuid> {
    let object_type = object.get("type")?;
    deterministic_by(object, contributing(&object_type.as_str()?)?)
}

/// The deterministic UUID of a cyber-observable whose type says which properties contribute, as custom types and
/// those of extensions may; the order of `properties` does not matter. `None` if none of them is present.
pub fn deterministic_by(object: &Value<'_>, properties: &[&str]) -> Option<Uuid> {
    let mut name = Vec::with_capacity(256);
    write_name(object, properties, &mut name).then(|| Uuid::new_v5(&SCO_NAMESPACE, &name))
}

/// The text that is hashed: the canonical JSON (RFC 8785) of the contributing properties. False if there are none.
fn write_name(object: &Value<'_>, properties: &[&str], out: &mut Vec<u8>) -> bool {
    let mut present: Vec<(&str, Value<'_>)> =
        properties.iter().filter_map(|name| Some((*name, object.get(name)?))).collect();
    present.sort_unstable_by(|(a, _), (b, _)| canonical::order(a, b));
    out.push(b'{');
    for (at, (name, value)) in present.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        canonical::string(name, out);
        out.push(b':');
        match preferred_hash(value).filter(|_| *name == "hashes") {
            Some((algorithm, hash)) => {
                out.push(b'{');
                canonical::string(&algorithm.as_str(), out);
                out.push(b':');
                canonical::write(hash, out);
                out.push(b'}');
            }
            None => canonical::write(*value, out),
        }
    }
    out.push(b'}');
    !present.is_empty()
}

/// The one hash that counts: MD5, SHA-1, SHA-256, SHA-512 in this order (§2.9). The standard leaves open which of
/// others to take; we take the first by name, so that the order of writing does not matter.
fn preferred_hash<'t>(hashes: &Value<'t>) -> Option<(Key<'t>, Value<'t>)> {
    let rank = |name: &str| ["MD5", "SHA-1", "SHA-256", "SHA-512"].iter().position(|known| *known == name).unwrap_or(4);
    hashes.entries().min_by(|(a, _), (b, _)| {
        let (a, b) = (a.as_str(), b.as_str());
        rank(&a).cmp(&rank(&b)).then_with(|| canonical::order(&a, &b))
    })
}

#[cfg(test)]
mod tests;
