//! The open part of TLS: ClientHello, ServerHello, and certificates up to TLS 1.2. RFC 8446 §4, §5.1; RFC 5246 §7.4.

use super::flow::Turn;
use super::{certificate, fingerprint};
use crate::read::gather::Gather;
use crate::{Detail, Meaning};

/// The longest run of handshake messages that is read.
const LONGEST_HANDSHAKE: usize = 1 << 16;
/// The most certificates of a chain.
const MOST_CERTIFICATES: usize = 16;

/// Reads what one side says until its messages are encrypted.
pub(super) fn read(bytes: &[u8], gather: &mut Gather) -> Turn {
    let mut handshake = Vec::new();
    let mut rest = bytes;
    // Whether more of the handshake may come.
    let open = loop {
        let Some(header) = rest.get(..5) else { break true };
        let [kind, 3, _, high, low] = *header else { break false };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > (1 << 14) + 2048 || !matches!(kind, 21 | 22) {
            break false;
        }
        let Some(fragment) = rest.get(5..5 + length) else { break true };
        if kind == 22 {
            handshake.extend_from_slice(fragment);
        }
        rest = rest.get(5 + length..).unwrap_or_default();
        if handshake.len() > LONGEST_HANDSHAKE {
            break false;
        }
    };
    match messages(&handshake, open) {
        Some(messages) => {
            gather.push("protocol", Meaning::Detail(Detail::Protocol), b"tls,ssl");
            for (kind, body) in messages {
                // A message that cannot be read tells nothing; the others still do.
                let _ = match kind {
                    1 => client_hello(body, gather),
                    2 => server_hello(body, gather),
                    _ => certificates(body, gather),
                };
            }
            Turn::Done
        }
        None => Turn::More,
    }
}

/// The messages that tell something; `None` while one of them may still come.
fn messages(handshake: &[u8], open: bool) -> Option<Vec<(u8, &[u8])>> {
    let mut found = Vec::new();
    let mut rest = handshake;
    while let Some(&[kind, a, b, c]) = rest.first_chunk::<4>() {
        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        let Some(body) = rest.get(4..4 + length) else { break };
        match kind {
            1 | 11 => {
                found.push((kind, body));
                return Some(found);
            }
            2 => found.push((kind, body)),
            // After these a server says nothing more of itself.
            14 | 16 | 20 => return Some(found),
            _ => {}
        }
        rest = rest.get(4 + length..).unwrap_or_default();
    }
    (!open).then_some(found)
}

/// RFC 8446 §4.1.2.
fn client_hello(body: &[u8], gather: &mut Gather) -> Option<()> {
    let hello = fingerprint::Hello::client(body)?;
    if let Some(name) = hello.server_name() {
        gather.push("tls.sni", Meaning::Host, name);
    }
    gather.push("tls.ja3", Meaning::Ja3, hello.ja3().as_bytes());
    gather.push("tls.ja4", Meaning::Ja4, hello.ja4(b't').as_bytes());
    Some(())
}

/// RFC 8446 §4.1.3.
fn server_hello(body: &[u8], gather: &mut Gather) -> Option<()> {
    let hello = fingerprint::Hello::server(body)?;
    gather.push("tls.ja3s", Meaning::Ja3s, hello.ja3s().as_bytes());
    Some(())
}

/// RFC 5246 §7.4.2.
fn certificates(body: &[u8], gather: &mut Gather) -> Option<()> {
    let mut rest = body.get(3..)?;
    for index in 0..MOST_CERTIFICATES {
        let Some(&[a, b, c]) = rest.first_chunk::<3>() else { break };
        let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        let certificate = rest.get(3..3 + length)?;
        certificate::digests(certificate, gather);
        if index == 0 {
            certificate::names(certificate, gather);
        }
        rest = rest.get(3 + length..)?;
    }
    Some(())
}
