//! Suricata's EVE log: which field holds what, of all types of events.
//!
//! Names of fields are those of Suricata 7 to 9; older forms of DNS events stand beside the new ones. A field means the
//! same whatever the type of the event, so alerts, which carry parts of other events, need no rules of their own.

use crate::Meaning;
use crate::scan::keys::{Keys, Known, Late, Role};
use crate::scan::line::Lines;
use crate::scan::parts::{self, Port};

const fn one(name: &'static str, meaning: Meaning) -> Known {
    Known { name, role: Role::Meet(meaning), list: false }
}

const fn late(name: &'static str, late: Late) -> Known {
    Known { name, role: Role::Late(late), list: false }
}

const fn part(name: &'static str, late: Late, meaning: Option<Meaning>) -> Known {
    Known { name, role: Role::Part(late, meaning), list: false }
}

/// The fields that are read.
pub(crate) const FIELDS: &[Known] = &[
    Known { name: "timestamp", role: Role::Time, list: false },
    one("src_ip", Meaning::Address),
    part("dest_ip", Late::UrlAddress, Some(Meaning::Address)),
    one("flow.src_ip", Meaning::Address),
    one("flow.dest_ip", Meaning::Address),
    one("tunnel.src_ip", Meaning::Address),
    one("tunnel.dest_ip", Meaning::Address),
    one("alert.source.ip", Meaning::Address),
    one("alert.target.ip", Meaning::Address),
    late("alert.xff", Late::Forwarded),
    late("xff", Late::Forwarded),
    one("ether.src_mac", Meaning::Mac),
    one("ether.dest_mac", Meaning::Mac),
    one("ether.src_macs", Meaning::Mac),
    one("ether.dest_macs", Meaning::Mac),
    // dns: version 3 has lists, version 2 has one name above them, version 1 one answer an event
    one("dns.rrname", Meaning::Host),
    one("dns.rdata", Meaning::Answer),
    one("dns.queries.rrname", Meaning::Host),
    one("dns.query.rrname", Meaning::Host),
    one("dns.answers.rrname", Meaning::Host),
    one("dns.answers.rdata", Meaning::Answer),
    one("dns.answers.soa.mname", Meaning::Host),
    one("dns.answers.srv.name", Meaning::Host),
    one("dns.answer.rrname", Meaning::Host),
    one("dns.answer.answers.rrname", Meaning::Host),
    one("dns.answer.answers.rdata", Meaning::Answer),
    one("dns.authorities.rrname", Meaning::Host),
    one("dns.authorities.rdata", Meaning::Answer),
    one("dns.authorities.soa.mname", Meaning::Host),
    one("dns.additionals.rrname", Meaning::Host),
    one("dns.additionals.rdata", Meaning::Answer),
    one("dns.grouped.A", Meaning::Address),
    one("dns.grouped.AAAA", Meaning::Address),
    one("dns.grouped.CNAME", Meaning::Host),
    one("dns.grouped.MX", Meaning::Host),
    one("dns.grouped.NS", Meaning::Host),
    one("dns.grouped.PTR", Meaning::Host),
    one("dns.grouped.SOA.mname", Meaning::Host),
    one("dns.grouped.SRV.name", Meaning::Host),
    one("mdns.rrname", Meaning::Host),
    one("mdns.queries.rrname", Meaning::Host),
    one("mdns.answers.rrname", Meaning::Host),
    one("mdns.answers.rdata", Meaning::Answer),
    one("llmnr.rrname", Meaning::Host),
    one("llmnr.queries.rrname", Meaning::Host),
    one("llmnr.answers.rrname", Meaning::Host),
    one("llmnr.answers.rdata", Meaning::Answer),
    // http
    part("http.hostname", Late::UrlHost, Some(Meaning::Host)),
    part("http.http_port", Late::UrlPort, None),
    late("http.url", Late::Uri),
    one("http.http_user_agent", Meaning::UserAgent),
    one("http.http_refer", Meaning::Url),
    one("http.redirect", Meaning::Url),
    late("http.xff", Late::Forwarded),
    // tls and quic
    one("tls.sni", Meaning::Host),
    one("tls.subject", Meaning::DistinguishedName),
    one("tls.serial", Meaning::CertificateSerial),
    one("tls.fingerprint", Meaning::Certificate),
    one("tls.subjectaltname", Meaning::Host),
    one("tls.ja3.hash", Meaning::Ja3),
    one("tls.ja3s.hash", Meaning::Ja3s),
    one("tls.ja4", Meaning::Ja4),
    one("tls.client.subject", Meaning::DistinguishedName),
    one("tls.client.serial", Meaning::CertificateSerial),
    one("tls.client.fingerprint", Meaning::Certificate),
    one("tls.client.subjectaltname", Meaning::Host),
    one("quic.sni", Meaning::Host),
    one("quic.ua", Meaning::UserAgent),
    one("quic.ja3.hash", Meaning::Ja3),
    one("quic.ja3s.hash", Meaning::Ja3s),
    one("quic.ja4", Meaning::Ja4),
    // files
    one("fileinfo.filename", Meaning::FileName),
    one("fileinfo.md5", Meaning::Digest),
    one("fileinfo.sha1", Meaning::Digest),
    one("fileinfo.sha256", Meaning::Digest),
    one("files.filename", Meaning::FileName),
    one("files.md5", Meaning::Digest),
    one("files.sha1", Meaning::Digest),
    one("files.sha256", Meaning::Digest),
    one("nfs.filename", Meaning::FileName),
    one("tftp.file", Meaning::FileName),
    one("ftp_data.filename", Meaning::FileName),
    // mail
    one("smtp.helo", Meaning::Host),
    one("smtp.mail_from", Meaning::Mailbox),
    one("smtp.rcpt_to", Meaning::Mailbox),
    one("email.from", Meaning::Mailbox),
    one("email.to", Meaning::Mailbox),
    one("email.cc", Meaning::Mailbox),
    one("email.subject", Meaning::Subject),
    one("email.url", Meaning::Url),
    one("email.attachment", Meaning::FileName),
    one("email.x_mailer", Meaning::UserAgent),
    // ssh, krb5, smb, rdp, dhcp, arp
    one("ssh.client.software_version", Meaning::UserAgent),
    one("ssh.server.software_version", Meaning::UserAgent),
    one("krb5.cname", Meaning::Account),
    one("smb.filename", Meaning::FileName),
    one("smb.ntlmssp.user", Meaning::Account),
    one("rdp.cookie", Meaning::Account),
    one("dhcp.client_mac", Meaning::Mac),
    one("dhcp.assigned_ip", Meaning::Address),
    one("dhcp.requested_ip", Meaning::Address),
    one("dhcp.hostname", Meaning::Host),
    one("dhcp.dns_servers", Meaning::Address),
    one("dhcp.routers", Meaning::Address),
    one("arp.src_mac", Meaning::Mac),
    one("arp.dest_mac", Meaning::Mac),
    one("arp.src_ip", Meaning::Address),
    one("arp.dest_ip", Meaning::Address),
];

/// A request whose scheme the log does not say is taken for one of plain HTTP.
const PORT: Port = Port { scheme: b"http://", usual: b"80" };

/// Understands the values that wait for the end of the line.
pub(crate) fn settle(lines: &mut Lines, window: &[u8], keys: &Keys) {
    let (mut at, mut paths) = (0, 0);
    while let Some(seen) = lines.current().get(at).copied() {
        match keys.field(seen.field) {
            Some(Known { role: Role::Late(Late::Uri), .. }) if seen.meaning.is_none() && paths < parts::MOST_URLS => {
                paths += 1;
                parts::urls(lines, window, keys, seen, &PORT);
            }
            Some(Known { role: Role::Late(Late::Forwarded), .. }) if seen.meaning.is_none() => {
                parts::forwarded(lines, window, seen);
            }
            _ => {}
        }
        at += 1;
    }
}
