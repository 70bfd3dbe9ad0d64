//! Time stamps (RFC 3161), from an authority made of `openssl ts` behind a small HTTP server: asked as the standard has
//! it, checked in every part, and never left out in silence.

mod common;

use auditpack::package::timestamp::{Request, Roots, Token};
use common::{Ran, auditpack, run};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::thread;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/example-clean");

/// Roots, authorities and what they need, in a folder; made once with the `openssl` command.
struct Authority {
    dir: tempfile::TempDir,
}

const CONFIG: &str = r"
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[stamp]
basicConstraints = CA:FALSE
extendedKeyUsage = critical,timeStamping
[tsa]
default_tsa = good
[good]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
certs = root.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.5
digests = sha256
accuracy = secs:1, millisecs:500
clock_precision_digits = 3
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = sha256
";

fn openssl(dir: &Path, arguments: &str) {
    let output = Command::new("openssl").current_dir(dir).args(arguments.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    std::fs::write(at.join("c.cnf"), CONFIG).unwrap();
    std::fs::write(at.join("serial"), "01\n").unwrap();
    for root in ["root", "other-root"] {
        openssl(
            at,
            &format!(
                "req -x509 -config c.cnf -extensions ca -newkey rsa:2048 -nodes -keyout {root}.key -out {root}.pem -subj /O=Example/CN={root} -days 3650"
            ),
        );
    }
    for (name, key) in [("tsa", "rsa:2048"), ("ec", "ec -pkeyopt ec_paramgen_curve:P-384"), ("expired", "rsa:2048")] {
        openssl(
            at,
            &format!(
                "req -new -config c.cnf -newkey {key} -nodes -keyout {name}.key -out {name}.csr -subj /O=Example/CN=Stamps-{name}"
            ),
        );
    }
    let sign = |name: &str, csr: &str, extensions: &str, days: &str| {
        openssl(
            at,
            &format!(
                "x509 -req -in {csr}.csr -CA root.pem -CAkey root.key -CAcreateserial -extfile c.cnf -extensions {extensions} -out {name}.pem {days}"
            ),
        );
    };
    sign("tsa", "tsa", "stamp", "-days 3650");
    sign("ec", "ec", "stamp", "-days 3650");
    sign("expired", "expired", "stamp", "-days -1");
    // An authority between that does not say what it is for, and a signer below it.
    openssl(
        at,
        "req -new -config c.cnf -newkey rsa:2048 -nodes -keyout between.key -out between.csr -subj /O=Example/CN=between",
    );
    sign("between", "between", "ca", "-days 3650");
    openssl(
        at,
        "x509 -req -in tsa.csr -CA between.pem -CAkey between.key -CAcreateserial -extfile c.cnf -extensions stamp -out below.pem -days 3650",
    );
    Authority { dir }
});

fn at(name: &str) -> PathBuf {
    AUTHORITY.dir.path().join(name)
}

/// The answer of the authority to a request; `more` replaces its key, certificate and the like.
fn answer(request: &[u8], more: &str) -> Vec<u8> {
    let dir = tempfile::tempdir_in(AUTHORITY.dir.path()).unwrap();
    std::fs::write(dir.path().join("q"), request).unwrap();
    // Each answer takes its number from a file of its own, so that tests may run side by side.
    let serial = dir.path().join("serial");
    std::fs::write(&serial, "0A\n").unwrap();
    let config = CONFIG.replace("serial = serial", &format!("serial = {}", serial.display()));
    let config = more.split('|').filter(|edit| edit.contains("=>")).fold(config, |config, edit| {
        let (from, to) = edit.split_once("=>").unwrap();
        config.replace(from.trim(), to.trim())
    });
    std::fs::write(dir.path().join("c.cnf"), config).unwrap();
    let folder = dir.path().file_name().unwrap().to_str().unwrap().to_owned();
    openssl(AUTHORITY.dir.path(), &format!("ts -reply -config {folder}/c.cnf -queryfile {folder}/q -out {folder}/r"));
    std::fs::read(dir.path().join("r")).unwrap()
}

/// An authority that answers each request by what `reply` makes of it: status, media type, body.
fn serve(reply: impl Fn(&[u8]) -> (u16, &'static str, Vec<u8>) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/tsa", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = Vec::new();
            let mut buffer = [0; 4096];
            // The head, then as many bytes as it announces.
            let body = loop {
                let n = stream.read(&mut buffer).unwrap();
                bytes.extend_from_slice(&buffer[..n]);
                let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else {
                    assert!(n > 0);
                    continue;
                };
                let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
                assert!(head.contains("content-type: application/timestamp-query"), "{head}");
                assert!(!head.contains("authorization"), "{head}");
                let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).unwrap();
                if bytes.len() >= end + 4 + length.trim().parse::<usize>().unwrap() {
                    break bytes[end + 4..].to_vec();
                }
            };
            let (status, kind, body) = reply(&body);
            let head = format!(
                "HTTP/1.1 {status} x\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            // A client that has seen enough may be gone.
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    url
}

const ANSWER: &str = "application/timestamp-reply";

fn collect(url: &str, out: &Path, more: &[&str]) -> Ran {
    run(auditpack()
        .args(["collect", "--replay", FIXTURE, "--quiet", "--timestamp-url", url, "--out"])
        .arg(out)
        .args(more))
}

/// A small package from one file that the AWS CLI printed.
fn evaluate(url: Option<&str>, out: &Path) -> Ran {
    let file = at("account-summary.json");
    std::fs::write(&file, r#"{"SummaryMap": {"Users": 1}}"#).unwrap();
    let mut command = auditpack();
    command
        .arg("evaluate")
        .arg(&file)
        .args(["--as-of", "2026-10-01T09:00:00Z", "--frameworks", "hipaa", "--out"])
        .arg(out);
    if let Some(url) = url {
        command.args(["--timestamp-url", url]);
    }
    run(&mut command)
}

fn verify(package: &Path, roots: Option<&str>) -> (i32, Value) {
    let mut command = auditpack();
    command.arg("verify").arg(package).arg("--json");
    if let Some(roots) = roots {
        command.arg("--timestamp-roots").arg(at(roots));
    }
    let ran = run(&mut command);
    (ran.code, serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", ran.stdout, ran.stderr)))
}

fn step(report: &Value) -> &Value {
    report["steps"].as_array().unwrap().iter().find(|step| step["step"] == "time stamp").unwrap()
}

#[test]
fn a_stamped_package_tells_when_and_by_whom_to_those_who_give_the_root() {
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key");
    assert_eq!(run(auditpack().args(["keygen", "--out"]).arg(&key)).code, 0);
    let package = dir.path().join("PACKAGE.zip");
    let url = serve(|request| (200, ANSWER, answer(request, "")));
    let ran = collect(&url, &package, &["--sign", dir.path().join("key.pem").to_str().unwrap()]);
    assert!([0, 1, 3].contains(&ran.code), "{}", ran.stderr);

    let (code, report) = verify(&package, None);
    assert_eq!((code, &step(&report)["verdict"]), (0, &Value::from("not-checked")), "{report:#}");
    assert_eq!(report["time_stamp"], Value::Null);
    let (code, report) = verify(&package, Some("root.pem"));
    assert_eq!((code, &step(&report)["verdict"]), (0, &Value::from("ok")), "{report:#}");
    let says = step(&report)["says"].as_str().unwrap();
    for expected in
        ["CN=Stamps-tsa", "CN=root", "policy 1.2.3.4.1", "attestation was there at 20", "accurate to 1 s 500 ms"]
    {
        assert!(says.contains(expected), "{expected}: {says}");
    }
    assert_eq!(report["time_stamp"]["policy"], "1.2.3.4.1");
    assert_eq!(report["time_stamp"]["serial"], "0b");
    let (code, report) = verify(&package, Some("other-root.pem"));
    assert_eq!(code, 5);
    let what = step(&report)["problems"][0]["what"].as_str().unwrap();
    assert!(what.contains("leads to none of the given roots"), "{what}");
    let ran = run(auditpack().arg("verify").arg(&package).arg("--timestamp-roots").arg(at("tsa.key")));
    assert_eq!(ran.code, 2, "{}", ran.stderr);

    // README.txt's lines, as they stand there.
    let mut readme = String::new();
    let mut zip = zip::ZipArchive::new(std::fs::File::open(&package).unwrap()).unwrap();
    zip.by_name("README.txt").unwrap().read_to_string(&mut readme).unwrap();
    std::fs::copy(at("root.pem"), dir.path().join("ROOTS.pem")).unwrap();
    let section = readme.split_once("HOW TO CHECK WHEN IT WAS MADE").unwrap().1.split_once("HOW TO REBUILD").unwrap().0;
    let lines =
        section.lines().filter_map(|line| line.strip_prefix("      ")).filter(|line| !line.contains("auditpack"));
    let script = format!("unzip -q -d package PACKAGE.zip && cd package\n{}", lines.collect::<Vec<_>>().join("\n"));
    let output = Command::new("sh").arg("-ec").arg(&script).current_dir(dir.path()).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && printed.contains("Verification: OK"), "{script}\n{printed}");
    assert!(printed.contains("Time stamp: "), "{printed}");
}

#[test]
fn the_request_has_a_nonce_and_asks_for_certificates() {
    let request = Request::over(b"text").unwrap();
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("q"), request.der()).unwrap();
    let output = Command::new("openssl").current_dir(dir.path()).args(["ts", "-query", "-in", "q", "-text"]).output();
    let text = String::from_utf8(output.unwrap().stdout).unwrap();
    for expected in ["Hash Algorithm: sha256", "Certificate required: yes", "Nonce: 0x"] {
        assert!(text.contains(expected), "{text}");
    }
    assert_ne!(request.der(), Request::over(b"text").unwrap().der());
}

#[test]
fn an_answer_to_anything_else_is_refused_and_named() {
    let request = Request::over(b"text").unwrap();
    let good = answer(request.der(), "");
    let stamped = request.accept(&good).unwrap();
    assert_eq!((stamped.policy.as_str(), stamped.authority.as_str()), ("1.2.3.4.1", "CN=Stamps-tsa,O=Example"));
    let refused = |request: &Request, answer: &[u8]| request.accept(answer).unwrap_err();
    assert!(refused(&Request::over(b"text").unwrap(), &good).contains("another nonce"));
    assert!(Token::read(&good).unwrap().check(b"other").unwrap_err().contains("about other bytes"));
    let one = Request::over(b"text").unwrap();
    let other = answer(Request::over(b"other").unwrap().der(), "");
    assert!(refused(&one, &other).contains("nonce"));
    // A policy or digest that the authority does not have is its refusal, with its words.
    let refusal = answer(request.der(), "digests = sha256 => digests = sha512");
    let told = refused(&request, &refusal);
    assert!(told.contains("refusal") && told.contains("badAlg"), "{told}");
    for bytes in [&b""[..], b"<html>", &good[..good.len() - 1], &[&good[..], b"x"].concat()] {
        assert!(refused(&request, bytes).contains("no answer of a time stamp authority"));
    }
}

#[test]
fn other_keys_chains_and_kinds_of_certificate_ids_are_read() {
    let roots = Roots::from_pem(&std::fs::read_to_string(at("root.pem")).unwrap()).unwrap();
    for edit in [
        "tsa.pem => ec.pem | tsa.key => ec.key | signer_digest = sha256 => signer_digest = sha384",
        "signer_cert = tsa.pem => signer_cert = below.pem | certs = root.pem => certs = between.pem",
        "ess_cert_id_alg = sha256 => ess_cert_id_alg = sha1",
        "ess_cert_id_alg = sha256 => ess_cert_id_alg = sha512",
        "clock_precision_digits = 3 => clock_precision_digits = 0",
        "signer_digest = sha256 => signer_digest = sha512",
    ] {
        let request = Request::over(b"text").unwrap();
        let answer = answer(request.der(), edit);
        request.accept(&answer).unwrap_or_else(|e| panic!("{edit}: {e}"));
        assert_eq!(Token::read(&answer).unwrap().trusted(&roots).as_deref(), Ok("CN=root,O=Example"), "{edit}");
    }
}

#[test]
fn a_certificate_that_was_not_valid_at_the_time_is_named() {
    let roots = Roots::from_pem(&std::fs::read_to_string(at("root.pem")).unwrap()).unwrap();
    let request = Request::over(b"text").unwrap();
    let answer = answer(request.der(), "tsa.pem => expired.pem | tsa.key => expired.key");
    request.accept(&answer).unwrap();
    let told = Token::read(&answer).unwrap().trusted(&roots).unwrap_err();
    assert!(told.contains("CN=Stamps-expired") && told.contains("expired"), "{told}");
    // Naming it as a root does not make it valid.
    let itself = Roots::from_pem(&std::fs::read_to_string(at("expired.pem")).unwrap()).unwrap();
    assert!(Token::read(&answer).unwrap().trusted(&itself).unwrap_err().contains("expired"));
}

/// No bit of an answer can be turned without being noticed, or the answer says the same.
#[test]
fn a_flipped_bit_in_an_answer_is_found() {
    let roots = Roots::from_pem(&std::fs::read_to_string(at("root.pem")).unwrap()).unwrap();
    let request = Request::over(b"text").unwrap();
    let good = answer(request.der(), "");
    let stamped = request.accept(&good).unwrap();
    for place in 0..good.len() {
        let mut bytes = good.clone();
        bytes[place] ^= 1 << (place % 8);
        let read = Token::read(&bytes).and_then(|token| {
            let stamped = token.check(b"text")?;
            token.trusted(&roots)?;
            Ok(stamped)
        });
        if let Ok(read) = read {
            assert_eq!(read, stamped, "byte {place} of {}", good.len());
        }
    }
}

#[test]
fn a_stamp_that_was_taken_away_exchanged_or_added_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let package = dir.path().join("p.zip");
    let url = serve(|request| (200, ANSWER, answer(request, "")));
    let ran = evaluate(Some(&url), &package);
    assert!([0, 1, 3].contains(&ran.code), "{}", ran.stderr);
    let (code, report) = verify(&package, Some("root.pem"));
    assert_eq!(code, 0, "{report:#}");
    assert!(step(&report)["says"].as_str().unwrap().starts_with("manifest.json was there at 20"));

    let plain = dir.path().join("plain.zip");
    assert!([0, 1, 3].contains(&evaluate(None, &plain).code));
    let repack = |from: &Path, stamp: Option<Vec<u8>>| {
        let to = dir.path().join("forged.zip");
        let mut zip = zip::ZipArchive::new(std::fs::File::open(from).unwrap()).unwrap();
        let mut out = zip::ZipWriter::new(std::fs::File::create(&to).unwrap());
        let options = zip::write::SimpleFileOptions::DEFAULT
            .compression_level(Some(6))
            .last_modified_time(zip::DateTime::default())
            .system(zip::System::Unix)
            .unix_permissions(0o600);
        for n in 0..zip.len() {
            let mut entry = zip.by_index(n).unwrap();
            let name = entry.name().unwrap().into_owned();
            if name == "timestamp.tsr" {
                continue;
            }
            out.start_file(name, options).unwrap();
            std::io::copy(&mut entry, &mut out).unwrap();
        }
        if let Some(stamp) = stamp {
            out.start_file("timestamp.tsr", options).unwrap();
            out.write_all(&stamp).unwrap();
        }
        out.finish().unwrap();
        to
    };
    let problem = |package: &Path, roots: Option<&str>| {
        let (code, report) = verify(package, roots);
        assert_eq!(code, 5, "{report:#}");
        step(&report)["problems"][0]["what"].as_str().unwrap().to_owned()
    };
    let elsewhere = answer(Request::over(b"other").unwrap().der(), "");
    assert!(problem(&repack(&package, None), None).contains("is missing: the manifest says that http://127.0.0.1"));
    assert!(problem(&repack(&package, Some(elsewhere.clone())), None).contains("about other bytes"));
    assert!(problem(&repack(&package, Some(b"x".to_vec())), None).contains("no answer of a time stamp authority"));
    assert!(problem(&repack(&plain, Some(elsewhere)), None).contains("does not say that the package is stamped"));
    assert!(problem(&plain, Some("root.pem")).contains("is missing: the package is not stamped"));
    let (code, report) = verify(&plain, None);
    assert_eq!((code, &step(&report)["verdict"]), (0, &Value::from("not-applicable")));
}

/// What does not stamp leaves no package, and says why, without the password in the address.
#[test]
fn without_an_answer_there_is_no_package() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("p.zip");
    let refused = serve(|request| (200, ANSWER, answer(request, "digests = sha256 => digests = sha512")));
    let other = serve(|_| (200, ANSWER, answer(Request::over(b"other").unwrap().der(), "")));
    let page = serve(|_| (200, "text/html", b"<html>".to_vec()));
    let gone = serve(|_| (404, "text/plain", Vec::new()));
    let huge = serve(|_| (200, ANSWER, vec![0; 2 << 20]));
    let with_password = gone.replace("http://", "http://me:secret@");
    for (url, expected) in [
        (&refused, "is the authority's refusal"),
        (&other, "another nonce"),
        (&page, "`text/html`, not application/timestamp-reply"),
        (&with_password, "status 404"),
        (&huge, "could not be read"),
        (&"http://127.0.0.1:1/".to_owned(), "no time stamp from http://127.0.0.1:1/"),
    ] {
        let ran = evaluate(Some(url), &out);
        assert_eq!(ran.code, 4, "{url}: {}", ran.stderr);
        assert!(ran.stderr.contains(expected) && ran.stderr.contains("leave out --timestamp-url"), "{}", ran.stderr);
        assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "{url}");
    }
    for url in ["ftp://x", "http://", "tsa", "http://a b"] {
        let ran = evaluate(Some(url), &out);
        assert_eq!(ran.code, 2, "{url}: {}", ran.stderr);
        assert!(ran.stderr.contains("is no address of a time stamp authority"), "{}", ran.stderr);
    }
}
