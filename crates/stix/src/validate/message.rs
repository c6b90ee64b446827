//! The words of findings: what is wrong, and what to do.

use super::Code;
use super::note::Note;
use crate::json::Value;
use crate::schema::Version;

/// The message of a note about `value`.
pub(super) fn of(note: &Note, value: Value<'_>) -> String {
    let (what, found) = (note.what, shown(value));
    match note.code {
        Code::Json => format!("the text is not JSON: {what}"),
        Code::NotAnObject => "a STIX object must be a JSON object".to_owned(),
        Code::TypeName => format!("{found} cannot name a type: use 3 to 250 of a-z, 0-9 and single hyphens, a letter first, and not the reserved `action`"),
        Code::Required => format!("the required property `{what}` is missing: add it"),
        Code::WrongKind => format!("this must be {what}, and is {}", kind(value)),
        Code::EmptyList => "the list is empty: leave the property out or give it at least one element".to_owned(),
        Code::Null => "null stands for nothing in STIX: leave the property out".to_owned(),
        Code::Enumeration => format!("{found} is not one of the values of `{what}`, which is closed: use one of those"),
        Code::SpecVersion => format!("{found} is no edition that fits here: write `{}`", if what.is_empty() { "2.1" } else { what }),
        Code::IdFormat => format!("{found} is no identifier: write the object's type, `--` and an RFC 4122 UUID{}", if what == "2.0" { " of version 4" } else { "" }),
        Code::IdPrefix => format!("{found} does not begin with the object's type: write the type before `--`"),
        Code::UuidVersion => format!("{found} must have a UUID of version 4: none of the properties that identify such an object is there"),
        Code::ReferenceFormat => format!("{found} is no identifier: refer to an object by its type, `--` and its UUID"),
        Code::ReferenceTarget => format!("{found} must refer to {what}"),
        Code::ReferenceUnresolved => format!("{found} is no key of the container `objects`: refer to an object that is in it"),
        Code::TimestampFormat => format!("{found} is no timestamp that exists: write YYYY-MM-DDTHH:mm:ss[.s+]Z in UTC"),
        Code::TimestampPrecision => format!("{found} must have {what} after the second"),
        Code::TimestampOrder => format!("{found} is not later than `{what}`, as it must be"),
        Code::Range => format!("{found} is out of the range of `{what}`"),
        Code::IntegerRange => format!("{found} is beyond the integers that JSON carries safely: stay within ±(2^53 - 1)"),
        Code::PropertyName => "a property's name must be 3 to 250 of a-z, 0-9 and `_`, a letter first: rename it".to_owned(),
        Code::ReservedName => format!("`{what}` is reserved by the standard: rename the property"),
        Code::EncodingSibling => "a property that ends in `_enc` needs the property whose encoding it names: add that, or leave this out".to_owned(),
        Code::DictionaryEmpty => "this is empty: leave it out or fill it".to_owned(),
        Code::DictionaryKey => "a key must be of A-Z, a-z, 0-9, `_` and `-`, at most 250, and fit what the dictionary is for: rename it".to_owned(),
        Code::DictionaryValue => format!("the value must be {what}, and is {}", kind(value)),
        Code::Hex => format!("{found} must be an even number of hexadecimal digits"),
        Code::Binary => format!("{found} must be base64 with padding"),
        Code::HashName => "the name of a hash algorithm must be 3 to 250 of A-Z, a-z, 0-9, `_` and `-`".to_owned(),
        Code::HashValue => format!("{found} is no hash of this algorithm: check its length and digits"),
        Code::ExternalReference => "a CVE or CAPEC identifier goes with `source_name` `cve` or `capec`, written CVE-YYYY-NNNN or CAPEC-N: make the two agree".to_owned(),
        Code::Uri => format!("{found} is no URL of RFC 3986: begin with a scheme and escape what is not allowed with %"),
        Code::Ipv4 => format!("{found} is no IPv4 address or CIDR block"),
        Code::Ipv6 => format!("{found} is no IPv6 address or CIDR block"),
        Code::MacAddress => format!("{found} is no MAC address: write six pairs of lower-case digits with colons"),
        Code::EmailAddress => format!("{found} is no e-mail address: write name@domain, a display name goes to `display_name`"),
        Code::DomainName => format!("{found} is no domain name of RFC 1034 and RFC 5890"),
        Code::MediaType => format!("{found} is not registered: use a media type of the IANA registry"),
        Code::CharacterSet => format!("{found} is not registered: use the preferred MIME name of an IANA character set"),
        Code::LanguageTag => format!("{} is no language tag of RFC 5646", if what == "contents" { "the key".to_owned() } else { found }),
        Code::Cpe => format!("{found} is no CPE 2.3 name: write cpe:2.3: and its eleven parts"),
        Code::RegistryHive => format!("{found} shortens its hive: write it out, as in HKEY_LOCAL_MACHINE"),
        Code::RelationshipName => format!("{found} must be of a-z, 0-9 and hyphens"),
        Code::AnyOf if what.is_empty() => "at least one of the properties that tell something of the object must be there".to_owned(),
        Code::AnyOf => format!("`{what}` or one of the properties that can stand for it must be there"),
        Code::OneOf => format!("exactly one of `{what}` and the property that can stand for it must be there"),
        Code::Needs => format!("`{what}` must be there too"),
        Code::Forbids => format!("`{what}` must not be there by what the flag beside it says"),
        Code::Pattern => pattern(value, what),
        Code::PatternName => format!("the pattern names a type or property that cannot be: {what}"),
        Code::Selector => format!("{found} is no selector: join property names and [n] by dots"),
        Code::SelectorTarget => format!("{found} selects nothing that is in the object"),
        Code::MarkingItself => "a marking definition must not mark itself: take the reference out".to_owned(),
        Code::MarkingDefinition => match what {
            "missing" => "a marking definition needs `definition_type` and `definition`, or `extensions`".to_owned(),
            "statement" => "a statement marking needs `statement`, a string, in its definition".to_owned(),
            _ => "`definition` must be an object".to_owned(),
        },
        Code::TlpDefinition => "only the four TLP markings that the standard prints exist, to the letter: refer to one of them".to_owned(),
        Code::ExtensionKey => "an extension's key must be the id of an extension-definition, or a name that ends in `-ext`".to_owned(),
        Code::ExtensionType if what.is_empty() => format!("{found} is no extension type: use a value of `extension-type-enum`"),
        Code::ExtensionType => "an extension must say its `extension_type`: add it".to_owned(),
        Code::ExtensionProperties => "`extension_properties` goes only with the type `toplevel-property-extension`".to_owned(),
        Code::LanguageContents => format!("this must be {what}"),
        Code::LanguageLists => "a translated list must be as long as the list that it translates: fill gaps with empty strings".to_owned(),
        Code::InteropCreator => format!("interoperability asks for the producer of every object and for one TLP marking: {what}"),
        _ => warning(note.code, what, &found),
    }
}

fn warning(code: Code, what: &str, found: &str) -> String {
    match code {
        Code::CustomPrefix => "a custom name should begin with `x_source_` or `x-source-`".to_owned(),
        Code::CustomPrefixLax => "a custom name should begin with `x_` or `x-`".to_owned(),
        Code::UuidCheck => format!("{found} should have a UUID of version {what}"),
        Code::OpenVocabFormat => format!("{found} should be lower case with hyphens"),
        Code::KillChainNames => format!("{found} should be lower case with hyphens"),
        Code::ObservableObjectKeys => "the keys of `objects` should be whole numbers".to_owned(),
        Code::ObservableDictionaryKeys => "a dictionary's key should be lower case".to_owned(),
        Code::MalwareAnalysisProduct => format!("{found} should be lower case with hyphens"),
        Code::WindowsProcessPriority => format!("{found} should end in `_CLASS`"),
        Code::HashLength => "the name of a hash algorithm should be at most 30 characters".to_owned(),
        Code::MarkingDefinitionType => {
            format!("{found} should be `statement` or `tlp`; new kinds of marking should be extensions")
        }
        Code::RelationshipTypes => {
            format!("{found} is not defined between these two types: use a defined one or `related-to`")
        }
        Code::DuplicateIds => {
            "the same id and `modified` stand twice in the bundle: give each version its own `modified`".to_owned()
        }
        Code::MimeType => format!("{found} should be a media type of the IANA registry"),
        Code::Protocols => format!("{found} should be a service name of the IANA registry"),
        Code::Ipfix => "the key should be an IPFIX element of the IANA registry".to_owned(),
        Code::HttpRequestHeaders => "the key should be a known HTTP request header".to_owned(),
        Code::SocketOptions => "the key should be a known socket option".to_owned(),
        Code::PdfDocInfo => "the key should be one of PDF's document information".to_owned(),
        Code::Countries => format!("{found} should be an ISO 3166-1 alpha-2 code"),
        Code::NetworkTrafficPorts => "`src_port` and `dst_port` should both be there".to_owned(),
        Code::ExtrefHashes => "a reference with `url` should have `hashes` of what stands there".to_owned(),
        Code::IndicatorProperties => "an indicator should have a `name` and a `description`".to_owned(),
        Code::DeprecatedProperties => "`objects` is deprecated: use `object_refs`".to_owned(),
        Code::ExtensionDescription => "an extension definition should have a `description`".to_owned(),
        Code::ExtensionPropertiesMissing => {
            "an extension of the top level should list its names in `extension_properties`".to_owned()
        }
        Code::ExtensionsUse => "custom content should be declared by an extension".to_owned(),
        Code::UuidShared => {
            "another object of another type has the same UUID from the same producer, who must make one for each"
                .to_owned()
        }
        Code::CreatorType => format!("{found} should be the id of an identity"),
        Code::ReferenceFormatAdvised => format!(
            "{found} is no identifier, so nothing can be found by it: refer to an object by its type, `--` and its UUID"
        ),
        Code::TypesStrict => format!("{found} is no type of the standard"),
        Code::PropertiesStrict => format!("the standard does not define this property for {what}"),
        Code::EnforceRefs => format!("{found} is not in the bundle"),
        Code::SpecMismatch => "`spec_version` is not the edition by which this is judged".to_owned(),
        _ => format!("{found} is not in the open vocabulary `{what}`: use a listed value where one fits"),
    }
}

/// What the pattern language says of a pattern: its first faults.
fn pattern(value: Value<'_>, what: &str) -> String {
    let version = if what == "2.0" { Version::V20 } else { Version::V21 };
    let faults = super::patterns::faults(&value.as_str().unwrap_or_default(), version);
    let words: Vec<String> = faults.iter().take(3).map(ToString::to_string).collect();
    format!("the pattern is wrong: {}", words.join("; "))
}

fn kind(value: Value<'_>) -> &'static str {
    use crate::json::Kind;
    match value.kind() {
        Kind::Null => "null",
        Kind::Bool => "true or false",
        Kind::Integer | Kind::Float => "a number",
        Kind::String => "a string",
        Kind::Array => "a list",
        Kind::Object => "an object",
    }
}

/// A value as a message quotes it: in backticks, cut where it is long, control characters escaped.
fn shown(value: Value<'_>) -> String {
    let text = match value.as_str() {
        Some(text) => text,
        None => String::from_utf8_lossy(value.text()),
    };
    let mut out = String::from("`");
    for (at, letter) in text.chars().enumerate() {
        if at == 80 {
            out.push('…');
            break;
        }
        if letter.is_control() || letter == '`' {
            out.push_str(&letter.escape_unicode().to_string());
        } else {
            out.push(letter);
        }
    }
    out.push('`');
    out
}
