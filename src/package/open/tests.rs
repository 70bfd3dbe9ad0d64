//! Zips that somebody made to do harm, or to show different readers different things. Each is refused with a reason,
//! nothing is unpacked, and nothing is written anywhere.

use super::*;

/// An entry, field by field, so that each can lie.
#[derive(Clone)]
struct Raw {
    /// The name in its own header.
    local_name: Vec<u8>,
    /// The name in the directory.
    name: Vec<u8>,
    method: u16,
    flags: u16,
    packed: Vec<u8>,
    crc: u32,
    /// The sizes in its own header: packed, unpacked.
    local_sizes: (u32, u32),
    /// The sizes in the directory.
    sizes: (u32, u32),
    /// Unix mode and DOS attributes.
    attributes: u32,
    local_extra: Vec<u8>,
    extra: Vec<u8>,
    comment: Vec<u8>,
    /// Bytes after the data.
    after: Vec<u8>,
    /// Where its header is said to be, if not where it is.
    offset: Option<u32>,
}

impl Raw {
    fn stored(name: &str, data: &[u8]) -> Self {
        let size = data.len() as u32;
        let mut crc = flate2::Crc::new();
        crc.update(data);
        Self {
            local_name: name.into(),
            name: name.into(),
            method: 0,
            flags: 0,
            packed: data.to_vec(),
            crc: crc.sum(),
            local_sizes: (size, size),
            sizes: (size, size),
            attributes: 0o100_600 << 16,
            local_extra: Vec::new(),
            extra: Vec::new(),
            comment: Vec::new(),
            after: Vec::new(),
            offset: None,
        }
    }

    fn deflated(name: &str, data: &[u8]) -> Self {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(data).unwrap();
        let packed = encoder.finish().unwrap();
        let sizes = (packed.len() as u32, data.len() as u32);
        Self { method: 8, local_sizes: sizes, sizes, packed, ..Self::stored(name, data) }
    }

    fn named(name: &str) -> Self {
        Self::stored(name, b"text")
    }
}

fn put(out: &mut Vec<u8>, numbers: &[(u64, usize)]) {
    for (number, length) in numbers {
        out.extend_from_slice(&number.to_le_bytes()[..*length]);
    }
}

fn zip(entries: &[Raw]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut offsets = Vec::new();
    for of in entries {
        offsets.push(out.len() as u32);
        let (flags, method) = (u64::from(of.flags), u64::from(of.method));
        put(&mut out, &[(0x0403_4b50, 4), (20, 2), (flags, 2), (method, 2), (0, 2), (0x21, 2), (of.crc.into(), 4)]);
        put(&mut out, &[(of.local_sizes.0.into(), 4), (of.local_sizes.1.into(), 4)]);
        put(&mut out, &[(of.local_name.len() as u64, 2), (of.local_extra.len() as u64, 2)]);
        out.extend_from_slice(&of.local_name);
        out.extend_from_slice(&of.local_extra);
        out.extend_from_slice(&of.packed);
        out.extend_from_slice(&of.after);
    }
    let start = out.len() as u64;
    for (of, offset) in entries.iter().zip(offsets) {
        let (flags, method) = (u64::from(of.flags), u64::from(of.method));
        put(&mut out, &[(0x0201_4b50, 4), (0x0314, 2), (20, 2), (flags, 2), (method, 2), (0, 2), (0x21, 2)]);
        put(&mut out, &[(of.crc.into(), 4), (of.sizes.0.into(), 4), (of.sizes.1.into(), 4), (of.name.len() as u64, 2)]);
        put(&mut out, &[(of.extra.len() as u64, 2), (of.comment.len() as u64, 2), (0, 4), (of.attributes.into(), 4)]);
        put(&mut out, &[(of.offset.unwrap_or(offset).into(), 4)]);
        out.extend_from_slice(&of.name);
        out.extend_from_slice(&of.extra);
        out.extend_from_slice(&of.comment);
    }
    let (count, size) = (entries.len() as u64, out.len() as u64 - start);
    put(&mut out, &[(0x0605_4b50, 4), (0, 4), (count, 2), (count, 2), (size, 4), (start, 4), (0, 2)]);
    out
}

fn reason(bytes: &[u8]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    // Nobody who only looks, and nobody who works with it, may get further.
    let lenient = open_to_check(file.path()).map(|opened| opened.layout().to_vec());
    let strict = open(file.path()).unwrap_err().to_string();
    if let Ok(layout) = lenient {
        assert!(!layout.is_empty(), "{strict}");
    }
    strict
}

/// A zip in which nothing is wrong but that it is no package.
const SOUND: &str = "it holds no SHA256SUMS";

#[test]
fn the_zips_of_these_tests_are_refused_for_nothing_else() {
    for entries in [vec![Raw::named("a/b.txt")], vec![Raw::deflated("a", &[b'x'; 5000]), Raw::named("b")]] {
        assert!(reason(&zip(&entries)).contains(SOUND), "{}", reason(&zip(&entries)));
    }
    // A folder's own entry, without content, is passed over.
    assert!(reason(&zip(&[Raw::stored("a/", b""), Raw::named("a/b")])).contains(SOUND));
}

#[test]
fn names_that_lead_elsewhere_or_are_not_what_they_seem_are_refused() {
    let long = format!("{}/x", "a".repeat(256));
    let deep = "a/".repeat(600) + "x";
    for name in [
        "../evil",
        "a/../../evil",
        "/etc/passwd",
        "C:/evil",
        "C:\\evil",
        "..\\evil",
        "a\\b",
        "a//b",
        "./a",
        "a.",
        "a./b",
        "a/.",
        "",
        "a\u{0}b",
        "a\nb",
        "a b",
        "caf\u{e9}",
        "cafe\u{301}",
        "a\u{202e}txt",
        "con:",
        "a*",
        "|x",
        long.as_str(),
        deep.as_str(),
        "a/../",
        "\\\\server\\share\\x",
        "~/../x",
        "file.txt/../../x",
    ] {
        let told = reason(&zip(&[Raw::named(name)]));
        assert!(told.contains("has a name that no package uses") || told.contains("is not a zip"), "{name:?}: {told}");
    }
    // A folder with content hides it from those who unpack.
    assert!(reason(&zip(&[Raw::named("a/")])).contains("has a name that no package uses"));
    // Bytes that are no UTF-8, and a name of two readings (the field for Unicode paths).
    let raw = Raw { local_name: vec![b'a', 0xff], name: vec![b'a', 0xff], ..Raw::named("x") };
    assert!(reason(&zip(&[raw])).contains("name that no package uses"));
    let mut path = vec![0x75, 0x70, 10, 0, 1];
    path.extend_from_slice(&[0; 4]);
    path.extend_from_slice(b"other");
    let two = Raw { extra: path.clone(), local_extra: path, ..Raw::named("name1") };
    let told = reason(&zip(&[two]));
    assert!(told.contains("extra fields") || told.contains("is not a zip"), "{told}");
}

#[test]
fn two_entries_of_one_name_are_refused() {
    let told = reason(&zip(&[Raw::named("a"), Raw::named("a")]));
    assert!(told.contains("two of its entries have the same name"), "{told}");
}

#[test]
fn entries_that_take_each_others_place_when_unpacked_are_refused() {
    for (a, b, expected) in [
        ("findings.csv", "Findings.CSV", "differs from Findings.CSV in upper and lower case only"),
        ("raw/a", "RAW/A", "differs from RAW/A in upper and lower case only"),
        ("evidence", "evidence/x", "evidence/x lies in evidence, which is a file"),
        ("Evidence", "evidence/a/x", "evidence/a/x lies in Evidence, which is a file"),
    ] {
        let told = reason(&zip(&[Raw::named(a), Raw::named(b)]));
        assert!(told.contains(expected), "{a} {b}: {told}");
    }
    assert!(reason(&zip(&[Raw::named("a/x"), Raw::named("A/y")])).contains(SOUND));
}

#[test]
fn kinds_of_entries_that_packages_do_not_have_are_refused() {
    let link = Raw { attributes: 0o120_777 << 16, ..Raw::stored("a", b"/etc/passwd") };
    assert!(reason(&zip(&[link])).contains("is a symbolic link"));
    let locked = Raw { flags: 1, ..Raw::named("a") };
    assert!(reason(&zip(&[locked])).contains("is encrypted"));
    for method in [1, 6, 9, 12, 14, 93, 95, 97, 99] {
        let told = reason(&zip(&[Raw { method, ..Raw::named("a") }]));
        assert!(
            told.contains("compressed by a method that packages do not use") || told.contains("is not a zip"),
            "{method}: {told}"
        );
    }
    for flags in [1 << 4, 1 << 5, 1 << 6, 1 << 13, 1 << 15] {
        let told = reason(&zip(&[Raw { flags, ..Raw::named("a") }]));
        assert!(
            told.contains("flags") || told.contains("encrypted") || told.contains("is not a zip"),
            "{flags}: {told}"
        );
    }
}

#[test]
fn bombs_and_lies_about_sizes_are_refused() {
    let bomb = Raw::deflated("a", &vec![0; 4 << 20]);
    assert!(reason(&zip(std::slice::from_ref(&bomb))).contains("that is how a zip bomb looks"));
    // Said to be small, and not: found when it is unpacked, after as many bytes as it says.
    let sizes = (bomb.sizes.0, 100);
    let liar = Raw { name: SUMS.into(), local_name: SUMS.into(), sizes, local_sizes: sizes, ..bomb };
    let told = reason(&zip(&[liar]));
    assert!(
        told.contains("more than the 100 bytes that it says") || told.contains("larger than its declared"),
        "{told}"
    );
    let short = Raw { sizes: (4, 9), local_sizes: (4, 9), ..Raw::named(SUMS) };
    let told = reason(&zip(&[short]));
    assert!(told.contains("has 4 bytes and says 9") || told.contains("contradict"), "{told}");
    let crc = Raw { crc: 1, ..Raw::named(SUMS) };
    assert!(reason(&zip(&[crc])).contains("checksum"));
    // Large sizes that are said in the field for them, and not there.
    let mut extra = vec![1, 0, 16, 0];
    extra.extend_from_slice(&(1_u64 << 40).to_le_bytes());
    extra.extend_from_slice(&(1_u64 << 40).to_le_bytes());
    let large = Raw {
        sizes: (u32::MAX, u32::MAX),
        local_sizes: (u32::MAX, u32::MAX),
        extra: extra.clone(),
        local_extra: extra,
        ..Raw::named("a")
    };
    let told = reason(&zip(&[large]));
    assert!(told.contains("unpack to more than"), "{told}");
    let untold = Raw { sizes: (u32::MAX, u32::MAX), ..Raw::named("a") };
    reason(&zip(&[untold]));
    let limits = Limits { entries: 2, ..LIMITS };
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), zip(&[Raw::named("a"), Raw::named("b"), Raw::named("c")])).unwrap();
    assert!(open_within(file.path(), limits, true).unwrap_err().to_string().contains("it has 3 entries, more than 2"));
    let limits = Limits { total: 7, ..LIMITS };
    assert!(open_within(file.path(), limits, true).unwrap_err().to_string().contains("more than 7 bytes"));
    let limits = Limits { in_memory: 3, ..LIMITS };
    std::fs::write(file.path(), zip(&[Raw::named(SUMS)])).unwrap();
    assert!(open_within(file.path(), limits, true).unwrap_err().to_string().contains("more than the 3 that are read"));
}

#[test]
fn headers_that_contradict_each_other_are_refused() {
    let (a, b) = (Raw::named("a"), Raw::stored("b", b"other"));
    let cases = [
        ("another name", vec![Raw { local_name: b"c".to_vec(), ..a.clone() }]),
        ("another size", vec![Raw { local_sizes: (3, 3), ..a.clone() }]),
        ("one entry's bytes as another's", vec![a.clone(), Raw { offset: Some(0), ..b.clone() }]),
        ("bytes between entries", vec![Raw { after: b"hidden".to_vec(), ..a.clone() }, b.clone()]),
        ("bytes before the directory", vec![a.clone(), Raw { after: b"hidden".to_vec(), ..b.clone() }]),
        ("a comment", vec![Raw { comment: b"hidden".to_vec(), ..a.clone() }]),
        ("an extra field", vec![Raw { extra: vec![0x99, 0x99, 2, 0, 1, 2], ..a.clone() }]),
        ("an extra field of its own", vec![Raw { local_extra: vec![0x99, 0x99, 2, 0, 1, 2], ..a.clone() }]),
        ("half an extra field", vec![Raw { local_extra: vec![0x99], ..a.clone() }]),
        ("sizes after the data", vec![Raw { flags: 8, after: vec![0; 16], ..a.clone() }]),
        ("a header outside", vec![Raw { offset: Some(1 << 30), ..a.clone() }]),
    ];
    for (name, entries) in cases {
        let told = reason(&zip(&entries));
        assert!(!told.contains(SOUND), "{name}: {told}");
    }
    let sound = zip(&[a, b]);
    let before = [b"#!/bin/sh\n".as_slice(), &sound].concat();
    let after = [sound.as_slice(), b"more"].concat();
    let mut comment = sound.clone();
    let at = comment.len() - 2;
    comment[at] = 4;
    comment.extend_from_slice(b"note");
    let twice = [sound.as_slice(), &sound].concat();
    let cut = sound[..sound.len() - 1].to_vec();
    let empty = zip(&[]);
    for (name, bytes) in [("before", before), ("after", after), ("comment", comment), ("twice", twice), ("cut", cut)] {
        let told = reason(&bytes);
        assert!(!told.contains(SOUND), "{name}: {told}");
    }
    assert!(
        reason(&empty).contains(SOUND)
            && reason(b"").contains("is not a zip")
            && reason(b"PK").contains("is not a zip")
    );
}

#[test]
fn a_lying_end_of_a_large_zip_is_refused() {
    // The end of a small zip says that the end of a large one is to be read, which is not there or says something else.
    let mut bytes = zip(&[Raw::named("a")]);
    let end = bytes.len() - 22;
    bytes[end + 8..end + 20].copy_from_slice(&[0xff; 12]);
    assert!(!reason(&bytes).contains(SOUND));
    let mut tail = Vec::new();
    put(&mut tail, &[(0x0606_4b50, 4), (44, 8), (45, 2), (45, 2), (0, 4), (0, 4), (1 << 40, 8), (1 << 40, 8)]);
    put(&mut tail, &[(1 << 50, 8), (0, 8), (0x0706_4b50, 4), (0, 4), (end as u64, 8), (1, 4)]);
    bytes.splice(end..end, tail);
    assert!(!reason(&bytes).contains(SOUND));
}

proptest::proptest! {
    /// Any bytes, and any change of a sound zip, give an error or a package; never a panic.
    #[test]
    fn nothing_panics(place in 0_usize..1000, byte: u8, cut in 0_usize..400) {
        let mut bytes = zip(&[Raw::deflated("a", &[b'x'; 300]), Raw::named(SUMS), Raw::named(MANIFEST)]);
        let at = place % bytes.len();
        bytes[at] = byte;
        bytes.truncate(bytes.len() - cut.min(bytes.len()) * usize::from(byte.is_multiple_of(3)));
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let _ = open_to_check(file.path()).map(|mut opened| super::super::check(&mut opened));
    }
}
