//! Answers: what is given, and the one place that turns what went wrong into a status and a few words. The operator
//! finds the whole story in the log under the request's id; the stranger learns nothing.

use ::taxii::media;
use ::taxii::resource::ErrorMessage;
use axum::body::Body;
use http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use std::time::Duration;

/// Why there is no other answer.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    title: &'static str,
    description: Option<String>,
    header: Option<(http::HeaderName, String)>,
    /// What there is that whoever asks may not have: for the audit log, never for the answer.
    withheld: Option<Box<str>>,
}

impl Refusal {
    fn new(status: StatusCode, title: &'static str) -> Self {
        Self { status, title, description: None, header: None, withheld: None }
    }

    /// 400 or 422: the request can be mended.
    pub(super) fn bad(status: StatusCode, title: &'static str, description: impl ToString) -> Self {
        Self { description: Some(description.to_string()), ..Self::new(status, title) }
    }

    /// 401: sign in.
    pub(super) fn unauthorized() -> Self {
        let challenge = r#"Basic realm="marsad", charset="UTF-8", Bearer realm="marsad""#;
        Self {
            header: Some((WWW_AUTHENTICATE, challenge.into())),
            ..Self::new(StatusCode::UNAUTHORIZED, "sign in with a name and password, or a key")
        }
    }

    /// 403: where existence is no secret.
    pub(super) fn forbidden(what: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, what)
    }

    /// 404: there is no such thing, or none that you may know of. The same words for both.
    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not found")
    }

    /// 405.
    pub(super) fn method(allowed: &'static str) -> Self {
        Self {
            header: Some((ALLOW, allowed.into())),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
        }
    }

    /// 406.
    pub(super) fn not_acceptable() -> Self {
        Self {
            description: Some(format!("send `Accept: {}`", media::TAXII)),
            ..Self::new(StatusCode::NOT_ACCEPTABLE, "this is only served as TAXII 2.1")
        }
    }

    /// 415.
    pub(super) fn unsupported() -> Self {
        Self {
            description: Some(format!("send `Content-Type: {}`", media::TAXII)),
            ..Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "this is only read as TAXII 2.1")
        }
    }

    /// 415 for the way in which a body is packed.
    pub(super) fn packed() -> Self {
        Self {
            description: Some("send it unpacked, or as gzip or zstd".to_owned()),
            header: Some((ACCEPT_ENCODING, "gzip, zstd".into())),
            ..Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "this packing is not read")
        }
    }

    /// 413.
    pub(super) fn too_large(most: u64) -> Self {
        Self {
            description: Some(format!("send at most {most} bytes at once")),
            ..Self::new(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large")
        }
    }

    /// 429.
    pub(super) fn too_many(wait: Duration) -> Self {
        Self {
            header: Some((RETRY_AFTER, (wait.as_secs() + 1).to_string())),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "too many wrong credentials: wait")
        }
    }

    /// 429 for whoever has brought what it may bring for now.
    pub(super) fn later(wait: Duration) -> Self {
        Self {
            header: Some((RETRY_AFTER, (wait.as_secs() + 1).to_string())),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "as much as was agreed has come: wait")
        }
    }

    /// 408.
    pub(super) fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "the request did not arrive in time")
    }

    /// 503 with a time to come back.
    pub(super) fn unavailable(title: &'static str) -> Self {
        Self { header: Some((RETRY_AFTER, "5".into())), ..Self::new(StatusCode::SERVICE_UNAVAILABLE, title) }
    }

    /// 507: nothing was kept.
    pub(super) fn full() -> Self {
        Self::new(StatusCode::INSUFFICIENT_STORAGE, "the server has no space left: nothing of this request was kept")
    }

    /// 500: a defect or a broken disk. The cause goes to the log.
    pub(super) fn internal(error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the server failed: its operator finds the cause in the log")
    }

    /// It is about something that exists. The answer stays the same.
    pub(super) fn of(self, what: impl Into<String>) -> Self {
        Self { withheld: Some(what.into().into_boxed_str()), ..self }
    }

    /// What exists, and how it is answered; `None`: the refusal is about nothing that does.
    pub(super) fn withheld(&self) -> Option<(&str, u16)> {
        self.withheld.as_deref().map(|what| (what, self.status.as_u16()))
    }

    /// As an answer.
    pub(super) fn answer(self, id: &str) -> Response<Body> {
        let message = ErrorMessage {
            title: self.title.to_owned(),
            description: self.description,
            error_id: Some(id.to_owned()),
            error_code: None,
            http_status: Some(self.status.as_str().to_owned()),
        };
        let mut answer = json(self.status, &message);
        if let Some((name, value)) = self.header
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            answer.headers_mut().insert(name, value);
        }
        answer
    }
}

impl From<ledger::Error> for Refusal {
    fn from(error: ledger::Error) -> Self {
        match error {
            ledger::Error::Full { path } => {
                tracing::error!(%path, "the disk is full: writes are refused, reads go on");
                Self::full()
            }
            error => Self::internal(chain(&error)),
        }
    }
}

impl From<crate::audit::Ended> for Refusal {
    fn from(_: crate::audit::Ended) -> Self {
        Self::unavailable("the server is ending")
    }
}

impl From<policy::Leak> for Refusal {
    fn from(leak: policy::Leak) -> Self {
        Self::internal(leak)
    }
}

impl From<crate::accounts::Refusal> for Refusal {
    fn from(refusal: crate::accounts::Refusal) -> Self {
        use crate::accounts::Refusal as Why;
        match refusal {
            Why::Wrong => Self::unauthorized(),
            Why::Code => Self { title: "send the code of your second factor as well", ..Self::unauthorized() },
            Why::TooMany(wait) => Self::too_many(wait),
            Why::Broken(error) => error.into(),
        }
    }
}

impl From<crate::writer::Refused> for Refusal {
    fn from(refused: crate::writer::Refused) -> Self {
        use crate::writer::Refused as Why;
        match refused {
            Why::Busy => Self::unavailable("too many writes are waiting: come back in a moment"),
            Why::Ending => Self::unavailable("the server is ending"),
            Why::Failed(error) => match &*error {
                ledger::Error::Full { path } => {
                    tracing::error!(%path, "the disk is full: writes are refused, reads go on");
                    Self::full()
                }
                error => Self::internal(chain(error)),
            },
        }
    }
}

/// An error with everything behind it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// A resource.
pub(super) fn json(status: StatusCode, resource: &impl serde::Serialize) -> Response<Body> {
    match serde_json::to_vec(resource) {
        Ok(text) => bytes(status, text),
        Err(error) => {
            tracing::error!(%error, "a resource could not be written");
            bytes(StatusCode::INTERNAL_SERVER_ERROR, Vec::new())
        }
    }
}

/// Bytes that are a TAXII resource already.
pub(super) fn bytes(status: StatusCode, text: Vec<u8>) -> Response<Body> {
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media::TAXII));
    answer
}

/// A word of text.
pub(super) fn text(status: StatusCode, content_type: &'static str, text: impl Into<Body>) -> Response<Body> {
    let mut answer = Response::new(text.into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
