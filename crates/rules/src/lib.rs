//! Detection exports: what is known of threats, written in the language of other sensors.
//!
//! A [`Writer`] is given the claims of indicators one by one ([`Item`]) and writes them in one [`Format`] to a [`Sink`].
//! Whatever a partner wrote, in a name, a value or a reference, is text here: it never ends a comment, a string or a line,
//! and what cannot be written safely or exactly is left out and told of in the [`Report`].
//!
//! ```
//! use observable::Kind;
//! use rules::{About, Format, Item, One, Options, Writer};
//!
//! let about = About { id: "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f", tlp: "TLP:GREEN", ..About::default() };
//! let mut out = Vec::new();
//! let mut sink = One::new(&mut out);
//! let mut writer = Writer::new(Format::Csv, &Options::default(), &mut sink).unwrap();
//! writer.item(&Item { about: &about, kind: Kind::Domain, value: "evil.example", itself: true, subdomains: true }).unwrap();
//! let report = writer.finish().unwrap();
//! assert_eq!(report.written(), 1);
//! assert_eq!(out, b"type,value,id\ndomain,.evil.example,indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f\n");
//! ```
//!
//! Nothing here reads a clock, a file or a socket: time is an argument, and files are made by the [`Sink`].

#![forbid(unsafe_code)]

mod archive;
mod day;
mod format;
mod index;
mod item;
mod native;
mod native_sigma;
mod networks;
mod number;
mod options;
mod report;
mod seen;
mod sink;
mod text;
mod value;
mod writer;

pub use archive::Archive;
pub use format::Format;
pub use item::{About, Item, Language, Native};
pub use options::Options;
pub use report::{LeftOut, Reason, Report};
pub use sink::{One, Part, Sink};
pub use text::inert;
pub use writer::Writer;
