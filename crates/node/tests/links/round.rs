//! Rounds of links: started, led step by step, dropped in the middle when their node dies.

use crate::oracle::Way;
use crate::wire::{Net, Turn, Wire};
use crate::world::{ALIAS, Node, ORGANISATIONS, address, authorization};
use node::import::{Options, Refusal};
use node::intake::Context;
use node::link;
use node::packed::Budget;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use taxii::client::{Client, Limits, Selection};

/// What a round moved.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Moved {
    pub(crate) received: u64,
    pub(crate) added: u64,
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
        let (leads, other) = if way.pushed { (way.from, way.to) } else { (way.to, way.from) };
        let wire = Wire {
            net: Arc::clone(net),
            from: leads,
            to: other,
            skew: node.skew,
            authorization: authorization(other, leads),
            turn: Arc::clone(&turn),
        };
        let future = Box::pin(pull(wire, Arc::clone(&node.book), node.collection.clone(), way.clone()));
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

struct Silent;

impl node::import::Listener for Silent {
    fn refused(&mut self, _: Refusal) {}
    fn unreadable(&mut self, _: node::import::Error) {}
}

async fn pull(
    wire: Wire,
    book: Arc<ledger::sqlite::Book>,
    into: ledger::Collection,
    way: Way,
) -> Result<Moved, String> {
    let client = Client::new(wire, Limits { page_size: 3, ..Limits::default() });
    let from: taxii::client::Address = address(way.from).parse().map_err(|error| format!("{error}"))?;
    let context = Context::new(into.no, ORGANISATIONS[way.from].into(), &*book).map_err(|error| error.to_string())?;
    let options = Options {
        context,
        keep_20: false,
        all_or_nothing: false,
        budget: Budget { max_bytes: 1 << 20, max_ratio: 10 },
        limits: stix::json::Limits { max_depth: 32, max_bytes: 1 << 20, max_values: 10_000 },
    };
    let pull = link::Pull {
        from: link::Remote { address: &from, collection: ALIAS },
        selection: Selection { types: way.types.clone(), versions: Some("all".into()), ..Selection::default() },
        into: &into,
        options: &options,
        again: false,
    };
    let done = link::pull(&client, &*book, &pull, &mut Silent, &mut |_| {}).await.map_err(|error| error.to_string())?;
    Ok(Moved { received: done.received, added: done.counts.added })
}
