//! Observed data from JSON, whoever read it: STIX 2.0 keeps objects within the observed-data, 2.1 beside it.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::schema::UNOBSERVABLE;

use super::{Data, Moment, Object, Observed, instant};

/// One look at a value of some JSON library.
#[derive(Debug)]
pub enum View<'a, T> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number that fits.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(&'a str),
    /// A list.
    List(&'a [T]),
    /// An object.
    Object(Vec<(&'a str, &'a T)>),
}

/// Why a document is no observed data that a pattern can be matched with.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{}{message}", subject.as_deref().map(|id| format!("{id}: ")).unwrap_or_default())]
pub struct Unusable {
    /// The id of the object at fault, where it has one.
    pub subject: Option<String>,
    /// What is wrong with it.
    pub message: String,
}

/// Values below this depth are left out: no STIX object nests so deep.
const MAX_DEPTH: usize = 64;

impl<'a> Data<'a> {
    /// The value that a JSON library holds. What nests deeper than 64 levels becomes `null`.
    pub fn read<T>(value: &'a T, view: fn(&T) -> View<'_, T>) -> Self {
        Self::read_below(value, view, MAX_DEPTH)
    }

    fn read_below<T>(value: &'a T, view: fn(&T) -> View<'_, T>, levels: usize) -> Self {
        let Some(below) = levels.checked_sub(1) else { return Self::Null };
        match view(value) {
            View::Null => Self::Null,
            View::Boolean(value) => Self::Boolean(value),
            View::Integer(value) => Self::Integer(value),
            View::Float(value) => Self::Float(value),
            View::Text(text) => Self::Text(Cow::Borrowed(text)),
            View::List(list) => Self::List(list.iter().map(|value| Self::read_below(value, view, below)).collect()),
            View::Object(properties) => {
                let read = |(name, value)| (Cow::Borrowed(name), Self::read_below(value, view, below));
                Self::Object(properties.into_iter().map(read).collect())
            }
        }
    }
}

impl<'a> Observed<'a> {
    /// Reads documents as one set: bundles, observed data and observable objects, in any order. Observed data shows the
    /// objects it contains (`objects`, STIX 2.0) and those of the set it refers to (`object_refs`, STIX 2.1 §4.14).
    ///
    /// # Errors
    /// Observed data without `number_observed`, `first_observed` or `last_observed`, with an unreadable one, or with
    /// neither `objects` nor `object_refs`.
    pub fn read<T>(documents: &'a [T], view: fn(&T) -> View<'_, T>) -> Result<Self, Unusable> {
        let mut observed = Self::new();
        let mut pool = HashMap::new();
        let mut observations = Vec::new();
        for document in documents {
            let parts = match view(document) {
                View::Object(properties) => properties,
                _ => return Err(Unusable { subject: None, message: "not a JSON object".to_owned() }),
            };
            let is_bundle = text(&parts, "type", view) == Some("bundle");
            match property(&parts, "objects").map(view) {
                Some(View::List(objects)) if is_bundle => {
                    for object in objects {
                        if let View::Object(parts) = view(object) {
                            observed.sort_in(object, parts, view, &mut pool, &mut observations);
                        }
                    }
                }
                _ if is_bundle => {}
                _ => observed.sort_in(document, parts, view, &mut pool, &mut observations),
            }
        }
        for parts in observations {
            observed
                .observation(&parts, view, &pool)
                .map_err(|message| Unusable { subject: text(&parts, "id", view).map(str::to_owned), message })?;
        }
        Ok(observed)
    }

    /// Puts an object of the set where it belongs. The last version of an object counts, as the reference matcher has it.
    fn sort_in<T>(
        &mut self,
        object: &'a T,
        parts: Parts<'a, T>,
        view: fn(&T) -> View<'_, T>,
        pool: &mut HashMap<&'a str, u32>,
        observations: &mut Vec<Parts<'a, T>>,
    ) {
        let object_type = text(&parts, "type", view);
        let timed = property(&parts, "first_observed").is_some();
        if object_type == Some("observed-data") || (timed && property(&parts, "objects").is_some()) {
            observations.push(parts);
        } else if let (Some(id), Some(object_type)) = (text(&parts, "id", view), object_type)
            && !UNOBSERVABLE.contains(&object_type)
        {
            let properties = Data::read(object, view);
            pool.insert(id, self.add_object(Object { id: id.into(), object_type: object_type.into(), properties }));
        }
    }

    fn observation<T>(
        &mut self,
        parts: &Parts<'a, T>,
        view: fn(&T) -> View<'_, T>,
        pool: &HashMap<&'a str, u32>,
    ) -> Result<(), String> {
        let moment = moment(parts, view)?;
        let mut places = Vec::new();
        let mut shows = false;
        if let Some(View::List(references)) = property(parts, "object_refs").map(view) {
            shows = true;
            let id = |reference| if let View::Text(id) = view(reference) { pool.get(id) } else { None };
            places.extend(references.iter().filter_map(id));
        }
        if let Some(View::Object(objects)) = property(parts, "objects").map(view) {
            shows = true;
            for (id, object) in objects {
                let View::Object(inner) = view(object) else { continue };
                let Some(object_type) = text(&inner, "type", view) else { continue };
                let properties = Data::read(object, view);
                places.push(self.add_object(Object { id: id.into(), object_type: object_type.into(), properties }));
            }
        }
        if !shows {
            return Err("observed data has neither `object_refs` nor `objects`".to_owned());
        }
        self.add_observation(text(parts, "id", view).unwrap_or_default(), moment, places);
        Ok(())
    }
}

type Parts<'a, T> = Vec<(&'a str, &'a T)>;

fn property<'a, T>(parts: &Parts<'a, T>, name: &str) -> Option<&'a T> {
    parts.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
}

fn text<'a, T>(parts: &Parts<'a, T>, name: &str, view: fn(&T) -> View<'_, T>) -> Option<&'a str> {
    match property(parts, name).map(view) {
        Some(View::Text(text)) => Some(text),
        _ => None,
    }
}

fn moment<T>(parts: &Parts<'_, T>, view: fn(&T) -> View<'_, T>) -> Result<Moment, String> {
    let time = |name: &str| match text(parts, name, view) {
        Some(text) => instant(text).ok_or_else(|| format!("`{name}` is no timestamp: `{}`", text.escape_debug())),
        None => Err(format!("observed data has no `{name}`")),
    };
    let (first, last) = (time("first_observed")?, time("last_observed")?);
    let count = match property(parts, "number_observed").map(view) {
        Some(View::Integer(count)) => u64::try_from(count).unwrap_or(0),
        Some(_) => 0,
        None => return Err("observed data has no `number_observed`".to_owned()),
    };
    if count == 0 {
        return Err("`number_observed` is not a whole number greater than zero".to_owned());
    }
    if last < first {
        return Err("`last_observed` is before `first_observed`".to_owned());
    }
    Ok(Moment { first, last, count })
}
