//! The tampering set: what an attacker does to a package who has this source and can make everything right that no key
//! protects. Each attack is caught, by the file that it changed, and the verifier in Python agrees as far as it looks.

mod common;
#[path = "common/forging.rs"]
mod forging;

use auditpack::package::SigningKey;
use common::{auditpack, run};
use forging::{Entries, edit, edit_answer, entries, manifest, pack, path_of, problems, signed_by, unsigned, verify};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/packages");

/// Packages of every kind, made by this version from a recording of the first, with their keys.
struct Made {
    dir: TempDir,
    /// Signed, with trail logs, exceptions, an attached file and the record of an access review.
    everything: PathBuf,
    /// With a review that was closed with it.
    review: PathBuf,
}

static MADE: LazyLock<Made> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    for name in ["key", "other"] {
        assert_eq!(run(auditpack().current_dir(at).args(["keygen", "--out", name])).code, 0);
    }
    let golden = |name: &str| Path::new(GOLDEN).join(name);
    let unpack = |package: &str, below: &str, to: &Path| {
        for (path, bytes) in entries(&golden(package)) {
            let Some(path) = path.strip_prefix(below) else { continue };
            std::fs::create_dir_all(to.join(path).parent().unwrap()).unwrap();
            std::fs::write(to.join(path), bytes).unwrap();
        }
    };
    unpack("everything.zip", "controls/", &at.join("controls"));
    std::fs::rename(at.join("controls/auditpack.toml"), at.join("auditpack.toml")).unwrap();
    unpack("everything.zip", "manual/01-", at);
    let judged = ["--controls", "controls", "--frameworks", "mine"];
    let everything = at.join("everything.zip");
    let ran = run(auditpack()
        .current_dir(at)
        .args(["collect", "--quiet", "--sign", "key.pem", "--config", "auditpack.toml"])
        .args(judged)
        .arg("--replay")
        .arg(golden("everything.zip"))
        .arg("--review")
        .arg(golden("review.zip"))
        .arg("--out")
        .arg(&everything));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    unpack("review.zip", "review/input/files/", &at.join("q1"));
    unpack("review.zip", "review/input/population", &at.join("q1-population"));
    for ending in ["json", "sha256"] {
        std::fs::rename(at.join(format!("q1-population/.{ending}")), at.join(format!("q1/population.{ending}")))
            .unwrap();
    }
    let (clean, review) = (at.join("clean"), at.join("review.zip"));
    std::fs::create_dir(&clean).unwrap();
    let ran = run(auditpack()
        .current_dir(&clean)
        .args(["review", "close", "../q1", "--controls", "../controls", "--frameworks", "mine", "--with"])
        .arg(golden("review.zip"))
        .arg("--out")
        .arg(&review));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    Made { dir, everything, review }
});

fn file(name: &str) -> String {
    MADE.dir.path().join(name).to_str().unwrap().to_owned()
}

/// How far the attacker goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Level {
    /// Changes an entry and nothing else.
    Clumsy,
    /// Makes all digests right, takes the signature away, and says that there was none.
    Clever,
}
use Level::{Clever, Clumsy};

type Attack = fn(&mut Entries);

fn text(entries: &mut Entries, path: &str, from: &str, to: &str) {
    edit(entries, path, |text| text.replacen(from, to, 1));
}

fn append(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.push(b' ');
    bytes
}

fn remove(entries: &mut Entries, path: &str) {
    let before = entries.len();
    entries.retain(|(p, _)| p != path);
    assert_eq!(entries.len(), before - 1, "{path}");
}

/// A finding that failed passes, in every table that tells of it.
fn pass_everywhere(e: &mut Entries) {
    let path = "findings.json";
    edit(e, path, |t| {
        t.replace("\"fail\"", "\"pass\"")
            .replace("\"conclusion\":\"failed\",\"exit_code\":1", "\"conclusion\":\"incomplete\",\"exit_code\":3")
    });
    edit(e, "findings.csv", |t| t.replace(",fail,", ",pass,"));
    edit(e, "requirements.csv", |t| t.replace(",partial,fail,", ",partial,pass,"));
    manifest(e, |m| {
        let failed = m.conclusion.findings.remove("fail").unwrap();
        *m.conclusion.findings.get_mut("pass").unwrap() += failed;
        m.conclusion.outcome = "incomplete".to_owned();
        m.conclusion.exit_code = 3;
    });
}

/// A user is taken out of the population and of all that counts it.
fn hide_a_user(e: &mut Entries) {
    edit(e, "populations/users.csv", |t| {
        t.split_inclusive("\r\n")
            .filter(|line| !line.starts_with("arn:aws:iam::111122223333:user/user-00003"))
            .collect()
    });
    manifest(e, |m| {
        m.populations.iter_mut().find(|p| p.kind == "iam.user").unwrap().rows -= 1;
        for count in m.reconciliation.iter_mut().filter(|r| r.population == "iam.user").flat_map(|r| &mut r.counts) {
            count.count = count.count.map(|n| n - 1);
        }
    });
}

const USERS: &str = "raw/iam/global/GetAccountAuthorizationDetails";

/// Name, how far, what is told (step, file, beginning of the words), and what is done.
const ATTACKS: &[(&str, Level, &str, Attack)] = &[
    // What is changed and left standing.
    ("an edited table", Clumsy, "digests: findings.csv: its SHA-256", |e| text(e, "findings.csv", "pass", "fail")),
    ("an edited text", Clumsy, "digests: README.txt: its SHA-256", |e| text(e, "README.txt", "EVIDENCE", "evidence")),
    ("an edited report", Clumsy, "digests: report.html: its SHA-256", |e| text(e, "report.html", "<h1", "<h2")),
    ("an edited document", Clumsy, "digests: evidence/sts/get-caller-identity.json: its SHA-256", |e| {
        text(e, "evidence/sts/get-caller-identity.json", "auditor", "auditer");
    }),
    ("an edited answer", Clumsy, "digests: raw/iam/global/GetCredentialReport/", |e| {
        let path = path_of(e, "raw/iam/global/GetCredentialReport");
        edit(e, &path, |t| t + " ");
    }),
    ("an edited log of calls", Clumsy, "digests: raw/calls.jsonl: its SHA-256", |e| {
        text(e, "raw/calls.jsonl", "200", "201")
    }),
    ("an edited check", Clumsy, "digests: controls/checks/iam/user-in-group.yaml: its SHA-256", |e| {
        text(e, "controls/checks/iam/user-in-group.yaml", "groups != []", "true");
    }),
    ("edited settings", Clumsy, "digests: controls/auditpack.toml: its SHA-256", |e| {
        text(e, "controls/auditpack.toml", "2026-12-31", "2036-12-31");
    }),
    ("an edited attachment", Clumsy, "digests: manual/01-owner.txt: its SHA-256", |e| {
        text(e, "manual/01-owner.txt", "Ann", "Bob");
    }),
    ("an edited record of a review", Clumsy, "digests: review/last/register.json: its SHA-256", |e| {
        text(e, "review/last/register.json", "Rita", "Rosa");
    }),
    ("an edited manifest", Clumsy, "digests: manifest.json: its SHA-256", |e| {
        text(e, "manifest.json", "\"exit_code\": 1", "\"exit_code\": 0")
    }),
    ("edited sums", Clumsy, "digests: README.txt: its SHA-256", |e| {
        edit(e, "SHA256SUMS", |t| format!("{}{}", "0".repeat(64), &t[64..]));
    }),
    ("sums in another order", Clumsy, "digests: SHA256SUMS: is not sorted", |e| {
        edit(e, "SHA256SUMS", |t| t.lines().rev().map(|line| format!("{line}\n")).collect());
    }),
    ("an edited signature", Clumsy, "signature: attestation:", |e| {
        edit(e, "attestation", |t| t.replacen("\"payload\":\"ey", "\"payload\":\"eY", 1));
    }),
    ("swapped files", Clumsy, "digests: populations/users.csv: its SHA-256", |e| swap(e)),
    ("a removed file", Clumsy, "digests: findings.json: is named and not there", |e| remove(e, "findings.json")),
    ("an added file", Clumsy, "digests: evidence/extra.json: is there, and nothing names it", |e| {
        e.push(("evidence/extra.json".to_owned(), b"{}".to_vec()));
    }),
    ("a removed signature", Clumsy, "signature: attestation: is missing", |e| remove(e, "attestation")),
    // What is changed with all digests made right, and no signature.
    ("an edited table", Clever, "derivation: findings.csv: line ", |e| {
        text(e, "findings.csv", "access key 1", "access key 2")
    }),
    ("an edited verdict", Clever, "derivation: findings.json: line ", |e| {
        text(e, "findings.json", "\"status\":\"pass\"", "\"status\":\"fail\"")
    }),
    ("a verdict edited everywhere", Clever, "derivation: findings.csv: line ", pass_everywhere),
    ("a false requirement", Clever, "consistency: requirements.csv: record 2 tells another", |e| {
        text(e, "requirements.csv", ",partial,fail,", ",partial,pass,");
    }),
    ("a false outcome", Clever, "consistency: manifest.json: the outcome is clean", |e| {
        manifest(e, |m| (m.conclusion.outcome, m.conclusion.exit_code) = ("clean".to_owned(), 0));
    }),
    (
        "a false exit code",
        Clever,
        "consistency: manifest.json: an outcome `failed` does not go with exit code 0",
        |e| {
            manifest(e, |m| m.conclusion.exit_code = 0);
        },
    ),
    ("a laxer gate", Clever, "consistency: manifest.json: the outcome is incomplete", |e| {
        manifest(e, |m| (m.conclusion.outcome, m.conclusion.exit_code) = ("incomplete".to_owned(), 3));
    }),
    ("false counts", Clever, "consistency: findings.json: the manifest counts other findings", |e| {
        manifest(e, |m| *m.conclusion.findings.get_mut("pass").unwrap() += 1);
    }),
    ("an edited population", Clever, "derivation: populations/users.csv: line ", |e| {
        text(e, "populations/users.csv", ",true,", ",false,");
    }),
    ("a hidden user", Clever, "derivation: populations/users.csv: line ", hide_a_user),
    ("a hidden user who is still counted", Clever, "consistency: populations/users.csv: has 3 rows", |e| {
        edit(e, "populations/users.csv", |t| t.split_inclusive("\r\n").take(4).collect());
    }),
    ("a population that is said to be whole", Clever, "derivation: manifest.json: line ", |e| {
        manifest(e, |m| {
            for population in &mut m.populations {
                population.complete = true;
                population.incomplete.clear();
            }
        });
    }),
    ("sources that are said to agree", Clever, "derivation: manifest.json: line ", |e| {
        manifest(e, |m| m.reconciliation.iter_mut().for_each(|r| (r.agrees, r.differences) = (true, Vec::new())));
    }),
    ("an edited report", Clever, "derivation: report.html: line ", |e| text(e, "report.html", "<h1", "<h1 ")),
    ("an edited README", Clever, "derivation: README.txt: line ", |e| {
        text(e, "README.txt", "111122223333", "444455556666")
    }),
    ("an edited document", Clever, "derivation: evidence/iam/get-account-authorization-details.json: line ", |e| {
        text(e, "evidence/iam/get-account-authorization-details.json", "user-00003", "user-0000x");
    }),
    ("a removed document", Clever, "consistency: evidence/sts/get-caller-identity.json: belongs to", |e| {
        remove(e, "evidence/sts/get-caller-identity.json");
    }),
    (
        "a removed policy",
        Clever,
        "derivation: evidence/iam/trust-policies/ml-etl-00002.json: is made from the recording",
        |e| {
            remove(e, "evidence/iam/trust-policies/ml-etl-00002.json");
        },
    ),
    ("an added document", Clever, "derivation: evidence/extra.json: is not made from the recording", |e| {
        e.insert(0, ("evidence/extra.json".to_owned(), b"{}".to_vec()));
    }),
    ("an added program", Clever, "derivation: setup.exe: is not made from the recording", |e| {
        e.push(("setup.exe".to_owned(), b"MZ".to_vec()));
    }),
    ("swapped files", Clever, "consistency: populations/roles.csv: has 4 rows", |e| swap(e)),
    ("an edited table of calls", Clever, "derivation: calls.csv: line ", |e| text(e, "calls.csv", ",200,", ",403,")),
    ("an edited answer", Clever, "recording: raw/iam/global/GetCredentialReport/", |e| {
        let path = path_of(e, "raw/iam/global/GetCredentialReport");
        edit(e, &path, |t| t + " ");
    }),
    (
        "an edited answer and its log",
        Clever,
        "derivation: evidence/iam/get-account-authorization-details.json: line ",
        |e| {
            edit_answer(e, USERS, |bytes| {
                String::from_utf8(bytes).unwrap().replacen("user-00003", "user-0000x", 1).into_bytes()
            });
        },
    ),
    ("a removed page", Clever, "recording: raw/iam/global/GetAccountAuthorizationDetails/", |e| {
        let path = path_of(e, USERS);
        remove(e, &path);
    }),
    ("a removed page and its line", Clever, "derivation: evidence/iam/get-account-authorization-details.json: ", |e| {
        let path = path_of(e, USERS);
        remove(e, &path);
        edit(e, "raw/calls.jsonl", |t| {
            t.split_inclusive('\n').filter(|line| !line.contains("\"iam:GetAccountAuthorizationDetails\"")).collect()
        });
    }),
    ("an added page", Clever, "recording: raw/iam/global/extra-000.1.xml: is a response that no request", |e| {
        e.insert(0, ("raw/iam/global/extra-000.1.xml".to_owned(), b"<x/>".to_vec()));
    }),
    ("an added page and its line", Clever, "pages: raw/calls.jsonl: page ", |e| {
        let body = e.iter().find(|(path, _)| path.starts_with(USERS)).unwrap().1.clone();
        e.insert(
            0,
            ("raw/iam/global/GetAccountAuthorizationDetails/ffffffffffffffffffffffff-000.1.xml".to_owned(), body),
        );
        edit(e, "raw/calls.jsonl", |t| {
            let line = t.lines().find(|line| line.contains("\"iam:GetAccountAuthorizationDetails\"")).unwrap();
            let again = line
                .replace("8c48733ed55cfd719195130d", "ffffffffffffffffffffffff")
                .replace("\"page\":1", "\"page\":3");
            format!("{t}{again}\n")
        });
    }),
    ("a last page that announces another", Clever, "pages: raw/iam/global/GetAccountAuthorizationDetails/", |e| {
        edit_answer(e, USERS, |bytes| {
            let more = "<IsTruncated>true</IsTruncated><Marker>more</Marker>";
            String::from_utf8(bytes).unwrap().replacen("<IsTruncated>false</IsTruncated>", more, 1).into_bytes()
        });
    }),
    ("another as-of time in the recording", Clever, "derivation: manifest.json: line ", |e| {
        text(e, "raw/run.json", "\"as_of\": \"2026-10-15", "\"as_of\": \"2026-10-16");
    }),
    ("another as-of time in the manifest", Clever, "derivation: manifest.json: line ", |e| {
        text(e, "manifest.json", "\"as_of\": \"2026-10-15", "\"as_of\": \"2026-10-16");
    }),
    ("another command line", Clever, "derivation: manifest.json: line ", |e| {
        text(e, "raw/custody.json", "--no-pacing", "--pacing");
    }),
    ("a lax check", Clever, "derivation: findings.json: line ", |e| {
        text(e, "controls/checks/review/access-review-followed-up.yaml", "severity: high", "severity: low");
    }),
    ("a removed check", Clever, "derivation: ", |e| remove(e, "controls/checks/iam/user-in-group.yaml")),
    (
        "another check's text for one",
        Clever,
        "controls: controls/checks/iam/user-in-group.yaml: is not the one of auditpack",
        |e| {
            text(e, "controls/checks/iam/user-in-group.yaml", "groups != []", "true");
            // Nobody is in no group, so that every verdict stays as it was. The check that asks nothing is named.
            text(e, "README.txt", "EVIDENCE", "Evidence");
        },
    ),
    ("an exception that lasts longer", Clever, "derivation: findings.json: line ", |e| {
        text(e, "controls/auditpack.toml", "expires = 2026-12-31", "expires = 2036-12-31");
    }),
    ("an exception that nobody approved", Clever, "derivation: findings.json: line ", |e| {
        edit(e, "controls/auditpack.toml", |t| {
            t + "[[exceptions]]\ncheck = \"access-review-followed-up\"\nresource = \"*\"\nreason = \"x\"\napprover = \"y\"\ngranted = 2026-10-01\nexpires = 2026-12-31\n"
        });
    }),
    ("an edited attachment", Clever, "derivation: findings.json: line ", |e| {
        text(e, "manual/01-owner.txt", "Ann", "Bob")
    }),
    ("a removed attachment", Clever, "derivation: ", |e| remove(e, "manual/01-owner.txt")),
    ("an edited record of a review", Clever, "derivation: populations/access-reviews.csv: line ", |e| {
        edit(e, "review/last/register.json", |t| {
            t.replace("Rita Reviewer", "Rosa Reviewer").replace("\"not-done\"", "\"done\"").replace("not done", "done")
        });
    }),
    ("a review of another package", Clever, "derivation: manifest.json: line ", |e| {
        text(e, "review/last/record.json", "198aa47f", "298aa47f");
    }),
    ("an undeclared redaction", Clever, "redactions: raw/", |e| manifest(e, |m| m.redactions.clear())),
    ("a hidden gap", Clever, "derivation: manifest.json: line ", |e| {
        manifest(e, |m| m.notes.clear());
        manifest(e, |m| m.exclusions.clear());
    }),
    ("an edited log file", Clever, "recording: raw/trail-logs/files/", |e| {
        let path = path_of(e, "CloudTrail_us-east-1_20261001T0455Z");
        e.iter_mut().find(|(p, _)| *p == path).unwrap().1.push(b' ');
    }),
    ("an edited log file and its index", Clever, "derivation: evidence/cloudtrail/trail-logs.csv: line ", |e| {
        edit_answer(e, "CloudTrail_us-east-1_20261001T0455Z", append);
    }),
    ("a removed log file", Clever, "recording: raw/trail-logs/files/", |e| {
        let path = path_of(e, "CloudTrail_us-east-1_20261001T0455Z");
        remove(e, &path);
    }),
    ("a version that never was", Clever, "derivation: manifest.json: says that auditpack 0.0.9 made it", |e| {
        manifest(e, |m| m.tool.version = "0.0.9".to_owned());
    }),
    ("another version and a hidden user", Clever, "derivation: populations/users.csv: has no record of", |e| {
        hide_a_user(e);
        manifest(e, |m| m.tool.version = "0.1.0".to_owned());
    }),
    (
        "another version and an edited population",
        Clever,
        "derivation: populations/users.csv: column password_enabled",
        |e| {
            text(e, "populations/users.csv", ",true,", ",false,");
            manifest(e, |m| m.tool.version = "7.0.0".to_owned());
        },
    ),
    (
        "another version and another verdict",
        Clever,
        "derivation: findings.json: status of access-review-followed-up",
        |e| {
            pass_everywhere(e);
            manifest(e, |m| m.tool.version = "0.1.0".to_owned());
        },
    ),
    ("another version and an edited manifest", Clever, "derivation: manifest.json: complete of ", |e| {
        manifest(e, |m| {
            m.tool.version = "0.1.0".to_owned();
            m.populations.iter_mut().for_each(|p| (p.complete, p.incomplete) = (true, Vec::new()));
        });
    }),
    ("another version and an edited review", Clever, "derivation: populations/access-reviews.csv: column ", |e| {
        edit(e, "review/last/register.json", |t| t.replace("\"not-done\"", "\"done\"").replace("not done", "done"));
        manifest(e, |m| m.tool.version = "0.1.0".to_owned());
    }),
    (
        "an answer without its recording",
        Clever,
        "recording: manifest.json: says that the evidence was made from a recording",
        |e| {
            e.retain(|(path, _)| !path.starts_with("raw/") && path != "calls.csv");
            manifest(e, |m| {
                m.redactions.clear();
                m.calls.iter_mut().for_each(|call| call.responses.clear());
                m.files.iter_mut().for_each(|file| file.sources.clear());
            });
        },
    ),
    ("a source that is said to be files", Clever, "derivation: manifest.json: line ", |e| {
        text(e, "manifest.json", "\"source\": \"recording\"", "\"source\": \"files\"");
    }),
];

fn swap(entries: &mut Entries) {
    let of = |name: &str| entries.iter().position(|(path, _)| path == name).unwrap();
    let (a, b) = (of("populations/users.csv"), of("populations/roles.csv"));
    let bytes = std::mem::take(&mut entries[a].1);
    entries[a].1 = std::mem::replace(&mut entries[b].1, bytes);
}

/// Runs the verifier in Python; what it says of each package.
fn python(packages: &[PathBuf], key: Option<&str>) -> Vec<String> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verify_package.py");
    let mut command = Command::new("python3");
    command.arg(script).args(packages);
    if let Some(key) = key {
        command.args(["--key", key]);
    }
    let output = command.output().expect("python3 is there");
    let lines: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), packages.len(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.success(), !lines.iter().any(|line| line.contains("NOT INTACT")));
    lines
}

/// Whether the verifier in Python can be run. Where it cannot, this fails, unless somebody says that it need not.
fn has_python() -> bool {
    let there = Command::new("python3").args(["-c", "import cryptography"]).output();
    let there = there.is_ok_and(|output| output.status.success());
    assert!(
        there || std::env::var_os("AUDITPACK_WITHOUT_PYTHON").is_some(),
        "the second verifier, tests/verify_package.py, needs python3 with the package `cryptography` (on Debian and \
         Ubuntu python3-cryptography): install it, or set AUDITPACK_WITHOUT_PYTHON=1 to leave it out"
    );
    there
}

#[test]
fn every_attack_on_the_content_is_caught_and_named() {
    let original = entries(&MADE.everything);
    let key = file("key.pub.pem");
    let (code, report) = verify(&MADE.everything, &["--key", &key, "--review", &format!("{GOLDEN}/review.zip")]);
    assert_eq!((code, &report["verdict"]), (0, &Value::from("authentic")), "{report:#}");
    // A lax check is derived rightly: controls that are not the program's own are named.
    let own = "controls: controls/frameworks/mine.yaml: is not part of auditpack";
    assert_eq!(forging::step(&report, "controls")["verdict"], "in-part", "{report:#}");
    assert!(problems(&report).iter().any(|problem| problem.starts_with(own)), "{report:#}");
    let dir = tempfile::tempdir().unwrap();
    let mut packages = Vec::new();
    let mut missed = Vec::new();
    for (n, (name, level, expected, attack)) in ATTACKS.iter().enumerate() {
        let mut forged = original.clone();
        attack(&mut forged);
        let forged = if *level == Clever { unsigned(forged) } else { forged };
        let path = dir.path().join(format!("{n:02}.zip"));
        std::fs::copy(pack(&forged).path(), &path).unwrap();
        // What digests or the manifest contradict needs no derivation to be found.
        let more: &[&str] = if expected.starts_with("derivation") { &[] } else { &["--no-derivation"] };
        let (code, report) = verify(&path, more);
        let told = problems(&report);
        // Names of controls are told without being a failure; what else is changed with them fails.
        let quiet = expected.starts_with("controls");
        if (code != 5 && !quiet) || !told.iter().any(|problem| problem.starts_with(expected)) {
            missed.push(format!("{name} ({level:?}): exit {code}, `{expected}` is not among {told:#?}"));
        }
        packages.push(path);
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    if !has_python() {
        return;
    }
    // With the key, both find all of them: nothing of an attacker is signed by it.
    for (said, (name, ..)) in python(&packages, Some(&key)).iter().zip(ATTACKS) {
        assert!(said.contains("NOT INTACT"), "{name}: {said}");
    }
    // Without it, it finds what digests and the manifest contradict, and no more.
    for (said, (name, level, ..)) in python(&packages, None).iter().zip(ATTACKS) {
        let alone = [
            "an edited signature", // no attestation can be read, or it is about another manifest
            "an answer without its recording",
            "a source that is said to be files",
        ];
        let finds = *level == Clumsy || alone.contains(name);
        assert_eq!(said.contains("NOT INTACT"), finds, "{name}: {said}");
    }
    assert!(
        python(&[MADE.everything.clone(), MADE.review.clone()], None).iter().all(|said| said.contains("are intact"))
    );
    assert!(python(std::slice::from_ref(&MADE.everything), Some(&file("other.pub.pem")))[0].contains("NOT INTACT"));
}

/// Who signs with a key of their own has a package that is what it says, and is not the one of the key that was given.
#[test]
fn another_key_makes_no_forgery_authentic() {
    let key = SigningKey::from_pem(&std::fs::read_to_string(file("other.pem")).unwrap()).unwrap();
    let mut forged = entries(&MADE.everything);
    hide_a_user(&mut forged);
    let forged = pack(&signed_by(forged, &key));
    let (code, report) = verify(forged.path(), &["--key", &file("key.pub.pem")]);
    let told = problems(&report);
    assert!(
        code == 5 && told.iter().any(|p| p.starts_with("signature: attestation: is not by the key that was given"))
    );
    // By its own key it is signed, and still not derived.
    let (code, report) = verify(forged.path(), &["--key", &file("other.pub.pem")]);
    assert_eq!((code, &report["verdict"]), (5, &Value::from("not intact")), "{report:#}");
    assert_eq!(forging::step(&report, "signature")["verdict"], "ok");
    // An attestation of the true package under a manifest that was changed.
    let mut stale = entries(&MADE.everything);
    text(&mut stale, "manifest.json", "\"exit_code\": 1", "\"exit_code\": 0");
    let (code, report) = verify(pack(&forging::with_right_digests(stale)).path(), &["--no-derivation"]);
    assert!(code == 5 && problems(&report).contains(&"signature: attestation: is about another manifest".to_owned()));
}

/// What somebody makes anew from invented answers contradicts nothing: it is intact, and nothing says that it is more.
#[test]
fn what_is_made_anew_from_invented_answers_is_not_called_authentic() {
    let mut forged = entries(&MADE.everything);
    edit_answer(&mut forged, USERS, |bytes| {
        String::from_utf8(bytes).unwrap().replace("user-00003", "user-0000x").into_bytes()
    });
    let forged = pack(&unsigned(forged));
    let again = MADE.dir.path().join("invented.zip");
    let ran = run(auditpack()
        .current_dir(MADE.dir.path().join("clean"))
        .args(["collect", "--quiet", "--controls", "../controls", "--frameworks", "mine", "--replay"])
        .arg(forged.path())
        .arg("--out")
        .arg(&again));
    assert!([0, 1, 3].contains(&ran.code), "{}", ran.stderr);
    let (code, report) = verify(&again, &[]);
    assert_eq!((code, &report["verdict"]), (0, &Value::from("intact, origin not proven")), "{report:#}");
    assert!(report["says"].as_str().unwrap().starts_with("nothing shows who made it"), "{report:#}");
    assert_eq!(verify(&again, &["--key", &file("key.pub.pem")]).0, 5);
    // Another version that makes the same of it, but for its name, leaves nothing untold.
    let mut renamed = entries(&again);
    manifest(&mut renamed, |m| m.tool.version = "0.1.0".to_owned());
    let (code, report) = verify(pack(&unsigned(renamed)).path(), &[]);
    assert_eq!((code, &report["verdict"]), (0, &Value::from("intact, origin not proven")), "{report:#}");
    assert_eq!(report["not_derived"], serde_json::json!([]), "{report:#}");
}

/// What another version made of texts cannot be told, and is not taken for derived.
#[test]
fn what_cannot_be_derived_is_named_for_people_and_programs() {
    let mut forged = entries(&MADE.everything);
    text(&mut forged, "report.html", "<h1", "<h1 ");
    manifest(&mut forged, |m| m.tool.version = "0.1.0".to_owned());
    let forged = pack(&unsigned(forged));
    let (code, report) = verify(forged.path(), &[]);
    assert_eq!(
        (code, &report["verdict"]),
        (0, &Value::from("intact, derived in part, origin not proven")),
        "{report:#}"
    );
    let not_derived: Vec<&str> =
        report["not_derived"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
    assert!(not_derived.contains(&"report.html") && !not_derived.contains(&"populations/users.csv"), "{not_derived:?}");
    assert!(report["says"].as_str().unwrap().contains("this version cannot tell"), "{report:#}");
}

/// The record of an access review: made again from what was filled in, and held against the package that it is a copy of.
#[test]
fn the_record_of_a_review_is_held_against_what_it_was_made_from() {
    let (code, report) = verify(&MADE.review, &[]);
    assert_eq!((code, &report["verdict"]), (0, &Value::from("intact, origin not proven")), "{report:#}");
    let attacks: [(&str, Attack); 4] = [
        ("derivation: review/register.csv: line ", |e| text(e, "review/register.csv", "Rita", "Rosa")),
        ("derivation: review/closure.csv: line ", |e| text(e, "review/closure.csv", "not done", "done")),
        ("derivation: review/attestation.html: line ", |e| text(e, "review/attestation.html", "<h1", "<h1 ")),
        ("derivation: review/register.csv: line ", |e| {
            text(e, "review/input/files/csv/users.csv", ",remove,", ",keep,")
        }),
    ];
    for (expected, attack) in attacks {
        let mut forged = entries(&MADE.review);
        attack(&mut forged);
        let (code, report) = verify(pack(&unsigned(forged)).path(), &[]);
        let told = problems(&report);
        assert!(code == 5 && told.iter().any(|p| p.starts_with(expected)), "{expected}: {told:#?}");
    }
    // A forged record is not taken over into another package.
    let mut forged = entries(&MADE.review);
    edit(&mut forged, "review/register.json", |t| t.replace("Rita", "Rosa"));
    edit(&mut forged, "review/register.csv", |t| t.replace("Rita", "Rosa"));
    let forged = pack(&unsigned(forged));
    let ran = run(auditpack()
        .current_dir(MADE.dir.path().join("clean"))
        .args([
            "collect",
            "--quiet",
            "--controls",
            "../controls",
            "--frameworks",
            "mine",
            "--out",
            "never.zip",
            "--replay",
        ])
        .arg(&MADE.everything)
        .arg("--review")
        .arg(forged.path()));
    assert!(ran.code == 2 && ran.stderr.contains("does not follow from what it rests on"), "{}", ran.stderr);
    // A copy says whose it is, and only that package will do.
    let (code, report) = verify(&MADE.everything, &[]);
    assert_eq!((code, &forging::step(&report, "review")["verdict"]), (0, &Value::from("not-checked")), "{report:#}");
    let (code, report) = verify(&MADE.everything, &["--no-derivation", "--review", MADE.review.to_str().unwrap()]);
    assert!(code == 5 && problems(&report).iter().any(|p| p.starts_with("review: review/last")), "{report:#}");
}

/// A package with time stamp, of the first version: nobody takes the stamp away, puts another there, or adds one.
#[test]
fn a_time_stamp_is_neither_taken_away_nor_exchanged() {
    let stamped = Path::new(GOLDEN).join("everything.zip");
    let roots = format!("{GOLDEN}/stamps.pem");
    let sealed = ["--no-derivation", "--timestamp-roots", &roots];
    assert_eq!(verify(&stamped, &sealed).0, 0);
    let other = entries(&Path::new(GOLDEN).join("signed.zip")).into_iter().find(|(p, _)| p == "timestamp.tsr").unwrap();
    type Change<'a> = &'a dyn Fn(&mut Entries);
    let cases: [(&str, &str, Change<'_>); 4] = [
        ("taken away", "time stamp: timestamp.tsr: is missing", &|e| remove(e, "timestamp.tsr")),
        ("another's", "time stamp: timestamp.tsr: ", &|e| {
            remove(e, "timestamp.tsr");
            e.push(other.clone());
        }),
        ("no stamp at all", "time stamp: timestamp.tsr: ", &|e| {
            e.iter_mut().find(|(p, _)| p == "timestamp.tsr").unwrap().1 = b"stamped".to_vec();
        }),
        ("taken away with the declaration", "time stamp: timestamp.tsr: is missing", &|e| {
            *e = unsigned(std::mem::take(e))
        }),
    ];
    let dir = tempfile::tempdir().unwrap();
    for (name, expected, change) in cases {
        let mut forged = entries(&stamped);
        change(&mut forged);
        let path = dir.path().join("p.zip");
        std::fs::copy(pack(&forged).path(), &path).unwrap();
        let (code, report) = verify(&path, &sealed);
        let told = problems(&report);
        assert!(code == 5 && told.iter().any(|p| p.starts_with(expected)), "{name}: {told:#?}");
        if name == "taken away" && has_python() {
            assert!(python(&[path], None)[0].contains("NOT INTACT: timestamp.tsr is there or declared"));
        }
    }
}

/// Changes the bytes of a zip.
type Bend = fn(Vec<u8>) -> Vec<u8>;

fn replaced(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let places: Vec<usize> = (0..bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + from.len()].copy_from_slice(to);
    }
    bytes
}

/// Where the directory begins.
fn directory(bytes: &[u8]) -> usize {
    let end = bytes.len() - 22;
    u32::from_le_bytes(bytes[end + 16..end + 20].try_into().unwrap()) as usize
}

/// Puts bytes before the directory, and tells the end where that is now.
fn before_the_directory(mut bytes: Vec<u8>, hidden: &[u8]) -> Vec<u8> {
    let at = directory(&bytes);
    bytes.splice(at..at, hidden.iter().copied());
    let end = bytes.len() - 22;
    bytes[end + 16..end + 20].copy_from_slice(&((at + hidden.len()) as u32).to_le_bytes());
    bytes
}

/// Changes the field of an entry in its own header and in the directory.
fn in_both_headers(mut bytes: Vec<u8>, name: &[u8], at: usize, to: &[u8]) -> Vec<u8> {
    for (mark, length, shift) in [(b"PK\x03\x04", 30, 0), (b"PK\x01\x02", 46, 2)] {
        let place = (0..bytes.len() - length - name.len())
            .find(|place| bytes[*place..].starts_with(mark) && bytes[place + length..].starts_with(name))
            .unwrap();
        bytes[place + shift + at..place + shift + at + to.len()].copy_from_slice(to);
    }
    bytes
}

/// Adds bytes behind the packed data of the first entry, within it as far as the zip tells.
fn behind_packed_data(bytes: Vec<u8>) -> Vec<u8> {
    let hidden = b"hidden";
    let (name, extra) = (u16::from_le_bytes([bytes[26], bytes[27]]), u16::from_le_bytes([bytes[28], bytes[29]]));
    let packed = u32::from_le_bytes(bytes[18..22].try_into().unwrap());
    let end = 30 + usize::from(name) + usize::from(extra) + packed as usize;
    let first = bytes[30..30 + usize::from(name)].to_vec();
    let mut bytes = in_both_headers(bytes, &first, 18, &(packed + hidden.len() as u32).to_le_bytes());
    let mut at = directory(&bytes);
    let tail = bytes.len() - 22;
    // Every header after it lies further back.
    while at < tail {
        let of = |from: usize| usize::from(u16::from_le_bytes([bytes[at + from], bytes[at + from + 1]]));
        let next = at + 46 + of(28) + of(30) + of(32);
        let offset = u32::from_le_bytes(bytes[at + 42..at + 46].try_into().unwrap());
        if offset > 0 {
            bytes[at + 42..at + 46].copy_from_slice(&(offset + hidden.len() as u32).to_le_bytes());
        }
        at = next;
    }
    let start = directory(&bytes) + hidden.len();
    bytes[tail + 16..tail + 20].copy_from_slice(&(start as u32).to_le_bytes());
    bytes.splice(end..end, hidden.iter().copied());
    bytes
}

/// Adds an entry with a program that packs zips.
fn with_entry(bytes: &[u8], add: impl FnOnce(&mut zip::ZipWriter<std::fs::File>)) -> Vec<u8> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let open = std::fs::OpenOptions::new().read(true).write(true).open(file.path()).unwrap();
    let mut zip = zip::ZipWriter::new_append(open).unwrap();
    add(&mut zip);
    zip.finish().unwrap();
    std::fs::read(file.path()).unwrap()
}

fn plain() -> SimpleFileOptions {
    SimpleFileOptions::DEFAULT.last_modified_time(zip::DateTime::default()).unix_permissions(0o600)
}

const BENT: &[(&str, &str, Bend)] = &[
    ("a comment", "comment", |mut b| {
        let at = b.len() - 2;
        b[at] = 4;
        b.extend_from_slice(b"note");
        b
    }),
    ("bytes after the end", "", |b| [b.as_slice(), b"more"].concat()),
    ("bytes before the start", "", |b| [b"#!/bin/sh\n", b.as_slice()].concat()),
    ("the zip twice", "", |b| [b.as_slice(), b.as_slice()].concat()),
    ("half a zip", "only a part of one", |b| b[..b.len() / 2].to_vec()),
    ("no zip", "not a zip", |_| b"evidence".to_vec()),
    ("bytes before the directory", "between its last entry and its directory", |b| before_the_directory(b, b"hidden")),
    ("an entry that the directory does not name", "contradict each other", |b| {
        let hidden = b[..30 + usize::from(u16::from_le_bytes([b[26], b[27]]))].to_vec();
        before_the_directory(b, &hidden)
    }),
    ("bytes behind an entry's data", "README.txt", behind_packed_data),
    ("a name of two readings", "filename mismatch", |b| {
        let at = (0..b.len()).find(|at| b[*at..].starts_with(b"README.txt")).unwrap();
        let mut b = b;
        b[at..at + 10].copy_from_slice(b"evil/E.txt");
        b
    }),
    ("a name that is not text", "has a name that no package uses", |b| replaced(b, b"README.txt", b"READ\xffE.txt")),
    ("a name that leads elsewhere", "has a name that no package uses", |b| replaced(b, b"README.txt", b"../ADM.txt")),
    ("a name that hides its ending", "has a name that no package uses", |b| {
        replaced(b, b"README.txt", "a\u{202e}b.txt".as_bytes().get(..10).unwrap_or(b"a\xe2\x80\xaebtxt.c"))
    }),
    ("two entries of one name", "same name", |b| {
        replaced(with_entry(&b, |z| z.start_file("README.tx2", plain()).unwrap()), b"README.tx2", b"README.txt")
    }),
    ("names alike but for case", "in upper and lower case only", |b| {
        with_entry(&b, |z| {
            z.start_file("findings.CSV", plain()).unwrap();
            z.write_all(b"check,status\r\n").unwrap();
        })
    }),
    ("a file that is a folder", "lies in report.html, which is a file", |b| {
        with_entry(&b, |z| z.start_file("report.html/x", plain()).unwrap())
    }),
    ("a symbolic link", "is a symbolic link", |b| {
        with_entry(&b, |z| z.add_symlink("evidence/link", "/etc/passwd", plain()).unwrap())
    }),
    ("a bomb", "that is how a zip bomb looks", |b| {
        with_entry(&b, |z| {
            z.start_file("evidence/zeros", plain()).unwrap();
            z.write_all(&vec![0; 8 << 20]).unwrap();
        })
    }),
    ("a size that is a lie", "README.txt", |b| in_both_headers(b, b"README.txt", 22, &[0xff, 0xff, 0x0f, 0])),
    ("an absurd size", "README.txt", |b| in_both_headers(b, b"README.txt", 22, &[0xff, 0xff, 0xff, 0x7f])),
    ("another checksum", "README.txt", |b| in_both_headers(b, b"README.txt", 14, &[1, 2, 3, 4])),
    ("an encrypted entry", "encrypted", |b| in_both_headers(b, b"README.txt", 6, &[1, 0])),
    ("another method", "compressed by a method", |b| in_both_headers(b, b"README.txt", 8, &[12, 0])),
    ("packed by another program", "packed by another program", |b| {
        with_entry(&b, |z| {
            let mut options = zip::write::FullFileOptions::default().last_modified_time(zip::DateTime::default());
            options.add_extra_field(0x9999, [1, 2], false).unwrap();
            z.start_file("evidence/x", options).unwrap();
        })
    }),
];

#[test]
fn every_attack_on_the_container_is_caught() {
    let original = std::fs::read(&MADE.everything).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut packages = Vec::new();
    for (n, (name, expected, bend)) in BENT.iter().enumerate() {
        let path = dir.path().join(format!("{n:02}.zip"));
        let bent = bend(original.clone());
        assert!(bent != original, "{name}");
        std::fs::write(&path, bent).unwrap();
        let (code, report) = verify(&path, &["--no-derivation"]);
        let told = problems(&report);
        assert!(code == 5 && told.iter().any(|problem| problem.contains(expected)), "{name}: exit {code}, {told:#?}");
        packages.push(path);
    }
    if has_python() {
        for (said, (name, ..)) in python(&packages, None).iter().zip(BENT) {
            assert!(said.contains("NOT INTACT"), "{name}: {said}");
        }
    }
    // Unpacked and packed again by a program for zips: the files are right, and the container is another.
    let again = zip_anew(&original);
    let (code, report) = verify(again.path(), &[]);
    assert!(code == 5 && problems(&report).iter().any(|told| told.contains("packed anew")), "{report:#}");
}

/// The same files in another zip.
fn zip_anew(original: &[u8]) -> tempfile::NamedTempFile {
    let source = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(source.path(), original).unwrap();
    let file = tempfile::Builder::new().suffix(".zip").tempfile().unwrap();
    let mut zip = zip::ZipWriter::new(file.reopen().unwrap());
    for (path, bytes) in entries(source.path()) {
        zip.start_file(path, plain().compression_method(zip::CompressionMethod::Stored)).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap();
    file
}

/// One bit in an entry of every class: the entry is named.
#[test]
fn a_flipped_bit_in_any_kind_of_file_names_it() {
    let original = std::fs::read(&MADE.everything).unwrap();
    let names: Vec<String> = entries(&MADE.everything).into_iter().map(|(path, _)| path).collect();
    let classes = [
        "README.txt",
        "calls.csv",
        "controls/auditpack.toml",
        "controls/checks/",
        "controls/frameworks/",
        "evidence/iam/",
        "evidence/cloudtrail/trail-logs.json",
        "findings.csv",
        "findings.json",
        "manual/",
        "populations/",
        "raw/calls.jsonl",
        "raw/run.json",
        "raw/custody.json",
        "raw/iam/",
        "raw/trail-logs/files/",
        "raw/trail-logs/index.json",
        "report.html",
        "requirements.csv",
        "review/last/",
        "manifest.json",
        "SHA256SUMS",
        "attestation",
    ];
    let file = tempfile::Builder::new().suffix(".zip").tempfile().unwrap();
    for class in classes {
        let name = names.iter().find(|name| name.starts_with(class)).unwrap();
        let header = (0..original.len())
            .find(|at| original[*at..].starts_with(b"PK\x03\x04") && original[at + 30..].starts_with(name.as_bytes()))
            .unwrap();
        let data = header + 30 + name.len();
        let packed = u32::from_le_bytes(original[header + 18..header + 22].try_into().unwrap()) as usize;
        // The last bits of a deflate stream fill its last byte, and mean nothing; the derivation finds them.
        for place in [data, data + packed / 3, data + packed / 2, data + packed - 2] {
            let mut bytes = original.clone();
            bytes[place] ^= 1 << (place % 8);
            std::fs::write(file.path(), bytes).unwrap();
            let (code, report) = verify(file.path(), &["--no-derivation"]);
            assert!(
                code == 5 && problems(&report).iter().any(|told| told.contains(name.as_str())),
                "{name} at {place}: {report:#}"
            );
        }
    }
}
