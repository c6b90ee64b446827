//! Claims in, files out.

use crate::format::{Format, Put, Writes};
use crate::item::{About, Item, Native};
use crate::options::Options;
use crate::report::{Reason, Report};
use crate::sink::Sink;
use crate::value::Value;
use std::io;

/// Writes claims in one format, one by one. A few formats hold what they were given until [`Writer::finish`], as they want it
/// in order.
pub struct Writer<'s> {
    out: Box<dyn Writes>,
    sink: &'s mut dyn Sink,
    report: Report,
}

impl<'s> Writer<'s> {
    /// Begins the export: writes the heads of its files.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn new(format: Format, options: &Options, sink: &'s mut dyn Sink) -> io::Result<Self> {
        let out = crate::format::begin(format, options, sink)?;
        Ok(Self { out, sink, report: Report::default() })
    }

    /// Writes one claim, or notes why it is left out.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn item(&mut self, item: &Item<'_>) -> io::Result<()> {
        let put = match Value::of(item) {
            Ok(value) => self.out.item(item, &value, self.sink)?,
            Err(reason) => Put::Out(reason),
        };
        match put {
            Put::Written | Put::Narrowed => *self.report.entries.entry(item.kind).or_default() += 1,
            Put::Merged => self.report.merged += 1,
            Put::Out(reason) => self.report.leave_out(item.about.id, reason),
        }
        self.report.narrowed += u64::from(put == Put::Narrowed);
        Ok(())
    }

    /// Passes on an indicator in its own language, or notes why it is left out.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn native(&mut self, native: &Native<'_>) -> io::Result<()> {
        match self.out.native(native, self.sink)? {
            Put::Written | Put::Narrowed => self.report.natives += 1,
            Put::Merged => self.report.merged += 1,
            Put::Out(reason) => self.report.leave_out(native.about.id, reason),
        }
        Ok(())
    }

    /// Passes on a whole STIX object: for a format that [holds objects](Format::holds_objects).
    ///
    /// # Errors
    /// Those of the sink.
    pub fn object(&mut self, about: &About<'_>) -> io::Result<()> {
        match self.out.object(about, self.sink)? {
            Put::Written | Put::Narrowed => self.report.objects += 1,
            Put::Merged => self.report.merged += 1,
            Put::Out(reason) => self.report.leave_out(about.id, reason),
        }
        Ok(())
    }

    /// Notes that an indicator, or a claim of one, is not in the export.
    pub fn leave_out(&mut self, id: &str, reason: Reason) {
        self.report.leave_out(id, reason);
    }

    /// Ends the export.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn finish(mut self) -> io::Result<Report> {
        self.out.finish(self.sink, &mut self.report)?;
        Ok(self.report)
    }
}
