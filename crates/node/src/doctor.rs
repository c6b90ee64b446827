//! What may be wrong with a node, and what to do about it.

use crate::config::Config;
use crate::home::Home;
use ledger::{Micros, State};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::os::unix::fs::PermissionsExt as _;

const DAY: Micros = 86_400_000_000;
/// A clock before this (2026-01-01) has lost its battery: the program is younger.
const OLDEST_CLOCK: Micros = 1_767_225_600_000_000;
/// Records that stand so far in the future hold the order back.
const TOLERATED_LEAD: Micros = 60_000_000;
/// Less free space than this, in bytes, and writes are about to be refused.
const LITTLE_SPACE: u64 = 256 << 20;
/// Less than this, and somebody should think of it.
const SOME_SPACE: u64 = 2 << 30;
/// So many entries behind, and the syslog server is not just busy.
const LATE: u64 = 10_000;
/// How many records kept aside are named.
const NAMED: usize = 5;

/// How something is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// As it should be.
    Good,
    /// Somebody should look at it.
    Doubtful,
    /// Something is wrong.
    Bad,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct Finding {
    /// What was looked at.
    pub about: &'static str,
    /// How it is.
    pub health: Health,
    /// In words.
    pub message: String,
    /// What to do, where something is to be done.
    pub next: Option<String>,
}

impl Finding {
    /// All is well.
    pub fn good(about: &'static str, message: impl ToString) -> Self {
        Self { about, health: Health::Good, message: message.to_string(), next: None }
    }

    /// Look at it.
    pub fn doubtful(about: &'static str, message: impl ToString, next: impl ToString) -> Self {
        let (message, next) = (message.to_string(), Some(next.to_string()));
        Self { about, health: Health::Doubtful, message, next }
    }

    /// It is wrong.
    pub fn bad(about: &'static str, message: impl ToString, next: impl ToString) -> Self {
        Self { health: Health::Bad, ..Self::doubtful(about, message, next) }
    }
}

/// Clock, permissions and disk.
#[must_use]
pub fn surroundings(home: &Home, now: Micros) -> Vec<Finding> {
    vec![clock(now), permissions(home), disk(home), secret(home)]
}

fn clock(now: Micros) -> Finding {
    let shown = stix::timestamp::format_micros(now);
    if now < OLDEST_CLOCK {
        return Finding::bad("clock", format!("says {shown}, which cannot be"), "set the clock; run an NTP client");
    }
    Finding::good("clock", shown)
}

fn permissions(home: &Home) -> Finding {
    // Nobody comes past a closed directory, whatever the modes of the files in it; the secret is closed itself.
    let open: Vec<String> = [home.path().to_owned(), home.secret_file()]
        .into_iter()
        .filter(|path| std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0))
        .map(|path| path.display().to_string())
        .collect();
    if open.is_empty() {
        Finding::good("permissions", "others cannot read the node's directory")
    } else {
        let paths = open.join(" ");
        Finding::bad("permissions", format!("others can read {paths}"), format!("chmod go= {paths}"))
    }
}

fn disk(home: &Home) -> Finding {
    match rustix::fs::statvfs(home.path()) {
        Ok(figures) => {
            let free = figures.f_bavail.saturating_mul(figures.f_frsize);
            let size = figures.f_blocks.saturating_mul(figures.f_frsize).max(1);
            let message = format!("{} MiB free of {} MiB", free >> 20, size >> 20);
            let next = "free space, or move the node: `marsad backup`, then `marsad restore` elsewhere";
            match free {
                free if free < LITTLE_SPACE => Finding::bad("disk", message, next),
                free if free < SOME_SPACE => Finding::doubtful("disk", message, next),
                _ => Finding::good("disk", message),
            }
        }
        Err(error) => Finding::bad("disk", format!("cannot be asked for its space: {error}"), "look at the mount"),
    }
}

fn secret(home: &Home) -> Finding {
    match home.secret() {
        Ok(_) => Finding::good("secret", "can be read"),
        Err(error) => Finding::bad("secret", error, "restore a backup: without it keys and cursors are void"),
    }
}

/// The audit log: whether it goes on where it is known to have ended. `marsad audit verify` reads all of it.
#[must_use]
pub fn audit(home: &Home) -> Finding {
    use ledger::journal::{Journal as _, Wanted};
    let about = "audit log";
    let look = "`marsad audit verify` says what was changed; keep a copy of the node's directory";
    let opened = home.secret().map_err(|error| error.to_string()).and_then(|secret| {
        let anchor = crate::audit::anchor(home, &secret).read();
        let journal = crate::audit::open_with(home, &secret).map_err(|error| error.to_string())?;
        Ok((anchor, journal))
    });
    let (anchor, journal) = match opened {
        Ok(opened) => opened,
        Err(error) => return Finding::bad(about, error, "restore a backup, or free what holds the file"),
    };
    let anchored = match anchor {
        Ok(Some(anchored)) => anchored,
        Err(error) => return Finding::bad(about, error, look),
        Ok(None) => match journal.head() {
            // Nothing has been written yet.
            Ok(head) if head.number == 0 => head,
            _ => return Finding::bad(about, "its anchor is not there", look),
        },
    };
    let (mut found, wanted) =
        (None, Wanted { after: anchored.number.saturating_sub(1), limit: 1, ..Wanted::default() });
    let read = journal.read(&wanted, &mut |line| found = Some((line.number, line.chain)));
    match (read, journal.head()) {
        (Err(error), _) | (_, Err(error)) => Finding::bad(about, error, look),
        (Ok(_), Ok(head)) if anchored.number == 0 || found == Some((anchored.number, anchored.chain)) => {
            Finding::good(about, format!("{} entries", head.number))
        }
        _ => Finding::bad(about, format!("entry {} is not what was written", anchored.number), look),
    }
}

/// How much of the audit log the syslog server has, where there is one.
#[must_use]
pub fn syslog(home: &Home, config: &Config) -> Option<Finding> {
    use ledger::journal::Journal as _;
    if config.audit.syslog.is_empty() {
        return None;
    }
    // A log that cannot be read is told of above.
    let journal = crate::audit::open(home).ok()?;
    let (written, has) = (journal.head().ok()?.number, journal.position(crate::audit::SYSLOG).ok()?);
    let message = format!("the server has {has} of {written} entries");
    Some(match written.saturating_sub(has) {
        0..LATE => Finding::good("syslog", message),
        _ => Finding::doubtful("syslog", message, "see in the log of `marsad serve` why it is not reached"),
    })
}

/// The certificate, where TLS is spoken.
#[must_use]
pub fn certificate(home: &Home, config: &Config, now: Micros) -> Vec<Finding> {
    const ABOUT: &str = "certificate";
    if config.server.plain_http {
        return Vec::new();
    }
    let path = home.resolve(&config.tls.certificate);
    if !path.exists() {
        let next = "put certificate and key there, or let `marsad serve` make a self-signed pair";
        return vec![Finding::doubtful(ABOUT, format!("there is none at {}", path.display()), next)];
    }
    let end = CertificateDer::from_pem_file(&path).ok().and_then(|der| not_after(&der));
    let finding = match end {
        None => Finding::bad(ABOUT, format!("{} cannot be read", path.display()), "put a certificate in PEM there"),
        Some(end) if end <= now => Finding::bad(
            ABOUT,
            format!("ended on {}", stix::timestamp::format_micros(end)),
            "put a new one there and restart",
        ),
        Some(end) if end - now < 30 * DAY => {
            let message = format!("ends on {}, in {} days", stix::timestamp::format_micros(end), (end - now) / DAY);
            Finding::doubtful(ABOUT, message, "renew it")
        }
        Some(end) => Finding::good(ABOUT, format!("good until {}", stix::timestamp::format_micros(end))),
    };
    vec![finding]
}

/// The ledger and the register.
#[must_use]
pub fn book<B: ledger::Ledger + ledger::Register>(book: &B, now: Micros) -> Vec<Finding> {
    let unreadable = |error: ledger::Error| {
        vec![Finding::bad("database", error, "run `marsad check`; restore a backup if it finds faults")]
    };
    let statistics = match book.statistics() {
        Ok(statistics) => statistics,
        Err(error) => return unreadable(error),
    };
    let mut findings =
        vec![Finding::good("database", format!("{} records, {} bytes", statistics.records, statistics.disk_bytes))];
    findings.push(match statistics.last {
        Some(last) if last.0 > now + TOLERATED_LEAD => Finding::bad(
            "order",
            format!("the newest record was added at {}, which is yet to come", stix::timestamp::format_micros(last.0)),
            "set the clock right; records go on from there until the clock has caught up",
        ),
        Some(last) => {
            Finding::good("order", format!("the newest record was added at {}", stix::timestamp::format_micros(last.0)))
        }
        None => Finding::good("order", "no record yet"),
    });
    if statistics.aside > 0 {
        match aside(book) {
            Ok(names) => findings.push(Finding::doubtful(
                "kept aside",
                format!(
                    "{} records contradict others and are served to nobody: {}",
                    statistics.aside,
                    names.join("; ")
                ),
                "ask their authors for a new version",
            )),
            Err(error) => return unreadable(error),
        }
    }
    match book.accounts() {
        Ok(accounts) => findings.extend(administrators(&accounts)),
        Err(error) => return unreadable(error),
    }
    findings
}

fn administrators(accounts: &[ledger::Account]) -> Option<Finding> {
    let mut administrators = accounts.iter().filter(|account| account.role == ledger::Role::Administrator);
    let ready = administrators.any(|account| account.password.is_some());
    (!ready).then(|| {
        Finding::doubtful(
            "accounts",
            "no administrator has a password",
            "sign in with the one-time token, or `marsad account password NAME`",
        )
    })
}

/// The first records kept aside, with the reason.
fn aside(book: &dyn ledger::Ledger) -> ledger::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut after = ledger::Seq(i64::MIN);
    while names.len() < NAMED {
        let last = book.follow(after, 10_000, &mut |record| {
            let why = match record.state {
                State::Conflict => "another content for a version that exists",
                State::Quarantined => "another author, or after a revocation",
                _ => return,
            };
            if names.len() < NAMED {
                names.push(format!("{} ({why})", record.key.escape_debug()));
            }
        })?;
        match last {
            Some(last) => after = last,
            None => break,
        }
    }
    Ok(names)
}

/// The end of a certificate (RFC 5280 §4.1.2.5) in microseconds since 1970.
fn not_after(certificate: &[u8]) -> Option<Micros> {
    let (_, whole, _) = element(certificate)?;
    let (_, mut body, _) = element(whole)?;
    // An explicit version, if any; serial number, signature algorithm, issuer; then the validity.
    if body.first() == Some(&0xa0) {
        body = element(body)?.2;
    }
    for _ in 0..3 {
        body = element(body)?.2;
    }
    let (_, validity, _) = element(body)?;
    let (_, _, after) = element(validity)?;
    let (tag, time, _) = element(after)?;
    let text = std::str::from_utf8(time).ok()?;
    let text = match tag {
        // UTCTime: two digits of the year, 1950 to 2049.
        0x17 => format!("{}{text}", if text.get(..2)? < "50" { "20" } else { "19" }),
        0x18 => text.to_owned(),
        _ => return None,
    };
    let part = |range: std::ops::Range<usize>| text.get(range);
    let written = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0..4)?,
        part(4..6)?,
        part(6..8)?,
        part(8..10)?,
        part(10..12)?,
        part(12..14)?
    );
    stix::timestamp::Timestamp::parse(&written).ok().map(|instant| instant.micros)
}

/// One DER element: its tag, its content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        if count == 0 || count > 4 {
            return None;
        }
        let (bytes, rest) = rest.split_at_checked(count)?;
        (bytes.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read() {
        for (year, month, day, expected) in
            [(2031, 2, 3, "2031-02-03T00:00:00.000000Z"), (2050, 1, 1, "2050-01-01T00:00:00.000000Z")]
        {
            let key = rcgen::KeyPair::generate().unwrap();
            let mut params = rcgen::CertificateParams::new(vec!["node.example".to_owned()]).unwrap();
            params.not_after = rcgen::date_time_ymd(year, month, day);
            let certificate = params.self_signed(&key).unwrap();
            let end = not_after(certificate.der()).unwrap();
            assert_eq!(stix::timestamp::format_micros(end), expected);
            for length in 0..certificate.der().len().min(200) {
                // Whatever is cut off, nothing panics.
                let _ = not_after(&certificate.der()[..length]);
            }
        }
        assert_eq!(not_after(b"\x30\x80\x00\x00"), None);
    }
}
