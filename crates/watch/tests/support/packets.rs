//! Captures made by hand.

/// A capture in the classic format, little-endian with microseconds, of packets on this type of link, all at one time.
pub(crate) fn pcap(link: u32, packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65535, link] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    for packet in packets {
        for word in [1_700_000_000_u32, 500_000, packet.len() as u32, packet.len() as u32] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        file.extend_from_slice(packet);
    }
    file
}
