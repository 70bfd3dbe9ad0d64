//! Any bytes as the files of a sound zip whose sums are right: what is read after the container and the digests hold
//! (manifest, log of calls, pages, tables, controls, attestation) may neither panic nor hang.
//!
//! `cargo +nightly fuzz run package_contents --sanitizer none`

#![no_main]

use auditpack::evidence::digest::sha256;
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use std::io::Write;
use zip::write::SimpleFileOptions;

/// The files, in the order in which the input has them.
const NAMES: [&str; 11] = [
    "manifest.json",
    "raw/calls.jsonl",
    "raw/sts/global/GetCallerIdentity/a4488c8c3aa4c616bd924d61-000.1.xml",
    "findings.json",
    "findings.csv",
    "requirements.csv",
    "populations/users.csv",
    "raw/trail-logs/index.json",
    "controls/parameters.yaml",
    "attestation",
    "raw/run.json",
];

/// What stands between two files in the input.
const BETWEEN: &[u8] = b"\n====\n";

fn files(data: &[u8]) -> BTreeMap<&'static str, &[u8]> {
    let mut rest = data;
    let mut files = BTreeMap::new();
    for name in NAMES {
        let end = rest.windows(BETWEEN.len()).position(|window| window == BETWEEN);
        files.insert(name, &rest[..end.unwrap_or(rest.len())]);
        let Some(end) = end else { break };
        rest = &rest[end + BETWEEN.len()..];
    }
    files
}

fn packed(files: &BTreeMap<&str, &[u8]>) -> zip::result::ZipResult<tempfile::NamedTempFile> {
    let file = tempfile::NamedTempFile::new_in("/dev/shm").or_else(|_| tempfile::NamedTempFile::new())?;
    let mut zip = zip::ZipWriter::new(file.reopen()?);
    let options = SimpleFileOptions::DEFAULT
        .compression_method(zip::CompressionMethod::Stored)
        .last_modified_time(zip::DateTime::default());
    let mut sums = String::new();
    for (name, bytes) in files {
        zip.start_file(name, options)?;
        zip.write_all(bytes)?;
        if *name != "attestation" {
            sums.push_str(&format!("{}  {name}\n", sha256(bytes)));
        }
    }
    zip.start_file("SHA256SUMS", options)?;
    zip.write_all(sums.as_bytes())?;
    zip.finish()?;
    Ok(file)
}

fuzz_target!(|data: &[u8]| {
    let Ok(file) = packed(&files(data)) else { return };
    if let Ok(mut opened) = auditpack::package::open_to_check(file.path()) {
        assert!(opened.layout().is_empty(), "a sound zip is refused: {:?}", opened.layout());
        let _ = auditpack::package::check(&mut opened);
        let _ = opened.controls();
    }
    let _ = auditpack::package::open_intact(file.path());
});
