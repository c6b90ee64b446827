//! Any bytes as a Parquet file, and any change of a whole one: nothing falls over, rows come in order, and each is JSON.

#![no_main]

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::sync::{Arc, LazyLock, Once};

use libfuzzer_sys::fuzz_target;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use watch::read::{FieldMap, Parquet};

const SCHEMA: &str = "message log { required int64 ts (TIMESTAMP(MICROS,true)); optional binary src_ip (UTF8); \
     required group answers (LIST) { repeated group list { optional binary element (UTF8); } } }";

/// A dictionary and Snappy; plain and Zstandard; numbers as differences and nothing packed.
static WHOLE: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
    [
        WriterProperties::builder().set_compression(Compression::SNAPPY),
        WriterProperties::builder().set_dictionary_enabled(false).set_compression(Compression::ZSTD(ZstdLevel::default())),
        WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_column_encoding("ts".into(), Encoding::DELTA_BINARY_PACKED),
    ]
    .map(|properties| write(properties.build()))
});

fn write(properties: WriterProperties) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(SCHEMA).expect("a schema"));
    let mut file = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut file, schema, Arc::new(properties)).expect("a writer");
    for _ in 0..2 {
        let mut group = writer.next_row_group().expect("a group");
        let texts = |texts: &[&str]| texts.iter().map(|text| ByteArray::from(*text)).collect::<Vec<_>>();
        let mut column = group.next_column().expect("a column").expect("a column");
        column.typed::<Int64Type>().write_batch(&[1_700_000_000_500_000, 2, 3], None, None).expect("fits");
        column.close().expect("closes");
        let mut column = group.next_column().expect("a column").expect("a column");
        column.typed::<ByteArrayType>().write_batch(&texts(&["203.0.113.7", "x"]), Some(&[1, 0, 1]), None).expect("fits");
        column.close().expect("closes");
        let mut column = group.next_column().expect("a column").expect("a column");
        let levels = (Some(&[2, 1, 2, 0, 2][..]), Some(&[0, 1, 1, 0, 0][..]));
        column.typed::<ByteArrayType>().write_batch(&texts(&["a", "b", "c"]), levels.0, levels.1).expect("fits");
        column.close().expect("closes");
        group.close().expect("closes");
    }
    writer.close().expect("closes");
    file
}

fn read(bytes: &[u8]) {
    let mut file = tempfile::tempfile_in("/dev/shm").or_else(|_| tempfile::tempfile()).expect("a file");
    file.write_all(bytes).and_then(|()| file.seek(SeekFrom::Start(0))).expect("room");
    let Ok(mut reader) = open(file) else { return };
    let mut rows = 0;
    let mut sink = |event: &watch::Event<'_>| {
        assert!(event.line > rows, "{} after {rows}", event.line);
        rows = event.line;
        assert!(event.fields.iter().all(|field| !field.value.is_empty()));
        assert!(serde_json::from_slice::<serde_json::Value>(event.raw).is_ok(), "{:?}", event.raw);
    };
    // A count of rows costs nothing where a column says one value for all: a file may say that it has billions.
    for _ in 0..64 {
        if !matches!(reader.read(&mut sink), Ok(true)) {
            break;
        }
    }
    assert!(reader.position() <= bytes.len() as u64);
}

fn open(file: File) -> std::io::Result<Parquet> {
    Parquet::new(file, &FieldMap::default())
}

static QUIET: Once = Once::new();

fuzz_target!(|data: &[u8]| {
    // The decoder panics on some broken files, which the reader catches; the fuzzer's hook would end the process there. What
    // is not caught still ends it.
    QUIET.call_once(|| {
        std::panic::set_hook(Box::new(|about| {
            if !about.location().is_some_and(|place| place.file().contains("/parquet-")) {
                eprintln!("{about}");
            }
        }));
    });
    let Some((first, edits)) = data.split_first() else { return };
    let Some(whole) = WHOLE.get(usize::from(first % 4)) else { return read(edits) };
    // Two bytes where, one by what.
    let mut bent = whole.clone();
    for edit in edits.chunks_exact(3).take(16) {
        let length = bent.len();
        if let Some(byte) = bent.get_mut((usize::from(edit[0]) << 8 | usize::from(edit[1])) % length) {
            *byte ^= edit[2];
        }
    }
    read(&bent);
});
