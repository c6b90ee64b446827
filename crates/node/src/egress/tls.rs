//! Connections without HTTP on them, under the same rules: judged, pinned and, with TLS, verified.

use super::reach::{self, Named};
use super::{Egress, Error, forbidden};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use taxii::client::{Cause, Failure};
use tokio::net::{TcpStream, UdpSocket};

/// A connection whose other end has shown who it is.
pub type Stream = tokio_rustls::client::TlsStream<TcpStream>;

/// Where systems keep the authorities that they trust, in PEM.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

impl Egress {
    /// Connects to a host that the operator named, and speaks TLS with it. `authorities`: those that are trusted, in the
    /// place of the system's and of `egress.authorities`.
    ///
    /// # Errors
    /// A [`Failure`] that says what to do, where something can be done.
    pub async fn tls(&self, host: &str, port: u16, authorities: Option<&Path>) -> Result<Stream, Failure> {
        let shake = async { self.secure(self.tcp(host, port).await?, host, authorities).await };
        match tokio::time::timeout(self.connect * 2, shake).await {
            Ok(connected) => connected,
            Err(_) => Err(Failure::new(Cause::Slow, format!("`{host}` did not finish the TLS handshake in time"))),
        }
    }

    /// Connects to a host that the operator named, for a protocol that begins in the clear and goes on in TLS
    /// ([`Self::secure`]). What is not to be read by others must not be sent before, unless [`is_here`] says that the
    /// other end is on this machine.
    ///
    /// # Errors
    /// A [`Failure`] that says what to do, where something can be done.
    pub async fn tcp(&self, host: &str, port: u16) -> Result<TcpStream, Failure> {
        let addresses = self.judged(host, port).await?;
        self.dial(host, &addresses).await
    }

    /// A socket for datagrams to a host that the operator named, and to no other. They can be read on their way.
    ///
    /// # Errors
    /// A [`Failure`] that says what to do, where something can be done.
    pub async fn udp(&self, host: &str, port: u16) -> Result<UdpSocket, Failure> {
        let failed =
            |error: std::io::Error| Failure::new(Cause::Interrupted, format!("cannot send to `{host}`: {error}"));
        let addresses = self.judged(host, port).await?;
        let Some(to) = addresses.first() else { return Err(forbidden(format!("`{host}` has no address"))) };
        let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind((any, 0)).await.map_err(failed)?;
        socket.connect(to).await.map_err(failed)?;
        Ok(socket)
    }

    /// The addresses of a host that the operator named, if a connection may be made to it.
    async fn judged(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
        let named = match host.parse::<IpAddr>() {
            Ok(_) => Named::Literally,
            Err(_) if host == "localhost" => Named::Literally,
            Err(_) => Named::ByName,
        };
        let addresses = self.look_up(host, port).await?;
        let ips: Vec<IpAddr> = addresses.iter().map(SocketAddr::ip).collect();
        reach::judge(host, &ips, named, &self.allow).map_err(forbidden)?;
        Ok(addresses)
    }

    /// Goes on in TLS on a connection to that host.
    ///
    /// # Errors
    /// A [`Failure`] that says what to do, where something can be done.
    pub async fn secure(&self, on: TcpStream, host: &str, authorities: Option<&Path>) -> Result<Stream, Failure> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| forbidden(format!("`{host}` is no host name")))?;
        let roots = self.roots(authorities).map_err(|error| forbidden(error.to_string()))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|error| forbidden(format!("TLS cannot be set up: {error}")))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, on).await.map_err(shaken)
    }

    /// The first of the judged addresses that answers.
    async fn dial(&self, host: &str, addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
        let mut why = "no answer in time".to_owned();
        for address in addresses {
            match tokio::time::timeout(self.connect, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => why = error.to_string(),
                Err(_) => {}
            }
        }
        Err(Failure::new(Cause::Interrupted, format!("cannot connect to `{host}`: {why}")))
    }

    /// Whom the other end's certificate may come from.
    fn roots(&self, only: Option<&Path>) -> Result<rustls::RootCertStore, Error> {
        let mut roots = rustls::RootCertStore::empty();
        if let Some(file) = only {
            add(&mut roots, file)?;
            return Ok(roots);
        }
        let said = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
        let bundles = said.into_iter().chain(BUNDLES.iter().map(PathBuf::from));
        if let Some(bundle) = bundles.into_iter().find(|bundle| bundle.is_file()) {
            add(&mut roots, &bundle)?;
        }
        if let Some(file) = &self.authorities_file {
            add(&mut roots, file)?;
        }
        Ok(roots)
    }
}

/// Whether the other end of a connection is on this machine.
#[must_use]
pub fn is_here(stream: &TcpStream) -> bool {
    stream.peer_addr().is_ok_and(|address| reach::Kind::of(address.ip()) == reach::Kind::Loopback)
}

fn add(roots: &mut rustls::RootCertStore, file: &Path) -> Result<(), Error> {
    let wrong = |message: String| Error::Authorities { file: file.display().to_string(), message };
    let found: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    // Bundles of systems hold certificates that nobody understands any more: those are left out.
    let (added, _) = roots.add_parsable_certificates(found.map_err(|error| wrong(error.to_string()))?);
    if added == 0 { Err(wrong("it holds no certificate in PEM".to_owned())) } else { Ok(()) }
}

/// Why there was no handshake: a certificate that is not valid is no use in trying again.
fn shaken(error: std::io::Error) -> Failure {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let cause = match inner {
        Some(rustls::Error::InvalidCertificate(_)) => Cause::Forbidden,
        _ => Cause::Interrupted,
    };
    Failure::new(cause, format!("no TLS connection: {error}"))
}
