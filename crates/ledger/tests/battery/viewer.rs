//! A viewer of every sight, who needs nothing of a record but its class, its body and what else is in the book.

use ledger::{ClassNo, Lookup, Met, Sees, Sight};
use std::cell::RefCell;

/// A sight for each class and each open variant.
#[derive(Clone, Debug)]
pub(crate) struct Viewer {
    sights: Vec<(ClassNo, Sight)>,
    /// What was put on pages.
    pub(crate) given: RefCell<Vec<(ClassNo, usize)>>,
}

impl Viewer {
    pub(crate) fn new(sights: impl IntoIterator<Item = (ClassNo, Sight)>) -> Self {
        Self { sights: sights.into_iter().collect(), given: RefCell::default() }
    }

    fn sight(&self, class: ClassNo) -> Sight {
        self.sights.iter().find(|(no, _)| *no == class).map_or(Sight::Nothing, |(_, sight)| *sight)
    }

    /// What is given of a record. Of a part: the first half. Where the record is asked: nothing if it refers to what is
    /// there but in no class that is seen for certain, else the body with the number of versions that are.
    pub(crate) fn give(
        &self,
        class: ClassNo,
        body: &str,
        versions: &mut dyn FnMut(&str) -> Vec<(ClassNo, String)>,
    ) -> Option<String> {
        match self.sight(class) {
            Sight::Nothing => None,
            Sight::Whole => Some(body.to_owned()),
            Sight::Part => Some(format!("<{}>", &body[..body.len() / 2])),
            Sight::Ask => {
                let mut given = format!("?{body}");
                for id in references(body) {
                    let all = versions(&id);
                    let certain = |class: &ClassNo| matches!(self.sight(*class), Sight::Whole | Sight::Part);
                    let seen: usize = all.iter().filter(|(class, _)| certain(class)).map(|(_, body)| body.len()).sum();
                    if seen == 0 && !all.is_empty() {
                        return None;
                    }
                    given.push_str(&format!("+{seen}"));
                }
                Some(given)
            }
        }
    }
}

impl Sees for Viewer {
    fn class(&self, class: ClassNo) -> Sight {
        self.sight(class)
    }

    fn record(&self, met: &Met<'_>, book: &dyn Lookup, out: Option<&mut Vec<u8>>) -> bool {
        let mut versions = |key: &str| {
            let (mut found, mut places) = (Vec::new(), Vec::new());
            let mut version = |met: &Met<'_>| {
                assert_eq!(met.key, key);
                found.push((met.collection, met.class, String::from_utf8(met.body.to_vec()).unwrap()));
                true
            };
            book.versions(key, &mut version).unwrap();
            book.places(key, &mut |collection, class| {
                places.push((collection, class));
                true
            })
            .unwrap();
            let agree: Vec<_> = found.iter().map(|(collection, class, _)| (*collection, *class)).collect();
            assert_eq!(agree, places, "both look-ups find the same");
            found.into_iter().map(|(_, class, body)| (class, body)).collect()
        };
        let body = std::str::from_utf8(met.body).unwrap();
        let given = self.give(met.class, body, &mut versions);
        if let (Some(out), Some(given)) = (out, &given) {
            out.extend_from_slice(given.as_bytes());
        }
        given.is_some()
    }

    fn gives(&self, class: ClassNo, length: usize) {
        self.given.borrow_mut().push((class, length));
    }
}

/// The ids between quotation marks.
pub(crate) fn references(body: &str) -> Vec<String> {
    body.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}
