//! `marsad push`.

use super::pull::{Theirs, runtime};
use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{Unit, note, progress, say, say_json, visible};
use node::egress::Egress;
use node::link::Link;
use policy::Viewer;

/// Adds what another organisation may have of one of our collections to a collection of its TAXII 2.1 server.
///
/// Only what the viewer may have is sent. Without `--as-viewer` that is what anyone may have (TLP:CLEAR): name the
/// organisation that runs the server.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad push https://cti.example.org/taxii2/ --collection inbox --as-viewer 'CERT North' --key-stdin < key
  marsad push https://cti.example.org/taxii2/ --collection inbox --from phishing --user amina --password-stdin < password")]
pub(crate) struct Args {
    #[command(flatten)]
    theirs: Theirs,
    /// Our collection: alias or id
    #[arg(long, value_name = "ALIAS", default_value = super::init::MAIN)]
    from: String,
    /// Who gets it: an account or an organisation [default: anyone]
    #[arg(long, value_name = "NAME")]
    as_viewer: Option<String>,
    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let opened = place.open()?;
    let egress = Egress::new(&opened.config, opened.home.path())?;
    let ours = opened.collection(&args.from)?;
    let rules = policy::Rules { default_marking: opened.config.policy.default_marking.into() };
    let door = node::door::Door::new(opened.book.clone(), rules);
    let viewer = match &args.as_viewer {
        None => Viewer::anonymous(),
        Some(name) => node::export::viewer(&*opened.book, name)?
            .ok_or_else(|| Failure::could(format!("`{}` is neither an account nor an organisation", visible(name))))?,
    };
    let runtime = runtime()?;
    let link = Link {
        runtime: &runtime,
        book: &*opened.book,
        address: args.theirs.address()?,
        theirs: &args.theirs.collection,
        ours: &ours,
    };
    let bar = progress(None, Unit::Things);
    let session = args.theirs.session(&egress)?;
    let mut tell = |objects| bar.set_position(objects);
    let pushed = link.push(session, egress.max_answer_bytes(), &door, viewer, &mut tell)?;
    bar.finish_and_clear();
    for warning in &pushed.warnings {
        note(visible(&format!("note: {warning}")));
    }
    for refusal in pushed.refused.iter().take(100) {
        note(visible(&format!("refused {}: {}", refusal.id.as_deref().unwrap_or("(no id)"), refusal.message)));
    }
    let refused = pushed.refused.len() as u64 + pushed.unnamed;
    if args.json {
        say_json(&serde_json::json!({"accepted": pushed.accepted, "refused": refused, "pending": pushed.pending}))?;
    } else {
        say(format!("accepted {}, refused {refused}, pending {}", pushed.accepted, pushed.pending))?;
    }
    if pushed.accepted == 0 && refused == 0 && args.as_viewer.is_none() {
        note("nothing is for anyone: name the organisation that gets it with --as-viewer");
    }
    Ok(Verdict::good_if(refused == 0))
}
