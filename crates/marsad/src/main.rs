//! Marsad, the lookout: a node that exchanges threat information. This is its command line.

#![forbid(unsafe_code)]

mod cli;
mod command;
mod outcome;
mod terminal;
mod when;

use clap::Parser as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    let cli = cli::Cli::parse();
    outcome::report(command::run(cli))
}
