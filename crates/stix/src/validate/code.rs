//! What can be found wrong, each with a stable name. The numbers are those of the OASIS validator's best-practice checks.

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// A SHOULD or a best practice.
    Warning,
    /// A MUST: the object is invalid.
    Error,
}

macro_rules! codes {
    (
        errors { $($error:ident $error_name:literal $error_clause:literal,)* }
        warnings { $($warning:ident $number:literal $warning_name:literal $warning_clause:literal,)* }
    ) => {
        /// A rule that was broken.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = concat!("`", $error_name, "`, ", $error_clause)] $error,)*
            $(#[doc = concat!("`", $warning_name, "` (", $number, "), ", $warning_clause)] $warning,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$error,)* $(Self::$warning,)*];

            /// Its stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$error => $error_name,)*
                    $(Self::$warning => $warning_name,)*
                }
            }

            /// The number of the OASIS validator's check, where it has one.
            #[must_use]
            pub const fn number(self) -> Option<u16> {
                match self {
                    $(Self::$warning => if $number == 0 { None } else { Some($number) },)*
                    _ => None,
                }
            }

            /// Where the standard has the rule, unless a finding says it more exactly.
            #[must_use]
            pub const fn clause(self) -> &'static str {
                match self {
                    $(Self::$error => $error_clause,)*
                    $(Self::$warning => $warning_clause,)*
                }
            }

            /// Whether it breaks a MUST.
            #[must_use]
            #[inline]
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$error => Severity::Error,)*
                    _ => Severity::Warning,
                }
            }
        }
    };
}

codes! {
    errors {
        Json "json" "STIX 2.1 §3.10",
        NotAnObject "not-an-object" "STIX 2.1 §3.2",
        TypeName "type-name" "STIX 2.1 §3.1",
        Required "required" "STIX 2.1 §3.2",
        WrongKind "wrong-kind" "STIX 2.1 §2",
        EmptyList "empty-list" "STIX 2.1 §2.12",
        Null "null" "STIX 2.1 §3.1",
        Enumeration "enumeration" "STIX 2.1 §2.4",
        SpecVersion "spec-version" "STIX 2.1 §3.2",
        IdFormat "id-format" "STIX 2.1 §2.9",
        IdPrefix "id-prefix" "STIX 2.1 §2.9",
        UuidVersion "uuid-version" "STIX 2.1 §2.9",
        ReferenceFormat "reference-format" "STIX 2.1 §2.9",
        ReferenceTarget "reference-target" "STIX 2.1 §3.1",
        ReferenceUnresolved "reference-unresolved" "STIX 2.1 §2.13",
        TimestampFormat "timestamp-format" "STIX 2.1 §2.16",
        TimestampPrecision "timestamp-precision" "STIX 2.1 §3.2",
        TimestampOrder "timestamp-order" "STIX 2.1 §3.2",
        Range "range" "STIX 2.1 §2",
        IntegerRange "integer-range" "STIX 2.1 §2.10",
        PropertyName "property-name" "STIX 2.1 §3.1",
        ReservedName "reserved-name" "STIX 2.1 §3.8",
        EncodingSibling "encoding-sibling" "STIX 2.1 §3.1",
        DictionaryEmpty "dictionary-empty" "STIX 2.1 §2.3",
        DictionaryKey "dictionary-key" "STIX 2.1 §2.3",
        DictionaryValue "dictionary-value" "STIX 2.1 §2.3",
        Hex "hex" "STIX 2.1 §2.8",
        Binary "binary" "STIX 2.1 §2.1",
        HashName "hash-name" "STIX 2.1 §2.7",
        HashValue "hash-value" "STIX 2.1 §2.7",
        ExternalReference "external-reference" "STIX 2.1 §2.5",
        Uri "uri" "STIX 2.1 §2.5",
        Ipv4 "ipv4" "STIX 2.1 §6.8",
        Ipv6 "ipv6" "STIX 2.1 §6.9",
        MacAddress "mac-address" "STIX 2.1 §6.10",
        EmailAddress "email-address" "STIX 2.1 §6.5",
        DomainName "domain-name" "STIX 2.1 §6.4",
        MediaType "media-type" "STIX 2.1 §6.1",
        CharacterSet "character-set" "STIX 2.1 §3.9.1",
        LanguageTag "language-tag" "STIX 2.1 §3.2",
        Cpe "cpe" "STIX 2.1 §6.14",
        RegistryHive "registry-hive" "STIX 2.1 §6.17",
        RelationshipName "relationship-name" "STIX 2.1 §5.1",
        AnyOf "any-of" "STIX 2.1 §4",
        OneOf "one-of" "STIX 2.1 §4",
        Needs "needs" "STIX 2.1 §4",
        Forbids "forbids" "STIX 2.1 §4",
        Pattern "pattern" "STIX 2.1 §9",
        PatternName "pattern-name" "STIX 2.1 §9",
        Selector "selector" "STIX 2.1 §7.2.3",
        SelectorTarget "selector-target" "STIX 2.1 §7.2.3",
        MarkingItself "marking-itself" "STIX 2.1 §3.2",
        MarkingDefinition "marking-definition" "STIX 2.1 §7.2.1",
        TlpDefinition "tlp-definition" "STIX 2.1 §7.2.1",
        ExtensionKey "extension-key" "STIX 2.1 §3.2",
        ExtensionType "extension-type" "STIX 2.1 §7.3",
        ExtensionProperties "extension-properties-misplaced" "STIX 2.1 §7.3",
        LanguageContents "language-contents" "STIX 2.1 §7.1",
        LanguageLists "language-lists" "STIX 2.1 §7.1",
        InteropCreator "interop-creator" "STIX 2.1 Interop §2",
    }
    warnings {
        CustomPrefix 101 "custom-prefix" "STIX 2.1 §11",
        CustomPrefixLax 102 "custom-prefix-lax" "STIX 2.1 §11",
        UuidCheck 103 "uuid-check" "STIX 2.1 §2.9",
        OpenVocabFormat 111 "open-vocab-format" "STIX 2.1 §2.12",
        KillChainNames 121 "kill-chain-names" "STIX 2.1 §2.11",
        ObservableObjectKeys 141 "observable-object-keys" "STIX 2.1 §2.13",
        ObservableDictionaryKeys 142 "observable-dictionary-keys" "STIX 2.1 §2.3",
        MalwareAnalysisProduct 143 "malware-analysis-product" "STIX 2.1 §4.12",
        WindowsProcessPriority 149 "windows-process-priority-format" "STIX 2.1 §6.13.2",
        HashLength 150 "hash-length" "STIX 2.1 §2.7",
        MarkingDefinitionType 201 "marking-definition-type" "STIX 2.1 §7.2.1",
        RelationshipTypes 202 "relationship-types" "STIX 2.1 §5.1",
        DuplicateIds 203 "duplicate-ids" "STIX 2.1 §3.6",
        AttackMotivation 211 "attack-motivation" "STIX 2.1 §10.2",
        AttackResourceLevel 212 "attack-resource-level" "STIX 2.1 §10.3",
        IdentityClass 213 "identity-class" "STIX 2.1 §10.8",
        IndicatorTypes 214 "indicator-types" "STIX 2.1 §10.10",
        IndustrySector 215 "industry-sector" "STIX 2.1 §10.11",
        MalwareTypes 216 "malware-types" "STIX 2.1 §10.15",
        ReportTypes 218 "report-types" "STIX 2.1 §10.22",
        ThreatActorTypes 219 "threat-actor-types" "STIX 2.1 §10.23",
        ThreatActorRole 220 "threat-actor-role" "STIX 2.1 §10.24",
        ThreatActorSophistication 221 "threat-actor-sophistication" "STIX 2.1 §10.25",
        ToolTypes 222 "tool-types" "STIX 2.1 §10.26",
        Region 223 "region" "STIX 2.1 §10.21",
        GroupingContext 225 "grouping-context" "STIX 2.1 §10.6",
        ImplementationLanguages 226 "implementation-languages" "STIX 2.1 §10.9",
        InfrastructureTypes 227 "infrastructure-types" "STIX 2.1 §10.12",
        MalwareCapabilities 228 "malware-capabilities" "STIX 2.1 §10.13",
        ProcessorArchitecture 230 "processor-architecture" "STIX 2.1 §10.20",
        MalwareResult 231 "malware-result" "STIX 2.1 §10.14",
        HashAlgo 241 "hash-algo" "STIX 2.1 §10.7",
        EncryptionAlgo 242 "encryption-algo" "STIX 2.0 §2.3",
        WindowsPebinaryType 243 "windows-pebinary-type" "STIX 2.1 §10.28",
        AccountType 244 "account-type" "STIX 2.1 §10.1",
        PatternTypes 245 "indicator-pattern-types" "STIX 2.1 §10.19",
        MimeType 271 "mime-type" "STIX 2.1 §6.7",
        Protocols 272 "protocols" "STIX 2.1 §6.12",
        Ipfix 273 "ipfix" "STIX 2.1 §6.12",
        HttpRequestHeaders 274 "http-request-headers" "STIX 2.1 §6.12.2",
        SocketOptions 275 "socket-options" "STIX 2.1 §6.12.4",
        PdfDocInfo 276 "pdf-doc-info" "STIX 2.1 §6.7.4",
        Countries 277 "countries" "STIX 2.1 §4.10",
        NetworkTrafficPorts 301 "network-traffic-ports" "STIX 2.1 §6.12",
        ExtrefHashes 302 "extref-hashes" "STIX 2.1 §2.5",
        IndicatorProperties 303 "indicator-properties" "STIX 2.1 §4.7",
        DeprecatedProperties 304 "deprecated-properties" "STIX 2.1 §4.14",
        ExtensionDescription 305 "extension-description" "STIX 2.1 §7.3",
        ExtensionPropertiesMissing 306 "extension-properties" "STIX 2.1 §7.3",
        ExtensionsUse 401 "extensions-use" "STIX 2.1 §7.3",
        UuidShared 0 "uuid-shared" "STIX 2.1 §2.9",
        CreatorType 0 "creator-type" "STIX 2.1 §3.2",
        ReferenceFormatAdvised 0 "reference-format-advised" "STIX 2.1 §2.9",
        TypesStrict 0 "strict-types" "STIX 2.1 §11.2",
        PropertiesStrict 0 "strict-properties" "STIX 2.1 §11.1",
        EnforceRefs 0 "enforce-refs" "STIX 2.1 §5.1",
        SpecMismatch 0 "spec-version-mismatch" "STIX 2.1 §3.2",
    }
}

impl Code {
    /// Whether it is advice beyond what the OASIS validator checks: shown as a warning, without weight in a strict verdict.
    #[must_use]
    pub const fn is_advice(self) -> bool {
        matches!(self, Self::UuidShared | Self::CreatorType | Self::ReferenceFormatAdvised)
    }

    /// Every check that a user may name: by its own name or number, or by that of its group.
    ///
    /// The names of STIX 2.0, such as `malware-label`, choose what took their place.
    /// `all`, `format-checks` (1), `approved-values` (2), `all-vocabs` (210), `all-external-sources` (270) are groups.
    #[must_use]
    pub fn chosen_by(self, choice: &str) -> bool {
        let older = match choice {
            "indicator-label" => Some(Self::IndicatorTypes),
            "malware-label" => Some(Self::MalwareTypes),
            "report-label" => Some(Self::ReportTypes),
            "threat-actor-label" => Some(Self::ThreatActorTypes),
            "tool-label" => Some(Self::ToolTypes),
            _ => None,
        };
        if self.name() == choice || older == Some(self) {
            return true;
        }
        let Some(number) = self.number() else { return false };
        match choice {
            "all" => !matches!(self, Self::CustomPrefix | Self::CustomPrefixLax),
            "1" | "format-checks" => number < 200,
            "2" | "approved-values" => (200..300).contains(&number),
            "210" | "all-vocabs" => (211..=245).contains(&number),
            "270" | "all-external-sources" => (271..=277).contains(&number),
            other => other.parse() == Ok(number),
        }
    }
}
