//! What seals a package: its signature, held against a key, and its time stamp, held against roots. Both come from
//! elsewhere; without them it is told what the package says, and that nothing is proven by it.

use super::manifest_sha256;
use crate::package::timestamp::{Roots, Stamped, Token};
use crate::package::{ATTESTATION, Attestation, MANIFEST, OpenPackage, Problem, PublicKey, Step, TIMESTAMP, Verdict};

pub(super) fn signature(opened: &mut OpenPackage, key: Option<&PublicKey>) -> Step {
    const STEP: &str = "signature";
    let declared = opened.manifest().seals.signed_by.clone();
    let fail = |what: String| Step::of(STEP, "", vec![Problem::of(ATTESTATION, what)]);
    if !opened.has(ATTESTATION) {
        return match (declared, key) {
            (Some(key), _) => fail(format!("is missing: the manifest says that key {key} signed the package")),
            (None, Some(_)) => fail("is missing: the package is not signed".to_owned()),
            (None, None) => {
                Step::ended(STEP, Verdict::NotApplicable, "the package is not signed: anybody could have made it")
            }
        };
    }
    let read = opened.bytes(ATTESTATION).map_err(|e| e.to_string()).and_then(|bytes| Attestation::read(&bytes));
    let attestation = match read {
        Ok(attestation) => attestation,
        Err(reason) => return fail(reason),
    };
    let said = attestation.keys().collect::<Vec<_>>().join(", ");
    if Some(&attestation.manifest_sha256) != manifest_sha256(opened).as_ref() {
        return fail("is about another manifest".to_owned());
    }
    match (&declared, key) {
        (None, _) => fail("is there, and the manifest does not say that the package is signed".to_owned()),
        (Some(declared), _) if said != *declared => {
            fail(format!("says it is by key {said}, the manifest says key {declared}"))
        }
        (Some(_), None) => Step::ended(
            STEP,
            Verdict::NotChecked,
            format!("the package says that key {said} signed it; give that key, from elsewhere, with --key"),
        ),
        (Some(_), Some(key)) if !attestation.is_by(key) => {
            fail(format!("is not by the key that was given, {}: the package says key {said}", key.fingerprint()))
        }
        (Some(_), Some(key)) => {
            Step::ended(STEP, Verdict::Ok, format!("signed by the key that was given, {}", key.fingerprint()))
        }
    }
}

/// The time stamp, and what it states if it may be relied on: with roots, who states it is proven too.
pub(super) fn time_stamp(opened: &mut OpenPackage, roots: Option<&Roots>) -> (Step, Option<Stamped>) {
    const STEP: &str = "time stamp";
    let declared = opened.manifest().seals.stamped_by.clone();
    let fail = |what: String| (Step::of(STEP, "", vec![Problem::of(TIMESTAMP, what)]), None);
    let declared = match (opened.has(TIMESTAMP), declared, roots) {
        (true, Some(declared), _) => declared,
        (true, None, _) => {
            return fail("is there, and the manifest does not say that the package is stamped".to_owned());
        }
        (false, Some(by), _) => {
            return fail(format!("is missing: the manifest says that {} stamped the package", by.escape_debug()));
        }
        (false, None, Some(_)) => return fail("is missing: the package is not stamped".to_owned()),
        (false, None, None) => {
            let says = "the package is not stamped: when it was made is only what it says itself";
            return (Step::ended(STEP, Verdict::NotApplicable, says), None);
        }
    };
    let over = if opened.has(ATTESTATION) { ATTESTATION } else { MANIFEST };
    let read = opened.bytes(over).and_then(|stamped| Ok((stamped, opened.bytes(TIMESTAMP)?)));
    let checked = read.map_err(|e| e.to_string()).and_then(|(stamped, answer)| {
        let token = Token::read(&answer)?;
        let stamped = token.check(&stamped)?;
        let root = roots.map(|roots| token.trusted(roots)).transpose()?;
        Ok((stamped, root))
    });
    let (stamped, root) = match checked {
        Ok(checked) => checked,
        Err(reason) => return fail(reason),
    };
    let Some(root) = root else {
        let says = format!(
            "the package says that it was there, by {}, at {stamped}; give that authority's root certificates, from \
             elsewhere, with --timestamp-roots",
            declared.escape_debug()
        );
        return (Step::ended(STEP, Verdict::NotChecked, says), None);
    };
    let mut says = format!("{over} was there at {stamped}, which leads to the given root {root}");
    if let Some(last) = opened.manifest().custody.last_answer.filter(|last| *last > stamped.time) {
        says.push_str(&format!("; AWS's last answer in it is later ({}): one of the two clocks is wrong", last.zulu()));
    }
    (Step::ended(STEP, Verdict::Ok, says), Some(stamped))
}
