//! Reading a list: one thread reads, two make claims of lines.

use std::io::Read;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use observable::Claim;

use super::blocks::{Block, Blocks, Piece};
use super::record::{Columns, Record, Wrong};
use super::{Error, Report};
use crate::set::Builder;
use crate::warning::Warnings;

/// Threads that make claims.
const WORKERS: usize = 2;

/// Blocks that wait for each of them.
const WAITING: usize = 2;

pub(super) fn read<R: Read>(
    source: R,
    into: &mut Builder,
    warnings: Option<&Warnings>,
) -> Result<(Report, Columns), Error> {
    let mut blocks = Blocks::new(source);
    let Some(Piece::Block(first)) = blocks.next()? else { return Err(Error::Header) };
    let columns = first.lines().next().and_then(|(_, _, line)| Columns::named(line)).ok_or(Error::Header)?;
    let mut report = Report::default();
    thread::scope(|scope| {
        let mut workers = Vec::new();
        for _ in 0..WORKERS {
            let (send, receive) = sync_channel(WAITING);
            let builder = into.sibling();
            workers.push((send, scope.spawn(move || claims(&receive, columns, builder, warnings))));
        }
        let (ways, threads): (Vec<_>, Vec<_>) = workers.into_iter().unzip();
        let read = hand_out(first, &mut blocks, &ways, &mut report);
        drop(ways);
        for thread in threads {
            match thread.join() {
                Ok((builder, part)) => {
                    into.absorb(builder);
                    report.absorb(part);
                }
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        read
    })?;
    Ok((report, columns))
}

fn hand_out<R: Read>(
    first: Block,
    blocks: &mut Blocks<R>,
    ways: &[SyncSender<Block>],
    report: &mut Report,
) -> Result<(), Error> {
    let mut turns = ways.iter().cycle();
    let mut next = Some(Piece::Block(first));
    while let Some(piece) = next {
        match piece {
            Piece::Block(block) => {
                // A worker is gone only if it panicked, which joining it tells.
                if let Some(way) = turns.next()
                    && way.send(block).is_err()
                {
                    return Ok(());
                }
            }
            Piece::LongLine(line) => {
                report.indicators += 1;
                report.refuse(line, Wrong::Long);
            }
        }
        next = blocks.next()?;
    }
    Ok(())
}

fn claims(
    blocks: &Receiver<Block>,
    columns: Columns,
    mut builder: Builder,
    warnings: Option<&Warnings>,
) -> (Builder, Report) {
    let mut report = Report::default();
    for block in blocks {
        for (offset, number, line) in block.lines() {
            if number == 1 {
                continue;
            }
            let record = match columns.record(line) {
                Ok(None) => continue,
                Ok(Some(record)) => record,
                Err(wrong) => {
                    report.indicators += 1;
                    report.refuse(number, wrong);
                    continue;
                }
            };
            report.indicators += 1;
            if warnings.is_some_and(|warnings| report.is_benign(&claim(&record), warnings)) {
                continue;
            }
            match builder.add_value(record.kind, &record.value, record.reach, offset) {
                Ok(()) => report.taken += 1,
                Err(refused) => report.refuse(number, refused),
            }
        }
    }
    (builder, report)
}

/// What a line claims, as indicators elsewhere do.
fn claim(record: &Record<'_>) -> Claim {
    let value = String::from_utf8_lossy(&record.value).into();
    Claim { kind: record.kind, value, itself: record.reach.itself, subdomains: record.reach.subdomains }
}
