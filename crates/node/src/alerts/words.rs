//! Alerts in the words of people: Arabic, French, Spanish, English. Pure.
//!
//! What comes from partners and sensors is hostile text: it is made [`plain`] (no controls, nothing that turns the direction of
//! writing), and stands between isolates in running text, so that it cannot change the order in which ours is read.

use super::out::Notice;
use ledger::Micros;

/// A language in which alerts are told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Language {
    /// Arabic.
    Ar,
    /// French.
    Fr,
    /// Spanish.
    Es,
    /// English.
    En,
}

impl Language {
    /// Its tag (BCP 47).
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Ar => "ar",
            Self::Fr => "fr",
            Self::Es => "es",
            Self::En => "en",
        }
    }
}

/// First Strong Isolate and Pop Directional Isolate (Unicode UAX #9, §2.4).
const ISOLATE: (char, char) = ('\u{2068}', '\u{2069}');

/// A stranger's text in one line, without anything that cannot be seen or turns the direction of writing, at most so many
/// characters.
#[must_use]
pub fn plain(text: &str, most: usize) -> String {
    let visible = |c: char| match c {
        '\t' | '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        // Interlinear annotation, tags, variation selectors and fillers leave no mark either.
        '\u{61c}' | '\u{180e}' | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{206a}'..='\u{206f}' => {
            '\u{fffd}'
        }
        '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}' => '\u{fffd}',
        c if c.is_control() || crate::limiter::is_unseen(c) => '\u{fffd}',
        c => c,
    };
    let mut out: String = text.chars().map(visible).take(most + 1).collect();
    if out.chars().count() > most {
        out = out.chars().take(most.saturating_sub(1)).collect();
        out.push('…');
    }
    out.trim().to_owned()
}

/// A value so that no reader's program makes a link of it.
#[must_use]
pub fn harmless(value: &str) -> String {
    let value = plain(value, 500);
    let value = match value.get(..4) {
        Some(begin) if begin.eq_ignore_ascii_case("http") => format!("hxxp{}", value.get(4..).unwrap_or_default()),
        _ => value,
    };
    value.replace('.', "[.]").replace('@', "[@]")
}

fn isolated(text: &str) -> String {
    let (begin, end) = ISOLATE;
    format!("{begin}{text}{end}")
}

/// The subject of a message about a notice: one line.
#[must_use]
pub fn subject(notice: &Notice, language: Language) -> String {
    let what = match &notice.name {
        Some(name) => plain(name, 80),
        None => harmless(notice.value().1),
    };
    let hits = hits(notice.count, language);
    let again = notice.number > 1;
    let words = match (language, again) {
        (Language::Ar, false) => "إنذار جديد",
        (Language::Ar, true) => "إنذار مستمر",
        (Language::Fr, false) => "nouvelle alerte",
        (Language::Fr, true) => "alerte en cours",
        (Language::Es, false) => "nueva alerta",
        (Language::Es, true) => "alerta en curso",
        (Language::En, false) => "new alert",
        (Language::En, true) => "alert goes on",
    };
    let colon = if language == Language::Fr { "\u{a0}:" } else { ":" };
    format!("[Marsad] {words}{colon} {} ({hits})", isolated(&what))
}

/// The body of a message about a notice.
#[must_use]
pub fn body(notice: &Notice, language: Language) -> String {
    let label = |name: Label| name.word(language);
    let colon = if language == Language::Fr { "\u{a0}:" } else { ":" };
    let (kind, value) = notice.value();
    let mut lines = vec![
        (Label::Indicator, notice.name.as_deref().map_or_else(|| notice.indicator.clone(), |name| plain(name, 200))),
        (Label::Id, notice.indicator.clone()),
        (Label::Marking, notice.tlp.clone().unwrap_or_default()),
        (Label::Value, format!("{} ({kind})", harmless(value))),
        (Label::About, if notice.others { Label::Others.word(language).to_owned() } else { harmless(&notice.entity) }),
        (Label::Field, plain(&notice.field, 100)),
        (Label::Input, format!("{} #{}", plain(&notice.input, 200), notice.line)),
        (Label::Hits, hits(notice.count, language)),
        (Label::First, date(notice.first_seen, language)),
        (Label::Last, date(notice.last_seen, language)),
    ];
    lines.retain(|(_, text)| !text.is_empty());
    let mut out = format!("{}\n\n", Label::Intro.word(language));
    // Whoever reads from right to left gets the whole line so, whatever its first letter is (UAX #9, P2).
    let mark = if language == Language::Ar { "\u{200f}" } else { "" };
    for (name, text) in lines {
        out.push_str(&format!("{mark}{}{colon} {}\n", label(name), isolated(&text)));
    }
    if let Some(url) = &notice.url {
        out.push_str(&format!("\n{mark}{}{colon}\n{url}\n", label(Label::More)));
    }
    out
}

#[derive(Clone, Copy)]
enum Label {
    Intro,
    Indicator,
    Id,
    Marking,
    Value,
    About,
    Others,
    Field,
    Input,
    Hits,
    First,
    Last,
    More,
}

impl Label {
    fn word(self, language: Language) -> &'static str {
        let [ar, fr, es, en] = match self {
            Self::Intro => [
                "رصدت المجسات قيمة ورد ذكرها في معلومات التهديدات.",
                "Une valeur connue du renseignement sur les menaces a été observée par vos capteurs.",
                "Sus sensores han observado un valor conocido por la inteligencia de amenazas.",
                "Your sensors have met a value that threat intelligence warns of.",
            ],
            Self::Indicator => ["المؤشر", "Indicateur", "Indicador", "Indicator"],
            Self::Id => ["المعرّف", "Identifiant", "Identificador", "Id"],
            Self::Marking => ["التصنيف", "Marquage", "Marcado", "Marking"],
            Self::Value => ["القيمة", "Valeur", "Valor", "Value"],
            Self::About => ["الجهاز", "Machine", "Equipo", "Machine"],
            Self::Others => ["أجهزة أخرى كثيرة", "de nombreuses autres", "muchos otros", "many others"],
            Self::Field => ["الحقل", "Champ", "Campo", "Field"],
            Self::Input => ["المصدر", "Source", "Origen", "Source"],
            Self::Hits => ["المطابقات", "Détections", "Detecciones", "Hits"],
            Self::First => ["أول رصد", "Première observation", "Primera observación", "First seen"],
            Self::Last => ["آخر رصد", "Dernière observation", "Última observación", "Last seen"],
            Self::More => ["التفاصيل", "Détails", "Detalles", "Details"],
        };
        match language {
            Language::Ar => ar,
            Language::Fr => fr,
            Language::Es => es,
            Language::En => en,
        }
    }
}

/// So many hits, in the plural that the language has for it (CLDR).
fn hits(count: u64, language: Language) -> String {
    let number = grouped(count, language);
    match language {
        Language::Ar => match (count, count % 100) {
            (0, _) => "لا مطابقات".to_owned(),
            (1, _) => "مطابقة واحدة".to_owned(),
            (2, _) => "مطابقتان".to_owned(),
            (_, 3..=10) => format!("{number} مطابقات"),
            _ => format!("{number} مطابقة"),
        },
        Language::Fr if count < 2 => format!("{number} détection"),
        Language::Fr => format!("{number} détections"),
        Language::Es if count == 1 => format!("{number} detección"),
        Language::Es => format!("{number} detecciones"),
        Language::En if count == 1 => format!("{number} hit"),
        Language::En => format!("{number} hits"),
    }
}

/// A number with its thousands apart, in the digits of the Internet.
fn grouped(number: u64, language: Language) -> String {
    let digits = number.to_string();
    let apart = match language {
        Language::Fr => "\u{202f}",
        Language::Es if digits.len() < 5 => "",
        Language::Es => "\u{a0}",
        Language::Ar | Language::En => ",",
    };
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push_str(apart);
        }
        out.push(digit);
    }
    out
}

/// An instant, in UTC.
#[must_use]
pub fn date(at: Micros, language: Language) -> String {
    // 2026-11-25T23:38:00.000Z
    let text = stix::timestamp::format_millis(at);
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    let (year, day, time) = (part(0..4), part(8..10).trim_start_matches('0'), part(11..19));
    let month = part(5..7).parse::<usize>().ok().and_then(|month| month.checked_sub(1));
    let name = month.and_then(|month| months(language).get(month)).copied().unwrap_or_default();
    match language {
        Language::Ar => format!("{day} {name} {year}، {time} UTC"),
        Language::Fr => format!("{} {name} {year} à {time} UTC", if day == "1" { "1er" } else { day }),
        Language::Es => format!("{day} de {name} de {year}, {time} UTC"),
        Language::En => format!("{day} {name} {year}, {time} UTC"),
    }
}

fn months(language: Language) -> &'static [&'static str; 12] {
    match language {
        Language::Ar => &[
            "يناير",
            "فبراير",
            "مارس",
            "أبريل",
            "مايو",
            "يونيو",
            "يوليو",
            "أغسطس",
            "سبتمبر",
            "أكتوبر",
            "نوفمبر",
            "ديسمبر",
        ],
        Language::Fr => &[
            "janvier",
            "février",
            "mars",
            "avril",
            "mai",
            "juin",
            "juillet",
            "août",
            "septembre",
            "octobre",
            "novembre",
            "décembre",
        ],
        Language::Es => &[
            "enero",
            "febrero",
            "marzo",
            "abril",
            "mayo",
            "junio",
            "julio",
            "agosto",
            "septiembre",
            "octubre",
            "noviembre",
            "diciembre",
        ],
        Language::En => &[
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::super::out::tests::notice;
    use super::*;

    const ALL: [Language; 4] = [Language::Ar, Language::Fr, Language::Es, Language::En];

    #[test]
    fn strangers_are_made_plain() {
        for (text, most, expected) in [
            ("Beacon", 10, "Beacon"),
            ("a\r\nBcc: x@y.example", 40, "a  Bcc: x@y.example"),
            ("a\u{2028}b\u{85}c\u{0}d\u{1b}[31m", 40, "a b c\u{fffd}d\u{fffd}[31m"),
            ("exe.\u{202e}fdp", 40, "exe.\u{fffd}fdp"),
            ("\u{2066}a\u{2069}\u{61c}\u{200f}\u{feff}", 40, "\u{fffd}a\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
            ("\u{e0041}\u{3164}", 40, "\u{fffd}\u{fffd}"),
            ("منارة", 10, "منارة"),
            ("0123456789", 5, "0123…"),
            ("  \n ", 5, ""),
        ] {
            assert_eq!(plain(text, most), expected, "{text:?}");
        }
        for (value, expected) in [
            ("bad.example", "bad[.]example"),
            ("HTTPS://bad.example/a", "hxxpS://bad[.]example/a"),
            ("a@bad.example", "a[@]bad[.]example"),
            ("198.51.100.9", "198[.]51[.]100[.]9"),
            ("ضضض", "ضضض"),
        ] {
            assert_eq!(harmless(value), expected);
        }
    }

    #[test]
    fn plurals_numbers_and_dates() {
        for (count, ar, fr, es, en) in [
            (0, "لا مطابقات", "0 détection", "0 detecciones", "0 hits"),
            (1, "مطابقة واحدة", "1 détection", "1 detección", "1 hit"),
            (2, "مطابقتان", "2 détections", "2 detecciones", "2 hits"),
            (7, "7 مطابقات", "7 détections", "7 detecciones", "7 hits"),
            (11, "11 مطابقة", "11 détections", "11 detecciones", "11 hits"),
            (102, "102 مطابقة", "102 détections", "102 detecciones", "102 hits"),
            (1_105, "1,105 مطابقات", "1\u{202f}105 détections", "1105 detecciones", "1,105 hits"),
            (86_000, "86,000 مطابقة", "86\u{202f}000 détections", "86\u{a0}000 detecciones", "86,000 hits"),
        ] {
            assert_eq!(ALL.map(|language| hits(count, language)), [ar, fr, es, en], "{count}");
        }
        let dates = [
            "1 أغسطس 2026، 09:05:00 UTC",
            "1er août 2026 à 09:05:00 UTC",
            "1 de agosto de 2026, 09:05:00 UTC",
            "1 August 2026, 09:05:00 UTC",
        ];
        assert_eq!(ALL.map(|language| date(1_785_575_100_000_000, language)), dates);
    }

    /// Whatever a partner calls its indicator: one line in the subject, and isolates that pair in every line of the body.
    #[test]
    fn hostile_names() {
        for name in [
            "x\r\nBcc: all@victim.example\r\n\r\n<script>",
            "\u{202e}\u{2067}txt.exe",
            "\u{2069}\u{2069}\u{2069} out",
            "=?utf-8?q?hidden?=",
            &"long ".repeat(10_000),
        ] {
            let notice = Notice { name: Some(name.to_owned()), entity: name.to_owned(), ..notice() };
            for language in ALL {
                let (subject, body) = (subject(&notice, language), body(&notice, language));
                assert!(!subject.chars().any(char::is_control), "{subject:?}");
                assert!(subject.chars().count() < 160);
                for line in body.lines().chain([subject.as_str()]) {
                    let mut depth = 0;
                    for c in line.chars() {
                        match c {
                            '\u{2068}' => depth += 1,
                            '\u{2069}' => depth -= 1,
                            c => assert!(!('\u{202a}'..='\u{202e}').contains(&c), "{line:?}"),
                        }
                        assert!((0..=1).contains(&depth), "{line:?}");
                    }
                    assert_eq!(depth, 0, "{line:?}");
                }
                assert!(body.lines().count() < 20, "{body}");
            }
        }
    }

    #[test]
    fn a_whole_message() {
        let notice = Notice { count: 3, ..notice() };
        assert_eq!(
            subject(&notice, Language::Fr),
            "[Marsad] nouvelle alerte\u{a0}: \u{2068}Beacon\u{2069} (3 détections)"
        );
        let body = body(&notice, Language::En);
        for line in [
            "Indicator: \u{2068}Beacon\u{2069}",
            "Marking: \u{2068}TLP:GREEN\u{2069}",
            "Value: \u{2068}bad[.]example (domain)\u{2069}",
            "Machine: \u{2068}10[.]0[.]0[.]7\u{2069}",
            "Source: \u{2068}dns.log #7\u{2069}",
            "https://node.example/api/alerts/5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
        ] {
            assert!(body.lines().any(|said| said == line), "{line}: {body}");
        }
    }
}
