//! `marsad export`.

use super::Opened;
use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{Unit, note, progress, visible};
use ledger::{Collection, Page, Register as _, Versions};
use node::audit::{By, Event, Given, HandOver, Way};
use node::export::Export;
use policy::Viewer;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Writes what a viewer may have: one STIX bundle, in which every object is as its author wrote it.
///
/// The viewer is an account or an organisation, and gets what it could read over TAXII, no more. Without one it is the
/// node's own organisation.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad export > everything.json
  marsad export --collection phishing -o phishing.json
  marsad export --as-viewer 'CERT North' -o for-north.json")]
pub(crate) struct Args {
    /// From where: alias or id [default: every collection]
    #[arg(long, value_name = "ALIAS")]
    collection: Option<String>,
    /// What to write
    #[arg(long = "as", value_name = "FORMAT", default_value = "stix")]
    format: Format,
    /// For whom: an account or an organisation [default: the node's own organisation]
    #[arg(long, value_name = "NAME")]
    as_viewer: Option<String>,
    /// Which versions of each object
    #[arg(long, value_name = "WHICH", default_value = "all")]
    versions: Which,
    /// Write to this file, which appears when it is complete [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
enum Format {
    /// A STIX 2.1 bundle
    Stix,
    /// Not supported by this version
    Misp,
    /// Not supported by this version
    Csv,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Which {
    /// All that the viewer may have
    All,
    /// The newest that the viewer may have
    Last,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    if args.format != Format::Stix {
        let format = format!("{:?}", args.format).to_lowercase();
        return Err(Failure::Usage(format!("`--as {format}` is not supported by this version: it exports STIX")));
    }
    let opened = place.open()?;
    let collections = match &args.collection {
        Some(name) => vec![opened.collection(name)?],
        None => opened.book.collections()?,
    };
    let door = opened.door();
    let viewer = viewer(&opened, args.as_viewer.as_deref())?;
    let journal = opened.audit()?;
    let by =
        By { way: Way::Export, who: viewer.name.clone(), organisation: viewer.organisation.clone(), address: None };
    let mut witness = |collection: &Collection, page: &Page| {
        let request = String::new();
        let (by, given) = (by.clone(), Given::of(&page.given));
        let given = HandOver { by, collection: collection.no, what: "bundle", request, given };
        node::audit::write_now(&journal, &Event::HandedOver(given)).map(drop)
    };
    let (member, organisation) = (viewer.name.clone(), viewer.organisation.clone());
    let export = Export {
        witness: &mut witness,
        collections: &collections,
        versions: match args.versions {
            Which::All => Versions::All,
            Which::Last => Versions::last(),
        },
        viewer,
        at: node::clock::now(),
        bundle_id: &format!("bundle--{}", super::collection::new_id()?),
    };
    let bar = progress(None, Unit::Things);
    let mut tell = |count| bar.set_position(count);
    let count = match &args.output {
        None => node::export::write(
            &*opened.book,
            &door,
            export,
            &mut BufWriter::with_capacity(1 << 20, std::io::stdout().lock()),
            &mut tell,
        )?,
        Some(path) => {
            let mut file = Whole::beside(path)?;
            let count = node::export::write(&*opened.book, &door, export, &mut file.out, &mut tell)?;
            file.finish()?;
            count
        }
    };
    bar.finish_and_clear();
    let by = node::audit::operator();
    opened.wrote_down(&Event::Exported { by, viewer: member, organisation, objects: count })?;
    note(format!("exported {count} objects"));
    Ok(Verdict::Good)
}

pub(super) fn viewer(opened: &Opened, name: Option<&str>) -> Result<Viewer, Failure> {
    let name = name.map_or_else(|| opened.own_organisation(), |name| Ok(name.to_owned()))?;
    node::export::viewer(&*opened.book, &name)?
        .ok_or_else(|| Failure::could(format!("`{}` is neither an account nor an organisation", visible(&name))))
}

/// A file that appears under its name when it is complete and on disk. Nobody else can read it.
pub(crate) struct Whole<'a> {
    path: &'a Path,
    partial: PathBuf,
    pub(crate) out: BufWriter<File>,
    finished: bool,
}

impl<'a> Whole<'a> {
    pub(crate) fn beside(path: &'a Path) -> Result<Self, Failure> {
        let mut name = std::ffi::OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(format!(".{}.partial", std::process::id()));
        let partial = path.with_file_name(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&partial)
            .map_err(|error| Failure::file("write", path, &error))?;
        Ok(Self { path, partial, out: BufWriter::with_capacity(1 << 20, file), finished: false })
    }

    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        let done = self
            .out
            .flush()
            .and_then(|()| self.out.get_ref().sync_all())
            .and_then(|()| std::fs::rename(&self.partial, self.path));
        self.finished = done.is_ok();
        done.map_err(|error| Failure::file("write", self.path, &error))
    }
}

impl Drop for Whole<'_> {
    fn drop(&mut self) {
        if !self.finished {
            // What cannot be removed is a hidden file that its owner can remove.
            let _ = std::fs::remove_file(&self.partial);
        }
    }
}
