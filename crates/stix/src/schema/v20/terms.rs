//! Vocabularies that STIX 2.0 has otherwise than 2.1. STIX 2.0 part 1 §6, part 3 §2.

use crate::vocab::Vocabulary;

const fn open(name: &'static str, clause: &'static str, values: &'static [&'static str]) -> Vocabulary {
    Vocabulary { name, clause, closed: false, values }
}

const fn closed(name: &'static str, clause: &'static str, values: &'static [&'static str]) -> Vocabulary {
    Vocabulary { name, clause, closed: true, values }
}

pub(super) static IDENTITY_CLASS: Vocabulary =
    open("identity-class-ov", "STIX 2.0 part 1 §6.4", &["individual", "group", "organization", "class", "unknown"]);

pub(super) static INDICATOR_LABEL: Vocabulary = open(
    "indicator-label-ov",
    "STIX 2.0 part 1 §6.5",
    &["anomalous-activity", "anonymization", "benign", "compromised", "malicious-activity", "attribution"],
);

pub(super) static INDUSTRY_SECTOR: Vocabulary = open(
    "industry-sector-ov",
    "STIX 2.0 part 1 §6.6",
    &[
        "agriculture",
        "aerospace",
        "automotive",
        "communications",
        "construction",
        "defence",
        "education",
        "energy",
        "entertainment",
        "financial-services",
        "government-national",
        "government-regional",
        "government-local",
        "government-public-services",
        "healthcare",
        "hospitality-leisure",
        "infrastructure",
        "insurance",
        "manufacturing",
        "mining",
        "non-profit",
        "pharmaceuticals",
        "retail",
        "technology",
        "telecommunications",
        "transportation",
        "utilities",
    ],
);

pub(super) static MALWARE_LABEL: Vocabulary = open(
    "malware-label-ov",
    "STIX 2.0 part 1 §6.7",
    &[
        "adware",
        "backdoor",
        "bot",
        "ddos",
        "dropper",
        "exploit-kit",
        "keylogger",
        "ransomware",
        "remote-access-trojan",
        "resource-exploitation",
        "rogue-security-software",
        "rootkit",
        "screen-capture",
        "spyware",
        "trojan",
        "virus",
        "worm",
    ],
);

pub(super) static REPORT_LABEL: Vocabulary = open(
    "report-label-ov",
    "STIX 2.0 part 1 §6.8",
    &[
        "threat-report",
        "attack-pattern",
        "campaign",
        "identity",
        "indicator",
        "malware",
        "observed-data",
        "threat-actor",
        "tool",
        "vulnerability",
    ],
);

pub(super) static THREAT_ACTOR_LABEL: Vocabulary = open(
    "threat-actor-label-ov",
    "STIX 2.0 part 1 §6.9",
    &[
        "activist",
        "competitor",
        "crime-syndicate",
        "criminal",
        "hacker",
        "insider-accidental",
        "insider-disgruntled",
        "nation-state",
        "sensationalist",
        "spy",
        "terrorist",
    ],
);

pub(super) static TOOL_LABEL: Vocabulary = open(
    "tool-label-ov",
    "STIX 2.0 part 1 §6.12",
    &[
        "denial-of-service",
        "exploitation",
        "information-gathering",
        "network-capture",
        "credential-exploitation",
        "remote-access",
        "vulnerability-scanning",
    ],
);

pub(super) static ENCRYPTION_ALGORITHM: Vocabulary = open(
    "encryption-algo-ov",
    "STIX 2.0 part 3 §2.3",
    &[
        "AES128-ECB",
        "AES128-CBC",
        "AES128-CFB",
        "AES128-COFB",
        "AES128-CTR",
        "AES128-XTS",
        "AES128-GCM",
        "Salsa20",
        "Salsa12",
        "Salsa8",
        "ChaCha20-Poly1305",
        "ChaCha20",
        "DES-CBC",
        "3DES-CBC",
        "DES-EBC",
        "3DES-EBC",
        "CAST128-CBC",
        "CAST256-CBC",
        "RSA",
        "DSA",
    ],
);

pub(super) static PROTOCOL_FAMILY: Vocabulary = closed(
    "network-socket-protocol-family-enum",
    "STIX 2.0 part 4 §2.12",
    &[
        "PF_INET",
        "PF_AX25",
        "PF_IPX",
        "PF_INET6",
        "PF_APPLETALK",
        "PF_NETROM",
        "PF_BRIDGE",
        "PF_ATMPVC",
        "PF_X25",
        "PF_ROSE",
        "PF_DECNET",
        "PF_NETBEUI",
        "PF_SECURITY",
        "PF_KEY",
        "PF_NETLINK",
        "PF_ROUTE",
        "PF_PACKET",
        "PF_ASH",
        "PF_ECONET",
        "PF_ATMSVC",
        "PF_SNA",
        "PF_IRDA",
        "PF_PPPOX",
        "PF_WANPIPE",
        "PF_BLUETOOTH",
    ],
);

pub(super) static REGISTRY_DATATYPE: Vocabulary = closed(
    "windows-registry-datatype-enum",
    "STIX 2.0 part 4 §2.17",
    &[
        "REG_NONE",
        "REG_SZ",
        "REG_EXPAND_SZ",
        "REG_BINARY",
        "REG_DWORD",
        "REG_DWORD_BIG_ENDIAN",
        "REG_LINK",
        "REG_MULTI_SZ",
        "REG_RESOURCE_LIST",
        "REG_FULL_RESOURCE_DESCRIPTION",
        "REG_RESOURCE_REQUIREMENTS_LIST",
        "REG_QWORD",
        "REG_INVALID_TYPE",
    ],
);
