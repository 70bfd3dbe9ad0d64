//! What is refused at load, and how what is not known comes out.

use super::*;
use std::collections::BTreeMap;

fn parameters() -> BTreeMap<String, Parameter> {
    let parameter = |name: &str| Parameter {
        name: name.to_owned(),
        default: 90,
        minimum: 1,
        maximum: 400,
        meaning: "days".to_owned(),
    };
    ["user_unused_days"].into_iter().map(|name| (name.to_owned(), parameter(name))).collect()
}

fn parse(text: &str) -> Result<Expression, Vec<ExpressionError>> {
    Expression::parse(text, Names { kind: Kind::User, parameters: &parameters() })
}

fn refusal(text: &str) -> (String, String, String) {
    let errors = parse(text).expect_err(text);
    let error = &errors[0];
    (text[error.span.clone()].to_owned(), error.message.clone(), error.help.clone().unwrap_or_default())
}

/// The answer where only some fields are known.
fn answer(text: &str, known: &[(&str, Value)], account: &[(&str, Value)]) -> Result<bool, String> {
    let values = BTreeMap::from([("user_unused_days".to_owned(), Value::Int(90))]);
    let surroundings = Surroundings::new(account.iter().map(|(k, v)| (*k, v)), &values, "2026-10-01T09:00:00Z");
    let row = surroundings.row(known.iter().map(|(k, v)| (*k, v)));
    parse(text).unwrap_or_else(|e| panic!("{text}: {e:?}")).evaluate(&row)
}

#[test]
fn what_an_expression_reads_is_found_and_loop_variables_are_not_fields() {
    let read = parse("groups.all(name, name != 'x' && account.console_users > size(attached_policies)) && name != ''");
    let read = read.unwrap();
    let names = |fields: &[&'static Field]| fields.iter().map(|field| field.name).collect::<Vec<_>>();
    assert_eq!(names(&read.fields), ["attached_policies", "groups", "name"]);
    assert_eq!(names(&read.account_fields), ["console_users"]);
    assert_eq!(names(&parse("groups.all(name, name != 'x')").unwrap().fields), ["groups"]);
    assert_eq!(parse("inactive_days < parameters.user_unused_days").unwrap().parameters, ["user_unused_days"]);
    assert_eq!(names(&parse("has(tags.owner) || 'team' in tags || tags['x'] == 'y'").unwrap().fields), ["tags"]);
    assert!(parse("groups.exists(account, account == 'x')").unwrap().account_fields.is_empty());
}

#[test]
fn wrong_names_are_refused_with_a_suggestion() {
    for (text, place, message, help) in [
        ("mfa_activ", "mfa_activ", "iam.user has no field `mfa_activ`", "did you mean `mfa_active`?"),
        ("account.root_mfa_activ", "root_mfa_activ", "account has no field `root_mfa_activ`", "root_mfa_active"),
        (
            "active_keys < parameters.user_unused_day",
            "user_unused_day",
            "there is no parameter `user_unused_day`",
            "user_unused_days",
        ),
        ("groups.all(g, h == 'x')", "h", "iam.user has no field `h`", "auditpack controls fields iam.user"),
        ("mfa_active && size(grops) == 0", "grops", "iam.user has no field `grops`", "groups"),
    ] {
        let found = refusal(text);
        assert!(found.0 == place && found.1 == message && found.2.contains(help), "{text}: {found:?}");
    }
}

#[test]
fn wrong_types_are_refused() {
    for (text, message) in [
        ("active_keys", "the expression gives int; it must be true or false"),
        ("name", "the expression gives text"),
        ("active_keys < 'x'", "`<` is not for int and text"),
        ("mfa_active == 'true'", "`==` is not for bool and text"),
        ("mfa_active && active_keys", "`&&` is not for bool and int"),
        ("!name", "`!` is not for text"),
        ("'a' in name", "`in` is not for text and text"),
        ("1 in groups", "`in` is not for int and list"),
        ("size(active_keys) == 0", "`size()` is not for int"),
        ("groups.all(g, g)", "is not for"),
        ("groups.map(g, size(g)).exists(n, n == 'x')", "`==` is not for int and text"),
        ("active_keys.exists(k, true)", "all, exists, map and filter are for lists and maps, not int"),
        ("tags.map(k, k)[0] == 'x'", "map and filter are for lists, not maps"),
        ("name.lowerCase() == 'x'", "there is no function `lowerCase()`"),
        ("timestamp(as_of) > timestamp('2026-01-01T00:00:00Z')", "there is no function `timestamp()`"),
        ("active_keys < 1.5", "no field has such a value"),
        ("active_keys == 'a' + 1", "`+` is not for text and int"),
        ("mfa_active.x", "`.x` cannot be read from bool"),
        ("groups.all(g, groups.all(h, groups.all(i, g == i)))", "nested deeper than 2"),
        ("Foo{a: 1} == null", "there are no messages such as `Foo` here"),
    ] {
        let found = refusal(text);
        assert!(found.1.contains(message), "{text}: {found:?}");
    }
}

/// `has(account.x)` would be false where the account summary was denied: a gap taken for an answer.
#[test]
fn a_gap_cannot_be_asked_for() {
    for text in [
        "has(account.root_mfa_active)",
        "'root_mfa_active' in account",
        "size(account) > 0",
        "account == {}",
        "account['root_mfa_active']",
        "account.exists(k, k == 'root_mfa_active')",
        "has(parameters.user_unused_days)",
        "parameters == parameters",
        "[account].exists(a, has(a.root_mfa_active))",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[test]
fn bad_syntax_is_refused_with_its_place() {
    let (place, message, _) = refusal("mfa_active &&& password_enabled");
    assert!(place == "&" && message.starts_with("not a CEL expression: "), "{place} {message}");
    assert!(parse("").is_err() && parse("(").is_err() && parse("\"").is_err() && parse("a b").is_err());
}

/// Evaluation recurses: what would overflow a thread's stack is refused at load.
#[test]
fn size_and_nesting_are_bounded() {
    for text in [
        "(".repeat(500) + "true" + &")".repeat(500),
        "!".repeat(1_500) + "true",
        "[".repeat(600) + &"]".repeat(600),
        format!("active_keys == {}", vec!["1"; 1_000].join("+")),
        format!("mfa_active{}", ".a".repeat(900)),
        format!("{}true", "mfa_active ? true : ".repeat(90)),
        format!("active_keys == {}1", "- ".repeat(900)),
        "groups.all(a, ".repeat(100) + "true" + &")".repeat(100),
        format!("name == '{}'", "x".repeat(4_000)),
    ] {
        assert!(parse(&text).is_err(), "{}", &text[..40]);
    }
    // A long `&&` is no chain: the parser balances it.
    assert!(parse(&vec!["mfa_active"; 60].join(" && ")).is_ok());
}

#[test]
fn what_is_not_known_gives_no_answer_unless_a_known_side_decides() {
    let known = [("mfa_active", Value::Bool(false)), ("password_enabled", Value::Bool(true))];
    let ask = |text: &str| answer(text, &known, &[]);
    assert_eq!(ask("mfa_active"), Ok(false));
    for text in [
        "active_keys == 1",
        "active_keys != 1",
        "!(active_keys == 1)",
        "active_keys == 1 || mfa_active",
        "password_enabled && active_keys == 1",
        "active_keys == 1 ? true : true",
        "groups.all(g, g == 'x')",
        "size(groups) == 0",
        "'x' in groups",
        "tags.owner == 'x'",
        "has(tags.owner)",
        "inactive_days == null",
        "account.root_mfa_active",
        "account.root_mfa_active == null",
    ] {
        assert!(ask(text).is_err(), "{text} gives {:?}", ask(text));
    }
    assert_eq!(ask("mfa_active && active_keys == 1"), Ok(false));
    assert_eq!(ask("active_keys == 1 && mfa_active"), Ok(false));
    assert_eq!(ask("password_enabled || active_keys == 1"), Ok(true));
    assert_eq!(ask("active_keys == 1 || password_enabled"), Ok(true));
}

#[test]
fn absence_is_a_fact_and_differs_from_a_gap() {
    let null = [("inactive_days", Value::Null), ("permissions_boundary", Value::Null)];
    assert_eq!(answer("inactive_days == null", &null, &[]), Ok(true));
    assert_eq!(answer("permissions_boundary == 'x'", &null, &[]), Ok(false));
    assert_eq!(answer("inactive_days != null && inactive_days < 3", &null, &[]), Ok(false));
    assert!(answer("inactive_days < 3", &null, &[]).is_err());
}

#[test]
fn maps_lists_and_surroundings_are_read() {
    let tags = Value::from(BTreeMap::from([("owner".to_owned(), "ops")]));
    let known = [("tags", tags), ("groups", Value::from(vec!["a", "b"])), ("inactive_days", Value::Int(89))];
    let account = [("console_users", Value::Int(3))];
    for text in [
        "tags.owner == 'ops' && tags['owner'] == 'ops' && 'owner' in tags && !has(tags.team)",
        "groups.exists(g, g == 'b') && groups.filter(g, g == 'a') == ['a'] && groups[1] == 'b' && size(groups) == 2",
        "account.console_users == 3 && inactive_days < parameters.user_unused_days && as_of.startsWith('2026-')",
        "int('7') == 7 && string(inactive_days) == '89' && 'abc'.matches('^a') && groups.all(g, g.contains('') )",
    ] {
        assert_eq!(answer(text, &known, &account), Ok(true), "{text}");
    }
    assert!(answer("9223372036854775807 + inactive_days > 0", &known, &[]).is_err());
    assert!(answer("inactive_days / (size(groups) - 2) > 0", &known, &[]).is_err());
    assert!(answer("inactive_days % (size(groups) - 2) > 0", &known, &[]).is_err());
    assert!(answer("groups[7] == 'x'", &known, &[]).is_err());
    assert!(answer("groups[-1] == 'x'", &known, &[]).is_err());
    assert!(answer("name.matches('(')", &[("name", Value::from("x"))], &[]).is_err());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]
    /// Whatever stands in a control file, loading and evaluating it ends without a panic.
    #[test]
    fn no_text_panics(parts in proptest::collection::vec(proptest::sample::select(vec![
        "mfa_active", "groups", "tags", "account", ".", "console_users", "parameters", "(", ")", "[", "]", "{", "}",
        "&&", "||", "!", "-", "+", "%", "/", "==", "in", "?", ":", ",", "'a'", "1", "0", "-9223372036854775808",
        "9223372036854775808", "null", "true", "all", "exists_one", "map", "has", "x", "\"", "\\", "`", "é", "\n", "1u",
        "b''", "1.5e999", "size", "int", "@result", "@not_strictly_false", "optional", "?.", "//", "dyn", "type", " ",
    ]), 0..14)) {
        if let Ok(expression) = parse(&parts.concat()) {
            let known = [("mfa_active", Value::Bool(true)), ("groups", Value::from(vec!["a"]))];
            let surroundings = Surroundings::new([], &BTreeMap::new(), "");
            let _ = expression.evaluate(&surroundings.row(known.iter().map(|(k, v)| (*k, v))));
        }
    }
}
