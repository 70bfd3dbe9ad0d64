//! What is written is what was given, whole, and the same again.

mod large;

use super::*;
use crate::package::manifest::{Gap, Manifest, Note, Redaction};
use crate::package::{open, open_intact};
use proptest::prelude::*;

/// A manifest with nothing in it, as the format's documentation has it.
fn manifest() -> Manifest {
    let zip = include_bytes!("../../../tests/golden/packages/files.zip");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), zip).unwrap();
    let mut manifest = open(file.path()).unwrap().manifest().clone();
    manifest.files.clear();
    manifest.notes.clear();
    manifest
}

fn contents(files: &BTreeMap<String, Vec<u8>>, manifest: Manifest) -> Contents<'static> {
    let part = |bytes: &Vec<u8>| Part {
        content: Content::Bytes(bytes.clone()),
        call: None,
        sources: Vec::new(),
        partial: false,
    };
    let mut contents = Contents::new(manifest);
    for (path, bytes) in files {
        contents.put(path.as_str().into(), part(bytes)).unwrap();
    }
    contents
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Files come out as they went in; the manifest is read back as it was written, and names each with its digest.
    #[test]
    fn a_package_holds_what_it_was_given(
        files in prop::collection::btree_map("[a-z0-9_.@+=,%~-]{1,12}x", prop::collection::vec(any::<u8>(), 0..2000), 0..8),
        texts in prop::collection::vec(any::<String>(), 0..5),
        counts in prop::collection::vec(any::<u64>(), 0..5),
    ) {
        let mut told = manifest();
        for text in &texts {
            told.notes.push(Note { place: text.clone(), text: text.chars().rev().collect() });
            told.gaps.push(Gap { place: text.clone(), kind: "denied".to_owned(), reason: text.clone() });
        }
        told.redactions = counts
            .iter()
            .map(|n| Redaction { file: format!("raw/{n}"), count: *n, original_sha256: String::new() })
            .collect();
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a.zip"), dir.path().join("b.zip"));
        let written = write(contents(&files, told.clone()), &a, false).unwrap();
        write(contents(&files, told.clone()), &b, false).unwrap();
        prop_assert_eq!(std::fs::read(&a).unwrap(), std::fs::read(&b).unwrap());

        let mut opened = open_intact(&a).unwrap();
        let mut read = opened.manifest().clone();
        prop_assert_eq!(read.files.len(), files.len());
        for (record, (path, bytes)) in read.files.iter().zip(&files) {
            let sha256 = crate::evidence::digest::sha256(bytes);
            prop_assert_eq!((record.path.as_str(), record.size, record.sha256.as_str()), (path.as_str(), bytes.len() as u64, sha256.as_str()));
            prop_assert_eq!(&opened.read(path).unwrap(), bytes);
        }
        let text = opened.read(MANIFEST).unwrap();
        prop_assert_eq!(crate::evidence::digest::sha256(&text), written.manifest_sha256);
        prop_assert_eq!(&Manifest::read(&text).unwrap(), opened.manifest());
        read.files.clear();
        read.notes.sort();
        told.notes.sort();
        prop_assert_eq!(read, told);
    }
}

#[test]
fn no_two_files_have_paths_that_windows_or_macos_cannot_keep_apart() {
    let mut all = contents(&BTreeMap::from([("evidence/Rule/a.json".to_owned(), Vec::new())]), manifest());
    assert!(all.has("evidence/rule/A.json") && !all.has("evidence/rule/b.json"));
    for path in ["evidence/rule/a.json", "MANIFEST.json", "sha256sums", "Attestation", "timestamp.TSR"] {
        let error = all.add(path.to_owned(), Content::text("")).unwrap_err();
        assert!(error.to_string().contains("but for upper and lower case"), "{error}");
    }
}

#[test]
fn a_target_is_written_whole_or_not_at_all_and_never_over_another_file() {
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("p.zip");
    std::fs::write(&target, "mine").unwrap();
    let files = BTreeMap::from([("a".to_owned(), vec![1])]);
    let error = write(contents(&files, manifest()), &target, false).unwrap_err();
    assert!(error.to_string().contains("exists already"), "{error}");
    assert_eq!(std::fs::read(&target).unwrap(), b"mine");

    let altered = Part {
        content: Content::File { path: target.clone(), sha256: Some("0".repeat(64).into()) },
        call: None,
        sources: Vec::new(),
        partial: false,
    };
    let mut broken = contents(&files, manifest());
    broken.parts.insert("b".into(), altered);
    let error = write(broken, &target, true).unwrap_err();
    assert!(error.to_string().contains("was altered since it was recorded"), "{error}");
    assert_eq!(std::fs::read(&target).unwrap(), b"mine");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "a temporary file was left");

    write(contents(&files, manifest()), &target, true).unwrap();
    assert!(open(&target).is_ok());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, MODE);
    }
}

/// What each write says is kept, though the zip writer goes on: a full disk is an error, not half a package.
#[test]
fn a_full_disk_is_an_error() {
    #[derive(Debug)]
    struct Full(usize, u64);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
            self.1 += bytes.len() as u64;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    impl Seek for Full {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            if let SeekFrom::Start(at) = to {
                self.1 = at;
            }
            Ok(self.1)
        }
    }
    let files = BTreeMap::from([("a".to_owned(), (0..100_000_u32).flat_map(u32::to_le_bytes).collect())]);
    for room in [0, 10, 100, 10_000] {
        let error = write_zip(contents(&files, manifest()), Full(room, 0), Path::new("p.zip"), LARGE).unwrap_err();
        assert!(error.to_string().contains("cannot write p.zip"), "{room}: {error}");
    }
}

/// A stream that turns out to be large takes the same form as a file whose size is known, and leaves no trace of the
/// first attempt.
#[test]
fn what_turns_out_to_be_large_is_written_as_what_is_known_to_be() {
    use std::io::Cursor;
    let noise: Vec<u8> =
        (0u32..90_000).flat_map(|n| crate::evidence::digest::sha256(&n.to_le_bytes()).into_bytes()).collect();
    let parts = |streamed: bool| {
        let part = |path: &str, bytes: Vec<u8>| {
            let content = match streamed {
                true => Content::stream(move |out| out.write_all(&bytes)),
                false => Content::Bytes(bytes),
            };
            (path.into(), Part { content, call: None, sources: Vec::new(), partial: false })
        };
        [part("a.csv", b"small".to_vec()), part("b.csv", noise.clone()), part("c.csv", noise[..70_000].to_vec())].into()
    };
    let zip = |streamed: bool, large: u64| {
        let mut contents = Contents::new(manifest());
        contents.parts = parts(streamed);
        let (zip, _) = write_zip(contents, Cursor::new(Vec::new()), Path::new("p.zip"), large).unwrap();
        zip.into_inner()
    };
    for large in [4, 5, 70_000, 1 << 20, noise.len() as u64, LARGE] {
        assert!(zip(true, large) == zip(false, large), "with {large} bytes");
    }
    assert_ne!(zip(true, 1 << 20), zip(true, LARGE), "the form does not follow from the size");
}
