//! A stranger's way through docs/controls.md: its files, copied as they stand, and its command lines, run as they stand.

mod common;

use common::{auditpack, run};
use std::fs;
use std::path::Path;

const PAGE: &str = include_str!("../docs/controls.md");

/// The files of the page: each block of YAML that begins with the file's name.
fn copy_files(to: &Path) -> Vec<String> {
    let blocks = PAGE.split("```yaml\n# ").skip(1).filter_map(|rest| rest.split("```").next());
    let files = blocks.filter_map(|block| block.split_once('\n'));
    files
        .map(|(name, text)| {
            let path = to.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
            name.to_owned()
        })
        .collect()
}

/// The command lines of the page: blocks that are indented, and spans of code in a line.
fn command_lines() -> Vec<String> {
    let joined = PAGE.replace('\n', " ");
    let spans = joined.split('`').filter(|span| span.starts_with("auditpack ") && span.contains("controls "));
    // In a sentence, the name of the program is left out from the second on.
    let more = joined.split('`').filter(|span| span.starts_with("controls ")).map(|span| format!("auditpack {span}"));
    let blocks =
        PAGE.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| line.starts_with("auditpack "));
    blocks.map(str::to_owned).chain(spans.map(str::to_owned)).chain(more).collect()
}

#[test]
fn the_command_lines_of_the_documentation_do_what_it_says() {
    let work = tempfile::tempdir().unwrap();
    assert_eq!(copy_files(&work.path().join("DIR")).len(), 5);
    let package = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/example-clean");
    let mut seen = Vec::new();
    for line in command_lines() {
        let (line, redirected) = line.split_once(" > ").map_or((line.as_str(), false), |(line, _)| (line, true));
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let words = words.into_iter().map(|word| if word == "package.zip" { package } else { word });
        let words: Vec<&str> = words.collect();
        let ran = run(auditpack().current_dir(work.path()).args(&words));
        assert_eq!(ran.code, 0, "{line}: {}", ran.stderr);
        assert!(!ran.stdout.is_empty(), "{line} prints nothing");
        assert!(!redirected || ran.stdout.contains("Resources:"), "{line}: {}", ran.stdout);
        seen.push(words[1].to_owned());
    }
    for command in ["validate", "new", "test", "matrix", "schema", "conformance-pack"] {
        assert!(seen.iter().any(|ran| ran == command), "the page does not show `controls {command}`: {seen:?}");
    }
}

/// A pack has what is missing in a Region and nothing else; what nobody but the customer can say is asked for.
#[test]
fn a_conformance_pack_has_exactly_the_rules_that_are_missing() {
    let recording = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/example-corp");
    let pack = |region: &str| {
        let mut all = String::new();
        for part in ["1", "2", "3"] {
            let args = ["controls", "conformance-pack", recording, "--framework", "soc2,pci-dss", "--region", region];
            let ran = run(auditpack().args(args).args(["--part", part]));
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            all.push_str(&ran.stdout);
        }
        all
    };
    let (with, without) = (pack("us-east-1"), pack("ap-southeast-2"));
    let rule = "SourceIdentifier: ACCESS_KEYS_ROTATED\n";
    assert!(!with.contains(rule) && without.contains(rule), "the rule is deployed in us-east-1 only");
    assert!(with.contains("SourceIdentifier: S3_BUCKET_VERSIONING_ENABLED\n"));
    let asked = "  EksClusterSupportedVersionOldestVersionSupported:\n    Type: String\n";
    assert!(with.contains(asked), "{with}");
    assert!(
        with.contains("oldestVersionSupported:\n          Ref: EksClusterSupportedVersionOldestVersionSupported\n")
    );
    let elsewhere = run(auditpack().args(["controls", "conformance-pack", recording, "--region", "eu-central-1"]));
    assert_eq!(elsewhere.code, 2);
    assert!(elsewhere.stderr.contains("eu-central-1 is not in scope") && elsewhere.stderr.contains("us-east-1"));
}

/// A check on each kind of thing that one may want to write a check on, and a new framework as one file.
#[test]
fn a_folder_with_a_framework_of_ones_own_judges_a_recording() {
    let work = tempfile::tempdir().unwrap();
    let dir = work.path().join("own");
    let write = |path: &str, text: &str| {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let check = |id: &str, resource: &str, pass: &str, given: (&str, &str)| {
        let (good, bad) = given;
        write(
            &format!("checks/cis/{id}.yaml"),
            &format!(
                "id: {id}\ntitle: It is so\nresource: {resource}\npass: {pass}\nseverity: low\nmessage: \"it is not so\"\n\
                 remediation: Mend it.\ncases:\n  - {{name: good, given: {{{good}}}, expect: pass}}\n  \
                 - {{name: bad, given: {{{bad}}}, expect: fail}}\n  - {{name: denied, given: {{}}, expect: unknown}}\n"
            ),
        );
    };
    check("cis-1-16", "iam.user", "size(attached_policies) == 0", ("attached_policies: []", "attached_policies: [a]"));
    check(
        "cis-1-17",
        "iam.role",
        "max_session_seconds <= parameters.role_max_session_seconds",
        ("max_session_seconds: 3600", "max_session_seconds: 43200"),
    );
    check(
        "cis-3-2",
        "cloudtrail.trail",
        "log_file_validation",
        ("log_file_validation: true", "log_file_validation: false"),
    );
    check("cis-4-1", "cloudtrail.iam_change", "succeeded", ("succeeded: true", "succeeded: false"));
    write(
        "checks/cis/cis-2-2.yaml",
        "id: cis-2-2\ntitle: Volumes are encrypted\nresource: config.rule\nconfig_rule: ENCRYPTED_VOLUMES\n\
         pass: compliance == \"COMPLIANT\"\nseverity: low\nmessage: \"{name} says {compliance}\"\nremediation: Encrypt.\ncases:\n  \
         - {name: good, given: {compliance: COMPLIANT}, expect: pass}\n  - {name: bad, given: {compliance: NON_COMPLIANT}, expect: fail}\n  \
         - {name: denied, given: {}, expect: unknown}\n",
    );
    write(
        "frameworks/cis-aws.yaml",
        "id: cis-aws\ntitle: Benchmark\nedition: \"3\"\nscope: a part\nrequirements:\n  \
         - {id: \"1.16\", group: IAM, title: No policies on users., automation: full, checks: [cis-1-16, cis-1-17]}\n  \
         - {id: \"2.2\", group: Storage, title: Volumes are encrypted., automation: full, checks: [cis-2-2]}\n  \
         - {id: \"3.2\", group: Logging, title: Validation is on., automation: full, checks: [cis-3-2, cis-4-1]}\n",
    );
    let dir = dir.to_str().unwrap();
    let validated = run(auditpack().args(["controls", "validate", "--controls", dir]));
    assert_eq!(validated.code, 0, "{}", validated.stderr);
    let settings = work.path().join("auditpack.toml");
    fs::write(&settings, "[parameters]\nrole_max_session_seconds = 900\n").unwrap();
    let recording = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/example-corp");
    let out = work.path().join("out.zip");
    let ran = run(auditpack().args([
        "evaluate",
        recording,
        "--controls",
        dir,
        "--frameworks",
        "cis-aws",
        "--config",
        settings.to_str().unwrap(),
        "--out",
        out.to_str().unwrap(),
        "--fail-on",
        "low",
    ]));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let files = common::files(&out);
    let told = common::json(&files, "findings.json");
    let statuses: Vec<(&str, &str)> = (told["checks"].as_array().unwrap().iter())
        .map(|check| (check["check"].as_str().unwrap(), check["status"].as_str().unwrap()))
        .collect();
    let fail = |id| (id, "fail");
    assert_eq!(
        statuses,
        ["cis-1-16", "cis-1-17", "cis-2-2", "cis-3-2", "cis-4-1"].map(fail),
        "example-corp has one of each"
    );
}
