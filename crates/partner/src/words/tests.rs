use super::*;
use proptest::prelude::*;

#[test]
fn words_are_short_sorted_and_no_two_can_be_taken_for_each_other() {
    for (place, word) in WORDS.iter().enumerate() {
        assert!((3..=7).contains(&word.len()) && word.bytes().all(|letter| letter.is_ascii_lowercase()), "{word}");
        for other in &WORDS[..place] {
            assert!(other < word, "{other} {word}");
            assert!(distance(other, word) > 1, "{other} {word}");
            assert!(word.len() < 4 || other.get(..4) != word.get(..4), "{other} {word}");
        }
    }
}

#[test]
fn what_is_written_stays_so() {
    // A change of the list or of the proof would make old and new nodes read each other wrong.
    let fingerprint = *b"\x00\x01\x02\x03\xfc\xfd\xfe\xff\x10\x20\x30\x40\x50\x60\x70\x80";
    assert_eq!(
        say(&fingerprint),
        "acorn actor album alley yogurt zebra zero zigzag bagel bracket cedar cotton dragon feather goblet husband guitar"
    );
    assert_eq!(digits(&fingerprint), "00001 00515 64765 65279 04128 12352 20576 28800");
}

#[test]
fn read_back_however_it_is_written() {
    let fingerprint = std::array::from_fn(|place| (place * 37 + 200) as u8);
    let (said, shown) = (say(&fingerprint), digits(&fingerprint));
    for text in [
        said.clone(),
        said.to_uppercase(),
        said.replace(' ', "-"),
        said.replace(' ', ",\n\t"),
        format!("  1. {}", said.replace(' ', ". ")).replace("1. ", ""),
        format!("\u{200f}{said}\u{200f}"),
    ] {
        assert_eq!(hear(&text), Ok(fingerprint), "{text}");
    }
    let arabic = |zero: char| -> String {
        let to = |c: char| c.to_digit(10).map_or(c, |digit| char::from_u32(u32::from(zero) + digit).unwrap());
        shown.chars().map(to).collect()
    };
    for text in [
        shown.clone(),
        shown.replace(' ', ""),
        shown.replace(' ', "-"),
        shown.replace(' ', " \n"),
        arabic('٠'),
        arabic('۰'),
        format!("\u{2067}{}\u{2069}", arabic('٠')),
    ] {
        assert_eq!(read_digits(&text), Ok(fingerprint), "{text}");
    }
}

#[test]
fn what_is_no_fingerprint_says_why() {
    let fingerprint = [7; 16];
    let said = say(&fingerprint);
    let with = |place: usize, word: &str| {
        let mut words: Vec<&str> = said.split(' ').collect();
        words[place] = word;
        words.join(" ")
    };
    for (text, message) in [
        (String::new(), "a fingerprint is 17 words; these are 0"),
        (said.replacen("apple ", "", 1), "a fingerprint is 17 words; these are 16"),
        (format!("{said} {said}"), "a fingerprint is 17 words; these are 34"),
        (with(4, "artits"), "word 5, `artits`, is not one of the words"),
        (with(4, "Artst"), "word 5, `Artst`, is not one of the words: was it `artist`?"),
        (with(16, "xyzzy"), "word 17, `xyzzy`, is not one of the words"),
        (with(0, "١٢٣"), "word 1, `١٢٣`, is not one of the words"),
        (with(2, "zebra"), "the last word does not fit the others: one of them was misheard, or two changed places"),
    ] {
        assert_eq!(hear(&text).unwrap_err().to_string(), message, "{text}");
    }
    let shown = digits(&fingerprint);
    for (text, message) in [
        (String::new(), "a fingerprint is 40 digits, in groups of five; these are 0"),
        (shown[1..].to_owned(), "a fingerprint is 40 digits, in groups of five; these are 39"),
        (format!("{shown}0"), "a fingerprint is 40 digits, in groups of five; these are 41"),
        (shown.replacen("01799", "65536", 1), "group 1 of the digits, 65536, is none: a group is at most 65535"),
        (shown.replacen("01799", "O1799", 1), "`O` is no digit"),
    ] {
        assert_eq!(read_digits(&text).unwrap_err().to_string(), message, "{text}");
    }
}

proptest! {
    #[test]
    fn every_fingerprint_comes_back(fingerprint: [u8; 16]) {
        prop_assert_eq!(hear(&say(&fingerprint)), Ok(fingerprint));
        prop_assert_eq!(read_digits(&digits(&fingerprint)), Ok(fingerprint));
    }

    #[test]
    fn one_wrong_word_is_noticed(fingerprint: [u8; 16], place in 0..17_usize, word in 0..256_usize) {
        let said = say(&fingerprint);
        let mut words: Vec<&str> = said.split(' ').collect();
        prop_assume!(words[place] != WORDS[word]);
        words[place] = WORDS[word];
        prop_assert_eq!(hear(&words.join(" ")), Err(Error::Misheard));
    }

    #[test]
    fn two_words_that_changed_places_are_noticed(fingerprint: [u8; 16], place in 0..15_usize) {
        let said = say(&fingerprint);
        let mut words: Vec<&str> = said.split(' ').collect();
        prop_assume!(words[place] != words[place + 1]);
        words.swap(place, place + 1);
        prop_assert_eq!(hear(&words.join(" ")), Err(Error::Misheard));
    }

    #[test]
    fn any_text_is_heard_without_harm(text in ".{0,200}") {
        let _ = (hear(&text), read_digits(&text));
    }
}
