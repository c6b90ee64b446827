//! The mailbox: a collection that is in no book, in which each partner finds the signed statements that wait for it.

use ledger::{Mail, Micros, Partners};

/// The id of every mailbox, on every node: what is in it depends on who looks.
pub const ID: &str = "7b0c6c3e-6f0a-4d0b-8a5e-3d2f6b1a9c40";
/// What a link says of itself in every request. A request without it is answered like any client's.
pub const LINK: &str = "marsad-link";

/// A page of what waits for a partner.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Waiting {
    /// In the order in which it was posted.
    pub mail: Vec<Mail>,
    /// The place behind which reading goes on.
    pub last: Option<i64>,
    /// Whether more waits.
    pub more: bool,
}

/// What of it is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// Only what was posted after this place.
    pub after: Option<i64>,
    /// Only these ids.
    pub ids: Option<&'a [String]>,
    /// Only these types.
    pub types: Option<&'a [String]>,
    /// At most so many statements are looked at …
    pub limit: usize,
    /// … and so many bytes given, or one statement.
    pub max_bytes: usize,
}

/// What waits for a partner.
///
/// # Errors
/// Those of the store.
pub fn waiting(store: &dyn Partners, organisation: &str, wanted: &Wanted<'_>) -> ledger::Result<Waiting> {
    let limit = wanted.limit.max(1);
    let mut found = store.mail(organisation, wanted.after.unwrap_or(i64::MIN), limit.saturating_add(1))?;
    let mut more = found.len() > limit;
    found.truncate(limit);
    let mut bytes = 0_usize;
    let fits = found.iter().position(|mail| {
        bytes = bytes.saturating_add(mail.body.len());
        bytes > wanted.max_bytes
    });
    if let Some(fits) = fits.map(|fits| fits.max(1)).filter(|fits| *fits < found.len()) {
        found.truncate(fits);
        more = true;
    }
    let last = found.last().map(|mail| mail.no);
    let of = |list: Option<&[String]>, word: &str| list.is_none_or(|list| list.iter().any(|one| one == word));
    let kind = |mail: &Mail| mail.id.split("--").next().unwrap_or_default().to_owned();
    found.retain(|mail| of(wanted.ids, &mail.id) && of(wanted.types, &kind(mail)));
    Ok(Waiting { mail: found, last, more })
}

/// A link that asks for what comes after a place has kept what came until there: it need not wait any more.
///
/// # Errors
/// Those of the store.
pub fn has_kept(store: &dyn Partners, organisation: &str, upto: Micros) -> ledger::Result<()> {
    if store.mail(organisation, i64::MIN, 1)?.first().is_some_and(|first| first.no <= upto) {
        store.drop_mail(organisation, upto)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::sqlite::Book;
    use ledger::{Organisation, Partner, PartnerKind, Register as _, Relation};

    #[test]
    fn what_waits_is_paged_and_dropped_when_it_was_kept() {
        let directory = tempfile::tempdir().unwrap();
        let book = Book::create(&directory.path().join("marsad.db")).unwrap();
        for name in ["North", "South"] {
            book.add_organisation(&Organisation { name: name.into(), relation: Relation::Community }).unwrap();
            let (kind, terms) = (PartnerKind::Node, b"{}".to_vec());
            book.add_partner(&Partner { organisation: name.into(), kind, terms, added: 0 }).unwrap();
        }
        let ids: Vec<String> = (0..5).map(|n| format!("marsad-{}--{n}", ["recall", "receipt"][n % 2])).collect();
        for (n, id) in (1_i64..).zip(&ids) {
            book.post("North", &[(id.as_str(), b"0123456789".as_slice())], n * 10).unwrap();
        }
        book.post("South", &[("marsad-recall--9", b"{}".as_slice())], 100).unwrap();
        let all = Wanted { limit: 10, max_bytes: 1_000, ..Wanted::default() };
        let ask = |organisation: &str, wanted: Wanted<'_>| {
            let page = waiting(&book, organisation, &wanted).unwrap();
            (page.mail.iter().map(|mail| mail.no).collect::<Vec<_>>(), page.last, page.more)
        };
        let recalls = ["marsad-recall".to_owned()];
        for (wanted, expected) in [
            (all, (vec![10, 20, 30, 40, 50], Some(50), false)),
            (Wanted { limit: 2, ..all }, (vec![10, 20], Some(20), true)),
            (Wanted { limit: 2, after: Some(20), ..all }, (vec![30, 40], Some(40), true)),
            (Wanted { limit: 5, ..all }, (vec![10, 20, 30, 40, 50], Some(50), false)),
            (Wanted { max_bytes: 25, ..all }, (vec![10, 20], Some(20), true)),
            (Wanted { max_bytes: 5, ..all }, (vec![10], Some(10), true)),
            (Wanted { max_bytes: 5, after: Some(40), ..all }, (vec![50], Some(50), false)),
            (Wanted { types: Some(&recalls), ..all }, (vec![10, 30, 50], Some(50), false)),
            // Nothing on this page is wanted, and reading goes on.
            (Wanted { ids: Some(&ids[4..]), limit: 2, ..all }, (vec![], Some(20), true)),
            (Wanted { after: Some(50), ..all }, (vec![], None, false)),
        ] {
            assert_eq!(ask("north", wanted), expected, "{wanted:?}");
        }
        assert_eq!(ask("nobody", all), (vec![], None, false));
        has_kept(&book, "North", 30).unwrap();
        assert_eq!(ask("North", all).0, [40, 50]);
        assert_eq!(ask("South", all).0.len(), 1, "others' mail waits on");
    }
}
