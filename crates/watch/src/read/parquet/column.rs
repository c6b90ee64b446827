//! One column of a group of rows: its values, a few rows at a time.

use super::Broken;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray, Int96};
use parquet::errors::ParquetError;
use parquet::schema::types::ColumnDescriptor;
use std::io::Write as _;

/// What the numbers of a column are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// As they stand.
    Plain,
    /// Without a sign.
    Unsigned,
    /// A time in so many parts of a second.
    Time(i64),
    /// With so many digits behind the point.
    Decimal(i32),
}

impl Kind {
    pub(super) fn of(column: &ColumnDescriptor) -> Self {
        if let Some(LogicalType::Timestamp(told)) = column.logical_type_ref() {
            return Self::Time(match told.unit {
                TimeUnit::MILLIS => 1_000,
                TimeUnit::MICROS => 1_000_000,
                TimeUnit::NANOS => 1_000_000_000,
            });
        }
        match column.converted_type() {
            ConvertedType::TIMESTAMP_MILLIS => Self::Time(1_000),
            ConvertedType::TIMESTAMP_MICROS => Self::Time(1_000_000),
            ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64 => {
                Self::Unsigned
            }
            ConvertedType::DECIMAL => Self::Decimal(column.type_scale()),
            _ => Self::Plain,
        }
    }
}

/// What a value is, once it is written out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Written {
    /// Text, or bytes that are none.
    Bytes,
    /// A number as JSON has it.
    Number,
    /// True or false.
    Truth,
    /// What JSON has no number for.
    Other,
}

/// The values of a column, and their levels.
pub(super) struct Column {
    cells: Box<dyn Cells>,
    nulls: bool,
    repeats: bool,
    /// The level of a value that is there.
    full: i16,
    defined: Vec<i16>,
    repeated: Vec<i16>,
    /// How many places there are, the nulls among them.
    places: usize,
    place: usize,
    value: usize,
}

impl Column {
    pub(super) fn new(reader: ColumnReader, about: &ColumnDescriptor) -> Self {
        Self {
            cells: cells(reader),
            nulls: about.max_def_level() > 0,
            repeats: about.max_rep_level() > 0,
            full: about.max_def_level(),
            defined: Vec::new(),
            repeated: Vec::new(),
            places: 0,
            place: 0,
            value: 0,
        }
    }

    /// Reads the next rows; fewer than asked for are a fault of the file.
    pub(super) fn fill(&mut self, rows: usize) -> Result<(), Broken> {
        self.defined.clear();
        self.repeated.clear();
        (self.place, self.value) = (0, 0);
        let defined = self.nulls.then_some(&mut self.defined);
        let repeated = self.repeats.then_some(&mut self.repeated);
        let (read, _, places) = self.cells.fill(rows, defined, repeated)?;
        self.places = places;
        if read == rows { Ok(()) } else { Err(Broken::Uneven) }
    }

    /// The values of the next row; `each` says whether it wants more of them.
    pub(super) fn row(&mut self, text: &mut Vec<u8>, each: &mut dyn FnMut(Written, &[u8]) -> bool, kind: Kind) {
        let start = self.place;
        let mut more = true;
        while self.place < self.places {
            let begins = self.repeated.get(self.place).is_none_or(|level| *level == 0);
            if begins && self.place > start {
                break;
            }
            if self.defined.get(self.place).is_none_or(|level| *level == self.full) {
                text.clear();
                if more && let Some(written) = self.cells.write(self.value, kind, text) {
                    more = each(written, text);
                }
                self.value += 1;
            }
            self.place += 1;
        }
    }
}

type Levels<'l> = Option<&'l mut Vec<i16>>;

/// The values of a column of whatever type.
trait Cells {
    /// Rows, values and places read.
    fn fill(
        &mut self,
        rows: usize,
        defined: Levels<'_>,
        repeated: Levels<'_>,
    ) -> Result<(usize, usize, usize), ParquetError>;
    fn write(&self, index: usize, kind: Kind, text: &mut Vec<u8>) -> Option<Written>;
}

struct Typed<T: DataType> {
    reader: ColumnReaderImpl<T>,
    values: Vec<T::T>,
}

impl<T: DataType> Cells for Typed<T>
where
    T::T: Show,
{
    fn fill(
        &mut self,
        rows: usize,
        defined: Levels<'_>,
        repeated: Levels<'_>,
    ) -> Result<(usize, usize, usize), ParquetError> {
        self.values.clear();
        self.reader.read_records(rows, defined, repeated, &mut self.values)
    }

    fn write(&self, index: usize, kind: Kind, text: &mut Vec<u8>) -> Option<Written> {
        self.values.get(index)?.show(kind, text)
    }
}

fn cells(reader: ColumnReader) -> Box<dyn Cells> {
    fn typed<T: DataType>(reader: ColumnReaderImpl<T>) -> Box<dyn Cells>
    where
        T::T: Show,
    {
        Box::new(Typed { reader, values: Vec::new() })
    }
    match reader {
        ColumnReader::BoolColumnReader(reader) => typed(reader),
        ColumnReader::Int32ColumnReader(reader) => typed(reader),
        ColumnReader::Int64ColumnReader(reader) => typed(reader),
        ColumnReader::Int96ColumnReader(reader) => typed(reader),
        ColumnReader::FloatColumnReader(reader) => typed(reader),
        ColumnReader::DoubleColumnReader(reader) => typed(reader),
        ColumnReader::ByteArrayColumnReader(reader) => typed(reader),
        ColumnReader::FixedLenByteArrayColumnReader(reader) => typed(reader),
    }
}

/// A value written out.
trait Show {
    fn show(&self, kind: Kind, text: &mut Vec<u8>) -> Option<Written>;
}

impl Show for bool {
    fn show(&self, _: Kind, text: &mut Vec<u8>) -> Option<Written> {
        text.extend_from_slice(if *self { b"true" } else { b"false" });
        Some(Written::Truth)
    }
}

impl Show for i32 {
    fn show(&self, kind: Kind, text: &mut Vec<u8>) -> Option<Written> {
        match kind {
            Kind::Unsigned => write!(text, "{}", self.cast_unsigned()).ok().map(|()| Written::Number),
            _ => i64::from(*self).show(kind, text),
        }
    }
}

impl Show for i64 {
    fn show(&self, kind: Kind, text: &mut Vec<u8>) -> Option<Written> {
        match kind {
            Kind::Plain | Kind::Decimal(i32::MIN..=0) => write!(text, "{self}"),
            Kind::Unsigned => write!(text, "{}", self.cast_unsigned()),
            // Seconds with a fraction tell their unit by themselves.
            Kind::Time(parts) if *self >= 0 => fraction(text, self.unsigned_abs(), parts.unsigned_abs()),
            Kind::Time(parts) => write!(text, "{}", self.div_euclid(parts)),
            Kind::Decimal(scale @ 1..=18) => {
                if *self < 0 {
                    text.push(b'-');
                }
                fraction(text, self.unsigned_abs(), 10_u64.pow(scale.unsigned_abs()))
            }
            Kind::Decimal(_) => return None,
        }
        .ok()
        .map(|()| Written::Number)
    }
}

/// Writes `value / parts` with all digits; `parts` is a power of ten.
fn fraction(text: &mut Vec<u8>, value: u64, parts: u64) -> std::io::Result<()> {
    let digits = parts.ilog10() as usize;
    write!(text, "{}.{:0digits$}", value / parts, value % parts)
}

/// The Julian day of 1 January 1970.
const EPOCH: i64 = 2_440_588;

impl Show for Int96 {
    /// Nanoseconds of a day and the Julian day: how times were once written.
    fn show(&self, _: Kind, text: &mut Vec<u8>) -> Option<Written> {
        let [low, high, day] = <[u32; 3]>::try_from(self.data()).ok()?;
        let nanos = u64::from(high) << 32 | u64::from(low);
        let seconds = (i64::from(day) - EPOCH) * 86_400 + i64::try_from(nanos / 1_000_000_000).ok()?;
        write!(text, "{seconds}.{:09}", nanos % 1_000_000_000).ok().map(|()| Written::Number)
    }
}

fn float(finite: bool, shown: &dyn std::fmt::Display, text: &mut Vec<u8>) -> Option<Written> {
    write!(text, "{shown}").ok()?;
    Some(if finite { Written::Number } else { Written::Other })
}

impl Show for f32 {
    fn show(&self, _: Kind, text: &mut Vec<u8>) -> Option<Written> {
        float(self.is_finite(), self, text)
    }
}

impl Show for f64 {
    fn show(&self, _: Kind, text: &mut Vec<u8>) -> Option<Written> {
        float(self.is_finite(), self, text)
    }
}

fn bytes(data: &[u8], kind: Kind, text: &mut Vec<u8>) -> Option<Written> {
    // A decimal in bytes is a number of any length, which no observable is.
    if matches!(kind, Kind::Decimal(_)) {
        return None;
    }
    text.extend_from_slice(data);
    Some(Written::Bytes)
}

impl Show for ByteArray {
    fn show(&self, kind: Kind, text: &mut Vec<u8>) -> Option<Written> {
        bytes(self.data(), kind, text)
    }
}

impl Show for FixedLenByteArray {
    fn show(&self, kind: Kind, text: &mut Vec<u8>) -> Option<Written> {
        bytes(self.data(), kind, text)
    }
}
