//! A pattern as telemetry tells of what it speaks of: constants in the form in which [`show`](super::show()) has values,
//! and the values without which an event cannot concern it.

use observable::{Claim, Kind, canonical};
use pattern::{
    Atom, ComparisonExpression, ComparisonKind, Need, ObjectPath, ObservationExpression, ObservationKind, Operand,
    Operator, Pattern, Step, StepKind, Value,
};

/// The text by which a value of this kind is shown; none if it is no value of it, or no text.
pub(super) fn text(kind: Kind, raw: &[u8], scratch: &mut Vec<u8>) -> Option<String> {
    let bytes = canonical::of(kind, raw, scratch)?;
    Some(match kind {
        Kind::Ipv4 | Kind::Ipv6 => canonical::address(raw)?.to_string(),
        Kind::Md5 | Kind::Sha1 | Kind::Sha256 | Kind::Sha512 | Kind::Certificate | Kind::CertificateSerial => {
            hex(bytes, "")
        }
        Kind::Mac => hex(bytes, ":"),
        Kind::Url => {
            let url = std::str::from_utf8(bytes).ok()?;
            // A log that leaves the scheme out means one of the web.
            if canonical::parts(bytes).scheme.is_some() { url.to_owned() } else { format!("http://{url}") }
        }
        Kind::Cidr | Kind::AutonomousSystem => return None,
        _ => std::str::from_utf8(bytes).ok()?.to_owned(),
    })
}

fn hex(bytes: &[u8], between: &str) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(between)
}

/// The pattern with its constants in that form.
pub(super) fn told(pattern: &Pattern) -> Pattern {
    let mut pattern = pattern.clone();
    observation(&mut pattern.expression);
    pattern
}

fn observation(expression: &mut ObservationExpression) {
    match &mut expression.kind {
        ObservationKind::Observation(inner) => comparison(inner),
        ObservationKind::Group(inner) | ObservationKind::Qualified(inner, _) => observation(inner),
        ObservationKind::And(parts) | ObservationKind::Or(parts) | ObservationKind::FollowedBy(parts) => {
            parts.iter_mut().for_each(observation);
        }
    }
}

fn comparison(expression: &mut ComparisonExpression) {
    match &mut expression.kind {
        ComparisonKind::Group(inner) => comparison(inner),
        ComparisonKind::And(parts) | ComparisonKind::Or(parts) => parts.iter_mut().for_each(comparison),
        ComparisonKind::Exists { path, .. } => way(path),
        ComparisonKind::Comparison(test) => {
            way(&mut test.path);
            let constants = match &mut test.operand {
                Operand::Constant(constant) => std::slice::from_mut(constant),
                Operand::Set(constants) => constants.as_mut_slice(),
            };
            for constant in constants {
                if let Value::String(text) = &mut constant.value
                    && let Some(written) = written(&test.path, test.operator, text)
                {
                    *text = written.into();
                }
            }
        }
    }
}

/// A constant as it is shown, if that is something else.
fn written(path: &ObjectPath, operator: Operator, constant: &str) -> Option<String> {
    let of = |path: &ObjectPath| of(path, &Value::String(constant.into()));
    let last = path.steps.last().and_then(property);
    let lower = matches!(last, Some("request_method" | "request_version")) || is_protocol(path);
    match operator {
        _ if lower => Some(constant.to_lowercase()),
        Operator::Equal | Operator::NotEqual | Operator::In => {
            let kind = of(path).or_else(|| of(&end(path)?))?;
            text(kind, constant.as_bytes(), &mut Vec::new())
        }
        Operator::Like => {
            let kind = of(path)?;
            let lower = [Kind::Domain, Kind::Md5, Kind::Sha1, Kind::Sha256, Kind::Sha512, Kind::Mac];
            lower.contains(&kind).then(|| constant.to_lowercase())
        }
        _ => None,
    }
}

/// The kind of a value that a path leads to.
fn of(path: &ObjectPath, value: &Value) -> Option<Kind> {
    observable::named(path, Operator::Equal, [value])?.first().map(|claim| claim.kind)
}

/// The kind of a value that a path led to; none if the path leads to nothing that has a kind.
pub(super) fn kind(path: &ObjectPath, value: &Value) -> Option<Kind> {
    of(path, value).or_else(|| of(&end(path)?, value))
}

/// Whether a path leads to values that have a kind.
pub(super) fn is_observable(path: &ObjectPath) -> bool {
    kind(path, &Value::String("".into())).is_some() || kind(path, &Value::Integer(0)).is_some()
}

fn is_protocol(path: &ObjectPath) -> bool {
    &*path.object_type == "network-traffic" && path.steps.first().and_then(property) == Some("protocols")
}

/// Names within a path as they are shown: algorithms, headers of requests, which are text and not a list here.
fn way(path: &mut ObjectPath) {
    let within = |steps: &[Step], name| steps.iter().rev().nth(1).and_then(property) == Some(name);
    let steps = &mut path.steps;
    let header = steps.iter().any(|step| property(step) == Some("request_header"));
    if header && matches!(steps.last().map(|step| &step.kind), Some(StepKind::Any | StepKind::Index(0))) {
        steps.pop();
    }
    let hashes = within(steps, "hashes");
    let header = within(steps, "request_header");
    let Some(Step { kind: StepKind::Property(name), .. }) = steps.last_mut() else { return };
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
    let shown = match letters.as_str() {
        "MD5" if hashes => "MD5",
        "SHA1" if hashes => "SHA-1",
        "SHA256" if hashes => "SHA-256",
        "SHA512" if hashes => "SHA-512",
        "USERAGENT" if header => "User-Agent",
        "HOST" if header => "Host",
        _ => return,
    };
    *name = shown.into();
}

fn property(step: &Step) -> Option<&str> {
    match &step.kind {
        StepKind::Property(name) => Some(name),
        StepKind::Index(_) | StepKind::Any => None,
    }
}

/// The claims of which one is met by every event that has what an atom asks for; none if no set can tell.
pub(super) fn claims(atom: &Atom) -> Option<Vec<Claim>> {
    let named = |path: &ObjectPath| match &atom.need {
        Need::OneOf(values) => observable::named(path, Operator::In, values),
        Need::Pass(operator @ (Operator::IsSubset | Operator::Like), value) => {
            observable::named(path, *operator, [value])
        }
        Need::Pass(..) | Need::Present => None,
    };
    let claims = named(&atom.path).or_else(|| named(&end(&atom.path)?))?;
    claims.iter().all(|claim| observable::admit(claim).is_ok()).then_some(claims)
}

/// A path to a host that says as much as one to an end of a connection: what a name resolves to, the host of a request.
fn end(path: &ObjectPath) -> Option<ObjectPath> {
    let names: Vec<Option<&str>> = path.steps.iter().map(property).collect();
    let is_one = matches!(
        (&*path.object_type, names.as_slice()),
        ("domain-name", [Some("resolves_to_refs"), None, Some("value")])
            | ("network-traffic", [Some("extensions"), Some("http-request-ext"), Some("request_header"), Some("Host")])
    );
    let step = |name: &str| Step { kind: StepKind::Property(name.into()), span: path.span };
    is_one.then(|| ObjectPath {
        object_type: "network-traffic".into(),
        steps: vec![step("dst_ref"), step("value")],
        span: path.span,
    })
}
