//! How credible we hold what is said of an object.

use super::{Administration, AdministrationAct, Deed, Error};
use crate::partners::{admiralty, sources};
use ledger::{Ledger, Micros};
use policy::role::{Act, Actor};

/// A grade for an object.
#[derive(Clone, Copy, Debug)]
pub struct GradeObject<'a> {
    /// The object's id.
    pub object: &'a str,
    /// Its credibility, 1 to 6 (Admiralty).
    pub credibility: u8,
    /// Only of the versions that this organisation brought in or said something of.
    pub source: Option<&'a str>,
}

impl Administration {
    /// Keeps our own grade of an object, as a statement of the node's own organisation. Returns of how many versions.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Unknown`] if the object is not in the book, or not from that source.
    pub fn grade_object(
        &self,
        actor: &Actor,
        book: &dyn Ledger,
        grade: &GradeObject<'_>,
        now: Micros,
    ) -> Result<u64, Error> {
        let GradeObject { object, credibility, source } = *grade;
        self.on_node(actor, Act::ManagePartners, Deed::GradeObject, object)?;
        let Some(word) = admiralty::credibility_word(credibility) else {
            return Err(Error::Invalid(format!(
                "`{credibility}` is no credibility: the Admiralty scale goes from 1 to 6"
            )));
        };
        let source = source.map(|name| self.kept_organisation(actor, name)).transpose()?;
        let own = super::own_organisation(&*self.book)?
            .ok_or_else(|| Error::Invalid("the node has no organisation of its own".to_owned()))?;
        let graded = sources::grade((book, &*self.partners), &own, object, credibility, source.as_deref(), now)?;
        if graded == 0 {
            let (what, name) = match source {
                Some(source) => ("version of the object from", source),
                None => ("object", object.to_owned()),
            };
            return Err(Error::Unknown { what, name });
        }
        let from = source.as_ref().map_or_else(String::new, |source| format!(", from {source}"));
        let detail = format!("{credibility}, {word}; {graded} versions{from}");
        self.record(&AdministrationAct {
            actor,
            deed: Deed::GradeObject,
            subject: object,
            organisation: None,
            detail: Some(&detail),
            done: true,
        });
        Ok(graded)
    }
}
