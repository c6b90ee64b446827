//! Who may recall what, and what it does: pure.

use partner::recall::{Act, Recall};
use policy::{Audience, Author, Class, Handling, Micros, Tlp};
use stix::timestamp::Timestamp;

/// Whether two names are one organisation's.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    !one.is_empty() && (one == other || one.to_lowercase() == other.to_lowercase())
}

/// Who made the records of a class, where that is an organisation that the node knows.
#[must_use]
pub fn author_of(class: &Class) -> Option<&str> {
    match &class.author {
        Author::Owner => Some(&class.owner),
        Author::Organisation(author) => Some(author),
        Author::Foreign => None,
    }
}

/// Whether records of the class are recalled by what this organisation signed: it made them; or nobody who signs for
/// himself did, and it brought this copy.
#[must_use]
pub fn obeys(signer: &str, class: &Class, carded: &dyn Fn(&str) -> bool) -> bool {
    match author_of(class) {
        Some(author) if carded(author) => same(author, signer),
        _ => same(&class.owner, signer),
    }
}

/// Whether records of the class are our own organisation's to recall: it or somebody who has no node brought them, and nobody
/// who signs for himself made them.
#[must_use]
pub fn is_ours(class: &Class, own: &str, carded: &dyn Fn(&str) -> bool) -> bool {
    let local = |organisation: &str| same(organisation, own) || !carded(organisation);
    local(&class.owner) && author_of(class).is_none_or(local)
}

/// Whether a recall speaks of a version: one that it names, or none newer than itself. What has no version is always meant.
#[must_use]
pub fn means(recall: &Recall, version: Option<&str>) -> bool {
    let instant = |text: &str| Timestamp::parse(text).ok().map(|time| (time.micros, time.picos));
    let Some(version) = version else { return recall.versions.is_none() };
    match &recall.versions {
        Some(named) => named.iter().any(|named| named == version || instant(named) == instant(version)),
        None => match (instant(version), instant(&recall.at)) {
            (Some((version, _)), Some((recalled, _))) => version <= recalled,
            _ => true,
        },
    }
}

/// What is known of a copy, and of the way by which its recall came.
#[derive(Clone, Copy)]
pub struct Case<'a> {
    /// Whether its author, who signed the recall, brought it here himself.
    pub given_by_signer: bool,
    /// Whether the recall came from whoever signed it, and not over a relay.
    pub told_by_signer: bool,
    /// Whether this version says that the object is revoked.
    pub is_revoked: bool,
    /// Whether such a version is here.
    pub revoked_here: bool,
    /// Whether our own organisation is in a sharing group that is known here.
    pub within: &'a dyn Fn(&str) -> bool,
}

/// What becomes of a copy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Effect {
    /// It goes.
    Erase,
    /// It gets a further marking and further limits.
    Narrow(Option<String>, Handling),
    /// It stays as it is.
    Stand,
}

/// What a recall that is obeyed does to a copy that it means.
#[must_use]
pub fn effect(recall: &Recall, case: Case<'_>) -> Effect {
    match recall.act {
        Act::Delete => Effect::Erase,
        // The author's own version that says so ends the object (STIX 2.1 §3.6), and says it to readers as well.
        Act::Revoke if case.is_revoked || case.revoked_here => Effect::Stand,
        Act::Revoke => Effect::Erase,
        // Who was given it by its author is told by its author what holds for them.
        Act::Untag if case.given_by_signer && !case.told_by_signer => Effect::Stand,
        Act::Untag => Effect::Erase,
        Act::Narrow => {
            let limits = recall.handling.clone().map(serde_json::from_value::<Handling>).transpose();
            // Limits that are not understood leave nobody.
            let Ok(limits) = limits else { return Effect::Erase };
            let limits = limits.unwrap_or_default();
            // Whoever signed it has judged that we may have it. A relay has not.
            if case.told_by_signer || keeps(recall.tlp.as_deref(), &limits, case.within) {
                Effect::Narrow(recall.tlp.clone(), limits)
            } else {
                Effect::Erase
            }
        }
    }
}

/// Whether an organisation to which an object was handed on may keep it within these limits.
fn keeps(marking: Option<&str>, limits: &Handling, within: &dyn Fn(&str) -> bool) -> bool {
    let red = marking.and_then(stix::marking::tlp_of) == Some(Tlp::Red);
    let circle = |circle: &Audience| match circle {
        Audience::Organisation => false,
        Audience::Group(id) => within(id),
        Audience::Community | Audience::Connected | Audience::All => true,
    };
    !red && limits.audience.iter().all(circle)
}

/// Whether what an organisation signed may say something of an object that is about to come in: as [`obeys`] has it.
#[must_use]
pub fn speaks_for(signer: &str, coming: Coming<'_>, carded: &dyn Fn(&str) -> bool) -> bool {
    match coming.author {
        Some(author) if carded(author) => same(author, signer),
        _ => same(coming.from, signer),
    }
}

/// Whether a recall by somebody who [may](speaks_for) keeps out a version that is about to come in. What was taken back from
/// us alone may be handed to us again by whoever took it back, and narrowing keeps nothing out.
#[must_use]
pub fn keeps_out(recall: &Recall, signer: &str, coming: Coming<'_>) -> bool {
    means(recall, coming.version)
        && match recall.act {
            Act::Delete => true,
            Act::Revoke => !coming.is_revoked,
            Act::Untag => !same(coming.from, signer),
            Act::Narrow => false,
        }
}

/// An object that is about to come in.
#[derive(Clone, Copy, Debug)]
pub struct Coming<'a> {
    /// Its version, as it writes it.
    pub version: Option<&'a str>,
    /// Whether it says that it is revoked.
    pub is_revoked: bool,
    /// Who made it, as far as that is known.
    pub author: Option<&'a str>,
    /// Who brings it.
    pub from: &'a str,
}

/// Whether something is dated further ahead than clocks may differ.
#[must_use]
pub fn is_ahead(at: &str, now: Micros) -> bool {
    Timestamp::parse(at).is_ok_and(|at| at.micros > now.saturating_add(super::AHEAD))
}
