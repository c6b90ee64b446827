//! The catalogue: how platforms like this one have failed, class by class, and that this one does not. Every test would fail
//! on the design that had the flaw; its first line says which that is. `docs/security.md` says what each holds.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may panic"
)]

mod input;
mod members;
mod outside;
mod partners;
mod records;
mod requests;
mod sealed;
mod secrets;
mod world;

/// HTTP by hand, as the tests of TAXII speak it.
#[expect(dead_code, reason = "the tests of TAXII use more of it")]
#[path = "../taxii/wire.rs"]
mod wire;

/// The program as a process, as the tests of its commands run it.
#[path = "../program/process.rs"]
mod process;

/// The one media type of TAXII.
const TAXII: &str = "application/taxii+json;version=2.1";

/// Classes, or parts of them, whose part of the node does not exist yet, and what they wait for.
const WAITING: &[(&str, &str)] = &[
    ("A13", "templates: reports and notices"),
    ("A18", "pages: markup, links, Markdown, downloads"),
    ("A19", "pages that lead back after signing in"),
    ("A21", "uploads: pictures and attachments"),
    ("A28", "correlation and merging"),
];

/// Makes a test of each function, and the list of their names.
macro_rules! catalogue {
    ($($room:ident: $($name:ident),+;)+) => {
        const TESTED: &[&str] = &[$($(stringify!($name),)+)+];
        $($(
            #[test]
            fn $name() {
                $room::$name();
            }
        )+)+
    };
}

catalogue! {
    records:
        a01_policy_is_judged_on_the_stored_record,
        a05_no_way_of_reading_gives_what_is_hidden,
        a06_a_reference_finds_nothing_out,
        a06_hidden_looks_as_absent,
        a28_only_its_author_revokes_an_object,
        a28_times_in_the_future_move_no_order,
        a29_markings_are_not_dropped_by_adding_again,
        a29_nobody_explains_the_markings_of_others,
        a30_who_leaves_a_group_sees_nothing_at_once;
    members:
        a07_no_administrator_reaches_above_itself,
        a08_nothing_is_no_credential,
        a09_an_identity_is_issuer_and_subject,
        a10_a_name_has_so_many_guesses_however_they_come,
        a11_headers_from_outside_give_nothing;
    requests:
        a02_no_number_of_the_store_is_on_the_wire,
        a03_fields_are_closed_and_create_never_updates,
        a04_what_is_checked_is_what_is_written,
        a12_names_in_queries_are_known_ones,
        a19_nobody_is_sent_elsewhere,
        a20_reading_changes_nothing_and_sessions_need_their_token,
        a23_strangers_leave_nothing_behind;
    input:
        a15_names_from_outside_are_no_paths,
        a18_text_of_partners_steers_no_terminal_log_or_browser,
        a22_what_grows_too_far_is_refused,
        a27_a_document_leaves_nothing_to_the_next;
    outside:
        a14_nothing_starts_a_program,
        a16_redirects_lead_nowhere_inside_and_carry_no_credential,
        a17_certificates_are_always_verified;
    partners:
        a28_nobody_recalls_what_is_anothers,
        a30_what_partners_hold_is_taken_back;
    sealed:
        a26_a_signature_is_enforced_by_a_key_that_was_confirmed,
        a29_markings_are_under_the_authors_signature;
    secrets:
        a24_no_secret_is_stored_logged_or_listed,
        a25_no_node_runs_with_a_secret_that_was_typed;
}

#[test]
fn every_class_is_tested_or_waits() {
    let tested = |class: &str| TESTED.iter().any(|name| name.starts_with(&format!("{}_", class.to_lowercase())));
    for number in 1..=30 {
        let class = format!("A{number:02}");
        let waits = WAITING.iter().any(|(waiting, _)| *waiting == class);
        assert!(tested(&class) || waits, "{class} is neither tested nor waiting");
    }
    for (class, what) in WAITING {
        let number: u32 = class.strip_prefix('A').and_then(|number| number.parse().ok()).unwrap();
        assert!((1..=30).contains(&number) && !what.is_empty(), "{class}");
    }
}

/// The page on paper says of every class what holds it: each test by its name, each that waits by what it waits for.
#[test]
fn the_page_names_every_test() {
    let page = std::fs::read_to_string(world::root().join("docs/security.md")).unwrap();
    for name in TESTED {
        assert!(page.contains(&format!("`{name}`")), "docs/security.md does not name `{name}`");
    }
    for (class, what) in WAITING {
        let line = page.lines().find(|line| line.starts_with(&format!("| {class} |"))).unwrap_or_default();
        assert!(line.contains(&format!("waits for {what}")), "docs/security.md: {class} waits for {what}");
    }
    let named =
        page.split('`').filter(|word| word.len() > 4 && word.starts_with('a') && word[1..3].parse::<u32>().is_ok());
    for name in named {
        assert!(TESTED.contains(&name), "docs/security.md names `{name}`, which is no test");
    }
    assert!(page.lines().count() < 250, "docs/security.md is too long to be read");
}
