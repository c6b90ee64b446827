//! What a check finds while it reads is what a slow walk over the tree finds afterwards.

use pattern::{
    Comparison, ComparisonExpression, ComparisonKind, Constant, Error, ObservationExpression, ObservationKind,
    Operator, Qualifier, QualifierKind, Span, StepKind, Value, Version, check_version, parse_version,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// The oracle: the rules beyond the grammar, read off the tree one after the other.
struct Walk {
    version: Version,
    errors: Vec<Error>,
}

impl Walk {
    fn tell(&mut self, span: Span, message: String) {
        self.errors.push(Error { span: span.into(), message });
    }

    fn observation(&mut self, expression: &ObservationExpression) {
        match &expression.kind {
            ObservationKind::Observation(comparison) => self.comparison(comparison),
            ObservationKind::Group(inner) => self.observation(inner),
            ObservationKind::And(operands) | ObservationKind::Or(operands) | ObservationKind::FollowedBy(operands) => {
                operands.iter().for_each(|operand| self.observation(operand));
            }
            ObservationKind::Qualified(inner, qualifiers) => {
                self.observation(inner);
                if matches!(inner.kind, ObservationKind::Observation(_)) && self.version == Version::V21 {
                    self.qualifiers(qualifiers);
                }
            }
        }
    }

    /// STIX 2.1 §9.5.1.
    fn qualifiers(&mut self, qualifiers: &[Qualifier]) {
        for (index, qualifier) in qualifiers.iter().enumerate() {
            let same = |kind: &QualifierKind| std::mem::discriminant(kind) == std::mem::discriminant(&qualifier.kind);
            if qualifiers.iter().take(index).any(|earlier| same(&earlier.kind)) {
                let name = qualifier.kind.name();
                self.tell(qualifier.span, format!("`{name}` qualifies the same expression twice"));
            }
        }
    }

    fn comparison(&mut self, expression: &ComparisonExpression) {
        match &expression.kind {
            ComparisonKind::Comparison(comparison) => {
                self.set(comparison.operand.constants());
                self.hashes(comparison);
            }
            ComparisonKind::Exists { .. } => {}
            ComparisonKind::Group(inner) => self.comparison(inner),
            ComparisonKind::And(operands) | ComparisonKind::Or(operands) => {
                operands.iter().for_each(|operand| self.comparison(operand));
            }
        }
    }

    /// STIX 2.1 §9.2.
    fn set(&mut self, constants: &[Constant]) {
        let name = |constant: &Constant| constant.value.type_name();
        let kind = |constant: &Constant| if name(constant) == "float" { "integer" } else { name(constant) };
        let Some(first) = constants.first() else { return };
        if let Some(other) = constants.iter().find(|other| kind(other) != kind(first)) {
            self.tell(other.span, format!("a set holds constants of one type: {} after {}", name(other), name(first)));
        }
    }

    /// STIX 2.1 §10.7, for the algorithms that the texts below name.
    fn hashes(&mut self, comparison: &Comparison) {
        let names = comparison.path.steps.iter().filter_map(|step| match &step.kind {
            StepKind::Property(name) => Some(&**name),
            _ => None,
        });
        let behind: Vec<&str> = names.skip_while(|name| *name != "hashes").skip(1).collect();
        let (name, digits) = match behind.last().map(|name| name.replace('-', "").to_uppercase()).as_deref() {
            Some("MD5") => ("MD5", 32),
            Some("SHA256") => ("SHA-256", 64),
            Some("SHA3512") => ("SHA3-512", 128),
            Some("RIPEMD160") => ("RIPEMD-160", 40),
            Some("SSDEEP") => ("SSDEEP", 0),
            _ => return,
        };
        if matches!(comparison.operator, Operator::Like | Operator::Matches) {
            return;
        }
        for constant in comparison.operand.constants() {
            let Value::String(text) = &constant.value else { continue };
            let letters =
                |more: &str| text.chars().all(|letter| letter.is_ascii_alphanumeric() || more.contains(letter));
            let fits = match digits {
                0 => (1..=128).contains(&text.len()) && letters("/+:."),
                _ => text.len() == digits && text.chars().all(|letter| letter.is_ascii_hexdigit()),
            };
            let form = match digits {
                0 => "1 to 128 letters, digits, `/`, `+`, `:` or `.` are expected".to_owned(),
                _ => format!("{digits} hexadecimal digits are expected"),
            };
            if !fits {
                let shown: String = text.chars().take(140).collect();
                self.tell(constant.span, format!("`{}` is not a {name} hash: {form}", shown.escape_debug()));
            }
        }
    }
}

fn slowly(text: &str, version: Version) -> Vec<Error> {
    match parse_version(text, version) {
        Ok(pattern) => {
            let mut walk = Walk { version, errors: Vec::new() };
            walk.observation(&pattern.expression);
            walk.errors
        }
        Err(error) => vec![error],
    }
}

fn path() -> impl Strategy<Value = String> {
    let step = select(vec![
        "hashes",
        "'hashes'",
        "MD5",
        "'md-5'",
        "'SHA-256'",
        "sha256",
        "'SHA3-512'",
        "'ripemd160'",
        "'ripemd-160-x'",
        "ssdeep",
        "'X-HOUSE'",
        "name",
        "values[*]",
        "'it\\'s'",
    ]);
    vec(step, 1..5).prop_map(|steps| format!("file:{}", steps.join(".")))
}

fn constant() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => select(vec!["1", "2.5", "true", "h'00'", "b'AA=='", "t'2026-01-31T00:00:00Z'", "'a'"]).prop_map(String::from),
        1 => prop_oneof![Just(32), Just(40), Just(64), Just(128), 0..4_usize].prop_map(|digits| format!("'{}'", "f0".repeat(64).get(..digits).unwrap_or_default())),
        1 => "'[ -&(-Z\u{620}-\u{64a}]{0,9}'",
        1 => Just("'it\\'s \\\\ here'".to_owned()),
        1 => Just(format!("'{}'", "é".repeat(150))),
    ]
}

fn comparison() -> impl Strategy<Value = String> {
    let single = (select(vec!["=", "!=", "NOT =", ">", "LIKE", "MATCHES", "ISSUBSET"]), constant())
        .prop_map(|(operator, constant)| format!("{operator} {constant}"));
    let set = vec(constant(), 0..5).prop_map(|constants| format!("IN ({})", constants.join(", ")));
    let test = (path(), prop_oneof![single, set]).prop_map(|(path, rest)| format!("{path} {rest}"));
    let leaf = prop_oneof![6 => test, 1 => path().prop_map(|path| format!("EXISTS {path}"))];
    leaf.prop_recursive(2, 6, 3, |inner| {
        (vec(inner, 1..4), select(vec![" AND ", " OR "])).prop_map(|(terms, by)| format!("({})", terms.join(by)))
    })
}

fn pattern() -> impl Strategy<Value = String> {
    let qualifier = select(vec![
        "REPEATS 2 TIMES",
        "WITHIN 5 SECONDS",
        "START t'2026-01-31T00:00:00Z' STOP t'2026-02-01T00:00:00Z'",
    ]);
    let qualified = move |inner: BoxedStrategy<String>| {
        (inner, vec(qualifier.clone(), 0..4))
            .prop_map(|(inner, qualifiers)| format!("{inner} {}", qualifiers.join(" ")))
    };
    let leaf = qualified(comparison().prop_map(|test| format!("[{test}]")).boxed());
    leaf.prop_recursive(2, 6, 3, move |inner| {
        let joined = (vec(inner, 1..4), select(vec![" AND ", " OR ", " FOLLOWEDBY "]));
        qualified(joined.prop_map(|(terms, by)| format!("({})", terms.join(by))).boxed())
    })
}

/// A pattern, in which often one byte was put or taken.
fn nearly() -> impl Strategy<Value = String> {
    (pattern(), any::<proptest::sample::Index>(), select(vec!["", "", "(", "]", "'", "\\", " AND ", "/*", "0", "-"]))
        .prop_map(|(text, at, put)| {
            let at = at.index(text.len());
            match text.split_at_checked(at) {
                Some((before, after)) if !put.is_empty() => format!("{before}{put}{after}"),
                _ => text,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_check_finds_what_a_walk_over_the_tree_finds(text in nearly()) {
        for version in [Version::V20, Version::V21] {
            prop_assert_eq!(check_version(&text, version), slowly(&text, version), "{}", text);
        }
    }
}

#[test]
fn a_mixed_set_is_told_before_its_hashes() {
    let text = "[file:hashes.MD5 IN ('x', 'y', 1, 'z') AND file:hashes.MD5 = 'w']";
    let places: Vec<_> = check_version(text, Version::V21).into_iter().map(|error| text.get(error.span)).collect();
    assert_eq!(places, [Some("1"), Some("'x'"), Some("'y'"), Some("'z'"), Some("'w'")]);
}
