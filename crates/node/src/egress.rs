//! The one way out: every outgoing connection is made here.
//!
//! A host's addresses are looked up once, judged ([`reach`]) and pinned: what was judged is what is connected to. Redirects
//! are followed here and each hop is judged anew. Credentials go to the origin that the operator named, and nowhere
//! else. Certificates are always verified, proxies of the environment are not used, and time and size are bounded.

mod reach;
#[cfg(test)]
mod tests;
mod tls;

pub use tls::{Stream, is_here};

use crate::config::Config;
use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use reach::{Allowed, Named};
use reqwest::Url;
use std::collections::HashMap;
use std::error::Error as _;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use taxii::client::{Cause, Failure, Transport};
use zeroize::Zeroizing;

/// Redirects that are followed for one request.
const MAX_HOPS: usize = 5;
/// The bound on an answer that goes on: a year, since there must be one.
const FOR_EVER: Duration = Duration::from_secs(365 * 86_400);
/// Addresses of one host that are tried.
const MAX_ADDRESSES: usize = 16;

/// Why nothing can go out at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An entry of the list of exceptions cannot be read.
    #[error("`egress.allow`: `{0}` is neither a host name nor an address nor a network such as 10.20.0.0/16")]
    Allow(String),
    /// The file of further authorities cannot be used.
    #[error("`egress.authorities`: cannot use {file}: {message}")]
    Authorities {
        /// Which file.
        file: String,
        /// Why not.
        message: String,
    },
    /// The address that the operator named cannot be used.
    #[error("`{address}`: {message}")]
    Address {
        /// As it was written.
        address: String,
        /// Why not, and what to do.
        message: String,
    },
    /// The credentials cannot be sent.
    #[error("the {0} is empty or holds characters that cannot be sent")]
    Credentials(&'static str),
}

/// What we sign in with elsewhere. Does not print; is wiped when dropped.
#[derive(Clone)]
pub struct Credentials(Secrets);

#[derive(Clone)]
enum Secrets {
    Basic { name: String, password: Zeroizing<String> },
    Bearer(Zeroizing<String>),
}

impl Credentials {
    /// A name and a password (HTTP Basic).
    ///
    /// # Errors
    /// [`Error::Credentials`].
    pub fn basic(name: &str, password: Zeroizing<String>) -> Result<Self, Error> {
        if name.is_empty() || name.contains([':', '\r', '\n', '\0']) {
            return Err(Error::Credentials("name"));
        }
        if password.is_empty() || password.contains(['\r', '\n', '\0']) {
            return Err(Error::Credentials("password"));
        }
        Ok(Self(Secrets::Basic { name: name.to_owned(), password }))
    }

    /// A key (Bearer).
    ///
    /// # Errors
    /// [`Error::Credentials`].
    pub fn key(key: Zeroizing<String>) -> Result<Self, Error> {
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::Credentials("key"));
        }
        Ok(Self(Secrets::Bearer(key)))
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// The bounds of the way out.
#[derive(Clone, Debug)]
pub struct Egress {
    allow: Vec<Allowed>,
    authorities: Vec<reqwest::Certificate>,
    authorities_file: Option<std::path::PathBuf>,
    connect: Duration,
    answer: Duration,
    max_answer_bytes: usize,
}

impl Egress {
    /// As the configuration says; paths are relative to the node's directory.
    ///
    /// # Errors
    /// [`Error::Allow`], [`Error::Authorities`].
    pub fn new(config: &Config, home: &Path) -> Result<Self, Error> {
        let config = &config.egress;
        let allow = config.allow.iter().map(|text| text.parse().map_err(|()| Error::Allow(text.clone())));
        let authorities_file = (!config.authorities.is_empty()).then(|| home.join(&config.authorities));
        let authorities = match &authorities_file {
            None => Vec::new(),
            Some(file) => authorities(file)?,
        };
        Ok(Self {
            allow: allow.collect::<Result<_, _>>()?,
            authorities,
            authorities_file,
            connect: Duration::from_secs(config.connect_seconds),
            answer: Duration::from_secs(config.answer_seconds),
            max_answer_bytes: usize::try_from(config.max_answer_bytes).unwrap_or(usize::MAX),
        })
    }

    /// Bytes of the largest answer that is read.
    #[must_use]
    pub fn max_answer_bytes(&self) -> usize {
        self.max_answer_bytes
    }

    async fn look_up(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let failed = |why: &dyn std::fmt::Display| {
            Failure::new(Cause::Interrupted, format!("the name `{host}` cannot be looked up: {why}"))
        };
        match tokio::time::timeout(self.connect, tokio::net::lookup_host((host, port))).await {
            Err(_) => Err(failed(&"no answer in time")),
            Ok(Err(error)) => Err(failed(&error)),
            Ok(Ok(addresses)) => Ok(addresses.take(MAX_ADDRESSES).collect()),
        }
    }

    /// Opens the way to a server that the operator named. Credentials are for its origin alone.
    ///
    /// # Errors
    /// [`Error::Address`].
    pub fn to(&self, address: &str, credentials: Option<Credentials>) -> Result<Session, Error> {
        let wrong = |message: &str| Error::Address { address: shown(address), message: message.to_owned() };
        let named = Url::parse(address).map_err(|_| wrong("not an address: write it whole, with https://"))?;
        if !named.username().is_empty() || named.password().is_some() {
            return Err(wrong("credentials do not belong into an address: it is logged and shown; give them apart"));
        }
        let host = host(&named).ok_or_else(|| wrong("not an https address"))?;
        if host.parse::<IpAddr>().is_ok() && !address.to_ascii_lowercase().contains(&host) {
            // 2130706433, 0177.0.0.1, 0x7f.1: what is named has to be what is read.
            return Err(wrong(&format!("write the address as {host}")));
        }
        let session = Session {
            egress: self.clone(),
            literal: host.parse::<IpAddr>().is_ok() || host == "localhost",
            named,
            credentials,
            headers: HeaderMap::new(),
            clients: Mutex::default(),
        };
        session.check_scheme(&session.named).map_err(|failure| wrong(&failure.message))?;
        Ok(session)
    }
}

fn authorities(file: &Path) -> Result<Vec<reqwest::Certificate>, Error> {
    let wrong = |message: String| Error::Authorities { file: file.display().to_string(), message };
    let pem = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| wrong(error.to_string()))?;
    if found.is_empty() { Err(wrong("it holds no certificate in PEM".to_owned())) } else { Ok(found) }
}

/// The way to one server and to what it leads to.
pub struct Session {
    egress: Egress,
    named: Url,
    /// The operator wrote an address or `localhost`, not a name.
    literal: bool,
    credentials: Option<Credentials>,
    /// What every request to the named origin says.
    headers: HeaderMap,
    /// One a host and port, which connects to the addresses that were judged.
    clients: Mutex<HashMap<(String, u16), reqwest::Client>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("named", &self.named.as_str()).finish_non_exhaustive()
    }
}

impl Session {
    /// The same, with a header in every request to the origin that the operator named, and in no other.
    #[must_use]
    pub fn saying(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    /// Another address of the named origin.
    #[must_use]
    pub fn beside(&self, path: &str) -> Option<String> {
        self.named.join(path).ok().filter(|url| same_origin(url, &self.named)).map(String::from)
    }

    /// Opens an answer that goes on for as long as the server likes: at the named origin, without redirects.
    ///
    /// # Errors
    /// [`Failure`]: it is not reached, or does not give such an answer.
    pub async fn listen(&self, address: &str, media_type: &'static str) -> Result<Listening, Failure> {
        let url = parse(address)?;
        if !same_origin(&url, &self.named) {
            return Err(forbidden("what goes on is listened to at the address that was named, and at no other"));
        }
        let request = Request::get(address).header(ACCEPT, media_type).body(Bytes::new());
        let request = request.map_err(|_| forbidden("not an address"))?;
        let opening = self.once(&url, &request, Some(FOR_EVER));
        let slow = |_| Failure::new(Cause::Slow, "no answer in time");
        let answer = tokio::time::timeout(self.egress.answer, opening).await.map_err(slow)??;
        let named = answer.headers().get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let right = named.is_some_and(|named| named.split(';').next().unwrap_or_default().trim() == media_type);
        if answer.status() != StatusCode::OK || !right {
            let message =
                format!("the server answers {} instead of a stream of {media_type}", answer.status().as_u16());
            return Err(Failure::new(Cause::Forbidden, message));
        }
        Ok(Listening { answer })
    }

    /// Plain HTTP is for this machine alone, where the operator named it.
    fn check_scheme(&self, url: &Url) -> Result<(), Failure> {
        let host = host(url).unwrap_or_default();
        let local = host == "localhost"
            || host.parse::<IpAddr>().is_ok_and(|address| reach::Kind::of(address) == reach::Kind::Loopback);
        match url.scheme() {
            "https" => Ok(()),
            "http" if local => Ok(()),
            "http" => Err(forbidden("plain http is only for this machine: use https")),
            _ => Err(forbidden("not an https address")),
        }
    }

    /// A client that connects to the host of the address and to nothing else.
    async fn client(&self, url: &Url) -> Result<reqwest::Client, Failure> {
        self.check_scheme(url)?;
        let (Some(host), Some(port)) = (host(url), url.port_or_known_default()) else {
            return Err(forbidden("not an https address"));
        };
        let place = (host, port);
        let known = || self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = known().get(&place) {
            return Ok(client.clone());
        }
        let addresses = self.egress.look_up(&place.0, port).await?;
        let named = match (same_origin(url, &self.named), self.literal) {
            (true, true) => Named::Literally,
            (true, false) => Named::ByName,
            (false, _) => Named::ByOthers,
        };
        let ips: Vec<IpAddr> = addresses.iter().map(SocketAddr::ip).collect();
        reach::judge(&place.0, &ips, named, &self.egress.allow).map_err(forbidden)?;
        if url.scheme() == "http" && !ips.iter().all(|ip| reach::Kind::of(*ip) == reach::Kind::Loopback) {
            return Err(forbidden("plain http is only for this machine: use https"));
        }
        let client = self.build(&place.0, &addresses)?;
        known().insert(place, client.clone());
        Ok(client)
    }

    fn build(&self, host: &str, addresses: &[SocketAddr]) -> Result<reqwest::Client, Failure> {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("marsad/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .resolve_to_addrs(host, addresses)
            .min_tls_version(reqwest::tls::Version::TLS_1_2)
            .tls_certs_merge(self.egress.authorities.iter().cloned())
            .connect_timeout(self.egress.connect)
            .timeout(self.egress.answer);
        builder.build().map_err(|error| forbidden(format!("TLS cannot be set up: {}", chain(&error))))
    }

    /// One hop; `within`: another bound on the whole answer than the usual one.
    async fn once(
        &self,
        url: &Url,
        request: &Request<Bytes>,
        within: Option<Duration>,
    ) -> Result<reqwest::Response, Failure> {
        let client = self.client(url).await?;
        let mut builder = client
            .request(request.method().clone(), url.clone())
            .headers(request.headers().clone())
            .body(request.body().clone());
        if let Some(within) = within {
            builder = builder.timeout(within);
        }
        if same_origin(url, &self.named) {
            builder = builder.headers(self.headers.clone());
            builder = match &self.credentials {
                None => builder,
                Some(Credentials(Secrets::Basic { name, password })) => builder.basic_auth(name, Some(&**password)),
                Some(Credentials(Secrets::Bearer(key))) => builder.bearer_auth(&**key),
            };
        }
        builder.send().await.map_err(|error| failure(&error))
    }

    async fn read(&self, mut answer: reqwest::Response) -> Result<Response<Bytes>, Failure> {
        let most = self.egress.max_answer_bytes;
        let too_large = || {
            Failure::new(
                Cause::TooLarge,
                format!("the answer is larger than {most} bytes: see `egress.max-answer-bytes`"),
            )
        };
        if answer.content_length().is_some_and(|length| length > most as u64) {
            return Err(too_large());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| failure(&error))? {
            if body.len() + chunk.len() > most {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let mut read = Response::new(body.freeze());
        *read.status_mut() = answer.status();
        *read.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(read)
    }
}

/// An answer that goes on.
#[derive(Debug)]
pub struct Listening {
    answer: reqwest::Response,
}

impl Listening {
    /// What comes next. `None`: the server has ended it.
    ///
    /// # Errors
    /// [`Failure`]: it broke, or nothing came for so long.
    pub async fn next(&mut self, patience: Duration) -> Result<Option<Bytes>, Failure> {
        match tokio::time::timeout(patience, self.answer.chunk()).await {
            Ok(chunk) => chunk.map_err(|error| failure(&error)),
            Err(_) => Err(Failure::new(Cause::Slow, "nothing came for too long")),
        }
    }
}

impl Transport for Session {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let mut url = parse(&request.uri().to_string())?;
        for _ in 0..=MAX_HOPS {
            let answer = self.once(&url, &request, None).await?;
            let Some(target) = redirect(&url, &answer)? else { return self.read(answer).await };
            let keeps = matches!(answer.status(), StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
            if request.method() != Method::GET && !(keeps && same_origin(&target, &url)) {
                return Err(forbidden(format!(
                    "the server sends us on to {}: what we write goes to the address that was named, and to no other",
                    shown(target.as_str())
                )));
            }
            url = target;
        }
        Err(forbidden(format!("the server sends us on more than {MAX_HOPS} times")))
    }

    async fn pause(&self, wait: Duration) {
        tokio::time::sleep(wait).await;
    }

    fn now(&self) -> i64 {
        crate::clock::now()
    }

    fn chance(&self) -> u64 {
        // Without chance the waits are only less spread.
        crate::chance::bytes().map_or(0, u64::from_le_bytes)
    }
}

/// Where a redirect leads; `None`: it is none.
fn redirect(from: &Url, answer: &reqwest::Response) -> Result<Option<Url>, Failure> {
    if !matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let target = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let target = target.and_then(|target| from.join(target).ok());
    let target = target.ok_or_else(|| forbidden("the server sends us on, and does not say where to"))?;
    if !target.username().is_empty() || target.password().is_some() {
        return Err(forbidden("the server sends us on to an address with credentials in it"));
    }
    Ok(Some(target))
}

fn parse(address: &str) -> Result<Url, Failure> {
    let url = Url::parse(address).map_err(|_| forbidden("not an address"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(forbidden("an address with credentials in it"));
    }
    Ok(url)
}

/// The host as it is looked up: lower case, numbers in their usual form, no brackets, no dot at the end.
fn host(url: &Url) -> Option<String> {
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    (!host.is_empty() && matches!(url.scheme(), "https" | "http")).then(|| host.to_ascii_lowercase())
}

fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme() && a.host_str() == b.host_str() && a.port_or_known_default() == b.port_or_known_default()
}

fn forbidden(message: impl Into<String>) -> Failure {
    Failure::new(Cause::Forbidden, message)
}

/// What a failure of the client below means.
fn failure(error: &reqwest::Error) -> Failure {
    let cause = if certificate(error) {
        Cause::Forbidden
    } else if error.is_timeout() && !error.is_connect() {
        Cause::Slow
    } else {
        Cause::Interrupted
    };
    Failure::new(cause, chain(error))
}

/// Whether the certificate was not valid: no use in trying again.
fn certificate(error: &reqwest::Error) -> bool {
    let mut next = error.source();
    while let Some(error) = next {
        // An I/O error hides what it wraps from `source`.
        let mut inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let mut tls = error.downcast_ref::<rustls::Error>();
        while let Some(wrapped) = inner {
            tls = tls.or(wrapped.downcast_ref());
            inner = wrapped.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        }
        if matches!(tls, Some(rustls::Error::InvalidCertificate(_))) {
            return true;
        }
        next = error.source();
    }
    false
}

/// An error and what it comes from, without the address, which is said elsewhere.
fn chain(error: &reqwest::Error) -> String {
    let mut text = String::from(if error.is_timeout() { "no answer in time" } else { "the connection failed" });
    let mut next = error.source();
    while let Some(error) = next {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        next = error.source();
    }
    text
}

/// A stranger's address in a message.
fn shown(address: &str) -> String {
    address.chars().filter(|c| c.is_ascii_graphic()).take(200).collect()
}
