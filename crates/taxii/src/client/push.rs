//! Adding objects to a collection, in envelopes that the server takes (TAXII 2.1 §5.5, §4.3).

use super::{Client, Error, Found, StatusCode, Transport, error, expect, read, request};
use crate::media;
use crate::resource::{Status, StatusRow};
use bytes::{BufMut, Bytes, BytesMut};
use http::Method;
use http::header::CONTENT_TYPE;
use std::time::Duration;

/// `{"objects":[]}`.
const FRAME: usize = 14;
/// How often an envelope that is refused as a whole is halved to find what is wrong with it, in one call.
const MAX_HALVES: u32 = 200;
const FIRST_POLL: Duration = Duration::from_millis(500);
const LAST_POLL: Duration = Duration::from_secs(30);

/// What became of objects that were pushed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Pushed {
    /// The server has them.
    pub accepted: u64,
    /// The server does not take them.
    pub refused: Vec<Refusal>,
    /// Refused, and the server does not say which.
    pub unnamed: u64,
    /// Neither, when our patience ended.
    pub pending: u64,
    /// What is odd about the server, for its operator.
    pub warnings: Vec<String>,
}

/// An object that was not taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// Which; `None`: it has no id that can be read.
    pub id: Option<String>,
    /// Which version, as far as the server says.
    pub version: Option<String>,
    /// Why, in the server's cleaned words or ours.
    pub message: String,
}

impl Pushed {
    fn add(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.refused.extend(other.refused);
        self.unnamed += other.unnamed;
        self.pending += other.pending;
        self.warnings.extend(other.warnings);
        self.warnings.sort();
        self.warnings.dedup();
    }
}

impl<T: Transport> Client<T> {
    /// Adds objects to a collection, in order. An object that the server has already counts as accepted (§5.5).
    ///
    /// # Errors
    /// [`Error`]: the server was not reached or does not let us; what was sent before may have been kept, and may be sent
    /// again. What is wrong with an object is no error.
    pub async fn push(&self, to: &Found, objects: &[Bytes]) -> Result<Pushed, Error> {
        let named = to.max_content_length.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        let most = named.min(self.limits.max_envelope_bytes);
        let mut pushed = Pushed::default();
        let mut halves = MAX_HALVES;
        for envelope in envelopes(objects, most, named, self.limits.max_envelope_objects) {
            if let [object] = envelope
                && object.len() + FRAME > named
            {
                pushed.refused.push(refusal(object, format!("larger than the server takes ({named} bytes)")));
                continue;
            }
            pushed.add(self.envelope(to, envelope, &mut halves).await?);
        }
        Ok(pushed)
    }

    /// One envelope; when the server refuses it as a whole, its halves.
    async fn envelope(&self, to: &Found, objects: &[Bytes], halves: &mut u32) -> Result<Pushed, Error> {
        let mut pushed = Pushed::default();
        let mut waiting = vec![objects];
        while let Some(objects) = waiting.pop() {
            let post = request(Method::POST, &to.objects).header(CONTENT_TYPE, media::TAXII).body(body(objects));
            let post = post.map_err(|_| Error::protocol(&to.objects, "it cannot be written to"))?;
            let answer = self.exchange(&to.objects, post).await?;
            match answer.status() {
                StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY
                    if objects.len() > 1 && *halves > 0 =>
                {
                    *halves -= 1;
                    let (first, second) = objects.split_at(objects.len() / 2);
                    waiting.extend([second, first]);
                }
                StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
                    let why = Error::refused(&to.objects, &answer).to_string();
                    pushed.refused.extend(objects.iter().map(|object| refusal(object, why.clone())));
                }
                _ => {
                    expect(&to.objects, &answer, StatusCode::ACCEPTED)?;
                    let status: Status = read(&to.objects, answer.body())?;
                    let status = self.settled(to, status).await?;
                    pushed.add(judge(status, objects.len() as u64));
                }
            }
        }
        Ok(pushed)
    }

    /// Asks for a pending status until it is complete, or our patience ends.
    async fn settled(&self, to: &Found, mut status: Status) -> Result<Status, Error> {
        let (mut wait, mut waited) = (FIRST_POLL, Duration::ZERO);
        while status.status == "pending" && waited < self.limits.status_patience {
            let at = to.api_root.below(&["status", &status.id]);
            let at = at.ok_or_else(|| Error::protocol(&to.objects, "it gives a status without an id"))?;
            self.transport.pause(wait).await;
            waited += wait;
            wait = (wait * 2).min(LAST_POLL);
            status = self.resource(&at).await?;
        }
        Ok(status)
    }
}

/// What a status says of so many objects, and where it contradicts itself (§4.3.1).
fn judge(status: Status, sent: u64) -> Pushed {
    let mut pushed = Pushed { accepted: status.success_count, pending: status.pending_count, ..Pushed::default() };
    let mut warn = |wrong: bool, what: &str| {
        if wrong {
            pushed.warnings.push(format!("the server's status {what}"));
        }
    };
    let counted = [status.success_count, status.failure_count, status.pending_count].into_iter();
    let counted = counted.fold(0_u64, u64::saturating_add);
    warn(status.total_count != sent, "does not count the objects that were sent");
    warn(counted != status.total_count, "has counts that do not add up");
    for (count, list) in [
        (status.success_count, &status.successes),
        (status.failure_count, &status.failures),
        (status.pending_count, &status.pendings),
    ] {
        warn(!list.is_empty() && list.len() as u64 != count, "has a list of another length than its count");
    }
    if counted != sent || status.total_count != sent {
        // What cannot be believed is not called accepted.
        pushed.accepted = pushed.accepted.min(sent);
        let rest = sent - pushed.accepted;
        pushed.pending = rest.saturating_sub(status.failure_count);
    }
    let failed = status.failure_count.min(sent - pushed.accepted.min(sent));
    pushed.refused = status.failures.into_iter().take(usize::try_from(failed).unwrap_or(usize::MAX)).map(row).collect();
    pushed.unnamed = failed - pushed.refused.len() as u64;
    pushed
}

fn row(row: StatusRow) -> Refusal {
    let message = row.message.as_deref().map_or_else(|| "the server gives no reason".to_owned(), error::clean);
    Refusal { id: Some(error::clean(&row.id)), version: Some(error::clean(&row.version)), message }
}

fn refusal(object: &Bytes, message: String) -> Refusal {
    #[derive(serde::Deserialize)]
    struct Named {
        id: String,
    }
    let id = serde_json::from_slice::<Named>(object).ok().map(|named| error::clean(&named.id));
    Refusal { id, version: None, message }
}

/// Parts of the list that fit into an envelope; an object too large for any stands alone.
fn envelopes(objects: &[Bytes], most: usize, named: usize, count: usize) -> Vec<&[Bytes]> {
    let (most, count) = (most.min(named), count.max(1));
    let mut out = Vec::new();
    let mut rest = objects;
    while !rest.is_empty() {
        let mut bytes = FRAME;
        let fits = rest.iter().take(count).take_while(|object| {
            bytes = bytes.saturating_add(object.len() + 1);
            bytes <= most.saturating_add(1)
        });
        let (envelope, after) = rest.split_at(fits.count().max(1));
        out.push(envelope);
        rest = after;
    }
    out
}

fn body(objects: &[Bytes]) -> Bytes {
    let size = FRAME + objects.iter().map(|object| object.len() + 1).sum::<usize>();
    let mut out = BytesMut::with_capacity(size);
    out.put_slice(b"{\"objects\":[");
    for (index, object) in objects.iter().enumerate() {
        if index > 0 {
            out.put_u8(b',');
        }
        out.put_slice(object);
    }
    out.put_slice(b"]}");
    out.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(sizes: &[usize]) -> Vec<Bytes> {
        sizes.iter().map(|size| Bytes::from(vec![b'1'; *size])).collect()
    }

    #[test]
    fn envelopes_fit() {
        for (sizes, most, count, wanted) in [
            (&[][..], 100, 10, &[][..]),
            (&[10, 10, 10], 100, 10, &[3]),
            (&[10, 10, 10], 100, 2, &[2, 1]),
            // Two of 10 with a comma and the frame are 35.
            (&[10, 10, 10], 35, 10, &[2, 1]),
            (&[10, 10, 10], 34, 10, &[1, 1, 1]),
            (&[10, 1_000, 10, 10], 100, 10, &[1, 1, 2]),
        ] {
            let objects = objects(sizes);
            let split = envelopes(&objects, most, usize::MAX, count);
            assert_eq!(split.iter().map(|part| part.len()).collect::<Vec<_>>(), wanted, "{sizes:?} {most} {count}");
            assert!(split.iter().all(|part| part.len() == 1 || body(part).len() <= most));
            assert_eq!(split.concat(), objects);
        }
    }

    #[test]
    fn statuses_that_contradict_themselves() {
        let status = |total, success, failure, pending| Status {
            total_count: total,
            success_count: success,
            failure_count: failure,
            pending_count: pending,
            ..Status::of("s".into(), "t".into(), Vec::new(), Vec::new())
        };
        for (status, accepted, unnamed, pending, warnings) in [
            (status(3, 3, 0, 0), 3, 0, 0, 0),
            (status(3, 1, 2, 0), 1, 2, 0, 0),
            (status(3, 1, 1, 1), 1, 1, 1, 0),
            // It lost one of ours.
            (status(2, 2, 0, 0), 2, 0, 1, 1),
            // It took more than we sent.
            (status(9, 9, 0, 0), 3, 0, 0, 1),
            (status(3, 1, 0, 0), 1, 0, 2, 1),
            (status(3, u64::MAX, u64::MAX, 9), 3, 0, 0, 1),
        ] {
            let pushed = judge(status, 3);
            assert_eq!(
                (pushed.accepted, pushed.unnamed, pushed.pending, pushed.warnings.len()),
                (accepted, unnamed, pending, warnings),
                "{pushed:?}"
            );
        }
    }
}
