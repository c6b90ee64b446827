//! Numbers that lead to a person: telephone, bank account, payment card, passport.

use super::Kind;
use super::text::Find;
use super::words::{self, PASSPORT, PHONE};

/// What the number that starts with the digit at `trigger` is, and where to go on. What lies before `done` is taken.
pub(super) fn at(text: &str, trigger: usize, done: usize) -> (Option<Find>, usize) {
    let before = Before::of(text, trigger, done);
    if before.letters > 0 || before.inside {
        let start = trigger - before.letters;
        if !before.inside {
            if let Some(end) = iban(text, start, before.letters) {
                return (Some(Find { kind: Kind::Account, range: start..end }), end);
            }
            if let Some(end) = passport(text, start, trigger) {
                return (Some(Find { kind: Kind::Passport, range: start..end }), end);
            }
        }
        return (None, word_end(text, trigger));
    }
    let run = Run::of(text, trigger);
    if !before.chained {
        if let Some(end) = card(text, &run) {
            return (Some(Find { kind: Kind::Account, range: trigger..end }), end);
        }
        if let Some(end) = phone(text, &run, &before) {
            return (Some(Find { kind: Kind::Phone, range: before.start..end }), end);
        }
        if let Some(end) = passport(text, trigger, trigger) {
            return (Some(Find { kind: Kind::Passport, range: trigger..end }), end);
        }
    }
    (None, run.groups.first().map_or(trigger + 1, |group| group.end))
}

/// What stands before a digit.
struct Before {
    /// Letters that belong to the number, as in `FR76` and `AB1234567`: at most three.
    letters: usize,
    /// Whether it goes on with a longer word, so that no number starts here.
    inside: bool,
    /// Whether a longer chain of numbers goes on: a date, an address, a version, a UUID.
    chained: bool,
    /// Whether there is a plus sign.
    plus: bool,
    /// Where the number starts, its plus sign included.
    start: usize,
}

impl Before {
    fn of(text: &str, at: usize, done: usize) -> Self {
        let bytes = text.as_bytes().get(done..at).unwrap_or_default();
        let letters = bytes.iter().rev().take(4).take_while(|byte| byte.is_ascii_alphabetic()).count();
        let back = |count: usize| bytes.len().checked_sub(count + 1).and_then(|at| bytes.get(at)).copied();
        let joins = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let ahead = text.get(done..at - letters).and_then(|before| before.chars().next_back());
        let inside = letters > 3 || joins(back(letters)) || ahead.is_some_and(|before| digit(before).is_some());
        let plus = letters == 0 && back(0) == Some(b'+');
        let paren = letters == 0 && back(0) == Some(b'(') && back(1) == Some(b'+');
        let length = if paren { 2 } else { usize::from(plus) };
        let glued = |byte: Option<u8>| joins(byte) || matches!(byte, Some(b'+' | b'/' | b'=' | b'-'));
        let (one, two) = (back(letters), back(letters + 1));
        let numeric = two.is_some_and(|byte| byte.is_ascii_digit());
        let linked = match one {
            Some(b':' | b',' | b'\'') => numeric,
            Some(b'-' | b'.' | b'/' | b'#') => joins(two),
            _ => false,
        };
        Self {
            letters,
            inside: inside || letters > 0 && linked,
            chained: if plus || paren { glued(back(length)) } else { linked || one == Some(b'.') },
            plus: plus || paren,
            start: at - length,
        }
    }
}

/// A group of digits: its length and where it ends.
struct Group {
    length: usize,
    end: usize,
    /// What stands between it and the next group; a blank if there is none.
    link: char,
}

/// Groups of digits with single links between them.
struct Run {
    digits: Vec<u8>,
    groups: Vec<Group>,
    /// Whether all digits are those of Arabic or Persian.
    arabic: bool,
}

/// Digits of a run that are looked at.
const MOST: usize = 36;

impl Run {
    fn of(text: &str, start: usize) -> Self {
        let mut run = Self { digits: Vec::with_capacity(MOST), groups: Vec::new(), arabic: true };
        let mut at = start;
        while run.digits.len() < MOST {
            let rest = text.get(at..).unwrap_or_default();
            let before = run.digits.len();
            let mut length = 0;
            for letter in rest.chars().take(MOST - before) {
                let Some(value) = digit(letter) else { break };
                run.digits.push(value);
                run.arabic &= !letter.is_ascii();
                length += letter.len_utf8();
            }
            if length == 0 {
                break;
            }
            let link = link(rest.get(length..).unwrap_or_default());
            let end = at + length;
            run.groups.push(Group { length: run.digits.len() - before, end, link: link.map_or(' ', |(link, _)| link) });
            let Some((_, width)) = link else { break };
            at = end + width;
        }
        run
    }

    fn end(&self) -> usize {
        self.groups.last().map_or(0, |group| group.end)
    }

    fn lengths(&self) -> impl Iterator<Item = usize> {
        self.groups.iter().map(|group| group.length)
    }

    fn is_linked_by(&self, link: char) -> bool {
        let all = self.groups.len().saturating_sub(1);
        all > 0 && self.groups.iter().take(all).all(|group| group.link == link)
    }

    /// Four groups with dots between them.
    fn is_address(&self) -> bool {
        self.groups.len() == 4 && self.is_linked_by('.') && self.lengths().all(|length| length <= 3)
    }

    /// Day, month and year in some order.
    fn is_date(&self) -> bool {
        let mut lengths = self.lengths();
        matches!(
            (lengths.next(), lengths.next(), lengths.next()),
            (Some(1 | 2), Some(1 | 2), Some(4)) | (Some(4), Some(2), Some(1 | 2))
        )
    }

    /// Pairs with hyphens, as in the address of a network card.
    fn is_pairs(&self) -> bool {
        self.groups.len() >= 6 && self.is_linked_by('-') && self.lengths().all(|length| length == 2)
    }
}

/// What links two groups of digits, if the second follows, and its length.
fn link(text: &str) -> Option<(char, usize)> {
    let mut letters = text.chars();
    let first = letters.next()?;
    let second = letters.next()?;
    let is_link =
        |letter: char| matches!(letter, ' ' | '\u{a0}' | '\u{202f}' | '-' | '\u{2011}' | '.' | '/' | '(' | ')');
    if !is_link(first) {
        return None;
    }
    if digit(second).is_some() {
        return Some((first, first.len_utf8()));
    }
    let paren = matches!(first, '(' | ')') || matches!(second, '(' | ')');
    let third = letters.next()?;
    let link = if matches!(first, '(' | ')') { second } else { first };
    (paren && is_link(second) && digit(third).is_some()).then_some((link, first.len_utf8() + second.len_utf8()))
}

/// The value of a digit: Latin, Arabic-Indic, Persian.
pub(super) fn digit(letter: char) -> Option<u8> {
    let value = match letter {
        '0'..='9' => u32::from(letter) - u32::from('0'),
        '\u{660}'..='\u{669}' => u32::from(letter) - 0x660,
        '\u{6f0}'..='\u{6f9}' => u32::from(letter) - 0x6f0,
        _ => return None,
    };
    u8::try_from(value).ok()
}

/// Whether a number may end here: no letter, no digit, and no link to one follows.
fn ends(text: &str, at: usize) -> bool {
    let mut letters = text.get(at..).unwrap_or_default().chars();
    let joins = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || digit(letter).is_some();
    match letters.next() {
        Some('@' | '%') => false,
        Some('-' | '.' | ':' | '/') => !letters.next().is_some_and(joins),
        Some(letter) => !joins(letter),
        None => true,
    }
}

fn word_end(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    at + rest.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(rest.len()).max(1)
}

/// ITU-T E.164: a plus sign or two noughts and a country, or a word that says so, or digits of Arabic with a nought.
fn phone(text: &str, run: &Run, before: &Before) -> Option<usize> {
    let all = run.digits.len();
    let fits = |end: usize| ends(text, end).then_some(end);
    if before.plus {
        let mut digits = 0;
        let mut end = None;
        for group in &run.groups {
            digits += group.length;
            if digits > 15 {
                break;
            }
            if digits >= 8 && ends_but_links(text, group.end) {
                end = Some(group.end);
            }
        }
        return end.filter(|_| words::is_country(&run.digits));
    }
    if run.is_address() || run.is_date() || run.is_pairs() {
        return None;
    }
    let end = fits(run.end())?;
    if let [0, 0, number @ ..] = run.digits.as_slice()
        && (8..=15).contains(&number.len())
        && words::is_country(number)
    {
        return Some(end);
    }
    let national = run.arabic
        && run.digits.first() == Some(&0)
        && (9..=11).contains(&all)
        && !run.groups.iter().any(|group| group.link == '/');
    let named = (7..=15).contains(&all) && words::stands_before(text, before.start, PHONE);
    (national || named).then_some(end)
}

/// As [`ends`], but another group may follow.
fn ends_but_links(text: &str, at: usize) -> bool {
    let next = text.get(at..).unwrap_or_default().chars().next();
    !next.is_some_and(|letter| {
        letter.is_ascii_alphanumeric() || matches!(letter, '_' | '@' | '%') || digit(letter).is_some()
    })
}

/// ISO/IEC 7812: 13 to 19 digits of an issuer, in one or in the usual groups, with the check digit of Luhn.
fn card(text: &str, run: &Run) -> Option<usize> {
    const SHAPES: [&[usize]; 4] = [&[4, 4, 4, 4, 3], &[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4]];
    let first = run.groups.first()?;
    let shape = SHAPES.iter().find(|shape| {
        let same = run.lengths().zip(shape.iter()).filter(|(is, wish)| is == *wish).count() == shape.len();
        let links = run.groups.iter().take(shape.len() - 1).all(|group| group.link == first.link);
        same && links && matches!(first.link, ' ' | '-' | '\u{a0}' | '\u{202f}')
    });
    let (count, last) = match shape {
        Some(shape) => (shape.iter().sum(), run.groups.get(shape.len() - 1)?),
        None => (first.length, first),
    };
    let digits = run.digits.get(..count)?;
    let good = (13..=19).contains(&count) && is_issuer(digits) && luhn(digits) && ends(text, last.end);
    good.then_some(last.end)
}

/// Whether the first digits are those of a scheme of payment cards.
fn is_issuer(digits: &[u8]) -> bool {
    let lead = digits.iter().take(4).fold(0_u32, |sum, digit| sum * 10 + u32::from(*digit));
    let length = digits.len();
    match lead {
        4000..=4999 => matches!(length, 13 | 16 | 19),
        3400..=3499 | 3700..=3799 => length == 15,
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => (14..=19).contains(&length),
        2221..=2720 | 5100..=5599 => length == 16,
        3528..=3589 | 6011 | 6440..=6599 | 6200..=6299 => (16..=19).contains(&length),
        5018 | 5020 | 5038 | 5078 | 5893 | 6304 | 6759 | 6761..=6763 | 9792 => (13..=19).contains(&length),
        _ => false,
    }
}

/// ISO/IEC 7812-1, Annex B.
fn luhn(digits: &[u8]) -> bool {
    let sum = digits.iter().rev().enumerate().map(|(at, digit)| match (at % 2, digit * 2) {
        (0, _) => u32::from(*digit),
        (_, double) if double > 9 => u32::from(double - 9),
        (_, double) => u32::from(double),
    });
    sum.sum::<u32>() % 10 == 0
}

/// ISO 13616: a country, two check digits, and as many characters as the country has, in one or in groups.
fn iban(text: &str, start: usize, letters: usize) -> Option<usize> {
    if letters != 2 {
        return None;
    }
    let country = text.get(start..start + 2)?.to_ascii_uppercase();
    let length = words::iban_length(&country)?;
    let (mut count, mut remainder) = (0, 0_u32);
    let mut head = [0_u8; 4];
    let mut end = start;
    let mut spaced = false;
    for (at, byte) in text.as_bytes().get(start..)?.iter().enumerate().take(2 * length) {
        match byte {
            b' ' | b'-' if count > 0 && !spaced => {
                spaced = true;
                continue;
            }
            letter if letter.is_ascii_alphanumeric() => {}
            _ => break,
        }
        spaced = false;
        match head.get_mut(count) {
            Some(place) => *place = *byte,
            None => remainder = mod97(remainder, *byte),
        }
        count += 1;
        end = start + at + 1;
        if count == length {
            break;
        }
    }
    let whole = count == length && head.get(2..)?.iter().all(u8::is_ascii_digit);
    let check = head.iter().fold(remainder, |sum, byte| mod97(sum, *byte));
    (whole && check == 1 && ends(text, end)).then_some(end)
}

/// ISO/IEC 7064, MOD 97-10: letters count as two digits.
fn mod97(sum: u32, byte: u8) -> u32 {
    match byte.to_ascii_uppercase() {
        digit @ b'0'..=b'9' => (sum * 10 + u32::from(digit - b'0')) % 97,
        letter => (sum * 100 + u32::from(letter.wrapping_sub(b'A')) + 10) % 97,
    }
}

/// Up to three capitals and five to nine digits, beside a word that says that this is a passport.
fn passport(text: &str, start: usize, digits: usize) -> Option<usize> {
    if text.get(start..digits)?.bytes().any(|letter| !letter.is_ascii_uppercase()) {
        return None;
    }
    let rest = text.get(digits..)?;
    let taken: Vec<(u8, usize)> =
        rest.chars().map_while(|letter| Some((digit(letter)?, letter.len_utf8()))).take(10).collect();
    let end = digits + taken.iter().map(|(_, width)| width).sum::<usize>();
    let day =
        start == digits && matches!(taken.as_slice(), [(1, _), (9, _), ..] | [(2, _), (0, _), ..]) && taken.len() == 8;
    let fits = (5..=9).contains(&taken.len()) && !day && ends(text, end);
    let named = || words::stands_before(text, start, PASSPORT) || words::stands_after(text, end, PASSPORT);
    (fits && named()).then_some(end)
}
