//! The open vocabularies and closed enumerations. STIX 2.1 §10.

/// A list of values that the standard fixes for some properties. STIX 2.1 §10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    /// Its name in the standard, such as `hash-algorithm-ov`.
    pub name: &'static str,
    /// Where the standard defines it, such as `STIX 2.1 §10.7`.
    pub clause: &'static str,
    /// A closed enumeration MUST NOT be extended (§2.4); of an open vocabulary a value SHOULD be taken (§2.12).
    pub closed: bool,
    /// The values, in the order of the standard.
    pub values: &'static [&'static str],
}

impl Vocabulary {
    /// Whether `value` is one of the listed values; letters of another case make another value.
    pub fn contains(&self, value: &str) -> bool {
        self.values.contains(&value)
    }
}

/// The vocabulary of a name as the standard writes it.
pub fn by_name(name: &str) -> Option<&'static Vocabulary> {
    ALL.iter().copied().find(|vocabulary| vocabulary.name == name)
}

/// `account-type-ov`. STIX 2.1 §10.1.
pub const ACCOUNT_TYPE: Vocabulary = Vocabulary {
    name: "account-type-ov",
    clause: "STIX 2.1 §10.1",
    closed: false,
    values: &[
        "facebook",
        "ldap",
        "nis",
        "openid",
        "radius",
        "skype",
        "tacacs",
        "twitter",
        "unix",
        "windows-local",
        "windows-domain",
    ],
};

/// `attack-motivation-ov`. STIX 2.1 §10.2.
pub const ATTACK_MOTIVATION: Vocabulary = Vocabulary {
    name: "attack-motivation-ov",
    clause: "STIX 2.1 §10.2",
    closed: false,
    values: &[
        "accidental",
        "coercion",
        "dominance",
        "ideology",
        "notoriety",
        "organizational-gain",
        "personal-gain",
        "personal-satisfaction",
        "revenge",
        "unpredictable",
    ],
};

/// `attack-resource-level-ov`. STIX 2.1 §10.3.
pub const ATTACK_RESOURCE_LEVEL: Vocabulary = Vocabulary {
    name: "attack-resource-level-ov",
    clause: "STIX 2.1 §10.3",
    closed: false,
    values: &["individual", "club", "contest", "team", "organization", "government"],
};

/// `encryption-algorithm-enum`. STIX 2.1 §10.4.
pub const ENCRYPTION_ALGORITHM: Vocabulary = Vocabulary {
    name: "encryption-algorithm-enum",
    clause: "STIX 2.1 §10.4",
    closed: true,
    values: &["AES-256-GCM", "ChaCha20-Poly1305", "mime-type-indicated"],
};

/// `extension-type-enum`. STIX 2.1 §10.5.
pub const EXTENSION_TYPE: Vocabulary = Vocabulary {
    name: "extension-type-enum",
    clause: "STIX 2.1 §10.5",
    closed: true,
    values: &["new-sdo", "new-sco", "new-sro", "property-extension", "toplevel-property-extension"],
};

/// `grouping-context-ov`. STIX 2.1 §10.6.
pub const GROUPING_CONTEXT: Vocabulary = Vocabulary {
    name: "grouping-context-ov",
    clause: "STIX 2.1 §10.6",
    closed: false,
    values: &["suspicious-activity", "malware-analysis", "unspecified"],
};

/// `hash-algorithm-ov`. STIX 2.1 §10.7.
pub const HASH_ALGORITHM: Vocabulary = Vocabulary {
    name: "hash-algorithm-ov",
    clause: "STIX 2.1 §10.7",
    closed: false,
    values: &["MD5", "SHA-1", "SHA-256", "SHA-512", "SHA3-256", "SHA3-512", "SSDEEP", "TLSH"],
};

/// `identity-class-ov`. STIX 2.1 §10.8.
pub const IDENTITY_CLASS: Vocabulary = Vocabulary {
    name: "identity-class-ov",
    clause: "STIX 2.1 §10.8",
    closed: false,
    values: &["individual", "group", "system", "organization", "class", "unknown"],
};

/// `implementation-language-ov`. STIX 2.1 §10.9.
pub const IMPLEMENTATION_LANGUAGE: Vocabulary = Vocabulary {
    name: "implementation-language-ov",
    clause: "STIX 2.1 §10.9",
    closed: false,
    values: &[
        "applescript",
        "bash",
        "c",
        "c++",
        "c#",
        "go",
        "java",
        "javascript",
        "lua",
        "objective-c",
        "perl",
        "php",
        "powershell",
        "python",
        "ruby",
        "rust",
        "scala",
        "swift",
        "typescript",
        "visual-basic",
        "x86-32",
        "x86-64",
    ],
};

/// `indicator-type-ov`. STIX 2.1 §10.10.
pub const INDICATOR_TYPE: Vocabulary = Vocabulary {
    name: "indicator-type-ov",
    clause: "STIX 2.1 §10.10",
    closed: false,
    values: &[
        "anomalous-activity",
        "anonymization",
        "benign",
        "compromised",
        "malicious-activity",
        "attribution",
        "unknown",
    ],
};

/// `industry-sector-ov`. STIX 2.1 §10.11.
pub const INDUSTRY_SECTOR: Vocabulary = Vocabulary {
    name: "industry-sector-ov",
    clause: "STIX 2.1 §10.11",
    closed: false,
    values: &[
        "agriculture",
        "aerospace",
        "automotive",
        "chemical",
        "commercial",
        "communications",
        "construction",
        "defense",
        "education",
        "energy",
        "entertainment",
        "financial-services",
        "government",
        "emergency-services",
        "government-local",
        "government-national",
        "government-public-services",
        "government-regional",
        "healthcare",
        "hospitality-leisure",
        "infrastructure",
        "dams",
        "nuclear",
        "water",
        "insurance",
        "legal",
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
};

/// `infrastructure-type-ov`. STIX 2.1 §10.12.
pub const INFRASTRUCTURE_TYPE: Vocabulary = Vocabulary {
    name: "infrastructure-type-ov",
    clause: "STIX 2.1 §10.12",
    closed: false,
    values: &[
        "amplification",
        "anonymization",
        "botnet",
        "command-and-control",
        "control-system",
        "exfiltration",
        "firewall",
        "hosting-malware",
        "hosting-target-lists",
        "phishing",
        "reconnaissance",
        "routers-switches",
        "staging",
        "workstation",
        "unknown",
    ],
};

/// `malware-capabilities-ov`. STIX 2.1 §10.13.
pub const MALWARE_CAPABILITIES: Vocabulary = Vocabulary {
    name: "malware-capabilities-ov",
    clause: "STIX 2.1 §10.13",
    closed: false,
    values: &[
        "accesses-remote-machines",
        "anti-debugging",
        "anti-disassembly",
        "anti-emulation",
        "anti-memory-forensics",
        "anti-sandbox",
        "anti-vm",
        "captures-input-peripherals",
        "captures-output-peripherals",
        "captures-system-state-data",
        "cleans-traces-of-infection",
        "commits-fraud",
        "communicates-with-c2",
        "compromises-data-availability",
        "compromises-data-integrity",
        "compromises-system-availability",
        "controls-local-machine",
        "degrades-security-software",
        "degrades-system-updates",
        "determines-c2-server",
        "emails-spam",
        "escalates-privileges",
        "evades-av",
        "exfiltrates-data",
        "fingerprints-host",
        "hides-artifacts",
        "hides-executing-code",
        "infects-files",
        "infects-remote-machines",
        "installs-other-components",
        "persists-after-system-reboot",
        "prevents-artifact-access",
        "prevents-artifact-deletion",
        "probes-network-environment",
        "self-modifies",
        "steals-authentication-credentials",
        "violates-system-operational-integrity",
    ],
};

/// `malware-result-ov`. STIX 2.1 §10.14.
pub const MALWARE_RESULT: Vocabulary = Vocabulary {
    name: "malware-result-ov",
    clause: "STIX 2.1 §10.14",
    closed: false,
    values: &["malicious", "suspicious", "benign", "unknown"],
};

/// `malware-type-ov`. STIX 2.1 §10.15.
pub const MALWARE_TYPE: Vocabulary = Vocabulary {
    name: "malware-type-ov",
    clause: "STIX 2.1 §10.15",
    closed: false,
    values: &[
        "adware",
        "backdoor",
        "bot",
        "bootkit",
        "ddos",
        "downloader",
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
        "unknown",
        "virus",
        "webshell",
        "wiper",
        "worm",
    ],
};

/// `network-socket-address-family-enum`. STIX 2.1 §10.16.
pub const NETWORK_SOCKET_ADDRESS_FAMILY: Vocabulary = Vocabulary {
    name: "network-socket-address-family-enum",
    clause: "STIX 2.1 §10.16",
    closed: true,
    values: &["AF_UNSPEC", "AF_INET", "AF_IPX", "AF_APPLETALK", "AF_NETBIOS", "AF_INET6", "AF_IRDA", "AF_BTH"],
};

/// `network-socket-type-enum`. STIX 2.1 §10.17.
pub const NETWORK_SOCKET_TYPE: Vocabulary = Vocabulary {
    name: "network-socket-type-enum",
    clause: "STIX 2.1 §10.17",
    closed: true,
    values: &["SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW", "SOCK_RDM", "SOCK_SEQPACKET"],
};

/// `opinion-enum`. STIX 2.1 §10.18.
pub const OPINION: Vocabulary = Vocabulary {
    name: "opinion-enum",
    clause: "STIX 2.1 §10.18",
    closed: true,
    values: &["strongly-disagree", "disagree", "neutral", "agree", "strongly-agree"],
};

/// `pattern-type-ov`. STIX 2.1 §10.19.
pub const PATTERN_TYPE: Vocabulary = Vocabulary {
    name: "pattern-type-ov",
    clause: "STIX 2.1 §10.19",
    closed: false,
    values: &["stix", "pcre", "sigma", "snort", "suricata", "yara"],
};

/// `processor-architecture-ov`. STIX 2.1 §10.20.
pub const PROCESSOR_ARCHITECTURE: Vocabulary = Vocabulary {
    name: "processor-architecture-ov",
    clause: "STIX 2.1 §10.20",
    closed: false,
    values: &["alpha", "arm", "ia-64", "mips", "powerpc", "sparc", "x86", "x86-64"],
};

/// `region-ov`. STIX 2.1 §10.21.
pub const REGION: Vocabulary = Vocabulary {
    name: "region-ov",
    clause: "STIX 2.1 §10.21",
    closed: false,
    values: &[
        "africa",
        "eastern-africa",
        "middle-africa",
        "northern-africa",
        "southern-africa",
        "western-africa",
        "americas",
        "caribbean",
        "central-america",
        "latin-america-caribbean",
        "northern-america",
        "south-america",
        "asia",
        "central-asia",
        "eastern-asia",
        "southern-asia",
        "south-eastern-asia",
        "western-asia",
        "europe",
        "eastern-europe",
        "northern-europe",
        "southern-europe",
        "western-europe",
        "oceania",
        "antarctica",
        "australia-new-zealand",
        "melanesia",
        "micronesia",
        "polynesia",
    ],
};

/// `report-type-ov`. STIX 2.1 §10.22.
pub const REPORT_TYPE: Vocabulary = Vocabulary {
    name: "report-type-ov",
    clause: "STIX 2.1 §10.22",
    closed: false,
    values: &[
        "attack-pattern",
        "campaign",
        "identity",
        "incident",
        "indicator",
        "intrusion-set",
        "malware",
        "observed-data",
        "threat-actor",
        "threat-report",
        "tool",
        "vulnerability",
    ],
};

/// `threat-actor-type-ov`. STIX 2.1 §10.23.
pub const THREAT_ACTOR_TYPE: Vocabulary = Vocabulary {
    name: "threat-actor-type-ov",
    clause: "STIX 2.1 §10.23",
    closed: false,
    values: &[
        "activist",
        "competitor",
        "crime-syndicate",
        "criminal",
        "hacker",
        "insider-accidental",
        "insider-disgruntled",
        "nation-state",
        "private-sector",
        "sensationalist",
        "spy",
        "terrorist",
        "unknown",
    ],
};

/// `threat-actor-role-ov`. STIX 2.1 §10.24.
pub const THREAT_ACTOR_ROLE: Vocabulary = Vocabulary {
    name: "threat-actor-role-ov",
    clause: "STIX 2.1 §10.24",
    closed: false,
    values: &[
        "agent",
        "director",
        "independent",
        "infrastructure-architect",
        "infrastructure-operator",
        "malware-author",
        "sponsor",
    ],
};

/// `threat-actor-sophistication-ov`. STIX 2.1 §10.25.
pub const THREAT_ACTOR_SOPHISTICATION: Vocabulary = Vocabulary {
    name: "threat-actor-sophistication-ov",
    clause: "STIX 2.1 §10.25",
    closed: false,
    values: &["none", "minimal", "intermediate", "advanced", "expert", "innovator", "strategic"],
};

/// `tool-type-ov`. STIX 2.1 §10.26.
pub const TOOL_TYPE: Vocabulary = Vocabulary {
    name: "tool-type-ov",
    clause: "STIX 2.1 §10.26",
    closed: false,
    values: &[
        "denial-of-service",
        "exploitation",
        "information-gathering",
        "network-capture",
        "credential-exploitation",
        "remote-access",
        "vulnerability-scanning",
        "unknown",
    ],
};

/// `windows-integrity-level-enum`. STIX 2.1 §10.27.
pub const WINDOWS_INTEGRITY_LEVEL: Vocabulary = Vocabulary {
    name: "windows-integrity-level-enum",
    clause: "STIX 2.1 §10.27",
    closed: true,
    values: &["low", "medium", "high", "system"],
};

/// `windows-pebinary-type-ov`. STIX 2.1 §10.28.
pub const WINDOWS_PEBINARY_TYPE: Vocabulary = Vocabulary {
    name: "windows-pebinary-type-ov",
    clause: "STIX 2.1 §10.28",
    closed: false,
    values: &["dll", "exe", "sys"],
};

/// `windows-registry-datatype-enum`. STIX 2.1 §10.29.
pub const WINDOWS_REGISTRY_DATATYPE: Vocabulary = Vocabulary {
    name: "windows-registry-datatype-enum",
    clause: "STIX 2.1 §10.29",
    closed: true,
    values: &[
        "REG_NONE",
        "REG_SZ",
        "REG_EXPAND_SZ",
        "REG_BINARY",
        "REG_DWORD",
        "REG_DWORD_BIG_ENDIAN",
        "REG_DWORD_LITTLE_ENDIAN",
        "REG_LINK",
        "REG_MULTI_SZ",
        "REG_RESOURCE_LIST",
        "REG_FULL_RESOURCE_DESCRIPTION",
        "REG_RESOURCE_REQUIREMENTS_LIST",
        "REG_QWORD",
        "REG_INVALID_TYPE",
    ],
};

/// `windows-service-start-type-enum`. STIX 2.1 §10.30.
pub const WINDOWS_SERVICE_START_TYPE: Vocabulary = Vocabulary {
    name: "windows-service-start-type-enum",
    clause: "STIX 2.1 §10.30",
    closed: true,
    values: &[
        "SERVICE_AUTO_START",
        "SERVICE_BOOT_START",
        "SERVICE_DEMAND_START",
        "SERVICE_DISABLED",
        "SERVICE_SYSTEM_ALERT",
    ],
};

/// `windows-service-type-enum`. STIX 2.1 §10.31.
pub const WINDOWS_SERVICE_TYPE: Vocabulary = Vocabulary {
    name: "windows-service-type-enum",
    clause: "STIX 2.1 §10.31",
    closed: true,
    values: &[
        "SERVICE_KERNEL_DRIVER",
        "SERVICE_FILE_SYSTEM_DRIVER",
        "SERVICE_WIN32_OWN_PROCESS",
        "SERVICE_WIN32_SHARE_PROCESS",
    ],
};

/// `windows-service-status-enum`. STIX 2.1 §10.32.
pub const WINDOWS_SERVICE_STATUS: Vocabulary = Vocabulary {
    name: "windows-service-status-enum",
    clause: "STIX 2.1 §10.32",
    closed: true,
    values: &[
        "SERVICE_CONTINUE_PENDING",
        "SERVICE_PAUSE_PENDING",
        "SERVICE_PAUSED",
        "SERVICE_RUNNING",
        "SERVICE_START_PENDING",
        "SERVICE_STOP_PENDING",
        "SERVICE_STOPPED",
    ],
};

/// Every vocabulary, in the order of the standard.
pub const ALL: [&Vocabulary; 32] = [
    &ACCOUNT_TYPE,
    &ATTACK_MOTIVATION,
    &ATTACK_RESOURCE_LEVEL,
    &ENCRYPTION_ALGORITHM,
    &EXTENSION_TYPE,
    &GROUPING_CONTEXT,
    &HASH_ALGORITHM,
    &IDENTITY_CLASS,
    &IMPLEMENTATION_LANGUAGE,
    &INDICATOR_TYPE,
    &INDUSTRY_SECTOR,
    &INFRASTRUCTURE_TYPE,
    &MALWARE_CAPABILITIES,
    &MALWARE_RESULT,
    &MALWARE_TYPE,
    &NETWORK_SOCKET_ADDRESS_FAMILY,
    &NETWORK_SOCKET_TYPE,
    &OPINION,
    &PATTERN_TYPE,
    &PROCESSOR_ARCHITECTURE,
    &REGION,
    &REPORT_TYPE,
    &THREAT_ACTOR_TYPE,
    &THREAT_ACTOR_ROLE,
    &THREAT_ACTOR_SOPHISTICATION,
    &TOOL_TYPE,
    &WINDOWS_INTEGRITY_LEVEL,
    &WINDOWS_PEBINARY_TYPE,
    &WINDOWS_REGISTRY_DATATYPE,
    &WINDOWS_SERVICE_START_TYPE,
    &WINDOWS_SERVICE_TYPE,
    &WINDOWS_SERVICE_STATUS,
];

#[cfg(test)]
mod tests;
