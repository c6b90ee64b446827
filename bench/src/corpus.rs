//! What is measured on: ATT&CK Enterprise where it lies beside the checkout, and generated objects.

use std::path::{Path, PathBuf};

/// How much of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Size {
    /// For a look.
    Quick,
    /// For the record.
    Full,
}

/// The folder of recorded material, if it is there.
pub fn shared(file: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(file);
    path.exists().then_some(path)
}

/// ATT&CK Enterprise as it was published: one STIX 2.0 bundle, compressed.
pub fn enterprise_20() -> Option<PathBuf> {
    shared("attack-stix/enterprise-attack-18.1-stix20.json.zst")
}

/// ATT&CK Enterprise as a STIX 2.1 bundle (46 MB, 24,771 objects); generated objects where it is absent.
pub fn enterprise() -> (String, Vec<u8>) {
    let Some(path) = enterprise_20() else {
        eprintln!("ATT&CK is not beside this checkout: generated indicators instead");
        return ("generated indicators".into(), bundle(&indicators(60_000, 1)));
    };
    let text = zstd::decode_all(std::fs::File::open(path).expect("open")).expect("decompress");
    let mut objects = Vec::new();
    for object in stix::split::objects(&text) {
        let object = object.expect("well-formed");
        objects.extend(stix::upgrade::object(object.text).expect("upgrades").objects);
    }
    ("ATT&CK Enterprise 18.1 as STIX 2.1".into(), bundle(&objects))
}

/// Objects in a bundle.
pub fn bundle(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut out = br#"{"type":"bundle","id":"bundle--5d9c7a3e-6a0e-4f5e-9c0b-0d2b6c1b7a10","objects":["#.to_vec();
    out.extend(objects.join(&b","[..]));
    out.extend(b"]}");
    out
}

/// Indicators of about 570 bytes, as the peers were measured with. The same for the same seed.
pub fn indicators(count: usize, seed: u64) -> Vec<Vec<u8>> {
    let mut random = Random(seed);
    (0..count).map(|_| indicator(&mut random)).collect()
}

/// A small generator of numbers (xorshift), so that a run can be repeated.
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The marking definitions of TLP 2.0.
pub const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
/// See [`GREEN`].
pub const AMBER: &str = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
/// See [`GREEN`].
pub const AMBER_STRICT: &str = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003";

/// One indicator.
pub fn indicator(random: &mut Random) -> Vec<u8> {
    marked(random, "")
}

/// One indicator with a marking of the whole.
pub fn indicator_with(random: &mut Random, marking: &str) -> Vec<u8> {
    marked(random, &format!(r#","object_marking_refs":["{marking}"]"#))
}

/// One GREEN indicator of which the description is marked otherwise.
pub fn indicator_in_part(random: &mut Random, marking: &str) -> Vec<u8> {
    let granular = format!(r#""granular_markings":[{{"marking_ref":"{marking}","selectors":["description"]}}]"#);
    marked(random, &format!(r#","object_marking_refs":["{GREEN}"],{granular}"#))
}

/// A GREEN tool, to which others refer; its id.
pub fn tool(random: &mut Random) -> (String, Vec<u8>) {
    let id = format!("tool--{}", uuid(random));
    let text = format!(
        r#"{{"type":"tool","spec_version":"2.1","id":"{id}","created":"2026-03-01T09:00:00.000Z","modified":"2026-03-01T09:00:00.000Z","name":"Tool","object_marking_refs":["{GREEN}"]}}"#
    );
    (id, text.into_bytes())
}

/// A GREEN relationship, with a description that makes it about as large as an indicator.
pub fn relationship(random: &mut Random, source: &str, target: &str) -> Vec<u8> {
    let id = uuid(random);
    format!(
        r#"{{"type":"relationship","spec_version":"2.1","id":"relationship--{id}","created":"2026-03-01T09:00:00.000Z","modified":"2026-03-01T09:00:00.000Z","relationship_type":"related-to","description":"Both were found on the same hosts, in the same week, and were brought there by the same account; seen by three organisations.","source_ref":"{source}","target_ref":"{target}","object_marking_refs":["{GREEN}"]}}"#
    )
    .into_bytes()
}

fn uuid(random: &mut Random) -> String {
    let (a, b) = (random.next(), random.next());
    format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        a >> 32, (a >> 16) & 0xffff, a & 0xfff, b >> 52, b & 0xffff_ffff_ffff
    )
}

fn marked(random: &mut Random, markings: &str) -> Vec<u8> {
    let (a, b) = (random.next(), random.next());
    let id = format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        a >> 32, (a >> 16) & 0xffff, a & 0xfff, b >> 52, b & 0xffff_ffff_ffff
    );
    let host = format!("{:x}.{:x}.example", a >> 40, b >> 44);
    format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"indicator--{id}","created":"2026-03-01T09:00:00.000Z","modified":"2026-03-01T09:00:00.000Z","name":"Beacon of {host}","description":"Name to which the second stage of a loader reports every {} minutes, seen in proxy logs of three organisations.","indicator_types":["malicious-activity"],"pattern":"[domain-name:value = '{host}']","pattern_type":"stix","pattern_version":"2.1","valid_from":"2026-03-01T09:00:00Z","labels":["campaign-{}"],"confidence":{}{markings}}}"#,
        a % 240, b % 500, a % 101
    )
    .into_bytes()
}
