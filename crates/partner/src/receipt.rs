//! What became of a recall at one who got it, and at those to whom they had handed the object on.

use crate::key::Keys;
use crate::signed::{Error, Kind, Unverified, sign as sign_statement};
use serde_json::{Map, Value, json};

/// Bytes of a reason.
const LONGEST_REASON: usize = 500;

/// What became of it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// The object is not known here; should it come, it is kept out.
    Unknown,
    /// It was refused.
    Refused,
    /// It cannot be done here.
    Cannot,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Done, Self::Unknown, Self::Refused, Self::Cannot];

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
            Self::Cannot => "cannot",
        }
    }

    /// The outcome that is written so.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }
}

/// How it went with those to whom the object was handed on.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Downstream {
    /// How many have confirmed.
    pub confirmed: u64,
    /// How many have not answered.
    pub waiting: u64,
    /// How many cannot, or refused.
    pub cannot: u64,
}

/// A receipt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Receipt {
    /// The id of the recall.
    pub recall: String,
    /// What became of it.
    pub outcome: Outcome,
    /// When it was said (RFC 3339).
    pub at: String,
    /// Why it was refused or cannot be done, for people.
    pub reason: Option<String>,
    /// How it went further on.
    pub downstream: Downstream,
}

impl Receipt {
    /// Signs it. A reason of more than 500 bytes is cut.
    #[must_use]
    pub fn sign(&self, keys: &Keys) -> Vec<u8> {
        let Downstream { confirmed, waiting, cannot } = self.downstream;
        let mut body = Map::new();
        body.insert("recall_ref".into(), self.recall.as_str().into());
        body.insert("outcome".into(), self.outcome.name().into());
        let downstream = json!({"confirmed": confirmed, "waiting": waiting, "cannot": cannot});
        body.insert("downstream".into(), downstream);
        let cut =
            |reason: &String| reason.get(..reason.floor_char_boundary(LONGEST_REASON)).unwrap_or_default().to_owned();
        body.extend(self.reason.as_ref().map(|reason| ("reason".into(), cut(reason).into())));
        sign_statement(Kind::Receipt, Some(&self.at), body, keys)
    }

    /// What a receipt says. Whether it is from whom it says is another question ([`Unverified::verify`]).
    ///
    /// # Errors
    /// [`Error::Form`].
    pub fn read(statement: &Unverified) -> Result<Self, Error> {
        let says = statement.expect(Kind::Receipt, &["recall_ref", "outcome", "downstream", "reason"])?;
        let outcome = Outcome::of(says.needed("outcome")?);
        let outcome = outcome.ok_or_else(|| says.wrong("`outcome` is none of done, unknown, refused, cannot"))?;
        let reason = says.text("reason")?;
        if reason.is_some_and(|reason| reason.len() > LONGEST_REASON) {
            return Err(says.wrong("`reason` is longer than 500 bytes"));
        }
        let downstream = says.get("downstream").and_then(Value::as_object).filter(|counts| counts.len() == 3);
        let count = |name: &str| {
            let count = downstream.and_then(|counts| counts.get(name)).and_then(Value::as_u64);
            count.ok_or_else(|| says.wrong("`downstream` counts confirmed, waiting and cannot"))
        };
        Ok(Self {
            recall: says.id("recall_ref", Some(Kind::Recall.object_type()))?.to_owned(),
            outcome,
            at: statement.at().to_owned(),
            reason: reason.map(str::to_owned),
            downstream: Downstream {
                confirmed: count("confirmed")?,
                waiting: count("waiting")?,
                cannot: count("cannot")?,
            },
        })
    }
}

#[cfg(test)]
mod tests;
