//! The values that a pattern names, where it does nothing else.

use pattern::{
    Comparison, ComparisonExpression, ComparisonKind, ObjectPath, ObservationExpression, ObservationKind, Operator,
    Pattern, StepKind, Value,
};

use crate::{Claim, Kind, canonical};

/// What a path leads to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    /// Values of one kind.
    Of(Kind),
    /// An address or a network.
    Address,
    /// An end of a connection: an address, a network, a host name or a hardware address.
    Endpoint,
}

/// The claims of a pattern that is met exactly if one of some values is: comparisons `=`, `IN` and `ISSUBSET`, and
/// `LIKE '%.example.org'` on domains, alone or joined by `OR`. None if the pattern says more than that (`AND`, `NOT`,
/// qualifiers), or asks for what no kind stands for.
///
/// An end of a connection says nothing of its direction here: `network-traffic:src_ref.value` names the address. That the
/// type of the end is told beside its value (`dst_ref.type = 'ipv4-addr' AND dst_ref.value = '…'`) says nothing more.
#[must_use]
pub fn claims(pattern: &Pattern) -> Option<Vec<Claim>> {
    let mut found = Vec::new();
    observation(&pattern.expression, &mut found)?;
    Some(found)
}

fn observation(expression: &ObservationExpression, found: &mut Vec<Claim>) -> Option<()> {
    match &expression.kind {
        ObservationKind::Observation(inner) => comparison(inner, found),
        ObservationKind::Group(inner) => observation(inner, found),
        ObservationKind::Or(parts) => parts.iter().try_for_each(|part| observation(part, found)),
        ObservationKind::And(_) | ObservationKind::FollowedBy(_) | ObservationKind::Qualified(..) => None,
    }
}

fn comparison(expression: &ComparisonExpression, found: &mut Vec<Claim>) -> Option<()> {
    match &expression.kind {
        ComparisonKind::Comparison(atom) => claim(atom, place(&atom.path)?, found),
        ComparisonKind::Group(inner) => comparison(inner, found),
        ComparisonKind::Or(parts) => parts.iter().try_for_each(|part| comparison(part, found)),
        ComparisonKind::And(parts) => typed_end(parts, found),
        ComparisonKind::Exists { .. } => None,
    }
}

/// `x_ref.type = T AND x_ref.value = V`, in either order, where V is a value of that type.
fn typed_end(parts: &[ComparisonExpression], found: &mut Vec<Claim>) -> Option<()> {
    let [left, right] = parts else { return None };
    let (ComparisonKind::Comparison(left), ComparisonKind::Comparison(right)) = (&left.kind, &right.kind) else {
        return None;
    };
    let (typed, valued) = if place(&right.path).is_some() { (left, right) } else { (right, left) };
    let same_end = typed.path.object_type == valued.path.object_type
        && typed.path.steps.len() == 2
        && valued.path.steps.len() == 2
        && typed.path.steps.first() == valued.path.steps.first();
    let asks_type = property(&typed.path, 1) == Some("type") && typed.operator == Operator::Equal && !typed.negated;
    if !same_end || !asks_type || place(&valued.path)? != Place::Endpoint {
        return None;
    }
    let [constant] = typed.operand.constants() else { return None };
    let Value::String(name) = &constant.value else { return None };
    let before = found.len();
    claim(valued, Place::Endpoint, found)?;
    let of_type = |claim: &Claim| match &**name {
        "ipv4-addr" => claim.kind == Kind::Ipv4 || (claim.kind == Kind::Cidr && !claim.value.contains(':')),
        "ipv6-addr" => claim.kind == Kind::Ipv6 || (claim.kind == Kind::Cidr && claim.value.contains(':')),
        "domain-name" => claim.kind == Kind::Domain,
        "mac-addr" => claim.kind == Kind::Mac,
        _ => false,
    };
    found.get(before..)?.iter().all(of_type).then_some(())
}

/// What one atom of a pattern names: values of which one is there wherever the path is equal to one of them (`=`, `IN`), is
/// within one of them (`ISSUBSET`), or is below a domain (`LIKE '%.example.org'`). None if it names no values of a kind.
#[must_use]
pub fn named<'v>(
    path: &ObjectPath,
    operator: Operator,
    values: impl IntoIterator<Item = &'v Value>,
) -> Option<Vec<Claim>> {
    let mut found = Vec::new();
    let values: Vec<&Value> = values.into_iter().collect();
    of_values(operator, &values, place(path)?, &mut found)?;
    Some(found)
}

fn claim(atom: &Comparison, place: Place, found: &mut Vec<Claim>) -> Option<()> {
    if atom.negated {
        return None;
    }
    let values: Vec<&Value> = atom.operand.constants().iter().map(|constant| &constant.value).collect();
    of_values(atom.operator, &values, place, found)
}

fn of_values(operator: Operator, values: &[&Value], place: Place, found: &mut Vec<Claim>) -> Option<()> {
    match operator {
        Operator::Equal | Operator::In => {
            for value in values {
                match (value, place) {
                    (Value::String(text), _) => found.push(equal(place, text)),
                    (Value::Integer(number), Place::Of(Kind::AutonomousSystem)) => {
                        found.push(Claim::new(Kind::AutonomousSystem, number.to_string()));
                    }
                    _ => return None,
                }
            }
            Some(())
        }
        Operator::IsSubset => {
            let [Value::String(text)] = values else { return None };
            matches!(place, Place::Address | Place::Endpoint).then(|| found.push(Claim::new(Kind::Cidr, text.clone())))
        }
        Operator::Like => {
            let [Value::String(text)] = values else { return None };
            found.push(like(place, text)?);
            Some(())
        }
        _ => None,
    }
}

/// An address is of the kind that it has, whatever type of object it was asked of; what is none stays with that type, and
/// [`admit`](crate::admit) refuses it.
fn equal(place: Place, text: &str) -> Claim {
    let kind = match place {
        Place::Of(kind) => kind,
        Place::Address | Place::Endpoint => match canonical::address(text.as_bytes()) {
            Some(address) if address.is_ipv4() => Kind::Ipv4,
            Some(_) => Kind::Ipv6,
            None if canonical::network(text.as_bytes()).is_some() => Kind::Cidr,
            None if place == Place::Address => Kind::Ipv4,
            None if canonical::mac(text.as_bytes(), &mut Vec::new()).is_some() => Kind::Mac,
            None => Kind::Domain,
        },
    };
    Claim::new(kind, text)
}

/// `%.example.org` is every name below that domain; a text without wildcards is that text.
fn like(place: Place, text: &str) -> Option<Claim> {
    let plain = |text: &str| !text.contains(['%', '_']);
    if plain(text) {
        return Some(equal(place, text));
    }
    let below = text.strip_prefix("%.").filter(|rest| plain(rest) && !rest.is_empty())?;
    matches!(place, Place::Of(Kind::Domain)).then(|| Claim::below(below))
}

fn place(path: &ObjectPath) -> Option<Place> {
    let first = property(path, 0)?;
    let second = property(path, 1);
    let steps = path.steps.len();
    Some(match (&*path.object_type, first, second, steps) {
        ("domain-name", "value", _, 1) => Place::Of(Kind::Domain),
        ("ipv4-addr" | "ipv6-addr", "value", _, 1) => Place::Address,
        ("url", "value", _, 1) => Place::Of(Kind::Url),
        ("email-addr", "value", _, 1) => Place::Of(Kind::Email),
        ("mac-addr", "value", _, 1) => Place::Of(Kind::Mac),
        ("mutex", "name", _, 1) => Place::Of(Kind::Mutex),
        ("autonomous-system", "number", _, 1) => Place::Of(Kind::AutonomousSystem),
        ("windows-registry-key", "key", _, 1) => Place::Of(Kind::RegistryKey),
        ("user-account", "user_id" | "account_login" | "display_name", _, 1) => Place::Of(Kind::Account),
        ("file", "name", _, 1) | ("process", "image_ref" | "binary_ref", Some("name"), 2) => Place::Of(Kind::FileName),
        ("file" | "artifact", "hashes", Some(algorithm), 2) => Place::Of(digest(algorithm)?),
        ("process", "image_ref" | "binary_ref", Some("hashes"), 3) => Place::Of(digest(property(path, 2)?)?),
        ("x509-certificate", "serial_number", _, 1) => Place::Of(Kind::CertificateSerial),
        ("x509-certificate", "hashes", Some(algorithm), 2) => {
            digest(algorithm).filter(|kind| *kind != Kind::Sha512)?;
            Place::Of(Kind::Certificate)
        }
        ("email-message", "subject", _, 1) => Place::Of(Kind::Subject),
        ("email-message", "from_ref" | "sender_ref", Some("value"), 2) => Place::Of(Kind::Email),
        ("email-message", "to_refs" | "cc_refs" | "bcc_refs", None, 3) if property(path, 2) == Some("value") => {
            Place::Of(Kind::Email)
        }
        ("network-traffic", "src_ref" | "dst_ref", Some("value"), 2) => Place::Endpoint,
        ("network-traffic", "extensions", Some("http-request-ext"), 4 | 5) => user_agent(path)?,
        ("network-traffic", name, _, 1) => Place::Of(fingerprint(name)?),
        ("network-traffic", "extensions", Some(_), 3) => Place::Of(fingerprint(property(path, 2)?)?),
        _ => return None,
    })
}

/// `request_header.'User-Agent'`, in STIX 2.1 a list and in 2.0 a text.
fn user_agent(path: &ObjectPath) -> Option<Place> {
    let named = property(path, 2) == Some("request_header")
        && property(path, 3).is_some_and(|name| name.eq_ignore_ascii_case("User-Agent"));
    let last = path.steps.get(4).map(|step| &step.kind);
    (named && matches!(last, None | Some(StepKind::Any | StepKind::Index(0)))).then_some(Place::Of(Kind::UserAgent))
}

/// Fingerprints of TLS have no place in STIX 2.1; these names are in use for custom properties.
fn fingerprint(name: &str) -> Option<Kind> {
    Some(match name.strip_prefix("x_").unwrap_or(name) {
        "ja3" | "ja3_hash" | "ja3_fingerprint" => Kind::Ja3,
        "ja3s" | "ja3s_hash" | "ja3s_fingerprint" => Kind::Ja3s,
        "ja4" | "ja4_hash" | "ja4_fingerprint" => Kind::Ja4,
        _ => return None,
    })
}

/// Names of algorithms are compared without their hyphens: both `SHA-256` and `SHA256` are written.
fn digest(algorithm: &str) -> Option<Kind> {
    const NAMES: [(&str, Kind); 4] =
        [("MD5", Kind::Md5), ("SHA1", Kind::Sha1), ("SHA256", Kind::Sha256), ("SHA512", Kind::Sha512)];
    let letters = || algorithm.bytes().filter(|byte| *byte != b'-').map(|byte| byte.to_ascii_uppercase());
    NAMES.into_iter().find(|(name, _)| letters().eq(name.bytes())).map(|(_, kind)| kind)
}

fn property(path: &ObjectPath, step: usize) -> Option<&str> {
    match &path.steps.get(step)?.kind {
        StepKind::Property(name) => Some(name),
        StepKind::Index(_) | StepKind::Any => None,
    }
}

#[cfg(test)]
mod tests;
