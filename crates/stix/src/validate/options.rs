//! What a validation is asked to look for.

use super::Code;
use crate::schema::Version;

/// How to judge; the default is the standard's MUST as errors and every best practice as a warning.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// Warnings make an object invalid too.
    pub strict: bool,
    /// Best-practice checks not to run, by name, number or group; see [`Code::chosen_by`].
    pub disabled: Vec<String>,
    /// The only best-practice checks to run if `disabled` is empty; else further ones to run.
    pub enabled: Vec<String>,
    /// Warn of types that the standard does not define.
    pub strict_types: bool,
    /// Warn of properties that the standard does not define.
    pub strict_properties: bool,
    /// Warn of relationship ends that are not in the bundle.
    pub enforce_refs: bool,
    /// Demand the producer of every object, STIX 2.1 Interoperability.
    pub interop: bool,
    /// Judge everything by this edition, whatever the objects say.
    pub version: Option<Version>,
}

/// The checks of [`Options`], resolved to a set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checks(u128);

impl Checks {
    pub(super) fn of(options: &Options) -> Self {
        let mut set = 0;
        for code in Code::ALL {
            if code.severity() == super::Severity::Warning && runs(*code, options) {
                set |= 1 << (*code as u32 - Code::CustomPrefix as u32);
            }
        }
        Self(set)
    }

    /// Whether a warning of this code is wanted.
    #[inline]
    pub(super) fn wants(self, code: Code) -> bool {
        self.0 >> (code as u32).wrapping_sub(Code::CustomPrefix as u32) & 1 == 1
    }
}

/// Whether a best-practice check runs, by the rules of the OASIS validator's options.
fn runs(code: Code, options: &Options) -> bool {
    let older = options.version == Some(Version::V20);
    if older && is_new(code) {
        return false;
    }
    match code {
        Code::TypesStrict => return options.strict_types,
        Code::PropertiesStrict => return options.strict_properties,
        Code::EnforceRefs => return options.enforce_refs,
        Code::SpecMismatch | Code::UuidShared | Code::CreatorType | Code::ReferenceFormatAdvised => return true,
        _ => {}
    }
    let chosen = |choices: &[String], code: Code| choices.iter().any(|choice| code.chosen_by(choice));
    if chosen(&options.enabled, code) {
        return true;
    }
    if options.disabled.is_empty() {
        let prefix = code == Code::CustomPrefix && !older || code == Code::CustomPrefixLax;
        return options.enabled.is_empty() && !prefix;
    }
    let disabled = |code| options.disabled.iter().any(|choice| choice == "all") || chosen(&options.disabled, code);
    let old_names = older || disabled(Code::ExtensionsUse);
    match code {
        Code::CustomPrefix => old_names && !disabled(Code::CustomPrefix),
        Code::CustomPrefixLax => {
            old_names
                && disabled(Code::CustomPrefix)
                && !disabled(Code::CustomPrefixLax)
                && !options.disabled.iter().any(|choice| choice == "format-checks" || choice == "1")
        }
        _ => !disabled(code),
    }
}

/// Checks that STIX 2.0 has no rule for.
fn is_new(code: Code) -> bool {
    let number = code.number().unwrap_or_default();
    matches!(number, 103 | 143 | 223 | 225..=231 | 245 | 277 | 303..=401)
}
