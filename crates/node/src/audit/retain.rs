//! What is kept for how long.

use crate::partners::recalls::recipients;
use ledger::journal::{Erasing, Journal, Scope, Which};
use ledger::{Micros, Register};

const DAY: Micros = 86_400_000_000;

/// Of how many entries something was erased.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Retained {
    /// What happened.
    pub matters: u64,
    /// Who had to do with it.
    pub persons: u64,
}

/// Erases what is older than the configuration says. Zero days are for ever. What happened is not kept without end when
/// who did it is, nor the other way round: each has its own time. Which organisation was given which record stays known in
/// the register, without the rest.
///
/// # Errors
/// Those of the ledger.
pub fn retain(
    journal: &dyn Journal,
    register: &dyn Register,
    config: &crate::config::Audit,
    who: &str,
    now: Micros,
) -> ledger::Result<Retained> {
    let before = |days: u64| {
        let kept = i64::try_from(days).unwrap_or(i64::MAX).saturating_mul(DAY);
        now.saturating_sub(kept)
    };
    if config.retention_days > 0 {
        // To whom something was handed must be known for as long as it may be recalled.
        recipients::keep_before(journal, register, before(config.retention_days))?;
    }
    let mut salt = super::salt;
    let mut erase = |which, days: u64, reason: &str| {
        if days == 0 {
            return Ok(0);
        }
        let scope = Scope::Before(before(days));
        journal.erase(which, scope, &mut Erasing { now, who, reason, salt: &mut salt })
    };
    Ok(Retained {
        persons: erase(Which::Person, config.personal_days, "retention: audit.personal-days")?,
        matters: erase(Which::Matter, config.retention_days, "retention: audit.retention-days")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{By, Event, Way};
    use crate::config::Audit;
    use ledger::journal::{Anchor, Keep, Wanted};
    use ledger::sqlite::{Book, JournalFile};

    #[test]
    fn each_part_has_its_own_time() {
        for (retention_days, personal_days, matters, persons) in
            [(0, 0, 0, 0), (3, 0, 7, 0), (0, 2, 0, 8), (5, 1, 5, 9)]
        {
            let folder = tempfile::tempdir().unwrap();
            let anchor = Anchor::new(&folder.path().join("audit.anchor"), [1; 32]);
            let journal = JournalFile::open(&folder.path().join("audit.db"), anchor).unwrap();
            let book = Book::create(&folder.path().join("book.db")).unwrap();
            let by = By { way: Way::Cli, who: Some("amina".to_owned()), organisation: None, address: None };
            let entries: Vec<_> =
                (0..10).map(|day| Event::SignedIn { by: by.clone() }.entry(day * DAY, [1; 16])).collect();
            journal.write(&entries, Keep::Soon).unwrap();
            let config = Audit { retention_days, personal_days, ..Audit::default() };
            let retained = retain(&journal, &book, &config, "", 10 * DAY).unwrap();
            assert_eq!(retained, Retained { matters, persons }, "{retention_days} {personal_days}");
            assert_eq!(retain(&journal, &book, &config, "", 10 * DAY).unwrap(), Retained::default(), "once is enough");
            let mut kept = (0, 0);
            journal
                .read(&Wanted { kind: Some("signed-in"), ..Wanted::default() }, &mut |line| {
                    kept.0 += u64::from(line.matter.kept().is_some());
                    kept.1 += u64::from(line.person.kept().is_some());
                })
                .unwrap();
            assert_eq!(kept, (10 - matters, 10 - persons));
            assert_eq!(journal.verify(None, &mut |_, _| {}).unwrap().faults, []);
        }
    }
}
