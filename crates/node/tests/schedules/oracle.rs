//! Who holds what when everything is quiet: slow, and in a few lines over the policy. Every node starts with what its own
//! organisation made; whatever a node may hand to a partner over a link, the partner holds; until nothing changes.

use crate::record::{GROUP, Made};
use crate::relay::{Relay, Spoil};
use crate::world::{ORGANISATIONS, identity};
use policy::{
    Audience, Author, Class, Facts, Group, Meaning, Micros, Outcome, Relation, Rules, Tlp, Treatment, Viewer,
};
use std::collections::{BTreeMap, BTreeSet};

/// What is dated further ahead of a node's clock is not taken.
const AHEAD: Micros = 10 * MINUTE;
const MINUTE: Micros = 60_000_000;

/// One direction of an exchange: what goes from a node to a node.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// Whether the one that has it starts the rounds.
    pub(crate) pushed: bool,
    /// Only these types; empty: all.
    pub(crate) types: Vec<String>,
    /// Whether the taker says who gets TLP:RED: its own organisation.
    pub(crate) to_members: bool,
    /// Objects that it takes in an hour at most.
    pub(crate) most: Option<u64>,
}

impl Way {
    /// Who leads the rounds, and who answers.
    pub(crate) fn ends(&self) -> (usize, usize) {
        if self.pushed { (self.from, self.to) } else { (self.to, self.from) }
    }

    /// Whether an object goes this way, as far as it depends on the link.
    fn takes(&self, made: &Made) -> bool {
        let kind = made.id.split("--").next().unwrap();
        let wanted = self.types.is_empty() || self.types.iter().any(|wanted| wanted == kind);
        // Who pulls TLP:RED must say for whom it is; who is pushed to has named the account that pushes.
        let addressed = made.tlp != Some(Tlp::Red) || self.to_members || self.pushed;
        wanted && addressed && made.author != self.to
    }
}

/// What holds on the nodes of a schedule.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) nodes: usize,
    pub(crate) ways: Vec<Way>,
    /// How an organisation stands to a node's own: `[node][organisation]`.
    pub(crate) relations: Vec<Vec<Relation>>,
    /// What an organisation is given at most by a node: `[node][organisation]`.
    pub(crate) ceilings: Vec<Vec<Option<Tlp>>>,
    /// Which organisations' cards a node has: `[node][organisation]`.
    pub(crate) cards: Vec<Vec<bool>>,
    /// By how much each node's clock is off.
    pub(crate) skews: Vec<Micros>,
    /// The members of the group beside its owner, the first organisation.
    pub(crate) group: Vec<usize>,
}

/// Which node has which record, and everybody from whom it may have it.
type Held = BTreeMap<(usize, usize), BTreeSet<usize>>;

/// The facts of one node.
struct At<'t>(&'t Terms, usize);

impl Facts for At<'_> {
    fn meaning(&self, _: &str, _: &str) -> Meaning {
        Meaning::Unknown
    }

    fn group(&self, id: &str) -> Option<Group> {
        let members = self.0.group.iter().map(|no| ORGANISATIONS[*no].to_owned()).collect();
        let owner = ORGANISATIONS[0].to_owned();
        (id == GROUP).then(|| Group { id: id.into(), name: "group".into(), owner, members, ..Group::default() })
    }

    fn ceiling(&self, organisation: &str) -> Option<Tlp> {
        let no = ORGANISATIONS.iter().position(|name| *name == organisation)?;
        self.0.ceilings[self.1][no]
    }

    fn treatment(&self, _: &Viewer, _: &str) -> Treatment {
        Treatment::Give
    }
}

impl Terms {
    pub(crate) fn viewer(&self, at: usize, of: usize) -> Viewer {
        Viewer {
            name: Some(format!("member{of}")),
            organisation: Some(ORGANISATIONS[of].into()),
            relation: self.relations[at][of],
        }
    }

    /// The class of a record at a node that got it from another (or itself, if it made it).
    fn class(&self, made: &Made, at: usize, from: usize) -> Class {
        let author = match made.author == from {
            true => Author::Owner,
            // What names nobody is its bringer's where its seal is nobody's.
            false if !made.is_signed() && !self.cards[at][made.author] => Author::Owner,
            false => Author::Organisation(ORGANISATIONS[made.author].into()),
        };
        let may_be_red = matches!(made.tlp, None | Some(Tlp::Red));
        let recipients = match at == made.author {
            true if made.recipients.is_empty() && may_be_red => vec![format!("member{}", made.author)],
            true => made.recipients.clone(),
            false => Vec::new(),
        };
        Class {
            markings: made.markings(),
            recipients,
            owner: ORGANISATIONS[from].into(),
            author,
            handling: made.handling.clone(),
            ..Class::default()
        }
    }

    /// Whether a node gives a record that it got from `bringer` to an organisation.
    fn gives(&self, made: &Made, at: usize, bringer: usize, to: usize, now: Micros) -> bool {
        let class = self.class(made, at, bringer);
        // A circle is one of the node that drew it.
        let narrow =
            |circle: &Audience| matches!(circle, Audience::Organisation | Audience::Community | Audience::Connected);
        if at != made.author && class.handling.audience.iter().any(narrow) {
            return false;
        }
        let decision = policy::decide(&self.viewer(at, to), &class, now, &Rules::default(), &At(self, at));
        decision.outcome == Outcome::Release
    }

    /// Whether it depends on the moment if a node takes a record: its author's clock is ahead of the taker's.
    fn is_dated_ahead(&self, made: &Made, to: usize) -> bool {
        self.skews[made.author] - self.skews[to] > AHEAD - MINUTE
    }

    /// Whether nodes' clocks are so far apart that some do not believe what others date.
    pub(crate) fn is_out_of_time(&self) -> bool {
        let (least, most) = (self.skews.iter().min(), self.skews.iter().max());
        least.zip(most).is_some_and(|(least, most)| most - least > AHEAD - MINUTE)
    }

    /// What each node holds in the end: id and version, and the places in `made` of the bodies. First what it holds in any
    /// case, then what it may hold, as it depends on the moment at which something came, or over which node first.
    pub(crate) fn spread(
        &self,
        made: &[Made],
        recalled: &BTreeSet<String>,
        relay: Option<&Relay>,
        now: Micros,
    ) -> [Vec<BTreeMap<(String, String), usize>>; 2] {
        let perhaps = self.flow(made, relay, now, None);
        let surely = self.flow(made, relay, now, Some(&perhaps));
        [(surely, true), (perhaps, false)].map(|(held, surely)| {
            let mut nodes = vec![BTreeMap::new(); self.nodes];
            for (at, no) in held.keys() {
                let made = &made[*no];
                // A recall that is dated ahead of a node's clock is refused there, like an object.
                let missed = !surely && self.is_out_of_time() && made.author != *at;
                if !recalled.contains(&made.id) || missed {
                    nodes[*at].insert((made.id.clone(), made.version.clone()), *no);
                }
            }
            nodes
        })
    }

    /// Who gets what from whom. Without `perhaps`: whatever may be; with it, what is in any case.
    fn flow(&self, made: &[Made], relay: Option<&Relay>, now: Micros, perhaps: Option<&Held>) -> Held {
        let mut held = Held::new();
        for (no, made) in made.iter().enumerate() {
            held.entry((made.author, no)).or_default().insert(made.author);
        }
        loop {
            let mut more = Vec::new();
            for way in &self.ways {
                for ((at, no), bringers) in held.iter().filter(|((at, _), _)| *at == way.from) {
                    let made = &made[*no];
                    let gives = |from: &usize| self.gives(made, *at, *from, way.to, now);
                    // Whoever brings an object first is its owner there: not everything that its author set holds then.
                    let given = match perhaps {
                        None => bringers.iter().any(gives),
                        Some(perhaps) => perhaps[&(*at, *no)].iter().all(gives) && !self.is_dated_ahead(made, way.to),
                    };
                    let spoilt = relay.filter(|relay| relay.node == *at).and_then(|relay| relay.spoils(way.to, made));
                    let refused = spoilt.is_some_and(Spoil::is_refused) && self.cards[way.to][made.author];
                    let known = held.get(&(way.to, *no)).is_some_and(|known| known.contains(at));
                    if given && way.takes(made) && !refused && !known {
                        more.push((way.to, *no, *at));
                    }
                }
            }
            if more.is_empty() {
                return held;
            }
            for (at, no, from) in more {
                held.entry((at, no)).or_default().insert(from);
            }
        }
    }

    /// The identities of an organisation, as its card names them.
    pub(crate) fn identities(of: usize) -> Vec<String> {
        vec![identity(of)]
    }
}
