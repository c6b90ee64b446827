//! Rounds of links: started, led step by step, dropped in the middle when their node dies.

use crate::oracle::Way;
use crate::wire::{Net, Turn, Wire};
use crate::world::{ALIAS, Kept, Node, ORGANISATIONS, address, authorization};
use ledger::{Partner, PartnerKind, Partners as _};
use node::partners::link::{Definition, Direction};
use node::partners::runner::{self, Bounds, Here, Job};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use taxii::client::{Client, Limits};

/// What a round moved.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Moved {
    /// Objects that came or went.
    pub(crate) objects: u64,
    /// Of those: refused.
    pub(crate) refused: u64,
    /// Signed statements that came or went.
    pub(crate) mail: u64,
    /// Whether it ended before everything was done.
    pub(crate) held: bool,
}

impl Moved {
    pub(crate) fn is_nothing(&self) -> bool {
        self.objects == 0 && self.mail == 0 && !self.held
    }
}

/// A round under way.
pub(crate) struct Round {
    /// Which way, by its place.
    pub(crate) way: usize,
    /// The node that leads it.
    pub(crate) node: usize,
    turn: Arc<Turn>,
    future: Pin<Box<dyn Future<Output = Result<Moved, String>>>>,
}

impl Round {
    pub(crate) fn begin(net: &Arc<Net>, node: &Node, no: usize, way: &Way) -> Self {
        let turn = Arc::new(Turn::default());
        let (leads, other) = way.ends();
        let wire = Wire {
            net: Arc::clone(net),
            from: leads,
            to: other,
            skew: node.skew,
            authorization: authorization(other, leads),
            turn: Arc::clone(&turn),
        };
        let future = Box::pin(round(wire, Arc::clone(&node.kept), job(node, no, way)));
        Self { way: no, node: leads, turn, future }
    }

    /// Lets the round go on until it waits for its turn again; `Some`: it is over.
    pub(crate) fn step(&mut self, runtime: &tokio::runtime::Runtime) -> Option<Result<Moved, String>> {
        self.turn.grant();
        let (future, turn) = (&mut self.future, &self.turn);
        runtime.block_on(poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            Poll::Pending if turn.waits() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }))
    }
}

/// The job of a way, for the node that leads it.
fn job(node: &Node, no: usize, way: &Way) -> Job {
    let other = way.ends().1;
    let direction = if way.pushed { Direction::Push } else { Direction::Pull };
    let definition = Definition {
        types: way.types.clone(),
        max_objects_per_hour: way.most,
        to: if way.to_members && !way.pushed { vec![ORGANISATIONS[way.to].to_owned()] } else { Vec::new() },
        ..Definition::new(direction, &address(other), ALIAS, &node.kept.collection.id)
    };
    let organisation = ORGANISATIONS[other].to_owned();
    let partner = node.kept.book.partner(&organisation).unwrap();
    let partner = partner.unwrap_or(Partner { organisation, kind: PartnerKind::Node, terms: b"{}".to_vec(), added: 0 });
    Job { name: format!("way {no}"), partner, definition }
}

async fn round(wire: Wire, kept: Arc<Kept>, job: Job) -> Result<Moved, String> {
    let client = Client::new(wire, Limits { page_size: 3, ..Limits::default() });
    let bounds = Bounds { round: Duration::from_secs(3_600), objects: 3, grown: 3, bytes: 1 << 20 };
    let here = Here {
        book: &*kept.book,
        door: &kept.door,
        config: &kept.config,
        keys: &kept.own.keys,
        ring: &kept.ring,
        own: ORGANISATIONS[kept.no],
        journal: &kept.journal,
    };
    let done = runner::round(&client, &here, &job, &bounds, &mut |_| Ok(true)).await;
    let done = done.map_err(|broken| broken.error.story())?;
    Ok(Moved {
        objects: done.objects,
        refused: done.refused,
        mail: done.mail_in + done.mail_out,
        held: done.held.is_some(),
    })
}
