//! What a line says of a connection, a request, a file and a certificate beside the values that are met.

use pattern::Data;

use super::{Details, Property, Shown, object};
use crate::Detail;

/// Numbers of a connection, and the fields in which formats have them.
const NUMBERS: [(&str, Detail, &[&str]); 6] = [
    ("src_port", Detail::SourcePort, &["id.orig_p", "src_port", "source.port", "src_endpoint.port"]),
    ("dst_port", Detail::DestinationPort, &["id.resp_p", "dest_port", "destination.port", "dst_endpoint.port"]),
    ("src_byte_count", Detail::SourceBytes, &["orig_bytes", "flow.bytes_toserver", "source.bytes"]),
    ("dst_byte_count", Detail::DestinationBytes, &["resp_bytes", "flow.bytes_toclient", "destination.bytes"]),
    ("src_packets", Detail::SourcePackets, &["orig_pkts", "flow.pkts_toserver", "source.packets"]),
    ("dst_packets", Detail::DestinationPackets, &["resp_pkts", "flow.pkts_toclient", "destination.packets"]),
];

/// Protocols that flow exporters and firewalls write as numbers (IANA, Assigned Internet Protocol Numbers).
const NUMBERED: [(&str, &str); 8] = [
    ("1", "icmp"),
    ("2", "igmp"),
    ("6", "tcp"),
    ("17", "udp"),
    ("47", "gre"),
    ("50", "esp"),
    ("58", "ipv6-icmp"),
    ("132", "sctp"),
];

/// Protocols of one connection: more than any has.
const MOST_PROTOCOLS: usize = 16;

/// Types of events that are no protocol.
const NO_PROTOCOL: [&str; 7] = ["alert", "flow", "netflow", "fileinfo", "anomaly", "stats", "drop"];

impl Shown {
    /// Adds what a line says beside its fields.
    pub(super) fn details(&mut self, details: &Details<'_>) {
        let method = details.text(&["http.http_method", "http.request.method", "http_request.http_method", "method"]);
        let method = method.map(|method| ("method".to_owned(), method.into_owned())).or_else(|| self.method());
        self.request(details, method.as_ref());
        for (name, detail, fields) in NUMBERS {
            let Some((field, text)) = self.first(details, fields, detail) else { continue };
            let Some(number) = text.parse::<i64>().ok().filter(|number| *number >= 0) else { continue };
            self.origin(number.to_string(), &field, &text);
            self.of_traffic(name, Data::Integer(number));
        }
        let mut protocols: Vec<String> = Vec::new();
        let fields = ["proto", "network.transport", "service", "app_proto", "network.protocol", "event_type", "_path"];
        let written =
            fields.iter().filter_map(|field| Some(((*field).to_owned(), details.text(&[field])?.into_owned())));
        let told = self.told.iter().filter(|(detail, ..)| *detail == Detail::Protocol);
        let all: Vec<(String, String)> =
            written.chain(told.map(|(_, name, text)| (name.clone(), text.clone()))).collect();
        for (field, text) in &all {
            for protocol in text.split(',').take(MOST_PROTOCOLS).map(|protocol| protocol.trim().to_lowercase()) {
                let numbered = NUMBERED.iter().find(|(number, _)| *number == protocol);
                let protocol = numbered.map_or(protocol.clone(), |(_, name)| (*name).to_owned());
                let is_one = !protocol.is_empty()
                    && !NO_PROTOCOL.contains(&protocol.as_str())
                    && (field != "_path"
                        || matches!(protocol.as_str(), "dns" | "http" | "ssl" | "smtp" | "ssh" | "ftp"));
                if is_one && protocols.len() < MOST_PROTOCOLS && !protocols.contains(&protocol) {
                    self.origin(protocol.clone(), field, text);
                    protocols.push(protocol);
                }
            }
        }
        if method.is_some() && !protocols.iter().any(|protocol| protocol == "http") {
            protocols.push("http".to_owned());
        }
        if !protocols.is_empty() {
            let protocols = protocols.into_iter().map(|protocol| Data::Text(protocol.into())).collect();
            self.of_traffic("protocols", Data::List(protocols));
        }
        self.others(details);
    }

    /// What the line has under one of these names, else what the reader told; with the field that it stood in.
    fn first(&self, details: &Details<'_>, fields: &[&str], detail: Detail) -> Option<(String, String)> {
        let written = fields.iter().find_map(|field| Some(((*field).to_owned(), details.text(&[field])?.into_owned())));
        written.or_else(|| {
            let told = self.told.iter().find(|(told, ..)| *told == detail);
            told.map(|(_, name, text)| (name.clone(), text.clone()))
        })
    }

    /// The method of a request that the reader told, if it is written as those of HTTP are (RFC 9110 §9.1).
    fn method(&self) -> Option<(String, String)> {
        let is_method = |text: &str| {
            (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
        };
        let told = self.told.iter().find(|(told, _, text)| *told == Detail::Method && is_method(text));
        told.map(|(_, name, text)| (name.clone(), text.clone()))
    }

    fn request(&mut self, details: &Details<'_>, method: Option<&(String, String)>) {
        let mut request: Vec<Property> = Vec::new();
        if let Some((field, method)) = method {
            let shown = method.to_lowercase();
            self.origin(shown.clone(), field, method);
            request.push(("request_method", Data::Text(shown.into())));
            if let Some((field, path)) = self.first(details, &["http.url", "url.path", "uri"], Detail::Target) {
                self.origin(path.clone(), &field, &path);
                request.push(("request_value", Data::Text(path.into())));
            }
            let fields = ["http.protocol", "http.version", "version"];
            if let Some((_, version)) = self.first(details, &fields, Detail::Version) {
                let version = version.to_lowercase();
                let version = if version.starts_with("http/") { version } else { format!("http/{version}") };
                request.push(("request_version", Data::Text(version.into())));
            }
        }
        if !self.headers.is_empty() {
            request.push(("request_header", object(std::mem::take(&mut self.headers))));
        }
        if !request.is_empty() {
            self.of_traffic("extensions", object(vec![("http-request-ext", object(request))]));
        }
    }

    fn others(&mut self, details: &Details<'_>) {
        if !self.file.is_empty() {
            let size = self.first(details, &["fileinfo.size", "total_bytes", "file.size"], Detail::Size);
            if let Some(size) = size.and_then(|(_, size)| size.parse::<i64>().ok()).filter(|size| *size >= 0) {
                self.file.properties.push(("size", Data::Integer(size)));
            }
            if let Some((_, kind)) = self.first(details, &["mime_type", "file.mime_type"], Detail::MediaType) {
                self.file.properties.push(("mime_type", Data::Text(kind.into())));
            }
        }
        if !self.certificate.is_empty()
            && let Some(issuer) = details.text(&["certificate.issuer", "tls.issuerdn"])
        {
            self.origin(issuer.clone().into_owned(), "issuer", &issuer);
            self.certificate.properties.push(("issuer", Data::Text(issuer.into_owned().into())));
        }
    }
}
