//! `GET /metrics`: figures for Prometheus (OpenMetrics). Counted per route pattern, never per name from outside.

use super::State;
use super::answer::{self, Refusal};
use super::request::Asked;
use crate::config::MetricsAccess;
use crate::partners::state;
use axum::body::Body;
use http::{Response, StatusCode};
use ledger::{Ledger as _, Partners as _};
use policy::role::{Act, Target, may};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What is counted while serving.
#[derive(Default)]
pub(super) struct Metrics {
    requests: Family<Vec<(&'static str, String)>, Counter>,
    seconds: Seconds,
    bytes: Counter,
    objects_out: Counter,
    objects_in: Counter,
    refused: Counter,
    lifted: Counter,
    forgotten: Counter,
    settled: Counter,
}

struct Seconds(Histogram);

impl Default for Seconds {
    fn default() -> Self {
        Self(Histogram::new(exponential_buckets(0.0001, 4.0, 9)))
    }
}

impl Metrics {
    pub(super) fn count(&self, route: &'static str, status: StatusCode, took: Duration, bytes: u64) {
        let labels = vec![("route", route.to_owned()), ("status", status.as_str().to_owned())];
        self.requests.get_or_create(&labels).inc();
        self.seconds.0.observe(took.as_secs_f64());
        self.bytes.inc_by(bytes);
    }

    pub(super) fn gave(&self, objects: usize) {
        self.objects_out.inc_by(objects as u64);
    }

    pub(super) fn took(&self, objects: usize) {
        self.objects_in.inc_by(objects as u64);
    }

    pub(super) fn lifted(&self, records: u64) {
        self.lifted.inc_by(records);
    }

    pub(super) fn forgot(&self, records: u64) {
        self.forgotten.inc_by(records);
    }

    pub(super) fn settled(&self, records: u64) {
        self.settled.inc_by(records);
    }

    pub(super) fn refused_credential(&self) {
        self.refused.inc();
    }
}

/// The figures, for this machine and the owner's administrators as the configuration says; nobody else learns that they
/// exist. They count the whole book: what administrators of other organisations may not see, too.
pub(super) async fn get(state: &Arc<State>, asked: &Asked) -> Result<Response<Body>, Refusal> {
    let administrator = may(&asked.identity.actor, Act::ManageCollections, &Target::Node);
    let allowed = match state.config.metrics.access {
        MetricsAccess::Off => false,
        MetricsAccess::Loopback => administrator || is_from_here(state, asked),
        MetricsAccess::Administrator => administrator,
    };
    if !allowed {
        return Err(Refusal::not_found());
    }
    let text = state.read(|state| written(state).map_err(Refusal::internal)).await?;
    Ok(answer::text(StatusCode::OK, "application/openmetrics-text; version=1.0.0; charset=utf-8", text))
}

/// Whether a request was made on this machine. Behind a proxy they all seem to be.
fn is_from_here(state: &State, asked: &Asked) -> bool {
    let server = &state.config.server;
    let behind_proxy = server.plain_http && !server.public_url.is_empty();
    !behind_proxy && asked.from.ip().to_canonical().is_loopback()
}

fn written(state: &State) -> Result<String, Box<dyn std::error::Error>> {
    let book = state.book.statistics()?;
    let writer = &state.writer.figures;
    let mut all = Registry::with_prefix("marsad");
    let metrics = &state.metrics;
    all.register("requests", "Requests by route and status", metrics.requests.clone());
    all.register_with_unit("request_duration", "Time to answer", Unit::Seconds, metrics.seconds.0.clone());
    all.register_with_unit("sent", "Bodies of answers, before compression", Unit::Bytes, metrics.bytes.clone());
    all.register("objects_out", "Objects handed on by TAXII", metrics.objects_out.clone());
    all.register("objects_in", "Objects taken in by TAXII", metrics.objects_in.clone());
    all.register("credentials_refused", "Credentials that were wrong or came too often", metrics.refused.clone());
    all.register("embargoes_lifted", "Records whose embargo ended", metrics.lifted.clone());
    all.register("persons_forgotten", "Records with data about persons erased by retention", metrics.forgotten.clone());
    all.register("references_settled", "Records whose references were found", metrics.settled.clone());
    let counter = |figure: &std::sync::atomic::AtomicU64| ConstCounter::new(figure.load(Ordering::Relaxed));
    let gauge = |figure: u64| ConstGauge::new(i64::try_from(figure).unwrap_or(i64::MAX));
    all.register("commits", "Durable commits of the writer", counter(&writer.commits));
    all.register("committed_objects", "Objects in those commits", counter(&writer.objects));
    all.register("commit_microseconds", "Time spent in those commits", counter(&writer.micros));
    all.register("writes_waiting", "Requests that wait for a commit", gauge(writer.waiting.load(Ordering::Relaxed)));
    all.register("ledger_records", "Live records in the ledger", gauge(book.records));
    all.register("ledger_aside", "Records in conflict or quarantine", gauge(book.aside));
    all.register("ledger_tombstones", "Erased records", gauge(book.tombstones));
    all.register_with_unit("ledger_disk", "Size of the ledger on disk", Unit::Bytes, gauge(book.disk_bytes));
    let alerts = &state.alerts.figures;
    all.register("alert_hits", "Hits that were folded into alerts", counter(&alerts.hits));
    all.register("alert_hits_repeated", "Hits that had been counted before", counter(&alerts.repeated));
    all.register("alert_hits_beyond", "Hits for which too many alerts were open", counter(&alerts.beyond));
    all.register("alerts_told", "Notices of alerts that were delivered", counter(&alerts.told));
    all.register("alerts_untold", "Notices of alerts that were given up", counter(&alerts.untold));
    all.register("sightings", "Sightings that were written", counter(&alerts.sighted));
    links(state, &mut all)?;
    watch(state, &mut all)?;
    let mut text = String::new();
    encode(&mut text, &all)?;
    Ok(text)
}

/// How the watch stands, if there is one.
fn watch(state: &State, all: &mut Registry) -> Result<(), Box<dyn std::error::Error>> {
    let Some(running) = state.watch.get() else { return Ok(()) };
    let counter = |figure: &std::sync::atomic::AtomicU64| ConstCounter::new(figure.load(Ordering::Relaxed));
    let tally = &running.tally;
    all.register("watch_events", "Events that the watch has seen", counter(&tally.events));
    all.register_with_unit("watch_seen", "What the watch has read, unpacked", Unit::Bytes, counter(&tally.bytes));
    all.register("watch_faults", "Lines and records that could not be read", counter(&tally.faults));
    all.register("watch_hits", "Events that met an indicator", counter(&tally.hits));
    let unconfirmed = "Events that met what the book does not hold any more, or not for us";
    all.register("watch_unconfirmed", unconfirmed, counter(&tally.unconfirmed));
    all.register("watch_unknown", "Events of which the book could not be asked", counter(&tally.unknown));
    let Some(followed) = running.followed() else { return Ok(()) };
    let status = followed.status()?;
    let gauge = |figure: u64| ConstGauge::new(i64::try_from(figure).unwrap_or(i64::MAX));
    let figures = status.figures;
    all.register("watch_claims", "Values that are watched for", gauge(figures.claims));
    all.register("watch_patterns", "Patterns that say more than a list of values", gauge(figures.patterns));
    all.register_with_unit("watch_set", "What the set takes in memory", Unit::Bytes, gauge(figures.bytes));
    all.register("watch_lag_microseconds", "How far the set is behind the book", ConstGauge::new(figures.lag));
    let refused = Family::<Vec<(&'static str, String)>, Gauge>::default();
    for (why, count) in status.refused {
        let labels = vec![("reason", why.name().to_owned())];
        refused.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
    }
    all.register("watch_refused", "Claims that are not watched for", refused);
    let by_list = |counts: Vec<(Box<str>, u64)>| {
        let family = Family::<Vec<(&'static str, String)>, Gauge>::default();
        for (list, count) in counts {
            let labels = vec![("list", list.into_string())];
            family.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        family
    };
    let benign = "Claims that are not watched for since a warning list names their value";
    all.register("watch_benign", benign, by_list(status.benign));
    let benign = "Matches of patterns that were made by values alone that warning lists name";
    all.register("watch_benign_matches", benign, by_list(status.benign_matches));
    Ok(())
}

/// Links whose figures are shown.
const LINKS: usize = 500;

/// How the links to partners stand, each under its name.
fn links(state: &State, all: &mut Registry) -> Result<(), Box<dyn std::error::Error>> {
    type Figures = Family<Vec<(&'static str, String)>, Gauge>;
    let family = || Figures::default();
    let [lag, age, failures, waiting] = [family(), family(), family(), family()];
    let [objects, bytes, refused, rounds] = [family(), family(), family(), family()];
    let now = state.sources.now();
    let figure = |figure: u64| i64::try_from(figure).unwrap_or(i64::MAX);
    for link in state.book.links()?.into_iter().take(LINKS) {
        let kept = state::state(&*state.book, &link.name)?;
        let name = vec![("link", link.name)];
        let set = |family: &Figures, value: i64| {
            family.get_or_create(&name).set(value);
        };
        // What is not known is not shown.
        if let Some(micros) = kept.lag(now) {
            set(&lag, micros / 1_000_000);
        }
        if let Some(last) = kept.last_round {
            set(&age, now.saturating_sub(last) / 1_000_000);
        }
        set(&failures, i64::from(kept.failures));
        set(&waiting, figure(kept.mail_waiting));
        set(&objects, figure(kept.objects));
        set(&bytes, figure(kept.bytes));
        set(&refused, figure(kept.refused));
        set(&rounds, figure(kept.rounds));
    }
    let seconds = Unit::Seconds;
    all.register_with_unit("link_lag", "How old what did not go over a link can be", seconds.clone(), lag);
    all.register_with_unit("link_last_round", "Time since the last round of a link", seconds, age);
    all.register("link_failures", "Rounds of a link in a row that broke off", failures);
    all.register("link_statements_waiting", "Signed statements that wait for the partner of a link", waiting);
    all.register("link_objects", "Objects that went over a link", objects);
    all.register_with_unit("link_volume", "Objects that went over a link", Unit::Bytes, bytes);
    all.register("link_refused", "Objects that were refused, here or there", refused);
    all.register("link_rounds", "Rounds of a link", rounds);
    Ok(())
}
