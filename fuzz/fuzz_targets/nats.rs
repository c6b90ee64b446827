//! Any bytes as what a NATS server says, cut anywhere: nothing panics, nothing is taken before it is whole, and it is read
//! alike however it comes.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use wire::Said;

// The reader alone, which needs nothing of the node: the rest of it takes minutes to build.
#[path = "../../crates/node/src/nats/wire.rs"]
mod wire;

/// In the place of the client's error.
#[derive(Debug, Eq, PartialEq)]
pub enum Error {
    Protocol(&'static str),
}

/// All that was said, and how it ended: with an error, or with so many bytes that are not whole.
fn read<'b>(pieces: impl Iterator<Item = &'b [u8]>) -> (Vec<Said>, Result<usize, Error>) {
    let (mut said, mut read) = (Vec::new(), BytesMut::new());
    for piece in pieces {
        read.extend_from_slice(piece);
        loop {
            let before = read.len();
            match wire::next(&mut read) {
                Ok(Some(one)) => {
                    assert!(read.len() < before);
                    said.push(one);
                }
                Ok(None) => {
                    assert_eq!(read.len(), before);
                    break;
                }
                Err(error) => return (said, Err(error)),
            }
        }
    }
    (said, Ok(read.len()))
}

fuzz_target!(|input: (u16, &[u8])| {
    let (cut, bytes) = input;
    let whole = read(std::iter::once(bytes));
    assert_eq!(whole, read(bytes.chunks(usize::from(cut).max(1))));
    for one in &whole.0 {
        match one {
            Said::Message(message) => {
                assert!(message.head.len() + message.payload.len() <= bytes.len());
                assert!(message.bytes() <= bytes.len() + size_of_val(message));
                assert!(!message.subject.contains(|letter: char| letter.is_ascii_whitespace()));
                let _ = message.status();
                assert!(message.description().chars().count() <= 200);
            }
            Said::Error(why) => assert!(why.chars().count() <= 200 && !why.contains(char::is_control)),
            Said::Info(_) | Said::Ping | Said::Pong | Said::Ok => {}
        }
    }
});
