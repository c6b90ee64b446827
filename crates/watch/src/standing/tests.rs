//! Windows, and scores as MISP computes them.

use super::*;

const DAYS: i64 = 86_400 * 1_000_000;

#[test]
fn a_window_is_closed_at_its_begin_and_open_at_its_end() {
    let claimed = Claimed { valid_from: Some(10), valid_until: Some(20), ..Claimed::default() };
    for (now, expected) in [
        (9, Standing::NotYet),
        (10, Standing::Live { score: None }),
        (19, Standing::Live { score: None }),
        (20, Standing::Expired),
        (i64::MAX, Standing::Expired),
        (i64::MIN, Standing::NotYet),
    ] {
        assert_eq!(claimed.standing(now, None), expected, "{now}");
        let revoked = Claimed { revoked: true, ..claimed };
        assert_eq!(revoked.standing(now, None), Standing::Revoked);
    }
    assert!(Claimed::default().standing(0, None).is_live(), "nothing is said of its time");
    let empty = Claimed { valid_from: Some(20), valid_until: Some(10), ..Claimed::default() };
    assert!((0..30).all(|now| !empty.standing(now, None).is_live()));
}

/// Base 80, lifetime 120 days, speed 2 (misp-decaying-models, NIDS simple).
#[test]
fn scores_decay_as_the_published_model_has_it() {
    let decay = Decay::new(120.0, 2.0, 30.0, 80.0).unwrap();
    for (days, score) in [(0, 80.0), (30, 40.0), (60, 23.431), (120, 0.0), (500, 0.0), (-5, 80.0)] {
        assert!((decay.score(80.0, days * DAYS) - score).abs() < 0.001, "{days} days");
    }
    assert_eq!(decay.score(80.0, i64::MAX), 0.0);
    let claimed = Claimed { valid_from: Some(0), ..Claimed::default() };
    assert_eq!(claimed.standing(30 * DAYS, Some(&decay)), Standing::Live { score: Some(40.0) });
    assert!(matches!(claimed.standing(60 * DAYS, Some(&decay)), Standing::Decayed { score } if score < 30.0));
    let seen = Claimed { refreshed: Some(55 * DAYS), ..claimed };
    assert!(seen.standing(60 * DAYS, Some(&decay)).is_live(), "a sighting refreshes");
    let doubtful = Claimed { confidence: Some(20), ..claimed };
    assert_eq!(doubtful.standing(0, Some(&decay)), Standing::Decayed { score: 20.0 });
    let ahead = Claimed { refreshed: Some(i64::MAX), ..claimed };
    assert_eq!(ahead.standing(1, Some(&decay)), Standing::Live { score: Some(80.0) }, "a clock that jumps");
    assert!(Claimed::default().standing(0, Some(&decay)).is_live());
}

#[test]
fn models_are_read_from_their_files() {
    let model = |formula: &str, lifetime: &str| {
        format!(
            r#"{{"uuid":"x","formula":"{formula}","parameters":{{"lifetime":{lifetime},"decay_speed":2,"threshold":30,
            "default_base_score":80,"base_score_config":{{"a":1}}}},"version":2}}"#
        )
    };
    assert_eq!(
        Decay::read(model("Polynomial", "120").as_bytes()).unwrap(),
        Decay::new(120.0, 2.0, 30.0, 80.0).unwrap()
    );
    assert!(matches!(Decay::read(model("Sigmoid", "120").as_bytes()), Err(InvalidDecay::Formula)));
    assert!(matches!(Decay::read(model("Polynomial", "0").as_bytes()), Err(InvalidDecay::Range("lifetime"))));
    assert!(matches!(Decay::read(b"{}"), Err(InvalidDecay::Form(_))));
    assert!(matches!(Decay::new(1.0, f64::NAN, 1.0, 1.0), Err(InvalidDecay::Range("decay_speed"))));
    assert!(matches!(Decay::new(1.0, 1.0, 101.0, 1.0), Err(InvalidDecay::Range("threshold"))));
}
