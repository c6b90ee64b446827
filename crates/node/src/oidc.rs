//! Signing in at a provider: OpenID Connect Core 1.0, authorization code with PKCE (RFC 7636), as a relying party.
//!
//! Nothing is kept of a sign-in under way: what has to be known when the person comes back is sealed into a cookie of its
//! browser. A member is found by issuer and subject alone, never by an address or a name that the provider gives.

mod token;

use crate::chance;
use crate::egress::{self, Egress};
use crate::home::{Home, Secret};
use crate::sealed;
use crate::totp::escaped;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use ledger::Micros;
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq as _;
use taxii::client::Transport as _;
use token::{Expected, Keys};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

pub use token::Wrong;

const SEAL: &str = "marsad 2026-11 sign-in at a provider";
/// A person has so long to sign in at the provider.
const FLOW: Micros = 600_000_000;
/// What the provider says of itself, and its keys, are asked for again after this time.
const KEPT: Duration = Duration::from_secs(3_600);
/// A provider that failed, or that had not the key we looked for, is left alone for this time.
const PAUSE: Duration = Duration::from_secs(10);
/// The largest answer that is looked at.
const LARGEST: usize = 1 << 20;
/// The path to which the provider sends people back.
pub const CALLBACK: &str = "/api/oidc/callback";

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration cannot be used.
    #[error("{0}")]
    Config(String),
    /// There is no randomness.
    #[error(transparent)]
    Chance(#[from] chance::NoChance),
    /// Nothing can be sealed.
    #[error(transparent)]
    Sealed(#[from] sealed::NotSealed),
    /// The provider cannot be reached or does not say what it must.
    #[error("the provider {0}: {1}")]
    Provider(&'static str, String),
    /// What came back does not belong to what was begun here.
    #[error("the answer does not belong to a sign-in that was begun here, or came too late")]
    State,
    /// The provider did not sign the person in.
    #[error("the provider refused")]
    Denied,
    /// The token does not hold.
    #[error("the token of the provider does not hold: {0}")]
    Token(#[from] Wrong),
}

/// The provider that the configuration names.
pub struct Provider {
    issuer: String,
    client_id: String,
    client_secret: Option<Zeroizing<String>>,
    scope: String,
    callback: String,
    egress: Egress,
    secret: Secret,
    metadata: Mutex<Cached<Metadata>>,
    keys: Mutex<Cached<Keys>>,
}

struct Cached<T> {
    held: Option<(T, Instant)>,
    failed: Option<Instant>,
}

/// What a provider says of itself (OpenID Connect Discovery 1.0 §3), as far as we need it.
#[derive(Clone, serde::Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

/// What is sealed into the cookie of a sign-in under way.
#[derive(serde::Deserialize, serde::Serialize)]
struct Flow {
    state: String,
    nonce: String,
    verifier: String,
    until: Micros,
    /// Begun by this session, to bind the identity to its member.
    session: Option<[u8; 32]>,
}

/// A sign-in that was begun.
pub struct Begun {
    /// Where the person goes.
    pub location: String,
    /// For the cookie.
    pub cookie: String,
}

/// Somebody whom the provider signed in.
#[derive(Debug)]
pub struct Signed {
    /// The provider.
    pub issuer: String,
    /// Its name for the person.
    pub subject: String,
    /// The session that began, to bind this identity to its member.
    pub session: Option<[u8; 32]>,
}

/// What came back in the address (OpenID Connect Core §3.1.2.5, RFC 9207).
#[derive(Debug, Default)]
pub struct Answer {
    /// Is exchanged for the token.
    pub code: Option<String>,
    /// As it was sent.
    pub state: Option<String>,
    /// Why not.
    pub error: Option<String>,
    /// Who answers.
    pub iss: Option<String>,
}

impl Provider {
    /// As configured; `None`: there is none.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn new(home: &Home, config: &crate::config::Config, secret: &Secret) -> Result<Option<Self>, Error> {
        let oidc = &config.oidc;
        if oidc.issuer.is_empty() {
            return Ok(None);
        }
        let egress = Egress::new(config, home.path()).map_err(|error| Error::Config(error.to_string()))?;
        egress.to(&oidc.issuer, None).map_err(|error| Error::Config(format!("`oidc.issuer`: {error}")))?;
        let client_secret = match oidc.client_secret_file.as_str() {
            "" => None,
            file => Some(read_secret(&home.resolve(std::path::Path::new(file)))?),
        };
        Ok(Some(Self {
            issuer: oidc.issuer.clone(),
            client_id: oidc.client_id.clone(),
            client_secret,
            scope: oidc.scope.clone(),
            callback: format!("{}{CALLBACK}", config.server.public_url.trim_end_matches('/')),
            egress,
            secret: secret.clone(),
            metadata: Mutex::new(Cached { held: None, failed: None }),
            keys: Mutex::new(Cached { held: None, failed: None }),
        }))
    }

    /// The issuer, letter by letter as it is configured.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Begins a sign-in; with a session, the binding of an identity to that session's member.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn begin(&self, session: Option<[u8; 32]>, now: Micros) -> Result<Begun, Error> {
        let metadata = self.metadata().await?;
        let flow =
            Flow { state: random()?, nonce: random()?, verifier: random()?, until: now.saturating_add(FLOW), session };
        let challenge = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, flow.verifier.as_bytes());
        let mut location = metadata.authorization_endpoint.clone();
        location.push(if location.contains('?') { '&' } else { '?' });
        let parameters = [
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.callback),
            ("scope", &self.scope),
            ("state", &flow.state),
            ("nonce", &flow.nonce),
            ("code_challenge", &BASE64_URL_SAFE_NO_PAD.encode(challenge)),
            ("code_challenge_method", "S256"),
        ];
        location.push_str(&form(&parameters));
        let plain = serde_json::to_vec(&flow).map_err(|_| Error::State)?;
        let sealed = sealed::seal(&self.secret, SEAL, &self.issuer, &plain)?;
        Ok(Begun { location, cookie: BASE64_URL_SAFE_NO_PAD.encode(sealed) })
    }

    /// Judges what came back.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn complete(&self, cookie: &str, answer: &Answer, now: Micros) -> Result<Signed, Error> {
        let flow = self.open(cookie, now)?;
        let state = answer.state.as_deref().unwrap_or_default();
        if !bool::from(state.as_bytes().ct_eq(flow.state.as_bytes())) {
            return Err(Error::State);
        }
        if answer.iss.as_ref().is_some_and(|iss| *iss != self.issuer) {
            return Err(Error::State);
        }
        if answer.error.is_some() {
            return Err(Error::Denied);
        }
        let code = answer.code.as_deref().filter(|code| !code.is_empty() && code.len() <= 4_096).ok_or(Error::State)?;
        let token = self.exchange(code, &flow.verifier).await?;
        let claims = self.verified(&token).await?;
        let expected = Expected { issuer: &self.issuer, client: &self.client_id, nonce: &flow.nonce };
        let subject = claims.checked(&expected, now.div_euclid(1_000_000))?;
        Ok(Signed { issuer: self.issuer.clone(), subject, session: flow.session })
    }

    fn open(&self, cookie: &str, now: Micros) -> Result<Flow, Error> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(cookie).map_err(|_| Error::State)?;
        let plain = sealed::open(&self.secret, SEAL, &self.issuer, &sealed).ok_or(Error::State)?;
        let flow: Flow = serde_json::from_slice(&plain).map_err(|_| Error::State)?;
        if now < flow.until { Ok(flow) } else { Err(Error::State) }
    }

    /// Gives the code for the token (OpenID Connect Core §3.1.3).
    async fn exchange(&self, code: &str, verifier: &str) -> Result<String, Error> {
        #[derive(serde::Deserialize)]
        struct Given {
            id_token: String,
        }
        let metadata = self.metadata().await?;
        let mut parameters = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.callback),
            ("code_verifier", verifier),
            ("client_id", &self.client_id),
        ];
        let methods = &metadata.token_endpoint_auth_methods_supported;
        let in_body = !methods.is_empty()
            && !methods.iter().any(|method| method == "client_secret_basic")
            && methods.iter().any(|method| method == "client_secret_post");
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(&metadata.token_endpoint)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT, "application/json");
        match &self.client_secret {
            Some(secret) if in_body => parameters.push(("client_secret", secret)),
            Some(secret) => {
                // RFC 6749 §2.3.1: both are form-encoded first.
                let pair = Zeroizing::new(format!("{}:{}", escaped(&self.client_id), escaped(secret)));
                request = request.header(AUTHORIZATION, format!("Basic {}", BASE64_STANDARD.encode(&*pair)));
            }
            None => {}
        }
        let body = Bytes::from(form(&parameters));
        let request = request.body(body).map_err(|error| provider("has no address for tokens", &error))?;
        let answer = self.ask(request).await?;
        let given: Given = serde_json::from_slice(&answer).map_err(|error| provider("gave no token", &error))?;
        Ok(given.id_token)
    }

    /// The claims of a token whose signature holds. Keys are asked for again when there is none that fits.
    async fn verified(&self, token: &str) -> Result<token::Claims, Error> {
        let mut cached = self.keys.lock().await;
        let fresh = cached.held.as_ref().filter(|(_, since)| since.elapsed() < KEPT);
        if let Some((keys, since)) = fresh {
            match keys.verify(token) {
                Err(Wrong::NoKey) if since.elapsed() >= PAUSE => {}
                done => return Ok(done?),
            }
        }
        let address = self.metadata().await?.jwks_uri;
        let text = self.get(&address).await?;
        let keys = Keys::read(&text).ok_or_else(|| provider("has no keys", &"not a JWK set"))?;
        let claims = keys.verify(token);
        cached.held = Some((keys, Instant::now()));
        Ok(claims?)
    }

    async fn metadata(&self) -> Result<Metadata, Error> {
        let mut cached = self.metadata.lock().await;
        if let Some((metadata, since)) = &cached.held
            && since.elapsed() < KEPT
        {
            return Ok(metadata.clone());
        }
        if cached.failed.is_some_and(|failed| failed.elapsed() < PAUSE) {
            return Err(provider("failed a moment ago", &"it is asked again soon"));
        }
        match self.discover().await {
            Ok(metadata) => {
                *cached = Cached { held: Some((metadata.clone(), Instant::now())), failed: None };
                Ok(metadata)
            }
            Err(error) => {
                cached.failed = Some(Instant::now());
                Err(error)
            }
        }
    }

    async fn discover(&self) -> Result<Metadata, Error> {
        let address = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let text = self.get(&address).await?;
        let metadata: Metadata =
            serde_json::from_slice(&text).map_err(|error| provider("does not describe itself", &error))?;
        // Discovery §4.3: letter by letter.
        if metadata.issuer != self.issuer {
            return Err(provider("calls itself otherwise", &"`oidc.issuer` must be what it says"));
        }
        for address in [&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri] {
            // The way out judges the ones that we go to ourselves again, with where they lead.
            let local = self.issuer.starts_with("http://") && address.starts_with("http://");
            if !local && !address.starts_with("https://") {
                return Err(provider("names an address that is not https", &"see its discovery document"));
            }
        }
        Ok(metadata)
    }

    async fn get(&self, address: &str) -> Result<Bytes, Error> {
        let request = Request::builder().uri(address).header(ACCEPT, "application/json").body(Bytes::new());
        self.ask(request.map_err(|error| provider("names an address that is none", &error))?).await
    }

    /// One request on the one way out. The issuer is what the operator named; whatever else the provider names is judged
    /// as a stranger's address.
    async fn ask(&self, request: Request<Bytes>) -> Result<Bytes, Error> {
        let way: egress::Session =
            self.egress.to(&self.issuer, None).map_err(|error| provider("cannot be reached", &error))?;
        let answer = way.send(request).await.map_err(|failure| provider("cannot be reached", &failure.message))?;
        if answer.status() != StatusCode::OK {
            return Err(provider("refused", &answer.status()));
        }
        if answer.body().len() > LARGEST {
            return Err(provider("says too much", &"its answer is too large"));
        }
        Ok(answer.into_body())
    }
}

fn provider(what: &'static str, why: &dyn std::fmt::Display) -> Error {
    Error::Provider(what, why.to_string())
}

fn read_secret(path: &std::path::Path) -> Result<Zeroizing<String>, Error> {
    let wrong =
        |why: &dyn std::fmt::Display| Error::Config(format!("`oidc.client-secret-file`: {}: {why}", path.display()));
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(|error| wrong(&error))?);
    let secret = text.trim();
    if secret.is_empty() { Err(wrong(&"it is empty")) } else { Ok(Zeroizing::new(secret.to_owned())) }
}

/// 256 random bits in 43 letters, which RFC 7636 §4.1 takes as a verifier.
fn random() -> Result<String, Error> {
    Ok(BASE64_URL_SAFE_NO_PAD.encode(chance::bytes::<32>()?))
}

fn form(parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = parameters.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
    pairs.join("&")
}
