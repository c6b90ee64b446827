//! `marsad account certificate`.

use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{note, say, say_list, visible};
use ledger::Certificate;
use node::certificate::{ClientCertificate, fingerprint, spelled};
use policy::role::Actor;
use std::ffi::OsString;
use std::path::Path;

/// Client certificates by which a member signs in, each pinned as it is (see `tls.client-certificates`).
///
/// `add FILE` pins a certificate in PEM or DER: whoever has its key signs in as the member from then on. `list` shows the
/// member's certificates, `remove FINGERPRINT` takes one back.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad account certificate sensor add client.pem
  marsad account certificate sensor list --json
  marsad account certificate sensor remove 5f0c…")]
pub(super) struct Args {
    /// The member
    name: String,
    /// What to do
    action: Action,
    /// The file to add, or the SHA-256 fingerprint to remove, with or without colons
    what: Option<OsString>,
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Action {
    /// Pins one
    Add,
    /// Shows them
    List,
    /// Takes one back
    Remove,
}

pub(super) fn run(place: &Place, args: &Args) -> Outcome {
    let opened = place.open()?;
    let administration = opened.administration()?;
    let name = args.name.as_str();
    match (args.action, &args.what) {
        (Action::Add, None) => return Err(Failure::Usage("which certificate? name its file".to_owned())),
        (Action::Remove, None) => return Err(Failure::Usage("which certificate? name its fingerprint".to_owned())),
        (Action::Add, Some(file)) => {
            let file = Path::new(file);
            let bytes = std::fs::read(file).map_err(|error| Failure::file("read", file, &error))?;
            let certificate = ClientCertificate::read_file(&bytes)
                .ok_or_else(|| Failure::could(format!("{} is not a certificate in PEM or DER", file.display())))?;
            administration.pin_certificate(&Actor::Operator, name, &certificate, node::clock::now())?;
            note(format!("pinned the certificate to `{}`", visible(name)));
            if opened.config.tls.client_certificates == node::config::ClientCertificates::Off {
                note("the node does not ask for certificates: set tls.client-certificates = \"optional\"");
            }
            say(spelled(&certificate.fingerprint))?;
        }
        (Action::List, _) => {
            let certificates = administration.certificates(&Actor::Operator, name)?;
            let at = stix::timestamp::format_micros;
            let shown = |certificate: &Certificate| {
                serde_json::json!({
                    "fingerprint": spelled(&certificate.fingerprint),
                    "ends": at(certificate.ends), "added": at(certificate.added),
                })
            };
            let row = |certificate: &Certificate| [spelled(&certificate.fingerprint), at(certificate.ends)];
            say_list(args.json, &certificates, shown, ["SHA-256", "ENDS"], row)?;
        }
        (Action::Remove, Some(text)) => {
            let text = text.to_string_lossy();
            let wanted = fingerprint(&text).ok_or_else(|| {
                Failure::Usage(format!("`{}` is not a SHA-256 fingerprint of 64 digits", visible(&text)))
            })?;
            administration.remove_certificate(&Actor::Operator, name, &wanted)?;
            note(format!("removed a certificate of `{}`", visible(name)));
        }
    }
    Ok(Verdict::Good)
}
