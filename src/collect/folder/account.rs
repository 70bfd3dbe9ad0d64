//! Whose files these are: the account that their documents name.

use crate::evidence::cloudtrail::DescribeTrails;
use crate::evidence::config::DescribeConfigRules;
use crate::evidence::credential_report::CredentialReport;
use crate::evidence::iam::{
    AuthorizationDetails, ListOpenIdConnectProviders, ListRoles, ListSamlProviders, is_aws_managed,
};
use crate::evidence::identity::is_account_id;
use crate::evidence::{CallId, Evidence, Note, Operation};
use std::collections::{BTreeMap, BTreeSet};

/// Finds the account, and says so if the files are of several.
pub(super) fn find(evidence: &mut Evidence) {
    let caller = evidence.caller_start().and_then(|caller| caller.account.clone()).filter(|id| is_account_id(id));
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (call, _) in evidence.calls() {
        for account in accounts(evidence, call) {
            named.entry(account).or_default().insert(call.to_string());
        }
    }
    if let Some(account) = &caller {
        named.entry(account.clone()).or_default().insert(Operation::StsGetCallerIdentity.to_string());
    }
    if named.len() > 1 {
        let each = named.iter().map(|(account, calls)| {
            format!("{account} ({})", calls.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
        });
        let text = format!("the files are of several accounts: {}", each.collect::<Vec<_>>().join("; "));
        evidence.notes.push(Note { place: "account".to_owned(), text, incomplete: true });
    }
    // Of several, the one that most files name; of those, the first.
    let most = named.iter().rev().max_by_key(|(_, calls)| calls.len()).map(|(account, _)| account.clone());
    evidence.account = caller.or(most);
}

/// The accounts whose resources a document tells of. Who else may use them is not the question.
fn accounts(evidence: &Evidence, call: &CallId) -> BTreeSet<String> {
    let mut arns: Vec<&str> = Vec::new();
    match call.operation {
        Operation::IamGetAccountAuthorizationDetails => {
            if let Some(details) = evidence.get::<AuthorizationDetails>(call).arrived() {
                let policies = details.policies.iter().filter_map(|policy| policy.arn.as_deref());
                arns.extend(details.user_detail_list.iter().filter_map(|user| user.arn.as_deref()));
                arns.extend(details.group_detail_list.iter().filter_map(|group| group.arn.as_deref()));
                arns.extend(details.role_detail_list.iter().filter_map(|role| role.arn.as_deref()));
                arns.extend(policies.filter(|arn| !is_aws_managed(arn)));
            }
        }
        Operation::IamListRoles => {
            let list = evidence.get::<ListRoles>(call);
            arns.extend(list.arrived().into_iter().flat_map(|l| &l.roles).filter_map(|role| role.arn.as_deref()));
        }
        Operation::IamGetCredentialReport => {
            let report = evidence.get::<CredentialReport>(call);
            arns.extend(report.arrived().into_iter().flat_map(|r| &r.rows).map(|row| row.arn.as_str()));
        }
        Operation::IamListSamlProviders => {
            let list = evidence.get::<ListSamlProviders>(call);
            arns.extend(
                list.arrived().into_iter().flat_map(|l| &l.saml_provider_list).filter_map(|p| p.arn.as_deref()),
            );
        }
        Operation::IamListOpenIdConnectProviders => {
            let list = evidence.get::<ListOpenIdConnectProviders>(call);
            let providers = list.arrived().into_iter().flat_map(|l| &l.open_id_connect_provider_list);
            arns.extend(providers.filter_map(|provider| provider.arn.as_deref()));
        }
        Operation::CloudTrailDescribeTrails => {
            let list = evidence.get::<DescribeTrails>(call);
            // A trail of the organisation is in the account that manages it.
            let own = |trail: &&crate::evidence::cloudtrail::Trail| trail.is_organization_trail != Some(true);
            let trails = list.arrived().into_iter().flat_map(|l| &l.trail_list).filter(own);
            arns.extend(trails.filter_map(|trail| trail.trail_arn.as_deref()));
        }
        Operation::ConfigDescribeConfigRules => {
            let list = evidence.get::<DescribeConfigRules>(call);
            let rules = list.arrived().into_iter().flat_map(|l| &l.config_rules);
            arns.extend(rules.filter_map(|rule| rule.config_rule_arn.as_deref()));
        }
        _ => {}
    }
    arns.into_iter().filter_map(|arn| arn.split(':').nth(4)).filter(|id| is_account_id(id)).map(str::to_owned).collect()
}
