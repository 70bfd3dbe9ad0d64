//! What the tests of the whole program share: the built binary, the synthetic AWS, and packages opened again.

#![allow(dead_code)] // each test file uses its part

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use synthetic_aws::{Account, BlockingServer, Fault, Options};

/// The time that the synthetic accounts take for now.
pub const AS_OF: &str = "2026-10-01T09:00:00Z";

/// A server with an account and faults such as `deny:iam:GetAccountSummary`.
pub fn server(account: Account, faults: &[&str]) -> BlockingServer {
    let faults = faults.iter().map(|rule| rule.parse::<Fault>().unwrap()).collect();
    let options = Options { faults, credential_report_polls: Some(0), ..Options::default() };
    BlockingServer::start(account, options).unwrap()
}

/// What a run of the program left.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// The program, with nothing of the user's AWS configuration in its environment.
pub fn auditpack() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_auditpack"));
    let kept = ["PATH", "TMPDIR", "LANG", "SYSTEMROOT"];
    let kept: Vec<(String, String)> = std::env::vars().filter(|(name, _)| kept.contains(&name.as_str())).collect();
    command.env_clear().envs(kept);
    // No home folder, and no instance metadata service to wait for.
    command.env("HOME", "/nonexistent").env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// Runs the program.
pub fn run(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Adds credentials, which the synthetic AWS does not check.
pub fn with_credentials(command: &mut Command) -> &mut Command {
    command
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "example")
        .env("AWS_REGION", "us-east-1")
}

/// A collection from a server into a folder.
pub fn collect(server: &BlockingServer, out: &Path, more: &[&str]) -> Ran {
    let mut command = auditpack();
    with_credentials(&mut command)
        .current_dir(out)
        .args(["collect", "--quiet", "--as-of", AS_OF, "--endpoint-url", &server.endpoint(), "--out"])
        .arg(out)
        .args(more);
    run(&mut command)
}

/// The one package in a folder.
pub fn package(folder: &Path) -> PathBuf {
    let packages: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "zip"))
        .collect();
    assert_eq!(packages.len(), 1, "{packages:?}");
    packages[0].clone()
}

/// All files of a package, after its checksums were compared.
pub fn files(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut package = auditpack::package::open(path).unwrap();
    assert!(package.check_sums().is_intact());
    let paths: Vec<String> = package.paths().map(str::to_owned).collect();
    // The list of checksums cannot be in the list of checksums.
    let listed = paths.into_iter().filter(|path| path != "SHA256SUMS");
    listed.map(|path| (path.clone(), package.read(&path).unwrap())).collect()
}

/// A JSON file of a package.
pub fn json(files: &BTreeMap<String, Vec<u8>>, path: &str) -> Value {
    serde_json::from_slice(&files[path]).unwrap()
}

/// Check, status, resource and message of each finding.
pub fn findings(files: &BTreeMap<String, Vec<u8>>) -> Vec<(String, String, String, String)> {
    let text = |finding: &Value, member: &str| finding[member].as_str().unwrap_or_default().to_owned();
    json(files, "findings.json")["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| {
            (
                text(f, "check"),
                text(f, "status"),
                f["resource"]["id"].as_str().unwrap_or("").to_owned(),
                text(f, "message"),
            )
        })
        .collect()
}

/// The embedded controls.
pub fn controls() -> auditpack::controls::Controls {
    auditpack::controls::Controls::load(None, auditpack::controls::Settings::default(), &[]).unwrap()
}
