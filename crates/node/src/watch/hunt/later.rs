//! Patterns that need several observations. Files are read one after the other, and what makes such a pattern true may lie in
//! several of them: the question to the name system in one log, the connection that followed in another of the same hour. So
//! what met a part of one is noted while files are read, and all of it is judged when they have been read to their end, in the
//! order of time.

use super::{Before, Error, Hunt};
use crate::watch::book::Followed;
use crate::watch::hits::Hit;
use ::watch::general::{Bound, Deferred, Match};
use ::watch::time;
use observable::Kind;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::IpAddr;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

/// Observations that are noted in one hunt; 40 bytes of memory each while they are put in order and judged.
pub(super) const MOST: u64 = 4_000_000;
/// What they take on disk.
pub(super) const MOST_BYTES: u64 = 1 << 30;

/// An observation that met a part of a pattern, as it is kept.
#[derive(Debug, Deserialize, Serialize)]
struct Note {
    /// When it was made.
    at: i64,
    source: Option<IpAddr>,
    input: String,
    line: u64,
    time: Option<String>,
    indicator: String,
    /// A digest of the pattern: parts of another do not fit it.
    pattern: String,
    leaves: Vec<u32>,
    bound: Vec<(String, String)>,
    list: Option<String>,
    unlisted: bool,
    /// The place in the book up to which an earlier hunt searched this line.
    known: Option<i64>,
}

/// Ids of indicators and digests of their patterns, by name.
pub(super) type Ids = HashMap<u64, Option<(String, String)>>;

/// The id and the digest of the pattern of this name.
fn identity(followed: &Followed, name: u64) -> Option<(String, String)> {
    let (id, pattern) = followed.general(name)?;
    let digest = blake3::hash(pattern.to_string().as_bytes()).to_hex();
    Some((id, digest.as_str().chars().take(16).collect()))
}

/// Where a note lies.
struct Place {
    at: i64,
    offset: u64,
    length: u32,
}

impl Hunt<'_> {
    /// Notes what met parts of patterns.
    pub(super) fn note(
        &mut self,
        deferred: Vec<Deferred>,
        (followed, ids): (&Followed, &mut Ids),
        (input, before): (&str, Option<&Before>),
    ) -> Result<(), Error> {
        for deferred in deferred {
            let known = ids.entry(deferred.name).or_insert_with(|| identity(followed, deferred.name));
            // It went while the file was read.
            let Some((indicator, pattern)) = known.clone() else { continue };
            let time = |raw: &[u8]| time::utc(raw).unwrap_or_else(|| String::from_utf8_lossy(raw).into_owned());
            let note = Note {
                at: deferred.moment,
                source: deferred.source,
                input: input.to_owned(),
                line: deferred.line,
                time: deferred.time.as_deref().map(time),
                indicator,
                pattern,
                leaves: deferred.leaves,
                bound: deferred.bound.into_iter().map(|bound| (bound.field.into(), bound.value.into())).collect(),
                list: deferred.list.map(Into::into),
                unlisted: deferred.is_unlisted,
                known: before.filter(|before| deferred.line <= before.lines).map(|before| before.position),
            };
            self.journal.part(&serde_json::to_string(&note).unwrap_or_default())?;
        }
        Ok(())
    }

    /// Judges all that was noted, in the order of time, and tells the hits.
    pub(super) fn judge(&mut self) -> Result<(), Error> {
        let beyond = self.journal.progress.beyond;
        if beyond > 0 {
            self.teller.note(format!(
                "{beyond} observations were left out that met parts of patterns: of patterns that need several, {MOST} are \
                 kept in one hunt; search fewer files, or from a later instant on"
            ));
        }
        let path = self.journal.parts()?.to_owned();
        let wrong = |source| Error::State { path: path.clone(), source };
        let file = File::open(&path).map_err(wrong)?;
        let mut places = Vec::new();
        let (mut reader, mut line, mut offset) = (BufReader::new(&file), String::new(), 0);
        loop {
            line.clear();
            let read = reader.read_line(&mut line).map_err(wrong)?;
            let (Ok(length), false) = (u32::try_from(read), read == 0) else { break };
            if let Ok(note) = serde_json::from_str::<Note>(&line) {
                places.push(Place { at: note.at, offset, length });
            }
            offset += u64::from(length);
        }
        // Of one instant, in the order in which they were read.
        places.sort_unstable_by_key(|place| (place.at, place.offset));
        let (all, mut ids, mut known) = (Arc::clone(&self.sets.all), Ids::new(), Vec::new());
        let mut bytes = Vec::new();
        for Place { offset, length, .. } in places {
            bytes.resize(length as usize, 0);
            file.read_exact_at(&mut bytes, offset).map_err(wrong)?;
            let Ok(note) = serde_json::from_slice::<Note>(&bytes) else { continue };
            let Some(name) = all.named(&note.indicator) else { continue };
            let held = ids.entry(name).or_insert_with(|| identity(&all, name));
            if held.as_ref().is_some_and(|(_, pattern)| *pattern == note.pattern) {
                known.push(note.known);
                self.judge_one(&all, name, note, &known)?;
            }
        }
        let report = all.patterns().report();
        for (count, what) in [
            (report.dropped, "events were let go that a pattern could still have used"),
            (report.forgotten, "times it was forgotten what a pattern had seen of an address"),
            (report.exhausted, "searches took too long"),
        ] {
            if count > 0 {
                self.teller
                    .note(format!("to keep within bounds, of patterns that need several observations: {count} {what}"));
            }
        }
        Ok(())
    }

    /// Judges the last of those observations of which it is known up to where earlier hunts searched.
    fn judge_one(&mut self, all: &Followed, name: u64, note: Note, known: &[Option<i64>]) -> Result<(), Error> {
        let bound =
            |(field, value): &(String, String)| Bound { field: field.as_str().into(), value: value.as_str().into() };
        let deferred = Deferred {
            name,
            source: note.source,
            moment: note.at,
            line: note.line,
            time: None,
            leaves: note.leaves,
            bound: note.bound.iter().map(bound).collect(),
            list: note.list.map(Into::into),
            is_unlisted: note.unlisted,
        };
        let mut found: Option<Match> = None;
        let token = known.len().saturating_sub(1) as u64;
        all.patterns().judge(&note.input, token, &deferred, &mut |one| found = Some(one));
        let Some(Match { bound, observations, .. }) = found else { return Ok(()) };
        // It was told before only if an earlier hunt saw all that took part.
        let position = observations.iter().map(|token| known.get(usize::try_from(*token).ok()?).copied().flatten());
        let position = position.min().flatten();
        let received = crate::clock::now();
        let Some(indicator) = all.standing(name, received)? else { return Ok(()) };
        let joined = |part: fn(&Bound) -> &str| bound.iter().map(part).collect::<Vec<_>>().join(" ");
        let hit = Hit {
            indicator,
            kind: Kind::Pattern,
            value: joined(|bound| &bound.value),
            field: joined(|bound| &bound.field),
            met: Vec::new(),
            input: note.input.into(),
            line: note.line,
            place: note.line,
            time: note.time,
            raw: Vec::new(),
            received,
        };
        let before = position.map(|position| Before { lines: u64::MAX, position });
        self.tell(vec![hit], before.as_ref())
    }
}
