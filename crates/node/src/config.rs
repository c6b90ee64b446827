//! The node's configuration: one TOML file, every key also a variable and a flag.
//!
//! The table below is the only place where a key is named: the types, the sample file, the variables, `--set`
//! and the messages about unknown keys all follow from it. Values are taken from, each over the one before:
//! the defaults, the file, the environment (`MARSAD_TAXII_PAGE_SIZE`), flags (`--set taxii.page-size=500`).
//!
//! ```
//! let config = node::config::Config::from_toml("taxii.page-size = 500\n")?;
//! assert_eq!(config.taxii.page_size, 500);
//! assert!(node::config::Config::from_toml("taxii.pagesize = 500\n").is_err());
//! # Ok::<(), node::config::Error>(())
//! ```

mod setting;
mod source;

pub use setting::{
    AlertsBy, AlertsLanguage, AlertsText, ClientCertificates, DefaultMarking, HiddenReferences, LogFormat, LogLevel,
    MeetingValues, MetricsAccess, Setting, Sightings, Written,
};
pub use source::{Error, Problem};

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// A key as people see it.
#[derive(Clone, Debug)]
pub struct Key {
    /// As it is written in the file: `taxii.page-size`.
    pub path: String,
    /// What it does.
    pub doc: Vec<&'static str>,
    /// Its default as TOML.
    pub default: String,
    /// What may be written, completing "must be …".
    pub expected: &'static str,
}

impl Key {
    /// Its environment variable: `MARSAD_TAXII_PAGE_SIZE`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("MARSAD_{}", self.path.replace(['.', '-'], "_").to_ascii_uppercase())
    }
}

macro_rules! sections {
    ($(
        $(#[doc = $about:literal])+
        $section:ident, $prefix:literal, $Section:ident {
            $( $(#[doc = $doc:literal])+ $key:ident: $type:ty = $default:expr; )+
        }
    )+) => {
        /// Everything that can be configured.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Config { $( $(#[doc = $about])+ pub $section: $Section, )+ }

        $(
            $(#[doc = $about])+
            #[derive(Clone, Debug, PartialEq)]
            pub struct $Section { $( $(#[doc = $doc])+ pub $key: $type, )+ }

            impl Default for $Section {
                fn default() -> Self {
                    Self { $( $key: $default, )+ }
                }
            }
        )+

        impl Config {
            /// Sets one key.
            fn write(&mut self, path: &str, written: &Written<'_>) -> Result<(), String> {
                $($(
                    if path == spell($prefix, stringify!($key)) {
                        self.$section.$key = <$type as Setting>::read(written)
                            .ok_or_else(|| format!("`{path}` must be {}", <$type as Setting>::EXPECTED))?;
                        return Ok(());
                    }
                )+)+
                Err(source::unknown(path))
            }

            /// Every key with its value as TOML, in the order of the sample.
            #[must_use]
            pub fn values(&self) -> Vec<(String, String)> {
                vec![$($( (spell($prefix, stringify!($key)), self.$section.$key.toml()), )+)+]
            }
        }

        /// Every section: what it is about, and its keys.
        fn sections() -> Vec<(Vec<&'static str>, Vec<Key>)> {
            vec![$({
                let defaults = $Section::default();
                (vec![$($about.trim()),+], vec![$(Key {
                    path: spell($prefix, stringify!($key)),
                    doc: vec![$($doc.trim()),+],
                    default: defaults.$key.toml(),
                    expected: <$type as Setting>::EXPECTED,
                }),+])
            }),+]
        }
    };
}

fn spell(prefix: &str, key: &str) -> String {
    format!("{prefix}{}", key.replace('_', "-"))
}

sections! {
    /// Where the node listens.
    server, "", Server {
        /// Address and port to listen on. Port 0 takes a free one.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8443));
        /// Plain HTTP instead of TLS. Only on a loopback address: for trying things out, or behind a proxy on the
        /// same machine that speaks TLS.
        plain_http: bool = false;
        /// The address under which others reach this node, such as "https://cti.example.org". Empty: the address
        /// under which a request came.
        public_url: String = String::new();
    }
    /// Who may see what, where an object does not say.
    policy, "", Policy {
        /// How objects without a TLP marking are treated: clear, green, amber, amber+strict or red.
        default_marking: DefaultMarking = DefaultMarking::Amber;
        /// What becomes of an object that refers to one which its viewer may not see: remove (the reference is taken out
        /// where the object stands without it, else the object is withheld) or withhold (always withheld).
        hidden_references: HiddenReferences = HiddenReferences::Remove;
    }
    /// Data about persons (email, phone, name, passport, account), by how the reader's organisation stands to ours: a list
    /// of kind=give, kind=mask or kind=withhold. What is not named is given. An organisation can have rules of its own
    /// (`marsad organisation set`).
    personal, "personal.", Personal {
        /// For our own members.
        own: Vec<String> = Vec::new();
        /// For members of clients.
        client: Vec<String> = Vec::new();
        /// For members of the community.
        community: Vec<String> = Vec::new();
        /// For everyone else: ["email=mask", "passport=withhold"].
        public: Vec<String> = Vec::new();
        /// How long records with such data are kept, in days: ["passport=30", "email=365"]. What is older is erased and leaves
        /// a tombstone. What is not named is kept.
        retention: Vec<String> = Vec::new();
    }
    /// Certificates. Paths are relative to the node's directory.
    tls, "tls.", Tls {
        /// The certificate chain in PEM. Where neither file exists, `serve` makes a self-signed pair.
        certificate: PathBuf = PathBuf::from("tls/certificate.pem");
        /// The private key in PEM.
        key: PathBuf = PathBuf::from("tls/key.pem");
        /// Whether clients may sign in with a certificate that is pinned to their account (`marsad account certificate`):
        /// off or optional.
        client_certificates: ClientCertificates = ClientCertificates::Off;
    }
    /// The TAXII 2.1 server.
    taxii, "taxii.", Taxii {
        /// The path of the API root.
        api_root: String = "exchange".to_owned();
        /// The title that discovery shows.
        title: String = "Marsad".to_owned();
        /// What discovery says about this server.
        description: String = String::new();
        /// Whom to ask: a mail address or a link.
        contact: String = String::new();
        /// The largest request body that is accepted, in bytes as sent and as unpacked.
        max_content_length: u64 = 32 << 20;
        /// The most objects that one envelope may carry.
        max_objects: u64 = 100_000;
        /// Objects on a page when the client names no limit.
        page_size: u64 = 1_000;
        /// The most objects on a page, whatever the client asks for.
        max_page_size: u64 = 10_000;
        /// A page ends before its objects grow beyond so many bytes (one object is always given).
        max_page_bytes: u64 = 16 << 20;
        /// How long a status resource can be asked for, in hours.
        status_hours: u64 = 24;
    }
    /// Budgets for what comes in.
    limits, "limits.", Limits {
        /// The largest object, in bytes.
        max_object_bytes: u64 = 16 << 20;
        /// The deepest nesting of an object.
        max_depth: u64 = 64;
        /// The most values (members and elements, counted together) in an object.
        max_values: u64 = 1_000_000;
        /// The most bytes that one packed file (.gz, .zst, .zip) may unpack to.
        max_unpacked_bytes: u64 = 64 << 30;
        /// The most that a packed file may grow, as a factor; the first 64 MiB are free.
        max_unpack_ratio: u64 = 1_000;
        /// Connections that are served at once; more are turned away.
        connections: u64 = 1_024;
        /// A client must have sent the head of its request within so many seconds.
        head_seconds: u64 = 10;
        /// A request must be answered within so many seconds, its body included.
        request_seconds: u64 = 60;
        /// How long `serve` waits for running requests when it is told to end, in seconds.
        shutdown_seconds: u64 = 10;
    }
    /// Signing in.
    accounts, "accounts.", Accounts {
        /// Wrong credentials that one address or one name may try in a minute.
        attempts_per_minute: u64 = 20;
        /// How many passwords are checked at once; each takes 19 MiB of memory.
        parallel_checks: u64 = 2;
        /// How long a credential that was right is remembered, in seconds, so that it need not be hashed again.
        remember_seconds: u64 = 300;
        /// The shortest password that is taken, in characters.
        min_password_length: u64 = 12;
        /// A session ends when it was not used for so many minutes.
        session_idle_minutes: u64 = 30;
        /// A session ends after so many hours, however much it is used.
        session_hours: u64 = 12;
    }
    /// Signing in at a provider (OpenID Connect). A member is bound to an identity there by `marsad account link`, or by
    /// itself while it is signed in; never by its mail address.
    oidc, "oidc.", Oidc {
        /// The provider, letter by letter as it calls itself, such as "https://id.example.org". Empty: none.
        issuer: String = String::new();
        /// As what this node is known there. Its redirect URI there is `public-url` followed by /api/oidc/callback.
        client_id: String = String::new();
        /// The file with the client's secret. Relative to the node's directory. Empty: a public client.
        client_secret_file: String = String::new();
        /// What is asked for.
        scope: String = "openid".to_owned();
    }
    /// Outgoing connections (`pull`, `push`).
    egress, "egress.", Egress {
        /// Hosts, addresses or networks (CIDR) that may be reached although they are private, loopback or
        /// link-local: ["taxii.intranet.example", "10.20.0.0/16"].
        allow: Vec<String> = Vec::new();
        /// A PEM file of certificate authorities that are trusted beside those of the system, for partners with an
        /// authority of their own. Relative to the node's directory. Empty: none.
        authorities: String = String::new();
        /// Seconds to wait for a connection.
        connect_seconds: u64 = 10;
        /// Seconds to wait for a whole answer.
        answer_seconds: u64 = 120;
        /// The largest answer that is read, in bytes as unpacked.
        max_answer_bytes: u64 = 64 << 20;
    }
    /// Blind meetings (`marsad partner meet`): we and a partner learn which indicator values both hold, and nothing else of what
    /// the other holds. A partner can still guess at values, one place of a meeting each: the budgets bound that.
    meeting, "meeting.", Meeting {
        /// Whose values are compared with a partner's: releasable (of records which that partner may have), ours (those, and of
        /// records of our own organisation that nothing but their TLP marking keeps from it) or all-but-red (the same of everybody's
        /// records). Never of what is TLP:RED, under embargo, confined to others, or holds data about persons that it does not get.
        values: MeetingValues = MeetingValues::Ours;
        /// Values of ours that take part in one meeting at most.
        max_values: u64 = 1 << 20;
        /// Meetings with one partner within 24 hours, whoever began them.
        meetings_per_day: u64 = 2;
        /// Values of one partner that ours are compared with within 24 hours, counted in the sizes that are shown.
        values_per_day: u64 = 1 << 21;
        /// A meeting that has not ended after so many minutes is forgotten.
        minutes: u64 = 60;
    }
    /// The watch (`serve`): indicators of the book that the node's own organisation may use, met by what its sensors show.
    watch, "watch.", Watch {
        /// Files and folders that grow, relative to the node's directory, and streams of NATS JetStream:
        /// ["/var/log/zeek", "nats://127.0.0.1:4222/LOGS?consumer=marsad&subject=logs.>&format=eve"]. Processes that name the
        /// same consumer share a stream.
        inputs: Vec<String> = Vec::new();
        /// How files and folders are written: auto, zeek, eve, jsonl, csv, syslog, text or pcap.
        format: String = "auto".to_owned();
        /// Kinds of value that are not watched for, such as ["filename", "account"].
        without: Vec<String> = Vec::new();
        /// Claims that are less sure than that (0 to 100) are not met: as sure as their author says, less what those think of it
        /// who met it (one voice an organisation; a false positive of our own leaves a quarter, one of a partner a half). What
        /// nobody says anything of is met. Of what our own organisation calls a false positive no alert is told in any case.
        min_confidence: u64 = 0;
        /// A decaying model of MISP (a JSON file) by which claims lose their score since they were changed last. Relative to the
        /// node's directory. Empty: they do not decay.
        decay_model: String = String::new();
        /// Lists of values that are well known and benign, in the form in which MISP publishes them (JSON): files, and folders
        /// whose `.json` files are read. A claim on such a value is not watched for, and counted under the list's name. Relative
        /// to the node's directory, read at the start. Lists of regular expressions are left out.
        warning_lists: Vec<String> = Vec::new();
        /// What is signed in with at NATS servers: a file with name:password, a token or NATS credentials (.creds). Relative to
        /// the node's directory. Empty: nothing.
        nats_credentials: String = String::new();
        /// Sightings in STIX: none; own (they stay with our own organisation); source (they go back to the claim's source, and
        /// to others, as far as their markings let them: those of the indicator and, where that is stricter, `default-marking`).
        /// Which machine of ours it was is TLP:AMBER+STRICT at least.
        sightings: Sightings = Sightings::None;
        /// Sightings say neither who saw it nor on which machine. What people answer (a false positive) then stays here, since an
        /// opinion of nobody counts for nothing. Whoever gets them over a link from us knows that they came from us.
        sightings_anonymous: bool = false;
        /// The collection that sightings are added to. It has to be there (`marsad collection add`).
        sightings_collection: String = "sightings".to_owned();
        /// A sighting whose count grew is written anew after so many minutes.
        sightings_minutes: u64 = 60;
    }
    /// The audit log: sign-ins, hand-overs, refusals and acts of administration.
    audit, "audit.", Audit {
        /// Days for which it is kept what happened; older entries keep only their place in the chain. 0: for ever.
        retention_days: u64 = 0;
        /// Days for which it is kept who did it, and from which address. 0: for ever.
        personal_days: u64 = 0;
        /// A syslog server that gets every entry over TLS (RFC 5425): "siem.example.org" or, with a port, "siem.example.org:6514".
        /// Empty: none.
        syslog: String = String::new();
        /// A PEM file of certificate authorities for the syslog server, in the place of those of the system. Relative to the
        /// node's directory. Empty: those of the system and of `egress.authorities`.
        syslog_authorities: String = String::new();
    }
    /// Alerts: hits of the watch, folded, and the ways out by which they are told. Every way out is off where its address is
    /// empty; what cannot be delivered waits on disk and is tried again.
    alerts, "alerts.", Alerts {
        /// What one alert is about: indicator (one for each indicator), entity (one for each machine that an event names), or input.
        by: AlertsBy = AlertsBy::Entity;
        /// The fields in which events name the machine, in the order in which they are looked for. Empty: those of Zeek, Suricata
        /// and ECS (id.orig_h, src_ip, source.ip, …).
        entity_fields: Vec<String> = Vec::new();
        /// An alert whose count grew is told again after so many minutes, then after twice as many, and so on, up to a day.
        again_minutes: u64 = 10;
        /// An alert without hits for so many minutes is closed.
        quiet_minutes: u64 = 60;
        /// Events that are kept of an alert as evidence.
        samples: u64 = 5;
        /// Open alerts of one indicator; further machines are counted in one alert for all of them.
        entities: u64 = 100;
        /// Open alerts of all indicators.
        open: u64 = 100_000;
        /// Days for which closed alerts are kept, their evidence with them.
        keep_days: u64 = 90;
        /// Closed alerts that are kept, the newest.
        kept: u64 = 1_000_000;
        /// Alerts that may wait for one way out.
        queue: u64 = 10_000;
        /// Hours for which it is tried to deliver one.
        deliver_hours: u64 = 72;
        /// To whom alerts go out, as the policy sees it: an organisation or an account. What they may not see is not told. Empty: a
        /// member of our own organisation.
        viewer: String = String::new();
        /// The language of mails: ar, fr, es or en.
        language: AlertsLanguage = AlertsLanguage::En;
        /// A web server that gets every alert as JSON, signed (HMAC-SHA256): "https://soar.example.org/hook".
        webhook: String = String::new();
        /// The file with the secret of the signature, 16 characters or more. Relative to the node's directory.
        webhook_secret_file: String = String::new();
        /// A mail server: "smtps://mail.example.org" (TLS at once) or "smtp://mail.example.org" (STARTTLS, a must).
        smtp: String = String::new();
        /// As whom we sign in there. Empty: we do not.
        smtp_user: String = String::new();
        /// The file with the password. Relative to the node's directory.
        smtp_password_file: String = String::new();
        /// A PEM file of certificate authorities for the mail server, in the place of those of the system. Relative to the node's
        /// directory. Empty: those of the system and of `egress.authorities`.
        smtp_authorities: String = String::new();
        /// Who writes: "Marsad <marsad@example.org>".
        mail_from: String = String::new();
        /// To whom: ["soc@example.org"].
        mail_to: Vec<String> = Vec::new();
        /// A syslog server (RFC 5424): "udp://siem.example.org:514", "tcp://…:601" or "tls://…:6514".
        syslog: String = String::new();
        /// The text of a message: plain or cef.
        syslog_text: AlertsText = AlertsText::Plain;
        /// A PEM file of certificate authorities for the syslog server, in the place of those of the system. Relative to the
        /// node's directory. Empty: those of the system and of `egress.authorities`.
        syslog_authorities: String = String::new();
        /// A JetStream stream that gets every alert as JSON: "nats://nats.example.org/ALERTS?subject=marsad.alerts".
        nats: String = String::new();
        /// The file of credentials for it. Relative to the node's directory. Empty: none.
        nats_credentials: String = String::new();
    }
    /// Logs go to standard error.
    log, "log.", Log {
        /// text or json.
        format: LogFormat = LogFormat::Text;
        /// error, warn, info, debug or trace.
        level: LogLevel = LogLevel::Info;
    }
    /// Prometheus metrics at /metrics.
    metrics, "metrics.", Metrics {
        /// Who may read them: off, administrator (of the node's own organisation), or loopback: those, and this machine,
        /// unless `public-url` says that a proxy in front of plain HTTP makes everybody seem to be on it.
        access: MetricsAccess = MetricsAccess::Loopback;
    }
}

/// Every key, in the order of the sample.
#[must_use]
pub fn keys() -> Vec<Key> {
    sections().into_iter().flat_map(|(_, keys)| keys).collect()
}

/// The sample file: every key with its meaning and its default, commented out.
#[must_use]
pub fn sample() -> String {
    let mut text = String::from(
        "# Marsad's configuration. Every key is shown with its default: remove the `# ` before a key to change it.\n\
         # A key can also be set by a variable (taxii.page-size: MARSAD_TAXII_PAGE_SIZE) or by a flag\n\
         # (--set taxii.page-size=500). `marsad config check` says whether this file can be used.\n",
    );
    for (about, keys) in sections() {
        text.push_str(&format!("\n## {}\n", about.join(" ")));
        for key in keys {
            text.push('\n');
            for line in &key.doc {
                text.push_str(&format!("# {line}\n"));
            }
            text.push_str(&format!("# {} = {}\n", key.path, key.default));
        }
    }
    text
}

impl Config {
    /// Reads a TOML text over the defaults.
    ///
    /// # Errors
    /// Everything that is wrong, with line and column.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let mut config = Self::default();
        let mut problems = Vec::new();
        source::read_toml(&mut config, "config", text, &mut problems);
        config.checked(problems)
    }

    /// The configuration as it is in force: the file (if it exists), the environment, then `key=value` flags.
    ///
    /// # Errors
    /// Everything that is wrong, and where it was written.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        flags: &[String],
    ) -> Result<Self, Error> {
        let mut config = Self::default();
        let mut problems = Vec::new();
        if let Some(path) = file {
            source::read_file(&mut config, path, &mut problems);
        }
        source::read_environment(&mut config, environment, &mut problems);
        for flag in flags {
            source::read_flag(&mut config, flag, &mut problems);
        }
        config.checked(problems)
    }

    /// Adds what only the whole can tell.
    fn checked(self, mut problems: Vec<Problem>) -> Result<Self, Error> {
        let mut refuse = |wrong: bool, message: &str| {
            if wrong {
                problems.push(Problem { place: String::new(), message: message.to_owned() });
            }
        };
        refuse(
            self.server.plain_http && !self.server.listen.ip().is_loopback(),
            "`plain-http` is for loopback addresses only: use TLS, or listen on 127.0.0.1",
        );
        refuse(self.taxii.page_size == 0, "`taxii.page-size` must be at least 1");
        refuse(
            self.taxii.page_size > self.taxii.max_page_size,
            "`taxii.page-size` must not be greater than `taxii.max-page-size`",
        );
        refuse(self.taxii.max_objects == 0, "`taxii.max-objects` must be at least 1");
        refuse(self.limits.max_depth > 512, "`limits.max-depth` must not be greater than 512");
        refuse(self.limits.connections == 0, "`limits.connections` must be at least 1");
        refuse(self.accounts.session_idle_minutes == 0, "`accounts.session-idle-minutes` must be at least 1");
        refuse(self.accounts.session_hours == 0, "`accounts.session-hours` must be at least 1");
        refuse(self.accounts.parallel_checks == 0, "`accounts.parallel-checks` must be at least 1");
        let personal = &self.personal;
        for rule in [&personal.own, &personal.client, &personal.community, &personal.public].into_iter().flatten() {
            refuse(!is_treatment(rule), &format!("`{rule}` must be {PERSONAL_RULE}"));
        }
        for rule in &personal.retention {
            refuse(
                retention(rule).is_none(),
                &format!("`{rule}` must be a kind of personal data, `=` and a number of days"),
            );
        }
        let root = &self.taxii.api_root;
        let reserved = ["taxii2", "api", "health", "ready", "metrics"];
        refuse(
            root.is_empty()
                || !root.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
                || reserved.contains(&root.as_str()),
            "`taxii.api-root` must be one path segment of lower-case letters, digits and hyphens, and none of the \
             node's own (taxii2, api, health, ready, metrics)",
        );
        let url = &self.server.public_url;
        refuse(
            !url.is_empty() && !url.starts_with("https://") && !url.starts_with("http://"),
            "`public-url` must begin with https:// or http://",
        );
        let oidc = &self.oidc;
        refuse(
            !oidc.issuer.is_empty() && (oidc.client_id.is_empty() || url.is_empty()),
            "`oidc.issuer` wants `oidc.client-id`, and `public-url`, to which the provider sends people back",
        );
        refuse(!oidc.scope.split(' ').any(|word| word == "openid"), "`oidc.scope` must have the word `openid`");
        refuse(
            !self.audit.syslog.is_empty() && self.audit.syslog.parse::<crate::audit::Target>().is_err(),
            "`audit.syslog` must be a host or a host and a port, such as siem.example.org:6514",
        );
        for wrong in crate::alerts::out::deliver::wrong(&self) {
            refuse(true, &wrong);
        }
        self.watch.check(&mut refuse);
        if problems.is_empty() { Ok(self) } else { Err(Error { problems }) }
    }
}

impl Watch {
    fn check(&self, refuse: &mut dyn FnMut(bool, &str)) {
        refuse(
            crate::watch::seer::format(&self.format).is_none(),
            "`watch.format` must be auto, zeek, eve, jsonl, csv, syslog, text or pcap",
        );
        refuse(self.min_confidence > 100, "`watch.min-confidence` must not be greater than 100");
        for name in &self.without {
            let message =
                format!("`{name}` in `watch.without` is no kind of value, such as domain, ipv4, url or sha256");
            refuse(observable::Kind::named(name).is_none(), &message);
        }
        for input in self.inputs.iter().filter(|input| crate::nats::Address::is_one(input)) {
            if let Err(why) = input.parse::<crate::nats::Address>() {
                refuse(true, &format!("`watch.inputs`: {why}"));
            }
        }
    }
}

/// What a rule about data of persons looks like, completing "must be …".
pub const PERSONAL_RULE: &str = "email, phone, name, passport or account, then `=give`, `=mask` or `=withhold`";
/// The kinds of data about persons.
const PERSONAL: [&str; 5] = ["email", "phone", "name", "passport", "account"];

/// Whether this is a rule about data of persons.
#[must_use]
pub fn is_treatment(rule: &str) -> bool {
    rule.split_once('=')
        .is_some_and(|(kind, word)| PERSONAL.contains(&kind) && matches!(word, "give" | "mask" | "withhold"))
}

/// A kind of data about persons, and for how many days it is kept.
#[must_use]
pub fn retention(rule: &str) -> Option<(&str, u32)> {
    let (kind, days) = rule.split_once('=')?;
    let days = days.parse().ok().filter(|days| *days > 0)?;
    PERSONAL.contains(&kind).then_some((kind, days))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_the_defaults() {
        let sample = sample();
        assert_eq!(Config::from_toml(&sample).unwrap(), Config::default());
        for key in keys() {
            assert!(sample.contains(&format!("\n# {} = {}\n", key.path, key.default)), "{} is missing", key.path);
            assert!(!key.doc.is_empty());
        }
        // Uncommented as a whole it still says the defaults.
        let lines = sample
            .lines()
            .filter_map(|line| line.strip_prefix("# "))
            .filter(|line| line.split_once(" = ").is_some_and(|(key, _)| keys().iter().any(|known| known.path == key)));
        let uncommented = lines.collect::<Vec<_>>().join("\n");
        assert_eq!(Config::from_toml(&uncommented).unwrap(), Config::default());
        assert_eq!(uncommented.lines().count(), keys().len());
    }

    #[test]
    fn wrong_files_are_refused_with_place_and_advice() {
        for (text, place, message) in [
            ("\ntaxii.pagesize = 5", "config:2:7", "unknown key `taxii.pagesize`: did you mean `taxii.page-size`?"),
            ("page-size = 5", "config:1:1", "unknown key `page-size`: did you mean `taxii.page-size`?"),
            ("[taxii]\ntitel = \"x\"", "config:2:1", "unknown key `taxii.titel`: did you mean `taxii.title`?"),
            ("frobnicate = 1", "config:1:1", "unknown key `frobnicate`: `marsad config sample` lists every key"),
            ("taxii.page-size = \"5\"", "config:1:7", "`taxii.page-size` must be a whole number from 0"),
            ("taxii.page-size = -5", "config:1:7", "`taxii.page-size` must be a whole number from 0"),
            ("taxii.page-size = 5.5", "config:1:7", "`taxii.page-size` must be a whole number from 0"),
            (
                "listen = \"here\"",
                "config:1:1",
                "`listen` must be an address and a port, such as `127.0.0.1:8443` or `[::]:8443`",
            ),
            ("plain-http = \"yes\"", "config:1:1", "`plain-http` must be true or false"),
            (
                "default-marking = \"orange\"",
                "config:1:1",
                "`default-marking` must be `clear`, `green`, `amber`, `amber+strict` or `red`",
            ),
            ("taxii.page-size = 0", "", "`taxii.page-size` must be at least 1"),
            ("taxii.page-size = 20000", "", "`taxii.page-size` must not be greater than `taxii.max-page-size`"),
            (
                "plain-http = true\nlisten = \"0.0.0.0:80\"",
                "",
                "`plain-http` is for loopback addresses only: use TLS, or listen on 127.0.0.1",
            ),
        ] {
            let error = Config::from_toml(text).unwrap_err();
            let expected = vec![Problem { place: place.to_owned(), message: message.to_owned() }];
            assert_eq!(error.problems, expected, "{text}");
        }
        let error = Config::from_toml("a = = 1").unwrap_err();
        assert!(error.to_string().starts_with("config:1:5: not TOML: "), "{error}");
    }

    #[test]
    fn every_key_is_a_variable_and_a_flag() {
        let defaults = Config::default();
        for key in keys() {
            let plain: String = match key.default.as_str() {
                "[]" if key.path == "personal.retention" => "email=30,name=2".into(),
                "[]" if key.path.starts_with("personal.") => "email=mask,name=give".into(),
                "[]" if key.path == "watch.without" => "md5,sha1".into(),
                "[]" => "a,b".into(),
                text => text.trim_matches('"').into(),
            };
            let variable = [(key.variable(), plain.clone())].into_iter();
            let by_variable = Config::load(None, variable, &[]).unwrap();
            let by_flag = Config::load(None, std::iter::empty(), &[format!("{}={plain}", key.path)]).unwrap();
            assert_eq!(by_variable, by_flag, "{}", key.path);
            if key.default != "[]" {
                assert_eq!(by_flag, defaults, "{}", key.path);
            }
        }
    }

    #[test]
    fn later_sources_win() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("config.toml");
        std::fs::write(&file, "taxii.page_size = 2\ntaxii.title = \"file\"\ndefault-marking = \"Green\"\n").unwrap();
        let environment = [("MARSAD_TAXII_PAGE_SIZE", "3"), ("MARSAD_HOME", "/nowhere"), ("PATH", "/bin")];
        let environment = || environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let config = Config::load(Some(&file), environment(), &[]).unwrap();
        assert_eq!((config.taxii.page_size, config.taxii.title.as_str()), (3, "file"));
        assert_eq!(config.policy.default_marking, DefaultMarking::Green);
        let config = Config::load(Some(&file), environment(), &["taxii.page-size=4".to_owned()]).unwrap();
        assert_eq!(config.taxii.page_size, 4);
        let error = Config::load(Some(&file), environment(), &["taxii.page-size".to_owned()]).unwrap_err();
        assert_eq!(error.to_string(), "--set taxii.page-size: `taxii.page-size` is not of the form key=value");
        let wrong = [("MARSAD_LISTEN".to_owned(), "x".to_owned())].into_iter();
        let error = Config::load(None, wrong, &[]).unwrap_err().to_string();
        assert!(error.starts_with("environment variable MARSAD_LISTEN: `listen` must be an address"), "{error}");
    }
}
