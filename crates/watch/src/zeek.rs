//! Zeek's logs: which field holds what, in JSON and in columns alike.
//!
//! A few names mean different things in different logs. The log's name says which it is, or, where the line has none,
//! the fields beside it do.

use crate::Meaning;
use crate::scan::keys::{Keys, Known, Late, Role};
use crate::scan::line::Lines;
use crate::scan::parts::{self, Port};

const SSL: u32 = 1;
const SMTP: u32 = 1 << 1;
const SMB: u32 = 1 << 2;
const FTP: u32 = 1 << 3;
const KERBEROS: u32 = 1 << 4;

const fn one(name: &'static str, meaning: Meaning) -> Known {
    Known { name, role: Role::Meet(meaning), list: false }
}

const fn many(name: &'static str, meaning: Meaning) -> Known {
    Known { name, role: Role::Meet(meaning), list: true }
}

const fn late(name: &'static str, late: Late) -> Known {
    Known { name, role: Role::Late(late), list: false }
}

const fn part(name: &'static str, late: Late, meaning: Option<Meaning>) -> Known {
    Known { name, role: Role::Part(late, meaning), list: false }
}

const fn sign(name: &'static str, sign: u32) -> Known {
    Known { name, role: Role::Sign(sign), list: false }
}

/// The fields that are read.
pub(crate) const FIELDS: &[Known] = &[
    Known { name: "ts", role: Role::Time, list: false },
    part("_path", Late::Path, None),
    one("id.orig_h", Meaning::Address),
    part("id.resp_h", Late::UrlAddress, Some(Meaning::Address)),
    part("id.resp_p", Late::UrlPort, None),
    one("orig_l2_addr", Meaning::Mac),
    one("resp_l2_addr", Meaning::Mac),
    // dns
    one("query", Meaning::Host),
    many("answers", Meaning::Answer),
    // http
    part("host", Late::UrlHost, Some(Meaning::Host)),
    late("uri", Late::Uri),
    one("referrer", Meaning::Url),
    one("user_agent", Meaning::UserAgent),
    one("username", Meaning::Account),
    Known { name: "proxied", role: Role::Late(Late::Forwarded), list: true },
    many("orig_filenames", Meaning::FileName),
    many("resp_filenames", Meaning::FileName),
    many("filenames", Meaning::FileName),
    // ssl, quic and the packages for fingerprints
    one("server_name", Meaning::Host),
    many("cert_chain_fps", Meaning::Certificate),
    many("client_cert_chain_fps", Meaning::Certificate),
    one("client_subject", Meaning::DistinguishedName),
    one("ja3", Meaning::Ja3),
    one("ja3s", Meaning::Ja3s),
    one("ja4", Meaning::Ja4),
    sign("cipher", SSL),
    sign("established", SSL),
    sign("ssl_history", SSL),
    sign("issuer", SSL),
    // files
    one("filename", Meaning::FileName),
    one("md5", Meaning::Digest),
    one("sha1", Meaning::Digest),
    one("sha256", Meaning::Digest),
    many("tx_hosts", Meaning::Address),
    many("rx_hosts", Meaning::Address),
    // x509
    one("fingerprint", Meaning::Certificate),
    one("certificate.subject", Meaning::DistinguishedName),
    one("certificate.serial", Meaning::CertificateSerial),
    many("san.dns", Meaning::Host),
    many("san.uri", Meaning::Url),
    many("san.email", Meaning::Mailbox),
    many("san.ip", Meaning::Address),
    // smtp
    one("helo", Meaning::Host),
    one("mailfrom", Meaning::Mailbox),
    many("rcptto", Meaning::Mailbox),
    one("from", Meaning::Mailbox),
    many("to", Meaning::Mailbox),
    many("cc", Meaning::Mailbox),
    one("reply_to", Meaning::Mailbox),
    late("subject", Late::Subject),
    one("x_originating_ip", Meaning::Address),
    many("path", Meaning::Address),
    sign("msg_id", SMTP),
    sign("last_reply", SMTP),
    sign("first_received", SMTP),
    // ssh and kerberos
    late("client", Late::Client),
    late("server", Late::Server),
    sign("request_type", KERBEROS),
    sign("forwardable", KERBEROS),
    sign("renewable", KERBEROS),
    sign("error_msg", KERBEROS),
    // smb_files
    late("name", Late::Name),
    one("prev_name", Meaning::FileName),
    sign("times.modified", SMB),
    sign("times.accessed", SMB),
    sign("times.created", SMB),
    sign("times.changed", SMB),
    // ftp, and logs of other protocols with accounts
    one("user", Meaning::Account),
    late("arg", Late::Argument),
    sign("reply_code", FTP),
    sign("reply_msg", FTP),
    sign("data_channel.passive", FTP),
    sign("data_channel.resp_h", FTP),
    // rdp
    one("cookie", Meaning::Account),
    // dhcp
    one("client_addr", Meaning::Address),
    one("server_addr", Meaning::Address),
    one("assigned_addr", Meaning::Address),
    one("requested_addr", Meaning::Address),
    one("mac", Meaning::Mac),
    one("host_name", Meaning::Host),
    one("client_fqdn", Meaning::Host),
    // notice
    one("src", Meaning::Address),
    one("dst", Meaning::Address),
    // intel
    late("seen.indicator", Late::Indicator),
    part("seen.indicator_type", Late::IndicatorType, None),
];

/// Understands the values that wait for the end of the line. `path` is the log's name where a header has it.
pub(crate) fn settle(lines: &mut Lines, window: &[u8], keys: &Keys, path: &[u8]) {
    let noted = parts::of(lines, keys, Late::Path).next().map(|span| lines.text(window, span));
    let signs = lines.signs | of_path(noted.unwrap_or(path));
    let (mut at, mut paths, mut indicated) = (0, 0, None);
    while let Some(seen) = lines.current().get(at).copied() {
        if seen.meaning.is_none()
            && let Some(Known { role: Role::Late(late), .. }) = keys.field(seen.field)
        {
            let value = lines.text(window, seen.span);
            let meaning = match late {
                Late::Uri if paths < parts::MOST_URLS && (value.starts_with(b"/") || parts::is_whole(value)) => {
                    paths += 1;
                    parts::urls(lines, window, keys, seen, &PORT);
                    None
                }
                Late::Forwarded => {
                    parts::forwarded(lines, window, seen);
                    None
                }
                Late::Indicator => *indicated.get_or_insert_with(|| {
                    let kind = parts::of(lines, keys, Late::IndicatorType).next();
                    kind.and_then(|kind| indicator(lines.text(window, kind)))
                }),
                other => meaning(*other, value, signs),
            };
            if let Some(seen) = lines.current_mut().get_mut(at) {
                seen.meaning = meaning;
            }
        }
        at += 1;
    }
}

/// Zeek's URL: `scripts/base/protocols/http/utils.zeek`, without a scheme. Unlike there, a path stays a path if a URL stands
/// in its query.
const PORT: Port = Port { scheme: b"", usual: b"80" };

/// Which log it is, by its name.
fn of_path(path: &[u8]) -> u32 {
    match path {
        b"ssl" => SSL,
        b"smtp" => SMTP,
        b"smb_files" => SMB,
        b"ftp" => FTP,
        b"kerberos" => KERBEROS,
        _ => 0,
    }
}

fn meaning(late: Late, value: &[u8], signs: u32) -> Option<Meaning> {
    match late {
        Late::Subject if signs & SSL != 0 => Some(Meaning::DistinguishedName),
        Late::Subject => Some(Meaning::Subject),
        Late::Client | Late::Server if value.starts_with(b"SSH-") => Some(Meaning::UserAgent),
        Late::Client if signs & KERBEROS != 0 => Some(Meaning::Account),
        Late::Name if signs & SMB != 0 => Some(Meaning::FileName),
        Late::Argument if signs & FTP != 0 => {
            Some(if contains(value, b"://") { Meaning::Url } else { Meaning::FileName })
        }
        _ => None,
    }
}

/// What Zeek's types of indicators mean: `scripts/base/frameworks/intel/main.zeek`.
fn indicator(kind: &[u8]) -> Option<Meaning> {
    Some(match kind {
        b"Intel::ADDR" => Meaning::Address,
        b"Intel::URL" => Meaning::Url,
        b"Intel::SOFTWARE" => Meaning::UserAgent,
        b"Intel::EMAIL" => Meaning::Mailbox,
        b"Intel::DOMAIN" => Meaning::Host,
        b"Intel::USER_NAME" => Meaning::Account,
        b"Intel::CERT_HASH" => Meaning::Certificate,
        b"Intel::FILE_HASH" => Meaning::Digest,
        b"Intel::FILE_NAME" => Meaning::FileName,
        _ => return None,
    })
}

fn contains(value: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(value, part).is_some()
}
