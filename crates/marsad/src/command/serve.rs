//! `marsad serve`.

use crate::cli::Place;
use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::say;
use node::config::{Config, LogFormat, LogLevel};
use std::io::Write as _;
use std::sync::Arc;

/// Runs the node in the foreground: TAXII 2.1, health and metrics on one port.
///
/// Prints `listening on URL` on standard output when it is ready; logs go to standard error. SIGTERM and Ctrl-C end it
/// after the requests under way. Commands work beside it. Without a certificate it makes a self-signed one.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad serve
  marsad serve --listen 0.0.0.0:8443
  marsad serve --listen 127.0.0.1:8080 --plain-http      behind a proxy that speaks TLS
  marsad serve --set log.format=json --set log.level=debug")]
pub(crate) struct Args {
    /// Address and port; port 0 takes a free one [default: 127.0.0.1:8443]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
    /// Plain HTTP instead of TLS, on loopback only
    #[arg(long)]
    plain_http: bool,
}

pub(crate) fn run(place: &Place, args: &Args) -> Outcome {
    let home = place.home()?;
    let mut flags = Vec::new();
    flags.extend(args.listen.as_ref().map(|listen| format!("listen={listen}")));
    flags.extend(args.plain_http.then(|| "plain-http=true".to_owned()));
    let config = place.config(Some(&home.config()), &flags)?;
    log(&config);
    let book = Arc::new(ledger::sqlite::Book::open(&home.database(), node::clock::now())?);
    until_told(&home, config, book, |url| {
        let _ = say(format!("listening on {url}"));
        let _ = std::io::stdout().flush();
    })
}

/// Serves until SIGTERM or Ctrl-C.
pub(crate) fn until_told(
    home: &node::home::Home,
    config: Config,
    book: Arc<ledger::sqlite::Book>,
    ready: impl FnOnce(&str),
) -> Outcome {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::could(format!("cannot start threads: {error}")))?;
    runtime.block_on(async {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        let told = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        };
        node::http::serve(home, config, book, ready, told).await?;
        Ok(Verdict::Good)
    })
}

/// Logs as the configuration says, on standard error.
pub(crate) fn log(config: &Config) {
    let builder = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_env_filter(tracing_subscriber::EnvFilter::new(level(config.log.level)));
    // A second subscriber, in a test for one, changes nothing.
    let _ = match config.log.format {
        LogFormat::Json => builder.json().try_init(),
        LogFormat::Text => builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
    };
}

fn level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    }
}
