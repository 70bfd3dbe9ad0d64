//! Exceptions and manual evidence from auditpack.toml, as the package and the exit code show them.

mod common;

use common::{Ran, auditpack, files, json, run};
use std::path::Path;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/example-corp");

fn collect(dir: &Path, settings: &str) -> Ran {
    std::fs::write(dir.join("auditpack.toml"), settings).unwrap();
    run(auditpack().current_dir(dir).args([
        "collect",
        "--replay",
        FIXTURE,
        "--quiet",
        "--frameworks",
        "soc2",
        "--out",
        "p.zip",
        "--force",
    ]))
}

fn exception(check: &str, resource: &str, days: &str) -> String {
    format!(
        "[[exceptions]]\ncheck = \"{check}\"\nresource = \"{resource}\"\nreason = \"r\"\napprover = \"a\"\nticket = \"T-1\"\n{days}\n"
    )
}

#[test]
fn an_exception_covers_while_it_is_in_force_and_is_reported_when_it_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let check = "user-no-attached-policies";
    for (days, state, remark, covers) in [
        ("granted = 2026-09-01\nexpires = 2026-10-01", "in force", "", true),
        ("expires = 2026-09-30", "expired", "open again", false),
        ("granted = 2026-10-02\nexpires = 2026-12-31", "not yet in force", "only from 2026-10-02", false),
    ] {
        let ran = collect(dir.path(), &format!("fail_on = \"low\"\n{}", exception(check, "*:user/*a*", days)));
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        let files = files(&dir.path().join("p.zip"));
        let manifest = json(&files, "manifest.json");
        let told = &manifest["exceptions"][0];
        assert_eq!(told["state"], state, "{told}");
        assert!(told["remarks"].to_string().contains(remark), "{told}");
        assert_eq!(told["ticket"], "T-1");
        let excepted = manifest["conclusion"]["excepted"].as_u64().unwrap();
        assert_eq!(excepted > 0, covers, "{told}");
        assert!(told["failures"].as_u64().unwrap() > 0, "{told}");
        let findings = json(&files, "findings.json");
        let marked = findings["findings"].as_array().unwrap().iter().filter(|f| !f["exception"].is_null());
        assert!(marked.clone().all(|f| f["status"] == "fail") && marked.count() as u64 == excepted);
        if !covers {
            assert!(ran.stdout.contains("To look at (1)"), "{}", ran.stdout);
        }
    }
}

#[test]
fn exceptions_that_are_unused_or_too_broad_are_reported() {
    let dir = tempfile::tempdir().unwrap();
    let settings = exception("user-no-attached-policies", "*", "expires = 2026-12-31")
        + &exception("user-no-inline-policies", "nobody", "expires = 2026-12-31");
    collect(dir.path(), &settings);
    let manifest = json(&files(&dir.path().join("p.zip")), "manifest.json");
    assert!(manifest["exceptions"][0]["remarks"].to_string().contains("too broad"), "{}", manifest["exceptions"]);
    assert!(manifest["exceptions"][1]["remarks"].to_string().contains("unused"), "{}", manifest["exceptions"]);
    let backwards = exception("user-no-inline-policies", "x", "granted = 2027-01-01\nexpires = 2026-12-31");
    let ran = collect(dir.path(), &backwards);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("after it expires"), "{}", ran.stderr);
}

#[test]
fn attached_files_are_packed_shown_flagged_and_derived_again() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("docs")).unwrap();
    std::fs::write(dir.path().join("docs/access policy.txt"), "signed").unwrap();
    let settings = |file: &str, requirement: &str, valid: &str| {
        format!(
            "[[manual]]\nfile = \"{file}\"\nrequirements = [\"{requirement}\"]\ndescription = \"the policy\"\nowner = \"ann\"\ndate = 2026-01-01\nvalid_until = {valid}\n"
        )
    };
    let ran = collect(dir.path(), &settings("docs/access policy.txt", "soc2 CC6.1", "2026-09-30"));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stdout.contains("out of date: it was valid until 2026-09-30"), "{}", ran.stdout);
    let package = dir.path().join("p.zip");
    let files = files(&package);
    assert_eq!(files["manual/01-access%20policy.txt"], b"signed");
    let manifest = json(&files, "manifest.json");
    assert_eq!(manifest["manual"][0]["out_of_date"], true);
    let page = String::from_utf8_lossy(&files["report.html"]).into_owned();
    assert!(page.contains("manual/01-access%2520policy.txt") && page.contains("out of date: it was valid until"));
    // Without the settings and the files at hand, from the package alone.
    let elsewhere = tempfile::tempdir().unwrap();
    let ran = run(auditpack().current_dir(elsewhere.path()).arg("verify").arg(&package));
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("every byte of the zip the same"), "{}", ran.stdout);

    for (settings, complaint) in [
        (settings("docs/none.txt", "soc2 CC6.1", "2026-12-31"), "there is no such file"),
        (settings("docs", "soc2 CC6.1", "2026-12-31"), "it is not a file"),
        (settings("docs/access policy.txt", "soc2 CC66.1", "2026-12-31"), "there is no requirement `soc2 CC66.1`"),
    ] {
        let ran = collect(dir.path(), &settings);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(complaint), "{complaint}: {}", ran.stderr);
    }
    std::fs::File::create(dir.path().join("big")).unwrap().set_len((25 << 20) + 1).unwrap();
    let ran = collect(dir.path(), &settings("big", "soc2 CC6.1", "2026-12-31"));
    assert!(ran.code == 2 && ran.stderr.contains("more than 26214400"), "{}", ran.stderr);
}
