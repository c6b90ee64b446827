//! What the names of fields let expect: the tables of ECS and OCSF, and a guess by the last part of a name.

use super::map::Use;
use crate::{Detail, Meaning};

/// Fields of the Elastic Common Schema 9 that a guess by the last part would not get right.
/// `spec`: telemetry formats §7.
pub(super) const ECS: &[(&str, Use)] = &[
    ("@timestamp", Use::Time),
    ("dns.question.name", Use::Is(Meaning::Host)),
    ("dns.question.registered_domain", Use::Is(Meaning::Host)),
    ("dns.answers.data", Use::Is(Meaning::Answer)),
    ("dns.answers.name", Use::Is(Meaning::Host)),
    ("dns.resolved_ip", Use::Is(Meaning::Address)),
    ("host.name", Use::Is(Meaning::Host)),
    ("related.ip", Use::Is(Meaning::Address)),
    ("related.hosts", Use::Is(Meaning::Host)),
    ("related.hash", Use::Is(Meaning::Digest)),
    ("related.user", Use::Is(Meaning::Account)),
    ("url.full", Use::Is(Meaning::Url)),
    ("url.original", Use::Is(Meaning::Url)),
    ("url.path", Use::Ignore),
    ("url.domain", Use::Is(Meaning::Host)),
    ("email.subject", Use::Is(Meaning::Subject)),
    ("email.message_id", Use::Ignore),
    ("email.attachments.file.name", Use::Is(Meaning::FileName)),
    ("file.name", Use::Is(Meaning::FileName)),
    ("file.path", Use::Is(Meaning::FileName)),
    ("process.executable", Use::Is(Meaning::FileName)),
    ("process.name", Use::Is(Meaning::FileName)),
    ("dll.name", Use::Is(Meaning::FileName)),
    ("dll.path", Use::Is(Meaning::FileName)),
    ("tls.client.server_name", Use::Is(Meaning::Host)),
    ("tls.client.ja3", Use::Is(Meaning::Ja3)),
    ("tls.server.ja3s", Use::Is(Meaning::Ja3s)),
    ("tls.server.hash.md5", Use::Is(Meaning::Certificate)),
    ("tls.server.hash.sha1", Use::Is(Meaning::Certificate)),
    ("tls.server.hash.sha256", Use::Is(Meaning::Certificate)),
    ("tls.client.hash.md5", Use::Is(Meaning::Certificate)),
    ("tls.client.hash.sha1", Use::Is(Meaning::Certificate)),
    ("tls.client.hash.sha256", Use::Is(Meaning::Certificate)),
    ("tls.server.x509.serial_number", Use::Is(Meaning::CertificateSerial)),
    ("tls.server.x509.subject.common_name", Use::Is(Meaning::Host)),
    ("tls.server.x509.alternative_names", Use::Is(Meaning::Host)),
    ("tls.server.subject", Use::Is(Meaning::DistinguishedName)),
    ("user_agent.original", Use::Is(Meaning::UserAgent)),
    ("user_agent.name", Use::Ignore),
    ("user.name", Use::Is(Meaning::Account)),
    ("user.email", Use::Is(Meaning::Mailbox)),
    ("registry.path", Use::Is(Meaning::RegistryKey)),
    ("registry.key", Use::Is(Meaning::RegistryKey)),
    ("source.as.number", Use::Is(Meaning::AutonomousSystem)),
    ("destination.as.number", Use::Is(Meaning::AutonomousSystem)),
    ("client.as.number", Use::Is(Meaning::AutonomousSystem)),
    ("server.as.number", Use::Is(Meaning::AutonomousSystem)),
    ("ecs.version", Use::Ignore),
];

/// Fields of OCSF 1.9. `spec`: telemetry formats §8.
pub(super) const OCSF: &[(&str, Use)] = &[
    ("time", Use::Time),
    ("query.hostname", Use::Is(Meaning::Host)),
    ("answers.rdata", Use::Is(Meaning::Answer)),
    ("url.url_string", Use::Is(Meaning::Url)),
    ("http_request.url.url_string", Use::Is(Meaning::Url)),
    ("http_request.referrer", Use::Is(Meaning::Url)),
    ("http_request.user_agent", Use::Is(Meaning::UserAgent)),
    ("file.hashes.value", Use::Is(Meaning::Digest)),
    ("process.file.hashes.value", Use::Is(Meaning::Digest)),
    ("actor.process.file.hashes.value", Use::Is(Meaning::Digest)),
    ("actor.process.name", Use::Is(Meaning::FileName)),
    ("actor.process.file.name", Use::Is(Meaning::FileName)),
    ("actor.process.file.path", Use::Is(Meaning::FileName)),
    ("actor.user.name", Use::Is(Meaning::Account)),
    ("process.file.name", Use::Is(Meaning::FileName)),
    ("process.file.path", Use::Is(Meaning::FileName)),
    ("tls.sni", Use::Is(Meaning::Host)),
    ("tls.certificate.fingerprints.value", Use::Is(Meaning::Certificate)),
    ("tls.certificate.serial_number", Use::Is(Meaning::CertificateSerial)),
    ("tls.certificate.subject", Use::Is(Meaning::DistinguishedName)),
    ("tls.ja3_hash.value", Use::Is(Meaning::Ja3)),
    ("tls.ja3s_hash.value", Use::Is(Meaning::Ja3s)),
    ("email.from", Use::Is(Meaning::Mailbox)),
    ("email.to", Use::Is(Meaning::Mailbox)),
    ("email.cc", Use::Is(Meaning::Mailbox)),
    ("email.subject", Use::Is(Meaning::Subject)),
    ("metadata.version", Use::Ignore),
    ("metadata.product.version", Use::Ignore),
];

/// Last parts of names, in lower case and without `_`, `-` and blanks; sorted.
const LAST: &[(&str, Use)] = &[
    ("@timestamp", Use::Time),
    ("account", Use::Is(Meaning::Account)),
    ("accountname", Use::Is(Meaning::Account)),
    ("addr", Use::Is(Meaning::Address)),
    ("address", Use::Is(Meaning::Address)),
    ("agent", Use::Is(Meaning::UserAgent)),
    ("asn", Use::Is(Meaning::AutonomousSystem)),
    ("cc", Use::Is(Meaning::Mailbox)),
    ("certfingerprint", Use::Is(Meaning::Certificate)),
    ("certserial", Use::Is(Meaning::CertificateSerial)),
    ("certsha1", Use::Is(Meaning::Certificate)),
    ("certsha256", Use::Is(Meaning::Certificate)),
    ("cip", Use::Is(Meaning::Address)),
    ("clientaddr", Use::Is(Meaning::Address)),
    ("clientip", Use::Is(Meaning::Address)),
    ("creationtime", Use::Time),
    ("cshost", Use::Is(Meaning::Host)),
    ("csuri", Use::Is(Meaning::Url)),
    ("cuseragent", Use::Is(Meaning::UserAgent)),
    ("date", Use::Time),
    ("datetime", Use::Time),
    ("destinationhostname", Use::Is(Meaning::Host)),
    ("destinationip", Use::Is(Meaning::Address)),
    ("destip", Use::Is(Meaning::Address)),
    ("dhost", Use::Is(Meaning::Host)),
    ("digest", Use::Is(Meaning::Digest)),
    ("domain", Use::Is(Meaning::Host)),
    ("domainname", Use::Is(Meaning::Host)),
    ("dst", Use::Is(Meaning::Address)),
    ("dstaddr", Use::Is(Meaning::Address)),
    ("dsthost", Use::Is(Meaning::Host)),
    ("dstip", Use::Is(Meaning::Address)),
    ("email", Use::Is(Meaning::Mailbox)),
    ("emailaddress", Use::Is(Meaning::Mailbox)),
    ("eventtime", Use::Time),
    ("filehash", Use::Is(Meaning::Digest)),
    ("filename", Use::Is(Meaning::FileName)),
    ("filepath", Use::Is(Meaning::FileName)),
    ("fingerprint", Use::Is(Meaning::Certificate)),
    ("fname", Use::Is(Meaning::FileName)),
    ("fqdn", Use::Is(Meaning::Host)),
    ("from", Use::Is(Meaning::Mailbox)),
    ("fullpath", Use::Is(Meaning::FileName)),
    ("hash", Use::Is(Meaning::Digest)),
    ("helo", Use::Is(Meaning::Host)),
    ("host", Use::Is(Meaning::Host)),
    ("hostname", Use::Is(Meaning::Host)),
    ("httpuseragent", Use::Is(Meaning::UserAgent)),
    ("image", Use::Is(Meaning::FileName)),
    ("ip", Use::Is(Meaning::Address)),
    ("ipaddress", Use::Is(Meaning::Address)),
    ("ipv4", Use::Is(Meaning::Address)),
    ("ipv6", Use::Is(Meaning::Address)),
    ("ja3", Use::Is(Meaning::Ja3)),
    ("ja3hash", Use::Is(Meaning::Ja3)),
    ("ja3s", Use::Is(Meaning::Ja3s)),
    ("ja3shash", Use::Is(Meaning::Ja3s)),
    ("ja4", Use::Is(Meaning::Ja4)),
    ("mac", Use::Is(Meaning::Mac)),
    ("macaddress", Use::Is(Meaning::Mac)),
    ("mailfrom", Use::Is(Meaning::Mailbox)),
    ("md5", Use::Is(Meaning::Digest)),
    ("mutex", Use::Is(Meaning::Mutex)),
    ("mutexname", Use::Is(Meaning::Mutex)),
    ("path", Use::Is(Meaning::Text)),
    ("qname", Use::Is(Meaning::Host)),
    ("query", Use::Is(Meaning::Host)),
    ("queryname", Use::Is(Meaning::Host)),
    ("rcptto", Use::Is(Meaning::Mailbox)),
    ("recipient", Use::Is(Meaning::Mailbox)),
    ("recipients", Use::Is(Meaning::Mailbox)),
    ("referer", Use::Is(Meaning::Url)),
    ("referrer", Use::Is(Meaning::Url)),
    ("registrykey", Use::Is(Meaning::RegistryKey)),
    ("registrypath", Use::Is(Meaning::RegistryKey)),
    ("remoteaddr", Use::Is(Meaning::Address)),
    ("remotehost", Use::Is(Meaning::Host)),
    ("remoteip", Use::Is(Meaning::Address)),
    ("replyto", Use::Is(Meaning::Mailbox)),
    ("sender", Use::Is(Meaning::Mailbox)),
    ("serialnumber", Use::Is(Meaning::CertificateSerial)),
    ("servername", Use::Is(Meaning::Host)),
    ("sha1", Use::Is(Meaning::Digest)),
    ("sha256", Use::Is(Meaning::Digest)),
    ("sha512", Use::Is(Meaning::Digest)),
    ("shost", Use::Is(Meaning::Host)),
    ("sip", Use::Is(Meaning::Address)),
    ("sni", Use::Is(Meaning::Host)),
    ("sourcehostname", Use::Is(Meaning::Host)),
    ("sourceip", Use::Is(Meaning::Address)),
    ("src", Use::Is(Meaning::Address)),
    ("srcaddr", Use::Is(Meaning::Address)),
    ("srchost", Use::Is(Meaning::Host)),
    ("srcip", Use::Is(Meaning::Address)),
    ("subject", Use::Is(Meaning::Subject)),
    ("targetfilename", Use::Is(Meaning::FileName)),
    ("targetobject", Use::Is(Meaning::RegistryKey)),
    ("time", Use::Time),
    ("timestamp", Use::Time),
    ("to", Use::Is(Meaning::Mailbox)),
    ("ts", Use::Time),
    ("uri", Use::Is(Meaning::Url)),
    ("url", Use::Is(Meaning::Url)),
    ("user", Use::Is(Meaning::Account)),
    ("useragent", Use::Is(Meaning::UserAgent)),
    ("username", Use::Is(Meaning::Account)),
    ("utctime", Use::Time),
    ("xforwardedfor", Use::Is(Meaning::Address)),
];

/// The longest name of which the last part is looked up, without `_`, `-` and blanks.
const LONGEST: usize = 24;

/// What the last part of a name lets expect.
pub(super) fn guess(name: &str) -> Option<Use> {
    plain(name, |name| {
        let found = LAST.binary_search_by_key(&name, |(last, _)| last).ok()?;
        LAST.get(found).map(|(_, meant)| *meant)
    })
}

/// The last part of a name in lower case and without `_`, `-` and blanks.
fn plain<T>(name: &str, look: impl Fn(&str) -> Option<T>) -> Option<T> {
    let last = name.rsplit('.').next().unwrap_or(name);
    let mut plain = [0_u8; LONGEST];
    let mut length = 0;
    for byte in last.bytes().filter(|byte| !matches!(byte, b'_' | b'-' | b' ' | b'(' | b')')) {
        *plain.get_mut(length)? = byte.to_ascii_lowercase();
        length += 1;
    }
    look(std::str::from_utf8(plain.get(..length)?).ok()?)
}

/// Last parts of names that say what a connection, a request or a file is like, in lower case and without `_`, `-` and
/// blanks; sorted. Those of CEF (`spt`, `in`), LEEF (`srcPort`), ECS (`source.port`), W3C logs of web servers (`cs-method`),
/// and what firewalls and flow exporters write.
const DETAILS: &[(&str, Detail)] = &[
    ("app", Detail::Protocol),
    ("appproto", Detail::Protocol),
    ("bytesin", Detail::DestinationBytes),
    ("bytesout", Detail::SourceBytes),
    ("csmethod", Detail::Method),
    ("csuristem", Detail::Target),
    ("csversion", Detail::Version),
    ("destinationport", Detail::DestinationPort),
    ("destport", Detail::DestinationPort),
    ("dport", Detail::DestinationPort),
    ("dpt", Detail::DestinationPort),
    ("dstbytes", Detail::DestinationBytes),
    ("dstpackets", Detail::DestinationPackets),
    ("dstpkts", Detail::DestinationPackets),
    ("dstport", Detail::DestinationPort),
    ("filesize", Detail::Size),
    ("fsize", Detail::Size),
    ("httpmethod", Detail::Method),
    ("httpversion", Detail::Version),
    ("method", Detail::Method),
    ("mimetype", Detail::MediaType),
    ("origbytes", Detail::SourceBytes),
    ("origpkts", Detail::SourcePackets),
    ("proto", Detail::Protocol),
    ("protocol", Detail::Protocol),
    ("rcvdbyte", Detail::DestinationBytes),
    ("requestmethod", Detail::Method),
    ("respbytes", Detail::DestinationBytes),
    ("resppkts", Detail::DestinationPackets),
    ("sentbyte", Detail::SourceBytes),
    ("service", Detail::Protocol),
    ("sourceport", Detail::SourcePort),
    ("sport", Detail::SourcePort),
    ("spt", Detail::SourcePort),
    ("srcbytes", Detail::SourceBytes),
    ("srcpackets", Detail::SourcePackets),
    ("srcpkts", Detail::SourcePackets),
    ("srcport", Detail::SourcePort),
    ("transport", Detail::Protocol),
    ("uripath", Detail::Target),
];

/// What a field says beside observables, as its name tells.
pub(super) fn detail(name: &str) -> Option<Detail> {
    match name {
        "source.port" | "src_endpoint.port" | "id.orig_p" => return Some(Detail::SourcePort),
        "destination.port" | "dst_endpoint.port" | "id.resp_p" => return Some(Detail::DestinationPort),
        "source.bytes" => return Some(Detail::SourceBytes),
        "destination.bytes" => return Some(Detail::DestinationBytes),
        _ => {}
    }
    plain(name, |name| {
        let found = DETAILS.binary_search_by_key(&name, |(last, _)| last).ok()?;
        DETAILS.get(found).map(|(_, detail)| *detail)
    })
}

/// Names of addresses that open a connection, and of those to which one is opened, likewise.
const ENDS: &[(&str, Detail)] = &[
    ("cip", Detail::Source),
    ("clientaddr", Detail::Source),
    ("clientip", Detail::Source),
    ("destinationaddress", Detail::Destination),
    ("destinationip", Detail::Destination),
    ("destip", Detail::Destination),
    ("dst", Detail::Destination),
    ("dstaddr", Detail::Destination),
    ("dstip", Detail::Destination),
    ("sourceaddress", Detail::Source),
    ("sourceip", Detail::Source),
    ("src", Detail::Source),
    ("srcaddr", Detail::Source),
    ("srcip", Detail::Source),
];

/// Which end of a connection a field with an address is, as its name tells. The last part of a longer name does not tell.
pub(crate) fn end(name: &str) -> Option<Detail> {
    if name.contains('.') {
        return None;
    }
    plain(name, |name| {
        let found = ENDS.binary_search_by_key(&name, |(last, _)| last).ok()?;
        ENDS.get(found).map(|(_, end)| *end)
    })
}

/// Whether whoever reads the whole value as `promised` finds a piece of it that was found as this by itself.
pub(super) fn covers(promised: Meaning, found: Meaning) -> bool {
    match promised {
        Meaning::Host => matches!(found, Meaning::Host | Meaning::Address),
        Meaning::Mailbox => found == Meaning::Mailbox,
        // A user agent often names a web page, and so does a name of a file hold points.
        Meaning::UserAgent | Meaning::FileName | Meaning::RegistryKey | Meaning::Mutex | Meaning::Subject => {
            matches!(found, Meaning::Host)
        }
        _ => false,
    }
}

/// Whether a whole value found to be `found` was already given by its promised meaning.
pub(super) fn same(promised: Meaning, found: Meaning) -> bool {
    promised == found
        || match promised {
            Meaning::Host | Meaning::Answer => matches!(found, Meaning::Host | Meaning::Address),
            Meaning::Certificate | Meaning::Ja3 | Meaning::Ja3s | Meaning::CertificateSerial => {
                found == Meaning::Digest
            }
            // `report.zip` is a name of a file first, and of a host hardly ever.
            Meaning::FileName | Meaning::Account | Meaning::UserAgent | Meaning::Mutex | Meaning::Subject => {
                found == Meaning::Host
            }
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_fits() {
        assert!(LAST.is_sorted_by(|a, b| a.0 < b.0));
        assert!(LAST.iter().all(|(name, _)| name.len() <= LONGEST));
        for table in [DETAILS, ENDS] {
            assert!(table.is_sorted_by(|a, b| a.0 < b.0));
            assert!(table.iter().all(|(name, _)| name.len() <= LONGEST));
        }
    }

    #[test]
    fn names_are_read_by_their_last_part() {
        for (name, wanted) in [
            ("src_ip", Some(Use::Is(Meaning::Address))),
            ("network.Source-IP", Some(Use::Is(Meaning::Address))),
            ("client.ip", Some(Use::Is(Meaning::Address))),
            ("UserAgent", Some(Use::Is(Meaning::UserAgent))),
            ("cs(User-Agent)", None),
            ("UtcTime", Some(Use::Time)),
            ("ipsec", None),
            ("", None),
            ("a_very_long_name_of_a_field_that_ends_in_ip", None),
        ] {
            assert_eq!(guess(name), wanted, "{name}");
        }
    }
}
