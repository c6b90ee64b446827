//! Narrowing who may see what is stored.

use super::{Administration, AdministrationAct, Deed, Error, checked_name};
use crate::audit::acts_as;
use crate::intake::Classes;
use crate::narrow::{Narrowing, narrow, stored};
use crate::partners::recalls::Made;
use ledger::{Ledger, Micros};
use policy::role::{Act, Actor, Target, may};
use policy::{Audience, Class, Tlp, Viewer};

/// A restriction of one object.
#[derive(Debug)]
pub struct Restriction<'a> {
    /// The object's id; the actor sees it.
    pub object: &'a str,
    /// Whether the actor's organisation brought in or made every version of it that the actor sees.
    pub originated: bool,
    /// The further limit; a sharing group in it may be named.
    pub narrowing: &'a Narrowing,
}

impl Administration {
    /// Narrows an object: for the operator and the node's own publishers in every version, for those of another
    /// organisation in the versions that theirs brought in or made. Returns how many versions were changed.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Unknown`] if the object is not in the book.
    pub fn restrict(
        &self,
        actor: &Actor,
        (book, classes): (&dyn Ledger, &Classes),
        restriction: &Restriction<'_>,
        now: Micros,
    ) -> Result<u64, Error> {
        Ok(self.restrict_and_tell(actor, (book, classes), restriction, now)?.0)
    }

    /// The same; who is told of those to whom it was handed.
    pub(super) fn restrict_and_tell(
        &self,
        actor: &Actor,
        (book, classes): (&dyn Ledger, &Classes),
        restriction: &Restriction<'_>,
        now: Micros,
    ) -> Result<(u64, Made), Error> {
        let Restriction { object, originated, narrowing } = *restriction;
        if !may(actor, Act::Restrict, &Target::Object { originated }) {
            return Err(self.refused(actor, Deed::Restrict, object));
        }
        let narrowing = self.checked_narrowing(actor, narrowing)?;
        let of = |class: &Class| match actor {
            Actor::Member(member) if !member.own => class.originated_by(&member.organisation),
            _ => true,
        };
        let made = match &self.taker {
            Some(taker) => taker.narrowing(object, &narrowing, &of, &acts_as(actor), now)?,
            None => Made::default(),
        };
        let changed = narrow(book, classes, object, &narrowing, &of, now)?;
        if changed == 0 && !stored(book, object)? {
            return Err(Error::Unknown { what: "object", name: object.to_owned() });
        }
        let told = told(&narrowing, changed);
        let (subject, detail) = (object, Some(told.as_str()));
        self.record(&AdministrationAct {
            actor,
            deed: Deed::Restrict,
            subject,
            organisation: None,
            detail,
            done: true,
        });
        Ok((changed, made))
    }

    /// Whether the actor may be told why this viewer sees an object or does not.
    ///
    /// # Errors
    /// [`Error::Unknown`], as for a viewer that does not exist.
    pub fn may_explain(&self, actor: &Actor, viewer: &Viewer) -> Result<(), Error> {
        let (name, organisation) = (viewer.name.as_deref(), viewer.organisation.as_deref());
        if may(actor, Act::Explain, &Target::Viewer { name, organisation }) {
            return Ok(());
        }
        let name = name.unwrap_or("anyone").to_owned();
        self.refused(actor, Deed::Explain, &name);
        Err(Error::Unknown { what: "account or organisation", name })
    }

    /// Whether the actor may be told who could see an object, and to whom it was handed.
    ///
    /// # Errors
    /// [`Error::Unknown`], as for an object that does not exist.
    pub fn may_trace(&self, actor: &Actor, object: &str) -> Result<(), Error> {
        self.on_node(actor, Act::Trace, Deed::Trace, object)
            .map_err(|_| Error::Unknown { what: "object", name: object.to_owned() })
    }

    /// A limit that limits something, to groups and people that there are.
    fn checked_narrowing(&self, actor: &Actor, narrowing: &Narrowing) -> Result<Narrowing, Error> {
        let invalid = |why: &str| Err(Error::Invalid(why.to_owned()));
        if *narrowing == Narrowing::default() {
            return invalid("a restriction limits something: a TLP level, a circle, a group, an embargo or an end");
        }
        if narrowing.tlp != Some(Tlp::Red) && !narrowing.recipients.is_empty() {
            return invalid("only what is TLP:RED has recipients");
        }
        let mut handling = narrowing.handling.clone();
        for circle in &mut handling.audience {
            if let Audience::Group(name) = circle {
                *name = match self.group(actor, name) {
                    Ok(seen) => seen.group.id,
                    Err(Error::Unknown { .. }) => {
                        return Err(Error::Invalid(format!("there is no sharing group `{name}`")));
                    }
                    Err(error) => return Err(error),
                };
            }
        }
        let recipients =
            narrowing.recipients.iter().map(|name| self.recipient(actor, name)).collect::<Result<_, _>>()?;
        Ok(Narrowing { recipients, handling, tlp: narrowing.tlp })
    }

    /// A recipient as the register spells it. Members of another organisation are not told who is there and who is not:
    /// what they write is kept, and means nobody where there is nobody.
    fn recipient(&self, actor: &Actor, name: &str) -> Result<String, Error> {
        if let Actor::Member(member) = actor
            && !member.own
        {
            checked_name("recipient", name)?;
            return Ok(name.to_owned());
        }
        let lower = name.trim().to_lowercase();
        let accounts = self.book.accounts()?.into_iter().map(|account| account.name);
        let organisations = self.book.organisations()?.into_iter().map(|organisation| organisation.name);
        let found = accounts.chain(organisations).find(|known| known.to_lowercase() == lower);
        found.ok_or_else(|| Error::Invalid(format!("`{name}` is neither an account nor an organisation of this node")))
    }
}

/// What the audit log keeps of a restriction: the recipients are persons, and are left out.
fn told(narrowing: &Narrowing, changed: u64) -> String {
    let mut limits: Vec<String> = narrowing.tlp.map(|tlp| tlp.label().to_owned()).into_iter().collect();
    limits.extend(narrowing.handling.audience.iter().map(|circle| match circle {
        Audience::Group(id) => format!("group {id}"),
        Audience::Organisation => "its own organisation".to_owned(),
        Audience::Community => "this community".to_owned(),
        Audience::Connected => "connected communities".to_owned(),
        Audience::All => "everyone".to_owned(),
    }));
    for (word, at) in [("from", narrowing.handling.embargo), ("until", narrowing.handling.expires)] {
        limits.extend(at.map(|at| format!("{word} {}", stix::timestamp::format_micros(at))));
    }
    format!("{}; {changed} versions", limits.join(", "))
}
