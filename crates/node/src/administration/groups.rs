//! Sharing groups. They hold organisations, never groups; only the node's own organisation makes one and gives it to
//! another.

use super::{Administration, AdministrationAct, Deed, Error, checked_name};
use ledger::{Group, Micros, OnLeave};
use policy::role::{Act, Actor, Target, may};

/// A sharing group to be made.
#[derive(Debug)]
pub struct NewGroup<'a> {
    /// Its name.
    pub name: &'a str,
    /// The organisation that runs it; `None`: the node's own.
    pub owner: Option<&'a str>,
    /// The other organisations in it.
    pub members: &'a [String],
    /// Whether only its owner is told who is in it.
    pub hidden: bool,
    /// It is open from then on.
    pub from: Option<Micros>,
    /// It is closed from then on.
    pub until: Option<Micros>,
    /// Whether an organisation that comes in receives what was shared with the group before.
    pub backfill: bool,
    /// What becomes of what was shared with it at an organisation that leaves.
    pub on_leave: OnLeave,
}

/// What is changed of a group; what is `None` stays.
#[derive(Debug, Default)]
pub struct GroupChange<'a> {
    /// Its name.
    pub name: Option<&'a str>,
    /// The organisation that runs it.
    pub owner: Option<&'a str>,
    /// The organisations that are to be in it, all of them.
    pub members: Option<&'a [String]>,
    /// Organisations that come in.
    pub add: &'a [String],
    /// Organisations that leave.
    pub remove: &'a [String],
    /// Whether only its owner is told who is in it.
    pub hidden: Option<bool>,
    /// Since when it is open, or that it always was.
    pub from: Option<Option<Micros>>,
    /// From when on it is closed, or that it never is.
    pub until: Option<Option<Micros>>,
    /// Whether an organisation that comes in receives what was shared with the group before.
    pub backfill: Option<bool>,
    /// What becomes of what was shared with it at an organisation that leaves.
    pub on_leave: Option<OnLeave>,
}

/// A group that the actor may know of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SeenGroup {
    /// The group; without members where the actor is not told of them.
    pub group: Group,
    /// Whether the actor is told who is in it.
    pub whole: bool,
}

impl Administration {
    /// The groups that the actor may know of, by name.
    ///
    /// # Errors
    /// [`Error::Register`].
    pub fn groups(&self, actor: &Actor) -> Result<Vec<SeenGroup>, Error> {
        Ok(self.book.groups()?.into_iter().filter_map(|group| seen(actor, group)).collect())
    }

    /// The group of this id or name.
    ///
    /// # Errors
    /// [`Error::Unknown`], also for one that the actor may not know of.
    pub fn group(&self, actor: &Actor, name: &str) -> Result<SeenGroup, Error> {
        self.kept_group(name)?.and_then(|group| seen(actor, group)).ok_or_else(|| unknown(name))
    }

    /// Makes a group.
    ///
    /// # Errors
    /// [`Error`].
    pub fn add_group(&self, actor: &Actor, new: &NewGroup<'_>) -> Result<Group, Error> {
        self.on_node(actor, Act::ManagePartners, Deed::AddGroup, new.name)?;
        checked_name("sharing group", new.name)?;
        let owner = match new.owner {
            Some(owner) => self.kept_organisation(actor, owner)?,
            None => super::own_organisation(&*self.book)?
                .ok_or_else(|| Error::Invalid("the node has no organisation of its own".to_owned()))?,
        };
        let group = checked(Group {
            id: new_id()?,
            name: new.name.to_owned(),
            members: self.kept_organisations(actor, new.members)?,
            owner,
            hidden: new.hidden,
            from: new.from,
            until: new.until,
            backfill: new.backfill,
            on_leave: new.on_leave,
            since: Vec::new(),
        })?;
        self.free(&group)?;
        taken(self.book.add_group(&group))?;
        let group = self.kept_group(&group.id)?.unwrap_or(group);
        self.on_group_done(actor, Deed::AddGroup, &group, Some(&told(&group)));
        self.groups_changed(actor);
        Ok(group)
    }

    /// Changes a group. It acts at once on everything that is confined to it.
    ///
    /// # Errors
    /// [`Error`].
    pub fn change_group(&self, actor: &Actor, name: &str, change: &GroupChange<'_>) -> Result<Group, Error> {
        let mut group = self.managed_group(actor, Deed::ChangeGroup, name)?;
        // A name that is taken would tell of a group that the actor may not know of; and who runs it is given.
        if change.name.is_some() || change.owner.is_some() {
            self.on_node(actor, Act::ManagePartners, Deed::ChangeGroup, &group.name)?;
        }
        if let Some(name) = change.name {
            checked_name("sharing group", name)?;
            name.clone_into(&mut group.name);
        }
        if let Some(owner) = change.owner {
            group.owner = self.kept_organisation(actor, owner)?;
        }
        if let Some(members) = change.members {
            group.members = self.kept_organisations(actor, members)?;
        }
        let gone = self.kept_organisations(actor, change.remove)?;
        group.members.extend(self.kept_organisations(actor, change.add)?);
        group.members.retain(|member| !gone.contains(member));
        group.hidden = change.hidden.unwrap_or(group.hidden);
        group.from = change.from.unwrap_or(group.from);
        group.until = change.until.unwrap_or(group.until);
        group.backfill = change.backfill.unwrap_or(group.backfill);
        group.on_leave = change.on_leave.unwrap_or(group.on_leave);
        let group = checked(group)?;
        self.free(&group)?;
        taken(self.book.change_group(&group))?;
        let group = self.kept_group(&group.id)?.unwrap_or(group);
        self.on_group_done(actor, Deed::ChangeGroup, &group, Some(&told(&group)));
        self.groups_changed(actor);
        Ok(group)
    }

    /// Removes a group. What is confined to it is then seen by its originators alone.
    ///
    /// # Errors
    /// [`Error`].
    pub fn remove_group(&self, actor: &Actor, name: &str) -> Result<Group, Error> {
        let group = self.managed_group(actor, Deed::RemoveGroup, name)?;
        match self.book.remove_group(&group.id) {
            Err(ledger::Error::Missing { .. }) => return Err(unknown(name)),
            done => done?,
        }
        self.on_group_done(actor, Deed::RemoveGroup, &group, None);
        self.groups_changed(actor);
        Ok(group)
    }

    /// The group, for somebody who manages it.
    fn managed_group(&self, actor: &Actor, deed: Deed, name: &str) -> Result<Group, Error> {
        let group = self.kept_group(name)?.ok_or_else(|| unknown(name))?;
        if may_on(actor, Act::ManageGroup, &group) {
            return Ok(group);
        }
        let refused = self.refused(actor, deed, &group.name);
        Err(if may_on(actor, Act::SeeGroup, &group) { refused } else { unknown(name) })
    }

    fn kept_group(&self, name: &str) -> Result<Option<Group>, Error> {
        let (groups, lower) = (self.book.groups()?, name.to_lowercase());
        let named = || groups.iter().find(|group| group.name.to_lowercase() == lower);
        Ok(groups.iter().find(|group| group.id == lower).or_else(named).cloned())
    }

    /// Whether nothing else has the group's name.
    fn free(&self, group: &Group) -> Result<(), Error> {
        let lower = group.name.to_lowercase();
        let others = self.book.groups()?;
        match others
            .iter()
            .any(|other| other.id != group.id && (other.name.to_lowercase() == lower || other.id == lower))
        {
            true => Err(Error::Taken { what: "sharing group", name: group.name.clone() }),
            false => Ok(()),
        }
    }

    /// An organisation, as the register spells it.
    pub(super) fn kept_organisation(&self, actor: &Actor, name: &str) -> Result<String, Error> {
        let lower = name.trim().to_lowercase();
        let found = self.book.organisations()?.into_iter().find(|known| known.name.to_lowercase() == lower);
        if let Some(found) = found {
            return Ok(found.name);
        }
        if self.group(actor, &lower).is_ok() {
            return Err(Error::Invalid(format!(
                "`{name}` is a sharing group: a group holds organisations, not groups"
            )));
        }
        Err(Error::Invalid(format!("there is no organisation `{name}`")))
    }

    fn kept_organisations(&self, actor: &Actor, names: &[String]) -> Result<Vec<String>, Error> {
        names.iter().map(|name| self.kept_organisation(actor, name)).collect()
    }

    fn on_group_done(&self, actor: &Actor, deed: Deed, group: &Group, detail: Option<&str>) {
        let (subject, organisation) = (group.name.as_str(), Some(group.owner.as_str()));
        self.record(&AdministrationAct { actor, deed, subject, organisation, detail, done: true });
    }
}

/// What the actor is told of a group; `None`: not that it exists.
fn seen(actor: &Actor, mut group: Group) -> Option<SeenGroup> {
    let whole = may_on(actor, Act::SeeGroupMembers, &group);
    may_on(actor, Act::SeeGroup, &group).then(|| {
        if !whole {
            group.members.clear();
        }
        SeenGroup { group, whole }
    })
}

fn may_on(actor: &Actor, act: Act, group: &Group) -> bool {
    let within = match actor {
        Actor::Member(member) => {
            let own = member.organisation.to_lowercase();
            std::iter::once(&group.owner).chain(&group.members).any(|name| name.to_lowercase() == own)
        }
        _ => false,
    };
    may(actor, act, &Target::Group { owner: &group.owner, within, hidden: group.hidden })
}

/// A group whose window is one.
fn checked(group: Group) -> Result<Group, Error> {
    match (group.from, group.until) {
        (Some(from), Some(until)) if until <= from => Err(Error::Invalid(
            "the group would be closed before it is open: its end must be after its begin".to_owned(),
        )),
        _ => Ok(group),
    }
}

fn unknown(name: &str) -> Error {
    Error::Unknown { what: "sharing group", name: name.to_owned() }
}

fn taken(done: ledger::Result<()>) -> Result<(), Error> {
    match done {
        Err(ledger::Error::Exists { what, name }) => Err(Error::Taken { what, name }),
        Err(ledger::Error::Missing { what, name }) => Err(Error::Unknown { what, name }),
        done => Ok(done?),
    }
}

fn new_id() -> Result<String, Error> {
    let bytes = crate::chance::bytes().map_err(crate::credentials::Error::from)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid().to_string())
}

/// What the audit log keeps of a group.
fn told(group: &Group) -> String {
    let at = |at: Option<Micros>| at.map_or_else(|| "-".to_owned(), stix::timestamp::format_micros);
    let hidden = if group.hidden { ", hidden" } else { "" };
    let backfill = if group.backfill { ", back-fill" } else { "" };
    let recall = if group.on_leave == OnLeave::Recall { ", recall on leave" } else { "" };
    format!(
        "members: {}; from {} until {}{hidden}{backfill}{recall}",
        group.members.join(", "),
        at(group.from),
        at(group.until)
    )
}
