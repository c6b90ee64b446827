//! Warning lists: values that are well known and benign (github.com/MISP/misp-warninglists).
//!
//! [`Warnings::benign`] says which lists name what an indicator claims; what follows from that is the caller's to decide.

mod load;

use std::fmt;

use observable::{Claim, Kind, Limits, canonical};
use serde::Deserialize;
use thiserror::Error;

use crate::set::{Builder, Found, Reach, Set};

pub use load::{LoadError, Loaded, load};

/// Lists of well-known benign values, compiled.
#[derive(Debug)]
pub struct Warnings {
    set: Set,
    lists: Vec<List>,
}

/// A list that was read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct List {
    /// Its name.
    pub name: Box<str>,
    /// How many of its entries are met.
    pub entries: usize,
    /// How many are values of no kind that it is for.
    pub left_out: usize,
    /// The kinds of claim that it is for, a bit for each.
    kinds: u32,
}

/// Why a list is not taken.
#[derive(Debug, Error)]
pub enum InvalidList {
    /// It is not in the form of a warning list.
    #[error("not a warning list")]
    Form(#[from] serde_json::Error),
    /// Its entries are compared in a way that is not offered: a regular expression of a dialect without bounds on time.
    #[error("the warning list `{name}` has entries of type `{of_type}`, which are not met")]
    Type {
        /// Its name.
        name: String,
        /// Its type.
        of_type: String,
    },
    /// Its file cannot be read.
    #[error("cannot read it")]
    Read(#[from] std::io::Error),
    /// Its file is larger than is read.
    #[error("larger than the 256 MiB that are read of a warning list")]
    Long,
}

/// A list's file.
#[derive(Deserialize)]
struct File {
    name: String,
    #[serde(rename = "type")]
    of_type: String,
    #[serde(default)]
    matching_attributes: Vec<String>,
    list: Vec<String>,
}

/// Collects warning lists.
#[derive(Debug)]
pub struct Collector {
    builder: Builder,
    lists: Vec<List>,
}

impl Collector {
    /// A collector for lists whose keys depend on this seed; see [`Builder::new`].
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self { builder: Builder::new(seed).with_limits(Limits::NONE), lists: Vec::new() }
    }

    /// Takes a list in its published form.
    ///
    /// Entries of type `string` are met by the same value; `hostname` by the host and every name below it; `cidr` by
    /// addresses and networks within. `substring` would be met anywhere in a value: such lists name hosts, so an entry is
    /// met like a host name, and never within a label.
    ///
    /// # Errors
    ///
    /// When it is no list, or of the type `regex`.
    pub fn add(&mut self, list: &[u8]) -> Result<&List, InvalidList> {
        let file: File = serde_json::from_slice(list)?;
        let kinds = kinds_of(&file.matching_attributes);
        let number = self.lists.len() as u64;
        let place: fn(&mut Builder, &str, u32, u64) -> bool = match file.of_type.as_str() {
            "string" => add_value,
            "hostname" => add_host,
            "cidr" => |builder, entry, _, number| {
                builder.add_value(Kind::Cidr, entry.trim().as_bytes(), Reach::VALUE, number).is_ok()
            },
            "substring" => |builder, entry, kinds, number| {
                add_host(builder, entry, kinds, number) || add_value(builder, entry, kinds, number)
            },
            _ => return Err(InvalidList::Type { name: file.name, of_type: file.of_type }),
        };
        let entries = file.list.iter().filter(|entry| place(&mut self.builder, entry, kinds, number)).count();
        let left_out = file.list.len() - entries;
        Ok(self.lists.push_mut(List { name: file.name.into(), entries, left_out, kinds }))
    }

    /// All lists, compiled.
    #[must_use]
    pub fn build(self) -> Warnings {
        Warnings { set: self.builder.build(), lists: self.lists }
    }
}

impl Warnings {
    /// The lists.
    #[must_use]
    pub fn lists(&self) -> &[List] {
        &self.lists
    }

    /// The names of the lists that name what is claimed, each once, in the order in which they came. A URL and a mailbox
    /// are named by their host as well, a network by one around it.
    #[must_use]
    pub fn benign(&self, claim: &Claim) -> Vec<&str> {
        let (mut found, mut scratch) = (Vec::new(), Vec::new());
        let value = claim.value.as_bytes();
        match claim.kind {
            Kind::Cidr => self.networks_around(value, &mut found),
            Kind::Url => {
                self.set.value(Kind::Url, value, &mut scratch, &mut found);
                if let Some(url) = canonical::url(value, &mut scratch) {
                    self.host(canonical::parts(url).host(), &mut found);
                }
            }
            Kind::Email => {
                self.set.value(Kind::Email, value, &mut scratch, &mut found);
                if let Some(mailbox) = canonical::email(value, &mut scratch)
                    && let Some(host) = mailbox.rsplit(|&byte| byte == b'@').next()
                {
                    self.host(host, &mut found);
                }
            }
            kind => self.set.value(kind, value, &mut scratch, &mut found),
        }
        let bit = bit(claim.kind);
        let mut numbers: Vec<u64> = found.iter().map(|found| found.name).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let list = |number: u64| self.lists.get(usize::try_from(number).ok()?).filter(|list| list.kinds & bit != 0);
        numbers.into_iter().filter_map(list).map(|list| &*list.name).collect()
    }

    fn host(&self, host: &[u8], found: &mut Vec<Found>) {
        match canonical::address(host) {
            Some(address) => {
                self.set.find(self.set.address_key(address), found);
                self.set.address(address, found);
            }
            None => self.set.domain(host, found),
        }
    }

    /// Entries whose prefix is a beginning of this one.
    fn networks_around(&self, network: &[u8], found: &mut Vec<Found>) {
        let Some((address, length)) = canonical::network(network) else { return };
        let mut bytes = Vec::new();
        for shorter in 0..=length {
            if let Some((address, shorter)) = canonical::network(format!("{address}/{shorter}").as_bytes()) {
                canonical::network_bytes(address, shorter, &mut bytes);
                self.set.find(self.set.key(Kind::Cidr, &bytes), found);
            }
        }
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} entries, {} left out", self.name, self.entries, self.left_out)
    }
}

/// An entry as a value of each kind that the list is for. A name with a point before it stands for those below it too.
fn add_value(builder: &mut Builder, entry: &str, kinds: u32, number: u64) -> bool {
    if entry.starts_with('.') {
        return add_host(builder, entry, kinds, number);
    }
    let mut met = false;
    for kind in Kind::ALL.into_iter().filter(|kind| kinds & bit(*kind) != 0) {
        met |= builder.add_value(kind, entry.trim().as_bytes(), Reach::VALUE, number).is_ok();
    }
    met
}

/// An entry as a host: a name with all below it, or an address.
fn add_host(builder: &mut Builder, entry: &str, _: u32, number: u64) -> bool {
    let host = entry.trim().trim_matches('.').as_bytes();
    if canonical::address(host).is_some() {
        return builder.add_value(Kind::Cidr, host, Reach::VALUE, number).is_ok();
    }
    builder.add_value(Kind::Domain, host, Reach::SUBDOMAINS, number).is_ok()
}

/// The kinds that MISP's types of attributes stand for; the parts of a composite type each for theirs. A list without
/// types is for all.
fn kinds_of(attributes: &[String]) -> u32 {
    if attributes.is_empty() {
        return u32::MAX;
    }
    attributes
        .iter()
        .flat_map(|attribute| attribute.split('|'))
        .flat_map(kinds_of_part)
        .fold(0, |all, kind| all | bit(*kind))
}

fn kinds_of_part(part: &str) -> &'static [Kind] {
    match part {
        "ip" | "ip-src" | "ip-dst" => &[Kind::Ipv4, Kind::Ipv6, Kind::Cidr],
        "domain" | "hostname" => &[Kind::Domain],
        "url" | "uri" | "link" => &[Kind::Url],
        "md5" => &[Kind::Md5],
        "sha1" => &[Kind::Sha1],
        "sha256" => &[Kind::Sha256],
        "sha512" => &[Kind::Sha512],
        "filename" => &[Kind::FileName],
        "email" | "email-src" | "email-dst" | "target-email" | "whois-registrant-email" | "dns-soa-email" => {
            &[Kind::Email]
        }
        "x509-fingerprint-md5" | "x509-fingerprint-sha1" | "x509-fingerprint-sha256" => &[Kind::Certificate],
        "user-agent" => &[Kind::UserAgent],
        "ja3-fingerprint-md5" => &[Kind::Ja3],
        "mutex" => &[Kind::Mutex],
        "regkey" => &[Kind::RegistryKey],
        "mac-address" => &[Kind::Mac],
        "AS" => &[Kind::AutonomousSystem],
        "email-subject" => &[Kind::Subject],
        _ => &[],
    }
}

fn bit(kind: Kind) -> u32 {
    1 << kind as u32
}

#[cfg(test)]
mod tests;
