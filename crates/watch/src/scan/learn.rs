//! The steps of lines that were walked: what stands between their values, and what is done with the values.

use super::keys::{Keys, ROOT, Target};
use super::trail::{HEAD, NEXT, Step, Trails, Value, scalar};

/// Steps that are kept; sensors have some hundred.
const MAX_STEPS: usize = 2048;
/// The longest step.
const MAX_STEP: usize = 512;
/// Lines that are not learned from after one that had nothing new.
const REST: u32 = 16;

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
    }

    /// Learns the steps of a line, which ends with its line feed and was read without a fault. Now and then only, if lines do
    /// not repeat: no log takes more time than some part of that in which it is walked, nor more than some memory.
    #[cold]
    pub(super) fn learn(&mut self, line: &[u8], keys: &Keys) {
        if self.wait > 0 {
            self.wait -= 1;
            return;
        }
        let before = (self.steps.len(), self.links);
        let (place, awaited, target) = (OUTSIDE, Awaited::Value, Target { field: 0, child: ROOT });
        let mut lesson =
            Lesson { trails: self, keys, line, at: 0, from: 0, step: 0, began: place, place, awaited, target };
        lesson.line();
        if self.steps.len() >= MAX_STEPS {
            self.clear();
            self.pause = (2 * self.pause).clamp(1 << 8, 1 << 16);
            self.wait = self.pause;
        } else if before == (self.steps.len(), self.links) {
            self.wait = REST;
        }
    }
}

impl Step {
    fn new(text: &[u8], value: Value) -> Self {
        let (head, rest) = text.split_at_checked(HEAD).unwrap_or((text, &[]));
        let mut bytes = [0; HEAD];
        for (to, from) in bytes.iter_mut().zip(head) {
            *to = *from;
        }
        let mask = ((1_u64 << head.len()) - 1) as u32;
        let (length, next) = (text.len() as u32, [0; NEXT]);
        Self { head: bytes, mask, length, act: None, value, number: 0, next, rest: rest.into() }
    }
}

/// One line that is learned from.
struct Lesson<'l> {
    trails: &'l mut Trails,
    keys: &'l Keys,
    line: &'l [u8],
    at: usize,
    /// Where the step begins that `at` is in.
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
            self.from = self.at;
            self.at += 1;
        } else {
            // Numbers and literals in arrays are none of a field.
            self.take(Value::Scalar, if self.open()?.array { 0 } else { field })?;
            let end = scalar(self.line, self.at);
            if end == self.at || first == b':' {
                return None;
            }
            self.from = end;
            self.at = end;
        }
        self.began = self.place;
        self.awaited = Awaited::Comma;
        Some(())
    }

    /// Notes the step that ends here.
    fn take(&mut self, value: Value, field: u16) -> Option<()> {
        let text = self.line.get(self.from..self.at).filter(|text| text.len() <= MAX_STEP)?;
        let trails = &mut *self.trails;
        let name = (self.began, Box::from(text));
        let number = match trails.known.get(&name) {
            Some(number) => *number,
            None if trails.steps.len() < MAX_STEPS => {
                let number = trails.steps.len() as u16;
                trails.steps.push(Step { act: self.keys.act(field), number, ..Step::new(text, value) });
                trails.known.insert(name, number);
                number
            }
            None => return None,
        };
        let next = &mut trails.steps.get_mut(usize::from(self.step))?.next;
        if !next.contains(&number) {
            trails.links += 1;
            let free = next.iter().position(|number| *number == 0).unwrap_or(NEXT - 1);
            *next.get_mut(free)? = number;
        }
        self.step = number;
        Some(())
    }
}
