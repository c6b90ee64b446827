//! From the address that a person knows to the collection: discovery, API root, collections (TAXII 2.1 §4, §5.1).

use super::{Address, Client, Error, Transport, error};
use crate::resource::{Collection, Collections};
use serde::Deserialize;

/// API roots of one server that are looked into.
const MAX_ROOTS: usize = 64;

/// A collection, and where it is.
#[derive(Clone, Debug)]
pub struct Found {
    /// The API root that it belongs to.
    pub api_root: Address,
    /// Octets of the largest body that the API root takes, where it says so (§4.2.1).
    pub max_content_length: Option<u64>,
    /// What the server says of it.
    pub collection: Collection,
    /// Where its objects are read and written.
    pub objects: Address,
}

/// A discovery (§4.1.1) or an API root (§4.2.1): what somebody's address leads to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Front {
    default: Option<String>,
    api_roots: Vec<String>,
    versions: Vec<String>,
    max_content_length: Option<u64>,
}

impl<T: Transport> Client<T> {
    /// Finds a collection by its id, alias or title, from the address of the server, of its discovery, of an API root
    /// or of a collection.
    ///
    /// # Errors
    /// [`Error`]. An API root that refuses us does not keep the others from being looked into.
    pub async fn find(&self, address: &Address, name: &str) -> Result<Found, Error> {
        let start = match address.path() {
            "/" => address.discovery(),
            _ => address.api_root().unwrap_or_else(|| address.clone()),
        };
        let front: Front = self.resource(&start).await?;
        if front.api_roots.is_empty() {
            return self.in_root(&start, &front, name).await;
        }
        let mut refused = None;
        let mut known = Vec::new();
        for root in roots(&start, &front)? {
            let outcome = match self.resource::<Front>(&root).await {
                Ok(front) => self.in_root(&root, &front, name).await,
                Err(error) => Err(error),
            };
            match outcome {
                Ok(found) => return Ok(found),
                Err(Error::NoCollection { known: here, .. }) => known.extend(here),
                Err(error @ Error::Ambiguous { .. }) => return Err(error),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        match refused {
            Some(error) if known.is_empty() => Err(error),
            _ => Err(Error::NoCollection { address: start, name: name.to_owned(), known }),
        }
    }

    async fn in_root(&self, root: &Address, front: &Front, name: &str) -> Result<Found, Error> {
        if !front.versions.is_empty() && !front.versions.iter().any(|version| speaks(version)) {
            let versions = error::clean(&front.versions.join(", "));
            return Err(Error::protocol(root, &format!("it speaks {versions}, and not TAXII 2.1")));
        }
        let at = root.below(&["collections"]).unwrap_or_else(|| root.clone());
        let collections = self.resource::<Collections>(&at).await?.collections;
        let collection = choose(&at, collections, name)?;
        let objects = at.below(&[&collection.id, "objects"]);
        let objects = objects.ok_or_else(|| Error::protocol(&at, "it shows a collection without an id"))?;
        Ok(Found { api_root: root.clone(), max_content_length: front.max_content_length, collection, objects })
    }
}

/// The API roots, the default first, each once.
fn roots(start: &Address, front: &Front) -> Result<Vec<Address>, Error> {
    let mut roots = Vec::new();
    for root in front.default.iter().chain(&front.api_roots).take(MAX_ROOTS) {
        let address = start.join(root).map_err(|error| {
            Error::protocol(start, &format!("it names an API root `{}`: {error}", error::clean(root)))
        })?;
        if !roots.contains(&address) {
            roots.push(address);
        }
    }
    Ok(roots)
}

/// Whether one of an API root's `versions` is ours. `application/taxii+json` alone means the latest (§1.6.8.2).
fn speaks(version: &str) -> bool {
    crate::media::is_taxii(Some(version))
}

/// By id, else by alias, else by title without regard to case.
fn choose(at: &Address, collections: Vec<Collection>, name: &str) -> Result<Collection, Error> {
    let exact = collections
        .iter()
        .position(|one| one.id.eq_ignore_ascii_case(name))
        .or_else(|| collections.iter().position(|one| one.alias.as_deref() == Some(name)));
    let titled = || {
        let same = |one: &Collection| one.title.to_lowercase() == name.to_lowercase();
        (0..collections.len()).filter(|index| collections.get(*index).is_some_and(same)).collect::<Vec<_>>()
    };
    let found = exact.map_or_else(titled, |index| vec![index]);
    match *found.as_slice() {
        [index] => collections.into_iter().nth(index).ok_or_else(|| Error::protocol(at, "no collections")),
        [] => {
            let known = collections.iter().take(100).map(label).collect();
            Err(Error::NoCollection { address: at.clone(), name: name.to_owned(), known })
        }
        _ => {
            let ids = collections.iter().enumerate().filter(|(index, _)| found.contains(index));
            let ids = ids.take(100).map(|(_, one)| error::clean(&one.id)).collect();
            Err(Error::Ambiguous { address: at.clone(), name: name.to_owned(), ids })
        }
    }
}

fn label(collection: &Collection) -> String {
    let name = collection.alias.as_ref().unwrap_or(&collection.id);
    format!("{} ({})", error::clean(name), error::clean(&collection.title))
}
