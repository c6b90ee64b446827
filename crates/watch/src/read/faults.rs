//! What a reader could not read: counted by kind, with the first few places.

/// How many places are kept.
const MOST_PLACES: usize = 20;

/// Why something could not be read.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Fault {
    /// A line that is not in the grammar of its format, or half of one.
    Broken,
    /// A line or record that is longer than is read.
    TooLong,
    /// A row with more or fewer columns than the header; its cells are read as text.
    Columns,
    /// The header changed within the input.
    Header,
    /// A packet that was cut, or a header within it that cannot be.
    Packet,
    /// The input ended in the middle of something.
    Cut,
    /// More than is kept at once: connections, fields, nesting.
    TooMuch,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Broken, Self::TooLong, Self::Columns, Self::Header, Self::Packet, Self::Cut, Self::TooMuch];

    /// What was found, for people: `3 broken lines`.
    #[must_use]
    pub fn said(self, count: u64) -> String {
        let what = match self {
            Self::Broken => ["broken line", "broken lines"],
            Self::TooLong => ["line longer than is read", "lines longer than are read"],
            Self::Columns => ["row with a wrong number of columns", "rows with a wrong number of columns"],
            Self::Header => ["changed header", "changed headers"],
            Self::Packet => ["broken packet", "broken packets"],
            Self::Cut => ["cut end", "cut ends"],
            Self::TooMuch => ["record beyond a limit", "records beyond a limit"],
        };
        let [one, many] = what;
        format!("{count} {}", if count == 1 { one } else { many })
    }
}

/// A count of each kind of fault, and where the first few were.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Faults {
    counts: [u64; Fault::ALL.len()],
    places: Vec<(Fault, u64)>,
}

impl Faults {
    /// Counts one, in this line or record.
    pub fn add(&mut self, fault: Fault, line: u64) {
        self.count(fault, 1);
        if self.places.len() < MOST_PLACES {
            self.places.push((fault, line));
        }
    }

    /// Counts all of another.
    pub fn merge(&mut self, other: &Self) {
        for fault in Fault::ALL {
            self.count(fault, other.of(fault));
        }
        let room = MOST_PLACES.saturating_sub(self.places.len());
        self.places.extend(other.places.iter().take(room));
    }

    fn count(&mut self, fault: Fault, by: u64) {
        if let Some(count) = self.counts.get_mut(fault as usize) {
            *count = count.saturating_add(by);
        }
    }

    /// How many there were of a kind.
    #[must_use]
    pub fn of(&self, fault: Fault) -> u64 {
        self.counts.get(fault as usize).copied().unwrap_or(0)
    }

    /// Whether there were none.
    #[must_use]
    pub fn none(&self) -> bool {
        self.counts.iter().all(|&count| count == 0)
    }

    /// The first few, each with its line or record.
    #[must_use]
    pub fn places(&self) -> &[(Fault, u64)] {
        &self.places
    }
}
