//! `marsad man`.

use crate::outcome::{Failure, Outcome, Verdict};
use clap::CommandFactory as _;
use std::io::Write as _;
use std::path::PathBuf;

/// Prints the manual page, or writes a page for every command into a folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad man | man -l -
  marsad man --output /usr/local/share/man/man1")]
pub(crate) struct Args {
    /// Write all pages into this folder instead of the first one to standard output
    #[arg(short, long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let command = crate::cli::Cli::command();
    match &args.output {
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(|error| Failure::file("make", folder, &error))?;
            clap_mangen::generate_to(command, folder).map_err(|error| Failure::file("write into", folder, &error))?;
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page)?;
            std::io::stdout().lock().write_all(&page)?;
        }
    }
    Ok(Verdict::Good)
}
