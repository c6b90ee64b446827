//! STIX patterns: the language in which an indicator says what to look for (STIX 2.1 §9).
//!
//! [`parse`] turns the text into a [`Pattern`], a tree in which every part knows where it stood;
//! [`check`] says everything that is wrong with a text, which is what a validator wants. Both read
//! text from strangers: size and depth are bounded, and time is linear in the length.
//!
//! ```
//! let pattern = pattern::parse("[domain-name:value = 'portal.example'] REPEATS 5 TIMES").unwrap();
//! assert_eq!(pattern.to_string(), "[domain-name:value = 'portal.example'] REPEATS 5 TIMES");
//!
//! let wrong = pattern::check("[file:hashes.'SHA-256' = 'f00']");
//! assert_eq!(wrong[0].to_string(), "`f00` is not a SHA-256 hash: 64 hexadecimal digits are expected (at byte 25)");
//! ```
//!
//! A [`Matcher`] is a pattern compiled to be matched with [`Observed`] data, made from JSON or piece by piece:
//!
//! ```
//! use pattern::{Data, Matcher, Moment, Object, Observed};
//!
//! let pattern = pattern::parse("[domain-name:value = 'portal.example']").unwrap();
//! let matcher = Matcher::new(&pattern).unwrap();
//! let mut observed = Observed::new();
//! let properties = Data::Object(vec![("value".into(), Data::Text("portal.example".into()))]);
//! let name = observed.add_object(Object { id: "0".into(), object_type: "domain-name".into(), properties });
//! observed.add_observation("a line of a log", Moment::at(0), vec![name]);
//! assert!(matcher.find(&observed).unwrap().matched());
//! ```

mod ast;
mod atoms;
mod build;
mod chain;
mod check;
mod constant;
mod error;
mod explain;
mod lexer;
mod matcher;
mod normal;
mod observed;
mod parser;
mod print;
mod schema;
mod warn;

pub use ast::{
    Comparison, ComparisonExpression, ComparisonKind, ObjectPath, ObservationExpression, ObservationKind, Operand,
    Operator, Pattern, Qualifier, QualifierKind, Span, Step, StepKind,
};
pub use atoms::{Atom, Leaf, Need, atoms, atoms_preferring, is_look_up};
pub use check::{Version, check, check_version};
pub use constant::{Constant, Timestamp, Value};
pub use error::Error;
pub use explain::explain;
pub use matcher::{BUDGET, Bound, Exhausted, Matcher, Network, Outcome, Unreadable, decode_property};
pub use normal::{MAX_TERMS, equivalent, normal};
pub use observed::{Data, Moment, Object, Observation, Observed, Unusable, View, instant};
pub use parser::{MAX_BYTES, MAX_DEPTH, parse, parse_version};
pub use warn::warnings;
