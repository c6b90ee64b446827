//! Pages: runs of stored bytes, copied without being parsed, and between them what was rewritten for the viewer.

use super::head::Head;
use super::leaf;
use super::select::{self, Chosen, Selection};
use crate::{Filter, ManifestRow, Page, Result, Sees, Sight};
use rusqlite::Connection;
use std::ops::Range;

/// Bodies with at most so many bytes between them are read in one piece.
const GAP: usize = 8 << 10;

/// One page of bodies.
pub(super) fn objects(
    base: &Connection,
    filter: &Filter<'_>,
    sees: &dyn Sees,
    out: &mut Vec<u8>,
) -> Result<Page, rusqlite::Error> {
    let selection = Selection::new(base, filter, sees)?;
    let mut writer = Writer {
        selection: &selection,
        filter,
        page: Page::default(),
        bytes: 0,
        begun: false,
        rewritten: Vec::new(),
        read: Vec::new(),
        out,
    };
    selection.walk(|chosen| {
        if chosen.whole {
            writer.whole(chosen)?
        } else {
            writer.mixed(chosen)?
        }
        Ok(!writer.page.more)
    })?;
    Ok(writer.page)
}

/// A page under way.
struct Writer<'w, 'b, 'f> {
    selection: &'w Selection<'b, 'f>,
    filter: &'w Filter<'f>,
    page: Page,
    /// Given so far, separators included.
    bytes: usize,
    /// Whether anything is written already.
    begun: bool,
    rewritten: Vec<u8>,
    /// What was read with gaps in it.
    read: Vec<u8>,
    out: &'w mut Vec<u8>,
}

/// Whether nothing but a comma lies between two bodies.
fn adjoin(pair: &[Head]) -> bool {
    matches!(pair, [a, b] if b.offset as usize == a.end() + 1)
}

impl Writer<'_, '_, '_> {
    /// Takes a record of the given length into the page, or notes that it would have followed.
    fn take(&mut self, head: &Head, length: usize) -> bool {
        let full = self.page.count > 0 && self.bytes + length > self.filter.max_bytes;
        if full || self.page.count == self.filter.limit {
            self.page.more = true;
            return false;
        }
        self.bytes += length + 1;
        select::note(&mut self.page, head);
        self.selection.asker.gives(head, length);
        true
    }

    /// Records that are given as they are stored.
    fn whole(&mut self, chosen: &Chosen<'_>) -> Result<(), rusqlite::Error> {
        let mut end = 0;
        for head in chosen.heads {
            if !self.take(head, head.length as usize) {
                break;
            }
            end += 1;
        }
        self.copy(chosen, 0..end)
    }

    /// Records of which some are rewritten, or hidden after all.
    fn mixed(&mut self, chosen: &Chosen<'_>) -> Result<(), rusqlite::Error> {
        let asker = &self.selection.asker;
        let mut run = 0..0;
        for (place, head) in chosen.heads.iter().enumerate() {
            if asker.class(head.class) == Sight::Whole {
                if !self.take(head, head.length as usize) {
                    break;
                }
                run = if run.is_empty() { place..place + 1 } else { run.start..place + 1 };
                continue;
            }
            self.copy(chosen, std::mem::take(&mut run))?;
            let mut rewritten = std::mem::take(&mut self.rewritten);
            rewritten.clear();
            if asker.rewrite(chosen.leaf, head, &mut rewritten)? && self.take(head, rewritten.len()) {
                self.separate();
                self.out.extend_from_slice(&rewritten);
            }
            self.rewritten = rewritten;
            if self.page.more {
                break;
            }
        }
        self.copy(chosen, run)
    }

    /// Copies stored bodies; neighbours in one piece, with the comma that lies between them.
    fn copy(&mut self, chosen: &Chosen<'_>, places: Range<usize>) -> Result<(), rusqlite::Error> {
        let mut rest = chosen.heads.get(places).unwrap_or_default();
        while let Some(first) = rest.first() {
            let near = |pair: &&[Head]| matches!(pair, [a, b] if b.offset as usize <= a.end() + GAP);
            let stretch = rest.windows(2).take_while(near).count() + 1;
            let (heads, behind) = rest.split_at_checked(stretch).unwrap_or((rest, &[]));
            self.stretch(chosen.leaf, first, heads)?;
            rest = behind;
        }
        Ok(())
    }

    /// Copies bodies that lie near each other: one reading of all that lies between the first and the last costs less than
    /// one a body.
    fn stretch(&mut self, leaf: i64, first: &Head, heads: &[Head]) -> Result<(), rusqlite::Error> {
        let from = first.offset as usize;
        let length = heads.last().unwrap_or(first).end() - from;
        if heads.windows(2).all(adjoin) {
            self.separate();
            let start = self.out.len();
            self.out.resize(start + length, 0);
            let target = self.out.get_mut(start..).unwrap_or_default();
            return self.selection.asker.shelf.read(leaf, from, target);
        }
        let mut read = std::mem::take(&mut self.read);
        if read.len() < length {
            read.resize(length, 0);
        }
        self.selection.asker.shelf.read(leaf, from, read.get_mut(..length).unwrap_or_default())?;
        for run in heads.chunk_by(|a, b| adjoin(&[*a, *b])) {
            let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
            self.separate();
            let piece = first.offset as usize - from..last.end() - from;
            self.out.extend_from_slice(read.get(piece).unwrap_or_default());
        }
        self.read = read;
        Ok(())
    }

    fn separate(&mut self) {
        if std::mem::replace(&mut self.begun, true) {
            self.out.push(b',');
        }
    }
}

/// A page of rows, cut by their number alone.
pub(super) fn manifest(
    base: &Connection,
    filter: &Filter<'_>,
    sees: &dyn Sees,
) -> Result<(Page, Vec<ManifestRow>), rusqlite::Error> {
    let selection = Selection::new(base, filter, sees)?;
    let mut page = Page::default();
    let mut rows = Vec::new();
    selection.walk(|chosen| {
        let names: Vec<u8> =
            base.prepare_cached("SELECT names FROM leaf WHERE no = ?1")?.query_row([chosen.leaf], |row| row.get(0))?;
        for head in chosen.heads {
            if !chosen.whole && !selection.asker.shows(chosen.leaf, head)? {
                continue;
            }
            if page.count == filter.limit {
                page.more = true;
                break;
            }
            select::note(&mut page, head);
            rows.push(ManifestRow {
                key: leaf::key(&names, head).to_owned(),
                date_added: head.seq(),
                version: leaf::version(&names, head).map(str::to_owned),
                dialect: head.dialect(),
            });
        }
        Ok(!page.more)
    })?;
    Ok((page, rows))
}
