//! A notice to a web server: `POST` of JSON, signed.
//!
//! `Marsad-Signature` is `v1=` and the HMAC-SHA256, in hex, over the value of `Marsad-Timestamp` (seconds since 1970), a dot
//! and the body. The timestamp is that of the attempt, so that a receiver can refuse what is old; `Marsad-Notice` is the same
//! for every attempt.

use super::Notice;
use aws_lc_rs::hmac;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, StatusCode};
use ledger::Micros;
use taxii::client::{Cause, Failure, Transport};
use zeroize::Zeroizing;

/// The request that tells a server of a notice.
///
/// # Errors
/// [`Failure`]: not an address.
pub fn request(notice: &Notice, address: &str, secret: &[u8], now: Micros) -> Result<Request<Bytes>, Failure> {
    let body = notice.json().to_string();
    let timestamp = now.div_euclid(1_000_000).to_string();
    let signature = signature(secret, &timestamp, body.as_bytes());
    let value = |text: &str| {
        HeaderValue::from_str(text).map_err(|_| Failure::new(Cause::Forbidden, "a header that cannot be sent"))
    };
    let (id, timestamp, signature) = (value(&notice.id())?, value(&timestamp)?, value(&signature)?);
    let mut request = Request::post(address)
        .body(Bytes::from(body))
        .map_err(|_| Failure::new(Cause::Forbidden, "`alerts.webhook` is not an address"))?;
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("marsad-notice", id.clone());
    headers.insert("idempotency-key", id);
    headers.insert("marsad-timestamp", timestamp);
    headers.insert("marsad-signature", signature);
    Ok(request)
}

/// What `Marsad-Signature` says.
#[must_use]
pub fn signature(secret: &[u8], timestamp: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut context = hmac::Context::with_key(&key);
    context.update(timestamp.as_bytes());
    context.update(b".");
    context.update(body);
    let tag = context.sign();
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v1={hex}")
}

/// Tells the server.
///
/// # Errors
/// [`Failure`]: it was not reached, or did not take it.
pub async fn send<T: Transport>(transport: &T, request: Request<Bytes>) -> Result<(), Failure> {
    let answer = transport.send(request).await?;
    match answer.status() {
        status if status.is_success() => Ok(()),
        status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            let message = format!("the server answers {}: does it know the secret?", status.as_u16());
            Err(Failure::new(Cause::Interrupted, message))
        }
        status => Err(Failure::new(Cause::Interrupted, format!("the server answers {}", status.as_u16()))),
    }
}

/// Reads the secret: the file's text without the line break at its end.
///
/// # Errors
/// What to do.
pub fn secret(path: &std::path::Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let text =
        std::fs::read(path).map(Zeroizing::new).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let end = text.iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(0, |last| last + 1);
    let secret = Zeroizing::new(text.get(..end).unwrap_or_default().to_vec());
    if secret.len() < LEAST {
        return Err(format!("{} must hold at least {LEAST} characters by chance", path.display()));
    }
    Ok(secret)
}

/// Bytes of the shortest secret.
const LEAST: usize = 16;

#[cfg(test)]
mod tests {
    use super::super::tests::notice;
    use super::*;

    #[test]
    fn a_signed_request() {
        assert_eq!(signature(b"Jefe", "1764000000", b"{}"), format!("v1={}", hmac_by_hand(b"Jefe", b"1764000000.{}")));
        let hostile = Notice { name: Some("x\r\nX-Evil: 1".into()), ..notice() };
        let request = request(&hostile, "https://hook.example/a", b"0123456789abcdef", 1_764_000_000_999_999).unwrap();
        let header = |name: &str| request.headers().get(name).unwrap().to_str().unwrap();
        assert_eq!(header("marsad-timestamp"), "1764000000");
        assert_eq!(header("marsad-notice"), "5e57c739-391a-4eb3-b6be-7d15ca92d5ed.1");
        assert_eq!(header("marsad-signature"), signature(b"0123456789abcdef", "1764000000", request.body()));
        assert_eq!(request.headers().len(), 5);
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        assert_eq!(body["name"], "x\r\nX-Evil: 1", "JSON escapes it");
    }

    /// RFC 2104 over SHA-256, for keys no longer than a block.
    fn hmac_by_hand(key: &[u8], text: &[u8]) -> String {
        use aws_lc_rs::digest::{SHA256, digest};
        let pad = |with: u8| -> Vec<u8> { (0..64).map(|place| key.get(place).copied().unwrap_or(0) ^ with).collect() };
        let inner = digest(&SHA256, &[pad(0x36), text.to_vec()].concat());
        let outer = digest(&SHA256, &[pad(0x5c), inner.as_ref().to_vec()].concat());
        outer.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn a_secret_is_long_enough() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        for (text, good) in [("0123456789abcdef\n", true), ("0123456789abcde\n\n", false), ("", false)] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(secret(&path).is_ok(), good, "{text:?}");
        }
        assert!(secret(&folder.path().join("none")).is_err());
    }
}
