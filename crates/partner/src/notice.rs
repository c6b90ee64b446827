//! What a sharing group is, told by its owner to those who are in it.

use crate::key::Keys;
use crate::signed::{Error, Kind, Unverified, sign as sign_statement};
use serde_json::{Map, Value, json};
use stix::timestamp::format_micros;

/// The most members of a group.
pub const MOST_MEMBERS: usize = 5_000;
/// The most identities of one member.
const MOST_IDENTITIES: usize = 32;
/// Bytes of a name.
const LONGEST_NAME: usize = 200;

/// What becomes of what a member who leaves was given.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum OnLeave {
    /// They keep it.
    Keep,
    /// It is recalled.
    Recall,
}

impl OnLeave {
    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Recall => "recall",
        }
    }

    /// The one that is written so.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        [Self::Keep, Self::Recall].into_iter().find(|on_leave| on_leave.name() == name)
    }
}

/// A notice of a group. A newer one takes the place of an older one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GroupNotice {
    /// The group's UUID.
    pub id: String,
    /// For people.
    pub name: String,
    /// It is open from then on, in microseconds since 1970.
    pub from: Option<i64>,
    /// It is closed from then on.
    pub until: Option<i64>,
    /// Whether one who joins gets what was shared before.
    pub backfill: bool,
    /// What becomes of what one who leaves was given.
    pub on_leave: OnLeave,
    /// Whether only its owner is told who is in it. Such a notice names none but its receiver.
    pub hidden: bool,
    /// The STIX identities of each member, the owner's not among them.
    pub members: Vec<Vec<String>>,
    /// The group is no more.
    pub gone: bool,
    /// When it was said (RFC 3339).
    pub at: String,
}

impl GroupNotice {
    /// Signs it.
    #[must_use]
    pub fn sign(&self, keys: &Keys) -> Vec<u8> {
        let mut group = Map::new();
        group.insert("id".into(), self.id.as_str().into());
        group.insert("name".into(), self.name.as_str().into());
        group.extend(self.from.map(|from| ("from".into(), format_micros(from).into())));
        group.extend(self.until.map(|until| ("until".into(), format_micros(until).into())));
        group.insert("backfill".into(), self.backfill.into());
        group.insert("on_leave".into(), self.on_leave.name().into());
        group.insert("hidden".into(), self.hidden.into());
        let mut body = Map::new();
        body.insert("group".into(), group.into());
        body.insert("members".into(), json!(self.members));
        if self.gone {
            body.insert("gone".into(), true.into());
        }
        sign_statement(Kind::Group, Some(&self.at), body, keys)
    }

    /// What a notice says. Whether it is from whom it says is another question ([`Unverified::verify`]).
    ///
    /// # Errors
    /// [`Error::Form`].
    pub fn read(statement: &Unverified) -> Result<Self, Error> {
        let says = statement.expect(Kind::Group, &["group", "members", "gone"])?;
        let known = ["id", "name", "from", "until", "backfill", "on_leave", "hidden"];
        let group = says.get("group").and_then(Value::as_object);
        let group = group.filter(|group| group.keys().all(|name| known.contains(&name.as_str())));
        let group = group.ok_or_else(|| says.wrong("`group` has another form"))?;
        let text = |name: &str| group.get(name).and_then(Value::as_str);
        let flag = |name: &str| group.get(name).and_then(Value::as_bool);
        let id = text("id").filter(|id| uuid::Uuid::try_parse(id).is_ok_and(|uuid| uuid.to_string() == **id));
        let name = text("name").filter(|name| !name.is_empty() && name.len() <= LONGEST_NAME);
        let time = |name: &str| {
            let time = group.get(name).map(|value| {
                let time = value.as_str().and_then(|text| stix::timestamp::Timestamp::parse(text).ok());
                time.map(|time| time.micros).ok_or_else(|| says.wrong(format!("`{name}` is no timestamp")))
            });
            time.transpose()
        };
        let member = |member: &Value| {
            let list = member.as_array().filter(|list| !list.is_empty() && list.len() <= MOST_IDENTITIES);
            let identities = list.and_then(|list| list.iter().map(|id| id.as_str().map(str::to_owned)).collect());
            let is_identity = |id: &String| stix::id::Id::parse(id).is_ok_and(|id| id.object_type() == "identity");
            let identities = identities.filter(|list: &Vec<String>| list.iter().all(is_identity));
            identities.ok_or_else(|| says.wrong("a member is a list of ids of identities"))
        };
        let members = says.list("members", MOST_MEMBERS)?.ok_or_else(|| says.wrong("it has no `members`"))?;
        Ok(Self {
            id: id.ok_or_else(|| says.wrong("the group's `id` is no UUID in small letters"))?.to_owned(),
            name: name.ok_or_else(|| says.wrong("the group's `name` is empty or longer than 200 bytes"))?.to_owned(),
            from: time("from")?,
            until: time("until")?,
            backfill: flag("backfill").ok_or_else(|| says.wrong("the group has no `backfill`"))?,
            on_leave: text("on_leave")
                .and_then(OnLeave::of)
                .ok_or_else(|| says.wrong("the group's `on_leave` is neither keep nor recall"))?,
            hidden: flag("hidden").ok_or_else(|| says.wrong("the group has no `hidden`"))?,
            members: members.iter().map(member).collect::<Result<_, _>>()?,
            gone: says.flag("gone")?,
            at: statement.at().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
