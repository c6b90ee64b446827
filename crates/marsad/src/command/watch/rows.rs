//! Parquet, which is read from a file and not from a stream.

use super::eye::Sight;
use super::stop::Stop;
use crate::terminal::{note, visible};
use indicatif::ProgressBar;
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::rc::Rc;
use watch::input::{Format, Wanted};
use watch::read::Parquet;

/// Whether a file is Parquet, or is said to be and is a file.
pub(super) fn is_one(path: &Path, wanted: Wanted) -> io::Result<bool> {
    if !matches!(wanted, Wanted::Auto | Wanted::Only(Format::Parquet)) || !std::fs::metadata(path)?.is_file() {
        return Ok(false);
    }
    let mut magic = [0; 4];
    let mut length = 0;
    let mut file = File::open(path)?;
    while let Some(room) = magic.get_mut(length..).filter(|room| !room.is_empty()) {
        match file.read(room)? {
            0 => break,
            more => length += more,
        }
    }
    // Who says Parquet of a packed file is told that it is packed.
    let packed = matches!(magic, [0x1f, 0x8b, 8, _] | [0x28, 0xb5, 0x2f, 0xfd]);
    Ok(magic == *b"PAR1" || (matches!(wanted, Wanted::Only(_)) && !packed))
}

/// Reads a file.
pub(super) fn read(path: &Path, sight: &Rc<RefCell<Sight>>, stop: &Stop, bar: &ProgressBar) -> io::Result<()> {
    let input = path.display().to_string();
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let before = bar.position();
    let mut reader = Parquet::new(file, &sight.borrow().map)?;
    let mut sight = sight.borrow_mut();
    let Sight { watcher, hits, summary, .. } = &mut *sight;
    summary.format(Format::Parquet);
    summary.inputs += 1;
    while !stop.asked() && !hits.failed() {
        if let Some(set) = hits.changed() {
            watcher.swap(set);
        }
        let more = reader.read(&mut |event| watcher.event(event, &mut |hit| hits.hit(&input, hit)));
        match more {
            Ok(true) => bar.set_position(before + reader.position()),
            Ok(false) => break,
            Err(error) => {
                // What could be read of it counts.
                let shown = visible(&input);
                bar.suspend(|| note(format!("marsad: {shown} is cut or broken: {error}; what came before was read")));
                summary.cut += 1;
                break;
            }
        }
    }
    hits.flush();
    summary.events += reader.rows();
    summary.bytes += length;
    summary.cut_lines(&input, reader.faults());
    bar.set_position(before + length);
    Ok(())
}
