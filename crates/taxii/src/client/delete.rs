//! Asking a server to delete an object (TAXII 2.1 §5.7). Servers need not do that, so every answer is one.

use super::{Client, Error, Found, StatusCode, Transport, request};
use bytes::Bytes;
use http::Method;

/// How a server answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Deleted {
    /// The address that was asked.
    pub asked: String,
    /// The status.
    pub status: StatusCode,
    /// The server's own words, cleaned and shortened.
    pub said: Option<String>,
}

impl<T: Transport> Client<T> {
    /// Asks to delete these versions of an object; none named: all of them.
    ///
    /// # Errors
    /// [`Error`]: the server gave no answer, or asked to come again later.
    pub async fn delete(&self, from: &Found, object: &str, versions: &[String]) -> Result<Deleted, Error> {
        let at = from.objects.below(&[object]);
        let at = at.ok_or_else(|| Error::protocol(&from.objects, "no object can have this id"))?;
        // Without the parameter all versions go (§5.7).
        let at = if versions.is_empty() { at } else { at.asking(&[("match[version]", &versions.join(","))]) };
        let delete = request(Method::DELETE, &at).body(Bytes::new());
        let delete = delete.map_err(|_| Error::protocol(&at, "it leads to an address that cannot be asked for"))?;
        let answer = self.exchange(&at, delete).await?;
        let said = match Error::refused(&at, &answer) {
            Error::Refused { said, .. } => said,
            _ => None,
        };
        Ok(Deleted { asked: at.to_string(), status: answer.status(), said })
    }
}
