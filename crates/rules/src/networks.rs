//! Networks of which none covers another, and names likewise: what some programs demand of a list.

use crate::report::Report;
use observable::Kind;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// A network, and what is said of it.
pub(crate) type Noted = (IpAddr, u8, String);

/// Networks with what is said of them, gathered to be written in order.
#[derive(Default)]
pub(crate) struct Networks(Vec<(Noted, Kind)>);

impl Networks {
    /// Adds one, claimed as a value of this kind.
    pub(crate) fn add(&mut self, kind: Kind, (address, prefix): (IpAddr, u8), note: String) {
        self.0.push(((address, prefix, note), kind));
    }

    /// Those that no other covers, in order: IPv4 before IPv6, each by its first address. Of two that are the same the one that
    /// was added first. The report is told of the others.
    pub(crate) fn apart(mut self, report: &mut Report) -> Vec<Noted> {
        // A stable sort: the wider first, then in the order in which they came.
        self.0.sort_by_key(|((address, prefix, _), _)| (*address, *prefix));
        let mut last: Option<(IpAddr, u8)> = None;
        self.0.retain(|((address, prefix, _), kind)| {
            if last.is_some_and(|wide| covers(wide, *address)) {
                report.merge(*kind);
                return false;
            }
            last = Some((*address, *prefix));
            true
        });
        self.0.into_iter().map(|(noted, _)| noted).collect()
    }
}

/// Whether an address lies in a network. Of two networks that are sorted by address the second lies wholly in the first or
/// wholly outside.
fn covers((network, prefix): (IpAddr, u8), address: IpAddr) -> bool {
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let shift = 32_u32.saturating_sub(u32::from(prefix));
            (u32::from(network) ^ u32::from(address)).checked_shr(shift).unwrap_or_default() == 0
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let shift = 128_u32.saturating_sub(u32::from(prefix));
            (u128::from(network) ^ u128::from(address)).checked_shr(shift).unwrap_or_default() == 0
        }
        _ => false,
    }
}

/// Names of which some stand for all names below them as well.
#[derive(Default)]
pub(crate) struct Names {
    /// Names that stand for those below.
    wide: BTreeSet<String>,
    all: Vec<(String, bool, String)>,
}

impl Names {
    /// Adds one, with what is said of it.
    pub(crate) fn add(&mut self, name: &str, below: bool, note: String) {
        if below {
            self.wide.insert(name.to_owned());
        }
        self.all.push((name.to_owned(), below, note));
    }

    /// Those that no other covers, in the order in which they came. The report is told of the others.
    pub(crate) fn apart(self, report: &mut Report) -> Vec<(String, bool, String)> {
        let Self { wide, mut all } = self;
        let mut written = BTreeSet::new();
        all.retain(|(name, below, _)| {
            let above =
                name.match_indices('.').any(|(at, _)| name.get(at + 1..).is_some_and(|above| wide.contains(above)));
            let left = !above && (*below || !wide.contains(name)) && written.insert(name.clone());
            if !left {
                report.merge(Kind::Domain);
            }
            left
        });
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(kind: Kind, count: u64) -> Report {
        Report { entries: [(kind, count)].into(), ..Report::default() }
    }

    #[test]
    fn what_is_covered_goes() {
        let mut networks = Networks::default();
        for (text, prefix) in [
            ("10.1.2.3", 32),
            ("10.0.0.0", 8),
            ("10.0.0.0", 8),
            ("11.0.0.0", 8),
            ("10.1.0.0", 16),
            ("2001:db8::", 32),
            ("2001:db8::1", 128),
            ("::", 0),
            ("0.0.0.1", 32),
        ] {
            networks.add(Kind::Cidr, (text.parse().unwrap(), prefix), String::new());
        }
        let mut report = counted(Kind::Cidr, 9);
        let left = networks.apart(&mut report);
        let left: Vec<String> = left.into_iter().map(|(address, prefix, _)| format!("{address}/{prefix}")).collect();
        assert_eq!(left, ["0.0.0.1/32", "10.0.0.0/8", "11.0.0.0/8", "::/0"]);
        assert_eq!((report.merged, report.written()), (5, 4));
    }

    #[test]
    fn names_below_go() {
        let mut names = Names::default();
        for (name, below) in [
            ("a.evil.example", false),
            ("evil.example", true),
            ("evil.example", false),
            ("b.a.evil.example", true),
            ("vil.example", false),
            ("vil.example", false),
        ] {
            names.add(name, below, String::new());
        }
        let mut report = counted(Kind::Domain, 6);
        let left = names.apart(&mut report);
        let left: Vec<(&str, bool)> = left.iter().map(|(name, below, _)| (name.as_str(), *below)).collect();
        assert_eq!(left, [("evil.example", true), ("vil.example", false)]);
        assert_eq!((report.merged, report.written()), (4, 2));
    }
}
