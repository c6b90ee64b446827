//! What a walk writes down: small and without allocation, made readable only when somebody asks.

use super::options::Checks;
use super::{Code, Severity};
use crate::json::Value;

/// Errors and warnings that are kept of one object, each; more are counted.
pub(super) const KEPT: usize = 100;

/// One finding, as the walk leaves it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note {
    /// What rule.
    pub(super) code: Code,
    /// Where the value stands, counted from the start of the object.
    pub(super) at: u32,
    /// A name or a wish that the message needs.
    pub(super) what: &'static str,
    /// Where the standard says so.
    pub(super) clause: &'static str,
}

/// The findings of one object.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    pub(super) list: Vec<Note>,
    pub(super) errors: usize,
    pub(super) warnings: usize,
    /// Warnings that are mere advice; see [`Code::is_advice`].
    pub(super) advice: usize,
}

impl Notes {
    pub(super) fn push(&mut self, note: Note) {
        let count = match note.code.severity() {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *count += 1;
        self.advice += usize::from(note.code.is_advice());
        if *count <= KEPT {
            if self.list.capacity() == 0 {
                self.list.reserve(8);
            }
            self.list.push(note);
        }
    }

    /// Findings that were counted and not kept.
    pub(super) fn left_out(&self) -> usize {
        self.errors + self.warnings - self.list.len()
    }
}

/// Where findings go, and which are wanted.
#[derive(Debug)]
pub(super) struct Pen<'n> {
    pub(super) notes: &'n mut Notes,
    pub(super) checks: Checks,
    /// Offset of the object in the text that was parsed.
    pub(super) base: usize,
}

impl Pen<'_> {
    /// Notes that `code` was broken at `value`; warnings only if they are wanted.
    #[inline]
    pub(super) fn note(&mut self, code: Code, value: Value<'_>, what: &'static str) {
        self.note_in(code, value, what, code.clause());
    }

    /// The same, with the clause of the type at hand.
    pub(super) fn note_in(&mut self, code: Code, value: Value<'_>, what: &'static str, clause: &'static str) {
        if code.severity() == Severity::Warning && !self.checks.wants(code) {
            return;
        }
        let at = u32::try_from(value.span().start.saturating_sub(self.base)).unwrap_or(u32::MAX);
        self.notes.push(Note { code, at, what, clause });
    }

    /// The same, for a value of which only the place is known.
    pub(super) fn note_at(&mut self, code: Code, at: usize, what: &'static str, clause: &'static str) {
        if code.severity() == Severity::Error || self.checks.wants(code) {
            let at = u32::try_from(at.saturating_sub(self.base)).unwrap_or(u32::MAX);
            self.notes.push(Note { code, at, what, clause });
        }
    }
}
