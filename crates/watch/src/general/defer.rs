//! Observations put off: where logs of the past are read file after file, patterns that need several observations cannot be
//! judged as events come, since those of another file happened in between. What met a part of such a pattern is handed out
//! instead, and judged when everything has been read, in the order of time.

use std::net::IpAddr;

use super::state::Met;
use super::witness::Listed;
use super::{Bound, General, Match, Patterns};

/// An observation that met a part of a pattern that needs several.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Deferred {
    /// The name of the pattern.
    pub name: u64,
    /// The address that opened the connection; `None`: the input stands for whoever was seen.
    pub source: Option<IpAddr>,
    /// When it was made, in microseconds since 1970.
    pub moment: i64,
    /// The number of its line in the input.
    pub line: u64,
    /// When it happened, as the log has it.
    pub time: Option<Box<[u8]>>,
    /// The parts that it met, numbered as [`pattern::Matcher`] numbers its leaves.
    pub leaves: Vec<u32>,
    /// Values by which it was found.
    pub bound: Vec<Bound>,
    /// The first warning list that names a value by which it was met.
    pub list: Option<Box<str>>,
    /// Whether it was met by a value that no warning list names.
    pub is_unlisted: bool,
}

/// What was put off while one event was shown.
#[derive(Debug)]
pub(super) struct Put {
    pub(super) name: u64,
    pub(super) moment: i64,
    pub(super) met: Met,
}

impl Put {
    fn of(self, source: Option<IpAddr>, line: u64, time: Option<&[u8]>) -> Deferred {
        let Self { name, moment, met: Met { leaves, bound, listed, .. } } = self;
        let (list, is_unlisted) = listed.parts();
        Deferred { name, source, moment, line, time: time.map(Into::into), leaves, bound, list, is_unlisted }
    }
}

impl General {
    /// Takes what was put off while the last event was shown.
    pub(super) fn put_off(
        &mut self,
        (source, line, time): (Option<IpAddr>, u64, Option<&[u8]>),
        into: &mut Vec<Deferred>,
    ) {
        let put = self.deferred.iter_mut().flat_map(|put| put.drain(..));
        into.extend(put.map(|put| put.of(source, line, time)));
    }

    /// Judges an observation that was put off.
    fn judge(&mut self, entity: u64, token: u64, deferred: &Deferred, each: &mut dyn FnMut(Match)) {
        let Some(number) = self.numbers.get(&deferred.name).copied() else { return };
        let met = Met {
            token,
            leaves: deferred.leaves.clone(),
            bound: deferred.bound.clone(),
            witnesses: Vec::new(),
            listed: Listed::of(deferred.list.clone(), deferred.is_unlisted),
        };
        self.met_by_several(entity, pattern::Moment::at(deferred.moment), number, met, each);
    }
}

impl Patterns {
    /// From now on, patterns that need several observations are not judged as events come: [`deferred`](Self::deferred) hands
    /// out what met a part of one, and [`judge`](Self::judge) judges it.
    pub fn defer(&self) {
        self.inner().general.deferred = Some(Vec::new());
    }

    /// Takes what was put off since the last call.
    #[must_use]
    pub fn deferred(&self) -> Vec<Deferred> {
        std::mem::take(&mut self.inner().deferred)
    }

    /// Judges an observation that was put off, of an input of this name; in the order of time. `token` is the caller's word
    /// for it in [`Match::observations`].
    pub fn judge(&self, input: &str, token: u64, deferred: &Deferred, each: &mut dyn FnMut(Match)) {
        let entity = self.entity_of(deferred.source).unwrap_or_else(|| self.entity(input.as_bytes()));
        self.inner().general.judge(entity, token, deferred, each);
    }
}
