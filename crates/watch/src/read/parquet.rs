//! Parquet: rows by the names of their columns, through the same field map as JSON lines.
//!
//! What a Parquet file holds is told at its end, so this reader wants the file itself and not a stream. Memory is bounded
//! by limits on what a page and a group of rows may hold, not by the length of the file: what a file declares is held
//! against them, and against its own length, before the decoder is given it.

mod column;
mod guard;
mod thrift;

use super::gather::Gather;
use super::map::Use;
use super::{Fault, Faults, FieldMap, Sink};
use column::{Column, Kind, Written};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::schema::types::Type;
use std::fs::File;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The most rows that are unpacked at once.
const ROWS: usize = 1024;
/// How many bytes the rows that are unpacked at once may take.
const AT_ONCE: u64 = 1 << 28;
/// How many bytes the pages of all columns may take that are open at once, unpacked.
const OPEN: u64 = 1 << 30;
/// The most values, and bytes, of columns that repeat, in a group of rows: all may be in one row.
const REPEATED: u64 = 1 << 24;
/// The longest path of names.
const LONGEST_PATH: usize = 1024;
/// The longest row that is kept as evidence, in bytes; what is beyond is looked at, but not kept.
const LONGEST_ROW: usize = 1 << 20;
/// How many bytes of a row are looked at: with a dictionary a few bytes may name a value of any length any number of times.
const LOOKED_AT: usize = 1 << 24;

/// Why a file is not read, or not read further.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("it does not begin as a Parquet file does")]
    NotParquet,
    #[error("the end of the Parquet file is missing")]
    Cut,
    #[error("it is encrypted")]
    Encrypted,
    #[error("the footer is said to take {said} bytes of a file of {length}")]
    Footer { said: u64, length: u64 },
    #[error("what describes the file ends before it is whole")]
    Short,
    #[error("what describes the file is not in Thrift's compact protocol")]
    Thrift,
    #[error("columns are nested deeper than is read")]
    Deep,
    #[error("the columns that are declared are not those that are described")]
    Schema,
    #[error("more {0} than the {1} that are read")]
    TooMuch(&'static str, u64),
    #[error("column `{0}`: sizes or counts that cannot be")]
    Bounds(String),
    #[error("column `{0}` is in the encoding {1}, which is not read: write it out plain or with a dictionary")]
    Encoding(String, &'static str),
    #[error("the columns of a group of rows do not have as many rows as it is said to have")]
    Uneven,
    #[error("the decoder fell over it")]
    Panic,
    #[error("{0}")]
    Decoder(#[from] ParquetError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<Broken> for io::Error {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Io(error) => error,
            broken => Self::new(io::ErrorKind::InvalidData, broken.to_string()),
        }
    }
}

/// Calls the decoder, which panics on some broken files; that is a broken file and nothing more.
fn guarded<T>(work: impl FnOnce() -> Result<T, Broken>) -> Result<T, Broken> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Broken::Panic))
}

/// A column of the file.
#[derive(Debug)]
struct Leaf {
    path: String,
    told: Option<Use>,
    known: bool,
    kind: Kind,
}

/// Reads a Parquet file, group of rows by group of rows.
///
/// The line of an event is the number of its row, from 1; its evidence is the row as JSON, each column by its path. A
/// path has points between the names; what Parquet puts between a list and its elements is no part of it, the keys of a
/// map are `path.key` and its values `path`.
pub struct Parquet {
    file: File,
    length: u64,
    reader: SerializedFileReader<File>,
    leaves: Vec<Leaf>,
    group: usize,
    columns: Vec<Column>,
    /// How many rows of the group are left, and how many are read at once.
    left: u64,
    at_once: u64,
    row: u64,
    gather: Gather,
    text: Vec<u8>,
    raw: Vec<u8>,
    faults: Faults,
}

impl std::fmt::Debug for Parquet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parquet").field("row", &self.row).field("group", &self.group).finish_non_exhaustive()
    }
}

impl Parquet {
    /// Opens a file.
    ///
    /// # Errors
    /// It is no Parquet file, it is cut, or declares what cannot be or is beyond what is read: [`io::ErrorKind::InvalidData`].
    pub fn new(mut file: File, map: &FieldMap) -> io::Result<Self> {
        let length = guard::footer(&mut file)?;
        let copy = file.try_clone()?;
        let reader = guarded(|| Ok(SerializedFileReader::new(copy)?))?;
        let about = reader.metadata().file_metadata().schema_descr();
        let mut paths = Vec::new();
        walk(about.root_schema(), "", &mut paths)?;
        if paths.is_empty() || paths.len() != about.num_columns() {
            return Err(Broken::Schema.into());
        }
        // What is declared to lie in the file may not be more than the file, so that nothing is read twice.
        let groups = reader.metadata().row_groups().iter();
        let sizes = groups.flat_map(|group| group.columns()).map(|column| column.compressed_size().unsigned_abs());
        if sizes.fold(0, u64::saturating_add) > length {
            return Err(Broken::TooMuch("bytes in columns", length).into());
        }
        let leaf = |(path, column): (String, _)| Leaf {
            told: map.get(&path),
            known: map.knows(&path),
            kind: Kind::of(column),
            path,
        };
        let leaves = paths.into_iter().zip(about.columns().iter().map(AsRef::as_ref)).map(leaf).collect();
        Ok(Self {
            file,
            length,
            reader,
            leaves,
            group: 0,
            columns: Vec::new(),
            left: 0,
            at_once: 1,
            row: 0,
            gather: Gather::default(),
            text: Vec::new(),
            raw: Vec::new(),
            faults: Faults::default(),
        })
    }

    /// How many rows have been read.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.row
    }

    /// How far it is, in bytes of the file: to the group of rows.
    #[must_use]
    pub fn position(&self) -> u64 {
        let groups = self.reader.metadata().row_groups().iter().take(self.group);
        groups.map(|group| group.compressed_size().unsigned_abs()).fold(0, u64::saturating_add).min(self.length)
    }

    /// Rows beyond a limit.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Reads the next rows, 1024 at most; whether there were any.
    ///
    /// # Errors
    /// The file is broken from here on: [`io::ErrorKind::InvalidData`], or whatever kept it from being read.
    pub fn read(&mut self, sink: &mut Sink<'_>) -> io::Result<bool> {
        while self.left == 0 {
            if self.group >= self.reader.metadata().num_row_groups() {
                return Ok(false);
            }
            self.open()?;
            self.group += 1;
        }
        let rows = self.left.min(self.at_once);
        let columns = &mut self.columns;
        // It fits: not above `ROWS`.
        let wanted = usize::try_from(rows).unwrap_or(ROWS);
        guarded(|| columns.iter_mut().try_for_each(|column| column.fill(wanted)))?;
        self.left -= rows;
        for _ in 0..rows {
            self.row += 1;
            self.one(sink);
        }
        Ok(true)
    }

    /// Opens the next group of rows.
    fn open(&mut self) -> Result<(), Broken> {
        self.columns.clear();
        let group = self.reader.metadata().row_group(self.group);
        if group.num_columns() != self.leaves.len() {
            return Err(Broken::Schema);
        }
        let (mut open, mut row, mut repeated) = (0_u64, 1_u64, 0_u64);
        for column in group.columns() {
            let need = guard::pages(&mut self.file, self.length, column)?;
            // A page may be open while the last values of the one before are held.
            open = open.saturating_add(need.page.saturating_mul(2));
            row = row.saturating_add(need.value);
            if column.column_descr().max_rep_level() > 0 {
                repeated = repeated.saturating_add(need.values);
                open = open.saturating_add(need.bytes);
            }
        }
        if open > OPEN {
            return Err(Broken::TooMuch("bytes in the pages of a group of rows", OPEN));
        }
        if repeated > REPEATED {
            return Err(Broken::TooMuch("values in the lists of a group of rows", REPEATED));
        }
        self.left = u64::try_from(group.num_rows()).map_err(|_| Broken::Uneven)?;
        self.at_once = (AT_ONCE / row).clamp(1, ROWS as u64);
        let (reader, number) = (&self.reader, self.group);
        self.columns = guarded(|| {
            let rows = reader.get_row_group(number)?;
            let about = rows.metadata().schema_descr_ptr();
            let columns = about.columns().iter().enumerate();
            columns.map(|(index, about)| Ok(Column::new(rows.get_column_reader(index)?, about))).collect()
        })?;
        Ok(())
    }

    /// Gives the next row away.
    fn one(&mut self, sink: &mut Sink<'_>) {
        let Self { columns, leaves, gather, text, raw, .. } = self;
        gather.clear();
        raw.clear();
        raw.push(b'{');
        let (mut cut, mut room) = (false, LOOKED_AT);
        for (column, leaf) in columns.iter_mut().zip(leaves.iter()) {
            let mut row = Row { raw, count: 0, start: 0, cut: false };
            let mut each = |written, value: &[u8]| {
                match room.checked_sub(value.len()) {
                    Some(_) => row.value(leaf, written, value, gather),
                    None => row.cut = true,
                }
                room = room.saturating_sub(value.len());
                !row.cut || room > 0
            };
            column.row(text, &mut each, leaf.kind);
            cut |= row.end();
        }
        raw.push(b'}');
        gather.emit(self.row, raw, sink);
        if gather.overflowed || cut {
            self.faults.add(Fault::TooMuch, self.row);
        }
    }
}

/// The values of a column within a row, while they are written as JSON.
struct Row<'r> {
    raw: &'r mut Vec<u8>,
    count: usize,
    /// Where the first value begins.
    start: usize,
    cut: bool,
}

impl Row<'_> {
    fn value(&mut self, leaf: &Leaf, written: Written, value: &[u8], gather: &mut Gather) {
        match written {
            Written::Bytes => gather.add(&leaf.path, leaf.told, value),
            Written::Number if leaf.known => gather.add(&leaf.path, leaf.told, value),
            Written::Number | Written::Truth | Written::Other => {}
        }
        if self.raw.len().saturating_add(value.len()) > LONGEST_ROW {
            self.cut = true;
            return;
        }
        if self.count == 0 {
            if self.raw.len() > 1 {
                self.raw.push(b',');
            }
            string(self.raw, &leaf.path);
            self.raw.push(b':');
            self.start = self.raw.len();
        } else {
            self.raw.push(b',');
        }
        self.count += 1;
        match (written, std::str::from_utf8(value)) {
            (Written::Number | Written::Truth, _) => self.raw.extend_from_slice(value),
            (Written::Bytes | Written::Other, Ok(text)) => string(self.raw, text),
            (Written::Bytes | Written::Other, Err(_)) => {
                self.raw.push(b'"');
                self.raw.extend(value.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|half| match half {
                    0..=9 => b'0' + half,
                    _ => b'a' + half - 10,
                }));
                self.raw.push(b'"');
            }
        }
    }

    /// More than one value are a list; whether some were left out.
    fn end(self) -> bool {
        if self.count > 1 {
            self.raw.insert(self.start, b'[');
            self.raw.push(b']');
        }
        self.cut
    }
}

fn string(raw: &mut Vec<u8>, text: &str) {
    // Writing text to memory does not fail.
    let _ = serde_json::to_writer(raw, text);
}

/// The paths of all columns, in their order. The depth has been looked at.
fn walk(node: &Type, path: &str, paths: &mut Vec<String>) -> Result<(), Broken> {
    if path.len() > LONGEST_PATH {
        return Err(Broken::TooMuch("bytes in the name of a column", LONGEST_PATH as u64));
    }
    if node.is_primitive() {
        paths.push(path.to_owned());
        return Ok(());
    }
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    for child in node.get_fields() {
        match role(node) {
            Role::Group => walk(child, &below(child.name()), paths)?,
            Role::List => match child.as_ref() {
                Type::GroupType { fields, .. } if fields.len() == 1 => {
                    fields.iter().try_for_each(|element| walk(element, path, paths))?;
                }
                element => walk(element, path, paths)?,
            },
            Role::Map => match child.as_ref() {
                Type::GroupType { fields, .. } => {
                    for (index, field) in fields.iter().enumerate() {
                        walk(field, &if index == 0 { below("key") } else { path.to_owned() }, paths)?;
                    }
                }
                element @ Type::PrimitiveType { .. } => walk(element, path, paths)?,
            },
        }
    }
    Ok(())
}

enum Role {
    Group,
    List,
    Map,
}

fn role(group: &Type) -> Role {
    use parquet::basic::{ConvertedType, LogicalType};
    let about = group.get_basic_info();
    match (about.logical_type_ref(), about.converted_type()) {
        (Some(LogicalType::List), _) | (None, ConvertedType::LIST) => Role::List,
        (Some(LogicalType::Map), _) | (None, ConvertedType::MAP | ConvertedType::MAP_KEY_VALUE) => Role::Map,
        _ => Role::Group,
    }
}
