//! What a piece of work cost: wall time, and processor time of this process, which neighbours disturb little.

use std::time::{Duration, Instant};

/// Processor time of all threads of the process so far (user and system).
pub fn processor(pid: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().unwrap_or(0)).sum();
    Duration::from_millis(ticks * 10)
}

/// Processor time of a thread, by its `schedstat`.
pub fn scheduled(schedstat: &std::path::Path) -> Duration {
    let text = std::fs::read_to_string(schedstat).unwrap_or_default();
    Duration::from_nanos(text.split_whitespace().next().and_then(|field| field.parse().ok()).unwrap_or(0))
}

/// Processor time of the calling thread.
fn thread_time() -> Duration {
    scheduled(std::path::Path::new("/proc/thread-self/schedstat"))
}

/// The cost of one piece of work on this thread.
#[derive(Clone, Copy)]
pub struct Cost {
    pub cpu: Duration,
    pub wall: Duration,
}

/// Runs the work `times` times after one run that is not counted; the median by processor time.
pub fn median(times: usize, mut work: impl FnMut()) -> Cost {
    work();
    middle((0..times).map(|_| once(&mut work)).collect())
}

/// The median by processor time.
pub fn middle(mut costs: Vec<Cost>) -> Cost {
    costs.sort_by_key(|cost| cost.cpu);
    costs[costs.len() / 2]
}

/// Runs the work once.
pub fn once(work: &mut impl FnMut()) -> Cost {
    let watch = Watch::start();
    work();
    watch.cost()
}

/// For work that is prepared outside of what is measured.
pub struct Watch(Duration, Instant);

impl Watch {
    /// Begins to measure.
    pub fn start() -> Self {
        Self(thread_time(), Instant::now())
    }

    /// What was spent since.
    pub fn cost(&self) -> Cost {
        Cost { cpu: thread_time() - self.0, wall: self.1.elapsed() }
    }
}

/// The value at a fraction of a sorted list.
pub fn quantile(sorted: &[Duration], fraction: f64) -> Duration {
    let place = ((sorted.len() as f64 - 1.0) * fraction).round() as usize;
    sorted.get(place).copied().unwrap_or_default()
}
