//! Words and codes by which numbers are told apart: Arabic, French, Spanish, English.

/// Words for a passport.
pub(super) const PASSPORT: &[&str] = &["passport", "passeport", "pasaporte", "جواز"];

/// Words for a telephone.
pub(super) const PHONE: &[&str] = &[
    "phone",
    "telephone",
    "téléphone",
    "teléfono",
    "telefono",
    "tel",
    "tél",
    "mobile",
    "móvil",
    "movil",
    "cell",
    "celular",
    "portable",
    "fax",
    "gsm",
    "whatsapp",
    "هاتف",
    "هاتفه",
    "تلفون",
    "جوال",
    "موبايل",
    "واتساب",
    "فاكس",
];

/// What may stand between such a word and its number.
const FILLERS: &[&str] = &[
    "a",
    "al",
    "at",
    "au",
    "card",
    "de",
    "del",
    "du",
    "el",
    "en",
    "es",
    "est",
    "holder",
    "is",
    "la",
    "le",
    "n",
    "no",
    "nr",
    "nro",
    "num",
    "number",
    "numbers",
    "numero",
    "numéro",
    "número",
    "nº",
    "of",
    "on",
    "personal",
    "portable",
    "mobile",
    "sa",
    "son",
    "su",
    "sur",
    "the",
    "was",
    "رقم",
    "رقمه",
    "رقمها",
    "الرقم",
    "برقم",
    "السفر",
    "سفر",
    "سفره",
    "سفرها",
    "هو",
    "على",
    "المحمول",
    "الجوال",
    "ذي",
    "ذو",
    "حامل",
];

/// How far a word may be from its number, in bytes.
const REACH: usize = 72;

/// Whether one of the words stands before the number that starts at `at`, with nothing but fillers in between.
pub(super) fn stands_before(text: &str, at: usize, words: &[&str]) -> bool {
    let Some(before) = text.get(..at) else { return false };
    let mut from = at.saturating_sub(REACH);
    while !before.is_char_boundary(from) {
        from += 1;
    }
    let window = before.get(from..).unwrap_or_default();
    let mut pieces = window.rsplit(|letter: char| !letter.is_alphabetic() && letter != 'º');
    let signs = window.chars().rev();
    // Signs that end a sentence or begin another thing break the link; so does the mark that stands for what was masked.
    let most = signs
        .take_while(|letter| {
            letter.is_alphabetic()
                || matches!(
                    letter,
                    ' ' | ':' | '.' | '#' | '°' | 'º' | '\u{a0}' | '-' | '(' | ')' | '/' | '+' | '\u{640}'
                )
        })
        .count();
    let mut passed = 0;
    loop {
        let Some(piece) = pieces.next() else { return false };
        passed += piece.chars().count();
        if passed > most {
            return false;
        }
        passed += 1;
        if piece.is_empty() {
            continue;
        }
        let piece = piece.to_lowercase();
        if is_one(&piece, words) {
            return true;
        }
        if !FILLERS.contains(&piece.as_str()) {
            return false;
        }
    }
}

/// Whether one of the words follows the number that ends at `at`: `AB1234567 (passport)`.
pub(super) fn stands_after(text: &str, at: usize, words: &[&str]) -> bool {
    let rest = text.get(at..).unwrap_or_default();
    let inner = rest.strip_prefix(" (").or_else(|| rest.strip_prefix('('));
    let word = |inner: &str| inner.chars().take(24).take_while(|letter| letter.is_alphabetic()).collect::<String>();
    inner.is_some_and(|inner| is_one(&word(inner).to_lowercase(), words))
}

/// Whether a piece of text is one of the words; Arabic ones may have an article or a conjunction before them.
fn is_one(piece: &str, words: &[&str]) -> bool {
    words.iter().any(|word| match piece.strip_suffix(word) {
        Some("") => true,
        Some(before) => !word.is_ascii() && matches!(before, "ال" | "و" | "وال" | "ب" | "بال" | "ل" | "لل"),
        None => false,
    })
}

/// Whether the digits begin with a country's calling code. ITU-T E.164, list of assigned codes.
pub(super) fn is_country(digits: &[u8]) -> bool {
    let [one, two, ..] = digits else { return false };
    match (one, two) {
        (1 | 7, _) => true,
        (2, 0 | 1..=7 | 9) | (3, _) | (4, 0..=9) | (5, _) | (6, 0..=9) | (8, 0..=2 | 4..=8) | (9, 0..=9) => true,
        _ => false,
    }
}

/// How many characters an account number of a country has. ISO 13616, registry of SWIFT, and the countries that use the
/// form without being in it.
pub(super) fn iban_length(country: &str) -> Option<usize> {
    const LENGTHS: [(usize, &str); 18] = [
        (15, "NO"),
        (16, "BE"),
        (18, "DK FI FK FO GL NL SD"),
        (19, "MK SI"),
        (20, "AT BA EE KZ LT LU MN XK"),
        (21, "CH HR LI LV"),
        (22, "BG BH CR DE GB GE IE ME RS VA"),
        (23, "AE GI IL IQ OM SO TL"),
        (24, "AD CZ ES MD PK RO SA SE SK TN VG"),
        (25, "AO CV GW LY MZ PT ST"),
        (26, "DZ IR IS TR"),
        (27, "BI CF CG CM DJ FR GA GQ GR IT KM MC MG MR SM TD"),
        (28, "AL AZ BF BJ BY CI CY DO GT HN HU LB MA ML NE NI PL SN SV TG"),
        (29, "BR EG PS QA UA"),
        (30, "JO KW MU YE"),
        (31, "MT SC"),
        (32, "LC"),
        (33, "RU"),
    ];
    LENGTHS.iter().find(|(_, countries)| countries.split(' ').any(|one| one == country)).map(|(length, _)| *length)
}
