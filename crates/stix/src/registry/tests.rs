use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{
    CHARSETS, COUNTRIES, IPFIX, LANGUAGES, MEDIA_TYPES, PROTOCOLS, REQUEST_HEADERS, Registry, SOCKET_OPTIONS,
    is_protocol,
};

#[test]
fn tables_are_sorted_and_hold_what_they_should() {
    let tables: [(&Registry, usize, &str); 8] = [
        (&MEDIA_TYPES, 2000, "application/pdf"),
        (&CHARSETS, 250, "UTF-8"),
        (&PROTOCOLS, 6000, "https"),
        (&IPFIX, 450, "octetDeltaCount"),
        (&REQUEST_HEADERS, 40, "User-Agent"),
        (&SOCKET_OPTIONS, 180, "SO_REUSEADDR"),
        (&COUNTRIES, 249, "MA"),
        (&LANGUAGES, 500, "ara"),
    ];
    for (table, least, member) in tables {
        assert!(table.names().is_sorted() && table.names().len() >= least, "{}", table.name);
        assert!(table.contains(member) && !table.contains("no such name") && !table.contains(""), "{}", table.name);
    }
    assert!(is_protocol("ipv6") && is_protocol("tcp") && !is_protocol("TCP "));
}

/// The records of a CSV file: quotes around fields, doubled inside.
fn records(text: &str) -> Vec<Vec<String>> {
    let (mut all, mut record, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                all.push(std::mem::take(&mut record));
            }
            other => field.push(other),
        }
    }
    if !field.is_empty() {
        record.push(field);
        all.push(record);
    }
    all
}

/// What a published registry says of each record; nothing if it is not beside the project.
fn published(file: &str, name: impl Fn(&[String]) -> Vec<String>) -> BTreeSet<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/iana-registries");
    let Ok(bytes) = std::fs::read(folder.join(file)) else {
        println!("skipped: the published registries are not beside the project");
        return BTreeSet::new();
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let names = records(&text).into_iter().skip(1).flat_map(|record| name(&record));
    names.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

fn same(table: &Registry, published: &BTreeSet<String>) {
    if !published.is_empty() {
        let ours: BTreeSet<String> = table.names().iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(ours.symmetric_difference(published).collect::<Vec<_>>(), Vec::<&String>::new(), "{}", table.name);
    }
}

#[test]
fn tables_equal_the_published_registries() {
    let first = |one: usize, two: usize| {
        move |record: &[String]| vec![if record[one].is_empty() { record[two].clone() } else { record[one].clone() }]
    };
    same(&CHARSETS, &published("charsets.csv", first(0, 1)));
    same(&IPFIX, &published("ipfix-information-elements.csv", |record| record.get(1).cloned().into_iter().collect()));
    same(
        &PROTOCOLS,
        &published("protocols.csv", |record| [0, 2].iter().filter_map(|at| record.get(*at).cloned()).collect()),
    );
    let mut media = BTreeSet::new();
    for top in ["application", "audio", "font", "image", "message", "model", "multipart", "text", "video"] {
        media.extend(published(&format!("mediatype_{top}.csv"), |record| {
            let named = if record[1].is_empty() { format!("{top}/{}", record[0]) } else { record[1].clone() };
            vec![named]
        }));
    }
    same(&MEDIA_TYPES, &media);
}
