//! An event of telemetry as the observable objects that a pattern speaks of (STIX 2.1 §6).

mod traffic;

use std::net::IpAddr;

use observable::{Kind, canonical};
use pattern::{Data, Moment, Object, Observed};

use super::details::Details;
use super::told;
use crate::read;
use crate::watcher::{mailboxes, without_port};
use crate::{Detail, Event, Field, Meaning};

/// Fields in which formats name the two ends of a connection.
const SOURCES: [&str; 4] = ["id.orig_h", "src_ip", "source.ip", "src_endpoint.ip"];
const DESTINATIONS: [&str; 4] = ["id.resp_h", "dest_ip", "destination.ip", "dst_endpoint.ip"];
/// Fields with the name that was asked for.
const QUERIES: [&str; 8] = [
    "query",
    "dns.rrname",
    "dns.queries.rrname",
    "dns.query.rrname",
    "dns.question.name",
    "query.hostname",
    "dns.query",
    "qname",
];
/// Fields with answers beside those that mean nothing else.
const ANSWERS: [&str; 5] = ["dns.grouped.A", "dns.grouped.AAAA", "dns.grouped.CNAME", "dns.resolved_ip", "dns.answer"];
/// Fields with the host that a request was for.
const HOSTS: [&str; 4] = ["host", "http.hostname", "url.domain", "http.host"];

/// The end of a connection that a field with an address is.
fn end(field: &Field<'_>) -> Option<Detail> {
    match field.meaning {
        Meaning::Detail(end @ (Detail::Source | Detail::Destination)) => Some(end),
        Meaning::Address | Meaning::Host if SOURCES.contains(&field.name) => Some(Detail::Source),
        Meaning::Address | Meaning::Host if DESTINATIONS.contains(&field.name) => Some(Detail::Destination),
        Meaning::Address | Meaning::Host => read::end(field.name),
        _ => None,
    }
}

/// The address that an event is about: the one that opened its connection.
pub(super) fn source(event: &Event<'_>) -> Option<IpAddr> {
    let is_source = |field: &&Field<'_>| end(field) == Some(Detail::Source);
    event.fields.iter().filter(is_source).find_map(|field| canonical::address(field.value))
}

/// Adds one observation that shows what an event holds, made once at `micros` since 1970:
///
/// - addresses, host names, URLs, mailboxes, hardware addresses, mutexes, accounts, registry keys and autonomous systems
///   each as the object of their type, all in the form of `observable::canonical`; a name that was asked for with
///   `resolves_to_refs`,
/// - a file's name, digests, size and type as one `file`, a certificate's as one `x509-certificate`, sender, recipients and
///   subject as `email-message`,
/// - the ends of the connection as `network-traffic`, with `src_ref`, `dst_ref`, ports, protocols, bytes and packets, and
///   method, path and headers of a request under `extensions.'http-request-ext'`.
///
/// What a line says beside its observables (ports, protocols, methods) is read from JSON here, from columns where a watcher
/// knows their names, and else from what the reader told as [`Meaning::Detail`]. Text that is no UTF-8 is shown with replacement characters; what STIX has no place for (JA3, free text)
/// not at all.
pub fn show(event: &Event<'_>, micros: i64, observed: &mut Observed<'_>) {
    show_with(event, &Details::of(event, None), micros, observed);
}

/// The same with what else the line says. Returns where the values come from.
pub(super) fn show_with(event: &Event<'_>, details: &Details<'_>, micros: i64, observed: &mut Observed<'_>) -> Origins {
    let mut shown = Shown::default();
    event.fields.iter().for_each(|field| shown.field(field));
    shown.details(details);
    let (places, origins) = shown.finish(observed);
    observed.add_observation(event.line.to_string(), Moment::at(micros), places);
    origins
}

/// The fields that values come from.
#[derive(Debug, Default)]
pub(super) struct Origins(Vec<Origin>);

#[derive(Debug)]
struct Origin {
    shown: String,
    field: String,
    raw: String,
}

impl Origins {
    /// The field that a value comes from, and the value as it stands there.
    pub(super) fn of(&self, shown: &str) -> Option<(&str, &str)> {
        self.0.iter().find(|origin| origin.shown == shown).map(|origin| (&*origin.field, &*origin.raw))
    }
}

/// A property and its value, both of our own making.
type Property = (&'static str, Data<'static>);

#[derive(Default)]
struct Shown {
    objects: Vec<(&'static str, Vec<Property>)>,
    file: Gathered,
    certificate: Gathered,
    message: Vec<Property>,
    /// Recipients and copies, by the objects that stand for them.
    to: Vec<Data<'static>>,
    cc: Vec<Data<'static>>,
    traffic: Vec<Property>,
    headers: Vec<Property>,
    /// The object of the name that was asked for, and those of the answers.
    query: Option<usize>,
    answers: Vec<Data<'static>>,
    /// What the reader told beside observables: what, by which field, and the value.
    told: Vec<(Detail, String, String)>,
    origins: Vec<Origin>,
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

    fn is_empty(&self) -> bool {
        self.properties.is_empty() && self.hashes.is_empty()
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
            Meaning::Url => self.one(field, Kind::Url, "url", "value"),
            Meaning::Mailbox => self.mailboxes(field),
            Meaning::Mac => self.one(field, Kind::Mac, "mac-addr", "value"),
            Meaning::Mutex => self.one(field, Kind::Mutex, "mutex", "name"),
            Meaning::Account => {
                if let Some(account) = self.text(field, Kind::Account) {
                    let names = ["user_id", "account_login", "display_name"];
                    self.objects.push(("user-account", names.map(|name| (name, account.clone())).into()));
                }
            }
            Meaning::RegistryKey => self.one(field, Kind::RegistryKey, "windows-registry-key", "key"),
            Meaning::Subject => {
                if let Some(subject) = self.text(field, Kind::Subject) {
                    self.message.push(("subject", subject));
                }
            }
            Meaning::AutonomousSystem => {
                if let Some(number) = canonical::autonomous_system(field.value) {
                    self.origin(number.to_string(), field.name, &String::from_utf8_lossy(field.value));
                    self.objects.push(("autonomous-system", vec![("number", Data::Integer(number.into()))]));
                }
            }
            Meaning::FileName => {
                // A second name is that of another file.
                if self.file.has("name") {
                    self.end_file();
                }
                let name = self.text(field, Kind::FileName);
                self.file.properties.extend(name.map(|name| ("name", name)));
            }
            Meaning::Digest => {
                let Some((algorithm, digest)) = self.digest(field) else { return };
                if self.file.has(algorithm) {
                    self.end_file();
                }
                self.file.hashes.push((algorithm, digest));
            }
            Meaning::Certificate => {
                let Some((algorithm, digest)) = self.digest(field) else { return };
                if self.certificate.has(algorithm) {
                    self.end_certificate();
                }
                self.certificate.hashes.push((algorithm, digest));
            }
            Meaning::CertificateSerial => {
                let serial = self.text(field, Kind::CertificateSerial);
                self.of_certificate("serial_number", serial);
            }
            Meaning::DistinguishedName => {
                let name = String::from_utf8_lossy(field.value).into_owned();
                self.origin(name.clone(), field.name, &name);
                self.of_certificate("subject", Some(Data::Text(name.into())));
            }
            Meaning::UserAgent => {
                let agent = self.text(field, Kind::UserAgent);
                self.header("User-Agent", agent);
            }
            Meaning::Detail(Detail::Source | Detail::Destination) => self.host(field),
            Meaning::Detail(detail) => {
                let (name, value) = (field.name.to_owned(), String::from_utf8_lossy(field.value).into_owned());
                self.told.push((detail, name, value));
            }
            Meaning::Ja3 | Meaning::Ja3s | Meaning::Ja4 | Meaning::Text => {}
        }
    }

    fn one(&mut self, field: &Field<'_>, kind: Kind, object_type: &'static str, name: &'static str) {
        if let Some(value) = self.text(field, kind) {
            self.objects.push((object_type, vec![(name, value)]));
        }
    }

    /// A value as it is shown.
    fn text(&mut self, field: &Field<'_>, kind: Kind) -> Option<Data<'static>> {
        let lossy = String::from_utf8_lossy(field.value);
        let shown = told::text(kind, lossy.as_bytes(), &mut self.scratch)?;
        self.origin(shown.clone(), field.name, &lossy);
        Some(Data::Text(shown.into()))
    }

    fn origin(&mut self, shown: String, field: &str, raw: &str) {
        self.origins.push(Origin { shown, field: field.to_owned(), raw: raw.to_owned() });
    }

    fn host(&mut self, field: &Field<'_>) {
        let address = canonical::address(field.value).or_else(|| {
            // An address in the place of a name may have a port behind it.
            canonical::address(without_port(field.value)).filter(|_| field.meaning != Meaning::Address)
        });
        let raw = String::from_utf8_lossy(field.value).into_owned();
        let (kind, shown) = match address {
            Some(address) => {
                (if matches!(address, IpAddr::V4(_)) { "ipv4-addr" } else { "ipv6-addr" }, address.to_string())
            }
            None if matches!(field.meaning, Meaning::Address | Meaning::Detail(_)) => return,
            None => match told::text(Kind::Domain, without_port(field.value), &mut self.scratch) {
                Some(name) => ("domain-name", name),
                None => return,
            },
        };
        let number = self.objects.len();
        let value = Data::Text(shown.clone().into());
        self.objects.push((kind, vec![("value", value.clone())]));
        self.origin(shown, field.name, &raw);
        let place = Data::Text(number.to_string().into());
        match end(field) {
            Some(Detail::Source) => return self.of_traffic("src_ref", place),
            Some(_) => return self.of_traffic("dst_ref", place),
            None => {}
        }
        if QUERIES.contains(&field.name) {
            self.query.get_or_insert(number);
        } else if field.meaning == Meaning::Answer || ANSWERS.contains(&field.name) {
            self.answers.push(place);
        } else if HOSTS.contains(&field.name) {
            self.header("Host", Some(value));
        }
    }

    fn mailboxes(&mut self, field: &Field<'_>) {
        mailboxes(field.value, &mut |mailbox| {
            let Some(address) = self.text(&Field { value: mailbox, ..*field }, Kind::Email) else { return };
            let place = Data::Text(self.objects.len().to_string().into());
            self.objects.push(("email-addr", vec![("value", address)]));
            let has_sender = self.message.iter().any(|(name, _)| *name == "from_ref");
            match field.name.rsplit('.').next().unwrap_or(field.name) {
                "from" | "mailfrom" | "mail_from" | "sender" if !has_sender => self.message.push(("from_ref", place)),
                "to" | "rcptto" | "rcpt_to" | "recipient" | "recipients" => self.to.push(place),
                "cc" => self.cc.push(place),
                _ => {}
            }
        });
    }

    /// A digest and its algorithm as STIX names it (STIX 2.1 §10.7), told by its length.
    fn digest(&mut self, field: &Field<'_>) -> Option<(&'static str, Data<'static>)> {
        let (algorithm, kind) = match canonical::hex(field.value, &mut self.scratch)?.len() {
            16 => ("MD5", Kind::Md5),
            20 => ("SHA-1", Kind::Sha1),
            32 => ("SHA-256", Kind::Sha256),
            64 => ("SHA-512", Kind::Sha512),
            _ => return None,
        };
        Some((algorithm, self.text(field, kind)?))
    }

    fn header(&mut self, name: &'static str, value: Option<Data<'static>>) {
        let Some(value) = value else { return };
        if !self.headers.iter().any(|(own, _)| *own == name) {
            self.headers.push((name, value));
        }
    }

    fn of_traffic(&mut self, name: &'static str, value: Data<'static>) {
        if !self.traffic.iter().any(|(own, _)| *own == name) {
            self.traffic.push((name, value));
        }
    }

    fn of_certificate(&mut self, name: &'static str, value: Option<Data<'static>>) {
        let Some(value) = value else { return };
        if self.certificate.has(name) {
            self.end_certificate();
        }
        self.certificate.properties.push((name, value));
    }

    fn end_file(&mut self) {
        let properties = self.file.take();
        self.objects.push(("file", properties));
    }

    fn end_certificate(&mut self) {
        let properties = self.certificate.take();
        self.objects.push(("x509-certificate", properties));
    }

    fn finish(mut self, observed: &mut Observed<'_>) -> (Vec<u32>, Origins) {
        self.end_file();
        self.end_certificate();
        let query = self.query.and_then(|query| self.objects.get_mut(query)).filter(|_| !self.answers.is_empty());
        if let Some((_, properties)) = query {
            properties.push(("resolves_to_refs", Data::List(std::mem::take(&mut self.answers))));
        }
        for (name, places) in [("to_refs", &mut self.to), ("cc_refs", &mut self.cc)] {
            if !places.is_empty() {
                self.message.push((name, Data::List(std::mem::take(places))));
            }
        }
        self.objects.push(("email-message", std::mem::take(&mut self.message)));
        self.objects.push(("network-traffic", std::mem::take(&mut self.traffic)));
        let add = |(number, (object_type, mut properties)): (usize, (&'static str, Vec<Property>))| {
            // Those who refer to it ask for it.
            properties.push(("type", Data::Text(object_type.into())));
            let id = number.to_string().into();
            observed.add_object(Object { id, object_type: object_type.into(), properties: object(properties) })
        };
        let objects = self.objects.into_iter().enumerate().filter(|(_, (_, properties))| !properties.is_empty());
        (objects.map(add).collect(), Origins(self.origins))
    }
}

fn object(properties: Vec<Property>) -> Data<'static> {
    Data::Object(properties.into_iter().map(|(name, value)| (name.into(), value)).collect())
}
