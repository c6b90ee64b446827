//! Markdown tables, and what machine they were measured on.

use crate::corpus::Size;

/// Prints a table; the first row is the head.
pub fn print(title: &str, rows: &[Vec<String>]) {
    println!("\n## {title}\n");
    for (place, row) in rows.iter().enumerate() {
        println!("| {} |", row.join(" | "));
        if place == 0 {
            println!("|{}", "---|".repeat(row.len()));
        }
    }
}

/// A row of a table.
#[macro_export]
macro_rules! row {
    ($($cell:expr),* $(,)?) => { vec![$($cell.to_string()),*] };
}

/// The machine and the date.
pub fn machine(size: Size) {
    let cpu = read("/proc/cpuinfo", "model name");
    let memory = read("/proc/meminfo", "MemTotal");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let day = std::process::Command::new("date").args(["-u", "+%Y-%m-%d %H:%M UTC"]).output();
    let day = day.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned()).unwrap_or_default();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("# Results\n");
    println!("{day}; {cores} cores, {cpu}; memory {memory}; load at the start {}; sizes: {size:?}.", load.trim());
    println!("Every table is one run: compare within a table, not between dates. What runs within the benchmark allocates with");
    println!("mimalloc, as the program does; other programs with what they are built with.");
}

fn read(path: &str, key: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
    line.split(':').nth(1).unwrap_or("unknown").trim().to_owned()
}
