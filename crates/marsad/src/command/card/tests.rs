use super::*;
use partner::card::{Draft, issue, read};
use partner::key::Keys;

fn card() -> Card {
    let draft = Draft {
        serial: 7,
        organisation: "Own CERT".into(),
        identities: vec!["identity--00000000-0000-4000-8000-000000000001".into()],
        addresses: vec!["https://node.example/taxii2/".into()],
        certificates: vec![],
        from: 0,
        until: None,
        revoked: false,
    };
    read(&issue(&draft, &Keys::of(&[1; 32]), None)).unwrap()
}

#[test]
fn the_code_says_fingerprint_and_address_and_is_drawn_without_colours() {
    let said = coded(&card());
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!((lines[0], lines[2]), ("MARSAD CARD", "https://node.example/taxii2/"));
    assert_eq!(words::read_digits(lines[1]), Ok(card().fingerprint()));
    let drawn = code(&card()).unwrap();
    assert!(drawn.chars().all(|c| matches!(c, ' ' | '\n' | '▀' | '▄' | '█')), "{drawn}");
    let width = drawn.lines().next().unwrap().chars().count();
    assert!(drawn.lines().all(|line| line.chars().count() == width) && drawn.lines().count() * 2 >= width);
}

#[test]
fn a_card_is_shown_with_words_and_digits() {
    let shown = shown(&card());
    let value = |name: &str| shown.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    assert_eq!(words::hear(&value("words")), Ok(card().fingerprint()));
    assert_eq!(words::read_digits(&value("digits")), Ok(card().fingerprint()));
    assert_eq!(value("organisation"), "Own CERT");
    let described = described(&card());
    assert_eq!(read(described["card"].to_string().as_bytes()).unwrap(), card());
}
