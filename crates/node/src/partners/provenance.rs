//! Who made an object, proven: sealing what is handed to partners, verifying what comes from them.
//!
//! Whoever hands objects on dresses them ([`Outgoing`]): a seal behind each object of which there is one, and one envelope
//! that says by which nodes they came. Whoever takes objects in sorts them ([`Incoming`]): what carries its author's seal,
//! what is from authors of whom no seal can be asked, and what is refused.
//!
//! INVARIANT: of an author whose card is pinned nothing is kept as the author's without a [`Proof::Verified`], and only the
//! verifier of `partner::seal` makes what is in it. [`crate::intake::Context::class`] asks for it.

pub mod incoming;
mod looks;
pub mod mark;
pub mod noting;
pub mod outgoing;
mod sketch;
mod verdicts;
mod waiting;

pub use incoming::{Incoming, Refused, Sorted, Sound, Strictness};
pub use looks::Looks;
pub use noting::Noting;
pub use outgoing::{Dressed, Outgoing};
pub use waiting::Waiting;

use policy::Handling;

/// Whether an object's author is proven.
#[derive(Debug)]
pub enum Proof {
    /// By the author's seal.
    Verified(partner::seal::Verified),
    /// By nothing: the author is who the object says, if that counts for anything.
    Foreign,
}

/// What stands behind an object that is brought in: a proof of its author, and limits set by whoever may.
#[derive(Debug)]
pub struct Backing {
    /// Of its author.
    pub proof: Proof,
    /// The limits that its author or its bringer set beside the markings.
    pub handling: Handling,
    /// A marking beside its own: its author narrowed it after it was written.
    pub marking: Option<String>,
}

impl Backing {
    /// Nothing: the object speaks for itself.
    #[must_use]
    pub fn none() -> &'static Self {
        static NONE: Backing = Backing {
            proof: Proof::Foreign,
            handling: Handling { audience: Vec::new(), embargo: None, expires: None },
            marking: None,
        };
        &NONE
    }

    /// The proof of who made the object with this id.
    #[must_use]
    pub fn proof_of(&self, id: &str) -> Option<&partner::seal::Verified> {
        match &self.proof {
            // A proof for another object proves nothing of this one.
            Proof::Verified(verified) if verified.object_ref() == id => Some(verified),
            Proof::Verified(_) | Proof::Foreign => None,
        }
    }
}

/// Items from which on two threads share the work.
const MANY: usize = 128;

/// What `work` makes of all items, in their order; of many, each half on a thread of its own.
fn halves<T: Sync, O: Send>(items: &[T], work: impl Fn(&[T]) -> Vec<O> + Sync) -> Vec<O> {
    halves_of(items, MANY, work)
}

/// The same, of so many.
fn halves_of<T: Sync, O: Send>(items: &[T], many: usize, work: impl Fn(&[T]) -> Vec<O> + Sync) -> Vec<O> {
    if items.len() < many {
        return work(items);
    }
    let (one, two) = items.split_at(items.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| work(two));
        let mut done = work(one);
        match other.join() {
            Ok(rest) => done.extend(rest),
            // A defect there is one here.
            Err(panic) => std::panic::resume_unwind(panic),
        }
        done
    })
}

/// A partner's word for an answer or a log: without controls, and not long.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

/// What a seal says of which content it is.
fn digest_in(seal: &[u8], limits: &stix::json::Limits) -> Option<[u8; 32]> {
    use base64::Engine as _;
    let mut tape = stix::json::Tape::new();
    let value = tape.parse(seal, limits).ok()?;
    let text = value.get("digest")?.as_str()?;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text.as_ref()).ok()?.try_into().ok()
}

/// Sheets that are remembered while seals are looked at one after another.
const SHEETS: usize = 32;

/// Seals as they are kept: those of many objects are on one sheet, which is read once.
#[derive(Default)]
struct KeptSeals {
    sheets: std::collections::VecDeque<(Vec<u8>, partner::seal::Ways)>,
}

impl KeptSeals {
    /// The seal of an object, standing alone: a sheet is for the one who got it, and never handed on. `None`: what was kept
    /// is no seal of it.
    fn alone(&mut self, kept: Vec<u8>, content: impl FnOnce() -> Option<partner::seal::Content>) -> Option<Vec<u8>> {
        let place = match self.sheets.iter().position(|(text, _)| *text == kept) {
            Some(place) => place,
            None => {
                let Some(sheet) = partner::seal::Sheet::parse(&kept) else { return Some(kept) };
                self.sheets.truncate(SHEETS - 1);
                self.sheets.push_front((kept, sheet.ok()?.ways()));
                0
            }
        };
        self.sheets.get(place)?.1.seal_of(&content()?)
    }
}
