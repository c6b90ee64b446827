//! Objects on their way from one thread to the other, in two buffers instead of an allocation for each string.

use super::origin::Origins;
use crate::intake::{Classes, Context, Taken};
use crate::partners::provenance::{Backing, Sound};
use ledger::{CollectionNo, Dialect, Entry, Ledger, Version};
use policy::{Author, Class};
use std::collections::HashMap;
use std::ops::Range;
use stix::personal::Personal;

/// A batch is handed over when it holds so many objects …
const MAX_OBJECTS: usize = 8_192;
/// … or so many bytes.
const MAX_BYTES: usize = 8 << 20;

/// Accepted objects.
#[derive(Default)]
pub(super) struct Batch {
    bodies: Vec<u8>,
    words: String,
    objects: Vec<Object>,
    references: Vec<Range<usize>>,
    classes: Vec<Class>,
    /// What makes a class, to its place in `classes`.
    class_of: HashMap<String, usize>,
    upgraded: u64,
    scratch: String,
    /// Where its objects come from, where that is known.
    origins: Origins,
}

struct Object {
    body: Range<usize>,
    key: Range<usize>,
    kind: Range<usize>,
    version: Option<(i64, u32, Range<usize>)>,
    author: Option<Range<usize>>,
    dialect: Dialect,
    revoked: bool,
    class: usize,
    references: Range<usize>,
}

impl Batch {
    /// Takes a copy of an accepted object, and notes where it comes from.
    pub(super) fn push(&mut self, taken: &Taken<'_>, context: &Context, sound: Option<&Sound>, upgraded: bool) {
        if let Some(sound) = sound {
            self.origins.note(self.objects.len(), taken, sound);
        }
        let backing = sound.map_or(Backing::none(), |sound| &sound.backing);
        let head = &taken.head;
        let first = self.references.len();
        for id in &head.references {
            let id = self.word(id);
            self.references.push(id);
        }
        let start = self.bodies.len();
        self.bodies.extend_from_slice(taken.body);
        let object = Object {
            body: start..self.bodies.len(),
            key: self.word(&head.id),
            kind: self.word(&head.object_type),
            version: head.version.as_ref().map(|at| (at.micros, at.picos, self.word(&at.text))),
            author: head.created_by_ref.as_ref().map(|author| self.word(author)),
            dialect: taken.dialect,
            revoked: head.revoked,
            class: self.class(taken, context, backing),
            references: first..self.references.len(),
        };
        self.objects.push(object);
        self.upgraded += u64::from(upgraded);
    }

    fn word(&mut self, word: &str) -> Range<usize> {
        let start = self.words.len();
        self.words.push_str(word);
        start..self.words.len()
    }

    fn class(&mut self, taken: &Taken<'_>, context: &Context, backing: &Backing) -> usize {
        self.scratch.clear();
        let whole = taken.head.marking_refs.iter().map(|id| (id, ' '));
        let parts = taken.head.granular.iter().map(|part| (&part.marking, if part.binding { '\r' } else { '\n' }));
        for (id, mark) in whole.chain(parts) {
            self.scratch.push_str(id);
            self.scratch.push(mark);
        }
        let Personal { maskable, fixed } = taken.personal;
        self.scratch.push(char::from(maskable.bits()));
        self.scratch.push(char::from(fixed.bits()));
        match context.author(taken, backing) {
            Author::Owner => {}
            Author::Organisation(name) => self.scratch.push_str(&name),
            Author::Foreign => self.scratch.push('\t'),
        }
        if !backing.handling.is_none() || backing.marking.is_some() {
            // What cannot be a name or a marking comes before.
            let limits = serde_json::to_string(&(&backing.handling, &backing.marking)).unwrap_or_default();
            self.scratch.push('\0');
            self.scratch.push_str(&limits);
        }
        if let Some(place) = self.class_of.get(&self.scratch) {
            return *place;
        }
        self.classes.push(context.class(taken, backing));
        self.class_of.insert(self.scratch.clone(), self.classes.len() - 1);
        self.classes.len() - 1
    }

    /// Where its objects come from.
    pub(super) fn origins(&self) -> &Origins {
        &self.origins
    }

    pub(super) fn is_full(&self) -> bool {
        self.objects.len() >= MAX_OBJECTS || self.bodies.len() >= MAX_BYTES
    }

    /// How many objects it holds.
    pub(super) fn len(&self) -> usize {
        self.objects.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// About the memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        self.bodies.len() + self.words.len() + self.objects.len() * size_of::<Object>()
    }

    /// How many of its objects were upgraded.
    pub(super) fn upgraded(&self) -> u64 {
        self.upgraded
    }

    /// The ids to which its objects refer, object by object: what [`Self::entries`] borrows from.
    pub(super) fn references(&self) -> Vec<&str> {
        self.references.iter().map(|range| self.words.get(range.clone()).unwrap_or_default()).collect()
    }

    /// Its objects as the ledger takes them; `references` are [`Self::references`].
    pub(super) fn entries<'e>(
        &'e self,
        references: &'e [&'e str],
        book: &dyn Ledger,
        classes: &Classes,
        collection: CollectionNo,
    ) -> ledger::Result<Vec<Entry<'e>>> {
        let numbers: Vec<_> =
            self.classes.iter().map(|class| classes.number(book, class)).collect::<ledger::Result<_>>()?;
        let word = |range: &Range<usize>| self.words.get(range.clone()).unwrap_or_default();
        let entry = |object: &Object| {
            Some(Entry {
                collection,
                key: word(&object.key),
                kind: word(&object.kind),
                version: object.version.as_ref().map(|(micros, picos, text)| Version {
                    micros: *micros,
                    picos: *picos,
                    text: word(text),
                }),
                dialect: object.dialect,
                author: object.author.as_ref().map(word),
                revoked: object.revoked,
                // INVARIANT: `push` made the class that it points to.
                class: *numbers.get(object.class)?,
                references: references.get(object.references.clone()).unwrap_or_default(),
                body: self.bodies.get(object.body.clone())?,
            })
        };
        Ok(self.objects.iter().filter_map(entry).collect())
    }
}
