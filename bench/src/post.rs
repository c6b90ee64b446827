//! Clients that post one object each and wait for the answer, beside what one synchronisation of the disk costs.

use crate::corpus::{self, Random, Size};
use crate::node::Node;
use crate::{clock, disk, row, table, wire};
use std::time::{Duration, Instant};

pub fn run(size: Size) {
    let seconds = if size == Size::Quick { 2.0 } else { 6.0 };
    let mut rows = vec![row!["disk", "clients", "objects a second", "p50 ms", "p99 ms", "one fsync a second", "times that"]];
    measure("this machine's", None, seconds, &mut rows);
    match slow_disk() {
        Some(library) => {
            measure("4 ms a synchronisation", Some(&library), seconds, &mut rows);
            let _ = std::fs::remove_file(library);
        }
        None => eprintln!("no C compiler: the slow disk is left out"),
    }
    table::print("Single objects, posted and waited for (limit: at 64 clients 50 times one fsync's rate)", &rows);
}

fn measure(what: &str, preload: Option<&str>, seconds: f64, rows: &mut Vec<Vec<String>>) {
    let mut node = Node::new("post");
    let alone = if preload.is_some() { Duration::from_millis(4) } else { Duration::ZERO } + disk::synchronise(&node.home);
    node.start(preload);
    for clients in [1, 8, 64] {
        let begin = Instant::now();
        let mut times: Vec<Duration> = std::thread::scope(|scope| {
            let node = &node;
            let crowd: Vec<_> = (0..clients).map(|n| scope.spawn(move || post(node, n, seconds))).collect();
            crowd.into_iter().flat_map(|client| client.join().expect("client")).collect()
        });
        let rate = times.len() as f64 / begin.elapsed().as_secs_f64();
        times.sort();
        let ms = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
        rows.push(row![
            what, clients, format!("{rate:.0}"), ms(clock::quantile(&times, 0.5)), ms(clock::quantile(&times, 0.99)),
            format!("{:.0}", 1.0 / alone.as_secs_f64()), format!("{:.1}", rate * alone.as_secs_f64())
        ]);
    }
}

/// One client in a closed loop; how long each answer took.
fn post(node: &Node, seed: usize, seconds: f64) -> Vec<Duration> {
    let mut random = Random(Instant::now().elapsed().as_nanos() as u64 ^ (seed as u64) << 32 ^ u64::from(std::process::id()) << 48);
    random.0 ^= std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_nanos() as u64);
    let mut wire = wire::Wire::connect(&node.address).expect("connects");
    let begin = Instant::now();
    let mut times = Vec::new();
    while begin.elapsed().as_secs_f64() < seconds {
        let mut body = br#"{"objects":["#.to_vec();
        body.extend(corpus::indicator(&mut random));
        body.extend(b"]}");
        let request = wire::post("/exchange/collections/bench/objects/", &node.authorization, &body);
        let sent = Instant::now();
        wire.send(&request).expect("answers");
        assert_eq!(wire.status, 202, "{}", String::from_utf8_lossy(&wire.body));
        times.push(sent.elapsed());
    }
    times
}

/// A library that makes every synchronisation take 4 ms longer: the disk that the figures of the design speak of.
fn slow_disk() -> Option<String> {
    let folder = std::env::temp_dir();
    let source = folder.join(format!("marsad-bench-slow-{}.c", std::process::id()));
    let library = source.with_extension("so");
    let text = "#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <unistd.h>\n\
        int fdatasync(int fd){static int(*real)(int);if(!real)real=dlsym(RTLD_NEXT,\"fdatasync\");usleep(4000);return real(fd);}\n\
        int fsync(int fd){static int(*real)(int);if(!real)real=dlsym(RTLD_NEXT,\"fsync\");usleep(4000);return real(fd);}\n";
    std::fs::write(&source, text).ok()?;
    let done = std::process::Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).arg("-ldl").status();
    let _ = std::fs::remove_file(source);
    done.ok()?.success().then(|| library.to_string_lossy().into_owned())
}
