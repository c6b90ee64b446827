//! The physical limit of an acknowledged write: one synchronisation of the disk.

use std::io::Write;
use std::time::{Duration, Instant};

/// The median time to append 4 KiB and synchronise, in the folder that the node writes to.
pub fn synchronise(folder: &std::path::Path) -> Duration {
    let path = folder.join("synchronise.probe");
    let mut file = std::fs::File::create(&path).expect("create");
    let block = [0x5a_u8; 4096];
    let mut times: Vec<Duration> = (0..200)
        .map(|_| {
            let start = Instant::now();
            file.write_all(&block).expect("write");
            file.sync_data().expect("synchronise");
            start.elapsed()
        })
        .collect();
    let _ = std::fs::remove_file(path);
    times.sort();
    times[times.len() / 2]
}
