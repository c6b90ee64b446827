//! Delivery: for each way out a task that takes what waits from the register, tells it, and lets go of it when the other end
//! has it.

use super::mail::{self, Letter};
use super::syslog::{self, Text};
use super::{Notice, webhook};
use crate::alerts::desk::Desk;
use crate::audit::Origin;
use crate::config::Config;
use crate::egress::Egress;
use crate::nats;
use ledger::{Alerts as _, Micros, Telling};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};
use taxii::client::{Cause, Failure};
use tokio::sync::watch;
use zeroize::Zeroizing;

/// Notices that are taken up at once.
const BATCH: usize = 50;
/// How often it is looked for what other processes let wait, and what is due again.
const LOOK: Duration = Duration::from_millis(500);
/// The pause after the first attempt that failed; it doubles with each …
const PAUSE: Micros = 1_000_000;
/// … up to this.
const LONGEST: Micros = 600 * 1_000_000;
/// How long one delivery may take in all.
const PATIENCE: Duration = Duration::from_secs(180);

/// A way out.
enum Way {
    Webhook {
        address: String,
        secret: Zeroizing<Vec<u8>>,
    },
    Mail {
        target: mail::Target,
        authorities: Option<PathBuf>,
        signed: Option<(String, Zeroizing<String>)>,
        letter: Letter,
    },
    Syslog {
        target: syslog::Target,
        authorities: Option<PathBuf>,
        text: Text,
        origin: Origin,
    },
    Nats {
        address: nats::Address,
        credentials: Option<nats::Credentials>,
    },
}

const WEBHOOK: &str = "webhook";
const MAIL: &str = "mail";
const SYSLOG: &str = "syslog";
const NATS: &str = "nats";

/// The ways out that the configuration names.
#[must_use]
pub fn named(config: &Config) -> Vec<&'static str> {
    let alerts = &config.alerts;
    let ways = [(WEBHOOK, &alerts.webhook), (MAIL, &alerts.smtp), (SYSLOG, &alerts.syslog), (NATS, &alerts.nats)];
    ways.into_iter().filter(|(_, address)| !address.is_empty()).map(|(name, _)| name).collect()
}

/// What is wrong with what the configuration says of the ways out, without looking into any file.
#[must_use]
pub fn wrong(config: &Config) -> Vec<String> {
    let alerts = &config.alerts;
    let mut wrong = Vec::new();
    if !alerts.webhook.is_empty() && alerts.webhook_secret_file.is_empty() {
        wrong.push(
            "`alerts.webhook` wants `alerts.webhook-secret-file`: what is not signed could come from anybody"
                .to_owned(),
        );
    }
    if !alerts.webhook.is_empty() && !alerts.webhook.starts_with("https://") && !alerts.webhook.starts_with("http://") {
        wrong.push("`alerts.webhook` must begin with https://".to_owned());
    }
    if !alerts.smtp.is_empty() {
        if let Err(why) = alerts.smtp.parse::<mail::Target>() {
            wrong.push(format!("`alerts.smtp`: {why}"));
        }
        if let Err(why) = Letter::new(&alerts.mail_from, &alerts.mail_to, alerts.language.into()) {
            wrong.push(format!("`alerts.mail-from`, `alerts.mail-to`: {why}"));
        }
        if alerts.smtp_user.is_empty() != alerts.smtp_password_file.is_empty() {
            wrong.push("`alerts.smtp-user` and `alerts.smtp-password-file` go together".to_owned());
        }
    }
    if !alerts.syslog.is_empty()
        && let Err(why) = alerts.syslog.parse::<syslog::Target>()
    {
        wrong.push(format!("`alerts.syslog`: {why}"));
    }
    if !alerts.nats.is_empty()
        && let Err(why) = alerts.nats.parse::<nats::Address>()
    {
        wrong.push(format!("`alerts.nats`: {why}"));
    }
    wrong
}

/// All ways out of a node.
pub struct Ways {
    egress: Egress,
    ways: Vec<(&'static str, Arc<Way>)>,
    given_up: Micros,
}

impl Ways {
    /// As the configuration says; secrets are read.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(config: &Config, home: &Path) -> Result<Self, String> {
        let alerts = &config.alerts;
        let file = |name: &str| (!name.is_empty()).then(|| home.join(name));
        let mut ways = Vec::new();
        for name in named(config) {
            let way = match name {
                WEBHOOK => Way::Webhook {
                    address: alerts.webhook.clone(),
                    secret: webhook::secret(&home.join(&alerts.webhook_secret_file))?,
                },
                MAIL => {
                    let password = file(&alerts.smtp_password_file).map(|path| password(&path)).transpose()?;
                    Way::Mail {
                        target: alerts.smtp.parse()?,
                        authorities: file(&alerts.smtp_authorities),
                        signed: password.map(|password| (alerts.smtp_user.clone(), password)),
                        letter: Letter::new(&alerts.mail_from, &alerts.mail_to, alerts.language.into())?,
                    }
                }
                SYSLOG => {
                    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
                    Way::Syslog {
                        target: alerts.syslog.parse()?,
                        authorities: file(&alerts.syslog_authorities),
                        text: alerts.syslog_text.into(),
                        origin: Origin { host: host.trim().to_owned(), process: std::process::id() },
                    }
                }
                _ => {
                    let credentials = file(&alerts.nats_credentials).map(|path| nats::Credentials::read(&path));
                    Way::Nats {
                        address: alerts.nats.parse()?,
                        credentials: credentials.transpose().map_err(|error| error.to_string())?,
                    }
                }
            };
            ways.push((name, Arc::new(way)));
        }
        let given_up = i64::try_from(alerts.deliver_hours.max(1).saturating_mul(3_600_000_000)).unwrap_or(i64::MAX);
        Ok(Self { egress: Egress::new(config, home).map_err(|error| error.to_string())?, ways, given_up })
    }

    /// Delivers by every way until it is told to stop.
    pub async fn run(self, desk: Arc<Desk>, stop: watch::Receiver<bool>) {
        let Self { egress, ways, given_up } = self;
        let mut running = tokio::task::JoinSet::new();
        for (name, way) in ways {
            let courier = Courier { name, way, egress: egress.clone(), desk: Arc::clone(&desk), given_up, failed: 0 };
            running.spawn(courier.run(stop.clone()));
        }
        while let Some(done) = running.join_next().await {
            if let Err(error) = done {
                tracing::error!(%error, "a way out for alerts ended");
            }
        }
    }
}

fn password(path: &Path) -> Result<Zeroizing<String>, String> {
    let text = std::fs::read_to_string(path).map(Zeroizing::new);
    let text = text.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let password = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
    if password.is_empty() { Err(format!("{} holds no password", path.display())) } else { Ok(password) }
}

/// Who delivers by one way.
struct Courier {
    name: &'static str,
    way: Arc<Way>,
    egress: Egress,
    desk: Arc<Desk>,
    /// How long it is tried.
    given_up: Micros,
    /// Attempts that failed since the last that did not.
    failed: u32,
}

impl Courier {
    async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut changes = self.desk.changes();
        while !*stop.borrow() {
            let pause = match self.round(&stop).await {
                // More may wait already.
                Ok(true) => Duration::ZERO,
                Ok(false) => LOOK,
                Err(pause) => pause,
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = changes.changed(), if self.failed == 0 => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// Delivers what is due; whether there was as much as is taken up at once. `Err`: the other end fails, and is left
    /// alone for so long.
    async fn round(&mut self, stop: &watch::Receiver<bool>) -> Result<bool, Duration> {
        let now = crate::clock::now();
        let (desk, name) = (Arc::clone(&self.desk), self.name);
        let waiting = tokio::task::spawn_blocking(move || desk.book().tellings(name, now, BATCH)).await;
        let waiting = match waiting {
            Ok(Ok(waiting)) => waiting,
            Ok(Err(error)) => {
                tracing::warn!(%error, way = self.name, "what waits to be told cannot be read");
                return Err(Duration::from_secs(1));
            }
            Err(_) => return Err(Duration::from_secs(1)),
        };
        let full = waiting.len() >= BATCH;
        for telling in waiting {
            if *stop.borrow() {
                return Ok(false);
            }
            self.deliver(telling).await?;
        }
        Ok(full)
    }

    async fn deliver(&mut self, telling: Telling) -> Result<(), Duration> {
        let now = crate::clock::now();
        let (desk, alert, number) = (Arc::clone(&self.desk), telling.alert.clone(), telling.number);
        let notice = tokio::task::spawn_blocking(move || desk.outgoing(&alert, number, now)).await;
        let Ok(Ok(notice)) = notice else {
            tracing::warn!(way = self.name, alert = telling.alert, "an alert cannot be read");
            return Err(Duration::from_secs(1));
        };
        // Of what its viewer may not see nothing is told.
        let Some(notice) = notice else { return self.settle(telling, None).await };
        let told = tokio::time::timeout(PATIENCE, self.tell(&notice, now)).await;
        let told = told.unwrap_or_else(|_| Err(Failure::new(Cause::Slow, "it takes too long")));
        match told {
            Ok(()) => {
                self.failed = 0;
                self.desk.figures.told.fetch_add(1, Ordering::Relaxed);
                self.settle(telling, None).await
            }
            Err(failure) if now.saturating_sub(telling.since) > self.given_up => {
                tracing::error!(way = self.name, alert = telling.alert, why = %failure.message, "an alert was given up");
                self.desk.figures.untold.fetch_add(1, Ordering::Relaxed);
                self.settle(telling, None).await
            }
            Err(failure) => {
                let wait = pause(self.failed);
                self.failed = self.failed.saturating_add(1);
                tracing::warn!(way = self.name, alert = telling.alert, why = %failure.message, "an alert was not delivered: it is tried again");
                let again = Telling {
                    attempts: telling.attempts.saturating_add(1),
                    due: now.saturating_add(pause(telling.attempts)),
                    ..telling.clone()
                };
                self.settle(telling, Some(again)).await?;
                Err(Duration::from_micros(u64::try_from(wait).unwrap_or_default()))
            }
        }
    }

    /// Lets go of what was told, or lets it wait again, unless something newer has taken its place.
    async fn settle(&self, told: Telling, again: Option<Telling>) -> Result<(), Duration> {
        let desk = Arc::clone(&self.desk);
        let work = move || {
            desk.book().alerting(&mut |table| match &again {
                Some(again) => table.again(again),
                None => table.told(&told.way, &told.alert, told.number),
            })
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                tracing::warn!(%error, way = self.name, "what was told cannot be noted");
                Err(Duration::from_secs(1))
            }
            Err(_) => Err(Duration::from_secs(1)),
        }
    }

    async fn tell(&self, notice: &Notice, now: Micros) -> Result<(), Failure> {
        match &*self.way {
            Way::Webhook { address, secret } => {
                let forbidden = |error: crate::egress::Error| Failure::new(Cause::Forbidden, error.to_string());
                // Looked up anew each time: servers move.
                let session = self.egress.to(address, None).map_err(forbidden)?;
                webhook::send(&session, webhook::request(notice, address, secret, now)?).await
            }
            Way::Mail { target, authorities, signed, letter } => {
                let message = letter.message(notice, SystemTime::now());
                let message = message.map_err(|why| Failure::new(Cause::Forbidden, why))?;
                mail::send(&self.egress, target, authorities.as_deref(), signed.as_ref(), &message).await
            }
            Way::Syslog { target, authorities, text, origin } => {
                let how = (*text, origin, now);
                syslog::send(&self.egress, target, authorities.as_deref(), notice, how).await
            }
            Way::Nats { address, credentials } => {
                let failed = |error: nats::Error| Failure::new(Cause::Interrupted, error.to_string());
                let connection = nats::Connection::open(&self.egress, &address.servers, credentials.as_ref()).await;
                let subject = address.subject.as_deref().unwrap_or(DEFAULT_SUBJECT);
                let body = notice.json().to_string();
                let mut connection = connection.map_err(failed)?;
                connection.publish_to_stream(subject, &notice.id(), body.as_bytes()).await.map_err(failed)
            }
        }
    }
}

/// The subject of alerts where none is named.
const DEFAULT_SUBJECT: &str = "marsad.alerts";

/// The pause after so many attempts that failed before.
fn pause(failed: u32) -> Micros {
    PAUSE.saturating_mul(1_i64.checked_shl(failed).filter(|factor| *factor > 0).unwrap_or(i64::MAX)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_ten_minutes() {
        let seconds: Vec<_> = (0..12).map(|failed| pause(failed) / 1_000_000).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]);
        assert_eq!(pause(u32::MAX), LONGEST);
    }

    #[test]
    fn what_the_configuration_says() {
        for (text, said) in [
            ("alerts.webhook = \"https://a.example\"", "wants `alerts.webhook-secret-file`"),
            ("alerts.webhook = \"ftp://a.example\"\nalerts.webhook-secret-file = \"s\"", "must begin with https://"),
            (
                "alerts.smtp = \"mail.example\"\nalerts.mail-from = \"a@b.example\"\nalerts.mail-to = [\"c@d.example\"]",
                "`alerts.smtp`: it must be",
            ),
            ("alerts.smtp = \"smtps://mail.example\"", "names nobody"),
            (
                "alerts.smtp = \"smtps://m.example\"\nalerts.mail-from = \"a\"\nalerts.mail-to = [\"c@d.example\"]",
                "is no mail address",
            ),
            (
                "alerts.smtp = \"smtps://m.example\"\nalerts.smtp-user = \"u\"\nalerts.mail-from = \"a@b.example\"\nalerts.mail-to = [\"c@d.example\"]",
                "go together",
            ),
            ("alerts.syslog = \"siem.example\"", "`alerts.syslog`: it must be"),
            ("alerts.nats = \"nats.example\"", "`alerts.nats`: "),
        ] {
            let error = Config::from_toml(text).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
        let config = Config::from_toml("alerts.syslog = \"udp://siem.example\"").unwrap();
        assert_eq!(named(&config), [SYSLOG]);
        assert!(named(&Config::default()).is_empty());
    }
}
