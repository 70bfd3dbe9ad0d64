//! What a forger has: a package taken apart, changed, and put together again with all that nobody signed made right.

#![allow(dead_code)] // each test file uses its part

use super::common::{auditpack, run};
use auditpack::package::{Manifest, SigningKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use zip::write::SimpleFileOptions;

/// The files of a package, in the order of the zip.
pub type Entries = Vec<(String, Vec<u8>)>;

/// The exit code and the report of a verification.
pub fn verify(package: &Path, more: &[&str]) -> (i32, Value) {
    let ran = run(auditpack().arg("verify").arg(package).arg("--json").args(more));
    let json = serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", ran.stdout, ran.stderr));
    (ran.code, json)
}

pub fn step<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["steps"].as_array().unwrap().iter().find(|step| step["step"] == name).unwrap_or(&Value::Null)
}

/// Files with their contents, in the order of the zip.
pub fn entries(package: &Path) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(std::fs::File::open(package).unwrap()).unwrap();
    (0..zip.len())
        .map(|n| {
            let mut entry = zip.by_index(n).unwrap();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (entry.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

/// Packs files as auditpack does, as far as anybody can.
pub fn pack(entries: &[(String, Vec<u8>)]) -> tempfile::NamedTempFile {
    let file = tempfile::Builder::new().suffix(".zip").tempfile().unwrap();
    let mut zip = zip::ZipWriter::new(file.reopen().unwrap());
    let options = SimpleFileOptions::DEFAULT
        .compression_level(Some(6))
        .last_modified_time(zip::DateTime::default())
        .system(zip::System::Unix)
        .unix_permissions(0o600);
    for (path, bytes) in entries {
        zip.start_file(path, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
    file
}

/// What a clever forger does: all digests in the manifest and in SHA256SUMS are made right again.
pub fn with_right_digests(mut entries: Vec<(String, Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
    let digest = auditpack::evidence::digest::sha256;
    let sums: BTreeMap<String, (String, usize)> =
        entries.iter().map(|(path, bytes)| (path.clone(), (digest(bytes), bytes.len()))).collect();
    let place =
        |entries: &[(String, Vec<u8>)], wanted: &str| entries.iter().position(|(path, _)| path == wanted).unwrap();
    let at = place(&entries, "manifest.json");
    let mut manifest: auditpack::package::Manifest = serde_json::from_slice(&entries[at].1).unwrap();
    let record = manifest.files[0].clone();
    manifest.files = sums
        .iter()
        .filter(|(path, _)| !["manifest.json", "SHA256SUMS", "attestation"].contains(&path.as_str()))
        .map(|(path, (sha256, size))| {
            let old = manifest.files.iter().find(|file| file.path == *path);
            auditpack::package::manifest::FileRecord {
                path: path.as_str().into(),
                sha256: sha256.as_str().into(),
                size: *size as u64,
                ..old.unwrap_or(&record).clone()
            }
        })
        .collect();
    let mut text = Vec::new();
    auditpack::evidence::document::write_json(&manifest, &mut text).unwrap();
    entries[at].1 = text;
    let lines: String = entries
        .iter()
        .filter(|(path, _)| !["SHA256SUMS", "attestation"].contains(&path.as_str()))
        .map(|(path, bytes)| (path, digest(bytes)))
        .collect::<BTreeMap<_, _>>()
        .into_iter()
        .map(|(path, sum)| format!("{sum}  {path}\n"))
        .collect();
    let at = place(&entries, "SHA256SUMS");
    entries[at].1 = lines.into_bytes();
    entries
}

pub fn edit(entries: &mut [(String, Vec<u8>)], path: &str, change: impl FnOnce(String) -> String) {
    let entry = entries.iter_mut().find(|(p, _)| p == path).unwrap_or_else(|| panic!("there is no {path}"));
    let before = String::from_utf8(entry.1.clone()).unwrap();
    entry.1 = change(before.clone()).into_bytes();
    assert!(entry.1 != before.as_bytes(), "{path} did not change");
}

/// Every problem of a report as `step: file: what`.
pub fn problems(report: &Value) -> Vec<String> {
    let of = |step: &Value| {
        let name = step["step"].as_str().unwrap().to_owned();
        let problem =
            move |p: &Value| format!("{name}: {}: {}", p["file"].as_str().unwrap(), p["what"].as_str().unwrap());
        step["problems"].as_array().unwrap().iter().map(problem).collect::<Vec<_>>()
    };
    report["steps"].as_array().unwrap().iter().flat_map(of).collect()
}

/// Changes the manifest, as far as it can be read.
pub fn manifest(entries: &mut [(String, Vec<u8>)], change: impl FnOnce(&mut Manifest)) {
    let (_, bytes) = entries.iter_mut().find(|(path, _)| path == "manifest.json").unwrap();
    let mut manifest: Manifest = serde_json::from_slice(bytes).unwrap();
    change(&mut manifest);
    *bytes = serde_json::to_vec(&manifest).unwrap();
}

/// The path of the one file whose path holds a text.
pub fn path_of(entries: &[(String, Vec<u8>)], part: &str) -> String {
    entries.iter().map(|(path, _)| path).find(|path| path.contains(part)).unwrap_or_else(|| panic!("no {part}")).clone()
}

/// Changes a file of the recording, and what the log or the index of log files says of it.
pub fn edit_answer(entries: &mut [(String, Vec<u8>)], part: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) {
    let digest = auditpack::evidence::digest::sha256;
    let path = path_of(entries, part);
    let entry = entries.iter_mut().find(|(p, _)| *p == path).unwrap();
    let before = std::mem::take(&mut entry.1);
    let old = (digest(&before), before.len());
    entry.1 = change(before);
    let new = (digest(&entry.1), entry.1.len());
    assert!(old != new, "{path} did not change");
    if path.starts_with("raw/trail-logs/") {
        return edit(entries, "raw/trail-logs/index.json", |text| {
            let sizes = (
                format!("\"size\": {},\n      \"sha256\": \"{}", old.1, old.0),
                format!("\"size\": {},\n      \"sha256\": \"{}", new.1, new.0),
            );
            text.replace(&sizes.0, &sizes.1)
        });
    }
    edit(entries, "raw/calls.jsonl", |text| {
        let line = |line: &str| match line.contains(&old.0) {
            true => {
                line.replace(&old.0, &new.0).replace(&format!("\"size\":{}", old.1), &format!("\"size\":{}", new.1))
                    + "\n"
            }
            false => line.to_owned() + "\n",
        };
        text.lines().map(line).collect()
    });
}

/// Makes right what no key protects: digests, the digest of the controls, and the signature is taken away.
pub fn unsigned(mut entries: Entries) -> Entries {
    entries.retain(|(path, _)| !["attestation", "timestamp.tsr"].contains(&path.as_str()));
    let lines: String = entries
        .iter()
        .filter_map(|(path, bytes)| Some((path.strip_prefix("controls/")?, bytes)))
        .map(|(path, bytes)| format!("{}  {path}\n", auditpack::evidence::digest::sha256(bytes)))
        .collect();
    manifest(&mut entries, |manifest| {
        manifest.seals.signed_by = None;
        manifest.seals.stamped_by = None;
        manifest.controls.sha256 = auditpack::evidence::digest::sha256(lines.as_bytes());
    });
    with_right_digests(entries)
}

/// The same, signed by a key of the forger's.
pub fn signed_by(entries: Entries, key: &SigningKey) -> Entries {
    let mut entries = unsigned(entries);
    manifest(&mut entries, |manifest| manifest.seals.signed_by = Some(key.public().fingerprint()));
    let mut entries = with_right_digests(entries);
    let digest = auditpack::evidence::digest::sha256(&entries.iter().find(|(p, _)| p == "manifest.json").unwrap().1);
    let payload = serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "manifest.json", "digest": {"sha256": digest}}],
        "predicateType": "urn:auditpack:package:v1",
        "predicate": {"format": 1, "account": "111122223333", "as_of": "2026-10-15T09:00:00Z", "tool": "auditpack"},
    })
    .to_string();
    let kind = "application/vnd.in-toto+json";
    let signature = key.sign(format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len()).as_bytes());
    let envelope = serde_json::json!({
        "payloadType": kind,
        "payload": STANDARD.encode(&payload),
        "signatures": [{"keyid": key.public().fingerprint(), "sig": STANDARD.encode(signature)}],
    });
    entries.push(("attestation".to_owned(), format!("{envelope}\n").into_bytes()));
    entries
}
