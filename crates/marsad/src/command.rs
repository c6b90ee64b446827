//! The commands, one a file, and what several of them need.

pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod man;
pub(crate) mod pattern;
pub(crate) mod validate;

use crate::cli::{Cli, Command, Place};
use crate::outcome::{Failure, Outcome};
use node::config::Config;
use node::home::Home;
use std::path::{Path, PathBuf};

/// Does what the command line says.
pub(crate) fn run(cli: Cli) -> Outcome {
    let place = &cli.place;
    match cli.command {
        Command::Validate(args) => validate::run(place, &args),
        Command::Pattern(args) => pattern::run(&args),
        Command::Config(args) => config::run(place, &args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}

impl Place {
    /// The node's directory, whether or not it exists.
    pub(crate) fn path(&self) -> Result<PathBuf, Failure> {
        self.home.clone().or_else(|| node::home::default_path(|name| std::env::var_os(name))).ok_or_else(|| {
            Failure::Usage("where is the node? name its directory with --home DIR or MARSAD_HOME".to_owned())
        })
    }

    /// The node's directory.
    pub(crate) fn home(&self) -> Result<Home, Failure> {
        Ok(Home::open(&self.path()?)?)
    }

    /// The configuration in force: file, environment, `--set`, then `flags` of the command.
    pub(crate) fn config(&self, file: Option<&Path>, flags: &[String]) -> Result<Config, Failure> {
        let all: Vec<String> = self.set.iter().chain(flags).cloned().collect();
        Config::load(file, environment(), &all).map_err(|error| Failure::Usage(error.to_string()))
    }
}

/// The environment, as far as it is text.
pub(crate) fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}
