//! HTTP by hand over one connection: what a client library would forbid can be sent, and nothing of an answer is hidden.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A request as it will be written; what is not set is left out.
#[derive(Clone)]
pub(crate) struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// One connection, kept open until either side ends it.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Request {
    /// A request for TAXII, by nobody.
    pub(crate) fn new(method: &str, path: &str) -> Self {
        let bare = Self { method: method.into(), path: path.into(), headers: Vec::new(), body: Vec::new() };
        bare.with("Host", "localhost").with("Accept", super::TAXII)
    }

    /// With this header and no other of its name.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        self.without(name).and(name, value)
    }

    /// With this header, beside others of its name.
    pub(crate) fn and(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without this header.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    /// Signed in; the empty word is nobody.
    pub(crate) fn by(self, member: &str) -> Self {
        if member.is_empty() { self.without("Authorization") } else { self.with("Authorization", member) }
    }

    /// With a body of TAXII's type and its length.
    pub(crate) fn carrying(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self.with("Content-Type", super::TAXII).with("Content-Length", &body.len().to_string())
    }

    /// With the same body in chunks, its length untold.
    pub(crate) fn chunked(mut self, size: usize) -> Self {
        let mut body = Vec::new();
        for chunk in self.body.chunks(size) {
            body.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
            body.extend(chunk);
            body.extend(b"\r\n");
        }
        body.extend(b"0\r\n\r\n");
        self.body = body;
        self.without("Content-Length").with("Transfer-Encoding", "chunked")
    }

    /// As it goes over the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut out = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        [out.as_bytes(), b"\r\n", &self.body].concat()
    }

    pub(crate) fn is_head(&self) -> bool {
        self.method == "HEAD"
    }
}

impl Answer {
    /// The value of a header; a header that is given twice is a fault.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} is given twice");
        value
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// One member of the body.
    pub(crate) fn get(&self, member: &str) -> serde_json::Value {
        self.json().get(member).cloned().unwrap_or_default()
    }

    /// A list in the body; empty where it is left out.
    pub(crate) fn list(&self, member: &str) -> Vec<serde_json::Value> {
        self.get(member).as_array().cloned().unwrap_or_default()
    }
}

impl Connection {
    /// Waiting for ever would hide a fault; the time is no part of any check.
    pub(crate) fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Self(BufReader::new(stream))
    }

    /// Writes as far as the other side takes it: it may have answered and closed before the end.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let _ = self.0.get_mut().write_all(bytes);
    }

    /// The next answer, interim ones left out; `None` if the connection ended without one.
    pub(crate) fn answer(&mut self, head_only: bool) -> Option<Answer> {
        loop {
            let (status, headers) = self.head()?;
            let mut answer = Answer { status, headers, body: Vec::new() };
            if !head_only && status >= 200 && status != 204 {
                answer.body = self.body(&answer);
            }
            if status >= 200 {
                return Some(answer);
            }
        }
    }

    /// Sends and waits for the answer.
    pub(crate) fn ask(&mut self, request: &Request) -> Option<Answer> {
        self.write(&request.bytes());
        self.answer(request.is_head())
    }

    /// Whether the other side has ended the connection with nothing more to say.
    pub(crate) fn is_over(&mut self) -> bool {
        match self.0.read(&mut [0]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }

    /// Everything until the other side ends the connection.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).unwrap();
        rest
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(read) if read > 0 => Some(line.trim_end().to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("neither answered nor closed"),
            _ => None,
        }
    }

    fn head(&mut self) -> Option<(u16, Vec<(String, String)>)> {
        let status = self.line()?.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        while let Some((name, value)) = self.line()?.split_once(':') {
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        Some((status, headers))
    }

    fn body(&mut self, head: &Answer) -> Vec<u8> {
        let mut body = Vec::new();
        if let Some(length) = head.header("content-length") {
            body.resize(length.parse().unwrap(), 0);
            self.0.read_exact(&mut body).unwrap();
        } else if head.header("transfer-encoding") == Some("chunked") {
            while let Some(size) = self.line().and_then(|line| usize::from_str_radix(&line, 16).ok()) {
                let begin = body.len();
                body.resize(begin + size, 0);
                self.0.read_exact(&mut body[begin..]).unwrap();
                self.line();
                if size == 0 {
                    break;
                }
            }
        } else {
            self.0.read_to_end(&mut body).unwrap();
        }
        body
    }
}
