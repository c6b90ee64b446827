//! Cookies: that of a session, and that of a sign-in under way at a provider.

use crate::config::Config;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Response};

/// Which cookie.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cookie {
    /// Of a session. Never sent along by another site.
    Session,
    /// Of a sign-in at a provider. Sent along when the provider sends the browser back.
    Provider,
}

impl Cookie {
    /// `__Host-`: browsers take it over TLS alone, from this host alone, for all of it (RFC 6265bis §4.1.3.2).
    fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Session, true) => "__Host-marsad",
            (Self::Session, false) => "marsad",
            (Self::Provider, true) => "__Host-marsad-provider",
            (Self::Provider, false) => "marsad-provider",
        }
    }

    /// What was sent under this name. Several are none: somebody else may have set one of them.
    pub(crate) fn read(self, headers: &HeaderMap, config: &Config) -> Option<String> {
        let name = self.name(is_secure(config));
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut found = pairs.filter(|(given, _)| *given == name).map(|(_, value)| value);
        match (found.next(), found.next()) {
            (Some(value), None) if !value.is_empty() => Some(value.to_owned()),
            _ => None,
        }
    }

    /// Sets it for so many seconds; none takes it back.
    pub(crate) fn set<T>(self, answer: &mut Response<T>, config: &Config, value: &str, seconds: i64) {
        let secure = is_secure(config);
        let site = if self == Self::Session { "Strict" } else { "Lax" };
        let line = format!(
            "{}={value}; Path=/; Max-Age={}; HttpOnly; SameSite={site}{}",
            self.name(secure),
            seconds.max(0),
            if secure { "; Secure" } else { "" }
        );
        // The value is base64url: it can always be sent.
        if let Ok(line) = HeaderValue::from_str(&line) {
            answer.headers_mut().append(SET_COOKIE, line);
        }
    }
}

/// Whether browsers reach this node over TLS: its own, or that of a proxy in front of it.
fn is_secure(config: &Config) -> bool {
    !config.server.plain_http || config.server.public_url.starts_with("https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_read_once() {
        let plain = Config::from_toml("plain-http = true").unwrap();
        let proxied = Config::from_toml("plain-http = true\npublic-url = \"https://cti.example.org\"").unwrap();
        for (config, lines, expected) in [
            (&plain, &["marsad=a"][..], Some("a")),
            (&plain, &["x=1; marsad=a;y=2"], Some("a")),
            (&plain, &["marsad=a; marsad=b"], None),
            (&plain, &["marsad=a", "marsad=b"], None),
            (&plain, &["marsad="], None),
            (&plain, &["Marsad=a"], None),
            (&plain, &["__Host-marsad=a"], None),
            (&plain, &["marsad"], None),
            (&plain, &[], None),
            (&proxied, &["__Host-marsad=a; marsad=b"], Some("a")),
            (&proxied, &["marsad=b"], None),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(COOKIE, HeaderValue::from_static(line));
            }
            assert_eq!(Cookie::Session.read(&headers, config).as_deref(), expected, "{lines:?}");
        }
    }

    #[test]
    fn cookies_over_tls_are_bound_to_the_host() {
        let mut answer = Response::new(());
        Cookie::Session.set(&mut answer, &Config::default(), "abc", 60);
        Cookie::Provider.set(&mut answer, &Config::default(), "", -1);
        let lines: Vec<_> = answer.headers().get_all(SET_COOKIE).iter().map(|line| line.to_str().unwrap()).collect();
        assert_eq!(
            lines,
            [
                "__Host-marsad=abc; Path=/; Max-Age=60; HttpOnly; SameSite=Strict; Secure",
                "__Host-marsad-provider=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure",
            ]
        );
    }
}
