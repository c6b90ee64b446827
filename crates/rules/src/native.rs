//! Rules of Suricata and Snort that partners wrote, made such that they do no more than alert.
//!
//! A rule can do harm by what it is: `pass` hides traffic from every other rule, `drop` cuts it, a number that is taken replaces
//! another rule, a script runs, a file is read or written. So each rule is taken apart, alerts or is refused, and gets a number from
//! our range.

use crate::item::Native;
use crate::number::revision;
use crate::report::Reason;
use crate::text::is_obeyed;

/// Longest rule that is passed on.
const MOST: usize = 8_000;
/// Rules that one indicator may hold.
const MOST_RULES: usize = 100;

/// Options that read or write files, run scripts, keep data or change what other rules see.
const REACHES: &[&str] = &[
    "lua",
    "luajit",
    "luaxform",
    "dataset",
    "datarep",
    "iprep",
    "filestore",
    "filemd5",
    "filesha1",
    "filesha256",
    "fileext",
    "include",
    "bypass",
    "replace",
    "react",
    "resp",
    "session",
    "tag",
    "activates",
    "activated_by",
    "logto",
    "enable",
    "so",
    "target",
    "noalert",
    "detection_filter",
    "threshold",
    "xbits",
    "hostbits",
    "flowbits",
    "flowint",
];

/// Rewrites the text of an indicator: each rule on a line of its own, with a number that `number` gives.
///
/// # Errors
/// Why none of it is passed on: an indicator is taken whole or not at all.
pub(crate) fn rules(native: &Native<'_>, number: &mut dyn FnMut(&str) -> Option<u32>) -> Result<String, Reason> {
    let mut out = String::new();
    let mut count = 0;
    for line in native.text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        count += 1;
        if count > MOST_RULES || line.len() > MOST {
            return Err(Reason::TooLong);
        }
        let (head, options) = taken_apart(line)?;
        out.push_str(head);
        out.push_str(" (");
        for option in options.iter().filter(|option| !matches!(named(option), "sid" | "gid" | "rev")) {
            out.push_str(option);
            out.push_str("; ");
        }
        let number = number(line).ok_or(Reason::NoNumber)?;
        out.push_str(&format!("sid:{number}; rev:{};)\n", revision(native.about.modified)));
    }
    if count == 0 { Err(Reason::BadRule) } else { Ok(out) }
}

/// What stands before the options, and the options.
fn taken_apart(line: &str) -> Result<(&str, Vec<&str>), Reason> {
    if line.chars().any(is_obeyed) {
        return Err(Reason::BadRule);
    }
    let (head, rest) = line.split_once('(').ok_or(Reason::BadRule)?;
    let (head, rest) = (head.trim(), rest.trim_end().strip_suffix(')').ok_or(Reason::BadRule)?);
    let mut words = head.split_whitespace();
    if words.next() != Some("alert") {
        return Err(Reason::DoesMore);
    }
    // Action, protocol, and either nothing or both ends and the direction; lists of addresses may have blanks.
    let plain = |c: char| c.is_ascii_alphanumeric() || "$_-.:/,![]<>= ".contains(c);
    let count = words.count();
    if (count != 1 && count < 6) || !head.chars().all(plain) {
        return Err(Reason::BadRule);
    }
    let options = split(rest)?;
    if options.is_empty() {
        return Err(Reason::BadRule);
    }
    for option in &options {
        let name = named(option);
        let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if name.is_empty() || !name.chars().all(sound) {
            return Err(Reason::BadRule);
        }
        if REACHES.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(Reason::Reaches);
        }
    }
    Ok((head, options))
}

/// The name of an option.
fn named(option: &str) -> &str {
    option.split(':').next().unwrap_or_default().trim()
}

/// Options end at a `;` that stands neither in quotes nor behind a backslash. The last one ends as well.
fn split(text: &str) -> Result<Vec<&str>, Reason> {
    let (mut options, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match c {
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            // A semicolon in quotes is read by one program as text and by another as the end.
            ';' if quoted => return Err(Reason::BadRule),
            ';' => {
                options.push(text.get(start..at).unwrap_or_default().trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    let left = text.get(start..).unwrap_or_default();
    if quoted || escaped || !left.trim().is_empty() { Err(Reason::BadRule) } else { Ok(options) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{About, Language};

    fn passed(text: &str) -> Result<String, Reason> {
        let about = About { modified: 7_000_000, ..About::default() };
        let mut next = 100;
        rules(&Native { about: &about, language: Language::Suricata, text }, &mut |_| {
            next += 1;
            Some(next)
        })
    }

    #[test]
    fn rules_alert_under_a_number_of_ours() {
        for (text, expected) in [
            (
                "alert dns any any -> any any (msg:\"x\\; y\"; dns.query; content:\"a|3b|\"; sid:2000001; gid:3; rev:9;)",
                Ok("alert dns any any -> any any (msg:\"x\\; y\"; dns.query; content:\"a|3b|\"; sid:101; rev:7;)\n"),
            ),
            (
                "# a remark\n\nalert http ( msg:\"x\"; sid:5; )\n  alert tcp [10.0.0.1, 10.0.0.2] any <> $X any (sid:1;)  ",
                Ok(
                    "alert http (msg:\"x\"; sid:101; rev:7;)\nalert tcp [10.0.0.1, 10.0.0.2] any <> $X any (sid:102; rev:7;)\n",
                ),
            ),
            ("pass ip any any <> any any (sid:1;)", Err(Reason::DoesMore)),
            ("drop ip any any <> any any (sid:1;)", Err(Reason::DoesMore)),
            ("alert ip any any <> any any (lua:x.lua; sid:1;)", Err(Reason::Reaches)),
            ("alert ip any any <> any any (dataset:set,x,type string,save /etc/passwd; sid:1;)", Err(Reason::Reaches)),
            ("alert ip any any <> any any (LuaJIT : x; sid:1;)", Err(Reason::Reaches)),
            ("alert ip any any <> any any (msg:\"a; sid:1;)", Err(Reason::BadRule)),
            ("alert ip any any <> any any (msg:\"a;b\"; sid:1;)", Err(Reason::BadRule)),
            ("alert ip any any <> any any (msg:\"a\"; sid:1)", Err(Reason::BadRule)),
            (
                "alert ip any any <> any any (msg:\"a\"; sid:1;) pass ip any any -> any any (sid:2;)",
                Err(Reason::BadRule),
            ),
            ("alert ip any any <> any any (msg:\"a\u{202e}\"; sid:1;)", Err(Reason::BadRule)),
            ("alert ip any any <> any any", Err(Reason::BadRule)),
            ("include /etc/passwd", Err(Reason::BadRule)),
            ("alert ip any (sid:1;)", Err(Reason::BadRule)),
            ("", Err(Reason::BadRule)),
            ("alert tcp any any -> any any (sid:1;)\\\nmore", Err(Reason::BadRule)),
        ] {
            assert_eq!(passed(text).as_deref().map_err(|reason| *reason), expected, "{text}");
        }
    }

    #[test]
    fn too_many_and_too_long() {
        let one = "alert tcp any any -> any any (sid:1;)\n";
        assert!(passed(&one.repeat(100)).is_ok());
        assert_eq!(passed(&one.repeat(101)), Err(Reason::TooLong));
        assert_eq!(
            passed(&format!("alert tcp any any -> any any (msg:\"{}\"; sid:1;)", "x".repeat(9_000))),
            Err(Reason::TooLong)
        );
    }
}
