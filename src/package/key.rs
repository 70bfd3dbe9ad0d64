//! Keys to sign packages with: Ed25519, in the PEM files that OpenSSL reads and writes.

use crate::evidence::digest::sha256;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// What stands before the 32 bytes of a public key: SubjectPublicKeyInfo of Ed25519
/// (<https://www.rfc-editor.org/rfc/rfc8410#section-4>).
const SPKI: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A private key.
pub struct SigningKey(Ed25519KeyPair);

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the private key of {}", self.public().fingerprint())
    }
}

impl SigningKey {
    /// A new key.
    pub fn generate() -> Result<Self, String> {
        Ed25519KeyPair::generate().map(Self).map_err(|_| "no key could be made".to_owned())
    }

    /// Reads a PEM file (PKCS #8), as `auditpack keygen` and `openssl genpkey -algorithm ed25519` write it.
    pub fn from_pem(text: &str) -> Result<Self, String> {
        if text.contains("ENCRYPTED PRIVATE KEY") {
            return Err(
                "it is encrypted: write it without a passphrase with `openssl pkey -in KEY -out PLAIN`".to_owned()
            );
        }
        let der = read_pem(text, "PRIVATE KEY")?;
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der)
            .map(Self)
            .map_err(|_| "it is not an Ed25519 key: make one with `auditpack keygen`".to_owned())
    }

    /// The PEM file (PKCS #8, version 1, which every OpenSSL reads).
    pub fn to_pem(&self) -> Result<String, String> {
        let der = self.0.to_pkcs8v1().map_err(|_| "the key cannot be written".to_owned())?;
        Ok(write_pem(der.as_ref(), "PRIVATE KEY"))
    }

    /// The public key that belongs to it.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key().as_ref().to_vec())
    }

    /// A signature, 64 bytes. The same key and bytes give the same signature.
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.0.sign(bytes).as_ref().to_vec()
    }
}

/// A public key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fingerprint())
    }
}

impl PublicKey {
    /// Reads a PEM file, as `auditpack keygen` and `openssl pkey -pubout` write it.
    pub fn from_pem(text: &str) -> Result<Self, String> {
        if text.contains("PRIVATE KEY") {
            return Err("it is a private key: give the public one, and keep this one to yourself".to_owned());
        }
        let der = read_pem(text, "PUBLIC KEY")?;
        match der.strip_prefix(&SPKI) {
            Some(key) if key.len() == 32 => Ok(Self(key.to_vec())),
            _ => Err("it is not an Ed25519 public key".to_owned()),
        }
    }

    /// The PEM file.
    pub fn to_pem(&self) -> String {
        write_pem(&self.der(), "PUBLIC KEY")
    }

    /// SubjectPublicKeyInfo.
    fn der(&self) -> Vec<u8> {
        [SPKI.as_slice(), &self.0].concat()
    }

    /// The SHA-256 of the key in DER: what `openssl pkey -pubin -outform DER | sha256sum` prints.
    pub fn fingerprint(&self) -> String {
        sha256(&self.der())
    }

    /// Whether a signature over some bytes is this key's.
    pub fn verifies(&self, bytes: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(bytes, signature).is_ok()
    }
}

/// The largest PEM file that is read.
const LARGEST_PEM: usize = 64 << 10;

fn read_pem(text: &str, label: &str) -> Result<Vec<u8>, String> {
    let missing = || format!("it holds no `-----BEGIN {label}-----`");
    if text.len() > LARGEST_PEM {
        return Err(missing());
    }
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----")).ok_or_else(missing)?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----")).ok_or_else(missing)?;
    let body: String = body.split_whitespace().collect();
    STANDARD.decode(body).map_err(|e| format!("it is damaged: {e}"))
}

fn write_pem(der: &[u8], label: &str) -> String {
    let text = STANDARD.encode(der);
    let mut lines = String::new();
    for (n, c) in text.chars().enumerate() {
        if n > 0 && n % 64 == 0 {
            lines.push('\n');
        }
        lines.push(c);
    }
    format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_back_and_signs_what_its_public_key_verifies() {
        let key = SigningKey::generate().unwrap();
        let again = SigningKey::from_pem(&key.to_pem().unwrap()).unwrap();
        let public = PublicKey::from_pem(&key.public().to_pem()).unwrap();
        let signature = again.sign(b"text");
        assert_eq!(signature, key.sign(b"text"));
        assert!(public.verifies(b"text", &signature));
        assert!(!public.verifies(b"texT", &signature));
        assert!(!SigningKey::generate().unwrap().public().verifies(b"text", &signature));
    }

    #[test]
    fn what_is_no_key_is_refused_with_the_reason() {
        let key = SigningKey::generate().unwrap();
        for (text, reason) in [
            (String::new(), "BEGIN PUBLIC KEY"),
            (key.to_pem().unwrap(), "private key"),
            ("-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----".to_owned(), "damaged"),
            ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----".to_owned(), "not an Ed25519"),
        ] {
            assert!(PublicKey::from_pem(&text).unwrap_err().contains(reason), "{text}");
        }
        assert!(SigningKey::from_pem(&key.public().to_pem()).is_err());
    }
}
