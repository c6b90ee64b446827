//! Addresses to endpoints, as a pure function. A trailing slash may be missing.

use std::borrow::Cow;

/// What an address names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Route {
    /// `/taxii2/`
    Discovery,
    /// `/{root}/`
    ApiRoot,
    /// `/{root}/status/{id}/`
    Status(String),
    /// `/{root}/collections/`
    Collections,
    /// `/{root}/collections/{id}/`
    Collection(String),
    /// `/{root}/collections/{id}/manifest/`
    Manifest(String),
    /// `/{root}/collections/{id}/objects/`
    Objects(String),
    /// `/{root}/collections/{id}/objects/{object}/`
    Object(String, String),
    /// `/{root}/collections/{id}/objects/{object}/versions/`
    Versions(String, String),
    /// `/health`
    Health,
    /// `/ready`
    Ready,
    /// `/metrics`
    Metrics,
    /// `/api/first-sign-in`
    FirstSignIn,
    /// `/api/links/notices`
    Notices,
    /// `/api/links/cards`
    Cards,
    /// Members: below `/api/`
    People(People),
    /// Who may see what: below `/api/`
    Sharing(Sharing),
    /// The blind meeting: below `/api/`
    Meetings(Meetings),
    /// What the watch found: below `/api/`
    Alerts(Alerts),
    /// Nothing that is here.
    Unknown,
}

/// What an address names that is about members.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum People {
    /// `/api/session`
    Session,
    /// `/api/accounts`
    Accounts,
    /// `/api/accounts/{name}`
    Account(String),
    /// `/api/accounts/{name}/keys`
    Keys(String),
    /// `/api/accounts/{name}/keys/{key}`
    Key(String, String),
    /// `/api/accounts/{name}/sessions`
    Sessions(String),
    /// `/api/accounts/{name}/sessions/{session}`
    OneSession(String, String),
    /// `/api/accounts/{name}/totp`
    Totp(String),
    /// `/api/accounts/{name}/recovery`
    Recovery(String),
    /// `/api/oidc/start`
    OidcStart,
    /// `/api/oidc/callback`
    OidcCallback,
    /// `/api/oidc/link`
    OidcLink,
}

impl People {
    fn of(parts: &[&str]) -> Option<Self> {
        let s = |text: &str| text.to_owned();
        Some(match parts {
            ["session"] => Self::Session,
            ["accounts"] => Self::Accounts,
            ["accounts", name] => Self::Account(s(name)),
            ["accounts", name, "keys"] => Self::Keys(s(name)),
            ["accounts", name, "keys", key] => Self::Key(s(name), s(key)),
            ["accounts", name, "sessions"] => Self::Sessions(s(name)),
            ["accounts", name, "sessions", session] => Self::OneSession(s(name), s(session)),
            ["accounts", name, "totp"] => Self::Totp(s(name)),
            ["accounts", name, "recovery"] => Self::Recovery(s(name)),
            ["oidc", "start"] => Self::OidcStart,
            ["oidc", "callback"] => Self::OidcCallback,
            ["oidc", "link"] => Self::OidcLink,
            _ => return None,
        })
    }
}

macro_rules! facts {
    ($routes:ident, $list:ident: $($route:pat => $pattern:literal, $methods:literal;)+) => {
        const $list: &[&str] = &[$($pattern),+];

        impl $routes {
            /// Its pattern and the methods that it knows.
            fn facts(&self) -> (&'static str, &'static str) {
                match self { $($route => ($pattern, $methods),)+ }
            }
        }
    };
}

facts! {
    People, PEOPLE:
    Self::Session => "/api/session", "GET, HEAD, POST, DELETE, OPTIONS";
    Self::Accounts => "/api/accounts", "GET, HEAD, POST, OPTIONS";
    Self::Account(_) => "/api/accounts/{name}", "GET, HEAD, PATCH, DELETE, OPTIONS";
    Self::Keys(_) => "/api/accounts/{name}/keys", "GET, HEAD, POST, OPTIONS";
    Self::Key(..) => "/api/accounts/{name}/keys/{key}", "DELETE, OPTIONS";
    Self::Sessions(_) => "/api/accounts/{name}/sessions", "GET, HEAD, DELETE, OPTIONS";
    Self::OneSession(..) => "/api/accounts/{name}/sessions/{session}", "DELETE, OPTIONS";
    Self::Totp(_) => "/api/accounts/{name}/totp", "POST, DELETE, OPTIONS";
    Self::Recovery(_) => "/api/accounts/{name}/recovery", "POST, OPTIONS";
    Self::OidcStart => "/api/oidc/start", "GET, OPTIONS";
    Self::OidcCallback => "/api/oidc/callback", "GET, OPTIONS";
    Self::OidcLink => "/api/oidc/link", "POST, OPTIONS";
}

macro_rules! patterns {
    ($($route:pat => $pattern:literal,)+; $($deep:pat in $list:ident => $of:expr,)*) => {
        /// The pattern of every endpoint, by group. It cannot miss one: the match below is made of the same lines.
        pub const PATTERNS: &[&[&str]] = &[&[$($pattern),+], $($list),*];

        impl Route {
            /// Its pattern, for logs and metrics: never a name that came from outside.
            pub(super) fn pattern(&self) -> &'static str {
                match self { $($route => $pattern,)+ $($deep => $of,)* }
            }
        }
    };
}

patterns! {
    Self::Discovery => "/taxii2/",
    Self::ApiRoot => "/{root}/",
    Self::Status(_) => "/{root}/status/{id}/",
    Self::Collections => "/{root}/collections/",
    Self::Collection(_) => "/{root}/collections/{id}/",
    Self::Manifest(_) => "/{root}/collections/{id}/manifest/",
    Self::Objects(_) => "/{root}/collections/{id}/objects/",
    Self::Object(..) => "/{root}/collections/{id}/objects/{object}/",
    Self::Versions(..) => "/{root}/collections/{id}/objects/{object}/versions/",
    Self::Health => "/health",
    Self::Ready => "/ready",
    Self::Metrics => "/metrics",
    Self::FirstSignIn => "/api/first-sign-in",
    Self::Notices => "/api/links/notices",
    Self::Cards => "/api/links/cards",
    Self::Unknown => "unknown",
    ;
    Self::People(people) in PEOPLE => people.facts().0,
    Self::Sharing(sharing) in SHARING => sharing.facts().0,
    Self::Meetings(meetings) in MEETINGS => meetings.facts().0,
    Self::Alerts(alerts) in ALERTS => alerts.facts().0,
}

/// What an address names that is about who may see what.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Sharing {
    /// `/api/why`
    Why,
    /// `/api/who`
    Who,
    /// `/api/groups`
    Groups,
    /// `/api/groups/{id}`
    Group(String),
    /// `/api/organisations`
    Organisations,
    /// `/api/organisations/{name}`
    Organisation(String),
    /// `/api/markings`
    Markings,
    /// `/api/markings/{id}`
    Marking(String),
    /// `/api/objects/{id}/restrict`
    Restrict(String),
    /// `/api/objects/{id}/recall`
    Recall(String),
}

impl Sharing {
    fn of(parts: &[&str]) -> Option<Self> {
        let s = |text: &str| text.to_owned();
        Some(match parts {
            ["why"] => Self::Why,
            ["who"] => Self::Who,
            ["groups"] => Self::Groups,
            ["groups", id] => Self::Group(s(id)),
            ["organisations"] => Self::Organisations,
            ["organisations", name] => Self::Organisation(s(name)),
            ["markings"] => Self::Markings,
            ["markings", id] => Self::Marking(s(id)),
            ["objects", id, "restrict"] => Self::Restrict(s(id)),
            ["objects", id, "recall"] => Self::Recall(s(id)),
            _ => return None,
        })
    }
}

facts! {
    Sharing, SHARING:
    Self::Why => "/api/why", "GET, HEAD, OPTIONS";
    Self::Who => "/api/who", "GET, HEAD, OPTIONS";
    Self::Groups => "/api/groups", "GET, HEAD, POST, OPTIONS";
    Self::Group(_) => "/api/groups/{id}", "GET, HEAD, PATCH, DELETE, OPTIONS";
    Self::Organisations => "/api/organisations", "GET, HEAD, POST, OPTIONS";
    Self::Organisation(_) => "/api/organisations/{name}", "PATCH, OPTIONS";
    Self::Markings => "/api/markings", "GET, HEAD, OPTIONS";
    Self::Marking(_) => "/api/markings/{id}", "GET, HEAD, PUT, DELETE, OPTIONS";
    Self::Restrict(_) => "/api/objects/{id}/restrict", "POST, OPTIONS";
    Self::Recall(_) => "/api/objects/{id}/recall", "GET, HEAD, POST, OPTIONS";
}

/// What an address names that is about the blind meeting.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Meetings {
    /// `/api/meetings`
    Begin,
    /// `/api/meetings/{id}/elements/{page}`
    Elements(String, String),
    /// `/api/meetings/{id}/tags/{page}`
    Tags(String, String),
    /// `/api/meetings/{id}/echoes`
    Echoes(String),
}

impl Meetings {
    fn of(parts: &[&str]) -> Option<Self> {
        let s = |text: &str| text.to_owned();
        Some(match parts {
            ["meetings"] => Self::Begin,
            ["meetings", id, "elements", page] => Self::Elements(s(id), s(page)),
            ["meetings", id, "tags", page] => Self::Tags(s(id), s(page)),
            ["meetings", id, "echoes"] => Self::Echoes(s(id)),
            _ => return None,
        })
    }
}

facts! {
    Meetings, MEETINGS:
    Self::Begin => "/api/meetings", "POST, OPTIONS";
    Self::Elements(..) => "/api/meetings/{id}/elements/{page}", "PUT, OPTIONS";
    Self::Tags(..) => "/api/meetings/{id}/tags/{page}", "GET, HEAD, OPTIONS";
    Self::Echoes(_) => "/api/meetings/{id}/echoes", "PUT, OPTIONS";
}

/// What an address names that is about alerts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Alerts {
    /// `/api/alerts`
    List,
    /// `/api/alerts/stream`
    Stream,
    /// `/api/alerts/{id}`
    One(String),
}

impl Alerts {
    fn of(parts: &[&str]) -> Option<Self> {
        Some(match parts {
            ["alerts"] => Self::List,
            ["alerts", "stream"] => Self::Stream,
            ["alerts", id] => Self::One((*id).to_owned()),
            _ => return None,
        })
    }
}

facts! {
    Alerts, ALERTS:
    Self::List => "/api/alerts", "GET, HEAD, POST, OPTIONS";
    Self::Stream => "/api/alerts/stream", "GET, OPTIONS";
    Self::One(_) => "/api/alerts/{id}", "GET, HEAD, POST, OPTIONS";
}

impl Route {
    /// The methods that it knows, as `Allow` lists them.
    pub(super) fn allowed(&self) -> &'static str {
        match self {
            Self::Objects(_) => "GET, HEAD, POST, OPTIONS",
            Self::Object(..) => "GET, HEAD, DELETE, OPTIONS",
            Self::FirstSignIn | Self::Cards => "POST, OPTIONS",
            Self::Notices => "GET, OPTIONS",
            Self::People(people) => people.facts().1,
            Self::Sharing(sharing) => sharing.facts().1,
            Self::Meetings(meetings) => meetings.facts().1,
            Self::Alerts(alerts) => alerts.facts().1,
            _ => "GET, HEAD, OPTIONS",
        }
    }

    /// Whether it is TAXII's: negotiated and signed in as TAXII says.
    pub(super) fn is_taxii(&self) -> bool {
        let own = matches!(
            self,
            Self::Health
                | Self::Ready
                | Self::Metrics
                | Self::FirstSignIn
                | Self::Notices
                | Self::Cards
                | Self::Unknown
        );
        !own && !matches!(self, Self::People(_) | Self::Sharing(_) | Self::Meetings(_) | Self::Alerts(_))
    }
}

/// Finds the endpoint of a path.
pub(super) fn of(path: &str, root: &str) -> Route {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let Some(parts) = path.split('/').map(decoded).collect::<Option<Vec<_>>>() else { return Route::Unknown };
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    match parts.as_slice() {
        ["taxii2"] => Route::Discovery,
        ["health"] => Route::Health,
        ["ready"] => Route::Ready,
        ["metrics"] => Route::Metrics,
        ["api", "first-sign-in"] => Route::FirstSignIn,
        ["api", "links", "notices"] => Route::Notices,
        ["api", "links", "cards"] => Route::Cards,
        ["api", rest @ ..] if rest.iter().all(|part| !part.is_empty()) => {
            let people = People::of(rest).map(Route::People);
            let sharing = || Sharing::of(rest).map(Route::Sharing);
            let meetings = || Meetings::of(rest).map(Route::Meetings);
            let alerts = || Alerts::of(rest).map(Route::Alerts);
            people.or_else(sharing).or_else(meetings).or_else(alerts).unwrap_or(Route::Unknown)
        }
        [first, rest @ ..] if *first == root => below_root(rest),
        _ => Route::Unknown,
    }
}

fn below_root(parts: &[&str]) -> Route {
    if parts.iter().any(|part| part.is_empty()) {
        return Route::Unknown;
    }
    match parts {
        [] => Route::ApiRoot,
        ["status", id] => Route::Status((*id).to_owned()),
        ["collections"] => Route::Collections,
        ["collections", id] => Route::Collection((*id).to_owned()),
        ["collections", id, "manifest"] => Route::Manifest((*id).to_owned()),
        ["collections", id, "objects"] => Route::Objects((*id).to_owned()),
        ["collections", id, "objects", object] => Route::Object((*id).to_owned(), (*object).to_owned()),
        ["collections", id, "objects", object, "versions"] => Route::Versions((*id).to_owned(), (*object).to_owned()),
        _ => Route::Unknown,
    }
}

/// Undoes the encoding of a value in a query, where `+` is a space.
pub(super) fn decoded_query(value: &str) -> Option<String> {
    decoded(&value.replace('+', " ")).map(Cow::into_owned)
}

/// Undoes percent-encoding of one part of a path.
fn decoded(part: &str) -> Option<Cow<'_, str>> {
    if !part.contains('%') {
        return Some(Cow::Borrowed(part));
    }
    let mut out = Vec::with_capacity(part.len());
    let mut bytes = part.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
        out.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        let s = str::to_owned;
        let table = [
            ("/taxii2/", Route::Discovery),
            ("/taxii2", Route::Discovery),
            ("/exchange/", Route::ApiRoot),
            ("/other/", Route::Unknown),
            ("/", Route::Unknown),
            ("//", Route::Unknown),
            ("/exchange//collections/", Route::Unknown),
            ("/exchange/collections", Route::Collections),
            ("/exchange/collections/a/", Route::Collection(s("a"))),
            ("/exchange/collections/a%20b/", Route::Collection(s("a b"))),
            ("/exchange/collections/a%2Fobjects/", Route::Collection(s("a/objects"))),
            ("/exchange/collections/%ff/", Route::Unknown),
            ("/exchange/collections/a/objects/", Route::Objects(s("a"))),
            ("/exchange/collections/a/objects/x--1/", Route::Object(s("a"), s("x--1"))),
            ("/exchange/collections/a/objects/x--1/versions/", Route::Versions(s("a"), s("x--1"))),
            ("/exchange/collections/a/manifest/", Route::Manifest(s("a"))),
            ("/exchange/status/1/", Route::Status(s("1"))),
            ("/exchange/status/", Route::Unknown),
            ("/health", Route::Health),
            ("/metrics/", Route::Metrics),
            ("/api/links/notices", Route::Notices),
            ("/api/links/cards", Route::Cards),
            ("/api/links", Route::Unknown),
            ("/api/session", Route::People(People::Session)),
            ("/api/accounts/", Route::People(People::Accounts)),
            ("/api/accounts/a%40b", Route::People(People::Account(s("a@b")))),
            ("/api/accounts/a%2Fkeys", Route::People(People::Account(s("a/keys")))),
            ("/api/accounts/a/keys/k", Route::People(People::Key(s("a"), s("k")))),
            ("/api/accounts/a/sessions/s", Route::People(People::OneSession(s("a"), s("s")))),
            ("/api/accounts//keys", Route::Unknown),
            ("/api/why", Route::Sharing(Sharing::Why)),
            ("/api/who/", Route::Sharing(Sharing::Who)),
            ("/api/groups/g", Route::Sharing(Sharing::Group(s("g")))),
            ("/api/organisations/CERT%20North", Route::Sharing(Sharing::Organisation(s("CERT North")))),
            ("/api/markings/", Route::Sharing(Sharing::Markings)),
            ("/api/markings/m", Route::Sharing(Sharing::Marking(s("m")))),
            ("/api/objects/x--1/restrict", Route::Sharing(Sharing::Restrict(s("x--1")))),
            ("/api/meetings/", Route::Meetings(Meetings::Begin)),
            ("/api/meetings/m/elements/0", Route::Meetings(Meetings::Elements(s("m"), s("0")))),
            ("/api/meetings/m/tags/7", Route::Meetings(Meetings::Tags(s("m"), s("7")))),
            ("/api/meetings/m/echoes", Route::Meetings(Meetings::Echoes(s("m")))),
            ("/api/meetings/m", Route::Unknown),
            ("/api/objects/x--1/recall", Route::Sharing(Sharing::Recall(s("x--1")))),
            ("/api/objects/x--1", Route::Unknown),
            ("/api/alerts/", Route::Alerts(Alerts::List)),
            ("/api/alerts/stream", Route::Alerts(Alerts::Stream)),
            ("/api/alerts/a", Route::Alerts(Alerts::One(s("a")))),
            ("/api/accounts/a/passwords", Route::Unknown),
            ("/api/", Route::Unknown),
        ];
        for (path, wanted) in table {
            assert_eq!(of(path, "exchange"), wanted, "{path}");
        }
    }
}
