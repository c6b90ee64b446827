#![no_main]
//! Canonical forms of hostile values: what is canonical stays as it is, a claim is met by its own value, and a set finds
//! what plain comparison finds.

use libfuzzer_sys::fuzz_target;
use observable::{Claim, Kind, Limits, canonical};
use watch::set::{Builder, Reach};

fuzz_target!(|input: (u8, &[u8], &[u8])| {
    let (number, claimed, seen) = input;
    let kind = Kind::ALL[usize::from(number) % Kind::ALL.len()];
    let (mut first, mut second) = (b"what was here before".to_vec(), Vec::new());
    if let Some(form) = canonical::of(kind, claimed, &mut first)
        && let Some(text) = text(kind, form)
    {
        let again = canonical::of(kind, &text, &mut second).and_then(|form| self::text(kind, form));
        assert_eq!(again.as_deref(), Some(&*text), "{kind}");
    }
    let mut builder = Builder::new([1; 32]).with_limits(Limits::NONE);
    let reach = if number > 127 { Reach::SUBDOMAINS } else { Reach::VALUE };
    let Ok(value) = std::str::from_utf8(claimed) else { return };
    let subdomains = reach.subdomains && kind == Kind::Domain;
    let claim = Claim { kind, value: value.into(), itself: true, subdomains };
    let taken = builder.add_value(kind, claimed, reach, 7).is_ok();
    let set = builder.build();
    let seen_as = if kind == Kind::Cidr { Kind::Ipv4 } else { kind };
    for value in [claimed, seen] {
        let mut found = Vec::new();
        set.value(seen_as, value, &mut first, &mut found);
        // An IPv4 value may be an address of the other kind in its text, which the set looks up as what it is.
        let other = if seen_as == Kind::Ipv4 { Kind::Ipv6 } else if seen_as == Kind::Ipv6 { Kind::Ipv4 } else { seen_as };
        let meets = taken && (claim.meets(seen_as, value) || claim.meets(other, value));
        assert_eq!(!found.is_empty(), meets, "{kind} {claim:?} {:?}", String::from_utf8_lossy(value));
    }
});

/// A form in binary, written as text again; none where it is text already and may be read as itself.
fn text(kind: Kind, form: &[u8]) -> Option<Vec<u8>> {
    let digits = || form.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into_bytes();
    Some(match kind {
        Kind::Ipv4 | Kind::Ipv6 | Kind::Cidr => return None,
        Kind::Md5 | Kind::Sha1 | Kind::Sha256 | Kind::Sha512 | Kind::Ja3 | Kind::Ja3s => digits(),
        Kind::Certificate | Kind::CertificateSerial | Kind::Mac => digits(),
        Kind::AutonomousSystem => u32::from_be_bytes(form.try_into().ok()?).to_string().into_bytes(),
        _ => form.to_vec(),
    })
}
