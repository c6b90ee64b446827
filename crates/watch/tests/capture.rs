//! Captures: link types, both file formats, DNS, HTTP and TLS in them; what is cut, out of order, or means harm.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "support/packets.rs"]
mod packets;

use packets::pcap;
use proptest::prelude::*;
use sha2::Digest as _;
use std::sync::Arc;
use watch::read::{Capture, Fault, Faults, Reader};

/// Number of the packet and `name:Meaning=value` of each field.
type Seen = Vec<(u64, String)>;

fn read_in(capture: &[u8], chunk: usize) -> (Seen, Faults) {
    let mut reader = Capture::new();
    let mut seen = Vec::new();
    let mut sink = |event: &watch::Event<'_>| {
        // Details have tables of their own.
        for field in event.fields.iter().filter(|field| !matches!(field.meaning, watch::Meaning::Detail(_))) {
            seen.push((event.line, format!("{}={}", field.name, String::from_utf8_lossy(field.value))));
        }
    };
    capture.chunks(chunk).for_each(|chunk| reader.block(chunk, 1, &mut sink));
    reader.end(&mut sink);
    let faults = reader.faults().clone();
    (seen, faults)
}

fn read(capture: &[u8]) -> Vec<String> {
    let (seen, faults) = read_in(capture, capture.len().max(1));
    assert!(faults.none(), "{faults:?}");
    seen.into_iter().map(|(_, field)| field).collect()
}

fn pcap_big_nanos(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_3c4d_u32, 0x0002_0004, 0, 0, 65535, 1] {
        file.extend_from_slice(&word.to_be_bytes());
    }
    for packet in packets {
        for word in [1_700_000_000_u32, 5, packet.len() as u32, packet.len() as u32] {
            file.extend_from_slice(&word.to_be_bytes());
        }
        file.extend_from_slice(packet);
    }
    file
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let length = (12 + padded) as u32;
    let mut block = [kind.to_le_bytes(), length.to_le_bytes()].concat();
    block.extend_from_slice(body);
    block.resize(8 + padded, 0);
    block.extend_from_slice(&length.to_le_bytes());
    block
}

fn pcapng(packets: &[Vec<u8>]) -> Vec<u8> {
    let section = [&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat();
    // Link type 1; nanoseconds.
    let interface = [&[1, 0, 0, 0, 0, 0, 0, 0][..], &[9, 0, 1, 0, 9, 0, 0, 0], &[0; 4]].concat();
    let mut file = [block(0x0a0d_0d0a, &section), block(1, &interface), block(5, b"statistics..")].concat();
    for packet in packets {
        let ticks = 1_700_000_000_500_000_001_u64;
        let mut body = Vec::new();
        for word in [0, (ticks >> 32) as u32, ticks as u32, packet.len() as u32, packet.len() as u32] {
            body.extend_from_slice(&word.to_le_bytes());
        }
        body.extend_from_slice(packet);
        file.extend_from_slice(&block(6, &body));
    }
    file
}

fn ethernet(ip: &[u8]) -> Vec<u8> {
    let kind: &[u8] = if ip[0] >> 4 == 4 { &[8, 0] } else { &[0x86, 0xdd] };
    [&[2; 12][..], kind, ip].concat()
}

fn ip(source: u8, destination: u8, protocol: u8, body: &[u8]) -> Vec<u8> {
    let length = (20 + body.len() as u16).to_be_bytes();
    let head =
        [0x45, 0, length[0], length[1], 0, 0, 0, 0, 64, protocol, 0, 0, 192, 0, 2, source, 192, 0, 2, destination];
    [&head[..], body].concat()
}

fn ip6(protocol: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend_from_slice(&(body.len() as u16).to_be_bytes());
    packet.extend_from_slice(&[protocol, 64]);
    for last in [1, 2] {
        let mut address = [0; 16];
        (address[0], address[1], address[2], address[3], address[15]) = (0x20, 1, 0xd, 0xb8, last);
        packet.extend_from_slice(&address);
    }
    packet.extend_from_slice(body);
    packet
}

fn udp(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = [from.to_be_bytes(), to.to_be_bytes(), (8 + payload.len() as u16).to_be_bytes(), [0, 0]].concat();
    packet.extend_from_slice(payload);
    packet
}

fn tcp(from: u16, to: u16, sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = [from.to_be_bytes(), to.to_be_bytes()].concat();
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0, 0, 0x50, flags, 1, 0, 0, 0, 0, 0]);
    packet.extend_from_slice(payload);
    packet
}

fn name(text: &str) -> Vec<u8> {
    let mut name: Vec<u8> =
        text.split('.').flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).collect();
    name.push(0);
    name
}

/// A question for `evil.com` and four answers, with pointers to names before them.
fn dns() -> Vec<u8> {
    let mut message = vec![0, 7, 0x81, 0x80, 0, 1, 0, 4, 0, 0, 0, 0];
    message.extend_from_slice(&name("evil.com"));
    message.extend_from_slice(&[0, 1, 0, 1]);
    let mut record = |owner: &[u8], kind: u8, data: &[u8]| {
        message.extend_from_slice(owner);
        message.extend_from_slice(&[0, kind, 0, 1, 0, 0, 0, 9]);
        message.extend_from_slice(&(data.len() as u16).to_be_bytes());
        message.extend_from_slice(data);
    };
    record(&[0xc0, 12], 5, &[&[3][..], b"cdn", &[0xc0, 12]].concat());
    record(&[0xc0, 38], 1, &[203, 0, 113, 7]);
    record(&[0xc0, 12], 28, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
    record(&[0xc0, 12], 16, &[&[12][..], b"at 1.2.3.4 x"].concat());
    message
}

fn dns_packet() -> Vec<u8> {
    ethernet(&ip(1, 2, 17, &udp(53, 5000, &dns())))
}

const DNS: [&str; 10] = [
    "ip.src=192.0.2.1",
    "ip.dst=192.0.2.2",
    "dns.query=evil.com",
    "dns.answer=cdn.evil.com",
    "dns.name=cdn.evil.com",
    "dns.answer=203.0.113.7",
    "dns.name=evil.com",
    "dns.answer=2001:db8::9",
    "dns.name=evil.com",
    "dns.answer=1.2.3.4",
];

#[test]
fn both_file_formats_and_all_links() {
    let inner = ip(1, 2, 17, &udp(53, 5000, &dns()));
    let vlan = [&[2; 12][..], &[0x88, 0xa8, 0, 1, 0x81, 0, 0, 2, 8, 0], &inner].concat();
    let cooked = [&[0; 14][..], &[8, 0], &inner].concat();
    let cooked2 = [&[8, 0][..], &[0; 18], &inner].concat();
    for (what, file) in [
        ("Ethernet", pcap(1, &[dns_packet()])),
        ("big and nanoseconds", pcap_big_nanos(&[dns_packet()])),
        ("pcapng", pcapng(&[dns_packet()])),
        ("VLAN", pcap(1, &[vlan])),
        ("raw", pcap(101, std::slice::from_ref(&inner))),
        ("cooked", pcap(113, &[cooked])),
        ("cooked 2", pcap(276, &[cooked2])),
        ("loopback", pcap(0, &[[&[2, 0, 0, 0][..], &inner].concat()])),
    ] {
        assert_eq!(read(&file), DNS, "{what}");
    }
    let six = ethernet(&ip6(0, &[&[17, 0, 0, 0, 0, 0, 0, 0][..], &udp(53, 5000, &dns())].concat()));
    assert_eq!(read(&pcap(1, &[six]))[..3], ["ip.src=2001:db8::1", "ip.dst=2001:db8::2", "dns.query=evil.com"]);
}

#[test]
fn times_and_numbers() {
    for (file, wanted) in [
        (pcap(1, &[dns_packet()]), "1700000000.500000"),
        (pcap_big_nanos(&[dns_packet()]), "1700000000.000000005"),
        (pcapng(&[dns_packet()]), "1700000000.500000001"),
    ] {
        let mut reader = Capture::new();
        let mut times = Vec::new();
        reader.block(&file, 1, &mut |event| times.push(String::from_utf8(event.time.unwrap().to_vec()).unwrap()));
        assert_eq!(times, [wanted, wanted]);
    }
    let (seen, _) = read_in(&pcap(1, &[dns_packet(), dns_packet()]), 1000);
    let numbers: Vec<u64> = seen.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [vec![1; 10], vec![2; 8]].concat(), "addresses once a connection, all else each time");
}

#[test]
fn requests_in_pieces_and_out_of_order() {
    let request =
        b"GET /a?b=c HTTP/1.1\r\nHost: evil.com:8080\r\nUser-Agent: curl/8\r\nReferer: http://ref.com/x\r\n\r\n";
    let post = b"POST /up HTTP/1.1\r\nhost: evil.com\r\ncontent-length: 42\r\n\r\nGET /not HTTP/1.1\r\nHost: no.com\r\n\r\n1234567GET http://proxied.com/y HTTP/1.1\r\n\r\n";
    let all = [&request[..], post].concat();
    let packet = |at: usize, end: usize| {
        // Sequence numbers wrap within the stream.
        let sequence = (u32::MAX - 20).wrapping_add(1 + at as u32);
        ethernet(&ip(1, 2, 6, &tcp(4000, 80, sequence, 0x18, &all[at..end])))
    };
    let begin = ethernet(&ip(1, 2, 6, &tcp(4000, 80, u32::MAX - 20, 2, b"")));
    let wanted = [
        "ip.src=192.0.2.1",
        "ip.dst=192.0.2.2",
        "http.user_agent=curl/8",
        "http.referer=http://ref.com/x",
        "http.referer=ref.com",
        "http.host=evil.com:8080",
        "http.url=http://evil.com:8080/a?b=c",
        "http.host=evil.com",
        "http.url=http://evil.com/up",
        "http.url=http://proxied.com/y",
        "http.url=proxied.com",
    ];
    let whole = all.len();
    for (what, pieces) in [
        ("whole", vec![(0, whole)]),
        ("two", vec![(0, 30), (30, whole)]),
        ("swapped", vec![(30, whole), (0, 30)]),
        ("again and overlapping", vec![(0, 30), (0, 30), (10, 60), (50, whole)]),
        ("byte by byte", (0..whole).map(|at| (at, at + 1)).collect()),
    ] {
        let mut packets = vec![begin.clone()];
        packets.extend(pieces.into_iter().map(|(at, end)| packet(at, end)));
        assert_eq!(read(&pcap(1, &packets)), wanted, "{what}");
    }
    // A capture that begins in the middle.
    assert_eq!(read(&pcap(1, &[packet(0, whole)])), wanted);
}

#[test]
fn names_asked_for_over_tcp() {
    let message = dns();
    let framed = [&(message.len() as u16).to_be_bytes()[..], &message].concat();
    let packets = [
        ethernet(&ip(1, 2, 6, &tcp(53, 4000, 9, 0x18, &framed[..11]))),
        ethernet(&ip(1, 2, 6, &tcp(53, 4000, 20, 0x18, &framed[11..]))),
    ];
    assert_eq!(read(&pcap(1, &packets)), DNS);
}

/// A real handshake in memory: what the client and the server said, and the certificate.
fn handshake(version: &'static rustls::SupportedProtocolVersion) -> [Vec<u8>; 3] {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = rcgen::KeyPair::generate().unwrap();
    let mut parameters =
        rcgen::CertificateParams::new(["evil.example.com".to_owned(), "192.0.2.77".to_owned()]).unwrap();
    parameters.serial_number = Some(rcgen::SerialNumber::from(vec![1, 2, 0xab]));
    parameters.distinguished_name.push(rcgen::DnType::CommonName, "cn.example.com");
    let certificate = parameters.self_signed(&key).unwrap();
    let der = certificate.der().to_vec();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate.der().clone()).unwrap();
    let client = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let name = rustls::pki_types::ServerName::try_from("evil.example.com").unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(client), name).unwrap();
    let mut server = rustls::ServerConnection::new(Arc::new(server)).unwrap();
    let (mut said, mut answered) = (Vec::new(), Vec::new());
    for _ in 0..4 {
        let (from_client, from_server) = (said.len(), answered.len());
        while client.wants_write() {
            client.write_tls(&mut said).unwrap();
        }
        server.read_tls(&mut &said[from_client..]).unwrap();
        server.process_new_packets().unwrap();
        while server.wants_write() {
            server.write_tls(&mut answered).unwrap();
        }
        client.read_tls(&mut &answered[from_server..]).unwrap();
        client.process_new_packets().unwrap();
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    [said, answered, der]
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn real_handshakes() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let old = version == &rustls::version::TLS12;
        let [said, answered, der] = handshake(version);
        let mut packets = Vec::new();
        for (index, piece) in said.chunks(100).enumerate() {
            packets.push(ethernet(&ip(1, 2, 6, &tcp(4000, 8443, 1 + index as u32 * 100, 0x18, piece))));
        }
        for (index, piece) in answered.chunks(100).enumerate() {
            packets.push(ethernet(&ip(2, 1, 6, &tcp(8443, 4000, 1 + index as u32 * 100, 0x18, piece))));
        }
        let fields = read(&pcap(1, &packets));
        let get = |name: &str| -> Vec<&str> {
            fields.iter().filter_map(|field| field.strip_prefix(name)?.strip_prefix('=')).collect()
        };
        assert_eq!(get("tls.sni"), ["evil.example.com"]);
        assert_eq!((get("tls.ja3")[0].len(), get("tls.ja3s")[0].len()), (32, 32));
        assert!(get("tls.ja4")[0].starts_with(if old { "t12d" } else { "t13d" }), "{:?}", get("tls.ja4"));
        if !old {
            assert_eq!(get("tls.certificate.sha256"), Vec::<&str>::new(), "it is encrypted");
            continue;
        }
        assert_eq!(get("tls.certificate.sha256"), [hex(&sha2::Sha256::digest(&der))]);
        assert_eq!(get("tls.certificate.sha1"), [hex(&sha1::Sha1::digest(&der))]);
        assert_eq!(get("tls.certificate.serial"), ["0102ab"]);
        assert_eq!(get("tls.certificate.subject"), ["CN=cn.example.com"]);
        assert_eq!(get("tls.certificate.san"), ["evil.example.com", "192.0.2.77"]);
    }
}

#[test]
fn what_means_harm_is_counted() {
    // A name that points to itself, or to what comes later.
    for pointer in [[0xc0, 12], [0xc0, 200]] {
        let message = [&[0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], &pointer, &[0, 1, 0, 1]].concat();
        let (seen, faults) =
            read_in(&pcap(1, &[ethernet(&ip(1, 2, 17, &udp(5000, 53, &message))), dns_packet()]), 4096);
        assert_eq!(faults.of(Fault::Packet), 1);
        assert!(seen.iter().any(|(number, field)| (*number, field.as_str()) == (2, "dns.query=evil.com")));
    }
    // A header of IP that is too short for itself.
    let (_, faults) = read_in(&pcap(1, &[[&[2; 12][..], &[8, 0, 0x41, 0, 0, 0]].concat()]), 4096);
    assert_eq!(faults.of(Fault::Packet), 1);
    // A record of four gigabytes.
    let mut file = pcap(1, &[dns_packet()]);
    file.extend_from_slice(&[0xff; 32]);
    let (seen, faults) = read_in(&file, 4096);
    assert_eq!((seen.len(), faults.of(Fault::Broken)), (10, 1));
    // The end is missing.
    let file = pcap(1, &[dns_packet(), dns_packet()]);
    let (seen, faults) = read_in(&file[..file.len() - 1], 4096);
    assert_eq!((seen.len(), faults.of(Fault::Cut)), (10, 1));
    // More connections than are remembered, each with half a request.
    let mut reader = Capture::new();
    let mut count = 0;
    reader.block(&pcap(1, &[]), 1, &mut |_| {});
    for number in 0..200_000_u32 {
        let [_, high, middle, low] = number.to_be_bytes();
        let mut packet = ethernet(&ip(1, 2, 6, &tcp(u16::from_be_bytes([middle, low]), 80, 1, 0x18, b"GET /")));
        packet[14 + 13] = high;
        let head: Vec<u8> =
            [1, 0, packet.len() as u32, packet.len() as u32].iter().flat_map(|word| word.to_le_bytes()).collect();
        reader.block(&[head, packet].concat(), 1, &mut |_| count += 1);
    }
    assert_eq!(count, 200_000);
    // A stream that never becomes a request.
    let mut packets = vec![ethernet(&ip(1, 2, 6, &tcp(4000, 80, 1, 0x18, b"GET /")))];
    for index in 0..300_u32 {
        packets.push(ethernet(&ip(1, 2, 6, &tcp(4000, 80, 6 + index * 1000, 0x18, &[b'x'; 1000]))));
    }
    let (seen, _) = read_in(&pcap(1, &packets), 4096);
    assert_eq!(seen.len(), 2, "only the addresses");
}

#[test]
fn however_the_bytes_come() {
    for file in [pcap(1, &[dns_packet(), dns_packet()]), pcapng(&[dns_packet(), dns_packet()])] {
        let wanted = read_in(&file, file.len());
        for chunk in [1, 7, 100] {
            assert_eq!(read_in(&file, chunk), wanted);
        }
    }
}

proptest! {
    #[test]
    fn no_change_of_bytes_breaks_it(at in 0_usize..600, with in any::<u8>(), length in 0_usize..700, chunk in 1_usize..300) {
        let request = ethernet(&ip(1, 2, 6, &tcp(4000, 80, 1, 0x18, b"GET / HTTP/1.1\r\nHost: a.com\r\n\r\n")));
        let packets = [dns_packet(), request, ethernet(&ip6(17, &udp(5, 53, &dns())))];
        for mut file in [pcap(1, &packets), pcapng(&packets)] {
            let index = at % file.len();
            file[index] = with;
            file.truncate(length.max(24));
            let whole = read_in(&file, file.len());
            prop_assert_eq!(read_in(&file, chunk), whole);
        }
    }
}
