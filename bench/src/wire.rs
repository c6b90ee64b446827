//! A client that costs as little as can be: one blocking connection, kept alive, answers read by Content-Length.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A connection.
pub struct Wire {
    stream: BufReader<TcpStream>,
    head: String,
    /// The body of the last answer.
    pub body: Vec<u8>,
    /// The status of the last answer.
    pub status: u16,
}

impl Wire {
    /// Connects to `127.0.0.1:port` as written.
    pub fn connect(address: &str) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let stream = BufReader::with_capacity(256 * 1024, stream);
        Ok(Self { stream, head: String::new(), body: Vec::new(), status: 0 })
    }

    /// Sends a whole request and reads the whole answer.
    pub fn send(&mut self, request: &[u8]) -> std::io::Result<()> {
        self.stream.get_mut().write_all(request)?;
        let mut length = 0;
        self.status = 0;
        loop {
            self.head.clear();
            self.stream.read_line(&mut self.head)?;
            let line = self.head.trim_end();
            if line.is_empty() {
                break;
            }
            if self.status == 0 {
                self.status = line.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or(599);
            } else if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        self.body.resize(length, 0);
        self.stream.read_exact(&mut self.body)
    }
}

/// A GET as a TAXII client sends it.
pub fn get(path: &str, authorization: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/taxii+json;version=2.1\r\nAuthorization: {authorization}\r\n\r\n"
    )
    .into_bytes()
}

/// A POST as a TAXII client sends it.
pub fn post(path: &str, authorization: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/taxii+json;version=2.1\r\nContent-Type: application/taxii+json;version=2.1\r\nAuthorization: {authorization}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}
