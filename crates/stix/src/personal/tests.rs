use proptest::prelude::*;

use super::*;

/// What is found in a text.
fn found(text: &str) -> Vec<(Kind, &str)> {
    let mut finds = Vec::new();
    scan(text, &mut finds);
    finds.iter().map(|find| (find.kind, &text[find.range.clone()])).collect()
}

/// Texts with the one thing that is found in them between `⟦` and `⟧`, or with nothing.
fn check(kind: Kind, cases: &[&str]) {
    for case in cases {
        let text = case.replace(['⟦', '⟧'], "");
        let expected: Vec<(Kind, &str)> = case
            .split_once('⟦')
            .and_then(|(_, rest)| rest.split_once('⟧'))
            .map(|(inner, _)| (kind, inner))
            .into_iter()
            .collect();
        assert_eq!(found(&text), expected, "{case}");
    }
}

#[test]
fn email_addresses() {
    check(
        Kind::Email,
        &[
            "⟦jo@example.org⟧",
            "Contact ⟦jo.doe+cti@mail.example.co.uk⟧.",
            "mailto:⟦jo@example.org⟧?subject=x",
            "Jo <⟦jo@example.org⟧>",
            "⟦user[at]example[.]org⟧",
            "⟦user [at] example [dot] org⟧ wrote",
            "⟦user(at)example(dot)org⟧",
            "⟦user{AT}example.org⟧",
            "⟦first[.]last@example[.]org⟧ and more",
            "https://phish.example/?e=⟦victim%40example.com⟧&x=1",
            "راسلنا على ⟦amina@example.ma⟧ قبل الغد",
            "البريد:⟦amina@مثال.موقع⟧",
            "Écrire à ⟦hélène.dupont@exemple.fr⟧ avant demain",
            "Escriba a ⟦jose[arroba]ejemplo[punto]es⟧.",
            "⟦a@b.com⟧.5",
            "⟦jo@xn--exmple-cua.xn--p1ai⟧",
            "@handle on a network",
            "user@localhost",
            "lodash@4.17.21",
            "admin@192.0.2.1",
            "meet at example.org (at noon)",
            "[at] example.org",
            "50 % 40 of them",
            "a@",
            "@@@@",
            "f(at)",
            "rendez-vous [at] la gare",
        ],
    );
}

#[test]
fn telephone_numbers() {
    check(
        Kind::Phone,
        &[
            "Call ⟦+33 6 12 34 56 78⟧ now",
            "⟦+212 661-234567⟧",
            "⟦+1 (202) 555-0143⟧.",
            "(⟦+34 612 345 678⟧)",
            "⟦+966501234567⟧",
            "00: ⟦00212661234567⟧",
            "⟦0033 6 12 34 56 78⟧",
            "اتصل على ⟦٠٦٦١٢٣٤٥٦٧⟧ ليلا",
            "⟦+٢١٢ ٦٦١ ٢٣٤ ٥٦٧⟧",
            "رقم الهاتف: ⟦0661234567⟧",
            "هاتفه ⟦۰۹۱۲۳۴۵۶۷۸۹⟧",
            "Tél. : ⟦06 12 34 56 78⟧",
            "numéro de téléphone ⟦06.12.34.56.78⟧",
            "Teléfono: ⟦612 345 678⟧",
            "móvil ⟦612345678⟧, gracias",
            "phone number is ⟦202-555-0143⟧",
            "Tel:⟦0612345678⟧",
            // What is none.
            "612 345 678 infected machines",
            "06 12 34 56 78",
            "192.168.10.201",
            "phone 192.168.10.201",
            "2001:db8:1234:5678:9012:3456:7890:1234",
            "d41d8cd98f00b204e9800998ecf8427e",
            "00112233445566778899aabbccddeeff",
            "sha1 0033612345678901234567890123456789012345",
            "00-11-22-33-44-55",
            "00:33:61:23:45:67",
            "CVE-2021-44228, CVE-2020-123456789",
            "2024-01-15T00:00:00+02:00",
            "2024-01-15 00:33:12.345678901",
            "1705276800000",
            "version 10.0.19045.3803",
            "00336123-4567-4890-8123-123456789012",
            "12345678-1234-4234-8234-123456789012",
            "C++11 and C++14",
            "a+33612345678",
            "+0612345678",
            "+33 6 12",
            "+1234567890123456",
            "٢٠٢٤/٠١/١٥",
            "٠١/٠١/٢٠٢٤ ١٠",
            "١٬٠٠٠٬٠٠٠",
            "telegram 612345678",
            "the telephone exchange had 612345678 calls",
            "AS4200000000, port 65535, pid 1234567",
            "0.0033612345678",
        ],
    );
}

#[test]
fn bank_accounts_and_payment_cards() {
    check(
        Kind::Account,
        &[
            "IBAN ⟦FR7630006000011234567890189⟧",
            "⟦FR76 3000 6000 0112 3456 7890 189⟧ et la suite",
            "⟦es9121000418450200051332⟧",
            "⟦DE89-3704-0044-0532-0130-00⟧",
            "حساب ⟦SA0380000000608010167519⟧ في البنك",
            "⟦GB29 NWBK 6016 1331 9268 19⟧",
            "carte ⟦4111 1111 1111 1111⟧",
            "⟦5500-0000-0000-0004⟧",
            "⟦378282246310005⟧",
            "⟦3782 822463 10005⟧",
            "بطاقة ⟦٤١١١١١١١١١١١١١١١⟧",
            "⟦4111111111111111⟧ 2024",
            // What is none: check digits, length, issuer, and what is part of something else.
            "FR7630006000011234567890188",
            "FR763000600001123456789018",
            "ZZ7630006000011234567890189",
            "4111 1111 1111 1112",
            "4111111111111112",
            "1111111111111117",
            "411111111111111",
            "a4111111111111111",
            "4111111111111111a",
            "4111-1111-1111-1111-1111-1111",
            "0.4111111111111111",
            "41111111-1111-4111-8111-111111111111",
            "4111111111111111ffffffffffffffff",
            "1620000000000000",
            "2024-01-15 12:30:45.123456",
            "serial 00:41:11:11:11:11:11:11",
            "192.0.2.1 203.0.113.5",
        ],
    );
}

#[test]
fn passports() {
    check(
        Kind::Passport,
        &[
            "passport no. ⟦AB1234567⟧",
            "Passport: ⟦123456789⟧",
            "passeport n° ⟦09AB12345⟧".replace("09AB12345", "12345678").leak(),
            "Numéro de passeport : ⟦AB123456⟧",
            "pasaporte número ⟦XDA123456⟧",
            "رقم جواز السفر ⟦AB1234567⟧",
            "جوازه: AB1234567",
            "الجواز رقم ⟦١٢٣٤٥٦٧⟧",
            "⟦AB1234567⟧ (passport)",
            // What is none.
            "AB1234567",
            "123456789",
            "passports of 1234567 people",
            "the passport office received 1234567 letters",
            "passport, AB1234567",
            "passport expires 20240115",
            "passport no. 1234",
            "passport no. 1234567890",
            "passport no. ab1234567",
            "CVE-2020-12345 passport",
        ],
    );
}

#[test]
fn several_in_one_text() {
    let text = "Jo <jo@example.org>, tel. +33 6 12 34 56 78 / 0033612345679; IBAN FR7630006000011234567890189, card 4111111111111111.";
    assert_eq!(
        found(text),
        [
            (Kind::Email, "jo@example.org"),
            (Kind::Phone, "+33 6 12 34 56 78"),
            (Kind::Phone, "0033612345679"),
            (Kind::Account, "FR7630006000011234567890189"),
            (Kind::Account, "4111111111111111"),
        ]
    );
}

#[test]
fn long_texts_are_looked_at_to_their_end() {
    for before in [0, 1, 62, 63, 64, 65, 127, 128, 1000, 100_000] {
        let text = format!("{}jo@example.org{}", " ".repeat(before), " x".repeat(before));
        assert_eq!(found(&text), [(Kind::Email, "jo@example.org")], "{before}");
        let text = format!("{}٠٦٦١٢٣٤٥٦٧", "م ".repeat(before));
        assert_eq!(found(&text), [(Kind::Phone, "٠٦٦١٢٣٤٥٦٧")], "{before}");
    }
}

/// The kinds in an object: maskable ones, then fixed ones.
fn kinds(object: &str) -> (String, String) {
    let personal = kinds_of(object.as_bytes());
    let names = |kinds: Kinds| kinds.iter().map(Kind::as_str).collect::<Vec<_>>().join(" ");
    (names(personal.maskable), names(personal.fixed))
}

#[test]
fn places_made_for_persons() {
    let cases = [
        (r#"{"type":"email-addr","value":"a@b.org"}"#, "", "email"),
        (r#"{"type":"email-addr","value":"a@b.org","display_name":"Jo"}"#, "name", "email"),
        (r#"{"type":"user-account","user_id":"1001","display_name":"Jo"}"#, "name", "account"),
        (r#"{"type":"user-account","account_login":"jo"}"#, "", "account"),
        (r#"{"type":"user-account","credential":"x","is_disabled":true}"#, "", ""),
        (
            r#"{"type":"identity","identity_class":"individual","name":"Jo Doe","contact_information":"jo@b.org"}"#,
            "email name",
            "",
        ),
        (
            r#"{"type":"identity","identity_class":"organization","name":"Acme","contact_information":"jo@b.org"}"#,
            "email",
            "",
        ),
        (r#"{"type":"identity","identity_class":"individual","name":"[name]"}"#, "", ""),
        (r#"{"type":"note","content":"c","authors":["Jo"]}"#, "name", ""),
        (r#"{"type":"email-message","subject":"to a@b.org","body":"+33 6 12 34 56 78"}"#, "", "email phone"),
        (r#"{"type":"email-message","received_lines":["from x by y for <a@b.org>"]}"#, "email", ""),
        (
            r#"{"type":"email-message","additional_header_fields":{"Reply-To":["Jo <a@b.org>"],"X-Mailer":"m"}}"#,
            "email name",
            "",
        ),
        (
            r#"{"type":"email-message","message_id":"<1@b.org>","additional_header_fields":{"Message-ID":"<1@b.org>"}}"#,
            "",
            "",
        ),
        (
            r#"{"type":"x509-certificate","subject":"CN=x, emailAddress=a@b.org","serial_number":"4111111111111111"}"#,
            "email",
            "",
        ),
        (r#"{"type":"indicator","pattern":"[email-addr:value = 'x']"}"#, "", "email"),
        (r#"{"type":"indicator","pattern":"[email-message:from_ref.value = 'x']"}"#, "", "email"),
        (r#"{"type":"indicator","pattern":"[user-account:account_login = 'x']"}"#, "", "account"),
        (r#"{"type":"indicator","pattern":"[user-account:display_name = 'x']"}"#, "", "name account"),
        (r#"{"type":"indicator","pattern":"[url:value = 'http://h.example/?a=b@c.org']"}"#, "", "email"),
        (r#"{"type":"indicator","pattern":"[url:value = 'http://h.example/']"}"#, "", ""),
        (r#"{"type":"url","value":"http://h.example/?e=b%40c.org"}"#, "", "email"),
        (r#"{"type":"file","name":"to a@b.org.eml"}"#, "", "email"),
        (r#"{"type":"tool","name":"n","description":"a\u0040b.org"}"#, "email", ""),
        (r#"{"type":"tool","name":"n","x_deep":{"a":[{"b":"a@b.org"}]}}"#, "email", ""),
        (r#"{"type":"tool","name":"n","x_deep":{"a@b.org":1}}"#, "", "email"),
        (r#"{"type":"tool","name":"n","x_raw_bin":"NDExMTExMTExMTExMTExMQ==","labels":["a@b.org"]}"#, "email", ""),
        (
            r#"{"type":"malware","external_references":[{"source_name":"s","url":"https://x.example/a@b.org"}]}"#,
            "",
            "email",
        ),
        (r#"{"type":"malware","external_references":[{"source_name":"s","description":"a@b.org"}]}"#, "email", ""),
        (r#"{"type":"language-content","object_ref":"identity--1","contents":{"ar":{"name":"جو"}}}"#, "name", ""),
        (
            r#"{"type":"language-content","object_ref":"tool--1","contents":{"ar":{"name":"جو","description":"a@b.org"}}}"#,
            "email",
            "",
        ),
        (
            r#"{"type":"marking-definition","definition_type":"statement","definition":{"statement":"of a@b.org"}}"#,
            "email",
            "",
        ),
        (
            r#"{"type":"observed-data","created":"x","objects":{"0":{"type":"email-addr","value":"a@b.org"},"1":{"type":"user-account","user_id":"x"}}}"#,
            "account",
            "email",
        ),
        (
            r#"{"type":"tool","id":"tool--41111111-1111-4111-8111-111111111111","created":"2020-01-01T00:00:00.000Z"}"#,
            "",
            "",
        ),
        ("[]", "", "email phone name passport account"),
        ("{", "", "email phone name passport account"),
    ];
    for (object, maskable, fixed) in cases {
        assert_eq!(kinds(object), (maskable.to_owned(), fixed.to_owned()), "{object}");
    }
}

#[test]
fn names_of_kinds_and_sets() {
    for kind in Kind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
        assert!(!Kinds::NONE.contains(kind) && Kinds::ALL.contains(kind));
        assert!(found(kind.mask()).is_empty(), "{kind}");
    }
    assert_eq!("iban".parse::<Kind>(), Err(UnknownKind));
    let some: Kinds = [Kind::Phone, Kind::Account].into_iter().collect();
    assert_eq!((some.bits(), Kinds::from_bits(some.bits() | 0xE0)), (0b10010, some));
    assert_eq!(some.iter().collect::<Vec<_>>(), [Kind::Phone, Kind::Account]);
}

/// Text from pieces that mean something to the scanner.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "jo@example.org",
            "[at]",
            "(dot)",
            "[.]",
            "@",
            "%40",
            "+",
            "00",
            "0",
            "tel ",
            "passport ",
            "رقم ",
            "هاتف ",
            "FR76",
            "FR7630006000011234567890189",
            "4111111111111111",
            "+33612345678",
            "٠٦٦١٢٣٤٥٦٧",
            " ",
            ".",
            "-",
            ":",
            "(",
            ")",
            "/",
            "a",
            "é",
            "م",
            "AB1234567",
            "[e-mail]",
            "no. ",
        ])
        .prop_map(str::to_owned),
        "[0-9]{1,8}",
        "[a-zA-Z. ]{1,6}",
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn findings_are_in_order_and_apart_and_masks_leave_none_in_the_end(text in text()) {
        let mut left = text.clone();
        for _ in 0..4 {
            let mut finds = Vec::new();
            scan(&left, &mut finds);
            let (mut end, mut masked) = (0, String::new());
            for find in &finds {
                prop_assert!(find.range.start >= end && find.range.end > find.range.start, "{}", text);
                masked.push_str(&left[end..find.range.start]);
                masked.push_str(find.kind.mask());
                end = find.range.end;
            }
            masked.push_str(&left[end..]);
            left = masked;
        }
        prop_assert_eq!(found(&left), vec![], "{} became {}", text, left);
    }

    /// Text around a number, with signs between that end words, does not change what it is.
    #[test]
    fn blocks_do_not_matter(before in "[a-z ,;]{0,140}", after in "[a-z ,;]{0,140}") {
        for (sample, kind) in [("+33612345678", Kind::Phone), ("4111111111111111", Kind::Account), ("jo@example.org", Kind::Email)] {
            let text = format!("{before}; {sample} ; {after}");
            prop_assert_eq!(found(&text), vec![(kind, sample)]);
        }
    }
}
