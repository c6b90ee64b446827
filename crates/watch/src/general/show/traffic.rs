//! What a line says of a connection, a request, a file and a certificate beside the values that are met.

use pattern::Data;

use super::{Details, Property, Shown, object};

/// Numbers of a connection, and the fields in which formats have them.
const NUMBERS: [(&str, &[&str]); 6] = [
    ("src_port", &["id.orig_p", "src_port", "source.port", "src_endpoint.port"]),
    ("dst_port", &["id.resp_p", "dest_port", "destination.port", "dst_endpoint.port"]),
    ("src_byte_count", &["orig_bytes", "flow.bytes_toserver", "source.bytes"]),
    ("dst_byte_count", &["resp_bytes", "flow.bytes_toclient", "destination.bytes"]),
    ("src_packets", &["orig_pkts", "flow.pkts_toserver", "source.packets"]),
    ("dst_packets", &["resp_pkts", "flow.pkts_toclient", "destination.packets"]),
];

/// Types of events that are no protocol.
const NO_PROTOCOL: [&str; 7] = ["alert", "flow", "netflow", "fileinfo", "anomaly", "stats", "drop"];

impl Shown {
    /// Adds what a line says beside its fields.
    pub(super) fn details(&mut self, details: &Details<'_>) {
        let method = details.text(&["http.http_method", "http.request.method", "http_request.http_method", "method"]);
        self.request(details, method.as_deref());
        for (name, fields) in NUMBERS {
            if let Some(number) = details.number(fields) {
                let field = fields.iter().find(|field| details.text(&[field]).is_some()).copied().unwrap_or(name);
                self.origin(number.to_string(), field, &number.to_string());
                self.of_traffic(name, Data::Integer(number));
            }
        }
        let mut protocols: Vec<String> = Vec::new();
        let fields = ["proto", "network.transport", "service", "app_proto", "network.protocol", "event_type", "_path"];
        for field in fields {
            let Some(text) = details.text(&[field]) else { continue };
            for protocol in text.split(',').map(|protocol| protocol.trim().to_lowercase()) {
                let is_one = !protocol.is_empty()
                    && !NO_PROTOCOL.contains(&protocol.as_str())
                    && (field != "_path"
                        || matches!(protocol.as_str(), "dns" | "http" | "ssl" | "smtp" | "ssh" | "ftp"));
                if is_one && !protocols.contains(&protocol) {
                    self.origin(protocol.clone(), field, &text);
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

    fn request(&mut self, details: &Details<'_>, method: Option<&str>) {
        let mut request: Vec<Property> = Vec::new();
        if let Some(method) = method {
            let shown = method.to_lowercase();
            self.origin(shown.clone(), "method", method);
            request.push(("request_method", Data::Text(shown.into())));
            if let Some(path) = details.text(&["http.url", "url.path", "uri"]) {
                self.origin(path.clone().into_owned(), "uri", &path);
                request.push(("request_value", Data::Text(path.into_owned().into())));
            }
            if let Some(version) = details.text(&["http.protocol", "http.version", "version"]) {
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
            if let Some(size) = details.number(&["fileinfo.size", "total_bytes", "file.size"]) {
                self.file.properties.push(("size", Data::Integer(size)));
            }
            if let Some(kind) = details.text(&["mime_type", "file.mime_type"]) {
                self.file.properties.push(("mime_type", Data::Text(kind.into_owned().into())));
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
