//! The steps of lines that were walked: what stands between their values, and what is done with the values.

use super::keys::{Keys, ROOT, Target};
use super::trail::{HEAD, OTHERS, Step, Trails, Value, scalar_end};

/// Steps that are kept; sensors have some hundred.
const MAX_STEPS: usize = 2048;
/// The most bytes between two values.
const MAX_BETWEEN: usize = 512;
/// What it costs to learn from a line, in lines that are followed thanks to it.
const PRICE: u32 = 8;
/// How much may be learned before anything comes of it.
const CREDIT: u32 = 128 * PRICE;
/// Lines that are not learned from after one for which there was no credit.
const REST: u32 = 256;

/// What is open somewhere in a line: an object or array, and what is around it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Place {
    outer: u16,
    array: bool,
    /// What its values are; the node of its keys, if it is an object.
    target: Target,
}

/// Nothing is open.
const OUTSIDE: u16 = 0;

/// What may come next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Awaited {
    /// A key, or the end of an empty object.
    First,
    Key,
    Colon,
    Value,
    /// A value, or the end of an empty array.
    Element,
    /// A comma, or the end of an object or array.
    Comma,
    /// The line feed.
    End,
}

impl Trails {
    /// Forgets all steps.
    pub(super) fn clear(&mut self) {
        self.known.clear();
        self.places = vec![Place { outer: OUTSIDE, array: true, target: Target { field: 0, child: ROOT } }];
        self.steps = vec![Step::new(b"", Value::Line)];
        self.others = vec![[0; OTHERS]];
    }

    /// Learns the steps of a line, which ends with its line feed and was read without a fault. Few lines are learned from
    /// where no others are followed for it, so that no log costs much more than the walk.
    #[cold]
    pub(super) fn learn(&mut self, line: &[u8], keys: &Keys) {
        if self.wait > 0 {
            self.wait -= 1;
            return;
        }
        if self.debt >= CREDIT {
            self.wait = REST;
        } else {
            self.debt += PRICE;
        }
        if self.steps.is_empty() {
            self.clear();
        }
        let (place, awaited, target) = (OUTSIDE, Awaited::Value, Target { field: 0, child: ROOT });
        let mut lesson = Lesson {
            trails: self,
            keys,
            line,
            at: 0,
            start: 0,
            from: 0,
            step: 0,
            began: place,
            place,
            awaited,
            target,
        };
        lesson.line();
        if self.steps.len() >= MAX_STEPS {
            self.clear();
        }
    }
}

impl Step {
    fn new(text: &[u8], value: Value) -> Self {
        let mut head = [0; HEAD];
        for (to, from) in head.iter_mut().zip(text) {
            *to = *from;
        }
        let mask = ((1_u64 << text.len().min(HEAD)) - 1) as u32;
        Self { head, mask, length: text.len() as u8, value, number: 0, usual: 0, act: None }
    }
}

/// One line that is learned from.
struct Lesson<'l> {
    trails: &'l mut Trails,
    keys: &'l Keys,
    line: &'l [u8],
    at: usize,
    /// Where what stands between two values begins that `at` is in, and how far it is noted.
    start: usize,
    from: usize,
    /// The step before it, and the place in which it begins.
    step: u16,
    began: u16,
    place: u16,
    awaited: Awaited,
    /// What the last key leads to.
    target: Target,
}

impl Lesson<'_> {
    /// Learns up to the end, or to what is written as the walk alone can read it. None if that is so.
    fn line(&mut self) -> Option<()> {
        loop {
            let byte = *self.line.get(self.at)?;
            let Place { array, .. } = *self.open()?;
            match (byte, self.awaited) {
                (b' ' | b'\t' | b'\r', _) => self.at += 1,
                (b'\n', Awaited::End) => {
                    self.at += 1;
                    return self.take(Value::Line, 0);
                }
                (b'{', Awaited::Value | Awaited::Element) => self.enter(false)?,
                (b'[', Awaited::Value | Awaited::Element) if self.place != OUTSIDE => self.enter(true)?,
                (b'}', Awaited::First | Awaited::Comma) if !array => self.leave()?,
                (b']', Awaited::Element | Awaited::Comma) if array => self.leave()?,
                (b',', Awaited::Comma) => self.pass(if array { Awaited::Value } else { Awaited::Key }),
                (b':', Awaited::Colon) => self.pass(Awaited::Value),
                (b'"', Awaited::First | Awaited::Key) => self.key()?,
                (_, Awaited::Value | Awaited::Element) if self.place != OUTSIDE => self.value(byte)?,
                _ => return None,
            }
        }
    }

    fn open(&self) -> Option<&Place> {
        self.trails.places.get(usize::from(self.place))
    }

    fn pass(&mut self, awaited: Awaited) {
        self.at += 1;
        self.awaited = awaited;
    }

    /// What the value is that comes next.
    fn next_target(&self) -> Option<Target> {
        let open = self.open()?;
        Some(if open.array { open.target } else { self.target })
    }

    fn enter(&mut self, array: bool) -> Option<()> {
        let inner = Place { outer: self.place, array, target: self.next_target()? };
        let places = &mut self.trails.places;
        let known = places.iter().skip(1).position(|place| *place == inner);
        self.place = match known {
            Some(at) => at as u16 + 1,
            None if places.len() < MAX_STEPS => {
                places.push(inner);
                places.len() as u16 - 1
            }
            None => return None,
        };
        self.pass(if array { Awaited::Element } else { Awaited::First });
        Some(())
    }

    fn leave(&mut self) -> Option<()> {
        self.place = self.open()?.outer;
        self.pass(if self.place == OUTSIDE { Awaited::End } else { Awaited::Comma });
        Some(())
    }

    /// A key that stands for itself.
    fn key(&mut self) -> Option<()> {
        let start = self.at + 1;
        let length = self.line.get(start..)?.iter().position(|byte| *byte == b'"')?;
        let key = self.line.get(start..start + length)?;
        if !key.is_ascii() || key.contains(&b'\\') {
            return None;
        }
        self.target = self.keys.find(self.open()?.target.child, self.line, start, start + length);
        self.at = start + length;
        self.pass(Awaited::Colon);
        Some(())
    }

    fn value(&mut self, first: u8) -> Option<()> {
        let field = self.next_target()?.field;
        if first == b'"' {
            self.at += 1;
            self.take(Value::Text, field)?;
            while *self.line.get(self.at)? != b'"' {
                self.at += if self.line.get(self.at) == Some(&b'\\') { 2 } else { 1 };
            }
            self.start = self.at;
            self.at += 1;
        } else {
            // Numbers and literals in arrays are none of a field.
            self.take(Value::Scalar, if self.open()?.array { 0 } else { field })?;
            let end = scalar_end(self.line, self.at);
            if end == self.at || first == b':' {
                return None;
            }
            self.start = end;
            self.at = end;
        }
        self.from = self.start;
        self.began = self.place;
        self.awaited = Awaited::Comma;
        Some(())
    }

    /// Notes the steps that end here.
    fn take(&mut self, value: Value, field: u16) -> Option<()> {
        while self.at - self.from > HEAD {
            self.step_to(self.from + HEAD, Value::More, 0)?;
        }
        self.step_to(self.at, value, field)
    }

    fn step_to(&mut self, end: usize, value: Value, field: u16) -> Option<()> {
        let trails = &mut *self.trails;
        let whole = self.line.get(self.start..end).filter(|text| text.len() <= MAX_BETWEEN)?;
        let name = (self.began, Box::from(whole), value);
        let number = match trails.known.get(&name) {
            Some(number) => *number,
            None if trails.steps.len() < MAX_STEPS => {
                let number = trails.steps.len() as u16;
                let step = Step::new(self.line.get(self.from..end)?, value);
                trails.steps.push(Step { act: self.keys.act(field), number, ..step });
                trails.others.push([0; OTHERS]);
                trails.known.insert(name, number);
                number
            }
            None => return None,
        };
        let usual = &mut trails.steps.get_mut(usize::from(self.step))?.usual;
        let others = trails.others.get_mut(usize::from(self.step))?;
        if *usual != number && !others.contains(&number) {
            let free = others.iter().position(|other| *other == 0).unwrap_or(OTHERS - 1);
            *(if *usual == 0 { usual } else { others.get_mut(free)? }) = number;
        }
        self.step = number;
        self.from = end;
        Some(())
    }
}
