//! What a value in the configuration may be, and how it is read from TOML, a variable or a flag.

use std::net::SocketAddr;
use std::path::PathBuf;

/// A value as somebody wrote it.
#[derive(Clone, Debug)]
pub enum Written<'a> {
    /// A string of the TOML file.
    Text(&'a str),
    /// A whole number of the TOML file.
    Integer(i64),
    /// `true` or `false` in the TOML file.
    Bool(bool),
    /// A list of strings of the TOML file.
    List(Vec<&'a str>),
    /// An environment variable or a flag: text that stands for a value of any type.
    Plain(&'a str),
}

/// A type that a key can have.
pub trait Setting: Sized + Clone + PartialEq {
    /// What a person should write, completing "must be …".
    const EXPECTED: &'static str;

    /// Reads the value; `None` when it is not what [`Self::EXPECTED`] says.
    fn read(written: &Written<'_>) -> Option<Self>;

    /// The value as TOML.
    fn toml(&self) -> String;
}

impl Setting for bool {
    const EXPECTED: &'static str = "true or false";

    fn read(written: &Written<'_>) -> Option<Self> {
        match written {
            Written::Bool(value) => Some(*value),
            Written::Plain(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn toml(&self) -> String {
        self.to_string()
    }
}

impl Setting for u64 {
    const EXPECTED: &'static str = "a whole number from 0";

    fn read(written: &Written<'_>) -> Option<Self> {
        match written {
            Written::Integer(value) => Self::try_from(*value).ok(),
            Written::Plain(text) => text.replace('_', "").parse().ok(),
            _ => None,
        }
    }

    fn toml(&self) -> String {
        self.to_string()
    }
}

impl Setting for String {
    const EXPECTED: &'static str = "a string";

    fn read(written: &Written<'_>) -> Option<Self> {
        match written {
            Written::Text(text) | Written::Plain(text) => Some((*text).to_owned()),
            _ => None,
        }
    }

    fn toml(&self) -> String {
        quoted(self)
    }
}

impl Setting for PathBuf {
    const EXPECTED: &'static str = "a path";

    fn read(written: &Written<'_>) -> Option<Self> {
        String::read(written).filter(|text| !text.is_empty()).map(Self::from)
    }

    fn toml(&self) -> String {
        quoted(&self.to_string_lossy())
    }
}

impl Setting for SocketAddr {
    const EXPECTED: &'static str = "an address and a port, such as `127.0.0.1:8443` or `[::]:8443`";

    fn read(written: &Written<'_>) -> Option<Self> {
        match written {
            Written::Text(text) | Written::Plain(text) => {
                let named = text.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
                named.as_deref().unwrap_or(text).parse().ok()
            }
            _ => None,
        }
    }

    fn toml(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Setting for Vec<String> {
    const EXPECTED: &'static str = "a list of strings";

    fn read(written: &Written<'_>) -> Option<Self> {
        match written {
            Written::List(items) => Some(items.iter().map(|item| (*item).to_owned()).collect()),
            Written::Plain(text) => {
                Some(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
            }
            _ => None,
        }
    }

    fn toml(&self) -> String {
        let items: Vec<String> = self.iter().map(|item| quoted(item)).collect();
        format!("[{}]", items.join(", "))
    }
}

/// A key whose value is one of a few words.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident, $expected:literal { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl Setting for $name {
            const EXPECTED: &'static str = $expected;

            fn read(written: &Written<'_>) -> Option<Self> {
                match written {
                    Written::Text(text) | Written::Plain(text) => match text.to_ascii_lowercase().as_str() {
                        $($word => Some(Self::$variant),)+
                        _ => None,
                    },
                    _ => None,
                }
            }

            fn toml(&self) -> String {
                quoted(match self { $(Self::$variant => $word),+ })
            }
        }
    };
}

choice! {
    /// How log lines are written.
    LogFormat, "`text` or `json`" {
        /// For people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

choice! {
    /// How much is logged.
    LogLevel, "`error`, `warn`, `info`, `debug` or `trace`" {
        /// What failed.
        Error = "error",
        /// What may fail soon as well.
        Warn = "warn",
        /// What happens.
        Info = "info",
        /// What a developer wants to know.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

choice! {
    /// Whether clients may sign in with certificates.
    ClientCertificates, "`off` or `optional`" {
        /// None is asked for.
        Off = "off",
        /// One is asked for, and does not have to be shown.
        Optional = "optional",
    }
}

choice! {
    /// Who may read `/metrics`.
    MetricsAccess, "`off`, `loopback` or `administrator`" {
        /// Nobody: the route does not exist.
        Off = "off",
        /// Whoever asks from this machine, and administrators.
        Loopback = "loopback",
        /// Administrators.
        Administrator = "administrator",
    }
}

choice! {
    /// What becomes of an object that refers to one which its viewer may not see.
    HiddenReferences, "`remove` or `withhold`" {
        /// The reference is taken out where the object stands without it.
        Remove = "remove",
        /// The object is withheld.
        Withhold = "withhold",
    }
}

choice! {
    /// Which values take part in a blind meeting.
    MeetingValues, "`releasable`, `ours` or `all-but-red`" {
        /// Of records that the partner may have.
        Releasable = "releasable",
        /// Those, and of records of our own organisation that only their TLP marking keeps from it.
        Ours = "ours",
        /// The same of everybody's records.
        AllButRed = "all-but-red",
    }
}

impl From<MeetingValues> for policy::Comparing {
    fn from(values: MeetingValues) -> Self {
        match values {
            MeetingValues::Releasable => Self::Releasable,
            MeetingValues::Ours => Self::Ours,
            MeetingValues::AllButRed => Self::AllButRed,
        }
    }
}

choice! {
    /// The marking of objects that carry none (TLP 2.0).
    DefaultMarking, "`clear`, `green`, `amber`, `amber+strict` or `red`" {
        /// Everyone.
        Clear = "clear",
        /// Own organisation, clients and community.
        Green = "green",
        /// Own organisation and clients.
        Amber = "amber",
        /// Own organisation.
        AmberStrict = "amber+strict",
        /// The recipients that were named.
        Red = "red",
    }
}

impl From<DefaultMarking> for policy::Tlp {
    fn from(marking: DefaultMarking) -> Self {
        match marking {
            DefaultMarking::Clear => Self::Clear,
            DefaultMarking::Green => Self::Green,
            DefaultMarking::Amber => Self::Amber,
            DefaultMarking::AmberStrict => Self::AmberStrict,
            DefaultMarking::Red => Self::Red,
        }
    }
}

choice! {
    /// What becomes of the sightings of what the watch met.
    Sightings, "`none`, `own` or `source`" {
        /// There are none.
        None = "none",
        /// They stay with our own organisation.
        Own = "own",
        /// They go where their markings let them, back to the claim's source among others.
        Source = "source",
    }
}

choice! {
    /// By what hits of one indicator are told apart.
    AlertsBy, "`indicator`, `entity` or `input`" {
        /// By nothing.
        Indicator = "indicator",
        /// By the machine that an event is about.
        Entity = "entity",
        /// By where the event came from.
        Input = "input",
    }
}

impl From<AlertsBy> for crate::alerts::hit::By {
    fn from(by: AlertsBy) -> Self {
        match by {
            AlertsBy::Indicator => Self::Indicator,
            AlertsBy::Entity => Self::Entity,
            AlertsBy::Input => Self::Input,
        }
    }
}

choice! {
    /// The language in which alerts are mailed.
    AlertsLanguage, "`ar`, `fr`, `es` or `en`" {
        /// Arabic.
        Ar = "ar",
        /// French.
        Fr = "fr",
        /// Spanish.
        Es = "es",
        /// English.
        En = "en",
    }
}

impl From<AlertsLanguage> for crate::alerts::words::Language {
    fn from(language: AlertsLanguage) -> Self {
        match language {
            AlertsLanguage::Ar => Self::Ar,
            AlertsLanguage::Fr => Self::Fr,
            AlertsLanguage::Es => Self::Es,
            AlertsLanguage::En => Self::En,
        }
    }
}

choice! {
    /// What the text of a syslog message about an alert is.
    AlertsText, "`plain` or `cef`" {
        /// A sentence.
        Plain = "plain",
        /// The Common Event Format.
        Cef = "cef",
    }
}

impl From<AlertsText> for crate::alerts::out::syslog::Text {
    fn from(text: AlertsText) -> Self {
        match text {
            AlertsText::Plain => Self::Plain,
            AlertsText::Cef => Self::Cef,
        }
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
