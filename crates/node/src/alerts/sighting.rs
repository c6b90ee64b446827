//! An alert as STIX: a sighting, what was observed, and the observables. Pure.
//!
//! Ids of the sighting and of what was observed are made under the node's key from the alert's, so that a restart or a second
//! watcher of the node writes further versions, and nobody learns from an id whom an alert is about; those of observables are
//! the standard's (STIX 2.1 §2.9). The value that was met is marked as the sighting is; what our sensors show beside it (who
//! talked with whom) is at least TLP:AMBER+STRICT, so that others get the sighting without it. Raw events stay in the alert.
//!
//! A pattern that says more than a list of values is met by several. What it names as a claim would (by itself, by a network or
//! a domain around it) is marked as the sighting is; what it was met by otherwise only our sensors show, so that nobody learns
//! by `[url:value MATCHES '.*']` where our people go.

use super::alert::{Alert, Value as Met};
use super::fold::uuid_of;
use super::hit::at;
use crate::intake::Intake;
use ledger::Micros;
use observable::Kind;
use serde_json::{Map, Value, json};
use std::net::IpAddr;
use stix::marking::{Tlp, tlp_of};
use stix::timestamp::format_millis;

/// The largest count that STIX has (STIX 2.1 §5.2, §4.14).
const MOST: u64 = 999_999_999;
/// Connections that are told of an alert.
const MOST_FLOWS: usize = 3;

/// In whose name, and for whom, something is written.
#[derive(Clone, Debug)]
pub struct Frame<'f> {
    /// Our identity; `None`: nobody is to learn from the object who wrote it.
    pub identity: Option<&'f str>,
    /// The markings of what is written.
    pub markings: &'f [String],
    /// From which ids are made.
    pub key: &'f [u8; 32],
    /// The version.
    pub now: Micros,
}

/// Markings that are at least as strict as those of a claim and as the node's own default.
#[must_use]
pub fn markings(of_claim: &[String], default: Tlp) -> Vec<String> {
    let mut markings = of_claim.to_vec();
    let strictest = markings.iter().filter_map(|id| tlp_of(id)).max();
    if strictest.is_none_or(|tlp| tlp < default) {
        markings.push(default.id().to_owned());
    }
    markings.sort_unstable();
    markings.dedup();
    markings
}

/// The id of the sighting of an alert.
#[must_use]
pub fn id(alert: &str, key: &[u8; 32]) -> String {
    named("sighting", alert, key)
}

pub(super) fn named(kind: &str, of: &str, key: &[u8; 32]) -> String {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(kind.as_bytes());
    hasher.update(b" ");
    hasher.update(of.as_bytes());
    format!("{kind}--{}", uuid_of(&hasher))
}

/// The objects of an alert, those first to which others refer: each is one that intake takes.
#[must_use]
pub fn objects(row: &ledger::Alert, alert: &Alert, frame: &Frame<'_>, intake: &mut Intake) -> Vec<Vec<u8>> {
    let mut made = Observables { frame, intake, objects: Vec::new(), ids: Vec::new() };
    for met in &alert.values {
        made.value(met);
    }
    if frame.identity.is_some() {
        // Who cannot be told who saw it is not told on which machine.
        alert.samples.iter().take(MOST_FLOWS).for_each(|sample| made.flow(&sample.raw));
    }
    let Observables { mut objects, ids, .. } = made;
    let (first, last) = (format_millis(alert.first_seen), format_millis(alert.last_seen.max(alert.first_seen)));
    let mut sighting = head("sighting", id(&row.id, frame.key), row.opened, frame);
    if !ids.is_empty() {
        let id = named("observed-data", &row.id, frame.key);
        let mut observed = head("observed-data", id.clone(), row.opened, frame);
        observed.insert("first_observed".into(), first.clone().into());
        observed.insert("last_observed".into(), last.clone().into());
        observed.insert("number_observed".into(), alert.count.clamp(1, MOST).into());
        observed.insert("object_refs".into(), ids.into());
        objects.push(text(observed));
        sighting.insert("observed_data_refs".into(), json!([id]));
    }
    sighting.insert("first_seen".into(), first.into());
    sighting.insert("last_seen".into(), last.into());
    sighting.insert("count".into(), alert.count.min(MOST).into());
    sighting.insert("sighting_of_ref".into(), alert.indicator.clone().into());
    if let Some(identity) = frame.identity {
        sighting.insert("where_sighted_refs".into(), json!([identity]));
    }
    objects.push(text(sighting));
    objects
}

/// What every object of ours says.
pub(super) fn head(kind: &str, id: String, created: Micros, frame: &Frame<'_>) -> Map<String, Value> {
    let mut head = Map::new();
    head.insert("type".into(), kind.into());
    head.insert("spec_version".into(), "2.1".into());
    head.insert("id".into(), id.into());
    head.insert("created".into(), format_millis(created).into());
    head.insert("modified".into(), format_millis(frame.now.max(created)).into());
    head.insert("object_marking_refs".into(), frame.markings.to_vec().into());
    if let Some(identity) = frame.identity {
        head.insert("created_by_ref".into(), identity.into());
    }
    head
}

pub(super) fn text(object: Map<String, Value>) -> Vec<u8> {
    Value::Object(object).to_string().into_bytes()
}

/// The observables of an alert, as far as intake takes them.
struct Observables<'o> {
    frame: &'o Frame<'o>,
    intake: &'o mut Intake,
    objects: Vec<Vec<u8>>,
    ids: Vec<String>,
}

impl Observables<'_> {
    fn value(&mut self, met: &Met) {
        let markings = match (met.ours, self.frame.identity) {
            (false, _) => self.frame.markings.to_vec(),
            (true, Some(_)) => markings(self.frame.markings, Tlp::AmberStrict),
            (true, None) => return,
        };
        if let Some(object) = Kind::named(&met.kind).and_then(|kind| observable(kind, &met.value))
            && let Some(id) = self.add(object, markings)
        {
            self.refer(id);
        }
    }

    /// Who talked with whom, where the event says it in the words of Zeek, EVE or ECS.
    fn flow(&mut self, raw: &str) {
        let Some((from, to, ports, protocol)) = flow(raw) else { return };
        let strict = markings(self.frame.markings, Tlp::AmberStrict);
        let address = |address: IpAddr| observable(Kind::Ipv4, &address.to_string());
        let met = self.ids.clone();
        let mut end = |address_of: IpAddr| {
            let object = address(address_of)?;
            // What was met is there already, under its own marking.
            match identified(object.clone()) {
                Some((id, _)) if met.contains(&id) => Some(id),
                _ => self.add(object, strict.clone()),
            }
        };
        let (Some(from_ref), Some(to_ref)) = (end(from), end(to)) else { return };
        let family = if from.is_ipv4() { "ipv4" } else { "ipv6" };
        let mut object = json!({
            "type": "network-traffic", "spec_version": "2.1", "src_ref": from_ref, "dst_ref": to_ref, "protocols": [family, protocol],
        });
        if let (Some(port), Some(object)) = (ports, object.as_object_mut()) {
            object.insert("dst_port".into(), port.into());
        }
        if let Some(id) = self.add(object, strict) {
            self.refer(id);
        }
    }

    fn refer(&mut self, id: String) {
        if !self.ids.contains(&id) {
            self.ids.push(id);
        }
    }

    /// Adds an observable; its id. `None`: it would not be one.
    fn add(&mut self, object: Value, markings: Vec<String>) -> Option<String> {
        let (id, mut object) = identified(object)?;
        object.insert("object_marking_refs".into(), markings.into());
        let body = text(object);
        self.intake.take(&body).ok()?;
        if !self.objects.contains(&body) {
            self.objects.push(body);
        }
        Some(id)
    }
}

/// An observable with the id that the standard gives it.
fn identified(object: Value) -> Option<(String, Map<String, Value>)> {
    let Value::Object(mut object) = object else { return None };
    let body = Value::Object(object.clone()).to_string();
    let mut tape = stix::json::Tape::new();
    let value = tape.parse(body.as_bytes(), &stix::json::Limits::default()).ok()?;
    let uuid = stix::sco_id::deterministic(&value)?;
    let id = format!("{}--{uuid}", object.get("type")?.as_str()?);
    object.insert("id".into(), id.clone().into());
    Some((id, object))
}

/// The observable that a value is; `None`: STIX has none for it alone.
fn observable(kind: Kind, value: &str) -> Option<Value> {
    let value = value.trim();
    let object = |kind: &str, name: &str, value: Value| json!({"type": kind, "spec_version": "2.1", name: value});
    let digest = || value.chars().filter(|c| !matches!(c, ':' | ' ' | '-')).collect::<String>().to_lowercase();
    let file = |algorithm: &str| object("file", "hashes", json!({algorithm: digest()}));
    Some(match kind {
        Kind::Domain => object("domain-name", "value", value.trim_end_matches('.').to_lowercase().into()),
        Kind::Ipv4 | Kind::Ipv6 | Kind::Cidr => {
            let address: IpAddr = value.parse().ok()?;
            let kind = if address.is_ipv4() { "ipv4-addr" } else { "ipv6-addr" };
            object(kind, "value", address.to_string().into())
        }
        Kind::Url => object("url", "value", value.into()),
        Kind::Md5 => file("MD5"),
        Kind::Sha1 => file("SHA-1"),
        Kind::Sha256 => file("SHA-256"),
        Kind::Sha512 => file("SHA-512"),
        Kind::Email => object("email-addr", "value", value.into()),
        Kind::FileName => object("file", "name", value.into()),
        Kind::Certificate => {
            let digest = digest();
            let algorithm = match digest.len() {
                32 => "MD5",
                40 => "SHA-1",
                64 => "SHA-256",
                _ => return None,
            };
            object("x509-certificate", "hashes", json!({algorithm: digest}))
        }
        Kind::CertificateSerial => object("x509-certificate", "serial_number", value.into()),
        Kind::RegistryKey => object("windows-registry-key", "key", whole_hive(value).into()),
        Kind::Mutex => object("mutex", "name", value.into()),
        Kind::Account => object("user-account", "account_login", value.into()),
        Kind::Mac => object("mac-addr", "value", value.replace('-', ":").to_lowercase().into()),
        Kind::Subject => {
            json!({"type": "email-message", "spec_version": "2.1", "is_multipart": false, "subject": value})
        }
        Kind::AutonomousSystem => {
            let number: u32 = value.trim_start_matches(['A', 'a', 'S', 's']).parse().ok()?;
            object("autonomous-system", "number", number.into())
        }
        Kind::Ja3 | Kind::Ja3s | Kind::Ja4 | Kind::UserAgent | Kind::Pattern => return None,
    })
}

/// A registry key under its hive's whole name, as STIX wants it (STIX 2.1 §6.17).
fn whole_hive(key: &str) -> String {
    let (hive, rest) = key.split_once('\\').unwrap_or((key, ""));
    let whole = match hive.to_ascii_uppercase().as_str() {
        "HKLM" => "HKEY_LOCAL_MACHINE",
        "HKCU" => "HKEY_CURRENT_USER",
        "HKCR" => "HKEY_CLASSES_ROOT",
        "HKU" => "HKEY_USERS",
        "HKCC" => "HKEY_CURRENT_CONFIG",
        _ => return key.to_owned(),
    };
    if rest.is_empty() { whole.to_owned() } else { format!("{whole}\\{rest}") }
}

/// From where, to where, to which port, by which protocol.
fn flow(raw: &str) -> Option<(IpAddr, IpAddr, Option<u16>, String)> {
    let event: Value = serde_json::from_str(raw).ok()?;
    let address = |names: [&str; 3]| -> Option<IpAddr> {
        names.iter().find_map(|name| at(&event, name)?.as_str()?.parse::<IpAddr>().ok())
    };
    let from = address(["id.orig_h", "src_ip", "source.ip"])?;
    let to = address(["id.resp_h", "dest_ip", "destination.ip"])?;
    let port = ["id.resp_p", "dest_port", "destination.port"].iter().find_map(|name| at(&event, name)?.as_u64());
    let protocol = ["proto", "network.transport"].iter().find_map(|name| at(&event, name)?.as_str());
    let protocol = protocol.unwrap_or("tcp").to_lowercase();
    let known = protocol.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') && protocol.len() <= 20;
    known.then(|| (from, to, port.and_then(|port| u16::try_from(port).ok()), protocol))
}

#[cfg(test)]
mod tests {
    use super::super::alert::Rules;
    use super::super::hit::{Hit, tests::hit};
    use super::*;
    use ::watch::general::Witness;

    const INDICATOR: &str = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";
    const IDENTITY: &str = "identity--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd30";

    fn made(hits: &[Hit], identity: Option<&str>) -> Vec<Value> {
        let mut alert = Alert::new(INDICATOR, "a", false);
        hits.iter().for_each(|hit| assert!(alert.take(hit, &Rules::default())));
        let row = ledger::Alert {
            id: "5e57c739-391a-4eb3-b6be-7d15ca92d5ed".into(),
            group: [0; 32],
            indicator: INDICATOR.into(),
            open: true,
            opened: 1_764_000_000_000_000,
            changed: 0,
            due: None,
            body: Vec::new(),
        };
        let markings = [Tlp::Green.id().to_owned()];
        let frame = Frame { identity, markings: &markings, key: &[7; 32], now: 1_764_000_600_000_000 };
        let mut intake = Intake::new();
        let objects = objects(&row, &alert, &frame, &mut intake);
        for object in &objects {
            intake.take(object).unwrap_or_else(|findings| panic!("{findings:?} {}", String::from_utf8_lossy(object)));
        }
        objects.iter().map(|object| serde_json::from_slice(object).unwrap()).collect()
    }

    fn of(kind: Kind, value: &str, raw: &str, line: u64) -> Hit {
        Hit { kind, value: value.into(), ..hit(INDICATOR, raw, line, 1_764_000_000_000_000) }
    }

    fn kinds(objects: &[Value]) -> Vec<&str> {
        objects.iter().map(|object| object["type"].as_str().unwrap()).collect()
    }

    #[test]
    fn a_sighting_with_what_was_observed() {
        let zeek =
            r#"{"id.orig_h":"10.0.0.7","id.resp_h":"198.51.100.9","id.resp_p":53,"proto":"udp","query":"bad.example"}"#;
        let objects = made(
            &[of(Kind::Domain, "Bad.Example.", zeek, 1), of(Kind::Domain, "Bad.Example.", zeek, 2)],
            Some(IDENTITY),
        );
        assert_eq!(
            kinds(&objects),
            ["domain-name", "ipv4-addr", "ipv4-addr", "network-traffic", "observed-data", "sighting"]
        );
        let [domain, from, _, traffic, observed, sighting] = &objects[..] else { panic!() };
        assert_eq!(domain["value"], "bad.example");
        // The id that python's stix2 gives this name.
        assert_eq!(domain["id"], "domain-name--3feb0435-4cfe-526c-ad29-7497916a7c8c");
        let green = json!([Tlp::Green.id()]);
        assert_eq!((&domain["object_marking_refs"], &sighting["object_marking_refs"]), (&green, &green));
        let strict = |object: &Value| object["object_marking_refs"].to_string().contains(Tlp::AmberStrict.id());
        assert!(strict(from) && strict(traffic) && !strict(observed));
        assert_eq!((&traffic["dst_port"], &traffic["protocols"]), (&json!(53), &json!(["ipv4", "udp"])));
        assert_eq!(observed["object_refs"], json!([domain["id"], traffic["id"]]));
        assert_eq!((&observed["number_observed"], &sighting["count"]), (&json!(2), &json!(2)));
        assert_eq!(sighting["observed_data_refs"], json!([observed["id"]]));
        assert_eq!(
            (&sighting["sighting_of_ref"], &sighting["where_sighted_refs"]),
            (&json!(INDICATOR), &json!([IDENTITY]))
        );
        assert_eq!(
            (&sighting["created"], &sighting["modified"]),
            (&json!("2025-11-24T16:00:00.000Z"), &json!("2025-11-24T16:10:00.000Z"))
        );
        assert!(!sighting.to_string().contains("10.0.0.7") && !observed.to_string().contains("10.0.0.7"));
    }

    #[test]
    fn without_a_name_nothing_says_who_or_where() {
        let zeek = r#"{"src_ip":"10.0.0.7","dest_ip":"198.51.100.9","proto":"TCP"}"#;
        let objects = made(&[of(Kind::Ipv4, "198.51.100.9", zeek, 1)], None);
        assert_eq!(kinds(&objects), ["ipv4-addr", "observed-data", "sighting"]);
        let all = json!(objects).to_string();
        for said in ["identity--", "created_by_ref", "where_sighted_refs", "10.0.0.7", "dns.log"] {
            assert!(!all.contains(said), "{said}: {all}");
        }
    }

    /// Of a pattern that says more than a list of values: the values that took part, what only our sensors show among them
    /// for nobody else.
    #[test]
    fn a_pattern_carries_what_it_was_met_by() {
        let met = |kind, value: &str, is_named| Witness { kind, value: value.into(), is_named };
        let hit = Hit {
            met: vec![
                met(Kind::Ipv4, "203.0.113.7", true),
                met(Kind::Ipv4, "10.0.0.5", false),
                met(Kind::Email, "me@us.example", true),
            ],
            ..of(Kind::Pattern, "203.0.113.7 4444", "text", 1)
        };
        let objects = made(std::slice::from_ref(&hit), Some(IDENTITY));
        assert_eq!(kinds(&objects), ["ipv4-addr", "ipv4-addr", "email-addr", "observed-data", "sighting"]);
        let strict = |object: &Value| object["object_marking_refs"].to_string().contains(Tlp::AmberStrict.id());
        assert_eq!(objects.iter().map(strict).collect::<Vec<_>>(), [false, true, false, false, false]);
        assert_eq!(objects[3]["object_refs"], json!([objects[0]["id"], objects[1]["id"], objects[2]["id"]]));
        // A claim on the same value, and one on a mailbox, are written in the same words.
        let simple = made(
            &[of(Kind::Ipv4, "203.0.113.7", "text", 1), of(Kind::Email, "me@us.example", "text", 2)],
            Some(IDENTITY),
        );
        assert_eq!((&simple[0], &simple[1]), (&objects[0], &objects[2]));
        let nameless = made(&[hit], None);
        assert_eq!(kinds(&nameless), ["ipv4-addr", "email-addr", "observed-data", "sighting"]);
        assert!(!json!(nameless).to_string().contains("10.0.0.5"));
        // Nothing that has a kind took part: the sighting stands without it.
        assert_eq!(kinds(&made(&[of(Kind::Pattern, "4444", "text", 1)], Some(IDENTITY))), ["sighting"]);
    }

    #[test]
    fn every_kind() {
        let (md5, sha256) = ("AA".repeat(16), "ab".repeat(32));
        let colons = ["ab"; 20].join(":");
        for (kind, value, expected) in [
            (Kind::Ipv6, "2001:DB8::1", Some(("ipv6-addr", "value", json!("2001:db8::1")))),
            (Kind::Cidr, "198.51.100.7", Some(("ipv4-addr", "value", json!("198.51.100.7")))),
            (Kind::Url, "https://bad.example/a", Some(("url", "value", json!("https://bad.example/a")))),
            (Kind::Md5, &md5, Some(("file", "hashes", json!({"MD5": "aa".repeat(16)})))),
            (Kind::Sha256, &sha256, Some(("file", "hashes", json!({"SHA-256": sha256})))),
            (Kind::Email, "a@bad.example", Some(("email-addr", "value", json!("a@bad.example")))),
            (Kind::FileName, "a.exe", Some(("file", "name", json!("a.exe")))),
            (Kind::Certificate, &colons, Some(("x509-certificate", "hashes", json!({"SHA-1": "ab".repeat(20)})))),
            (Kind::CertificateSerial, "0a:ff", Some(("x509-certificate", "serial_number", json!("0a:ff")))),
            (
                Kind::RegistryKey,
                r"HKLM\Software\Bad",
                Some(("windows-registry-key", "key", json!(r"HKEY_LOCAL_MACHINE\Software\Bad"))),
            ),
            (Kind::Mutex, "m", Some(("mutex", "name", json!("m")))),
            (Kind::Account, "mallory", Some(("user-account", "account_login", json!("mallory")))),
            (Kind::Mac, "00-AA-BB-CC-DD-EE", Some(("mac-addr", "value", json!("00:aa:bb:cc:dd:ee")))),
            (Kind::Subject, "Invoice", Some(("email-message", "subject", json!("Invoice")))),
            (Kind::AutonomousSystem, "AS64500", Some(("autonomous-system", "number", json!(64_500)))),
            // What STIX has no observable for, and what is none: the sighting stands without it.
            (Kind::Ja3, &md5, None),
            (Kind::UserAgent, "curl", None),
            (Kind::Md5, "not a digest", None),
            (Kind::Certificate, "ab", None),
            (Kind::Ipv4, "300.1.1.1", None),
            (Kind::Mac, "x", None),
        ] {
            let objects = made(&[of(kind, value, "text", 1)], Some(IDENTITY));
            match expected {
                Some((object_type, name, said)) => {
                    assert_eq!(kinds(&objects), [object_type, "observed-data", "sighting"], "{kind}");
                    assert_eq!(objects[0][name], said, "{kind}");
                }
                None => assert_eq!(kinds(&objects), ["sighting"], "{kind} {value}"),
            }
        }
    }

    #[test]
    fn at_least_as_strict() {
        let (green, red) = (Tlp::Green.id().to_owned(), Tlp::Red.id().to_owned());
        let other = "marking-definition--00000000-0000-4000-8000-000000000001".to_owned();
        for (claim, default, expected) in [
            (vec![], Tlp::Amber, vec![Tlp::Amber.id().to_owned()]),
            (vec![green.clone()], Tlp::Clear, vec![green.clone()]),
            (vec![green.clone()], Tlp::Green, vec![green.clone()]),
            (vec![green.clone()], Tlp::Red, vec![green.clone(), red.clone()]),
            (vec![red.clone()], Tlp::Amber, vec![red.clone()]),
            (vec![other.clone()], Tlp::Green, vec![other.clone(), green.clone()]),
        ] {
            let mut expected = expected;
            expected.sort();
            assert_eq!(markings(&claim, default), expected, "{claim:?} {default:?}");
        }
    }
}
