//! `marsad pattern`.

use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{Paint, say, say_json, visible};
use std::io::BufRead as _;
use std::path::PathBuf;

/// STIX patterns.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad pattern check \"[domain-name:value = 'evil.example']\"
  marsad pattern check --file patterns.txt --json")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Check(Check),
}

/// Says whether patterns are right, and where they are wrong (STIX Patterning, STIX 2.1 §9).
///
/// One verdict a line. Exit code 1 if any pattern is wrong.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "\
Examples:
  marsad pattern check \"[domain-name:value = 'evil.example']\"
  marsad pattern check --file patterns.txt --json",
    group(clap::ArgGroup::new("input").required(true).args(["pattern", "file"]))
)]
struct Check {
    /// One pattern
    #[arg(allow_hyphen_values = true)]
    pattern: Option<String>,
    /// A file with one pattern a line; `-` is standard input
    #[arg(long, value_name = "F")]
    file: Option<PathBuf>,
    /// Print one JSON object a pattern: {"pattern","valid","errors":[{"span":[a,b],"message"}]}
    #[arg(long)]
    json: bool,
}

/// A longer line than this is no pattern.
const MAX_LINE: u64 = 1 << 20;

pub(crate) fn run(args: &Args) -> Outcome {
    let Action::Check(args) = &args.action;
    let mut valid = true;
    match (&args.pattern, &args.file) {
        (Some(pattern), _) => valid = judge(pattern, args.json)?,
        (None, Some(path)) => each_line(path, &mut |line| {
            valid &= judge(line, args.json)?;
            Ok(())
        })?,
        (None, None) => return Err(Failure::Usage("name a pattern or a file".to_owned())),
    }
    Ok(Verdict::good_if(valid))
}

fn each_line(path: &std::path::Path, each: &mut dyn FnMut(&str) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut reader: Box<dyn std::io::BufRead> = if path.as_os_str() == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        let file = std::fs::File::open(path).map_err(|error| Failure::file("read", path, &error))?;
        Box::new(std::io::BufReader::new(file))
    };
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let count = std::io::Read::take(&mut reader, MAX_LINE)
            .read_until(b'\n', &mut line)
            .map_err(|error| Failure::file("read", path, &error))?;
        if count == 0 {
            break;
        }
        if count as u64 == MAX_LINE {
            return Err(Failure::could(format!("{}:{number}: the line is longer than 1 MiB", path.display())));
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if !text.is_empty() {
            each(&String::from_utf8_lossy(text))?;
        }
    }
    Ok(())
}

fn judge(text: &str, json: bool) -> Result<bool, Failure> {
    let errors = pattern::check(text);
    if json {
        let shown: Vec<_> = errors
            .iter()
            .map(|error| serde_json::json!({"span": [error.span.start, error.span.end], "message": error.message}))
            .collect();
        say_json(&serde_json::json!({"pattern": text, "valid": errors.is_empty(), "errors": shown}))?;
        return Ok(errors.is_empty());
    }
    let paint = Paint::stdout();
    if errors.is_empty() {
        say(format!("{}  {}", paint.green("valid  "), visible(text)))?;
    } else {
        say(format!("{}  {}", paint.red("invalid"), visible(text)))?;
        for error in &errors {
            say(format!("         at {}: {}", error.span.start, visible(&error.message)))?;
        }
    }
    Ok(errors.is_empty())
}
