//! Against small servers on this machine.

use super::*;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A server that answers every request from its head, and remembers the heads.
struct Server {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start_tls(None, answer).await
    }

    async fn start_tls(
        tls: Option<tokio_rustls::TlsAcceptor>,
        answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = heads.clone();
        let answer = Arc::new(answer);
        tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                let (kept, answer, tls) = (kept.clone(), answer.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(socket, &kept, &*answer).await,
                        Some(tls) => {
                            if let Ok(socket) = tls.accept(socket).await {
                                serve(socket, &kept, &*answer).await;
                            }
                        }
                    }
                });
            }
        });
        Self { port, heads }
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn serve(
    mut socket: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    kept: &Mutex<Vec<String>>,
    answer: &(dyn Fn(&str) -> Vec<u8> + Send + Sync),
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    kept.lock().unwrap().push(head.clone());
    // A body that nobody reads would be answered by a reset.
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    let _ = socket.read_exact(&mut body).await;
    let _ = socket.write_all(&answer(&head)).await;
    let _ = socket.shutdown().await;
}

fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len()).into_bytes()
}

fn moved(code: u16, to: &str) -> Vec<u8> {
    format!("HTTP/1.1 {code} Moved\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").into_bytes()
}

fn egress(settings: &str) -> Egress {
    Egress::new(&Config::from_toml(settings).unwrap(), Path::new("/nonexistent")).unwrap()
}

fn credentials() -> Option<Credentials> {
    Some(Credentials::basic("amina", Zeroizing::new("s3cret".to_owned())).unwrap())
}

fn get(address: &str) -> Request<Bytes> {
    Request::get(address).body(Bytes::new()).unwrap()
}

#[test]
fn secrets_do_not_print() {
    let key = Credentials::key(Zeroizing::new("marsad_s3cret".to_owned())).unwrap();
    for held in [credentials().unwrap(), key] {
        let session = egress("").to("https://a.example/", Some(held.clone())).unwrap();
        let printed = format!("{held:?} {session:?}");
        assert!(!printed.contains("s3cret") && !printed.contains("amina"), "{printed}");
    }
    for (name, password) in [("", "x"), ("a:b", "x"), ("a", ""), ("a", "x\r\ny"), ("a\n", "x")] {
        assert!(Credentials::basic(name, Zeroizing::new(password.to_owned())).is_err(), "{name:?} {password:?}");
    }
    for key in ["", "a b", "a\r\nb", "é"] {
        assert!(Credentials::key(Zeroizing::new(key.to_owned())).is_err(), "{key:?}");
    }
}

/// What the operator may name.
#[test]
fn named_addresses() {
    for (address, wanted) in [
        ("https://taxii.example/", Ok(())),
        ("https://10.0.0.1/", Ok(())),
        ("https://[fd00::1]/", Ok(())),
        ("http://127.0.0.1:8080/", Ok(())),
        ("http://[::1]:8080/", Ok(())),
        ("http://localhost:8080/", Ok(())),
        ("http://LOCALHOST/", Ok(())),
        ("http://taxii.example/", Err("use https")),
        ("http://10.0.0.1/", Err("use https")),
        ("http://localhost.example/", Err("use https")),
        ("http://[::ffff:a00:1]/", Err("use https")),
        ("https://u:p@taxii.example/", Err("give them apart")),
        ("https://u@taxii.example/", Err("give them apart")),
        ("ftp://taxii.example/", Err("not an https address")),
        ("file:///etc/passwd", Err("not an https address")),
        ("taxii.example", Err("write it whole")),
        ("", Err("write it whole")),
        // Numbers that are not what they look like.
        ("http://2130706433/", Err("write the address as 127.0.0.1")),
        ("http://0177.0.0.1/", Err("write the address as 127.0.0.1")),
        ("http://0x7f.0.0.1/", Err("write the address as 127.0.0.1")),
        ("http://0x7f000001/", Err("write the address as 127.0.0.1")),
        ("http://127.1/", Err("write the address as 127.0.0.1")),
        ("https://2852039166/", Err("write the address as 169.254.169.254")),
        ("https://[0:0:0:0:0:ffff:7f00:1]/", Err("write the address as ::ffff:7f00:1")),
        ("http://１２７.0.0.1/", Err("write the address as 127.0.0.1")),
    ] {
        let opened = egress("").to(address, None).map(|_| ());
        match (opened, wanted) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{address}: {error}"),
            (opened, _) => panic!("{address}: {opened:?}"),
        }
    }
}

/// What a server may lead us to: nothing inside, however it is written.
#[tokio::test]
async fn redirects_lead_nowhere_inside() {
    for target in [
        "http://127.0.0.1:1/",
        "https://127.0.0.1:1/",
        "https://localhost:1/",
        "https://localhost.:1/",
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "http://169.254.169.254/latest/meta-data/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://0x7f000001/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://[fd00:ec2::254]/",
        "https://[fe80::1]/",
        "https://[ff02::1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "//127.0.0.1:1/",
        "http://8.8.8.8/",
        "https://u:p@8.8.8.8/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_SET",
    ] {
        let server = Server::start(move |_| moved(302, target)).await;
        let session = egress("").to(&server.address(), credentials()).unwrap();
        let failure = session.send(get(&server.address())).await.unwrap_err();
        assert_eq!(failure.cause, Cause::Forbidden, "{target}: {failure}");
        assert_eq!(server.heads().len(), 1, "{target}");
        // Nor may a resource lead there: an API root in a discovery.
        if let Ok(request) = Request::get(target).body(Bytes::new()) {
            assert!(session.send(request).await.is_err_and(|failure| failure.cause == Cause::Forbidden), "{target}");
        }
    }
}

#[tokio::test]
async fn credentials_go_to_the_named_origin_alone() {
    let other = Server::start(|_| ok("other")).await;
    let target = other.address();
    let named = Server::start(move |head| match head.split(' ').nth(1) {
        Some("/away/") => moved(307, &target),
        Some("/here/") => moved(301, "/"),
        _ => ok("named"),
    })
    .await;
    let session = egress("egress.allow = [\"127.0.0.1\"]").to(&named.address(), credentials()).unwrap();
    for (path, body) in [("", "named"), ("here/", "named"), ("away/", "other")] {
        let answer = session.send(get(&format!("{}{path}", named.address()))).await.unwrap();
        assert_eq!(answer.body(), body, "{path}");
    }
    session.send(get(&other.address())).await.unwrap();
    let signed = "authorization: Basic YW1pbmE6czNjcmV0\r\n";
    assert_eq!(named.heads().len(), 4);
    assert!(named.heads().iter().all(|head| head.contains(signed)), "{:?}", named.heads());
    assert_eq!(other.heads().len(), 2);
    assert!(!other.heads().iter().any(|head| head.to_lowercase().contains("authorization")), "{:?}", other.heads());
}

#[tokio::test]
async fn what_is_written_is_not_sent_on() {
    let other = Server::start(|_| ok("other")).await;
    for code in [301, 302, 303, 307, 308] {
        let target = other.address();
        let named = Server::start(move |_| moved(code, &target)).await;
        let session = egress("egress.allow = [\"127.0.0.1\"]").to(&named.address(), credentials()).unwrap();
        let post = Request::post(named.address()).body(Bytes::from_static(b"objects")).unwrap();
        let failure = session.send(post).await.unwrap_err();
        assert_eq!(failure.cause, Cause::Forbidden, "{code}: {failure}");
    }
    assert!(other.heads().is_empty());
    let named = Server::start(|head| if head.starts_with("POST /a/") { moved(308, "/b/") } else { ok("b") }).await;
    let session = egress("").to(&named.address(), None).unwrap();
    let post = Request::post(format!("{}a/", named.address())).body(Bytes::from_static(b"objects")).unwrap();
    assert_eq!(session.send(post).await.unwrap().body(), "b");
}

#[tokio::test]
async fn circles_end() {
    let server = Server::start(|_| moved(302, "/")).await;
    let session = egress("").to(&server.address(), None).unwrap();
    let failure = session.send(get(&server.address())).await.unwrap_err();
    assert!(failure.cause == Cause::Forbidden && failure.message.contains("more than 5 times"), "{failure}");
    assert_eq!(server.heads().len(), 6);
}

#[tokio::test]
async fn answers_are_bounded() {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&vec![b' '; 1 << 20]).unwrap();
    let packed = packed.finish().unwrap();
    assert!(packed.len() < 5_000);
    let server = Server::start(move |head| match head.split(' ').nth(1) {
        Some("/fits/") => ok(&"x".repeat(10_000)),
        Some("/long/") => ok(&"x".repeat(10_001)),
        Some("/unsaid/") => format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", "x".repeat(50_000)).into_bytes(),
        Some("/packed/") => {
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                packed.len()
            );
            [head.as_bytes(), &packed].concat()
        }
        // Cut off.
        _ => b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\nconnection: close\r\n\r\nxx".to_vec(),
    })
    .await;
    let session = egress("egress.max-answer-bytes = 10000").to(&server.address(), None).unwrap();
    for (path, wanted) in [
        ("fits", None),
        ("long", Some(Cause::TooLarge)),
        ("unsaid", Some(Cause::TooLarge)),
        ("packed", Some(Cause::TooLarge)),
        ("cut", Some(Cause::Interrupted)),
    ] {
        let answer = session.send(get(&format!("{}{path}/", server.address()))).await;
        assert_eq!(answer.as_ref().err().map(|failure| failure.cause), wanted, "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_not_waited_for() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let session = egress("egress.answer-seconds = 1").to(&address, None).unwrap();
    let failure = session.send(get(&address)).await.unwrap_err();
    assert_eq!(failure.cause, Cause::Slow, "{failure}");
    drop(listener);
    let failure = session.send(get(&address)).await.unwrap_err();
    assert_eq!(failure.cause, Cause::Interrupted, "{failure}");
}

#[tokio::test]
async fn certificates_are_verified() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let tls = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let server = Server::start_tls(Some(tls), |_| ok("hello")).await;
    let (right, wrong) = (format!("https://localhost:{}/", server.port), format!("https://127.0.0.1:{}/", server.port));

    let failure = egress("").to(&right, None).unwrap().send(get(&right)).await.unwrap_err();
    assert_eq!(failure.cause, Cause::Forbidden, "{failure}");

    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("partners.pem"), made.cert.pem()).unwrap();
    let config = Config::from_toml("egress.authorities = \"partners.pem\"").unwrap();
    let trusting = Egress::new(&config, home.path()).unwrap();
    let answer = trusting.to(&right, None).unwrap().send(get(&right)).await.unwrap();
    assert_eq!(answer.body(), "hello");
    let failure = trusting.to(&wrong, None).unwrap().send(get(&wrong)).await.unwrap_err();
    assert_eq!(failure.cause, Cause::Forbidden, "another name: {failure}");
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("empty.pem"), "nothing").unwrap();
    for (settings, wanted) in [
        ("egress.allow = [\"10.0.0.0/40\"]", "`egress.allow`: `10.0.0.0/40`"),
        ("egress.authorities = \"missing.pem\"", "missing.pem"),
        ("egress.authorities = \"empty.pem\"", "no certificate"),
    ] {
        let error = Egress::new(&Config::from_toml(settings).unwrap(), home.path()).unwrap_err().to_string();
        assert!(error.contains(wanted), "{settings}: {error}");
    }
}

#[tokio::test]
async fn what_a_session_says_goes_to_the_named_origin_alone() {
    let other = Server::start(|_| ok("other")).await;
    let to = other.address().replace("127.0.0.1", "localhost");
    let server =
        Server::start(move |head| if head.starts_with("GET /away") { moved(302, &to) } else { ok("here") }).await;
    let session =
        egress("egress.allow = [\"localhost\"]").to(&server.address(), None).unwrap().saying("marsad-link", "1");
    session.send(get(&format!("{}here/", server.address()))).await.unwrap();
    let answer = session.send(get(&format!("{}away/", server.address()))).await.unwrap();
    assert_eq!(answer.body(), "other");
    let says = |head: &String| head.to_lowercase().contains("marsad-link: 1\r\n");
    assert!(server.heads().iter().all(says) && !other.heads().iter().any(says));
}

#[tokio::test]
async fn an_answer_that_goes_on_is_read_as_it_comes() {
    let stream =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nconnection: close\r\n\r\ndata: a\n\n";
    let server = Server::start(move |head| if head.starts_with("GET /text") { ok("a") } else { stream.into() }).await;
    let session = egress("").to(&server.address(), None).unwrap();
    let patience = Duration::from_secs(60);
    let mut listening = session.listen(&format!("{}notices", server.address()), "text/event-stream").await.unwrap();
    let mut all = Vec::new();
    while let Some(chunk) = listening.next(patience).await.unwrap() {
        all.extend_from_slice(&chunk);
    }
    assert_eq!(all, b"data: a\n\n");
    for (address, cause) in
        [(format!("{}text", server.address()), Cause::Forbidden), ("http://127.0.0.1:1/".to_owned(), Cause::Forbidden)]
    {
        let failure = session.listen(&address, "text/event-stream").await.unwrap_err();
        assert_eq!(failure.cause, cause, "{address}: {failure}");
    }
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", silent.local_addr().unwrap());
    let session = egress("egress.answer-seconds = 1").to(&address, None).unwrap();
    assert_eq!(session.listen(&address, "text/event-stream").await.unwrap_err().cause, Cause::Slow);
}
