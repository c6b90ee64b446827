//! The signed statements that wait on both sides: recalls, receipts, notices of groups.

use super::{Book, Error, Round, Running};
use crate::partners::mailbox;
use crate::partners::recalls::{Took, pump_foreign};
use bytes::Bytes;
use http::StatusCode;
use ledger::Mail;
use partner::signed::{self, Unverified};
use taxii::client::{Client, Found, Position, Selection, Transport};

/// Statements that are sent at once.
const PAGE: usize = 200;
/// Pages of statements that one round takes or gives.
const PAGES: usize = 50;

impl<B: Book> Running<'_, B> {
    /// Takes what waits there for us, and gives what waits here for them.
    pub(super) async fn exchange_mail<T: Transport>(
        &mut self,
        client: &Client<T>,
        found: &Found,
        done: &mut Round,
    ) -> Result<(), Error> {
        let Some(theirs) = found.api_root.below(&["collections", mailbox::ID, "objects"]) else { return Ok(()) };
        let mut theirs = Found { objects: theirs, ..found.clone() };
        theirs.collection.id = mailbox::ID.to_owned();
        self.take_mail(client, &theirs, done).await?;
        self.give_mail(client, &theirs, done).await
    }

    async fn take_mail<T: Transport>(
        &mut self,
        client: &Client<T>,
        theirs: &Found,
        done: &mut Round,
    ) -> Result<(), Error> {
        // By partner and not by link: two links to one partner empty one mailbox.
        let note = format!("mail of {} at {}", self.job.partner.organisation.to_lowercase(), theirs.objects);
        let kept = self.here.book.note(&note)?;
        let position: Position = kept.and_then(|kept| serde_json::from_slice(&kept).ok()).unwrap_or_default();
        let mut reading = client.pull(&theirs.objects, &Selection::default(), position);
        for _ in 0..PAGES {
            let page = match reading.next_page().await {
                Ok(Some(page)) => page,
                Ok(None) => break,
                Err(error) if is_closed(&error) => {
                    done.warn("the partner has no mailbox for us: it has not confirmed our card, or this account may not read");
                    break;
                }
                Err(error) => return Err(error.into()),
            };
            let mut control = Vec::new();
            for object in &page.objects {
                match signed::read(object) {
                    Ok(statement) => control.push((statement, object.clone())),
                    Err(error) => self.note("mail-refused", "mailbox", false, &error.to_string())?,
                }
            }
            let now = client.transport().now();
            self.take_control(&control, now, done)?;
            self.here.book.set_note(&note, Some(&serde_json::to_vec(&page.position).unwrap_or_default()))?;
        }
        Ok(())
    }

    /// Takes statements in, from wherever they came over this link.
    pub(super) fn take_control(
        &self,
        control: &[(Unverified, Bytes)],
        now: ledger::Micros,
        done: &mut Round,
    ) -> Result<(), Error> {
        let desk = self.desk(now);
        for (statement, body) in control {
            done.mail_in += 1;
            if let Took::Refused(_) = desk.take_in(statement, body, &self.job.partner.organisation)? {
                done.mail_refused += 1;
            }
        }
        Ok(())
    }

    /// Asks a foreign server to delete what was recalled from it.
    pub(super) async fn ask_to_delete<T: Transport>(
        &mut self,
        client: &Client<T>,
        found: &Found,
        done: &mut Round,
    ) -> Result<(), Error> {
        let desk = self.desk(client.transport().now());
        let pumped = pump_foreign(&desk, client, found, &self.job.partner.organisation).await?;
        if pumped.waiting > 0 {
            done.warn("the server did not answer when it was asked to delete what was recalled: it is asked again");
        }
        Ok(())
    }

    /// Gives what waits for the partner: into its mailbox, or among the objects of a foreign server.
    pub(super) async fn give_mail<T: Transport>(
        &mut self,
        client: &Client<T>,
        to: &Found,
        done: &mut Round,
    ) -> Result<(), Error> {
        let organisation = self.job.partner.organisation.clone();
        self.desk(client.transport().now()).remind(&organisation)?;
        for _ in 0..PAGES {
            let mail = self.here.book.mail(&organisation, i64::MIN, PAGE)?;
            let Some(last) = mail.last().map(|mail| mail.no) else { return Ok(()) };
            let bodies: Vec<Bytes> = mail.iter().map(|mail| Bytes::copy_from_slice(&mail.body)).collect();
            let answer = match client.push(to, &bodies).await {
                Ok(answer) => answer,
                Err(error) if is_closed(&error) => {
                    done.warn("the partner's mailbox does not take what we have for it: it waits until the partner fetches it");
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            let refused: Vec<(String, String)> = answer
                .refused
                .iter()
                .map(|refusal| (refusal.id.clone().unwrap_or_default(), refusal.message.clone()))
                .collect();
            self.note_refusals("mail-refused-there", &refused)?;
            done.mail_out += answer.accepted;
            self.given(&mail, &refused)?;
            self.desk(client.transport().now()).handed(&organisation, &mail)?;
            if answer.pending > 0 {
                // What nobody knows the fate of is sent again.
                return Ok(());
            }
            self.here.book.drop_mail(&organisation, last)?;
        }
        Ok(())
    }

    /// What was handed over, and which of it was not taken.
    fn given(&self, mail: &[Mail], refused: &[(String, String)]) -> Result<(), Error> {
        let given = mail.iter().filter(|mail| !refused.iter().any(|(id, _)| *id == mail.id)).count();
        if given > 0 {
            self.note("mail-given", &format!("link {}", self.job.name), true, &format!("{given} statements"))?;
        }
        Ok(())
    }
}

/// Whether the answer says that there is no such place for us, and not that something broke.
fn is_closed(error: &taxii::client::Error) -> bool {
    let closed = [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN, StatusCode::METHOD_NOT_ALLOWED];
    matches!(error, taxii::client::Error::Refused { status, .. } if closed.contains(status))
}
