//! Names of fields: from a key and the object that it stands in to what is known of the field, in one step.

use crate::Meaning;

/// What is done with the value of a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Role {
    /// It is met as what it means.
    Meet(Meaning),
    /// It is when the event happened.
    Time,
    /// What it is shows at the end of the line only.
    Late(Late),
    /// Something else may need it at the end of the line; it is met all the same if it means something by itself.
    Part(Late, Option<Meaning>),
    /// Nothing; that the line has it tells what kind of line it is.
    Sign(u32),
}

/// Values that are understood once the whole line has been read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Late {
    /// The path of a request, or its whole URL.
    Uri,
    /// The host that a request was for.
    UrlHost,
    /// The address that answered: the URL's host where the request named none.
    UrlAddress,
    /// The port of a URL.
    UrlPort,
    /// The log's name (Zeek's `_path`).
    Path,
    /// A message's subject or a certificate's.
    Subject,
    /// An account (Kerberos) or a program (SSH).
    Client,
    /// A program (SSH).
    Server,
    /// A file (SMB) or anything.
    Name,
    /// A file or URL (FTP) or anything.
    Argument,
    /// What Zeek's intelligence framework met.
    Indicator,
    /// What kind of thing that is.
    IndicatorType,
    /// Addresses that a proxy names, `X-FORWARDED-FOR -> 192.0.2.1` or plain.
    Forwarded,
}

/// A field that a format has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// Its name, with points between its parts.
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    /// Whether its values come in lists, where columns have no types.
    pub(crate) list: bool,
}

/// What is done with a value, by the parts in which that is asked while a line is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Act {
    /// The number of its field.
    pub(super) field: u16,
    /// What it is met as, if that is known before the end of the line.
    pub(super) meaning: Option<Meaning>,
    /// Whether it is noted among the values of the line.
    pub(super) value: bool,
    pub(super) time: bool,
    pub(super) late: bool,
    pub(super) sign: u32,
}

impl Act {
    fn new(field: u16, role: Role) -> Self {
        let nothing = Self { field, meaning: None, value: true, time: false, late: false, sign: 0 };
        match role {
            Role::Meet(meaning) => Self { meaning: Some(meaning), ..nothing },
            Role::Part(_, meaning) => Self { meaning, ..nothing },
            Role::Late(_) => Self { late: true, ..nothing },
            Role::Time => Self { value: false, time: true, ..nothing },
            Role::Sign(sign) => Self { value: false, sign, ..nothing },
        }
    }
}

/// The object at the top of a line.
pub(super) const ROOT: u8 = 0;
/// Objects in which nothing is known.
pub(super) const NOWHERE: u8 = u8::MAX;
/// Slots of the index: so many that some multiplier spreads all keys over it without a collision.
const SLOTS: u32 = 11;

/// All keys of a format.
#[derive(Debug)]
pub(crate) struct Keys {
    index: Box<[u8; 1 << SLOTS]>,
    entries: Vec<Entry>,
    fields: Vec<Known>,
    acts: Vec<Act>,
    multiplier: u64,
}

/// What a key leads to.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Target {
    /// The number of the field, counted from 1.
    pub(super) field: u16,
    /// The object under it.
    pub(super) child: u8,
}

#[derive(Debug)]
struct Entry {
    node: u8,
    head: (u64, u64),
    key: &'static str,
    target: Target,
}

impl Target {
    pub(super) const NONE: Self = Self { field: 0, child: NOWHERE };
}

impl Keys {
    /// Keys of objects in objects, `dns.queries.rrname`; if `flat`, also of one object whose keys have points in them.
    pub(crate) fn new(fields: &[Known], flat: bool) -> Self {
        let mut entries: Vec<Entry> = Vec::new();
        let mut nodes = ROOT;
        for (place, known) in fields.iter().enumerate() {
            let field = place as u16 + 1;
            if flat && known.name.contains('.') {
                entries.push(Entry::new(ROOT, known.name, Target { field, child: NOWHERE }));
            }
            let mut node = ROOT;
            let mut parts = known.name.split('.').peekable();
            while let Some(part) = parts.next() {
                let slot = entries.iter().position(|entry| entry.node == node && entry.key == part);
                let slot = slot.unwrap_or_else(|| {
                    entries.push(Entry::new(node, part, Target::NONE));
                    entries.len() - 1
                });
                let Some(entry) = entries.get_mut(slot) else { break };
                if parts.peek().is_none() {
                    entry.target.field = field;
                } else if entry.target.child == NOWHERE {
                    nodes += 1;
                    entry.target.child = nodes;
                }
                node = entry.target.child;
            }
        }
        Self::spread(entries, fields.to_vec())
    }

    /// Looks for a multiplier without collisions. A test holds that there is one for each format.
    fn spread(entries: Vec<Entry>, fields: Vec<Known>) -> Self {
        let acts = (1..).zip(&fields).map(|(number, known)| Act::new(number, known.role)).collect();
        let mut keys = Self { index: Box::new([0; 1 << SLOTS]), entries, fields, acts, multiplier: 0 };
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        for _ in 0..1 << 20 {
            state = state.wrapping_mul(0xD129_0DDA_FC8E_4E2B).wrapping_add(0x9E37_79B9_7F4A_7C15);
            keys.multiplier = state | 1;
            keys.index.fill(0);
            let mut free = true;
            for (place, entry) in keys.entries.iter().enumerate() {
                let slot = slot(entry.head, entry.key.len(), entry.node, keys.multiplier);
                match keys.index.get_mut(slot) {
                    Some(taken @ 0) => *taken = (place + 1) as u8,
                    _ => free = false,
                }
            }
            if free {
                break;
            }
        }
        keys
    }

    /// The field of this number.
    #[inline]
    pub(crate) fn field(&self, number: u16) -> Option<&Known> {
        self.fields.get(usize::from(number).wrapping_sub(1))
    }

    /// What is done with values of the field of this number.
    #[inline]
    pub(super) fn act(&self, number: u16) -> Option<Act> {
        self.acts.get(usize::from(number).wrapping_sub(1)).copied()
    }

    /// What the key that stands from `start` to `end` in the object `node` leads to.
    #[inline(always)]
    pub(super) fn find(&self, node: u8, text: &[u8], start: usize, end: usize) -> Target {
        let length = end.wrapping_sub(start);
        let head = match text.get(start..).and_then(<[u8]>::first_chunk::<16>) {
            Some(bytes) => masked(u128::from_le_bytes(*bytes), length),
            None => head_of(text.get(start..end).unwrap_or_default()),
        };
        let place = self.index.get(slot(head, length, node, self.multiplier)).copied().unwrap_or(0);
        if place == 0 {
            return Target::NONE;
        }
        let Some(entry) = self.entries.get(usize::from(place) - 1) else { return Target::NONE };
        let same = entry.head == head && entry.node == node && entry.key.len() == length;
        if same && (length <= 16 || text.get(start..end) == Some(entry.key.as_bytes())) {
            entry.target
        } else {
            Target::NONE
        }
    }

    /// Whether the values of the field come in lists.
    pub(super) fn is_list(&self, number: u16) -> bool {
        self.field(number).is_some_and(|known| known.list)
    }

    /// The field of this name at the top of a line: a column's.
    pub(super) fn column(&self, name: &[u8]) -> u16 {
        self.find(ROOT, name, 0, name.len()).field
    }

    #[cfg(test)]
    pub(super) fn all(&self) -> impl Iterator<Item = (u8, &'static str, Target)> {
        self.entries.iter().map(|entry| (entry.node, entry.key, entry.target))
    }
}

impl Entry {
    fn new(node: u8, key: &'static str, target: Target) -> Self {
        Self { node, head: head_of(key.as_bytes()), key, target }
    }
}

/// The first sixteen bytes of a key as two numbers.
fn head_of(key: &[u8]) -> (u64, u64) {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(key) {
        *to = *from;
    }
    masked(u128::from_le_bytes(bytes), key.len())
}

/// Bytes past the key's end are none of its.
#[inline(always)]
fn masked(bytes: u128, length: usize) -> (u64, u64) {
    let (low, high) = MASKS.get(length.min(16)).copied().unwrap_or((0, 0));
    (bytes as u64 & low, (bytes >> 64) as u64 & high)
}

const MASKS: [(u64, u64); 17] = [
    (0x0, 0x0),
    (0xFF, 0x0),
    (0xFFFF, 0x0),
    (0xFFFFFF, 0x0),
    (0xFFFFFFFF, 0x0),
    (0xFFFFFFFFFF, 0x0),
    (0xFFFFFFFFFFFF, 0x0),
    (0xFFFFFFFFFFFFFF, 0x0),
    (0xFFFFFFFFFFFFFFFF, 0x0),
    (0xFFFFFFFFFFFFFFFF, 0xFF),
    (0xFFFFFFFFFFFFFFFF, 0xFFFF),
    (0xFFFFFFFFFFFFFFFF, 0xFFFFFF),
    (0xFFFFFFFFFFFFFFFF, 0xFFFFFFFF),
    (0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFF),
    (0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFF),
    (0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFF),
    (0xFFFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF),
];

#[inline(always)]
fn slot(head: (u64, u64), length: usize, node: u8, multiplier: u64) -> usize {
    let mixed = head.0 ^ head.1.rotate_left(29) ^ ((length as u64) << 56 | u64::from(node) << 48);
    (mixed.wrapping_mul(multiplier) >> (64 - SLOTS)) as usize
}
