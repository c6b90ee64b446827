//! The list's values looked for as strings, which is what people do without a watch: what it costs, how much memory it
//! takes, and how many of the lines it finds name no indicator.

use super::generate::{Generator, Style};
use super::{MILLION, PIECE, SEED, indicators};
use crate::corpus::Size;
use crate::{row, table};
use observable::Kind;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a program with what it may take of memory, and says what it took: CPU seconds and the peak in KiB.
const MEASURED: &str = "import resource,subprocess,sys\n\
    most=int(sys.argv[1]); limit=lambda: resource.setrlimit(resource.RLIMIT_AS,(most,most))\n\
    done=subprocess.run(sys.argv[3:],stdout=open(sys.argv[2],'wb'),preexec_fn=limit)\n\
    used=resource.getrusage(resource.RUSAGE_CHILDREN)\n\
    print(used.ru_utime+used.ru_stime,used.ru_maxrss,done.returncode)";

/// A part of a log, the list in the forms that the programs read, and the lines that name an indicator.
struct Part {
    folder: PathBuf,
    bytes: usize,
    named: HashSet<u64>,
}

/// A quick run takes fewer values and a smaller part: for a million strings a search takes gigabytes and a minute.
pub fn run(size: Size) {
    let (count, bytes) = if size == Size::Quick { (MILLION / 20, 20 << 20) } else { (MILLION, 100 << 20) };
    let folder = std::env::temp_dir().join(format!("marsad-telemetry-{}", std::process::id()));
    let part = prepare(folder, count, bytes).expect("room for a part of a log");
    let at = |name: &str| part.folder.join(name).into_os_string().into_string().expect("UTF-8");
    let (list, strings, log) = (at("list.csv"), at("strings"), at("zeek.log"));
    let marsad = std::env::var("MARSAD_BIN").unwrap_or_else(|_| "marsad".into());
    let mut rows = vec![row![
        "what", "CPU s", "MB/s a core", "peak memory MB", "lines that name an indicator", "lines told", "told falsely", "missed"
    ]];
    for (name, words) in [
        ("**Marsad**, `marsad watch --indicators`", vec![&*marsad, "watch", "--indicators", &list, &log]),
        ("`rg -a -F -n -f`", vec!["rg", "-a", "-F", "-n", "-f", &strings, &log]),
        ("`LC_ALL=C grep -a -F -n -f`", vec!["grep", "-a", "-F", "-n", "-f", &strings, &log]),
    ] {
        match part.search(&words) {
            Ok(found) => rows.push(found.row(name, &part)),
            Err(why) => eprintln!("skipped: {name}: {why}"),
        }
    }
    let _ = std::fs::remove_dir_all(&part.folder);
    let title = format!("Searches for the strings of {count} indicators in a part of a log: Zeek, JSON, {} MB", part.bytes / 1_000_000);
    table::print(&title, &rows);
}

struct Found {
    seconds: f64,
    peak_kib: u64,
    lines: HashSet<u64>,
}

impl Found {
    fn row(&self, name: &str, part: &Part) -> Vec<String> {
        let wrong = self.lines.difference(&part.named).count();
        let missed = part.named.difference(&self.lines).count();
        row![
            name,
            format!("{:.2}", self.seconds),
            format!("{:.1}", part.bytes as f64 / 1e6 / self.seconds),
            self.peak_kib / 1000,
            part.named.len(),
            self.lines.len(),
            format!("{wrong} ({:.1} %)", wrong as f64 * 100.0 / self.lines.len().max(1) as f64),
            missed
        ]
    }
}

impl Part {
    fn search(&self, words: &[&str]) -> Result<Found, String> {
        let out = self.folder.join("out");
        let mut measured = Command::new("python3");
        measured.args(["-c", MEASURED, &spare_memory().to_string()]).arg(&out).args(words).env("LC_ALL", "C");
        let measured = measured.output().map_err(|error| error.to_string())?;
        let words = String::from_utf8_lossy(&measured.stdout);
        let [seconds, peak, code] = words.split_whitespace().collect::<Vec<_>>()[..] else {
            let why = String::from_utf8_lossy(&measured.stderr);
            return Err(why.lines().last().unwrap_or("it did not run").to_owned());
        };
        let lines = told(&out).map_err(|error| error.to_string())?;
        if code != "0" || lines.is_empty() {
            let why = String::from_utf8_lossy(&measured.stderr);
            return Err(format!("it ended with {code}: {}", why.lines().next().unwrap_or_default()));
        }
        let number = |_| format!("`{words}` is no measure");
        Ok(Found { seconds: seconds.parse().map_err(|_| number(()))?, peak_kib: peak.parse().map_err(|_| number(()))?, lines })
    }
}

/// The numbers of the lines that were told: `12:…`, or `"line":12` in a hit.
fn told(out: &Path) -> io::Result<HashSet<u64>> {
    let number = |text: &str| text.bytes().take_while(u8::is_ascii_digit).fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    let lines = io::BufReader::new(File::open(out)?).lines();
    lines
        .map(|line| {
            let line = line?;
            Ok(number(line.split_once("\"line\":").filter(|_| line.starts_with('{')).map_or(&*line, |(_, rest)| rest)))
        })
        .collect()
}

/// What is free now, but for a gigabyte.
fn spare_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("MemAvailable")).unwrap_or_default();
    let kib: u64 = line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(8 << 20);
    kib.saturating_sub(1 << 20) << 10
}

fn prepare(folder: PathBuf, count: u64, bytes: usize) -> io::Result<Part> {
    std::fs::create_dir_all(&folder)?;
    let mut list = io::BufWriter::new(File::create(folder.join("list.csv"))?);
    let mut strings = io::BufWriter::new(File::create(folder.join("strings"))?);
    writeln!(list, "type,value")?;
    for number in 0..count {
        let claim = indicators::indicator(number);
        let (kind, value) = (claim.kind, &claim.value);
        let point = if kind == Kind::Domain && claim.subdomains { "." } else { "" };
        writeln!(list, "{},{point}{value}", kind.name())?;
        writeln!(strings, "{}", value.trim_start_matches("http://"))?;
    }
    list.flush()?;
    strings.flush()?;
    let mut generator = Generator::new(Style::ZeekJson, count, SEED);
    let (mut log, mut written, mut piece) = (File::create(folder.join("zeek.log"))?, 0, Vec::new());
    while written < bytes {
        piece.clear();
        generator.fill(&mut piece, PIECE);
        written += piece.len();
        log.write_all(&piece)?;
    }
    let named = generator.truth.iter().map(|(line, ..)| *line).collect();
    Ok(Part { folder, bytes: written, named })
}
