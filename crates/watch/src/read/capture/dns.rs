//! Messages of the name system: RFC 1035 §4.

use super::flow::Turn;
use crate::Meaning;
use crate::read::gather::Gather;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The most records of one message.
const MOST_RECORDS: usize = 512;
/// The most pointers and labels of one name: RFC 1035 §3.1 allows 255 bytes.
const MOST_JUMPS: usize = 128;

/// Adds what a message asks and answers.
pub(super) fn read(message: &[u8], gather: &mut Gather) -> Option<()> {
    let count = |at: usize| u16_at(message, at).map(usize::from);
    let (questions, answers) = (count(4)?, count(6)? + count(8)? + count(10)?);
    let mut at = 12;
    let mut name = Vec::new();
    for _ in 0..questions.min(MOST_RECORDS) {
        at = read_name(message, at, &mut name)? + 4;
        gather.push("dns.query", Meaning::Host, &name);
    }
    for index in 0..answers.min(MOST_RECORDS) {
        at = read_name(message, at, &mut name)?;
        let kind = u16_at(message, at)?;
        let length = usize::from(u16_at(message, at + 8)?);
        let data = message.get(at + 10..)?.get(..length)?;
        // The owners of answers are the names that were asked for, or come as targets of aliases.
        // An option record (RFC 6891 §6.1.1) has no owner.
        if (index > 0 || questions == 0) && kind != 41 {
            gather.push("dns.name", Meaning::Host, &name);
        }
        answer(message, kind, at + 10, data, &mut name, gather)?;
        at += 10 + length;
    }
    Some(())
}

fn answer(message: &[u8], kind: u16, at: usize, data: &[u8], name: &mut Vec<u8>, gather: &mut Gather) -> Option<()> {
    let mut host = |at: usize| {
        read_name(message, at, name)?;
        gather.push("dns.answer", Meaning::Host, name);
        Some(())
    };
    match kind {
        1 => {
            let address = Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).to_string();
            gather.push("dns.answer", Meaning::Address, address.as_bytes());
        }
        28 => {
            let address = Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).to_string();
            gather.push("dns.answer", Meaning::Address, address.as_bytes());
        }
        // NS, CNAME, PTR, DNAME.
        2 | 5 | 12 | 39 => host(at)?,
        // MX, SRV; HTTPS and SVCB name their target behind a priority.
        15 | 64 | 65 => host(at + 2)?,
        33 => host(at + 6)?,
        16 => {
            let mut rest = data;
            while let Some((&length, after)) = rest.split_first() {
                gather.text("dns.answer", after.get(..usize::from(length))?);
                rest = after.get(usize::from(length)..)?;
            }
        }
        _ => {}
    }
    Some(())
}

/// Messages over TCP, each behind its length: RFC 1035 §4.2.2.
pub(super) fn stream(bytes: &[u8], gather: &mut Gather) -> Turn {
    let Some(length) = u16_at(bytes, 0).map(usize::from) else { return Turn::More };
    let Some(message) = bytes.get(2..2 + length) else { return Turn::More };
    match read(message, gather) {
        Some(()) => Turn::Read { bytes: 2 + length, skip: 0 },
        None => Turn::Done,
    }
}

/// Reads a name with its pointers; where what follows it begins. Bytes that would part labels are shown as `\DDD`.
fn read_name(message: &[u8], start: usize, name: &mut Vec<u8>) -> Option<usize> {
    name.clear();
    let mut at = start;
    let mut end = None;
    for _ in 0..MOST_JUMPS {
        let length = *message.get(at)?;
        match length {
            0 => return Some(end.unwrap_or(at + 1)),
            1..=63 => {
                let label = message.get(at + 1..at + 1 + usize::from(length))?;
                if !name.is_empty() {
                    name.push(b'.');
                }
                for &byte in label {
                    if byte == b'.' || byte == b'\\' || byte < b' ' {
                        name.extend_from_slice(format!("\\{byte:03}").as_bytes());
                    } else {
                        name.push(byte);
                    }
                }
                at += 1 + usize::from(length);
            }
            192.. => {
                let target = usize::from(u16_at(message, at)? & 0x3fff);
                end.get_or_insert(at + 2);
                // A pointer points back: RFC 1035 §4.1.4.
                if target >= at {
                    return None;
                }
                at = target;
            }
            _ => return None,
        }
        if name.len() > 1024 {
            return None;
        }
    }
    None
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}
