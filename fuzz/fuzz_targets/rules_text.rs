//! Whatever strangers write, every format stays in its lines: what the export says that it holds is what is there.

#![no_main]

use libfuzzer_sys::fuzz_target;
use observable::Kind;
use rules::{About, Format, Item, Language, Native, Options, Sink, Writer};
use std::collections::BTreeMap;
use std::io;

#[derive(Default)]
struct Files(BTreeMap<&'static str, Vec<u8>>);

impl Sink for Files {
    fn put(&mut self, file: &'static str, bytes: &[u8]) -> io::Result<()> {
        self.0.entry(file).or_default().extend_from_slice(bytes);
        Ok(())
    }
}

fuzz_target!(|data: (u8, &str, &str, &str, &str, &str, bool, i64)| {
    let (kind, id, name, source, value, reference, subdomains, modified) = data;
    let kind = Kind::ALL[usize::from(kind) % Kind::ALL.len()];
    let labels = [name.to_owned()];
    let (reference, confidence) = (Some(reference), Some(name.len() as u8));
    let about = About {
        id, name, source, tlp: source, confidence, created: modified, modified, valid_from: modified, valid_until: None,
        reference, labels: &labels, object: b"",
    };
    let options = Options { at: modified, viewer: name.to_owned(), zone: source.to_owned(), ..Options::default() };
    for format in Format::ALL {
        let mut files = Files::default();
        let mut writer = Writer::new(format, &options, &mut files).expect("a sink that takes everything");
        writer.item(&Item { about: &about, kind, value, itself: true, subdomains }).expect("taken");
        let language = [Language::Suricata, Language::Snort][value.len() % 2];
        writer.native(&Native { about: &about, language, text: value }).expect("taken");
        let report = writer.finish().expect("taken");
        for (name, bytes) in &files.0 {
            let text = std::str::from_utf8(bytes).expect("files are UTF-8");
            check(format, name, text, report.written(), report.natives);
        }
    }
});

/// Lines of the file that are no comment; where each of them must look like one of the format.
fn check(format: Format, file: &str, text: &str, written: u64, natives: u64) {
    let mark = if format == Format::Rpz { ';' } else { '#' };
    let lines: Vec<&str> = text.split('\n').filter(|line| !line.is_empty() && !line.starts_with(mark)).collect();
    if format != Format::Csv {
        assert!(!text.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{format:?} {file}");
    }
    let count = lines.len() as u64;
    match format {
        Format::Hosts => lines.iter().for_each(|line| assert!(line.starts_with("0.0.0.0 ") && line.contains(" # "))),
        Format::Rpz => assert!(lines.iter().skip(3).all(|line| line.contains(" CNAME . ; ")) && count <= 3 + 2 * written),
        Format::Csv => assert_eq!(count, 1 + written),
        Format::Jsonl => {
            assert_eq!(count, written);
            lines.iter().for_each(|line| drop(serde_json::from_str::<serde_json::Value>(line).expect("JSON")));
        }
        Format::ZeekIntel => assert!(lines.iter().all(|line| line.split('\t').count() == 5) && count == written),
        Format::Iptables => assert_eq!(count, 4 + written),
        Format::Nftables => assert_eq!(count, 5 + 3 * written),
        Format::Snort3Reputation => assert_eq!(count, written),
        Format::Suricata | Format::Snort3 => {
            assert!(lines.iter().all(|line| line.starts_with("alert ") && line.ends_with(')')));
            assert!(natives > 0 || count <= 3);
        }
        _ => {}
    }
}
