//! Taking back what was handed over.

use super::{Administration, AdministrationAct, Deed, Error, Restriction};
use crate::audit::acts_as;
use crate::intake::Classes;
use crate::narrow::{Narrowing, stored};
use crate::partners::recalls::{Deleting, Made, Status, status_of};
use ledger::{Ledger, Micros};
use policy::Class;
use policy::role::{Act, Actor, Target, may};

/// How an object is taken back.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TakeBack {
    /// It is deleted here and everywhere.
    Delete,
    /// Fewer may see it, here and everywhere.
    Narrow(Narrowing),
}

/// A recall of one object.
#[derive(Debug)]
pub struct Recalling<'a> {
    /// The object's id.
    pub object: &'a str,
    /// Whether the actor's organisation brought in or made every version of it that the actor sees.
    pub originated: bool,
    /// How.
    pub how: &'a TakeBack,
    /// Why, for the audit log.
    pub reason: &'a str,
}

impl Administration {
    /// Takes an object back: deletes or narrows it here, and recalls it from everybody to whom it was handed. Whoever may
    /// restrict an object may do this. Returns how many versions were changed here, and who is told.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Unknown`] if the object is not in the book and was handed to nobody.
    pub fn recall(
        &self,
        actor: &Actor,
        (book, classes): (&dyn Ledger, &Classes),
        recalling: &Recalling<'_>,
        now: Micros,
    ) -> Result<(u64, Made), Error> {
        let Recalling { object, originated, how, reason } = *recalling;
        if !may(actor, Act::Restrict, &Target::Object { originated }) {
            return Err(self.refused(actor, Deed::Recall, object));
        }
        let taker = self.taker.as_ref().ok_or_else(|| Error::Invalid("nothing is recalled here".to_owned()))?;
        let unknown = || Error::Unknown { what: "object", name: object.to_owned() };
        let (changed, made) = match how {
            TakeBack::Narrow(narrowing) => {
                let restriction = Restriction { object, originated, narrowing };
                self.restrict_and_tell(actor, (book, classes), &restriction, now)?
            }
            TakeBack::Delete if stored(book, object)? => {
                let of = |class: &Class| match actor {
                    Actor::Member(member) if !member.own => class.originated_by(&member.organisation),
                    _ => true,
                };
                let (made, changed) = taker.delete(&Deleting { object, of: &of, reason }, &acts_as(actor), now)?;
                (changed, made)
            }
            // What was erased before may be recalled all the same.
            TakeBack::Delete if *actor == Actor::Operator => {
                let made = taker.deleted_before(object, &acts_as(actor), now)?;
                if made.told.is_empty() && !made.unknown {
                    return Err(unknown());
                }
                (0, made)
            }
            TakeBack::Delete => return Err(unknown()),
        };
        let told: Vec<&str> = made.told.iter().map(String::as_str).collect();
        let word = if *how == TakeBack::Delete { "delete" } else { "narrow" };
        let why = if reason.is_empty() { String::new() } else { format!("; {reason}") };
        let detail = format!("{word}; {changed} versions; told: {}{why}", told.join(", "));
        self.record(&AdministrationAct {
            actor,
            deed: Deed::Recall,
            subject: object,
            organisation: None,
            detail: Some(&detail),
            done: true,
        });
        Ok((changed, made))
    }

    /// How far the recalls of an object have come, for whoever may be told to whom it was handed.
    ///
    /// # Errors
    /// [`Error::Unknown`], as for an object that does not exist.
    pub fn recall_status(&self, actor: &Actor, object: &str) -> Result<Vec<Status>, Error> {
        self.may_trace(actor, object)?;
        Ok(status_of(&*self.partners, object)?)
    }

    /// Groups were changed: partners are told, newcomers get what was there, leavers give back, as each group says.
    pub(super) fn groups_changed(&self, actor: &Actor) {
        if let Some(taker) = &self.taker
            && let Err(error) = taker.groups_changed(&acts_as(actor), crate::clock::now())
        {
            // The change is done and durable; what follows from it is seen to the next time.
            tracing::error!(%error, "partners could not be told that a sharing group has changed");
        }
    }
}
