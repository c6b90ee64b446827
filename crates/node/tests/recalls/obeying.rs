//! Who is told, who obeys, and what is counted.

use crate::world::{GREEN, HOUR, at, id, nodes, tool};
use ledger::Partners as _;
use node::narrow::Narrowing;
use node::partners::recalls::Took;
use partner::recall::{Act, Recall};
use partner::receipt::{Downstream, Outcome, Receipt};
use policy::Tlp;

fn delete(object: &str) -> Recall {
    Recall { object: object.to_owned(), versions: None, act: Act::Delete, tlp: None, handling: None, at: at(0) }
}

fn refused(took: Took) -> String {
    match took {
        Took::Refused(why) => why,
        Took::Done => panic!("it was done"),
    }
}

/// Alpha hands to Beta, Beta to Gamma, Gamma to Delta: the recall goes the same way, and the receipts come back and are summed.
#[test]
fn a_recall_reaches_all_over_two_relays_and_is_counted() {
    let [alpha, beta, gamma, delta] = nodes();
    alpha.import(&[tool("Alpha", 1, 1, GREEN, ""), tool("Alpha", 2, 1, GREEN, "")]);
    alpha.fetched_by("Quiet");
    for (from, to) in [(&alpha, &beta), (&beta, &gamma), (&gamma, &delta)] {
        assert_eq!(from.give(to), [""; 0]);
        assert_eq!(to.seen(), ["1/n1", "2/n1"]);
    }
    let made = alpha.erase(&id(1));
    assert_eq!(made.told.iter().map(String::as_str).collect::<Vec<_>>(), ["Beta", "Quiet"]);
    assert_eq!(alpha.receivers(&id(1)), ["delete Beta waiting +0/0/0", "delete Quiet cannot +0/0/0"]);
    assert_eq!(alpha.status(&id(1))[0].receivers[1].answer, "no link: told nobody");
    // Beta is offline: nothing changes, and nothing is lost.
    assert_eq!(beta.seen(), ["1/n1", "2/n1"]);
    assert_eq!(alpha.mail(&beta), [Took::Done]);
    assert_eq!((beta.seen(), gamma.seen()), (vec!["2/n1".to_owned()], vec!["1/n1".to_owned(), "2/n1".to_owned()]));
    assert_eq!(alpha.receivers(&id(1))[0], "delete Beta sent +0/0/0");
    beta.mail(&alpha);
    assert_eq!(alpha.receivers(&id(1))[0], "delete Beta confirmed +0/1/0");
    for (from, to) in [(&beta, &gamma), (&gamma, &delta), (&delta, &gamma), (&gamma, &beta), (&beta, &alpha)] {
        from.mail(to);
    }
    assert_eq!((gamma.seen(), delta.seen()), (vec!["2/n1".to_owned()], vec!["2/n1".to_owned()]));
    assert_eq!(alpha.receivers(&id(1))[0], "delete Beta confirmed +2/0/0");
    let reached = alpha.status(&id(1))[0].reached();
    assert_eq!((reached.confirmed, reached.waiting, reached.cannot), (3, 0, 1));
    // Nothing more is said when nothing has changed.
    for (from, to) in [(&alpha, &beta), (&beta, &alpha), (&gamma, &beta), (&delta, &gamma)] {
        assert_eq!(from.mail(to), [], "{} to {}", from.name, to.name);
    }
}

#[test]
fn what_was_recalled_is_kept_out_and_a_newer_version_passes() {
    let [alpha, beta, gamma, _] = nodes();
    alpha.import(&[tool("Alpha", 1, 1, GREEN, "")]);
    alpha.give(&beta);
    alpha.give(&gamma);
    alpha.erase(&id(1));
    alpha.mail(&beta);
    assert_eq!(beta.seen(), [""; 0]);
    // Gamma has not heard of it, and hands the old version on; so does Alpha itself, who took it in again.
    let refused = gamma.give(&beta);
    assert!(refused.len() == 1 && refused[0].starts_with("recalled by Alpha at"), "{refused:?}");
    alpha.import(&[tool("Alpha", 1, 1, GREEN, "")]);
    assert_eq!(alpha.give(&beta).len(), 1);
    assert_eq!(beta.seen(), [""; 0]);
    // A version that is newer than the recall is another matter.
    let newer = tool("Alpha", 1, 2, GREEN, "").replace("2024-01-01T00:02:00.000Z", &at(1_000_000));
    alpha.import(&[newer]);
    assert_eq!(alpha.give(&beta).len(), 1, "the old one still is");
    assert_eq!(beta.seen(), ["1/n2"]);
}

#[test]
fn a_recall_that_comes_before_its_object_keeps_it_out() {
    let [alpha, beta, gamma, _] = nodes();
    alpha.import(&[tool("Alpha", 1, 1, GREEN, "")]);
    alpha.give(&gamma);
    alpha.give(&beta);
    alpha.erase(&id(1));
    let recall = alpha.book.recalls_of(&id(1)).unwrap().remove(0);
    let [_, fresh, ..] = nodes();
    assert_eq!(fresh.read("Alpha", &recall.body), Took::Done);
    fresh.mail(&alpha);
    let receivers = alpha.status(&id(1)).remove(0).receivers;
    assert_eq!(
        (receivers[0].state, receivers[0].answer.as_str()),
        ("confirmed", "the object is not known there; it is kept out")
    );
    assert_eq!(gamma.give(&fresh).len(), 1);
    assert_eq!(fresh.seen(), [""; 0]);
}

#[test]
fn only_its_author_recalls_an_object() {
    let [alpha, beta, gamma, _] = nodes();
    alpha.import(&[tool("Alpha", 1, 1, GREEN, "")]);
    alpha.give(&beta);
    let forged = delete(&id(1)).sign(&gamma.keys);
    for from in ["Gamma", "Alpha"] {
        let why = refused(beta.read(from, &forged));
        assert_eq!(why, "`Gamma` neither made the object nor brought it", "{from}");
    }
    // Altered on the way, from somebody who has no card, or dated after every clock.
    let mut altered = delete(&id(1)).sign(&alpha.keys);
    let place = altered.windows(13).position(|text| text == b"\"signature\":\"").unwrap() + 13;
    altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
    assert!(refused(beta.read("Alpha", &altered)).contains("altered"));
    let stranger = delete(&id(1)).sign(&partner::key::Keys::of(&[99; 32]));
    assert!(refused(beta.read("Gamma", &stranger)).contains("not on a card"));
    let ahead = Recall { at: at(11 * 60 * 1_000_000), ..delete(&id(1)) }.sign(&alpha.keys);
    assert!(refused(beta.read("Alpha", &ahead)).contains("after our clock"));
    assert_eq!(beta.seen(), ["1/n1"]);
    assert_eq!(beta.book.recalls_of(&id(1)).unwrap().len(), 0, "nothing of it is remembered");
    assert_eq!(beta.audited("recall-refused").len(), 5);
    // Whoever was refused is told so.
    assert_eq!(beta.mail(&gamma).len(), 2);
    let told = beta.audited("recall-refused");
    assert_eq!(told[0], "Gamma `Gamma` neither made the object nor brought it");
    // And what Alpha recalls itself is obeyed, over whomever it comes.
    assert_eq!(beta.read("Gamma", &delete(&id(1)).sign(&alpha.keys)), Took::Done);
    assert_eq!(beta.seen(), [""; 0]);
}

#[test]
fn nobody_recalls_what_is_ours() {
    let [alpha, beta, ..] = nodes();
    beta.import(&[tool("Beta", 1, 1, GREEN, ""), tool("", 2, 1, GREEN, "")]);
    for number in [1, 2] {
        let why = refused(beta.read("Alpha", &delete(&id(number)).sign(&alpha.keys)));
        assert!(why.contains("neither made"), "{why}");
    }
    assert_eq!(beta.seen(), ["1/n1", "2/n1"]);
}

/// A recall that comes again does nothing twice; whoever lost the answer gets it again.
#[test]
fn a_recall_that_comes_again_is_answered_and_does_nothing() {
    let [alpha, beta, gamma, _] = nodes();
    alpha.import(&[tool("Alpha", 1, 1, GREEN, "")]);
    alpha.give(&beta);
    beta.give(&gamma);
    alpha.erase(&id(1));
    let recall = alpha.book.recalls_of(&id(1)).unwrap().remove(0);
    assert_eq!(beta.read("Alpha", &recall.body), Took::Done);
    assert_eq!(beta.mail(&gamma), [Took::Done]);
    let before = (beta.audited("recall-obeyed").len(), beta.audited("recall-passed-on").len());
    for from in ["Alpha", "Gamma", "Delta"] {
        assert_eq!(beta.read(from, &recall.body), Took::Done, "{from}");
    }
    assert_eq!((beta.audited("recall-obeyed").len(), beta.audited("recall-passed-on").len()), before);
    assert_eq!(before, (1, 1));
    // Each of those who brought it has its answer; Gamma is sent nothing but that.
    assert_eq!(beta.book.mail("Alpha", i64::MIN, 10).unwrap().len(), 2);
    assert_eq!(beta.book.mail("Delta", i64::MIN, 10).unwrap().len(), 1);
    let kinds: Vec<String> = beta
        .book
        .mail("Gamma", i64::MIN, 10)
        .unwrap()
        .into_iter()
        .map(|mail| mail.id.split("--").next().unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["marsad-receipt"]);
    // Our own, when it comes round, is no news either.
    assert_eq!(alpha.read("Gamma", &recall.body), Took::Done);
    assert_eq!(alpha.book.mail("Gamma", i64::MIN, 10).unwrap().len(), 0);
}

/// A clock that is ahead: the recall is not refused for good, but said again until it will do.
#[test]
fn what_is_recalled_by_a_clock_that_is_ahead_is_recalled_later() {
    for (ahead, state) in [(3 * HOUR, "sent"), (30 * HOUR, "refused")] {
        let [alpha, beta, ..] = nodes();
        alpha.import(&[tool("Alpha", 1, 1, GREEN, "")]);
        alpha.give(&beta);
        alpha.ahead.set(ahead);
        alpha.erase(&id(1));
        assert!(matches!(&alpha.mail(&beta)[..], [Took::Refused(why)] if why.contains("after our clock")));
        assert_eq!((beta.seen(), beta.audited("recall-refused").len()), (vec!["1/n1".to_owned()], 1));
        beta.mail(&alpha);
        assert_eq!(alpha.receivers(&id(1)), [format!("delete Beta {state} +0/0/0")]);
        if state == "refused" {
            continue;
        }
        for hours in 1..=4 {
            alpha.ahead.set(ahead + hours * HOUR);
            beta.ahead.set(hours * HOUR);
            alpha.desk().remind("Beta").unwrap();
            alpha.mail(&beta);
            beta.mail(&alpha);
        }
        assert_eq!((beta.seen(), alpha.receivers(&id(1))), (vec![], vec!["delete Beta confirmed +0/0/0".to_owned()]));
    }
}

/// What nobody signs for is recalled by whoever brought it, for the copy that it brought; a relay says so in its own name.
#[test]
fn a_bringer_takes_back_its_own_copy_alone() {
    let [alpha, beta, gamma, delta] = nodes();
    let foreign = tool("Quiet", 1, 1, GREEN, "");
    alpha.import(std::slice::from_ref(&foreign));
    alpha.give(&beta);
    beta.give(&delta);
    gamma.import(&[foreign]);
    // Beta has it from Alpha first; Gamma's is the same bytes again. Delta has it from Beta alone.
    gamma.give(&beta);
    let others = delete(&id(1)).sign(&gamma.keys);
    assert_eq!(beta.read("Gamma", &others), Took::Done);
    assert_eq!(beta.seen(), ["1/n1"], "Alpha's copy is not Gamma's");
    // Delta never brought it.
    assert!(refused(beta.read("Delta", &delete(&id(1)).sign(&delta.keys))).contains("neither made"));
    alpha.erase(&id(1));
    assert_eq!(alpha.mail(&beta), [Took::Done]);
    assert_eq!((beta.seen(), delta.seen()), (vec![], vec!["1/n1".to_owned()]));
    // Delta would not believe Alpha, who never brought it anything: Beta signs.
    assert_eq!(beta.mail(&delta).last(), Some(&Took::Done));
    assert_eq!(delta.seen(), [""; 0]);
    delta.mail(&beta);
    beta.mail(&alpha);
    assert_eq!(alpha.receivers(&id(1)), ["delete Beta confirmed +1/0/0"]);
    // Alpha and Gamma took back what they brought. That Delta has one is Delta's affair.
    assert_eq!(gamma.give(&beta).len(), 1);
    delta.import(&[tool("Quiet", 1, 1, GREEN, "")]);
    assert_eq!(delta.give(&beta), [""; 0]);
    assert_eq!(beta.seen(), ["1/n1"]);
}

#[test]
fn receipts_that_are_not_their_signers_count_for_nothing() {
    let [alpha, beta, gamma, delta] = nodes();
    alpha.import(&[tool("Alpha", 1, 1, GREEN, "")]);
    alpha.give(&beta);
    alpha.erase(&id(1));
    let recall = alpha.book.recalls_of(&id(1)).unwrap().remove(0).id;
    let receipt = |outcome, when: i64| Receipt {
        recall: recall.clone(),
        outcome,
        at: at(when),
        reason: None,
        downstream: Downstream::default(),
    };
    let done = receipt(Outcome::Done, 0);
    // Gamma says it for Beta, or in its own name without ever having been told; Beta of another recall.
    assert!(refused(alpha.read("Beta", &done.sign(&gamma.keys))).contains("signed by `Gamma`"));
    assert!(refused(alpha.read("Gamma", &done.sign(&gamma.keys))).contains("never told"));
    let other = Receipt { recall: format!("marsad-recall--{}", &id(7)[6..]), ..done.clone() };
    assert!(refused(alpha.read("Beta", &other.sign(&beta.keys))).contains("never told"));
    assert!(refused(alpha.read("Delta", &done.sign(&delta.keys))).contains("never told"));
    assert!(refused(alpha.read("Beta", &receipt(Outcome::Done, HOUR).sign(&beta.keys))).contains("after our clock"));
    assert_eq!(alpha.receivers(&id(1)), ["delete Beta waiting +0/0/0"]);
    assert_eq!(alpha.audited("receipt-refused").len(), 5);
    // An older word does not take the place of a newer one.
    assert_eq!(alpha.read("Beta", &receipt(Outcome::Done, -1_000_000).sign(&beta.keys)), Took::Done);
    assert_eq!(alpha.read("Beta", &receipt(Outcome::Refused, -9_000_000).sign(&beta.keys)), Took::Done);
    assert_eq!(alpha.receivers(&id(1)), ["delete Beta confirmed +0/0/0"]);
}

#[test]
fn narrowing_to_red_takes_it_from_partners() {
    let [alpha, beta, gamma, _] = nodes();
    alpha.import(&[tool("Alpha", 1, 1, GREEN, ""), tool("Alpha", 2, 1, GREEN, "")]);
    alpha.give(&beta);
    beta.give(&gamma);
    let red = Narrowing { tlp: Some(Tlp::Red), ..Narrowing::default() };
    let made = alpha.restrict(&id(1), &red);
    assert_eq!(made.told.len(), 1);
    for (from, to) in [(&alpha, &beta), (&beta, &gamma), (&gamma, &beta), (&beta, &alpha)] {
        from.mail(to);
    }
    assert_eq!((beta.seen(), gamma.seen()), (vec!["2/n1".to_owned()], vec!["2/n1".to_owned()]));
    assert_eq!(alpha.receivers(&id(1)), ["untag Beta confirmed +1/0/0"]);
    // Whoever is named goes on seeing it, and hands it to nobody.
    let named = Narrowing { recipients: vec!["Beta".into()], ..red };
    alpha.restrict(&id(2), &named);
    assert_eq!(alpha.receivers(&id(2)), ["narrow Beta waiting +0/0/0"]);
    alpha.mail(&beta);
    assert_eq!((beta.seen(), beta.seen_by("Gamma")), (vec!["2/n1".to_owned()], vec![]));
}

/// Who may go on seeing it narrows it as well, and who comes by it later gets it narrowed.
#[test]
fn narrowing_travels_with_its_limits() {
    let [alpha, beta, gamma, _] = nodes();
    alpha.import(&[tool("Alpha", 1, 1, GREEN, "")]);
    alpha.give(&beta);
    let until = node::clock::now() + HOUR;
    let handling = policy::Handling { expires: Some(until), ..policy::Handling::default() };
    alpha.restrict(&id(1), &Narrowing { handling, ..Narrowing::default() });
    assert_eq!(alpha.receivers(&id(1)), ["narrow Beta waiting +0/0/0"]);
    alpha.mail(&beta);
    beta.mail(&alpha);
    assert_eq!(alpha.receivers(&id(1)), ["narrow Beta confirmed +0/0/0"]);
    assert_eq!(beta.seen_by("Gamma"), ["1/n1"]);
    beta.ahead.set(2 * HOUR);
    assert_eq!(beta.seen_by("Gamma"), [""; 0]);
    // Gamma hears of the limit before it has the object, and has it with the limit.
    beta.ahead.set(0);
    let recall = alpha.book.recalls_of(&id(1)).unwrap().remove(0);
    assert_eq!(gamma.read("Alpha", &recall.body), Took::Done);
    beta.give(&gamma);
    assert_eq!(gamma.seen(), ["1/n1"]);
    gamma.ahead.set(2 * HOUR);
    assert_eq!(gamma.seen(), [""; 0]);
}

/// A strict marking takes it from whoever is not of our own house, and leaves what a relay's own receivers have from us.
#[test]
fn what_a_relay_gives_up_stays_with_those_who_have_it_from_its_author() {
    let [alpha, beta, gamma, delta] = nodes();
    alpha.import(&[tool("Alpha", 1, 1, GREEN, "")]);
    alpha.give(&beta);
    beta.give(&gamma);
    alpha.give(&gamma);
    beta.give(&delta);
    let strict = Narrowing { tlp: Some(Tlp::AmberStrict), ..Narrowing::default() };
    alpha.restrict(&id(1), &strict);
    alpha.mail(&beta);
    beta.mail(&gamma);
    beta.mail(&delta);
    // Delta has it from Beta alone. Gamma is told by Alpha itself, what holds for it.
    assert_eq!((beta.seen(), delta.seen(), gamma.seen()), (vec![], vec![], vec!["1/n1".to_owned()]));
    alpha.mail(&gamma);
    assert_eq!(gamma.seen(), [""; 0]);
    assert_eq!(alpha.book.recalls_of(&id(1)).unwrap().len(), 1);
}

#[test]
fn a_revoked_object_goes_where_its_last_version_does_not_come() {
    let [alpha, beta, gamma, _] = nodes();
    alpha.import(&[tool("Alpha", 1, 1, GREEN, "")]);
    alpha.give(&beta);
    alpha.give(&gamma);
    alpha.import(&[tool("Alpha", 1, 2, GREEN, r#""revoked":true,"#)]);
    let made = alpha.desk().revoked(&id(1), &alpha.by()).unwrap();
    assert_eq!(made.told.len(), 2);
    // Beta gets the version that says so, and keeps it; Gamma hears of the recall alone.
    alpha.give(&beta);
    alpha.mail(&beta);
    alpha.mail(&gamma);
    assert_eq!((beta.seen(), gamma.seen()), (vec!["1/n1".to_owned(), "1/n2".to_owned()], vec![]));
    // The version that says so is let in, and the old one is not.
    assert_eq!(beta.give(&gamma).len(), 1);
    assert_eq!(gamma.seen(), ["1/n2"]);
}

/// What was deleted in one version, or is still here elsewhere, is not taken back as a whole.
#[test]
fn one_version_is_recalled_by_its_name() {
    let [alpha, beta, ..] = nodes();
    alpha.import(&[tool("Alpha", 1, 1, GREEN, ""), tool("Alpha", 1, 2, GREEN, "")]);
    alpha.give(&beta);
    let mut places = Vec::new();
    use ledger::Ledger as _;
    alpha
        .book
        .look(&mut |shelf| {
            shelf
                .versions(&id(1), &mut |met| {
                    places.push((met.collection, met.seq));
                    true
                })
                .unwrap();
        })
        .unwrap();
    places.sort();
    let made = alpha.desk().erasing(&id(1), &places[..1], &alpha.by()).unwrap();
    assert_eq!(made.recalls.len(), 1);
    assert_eq!(alpha.status(&id(1))[0].versions.as_deref(), Some(&["2024-01-01T00:01:00.000Z".to_owned()][..]));
    alpha.mail(&beta);
    assert_eq!(beta.seen(), ["1/n2"]);
}

/// A relay that has erased its own copy still knows to whom it gave it.
#[test]
fn a_relay_without_a_copy_passes_on() {
    let [alpha, beta, gamma, _] = nodes();
    alpha.import(&[tool("Alpha", 1, 1, GREEN, "")]);
    alpha.give(&beta);
    beta.give(&gamma);
    assert_eq!(beta.erase(&id(1)).recalls, [""; 0], "it is not Beta's to recall");
    alpha.erase(&id(1));
    alpha.mail(&beta);
    beta.mail(&gamma);
    assert_eq!(gamma.seen(), [""; 0]);
    for (from, to) in [(&gamma, &beta), (&beta, &alpha)] {
        from.mail(to);
    }
    assert_eq!(alpha.receivers(&id(1)), ["delete Beta confirmed +1/0/0"]);
}

/// What is not answered is posted again, more and more seldom; what is answered is not.
#[test]
fn whoever_does_not_answer_is_reminded() {
    let [alpha, beta, ..] = nodes();
    alpha.import(&[tool("Alpha", 1, 1, GREEN, "")]);
    alpha.give(&beta);
    alpha.erase(&id(1));
    let remind = |hours: i64| {
        alpha.ahead.set(hours * HOUR);
        let posted = alpha.desk().remind("Beta").unwrap();
        let mail = alpha.book.mail("Beta", i64::MIN, 10).unwrap();
        // It is fetched, and lost.
        node::partners::recalls::handed(&*alpha.book, "Beta", &mail, alpha.now()).unwrap();
        if let Some(last) = mail.last() {
            alpha.book.drop_mail("Beta", last.no).unwrap();
        }
        (posted, mail.len())
    };
    assert_eq!(remind(0), (0, 1), "it waits already");
    assert_eq!([0, 1, 2, 4, 5, 8, 9].map(remind).map(|(posted, _)| posted), [0, 1, 0, 1, 0, 1, 0]);
    assert_eq!(alpha.status(&id(1))[0].receivers[0].attempts, 4);
    let recall = alpha.book.recalls_of(&id(1)).unwrap().remove(0);
    alpha.ahead.set(0);
    beta.read("Alpha", &recall.body);
    beta.mail(&alpha);
    assert_eq!(remind(1_000).0, 0);
}

/// The audit log may forget; to whom something was handed is known for as long as it may be recalled.
#[test]
fn what_retention_erases_is_still_recalled() {
    let [alpha, beta, ..] = nodes();
    alpha.import(&[tool("Alpha", 1, 1, GREEN, ""), tool("Alpha", 2, 1, GREEN, "")]);
    alpha.give(&beta);
    alpha.fetched_by("Quiet");
    let config = node::config::Audit { retention_days: 1, personal_days: 1, ..node::config::Audit::default() };
    for days in [2, 3] {
        node::audit::retain(&alpha.journal, &*alpha.book, &config, "", alpha.now() + days * 24 * HOUR).unwrap();
    }
    assert_eq!(alpha.audited("recall-made").len(), 0);
    let made = alpha.erase(&id(2));
    assert_eq!(made.told.iter().map(String::as_str).collect::<Vec<_>>(), ["Beta", "Quiet"]);
    assert_eq!(alpha.mail(&beta), [Took::Done]);
    assert_eq!(beta.seen(), ["1/n1"]);
}
