//! What every engine must do about alerts.

use ledger::{Alert, Alerted, Alerts, Error, Telling};

fn alert(n: u8, group: u8, open: bool) -> Alert {
    Alert {
        id: format!("00000000-0000-4000-8000-0000000000{n:02}"),
        group: [group; 32],
        indicator: format!("indicator--{}", group / 10),
        open,
        opened: i64::from(n),
        changed: 0,
        due: Some(i64::from(n) * 10),
        body: vec![n],
    }
}

fn put<B: Alerts>(book: &B, alert: &Alert, now: i64) {
    book.alerting(&mut |desk| desk.put(alert, now)).unwrap();
}

fn ids<B: Alerts>(book: &B, wanted: &Alerted<'_>) -> Vec<u8> {
    let mut ids = Vec::new();
    book.alerts(wanted, &mut |alert| {
        ids.push(alert.body[0]);
        true
    })
    .unwrap();
    ids
}

/// One open alert a group; changes have an order of their own, whatever the clock says.
pub(crate) fn alerts<B: Alerts>(make: impl Fn() -> B) {
    let book = make();
    assert_eq!(book.alert_changed().unwrap(), 0);
    for n in 1..=5 {
        put(&book, &alert(n, n * 10, n != 4), 100);
    }
    let all = |open| Alerted::Opened { behind: None, open };
    assert_eq!(ids(&book, &all(None)), [5, 4, 3, 2, 1]);
    assert_eq!((ids(&book, &all(Some(true))), ids(&book, &all(Some(false)))), (vec![5, 3, 2, 1], vec![4]));
    let behind = alert(3, 30, true).id;
    assert_eq!(ids(&book, &Alerted::Opened { behind: Some(&behind), open: None }), [2, 1]);
    assert!(ids(&book, &Alerted::Opened { behind: Some("nothing"), open: None }).is_empty());
    assert_eq!(book.alert_changed().unwrap(), 104, "one place each, though the clock stands");
    assert_eq!(ids(&book, &Alerted::Changed(102)), [4, 5]);

    // A clock that goes back gives no place twice.
    put(&book, &Alert { body: vec![9], ..alert(1, 10, true) }, 50);
    assert_eq!(ids(&book, &Alerted::Changed(104)), [9]);
    assert_eq!(book.alert(&alert(1, 10, true).id).unwrap().map(|one| (one.opened, one.changed)), Some((1, 105)));

    // Another open alert of the group is refused, and what the same change did before goes with it.
    let twin = Alert { group: [20; 32], ..alert(8, 20, true) };
    let refused = book.alerting(&mut |desk| {
        desk.put(&alert(7, 70, true), 200)?;
        desk.put(&twin, 200)
    });
    assert!(matches!(refused, Err(Error::Storage { .. })));
    assert!(book.alert(&alert(7, 70, true).id).unwrap().is_none() && book.alert_changed().unwrap() == 105);
    put(&book, &alert(2, 20, false), 200);
    put(&book, &twin, 200);

    book.alerting(&mut |desk| {
        assert_eq!(desk.of_group(&[20; 32])?.map(|one| one.body), Some(vec![8]));
        assert_eq!(desk.of_group(&[40; 32])?, None, "it is closed");
        assert_eq!((desk.open(None)?, desk.open(Some("indicator--2"))?, desk.open(Some("indicator--4"))?), (4, 1, 0));
        let due: Vec<u8> = desk.due(50, 10)?.iter().map(|one| one.body[0]).collect();
        assert_eq!(due, [9, 3, 5], "a closed one is never due");
        assert_eq!(desk.due(50, 1)?.len(), 1);
        // Of the closed ones, 4 was changed at 103 and 2 at 200.
        assert_eq!(desk.forget(150, 9)?, 1);
        Ok(())
    })
    .unwrap();
    assert!(
        book.alert(&alert(4, 40, false).id).unwrap().is_none()
            && book.alert(&alert(2, 20, false).id).unwrap().is_some()
    );
}

/// Of the closed ones the newest are kept.
pub(crate) fn closed_alerts<B: Alerts>(make: impl Fn() -> B) {
    let book = make();
    for n in 1..=6 {
        put(&book, &alert(n, n * 10, n == 3), i64::from(n) * 100);
    }
    let forget = |before, most| {
        let mut erased = 0;
        book.alerting(&mut |desk| {
            erased = desk.forget(before, most)?;
            Ok(())
        })
        .unwrap();
        erased
    };
    assert_eq!((forget(0, 5), forget(0, 3)), (0, 2));
    assert_eq!(ids(&book, &Alerted::Changed(0)), [3, 4, 5, 6]);
    assert_eq!((forget(500, 3), forget(0, 0)), (1, 2));
    assert_eq!(ids(&book, &Alerted::Changed(0)), [3], "the open one stays");
}

/// What is held to be wrong stays so until it is taken back, whatever becomes of its alerts.
pub(crate) fn verdicts<B: Alerts>(make: impl Fn() -> B) {
    let book = make();
    for (n, group, open) in [(1, 10, true), (2, 11, true), (3, 12, false), (4, 20, true)] {
        put(&book, &alert(n, group, open), 100);
    }
    let wrong = |book: &B| {
        let mut wrong = Vec::new();
        book.alerting(&mut |desk| {
            for n in 0..4 {
                wrong.push(desk.is_wrong(&format!("indicator--{n}"))?);
            }
            Ok(())
        })
        .unwrap();
        wrong
    };
    let judge = |n: u8, is: bool| {
        book.alerting(&mut |desk| desk.judge(&format!("indicator--{n}"), is, 500)).unwrap();
    };
    assert_eq!(wrong(&book), [false; 4]);
    judge(1, true);
    judge(1, true);
    judge(3, false);
    assert_eq!(wrong(&book), [false, true, false, false]);
    book.alerting(&mut |desk| {
        let of: Vec<u8> = desk.of_object("indicator--1")?.iter().map(|one| one.body[0]).collect();
        assert_eq!((of, desk.of_object("indicator--9")?), (vec![1, 2], vec![]), "the open ones");
        desk.forget(i64::MAX, 0).map(drop)
    })
    .unwrap();
    assert_eq!(wrong(&book), [false, true, false, false], "alerts that are forgotten take nothing along");
    judge(1, false);
    assert_eq!(wrong(&book), [false; 4]);
    let failed = book.alerting(&mut |desk| {
        desk.judge("indicator--2", true, 1)?;
        Err(Error::Full { path: String::new() })
    });
    assert!(failed.is_err() && wrong(&book) == [false; 4]);
}

/// What waits is told once, and the newer in the place of the older.
pub(crate) fn tellings<B: Alerts>(make: impl Fn() -> B) {
    let book = make();
    let telling = |way: &str, alert: &str, number, due| Telling {
        way: way.into(),
        alert: alert.into(),
        number,
        due,
        attempts: 0,
        since: 1,
    };
    let tell = |telling: &Telling| {
        let mut there = false;
        book.alerting(&mut |desk| {
            there = desk.tell(telling)?;
            Ok(())
        })
        .unwrap();
        there
    };
    let waiting = |way, now| {
        let waits = book.tellings(way, now, 10).unwrap();
        waits.into_iter().map(|one| (one.alert, one.number)).collect::<Vec<_>>()
    };
    assert!(
        !tell(&telling("mail", "a", 1, 5)) && !tell(&telling("mail", "b", 1, 3)) && !tell(&telling("hook", "a", 1, 3))
    );
    assert_eq!(waiting("mail", 4), [("b".to_owned(), 1)]);
    assert_eq!(waiting("mail", 5), [("b".to_owned(), 1), ("a".to_owned(), 1)]);
    assert!(tell(&telling("mail", "a", 2, 5)));
    book.alerting(&mut |desk| {
        assert_eq!((desk.waiting("mail")?, desk.waiting("hook")?, desk.waiting("none")?), (2, 1, 0));
        // What is tried again waits longer, if it is still what waits.
        desk.again(&Telling { attempts: 3, due: 7, ..telling("mail", "a", 2, 0) })?;
        desk.again(&Telling { attempts: 9, due: 1, ..telling("mail", "a", 1, 0) })?;
        desk.again(&telling("mail", "c", 1, 0))?;
        // Whoever told the first does not take the second away.
        desk.told("mail", "a", 1)?;
        desk.told("mail", "b", 1)
    })
    .unwrap();
    assert_eq!((waiting("mail", 6), book.tellings("mail", 7, 9).unwrap()[0].attempts), (vec![], 3));
    assert_eq!((waiting("mail", 9), waiting("hook", 9)), (vec![("a".to_owned(), 2)], vec![("a".to_owned(), 1)]));
}
