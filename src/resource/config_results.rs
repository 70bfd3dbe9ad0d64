//! What AWS Config's rules say about single resources, and how AWS Config calls the resources that we call otherwise.
//!
//! AWS Config knows IAM's resources by their unique ids (`AIDA…`), not by name or ARN, and root by the account
//! (<https://docs.aws.amazon.com/config/latest/APIReference/API_EvaluationResultQualifier.html>).

use super::build::Source;
use super::{FieldValue, Kind, Resource, Value};
use crate::evidence::config::ComplianceDetails;
use crate::evidence::iam::AuthorizationDetails;
use crate::evidence::{CallId, Evidence, Operation};
use std::collections::HashMap;

/// How AWS Config calls resources: `AWS::IAM::User AIDA…`, by our ids.
#[derive(Debug, Default)]
pub struct ConfigNames {
    by_arn: HashMap<String, String>,
    /// Of users, by their name: an access key is judged as its user.
    users: HashMap<String, String>,
}

impl ConfigNames {
    /// What the evidence tells of them.
    pub fn of(evidence: &Evidence) -> Self {
        let mut names = Self::default();
        let source = Source::<AuthorizationDetails>::global(evidence);
        let Some(details) = source.arrived() else { return names };
        let mut add = |kind: &str, arn: &Option<String>, id: &Option<String>| {
            if let (Some(arn), Some(id)) = (arn, id) {
                names.by_arn.insert(arn.clone(), format!("AWS::IAM::{kind} {id}"));
            }
        };
        for user in &details.user_detail_list {
            add("User", &user.arn, &user.user_id);
        }
        for group in &details.group_detail_list {
            add("Group", &group.arn, &group.group_id);
        }
        for role in &details.role_detail_list {
            add("Role", &role.arn, &role.role_id);
        }
        for policy in &details.policies {
            add("Policy", &policy.arn, &policy.policy_id);
        }
        for user in &details.user_detail_list {
            if let (Some(name), Some(id)) = (&user.user_name, &user.user_id) {
                names.users.insert(name.clone(), format!("AWS::IAM::User {id}"));
            }
        }
        names
    }

    /// AWS Config's type and id of the resource that its rules judge where ours is judged, as it may be written.
    pub fn of_resource(&self, resource: &Resource) -> Vec<String> {
        let text = |field: &str| match resource.fields.get(field).and_then(FieldValue::known) {
            Some(Value::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        let trail = |id: Option<&str>| id.map(|id| format!("AWS::CloudTrail::Trail {id}"));
        let names = match resource.kind {
            Kind::Account => [text("account_id").map(|id| format!("AWS::::Account {id}")), None],
            Kind::AccessKey => [text("user").and_then(|user| self.users.get(user).cloned()), None],
            Kind::Trail => [trail(text("name")), trail(text("arn"))],
            _ => [self.by_arn.get(&resource.id).cloned(), None],
        };
        names.into_iter().flatten().collect()
    }
}

/// What a rule says of each resource now, by AWS Config's type and id; why it is not known, where the call did not
/// answer completely.
pub fn rule_results(evidence: &Evidence, region: &str, rule: &str) -> Result<HashMap<String, String>, String> {
    let call = CallId::regional(Operation::ConfigGetComplianceDetailsByConfigRule, region).about(rule);
    let source = Source::<ComplianceDetails>::of(evidence, call);
    let told = source.whole().map_err(|gap| gap.reason.clone())?;
    let mut results: HashMap<String, String> = HashMap::new();
    for result in &told.evaluation_results {
        let which = result.evaluation_result_identifier.as_ref();
        let Some(which) = which.and_then(|which| which.evaluation_result_qualifier.as_ref()) else { continue };
        if which.evaluation_mode.as_deref() == Some("PROACTIVE") {
            continue; // what is only about to be deployed is not there
        }
        let (Some(kind), Some(id), Some(verdict)) = (&which.resource_type, &which.resource_id, &result.compliance_type)
        else {
            continue;
        };
        // Of several results for one resource the worse one counts.
        let known = results.entry(format!("{kind} {id}")).or_insert_with(|| verdict.clone());
        if verdict == "NON_COMPLIANT" {
            known.clone_from(verdict);
        }
    }
    Ok(results)
}
