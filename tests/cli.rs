//! The command line as people see it: help, listings, and what is said when something is wrong.

mod common;

use common::{Ran, auditpack, run, with_credentials};
use std::path::Path;
use tempfile::tempdir;

fn ran(args: &[&str]) -> Ran {
    run(auditpack().current_dir(env!("CARGO_MANIFEST_DIR")).args(args))
}

fn printed(args: &[&str]) -> String {
    let ran = ran(args);
    assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
    assert!(ran.stderr.is_empty(), "{}", ran.stderr);
    ran.stdout
}

#[test]
fn help_stays_as_it_is() {
    let overview = printed(&["--help"]);
    insta::assert_snapshot!("help", overview);
    let commands = overview.split("Commands:\n").nth(1).unwrap().lines();
    // A line that goes on from the one before is indented further.
    let commands = commands.take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
    for command in commands.filter_map(|line| line.split_whitespace().next()) {
        if command != "help" {
            insta::assert_snapshot!(format!("help-{command}"), printed(&[command, "--help"]));
        }
    }
}

#[test]
fn controls_are_listed_and_shown() {
    let list = printed(&["controls", "list"]);
    assert!(list.lines().count() > 40, "{list}");
    insta::assert_snapshot!("controls-show-check", printed(&["controls", "show", "user-console-mfa"]));
    insta::assert_snapshot!("controls-show-requirement", printed(&["controls", "show", "soc2 CC6.4"]));
    assert!(printed(&["controls", "validate"]).contains("all as expected"));
    assert!(printed(&["controls", "fields", "iam.access_key"]).contains("age_days"));
}

#[test]
fn the_permissions_are_a_policy_for_what_is_selected() {
    let policy: serde_json::Value = serde_json::from_str(&printed(&["permissions", "--frameworks", "soc2"])).unwrap();
    assert_eq!(policy["Version"], "2012-10-17");
    let actions: Vec<&str> = policy["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|statement| statement["Action"].as_array().unwrap())
        .map(|action| action.as_str().unwrap())
        .collect();
    for action in &actions {
        let verb = action.split_once(':').unwrap().1;
        let reads = ["Get", "List", "Describe", "Lookup", "Select"].iter().any(|read| verb.starts_with(read));
        assert!(reads || *action == "iam:GenerateCredentialReport", "{action} is not read-only");
    }
    assert!(actions.contains(&"cloudtrail:LookupEvents") && actions.contains(&"iam:GetAccountAuthorizationDetails"));
}

#[test]
fn a_shell_and_a_reader_of_manuals_are_served() {
    for (shell, word) in [("bash", "_auditpack"), ("zsh", "#compdef auditpack"), ("fish", "complete -c auditpack")] {
        assert!(printed(&["completions", shell]).contains(word), "{shell}");
    }
    assert!(printed(&["man"]).starts_with(".ie"));
}

/// One line of cause, place and remedy, nothing on standard output, and the exit code of what went wrong.
#[test]
fn whatever_is_wrong_is_told_once_with_its_remedy() {
    let dir = tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let not_zip = file("not.zip", "PK but no zip");
    let settings = file("wrong.toml", "frameworks = [\"soc3\"]\n[parameters]\npassword_minimum_lenght = 14\n");
    let empty = dir.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let empty = empty.display().to_string();
    let cases: [(&[&str], i32, &[&str]); 10] = [
        (&["collect", "--replay", "no/such/recording"], 2, &["no/such/recording"]),
        (&["collect", "--replay", &empty], 2, &["is no recording", "calls.jsonl"]),
        (&["evaluate", &not_zip], 2, &["not.zip"]),
        (&["evaluate", &empty], 2, &["empty"]),
        (&["evaluate", "fixtures/example-clean", "--as-of", "2027-01-01"], 2, &["--as-of", "recording"]),
        (&["collect", "--frameworks", "soc3"], 2, &["soc3", "soc2"]),
        (&["collect", "--period", "ninety days"], 2, &["ninety days", "90d"]),
        (&["controls", "show", "user-consol-mfa"], 2, &["user-consol-mfa", "user-console-mfa"]),
        (&["controls", "validate", "--controls", "no/such/folder"], 2, &["no/such/folder"]),
        (
            &["evaluate", "fixtures/example-clean", "--config", &settings],
            2,
            &["soc3", "password_minimum_lenght", "password_minimum_length", "wrong.toml:1", "wrong.toml:3"],
        ),
    ];
    for (args, code, words) in cases {
        let ran = ran(args);
        assert_eq!(ran.code, code, "{args:?}: {}", ran.stderr);
        assert!(ran.stdout.is_empty(), "{args:?}: {}", ran.stdout);
        for word in words {
            assert!(ran.stderr.contains(word), "{args:?} does not say {word}: {}", ran.stderr);
        }
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
}

#[test]
fn without_credentials_there_is_one_message_with_the_remedy() {
    let out = tempdir().unwrap();
    let ran = run(auditpack().current_dir(out.path()).args(["collect", "--region", "us-east-1"]));
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stdout.is_empty());
    assert!(ran.stderr.contains("credentials") && ran.stderr.contains("--profile"), "{}", ran.stderr);
    assert_eq!(ran.stderr.trim().lines().count(), 1, "{}", ran.stderr);
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0, "something was left");
}

/// A profile that is named decides, whatever credentials are in the environment; one that is not there is refused.
#[test]
fn the_named_profile_is_the_one_that_asks() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 8192];
        let length = stream.read(&mut request).unwrap();
        let answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let out = tempdir().unwrap();
    let file = out.path().join("credentials");
    std::fs::write(&file, "[audit]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = secret\n").unwrap();
    let collected = |profile: &str| {
        let mut command = auditpack();
        with_credentials(&mut command).env("AWS_SHARED_CREDENTIALS_FILE", &file).current_dir(out.path()).args([
            "collect",
            "--quiet",
            "--endpoint-url",
            &endpoint,
            "--profile",
            profile,
        ]);
        run(&mut command)
    };
    let wrong = collected("audti");
    assert_eq!(wrong.code, 4, "{}", wrong.stderr);
    assert!(wrong.stderr.contains("no profile `audti`") && wrong.stderr.contains("audit"), "{}", wrong.stderr);
    assert!(!asked.is_finished(), "somebody was asked in the name of another identity");
    assert_eq!(collected("audit").code, 4);
    let request = asked.join().unwrap();
    assert!(request.contains("Credential=AKIDPROFILE/"), "{request}");
}

#[test]
fn a_network_that_does_not_answer_is_told_and_leaves_nothing() {
    let out = tempdir().unwrap();
    let mut command = auditpack();
    // A port that nobody listens on.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ran = run(with_credentials(&mut command).current_dir(out.path()).args([
        "collect",
        "--quiet",
        "--endpoint-url",
        &format!("http://127.0.0.1:{closed}"),
    ]));
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(!ran.stderr.contains("AKIDEXAMPLE"), "{}", ran.stderr);
    let zips = std::fs::read_dir(out.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|extension| extension == "zip"));
    assert_eq!(zips.count(), 0);
}

#[test]
fn a_folder_of_cli_output_is_evaluated_and_says_what_is_missing() {
    let ran = ran(&["evaluate", "tests/cli-output", "--as-of", common::AS_OF, "--format", "csv"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let rows: Vec<&str> = ran.stdout.lines().collect();
    let row = |check: &str, name: &str| {
        let found = rows.iter().find(|row| row.starts_with(check) && row.contains(name));
        found.unwrap_or_else(|| panic!("no finding of {check} for {name}: {}", ran.stdout)).to_owned()
    };
    // A document as an object, as a JSON string and percent-encoded are all the same document.
    for name in ["as-object", "as-string", "as-encoded"] {
        assert!(
            row("policy-no-admin-statement", name).contains(",fail,"),
            "{}",
            row("policy-no-admin-statement", name)
        );
    }
    assert!(row("trail-logging", "").contains("unknown"), "what is not there is not collected");
    assert!(Path::new("tests/cli-output").is_dir());
}

/// What the README shows is what a user sees. `AUDITPACK_WRITE_DOCS=1` writes it anew.
#[test]
fn the_readme_shows_what_the_main_job_prints() {
    let out = tempdir().unwrap();
    let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/example-corp");
    let mut command = auditpack();
    command.current_dir(out.path()).arg("collect").arg("--replay").arg(recording).args(["--out", "example-corp.zip"]);
    let ran = run(&mut command);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let sample = format!("<!-- sample -->\n```text\n{}```\n<!-- end of sample -->", ran.stdout);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let start = readme.find("<!-- sample -->").unwrap();
    let end = readme.find("<!-- end of sample -->").unwrap() + "<!-- end of sample -->".len();
    if std::env::var_os("AUDITPACK_WRITE_DOCS").is_some() {
        std::fs::write(&path, format!("{}{sample}{}", &readme[..start], &readme[end..])).unwrap();
        return;
    }
    assert!(readme[start..end] == sample, "README.md is stale: run the tests once with AUDITPACK_WRITE_DOCS=1");
}

#[test]
fn an_account_that_is_none_is_refused_before_anything_is_asked() {
    for wrong in ["", "12345", "1111-2222-3333", "11112222333a", "1111222233334"] {
        let ran = common::run(common::auditpack().args(["collect", "--expect-account", wrong]));
        assert_eq!(ran.code, 2, "{wrong}: {}", ran.stderr);
        assert!(ran.stderr.contains("twelve digits"), "{wrong}: {}", ran.stderr);
    }
}
