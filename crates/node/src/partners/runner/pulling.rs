//! Objects from the partner to us: sorted, judged, kept, page by page.

use super::ahead::Ahead;
use super::{Book, Error, GoesOn, Held, Round, Running, title};
use crate::import::{self, Listener, Options, Pages, Refusal};
use crate::intake::{Context, Taken};
use crate::packed::Budget;
use crate::partners::provenance::{Incoming, Looks, Refused, Sound, Strictness, Waiting};
use crate::partners::{quota, state};
use ledger::{Micros, Note, PartnerKind};
use policy::{Class, Facts as _, Meaning, Tlp};
use stix::timestamp::{Timestamp, format_micros};
use taxii::client::{Client, Found, Page, Position, Pull, Transport};

impl<B: Book> Running<'_, B> {
    /// Pulls what is new.
    pub(super) async fn pull<T: Transport>(
        &mut self,
        client: &Client<T>,
        found: &Found,
        done: &mut Round,
        goes_on: GoesOn<'_>,
    ) -> Result<(), Error> {
        if !found.collection.can_read {
            return Err(Error::Rights { doing: "read", title: title(found) });
        }
        let definition = &self.job.definition;
        let mut reached = self.reached()?;
        let begin = || Position { added_after: definition.added_after.clone(), ..Position::default() };
        reached.go_back(client.transport().now());
        let position = reached.pulled.clone().unwrap_or_else(begin);
        let selection = definition.selection(self.job.partner.kind == PartnerKind::Foreign);
        let reading = client.pull(&found.objects, &selection, position.clone());
        let options = self.options()?;
        let pages = Pages::new(self.here.book, &options);
        let mut way = OnTheWay { reached, position, pages, waiting: Waiting::default(), kept: false };
        let mut size = Size::new(self.bounds);
        let limits = self.limits();
        // What is to be read, or the page that was asked for while the one before it was taken in.
        let mut next = Next::Later(reading);
        loop {
            // A page that was asked for in time is taken.
            let asked = match &next {
                Next::Later(_) => client.transport().now(),
                Next::Ahead(_, asked) => *asked,
            };
            let Some(most) = self.allowance_in(client.transport().now(), asked, done)? else { break };
            let (reading, page) = match next {
                Next::Later(reading) => fetch(reading, most.min(size.objects), limits).await,
                Next::Ahead(ahead, _) => ahead.arrive().await,
            };
            let Some((page, looked)) = page? else {
                done.reached = Some(done.begun);
                break;
            };
            let now = client.transport().now();
            let (count, bytes) = (looked.len(), looked.bytes());
            let behind = self.allowance_behind(count as u64, bytes, now)?.filter(|_| !reading.is_done());
            let work = || self.take_in(page, looked, &mut way, now, done);
            next = match behind {
                // The partner makes the next page, and it is looked at, while this one is taken in. It counts for nothing
                // before that: what breaks off is asked for again.
                Some(most) => {
                    let mut ahead = Ahead::new(fetch(reading, most.min(size.objects), limits));
                    ahead.beside(work)?;
                    Next::Ahead(ahead, now)
                }
                None => {
                    work()?;
                    Next::Later(reading)
                }
            };
            size.after(count, bytes, client.transport().now().saturating_sub(asked));
            if !goes_on(done)? {
                done.held = Some(Held::Time);
                break;
            }
        }
        let OnTheWay { reached, pages, mut waiting, kept, .. } = way;
        self.incoming(client.transport().now()).keep_late_seals(&mut waiting)?;
        // A round that goes on later asks for it again; one that got nowhere does not do so for ever.
        if done.held.is_none() || waiting.objects() == 0 || !kept {
            let refused = self.incoming(client.transport().now()).give_up(&mut waiting);
            self.refused(refused, done)?;
            self.keep_reached(&reached)?;
        }
        pages.end()?;
        Ok(())
    }

    /// Takes a page in, and then notes how far the link has come: the position is never ahead of what is durable.
    fn take_in(
        &mut self,
        page: Page,
        looked: Looks,
        way: &mut OnTheWay<'_>,
        now: Micros,
        done: &mut Round,
    ) -> Result<(), Error> {
        if let Some(warning) = page.warning {
            done.warn(warning);
        }
        let (bytes, refused) = (looked.bytes(), done.refused);
        let (taken, again) = self.page(looked, &mut way.waiting, &mut way.pages, now, done)?;
        let before = std::mem::replace(&mut way.position, page.position.clone());
        if let Some(again) = again {
            way.reached.come_again(before, again, now);
        }
        let mut notes: Vec<_> = self.budget.spent(taken, bytes, now).into_iter().collect();
        notes.extend(self.spent(taken, bytes, done.refused - refused, now, done)?);
        done.pages += 1;
        done.objects += taken;
        done.bytes += bytes;
        done.reached = page.position.last.as_deref().and_then(|at| Timestamp::parse(at).ok()).map(|at| at.micros);
        way.reached.pulled = Some(page.position);
        // What waits for its seal is asked for again if the round breaks off.
        if way.waiting.objects() == 0 {
            notes.push(state::reached_note(&self.job.name, &way.reached));
            way.kept = true;
        }
        self.here.book.set_notes(&notes)?;
        Ok(())
    }

    /// How many objects may be asked for when a page of so many objects and bytes has been taken in; `None`: nothing, or
    /// nobody knows.
    fn allowance_behind(&self, objects: u64, bytes: u64, now: Micros) -> Result<Option<u64>, Error> {
        let Some(most) = self.budget.left_behind(objects, bytes, now).filter(|_| now < self.ends) else {
            return Ok(None);
        };
        let held = quota::Held::load(self.here.book, &self.job.partner.organisation, now)?;
        let mut quota = held.quota().clone();
        quota.took(objects, bytes, now);
        Ok(quota.open(now).is_ok().then(|| most.min(quota.left(now)).max(1)))
    }

    /// Takes what the partner brought out of what it may bring. What is left is to be kept so, in a note.
    fn spent(
        &self,
        objects: u64,
        bytes: u64,
        refused: u64,
        now: Micros,
        done: &mut Round,
    ) -> Result<Option<Note>, Error> {
        let mut held = quota::Held::load(self.here.book, &self.job.partner.organisation, now)?;
        let (pause, note) = held.brings(self.here.book, (objects, bytes), refused, now)?;
        if let Some(until) = pause {
            let reason = format!("too much of what it brought was refused: until {}", format_micros(until));
            self.note("partner-pauses", &format!("link {}", self.job.name), false, &reason)?;
            done.warn(format!("the partner pauses: {reason}"));
        }
        Ok(note)
    }

    fn limits(&self) -> stix::json::Limits {
        crate::intake::limits(&self.here.config.limits)
    }

    /// How objects are taken in: as the partner's, who brings them.
    fn options(&self) -> Result<Options, Error> {
        let limits = &self.here.config.limits;
        let context = Context {
            recipients: self.job.definition.to.clone(),
            ..Context::new(self.ours.no, self.job.partner.organisation.clone(), self.here.book)?
        };
        let budget = Budget { max_bytes: limits.max_unpacked_bytes, max_ratio: limits.max_unpack_ratio };
        Ok(Options { context, keep_20: false, all_or_nothing: false, budget, limits: self.limits() })
    }

    fn incoming(&self, now: Micros) -> Incoming<'_> {
        Incoming {
            book: self.here.book,
            partners: self.here.book,
            ring: self.here.ring,
            from: &self.job.partner.organisation,
            own: self.here.own,
            strictness: Strictness::Partner,
            limits: self.limits(),
            now,
        }
    }

    /// Takes a page in: what is good of it is durable when this returns. Returns of how many objects it was, and when some
    /// of it is to be asked for again.
    fn page(
        &self,
        looked: Looks,
        waiting: &mut Waiting,
        pages: &mut Pages<'_>,
        now: Micros,
        done: &mut Round,
    ) -> Result<(u64, Option<Micros>), Error> {
        let incoming = self.incoming(now);
        let waited = waiting.objects() as u64;
        let sorted = incoming.sort_looked(looked, waiting)?;
        let taken = (sorted.sound.len() + sorted.refused.len()) as u64 + sorted.dropped;
        let taken = (taken + waiting.objects() as u64).saturating_sub(waited);
        done.left_out += sorted.dropped;
        let (mut sound, mut refused) = (Vec::with_capacity(sorted.sound.len()), sorted.refused);
        for object in sorted.sound {
            match self.too_large(&object) {
                None => sound.push(object),
                Some(reason) => refused.push(Refused { id: id_of(&object.body), reason }),
            }
        }
        let before = pages.counts();
        let mut told = Told::default();
        let context = pages.context().clone();
        let unwanted = |taken: &Taken<'_>, object: &Sound| self.unwanted(&context.class(taken, &object.backing));
        pages.take_wanted(&self.job.name, &sound, &incoming, &unwanted, &mut told)?;
        let after = pages.counts();
        done.added += after.added - before.added;
        done.unchanged += after.unchanged - before.unchanged;
        done.conflicts += after.conflicts - before.conflicts;
        refused.extend(told.refused);
        for (object, versions) in told.gave_way {
            self.note("unsealed-gave-way", &object, true, &format!("{versions} versions"))?;
        }
        self.refused(refused, done)?;
        self.take_control(&sorted.control, now, done)?;
        Ok((taken, sorted.again))
    }

    /// Whether an object is longer than the link takes; then in words.
    fn too_large(&self, object: &Sound) -> Option<String> {
        let length = object.body.len() as u64;
        let most = self.job.definition.max_object_bytes.filter(|most| length > *most)?;
        Some(format!("it has {length} bytes, and the link takes {most}"))
    }

    /// Why the link does not take valid objects of a class.
    fn unwanted(&self, class: &Class) -> Option<String> {
        let level = self.strictest(class);
        match (level, self.job.definition.ceiling()) {
            (Some(Tlp::Red), _) if class.recipients.is_empty() => {
                Some("it is marked TLP:RED, and the link names nobody here who gets that".to_owned())
            }
            (None, Some(_)) => {
                Some("it carries a marking that is not known here, and the link has a ceiling".to_owned())
            }
            (Some(level), Some(ceiling)) if level > ceiling => {
                Some("it is marked more strictly than the link takes".to_owned())
            }
            _ => None,
        }
    }

    /// The strictest level that marks a record or a part of it; `None`: a marking is not known here.
    fn strictest(&self, class: &Class) -> Option<Tlp> {
        let mut strictest = None;
        for id in class.markings.iter().chain(&class.granular).chain(&class.binding) {
            let meaning =
                stix::marking::tlp_of(id).map_or_else(|| self.here.door.meaning(id, &class.owner), Meaning::Tlp);
            match meaning {
                Meaning::Tlp(level) => strictest = strictest.max(Some(level)),
                Meaning::Handling(level, _) => strictest = strictest.max(level),
                Meaning::Statement | Meaning::Pap(_) => {}
                Meaning::Unknown => return None,
            }
        }
        Some(strictest.unwrap_or(self.here.door.rules().default_marking))
    }

    fn refused(&self, refused: Vec<Refused>, done: &mut Round) -> Result<(), Error> {
        done.refused += refused.len() as u64;
        let refused: Vec<_> = refused.into_iter().map(|refused| (refused.id, refused.reason)).collect();
        self.note_refusals("object-refused", &refused)?;
        Ok(())
    }
}

/// What a round knows of its way from page to page.
struct OnTheWay<'p> {
    reached: state::Reached,
    /// Behind the page before.
    position: Position,
    pages: Pages<'p>,
    /// What waits for a further page.
    waiting: Waiting,
    /// Whether a position was kept.
    kept: bool,
}

/// Where the next page comes from.
enum Next<'c, T> {
    /// It is asked for when it is wanted.
    Later(Pull<'c, T>),
    /// It was asked for then.
    Ahead(Ahead<'c, Fetched<'c, T>>, Micros),
}

/// A page, and what is on it, before anything here is asked about it.
type Fetched<'c, T> = (Pull<'c, T>, Result<Option<(Page, Looks)>, taxii::client::Error>);

/// Asks for a page of at most so many objects.
async fn fetch<T: Transport>(mut reading: Pull<'_, T>, most: u64, limits: stix::json::Limits) -> Fetched<'_, T> {
    reading.at_most(most);
    let page = reading.next_page().await.map(|page| {
        page.map(|mut page| {
            let looked = Looks::of(std::mem::take(&mut page.objects), &limits);
            (page, looked)
        })
    });
    (reading, page)
}

/// How many objects a page is asked for. Each page costs some writes to disk, however small it is, so pages grow while they
/// come quickly; a round ends between two pages, so they shrink when they do not.
struct Size {
    objects: u64,
    bounds: (u64, u64),
}

impl Size {
    const QUICK: Micros = 1_000_000;
    const SLOW: Micros = 5_000_000;
    /// Bytes that a page shall not be longer than.
    const BYTES: u64 = 8 << 20;

    fn new(bounds: &super::Bounds) -> Self {
        let (first, grown) = (bounds.objects as u64, bounds.grown as u64);
        Self { objects: first, bounds: (first, grown.max(first)) }
    }

    /// After a page of so many objects and bytes, which took so long to fetch and to take in.
    fn after(&mut self, objects: usize, bytes: u64, took: Micros) {
        let (least, most) = self.bounds;
        let next = match took {
            ..Self::QUICK => self.objects.saturating_mul(4),
            Self::QUICK..Self::SLOW => self.objects,
            Self::SLOW.. => self.objects / 4,
        };
        let fit = Self::BYTES * (objects as u64).max(1) / bytes.max(1);
        self.objects = next.min(fit).clamp(least, most);
    }
}

/// What is told while objects are taken in.
#[derive(Default)]
struct Told {
    refused: Vec<Refused>,
    gave_way: Vec<(String, u64)>,
}

impl Listener for Told {
    fn refused(&mut self, refusal: Refusal) {
        let id = refusal.object.unwrap_or_else(|| "(no id)".to_owned());
        // An object that is refused for several reasons is one object.
        if self.refused.last().is_none_or(|last| last.id != id) {
            let Refusal { path, message, clause, .. } = refusal;
            // What breaks no rule of the standard needs no place.
            let reason = if clause.is_empty() { message } else { format!("{path}: {message} ({clause})") };
            self.refused.push(Refused { id, reason });
        }
    }

    fn unreadable(&mut self, error: import::Error) {
        self.refused.push(Refused { id: "(no id)".to_owned(), reason: error.to_string() });
    }

    fn gave_way(&mut self, object: &str, versions: u64) {
        self.gave_way.push((object.to_owned(), versions));
    }
}

fn id_of(body: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Named {
        id: String,
    }
    let id = serde_json::from_slice::<Named>(body).map(|named| named.id);
    id.map_or_else(|_| "(no id)".to_owned(), |id| id.chars().filter(|c| !c.is_control()).take(120).collect())
}

#[cfg(test)]
mod tests {
    use super::super::Bounds;
    use super::Size;

    #[test]
    fn pages_grow_while_they_come_quickly_and_only_so_far() {
        let bounds = Bounds { objects: 400, grown: 4_000, ..Bounds::default() };
        let mut size = Size::new(&bounds);
        assert_eq!(size.objects, 400);
        let rows: [(usize, u64, i64, u64); 8] = [
            (400, 400_000, 50_000, 1_600),
            (1_600, 1_600_000, 999_999, 4_000),
            (4_000, 4_000_000, 1_000_000, 4_000),
            // Long objects.
            (1_000, 16_000_000, 10, 524),
            (524, 500_000, 2_000_000, 524),
            (524, 500_000, 10, 2_096),
            // A slow one.
            (2_096, 500_000, 60_000_000, 524),
            (0, 0, 60_000_000, 400),
        ];
        for (place, (objects, bytes, took, next)) in rows.into_iter().enumerate() {
            size.after(objects, bytes, took);
            assert_eq!(size.objects, next, "{place}");
        }
    }

    #[test]
    fn pages_that_may_not_grow_do_not() {
        let mut size = Size::new(&Bounds { objects: 3, grown: 0, ..Bounds::default() });
        size.after(3, 100, 0);
        assert_eq!(size.objects, 3);
    }
}
