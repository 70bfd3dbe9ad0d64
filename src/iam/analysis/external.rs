//! The inventory of outsiders: which accounts and identity providers can enter, and through which roles.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::trust::{PathKind, TrustReport};

/// Somebody outside the account who can become a role of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExternalPrincipal {
    /// The account id, the provider's ARN, or `*`.
    pub principal: String,
    /// What it is.
    pub kind: PathKind,
    /// It is an account of the same owner.
    pub own: bool,
    /// The roles and the positions of the paths in their reports.
    pub entries: Vec<Entry>,
}

/// A way in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The role.
    pub role: String,
    /// The path's position in the role's report.
    pub path: usize,
}

pub(super) fn inventory(roles: &[TrustReport]) -> Vec<ExternalPrincipal> {
    let mut found: BTreeMap<(String, PathKind), ExternalPrincipal> = BTreeMap::new();
    for role in roles {
        for (index, path) in role.paths.iter().enumerate() {
            if !path.kind.is_external() {
                continue;
            }
            let name = path.account.clone().unwrap_or_else(|| path.principal.clone());
            let outsider = found
                .entry((name.clone(), path.kind))
                .or_insert_with(|| ExternalPrincipal {
                    principal: name,
                    kind: path.kind,
                    own: path.own,
                    entries: Vec::new(),
                });
            outsider.entries.push(Entry {
                role: role.role.clone(),
                path: index,
            });
        }
    }
    found.into_values().collect()
}
