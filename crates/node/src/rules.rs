//! What a viewer may have, written for other sensors: indicators through the door, page by page, taken apart into claims.
//!
//! What leaves is written down like an export: every page, before anything of it is written. Not all of a page need be in the
//! export, as some of it no longer holds or says more than the format can; a recall may so reach somebody who has less than
//! the log says, never somebody who has more.

mod found;
mod names;
mod newest;

use crate::accounts::who;
use crate::door::{Door, Selected};
use crate::export::{Error, readable};
use crate::eyes::Eyes;
use ::rules::{Format, Item, Language, Native, Options, Reason, Report, Sink, Writer};
use found::{Found, each_object};
use ledger::{Collection, Filter, Ledger, Page, Register, Seq, Versions};
use names::Names;
use newest::Newest;
use observable::{Limits, Refused};
use policy::{Gate, Tlp, Viewer};

/// A page has at most so many objects …
const PAGE: usize = 5_000;
/// … or so many bytes, or one object.
const PAGE_BYTES: usize = 16 << 20;

/// Told of each page before anything of it is written: out of which collection, and what.
pub type Witness<'a> = dyn FnMut(&Collection, &Page) -> ledger::Result<()> + 'a;

/// Takes a page of what was released: bodies with commas between them.
type Pages<'a> = dyn FnMut(&[u8], &mut Witness<'_>) -> Result<(), Error> + 'a;

/// What is written, and for whom.
pub struct Export<'a> {
    /// The collections. One that the viewer may not read gives nothing.
    pub collections: &'a [Collection],
    /// For whom.
    pub viewer: Viewer,
    /// When, in microseconds since 1970: groups and embargoes have their times, and so have indicators.
    pub at: ledger::Micros,
    /// Only indicators of which their source is at least so sure, 0 to 100. Of one that does not say, nothing is known.
    pub min_confidence: Option<u8>,
    /// In which format.
    pub format: Format,
    /// How.
    pub options: &'a Options,
    /// Told of each page.
    pub witness: &'a mut Witness<'a>,
}

/// What was written.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many indicators the viewer may have, those included that are not in the export.
    pub indicators: u64,
    /// What became of them.
    pub report: Report,
}

/// The book as the viewer sees it.
pub(crate) struct Seen<'a, B> {
    pub(crate) book: &'a B,
    pub(crate) gate: &'a Gate<'a>,
    pub(crate) eyes: &'a Eyes<'a>,
    /// The collections that are read.
    pub(crate) collections: Vec<&'a Collection>,
}

impl<B: Ledger> Seen<'_, B> {
    fn filter<'f>(
        collection: &Collection,
        kind: &'f str,
        keys: Option<Vec<&'f str>>,
        after: Option<Seq>,
    ) -> Filter<'f> {
        Filter {
            collection: collection.no,
            after,
            keys,
            kinds: Some(vec![kind]),
            versions: Versions::last(),
            dialects: None,
            limit: PAGE,
            max_bytes: PAGE_BYTES,
        }
    }

    /// The newest versions of objects of one type, page by page: only what was released is handed on.
    pub(crate) fn pages(
        &self,
        collection: &Collection,
        kind: &str,
        keys: Option<&[&str]>,
        witness: &mut Witness<'_>,
        each: &mut Pages<'_>,
    ) -> Result<(), Error> {
        let mut after = None;
        loop {
            let filter = Self::filter(collection, kind, keys.map(<[_]>::to_vec), after);
            let mut content = Vec::new();
            let page = self.book.objects(&filter, self.eyes, &mut content)?;
            let (count, last, more) = (page.count, page.last, page.more);
            if count > 0 {
                witness(collection, &page)?;
                each(&self.gate.admit(Selected { page, content })?.into_inner().content, witness)?;
            }
            match last {
                Some(last) if more => after = Some(last),
                _ => return Ok(()),
            }
        }
    }

    /// The same without the bodies.
    pub(crate) fn rows(
        &self,
        collection: &Collection,
        kind: &str,
        each: &mut dyn FnMut(&ledger::ManifestRow),
    ) -> Result<(), Error> {
        let mut after = None;
        loop {
            let (page, content) = self.book.manifest(&Self::filter(collection, kind, None, after), self.eyes)?;
            let (last, more) = (page.last, page.more);
            self.gate.admit(Selected { page, content })?.into_inner().content.iter().for_each(&mut *each);
            match last {
                Some(last) if more => after = Some(last),
                _ => return Ok(()),
            }
        }
    }
}

/// Writes the export. `progress` is told after each page how many indicators were looked at.
///
/// # Errors
/// [`Error`]; what was written until then is not a whole export.
pub fn write<B: Ledger + Register>(
    book: &B,
    door: &Door,
    export: Export<'_>,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(u64),
) -> Result<Summary, Error> {
    let Export { collections, viewer, at, min_confidence, format, options, witness } = export;
    let gate = door.gate(viewer, at);
    let may_read = readable(book, gate.viewer())?;
    let reads = |no| may_read.contains(&no);
    let eyes = Eyes::new(&gate, door.references(), &reads);
    let open = collections.iter().filter(|collection| policy::may(gate.viewer(), &who(&collection.read)));
    let seen = Seen { book, gate: &gate, eyes: &eyes, collections: open.collect() };
    let mut newest = Newest::of(&seen)?;
    let mut names = Names::new(book, gate.viewer())?;
    let mut writing = Writing {
        writer: Writer::new(format, options, sink)?,
        format,
        at,
        min_confidence,
        unmarked: door.rules().default_marking,
    };
    let mut count = 0;
    for collection in &seen.collections {
        seen.pages(collection, "indicator", None, &mut *witness, &mut |content, witness| {
            names.learn(&seen, content, witness)?;
            each_object(content, &mut |object, value| {
                let Some(found) = Found::of(object, value) else { return Ok(()) };
                if newest.is_the_one(&found.id, found.modified) {
                    count += 1;
                    writing.indicator(&found, names.of(found.author.as_deref()))?;
                }
                Ok(())
            })?;
            progress(count);
            Ok(())
        })?;
    }
    Ok(Summary { indicators: count, report: writing.writer.finish()? })
}

/// An export on its way.
struct Writing<'s> {
    writer: Writer<'s>,
    format: Format,
    at: ledger::Micros,
    min_confidence: Option<u8>,
    /// What an object without a label is treated as.
    unmarked: Tlp,
}

impl Writing<'_> {
    /// Writes what an indicator claims, or notes why not.
    fn indicator(&mut self, found: &Found<'_>, source: &str) -> Result<(), Error> {
        if let Some(reason) = self.holds_not(found) {
            self.writer.leave_out(&found.id, reason);
            return Ok(());
        }
        let about = found.about(source, found.tlp.unwrap_or(self.unmarked).label());
        if self.format.holds_objects() {
            return Ok(self.writer.object(&about)?);
        }
        if found.language != "stix" {
            match Language::named(&found.language) {
                Some(language) => self.writer.native(&Native { about: &about, language, text: &found.pattern })?,
                None => self.writer.leave_out(&found.id, Reason::OtherLanguage),
            }
            return Ok(());
        }
        let Ok(pattern) = pattern::parse(&found.pattern) else {
            self.writer.leave_out(&found.id, Reason::BadPattern);
            return Ok(());
        };
        let Some(claims) = observable::claims(&pattern).filter(|claims| !claims.is_empty()) else {
            self.writer.leave_out(&found.id, Reason::SaysMore);
            return Ok(());
        };
        // What blocks must not block the reader's own network.
        let limits = Limits { private: !self.format.blocks(), ..Limits::default() };
        let mut scratch = Vec::new();
        for claim in &claims {
            match observable::admitted(claim.kind, claim.value.as_bytes(), claim.subdomains, &limits, &mut scratch) {
                Ok(_) => {
                    let (itself, subdomains) = (claim.itself, claim.subdomains);
                    self.writer.item(&Item {
                        about: &about,
                        kind: claim.kind,
                        value: &claim.value,
                        itself,
                        subdomains,
                    })?;
                }
                Err(refused) => self.writer.leave_out(&found.id, reason(&refused)),
            }
        }
        Ok(())
    }

    /// Why an indicator counts for nothing now.
    fn holds_not(&self, found: &Found<'_>) -> Option<Reason> {
        if found.revoked {
            return Some(Reason::Revoked);
        }
        if found.valid_from > self.at {
            return Some(Reason::NotYetValid);
        }
        if found.valid_until.is_some_and(|until| until <= self.at) {
            return Some(Reason::Expired);
        }
        let enough =
            self.min_confidence.is_none_or(|least| least == 0 || found.confidence.is_some_and(|sure| sure >= least));
        (!enough).then_some(Reason::Confidence)
    }
}

fn reason(refused: &Refused) -> Reason {
    match refused {
        Refused::NotAValue(_) => Reason::NotOfItsKind,
        Refused::Private => Reason::Private,
        _ => Reason::TooBroad,
    }
}
