//! Takes off the disguise that keeps people from clicking: `hxxps://evil[.]example`, `a(at)b{dot}example`.

/// What stands for what; lower case.
const DISGUISES: [(&[u8], &[u8]); 23] = [
    (b"[.]", b"."),
    (b"(.)", b"."),
    (b"{.}", b"."),
    (b"[dot]", b"."),
    (b"(dot)", b"."),
    (b"{dot}", b"."),
    (b"[punkt]", b"."),
    (b"[punto]", b"."),
    (b"[point]", b"."),
    (b"[.", b"."),
    (b".]", b"."),
    (b"\\.", b"."),
    (b"[:]", b":"),
    (b"(:)", b":"),
    (b"[://]", b"://"),
    (b"[:/]/", b"://"),
    (b"[:]//", b"://"),
    (b"[/]", b"/"),
    (b"[at]", b"@"),
    (b"(at)", b"@"),
    (b"{at}", b"@"),
    (b"[@]", b"@"),
    (b"(@)", b"@"),
];

/// Whether it may be disguised.
pub(super) fn disguised(chunk: &[u8]) -> bool {
    memchr::memchr3(b'[', b'(', b'{', chunk).is_some()
        || memchr::memchr_iter(b'\\', chunk).any(|at| chunk.get(at + 1) == Some(&b'.'))
        || memchr::memchr2_iter(b'x', b'X', chunk)
            .any(|at| chunk.get(at + 1).is_some_and(|x| x.eq_ignore_ascii_case(&b'x')))
        || chunk.first().is_some_and(|first| first.eq_ignore_ascii_case(&b'f') && starts(chunk, b"fxp"))
}

/// Writes it without its disguise.
pub(super) fn refang(chunk: &[u8], plain: &mut Vec<u8>) {
    let mut at = 0;
    let mut word_begins = true;
    while let Some((&byte, rest)) = chunk.get(at..).and_then(<[u8]>::split_first) {
        let here = chunk.get(at..).unwrap_or_default();
        if matches!(byte, b'[' | b'(' | b'{' | b'.' | b'\\')
            && let Some((length, meant)) = meant(here)
        {
            plain.extend_from_slice(meant);
            at += length;
            word_begins = true;
            continue;
        }
        if word_begins && let Some(scheme) = scheme(here) {
            plain.extend_from_slice(scheme);
            at += scheme.len();
            word_begins = false;
            continue;
        }
        plain.push(byte);
        word_begins = !byte.is_ascii_alphanumeric();
        at = chunk.len() - rest.len();
    }
}

fn meant(here: &[u8]) -> Option<(usize, &'static [u8])> {
    // The longest first: `[.]` before `[.`.
    let fits = DISGUISES.iter().filter(|(disguise, _)| starts(here, disguise));
    fits.max_by_key(|(disguise, _)| disguise.len()).map(|(disguise, meant)| (disguise.len(), *meant))
}

fn scheme(here: &[u8]) -> Option<&'static [u8]> {
    let follows = |length: usize| matches!(here.get(length), Some(b':' | b'[' | b'('));
    if starts(here, b"hxxps") && follows(5) {
        return Some(b"https");
    }
    if starts(here, b"hxxp") && follows(4) {
        return Some(b"http");
    }
    (starts(here, b"fxp") && follows(3)).then_some(b"ftp")
}

fn starts(here: &[u8], with: &[u8]) -> bool {
    here.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with))
}
