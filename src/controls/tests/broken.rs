//! Control files that are broken on purpose: each gives a diagnostic with file, line and column, and none a panic.

use super::*;

/// What is changed in the good check, and what is said about it.
const CHECKS: &[(&str, &str, &str)] = &[
    ("title: Console users have MFA", "title: [a]", "expected a text, found a list"),
    ("title: Console users have MFA", "title:", "a check needs `title`"),
    ("title: Console", "title: \"Console", "invalid indentation"),
    ("resource: iam.user", "resource: iam.usr", "did you mean `iam.user`?"),
    ("severity: high", "severity: HIGH", "`HIGH` is no severity"),
    ("severity: high", "severity: high\nseverty: low", "did you mean `severity`?"),
    ("severity: high", "severity: high\nid: again", "key `id` stands here a second time"),
    ("pass: mfa_active", "pass: 3", "the expression gives int"),
    ("pass: mfa_active", "pass: name", "the expression gives text"),
    ("pass: mfa_active", "pass: {a: b}", "expected a text, found keys and values"),
    ("pass: mfa_active", "pass: mfa_active &&", "not a CEL expression"),
    ("pass: mfa_active", "pass: now() > 3", "there is no function `now()`"),
    ("pass: mfa_active", "pass: mfa_active > 3", "`>` is not for bool and int"),
    ("pass: mfa_active", "pass: active_keys < 99999999999999999999", "invalid int literal"),
    ("pass: mfa_active", "pass: mfa_activ", "did you mean `mfa_active`?"),
    ("pass: mfa_active", "pass: has(account.alias)", "has() cannot be asked of `account`"),
    (
        "pass: mfa_active",
        "pass: active_keys < parameters.acess_key_max_age_days",
        "did you mean `access_key_max_age_days`?",
    ),
    ("pass: mfa_active", "pass: mfa_active\nconfig_rules: [lower-case]", "is no source identifier"),
    ("pass: mfa_active", "pass: mfa_active\nconfig_rule: A_RULE", "`config_rule` is for checks on `config.rule`"),
    ("message: \"{name} has", "message: \"{name has", "a brace without its counterpart"),
    ("message: \"{name} has", "message: \"{nme} has", "did you mean `name`?"),
    ("[https:", "[http:", "starts with https://"),
    ("mfa_active: true}", "mfa_active: 3}", "field `mfa_active` is of type bool"),
    ("mfa_active: true}", "mfa_actve: true}", "did you mean `mfa_active`?"),
    ("expect: unknown", "expect: fail", "there is no case that expects unknown"),
    ("expect: unknown", "expect: unknwon", "unknwon"),
    ("  - {name: device", "\t- {name: device", "a tab stands in the indentation"),
    ("device.\n", "de\0vice.\n", "unexpected character"),
    ("given: {}", "given: *nothing", "nothing"),
    ("id: user-console-mfa", "id: ../../x", "an id is made of lower-case letters, digits and `-`"),
];

/// Whole texts in the place of a check.
const TEXTS: &[(&str, &str)] = &[
    ("", "expected a check as keys and values, found nothing"),
    ("# a comment\n", "found nothing"),
    ("null\n", "found nothing"),
    ("- a\n", "found a list"),
    ("hello\n", "found a text"),
    ("id: [a\n", "unclosed bracket"),
    ("a: &a [x]\nb: [*a]\n", "a check has no key `a`"),
];

/// What is said of the files alone: the embedded ones would be read each time.
fn told_of(path: &str, text: &str) -> String {
    let mut files = only(&[
        ("checks/own/user-console-mfa.yaml", CHECK),
        (
            "parameters.yaml",
            "parameters:\n  - {name: access_key_max_age_days, type: int, default: 5, minimum: 1, maximum: 9, meaning: days}\n",
        ),
    ]);
    files.insert(path.to_owned(), text.to_owned());
    Catalogue::from_files(&files).expect_err("loads").to_string()
}

#[test]
fn each_way_to_break_a_check_is_told_with_its_place() {
    let place = names_a_place("checks/own/user-console-mfa.yaml:");
    let mut texts: Vec<(String, &str)> = Vec::new();
    for (from, to, said) in CHECKS {
        assert!(CHECK.contains(from), "{from}");
        texts.push((CHECK.replacen(from, to, 1), said));
    }
    texts.extend(TEXTS.iter().map(|(text, said)| ((*text).to_owned(), *said)));
    texts.push((format!("{CHECK}---\n{CHECK}"), "a second document begins here"));
    texts.push((format!("id: {}\n", "[".repeat(5000)), "nested too deep"));
    texts.push((
        CHECK.replace("mfa_active\n", &format!("\"{}a{}\"\n", "(".repeat(500), ")".repeat(500))),
        "nested deeper",
    ));
    for (text, said) in texts {
        let told = told_of("checks/own/user-console-mfa.yaml", &text);
        assert!(told.contains(said), "{said:?} is not in: {told}");
        assert!(place(&told), "no line and column: {told}");
    }
}

#[test]
fn each_way_to_break_the_other_files_is_told_with_its_place() {
    let parameter = "parameters:\n  - {name: patience, type: int, default: 5, minimum: 1, maximum: 9, meaning: days}\n";
    let rule = "config_rules:\n  - {identifier: SNS_X, service: SNS, title: Topics, severity: low, severity_reason: short, \
                parameters: {x: {at_most: 1, default: \"1\"}}}\n";
    for (path, good, from, to, said) in [
        ("parameters.yaml", parameter, "int", "days", "the type of a parameter is `int`"),
        ("parameters.yaml", parameter, "minimum: 1", "minimum: 20", "must be from 20 to 9"),
        ("parameters.yaml", parameter, "default: 5", "default: five", "expected a whole number"),
        ("parameters.yaml", parameter, "default: 5", "default: 5d", "expected a whole number"),
        ("parameters.yaml", parameter, "default: 5", "default: 5.5", "expected a whole number"),
        ("parameters.yaml", parameter, "maximum: 9", "maximum: 99999999999999999999", "expected a whole number"),
        ("config-rules.yaml", rule, "SNS_X", "sns-x", "is no source identifier"),
        ("config-rules.yaml", rule, "at_most: 1", "at_most: nope", "there is no parameter `nope`"),
        ("config-rules.yaml", rule, "at_most: 1", "at_most: 1, at_least: 2", "needs one of"),
        ("config-rules.yaml", rule, "at_most: 1, default: \"1\"", "", "needs one of"),
        ("config-rules.yaml", rule, ", default: \"1\"", "", "needs AWS's `default`"),
        ("config-rules.yaml", rule, "default: \"1\"", "default: abc", "is a whole number"),
        (
            "frameworks/own.yaml",
            FRAMEWORK,
            "[user-console-mfa]",
            "[user-consol-mfa]",
            "did you mean `user-console-mfa`?",
        ),
        (
            "frameworks/own.yaml",
            FRAMEWORK,
            "checks:",
            "config_rules: [NO_RULE]\n    checks:",
            "no Config rule `NO_RULE`",
        ),
        (
            "frameworks/own.yaml",
            "id: own\ntitle: T\nedition: x\nscope: all\nrequirements: []\n",
            "x",
            "y",
            "at least one requirement",
        ),
    ] {
        assert!(good.contains(from), "{from}");
        let told = told_of(path, &good.replacen(from, to, 1));
        assert!(told.contains(said), "{said:?} is not in: {told}");
        assert!(names_a_place(&format!("{path}:"))(&told), "no line and column: {told}");
    }
}

#[test]
fn a_byte_order_mark_and_line_ends_of_windows_are_no_errors() {
    for text in [format!("\u{feff}{CHECK}"), CHECK.replace('\n', "\r\n")] {
        let dir = folder(&[("checks/own/user-console-mfa.yaml", &text)]);
        let validation = validate(Some(dir.path())).unwrap_or_else(|errors| panic!("{errors}"));
        assert!(validation.is_ok());
    }
}

/// Whether a text names a place `file:line:column`.
fn names_a_place(file: &str) -> impl Fn(&str) -> bool + use<> {
    let file = file.to_owned();
    move |text| {
        text.match_indices(&file).any(|(at, file)| {
            let mut numbers = text[at + file.len()..].split(|c: char| !c.is_ascii_digit());
            numbers.next().is_some_and(|line| !line.is_empty())
                && numbers.next().is_some_and(|column| !column.is_empty())
        })
    }
}
