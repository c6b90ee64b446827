//! An event of telemetry as the observable objects that a pattern speaks of (STIX 2.1 §6).

use std::net::IpAddr;

use observable::canonical;
use pattern::{Data, Moment, Object, Observed};

use crate::{Event, Field, Meaning};

/// Fields in which formats name the two ends of a connection.
const SOURCES: [&str; 3] = ["id.orig_h", "src_ip", "source.ip"];
const DESTINATIONS: [&str; 3] = ["id.resp_h", "dest_ip", "destination.ip"];

/// Adds one observation that shows what an event holds, made once at `micros` since 1970:
///
/// - addresses, host names, URLs, mailboxes, hardware addresses, mutexes, accounts, registry keys and autonomous systems
///   each as the object of their type, addresses and names in the form of `observable::canonical`,
/// - a file's name and digests as one `file`, a certificate's as one `x509-certificate`, a subject as `email-message`,
/// - the ends of the connection and the client's name as `network-traffic`, with `src_ref`, `dst_ref` and
///   `extensions.'http-request-ext'.request_header.'User-Agent'`.
///
/// Text that is no UTF-8 is shown with replacement characters; what STIX has no place for (JA3, free text) not at all.
pub fn show(event: &Event<'_>, micros: i64, observed: &mut Observed<'_>) {
    let mut shown = Shown::default();
    event.fields.iter().for_each(|field| shown.field(field));
    let places = shown.finish(observed);
    observed.add_observation(event.line.to_string(), Moment::at(micros), places);
}

/// A property and its value, both of our own making.
type Property = (&'static str, Data<'static>);

#[derive(Default)]
struct Shown {
    objects: Vec<(&'static str, Vec<Property>)>,
    file: Gathered,
    certificate: Gathered,
    traffic: Vec<Property>,
    scratch: Vec<u8>,
}

/// An object under way: properties, and digests by algorithm.
#[derive(Default)]
struct Gathered {
    properties: Vec<Property>,
    hashes: Vec<Property>,
}

impl Gathered {
    fn has(&self, name: &str) -> bool {
        self.properties.iter().chain(&self.hashes).any(|(own, _)| *own == name)
    }

    fn take(&mut self) -> Vec<Property> {
        let mut properties = std::mem::take(&mut self.properties);
        if !self.hashes.is_empty() {
            properties.push(("hashes", object(std::mem::take(&mut self.hashes))));
        }
        properties
    }
}

impl Shown {
    fn field(&mut self, field: &Field<'_>) {
        match field.meaning {
            Meaning::Address | Meaning::Host | Meaning::Answer => self.host(field),
            Meaning::Url => self.one("url", "value", field.value),
            Meaning::Mailbox => {
                if let Some(address) = canonical::email(field.value, &mut self.scratch).map(text) {
                    self.objects.push(("email-addr", vec![("value", address)]));
                }
            }
            Meaning::Mac => {
                let written = String::from_utf8_lossy(field.value).to_ascii_lowercase().replace('-', ":");
                self.objects.push(("mac-addr", vec![("value", Data::Text(written.into()))]));
            }
            Meaning::Mutex => self.one("mutex", "name", field.value),
            Meaning::Account => self.one("user-account", "account_login", field.value),
            Meaning::RegistryKey => self.one("windows-registry-key", "key", field.value),
            Meaning::Subject => self.one("email-message", "subject", field.value),
            Meaning::AutonomousSystem => {
                if let Some(number) = canonical::autonomous_system(field.value) {
                    self.objects.push(("autonomous-system", vec![("number", Data::Integer(number.into()))]));
                }
            }
            Meaning::FileName => {
                // A second name is that of another file.
                if self.file.has("name") {
                    self.end_file();
                }
                self.file.properties.push(("name", text(field.value)));
            }
            Meaning::Digest => {
                let Some((algorithm, digest)) = digest(field.value) else { return };
                if self.file.has(algorithm) {
                    self.end_file();
                }
                self.file.hashes.push((algorithm, digest));
            }
            Meaning::Certificate => {
                let Some((algorithm, digest)) = digest(field.value) else { return };
                if self.certificate.has(algorithm) {
                    self.end_certificate();
                }
                self.certificate.hashes.push((algorithm, digest));
            }
            Meaning::CertificateSerial => self.of_certificate("serial_number", field.value),
            Meaning::DistinguishedName => self.of_certificate("subject", field.value),
            Meaning::UserAgent => {
                let header = object(vec![("User-Agent", text(field.value))]);
                let request = object(vec![("request_header", header)]);
                self.of_traffic("extensions", object(vec![("http-request-ext", request)]));
            }
            Meaning::Ja3 | Meaning::Ja3s | Meaning::Ja4 | Meaning::Text => {}
        }
    }

    fn one(&mut self, object_type: &'static str, name: &'static str, value: &[u8]) {
        self.objects.push((object_type, vec![(name, text(value))]));
    }

    fn host(&mut self, field: &Field<'_>) {
        let address = canonical::address(field.value).or_else(|| {
            // An address in the place of a name may have a port behind it.
            std::str::from_utf8(field.value).ok()?.parse().ok().map(|address: std::net::SocketAddr| address.ip())
        });
        match address {
            Some(address) => {
                let kind = if matches!(address, IpAddr::V4(_)) { "ipv4-addr" } else { "ipv6-addr" };
                let place = Data::Text(self.objects.len().to_string().into());
                self.objects.push((kind, vec![("value", Data::Text(address.to_string().into()))]));
                if SOURCES.contains(&field.name) {
                    self.of_traffic("src_ref", place);
                } else if DESTINATIONS.contains(&field.name) {
                    self.of_traffic("dst_ref", place);
                }
            }
            None if field.meaning != Meaning::Address => {
                let name = without_port(field.value);
                if let Some(name) = canonical::domain(name, &mut self.scratch).map(text) {
                    self.objects.push(("domain-name", vec![("value", name)]));
                }
            }
            None => {}
        }
    }

    fn of_traffic(&mut self, name: &'static str, value: Data<'static>) {
        if !self.traffic.iter().any(|(own, _)| *own == name) {
            self.traffic.push((name, value));
        }
    }

    fn of_certificate(&mut self, name: &'static str, value: &[u8]) {
        if self.certificate.has(name) {
            self.end_certificate();
        }
        self.certificate.properties.push((name, text(value)));
    }

    fn end_file(&mut self) {
        let properties = self.file.take();
        self.objects.push(("file", properties));
    }

    fn end_certificate(&mut self) {
        let properties = self.certificate.take();
        self.objects.push(("x509-certificate", properties));
    }

    fn finish(mut self, observed: &mut Observed<'_>) -> Vec<u32> {
        self.end_file();
        self.end_certificate();
        self.objects.push(("network-traffic", std::mem::take(&mut self.traffic)));
        let add = |(number, (object_type, properties)): (usize, (&'static str, Vec<Property>))| {
            let id = number.to_string().into();
            observed.add_object(Object { id, object_type: object_type.into(), properties: object(properties) })
        };
        self.objects.into_iter().enumerate().filter(|(_, (_, properties))| !properties.is_empty()).map(add).collect()
    }
}

fn object(properties: Vec<Property>) -> Data<'static> {
    Data::Object(properties.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

fn text(value: &[u8]) -> Data<'static> {
    Data::Text(String::from_utf8_lossy(value).into_owned().into())
}

/// A digest in lower case and its algorithm as STIX names it (STIX 2.1 §10.7), told by its length.
fn digest(value: &[u8]) -> Option<(&'static str, Data<'static>)> {
    let digits: String =
        value.iter().filter(|byte| !b": ".contains(byte)).map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    let algorithm = match digits.len() {
        32 => "MD5",
        40 => "SHA-1",
        64 => "SHA-256",
        128 => "SHA-512",
        _ => return None,
    };
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| (algorithm, Data::Text(digits.into())))
}

fn without_port(host: &[u8]) -> &[u8] {
    match host.iter().rposition(|byte| *byte == b':') {
        Some(colon) if host.get(colon + 1..).is_some_and(|port| port.iter().all(u8::is_ascii_digit)) => {
            host.get(..colon).unwrap_or(host)
        }
        _ => host,
    }
}
