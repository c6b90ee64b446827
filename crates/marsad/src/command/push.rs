//! `marsad push`.

use super::pull::{Theirs, client, runtime};
use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{Unit, note, progress, say, say_json, visible};
use node::audit::{By, Event, Given, HandOver, Way};
use node::egress::Egress;
use node::link::{Push, Pushed, Remote};
use policy::Viewer;
use taxii::client::Refusal;

/// Adds what another organisation may have of one of our collections to a collection of its TAXII 2.1 server.
///
/// Only what the viewer may have is sent, and what was sent before is not sent again. Without `--as-viewer` the viewer is
/// anyone, who may have what is TLP:CLEAR in collections that anyone may read: name the organisation that runs the server.
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
    /// Send everything again instead of what is new
    #[arg(long)]
    from_the_beginning: bool,
    /// Print one JSON object at the end
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let opened = place.open()?;
    let egress = Egress::new(&opened.config, opened.home.path())?;
    let ours = opened.collection(&args.from)?;
    let door = opened.door();
    let viewer = match &args.as_viewer {
        None => Viewer::anonymous(),
        Some(name) => node::export::viewer(&*opened.book, name)?
            .ok_or_else(|| Failure::could(format!("`{}` is neither an account nor an organisation", visible(name))))?,
    };
    let address = args.theirs.address()?;
    let job = Push {
        from: &ours,
        viewer,
        to: Remote { address: &address, collection: &args.theirs.collection },
        again: args.from_the_beginning,
    };
    let journal = opened.audit()?;
    let by = By {
        way: Way::Taxii,
        who: job.viewer.name.clone(),
        organisation: job.viewer.organisation.clone(),
        address: None,
    };
    let mut given = |given: &[ledger::Run]| {
        let request = format!("push to {}", args.theirs.url);
        let (by, given) = (by.clone(), Given::of(given));
        let given = HandOver { by, collection: ours.no, what: "objects", request, given };
        node::audit::write_now(&journal, &Event::HandedOver(given)).map(drop)
    };
    let client = client(args.theirs.session(&egress)?, &egress);
    let bar = progress(None, Unit::Things);
    let mut named = |refusal: &Refusal| {
        note(visible(&format!("refused {}: {}", refusal.id.as_deref().unwrap_or("(no id)"), refusal.message)));
    };
    let mut tell = |pushed: &Pushed| bar.set_position(pushed.sent);
    let pushing = node::link::push(&client, &*opened.book, &door, &job, &mut given, &mut named, &mut tell);
    let pushed = runtime()?.block_on(pushing)?;
    bar.finish_and_clear();
    for warning in &pushed.warnings {
        note(visible(&format!("note: {warning}")));
    }
    let refused = pushed.refused;
    if args.json {
        say_json(&serde_json::json!({"accepted": pushed.accepted, "refused": refused, "pending": pushed.pending}))?;
    } else {
        say(format!("accepted {}, refused {refused}, pending {}", pushed.accepted, pushed.pending))?;
    }
    Ok(Verdict::good_if(refused == 0))
}
