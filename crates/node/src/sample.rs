//! The sample: three fictional organisations and one campaign, as `sample/README.md` tells it.

/// What one organisation of the sample has written.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// A short name, fit for a collection's alias.
    pub alias: &'static str,
    /// The organisation, as people call it in English.
    pub organisation: &'static str,
    /// Its STIX 2.1 bundle.
    pub bundle: &'static [u8],
}

/// The parts, in the order in which they tell the story. They refer to each other.
pub const PARTS: [Part; 3] = [
    Part {
        alias: "cert",
        organisation: "National Cyber Incident Response Team of Marjana",
        bundle: include_bytes!("../sample/cert.json"),
    },
    Part {
        alias: "bank-exchange",
        organisation: "Bank Exchange of Almirada",
        bundle: include_bytes!("../sample/bank-exchange.json"),
    },
    Part {
        alias: "port",
        organisation: "Port Authority of Port-Ysandre",
        bundle: include_bytes!("../sample/port.json"),
    },
];
