//! A package that proves itself: to auditpack, to whoever follows its README.txt, and to the commands that work from packages.
//! What is changed in one and how that is found: tests/tampering.rs.

mod common;
#[path = "common/forging.rs"]
mod forging;

use common::{auditpack, run};
use forging::{edit, entries, pack, problems, step, verify, with_right_digests};
use serde_json::Value;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/example-clean");

/// A signed package, its key, and another key; made once.
struct Made {
    dir: TempDir,
    package: PathBuf,
}

static MADE: LazyLock<Made> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    for name in ["key", "other"] {
        let ran = run(auditpack().current_dir(dir.path()).args(["keygen", "--out", name]));
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    let package = dir.path().join("signed.zip");
    let ran = run(auditpack()
        .current_dir(dir.path())
        .args(["collect", "--replay", FIXTURE, "--quiet", "--sign", "key.pem", "--out"])
        .arg(&package));
    assert!([0, 1, 3].contains(&ran.code), "{}", ran.stderr);
    Made { dir, package }
});

fn key(name: &str) -> PathBuf {
    MADE.dir.path().join(name)
}

#[test]
fn an_untouched_package_is_intact_and_authentic_only_with_the_key() {
    let (code, report) = verify(&MADE.package, &[]);
    assert_eq!((code, &report["verdict"]), (0, &Value::from("intact, origin not proven")), "{report:#}");
    for name in ["container", "digests", "recording", "pages", "redactions", "consistency", "derivation"] {
        assert_eq!(step(&report, name)["verdict"], "ok", "{name}: {report:#}");
    }
    assert_eq!(step(&report, "signature")["verdict"], "not-checked");
    let (code, report) = verify(&MADE.package, &["--key", key("key.pub.pem").to_str().unwrap()]);
    assert_eq!((code, &report["verdict"]), (0, &Value::from("authentic")), "{report:#}");
    let (code, report) = verify(&MADE.package, &["--key", key("other.pub.pem").to_str().unwrap()]);
    assert_eq!((code, &report["verdict"]), (5, &Value::from("not intact")));
    assert!(problems(&report)[0].starts_with("signature: attestation: is not by the key that was given"));
    let text = run(auditpack().arg("verify").arg(&MADE.package)).stdout;
    assert!(text.contains("Verdict: intact, origin not proven") && !text.contains("valid"), "{text}");
}

/// Every kind of place in the zip, one bit in each: each is found.
#[test]
fn a_flipped_bit_anywhere_is_found() {
    let original = std::fs::read(&MADE.package).unwrap();
    let last = original.len() - 1;
    let directory = u32::from_le_bytes(original[last - 5..last - 1].try_into().unwrap()) as usize;
    // A local header's fields, the name, data, the directory's fields, the end record's fields; and a sample.
    let mut places: Vec<usize> =
        (0..40).chain((directory..directory + 56).step_by(2)).chain(last - 21..=last).collect();
    places.extend((1..16).map(|n| n * (original.len() / 16)));
    let file = tempfile::Builder::new().suffix(".zip").tempfile().unwrap();
    for place in places {
        {
            let bit = place % 8;
            let mut bytes = original.clone();
            bytes[place] ^= 1 << bit;
            std::fs::write(file.path(), &bytes).unwrap();
            let report = auditpack::package::open_to_check(file.path())
                .and_then(|mut opened| auditpack::package::check(&mut opened));
            let noticed = match report {
                Err(_) => true,
                Ok(steps) => steps.iter().any(|step| step.verdict == auditpack::package::Verdict::Failed),
            };
            // What only the derivation finds takes longer, and is asked only then.
            assert!(noticed || verify(file.path(), &[]).0 == 5, "bit {bit} of byte {place} of {last}");
        }
    }
}

#[test]
fn a_package_that_was_packed_anew_or_signed_by_another_is_not_the_original() {
    let all = entries(&MADE.package);
    let file = tempfile::Builder::new().suffix(".zip").tempfile().unwrap();
    let mut zip = zip::ZipWriter::new(file.reopen().unwrap());
    for (path, bytes) in &all {
        zip.start_file(path, SimpleFileOptions::DEFAULT.compression_method(zip::CompressionMethod::Stored)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
    let (code, report) = verify(file.path(), &[]);
    assert_eq!(code, 5);
    assert!(problems(&report).iter().any(|p| p.contains("packed anew")), "{report:#}");

    let again = MADE.dir.path().join("other.zip");
    let ran = run(auditpack()
        .args(["collect", "--quiet", "--replay"])
        .arg(&MADE.package)
        .arg("--sign")
        .arg(key("other.pem"))
        .arg("--out")
        .arg(&again));
    assert!([0, 1, 3].contains(&ran.code), "{}", ran.stderr);
    let other = entries(&again).into_iter().find(|(path, _)| path == "attestation").unwrap();
    let mut forged = all.clone();
    forged.retain(|(path, _)| path != "attestation");
    forged.push(other);
    let (code, report) = verify(pack(&forged).path(), &[]);
    assert_eq!(code, 5);
    assert!(problems(&report).iter().any(|p| p.starts_with("signature: attestation: is about another manifest")));
    // A package that another made from the same recording is what it says; only the key tells.
    assert_eq!(verify(&again, &[]).0, 0);
    assert_eq!(verify(&again, &["--key", key("key.pub.pem").to_str().unwrap()]).0, 5);
}

/// The commands of README.txt, as they stand there.
#[test]
fn the_lines_of_the_readme_check_the_package_without_auditpack() {
    if cfg!(not(target_os = "linux")) {
        return; // The lines for macOS and Windows name programs of theirs.
    }
    Command::new("openssl").arg("version").output().expect("this test follows README.txt, which takes openssl");
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(&MADE.package, dir.path().join("PACKAGE.zip")).unwrap();
    std::fs::copy(key("key.pub.pem"), dir.path().join("PUBLIC-KEY.pem")).unwrap();
    let readme = entries(&MADE.package).into_iter().find(|(path, _)| path == "README.txt").unwrap().1;
    let readme = String::from_utf8(readme).unwrap();
    let lines = |from: &str, to: &str| -> String {
        let section = readme.split_once(from).unwrap().1.split_once(to).unwrap().0;
        let commands =
            section.lines().filter_map(|line| line.strip_prefix("      ")).filter(|line| !line.contains("auditpack"));
        commands.map(|line| format!("{line}\n")).collect()
    };
    let script =
        lines("  Linux, and AWS CloudShell:", "  macOS:") + &lines("HOW TO CHECK WHO MADE IT", "HOW TO REBUILD IT");
    let shell = |script: &str| {
        let output = Command::new("sh").arg("-ec").arg(script).current_dir(dir.path()).output().unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
        )
    };
    let (ok, printed) = shell(&script);
    assert!(ok, "{script}{printed}");
    for expected in ["all files are intact", "Signature Verified Successfully", "the signature is about this manifest"]
    {
        assert!(printed.contains(expected), "{expected}: {printed}");
    }
    let public = std::fs::read_to_string(key("key.pub.pem")).unwrap();
    let fingerprint = auditpack::package::PublicKey::from_pem(&public).unwrap().fingerprint();
    assert!(printed.contains(&fingerprint), "{fingerprint}: {printed}");
    // The same lines notice another key.
    std::fs::copy(key("other.pub.pem"), dir.path().join("PUBLIC-KEY.pem")).unwrap();
    std::fs::remove_dir_all(dir.path().join("package")).unwrap();
    let (ok, printed) = shell(&script);
    assert!(!ok && !printed.contains("Verified Successfully"), "{printed}");
}

#[test]
fn keys_of_openssl_work_and_keys_are_never_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let made = run(auditpack().current_dir(dir.path()).args(["keygen", "--out", "k"]));
    assert!(made.stdout.contains("fingerprint"), "{}", made.stdout);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(dir.path().join("k.pem")).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let before = std::fs::read(dir.path().join("k.pem")).unwrap();
    let ran = run(auditpack().current_dir(dir.path()).args(["keygen", "--out", "k"]));
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert_eq!(std::fs::read(dir.path().join("k.pem")).unwrap(), before);
    let openssl = Command::new("openssl")
        .current_dir(dir.path())
        .args(["genpkey", "-algorithm", "ed25519", "-out", "o.pem"])
        .output();
    if openssl.is_ok_and(|output| output.status.success()) {
        let ours =
            auditpack::package::SigningKey::from_pem(&std::fs::read_to_string(dir.path().join("o.pem")).unwrap())
                .unwrap();
        Command::new("openssl")
            .current_dir(dir.path())
            .args(["pkey", "-in", "o.pem", "-pubout", "-out", "o.pub.pem"])
            .output()
            .unwrap();
        assert_eq!(ours.public().to_pem(), std::fs::read_to_string(dir.path().join("o.pub.pem")).unwrap());
    }
    let missing = run(auditpack().current_dir(dir.path()).args(["collect", "--replay", FIXTURE, "--sign", "none.pem"]));
    assert_eq!(missing.code, 2, "{}", missing.stderr);
}

/// Whoever takes the answers away has nothing to be contradicted by; it is told that they are gone, or that there are none.
#[test]
fn a_package_without_its_recording_is_never_as_good_as_one_with_it() {
    let mut entries = entries(&MADE.package);
    entries.retain(|(path, _)| !path.starts_with("raw/") && path != "calls.csv" && path != "attestation");
    edit(&mut entries, "manifest.json", |text| {
        let mut manifest: auditpack::package::Manifest = serde_json::from_str(&text).unwrap();
        manifest.seals.signed_by = None;
        manifest.redactions.clear();
        manifest.files.retain(|file| !file.path.starts_with("raw/") && file.path != "calls.csv");
        manifest.calls.iter_mut().for_each(|call| call.responses.clear());
        serde_json::to_string(&manifest).unwrap()
    });
    let (code, report) = verify(pack(&with_right_digests(entries.clone())).path(), &[]);
    assert_eq!(code, 5);
    assert!(problems(&report).iter().any(|p| p.contains("raw/ is not there")), "{report:#}");
    edit(&mut entries, "manifest.json", |text| text.replacen("\"recording\"", "\"files\"", 1));
    let (code, report) = verify(pack(&with_right_digests(entries)).path(), &[]);
    assert_eq!((code, &report["verdict"]), (0, &Value::from("intact, not derivable, origin not proven")), "{report:#}");
}

type Forge = fn(&mut Vec<(String, Vec<u8>)>);

/// Another version may lay out tables otherwise; it has no other verdicts, and one that never was excuses nothing.
#[test]
fn another_version_excuses_no_other_verdict() {
    let forged = |version: &str, change: Forge| {
        let mut entries = entries(&MADE.package);
        edit(&mut entries, "manifest.json", |text| {
            let mut manifest: auditpack::package::Manifest = serde_json::from_str(&text).unwrap();
            manifest.tool.version = version.to_owned();
            manifest.seals.signed_by = None;
            serde_json::to_string(&manifest).unwrap()
        });
        entries.retain(|(path, _)| path != "attestation");
        change(&mut entries);
        verify(pack(&with_right_digests(entries)).path(), &[])
    };
    let (code, report) = forged("7.0.0", |_| {});
    assert_eq!(
        (code, &report["verdict"]),
        (0, &Value::from("intact, derived in part, origin not proven")),
        "{report:#}"
    );
    assert!(report.to_string().contains("verify it with 7.0.0"), "{report:#}");
    for (version, expected, change) in [
        ("0.0.9", "a version that was never released", (|_| {}) as Forge),
        ("7.0.0", "requirements.csv: record", |e| {
            edit(e, "requirements.csv", |t| t.replacen(",manual,manual,", ",manual,pass,", 1))
        }),
        ("7.0.0", "status of ", |e| {
            edit(e, "findings.json", |t| t.replacen("\"status\":\"not-applicable\"", "\"status\":\"pass\"", 1));
        }),
    ] {
        let (code, report) = forged(version, change);
        assert!(code == 5 && problems(&report).iter().any(|p| p.contains(expected)), "{expected}: {report:#}");
    }
}

/// Controls that are the program's own need nobody to read them. Those that are not: tests/tampering.rs.
#[test]
fn controls_that_are_the_programs_own_are_told() {
    let (_, report) = verify(&MADE.package, &["--no-derivation"]);
    assert_eq!(step(&report, "controls")["verdict"], "ok", "{report:#}");
}

/// What works from a package does not pass over what was changed in it.
#[test]
fn nothing_is_made_from_a_package_that_was_changed() {
    let mut forged = entries(&MADE.package);
    edit(&mut forged, "report.html", |text| text.replacen("<h1", "<h1 ", 1));
    let edited = pack(&forged);
    // With right digests, the signature is about another manifest.
    let clever = pack(&with_right_digests(forged));
    for package in [edited.path(), clever.path()] {
        for command in [vec!["evaluate"], vec!["collect", "--replay"], vec!["diff"]] {
            let mut ran = auditpack();
            ran.current_dir(MADE.dir.path()).args(&command).arg(package);
            if command == ["diff"] {
                ran.arg(&MADE.package);
            }
            let ran = run(&mut ran);
            assert!(ran.code == 2 && ran.stderr.contains("it is not as it was packed"), "{command:?}: {}", ran.stderr);
        }
    }
}
