//! The plan: which calls a run makes, from which the least-privilege policy follows.

use crate::evidence::Operation;
use std::collections::BTreeSet;

/// Completes a set of operations by those without which they cannot be asked: a call about each rule needs the
/// list of rules, a report must be made before it is read.
pub fn complete(operations: &BTreeSet<Operation>) -> BTreeSet<Operation> {
    let mut planned = operations.clone();
    planned.insert(Operation::StsGetCallerIdentity);
    for operation in operations {
        planned.extend(prerequisites(*operation));
    }
    if planned.iter().any(|operation| operation.scope().is_regional()) {
        planned.insert(Operation::AccountListRegions);
    }
    planned
}

/// Changes a plan so that events come from the log files of a trail, not from the event history. What a trail records
/// must be known; keys are asked of AWS unless they were supplied.
pub fn from_trail_logs(planned: &mut BTreeSet<Operation>, keys_supplied: bool) {
    planned.remove(&Operation::CloudTrailLookupEvents);
    planned.extend([
        Operation::StsGetCallerIdentity,
        Operation::AccountListRegions,
        Operation::CloudTrailDescribeTrails,
        Operation::CloudTrailGetEventSelectors,
    ]);
    if !keys_supplied {
        planned.insert(Operation::CloudTrailListPublicKeys);
    }
}

fn prerequisites(operation: Operation) -> Vec<Operation> {
    use Operation as Op;
    match operation {
        Op::CloudTrailGetTrailStatus | Op::CloudTrailGetEventSelectors => vec![Op::CloudTrailDescribeTrails],
        Op::ConfigGetComplianceDetailsByConfigRule => vec![Op::ConfigDescribeConfigRules],
        Op::ConfigDescribeRemediationConfigurations | Op::ConfigSelectResourceConfig => {
            vec![Op::ConfigDescribeConfigRules, Op::ConfigGetComplianceDetailsByConfigRule]
        }
        Op::ConfigGetResourceConfigHistory => vec![
            Op::ConfigDescribeConfigRules,
            Op::ConfigGetComplianceDetailsByConfigRule,
            Op::ConfigSelectResourceConfig,
        ],
        Op::ConfigDescribeConformancePackCompliance | Op::ConfigGetConformancePackComplianceDetails => {
            vec![Op::ConfigDescribeConformancePacks]
        }
        Op::IamGetCredentialReport => vec![Op::IamGenerateCredentialReport],
        Op::IamGetPolicy => vec![Op::IamGetAccountAuthorizationDetails],
        Op::IamGetPolicyVersion => vec![Op::IamGetAccountAuthorizationDetails, Op::IamGetPolicy],
        Op::IamGetOpenIdConnectProvider => vec![Op::IamListOpenIdConnectProviders],
        _ => Vec::new(),
    }
}

/// The IAM policy that allows a plan and nothing else, as IAM takes it. Statements are by service; none of the
/// operations can be limited to resources in a way that would not hide some of the account.
pub fn policy(planned: &BTreeSet<Operation>) -> serde_json::Value {
    let mut services: Vec<_> = planned.iter().map(|operation| operation.service()).collect();
    services.dedup();
    let statements: Vec<serde_json::Value> = services
        .into_iter()
        .filter_map(|service| {
            let mut actions: Vec<String> =
                planned.iter().filter(|op| op.service() == service).filter_map(|op| op.iam_action()).collect();
            actions.sort();
            let sid: String = service.title().chars().filter(char::is_ascii_alphanumeric).collect();
            (!actions.is_empty())
                .then(|| serde_json::json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": "*"}))
        })
        .collect();
    serde_json::json!({"Version": "2012-10-17", "Statement": statements})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_about_each_resource_brings_the_list_of_resources() {
        for operation in Operation::ALL.iter().filter(|op| op.scope().is_per_resource()) {
            let planned = complete(&BTreeSet::from([*operation]));
            let lists =
                planned.iter().filter(|op| !op.scope().is_per_resource() && op.service() == operation.service());
            assert!(lists.count() > 0, "{operation} is asked about resources that nothing lists");
        }
    }

    #[test]
    fn the_policy_allows_the_plan_and_nothing_else() {
        let planned =
            complete(&BTreeSet::from([Operation::IamGetCredentialReport, Operation::CloudTrailGetTrailStatus]));
        let policy = policy(&planned);
        let actions: Vec<&str> = policy["Statement"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|s| s["Action"].as_array().into_iter().flatten())
            .filter_map(|a| a.as_str())
            .collect();
        assert_eq!(
            actions,
            [
                "account:ListRegions",
                "cloudtrail:DescribeTrails",
                "cloudtrail:GetTrailStatus",
                "iam:GenerateCredentialReport",
                "iam:GetCredentialReport",
            ]
        );
    }

    #[test]
    fn a_plan_without_regional_calls_needs_no_regions() {
        let planned = complete(&BTreeSet::from([Operation::IamGetAccountSummary]));
        assert!(!planned.contains(&Operation::AccountListRegions));
        assert!(
            complete(&BTreeSet::from([Operation::ConfigDescribeConfigRules])).contains(&Operation::AccountListRegions)
        );
    }
}
