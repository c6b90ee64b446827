//! Packages over an air gap, beside the packing alone and the disk.

use crate::clock::{self, Cost};
use crate::corpus::{self, Size};
use crate::server::{self, Node};
use crate::{row, table};
use ledger::{CardState, Partner, PartnerKind, Partners as _, sqlite::Book};
use partner::key::Keys;
use partner::package::{CHUNK, Draft, Item, Limits, Opener, Sealer, Sender};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

/// How the columns come about.
const NOTE: &str = "MB/s are of content: the bodies of the objects. The format: in memory, one thread, processor time; zstd is the \
same content by the same packer at the same level, and nothing else. The commands: wall time of whole processes, everything durable; \
the first package signs a seal for every object, later ones find them kept; who unpacks verifies every seal, and a package of more \
than 64 MiB twice. Beside them the same objects without seals (export, import), and the disk, which writes and synchronises the content.";

pub fn run(size: Size) {
    format(if size == Size::Quick { 60_000 } else { 400_000 });
    commands(if size == Size::Quick { 30_000 } else { 300_000 });
}

/// MB a second.
fn rate(bytes: usize, time: Duration) -> String {
    format!("{:.0} MB/s", bytes as f64 / 1e6 / time.as_secs_f64())
}

fn format(count: usize) {
    let objects = corpus::indicators(count, 3);
    let bytes: usize = objects.iter().map(Vec::len).sum();
    let (keys, reader) = (Keys::of(&[1; 32]), Keys::of(&[2; 32]));
    let recipients = [reader.public()];
    let draft = Draft {
        from: "identity--00000000-0000-4000-8000-000000000001", keys: &keys, recipients: &recipients, series: "bench", number: 1,
        previous: None, created: 0, expires: None, answer: false, chunk: CHUNK,
    };
    let seal = || {
        let mut sealer = Sealer::begin(&draft, &[7; 48], Vec::new()).expect("begins");
        for page in objects.chunks(1_000) {
            page.iter().for_each(|object| sealer.object(object).expect("fits"));
            sealer.end_page().expect("fits");
        }
        sealer.finish().expect("ends").0
    };
    let package = seal();
    let public = keys.public();
    let trust = |_: &_| {
        Ok(Sender { organisation: "bench".into(), node: draft.from.into(), sign: public.sign })
    };
    let open = || {
        let mut opener = Opener::begin(&package[..], &[&reader], &trust, &Limits::default(), 0).expect("opens");
        let mut bytes = 0;
        while let Some(item) = opener.next_item().expect("is whole") {
            if let Item::Object(object) = item {
                bytes += object.len();
            }
        }
        opener.finish().expect("is whole");
        bytes
    };
    assert_eq!(open(), bytes);
    let packed = zstd::encode_all(&objects.concat()[..], 3).expect("packs");
    let (sealed, opened) = (clock::median(5, || _ = seal()), clock::median(5, || _ = open()));
    let plain = objects.concat();
    let zstd = clock::median(5, || drop(zstd::encode_all(&plain[..], 3).expect("packs")));
    let unzstd = clock::median(5, || drop(zstd::decode_all(&packed[..]).expect("unpacks")));
    let line = |what: &str, ours: Cost, limit: Cost| {
        let part = limit.cpu.as_secs_f64() / ours.cpu.as_secs_f64();
        row![what, rate(bytes, ours.cpu), rate(bytes, limit.cpu), format!("{:.0} %", part * 100.0), "at least 50 MB/s"]
    };
    let rows = vec![
        row!["", "**the package**", "zstd alone", "of it", "aim"],
        line("seal", sealed, zstd),
        line("open", opened, unzstd),
    ];
    let title = format!("The format of packages: {count} indicators, {} MB, packed to {:.1} MB", bytes / 1_000_000, package.len() as f64 / 1e6);
    table::print(&title, &rows);
}

/// Makes each a partner of the other whose card was confirmed.
fn introduce(one: &Path, name: &str, other: &Path) {
    server::command(one, &["organisation", "add", name, "--relation", "community"], b"");
    let open = |home: &Path| Book::open(&home.join("marsad.db"), node::clock::now()).expect("opens");
    let secret = node::home::Home::open(other).expect("is a home").secret().expect("is there");
    let card = node::partners::identity::own(&open(other), &secret).expect("has keys").card;
    let (book, organisation) = (open(one), name.to_owned());
    let partner = Partner { organisation: organisation.clone(), kind: PartnerKind::Node, terms: b"{}".to_vec(), added: 0 };
    book.add_partner(&partner).expect("is new");
    let (serial, body) = (card.serial, card.text().to_vec());
    book.set_card(&ledger::Card { organisation, serial, state: CardState::Pinned, body, at: 0 }).expect("is a partner");
}

fn commands(count: usize) {
    let (north, south) = (Node::new("north"), std::env::temp_dir().join(format!("marsad-bench-south-{}", std::process::id())));
    let _ = std::fs::remove_dir_all(&south);
    server::command(&south, &["init", "--organisation", "South CERT"], b"");
    server::command(&south, &["collection", "add", "again"], b"");
    introduce(&north.home, "South CERT", &south);
    introduce(&south, "Bench CERT", &north.home);
    let mut random = corpus::Random(11);
    let objects: Vec<Vec<u8>> = (0..count).map(|_| corpus::indicator(&mut random)).collect();
    let bytes: usize = objects.iter().map(Vec::len).sum();
    node_import(&north, &objects);
    let file = |name: &str| north.home.join(name).display().to_string();
    let timed = |home: &Path, words: &[&str]| {
        let start = Instant::now();
        server::command(home, words, b"");
        start.elapsed()
    };
    let pack = |name: &str, flags: &[&str]| {
        let path = file(name);
        timed(&north.home, &[&["pack", "--to", "South CERT", "--collection", "bench", "-o", &path], flags].concat())
    };
    let (first, second) = (pack("one", &[]), pack("two", &["--from-the-beginning"]));
    let (one, bundle) = (file("one"), file("bundle.json"));
    let check = timed(&south, &["unpack", "--check", &one]);
    let taken = timed(&south, &["unpack", &one]);
    let export = timed(&north.home, &["export", "--collection", "bench", "-o", &bundle]);
    let import = timed(&south, &["import", &bundle, "--collection", "again"]);
    let disk = disk(&north.home, &objects.concat());
    let size = std::fs::metadata(&one).map_or(0, |meta| meta.len());
    let line = |what: &str, time: Duration, beside: &str, other: Duration| {
        row![what, format!("**{}**", rate(bytes, time)), format!("{:.0}", count as f64 / time.as_secs_f64()), beside, rate(bytes, other), rate(bytes, disk)]
    };
    let rows = vec![
        row!["", "content", "objects a second", "beside", "", "the disk"],
        line("pack, the first time", first, "export", export),
        line("pack, seals kept", second, "export", export),
        line("unpack --check", check, "import", import),
        line("unpack", taken, "import", import),
    ];
    let title = format!("Pack and unpack: {count} indicators, {} MB, a package of {:.1} MB", bytes / 1_000_000, size as f64 / 1e6);
    table::print(&title, &rows);
    println!("\n{NOTE}");
    let _ = std::fs::remove_dir_all(&south);
}

fn node_import(node: &Node, objects: &[Vec<u8>]) {
    node.import("bench", objects.iter().cloned());
}

/// Writes the content to the disk and synchronises it, then reads it.
fn disk(folder: &Path, content: &[u8]) -> Duration {
    let path = folder.join("copy.probe");
    let start = Instant::now();
    let mut file = std::fs::File::create(&path).expect("create");
    file.write_all(content).expect("write");
    file.sync_all().expect("synchronise");
    let mut back = Vec::with_capacity(content.len());
    std::fs::File::open(&path).and_then(|mut file| file.read_to_end(&mut back)).expect("read");
    let time = start.elapsed();
    let _ = std::fs::remove_file(path);
    time
}
