//! What is said of an object: by each source that brought a version of it, and by us.
//!
//! A statement is about a body (its mark), so every version has its own, and the same bytes from several sources keep what
//! each of them said.

use super::Terms;
use super::provenance::mark;
use super::statement::Statement;
use super::{admiralty, quota};
use ledger::{ClassNo, CollectionNo, Ledger, Mark, Micros, Partners};
use policy::Class;
use stix::json::{Limits, Tape};

/// A version of an object, and who says what of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Version {
    /// As its author wrote it; `None`: the object has no versions.
    pub version: Option<String>,
    /// Where it is.
    pub collections: Vec<CollectionNo>,
    /// How sure we are: as we graded it ourselves, or else as sure as the surest source that counts; `None`: nobody says.
    pub confidence: Option<u8>,
    /// By name; whoever brought it in without a word is among them.
    pub sources: Vec<Source>,
}

/// What one source says of a version.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Source {
    /// The organisation.
    pub organisation: String,
    /// Whether it is the node's own.
    pub ours: bool,
    /// How reliable it is, A to F: as was agreed with us, or else as came with the object.
    pub reliability: Option<char>,
    /// How credible the version is, 1 to 6.
    pub credibility: Option<u8>,
    /// How sure its author is, 0 to 100 (STIX 2.1 §3.2).
    pub claimed: Option<u8>,
    /// What counts of that here: never more than was agreed for the source. What claims nothing but a credibility counts as
    /// the confidence that stands for it (STIX 2.1 Appendix A).
    pub confidence: Option<u8>,
    /// The nodes that it passed before it came here, oldest first.
    pub path: Vec<String>,
    /// When the source said so first.
    pub first: Micros,
    /// When it said so last.
    pub last: Micros,
}

/// A body that is in the book.
struct Body {
    mark: Mark,
    version: Option<String>,
    claimed: Option<u8>,
    /// Where, of which class, and since when.
    places: Vec<(CollectionNo, ClassNo, Micros)>,
}

/// Every version of an object that is in the book, oldest first, with what its sources say of it. Empty: it is not there.
/// `own` is the node's own organisation.
///
/// # Errors
/// Those of the book.
pub fn of(book: &dyn Ledger, partners: &dyn Partners, own: Option<&str>, object: &str) -> ledger::Result<Vec<Version>> {
    let bodies = bodies(book, object)?;
    let marks: Vec<Mark> = bodies.iter().map(|body| body.mark).collect();
    let terms: Vec<(String, Terms)> =
        partners.partners()?.into_iter().map(|partner| (partner.organisation, Terms::read(&partner.terms))).collect();
    let terms_of = |name: &str| terms.iter().find(|(known, _)| same(known, name)).map(|(_, terms)| terms);
    let is_ours = |name: &str| own.is_some_and(|own| same(own, name));
    let mut versions = Vec::with_capacity(bodies.len());
    for (body, said) in bodies.into_iter().zip(partners.statements_of(&marks)?) {
        let mut sources: Vec<Source> = Vec::with_capacity(said.len());
        let bringers = bringers(book, &body)?;
        for row in said {
            let said: Statement = serde_json::from_slice(&row.body).unwrap_or_default();
            let (ours, terms) = (is_ours(&row.source), terms_of(&row.source));
            // Whoever only graded what others brought does not vouch for what its author claims.
            let brought = !ours || bringers.iter().any(|(bringer, _)| same(bringer, &row.source));
            let claimed = said.confidence.or(body.claimed.filter(|_| brought));
            sources.push(Source {
                ours,
                reliability: terms.and_then(|terms| terms.reliability).or(said.reliability),
                credibility: said.credibility,
                claimed,
                confidence: counts(claimed, said.credibility, ours, terms),
                path: said.path,
                first: row.first,
                last: row.last,
                organisation: row.source,
            });
        }
        for (bringer, since) in bringers {
            if sources.iter().any(|source| same(&source.organisation, &bringer)) {
                continue;
            }
            let (ours, terms) = (is_ours(&bringer), terms_of(&bringer));
            sources.push(Source {
                ours,
                reliability: terms.and_then(|terms| terms.reliability),
                credibility: None,
                claimed: body.claimed,
                confidence: counts(body.claimed, None, ours, terms),
                path: Vec::new(),
                first: since,
                last: since,
                organisation: bringer,
            });
        }
        sources.sort_by_cached_key(|source| source.organisation.to_lowercase());
        let graded = sources.iter().filter(|source| source.ours);
        let graded = graded.filter_map(|own| own.credibility.and_then(admiralty::confidence)).max();
        let confidence = graded.or_else(|| sources.iter().filter_map(|source| source.confidence).max());
        let mut collections: Vec<CollectionNo> = body.places.iter().map(|(collection, ..)| *collection).collect();
        collections.sort_unstable();
        collections.dedup();
        versions.push(Version { version: body.version, collections, confidence, sources });
    }
    Ok(versions)
}

/// Keeps how credible we hold what is said of an object: of every version of it, or of those that one source brought in or
/// said something of. What we have said of it before stays beside it. Returns of how many versions; 0: there is none such.
///
/// # Errors
/// Those of the book.
pub fn grade(
    (book, partners): (&dyn Ledger, &dyn Partners),
    own: &str,
    object: &str,
    credibility: u8,
    source: Option<&str>,
    now: Micros,
) -> ledger::Result<u64> {
    let bodies = bodies(book, object)?;
    let marks: Vec<Mark> = bodies.iter().map(|body| body.mark).collect();
    let mut graded = Vec::new();
    for (body, said) in bodies.iter().zip(partners.statements_of(&marks)?) {
        let meant = match source {
            None => true,
            Some(name) => {
                said.iter().any(|row| same(&row.source, name))
                    || bringers(book, body)?.iter().any(|(bringer, _)| same(bringer, name))
            }
        };
        if !meant {
            continue;
        }
        let before = said.iter().find(|row| same(&row.source, own));
        let before: Statement = before.and_then(|row| serde_json::from_slice(&row.body).ok()).unwrap_or_default();
        let statement = Statement { credibility: Some(credibility), ..before };
        graded.push(ledger::Statement {
            mark: body.mark,
            source: own.to_owned(),
            first: now,
            last: now,
            body: serde_json::to_vec(&statement).unwrap_or_default(),
        });
    }
    partners.put_statements(&graded)?;
    Ok(graded.len() as u64)
}

/// What counts of a claim.
fn counts(claimed: Option<u8>, credibility: Option<u8>, ours: bool, terms: Option<&Terms>) -> Option<u8> {
    let graded = credibility.and_then(admiralty::confidence);
    // Our own grade goes before what the author claims; another's only where that claims nothing.
    let claimed = if ours { graded.or(claimed) } else { claimed.or(graded) };
    quota::confidence(claimed, terms.and_then(|terms| terms.confidence_ceiling))
}

/// The bodies of an object, each once, in the order in which they came.
fn bodies(book: &dyn Ledger, object: &str) -> ledger::Result<Vec<Body>> {
    let (mut bodies, mut tape) = (Vec::<Body>::new(), Tape::new());
    book.look(&mut |shelf| {
        // A failure is noted by the book and fails the whole look.
        let _ = shelf.versions(object, &mut |met| {
            let (mark, place) = (mark::of(met.body), (met.collection, met.class, met.seq.0));
            match bodies.iter_mut().find(|body| body.mark == mark) {
                Some(body) => body.places.push(place),
                None => {
                    let (version, claimed) = head(&mut tape, met.body);
                    bodies.push(Body { mark, version, claimed, places: vec![place] });
                }
            }
            true
        });
    })?;
    bodies.sort_by_key(|body| body.places.iter().map(|(.., since)| *since).min());
    Ok(bodies)
}

/// The version that a body is, and how sure its author is.
fn head(tape: &mut Tape, body: &[u8]) -> (Option<String>, Option<u8>) {
    let Ok(value) = tape.parse(body, &Limits::default()) else { return (None, None) };
    let text = |name: &str| value.get(name).and_then(|value| value.as_str().map(std::borrow::Cow::into_owned));
    let confidence = value.get("confidence").and_then(|value| value.as_i64());
    (text("modified").or_else(|| text("created")), confidence.and_then(|value| u8::try_from(value).ok()))
}

/// Who brought a body in, and since when it is here from them.
fn bringers(book: &dyn Ledger, body: &Body) -> ledger::Result<Vec<(String, Micros)>> {
    let mut bringers: Vec<(String, Micros)> = Vec::new();
    for (_, class, since) in &body.places {
        let definition = book.class_definition(*class)?;
        let Some(class) = definition.and_then(|bytes| Class::from_definition(&bytes)) else { continue };
        match bringers.iter_mut().find(|(known, _)| same(known, &class.owner)) {
            Some((_, first)) => *first = (*first).min(*since),
            None => bringers.push((class.owner, *since)),
        }
    }
    Ok(bringers)
}

fn same(one: &str, two: &str) -> bool {
    one == two || one.to_lowercase() == two.to_lowercase()
}

#[cfg(test)]
mod tests;
