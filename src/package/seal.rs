//! What seals a package when everything else is written: a signature, a time stamp.

use super::attestation;
use super::key::SigningKey;
use super::manifest::{DeclaredSeals, Manifest};
use super::{ATTESTATION, TIMESTAMP};
use crate::evidence::document::write_json;
use std::fmt;

/// Gets a time stamp over some bytes.
pub type Stamp<'a> = Box<dyn Fn(&[u8]) -> Result<Vec<u8>, String> + 'a>;

/// How a package is sealed.
#[derive(Default)]
pub struct Seals<'a> {
    pub(super) declared: DeclaredSeals,
    signer: Option<&'a SigningKey>,
    stamp: Option<Stamp<'a>>,
    /// Seals of the package that this one is compared with.
    copied: Vec<(&'static str, Vec<u8>)>,
}

impl fmt::Debug for Seals<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.declared.fmt(f)
    }
}

impl<'a> Seals<'a> {
    /// A signature by a key, if there is one, and a time stamp by the authority at an address, if there is one.
    pub fn new(signer: Option<&'a SigningKey>, stamp: Option<(String, Stamp<'a>)>) -> Self {
        let (stamped_by, stamp) = stamp.unzip();
        let signed_by = signer.map(|key| key.public().fingerprint());
        Self { declared: DeclaredSeals { signed_by, stamped_by }, signer, stamp, copied: Vec::new() }
    }

    /// The seals of another package, as they are.
    pub fn copied(declared: DeclaredSeals, files: Vec<(&'static str, Vec<u8>)>) -> Self {
        Self { declared, signer: None, stamp: None, copied: files }
    }

    /// The paths that the declared seals have.
    pub fn paths(declared: &DeclaredSeals) -> impl Iterator<Item = &'static str> {
        let attestation = declared.signed_by.as_ref().map(|_| ATTESTATION);
        attestation.into_iter().chain(declared.stamped_by.as_ref().map(|_| TIMESTAMP))
    }

    /// What the manifest declares.
    pub fn declared(&self) -> &DeclaredSeals {
        &self.declared
    }

    /// The files, with their paths. The time stamp is over the signature, which it makes older than the loss of its key;
    /// where there is none, over the manifest.
    pub(super) fn over(self, manifest: &Manifest, sha256: &str) -> Result<Vec<(&'static str, Vec<u8>)>, String> {
        let mut files = self.copied;
        if let Some(key) = self.signer {
            files.push((ATTESTATION, attestation::sign(key, manifest, sha256)?));
        }
        if let Some(stamp) = self.stamp {
            let answer = match files.iter().find(|(path, _)| *path == ATTESTATION) {
                Some((_, signature)) => stamp(signature)?,
                None => {
                    let mut text = Vec::new();
                    write_json(manifest, &mut text).map_err(|e| e.to_string())?;
                    stamp(&text)?
                }
            };
            files.push((TIMESTAMP, answer));
        }
        Ok(files)
    }
}
