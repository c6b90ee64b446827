//! A table with the networks that belong to it.

use std::collections::HashSet;

use observable::Kind;

use super::networks::Networks;
use super::table::Table;

#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) table: Table,
    pub(super) networks: Networks,
    /// Which kinds occur, a bit for each.
    pub(super) kinds: u32,
    /// Whether names below a domain are claimed.
    pub(super) subdomains: bool,
}

impl Layer {
    pub(super) fn bytes(&self) -> usize {
        self.table.bytes() + self.networks.bytes()
    }

    /// The claims of these names alone. The networks of the others still lead to the table, which finds nothing there.
    pub(super) fn only(&self, names: &HashSet<u64>) -> Self {
        Self {
            table: self.table.only(names),
            networks: self.networks.joined(&Networks::default()),
            kinds: self.kinds,
            subdomains: self.subdomains,
        }
    }

    /// Both layers in one, without those claims of this one whose names are gone. The networks of these still lead to
    /// the table, which finds nothing there.
    pub(super) fn joined(&self, gone: &HashSet<u64>, other: &Self) -> Self {
        Self {
            table: self.table.joined(gone, &other.table),
            networks: self.networks.joined(&other.networks),
            kinds: self.kinds | other.kinds,
            subdomains: self.subdomains || other.subdomains,
        }
    }
}

pub(super) fn bit(kind: Kind) -> u32 {
    1 << kind as u32
}
