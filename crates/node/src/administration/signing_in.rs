//! Second factors, sessions, client certificates and identities at a provider.

use super::{Administration, Authorised, Deed, Error};
use crate::certificate::{self, ClientCertificate};
use crate::second_factor::{self, RecoveryCodes};
use crate::sessions;
use crate::totp::{Algorithm, Totp};
use ledger::{Certificate, Link, Micros, Session};
use policy::role::{Act, Actor};

impl Administration {
    /// Makes a second factor, which is asked for once [`Self::confirm_second_factor`] saw a first code of it.
    ///
    /// # Errors
    /// [`Error::Taken`] if there is one in use: it has to be removed first.
    pub fn enrol_second_factor(
        &self,
        actor: &Actor,
        name: &str,
        algorithm: Algorithm,
        digits: u8,
    ) -> Result<Totp, Error> {
        let Authorised(account) = self.authorised(actor, Act::EnrolSecondFactor, Deed::EnrolSecondFactor, name)?;
        let (totp, kept) = second_factor::make(&self.secret, &account.name, algorithm, digits)?;
        match self.book.set_second_factor(&account.name, &kept) {
            Err(ledger::Error::Exists { what, name }) => return Err(Error::Taken { what, name }),
            done => done?,
        }
        self.done(actor, Deed::EnrolSecondFactor, &account, None);
        Ok(totp)
    }

    /// Takes a second factor into use, by its first code, and gives the recovery codes.
    ///
    /// # Errors
    /// [`Error::Code`]; [`Error::Unknown`] if none was enrolled.
    pub fn confirm_second_factor(
        &self,
        actor: &Actor,
        name: &str,
        code: &str,
        now: Micros,
    ) -> Result<RecoveryCodes, Error> {
        let Authorised(account) = self.authorised(actor, Act::EnrolSecondFactor, Deed::ConfirmSecondFactor, name)?;
        let kept = self.book.second_factor(&account.name)?.filter(|kept| !kept.confirmed);
        let kept =
            kept.ok_or_else(|| Error::Unknown { what: "second factor to confirm of", name: account.name.clone() })?;
        let totp = second_factor::open(&self.secret, &account.name, &kept).ok_or(Error::Code)?;
        let step = totp.step_of(code.trim(), now).ok_or(Error::Code)?;
        let (codes, digests) = second_factor::recovery_codes(&self.secret, &account.name)?;
        if !self.book.confirm_second_factor(&account.name, step, &digests)? {
            return Err(Error::Code);
        }
        self.done(actor, Deed::ConfirmSecondFactor, &account, None);
        Ok(codes)
    }

    /// Takes a second factor out of use.
    ///
    /// # Errors
    /// [`Error`].
    pub fn remove_second_factor(&self, actor: &Actor, name: &str) -> Result<(), Error> {
        let Authorised(account) = self.authorised(actor, Act::RemoveSecondFactor, Deed::RemoveSecondFactor, name)?;
        missing(self.book.remove_second_factor(&account.name))?;
        self.done(actor, Deed::RemoveSecondFactor, &account, None);
        Ok(())
    }

    /// New recovery codes; all earlier ones are void.
    ///
    /// # Errors
    /// [`Error::Unknown`] if the member has no second factor.
    pub fn renew_recovery_codes(&self, actor: &Actor, name: &str) -> Result<RecoveryCodes, Error> {
        let Authorised(account) = self.authorised(actor, Act::EnrolSecondFactor, Deed::RenewRecoveryCodes, name)?;
        let (codes, digests) = second_factor::recovery_codes(&self.secret, &account.name)?;
        missing(self.book.set_recovery_codes(&account.name, &digests))?;
        self.done(actor, Deed::RenewRecoveryCodes, &account, None);
        Ok(codes)
    }

    /// A member's sessions, newest first.
    ///
    /// # Errors
    /// [`Error`].
    pub fn sessions(&self, actor: &Actor, name: &str) -> Result<Vec<Session>, Error> {
        let Authorised(account) = self.authorised(actor, Act::ManageSessions, Deed::ListSessions, name)?;
        Ok(self.book.sessions(&account.name)?)
    }

    /// Ends one session of a member.
    ///
    /// # Errors
    /// [`Error`].
    pub fn end_session(&self, actor: &Actor, name: &str, session: &str) -> Result<(), Error> {
        let Authorised(account) = self.authorised(actor, Act::ManageSessions, Deed::EndSession, name)?;
        let found = self.book.sessions(&account.name)?.into_iter().find(|held| sessions::name_of(held) == session);
        let unknown = || Error::Unknown { what: "session", name: session.to_owned() };
        if !self.book.end_session(&found.ok_or_else(unknown)?.digest)? {
            return Err(unknown());
        }
        self.done(actor, Deed::EndSession, &account, Some(session));
        Ok(())
    }

    /// Ends every session of a member. Returns how many.
    ///
    /// # Errors
    /// [`Error`].
    pub fn end_sessions(&self, actor: &Actor, name: &str) -> Result<u64, Error> {
        let Authorised(account) = self.authorised(actor, Act::ManageSessions, Deed::EndSessions, name)?;
        let ended = self.book.end_sessions(&account.name)?;
        self.done(actor, Deed::EndSessions, &account, None);
        Ok(ended)
    }

    /// Pins a client certificate to a member. One that does not hold any more is refused.
    ///
    /// # Errors
    /// [`Error`].
    pub fn pin_certificate(
        &self,
        actor: &Actor,
        name: &str,
        certificate: &ClientCertificate,
        now: Micros,
    ) -> Result<(), Error> {
        let Authorised(account) = self.authorised(actor, Act::ManageCertificates, Deed::PinCertificate, name)?;
        if certificate.ends() < now {
            return Err(Error::Invalid("the certificate has ended".to_owned()));
        }
        let fingerprint = certificate.fingerprint;
        let kept = Certificate { fingerprint, account: account.name.clone(), ends: certificate.ends(), added: now };
        match self.book.add_certificate(&kept) {
            Err(ledger::Error::Exists { .. }) => {
                return Err(Error::Invalid("the certificate is pinned already, to this member or another".to_owned()));
            }
            done => done?,
        }
        self.done(actor, Deed::PinCertificate, &account, Some(&certificate::spelled(&fingerprint)));
        Ok(())
    }

    /// A member's certificates.
    ///
    /// # Errors
    /// [`Error`].
    pub fn certificates(&self, actor: &Actor, name: &str) -> Result<Vec<Certificate>, Error> {
        let Authorised(account) = self.authorised(actor, Act::ManageCertificates, Deed::ListCertificates, name)?;
        let mut kept = self.book.certificates()?;
        kept.retain(|certificate| certificate.account.to_lowercase() == account.name.to_lowercase());
        Ok(kept)
    }

    /// Removes a certificate of a member.
    ///
    /// # Errors
    /// [`Error`].
    pub fn remove_certificate(&self, actor: &Actor, name: &str, fingerprint: &[u8; 32]) -> Result<(), Error> {
        let Authorised(account) = self.authorised(actor, Act::ManageCertificates, Deed::RemoveCertificate, name)?;
        missing(self.book.remove_certificate(&account.name, fingerprint))?;
        self.done(actor, Deed::RemoveCertificate, &account, Some(&certificate::spelled(fingerprint)));
        Ok(())
    }

    /// Binds an identity at a provider to a member, by issuer and subject alone.
    ///
    /// # Errors
    /// [`Error`].
    pub fn link(&self, actor: &Actor, name: &str, issuer: &str, subject: &str, now: Micros) -> Result<(), Error> {
        let Authorised(account) = self.authorised(actor, Act::Link, Deed::Link, name)?;
        // OpenID Connect Core §2: a subject has at most 255 characters.
        let good = |text: &str, most: usize| !text.is_empty() && text.len() <= most && !text.contains(char::is_control);
        if !good(issuer, 2_000) || !good(subject, 255) {
            return Err(Error::Invalid("an identity is an issuer and a subject of at most 255 characters".to_owned()));
        }
        let link =
            Link { issuer: issuer.to_owned(), subject: subject.to_owned(), account: account.name.clone(), made: now };
        match self.book.add_link(&link) {
            Err(ledger::Error::Exists { .. }) => {
                return Err(Error::Invalid("the identity is bound already, to this member or another".to_owned()));
            }
            done => done?,
        }
        self.done(actor, Deed::Link, &account, Some(issuer));
        Ok(())
    }

    /// A member's identities.
    ///
    /// # Errors
    /// [`Error`].
    pub fn links(&self, actor: &Actor, name: &str) -> Result<Vec<Link>, Error> {
        let Authorised(account) = self.authorised(actor, Act::Unlink, Deed::ListLinks, name)?;
        Ok(self.book.links(&account.name)?)
    }

    /// Takes the binding of an identity back.
    ///
    /// # Errors
    /// [`Error`].
    pub fn unlink(&self, actor: &Actor, name: &str, issuer: &str, subject: &str) -> Result<(), Error> {
        let Authorised(account) = self.authorised(actor, Act::Unlink, Deed::Unlink, name)?;
        missing(self.book.remove_link(&account.name, issuer, subject))?;
        self.done(actor, Deed::Unlink, &account, Some(issuer));
        Ok(())
    }
}

fn missing<T>(result: ledger::Result<T>) -> Result<T, Error> {
    match result {
        Err(ledger::Error::Missing { what, name }) => Err(Error::Unknown { what, name }),
        other => Ok(other?),
    }
}
