//! Any bytes as each of the texts that a verifier reads before it trusts anything: manifest, attestation, time stamp,
//! keys, roots. Nothing may panic, and a manifest that is read is written and read back the same.
//!
//! `cargo +nightly fuzz run package_texts --sanitizer none`

#![no_main]

use auditpack::package::{Attestation, Manifest, PublicKey, SigningKey};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(manifest) = Manifest::read(data) {
        let text = serde_json::to_vec(&manifest).expect("a manifest is always JSON");
        assert_eq!(Manifest::read(&text).expect("what was written is read"), manifest);
    }
    let _ = Attestation::read(data);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = PublicKey::from_pem(text);
        let _ = SigningKey::from_pem(text);
        let _ = auditpack::package::timestamp::Roots::from_pem(text);
    }
    let _ = auditpack::package::timestamp::Token::read(data);
});
