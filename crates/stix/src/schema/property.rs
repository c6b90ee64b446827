//! What a property is: its name, whether it must be there, and what its value must look like.

use super::Shape;
use crate::validate::Code;
use crate::vocab::Vocabulary;

/// One property of a [`Shape`].
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// What its value must be.
    pub kind: Kind,
    /// Whether it must be there.
    pub required: bool,
    /// What the checks remember it for.
    pub role: Role,
}

impl Property {
    /// The same property, remembered for a role.
    pub(super) const fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }
}

/// A property that must be there.
pub(super) const fn must(name: &'static str, kind: Kind) -> Property {
    Property { name, kind, required: true, role: Role::None }
}

/// A property that may be there.
pub(super) const fn may(name: &'static str, kind: Kind) -> Property {
    Property { name, kind, required: false, role: Role::None }
}

/// A property that was looked up: itself and its number in the shape.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// The property.
    pub property: &'static Property,
    /// Its number: bit `1 << number` stands for it in a set.
    pub number: usize,
}

/// Properties that rules or the head of an object need again after the walk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Role {
    /// None: the walk checks it and forgets it.
    None,
    /// `id`
    Id,
    /// `created`
    Created,
    /// `modified`
    Modified,
    /// `created_by_ref`
    Creator,
    /// `object_marking_refs`
    Markings,
    /// `granular_markings`
    Granular,
    /// `revoked`
    Revoked,
    /// `extensions`
    Extensions,
    /// The value, the pattern, the definition: what the type is about.
    Main,
    /// What says how to read it.
    Second,
    /// What else a rule of the type needs.
    Third,
}

impl Role {
    /// How many roles there are.
    pub const COUNT: usize = 12;
}

/// What a value must look like. STIX 2.1 §2.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Anything but null and the empty list.
    Any,
    /// A string.
    Text,
    /// `true` or `false`.
    Boolean,
    /// An integer in a range, both ends included.
    Integer(i64, i64),
    /// A number in a range, both ends included.
    Number(f64, f64),
    /// The `type`, checked before the walk.
    Type,
    /// `2.1` (or `2.0`).
    SpecVersion,
    /// The object's own identifier.
    Id,
    /// A timestamp.
    Time,
    /// A timestamp of at least millisecond precision.
    FineTime,
    /// A timestamp of second precision.
    Second,
    /// A reference.
    Ref(Target),
    /// A list of references.
    Refs(Target),
    /// A list.
    List(&'static Kind),
    /// A value of an open vocabulary; the code warns of others.
    Open(&'static Vocabulary, Code),
    /// A value of an open vocabulary whose spelling is not checked beyond the list.
    Listed(&'static Vocabulary, Code),
    /// A value of a closed enumeration.
    Closed(&'static Vocabulary),
    /// A string of a form.
    Form(Format),
    /// Hexadecimal digits, an even number.
    Hex,
    /// Base64.
    Binary,
    /// A dictionary of hashes.
    Hashes,
    /// A dictionary.
    Dictionary(Dictionary),
    /// An embedded object.
    Object(&'static Shape),
    /// An object of any content.
    AnyObject,
    /// An external reference.
    External,
    /// A granular marking.
    Granular,
    /// `extensions`.
    Extensions,
    /// `observed-data.objects`.
    Container,
    /// `marking-definition.definition`, judged with its type.
    Definition,
    /// `language-content.contents`.
    Contents,
    /// `bundle.objects`, walked elsewhere.
    Objects,
    /// A name that the standard reserves: must not be there.
    Reserved,
}

/// Which objects a reference may name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Target {
    /// Any STIX object, which a bundle is not.
    Object,
    /// Any but bundles and language contents.
    Translatable,
    /// Who made the object: an identity.
    Creator,
    /// One of the types.
    Types(&'static [&'static str]),
    /// One of the types, from inside a cyber-observable. In a deprecated container the reference is one of its keys.
    Local(&'static [&'static str]),
    /// Any cyber-observable, from inside a cyber-observable.
    LocalSco,
    /// Any cyber-observable.
    Sco,
    /// What an observation holds: cyber-observables, relationships, sightings.
    Observed,
    /// What may stand at an end of a relationship.
    End,
    /// What may be sighted: a domain object or a custom one.
    Sighted,
}

/// A form of a string.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// IPv4 address or CIDR block.
    Ipv4,
    /// IPv6 address or CIDR block.
    Ipv6,
    /// MAC address, lower case with colons.
    Mac,
    /// E-mail address.
    Email,
    /// Domain name.
    Domain,
    /// URL, RFC 3986.
    Uri,
    /// IANA media type, as a MUST.
    MediaType,
    /// IANA media type, as a SHOULD.
    MediaTypeAdvised,
    /// IANA character set.
    Charset,
    /// RFC 5646 language tag.
    Language,
    /// ISO 639-2 language code, STIX 2.0.
    Language20,
    /// CPE 2.3 name.
    Cpe,
    /// Lower case letters, digits, hyphens.
    RelationshipType,
    /// Country code.
    Country,
    /// Registry key with its hive spelled out.
    RegistryKey,
    /// Name of a product.
    Product,
    /// Name of a kill chain or a phase.
    KillChain,
    /// Priority of a Windows process.
    Priority,
    /// IANA service name.
    Protocol,
}

/// What the keys and values of a dictionary must be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dictionary {
    /// Any base types.
    Any,
    /// Strings.
    Texts,
    /// Strings or lists of strings, keys are header fields.
    Headers,
    /// Lists of strings, keys are HTTP request headers.
    RequestHeaders,
    /// Strings or integers, keys are IPFIX names.
    Ipfix,
    /// Strings or integers, keys begin with a capital.
    Exif,
    /// Integers, keys are socket options.
    SocketOptions,
    /// Strings, keys are those of a PDF's document information.
    PdfInfo,
    /// Fields of the Windows STARTUPINFO structure.
    StartupInfo,
}
