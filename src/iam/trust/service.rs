//! The confused deputy: can a service that may assume the role be made to act for a stranger?
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html>. The guard is a condition on
//! `aws:SourceAccount`, `aws:SourceArn`, `aws:SourceOrgID` or `aws:SourceOrgPaths`. Not every service
//! sends these keys when it assumes a role, and for one that does not, a guard would lock it out.
//! Which do is data: `service-guards.yaml`.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::requirement::Asking;
use super::walk::{STRANGER, accounts_like, arns_like, without_account};
use crate::iam::context::Context;

/// Whether a path for a service is guarded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "guard", rename_all = "kebab-case")]
pub enum ServiceGuard {
    /// A request on behalf of an account that the policy does not name, by itself or by its organisation, is refused.
    Guarded {
        /// By these keys.
        keys: Vec<String>,
    },
    /// The service can carry the keys, and the policy does not ask for them.
    Unguarded {
        /// The page that says that the service carries them.
        source: String,
    },
    /// The service does not send the keys: there is nothing to guard with.
    NotSupported {
        /// The page that says how the service assumes roles.
        source: String,
    },
    /// Not guarded, and whether the service could carry a guard is not in the data file.
    UnknownService,
}

impl ServiceGuard {
    /// The stable id.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::Guarded { .. } => "guarded",
            Self::Unguarded { .. } => "unguarded",
            Self::NotSupported { .. } => "not-supported",
            Self::UnknownService => "unknown-service",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    services: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    service: String,
    carries: bool,
    source: String,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    // The file is part of the program, and the test below reads it: this cannot fail at run time.
    #[allow(clippy::expect_used)]
    serde_saphyr::from_str(include_str!("../service-guards.yaml")).expect("service-guards.yaml is readable")
});

const KEYS: [&str; 4] = ["aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths"];

pub(super) fn guard(asking: &Asking<'_>, service: &str) -> ServiceGuard {
    if !on_behalf_of_strangers(asking).iter().any(|request| asking.allowed(request)) {
        let mut keys: Vec<_> =
            asking.clauses().map(|clause| clause.key.to_string()).filter(|key| KEYS.contains(&key.as_str())).collect();
        keys.sort();
        keys.dedup();
        return ServiceGuard::Guarded { keys };
    }
    let entry = CATALOGUE.services.iter().find(|entry| entry.service == service);
    match entry {
        Some(entry) if entry.carries => ServiceGuard::Unguarded { source: entry.source.clone() },
        Some(entry) => ServiceGuard::NotSupported { source: entry.source.clone() },
        None => ServiceGuard::UnknownService,
    }
}

/// Requests that a service makes for somebody whom the policy does not name. The service says for which account, and
/// by which of its resources; the keys of the organisation are absent for an account in none. And all are absent where
/// the service says nothing: they are "included in the request context only when the call to your resource is being made
/// directly by an AWS service principal on behalf of a resource for which the configuration triggered the
/// service-to-service request"
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourceaccount>).
fn on_behalf_of_strangers(asking: &Asking<'_>) -> Vec<Context> {
    let mut accounts = accounts_like(asking, "aws:sourceaccount");
    accounts.push(STRANGER.to_owned());
    // A stranger has trails and topics, too, of every name, and can come to own a bucket of any name.
    let mut arns = arns_like(asking, "aws:sourcearn", &["arn:aws:*:*:{}:*"]);
    arns.extend(without_account(asking, "aws:sourcearn"));
    let silent = KEYS.iter().fold(asking.base.clone(), |request, key| request.without(key));
    let mut requests = vec![silent];
    for account in &accounts {
        let mine = format!("arn:aws:stranger:us-east-1:{account}:thing/stranger");
        for arn in arns.iter().chain([&mine]) {
            let alone = asking
                .base
                .clone()
                .with("aws:SourceAccount", account)
                .with("aws:SourceArn", arn)
                .without("aws:SourceOrgID")
                .without("aws:SourceOrgPaths");
            let organised = alone
                .clone()
                .with("aws:SourceOrgID", "o-stranger000")
                .with_values("aws:SourceOrgPaths", vec!["o-stranger000/r-strange/".to_owned()]);
            requests.extend([alone, organised]);
        }
    }
    requests
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_readable() {
        for entry in &CATALOGUE.services {
            assert!(entry.source.starts_with("https://"), "{}", entry.service);
            assert!(entry.service.ends_with(".amazonaws.com"), "{}", entry.service);
        }
    }
}
