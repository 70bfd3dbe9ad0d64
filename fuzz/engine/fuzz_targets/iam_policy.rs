//! Any bytes as an identity policy, a boundary and a trust policy at once: nothing may panic or hang, and what
//! the documents say alone may not be widened by a boundary.
//!
//! `cargo +nightly fuzz run --fuzz-dir fuzz/engine iam_policy --sanitizer none`

#![no_main]

use auditpack::iam::analysis::Account;
use auditpack::iam::compare::{NameHeuristic, difference, read_only};
use auditpack::iam::principal::{Kind, PolicySource, Principal};
use auditpack::iam::{Context, Outcome, can};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let source = PolicySource::inline("fuzz", text);
    let role = Principal::new(Kind::Role, "arn:aws:iam::111122223333:role/r", "111122223333");
    let free = role.clone().with(source.clone());
    let bounded = free.clone().bounded_by(source.clone());
    for (action, resource) in [
        ("s3:GetObject", "arn:aws:s3:::b/x"),
        ("iam:PassRole", "*"),
        ("*", "arn:aws:iam::111122223333:role/*"),
    ] {
        let before = can(&free, action, resource, &Context::new()).outcome;
        let after = can(&bounded, action, resource, &Context::new()).outcome;
        assert!(!before.is_denied() || after != Outcome::Allow);
    }
    let _ = read_only(&bounded, &NameHeuristic);
    let _ = difference(&free, &bounded);
    let user = Principal::new(Kind::User, "arn:aws:iam::111122223333:user/u", "111122223333");
    let account = Account {
        id: "111122223333".into(),
        trusts: vec![(free.arn.clone(), source.content.clone())],
        principals: vec![bounded, user.with(source)],
        complete: true,
        ..Account::default()
    };
    let _ = account.analyse();
});
