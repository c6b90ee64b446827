//! The Admiralty scale: how reliable a source is, A to F, and how credible what it says is, 1 to 6; and what a credibility is
//! as a confidence (STIX 2.1 Appendix A, "Admiralty Credibility").

/// The reliability of a source, in words. `None`: no such letter.
#[must_use]
pub fn reliability_word(letter: char) -> Option<&'static str> {
    Some(match letter {
        'A' => "completely reliable",
        'B' => "usually reliable",
        'C' => "fairly reliable",
        'D' => "not usually reliable",
        'E' => "unreliable",
        'F' => "reliability cannot be judged",
        _ => return None,
    })
}

/// The credibility of what is said, in words. `None`: no such number.
#[must_use]
pub fn credibility_word(credibility: u8) -> Option<&'static str> {
    Some(match credibility {
        1 => "confirmed by other sources",
        2 => "probably true",
        3 => "possibly true",
        4 => "doubtful",
        5 => "improbable",
        6 => "truth cannot be judged",
        _ => return None,
    })
}

/// The confidence that stands for a credibility. `None`: of 6, for which the property is left out, and of what is none.
#[must_use]
pub fn confidence(credibility: u8) -> Option<u8> {
    match credibility {
        1 => Some(90),
        2 => Some(70),
        3 => Some(50),
        4 => Some(30),
        5 => Some(10),
        _ => None,
    }
}

/// The credibility that a confidence stands for; 6 where there is none, or one that cannot be.
#[must_use]
pub fn credibility(confidence: Option<u8>) -> u8 {
    match confidence {
        Some(80..=100) => 1,
        Some(60..=79) => 2,
        Some(40..=59) => 3,
        Some(20..=39) => 4,
        Some(0..=19) => 5,
        Some(101..) | None => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// STIX 2.1 Appendix A: credibility, the value that is written, the range that is read.
    const TABLE: [(u8, Option<u8>, std::ops::RangeInclusive<u8>); 5] = [
        (5, Some(10), 0..=19),
        (4, Some(30), 20..=39),
        (3, Some(50), 40..=59),
        (2, Some(70), 60..=79),
        (1, Some(90), 80..=100),
    ];

    #[test]
    fn credibility_and_confidence_are_those_of_the_standard() {
        let mut covered = Vec::new();
        for (number, written, range) in TABLE {
            assert_eq!(confidence(number), written, "{number}");
            for value in range {
                assert_eq!(credibility(Some(value)), number, "{value}");
                covered.push(value);
            }
        }
        assert_eq!(covered, (0..=100).collect::<Vec<u8>>(), "every confidence has its row");
        assert_eq!((confidence(6), credibility(None)), (None, 6), "not specified is left out, and never 0");
        assert_eq!((confidence(0), confidence(7), credibility(Some(101))), (None, None, 6));
        for number in 1..=6 {
            assert_eq!(credibility(confidence(number)), number, "there and back");
        }
    }

    #[test]
    fn there_are_six_of_each() {
        let letters: String = (char::MIN..='\u{ff}').filter(|letter| reliability_word(*letter).is_some()).collect();
        let numbers: Vec<u8> = (0..=u8::MAX).filter(|number| credibility_word(*number).is_some()).collect();
        assert_eq!((letters.as_str(), numbers), ("ABCDEF", vec![1, 2, 3, 4, 5, 6]));
    }

    /// The words are those of the taxonomy that MISP publishes, which writes the letters small.
    #[test]
    fn the_words_are_the_published_ones() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/misp-taxonomies/misp-taxonomies.tar.zst");
        let Ok(packed) = std::fs::File::open(path) else {
            println!("skipped: the published taxonomies are not beside the project");
            return;
        };
        let archive = zstd::decode_all(packed).unwrap();
        // Files of an archive lie in it as they are, filled up with zeros.
        let name = br#""namespace": "admiralty-scale""#;
        let at = archive.windows(name.len()).position(|window| window == name).expect("the taxonomy");
        let start = archive[..at].iter().rposition(|byte| *byte == 0).unwrap() + 1;
        let length = archive[start..].iter().position(|byte| *byte == 0).unwrap();
        let taxonomy: serde_json::Value = serde_json::from_slice(&archive[start..start + length]).unwrap();
        let mut compared = 0;
        for values in taxonomy["values"].as_array().unwrap() {
            for entry in values["entry"].as_array().unwrap() {
                let (value, word) = (entry["value"].as_str().unwrap(), entry["expanded"].as_str().unwrap());
                let ours = match value.parse::<u8>() {
                    Ok(number) => credibility_word(number),
                    Err(_) => reliability_word(value.to_ascii_uppercase().parse().unwrap()),
                };
                // `G`, deliberately deceptive, is not on the scale of STIX and NATO.
                assert_eq!(ours, Some(&*word.to_lowercase()).filter(|_| value != "g"), "{value}");
                compared += 1;
            }
        }
        assert_eq!(compared, 13);
    }
}
