//! One schedule: nodes in a topology, things that happen in an order that the dice choose, then peace, and what is held
//! beside what the oracle says.

use crate::dice::Dice;
use crate::oracle::{Terms, Way};
use crate::record::{GROUP, Made};
use crate::relay::{Relay, Spoil};
use crate::round::{Moved, Round};
use crate::wire::{Fault, Net};
use crate::world::{BEGIN, Bench, Node, ORGANISATIONS};
use ledger::{Appended, Group, Ledger as _, OnLeave, Relation, Sharing as _, Standing, Submission};
use node::intake::{Classes, Context, Intake};
use node::partners::provenance::Backing;
use policy::Tlp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

const HOUR: i64 = 3_600_000_000;
/// Cycles after the last fault until which everything must be quiet.
const CYCLES: usize = 24;

/// What was met in a schedule.
#[derive(Default)]
pub(crate) struct Met {
    pub(crate) schedules: u64,
    pub(crate) shapes: BTreeMap<&'static str, u64>,
    pub(crate) objects: u64,
    pub(crate) copies: u64,
    pub(crate) kept_back: u64,
    pub(crate) rounds: u64,
    pub(crate) broken: u64,
    pub(crate) kills: u64,
    pub(crate) recalls: u64,
    pub(crate) confirmed: u64,
    pub(crate) faults: BTreeMap<Fault, u64>,
    pub(crate) spoilt: BTreeMap<Spoil, u64>,
}

impl Met {
    pub(crate) fn add(&mut self, other: Self) {
        self.schedules += other.schedules;
        self.objects += other.objects;
        self.copies += other.copies;
        self.kept_back += other.kept_back;
        self.rounds += other.rounds;
        self.broken += other.broken;
        self.kills += other.kills;
        self.recalls += other.recalls;
        self.confirmed += other.confirmed;
        other.shapes.into_iter().for_each(|(shape, count)| *self.shapes.entry(shape).or_default() += count);
        other.faults.into_iter().for_each(|(fault, count)| *self.faults.entry(fault).or_default() += count);
        other.spoilt.into_iter().for_each(|(spoil, count)| *self.spoilt.entry(spoil).or_default() += count);
    }
}

/// The ways between nodes, by the shape of the net.
fn ways(nodes: usize, dice: &mut Dice) -> (&'static str, Vec<Way>) {
    let (shape, pairs): (_, Vec<(usize, usize)>) = match dice.below(5) {
        0 => ("ring", (0..nodes).map(|no| (no, (no + 1) % nodes)).collect()),
        1 => ("star", (1..nodes).flat_map(|no| [(0, no), (no, 0)]).collect()),
        2 => ("line", (1..nodes).flat_map(|no| [(no - 1, no), (no, no - 1)]).collect()),
        3 => ("mesh", (0..nodes).flat_map(|a| (0..nodes).filter(move |b| a != *b).map(move |b| (a, b))).collect()),
        _ => {
            let all = (0..nodes).flat_map(|a| (0..nodes).filter(move |b| a != *b).map(move |b| (a, b)));
            ("any", all.filter(|_| dice.percent(50)).collect())
        }
    };
    let way = |(from, to)| {
        let types = if dice.percent(10) { vec!["indicator".to_owned()] } else { Vec::new() };
        Way { from, to, pushed: PUSHES && dice.percent(30), types, to_members: dice.percent(50), most: None }
    };
    (shape, pairs.into_iter().map(way).collect())
}

fn terms(dice: &mut Dice) -> (&'static str, Terms) {
    let nodes = 2 + dice.below(ORGANISATIONS.len() - 1);
    let (shape, ways) = ways(nodes, dice);
    let all = ORGANISATIONS.len();
    let mut relations = vec![vec![Relation::Community; all]; nodes];
    let mut ceilings = vec![vec![None; all]; nodes];
    for at in 0..nodes {
        for of in 0..all {
            relations[at][of] =
                *dice.pick(&[Relation::Community, Relation::Community, Relation::Client, Relation::Public]);
            if dice.percent(8) {
                ceilings[at][of] = Some(*dice.pick(&[Tlp::Clear, Tlp::Green]));
            }
        }
        relations[at][at] = Relation::Own;
        ceilings[at][at] = None;
    }
    // Mostly minutes apart, now and then hours: then what is dated ahead is refused.
    let (most, step) = *dice.pick(&[(1, 1), (9, 60_000_000), (9, 60_000_000), (13, HOUR)]);
    let skews = (0..nodes).map(|_| i64::try_from(dice.below(most)).unwrap() * step).collect();
    let group = (1..all).filter(|_| dice.percent(60)).collect();
    (
        shape,
        Terms {
            nodes,
            ways,
            relations: relations.into_iter().map(policy_relations).collect(),
            ceilings,
            cards: vec![vec![true; all]; nodes],
            skews,
            group,
        },
    )
}

fn policy_relations(row: Vec<Relation>) -> Vec<policy::Relation> {
    let policy = |relation| match relation {
        Relation::Own => policy::Relation::Own,
        Relation::Client => policy::Relation::Client,
        Relation::Community => policy::Relation::Community,
        Relation::Public => policy::Relation::Public,
    };
    row.into_iter().map(policy).collect()
}

/// Tells a node what the terms say of the others.
fn settle_terms(node: &Node, terms: &Terms) {
    for (of, name) in ORGANISATIONS.into_iter().enumerate() {
        let relation = match terms.relations[node.no][of] {
            policy::Relation::Own => continue,
            policy::Relation::Client => Relation::Client,
            policy::Relation::Community => Relation::Community,
            policy::Relation::Public => Relation::Public,
        };
        if relation != Relation::Community {
            node.book().set_relation(name, relation).unwrap();
        }
        if let Some(ceiling) = terms.ceilings[node.no][of] {
            let word = if ceiling == Tlp::Clear { "clear" } else { "green" };
            let standing = Standing {
                organisation: name.into(),
                identities: Terms::identities(of),
                ceiling: Some(word.into()),
                ..Standing::default()
            };
            node.book().set_standing(&standing).unwrap();
        }
    }
    node.book()
        .add_group(&Group {
            id: GROUP.into(),
            name: "group".into(),
            owner: ORGANISATIONS[0].into(),
            members: terms.group.iter().map(|no| ORGANISATIONS[*no].to_owned()).collect(),
            hidden: false,
            from: None,
            until: None,
            backfill: true,
            on_leave: OnLeave::Keep,
            since: Vec::new(),
        })
        .unwrap();
}

/// A schedule that runs.
struct Play<'b> {
    bench: &'b Bench,
    net: Arc<Net>,
    terms: Terms,
    nodes: Vec<Node>,
    rounds: Vec<Round>,
    made: Vec<Made>,
    recalled: BTreeSet<String>,
    classes: BTreeMap<usize, Classes>,
    dice: Dice,
    met: Met,
}

/// Plays the schedule of a seed, and says what does not hold.
pub(crate) fn hold(bench: &Bench, seed: u64, steps: usize) -> Result<Met, String> {
    let mut dice = Dice::new(seed);
    let (shape, terms) = terms(&mut dice);
    let clock = Arc::new(AtomicI64::new(BEGIN));
    let nodes: Vec<Node> = (0..terms.nodes).map(|no| bench.node(no, &clock, terms.skews[no])).collect();
    nodes.iter().for_each(|node| settle_terms(node, &terms));
    let relay = (RELAYS && dice.percent(40)).then(|| Relay::new(dice.below(terms.nodes), seed));
    let states = nodes.iter().map(|node| Arc::clone(&node.state)).collect();
    let net = Net::new(dice.fork(), clock, states, relay);
    net.set_faults(*dice.pick(&[0, 10, 30, 50]));
    let met = Met { schedules: 1, shapes: [(shape, 1)].into(), ..Met::default() };
    let mut play = Play {
        bench,
        net,
        terms,
        nodes,
        rounds: Vec::new(),
        made: Vec::new(),
        recalled: BTreeSet::new(),
        classes: BTreeMap::new(),
        dice,
        met,
    };
    for _ in 0..steps {
        play.step();
    }
    let done = play.peace().and_then(|()| play.judge());
    let Play { net, mut met, terms, .. } = play;
    met.faults = net.met();
    met.spoilt = net.relay().map(|relay| relay.spoilt.lock().unwrap().clone()).unwrap_or_default();
    done.map(|()| met).map_err(|why| format!("{why}\n\n{shape}: {terms:?}\n\n{}", net.log().join("\n")))
}

/// Whether some links push.
const PUSHES: bool = true;
/// Whether relays that lie take part.
const RELAYS: bool = true;

impl Play<'_> {
    /// Something happens.
    fn step(&mut self) {
        match self.dice.below(100) {
            0..12 => self.make(),
            12..16 => self.again(),
            16 => self.recall(),
            17..37 if !self.terms.ways.is_empty() => {
                let way = self.dice.below(self.terms.ways.len());
                self.begin(way);
            }
            37..40 => {
                let node = self.dice.below(self.terms.nodes);
                self.kill(node);
            }
            40..43 if !self.rounds.is_empty() => {
                // In the middle of one of its rounds.
                let node = self.dice.pick(&self.rounds).node;
                self.kill(node);
            }
            43..45 => {
                let (a, b) = (self.dice.below(self.terms.nodes), self.dice.below(self.terms.nodes));
                self.net.part(a, b);
            }
            45..48 => self.bench.runtime.block_on(self.net.echo()),
            48..52 => {
                let minutes = i64::try_from(1 + self.dice.below(90)).unwrap();
                self.net.clock.fetch_add(minutes * 60_000_000, Ordering::SeqCst);
            }
            _ => self.go_on(),
        }
        self.net.clock.fetch_add(1_000, Ordering::SeqCst);
    }

    /// An organisation makes an object.
    fn make(&mut self) {
        let author = self.dice.below(self.terms.nodes);
        let at = self.nodes[author].now() / 1_000 * 1_000;
        let made = Made::first(author, self.made.len(), at, &mut self.dice);
        self.keep(made);
    }

    /// An organisation makes a later version of one of its objects, or ends it.
    fn again(&mut self) {
        let lives = |made: &Made| made.is_signed() && !self.recalled.contains(&made.id);
        let versioned: Vec<usize> = (0..self.made.len()).filter(|no| lives(&self.made[*no])).collect();
        if versioned.is_empty() {
            return;
        }
        let no = *self.dice.pick(&versioned);
        let id = self.made[no].id.clone();
        let last = self.made.iter().filter(|made| made.id == id).max_by_key(|made| made.at).unwrap().clone();
        if last.revoked {
            return;
        }
        let at = self.nodes[last.author].now() / 1_000 * 1_000;
        let revoked = self.dice.percent(20);
        let next = last.again(at, self.made.len(), revoked, &mut self.dice);
        self.keep(next);
    }

    /// An organisation takes one of its objects back.
    fn recall(&mut self) {
        let live: Vec<usize> = (0..self.made.len()).filter(|no| !self.recalled.contains(&self.made[*no].id)).collect();
        if live.is_empty() {
            return;
        }
        let Made { author, id, .. } = &self.made[*self.dice.pick(&live)];
        let recalls = self.nodes[*author].recall(id);
        self.net.say(format!("{author} recalls {id}: {recalls:?}"));
        self.recalled.insert(id.clone());
        self.met.recalls += 1;
    }

    fn keep(&mut self, made: Made) {
        let node = &self.nodes[made.author];
        let owner = ORGANISATIONS[made.author].to_owned();
        let context = Context {
            member: Some(format!("member{}", made.author)),
            recipients: made.recipients.clone(),
            handling: made.handling.clone(),
            ..Context::new(node.kept.collection.no, owner, node.book()).unwrap()
        };
        let mut intake = Intake::new();
        let taken = intake.take(&made.body).unwrap();
        let class = self
            .classes
            .entry(made.author)
            .or_default()
            .number(node.book(), &context.class(&taken, Backing::none()))
            .unwrap();
        let references: Vec<&str> = taken.head.references.iter().map(AsRef::as_ref).collect();
        let entry = taken.entry(context.collection, class, &references);
        let submission = Submission { entries: &[entry], receipt: None };
        let answer = node.book().append(&[submission], node.now(), &stix::equivalent).unwrap();
        assert!(matches!(answer[0][0], Appended::Added(_)), "{answer:?}: {}", String::from_utf8_lossy(&made.body));
        self.net.say(format!("{} makes {}", made.author, String::from_utf8_lossy(&made.body)));
        self.made.push(made);
        self.met.objects += 1;
    }

    fn begin(&mut self, no: usize) {
        if self.rounds.iter().any(|round| round.way == no) {
            return;
        }
        let way = &self.terms.ways[no];
        let (leads, _) = way.ends();
        self.rounds.push(Round::begin(&self.net, &self.nodes[leads], no, way));
        self.met.rounds += 1;
    }

    /// A round goes on by one step.
    fn go_on(&mut self) {
        if self.rounds.is_empty() {
            return;
        }
        let no = self.dice.below(self.rounds.len());
        if let Some(done) = self.rounds[no].step(&self.bench.runtime) {
            let round = self.rounds.swap_remove(no);
            self.net.say(format!("round of way {} ends: {done:?}", round.way));
            self.met.broken += u64::from(done.is_err());
        }
    }

    /// A node dies where it stands, with all its rounds, and comes again.
    fn kill(&mut self, no: usize) {
        self.rounds.retain(|round| round.node != no);
        self.net.say(format!("node {no} is killed"));
        let node = self.bench.revive(&self.nodes[no]);
        self.net.replace(no, Arc::clone(&node.state));
        self.nodes[no] = node;
        self.met.kills += 1;
    }

    /// Nothing goes wrong any more: rounds follow each other until none moves anything.
    fn peace(&mut self) -> Result<(), String> {
        self.net.heal();
        while !self.rounds.is_empty() {
            self.net.clock.fetch_add(1_000, Ordering::SeqCst);
            self.go_on();
        }
        self.net.say("peace".into());
        for _ in 0..CYCLES {
            self.bench.runtime.block_on(self.net.echo());
            if self.cycle()?.is_nothing() {
                return Ok(());
            }
        }
        Err(format!("after {CYCLES} cycles without a fault there is still traffic"))
    }

    /// Every way has a round; what they moved.
    fn cycle(&mut self) -> Result<Moved, String> {
        let mut all = Moved::default();
        for way in 0..self.terms.ways.len() {
            self.net.clock.fetch_add(60_000_000, Ordering::SeqCst);
            self.begin(way);
            while let Some(round) = self.rounds.last_mut() {
                self.net.clock.fetch_add(1_000, Ordering::SeqCst);
                let Some(done) = round.step(&self.bench.runtime) else { continue };
                self.rounds.pop();
                let moved = done.map_err(|why| format!("a round of way {way} fails in peace: {why}"))?;
                self.net.say(format!("round of way {way}: {moved:?}"));
                all.objects += moved.objects;
                all.mail += moved.mail;
                all.held |= moved.held;
            }
        }
        Ok(all)
    }

    /// Holds what the nodes hold beside what the oracle says.
    fn judge(&mut self) -> Result<(), String> {
        let now = self.net.clock.load(Ordering::SeqCst);
        let [surely, perhaps] = self.terms.spread(&self.made, &self.recalled, self.net.relay(), now);
        let mut wrong = Vec::new();
        for ((node, surely), perhaps) in self.nodes.iter().zip(&surely).zip(&perhaps) {
            let holds = node.holds();
            for key in surely.keys().filter(|key| !holds.contains_key(*key)) {
                wrong.push(format!("node {} does not hold {key:?}", node.no));
            }
            for (key, bodies) in &holds {
                let Some(made) = perhaps.get(key).map(|no| &self.made[*no]) else {
                    wrong.push(format!("node {} holds {key:?}, which it must not", node.no));
                    continue;
                };
                if made.is_signed() && bodies.len() > 1 {
                    wrong.push(format!("node {} holds {key:?} {} times", node.no, bodies.len()));
                }
                if bodies.iter().any(|body| !stix::equivalent(body, &made.body)) {
                    wrong.push(format!("node {} holds {key:?} with other content", node.no));
                }
                self.met.copies += u64::from(made.author != node.no);
            }
            wrong.extend(node.aside().into_iter().map(|aside| format!("node {} keeps aside {aside}", node.no)));
            let others = self.made.iter().filter(|made| made.author != node.no).count();
            let shared = perhaps.values().filter(|no| self.made[**no].author != node.no).count();
            self.met.kept_back += u64::try_from(others - shared).unwrap();
        }
        if !self.terms.is_out_of_time() {
            wrong.extend(self.unconfirmed());
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }

    /// Recalls that somebody has not confirmed, in the eyes of whoever made them.
    fn unconfirmed(&mut self) -> Vec<String> {
        let mut wrong = Vec::new();
        for id in &self.recalled {
            let author = self.made.iter().find(|made| made.id == *id).unwrap().author;
            for status in self.nodes[author].status(id) {
                let reached = status.reached();
                self.met.confirmed += reached.confirmed;
                if reached.waiting > 0 || reached.cannot > 0 {
                    wrong.push(format!("node {author}'s recall of {id} has not come to its end: {status:?}"));
                }
            }
        }
        wrong
    }
}
