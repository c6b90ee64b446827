//! Follows the order of the book, and amends the set by what is concerned.

use super::names::{Uuid, uuid_of};
use super::read::{self, KEYS, Taking};
use super::{Error, LOOK, Merging, Shared};
use ::watch::general::CANDIDATES;
use ::watch::set::Set;
use ledger::{ClassNo, Ledger as _, Seq};
use policy::{Classes as _, View};
use std::collections::{BTreeMap, HashSet};
use std::sync::mpsc::TryRecvError;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

/// Records that are looked at between two changes of the set.
const BATCH: usize = 5_000;
/// Changes above which the set is put together anew, beside those that its size allows.
const MANY: usize = if cfg!(test) { 4 } else { 4_096 };
/// How often it is looked whether classes that we may not see have become visible: a window opens, a group takes us in.
const CLASSES: Duration = Duration::from_secs(2);
/// The pause after the book could not be read.
const TROUBLE: Duration = Duration::from_secs(1);

/// Follows until it is told to end.
pub(super) fn run(shared: &Shared) {
    let mut hidden = hidden_classes(shared);
    let mut looked = Instant::now();
    while !shared.pause(LOOK) {
        let mut followed = catch_up(shared);
        if followed.is_ok() && looked.elapsed() >= CLASSES {
            looked = Instant::now();
            let now = hidden_classes(shared);
            let opened = hidden.iter().any(|class| !now.contains(class));
            hidden = now;
            if opened {
                // What lies in them came long ago: nothing in the order tells of it.
                followed = read::whole(shared, None, &mut |_| {});
            }
        }
        if let Err(error) = followed {
            tracing::warn!(%error, "the watch cannot follow the book: it goes on with the indicators that it has");
            if shared.pause(TROUBLE) {
                return;
            }
        }
    }
}

/// Takes in what was added since the book was read last.
pub(super) fn catch_up(shared: &Shared) -> Result<(), Error> {
    let Some(last) = shared.book.last()? else { return Ok(()) };
    let mut position = Seq(shared.position.load(std::sync::atomic::Ordering::Acquire));
    while position < last && !shared.ending.load(std::sync::atomic::Ordering::Acquire) {
        let (mut keys, mut known) = (Vec::new(), HashSet::new());
        let next = shared.book.follow(position, BATCH, &mut |record| {
            if record.kind == "indicator"
                && let Some(uuid) = uuid_of(record.key)
                && known.insert(uuid)
            {
                keys.push(uuid);
            }
            // What people think of a claim changes how sure it is.
            keys.extend(super::voices::record(shared, record).into_iter().filter(|uuid| known.insert(*uuid)));
        })?;
        let Some(next) = next else {
            // Numbers without a record behind them: what was held already got them.
            shared.passed(last);
            break;
        };
        for keys in keys.chunks(KEYS) {
            amend(shared, keys, position)?;
        }
        // Only now: what was not taken in because the book could not be read is taken in the next time.
        shared.passed(next);
        position = next;
    }
    merge(shared);
    Ok(())
}

/// Gives some objects in the set the claims that they have now.
pub(super) fn amend(shared: &Shared, keys: &[Uuid], position: Seq) -> Result<(), Error> {
    let newest = read::newest(shared, keys)?;
    shared.confirmed.lock().unwrap_or_else(PoisonError::into_inner).forget(keys);
    let before = shared.now();
    let mut gone: Vec<u64> = {
        let names = shared.names.read().unwrap_or_else(PoisonError::into_inner);
        keys.iter().filter_map(|uuid| names.known(uuid)).collect()
    };
    let mut taking = Taking::noting(before.set.additions());
    for (uuid, body) in &newest {
        if let Some(object) = super::object::Object::read(body) {
            taking.take(shared, *uuid, &object);
        }
    }
    let mut general = Arc::clone(&before.general);
    let patterns: Vec<u64> = gone.iter().filter(|name| general.contains_key(name)).copied().collect();
    let ended: Vec<u64> = patterns.iter().filter(|name| !taking.general.contains_key(name)).copied().collect();
    if !taking.general.is_empty() || !patterns.is_empty() {
        let mut amended: BTreeMap<_, _> = (*general).clone();
        gone.iter().for_each(|name| drop(amended.remove(name)));
        amended.append(&mut taking.general);
        general = Arc::new(amended);
    }
    shared.counts.lock().unwrap_or_else(PoisonError::into_inner).add(&taking.counts);
    gone.extend(patterns.iter().map(|name| CANDIDATES | name));
    if let Some(merging) = shared.merging().as_mut().filter(|merging| !merging.failed) {
        merging.since.extend(gone.iter().chain(&taking.names));
    }
    shared.put(before.set.amended(&gone, taking.builder), general, position);
    for name in ended {
        shared.patterns.remove(name);
    }
    Ok(())
}

/// Has the set put together anew once many changes lie over its bulk. For ten million claims that takes about a second, so a
/// thread of its own does it; what comes meanwhile lies over the old bulk, and then over the new one.
fn merge(shared: &Shared) {
    let mut merging = shared.merging();
    let now = shared.now();
    let Some(under_way) = &*merging else {
        if now.set.changes() > MANY + now.set.len() / 32 {
            *merging = begin(shared, &now.set);
        }
        return;
    };
    match under_way.merged.try_recv() {
        Ok(merged) => {
            let set = now.set.rebased(&merged, &under_way.since);
            *merging = None;
            shared.put(set, Arc::clone(&now.general), now.position);
        }
        Err(TryRecvError::Empty) => {}
        // It would not come to its end another time either: what lies over the old bulk stays there.
        Err(TryRecvError::Disconnected) if !under_way.failed => {
            tracing::warn!(
                "the set of indicators could not be put together anew: look-ups will be slower until the next start"
            );
            if let Some(under_way) = &mut *merging {
                (under_way.failed, under_way.since) = (true, HashSet::new());
            }
        }
        Err(TryRecvError::Disconnected) => {}
    }
}

/// Begins to put a set together anew; without a thread to be had it is done at once.
fn begin(shared: &Shared, set: &Arc<Set>) -> Option<Merging> {
    let (done, merged) = std::sync::mpsc::sync_channel(1);
    let old = Arc::clone(set);
    let thread = std::thread::Builder::new().name("merge".to_owned()).spawn(move || {
        // Nobody waits for it any more if the book is not followed any more, or was read anew.
        let _ = done.send(old.merged());
    });
    if thread.is_err() {
        let now = shared.now();
        shared.put(set.merged(), Arc::clone(&now.general), now.position);
        return None;
    }
    Some(Merging { merged, since: HashSet::new(), failed: false })
}

/// The classes of which we may see nothing.
fn hidden_classes(shared: &Shared) -> Vec<u32> {
    let gate = shared.door.gate(shared.viewer.clone(), shared.at());
    let there = |number: &u32| shared.door.definition(ClassNo(*number).0).is_some();
    (1..).take_while(there).filter(|number| gate.view(*number) == View::Nothing).collect()
}
