//! What is printed parses to the same tree: for trees made at random, and for texts made at random that happen to parse.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use pattern::{
    Comparison, ComparisonExpression, ComparisonKind, Constant, ObjectPath, ObservationExpression, ObservationKind,
    Operand, Operator, Pattern, Qualifier, QualifierKind, Span, Step, StepKind, Value, check, parse,
};
use proptest::collection::vec;
use proptest::prelude::*;

const MAX_INTEGER: i64 = (1 << 53) - 1;

fn constant(value: Value) -> Constant {
    Constant { value, span: Span::default() }
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,12}", "\\PC{0,8}", Just("it's \\ both\\'".to_owned()), Just("سطر\nثانٍ".to_owned())]
}

fn timestamp() -> impl Strategy<Value = Constant> {
    (0..=9999, 1..=12, 1..=31, 0..=23, 0..=59, 0..=60, "(\\.[0-9]{1,9})?").prop_map(|(y, mo, d, h, mi, s, fraction)| {
        let literal = format!("t'{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}{fraction}Z'");
        let pattern = parse(&format!("[a:b = {literal}]")).unwrap();
        let ObservationKind::Observation(observation) = pattern.expression.kind else { panic!("no observation") };
        let ComparisonKind::Comparison(comparison) = observation.kind else { panic!("no comparison") };
        comparison.operand.constants()[0].clone()
    })
}

fn string() -> impl Strategy<Value = Constant> {
    text().prop_map(|text| constant(Value::String(text.into())))
}

fn ordered() -> impl Strategy<Value = Constant> {
    prop_oneof![
        (-MAX_INTEGER..=MAX_INTEGER).prop_map(|value| constant(Value::Integer(value))),
        any::<f64>().prop_filter("finite", |value| value.is_finite()).prop_map(|value| constant(Value::Float(value))),
        string(),
        vec(any::<u8>(), 0..9).prop_map(|bytes| constant(Value::Hex(bytes.into()))),
        vec(any::<u8>(), 1..9).prop_map(|bytes| constant(Value::Binary(bytes.into()))),
        timestamp(),
    ]
}

fn any_constant() -> impl Strategy<Value = Constant> {
    prop_oneof![4 => ordered(), 1 => any::<bool>().prop_map(|value| constant(Value::Boolean(value)))]
}

fn property() -> impl Strategy<Value = StepKind> {
    let name = prop_oneof!["[a-z_][a-z0-9_]{0,6}", text(), Just("AND".to_owned()), Just("true".to_owned())];
    name.prop_map(|name| StepKind::Property(name.into()))
}

fn path() -> impl Strategy<Value = ObjectPath> {
    let further = prop_oneof![3 => property(), 1 => Just(StepKind::Any), 1 => any::<u32>().prop_map(|index| StepKind::Index(index.into()))];
    ("[a-z_][a-z0-9_]{0,4}(-[a-z0-9]{1,4}){0,2}", property(), vec(further, 0..4))
        .prop_filter("no keyword", |(object_type, ..)| object_type != "true" && object_type != "false")
        .prop_map(|(object_type, first, further)| ObjectPath {
            object_type: object_type.into(),
            steps: std::iter::once(first).chain(further).map(|kind| Step { kind, span: Span::default() }).collect(),
            span: Span::default(),
        })
}

fn comparison() -> impl Strategy<Value = ComparisonKind> {
    let equality = (prop_oneof![Just(Operator::Equal), Just(Operator::NotEqual)], any_constant());
    let order = (
        prop_oneof![
            Just(Operator::Less),
            Just(Operator::LessOrEqual),
            Just(Operator::Greater),
            Just(Operator::GreaterOrEqual)
        ],
        ordered(),
    );
    let of_text = (
        prop_oneof![
            Just(Operator::Like),
            Just(Operator::Matches),
            Just(Operator::IsSubset),
            Just(Operator::IsSuperset)
        ],
        string(),
    );
    let single = prop_oneof![equality.boxed(), order.boxed(), of_text.boxed()]
        .prop_map(|(operator, constant)| (operator, Operand::Constant(constant)));
    let set = vec(any_constant(), 0..4).prop_map(|constants| (Operator::In, Operand::Set(constants)));
    let test = (path(), any::<bool>(), prop_oneof![4 => single.boxed(), 1 => set.boxed()]).prop_map(
        |(path, negated, (operator, operand))| {
            ComparisonKind::Comparison(Comparison { path, negated, operator, operand })
        },
    );
    prop_oneof![
        6 => test,
        1 => (path(), any::<bool>()).prop_map(|(path, negated)| ComparisonKind::Exists { path, negated }),
    ]
}

fn comparison_expression() -> impl Strategy<Value = ComparisonExpression> {
    let of = |kind| ComparisonExpression { kind, span: Span::default() };
    comparison().prop_map(of).prop_recursive(4, 24, 4, move |inner| {
        // What may stand as an operand: a chain only within parentheses, except AND below OR.
        let atom = inner.prop_map(move |inner| match &inner.kind {
            ComparisonKind::And(_) | ComparisonKind::Or(_) => of(ComparisonKind::Group(Box::new(inner))),
            _ => inner,
        });
        let and = vec(atom.clone(), 2..4).prop_map(move |operands| of(ComparisonKind::And(operands)));
        let operand = prop_oneof![atom.clone(), and.clone()];
        let or = vec(operand, 2..4).prop_map(move |operands| of(ComparisonKind::Or(operands)));
        prop_oneof![atom, and, or]
    })
}

fn qualifier() -> BoxedStrategy<Qualifier> {
    let seconds = prop_oneof![
        (1..MAX_INTEGER).prop_map(|seconds| constant(Value::Integer(seconds))),
        (0.001..1e9).prop_map(|seconds| constant(Value::Float(seconds))),
    ];
    prop_oneof![
        (timestamp(), timestamp()).prop_map(|(start, stop)| QualifierKind::StartStop { start, stop }),
        seconds.prop_map(|seconds| QualifierKind::Within { seconds }),
        (1..=MAX_INTEGER.unsigned_abs()).prop_map(|times| QualifierKind::Repeats { times }),
    ]
    .prop_map(|kind| Qualifier { kind, span: Span::default() })
    .boxed()
}

fn observation_expression() -> impl Strategy<Value = ObservationExpression> {
    let of = |kind| ObservationExpression { kind, span: Span::default() };
    let leaf = comparison_expression().prop_map(move |inner| of(ObservationKind::Observation(inner)));
    leaf.prop_recursive(3, 12, 3, move |inner| {
        let atom = (inner, vec(qualifier(), 0..3)).prop_map(move |(inner, qualifiers)| {
            let inner = match &inner.kind {
                ObservationKind::Observation(_) | ObservationKind::Group(_) => inner,
                _ => of(ObservationKind::Group(Box::new(inner))),
            };
            match qualifiers.is_empty() {
                true => inner,
                false => of(ObservationKind::Qualified(Box::new(inner), qualifiers)),
            }
        });
        let and = vec(atom.clone(), 2..4).prop_map(move |operands| of(ObservationKind::And(operands)));
        let below_or = prop_oneof![atom.clone(), and.clone()];
        let or = vec(below_or.clone(), 2..4).prop_map(move |operands| of(ObservationKind::Or(operands)));
        let below_followed = prop_oneof![below_or, or.clone()];
        let followed = vec(below_followed, 2..4).prop_map(move |operands| of(ObservationKind::FollowedBy(operands)));
        prop_oneof![atom, and, or, followed]
    })
}

/// Texts of tokens in any order: now and then a pattern, mostly nearly one.
fn token_soup() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "[",
        "]",
        "(",
        ")",
        "a:b",
        "x-y:'c-d'[*].e",
        "=",
        "!=",
        "<",
        "IN",
        "LIKE",
        "NOT",
        "EXISTS",
        "AND",
        "OR",
        "FOLLOWEDBY",
        "1",
        "-2.5",
        "'s'",
        "'\\''",
        "h'0f'",
        "b'AA=='",
        "t'2026-02-30T00:00:00Z'",
        "true",
        ",",
        "START",
        "STOP",
        "WITHIN",
        "SECONDS",
        "REPEATS",
        "TIMES",
        "[a:b = 1]",
        "/* c */",
        "// c\n",
        "\u{a0}",
        "é",
        "\\",
        "'",
    ]);
    vec(token, 0..14).prop_map(|tokens| tokens.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_printed_tree_parses_to_itself(expression in observation_expression()) {
        let pattern = Pattern { expression };
        let printed = pattern.to_string();
        match parse(&printed) {
            Ok(parsed) => prop_assert_eq!(parsed, pattern, "{}", printed),
            Err(error) => prop_assert!(false, "{}: {}", printed, error),
        }
    }

    #[test]
    fn any_text_gives_a_tree_or_a_place(text in prop_oneof![token_soup(), "\\PC{0,40}"]) {
        match parse(&text) {
            Ok(pattern) => prop_assert_eq!(parse(&pattern.to_string()).unwrap(), pattern),
            Err(error) => {
                prop_assert!(text.get(error.span.clone()).is_some(), "{:?} is no place in {:?}", error, text);
                prop_assert_eq!(check(&text), [error]);
            }
        }
    }
}
