//! `marsad pattern`.

use crate::outcome::{Failure, Outcome, Verdict};
use crate::terminal::{Paint, say, say_json, visible};
use std::io::BufRead as _;
use std::path::{Path, PathBuf};

mod explain;
mod matching;

/// STIX patterns.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  marsad pattern check \"[domain-name:value = 'evil.example']\"
  marsad pattern check --file patterns.txt --json
  marsad pattern match --pattern \"[ipv4-addr:value ISSUBSET '198.51.100.0/24']\" --observed bundle.json
  marsad pattern explain \"[file:name = 'x.exe'] REPEATS 5 TIMES WITHIN 60 SECONDS\"")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Check(Check),
    Match(matching::Args),
    Explain(explain::Args),
}

/// Says whether patterns are right, and where they are wrong (STIX Patterning, STIX 2.1 §9).
///
/// One verdict a line. Exit code 1 if any pattern is wrong. What is valid but odd (a property that STIX does not know, a
/// test that can never hold) is told as a warning.
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
    /// Add "warnings" to the JSON, of the form of "errors"
    #[arg(long, requires = "json")]
    warnings: bool,
}

/// A longer line than this is no pattern.
const MAX_LINE: u64 = 1 << 20;

pub(crate) fn run(args: &Args) -> Outcome {
    match &args.action {
        Action::Check(args) => check(args),
        Action::Match(args) => matching::run(args),
        Action::Explain(args) => explain::run(args),
    }
}

fn check(args: &Check) -> Outcome {
    let mut valid = true;
    match (&args.pattern, &args.file) {
        (Some(pattern), _) => valid = judge(pattern, args)?,
        (None, Some(path)) => each_line(path, MAX_LINE, &mut |_, line| {
            valid &= judge(&String::from_utf8_lossy(line), args)?;
            Ok(())
        })?,
        (None, None) => return Err(Failure::Usage("name a pattern or a file".to_owned())),
    }
    Ok(Verdict::good_if(valid))
}

/// A file, or standard input for `-`.
fn open(path: &Path) -> Result<Box<dyn std::io::BufRead>, Failure> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let file = std::fs::File::open(path).map_err(|error| Failure::file("read", path, &error))?;
    Ok(Box::new(std::io::BufReader::new(file)))
}

/// What is done with a line of this number.
type Each<'e> = &'e mut dyn FnMut(u64, &[u8]) -> Result<(), Failure>;

/// Each line that is not empty, with its number, without its end.
fn each_line(path: &Path, longest: u64, each: Each<'_>) -> Result<(), Failure> {
    let mut reader = open(path)?;
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let count = std::io::Read::take(&mut reader, longest)
            .read_until(b'\n', &mut line)
            .map_err(|error| Failure::file("read", path, &error))?;
        if count == 0 {
            break;
        }
        if count as u64 == longest && !line.ends_with(b"\n") {
            let most = longest >> 20;
            return Err(Failure::could(format!("{}:{number}: the line is longer than {most} MiB", path.display())));
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if !text.is_empty() {
            each(number, text)?;
        }
    }
    Ok(())
}

fn faults(errors: &[pattern::Error]) -> Vec<serde_json::Value> {
    let fault = |error: &pattern::Error| serde_json::json!({"span": [error.span.start, error.span.end], "message": error.message});
    errors.iter().map(fault).collect()
}

fn judge(text: &str, args: &Check) -> Result<bool, Failure> {
    let errors = pattern::check(text);
    let warnings = match pattern::parse(text) {
        Ok(pattern) if errors.is_empty() && (args.warnings || !args.json) => pattern::warnings(&pattern),
        _ => Vec::new(),
    };
    if args.json {
        let mut verdict = serde_json::json!({"pattern": text, "valid": errors.is_empty(), "errors": faults(&errors)});
        if args.warnings
            && let Some(verdict) = verdict.as_object_mut()
        {
            verdict.insert("warnings".to_owned(), faults(&warnings).into());
        }
        say_json(&verdict)?;
        return Ok(errors.is_empty());
    }
    let paint = Paint::stdout();
    if errors.is_empty() {
        say(format!("{}  {}", paint.green("valid  "), visible(text)))?;
        for warning in &warnings {
            say(format!(
                "         {} at {}: {}",
                paint.yellow("warning"),
                warning.span.start,
                visible(&warning.message)
            ))?;
        }
    } else {
        say(format!("{}  {}", paint.red("invalid"), visible(text)))?;
        for error in &errors {
            say(format!("         at {}: {}", error.span.start, visible(&error.message)))?;
        }
    }
    Ok(errors.is_empty())
}
