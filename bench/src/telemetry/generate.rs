//! Logs of a network that does not exist: the same traffic as Zeek's JSON, as Zeek's columns and as Suricata's EVE.
//!
//! Of a hundred lines 45 are connections, 35 look-ups of names, 15 requests and 5 files. Values repeat as they do in
//! traffic: half of them come from few hosts and names, half are seen once. One line in a thousand names an indicator,
//! one in two hundred something that is nearly one.

use super::indicators::{indicator, mix};
use super::write;
use observable::Kind;
use std::collections::HashSet;

/// How the log is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Style {
    ZeekJson,
    ZeekTsv,
    Eve,
}

/// What kind of line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Log {
    Conn,
    Dns,
    Http,
    Files,
}

/// Where an indicator was put.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Place {
    Orig,
    Resp,
    Query,
    Answer,
    Host,
    Url,
    Referrer,
    Md5,
    Sha1,
    Sha256,
}

/// One thing that happened.
#[derive(Debug, Default)]
pub struct Happened {
    pub micros: u64,
    pub noise: u64,
    pub orig: String,
    pub resp: String,
    pub port: u16,
    pub query: String,
    pub answers: Vec<String>,
    pub host: String,
    pub uri: String,
    pub referrer: String,
    pub md5: String,
    pub sha1: String,
    pub sha256: String,
}

/// A log as it grows.
pub struct Generator {
    style: Style,
    indicators: u64,
    state: u64,
    line: u64,
    happened: u64,
    log: Option<Log>,
    /// What must be told: line, indicator, field.
    pub truth: HashSet<(u64, u64, &'static str)>,
}

/// Lines of one kind that follow each other where a header says what they are.
const RUN: u64 = 500;

impl Generator {
    pub fn new(style: Style, indicators: u64, seed: u64) -> Self {
        Self { style, indicators, state: seed, line: 0, happened: 0, log: None, truth: HashSet::new() }
    }

    /// Appends at least so many bytes of whole lines.
    pub fn fill(&mut self, out: &mut Vec<u8>, bytes: usize) {
        while out.len() < bytes {
            let log = self.next_log();
            let (happened, planted) = self.happen(log);
            if self.style == Style::ZeekTsv && self.log != Some(log) {
                self.line += write::header(log, out);
                self.log = Some(log);
            }
            self.line += 1;
            match self.style {
                Style::ZeekJson => write::zeek_json(log, &happened, out),
                Style::ZeekTsv => write::zeek_tsv(log, &happened, out),
                Style::Eve => write::eve(log, &happened, out),
            }
            if let Some((place, name)) = planted {
                for field in write::fields(self.style, place) {
                    self.truth.insert((self.line, name, field));
                }
                // Zeek names whom was asked once, Suricata with each answer.
                if place == Place::Query && self.style == Style::Eve && !happened.answers.is_empty() {
                    self.truth.insert((self.line, name, "dns.answers.rrname"));
                }
            }
        }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.state = mix(self.state);
        self.state % below
    }

    fn next_log(&mut self) -> Log {
        let of = if self.style == Style::ZeekTsv { mix(self.happened / RUN) } else { mix(self.happened) };
        match of % 100 {
            0..45 => Log::Conn,
            45..80 => Log::Dns,
            80..95 => Log::Http,
            _ => Log::Files,
        }
    }

    fn happen(&mut self, log: Log) -> (Happened, Option<(Place, u64)>) {
        self.happened += 1;
        let noise = mix(self.happened ^ 0xABCD);
        let mut event = Happened {
            micros: 1_700_000_000_000_000 + self.happened * 137,
            noise,
            orig: format!("10.{}.{}.{}", self.draw(2), self.draw(8), self.draw(250) + 1),
            resp: self.server(),
            port: 443,
            ..Happened::default()
        };
        match log {
            Log::Conn => {}
            Log::Dns => {
                event.resp = format!("10.0.0.{}", noise % 4 + 1);
                event.port = 53;
                event.query = self.name();
                if noise % 10 < 3 {
                    event.answers.push(self.name());
                }
                if noise % 10 < 8 {
                    event.answers.push(self.server());
                }
            }
            Log::Http => {
                event.port = 80;
                event.host = self.name();
                event.uri = format!("/{}/{:x}/index.html?session={:016x}&lang=en", noise % 100, noise >> 50, noise);
                if noise % 4 == 0 {
                    event.referrer = format!("http://{}/search?q={:x}", self.name(), noise >> 30);
                }
            }
            Log::Files => {
                event.port = 80;
                let hex = |salt: u64, digits: usize| (0..digits.div_ceil(16)).map(|part| format!("{:016x}", mix(noise ^ salt ^ part as u64))).collect::<String>()[..digits].to_owned();
                event.md5 = hex(1 << 60, 32);
                event.sha1 = hex(2 << 60, 40);
                event.sha256 = hex(3 << 60, 64);
            }
        }
        let planted = match self.draw(1000) {
            0 => self.plant(log, &mut event),
            1..=5 => {
                self.near(log, &mut event);
                None
            }
            _ => None,
        };
        (event, planted)
    }

    /// A server: half of the time one of a few, in 1.0.0.0 to 99.255.255.255.
    fn server(&mut self) -> String {
        let noise = if self.draw(2) == 0 { mix(self.draw(800)) } else { mix(self.state) };
        let first = 11 + noise % 89;
        format!("{first}.{}.{}.{}", noise >> 8 & 0xFF, noise >> 16 & 0xFF, noise >> 24 & 0xFF)
    }

    /// A host name: half of the time one of a few.
    fn name(&mut self) -> String {
        let noise = if self.draw(2) == 0 { mix(self.draw(1500) ^ 77) } else { mix(self.state) };
        let end = ["com", "net", "org", "io"][(noise % 4) as usize];
        match noise >> 8 & 3 {
            0 => format!("www.site{:x}.{end}", noise >> 44),
            1 => format!("r{}---sn-{:x}.video.site{:x}.{end}", noise >> 60, noise as u32, noise >> 50),
            2 => format!("api.{:x}.site{:x}.{end}", noise as u16, noise >> 44),
            _ => format!("site{:x}.{end}", noise >> 40),
        }
    }

    /// An indicator of a kind, by looking from a number on.
    fn some(&mut self, wanted: impl Fn(Kind) -> bool) -> (u64, observable::Claim) {
        let mut number = self.draw(self.indicators);
        loop {
            let claim = indicator(number);
            if wanted(claim.kind) {
                return (number, claim);
            }
            number = (number + 1) % self.indicators;
        }
    }

    /// Puts an indicator where it must be found.
    fn plant(&mut self, log: Log, event: &mut Happened) -> Option<(Place, u64)> {
        let way = self.draw(4);
        match (log, way) {
            (Log::Conn, 0) => {
                let (name, claim) = self.some(|kind| kind == Kind::Cidr);
                event.resp = claim.value.replace(".0/24", &format!(".{}", self.draw(256)));
                Some((Place::Resp, name))
            }
            (Log::Conn, way) => {
                let (name, claim) = self.some(|kind| kind == Kind::Ipv4);
                let place = if way == 1 { &mut event.orig } else { &mut event.resp };
                *place = claim.value.into();
                Some((if way == 1 { Place::Orig } else { Place::Resp }, name))
            }
            (Log::Dns, 3) => {
                let (name, claim) = self.some(|kind| matches!(kind, Kind::Ipv4 | Kind::Domain));
                event.answers = vec!["cname.harmless.org".into(), claim.value.into()];
                Some((Place::Answer, name))
            }
            (Log::Dns | Log::Http, way) if log == Log::Dns || way == 0 => {
                let (name, claim) = self.some(|kind| kind == Kind::Domain);
                let value = written(&claim, way, event.noise);
                if log == Log::Dns {
                    event.query = value;
                    Some((Place::Query, name))
                } else {
                    event.host = value;
                    Some((Place::Host, name))
                }
            }
            (Log::Http, way) => {
                let (name, claim) = self.some(|kind| kind == Kind::Url);
                if way == 1 {
                    event.referrer = claim.value.into();
                    return Some((Place::Referrer, name));
                }
                let rest = claim.value.trim_start_matches("http://");
                let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                event.host = if way == 2 { host.to_uppercase() } else { host.to_owned() };
                event.uri = path.to_owned();
                Some((Place::Url, name))
            }
            (_, way) => {
                let (name, claim) = self.some(|kind| matches!(kind, Kind::Md5 | Kind::Sha1 | Kind::Sha256));
                let (field, place) = match claim.kind {
                    Kind::Md5 => (&mut event.md5, Place::Md5),
                    Kind::Sha1 => (&mut event.sha1, Place::Sha1),
                    _ => (&mut event.sha256, Place::Sha256),
                };
                *field = if way == 0 { claim.value.to_uppercase() } else { claim.value.into() };
                Some((place, name))
            }
        }
    }

    /// Puts something that is no indicator where one could be.
    fn near(&mut self, log: Log, event: &mut Happened) {
        match log {
            Log::Conn => {
                // The addresses of the list are even.
                let (_, claim) = self.some(|kind| kind == Kind::Ipv4);
                let bits = claim.value.parse::<std::net::Ipv4Addr>().map_or(0, |address| address.to_bits() | 1);
                event.resp = std::net::Ipv4Addr::from_bits(bits).to_string();
            }
            Log::Dns => {
                let (_, claim) = self.some(|kind| kind == Kind::Domain);
                event.query = match event.noise % 4 {
                    0 => format!("x{}", claim.value),
                    1 => format!("{}.org", claim.value),
                    2 => format!("{}m", claim.value),
                    _ if claim.subdomains => format!("www{}", claim.value),
                    _ => format!("www.{}", claim.value),
                };
            }
            Log::Http => {
                let (_, claim) = self.some(|kind| kind == Kind::Url);
                let rest = claim.value.trim_start_matches("http://");
                let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                event.host = if event.noise % 2 == 0 { format!("www.{host}") } else { host.to_owned() };
                event.uri = if event.noise % 2 == 0 { path.to_owned() } else { format!("{path}0") };
            }
            Log::Files => {
                let (_, claim) = self.some(|kind| kind == Kind::Sha256);
                let (head, last) = claim.value.split_at(63);
                event.sha256 = format!("{head}{}", if last == "0" { "1" } else { "0" });
            }
        }
    }
}

/// A domain as somebody else writes it: in capitals, with a final point, or with a name below it if that is claimed.
fn written(claim: &observable::Claim, way: u64, noise: u64) -> String {
    match way {
        1 => claim.value.to_uppercase(),
        2 => format!("{}.", claim.value),
        _ if claim.subdomains && noise % 2 == 0 => format!("a.b{}.{}", noise % 7, claim.value),
        _ => claim.value.to_string(),
    }
}
