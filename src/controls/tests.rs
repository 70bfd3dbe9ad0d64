//! Tests of the controls as a whole: the embedded ones, and what is said of broken ones.

use super::validate::validate;

#[test]
fn the_embedded_controls_load_and_every_case_comes_out() {
    let validation = validate(None).unwrap_or_else(|errors| panic!("{errors}"));
    let failures: Vec<String> = validation.failures.iter().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(validation.cases > 150);
}
