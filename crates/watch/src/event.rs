//! What a reader makes of one line, packet or row of telemetry.

/// One event. It borrows from the reader's buffer: nothing is copied that is not escaped in the log.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// The number of its line in the input, counted from 1; for formats without lines, of its record.
    pub line: u64,
    /// As it stood in the input, without the end of the line; evidence for a hit.
    pub raw: &'a [u8],
    /// When it happened, as it is written there; read only if something was hit.
    pub time: Option<&'a [u8]>,
    /// The values in it that can be met, in their order.
    pub fields: &'a [Field<'a>],
}

/// One value in an event.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// Its name as the format has it, with points between its parts: `id.orig_h`, `dns.queries.rrname`.
    pub name: &'a str,
    /// What it holds.
    pub meaning: Meaning,
    /// Its value, with escapes undone.
    pub value: &'a [u8],
}

/// What a field holds, as far as its name tells.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Meaning {
    /// An address.
    Address,
    /// A host name, or an address in its place, perhaps with a port behind it.
    Host,
    /// An answer of the name system: an address, a host name, or text of other records.
    Answer,
    /// A whole URL; without a scheme where the log leaves it out.
    Url,
    /// A digest of a file, told apart by its length.
    Digest,
    /// A digest of a certificate.
    Certificate,
    /// The serial number of a certificate, in hexadecimal.
    CertificateSerial,
    /// A distinguished name: its common name is a host.
    DistinguishedName,
    /// One mailbox or a list of them, with names for people beside them or without.
    Mailbox,
    /// The subject of a message.
    Subject,
    /// The name of a file, perhaps with its folder.
    FileName,
    /// What a client says that it is.
    UserAgent,
    /// A JA3 fingerprint.
    Ja3,
    /// A JA3S fingerprint.
    Ja3s,
    /// A JA4 fingerprint.
    Ja4,
    /// A key of the Windows registry.
    RegistryKey,
    /// A mutex.
    Mutex,
    /// An account's name.
    Account,
    /// A hardware address.
    Mac,
    /// A number of an autonomous system.
    AutonomousSystem,
    /// Text of any kind, in which whatever looks like an observable is one.
    Text,
    /// What no claim is on and patterns may ask for.
    Detail(Detail),
}

/// What an event says of a connection, a request or a file beside its observables.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Detail {
    /// The address that opened the connection, where an earlier event told it as an [`Meaning::Address`].
    Source,
    /// The address that it was opened to, likewise.
    Destination,
    /// The port of the first.
    SourcePort,
    /// The port of the second.
    DestinationPort,
    /// A protocol, or several with commas between them.
    Protocol,
    /// Bytes that the first sent.
    SourceBytes,
    /// Bytes that the second sent.
    DestinationBytes,
    /// Packets that the first sent.
    SourcePackets,
    /// Packets that the second sent.
    DestinationPackets,
    /// The method of a request.
    Method,
    /// What was requested, without the host.
    Target,
    /// The version of the request's protocol.
    Version,
    /// The size of a file in bytes.
    Size,
    /// The media type of a file.
    MediaType,
}
