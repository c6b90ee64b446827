//! Indicators' patterns. STIX 2.1 §4.7, §9.

use super::Code;
use super::walk::Walk;
use crate::json::Value;

impl<'t> Walk<'_, 't> {
    /// Checks a pattern in the STIX language.
    pub(super) fn pattern(&mut self, value: Value<'t>, text: &str) {
        if text.trim().is_empty() {
            self.pen.note(Code::Pattern, value, "");
        }
    }
}
