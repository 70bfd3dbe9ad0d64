//! Service control policies that a user hands over: one file for each level of the organisation.
//!
//! auditpack reads no AWS Organizations. Whoever can, prints the policies that are attached to the root, to each unit and
//! to the account (<https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html>):
//! something is allowed only if every level allows it.

use crate::commands::CommandError;
use crate::iam::Document;
use crate::iam::policy::Effect;
use crate::resource::profile::ServiceControlPolicy;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::path::Path;

/// The policies of one level.
pub(super) fn level(path: &Path) -> Result<Vec<ServiceControlPolicy>, CommandError> {
    let file = path.display();
    let text = std::fs::read_to_string(path).map_err(|e| CommandError::usage(format!("cannot read {file}: {e}")))?;
    let bad = |e: serde_json::Error| CommandError::usage(format!("{file} is not JSON: {e}"));
    let entries: Vec<&RawValue> = match text.trim_start().starts_with('[') {
        true => serde_json::from_str(&text).map_err(bad)?,
        false => vec![serde_json::from_str(&text).map_err(bad)?],
    };
    let several = entries.len() > 1;
    let mut policies = Vec::new();
    let mut allows = false;
    for (index, entry) in entries.iter().enumerate() {
        let place = if several { format!("{file}, policy {}", index + 1) } else { file.to_string() };
        let policy = policy(entry, &place);
        let document = Document::parse(&policy.document).map_err(|e| {
            CommandError::usage(format!("{place}: {e}; write a service control policy or a list of them"))
        })?;
        allows |= document.statements.iter().any(|statement| statement.effect != Effect::Deny);
        policies.push(policy);
    }
    if !allows {
        return Err(CommandError::usage(format!(
            "{file} allows nothing, so that nothing at all would be allowed below; a level has FullAWSAccess or another policy that allows: add it to the list"
        )));
    }
    Ok(policies)
}

/// A document, or what `aws organizations describe-policy` prints.
fn policy(entry: &RawValue, place: &str) -> ServiceControlPolicy {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Printed {
        policy: Described,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Described {
        content: String,
        policy_summary: Option<Summary>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Summary {
        name: Option<String>,
    }
    match serde_json::from_str::<Printed>(entry.get()) {
        Ok(Printed { policy }) => {
            let name = policy.policy_summary.and_then(|summary| summary.name);
            let name = name.map_or_else(|| place.to_owned(), |name| format!("{name} ({place})"));
            ServiceControlPolicy { name, document: policy.content }
        }
        Err(_) => ServiceControlPolicy { name: place.to_owned(), document: entry.get().to_owned() },
    }
}
