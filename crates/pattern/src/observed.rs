//! What a pattern is matched with: observations and the objects they show (STIX 2.1 §4.14, §6; STIX 2.0 part 4), as
//! untyped values. They are made from JSON ([`Observed::read`]) or put together piece by piece from telemetry.

use std::borrow::Cow;

use crate::constant::Timestamp;

mod read;

pub use read::{Unusable, View};

/// A value in an observed object: JSON without its text. Text may be borrowed from whatever the value was made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Data<'a> {
    /// `null`, which STIX does not allow but data in use contain.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Data<'a>>),
    /// Properties or dictionary keys with their values; of two with one name the first counts.
    Object(Vec<(Cow<'a, str>, Data<'a>)>),
}

impl Data<'_> {
    /// The value of a property; none if this is no object or has no such property.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(properties) = self else { return None };
        properties.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// The text, if it is text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        let Self::Text(text) = self else { return None };
        Some(text)
    }
}

/// An observable object (SCO).
#[derive(Clone, Debug, PartialEq)]
pub struct Object<'a> {
    /// What references name: the id of an SCO, or its key in `objects` of STIX 2.0.
    pub id: Cow<'a, str>,
    /// Its type, by which a path begins.
    pub object_type: Cow<'a, str>,
    /// Its properties, a [`Data::Object`].
    pub properties: Data<'a>,
}

/// When something was observed, and how often.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Moment {
    /// The first instant, in microseconds since 1970.
    pub first: i64,
    /// The last instant, in microseconds since 1970; not before the first.
    pub last: i64,
    /// How often within (`number_observed`); at least 1. So often may a pattern make use of it.
    pub count: u64,
}

impl Moment {
    /// Once, at one instant, in microseconds since 1970.
    #[must_use]
    pub fn at(micros: i64) -> Self {
        Self { first: micros, last: micros, count: 1 }
    }
}

/// One observation: objects seen together.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation<'a> {
    /// The id of its observed-data, or whatever its maker calls it.
    pub id: Cow<'a, str>,
    /// When and how often.
    pub moment: Moment,
    /// Its objects, as places in the pool, in the order of their ids.
    objects: Vec<u32>,
}

/// Observations with their objects, which several may share.
#[derive(Clone, Debug, Default)]
pub struct Observed<'a> {
    objects: Vec<Object<'a>>,
    observations: Vec<Observation<'a>>,
}

impl<'a> Observed<'a> {
    /// Without any observation.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.objects.clear();
        self.observations.clear();
    }

    /// Puts an object where observations can show it; returns its place. Shown by none it is invisible.
    pub fn add_object(&mut self, object: Object<'a>) -> u32 {
        let place = u32::try_from(self.objects.len()).unwrap_or(u32::MAX);
        self.objects.push(object);
        place
    }

    /// Adds an observation of the objects at these places; places that hold none are left out. A moment that ends
    /// before it begins counts as its beginning, one that was observed less than once as once.
    pub fn add_observation(&mut self, id: impl Into<Cow<'a, str>>, moment: Moment, mut objects: Vec<u32>) {
        let pool = &self.objects;
        let id_of = |place: &u32| pool.get(*place as usize).map(|object| &*object.id);
        objects.retain(|place| id_of(place).is_some());
        objects.sort_by(|a, b| id_of(a).cmp(&id_of(b)));
        objects.dedup();
        let moment = Moment { last: moment.last.max(moment.first), count: moment.count.max(1), ..moment };
        self.observations.push(Observation { id: id.into(), moment, objects });
    }

    /// All observations, in the order in which they were added.
    #[must_use]
    pub fn observations(&self) -> &[Observation<'a>] {
        &self.observations
    }

    /// The objects of an observation.
    pub fn objects_of<'o>(&'o self, observation: &'o Observation<'a>) -> impl Iterator<Item = &'o Object<'a>> {
        observation.objects.iter().filter_map(|place| self.objects.get(*place as usize))
    }

    /// The object of this id within the observation, and its place; whatever else is referred to counts as absent.
    #[must_use]
    pub fn referenced(&self, observation: &Observation<'a>, id: &str) -> Option<(u32, &Object<'a>)> {
        let object = |place: &u32| self.objects.get(*place as usize);
        let at = observation.objects.binary_search_by(|place| object(place).map(|object| &*object.id).cmp(&Some(id)));
        let place = observation.objects.get(at.ok()?)?;
        Some((*place, object(place)?))
    }
}

/// Microseconds since 1970 of a timestamp as STIX writes it, `YYYY-MM-DDTHH:MM:SS[.f+]Z` (STIX 2.1 §2.16); none for any
/// other text and for days that do not exist.
#[must_use]
pub fn instant(text: &str) -> Option<i64> {
    Timestamp::parse(text)?.micros
}
