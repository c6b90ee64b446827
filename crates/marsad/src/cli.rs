//! The grammar of the command line. What a command does is in its file below `command`.

use crate::command::{
    account, audit, backup, card, check, collection, completions, config, demo, doctor, erase, export, group, hunt,
    import, init, key, link, man, marking, organisation, pack, partner, pattern, pull, push, recall, restore, restrict,
    rules, serve, sources, unpack, validate, watch, who, why,
};
use std::path::PathBuf;

/// Takes in threat information, decides who may see it, and hands on exactly that.
///
/// Marsad is a node that an organisation runs to exchange threat information with others: STIX 2.1 over TAXII 2.1,
/// with every object released only to those who may have it.
#[derive(Debug, clap::Parser)]
#[command(
    name = "marsad",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "Exit codes: 0 done; 1 done, and something was found wrong; 2 wrong use; 3 could not be done.",
    after_long_help = "\
Begin here:
  marsad demo                                    a node with sample data, to look around
  marsad init --organisation 'Example CERT'      a node of your own
  marsad import report.json                      take a STIX file in
  marsad serve                                   let others read it

Exit codes: 0 done; 1 done, and something was found wrong (an invalid object, a refused part);
2 wrong use; 3 could not be done. Results go to stdout, messages to stderr."
)]
pub(crate) struct Cli {
    /// What every command understands.
    #[command(flatten)]
    pub(crate) place: Place,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the node is, and how it is configured.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Place {
    /// The node's directory: configuration, secret and database [default: ~/.local/share/marsad]
    #[arg(long, value_name = "DIR", env = "MARSAD_HOME", hide_env_values = true, global = true)]
    pub(crate) home: Option<PathBuf>,
    /// Sets a key of the configuration for this run; `marsad config sample` lists them
    #[arg(long, value_name = "KEY=VALUE", global = true)]
    pub(crate) set: Vec<String>,
}

/// The commands, in the order of the help.
#[derive(Debug, clap::Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one of it in a process")]
pub(crate) enum Command {
    Init(init::Args),
    Serve(serve::Args),
    Demo(demo::Args),
    Import(import::Args),
    Export(export::Args),
    Rules(rules::Args),
    Pull(pull::Args),
    Push(push::Args),
    Pack(pack::Args),
    Unpack(unpack::Args),
    Validate(validate::Args),
    Pattern(pattern::Args),
    Watch(watch::Args),
    Hunt(hunt::Args),
    Collection(collection::Args),
    Account(account::Args),
    Organisation(organisation::Args),
    Key(key::Args),
    Group(group::Args),
    Marking(marking::Args),
    Card(card::Args),
    Partner(partner::Args),
    Link(link::Args),
    Why(why::Args),
    Who(who::Args),
    Sources(sources::Args),
    Restrict(restrict::Args),
    Recall(recall::Args),
    Erase(erase::Args),
    Audit(audit::Args),
    Backup(backup::Args),
    Restore(restore::Args),
    Check(check::Args),
    Doctor(doctor::Args),
    Config(config::Args),
    Completions(completions::Args),
    Man(man::Args),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    fn each(command: &clap::Command, path: &str, check: &mut dyn FnMut(&str, &clap::Command)) {
        let path = format!("{path} {}", command.get_name());
        check(path.trim(), command);
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            each(inner, &path, check);
        }
    }

    #[test]
    fn the_grammar_holds() {
        super::Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        each(&super::Cli::command(), "", &mut |path, command| {
            let help = command.get_after_long_help().or(command.get_after_help());
            let help = help.map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("  {path}")), "`{path} --help` has no example");
        });
    }

    #[test]
    fn every_argument_is_explained() {
        each(&super::Cli::command(), "", &mut |path, command| {
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "`{path}` does not explain {}", argument.get_id());
            }
        });
    }
}
