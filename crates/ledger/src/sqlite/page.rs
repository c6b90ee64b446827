//! Pages: runs of stored bytes, copied without being parsed.

use super::head::Head;
use super::leaf::Leaf;
use super::select::{self, Selection};
use crate::{Filter, ManifestRow, Page, Result, Sees};
use rusqlite::Connection;

/// One page of bodies.
pub(super) fn objects(
    base: &Connection,
    filter: &Filter<'_>,
    sees: Sees<'_>,
    out: &mut Vec<u8>,
) -> Result<Page, rusqlite::Error> {
    let selection = Selection::new(base, filter, sees)?;
    let mut page = Page::default();
    let mut bytes = 0;
    let mut blob = None;
    selection.walk(base, |leaf, heads| {
        let mut end = 0;
        for head in heads {
            let full = page.count > 0 && bytes + head.length as usize > filter.max_bytes;
            if full || page.count == filter.limit {
                page.more = true;
                break;
            }
            bytes += head.length as usize + 1;
            select::note(&mut page, head);
            end += 1;
        }
        copy(base, &mut blob, leaf, heads.get(..end).unwrap_or_default(), page.count > end, out)?;
        Ok(!page.more)
    })?;
    Ok(page)
}

/// Copies bodies of one leaf; neighbours in one piece, with the comma that lies between them.
fn copy<'b>(
    base: &'b Connection,
    blob: &mut Option<rusqlite::blob::Blob<'b>>,
    leaf: i64,
    heads: &[Head],
    more: bool,
    out: &mut Vec<u8>,
) -> Result<(), rusqlite::Error> {
    if heads.is_empty() {
        return Ok(());
    }
    match blob {
        Some(open) => open.reopen(leaf)?,
        None => *blob = Some(base.blob_open("main", "body", "bytes", leaf, true)?),
    }
    let Some(open) = blob else { return Ok(()) };
    let mut comma = more;
    let mut rest = heads;
    while let Some(first) = rest.first() {
        let run = rest.windows(2).take_while(|pair| matches!(pair, [a, b] if b.offset as usize == a.end() + 1)).count();
        let last = rest.get(run).unwrap_or(first);
        if comma {
            out.push(b',');
        }
        comma = true;
        let (start, length) = (out.len(), last.end() - first.offset as usize);
        out.resize(start + length, 0);
        let target = out.get_mut(start..).unwrap_or_default();
        open.read_at_exact(target, first.offset as usize)?;
        rest = rest.get(run + 1..).unwrap_or_default();
    }
    Ok(())
}

/// The same page as rows.
pub(super) fn manifest(
    base: &Connection,
    filter: &Filter<'_>,
    sees: Sees<'_>,
) -> Result<(Page, Vec<ManifestRow>), rusqlite::Error> {
    let selection = Selection::new(base, filter, sees)?;
    let mut page = Page::default();
    let mut rows = Vec::new();
    let mut bytes = 0;
    selection.walk(base, |no, heads| {
        let names: Vec<u8> =
            base.prepare_cached("SELECT names FROM leaf WHERE no = ?1")?.query_row([no], |row| row.get(0))?;
        let leaf = Leaf { names, ..Leaf::default() };
        for head in heads {
            let full = page.count > 0 && bytes + head.length as usize > filter.max_bytes;
            if full || page.count == filter.limit {
                page.more = true;
                break;
            }
            bytes += head.length as usize + 1;
            select::note(&mut page, head);
            rows.push(ManifestRow {
                key: leaf.key(head).to_owned(),
                date_added: head.seq(),
                version: leaf.version(head).map(str::to_owned),
                dialect: head.dialect(),
            });
        }
        Ok(!page.more)
    })?;
    Ok((page, rows))
}
