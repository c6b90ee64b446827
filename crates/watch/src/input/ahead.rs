//! Reads and unpacks on a thread of its own, a few pieces ahead of whoever looks at them.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// How much is read at once.
const PIECE: usize = 1 << 20;
/// How many pieces wait.
const AHEAD: usize = 4;

/// What comes from the thread that reads.
#[derive(Debug)]
pub enum Piece {
    /// The next bytes.
    Bytes(Vec<u8>),
    /// The input could not be read further: it is cut, or its medium failed. Nothing follows.
    Failed(io::Error),
}

/// Begins to read. The pieces come in order; after the last the channel is closed. If `live`, whatever is there comes at
/// once; else it is gathered to large pieces. Drop the receiver to end it; a thread that waits for its input then stays
/// until something comes or the process ends.
#[must_use]
pub fn ahead(source: Box<dyn Read + Send>, live: bool) -> Receiver<Piece> {
    let (sender, receiver) = sync_channel(AHEAD);
    std::thread::spawn(move || read(source, live, &sender));
    receiver
}

fn read(mut source: Box<dyn Read + Send>, live: bool, sender: &SyncSender<Piece>) {
    loop {
        let mut bytes = vec![0; PIECE];
        let mut length = 0;
        let mut ended = None;
        while let Some(room) = bytes.get_mut(length..).filter(|room| !room.is_empty()) {
            match source.read(room) {
                Ok(0) => ended = Some(None),
                Ok(more) => length += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => ended = Some(Some(error)),
            }
            if ended.is_some() || (live && length > 0) {
                break;
            }
        }
        bytes.truncate(length);
        if length > 0 && sender.send(Piece::Bytes(bytes)).is_err() {
            return;
        }
        match ended {
            None => {}
            Some(None) => return,
            Some(Some(error)) => {
                // Whoever looked has gone, or is told.
                let _ = sender.send(Piece::Failed(error));
                return;
            }
        }
    }
}
