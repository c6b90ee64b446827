//! Values that a line has in parts.

use super::keys::{Keys, Known, Late, Role};
use super::line::{Lines, Seen, Span};
use crate::Meaning;

/// How a URL is put together.
#[derive(Debug)]
pub(crate) struct Port {
    /// What stands before the host.
    pub(crate) scheme: &'static [u8],
    /// The port that is left out.
    pub(crate) usual: &'static [u8],
}

/// Paths of one line that URLs are made of, and hosts for each: more than a line has that was not made to be slow.
pub(crate) const MOST_URLS: usize = 64;

/// The spans of the values that are this part of something.
pub(crate) fn of(lines: &Lines, keys: &Keys, part: Late) -> impl Iterator<Item = Span> {
    lines.current().iter().filter_map(move |seen| match keys.field(seen.field) {
        Some(Known { role: Role::Part(late, _), .. }) if *late == part => Some(seen.span),
        _ => None,
    })
}

/// Whether a request names a whole URL, as those to a proxy do. A URL within the query of a path makes it no other path.
pub(crate) fn is_whole(uri: &[u8]) -> bool {
    !uri.starts_with(b"/") && memchr::memmem::find(uri, b"://").is_some()
}

/// Puts the URLs together that a path or whole URL and the hosts of the line make: all of them where a key stands twice.
pub(crate) fn urls(lines: &mut Lines, window: &[u8], keys: &Keys, uri: Seen, port: &Port) {
    let see = |lines: &mut Lines, span| lines.add(Seen { field: uri.field, meaning: Some(Meaning::Url), span });
    if lines.current().len() > 1 << 16 {
        return;
    }
    if is_whole(lines.text(window, uri.span)) {
        see(lines, uri.span);
        return;
    }
    let named = of(lines, keys, Late::UrlHost).next().is_some();
    let part = if named { Late::UrlHost } else { Late::UrlAddress };
    let other = of(lines, keys, Late::UrlPort).next();
    // Most lines have one.
    let most = if of(lines, keys, part).nth(1).is_some() { MOST_URLS } else { 1 };
    for number in 0..most {
        let Some(host) = of(lines, keys, part).nth(number) else { break };
        let url = build(lines, window, host, other, uri.span, port);
        see(lines, url);
    }
}

/// Host, port if it is not the usual one, and path.
fn build(lines: &mut Lines, window: &[u8], host: Span, number: Option<Span>, uri: Span, port: &Port) -> Span {
    let name = lines.text(window, host);
    let colon = memchr::memchr(b':', name).and_then(|at| name.get(at + 1..));
    let literal = colon.is_some_and(|behind| !name.starts_with(b"[") && memchr::memchr(b':', behind).is_some());
    let has_port = colon.is_some() && !literal && memchr::memchr(b':', after_literal(name)).is_some();
    let number = number.and_then(|span| {
        let number = lines.text(window, span);
        let told = !has_port && number != port.usual && !number.is_empty() && number.iter().all(u8::is_ascii_digit);
        told.then_some(Span { end: span.start + number.len() as u32, ..span })
    });
    let (open, close): (&[u8], &[u8]) = if literal { (b"[", b"]") } else { (b"", b"") };
    lines.make(|made| {
        made.extend_from_slice(port.scheme);
        made.extend_from_slice(open);
        append(made, window, host);
        made.extend_from_slice(close);
        if let Some(number) = number {
            made.push(b':');
            append(made, window, number);
        }
        append(made, window, uri);
    })
}

/// What stands behind an address in brackets.
fn after_literal(host: &[u8]) -> &[u8] {
    memchr::memrchr(b']', host).and_then(|at| host.get(at + 1..)).unwrap_or(host)
}

/// Appends what a span stands for, be it in the window or in what was made before.
fn append(made: &mut Vec<u8>, window: &[u8], span: Span) {
    let range = span.start as usize..span.end as usize;
    if !span.made {
        made.extend_from_slice(window.get(range).unwrap_or_default());
    } else if range.end <= made.len() && range.start <= range.end {
        made.extend_from_within(range);
    }
}

/// The addresses that proxies named: what stands behind an arrow, or all, parted by commas.
pub(crate) fn forwarded(lines: &mut Lines, window: &[u8], seen: Seen) {
    let value = lines.text(window, seen.span);
    let skip = memchr::memmem::find(value, b"-> ").map_or(0, |at| at + 3);
    let base = seen.span.start as usize;
    let ends = value.len();
    let mut from = skip;
    let mut found = Vec::new();
    while from <= ends {
        let rest = value.get(from..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b',').unwrap_or(rest.len());
        let element = rest.get(..length).unwrap_or_default();
        let lead = element.len() - element.trim_ascii_start().len();
        let (start, end) = (base + from + lead, base + from + lead + element.trim_ascii().len());
        found.push(Span { start: start as u32, end: end as u32, made: seen.span.made });
        from += length + 1;
    }
    for span in found {
        lines.add(Seen { field: seen.field, meaning: Some(Meaning::Host), span });
    }
}
