//! `marsad watch --follow`.

use super::Args;
use super::eye::{LogEye, Sight};
use super::stop::Stop;
use crate::outcome::Failure;
use crate::terminal::{note, visible};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};
use watch::input::{Follower, Format, Notice, State};

/// How long to wait where nothing is new. What is added is seen so much later at most.
const PAUSE: Duration = Duration::from_millis(10);
/// How long the state may lag behind: after a crash so much is read again.
const SAVE_EVERY: Duration = Duration::from_millis(500);

/// Follows the inputs until the end is asked for.
pub(super) fn follow(args: &Args, sight: &Rc<RefCell<Sight>>, stop: &Stop) -> Result<(), Failure> {
    let state = match &args.state {
        Some(path) => State::load(path)?,
        None => State::default(),
    };
    let mut follower: Follower<LogEye> = Follower::new(args.inputs.clone(), args.format.wanted(), state);
    let started = Instant::now();
    let mut saved: Option<Instant> = None;
    let mut unsaved = false;
    let make_sight = Rc::clone(sight);
    let mut make = |path: &Path, format: Format| {
        (format != Format::Parquet).then(|| LogEye::new(path.display().to_string(), format, Rc::clone(&make_sight)))
    };
    let mut notice = |event: Notice| tell(&event, sight);
    while !stop.asked() && !sight.borrow().hits.failed() {
        let now = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let round = follower.round(now, &mut make, &mut notice);
        sight.borrow_mut().summary.bytes += round.bytes;
        // INVARIANT: hits are handed on before the state says that their lines were read.
        sight.borrow_mut().hits.flush();
        unsaved |= round.bytes > 0;
        if unsaved && saved.is_none_or(|at| at.elapsed() >= SAVE_EVERY) && !sight.borrow().hits.failed() {
            save(args, &follower.state())?;
            (saved, unsaved) = (Some(Instant::now()), false);
        }
        if !round.more {
            std::thread::sleep(PAUSE);
        }
    }
    if !sight.borrow().hits.failed() {
        save(args, &follower.end())?;
    }
    Ok(())
}

fn save(args: &Args, state: &State) -> Result<(), Failure> {
    match &args.state {
        Some(path) => state.save(path).map_err(|error| Failure::file("write", path, &error)),
        None => Ok(()),
    }
}

/// Says what happened to files.
fn tell(event: &Notice, sight: &Rc<RefCell<Sight>>) {
    let shown = |path: &Path| visible(&path.display().to_string());
    match event {
        Notice::Found(path, format) => {
            sight.borrow_mut().summary.inputs += 1;
            note(format!("marsad: reading {} ({})", shown(path), format.name()));
        }
        Notice::Copy(path) => {
            note(format!("marsad: {} is a copy of what has been read; going on behind that", shown(path)));
        }
        Notice::Anew(path) => note(format!("marsad: {} begins anew", shown(path))),
        Notice::Gone(path) => note(format!("marsad: {} is gone; it was read to its end", shown(path))),
        Notice::Unfit(path, format) => {
            note(format!("marsad: {} is left out: {} cannot be followed", shown(path), format.name()));
        }
        Notice::Failed(path, error) => note(format!("marsad: cannot read {}: {error}", shown(path))),
    }
}
