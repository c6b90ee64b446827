//! Fingerprints of TLS: JA3, JA3S and JA4, as their authors published them.

use md5::{Digest as _, Md5};
use sha2::Sha256;

/// What a ClientHello or ServerHello offers.
#[derive(Debug, Default)]
pub(super) struct Hello<'b> {
    version: u16,
    ciphers: Vec<u16>,
    extensions: Vec<(u16, &'b [u8])>,
}

impl<'b> Hello<'b> {
    /// RFC 8446 §4.1.2.
    pub(super) fn client(body: &'b [u8]) -> Option<Self> {
        let version = two(body, 0)?;
        let rest = body.get(34..)?;
        let rest = rest.get(1 + usize::from(*rest.first()?)..)?;
        let length = usize::from(two(rest, 0)?);
        let ciphers = numbers(rest.get(2..2 + length)?);
        let rest = rest.get(2 + length..)?;
        let rest = rest.get(1 + usize::from(*rest.first()?)..)?;
        Some(Self { version, ciphers, extensions: extensions(rest)? })
    }

    /// RFC 8446 §4.1.3.
    pub(super) fn server(body: &'b [u8]) -> Option<Self> {
        let version = two(body, 0)?;
        let rest = body.get(34..)?;
        let rest = rest.get(1 + usize::from(*rest.first()?)..)?;
        Some(Self { version, ciphers: vec![two(rest, 0)?], extensions: extensions(rest.get(3..)?)? })
    }

    fn extension(&self, wanted: u16) -> Option<&'b [u8]> {
        self.extensions.iter().find(|(kind, _)| *kind == wanted).map(|(_, body)| *body)
    }

    /// The name of the server: RFC 6066 §3.
    pub(super) fn server_name(&self) -> Option<&'b [u8]> {
        let body = self.extension(0)?;
        if *body.get(2)? != 0 {
            return None;
        }
        body.get(5..5 + usize::from(two(body, 3)?))
    }

    /// MD5 of version, ciphers, extensions, groups and point formats.
    pub(super) fn ja3(&self) -> String {
        let groups = numbers(self.extension(10).and_then(|body| body.get(2..)).unwrap_or_default());
        let formats = self.extension(11).and_then(|body| body.get(1..)).unwrap_or_default();
        let formats: Vec<u16> = formats.iter().map(|&format| u16::from(format)).collect();
        let kinds: Vec<u16> = self.extensions.iter().map(|(kind, _)| *kind).collect();
        let text = format!(
            "{},{},{},{},{}",
            self.version,
            decimal(&self.ciphers),
            decimal(&kinds),
            decimal(&groups),
            decimal(&formats)
        );
        hex(&Md5::digest(text), 16)
    }

    /// MD5 of version, cipher and extensions.
    pub(super) fn ja3s(&self) -> String {
        let kinds: Vec<String> = self.extensions.iter().map(|(kind, _)| kind.to_string()).collect();
        let cipher = self.ciphers.first().copied().unwrap_or_default();
        hex(&Md5::digest(format!("{},{cipher},{}", self.version, kinds.join("-"))), 16)
    }

    /// JA4, for a transport: `t` for TCP.
    pub(super) fn ja4(&self, transport: u8) -> String {
        let mut ciphers = plain(self.ciphers.iter().copied());
        let kinds = plain(self.extensions.iter().map(|(kind, _)| *kind));
        let head = format!(
            "{}{}{}{:02}{:02}{}",
            char::from(transport),
            self.newest(),
            if self.extension(0).is_some() { 'd' } else { 'i' },
            ciphers.len().min(99),
            kinds.len().min(99),
            self.protocol()
        );
        ciphers.sort_unstable();
        // The name and the protocols vary with the server, not with the client.
        let mut others: Vec<u16> = kinds.into_iter().filter(|kind| !matches!(kind, 0 | 16)).collect();
        others.sort_unstable();
        let mut second = hexadecimal(&others);
        let algorithms = plain(numbers(self.extension(13).and_then(|body| body.get(2..)).unwrap_or_default()));
        if !algorithms.is_empty() {
            second = format!("{second}_{}", hexadecimal(&algorithms));
        }
        format!(
            "{head}_{}_{}",
            short(&hexadecimal(&ciphers)),
            if others.is_empty() { "0".repeat(12) } else { short(&second) }
        )
    }

    /// The newest version that is offered.
    fn newest(&self) -> &'static str {
        let offered = plain(numbers(self.extension(43).and_then(|body| body.get(1..)).unwrap_or_default()));
        match offered.into_iter().max().unwrap_or(self.version) {
            0x0304 => "13",
            0x0303 => "12",
            0x0302 => "11",
            0x0301 => "10",
            0x0300 => "s3",
            0x0002 => "s2",
            _ => "00",
        }
    }

    /// First and last character of the first protocol of ALPN (RFC 7301 §3.1).
    fn protocol(&self) -> String {
        let first = self.extension(16).and_then(|body| body.get(3..3 + usize::from(*body.get(2)?)));
        match first {
            Some([first, .., last]) | Some([first @ last])
                if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() =>
            {
                format!("{}{}", char::from(*first), char::from(*last))
            }
            Some([first, .., last]) | Some([first @ last]) => format!("{:x}{:x}", first >> 4, last & 15),
            _ => "00".to_owned(),
        }
    }
}

fn extensions(bytes: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut found = Vec::new();
    // Old clients have none.
    let Some(length) = two(bytes, 0) else { return Some(found) };
    let mut rest = bytes.get(2..2 + usize::from(length))?;
    while !rest.is_empty() {
        let length = usize::from(two(rest, 2)?);
        found.push((two(rest, 0)?, rest.get(4..4 + length)?));
        rest = rest.get(4 + length..)?;
    }
    Some(found)
}

/// GREASE: values that mean nothing, RFC 8701 §2.
fn is_grease(number: u16) -> bool {
    let [high, low] = number.to_be_bytes();
    high == low && low & 15 == 10
}

fn plain(numbers: impl IntoIterator<Item = u16>) -> Vec<u16> {
    numbers.into_iter().filter(|&number| !is_grease(number)).collect()
}

fn decimal(numbers: &[u16]) -> String {
    let numbers: Vec<String> = plain(numbers.iter().copied()).iter().map(u16::to_string).collect();
    numbers.join("-")
}

fn hexadecimal(numbers: &[u16]) -> String {
    let numbers: Vec<String> = numbers.iter().map(|number| format!("{number:04x}")).collect();
    numbers.join(",")
}

fn short(text: &str) -> String {
    if text.is_empty() { "0".repeat(12) } else { hex(&Sha256::digest(text), 6) }
}

pub(super) fn hex(bytes: &[u8], length: usize) -> String {
    bytes.iter().take(length).map(|byte| format!("{byte:02x}")).collect()
}

fn numbers(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks::<2>().0.iter().map(|&two| u16::from_be_bytes(two)).collect()
}

fn two(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<u16> {
        text.split(',').map(|word| u16::from_str_radix(word, 16).unwrap()).collect()
    }

    /// The example in the published description of JA4.
    #[test]
    fn ja4_as_published() {
        let algorithms: Vec<u8> =
            words("0403,0804,0401,0503,0805,0501,0806,0601").iter().flat_map(|word| word.to_be_bytes()).collect();
        let algorithms = [&[0, 16][..], &algorithms].concat();
        let kinds = words("001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015,2a2a");
        let extensions = kinds.into_iter().map(|kind| {
            let body: &[u8] = match kind {
                0x10 => &[0, 3, 2, b'h', b'2'],
                0x2b => &[4, 0x0a, 0x0a, 3, 4],
                0x0d => &algorithms,
                _ => &[],
            };
            (kind, body)
        });
        let hello = Hello {
            version: 0x0303,
            ciphers: words("dada,1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035"),
            extensions: extensions.collect(),
        };
        assert_eq!(hello.ja4(b't'), "t13d1516h2_8daaf6152771_e5627efa2ab1");
    }

    /// The example in the published description of JA3.
    #[test]
    fn ja3_as_published() {
        let hello = Hello {
            version: 769,
            ciphers: vec![47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4],
            extensions: vec![(0, &[]), (10, &[0, 6, 0, 23, 0, 24, 0, 25]), (11, &[1, 0])],
        };
        assert_eq!(hello.ja3(), "ada70206e40642a3e4461f35503241d5");
        let hello = Hello { version: 769, ciphers: vec![4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99], extensions: vec![] };
        assert_eq!(hello.ja3(), "de350869b8c85de67a350c8d186f11e6");
    }

    #[test]
    fn a_hello_without_anything() {
        let hello = Hello::default();
        assert_eq!(hello.ja4(b't'), "t00i000000_000000000000_000000000000");
    }
}
