//! The key that a package is signed with.

use super::CommandError;
use super::arguments::SealArgs;
use crate::package::{Seals, SigningKey};
use std::path::Path;

/// What seals packages of this run.
#[derive(Debug, Default)]
pub(super) struct Sealing {
    key: Option<SigningKey>,
}

impl Sealing {
    /// Reads the key, before hours of collection rather than after.
    pub fn load(args: &SealArgs) -> Result<Self, CommandError> {
        let key = args.sign.as_deref().map(signing_key).transpose()?;
        Ok(Self { key })
    }

    /// The seals of one package.
    pub fn seals(&self) -> Seals<'_> {
        Seals::new(self.key.as_ref(), None)
    }
}

fn signing_key(path: &Path) -> Result<SigningKey, CommandError> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| CommandError::usage(format!("cannot read the key {}: {e}", path.display())))?;
    SigningKey::from_pem(&text)
        .map_err(|reason| CommandError::usage(format!("cannot sign with {}: {reason}", path.display())))
}
