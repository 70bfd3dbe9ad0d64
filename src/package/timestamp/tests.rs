//! What the `openssl` command refuses to make, and so no authority in tests/timestamp.rs can answer.

use super::asn1::{GenTime, Status};
use super::*;
use der::Decode;

/// Certificates with other purposes than time stamps: `openssl req -x509 -newkey ed25519 -nodes -days 36500 -subj /CN=x
/// -addext extendedKeyUsage=...`; the keys are gone.
const OTHER_PURPOSES: [&str; 3] =
    [include_str!("tests/both.pem"), include_str!("tests/not-critical.pem"), include_str!("tests/none.pem")];

#[test]
fn a_certificate_that_is_not_for_time_stamps_alone_is_refused() {
    for pem in OTHER_PURPOSES {
        let told = signed::purpose_of(pem).unwrap_err();
        assert!(told.contains("not for time stamps (CN=x)"), "{told}");
    }
    assert_eq!(signed::purpose_of(include_str!("tests/stamps.pem")), Ok(()));
}

#[test]
fn times_with_and_without_fractions_are_read_and_others_are_not() {
    let time = |text: &str| {
        let der = [&[0x18, text.len() as u8], text.as_bytes()].concat();
        GenTime::from_der(&der).map(|time| time.rfc3339()).ok()
    };
    assert_eq!(time("20261128045300Z").as_deref(), Some("2026-11-28T04:53:00Z"));
    assert_eq!(time("20261128045300.257Z").as_deref(), Some("2026-11-28T04:53:00Z"));
    for wrong in ["20261128045300", "20261128045300+0100", "202611280453Z", "20261128045300.Z", "2026112804530xZ"] {
        assert_eq!(time(wrong), None, "{wrong}");
    }
}

#[test]
fn refusals_are_told_with_their_words() {
    // status rejection, "not now", failure bit 14 (timeNotAvailable)
    let mut der = vec![0x30, 0x13, 0x02, 0x01, 0x02, 0x30, 0x09, 0x0c, 0x07];
    der.extend_from_slice(b"not now");
    der.extend_from_slice(&[0x03, 0x03, 0x01, 0x00, 0x02]);
    assert_eq!(
        Status::from_der(&der).unwrap().granted().unwrap_err(),
        "is the authority's refusal: not now (timeNotAvailable)"
    );
}

#[test]
fn files_of_roots_that_hold_none_are_refused_with_the_reason() {
    let pem = include_str!("tests/stamps.pem");
    assert!(Roots::from_pem(pem).is_ok() && Roots::from_pem(&format!("words\n{pem}{pem}")).is_ok());
    for (text, reason) in [
        ("", "BEGIN CERTIFICATE"),
        ("-----BEGIN CERTIFICATE-----\nAAAA", "1 does not end"),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----", "1 is damaged"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "1 is no X.509"),
    ] {
        assert!(Roots::from_pem(text).unwrap_err().contains(reason), "{text}");
    }
}
