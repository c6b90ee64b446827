//! The two parties of a meeting, each without the wire between them.

use super::chance::Chance;
use super::oprf::{self, Element, Key, Mode, Output, PROOF};
use super::value::Value;
use sha2::{Digest as _, Sha256};
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Elements of a page: a quarter of a megabyte, some tenths of a second of work, and a batch with one proof.
pub const PAGE: usize = 8_192;
/// The smallest bucket.
const SMALLEST: usize = 1_024;

/// What stands for a value, or answers one: 16 bytes of the function's output.
pub type Tag = [u8; 16];

/// Why a meeting cannot go on.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What came is no element, or has the wrong count, or is proven wrongly.
    #[error(transparent)]
    Function(#[from] oprf::Error),
    /// There is no such page, or it has another length.
    #[error("page {0} is not one of this meeting, or has another length")]
    Page(usize),
    /// A page came again with other elements in it.
    #[error("page {0} was evaluated already, with other elements in it")]
    Again(usize),
    /// The next step was asked for before this one was done.
    #[error("{0} pages are still to come")]
    Early(usize),
    /// An echo answers no tag of ours: the other claims what it did not ask for.
    #[error("an echo answers none of our tags")]
    Echo,
    /// More tags or echoes than were agreed.
    #[error("{0} where {1} were agreed")]
    Count(usize, usize),
}

/// The number that is shown instead of this one: the next power of two, or one and a half times one, but 1,024 at least.
#[must_use]
pub fn bucket(count: usize) -> usize {
    let above = count.max(SMALLEST).checked_next_power_of_two().unwrap_or(usize::MAX);
    let between = above / 4 * 3;
    if count <= between && between >= SMALLEST { between } else { above }
}

/// Pages in which a bucket is sent.
#[must_use]
pub fn pages(size: usize) -> usize {
    size.div_ceil(PAGE)
}

/// A value's tag, its echo, and its number.
type Known = (Tag, Tag, u32);

fn known(output: &Output, number: u32) -> Known {
    let part = |from: usize| output.get(from..from + 16).and_then(|part| part.try_into().ok()).unwrap_or_default();
    (part(0), part(16), number)
}

/// What both hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Met {
    /// The values, sorted.
    pub values: Vec<Value>,
    /// What tells the answerer of them, sorted.
    pub echoes: Vec<Tag>,
}

/// The one who asks.
pub struct Asker {
    values: Vec<Value>,
    /// The number of the value at each place; as many as there are values or more: none, a random point.
    order: Vec<u32>,
    blinds: Chance,
    fillers: Chance,
    threads: NonZeroUsize,
    /// What was evaluated, not sorted before the last page is there.
    known: Vec<Known>,
    done: Vec<bool>,
    found: Vec<(u32, Tag)>,
}

impl std::fmt::Debug for Asker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asker(…)")
    }
}

impl Asker {
    /// A party that asks with these values; what is there twice counts once. All its chance comes of `seed`.
    #[must_use]
    pub fn new(values: Vec<Value>, seed: &[u8; 32], threads: NonZeroUsize) -> Self {
        let values = unique(values);
        let size = bucket(values.len());
        let mut order: Vec<u32> = (0..).take(size).collect();
        Chance::new(seed, "order").shuffle(&mut order);
        Self {
            known: Vec::with_capacity(values.len()),
            done: vec![false; pages(size)],
            blinds: Chance::new(seed, "blinds"),
            fillers: Chance::new(seed, "fillers"),
            found: Vec::new(),
            values,
            order,
            threads,
        }
    }

    /// How many values take part.
    #[must_use]
    pub fn count(&self) -> usize {
        self.values.len()
    }

    /// How many elements are sent: a [bucket].
    #[must_use]
    pub fn size(&self) -> usize {
        self.order.len()
    }

    /// The blinded elements of a page. The same page is the same elements.
    ///
    /// # Errors
    /// [`Error::Page`], [`Error::Function`].
    pub fn page(&self, page: usize) -> Result<Vec<Element>, Error> {
        let inputs = self.inputs(page)?;
        let from = place(page, 0);
        let real: Vec<(u64, &Vec<u8>)> =
            (from..).zip(&inputs).filter_map(|(at, input)| Some((at, input.as_ref()?))).collect();
        let blinds = |at: usize| self.blinds.scalar(real.get(at).map_or(0, |(place, _)| *place));
        let texts: Vec<&[u8]> = real.iter().map(|(_, input)| input.as_slice()).collect();
        let mut blinded = match texts.is_empty() {
            true => Vec::new(),
            false => oprf::blind(Mode::Voprf, &texts, &blinds, self.threads)?,
        }
        .into_iter();
        let mut fillers = oprf::random_elements(&self.fillers, from, inputs.len() - texts.len()).into_iter();
        let next = |input: &Option<Vec<u8>>| if input.is_some() { blinded.next() } else { fillers.next() };
        Ok(inputs.iter().filter_map(next).collect())
    }

    /// Takes what the answerer made of a page, after checking the proof.
    ///
    /// # Errors
    /// [`Error::Page`], [`Error::Function`].
    pub fn take(
        &mut self,
        page: usize,
        public: &Element,
        blinded: &[Element],
        evaluated: &[Element],
        proof: &[u8; PROOF],
    ) -> Result<(), Error> {
        if self.done.get(page) != Some(&false) {
            return Err(Error::Page(page));
        }
        let verified = oprf::verify(public, blinded, evaluated, proof, self.threads)?;
        let inputs = self.inputs(page)?;
        let blinds = |at: usize| self.blinds.scalar(place(page, at));
        let outputs = verified.finalize(&inputs, &blinds, self.threads)?;
        let order = self.order.chunks(PAGE).nth(page).ok_or(Error::Page(page))?;
        let named = order.iter().zip(&outputs).filter_map(|(number, output)| Some(known(output.as_ref()?, *number)));
        self.known.extend(named);
        if let Some(done) = self.done.get_mut(page) {
            *done = true;
        }
        if self.done.iter().all(|done| *done) {
            self.known.sort_unstable();
        }
        Ok(())
    }

    /// Looks which of the answerer's tags are those of our values. In as many parts as it likes.
    ///
    /// # Errors
    /// [`Error::Early`].
    pub fn compare(&mut self, tags: &[Tag]) -> Result<(), Error> {
        let left = self.done.iter().filter(|done| !**done).count();
        if left > 0 {
            return Err(Error::Early(left));
        }
        for tag in tags {
            if let Ok(at) = self.known.binary_search_by(|(known, ..)| known.cmp(tag)) {
                self.found.extend(self.known.get(at).map(|(_, echo, number)| (*number, *echo)));
            }
        }
        Ok(())
    }

    /// What both hold.
    #[must_use]
    pub fn finish(self) -> Met {
        let mut found = self.found;
        found.sort_unstable();
        found.dedup();
        let mut echoes: Vec<Tag> = found.iter().map(|(_, echo)| *echo).collect();
        echoes.sort_unstable();
        let value = |number: u32| self.values.get(usize::try_from(number).ok()?).cloned();
        Met { values: found.iter().filter_map(|(number, _)| value(*number)).collect(), echoes }
    }

    /// The inputs at the places of a page; `None`: a random point.
    fn inputs(&self, page: usize) -> Result<Vec<Option<Vec<u8>>>, Error> {
        let order = self.order.chunks(PAGE).nth(page).ok_or(Error::Page(page))?;
        let value = |number: u32| self.values.get(usize::try_from(number).ok()?);
        Ok(order.iter().map(|number| value(*number).map(Value::input)).collect())
    }
}

/// Which blind is drawn for a place of a page.
fn place(page: usize, at: usize) -> u64 {
    u64::try_from(page * PAGE + at).unwrap_or(u64::MAX)
}

fn unique(mut values: Vec<Value>) -> Vec<Value> {
    values.sort_unstable();
    values.dedup();
    values
}

/// What the answerer made of a page.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The evaluated elements.
    pub elements: Vec<Element>,
    /// That they were evaluated with the named key.
    pub proof: [u8; PROOF],
}

/// The one who is asked.
pub struct Answerer {
    key: Key,
    proofs: Chance,
    asked: usize,
    values: Vec<Value>,
    fillers: Chance,
    /// What each page held that was evaluated.
    pages: Mutex<Vec<Option<[u8; 32]>>>,
}

impl std::fmt::Debug for Answerer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answerer(…)")
    }
}

/// What the answerer offers: its tags, and what answers each.
pub struct Offer {
    /// The tags, sorted: as many as the bucket of our values.
    tags: Vec<Tag>,
    known: Vec<Known>,
}

impl std::fmt::Debug for Offer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Offer(…)")
    }
}

impl Answerer {
    /// A party that answers with these values somebody who sends `asked` elements (a [bucket]). All its chance comes of
    /// `seed`, which is never to be used for another meeting; `meeting` names it.
    ///
    /// # Errors
    /// [`Error::Count`]: not a bucket; [`Error::Function`].
    pub fn new(values: Vec<Value>, asked: usize, seed: &[u8; 32], meeting: &[u8]) -> Result<Self, Error> {
        if asked != bucket(asked) {
            return Err(Error::Count(asked, bucket(asked)));
        }
        Ok(Self {
            key: Key::derive(Mode::Voprf, seed, meeting)?,
            proofs: Chance::new(seed, "proofs"),
            fillers: Chance::new(seed, "tags"),
            values: unique(values),
            pages: Mutex::new(vec![None; pages(asked)]),
            asked,
        })
    }

    /// The key under which everything is evaluated.
    #[must_use]
    pub fn public(&self) -> &Element {
        self.key.public()
    }

    /// How many values take part.
    #[must_use]
    pub fn count(&self) -> usize {
        self.values.len()
    }

    /// How many tags are sent: a [bucket].
    #[must_use]
    pub fn size(&self) -> usize {
        bucket(self.values.len())
    }

    /// How many pages have not come.
    #[must_use]
    pub fn left(&self) -> usize {
        self.pages().iter().filter(|page| page.is_none()).count()
    }

    fn pages(&self) -> MutexGuard<'_, Vec<Option<[u8; 32]>>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what a page holds, before it is evaluated: from then on it can come again, and no other in its place.
    ///
    /// # Errors
    /// [`Error::Page`], [`Error::Again`].
    pub fn accept(&self, page: usize, blinded: &[Element]) -> Result<(), Error> {
        let length = self.asked.checked_sub(page.checked_mul(PAGE).ok_or(Error::Page(page))?);
        let length = length.map(|left| left.min(PAGE)).filter(|length| *length > 0);
        let mut pages = self.pages();
        let place = pages.get_mut(page).filter(|_| length == Some(blinded.len())).ok_or(Error::Page(page))?;
        let digest: [u8; 32] = Sha256::digest(blinded.as_flattened()).into();
        match place {
            Some(before) if *before != digest => Err(Error::Again(page)),
            place => {
                *place = Some(digest);
                Ok(())
            }
        }
    }

    /// Evaluates a page that was [accepted](Self::accept), and proves it.
    ///
    /// # Errors
    /// [`Error::Page`], [`Error::Function`].
    pub fn evaluate(&self, page: usize, blinded: &[Element], threads: NonZeroUsize) -> Result<Answer, Error> {
        let digest: [u8; 32] = Sha256::digest(blinded.as_flattened()).into();
        if self.pages().get(page) != Some(&Some(digest)) {
            return Err(Error::Page(page));
        }
        let evaluation = self.key.evaluate(blinded, threads)?;
        // A proof's scalar used for two statements gives the key away: it is drawn from what it speaks of.
        let random = self.proofs.about(&digest).scalar(0);
        let proof = evaluation.prove(&random, threads)?;
        Ok(Answer { elements: evaluation.elements().to_vec(), proof })
    }

    /// The function of all our values: long work, which needs nothing of the asker.
    ///
    /// # Errors
    /// [`Error::Function`].
    pub fn offer(&self, threads: NonZeroUsize) -> Result<Offer, Error> {
        let inputs: Vec<Vec<u8>> = self.values.iter().map(Value::input).collect();
        let outputs = self.key.function(&inputs, threads)?;
        let mut known: Vec<Known> = outputs.iter().zip(0..).map(|(output, number)| known(output, number)).collect();
        known.sort_unstable_by_key(|(_, echo, _)| *echo);
        let filler = |place: u64| self.fillers.wide(place).first_chunk().copied().unwrap_or_default();
        let fillers = (0..).map(filler).take(self.size() - known.len());
        let mut tags: Vec<Tag> = known.iter().map(|(tag, ..)| *tag).chain(fillers).collect();
        tags.sort_unstable();
        Ok(Offer { tags, known })
    }

    /// What both hold, by the asker's echoes.
    ///
    /// # Errors
    /// [`Error::Early`], [`Error::Count`], [`Error::Echo`].
    pub fn finish(&self, offer: &Offer, echoes: &[Tag]) -> Result<Vec<Value>, Error> {
        let most = offer.known.len().min(self.asked);
        match self.left() {
            _ if echoes.len() > most => return Err(Error::Count(echoes.len(), most)),
            0 => {}
            left => return Err(Error::Early(left)),
        }
        let value = |echo: &Tag| {
            let at = offer.known.binary_search_by(|(_, known, _)| known.cmp(echo)).ok()?;
            let (.., number) = offer.known.get(at)?;
            self.values.get(usize::try_from(*number).ok()?).cloned()
        };
        let values: Option<Vec<Value>> = echoes.iter().map(value).collect();
        values.map(unique).ok_or(Error::Echo)
    }
}

impl Offer {
    /// The tags, sorted.
    #[must_use]
    pub fn tags(&self) -> &[Tag] {
        &self.tags
    }
}
