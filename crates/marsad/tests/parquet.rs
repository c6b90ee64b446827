//! `marsad watch` on Parquet: hits with the numbers of their rows; broken files; what is no file.

#![cfg(feature = "parquet")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use assert_cmd::Command;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::writer::SerializedFileWriter;
use std::path::Path;
use std::sync::Arc;

/// Two groups of three rows.
fn table(path: &Path) {
    let schema = "message log { required binary src_ip (UTF8); }";
    let schema = Arc::new(parquet::schema::parser::parse_message_type(schema).unwrap());
    let mut writer = SerializedFileWriter::new(std::fs::File::create(path).unwrap(), schema, Arc::default()).unwrap();
    for last in ["192.0.2.3", "203.0.113.7"] {
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let values = ["192.0.2.1", "192.0.2.2", last].map(ByteArray::from);
        column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();
}

#[test]
fn hits_have_the_numbers_of_their_rows() {
    let directory = tempfile::tempdir().unwrap();
    let list = directory.path().join("list.csv");
    std::fs::write(&list, "type,value\nipv4,203.0.113.7\n").unwrap();
    let log = directory.path().join("log.parquet");
    table(&log);
    let whole = std::fs::read(&log).unwrap();
    let watched = |format: &str, input: &str, stdin: &[u8]| {
        let mut command = Command::cargo_bin("marsad").unwrap();
        command.env_remove("MARSAD_HOME").args(["watch", "--format", format, "--indicators"]).arg(&list).arg(input);
        let output = command.write_stdin(stdin).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    let input = log.to_str().unwrap();
    for format in ["auto", "parquet"] {
        let (code, hits, said) = watched(format, input, b"");
        assert_eq!((code, hits.lines().count()), (0, 1), "{said}");
        let hit: serde_json::Value = serde_json::from_str(&hits).unwrap();
        assert_eq!((&hit["line"], &hit["field"], &hit["value"]), (&6.into(), &"src_ip".into(), &"203.0.113.7".into()));
        let (code, hits, said) = watched(format, "-", &whole);
        assert_eq!((code, hits.as_str()), (3, ""), "{said}");
        assert!(said.contains("not from a stream"), "{said}");
    }
    std::fs::write(&log, whole.get(..whole.len() - 9).unwrap()).unwrap();
    let (code, _, said) = watched("auto", input, b"");
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("the end of the Parquet file is missing"), "{said}");
}
