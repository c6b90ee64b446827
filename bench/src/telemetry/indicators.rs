//! Indicators without end, made from their numbers: nothing is stored, and telemetry can name any of them.

use observable::{Claim, Kind};
use std::fmt::Write as _;

/// The indicator of a number. Of a hundred, 40 are domains (an eighth of them with their subdomains), 25 addresses, 15
/// URLs, 18 digests and two networks.
pub fn indicator(number: u64) -> Claim {
    let noise = mix(number);
    match number % 100 {
        0..40 if number % 8 == 0 => Claim::with_subdomains(domain(noise)),
        0..40 => Claim::new(Kind::Domain, domain(noise)),
        40..65 => Claim::new(Kind::Ipv4, address(number)),
        65..80 => Claim::new(Kind::Url, format!("http://{}{}", url_host(noise), url_path(noise))),
        80..92 => Claim::new(Kind::Sha256, digest(noise, 64)),
        92..95 => Claim::new(Kind::Sha1, digest(noise, 40)),
        95..98 => Claim::new(Kind::Md5, digest(noise, 32)),
        // Few networks, each of 256 addresses: 224.0.0.0/3 holds no other value here.
        _ => Claim::new(Kind::Cidr, format!("{}.0/24", network(number / 100 * 2 + number % 2))),
    }
}

/// An even mixture of a number's bits.
pub fn mix(number: u64) -> u64 {
    let mut state = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    state = (state ^ state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    state = (state ^ state >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ state >> 31
}

const ENDINGS: [&str; 6] = ["com", "net", "org", "ru", "top", "xyz"];
const WORDS: [&str; 16] = [
    "update", "secure", "login", "cdn", "static", "mail", "cloud", "support", "billing", "portal", "sync", "api", "files", "news",
    "shop", "media",
];

fn word(noise: u64) -> &'static str {
    WORDS[(noise % 16) as usize]
}

/// Its hexadecimal digits are as many as keep it apart from those of other numbers.
fn domain(noise: u64) -> String {
    format!("{}-{:012x}.{}", word(noise), noise >> 16, ENDINGS[(noise % 6) as usize])
}

fn url_host(noise: u64) -> String {
    format!("{}{:010x}.{}", word(noise >> 4), noise >> 24, ENDINGS[(noise % 6) as usize])
}

fn url_path(noise: u64) -> String {
    format!("/{}/{:08x}/gate.php?id={}", word(noise >> 8), noise as u32, noise >> 40 & 0xFFFF)
}

/// In 128.0.0.0/2, the last number even. No two numbers have the same: they are multiplied by an odd one.
fn address(number: u64) -> String {
    let bits = 0x8000_0000 | (number.wrapping_mul(0x9E37_79B1) as u32 & 0x1FFF_FFFF) << 1;
    std::net::Ipv4Addr::from_bits(bits).to_string()
}

/// In 224.0.0.0/3, the same way.
fn network(number: u64) -> String {
    let bits = number.wrapping_mul(0x9E37_79B1) as u32 & 0x001F_FFFF;
    format!("{}.{}.{}", 224 + (bits >> 16), bits >> 8 & 0xFF, bits & 0xFF)
}

fn digest(noise: u64, digits: usize) -> String {
    let mut text = String::new();
    let mut state = noise;
    while text.len() < digits {
        let _ = write!(text, "{state:016x}");
        state = mix(state);
    }
    text.truncate(digits);
    text
}
