//! Finding the shape of a type.

use super::{Index, Shape, meta, sco, sdo, sro, v20};

/// Which edition of the standard an object follows.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Version {
    /// STIX 2.0: no `spec_version` on objects.
    V20,
    /// STIX 2.1.
    V21,
}

impl Version {
    /// As `spec_version` has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V20 => "2.0",
            Self::V21 => "2.1",
        }
    }
}

/// The shape of a standard type; custom types have none.
#[must_use]
#[inline]
pub fn find(version: Version, name: &str) -> Option<&'static Shape> {
    match version {
        Version::V21 => {
            let shape = SHAPES.get(INDEX.candidate(name.as_bytes()))?;
            (shape.name == name).then_some(*shape)
        }
        Version::V20 => v20::find(name),
    }
}

/// Every shape of STIX 2.1 that has a `type`.
pub(super) static SHAPES: [&Shape; 43] = [
    &sdo::ATTACK_PATTERN,
    &sdo::CAMPAIGN,
    &sdo::COURSE_OF_ACTION,
    &sdo::GROUPING,
    &sdo::IDENTITY,
    &sdo::INCIDENT,
    &sdo::INDICATOR,
    &sdo::INFRASTRUCTURE,
    &sdo::INTRUSION_SET,
    &sdo::LOCATION,
    &sdo::MALWARE,
    &sdo::MALWARE_ANALYSIS,
    &sdo::NOTE,
    &sdo::OBSERVED_DATA,
    &sdo::OPINION,
    &sdo::REPORT,
    &sdo::THREAT_ACTOR,
    &sdo::TOOL,
    &sdo::VULNERABILITY,
    &sro::RELATIONSHIP,
    &sro::SIGHTING,
    &meta::LANGUAGE_CONTENT,
    &meta::MARKING_DEFINITION,
    &meta::EXTENSION_DEFINITION,
    &meta::BUNDLE,
    &sco::ARTIFACT,
    &sco::AUTONOMOUS_SYSTEM,
    &sco::DIRECTORY,
    &sco::DOMAIN_NAME,
    &sco::EMAIL_ADDRESS,
    &sco::EMAIL_MESSAGE,
    &sco::FILE,
    &sco::IPV4_ADDR,
    &sco::IPV6_ADDR,
    &sco::MAC_ADDR,
    &sco::MUTEX,
    &sco::NETWORK_TRAFFIC,
    &sco::PROCESS,
    &sco::SOFTWARE,
    &sco::URL,
    &sco::USER_ACCOUNT,
    &sco::WINDOWS_REGISTRY_KEY,
    &sco::X509_CERTIFICATE,
];

static INDEX: Index<256> = Index::of_shapes(&SHAPES);
