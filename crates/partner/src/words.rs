//! A fingerprint for people: sixteen words and one that proves them, or eight groups of five digits. Both are read back however
//! they are spaced; what was misheard is noticed and named.

/// One of these for each byte: short, easily said, and no two that differ in one letter alone.
pub const WORDS: [&str; 256] = [
    "acorn", "actor", "album", "alley", "amber", "anchor", "ankle", "apple", "apron", "arena", "arrow", "artist",
    "atlas", "attic", "autumn", "badge", "bagel", "bakery", "balcony", "bamboo", "banjo", "barrel", "basket", "beacon",
    "beaver", "bicycle", "biscuit", "blanket", "blossom", "bonfire", "border", "bottle", "bracket", "breeze", "bridge",
    "bronze", "bucket", "buffalo", "butter", "cabin", "cactus", "camel", "candle", "canvas", "captain", "caravan",
    "carpet", "castle", "cedar", "cello", "chapel", "cherry", "chimney", "cinema", "circus", "citrus", "clever",
    "cliff", "cobalt", "coconut", "comet", "compass", "copper", "coral", "cotton", "cousin", "crayon", "cricket",
    "crystal", "curtain", "cushion", "dancer", "decade", "delta", "desert", "diamond", "dinner", "dolphin", "domino",
    "donkey", "dragon", "drawer", "eagle", "early", "easel", "echo", "eclipse", "elbow", "empire", "engine", "escape",
    "evening", "exit", "fabric", "falcon", "family", "feather", "ferry", "fiddle", "finger", "flower", "forest",
    "fossil", "fox", "frozen", "galaxy", "garden", "garlic", "gentle", "giant", "glacier", "globe", "goblet", "golden",
    "gorilla", "granite", "grape", "guitar", "hammer", "harbor", "harvest", "hazel", "helmet", "heron", "hollow",
    "honey", "horizon", "hotel", "husband", "iceberg", "idea", "igloo", "insect", "island", "ivory", "jacket",
    "jaguar", "jasmine", "jelly", "jewel", "jungle", "kettle", "kitchen", "kiwi", "ladder", "lagoon", "lantern",
    "lemon", "lilac", "lizard", "lotus", "lunar", "magnet", "mango", "maple", "marble", "market", "meadow", "melody",
    "mirror", "mosaic", "motor", "muffin", "museum", "napkin", "needle", "nephew", "nickel", "noble", "nutmeg",
    "oasis", "ocean", "olive", "onion", "opera", "orange", "orbit", "orchid", "otter", "oxygen", "oyster", "paddle",
    "palace", "panda", "paper", "parrot", "pebble", "pencil", "pepper", "piano", "picnic", "pigeon", "pilot", "planet",
    "pocket", "polar", "pony", "potato", "powder", "puzzle", "quarry", "quilt", "rabbit", "radio", "ranger", "ribbon",
    "river", "robot", "salmon", "sandal", "satin", "school", "season", "shadow", "silver", "sketch", "snow", "soccer",
    "spider", "spiral", "sugar", "summit", "sunday", "sunset", "tailor", "teapot", "temple", "tennis", "ticket",
    "tiger", "timber", "tomato", "topaz", "tower", "train", "tulip", "tunnel", "turtle", "uncle", "velvet", "violin",
    "waffle", "wagon", "walnut", "water", "whale", "willow", "window", "winter", "wisdom", "yacht", "yellow", "yogurt",
    "zebra", "zero", "zigzag",
];

/// Why words or digits are not a fingerprint.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A word that is not on the list.
    #[error("word {number}, `{word}`, is not one of the words{}", hint(*.near))]
    Unknown {
        /// Which, from 1.
        number: usize,
        /// As it was written.
        word: String,
        /// The one that it may have been.
        near: Option<&'static str>,
    },
    /// Too few or too many words.
    #[error("a fingerprint is 17 words; these are {0}")]
    Words(usize),
    /// One of the words is another one.
    #[error("the last word does not fit the others: one of them was misheard, or two changed places")]
    Misheard,
    /// Too few or too many digits.
    #[error("a fingerprint is 40 digits, in groups of five; these are {0}")]
    Digits(usize),
    /// A group that no fingerprint has.
    #[error("group {number} of the digits, {group}, is none: a group is at most 65535")]
    Group {
        /// Which, from 1.
        number: usize,
        /// Its digits.
        group: String,
    },
    /// Something else than a digit.
    #[error("`{}` is no digit", .0.escape_debug())]
    NoDigit(char),
}

fn hint(near: Option<&'static str>) -> String {
    near.map(|near| format!(": was it `{near}`?")).unwrap_or_default()
}

/// The words of a fingerprint, with a blank between.
#[must_use]
pub fn say(fingerprint: &[u8; 16]) -> String {
    let bytes = fingerprint.iter().copied().chain([proof(fingerprint)]);
    let words = bytes.filter_map(|byte| WORDS.get(usize::from(byte)).copied());
    words.collect::<Vec<_>>().join(" ")
}

/// The fingerprint of these words, in any case, with anything but letters between them.
///
/// # Errors
/// Which word is none, or that they do not fit each other.
pub fn hear(text: &str) -> Result<[u8; 16], Error> {
    let said = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut bytes = Vec::with_capacity(17);
    // One more than there can be is enough to know that there are too many.
    let mut count = 0;
    for word in said {
        count += 1;
        if count <= 17 {
            bytes.push(byte_of(count, word)?);
        }
    }
    let (Ok(bytes), 17) = (<[u8; 17]>::try_from(bytes), count) else { return Err(Error::Words(count)) };
    let (fingerprint, last) = (bytes.first_chunk::<16>().copied().unwrap_or_default(), bytes.last().copied());
    if last == Some(proof(&fingerprint)) { Ok(fingerprint) } else { Err(Error::Misheard) }
}

/// The digits of a fingerprint: eight groups of five.
#[must_use]
pub fn digits(fingerprint: &[u8; 16]) -> String {
    let (pairs, _) = fingerprint.as_chunks::<2>();
    pairs.iter().map(|pair| format!("{:05}", u16::from_be_bytes(*pair))).collect::<Vec<_>>().join(" ")
}

/// The fingerprint of these digits, European (0-9) or Arabic (٠-٩, ۰-۹), with blanks, dots or hyphens between them or not.
///
/// # Errors
/// What is no digit, or which group is none.
pub fn read_digits(text: &str) -> Result<[u8; 16], Error> {
    let mut found = Vec::with_capacity(40);
    let mut count = 0;
    for letter in text.chars().filter(|letter| !is_between(*letter)) {
        let digit = digit_of(letter).ok_or(Error::NoDigit(letter))?;
        count += 1;
        if count <= 40 {
            found.push(digit);
        }
    }
    if count != 40 {
        return Err(Error::Digits(count));
    }
    let mut fingerprint = [0; 16];
    for (number, (group, pair)) in found.chunks(5).zip(fingerprint.chunks_mut(2)).enumerate() {
        let value = group.iter().fold(0_u32, |value, digit| value * 10 + digit);
        let value =
            u16::try_from(value).map_err(|_| Error::Group { number: number + 1, group: format!("{value:05}") })?;
        pair.copy_from_slice(&value.to_be_bytes());
    }
    Ok(fingerprint)
}

fn is_between(letter: char) -> bool {
    // With the marks of direction that come along when digits are copied out of a text in Arabic.
    letter.is_whitespace()
        || matches!(letter, '-' | '.' | ',' | '،' | '\u{200e}' | '\u{200f}' | '\u{2066}'..='\u{2069}')
}

fn digit_of(letter: char) -> Option<u32> {
    letter.to_digit(10).or_else(|| match letter {
        '٠'..='٩' => Some(u32::from(letter) - u32::from('٠')),
        '۰'..='۹' => Some(u32::from(letter) - u32::from('۰')),
        _ => None,
    })
}

fn byte_of(number: usize, word: &str) -> Result<u8, Error> {
    let lower = word.to_lowercase();
    let place = WORDS.iter().position(|known| *known == lower).and_then(|place| u8::try_from(place).ok());
    place.ok_or_else(|| {
        let near = WORDS.into_iter().find(|known| lower.len() <= 12 && distance(known, &lower) == 1);
        Error::Unknown { number, word: word.chars().take(24).collect(), near }
    })
}

/// The byte that proves the others: CRC-8 with the polynomial x⁸ + x⁴ + x³ + x² + 1. It finds every single word that is
/// another one, and every two neighbours that changed places.
fn proof(fingerprint: &[u8; 16]) -> u8 {
    fingerprint.iter().fold(0xff, |crc, byte| {
        (0..8).fold(crc ^ byte, |crc: u8, _| if crc & 0x80 == 0 { crc << 1 } else { (crc << 1) ^ 0x1d })
    })
}

/// Letters that must be changed, added or left out to make one word of the other.
fn distance(one: &str, two: &str) -> usize {
    let two: Vec<char> = two.chars().collect();
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut corner = line;
        let mut left = line + 1;
        for (other, cell) in two.iter().zip(row.iter_mut().skip(1)) {
            let best = (corner + usize::from(letter != *other)).min(left + 1).min(*cell + 1);
            corner = *cell;
            *cell = best;
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = line + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
