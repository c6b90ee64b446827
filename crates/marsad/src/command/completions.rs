//! `marsad completions`.

use crate::outcome::{Failure, Outcome, Verdict};
use clap::CommandFactory as _;
use std::io::Write as _;
use std::path::PathBuf;

/// Prints the completions for a shell, or writes them into a folder under the name that the shell looks for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad completions bash > ~/.local/share/bash-completion/completions/marsad
  marsad completions zsh --output ~/.zfunc")]
pub(crate) struct Args {
    /// The shell
    shell: clap_complete::Shell,
    /// Write into this folder instead of standard output
    #[arg(short, long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let mut command = crate::cli::Cli::command();
    match &args.output {
        Some(folder) => {
            clap_complete::generate_to(args.shell, &mut command, "marsad", folder)
                .map_err(|error| Failure::file("write into", folder, &error))?;
        }
        None => {
            let mut text = Vec::new();
            clap_complete::generate(args.shell, &mut command, "marsad", &mut text);
            std::io::stdout().lock().write_all(&text)?;
        }
    }
    Ok(Verdict::Good)
}
