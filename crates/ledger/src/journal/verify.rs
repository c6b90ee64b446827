//! Whether a journal is what was written.

use super::{ERASED, Erasure, Head, Line, Part, Which};

/// Faults that are told at most; the first ones tell where it began.
const MOST: usize = 1000;

/// Something that is wrong with an entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The entry's number; 0: the journal as a whole.
    pub number: u64,
    /// What.
    pub flaw: Flaw,
}

/// What is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Flaw {
    /// The entries from this number to that one are not there.
    Missing {
        /// The last that is missing.
        to: u64,
    },
    /// The entry does not follow from the one before: it, its number or its place was changed.
    Changed,
    /// The number was there before.
    Repeated,
    /// The entry's columns contradict each other.
    Malformed,
    /// A part is gone, and no entry says that it was erased.
    PartMissing(Which),
    /// A part was erased, and is there again.
    PartReturned(Which),
    /// An entry that says what was erased names what it cannot have erased.
    Erasure,
    /// The journal ends before this entry, which is known to have been written.
    CutOff,
    /// The entry is not the one that was known to stand here.
    OtherHead,
    /// The anchor cannot be relied on.
    Anchor(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let part = |which: &Which| match which {
            Which::Matter => "what happened",
            Which::Person => "who had to do with it",
        };
        let number = self.number;
        match &self.flaw {
            Flaw::Missing { to } if *to > number => write!(f, "entries {number} to {to} are missing"),
            Flaw::Missing { .. } => write!(f, "entry {number} is missing"),
            Flaw::Changed => write!(f, "entry {number} does not follow from the one before it: something was changed"),
            Flaw::Repeated => write!(f, "entry {number} is there twice, or out of order"),
            Flaw::Malformed => write!(f, "entry {number} cannot be read"),
            Flaw::PartMissing(which) => {
                write!(f, "entry {number} no longer says {}, and nothing says that it was erased", part(which))
            }
            Flaw::PartReturned(which) => {
                write!(f, "entry {number} says {}, which had been erased", part(which))
            }
            Flaw::Erasure => write!(f, "entry {number} says that something was erased which it cannot have erased"),
            Flaw::CutOff => write!(f, "the journal ends before entry {number}, which is known to have been written"),
            Flaw::OtherHead => write!(f, "entry {number} is not the one that is known to have been written"),
            Flaw::Anchor(why) => write!(f, "the anchor cannot be relied on: {why}"),
        }
    }
}

/// What was found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// How many entries there are.
    pub entries: u64,
    /// Where the journal ends.
    pub head: Head,
    /// What is wrong, by number; empty: it is sound.
    pub faults: Vec<Fault>,
}

/// Takes a journal's entries in order and says whether they are what was written.
#[derive(Default)]
pub struct Verifier {
    report: Report,
    /// What the chain value before may be: as it is stored, and as it was computed. After a gap neither is known.
    before: Option<[[u8; 32]; 2]>,
    began: bool,
    known: Vec<Head>,
    missing: [Vec<(u64, u64)>; 2],
    erased: [Vec<(u64, u64)>; 2],
}

impl Verifier {
    /// Nothing taken yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// This head is known to have been written.
    pub fn expect(&mut self, head: Head) {
        if head.number > 0 {
            self.known.push(head);
        }
    }

    /// Something is wrong that was found elsewhere.
    pub fn fault(&mut self, number: u64, flaw: Flaw) {
        if self.report.faults.len() < MOST {
            self.report.faults.push(Fault { number, flaw });
        }
    }

    /// There is an entry of this number, and it cannot be read.
    pub fn unreadable(&mut self, number: u64) {
        self.arrive(number);
        self.fault(number, Flaw::Malformed);
        self.before = None;
        self.report.head.number = number;
    }

    /// Takes the next entry.
    pub fn take(&mut self, line: &Line) {
        if self.began && line.number <= self.report.head.number || line.number == 0 {
            self.fault(line.number, Flaw::Repeated);
            return;
        }
        self.arrive(line.number);
        let (matter, person) = (line.matter.digest(), line.person.digest());
        let next = |chain| Head { number: 0, chain }.then(line.number, line.time, &line.kind, &matter, &person).chain;
        match self.before {
            None => self.before = Some([line.chain; 2]),
            Some([stored, computed]) => {
                let follows = next(stored) == line.chain || (computed != stored && next(computed) == line.chain);
                if !follows {
                    self.fault(line.number, Flaw::Changed);
                }
                // If only the stored value was changed, the next entry follows from the computed one.
                self.before = Some([line.chain, if follows { line.chain } else { next(stored) }]);
            }
        }
        let here = Head { number: line.number, chain: line.chain };
        if self.known.iter().any(|known| known.number == here.number && *known != here) {
            self.fault(line.number, Flaw::OtherHead);
        }
        self.report.head = here;
        self.note(line);
    }

    /// Counts, and finds gaps.
    fn arrive(&mut self, number: u64) {
        let next = self.report.head.number + 1;
        if number > next {
            self.fault(next, Flaw::Missing { to: number - 1 });
            self.before = None;
        } else if !self.began {
            self.before = Some([[0; 32]; 2]);
        }
        self.began = true;
        self.report.entries += 1;
    }

    /// What is missing of it, and what it says was erased.
    fn note(&mut self, line: &Line) {
        let [matter, person] = &mut self.missing;
        if matches!(line.matter, Part::Erased(_)) {
            extend(matter, line.number);
        }
        if matches!(line.person, Part::Erased(_)) {
            extend(person, line.number);
        }
        if line.kind != ERASED {
            return;
        }
        let said = line.matter.kept().and_then(|matter| serde_json::from_slice::<Erasure>(&matter.body).ok());
        let possible = |range: &(u64, u64)| range.0 > 0 && range.0 <= range.1 && range.1 < line.number;
        match said {
            Some(erasure) if erasure.ranges.iter().all(possible) => {
                let [matter, person] = &mut self.erased;
                let which = if erasure.part == Which::Matter { matter } else { person };
                which.extend(erasure.ranges);
            }
            _ => self.fault(line.number, Flaw::Erasure),
        }
    }

    /// What was found.
    #[must_use]
    pub fn finish(mut self) -> Report {
        let [matter, person] = std::mem::take(&mut self.missing);
        let [erased_matter, erased_person] = std::mem::take(&mut self.erased);
        for (which, missing, erased) in
            [(Which::Matter, matter, joined(erased_matter)), (Which::Person, person, joined(erased_person))]
        {
            for number in without(&missing, &erased, MOST) {
                self.fault(number, Flaw::PartMissing(which));
            }
            for number in without(&erased, &missing, MOST) {
                self.fault(number, Flaw::PartReturned(which));
            }
        }
        for known in std::mem::take(&mut self.known) {
            if known.number > self.report.head.number {
                self.fault(self.report.head.number + 1, Flaw::CutOff);
            }
        }
        self.report.faults.sort_by_key(|fault| fault.number);
        self.report
    }
}

/// Adds a number that is greater than all before.
pub(crate) fn extend(runs: &mut Vec<(u64, u64)>, number: u64) {
    match runs.last_mut() {
        Some((_, last)) if *last + 1 == number => *last = number,
        _ => runs.push((number, number)),
    }
}

/// Runs in order, those that touch in one.
fn joined(mut runs: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    runs.sort_unstable();
    let mut out: Vec<(u64, u64)> = Vec::with_capacity(runs.len());
    for (first, last) in runs {
        match out.last_mut() {
            Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
            _ => out.push((first, last)),
        }
    }
    out
}

/// The first numbers that are in `all` and not in `but`; both in order.
fn without(all: &[(u64, u64)], but: &[(u64, u64)], most: usize) -> Vec<u64> {
    let mut out = Vec::new();
    let mut but = but.iter().peekable();
    for &(first, last) in all {
        let mut at = first;
        while at <= last && out.len() < most {
            while but.next_if(|(_, end)| *end < at).is_some() {}
            match but.peek() {
                Some((begin, end)) if *begin <= at => at = end.saturating_add(1),
                _ => {
                    out.push(at);
                    at += 1;
                }
            }
        }
    }
    out
}
