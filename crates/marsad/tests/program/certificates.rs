//! Client certificates against the real binary over TLS: pinned ones sign in, others are nobody's, and none is needed.

use super::node::Node;
use super::process::Serving;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

/// A node with two members, served over TLS.
fn serving(setting: &str) -> (Node, Serving) {
    let node = Node::new("Example CERT");
    for name in ["sensor", "other"] {
        node.good(&["account", "add", name, "--role", "reader"]);
    }
    let serving = node.serve(&["--set", setting]);
    assert!(serving.url.starts_with("https://"), "{}", serving.url);
    (node, serving)
}

/// The status of `GET /api/session` and what it says; `None`: there was no handshake.
fn ask(serving: &Serving, client: &Arc<ClientConfig>, headers: &str) -> Option<(u16, String)> {
    let name = ServerName::try_from("localhost").unwrap();
    let tls = ClientConnection::new(Arc::clone(client), name).unwrap();
    let mut stream = StreamOwned::new(tls, TcpStream::connect(serving.address()).unwrap());
    let head = format!("GET /api/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    let mut answer = String::new();
    match stream.read_to_string(&mut answer) {
        Err(_) if answer.is_empty() => return None,
        _ => {}
    }
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    Some((status, answer.rsplit("\r\n\r\n").next()?.to_owned()))
}

/// Takes any server: here it is the client that is judged.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A certificate of these years, and its key.
fn certificate(from: i32, to: i32) -> (rcgen::Certificate, rcgen::KeyPair) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut wanted = rcgen::CertificateParams::new(vec!["sensor.example".to_owned()]).unwrap();
    wanted.not_before = rcgen::date_time_ymd(from, 1, 1);
    wanted.not_after = rcgen::date_time_ymd(to, 1, 1);
    (wanted.self_signed(&key).unwrap(), key)
}

fn client(
    shown: Option<(&rcgen::Certificate, &rcgen::KeyPair)>,
    version: &'static rustls::SupportedProtocolVersion,
) -> Arc<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer(provider)));
    Arc::new(match shown {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            let key = aws_lc_rs::default_provider().key_provider.load_private_key(key).unwrap();
            let shown = CertifiedKey::new(vec![certificate.der().clone()], key);
            builder.with_client_cert_resolver(Arc::new(Shown(Arc::new(shown))))
        }
    })
}

/// Shows a certificate, whether or not the key is its own.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesClientCert for Shown {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[test]
fn a_pinned_certificate_signs_in() {
    let (node, serving) = serving("tls.client-certificates=optional");
    let (pinned, unknown, expired) = (certificate(2020, 2090), certificate(2020, 2090), certificate(2001, 2002));
    let file = node.file("client.pem", pinned.0.pem());
    let fingerprint = node.good(&["account", "certificate", "sensor", "add", &file]);
    let fingerprint = fingerprint.trim();
    assert!(node.good(&["account", "certificate", "sensor", "list"]).contains(fingerprint));
    assert_ne!(
        node.run(&["account", "certificate", "other", "add", &file], "").code,
        0,
        "one certificate is one member"
    );
    let old = node.file("old.pem", expired.0.pem());
    assert_ne!(node.run(&["account", "certificate", "sensor", "add", &old], "").code, 0);
    let key = node.good(&["key", "add", "other's", "--account", "other"]);
    let key = key.trim();

    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let show = |pair: &(rcgen::Certificate, rcgen::KeyPair)| client(Some((&pair.0, &pair.1)), version);
        let sensor = show(&pinned);
        for _ in 0..2 {
            // The second time with whatever the client kept of the first.
            let (status, text) = ask(&serving, &sensor, "").unwrap();
            assert!(status == 200 && text.contains(r#""name":"sensor""#), "{status} {text}");
            assert!(text.contains(r#""how":"certificate""#), "{text}");
        }
        let (status, text) = ask(&serving, &sensor, &format!("Authorization: Bearer {key}\r\n")).unwrap();
        assert!(status == 200 && text.contains(r#""name":"other""#), "a header wins: {status} {text}");
        let wrong = ask(&serving, &sensor, "Authorization: Bearer nobody\r\n").unwrap();
        assert_eq!(wrong.0, 401, "and must be right");
        assert_eq!(ask(&serving, &show(&unknown), "").unwrap().0, 401, "an unknown one is nobody's");
        assert_eq!(ask(&serving, &client(None, version), "").unwrap().0, 401, "none is needed");
        assert_eq!(ask(&serving, &show(&expired), ""), None, "one that has ended is refused in the handshake");
        // The certificate of the sensor, with the key of somebody else.
        assert_eq!(ask(&serving, &client(Some((&pinned.0, &unknown.1)), version), ""), None);
    }
    node.good(&["account", "certificate", "sensor", "remove", &fingerprint.to_uppercase()]);
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert_eq!(ask(&serving, &client(Some((&pinned.0, &pinned.1)), &rustls::version::TLS13), "").unwrap().0, 401);
}

#[test]
fn nobody_is_asked_for_one_where_it_is_off() {
    let (node, serving) = serving("tls.client-certificates=off");
    let pinned = certificate(2020, 2090);
    let file = node.file("client.pem", pinned.0.pem());
    node.good(&["account", "certificate", "sensor", "add", &file]);
    let client = client(Some((&pinned.0, &pinned.1)), &rustls::version::TLS13);
    assert_eq!(ask(&serving, &client, "").unwrap().0, 401);
}
