//! Certificates: the operator's, or a self-signed pair that is made at the first start.

use super::client_certificates::Pinned;
use super::listen::Error;
use crate::config::{ClientCertificates, Config};
use crate::home::{self, Home};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::NoClientAuth;
use rustls::server::danger::ClientCertVerifier;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

/// TLS 1.2 and 1.3 with the strong suites of the provider, without early data (TAXII 2.1 §8.2.2).
pub(super) fn configuration(home: &Home, config: &Config) -> Result<Arc<rustls::ServerConfig>, Error> {
    let (certificate, key) = (home.resolve(&config.tls.certificate), home.resolve(&config.tls.key));
    if !certificate.exists() && !key.exists() {
        make(&certificate, &key, config.server.listen.ip())?;
    }
    let unreadable = |path: &Path, error: &dyn std::fmt::Display| Error::Certificate {
        path: path.display().to_string(),
        why: error.to_string(),
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unreadable(&certificate, &error))?;
    let private = PrivateKeyDer::from_pem_file(&key).map_err(|error| unreadable(&key, &error))?;
    if let Some(first) = chain.first() {
        let print = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, first);
        let print: Vec<String> = print.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        tracing::info!(certificate = %certificate.display(), sha256 = %print.join(":"), "certificate");
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier: Arc<dyn ClientCertVerifier> = match config.tls.client_certificates {
        ClientCertificates::Off => Arc::new(NoClientAuth),
        ClientCertificates::Optional => Arc::new(Pinned::new(&provider)),
    };
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .and_then(|builder| builder.with_client_cert_verifier(verifier).with_single_cert(chain, private))
        .map_err(|error| unreadable(&certificate, &error))?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    tls.max_early_data_size = 0;
    if config.tls.client_certificates == ClientCertificates::Optional {
        // A resumed session would bring a certificate along that nobody has looked at again.
        tls.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        tls.send_tls13_tickets = 0;
    }
    Ok(Arc::new(tls))
}

fn make(certificate: &Path, key: &Path, listen: IpAddr) -> Result<(), Error> {
    let failed =
        |error: rcgen::Error| Error::Certificate { path: certificate.display().to_string(), why: error.to_string() };
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if !listen.is_unspecified() && !listen.is_loopback() {
        names.push(listen.to_string());
    }
    let pair = rcgen::generate_simple_self_signed(names).map_err(failed)?;
    home::write_private(key, pair.signing_key.serialize_pem().as_bytes()).map_err(Error::Home)?;
    home::write_private(certificate, pair.cert.pem().as_bytes()).map_err(Error::Home)?;
    tracing::warn!(
        certificate = %certificate.display(),
        "made a self-signed certificate: give partners its fingerprint, or put your own in its place"
    );
    Ok(())
}
