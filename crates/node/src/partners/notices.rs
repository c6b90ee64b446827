//! Sharing groups across nodes: the owner of a group tells the nodes of those who are in it what the group is, and what it
//! was told is compared with what it is, so that nobody is forgotten, whatever ends in between.
//!
//! INVARIANT: a notice changes groups of the organisation that signed it, and no others.

use super::backfill;
use super::recalls::{AHEAD, Desk, judge};
use crate::audit::By;
use ledger::{Group, OnLeave};
use partner::notice::{GroupNotice, MOST_MEMBERS, OnLeave as Said};
use partner::signed;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use stix::timestamp::{Timestamp, format_micros};

/// The note that keeps of every group what was seen to.
const SEEN: &str = "groups that were seen to";

/// Bytes of a name that a notice gives.
const LONGEST_NAME: usize = 200;

/// What was seen to of a group.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
struct Seen {
    owner: String,
    name: String,
    members: Vec<String>,
    hidden: bool,
    from: Option<i64>,
    until: Option<i64>,
    backfill: bool,
    recall: bool,
}

impl Seen {
    fn of(group: &Group) -> Self {
        Self {
            owner: group.owner.clone(),
            name: group.name.clone(),
            members: group.members.clone(),
            hidden: group.hidden,
            from: group.from,
            until: group.until,
            backfill: group.backfill,
            recall: group.on_leave == OnLeave::Recall,
        }
    }

    /// Everybody who is in it.
    fn within(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.owner).chain(&self.members).filter(|name| !name.is_empty())
    }

    fn holds(&self, organisation: &str) -> bool {
        self.within().any(|name| judge::same(name, organisation))
    }
}

/// Whether there is no group, and was none.
pub(super) fn is_quiet(book: &dyn ledger::Partners) -> ledger::Result<bool> {
    Ok(book.groups()?.is_empty() && book.note(SEEN)?.is_none())
}

/// Sees to what has changed of the groups: partners in ours are told, newcomers get what was shared before, and what leavers
/// were given is taken back, each as the group says.
///
/// # Errors
/// Those of the ledger; what was not seen to is seen to the next time.
pub fn catch_up(desk: &Desk<'_>, by: &By) -> ledger::Result<()> {
    desk.door.afresh()?;
    let kept = desk.book.note(SEEN)?;
    let mut seen: BTreeMap<String, Seen> =
        kept.as_deref().and_then(|kept| serde_json::from_slice(kept).ok()).unwrap_or_default();
    let groups = desk.book.groups()?;
    let ids: BTreeSet<String> = seen.keys().cloned().chain(groups.iter().map(|group| group.id.clone())).collect();
    for id in ids {
        let group = groups.iter().find(|group| group.id == id);
        let (before, after) = (seen.get(&id).cloned().unwrap_or_default(), group.map(Seen::of));
        if after.as_ref() == Some(&before) {
            continue;
        }
        see_to(desk, &id, &before, group, by)?;
        match after {
            Some(after) => drop(seen.insert(id, after)),
            None => drop(seen.remove(&id)),
        }
        desk.book.set_note(SEEN, Some(&serde_json::to_vec(&seen).unwrap_or_default()))?;
    }
    Ok(())
}

fn see_to(desk: &Desk<'_>, id: &str, before: &Seen, group: Option<&Group>, by: &By) -> ledger::Result<()> {
    let after = group.map(Seen::of).unwrap_or_default();
    // Whoever leaves is told of that before anything is taken back.
    if judge::same(&before.owner, desk.own) || judge::same(&after.owner, desk.own) {
        announce(desk, id, before, group)?;
    }
    // Who is left behind when we leave another's group has not left it.
    let goes = before.holds(desk.own) && !after.holds(desk.own) && !judge::same(&before.owner, desk.own);
    for left in before.within().filter(|name| !goes && !after.holds(name) && !desk.is_own(name)) {
        if before.recall || after.recall {
            desk.left(id, left, by)?;
        }
    }
    if let Some(group) = group.filter(|group| group.backfill) {
        // With a group of which nobody has heard yet we shared nothing.
        let is_new = before.owner.is_empty();
        for joined in after.within().filter(|name| !before.holds(name)) {
            if !is_new || desk.is_own(joined) {
                backfill::joined(desk, group, joined)?;
            }
        }
    }
    Ok(())
}

/// Tells the nodes of those who are or were in a group of ours what it is now.
fn announce(desk: &Desk<'_>, id: &str, before: &Seen, group: Option<&Group>) -> ledger::Result<()> {
    let after = group.map(Seen::of).unwrap_or_default();
    let ours = judge::same(&after.owner, desk.own);
    let standings = desk.book.standings()?;
    let identities = |organisation: &str| match desk.ring.card(organisation) {
        Some(card) => card.identities.clone(),
        None => {
            let of = standings.iter().find(|standing| judge::same(&standing.organisation, organisation));
            of.map(|standing| standing.identities.clone()).unwrap_or_default()
        }
    };
    let told: BTreeSet<&String> = before.within().chain(after.within()).collect();
    for organisation in told.into_iter().filter(|name| !judge::same(name, desk.own)) {
        let within = ours && after.holds(organisation);
        let shows = |member: &&String| within && (!after.hidden || judge::same(member, organisation));
        let members = after.members.iter().filter(shows).map(|member| identities(member));
        let is = if within { &after } else { before };
        let notice = GroupNotice {
            id: id.to_owned(),
            name: is.name.get(..is.name.floor_char_boundary(LONGEST_NAME)).unwrap_or_default().to_owned(),
            from: is.from,
            until: is.until,
            backfill: is.backfill,
            on_leave: if is.recall { Said::Recall } else { Said::Keep },
            hidden: is.hidden,
            members: members.filter(|of| !of.is_empty()).take(MOST_MEMBERS).collect(),
            gone: !within,
            at: format_micros(desk.now),
        };
        let body = notice.sign(desk.keys);
        if let Ok(statement) = signed::read(&body) {
            desk.post(organisation, &statement.id, &body)?;
        }
    }
    Ok(())
}

/// Takes in what a partner says of a group of its own.
pub(super) fn take(desk: &Desk<'_>, notice: &GroupNotice, signer: &str) -> ledger::Result<Result<(), String>> {
    let at = Timestamp::parse(&notice.at).map(|at| at.micros).unwrap_or_default();
    if at > desk.now.saturating_add(AHEAD) {
        return Ok(Err("it is dated more than ten minutes after our clock".to_owned()));
    }
    let groups = desk.book.groups()?;
    let held = groups.iter().find(|group| group.id == notice.id);
    if held.is_some_and(|held| !judge::same(&held.owner, signer)) || judge::same(signer, desk.own) {
        return Ok(Err(format!("the sharing group is not one of `{signer}`")));
    }
    if let (Some(from), Some(until)) = (notice.from, notice.until)
        && until <= from
    {
        return Ok(Err("the group would be closed before it is open".to_owned()));
    }
    let said = format!("what `{}` said last of the group {}", signer.to_lowercase(), notice.id);
    let last = desk.book.note(&said)?.and_then(|kept| kept.try_into().ok()).map(i64::from_le_bytes);
    if last.is_some_and(|last| at <= last) {
        // An older one, or the same again.
        return Ok(Ok(()));
    }
    if notice.gone {
        match held {
            // We keep what we have, and are in it alone: nobody else gets it by the group.
            Some(held) if held.on_leave == OnLeave::Keep && holds(held, desk.own) => {
                desk.book.change_group(&Group { members: vec![desk.own.to_owned()], ..held.clone() })?;
            }
            Some(held) => desk.book.remove_group(&held.id)?,
            None => {}
        }
    } else {
        let group = Group {
            id: notice.id.clone(),
            name: name(notice, signer, &groups),
            owner: signer.to_owned(),
            members: members(desk, notice, signer)?,
            hidden: notice.hidden,
            from: notice.from,
            until: notice.until,
            backfill: notice.backfill,
            on_leave: match notice.on_leave {
                Said::Keep => OnLeave::Keep,
                Said::Recall => OnLeave::Recall,
            },
            since: Vec::new(),
        };
        match held {
            Some(_) => desk.book.change_group(&group)?,
            None => desk.book.add_group(&group)?,
        }
    }
    desk.book.set_note(&said, Some(&at.to_le_bytes()))?;
    desk.note(&desk.by(), signer, "group-told", &format!("sharing group {}", notice.id), true, "")?;
    catch_up(desk, &desk.by())?;
    Ok(Ok(()))
}

fn holds(group: &Group, organisation: &str) -> bool {
    group.members.iter().any(|member| judge::same(member, organisation))
}

/// A name that no other group has: a partner's word for its group may be anything.
fn name(notice: &GroupNotice, signer: &str, groups: &[Group]) -> String {
    let seen = |c: &char| !c.is_control() && !crate::limiter::is_unseen(*c) && !matches!(c, ',' | ':' | '/');
    let said: String = notice.name.chars().filter(seen).take(100).collect();
    let said = said.trim().to_owned();
    let free = |name: &str| {
        let lower = name.to_lowercase();
        let other = |group: &Group| group.id != notice.id && (group.name.to_lowercase() == lower || group.id == lower);
        !name.is_empty() && uuid::Uuid::try_parse(name).is_err() && !groups.iter().any(other)
    };
    let qualified: String = format!("{said} ({signer})").chars().take(200).collect();
    [said, qualified].into_iter().find(|name| free(name)).unwrap_or_else(|| notice.id.clone())
}

/// The members whom we know, by whose identities they are named. Others are nobody here.
fn members(desk: &Desk<'_>, notice: &GroupNotice, signer: &str) -> ledger::Result<Vec<String>> {
    let makers = crate::known::makers(&desk.book.standings()?);
    let known = desk.book.organisations()?;
    let of = |identity: &String| {
        let ours = desk.ring.own().is_some_and(|card| card.identities.contains(identity));
        if ours {
            return Some(desk.own);
        }
        let lower = identity.to_ascii_lowercase();
        desk.ring.organisation_of(&lower).or_else(|| makers.get(identity).map(String::as_str))
    };
    let mut members = BTreeSet::new();
    for identities in &notice.members {
        let organisation = identities.iter().find_map(of).filter(|organisation| !judge::same(organisation, signer));
        let kept = organisation.and_then(|name| known.iter().find(|known| judge::same(&known.name, name)));
        members.extend(kept.map(|known| known.name.clone()));
    }
    Ok(members.into_iter().collect())
}
