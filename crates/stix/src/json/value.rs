//! Reading a tape: values, members, elements.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::string::unescape;

/// The kinds of JSON values; numbers are told apart by how they are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// `null`
    Null = 0,
    /// `true` or `false`
    Bool = 1,
    /// A number without fraction and exponent, of any length.
    Integer = 2,
    /// A number with a fraction or an exponent.
    Float = 3,
    /// A string.
    String = 4,
    /// An array.
    Array = 5,
    /// An object.
    Object = 6,
}

/// One value or member name on the tape. Offsets count from the start of the root value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    pub(super) start: u32,
    pub(super) end: u32,
    /// Nodes from this one to its next sibling: 1 for scalars.
    pub(super) skip: u32,
    /// The kind in the lowest bits, above them the detail.
    meta: u32,
}

impl Node {
    /// The most members or elements that `meta` can count.
    pub(super) const MOST: usize = (1 << 28) - 1;

    #[inline]
    pub(super) fn new(start: u32, end: u32, kind: Kind, detail: u32) -> Self {
        Self { start, end, skip: 1, meta: kind as u32 | detail << 3 }
    }

    /// Notes what is known when a container has ended.
    #[inline]
    pub(super) fn complete(&mut self, end: u32, skip: u32, kind: Kind, count: u32) {
        *self = Self { start: self.start, end, skip, meta: kind as u32 | count << 3 };
    }

    #[inline]
    pub(super) fn kind(&self) -> Kind {
        match self.meta & 7 {
            1 => Kind::Bool,
            2 => Kind::Integer,
            3 => Kind::Float,
            4 => Kind::String,
            5 => Kind::Array,
            6 => Kind::Object,
            _ => Kind::Null,
        }
    }

    /// Elements or members of a container; for strings 1 if there are escapes, else 0.
    #[inline]
    pub(super) fn detail(&self) -> u32 {
        self.meta >> 3
    }
}

/// A value of a parsed text: a cheap handle to the tape and the author's bytes.
#[derive(Clone, Copy)]
pub struct Value<'t> {
    source: &'t str,
    /// Where `source` starts in the text that was parsed.
    base: usize,
    /// The tape from this value's node on.
    nodes: &'t [Node],
    node: &'t Node,
}

const NOTHING: Node = Node { start: 0, end: 0, skip: 1, meta: Kind::Null as u32 };

impl<'t> Value<'t> {
    pub(super) fn root(source: &'t str, base: usize, nodes: &'t [Node]) -> Self {
        Self { source, base, nodes, node: nodes.first().unwrap_or(&NOTHING) }
    }

    /// Which kind of value it is.
    #[must_use]
    #[inline]
    pub fn kind(&self) -> Kind {
        self.node.kind()
    }

    /// The exact bytes of the value, quotes and brackets included.
    #[must_use]
    pub fn text(&self) -> &'t [u8] {
        self.source().as_bytes()
    }

    /// Where the value stands in the text that was parsed, in bytes.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.base + self.node.start as usize..self.base + self.node.end as usize
    }

    /// The text of a string, escapes resolved; `None` for other kinds.
    #[must_use]
    pub fn as_str(&self) -> Option<Cow<'t, str>> {
        let inner = self.inner()?;
        Some(if self.node.detail() == 0 { Cow::Borrowed(inner) } else { unescape(inner) })
    }

    /// The text of a string that is written without escapes; `None` for other strings and kinds.
    #[must_use]
    #[inline]
    pub fn raw_str(&self) -> Option<&'t str> {
        if self.node.detail() == 0 { self.inner() } else { None }
    }

    /// What [`Value::raw_str`] gives, from the text of the root value: that may outlive the tape.
    pub(crate) fn raw_str_in<'s>(&self, root: &'s str) -> Option<&'s str> {
        if self.node.kind() != Kind::String || self.node.detail() != 0 {
            return None;
        }
        root.get(self.node.start as usize + 1..self.node.end as usize - 1)
    }

    /// `true` or `false`; `None` for other kinds.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.node.end - self.node.start == 4)
    }

    /// An integer that fits; `None` for larger ones and other kinds.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        if self.kind() == Kind::Integer { self.source().parse().ok() } else { None }
    }

    /// The double nearest to a number; `None` for other kinds.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        if matches!(self.kind(), Kind::Integer | Kind::Float) { self.source().parse().ok() } else { None }
    }

    /// The value of the member called `name`, by a walk over the members; `None` if there is none or this is no object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value<'t>> {
        let mut children = self.children(Kind::Object);
        for _ in 0..children.count {
            let key = children.nodes.first()?;
            let found = if key.detail() == 0 {
                (key.end - key.start) as usize == name.len() + 2
                    && self.source.as_bytes().get(key.start as usize + 1..key.end as usize - 1) == Some(name.as_bytes())
            } else {
                Key(children.clone().take()?) == *name
            };
            children.nodes = children.nodes.get(1..)?;
            if found {
                return children.take();
            }
            children.nodes = children.nodes.get(children.nodes.first()?.skip as usize..)?;
        }
        None
    }

    /// The members of an object in the author's order; nothing for other kinds.
    #[must_use]
    #[inline]
    pub fn entries(&self) -> Entries<'t> {
        Entries(self.children(Kind::Object))
    }

    /// The elements of an array in order; nothing for other kinds.
    #[must_use]
    #[inline]
    pub fn items(&self) -> Items<'t> {
        Items(self.children(Kind::Array))
    }

    /// How many members or elements; 0 for scalars.
    #[must_use]
    pub fn len(&self) -> usize {
        if matches!(self.kind(), Kind::Array | Kind::Object) { self.node.detail() as usize } else { 0 }
    }

    /// Whether there are no members or elements; true for scalars.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn source(&self) -> &'t str {
        self.source.get(self.node.start as usize..self.node.end as usize).unwrap_or_default()
    }

    /// What stands between the quotes of a string.
    #[inline]
    fn inner(&self) -> Option<&'t str> {
        if self.node.kind() != Kind::String {
            return None;
        }
        self.source.get(self.node.start as usize + 1..self.node.end as usize - 1)
    }

    #[inline]
    fn children(&self, kind: Kind) -> Children<'t> {
        let count = if self.node.kind() == kind { self.node.detail() } else { 0 };
        let nodes = self.nodes.get(1..).unwrap_or_default();
        Children { source: self.source, base: self.base, nodes, count }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.source())
    }
}

/// The name of a member.
#[derive(Clone, Copy)]
pub struct Key<'t>(Value<'t>);

impl<'t> Key<'t> {
    /// The name, escapes resolved.
    #[must_use]
    #[inline]
    pub fn as_str(&self) -> Cow<'t, str> {
        match self.raw_str() {
            Some(plain) => Cow::Borrowed(plain),
            None => self.0.as_str().unwrap_or_default(),
        }
    }

    /// The name if it is written without escapes.
    #[must_use]
    #[inline]
    pub fn raw_str(&self) -> Option<&'t str> {
        self.0.raw_str()
    }

    /// The exact bytes of the name, quotes included.
    #[must_use]
    pub fn text(&self) -> &'t [u8] {
        self.0.text()
    }

    /// Where the name stands in the text that was parsed, quotes included, in bytes.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.0.span()
    }
}

impl PartialEq<str> for Key<'_> {
    #[inline]
    fn eq(&self, other: &str) -> bool {
        match self.raw_str() {
            Some(plain) => plain == other,
            None => self.as_str() == other,
        }
    }
}

impl PartialEq<&str> for Key<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.as_str())
    }
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// The nodes after a container's own, child by child.
#[derive(Clone, Debug)]
struct Children<'t> {
    source: &'t str,
    base: usize,
    nodes: &'t [Node],
    count: u32,
}

impl<'t> Children<'t> {
    #[inline]
    fn take(&mut self) -> Option<Value<'t>> {
        let node = self.nodes.first()?;
        let value = Value { source: self.source, base: self.base, nodes: self.nodes, node };
        self.nodes = self.nodes.get(node.skip as usize..).unwrap_or_default();
        Some(value)
    }
}

/// The members of an object; see [`Value::entries`].
#[derive(Clone, Debug)]
pub struct Entries<'t>(Children<'t>);

impl<'t> Iterator for Entries<'t> {
    type Item = (Key<'t>, Value<'t>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.count = self.0.count.checked_sub(1)?;
        Some((Key(self.0.take()?), self.0.take()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.count as usize, Some(self.0.count as usize))
    }
}

/// The elements of an array; see [`Value::items`].
#[derive(Clone, Debug)]
pub struct Items<'t>(Children<'t>);

impl<'t> Iterator for Items<'t> {
    type Item = Value<'t>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.count = self.0.count.checked_sub(1)?;
        self.0.take()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.count as usize, Some(self.0.count as usize))
    }
}

impl ExactSizeIterator for Entries<'_> {}
impl ExactSizeIterator for Items<'_> {}
