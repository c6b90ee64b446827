//! What went wrong, and who must act.

use super::Address;
use bytes::Bytes;
use http::{Response, StatusCode};
use std::time::Duration;

/// Why a transport gave no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cause {
    /// May go well another time: no connection, a connection that broke, a name that is not resolved.
    Interrupted,
    /// The answer took too long: a smaller page may help.
    Slow,
    /// The answer is larger than is read: a smaller page may help.
    TooLarge,
    /// It is not done: the address is not allowed, the certificate is not valid.
    Forbidden,
}

/// A transport's failure.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind.
    pub cause: Cause,
    /// What happened and what to do, in plain words.
    pub message: String,
}

impl Failure {
    /// Of a kind, in words.
    pub fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self { cause, message: message.into() }
    }
}

/// Why an exchange did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// We could not ask.
    #[error("no answer from {address}")]
    Unreached {
        /// Where.
        address: Address,
        /// Why.
        #[source]
        source: Failure,
    },
    /// The server does not let us.
    #[error("{address} answered {status}{}: {advice}", said.as_deref().map(|said| format!(" (“{said}”)")).unwrap_or_default())]
    Refused {
        /// Where.
        address: Address,
        /// How.
        status: StatusCode,
        /// The server's own words, cleaned and shortened.
        said: Option<String>,
        /// What to do.
        advice: &'static str,
    },
    /// The server says later, more often or for longer than we wait.
    #[error("{address} is busy ({status}){}: try again later", wait.map(|wait| format!(" and asks to wait {} s", wait.as_secs())).unwrap_or_default())]
    Busy {
        /// Where.
        address: Address,
        /// How.
        status: StatusCode,
        /// What it asked for.
        wait: Option<Duration>,
    },
    /// The server breaks the protocol.
    #[error("{address} breaks the protocol: {what}")]
    Protocol {
        /// Where.
        address: Address,
        /// What it did.
        what: String,
    },
    /// There is no such collection, or we are not shown it.
    #[error(
        "no collection `{name}` at {address}; {}",
        if known.is_empty() { "it shows us none".to_owned() } else { format!("it shows: {}", known.join(", ")) }
    )]
    NoCollection {
        /// Where.
        address: Address,
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Several collections have the title.
    #[error("several collections at {address} are called `{name}`: name one by its id: {}", ids.join(", "))]
    Ambiguous {
        /// Where.
        address: Address,
        /// What was asked for.
        name: String,
        /// Which there are.
        ids: Vec<String>,
    },
}

impl Error {
    pub(super) fn protocol(address: &Address, what: &str) -> Self {
        Self::Protocol { address: address.clone(), what: what.to_owned() }
    }

    pub(super) fn refused(address: &Address, answer: &Response<Bytes>) -> Self {
        #[derive(serde::Deserialize)]
        struct Said {
            title: String,
            description: Option<String>,
        }
        // §3.6.1; servers that answer with a page in HTML have nothing to say to us.
        let said = serde_json::from_slice::<Said>(answer.body()).ok();
        let said = said.map(|said| match said.description {
            Some(more) => clean(&format!("{}: {more}", said.title)),
            None => clean(&said.title),
        });
        let advice = match answer.status() {
            StatusCode::UNAUTHORIZED => "check the credentials; they are only sent to the host that was named",
            StatusCode::FORBIDDEN => "the server does not let this account: ask its operator",
            StatusCode::NOT_FOUND => "check the address and the rights of this account",
            StatusCode::NOT_ACCEPTABLE | StatusCode::UNSUPPORTED_MEDIA_TYPE => "it does not speak TAXII 2.1 here",
            status if status.is_server_error() => "the server failed: ask its operator, or try again later",
            status if status.is_success() => "this is not what TAXII 2.1 has it answer",
            _ => "it does not take the request",
        };
        Self::Refused { address: address.clone(), status: answer.status(), said, advice }
    }
}

/// A stranger's words, fit for a line in a terminal or a log: no control or direction characters, at most 200 characters.
pub(super) fn clean(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let mut out: String = text.chars().map(|c| if hidden(c) { ' ' } else { c }).take(200).collect();
    if text.chars().nth(200).is_some() {
        out.push('…');
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_words() {
        for (text, wanted) in [
            ("No such collection", "No such collection"),
            ("مجموعة غير معروفة", "مجموعة غير معروفة"),
            ("\u{1b}[31mred\u{1b}[0m", "[31mred [0m"),
            ("a\r\nHTTP/1.1 200 OK", "a  HTTP/1.1 200 OK"),
            ("\u{202e}gnp.exe\u{2066}", "gnp.exe"),
        ] {
            assert_eq!(clean(text), wanted);
        }
        assert_eq!(clean(&"x".repeat(1_000)).chars().count(), 201);
    }
}
