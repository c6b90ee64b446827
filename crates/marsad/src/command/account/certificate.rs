//! `marsad account certificate`.

use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{note, say, say_json, table, visible};
use ledger::Certificate;
use node::certificate::{ClientCertificate, fingerprint, spelled};
use policy::role::Actor;
use std::path::PathBuf;

/// Client certificates by which a member signs in, each pinned as it is (see `tls.client-certificates`).
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The member
    name: String,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Add(Add),
    List(List),
    Remove(Remove),
}

/// Pins a certificate. Whoever has its key signs in as the member from then on.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad account certificate sensor add client.pem")]
struct Add {
    /// The certificate, in PEM or DER
    file: PathBuf,
}

/// Shows a member's certificates.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad account certificate sensor list
  marsad account certificate sensor list --json")]
struct List {
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

/// Removes a certificate.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  marsad account certificate sensor remove 5f0c…")]
struct Remove {
    /// Its SHA-256 fingerprint, with or without colons
    fingerprint: String,
}

pub(super) fn run(place: &Place, args: &Args) -> Outcome {
    let opened = place.open()?;
    let administration = opened.administration()?;
    let name = args.name.as_str();
    match &args.action {
        Action::Add(Add { file }) => {
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
        Action::List(List { json }) => {
            let certificates = administration.certificates(&Actor::Operator, name)?;
            let at = stix::timestamp::format_micros;
            if *json {
                let shown = |certificate: &Certificate| {
                    serde_json::json!({
                        "fingerprint": spelled(&certificate.fingerprint),
                        "ends": at(certificate.ends), "added": at(certificate.added),
                    })
                };
                say_json(&certificates.iter().map(shown).collect::<Vec<_>>())?;
            } else {
                let row = |certificate: &Certificate| vec![spelled(&certificate.fingerprint), at(certificate.ends)];
                say(table(&["SHA-256", "ENDS"], &certificates.iter().map(row).collect::<Vec<_>>()))?;
            }
        }
        Action::Remove(Remove { fingerprint: text }) => {
            let wanted = fingerprint(text).ok_or_else(|| {
                Failure::Usage(format!("`{}` is not a SHA-256 fingerprint of 64 digits", visible(text)))
            })?;
            administration.remove_certificate(&Actor::Operator, name, &wanted)?;
            note(format!("removed a certificate of `{}`", visible(name)));
        }
    }
    Ok(Verdict::Good)
}
