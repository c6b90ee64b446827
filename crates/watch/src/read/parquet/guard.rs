//! What a Parquet file declares is held against what it is, before the decoder reserves memory or recurses by it.

use super::Broken;
use super::thrift::{LIST, Met, STRUCT, Thrift};
use parquet::file::metadata::ColumnChunkMetaData;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

/// The longest footer, in bytes.
const LONGEST_FOOTER: u64 = 1 << 24;
/// The most groups of rows of a file.
const MOST_GROUPS: usize = 1 << 16;
/// The most columns and groups of columns.
const MOST_COLUMNS: usize = 1 << 13;
/// The deepest nesting of columns.
const DEEPEST: usize = 32;
/// The largest page, unpacked, in bytes.
const LARGEST_PAGE: i64 = 1 << 26;
/// The most values of a page.
const MOST_VALUES: u32 = 1 << 24;
/// The longest header of a page; most take less than the first.
const HEADERS: [usize; 2] = [1 << 12, 1 << 20];

/// Looks at the end of a file: its footer is whole, and what it counts is there.
pub(super) fn footer(file: &mut File) -> Result<u64, Broken> {
    let length = file.metadata()?.len();
    let mut ends = [0; 4];
    file.seek(SeekFrom::Start(0))?;
    if length < 12 || file.read_exact(&mut ends).is_err() || ends != *b"PAR1" {
        return Err(Broken::NotParquet);
    }
    let mut tail = [0; 8];
    file.seek(SeekFrom::Start(length - 8))?;
    file.read_exact(&mut tail)?;
    let [a, b, c, d, magic @ ..] = tail;
    match &magic {
        b"PAR1" => {}
        b"PARE" => return Err(Broken::Encrypted),
        _ => return Err(Broken::Cut),
    }
    let footer = u64::from(u32::from_le_bytes([a, b, c, d]));
    if footer > length - 12 {
        return Err(Broken::Footer { said: footer, length });
    }
    if footer > LONGEST_FOOTER {
        return Err(Broken::TooMuch("bytes in the footer", LONGEST_FOOTER));
    }
    file.seek(SeekFrom::Start(length - 8 - footer))?;
    let mut bytes = Vec::new();
    file.take(footer).read_to_end(&mut bytes)?;
    about(&mut Thrift::new(&bytes))?;
    Ok(length)
}

/// `FileMetaData`: 2 is the schema, 4 the groups of rows.
fn about(thrift: &mut Thrift<'_>) -> Result<(), Broken> {
    let mut last = 0;
    while let Some(met) = thrift.field(&mut last)? {
        match met {
            Met { id: 2, kind: LIST } => schema(thrift)?,
            Met { id: 4, kind: LIST } => {
                structs(thrift, MOST_GROUPS, "groups of rows")?;
            }
            Met { kind, .. } => thrift.skip(kind)?,
        }
    }
    Ok(())
}

fn structs(thrift: &mut Thrift<'_>, most: usize, what: &'static str) -> Result<(), Broken> {
    let (kind, count) = thrift.list()?;
    if count > most {
        return Err(Broken::TooMuch(what, most as u64));
    }
    (0..count).try_for_each(|_| thrift.skip(kind))
}

/// The schema is a tree, written from its root: each element says how many children come behind it.
fn schema(thrift: &mut Thrift<'_>) -> Result<(), Broken> {
    let (kind, count) = thrift.list()?;
    if kind != STRUCT {
        return Err(Broken::Thrift);
    }
    if count > MOST_COLUMNS {
        return Err(Broken::TooMuch("columns", MOST_COLUMNS as u64));
    }
    // How many children are still to come, at each depth.
    let mut open: Vec<i64> = Vec::new();
    for number in 0..count {
        while open.last() == Some(&0) {
            open.pop();
        }
        match open.last_mut() {
            Some(left) => *left -= 1,
            None if number > 0 => return Err(Broken::Schema),
            None => {}
        }
        let children = children(thrift)?;
        if children < 0 || children > count as i64 {
            return Err(Broken::Schema);
        }
        if children > 0 {
            open.push(children);
        }
        if open.len() > DEEPEST {
            return Err(Broken::Deep);
        }
    }
    if open.iter().any(|left| *left != 0) { Err(Broken::Schema) } else { Ok(()) }
}

/// `SchemaElement`: 5 is the number of children.
fn children(thrift: &mut Thrift<'_>) -> Result<i64, Broken> {
    let (mut last, mut children) = (0, 0);
    while let Some(met) = thrift.field(&mut last)? {
        match met {
            Met { id: 5, kind: 5 } => children = thrift.number()?,
            Met { kind, .. } => thrift.skip(kind)?,
        }
    }
    Ok(children)
}

/// What the pages of a piece of a column need.
#[derive(Clone, Copy, Default)]
pub(super) struct Need {
    /// The largest page and the dictionary, unpacked.
    pub(super) page: u64,
    /// The most bytes that a value takes on average over a page, rounded up.
    pub(super) value: u64,
    /// How many values there are.
    pub(super) values: u64,
    /// All pages, unpacked.
    pub(super) bytes: u64,
}

/// Looks at the headers of all pages of a piece of a column: they follow each other within its bounds.
pub(super) fn pages(file: &mut File, length: u64, column: &ColumnChunkMetaData) -> Result<Need, Broken> {
    let first = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
    let bounds = || Broken::Bounds(column.column_path().string());
    let mut at = u64::try_from(first).map_err(|_| bounds())?;
    let size = u64::try_from(column.compressed_size()).map_err(|_| bounds())?;
    let end = at.checked_add(size).filter(|end| *end <= length - 8).ok_or_else(bounds)?;
    let mut need = Need::default();
    let mut dictionary = 0;
    while at < end {
        let (page, header) = header(file, at, end)?;
        let packed = u64::try_from(page.packed).map_err(|_| bounds())?;
        at = at.checked_add(header + packed).filter(|at| *at <= end).ok_or_else(bounds)?;
        page.check(column)?;
        let unpacked = page.unpacked.unsigned_abs();
        need.bytes = need.bytes.saturating_add(unpacked);
        if page.kind == DICTIONARY {
            dictionary = dictionary.max(unpacked);
        } else if page.kind != INDEX {
            let values = u64::from(page.values);
            need.page = need.page.max(unpacked);
            need.value = need.value.max(unpacked.div_ceil(values.max(1)));
            need.values = need.values.saturating_add(values);
        }
    }
    need.page += dictionary;
    Ok(need)
}

const INDEX: i64 = 1;
const DICTIONARY: i64 = 2;

#[derive(Default)]
struct Page {
    kind: i64,
    unpacked: i64,
    packed: i64,
    values: u32,
    /// An encoding that is not read, if one is named anywhere.
    delta: Option<&'static str>,
}

impl Page {
    fn check(&self, column: &ColumnChunkMetaData) -> Result<(), Broken> {
        if self.unpacked < 0 {
            return Err(Broken::Bounds(column.column_path().string()));
        }
        if self.unpacked > LARGEST_PAGE {
            return Err(Broken::TooMuch("bytes in a page", LARGEST_PAGE.unsigned_abs()));
        }
        if self.values > MOST_VALUES {
            return Err(Broken::TooMuch("values in a page", u64::from(MOST_VALUES)));
        }
        // The decoder reserves a place for each entry of a dictionary, which takes a byte at least.
        if self.kind == DICTIONARY && i64::from(self.values) > self.unpacked {
            return Err(Broken::Bounds(column.column_path().string()));
        }
        // INVARIANT: these two reserve by counts in the page itself, which nothing has looked at.
        match self.delta {
            Some(name) => Err(Broken::Encoding(column.column_path().string(), name)),
            None => Ok(()),
        }
    }

    fn encoded(&mut self, encoding: i64) {
        match encoding {
            6 => self.delta = Some("DELTA_LENGTH_BYTE_ARRAY"),
            7 => self.delta = Some("DELTA_BYTE_ARRAY"),
            _ => {}
        }
    }
}

fn header(file: &mut File, at: u64, end: u64) -> Result<(Page, u64), Broken> {
    let mut found = Err(Broken::Short);
    for longest in HEADERS {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(at))?;
        file.take((end - at).min(longest as u64)).read_to_end(&mut bytes)?;
        let mut thrift = Thrift::new(&bytes);
        found = page(&mut thrift).map(|page| (page, thrift.at() as u64));
        if !matches!(found, Err(Broken::Short)) {
            break;
        }
    }
    found
}

/// `PageHeader`: 1 its type, 2 and 3 its sizes, 5, 7 and 8 what it is.
fn page(thrift: &mut Thrift<'_>) -> Result<Page, Broken> {
    let mut page = Page::default();
    let mut last = 0;
    while let Some(met) = thrift.field(&mut last)? {
        match met {
            Met { id: 1, kind: 5 } => page.kind = thrift.number()?,
            Met { id: 2, kind: 5 } => page.unpacked = thrift.number()?,
            Met { id: 3, kind: 5 } => page.packed = thrift.number()?,
            Met { id: id @ (5 | 7 | 8), kind: STRUCT } => values(thrift, id == 8, &mut page)?,
            Met { kind, .. } => thrift.skip(kind)?,
        }
    }
    Ok(page)
}

/// In all of them 1 is the number of values; the encoding is 2, in the second version 4.
fn values(thrift: &mut Thrift<'_>, second: bool, page: &mut Page) -> Result<(), Broken> {
    let mut last = 0;
    while let Some(met) = thrift.field(&mut last)? {
        match met {
            Met { id: 1, kind: 5 } => {
                // The decoder takes a negative number for a large one.
                let said = u32::try_from(thrift.number()?).unwrap_or(u32::MAX);
                page.values = page.values.max(said);
            }
            Met { id: 2, kind: 5 } if !second => page.encoded(thrift.number()?),
            Met { id: 4, kind: 5 } if second => page.encoded(thrift.number()?),
            Met { kind, .. } => thrift.skip(kind)?,
        }
    }
    Ok(())
}
