//! What must hold of every log, whatever is in it.

use std::sync::{Arc, LazyLock};

use observable::{Claim, Kind};
use watch::scan::{Format, Scan};
use watch::{Builder, Hit, Set, Watcher};

static SET: LazyLock<Arc<Set>> = LazyLock::new(|| {
    let mut builder = Builder::new([9; 32]);
    let claims = [
        Claim::new(Kind::Domain, "evil.example"),
        Claim::with_subdomains("wide.example"),
        Claim::new(Kind::Ipv4, "203.0.113.7"),
        Claim::new(Kind::Cidr, "198.51.100.0/24"),
        Claim::new(Kind::Url, "http://evil.example/a"),
        Claim::new(Kind::FileName, "a.exe"),
        Claim::new(Kind::Email, "a@evil.example"),
    ];
    for (name, claim) in (0..).zip(&claims) {
        builder.add(claim, name).expect("a good claim");
    }
    Arc::new(builder.build())
});

type Told = Vec<(u64, u64, String, String)>;

fn read(format: Format, pieces: &mut dyn Iterator<Item = &[u8]>) -> (Told, Scan) {
    let (mut watcher, mut scan, mut told) = (Watcher::new(Arc::clone(&SET)), Scan::new(format), Vec::new());
    let mut sink = |hit: &Hit<'_>| told.push((hit.line, hit.name, hit.field.to_owned(), hit.value.clone().into_owned()));
    for piece in pieces {
        watcher.block(&mut scan, piece, &mut sink);
    }
    watcher.finish(&mut scan, &mut sink);
    (told, scan)
}

/// A log is read alike whole and in pieces, whose size its first byte says.
pub fn check(format: Format, log: &[u8]) {
    let size = usize::from(log.first().copied().unwrap_or(1)).max(1);
    let (whole, scan) = read(format, &mut std::iter::once(log));
    let (pieces, again) = read(format, &mut log.chunks(size));
    assert_eq!(whole, pieces);
    assert_eq!(scan.report(), again.report());
    assert!(scan.report().broken <= scan.report().lines);
    // A good line behind whatever this was is met, unless the columns have changed.
    if format == Format::Eve {
        let mut more = log.to_vec();
        more.extend_from_slice(b"\n{\"src_ip\":\"203.0.113.7\"}\n");
        let (told, _) = read(format, &mut std::iter::once(more.as_slice()));
        assert_eq!(told.len(), whole.len() + 1);
    }
}
