//! The documents that several families read, each looked up once.

use super::build::{Regions, Source};
use crate::evidence::credential_report::{CredentialReport, Row};
use crate::evidence::iam::{AccountSummary, AuthorizationDetails, ListRoles, ManagedPolicyDetail, Role, UserDetail};
use crate::evidence::{Evidence, Timestamp};
use std::collections::HashMap;

/// The evidence with the documents that several families read.
#[derive(Debug)]
pub(super) struct Input<'a> {
    pub evidence: &'a Evidence,
    pub details: Source<'a, AuthorizationDetails>,
    pub report: Source<'a, CredentialReport>,
    pub summary: Source<'a, AccountSummary>,
    pub list_roles: Source<'a, ListRoles>,
    pub regions: Regions<'a>,
    /// Users of the authorization details by ARN, with their place in the list.
    pub users: HashMap<&'a str, (usize, &'a UserDetail)>,
    /// Users of the credential report by ARN.
    pub reported: HashMap<&'a str, &'a Row>,
    /// Managed policies of the authorization details by ARN.
    pub policies: HashMap<&'a str, &'a ManagedPolicyDetail>,
    /// Roles of ListRoles by ARN, with their place in the list.
    pub listed_roles: HashMap<&'a str, (usize, &'a Role)>,
}

impl<'a> Input<'a> {
    /// Looks the documents up.
    pub fn new(evidence: &'a Evidence) -> Self {
        let details = Source::<AuthorizationDetails>::global(evidence);
        let report = Source::<CredentialReport>::global(evidence);
        let list_roles = Source::<ListRoles>::global(evidence);
        let users = details.arrived().map_or(&[][..], |details| &details.user_detail_list);
        let roles = list_roles.arrived().map_or(&[][..], |list| &list.roles);
        Self {
            evidence,
            summary: Source::global(evidence),
            regions: Regions::of(evidence),
            users: by_arn(users, |user| user.arn.as_deref()),
            reported: report
                .arrived()
                .into_iter()
                .flat_map(CredentialReport::users)
                .map(|row| (row.arn.as_str(), row))
                .collect(),
            policies: details
                .arrived()
                .into_iter()
                .flat_map(|details| details.policies.iter().rev())
                .filter_map(|policy| Some((policy.arn.as_deref()?, policy)))
                .collect(),
            listed_roles: by_arn(roles, |role| role.arn.as_deref()),
            details,
            report,
            list_roles,
        }
    }

    /// The as-of time.
    pub fn as_of(&self) -> Timestamp {
        self.evidence.as_of()
    }

    /// The time that ages in the credential report are counted to: when AWS made it, if that is known.
    pub fn reported_at(&self) -> Timestamp {
        self.report.arrived().and_then(|report| report.generated).unwrap_or(self.as_of())
    }
}

fn by_arn<'a, T>(list: &'a [T], arn: impl Fn(&'a T) -> Option<&'a str>) -> HashMap<&'a str, (usize, &'a T)> {
    // In reverse, so that the first of several entries stays, as in the populations.
    list.iter().enumerate().rev().filter_map(|(at, entry)| Some((arn(entry)?, (at, entry)))).collect()
}
