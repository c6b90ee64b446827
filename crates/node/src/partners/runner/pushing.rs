//! Objects from us to the partner: what it may have, dressed, behind what it got before.

use super::{Book, Error, GoesOn, Held, Round, Running, title};
use crate::accounts::who;
use crate::audit::{self, Event, Given, HandOver};
use crate::door::{Door, Selected};
use crate::eyes::Eyes;
use crate::partners::provenance::{Noting, Outgoing};
use crate::partners::state::Reached;
use bytes::Bytes;
use ledger::{ClassNo, Dialect, Filter, Micros, Page, Run, Seq, Versions};
use partner::signed::Kind;
use policy::{Facts, Gate, Group, Meaning, Tlp, Treatment, Viewer};
use stix::timestamp::Timestamp;
use taxii::client::{Client, Found, Transport};

/// The door's facts under the ceiling of a link.
struct Capped<'d> {
    door: &'d Door,
    ceiling: Option<Tlp>,
}

impl Facts for Capped<'_> {
    fn meaning(&self, id: &str, owner: &str) -> Meaning {
        self.door.meaning(id, owner)
    }

    fn group(&self, id: &str) -> Option<Group> {
        self.door.group(id)
    }

    fn ceiling(&self, organisation: &str) -> Option<Tlp> {
        match (self.door.ceiling(organisation), self.ceiling) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        }
    }

    fn treatment(&self, viewer: &Viewer, kind: &str) -> Treatment {
        self.door.treatment(viewer, kind)
    }
}

/// One page of what the partner may have.
struct Leaving {
    /// As it is sent.
    objects: Vec<Bytes>,
    /// How many of those are objects of the book, and their bytes.
    count: u64,
    bytes: u64,
    /// Exactly which.
    given: Vec<Run>,
    left_out: u64,
    too_large: u64,
    last: Option<Seq>,
    more: bool,
}

impl<B: Book> Running<'_, B> {
    /// Pushes what is new.
    pub(super) async fn push<T: Transport>(
        &mut self,
        client: &Client<T>,
        found: &Found,
        done: &mut Round,
        goes_on: GoesOn<'_>,
    ) -> Result<(), Error> {
        let viewer = self.viewer()?;
        if !policy::may(&viewer, &who(&self.ours.read)) {
            let organisation = self.job.partner.organisation.clone();
            return Err(Error::Viewer { organisation, alias: self.ours.alias.clone() });
        }
        if !found.collection.can_write {
            return Err(Error::Rights { doing: "write to", title: title(found) });
        }
        let mut reached = self.reached()?;
        let mut after = self.after(&reached);
        let mut unsettled = false;
        loop {
            let now = client.transport().now();
            let Some(most) = self.allowance(now, now, done) else { return Ok(()) };
            let most = most.min(self.bounds.objects as u64);
            // Everything that is there now is on this page or behind it.
            let newest = self.here.book.last()?;
            let page = self.leaving(&viewer, after, most, found.max_content_length, now)?;
            if page.count > 0 {
                self.hand_over(&page.given)?;
            }
            if !page.objects.is_empty() {
                let answer = client.push(found, &page.objects).await?;
                let dressing = |id: &Option<String>| {
                    id.as_deref().is_some_and(|id| Kind::of(id.split("--").next().unwrap_or_default()).is_some())
                };
                let refused: Vec<(String, String)> = answer
                    .refused
                    .iter()
                    // A server that does not keep seals is no reason to count the object that they belong to.
                    .filter(|refusal| !dressing(&refusal.id))
                    .map(|refusal| (refusal.id.clone().unwrap_or_default(), refusal.message.clone()))
                    .collect();
                self.note_refusals("object-refused-there", &refused)?;
                let refused = (refused.len() as u64 + answer.unnamed).min(page.count);
                done.refused += refused;
                done.pending += answer.pending;
                done.added += page.count.saturating_sub(refused).saturating_sub(answer.pending);
                for warning in answer.warnings {
                    done.warn(warning);
                }
                // What nobody knows the fate of is sent again: the position stays before it.
                unsettled |= answer.pending > 0;
            }
            let now = client.transport().now();
            self.budget.spend(self.here.book, page.count, page.bytes, now)?;
            done.pages += 1;
            done.objects += page.count;
            done.bytes += page.bytes;
            done.left_out += page.left_out;
            done.refused += page.too_large;
            after = if page.more { page.last.or(after) } else { newest.max(page.last).max(after) };
            if let Some(after) = after.filter(|_| !unsettled) {
                reached.pushed = Some(after.0);
                self.keep_reached(&reached)?;
                done.reached = Some(after.0);
            }
            if !page.more {
                if !unsettled {
                    done.reached = Some(done.begun);
                }
                return Ok(());
            }
            if !goes_on(done)? {
                done.held = Some(Held::Time);
                return Ok(());
            }
        }
    }

    /// Behind which place pushing goes on.
    fn after(&self, reached: &Reached) -> Option<Seq> {
        let begin = self.job.definition.added_after.as_deref().and_then(|text| Timestamp::parse(text).ok());
        reached.pushed.or(begin.map(|at| at.micros)).map(Seq)
    }

    /// Whether the partner may have anything that it did not get.
    pub(super) fn is_anything_new(&self, now: Micros) -> Result<bool, Error> {
        let viewer = self.viewer()?;
        if !policy::may(&viewer, &who(&self.ours.read)) {
            return Ok(false);
        }
        let reached = self.reached()?;
        let page = self.leaving(&viewer, self.after(&reached), 1, None, now)?;
        Ok(page.last.is_some())
    }

    /// Asks the rights anew, reads a page, and dresses it.
    fn leaving(
        &self,
        viewer: &Viewer,
        after: Option<Seq>,
        most: u64,
        max_content: Option<u64>,
        now: Micros,
    ) -> Result<Leaving, Error> {
        let (here, definition) = (&self.here, &self.job.definition);
        let capped = Capped { door: here.door, ceiling: definition.ceiling() };
        let gate = Gate::new(viewer.clone(), now, *here.door.rules(), here.door, &capped);
        let readable = crate::export::readable(here.book, gate.viewer())?;
        let reads = |no| readable.contains(&no);
        let eyes = Eyes::new(&gate, here.door.references(), &reads);
        let noting = Noting::new(&eyes);
        // A page, its seals and its envelope go in one request, so that each object has its proof beside it.
        let room = max_content.map_or(usize::MAX, |most| usize::try_from(most / 3).unwrap_or(usize::MAX));
        let max_bytes = self.bounds.bytes.min(room).min(self.budget.bytes_left(now)).max(1);
        let kinds = &definition.types;
        let dialects = definition.spec_versions.iter().map(|version| match version.as_str() {
            "2.0" => Dialect::Stix20,
            _ => Dialect::Stix21,
        });
        let filter = Filter {
            collection: self.ours.no,
            after,
            keys: None,
            kinds: (!kinds.is_empty()).then(|| kinds.iter().map(String::as_str).collect()),
            versions: Versions::All,
            dialects: (!definition.spec_versions.is_empty()).then(|| dialects.collect()),
            limit: usize::try_from(most).unwrap_or(usize::MAX).max(1),
            max_bytes,
        };
        let mut content = Vec::new();
        let page = here.book.objects(&filter, &noting, &mut content)?;
        let released = gate.admit(Selected { page, content })?.into_inner();
        let Selected { page, content } = released;
        let bodies = noting.apart(&content, page.count).ok_or(Error::Page)?;
        let seqs: Vec<Seq> = seqs(&page);
        if seqs.len() != bodies.len() {
            return Err(Error::Page);
        }
        let longest =
            definition.max_object_bytes.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        let (fits, too_large): (Vec<_>, Vec<_>) =
            bodies.into_iter().zip(seqs).partition(|((body, _), _)| body.len() <= longest);
        let bodies: Vec<(&[u8], ClassNo)> = fits.iter().map(|(body, _)| *body).collect();
        let outgoing = Outgoing {
            book: here.book,
            partners: here.book,
            keys: here.keys,
            ring: here.ring,
            own: here.own,
            to: &self.job.partner.organisation,
            limits: crate::intake::limits(&here.config.limits),
            now,
        };
        let dressed = outgoing.dress(&bodies)?;
        let goes = |place: &usize| dressed.left_out.binary_search(place).is_err();
        let given: Vec<_> = fits.iter().enumerate().filter(|(place, _)| goes(place)).map(|(_, one)| one).collect();
        Ok(Leaving {
            count: given.len() as u64,
            bytes: given.iter().map(|((body, _), _)| body.len() as u64).sum(),
            given: audit::runs_of(given.iter().map(|(_, seq)| *seq)),
            left_out: dressed.left_out.len() as u64,
            too_large: too_large.len() as u64,
            // Seals without an object say nothing.
            objects: if given.is_empty() { Vec::new() } else { dressed.objects },
            last: page.last,
            more: page.more,
        })
    }

    /// Writes down what is given, before it is.
    fn hand_over(&self, given: &[Run]) -> Result<(), Error> {
        let request = format!("link {}", self.job.name);
        let given = Given::of(given);
        let given = HandOver { by: self.by(), collection: self.ours.no, what: "objects", request, given };
        audit::write_now(self.here.journal, &Event::HandedOver(given))?;
        Ok(())
    }
}

fn seqs(page: &Page) -> Vec<Seq> {
    let of = |run: &Run| (0..i64::from(run.count)).map(|n| Seq(run.first.0.saturating_add(n))).collect::<Vec<_>>();
    page.given.iter().flat_map(of).collect()
}
