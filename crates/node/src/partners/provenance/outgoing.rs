//! Dressing what is handed to a partner: each object with its author's seal, and one envelope.

use super::{KeptSeals, halves, halves_of, mark};
use crate::partners::statement::Statement;
use bytes::Bytes;
use ledger::{ClassNo, Ledger, Micros, Partners};
use partner::envelope::{self, Said};
use partner::key::Keys;
use partner::seal::{self, Content};
use partner::trust::Keyring;
use policy::{Audience, Author, Class, Handling};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use stix::json::{Limits, Tape};
use stix::timestamp::format_micros;

/// One page on its way to a partner.
///
/// INVARIANT: what is added depends only on what is given, on the classes of what is given, and on what the one who brought
/// it in said of it (law 1): never on another record, or on what another source said.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// Where classes are defined.
    pub book: &'a dyn Ledger,
    /// Where seals and statements are kept.
    pub partners: &'a dyn Partners,
    /// Our own keys.
    pub keys: &'a Keys,
    /// Our own card and those of partners.
    pub ring: &'a Keyring,
    /// Our own organisation.
    pub own: &'a str,
    /// The organisation that gets it.
    pub to: &'a str,
    /// The budget of one object.
    pub limits: Limits,
    /// When.
    pub now: Micros,
}

/// A page as it goes out.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Dressed {
    /// Each object followed by its seal where there is one, or by the sheet of which it is the last, then the envelope if there
    /// is anything to say.
    pub objects: Vec<Bytes>,
    /// The places of those bodies that are not handed over, ascending.
    pub left_out: Vec<usize>,
}

/// Whose the records of a class are.
enum Whose {
    /// Our own.
    Ours(Box<Kin>),
    Others(Box<Class>),
    /// The class is not understood: nothing of it goes out.
    Unknown,
}

/// What bodies of our own have in common that are sealed together.
#[derive(Eq, Ord, PartialEq, PartialOrd)]
struct Kin {
    /// The limits with which they are sealed; empty: none.
    limits: Vec<u8>,
    /// Their class, whatever they refer to.
    class: Vec<u8>,
}

/// Trees of seals from which on two threads share the work.
const FEW: usize = 4;

/// Objects that are sealed under one signature, with their places on the page and the limits they share.
type Tree = (Vec<usize>, Vec<Content>, Option<Value>);

/// How seals are written.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Written {
    /// Each stands alone: for whoever keeps objects one by one.
    Alone,
    /// Those of one tree are on one sheet: for the node that gets them all.
    Together,
}

/// What there is of an object that goes out.
enum Goes {
    /// Its seal, if any goes with it alone.
    With(Option<Vec<u8>>),
    /// It is another's, and this is known of it.
    Others(Kept),
}

/// What is known of others' objects.
#[derive(Default)]
struct Kept {
    seal: Option<Vec<u8>>,
    /// The digest of the body, if it was read.
    digest: Option<[u8; 32]>,
    said: Option<Statement>,
}

impl Outgoing<'_> {
    /// Dresses the bodies of a page, each as it is given to the receiver, with the class of its record ([`super::Noting`]).
    /// Each seal stands alone.
    ///
    /// Left out is what the receiver handed to us or what came to us over it, what another organisation's limits keep here,
    /// and what is only a part of another organisation's sealed object.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn dress(&self, bodies: &[(&[u8], ClassNo)]) -> ledger::Result<Dressed> {
        // One piece of memory for all bodies.
        let all = Bytes::from(bodies.iter().map(|(body, _)| *body).collect::<Vec<_>>().concat());
        let mut at = 0;
        let mut next = |body: &[u8]| {
            let here = at..at + body.len();
            at = here.end;
            all.slice(here)
        };
        self.dress_as(bodies, Written::Alone, &mut next)
    }

    /// The same for a link that pulls, of bodies that lie in a page: our seals are on sheets.
    ///
    /// # Errors
    /// Those of the ledger.
    pub fn dress_for_link(&self, page: &Bytes, bodies: &[(&[u8], ClassNo)]) -> ledger::Result<Dressed> {
        self.dress_as(bodies, Written::Together, &mut |body| page.slice_ref(body))
    }

    /// `shared` gives each body in shared memory, in their order.
    fn dress_as(
        &self,
        bodies: &[(&[u8], ClassNo)],
        written: Written,
        shared: &mut dyn FnMut(&[u8]) -> Bytes,
    ) -> ledger::Result<Dressed> {
        let classes = self.classes(bodies)?;
        let whose = |class: &ClassNo| classes.get(class).unwrap_or(&Whose::Unknown);
        let mut goes: Vec<Option<Goes>> = bodies.iter().map(|_| None).collect();
        let mut sheets = self.our_seals(bodies, &whose, written, &mut goes).into_iter().peekable();
        self.kept(bodies, &whose, &mut goes)?;
        let mut dressed = Dressed { objects: Vec::with_capacity(bodies.len() * 2 + 1), ..Dressed::default() };
        let mut said = Vec::new();
        for (place, ((body, class), goes)) in bodies.iter().zip(goes).enumerate() {
            let object = shared(body);
            let seal = match (goes, whose(class)) {
                (Some(Goes::With(seal)), _) => Some(seal),
                (Some(Goes::Others(kept)), Whose::Others(class)) => {
                    let statement = kept.said.unwrap_or_default();
                    self.may_go(body, class, &statement, kept.seal.is_some()).then(|| {
                        let digest = || {
                            let in_seal = kept.seal.as_ref().and_then(|seal| super::digest_in(seal, &self.limits));
                            in_seal.or_else(|| partner::signed::digest(body, &self.limits).ok())
                        };
                        said.extend(self.said(class, statement, || kept.digest.or_else(digest)));
                        kept.seal
                    })
                }
                _ => None,
            };
            match seal {
                Some(seal) => {
                    dressed.objects.push(object);
                    dressed.objects.extend(seal.map(Bytes::from));
                }
                None => dressed.left_out.push(place),
            }
            while let Some((_, sheet)) = sheets.next_if(|(last, _)| *last == place) {
                dressed.objects.push(Bytes::from(sheet));
            }
        }
        if !said.is_empty() {
            let envelope = envelope::sign(&said, &format_micros(self.now), self.keys);
            dressed.objects.push(Bytes::from(envelope));
        }
        Ok(dressed)
    }

    fn classes(&self, bodies: &[(&[u8], ClassNo)]) -> ledger::Result<HashMap<ClassNo, Whose>> {
        let mut classes = HashMap::new();
        for (_, no) in bodies {
            if classes.contains_key(no) {
                continue;
            }
            let definition = self.book.class_definition(*no)?;
            let whose = match definition.and_then(|bytes| Class::from_definition(&bytes)) {
                None => Whose::Unknown,
                Some(class) if same(&class.owner, self.own) && class.author == Author::Owner => {
                    let limits = limits_of(&class.handling);
                    Whose::Ours(Box::new(Kin { limits, class: Class { open: false, ..class }.to_definition() }))
                }
                Some(class) => Whose::Others(Box::new(class)),
            };
            classes.insert(*no, whose);
        }
        Ok(classes)
    }

    /// The seals of our own bodies. What cannot be sealed does not go. Returns the sheets on which they are, if they are, each
    /// with the place of the last body on it, in the order of these.
    ///
    /// They are made for the receiver each time, and made alike: a signature holds for many, and which these are follows
    /// from what is given here alone. Under one root is only what has one marking and one kind of limits, so that who sees
    /// one of them elsewhere sees all in most cases.
    fn our_seals<'w>(
        &self,
        bodies: &[(&[u8], ClassNo)],
        whose: &dyn Fn(&ClassNo) -> &'w Whose,
        written: Written,
        goes: &mut [Option<Goes>],
    ) -> Vec<(usize, Vec<u8>)> {
        let mut ours = Vec::new();
        for (place, (body, class)) in bodies.iter().enumerate() {
            if let Whose::Ours(kin) = whose(class) {
                ours.push((place, *body, &**kin));
            }
        }
        let contents = halves(&ours, |part| {
            let (mut tape, mut scratch) = (Tape::new(), Vec::new());
            let content = |(_, body, _): &(usize, &[u8], &Kin)| {
                tape.parse(body, &self.limits).ok().map(|value| Content::of_on(&mut scratch, value))
            };
            part.iter().map(content).collect()
        });
        let mut by_kin: BTreeMap<&Kin, Vec<(usize, Content)>> = BTreeMap::new();
        for ((place, _, kin), content) in ours.into_iter().zip(contents) {
            by_kin.entry(kin).or_default().extend(content.map(|content| (place, content)));
        }
        let mut trees: Vec<Tree> = Vec::new();
        for (kin, objects) in by_kin {
            let handling = (!kin.limits.is_empty()).then(|| serde_json::from_slice(&kin.limits)).transpose();
            // Limits that cannot be said are not left out.
            let Ok(handling) = handling else { continue };
            let handling: Option<Value> = handling;
            let mut objects = objects.into_iter().peekable();
            while objects.peek().is_some() {
                let (places, contents): (Vec<_>, Vec<_>) = objects.by_ref().take(seal::TOGETHER).unzip();
                trees.push((places, contents, handling.clone()));
            }
        }
        let mut put = |place: usize, seal: Option<Vec<u8>>| {
            if let Some(slot) = goes.get_mut(place) {
                *slot = Some(Goes::With(seal));
            }
        };
        let fits =
            |(.., handling): &Tree| handling.as_ref().is_none_or(|said| said.to_string().len() <= seal::MOST_LIMITS);
        let (together, alone): (Vec<_>, Vec<_>) =
            trees.into_iter().partition(|tree| written == Written::Together && fits(tree));
        let mut sheets = halves_of(&together, FEW, |part| {
            let sheet = |(places, contents, handling): &Tree| {
                let sheet = seal::Sheet::of(contents, handling.as_ref(), self.to, self.keys);
                (places.last().copied().unwrap_or_default(), sheet.text())
            };
            part.iter().map(sheet).collect()
        });
        together.into_iter().flat_map(|(places, ..)| places).for_each(|place| put(place, None));
        sheets.sort_unstable_by_key(|(last, _)| *last);
        let made = halves_of(&alone, FEW, |part| {
            let sealed =
                |(_, contents, handling): &Tree| seal::seal_all(contents, handling.as_ref(), self.to, self.keys);
            part.iter().map(sealed).collect()
        });
        for ((places, ..), seals) in alone.into_iter().zip(made) {
            places.into_iter().zip(seals).for_each(|(place, seal)| put(place, Some(seal)));
        }
        sheets
    }

    /// What is kept of others' objects: the seal, standing alone, and what the one who brought it in said.
    fn kept<'w>(
        &self,
        bodies: &[(&[u8], ClassNo)],
        whose: &dyn Fn(&ClassNo) -> &'w Whose,
        goes: &mut [Option<Goes>],
    ) -> ledger::Result<()> {
        let mut others = Vec::new();
        let mut marks = Vec::new();
        for (place, (body, class)) in bodies.iter().enumerate() {
            if let Whose::Others(class) = whose(class) {
                marks.push(mark::of(body));
                others.push((place, *body, class));
            }
        }
        if others.is_empty() {
            return Ok(());
        }
        let statements = self.partners.statements_of(&marks)?;
        marks.extend(others.iter().map(|(_, body, _)| mark::unproven(body)));
        let mut seals = self.partners.seals(&marks)?;
        let unproven = seals.split_off(others.len().min(seals.len()));
        let seals = seals.into_iter().zip(unproven).map(|(proven, unproven)| proven.or(unproven));
        let (mut tape, mut scratch, mut kept_seals) = (Tape::new(), Vec::new(), KeptSeals::default());
        for (((place, body, class), seal), statements) in others.iter().zip(seals).zip(statements) {
            let mut digest = None;
            let content = || {
                let content = Content::of_on(&mut scratch, tape.parse(body, &self.limits).ok()?);
                digest = Some(*content.digest());
                Some(content)
            };
            let seal = seal.and_then(|seal| kept_seals.alone(seal, content));
            let of_bringer = statements.into_iter().find(|said| same(&said.source, &class.owner));
            let said = of_bringer.and_then(|said| serde_json::from_slice(&said.body).ok());
            if let Some(slot) = goes.get_mut(*place) {
                *slot = Some(Goes::Others(Kept { seal, digest, said }));
            }
        }
        Ok(())
    }

    /// Whether another organisation's object may be handed to the receiver over a link.
    fn may_go(&self, body: &[u8], class: &Class, said: &Statement, sealed: bool) -> bool {
        let receiver = self.ring.card(self.to).map(|card| card.identities.as_slice()).unwrap_or_default();
        let came_over_receiver = said.path.iter().any(|node| receiver.contains(node));
        // A circle is one of the node that drew it: what came over a link has left it.
        let narrow =
            |circle: &Audience| matches!(circle, Audience::Organisation | Audience::Community | Audience::Connected);
        let kept_here = !said.path.is_empty() && class.handling.audience.iter().any(narrow);
        // A seal is over the very bytes: what has one was not cut here.
        let cut = !sealed && self.is_sealed_by_author(class) && self.is_partial(body);
        !came_over_receiver && !kept_here && !cut
    }

    fn is_sealed_by_author(&self, class: &Class) -> bool {
        match &class.author {
            Author::Organisation(author) => same(author, self.own) || self.ring.card(author).is_some(),
            Author::Owner => self.ring.card(&class.owner).is_some(),
            Author::Foreign => false,
        }
    }

    fn is_partial(&self, body: &[u8]) -> bool {
        let says = |word: &str| memchr::memmem::find(body, word.as_bytes()).is_some();
        // What is written with escapes was not written by our own redaction, but may mean the same.
        if !says(stix::redact::EXTENSION) && !says(stix::redact::PROPERTY) && !body.contains(&b'\\') {
            return false;
        }
        Tape::new().parse(body, &self.limits).map_or(true, stix::redact::is_partial)
    }

    /// What the envelope says of another organisation's object; `None`: nothing is known of it.
    fn said(&self, class: &Class, statement: Statement, digest: impl FnOnce() -> Option<[u8; 32]>) -> Option<Said> {
        let Statement { path, reliability, credibility, .. } = statement;
        // Limits that were set beside the markings go with it, but not to whoever may have it in spite of them: they may name
        // what it does not know.
        let handling = (!class.originated_by(self.to)).then(|| limits_of(&class.handling));
        let handling: Option<Value> = handling.and_then(|limits| serde_json::from_slice(&limits).ok());
        if path.is_empty() && reliability.is_none() && credibility.is_none() && handling.is_none() {
            return None;
        }
        Some(Said { digest: digest()?, path, reliability, credibility, handling })
    }
}

/// Limits as a seal has them; empty: none.
fn limits_of(handling: &Handling) -> Vec<u8> {
    if handling.is_none() { Vec::new() } else { serde_json::to_vec(handling).unwrap_or_default() }
}

fn same(one: &str, two: &str) -> bool {
    one == two || one.to_lowercase() == two.to_lowercase()
}
