//! Parquet: columns by name, nested ones, packed ones; files that are broken.

#![cfg(feature = "parquet")]
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use parquet::basic::{Compression, Encoding, GzipLevel, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use watch::read::{Fault, Faults, FieldMap, Parquet};

type Group<'g> = SerializedRowGroupWriter<'g, std::fs::File>;

fn column<T: DataType>(group: &mut Group<'_>, values: &[T::T], defined: Option<&[i16]>, repeated: Option<&[i16]>) {
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<T>().write_batch(values, defined, repeated).unwrap();
    column.close().unwrap();
}

/// Writes a file of as many groups of rows as `fill` is to be called.
fn write(
    path: &Path,
    schema: &str,
    properties: WriterPropertiesBuilder,
    groups: usize,
    fill: &dyn Fn(&mut Group<'_>, usize),
) {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let file = std::fs::File::create(path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties.build())).unwrap();
    for number in 0..groups {
        let mut group = writer.next_row_group().unwrap();
        fill(&mut group, number);
        group.close().unwrap();
    }
    writer.close().unwrap();
}

fn texts(all: &[&str]) -> Vec<ByteArray> {
    all.iter().map(|text| ByteArray::from(*text)).collect()
}

/// What an event says: its row, its time, its fields as `name:Meaning=value`, and its evidence.
#[derive(Debug, Eq, PartialEq)]
struct Seen {
    row: u64,
    time: Option<String>,
    fields: Vec<String>,
    raw: String,
}

fn read_with(path: &Path, map: &FieldMap) -> (Vec<Seen>, Faults, std::io::Result<u64>) {
    let mut seen = Vec::new();
    let mut reader = match Parquet::new(std::fs::File::open(path).unwrap(), map) {
        Ok(reader) => reader,
        Err(error) => return (seen, Faults::default(), Err(error)),
    };
    let done = loop {
        let more = reader.read(&mut |event| {
            let field = |field: &watch::Field<'_>| {
                format!("{}:{:?}={}", field.name, field.meaning, String::from_utf8_lossy(field.value))
            };
            seen.push(Seen {
                row: event.line,
                time: event.time.map(|time| String::from_utf8_lossy(time).into_owned()),
                fields: event
                    .fields
                    .iter()
                    .filter(|f| !matches!(f.meaning, watch::Meaning::Detail(_)))
                    .map(field)
                    .collect(),
                raw: String::from_utf8(event.raw.to_vec()).unwrap(),
            });
        });
        match more {
            Ok(true) => {}
            Ok(false) => break Ok(reader.rows()),
            Err(error) => break Err(error),
        }
    };
    (seen, reader.faults().clone(), done)
}

fn read(path: &Path) -> (Vec<Seen>, Faults, std::io::Result<u64>) {
    read_with(path, &FieldMap::default())
}

const LOG: &str = "message log { required int64 ts (TIMESTAMP(MICROS,true)); optional binary src_ip (UTF8); \
     required group dns { required group question { required binary name (UTF8); } } }";

/// Two rows in each group.
fn log(path: &Path, properties: WriterPropertiesBuilder, groups: usize) {
    write(path, LOG, properties, groups, &|group, _| {
        column::<Int64Type>(group, &[1_700_000_000_500_000, 2], None, None);
        column::<ByteArrayType>(group, &texts(&["203.0.113.7"]), Some(&[1, 0]), None);
        column::<ByteArrayType>(group, &texts(&["evil.com", "other.com"]), None, None);
    });
}

#[test]
fn rows_by_the_names_of_their_columns_in_each_packing_and_version() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log.parquet");
    for packed in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::ZSTD(ZstdLevel::default()),
        Compression::GZIP(GzipLevel::default()),
    ] {
        for dictionary in [false, true] {
            for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
                let properties = WriterProperties::builder()
                    .set_compression(packed)
                    .set_writer_version(version)
                    .set_dictionary_enabled(dictionary);
                // The second version writes text in an encoding that is refused, if it is not told otherwise.
                let properties = if dictionary { properties } else { properties.set_encoding(Encoding::PLAIN) };
                log(&path, properties, 3);
                let (seen, faults, done) = read(&path);
                let told = format!("{packed:?} {dictionary} {version:?}");
                assert_eq!(done.unwrap(), 6, "{told}");
                assert!(faults.none(), "{told}");
                let rows: Vec<u64> = seen.iter().map(|event| event.row).collect();
                assert_eq!(rows, [1, 2, 3, 4, 5, 6], "{told}");
                let raw = r#"{"ts":1700000000.500000,"src_ip":"203.0.113.7","dns.question.name":"evil.com"}"#;
                let fields = ["src_ip:Address=203.0.113.7", "dns.question.name:Host=evil.com"];
                let time = Some("1700000000.500000".to_owned());
                for (row, event) in [(1, &seen[0]), (5, &seen[4])] {
                    let wanted =
                        Seen { row, time: time.clone(), fields: fields.map(str::to_owned).into(), raw: raw.to_owned() };
                    assert_eq!(*event, wanted, "{told}");
                }
                assert_eq!(seen[1].fields, ["dns.question.name:Host=other.com"], "a null is no value: {told}");
                assert_eq!(seen[1].raw, r#"{"ts":0.000002,"dns.question.name":"other.com"}"#, "{told}");
            }
        }
    }
}

#[test]
fn lists_maps_and_repeated_columns() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lists.parquet");
    let schema = "message log { \
         required group answers (LIST) { repeated group list { optional binary element (UTF8); } } \
         repeated binary domain (UTF8); \
         required group labels (MAP) { repeated group key_value { required binary key (UTF8); required binary value (UTF8); } } \
         required boolean ok; required double ratio; required int32 asn; }";
    write(&path, schema, WriterProperties::builder(), 1, &|group, _| {
        // Two with a null between them; none; one.
        column::<ByteArrayType>(
            group,
            &texts(&["203.0.113.1", "203.0.113.2", "203.0.113.3"]),
            Some(&[2, 1, 2, 0, 2]),
            Some(&[0, 1, 1, 0, 0]),
        );
        column::<ByteArrayType>(group, &texts(&["a.com", "b.com", "c.com"]), Some(&[1, 0, 1, 1]), Some(&[0, 0, 0, 1]));
        column::<ByteArrayType>(group, &texts(&["from"]), Some(&[0, 1, 0]), Some(&[0, 0, 0]));
        column::<ByteArrayType>(group, &texts(&["see d.com"]), Some(&[0, 1, 0]), Some(&[0, 0, 0]));
        column::<BoolType>(group, &[true, false, true], None, None);
        column::<DoubleType>(group, &[0.5, f64::NAN, 2.0], None, None);
        column::<Int32Type>(group, &[64496, 64497, -1], None, None);
    });
    let map = FieldMap::parse("answers = answer\nasn = as").unwrap();
    let (seen, faults, done) = read_with(&path, &map);
    assert_eq!((done.unwrap(), faults.none()), (3, true));
    let wanted =
        ["answers:Answer=203.0.113.1", "answers:Answer=203.0.113.2", "domain:Host=a.com", "asn:AutonomousSystem=64496"];
    assert_eq!(seen[0].fields, wanted);
    assert_eq!(
        seen[0].raw,
        r#"{"answers":["203.0.113.1","203.0.113.2"],"domain":"a.com","ok":true,"ratio":0.5,"asn":64496}"#
    );
    assert_eq!(seen[1].fields, ["labels:Host=d.com", "asn:AutonomousSystem=64497"]);
    assert_eq!(seen[1].raw, r#"{"labels.key":"from","labels":"see d.com","ok":false,"ratio":"NaN","asn":64497}"#);
    assert_eq!(seen[2].fields[1..3], ["domain:Host=b.com", "domain:Host=c.com"]);
    for event in &seen {
        assert!(serde_json::from_str::<serde_json::Value>(&event.raw).is_ok(), "{}", event.raw);
    }
}

#[test]
fn many_rows_in_many_pages_come_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("long.parquet");
    let properties = WriterProperties::builder().set_data_page_row_count_limit(100).set_write_batch_size(50);
    let name = |group: usize, row: usize| format!("h{group}x{row}.example.com");
    write(&path, "message log { required binary host (UTF8); required int32 n; }", properties, 3, &|group, number| {
        let hosts: Vec<ByteArray> = (0..2500).map(|row| ByteArray::from(name(number, row).into_bytes())).collect();
        column::<ByteArrayType>(group, &hosts, None, None);
        column::<Int32Type>(group, &(0..2500).collect::<Vec<i32>>(), None, None);
    });
    let (seen, _, done) = read(&path);
    assert_eq!((done.unwrap(), seen.len()), (7500, 7500));
    for (index, event) in seen.iter().enumerate() {
        assert_eq!(event.row, index as u64 + 1);
        assert_eq!(event.fields, [format!("host:Host={}", name(index / 2500, index % 2500))]);
    }
}

#[test]
fn a_row_beyond_the_limits_is_looked_at_as_far_as_they_reach() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wide.parquet");
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
    // With a dictionary a few bytes name a long value many times.
    let long = ByteArray::from("x".repeat(1 << 14).into_bytes());
    write(
        &path,
        "message log { repeated binary blob (UTF8); required binary host (UTF8); }",
        properties,
        1,
        &|group, _| {
            let mut repeated = vec![1; 2_000];
            repeated[0] = 0;
            column::<ByteArrayType>(group, &vec![long.clone(); 2_000], Some(&vec![1; 2_000]), Some(&repeated));
            column::<ByteArrayType>(group, &texts(&["evil.com"]), None, None);
        },
    );
    let (seen, faults, done) = read_with(&path, &FieldMap::parse("blob = filename").unwrap());
    assert_eq!((done.unwrap(), faults.of(Fault::TooMuch)), (1, 1));
    assert!(seen[0].fields.len() <= 1025 && seen[0].raw.len() <= 1 << 21);
}

fn put(path: &Path, bytes: &[u8]) {
    std::fs::File::create(path).unwrap().write_all(bytes).unwrap();
}

/// A file with this footer and nothing else.
fn footer(thrift: &[u8]) -> Vec<u8> {
    let length = u32::try_from(thrift.len()).unwrap().to_le_bytes();
    [&b"PAR1"[..], thrift, &length, b"PAR1"].concat()
}

/// `FileMetaData` up to its schema, whose list has this head, and these elements.
fn schema(count: u8, elements: &[u8]) -> Vec<u8> {
    [&[0x15, 2, 0x19, 0xfc, count][..], elements].concat()
}

#[test]
fn hostile_files_say_what_is_wrong_with_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bad.parquet");
    log(&path, WriterProperties::builder(), 1);
    let whole = std::fs::read(&path).unwrap();
    let end = whole.len();
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = whole.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    // An element of a schema: name "a", so many children.
    let element = |children: u8| [0x48, 1, b'a', 0x15, children * 2, 0].to_vec();
    for (what, bytes, wanted) in [
        ("nothing", Vec::new(), "does not begin"),
        ("its beginning alone", b"PAR1".to_vec(), "does not begin"),
        ("something else", b"GIF89a, and then a little more".to_vec(), "does not begin"),
        ("no footer", b"PAR1 203.0.113.7 PAR1".to_vec(), "the footer is said to take"),
        ("half of it", whole[..end / 2].to_vec(), "the end of the Parquet file is missing"),
        ("a byte less", whole[..end - 1].to_vec(), "the end of the Parquet file is missing"),
        ("encrypted", with(end - 4, b"PARE"), "encrypted"),
        ("a footer longer than the file", with(end - 8, &[0xff; 4]), "the footer is said to take 4294967295"),
        ("an empty footer", footer(b""), "ends before it is whole"),
        ("a footer of noise", footer(&[0xff; 64]), "Thrift"),
        ("a list of 2^60 elements", footer(&[0x29, 0xfc, 255, 255, 255, 255, 255, 255, 255, 255, 15]), "ends before"),
        ("a name of 2^60 bytes", footer(&[0x28, 255, 255, 255, 255, 255, 255, 255, 255, 15]), "ends before"),
        ("nested for ever", footer(&[0x5c; 4096]), "nested deeper"),
        ("columns nested too deeply", footer(&schema(100, &element(1).repeat(100))), "nested deeper"),
        ("more children than there are", footer(&schema(2, &element(2).repeat(2))), "not those that are described"),
        ("2^31 children", footer(&schema(1, &[0x48, 1, b'a', 0x15, 0xfe, 255, 255, 255, 15, 0])), "not those"),
        ("two roots", footer(&schema(2, &element(0).repeat(2))), "not those"),
    ] {
        put(&path, &bytes);
        let (seen, _, done) = read(&path);
        let error = done.expect_err(what);
        assert!(error.to_string().contains(wanted), "{what}: {error}");
        assert_eq!((seen.len(), error.kind()), (0, std::io::ErrorKind::InvalidData), "{what}");
    }
}

#[test]
fn hostile_pages_are_refused_before_they_are_unpacked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bad.parquet");
    let schema = "message log { required binary host (UTF8); }";
    let properties = WriterProperties::builder().set_dictionary_enabled(false);
    write(&path, schema, properties, 1, &|group, _| {
        column::<ByteArrayType>(group, &texts(&["evil.com"; 2000]), None, None);
    });
    let whole = std::fs::read(&path).unwrap();
    // The header of the first page begins behind `PAR1`: its type, and its unpacked size of 24000 bytes.
    assert_eq!(whole[4..10], [0x15, 0, 0x15, 0x80, 0xf7, 2]);
    for (what, at, bytes, wanted) in [
        ("a page that unpacks to less than nothing", 7, &[0x81, 0xf7, 2][..], "sizes or counts that cannot be"),
        ("a page longer than its column", 11, &[0x80, 0xff, 3], "sizes or counts that cannot be"),
        ("no header", 4, &[0xff, 0xff, 0xff], "Thrift"),
    ] {
        let mut changed = whole.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        put(&path, &changed);
        let (seen, _, done) = read(&path);
        let error = done.expect_err(what).to_string();
        assert!(error.contains(wanted), "{what}: {error}");
        assert!(seen.is_empty(), "{what}");
    }
    let properties = WriterProperties::builder().set_dictionary_enabled(false).set_encoding(Encoding::DELTA_BYTE_ARRAY);
    write(&path, schema, properties, 1, &|group, _| {
        column::<ByteArrayType>(group, &texts(&["evil.com"]), None, None);
    });
    let error = read(&path).2.unwrap_err().to_string();
    assert!(error.contains("`host` is in the encoding DELTA_BYTE_ARRAY"), "{error}");
}

#[test]
fn whatever_byte_is_changed_nothing_falls_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log.parquet");
    // The stacks of thousands of panics take longer than the reading.
    std::panic::set_hook(Box::new(|about| eprintln!("{about}")));
    let mut errors = 0;
    for properties in [
        WriterProperties::builder().set_compression(Compression::SNAPPY),
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())),
        WriterProperties::builder()
            .set_dictionary_enabled(false)
            .set_column_encoding("ts".into(), Encoding::DELTA_BINARY_PACKED),
    ] {
        log(&path, properties, 2);
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            for change in [0x55, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] ^= change;
                put(&path, &bytes);
                // Some changes are in values and break nothing.
                errors += usize::from(read(&path).2.is_err());
            }
        }
        for length in 0..whole.len() {
            put(&path, &whole[..length]);
            assert!(read(&path).2.is_err(), "cut at {length}");
        }
    }
    assert!(errors > 500, "{errors}");
}
