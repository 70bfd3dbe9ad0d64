//! `auditpack.toml`: parameters and exceptions.

use crate::finding::Exception;
use crate::resource::Value;
use std::collections::BTreeMap;

/// What a user has set.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// All parameters with their values, defaults included.
    pub parameters: BTreeMap<String, Value>,
    /// Accepted risks, expired ones too.
    pub exceptions: Vec<Exception>,
}
