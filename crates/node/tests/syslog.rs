//! The audit log at a syslog server over TLS that comes and goes: it gets everything, in order, and after a restart nothing
//! that it has.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use ledger::journal::{Anchor, Entry, Journal as _, Keep, Matter, Person};
use ledger::sqlite::JournalFile;
use node::audit::{Follower, Target};
use node::config::Config;
use node::egress::Egress;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::watch;

/// A syslog server for this machine, and where its certificate lies.
struct Receiver {
    acceptor: tokio_rustls::TlsAcceptor,
    got: Arc<Mutex<Vec<u64>>>,
    port: u16,
    running: Option<tokio::task::JoinHandle<()>>,
}

impl Receiver {
    fn new(certificate: &Path) -> Self {
        let pair = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(certificate, pair.cert.pem()).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(pair.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![pair.cert.der().clone()], key)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        Self { acceptor, got: Arc::default(), port: 0, running: None }
    }

    /// Listens, on the same port as before.
    async fn start(&mut self) {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", self.port)).await.unwrap();
        self.port = listener.local_addr().unwrap().port();
        let (acceptor, got) = (self.acceptor.clone(), Arc::clone(&self.got));
        // One connection at a time, so that ending the task ends everything.
        self.running = Some(tokio::spawn(async move {
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                if let Ok(stream) = acceptor.accept(socket).await {
                    receive(stream, &got).await;
                }
            }
        }));
    }

    /// As if it had crashed.
    async fn kill(&mut self) {
        let running = self.running.take().unwrap();
        running.abort();
        let _ = running.await;
    }

    fn got(&self) -> Vec<u64> {
        self.got.lock().unwrap().clone()
    }

    /// Waits until it has all numbers from this one to that one.
    async fn has(&self, first: u64, last: u64) {
        for _ in 0..2_000 {
            let got = self.got();
            if (first..=last).all(|number| got.contains(&number)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        unreachable!("{first} to {last} did not arrive: {:?}", self.got());
    }
}

/// Reads frames (RFC 5425 §4.3) and keeps the numbers of their entries.
async fn receive(mut stream: tokio_rustls::server::TlsStream<tokio::net::TcpStream>, got: &Mutex<Vec<u64>>) {
    loop {
        let mut length = 0;
        loop {
            match stream.read_u8().await {
                Ok(b' ') => break,
                Ok(digit) => length = length * 10 + usize::from(digit - b'0'),
                Err(_) => {
                    // A receiver answers the end of a connection with its own (RFC 5425 §4.4).
                    let _ = stream.shutdown().await;
                    return;
                }
            }
        }
        let mut message = vec![0; length];
        if stream.read_exact(&mut message).await.is_err() {
            return;
        }
        let message = String::from_utf8(message).unwrap();
        let number = message.split("[marsad@32473 number=\"").nth(1).unwrap().split('"').next().unwrap();
        got.lock().unwrap().push(number.parse().unwrap());
    }
}

struct Place {
    folder: tempfile::TempDir,
    journal: Arc<JournalFile>,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let anchor = Anchor::new(&folder.path().join("audit.anchor"), [1; 32]);
        let journal = Arc::new(JournalFile::open(&folder.path().join("audit.db"), anchor).unwrap());
        Self { folder, journal }
    }

    fn write(&self, count: usize) {
        let entry = Entry {
            time: 1_764_000_000_000_000,
            kind: "administered".into(),
            matter: Matter { body: br#"{"act":"x"}"#.to_vec(), ..Matter::default() },
            person: Person { who: "amina".to_owned(), ..Person::default() },
        };
        self.journal.write(&vec![entry; count], Keep::Soon).unwrap();
    }

    fn follow(&self, port: u16, certificate: &Path) -> Following {
        let follower = Follower {
            journal: Arc::clone(&self.journal) as _,
            egress: Egress::new(&Config::default(), self.folder.path()).unwrap(),
            target: Target { host: "127.0.0.1".to_owned(), port },
            authorities: Some(certificate.to_owned()),
            settle: Duration::from_secs(3),
            pause: Duration::from_millis(50),
        };
        let (stop, stopped) = watch::channel(false);
        Following { stop, task: tokio::spawn(follower.run(stopped)) }
    }
}

struct Following {
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Following {
    async fn end(self) {
        self.stop.send(true).unwrap();
        self.task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_while_the_server_is_away() {
    let place = Place::new();
    let certificate = place.folder.path().join("server.pem");
    let mut receiver = Receiver::new(&certificate);
    place.write(10);
    receiver.start().await;
    let following = place.follow(receiver.port, &certificate);
    receiver.has(1, 10).await;
    receiver.kill().await;
    place.write(700);
    receiver.start().await;
    receiver.has(1, 710).await;
    place.write(5);
    receiver.has(1, 715).await;
    // Twice is possible where the connection broke; out of order is not, within one connection.
    let got = receiver.got();
    let backwards = got.windows(2).filter(|pair| pair[0] >= pair[1]).count();
    assert!(backwards <= 1, "{backwards} steps back");
    following.end().await;
    assert_eq!(place.journal.position("syslog").unwrap(), 715, "an orderly end settles everything");

    // After a restart it goes on behind that.
    let before = receiver.got().len();
    place.write(3);
    let following = place.follow(receiver.port, &certificate);
    receiver.has(716, 718).await;
    following.end().await;
    assert_eq!(receiver.got().get(before..).unwrap(), [716, 717, 718]);
}

#[tokio::test]
async fn a_server_that_cannot_show_who_it_is_gets_nothing() {
    let place = Place::new();
    let (right, wrong) = (place.folder.path().join("right.pem"), place.folder.path().join("wrong.pem"));
    let mut receiver = Receiver::new(&right);
    let _other = Receiver::new(&wrong);
    receiver.start().await;
    let egress = Egress::new(&Config::default(), place.folder.path()).unwrap();
    let refused = egress.tls("127.0.0.1", receiver.port, Some(&wrong)).await.unwrap_err();
    assert_eq!(refused.cause, taxii::client::Cause::Forbidden, "{}", refused.message);
    assert!(egress.tls("127.0.0.1", receiver.port, None).await.is_err());
    assert!(egress.tls("127.0.0.1", receiver.port, Some(&right)).await.is_ok());
    // Law 7: what a name may not lead to is refused before anything is sent.
    let refused = egress.tls("0.0.0.0", receiver.port, Some(&right)).await.unwrap_err();
    assert!(refused.message.contains("no connection is ever made there"), "{}", refused.message);
    assert_eq!(receiver.got(), Vec::<u64>::new());
}
