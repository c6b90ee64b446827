//! The formats: what each is called, which files it has, what writes it.

mod alerts;
mod csv;
mod hosts;
mod ipset;
mod jsonl;
mod nftables;
mod plain;
mod postfix;
mod rpz;
mod rule;
mod sigma;
mod snort;
mod squid;
mod stix;
mod suricata;
mod suricata_datasets;
mod suricata_iprep;
mod zeek;

use crate::day::instant;
use crate::item::{About, Item, Native};
use crate::options::Options;
use crate::report::{Reason, Report};
use crate::sink::Sink;
use crate::text::inert;
use crate::value::Value;
use std::io;

/// A format of an export.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Format {
    /// Suricata rules.
    Suricata,
    /// Suricata datasets and digest lists, with the rules that load them.
    SuricataDatasets,
    /// Suricata IP reputation, with the rule that asks for it.
    SuricataIprep,
    /// Snort 3 rules.
    Snort3,
    /// A block list of Snort 3's reputation inspector.
    Snort3Reputation,
    /// A file of Zeek's intelligence framework.
    ZeekIntel,
    /// Sigma rules.
    Sigma,
    /// A response policy zone of the name system.
    Rpz,
    /// A hosts file.
    Hosts,
    /// Sets of nftables.
    Nftables,
    /// Sets for iptables, as `ipset restore` reads them.
    Iptables,
    /// Lists for Squid, with the configuration that names them.
    Squid,
    /// Maps for Postfix.
    Postfix,
    /// The comma-separated list that `marsad watch --indicators` reads.
    Csv,
    /// One JSON object a claim and line.
    Jsonl,
    /// A STIX bundle.
    Stix,
    /// One list a kind.
    Plain,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::Suricata,
        Self::SuricataDatasets,
        Self::SuricataIprep,
        Self::Snort3,
        Self::Snort3Reputation,
        Self::ZeekIntel,
        Self::Sigma,
        Self::Rpz,
        Self::Hosts,
        Self::Nftables,
        Self::Iptables,
        Self::Squid,
        Self::Postfix,
        Self::Csv,
        Self::Jsonl,
        Self::Stix,
        Self::Plain,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Suricata => "suricata",
            Self::SuricataDatasets => "suricata-datasets",
            Self::SuricataIprep => "suricata-iprep",
            Self::Snort3 => "snort3",
            Self::Snort3Reputation => "snort3-reputation",
            Self::ZeekIntel => "zeek-intel",
            Self::Sigma => "sigma",
            Self::Rpz => "rpz",
            Self::Hosts => "hosts",
            Self::Nftables => "nftables",
            Self::Iptables => "iptables",
            Self::Squid => "squid",
            Self::Postfix => "postfix",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Stix => "stix",
            Self::Plain => "plain",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The files that it can have. Where there are several, those without entries are left out.
    #[must_use]
    pub fn files(self) -> &'static [&'static str] {
        match self {
            Self::Suricata => &["marsad.rules"],
            Self::SuricataDatasets => suricata_datasets::FILES,
            Self::SuricataIprep => suricata_iprep::FILES,
            Self::Snort3 => &["marsad.rules"],
            Self::Snort3Reputation => &["marsad.blocklist"],
            Self::ZeekIntel => &["marsad.intel"],
            Self::Sigma => &["marsad.yml"],
            Self::Rpz => &["marsad.zone"],
            Self::Hosts => &["marsad.hosts"],
            Self::Nftables => &["marsad.nft"],
            Self::Iptables => &["marsad.ipset"],
            Self::Squid => squid::FILES,
            Self::Postfix => postfix::FILES,
            Self::Csv => &["marsad.csv"],
            Self::Jsonl => &["marsad.jsonl"],
            Self::Stix => &["marsad.json"],
            Self::Plain => plain::FILES,
        }
    }

    /// Whether it has more than one file.
    #[must_use]
    pub fn is_folder(self) -> bool {
        self.files().len() > 1
    }

    /// Whether what it holds is as a rule cut off, and not only told of.
    #[must_use]
    pub fn blocks(self) -> bool {
        matches!(
            self,
            Self::Snort3Reputation
                | Self::Rpz
                | Self::Hosts
                | Self::Nftables
                | Self::Iptables
                | Self::Squid
                | Self::Postfix
        )
    }

    /// Whether it takes whole STIX objects and not claims.
    #[must_use]
    pub fn holds_objects(self) -> bool {
        self == Self::Stix
    }
}

/// What became of one thing that was to be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Put {
    /// It is written.
    Written,
    /// It is written, and says less than the claim.
    Narrowed,
    /// It is written already.
    Merged,
    /// It is left out.
    Out(Reason),
}

/// Writes one format.
pub(crate) trait Writes {
    /// One claim.
    fn item(&mut self, item: &Item<'_>, value: &Value<'_>, sink: &mut dyn Sink) -> io::Result<Put>;

    /// One indicator in its own language.
    fn native(&mut self, _: &Native<'_>, _: &mut dyn Sink) -> io::Result<Put> {
        Ok(Put::Out(Reason::OtherLanguage))
    }

    /// One whole object.
    fn object(&mut self, _: &About<'_>, _: &mut dyn Sink) -> io::Result<Put> {
        Ok(Put::Out(Reason::NoPlace))
    }

    /// The end. What turns out to be covered by something else is taken from the count of entries.
    fn finish(&mut self, _: &mut dyn Sink, _: &mut Report) -> io::Result<()> {
        Ok(())
    }
}

/// Begins an export.
pub(crate) fn begin(format: Format, options: &Options, sink: &mut dyn Sink) -> io::Result<Box<dyn Writes>> {
    Ok(match format {
        Format::Suricata => Box::new(alerts::Alerts::begin(&suricata::DIALECT, options, sink)?),
        Format::SuricataDatasets => Box::new(suricata_datasets::Datasets::begin(options, sink)?),
        Format::SuricataIprep => Box::new(suricata_iprep::Iprep::begin(options, sink)?),
        Format::Snort3 => Box::new(alerts::Alerts::begin(&snort::DIALECT, options, sink)?),
        Format::Snort3Reputation => Box::new(snort::Reputation::begin(options, sink)?),
        Format::ZeekIntel => Box::new(zeek::Intel::begin(sink)?),
        Format::Sigma => Box::new(sigma::Sigma::begin(options, sink)?),
        Format::Rpz => Box::new(rpz::Rpz::begin(options, sink)?),
        Format::Hosts => Box::new(hosts::Hosts::begin(options, sink)?),
        Format::Nftables => Box::new(nftables::Nftables::begin(options)),
        Format::Iptables => Box::new(ipset::Ipset::begin(options, sink)?),
        Format::Squid => Box::new(squid::Squid::begin(options)),
        Format::Postfix => Box::new(postfix::Postfix::begin(options)),
        Format::Csv => Box::new(csv::Csv::begin(sink)?),
        Format::Jsonl => Box::new(jsonl::Jsonl),
        Format::Stix => Box::new(stix::Stix::begin(options)),
        Format::Plain => Box::new(plain::Plain::begin(options, sink)?),
    })
}

/// The head of a file, in comments: what it is, for whom, made when.
fn head(mark: &str, what: &str, options: &Options) -> String {
    let whom = if options.viewer.is_empty() { String::new() } else { format!(" for {}", inert(&options.viewer)) };
    format!(
        "{mark} Marsad: {what}{whom}, made {}\n{mark} each entry: id, TLP, confidence, source, name\n",
        instant(options.at)
    )
}
