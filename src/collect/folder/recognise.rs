//! Which operation a file answers: by its name, and by what is in it.

use super::shapes::{SHAPES, Shape};
use crate::evidence::Operation;
use regex::Regex;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// What a file's name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub operation: Operation,
    /// The name has more than one word. `roles.json` alone could be anything.
    pub certain: bool,
    /// What else the name says: the resource, as a rule.
    pub rest: String,
}

/// What a Region is called. Folders of resources can be called nearly so: the middle of a Region's name is a direction.
static REGION: LazyLock<Regex> = LazyLock::new(|| {
    // The pattern is a constant that the tests compile.
    #[allow(clippy::expect_used)]
    Regex::new(
        "(^|[^a-z0-9])((?:us-gov|us-iso[a-z]?|eu-iso[a-z]|eusc-[a-z]{2}|[a-z]{2})-(?:north|south|central|east|west|northeast|northwest|southeast|southwest)-[0-9]{1,2})($|[^a-z0-9])",
    )
    .expect("a constant pattern")
});

/// Whether a text is a Region's name.
pub(super) fn is_region(text: &str) -> bool {
    take_region(text).is_some_and(|(_, rest)| rest.is_empty())
}

/// The Region in a file's name, and the name without it.
pub(super) fn take_region(stem: &str) -> Option<(String, String)> {
    let found = REGION.captures(stem)?.get(2)?;
    let before = stem.get(..found.start())?.trim_end_matches(SEPARATORS);
    let after = stem.get(found.end()..)?.trim_start_matches(SEPARATORS);
    let joint = if before.is_empty() || after.is_empty() { "" } else { "-" };
    Some((found.as_str().to_owned(), format!("{before}{joint}{after}")))
}

const SEPARATORS: [char; 4] = ['-', '_', '.', ' '];

/// The operation that a file's name (without its ending and its Region) says: the AWS CLI's command, or the API's
/// name, with or without `aws`, the service and the verb, and with something after it (`-page-2`, a resource).
pub(super) fn by_name(stem: &str) -> Option<Named> {
    let lower = stem.to_ascii_lowercase();
    let mut best: Option<(usize, Named)> = None;
    for operation in Operation::ALL.iter().copied() {
        // Asking for the credential report is not getting it.
        let command = operation.cli_command();
        let without_verb = command.split_once('-').map_or("", |(_, rest)| rest);
        let ambiguous = operation == Operation::IamGenerateCredentialReport;
        for name in [command.as_str(), without_verb] {
            if name.is_empty() || (ambiguous && name == without_verb) {
                continue;
            }
            let certain = name.contains('-');
            let service = operation.service();
            for prefix in [&[][..], &["aws"], &[service.cli_name()], &[service.prefix()], &["aws", service.cli_name()]]
            {
                let words = prefix.iter().copied().chain(name.split('-'));
                let Some(length) = spelled(&lower, words) else { continue };
                if best.as_ref().is_none_or(|(longest, _)| *longest < length) {
                    let rest = stem.get(length..).unwrap_or_default().trim_start_matches(SEPARATORS).to_owned();
                    best = Some((length, Named { operation, certain, rest }));
                }
            }
        }
    }
    best.map(|(_, named)| named)
}

/// How much of a text is taken by some words, with or without separators between them, and nothing but a separator
/// after them.
fn spelled<'w>(text: &str, words: impl Iterator<Item = &'w str>) -> Option<usize> {
    let mut rest = text;
    for word in words {
        rest = rest.trim_start_matches(SEPARATORS).strip_prefix(word)?;
    }
    (rest.is_empty() || rest.starts_with(SEPARATORS)).then(|| text.len() - rest.len())
}

/// The operation whose document has these members.
pub(super) fn by_content(members: &BTreeMap<String, &RawValue>) -> Option<Operation> {
    let has = |name: &str| members.contains_key(name);
    // Part of the authorization details is still that: nothing else has these lists.
    if ["UserDetailList", "GroupDetailList", "RoleDetailList"].into_iter().any(has) {
        return Some(Operation::IamGetAccountAuthorizationDetails);
    }
    if has("EventSelectors") || has("AdvancedEventSelectors") {
        return Some(Operation::CloudTrailGetEventSelectors);
    }
    if has("Content") && has("ReportFormat") {
        return Some(Operation::IamGetCredentialReport);
    }
    if has("Events") || has("Records") {
        let holds_events = ["Events", "Records"].iter().filter_map(|name| members.get(*name)).any(|raw| {
            // The first event is enough to tell.
            let start = raw.get().get(..raw.get().len().min(4096)).unwrap_or(raw.get());
            start.contains("CloudTrailEvent") || start.contains("eventVersion") || start.contains("eventID")
        });
        return holds_events.then_some(Operation::CloudTrailLookupEvents);
    }
    let fitting = |shape: &&Shape| !shape.members.is_empty() && shape.members.iter().all(|name| has(name));
    let operation = SHAPES.iter().find(fitting)?.operation;
    let holds = |name: &str, text: &str| members.get(name).is_some_and(|raw| raw.get().contains(text));
    let really = match operation {
        // Others print members of the same name: `aws ec2 describe-regions`, anything with a state or an address.
        Operation::AccountListRegions => holds("Regions", "RegionOptStatus"),
        Operation::IamGenerateCredentialReport => {
            ["STARTED", "INPROGRESS", "COMPLETE"].iter().any(|s| holds("State", s))
        }
        Operation::IamGetOpenIdConnectProvider => has("ClientIDList") || has("ThumbprintList"),
        Operation::IamGetPolicy => holds("Policy", ":policy/"),
        _ => true,
    };
    really.then_some(operation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_recognised_as_people_write_them() {
        for (stem, operation, certain, rest) in [
            ("get-account-authorization-details", Operation::IamGetAccountAuthorizationDetails, true, ""),
            ("account-authorization-details", Operation::IamGetAccountAuthorizationDetails, true, ""),
            ("iam.GetAccountSummary_1", Operation::IamGetAccountSummary, true, "1"),
            ("aws_iam_list_roles", Operation::IamListRoles, true, ""),
            ("ListVirtualMFADevices", Operation::IamListVirtualMfaDevices, true, ""),
            ("list-open-id-connect-providers", Operation::IamListOpenIdConnectProviders, true, ""),
            ("credential-report", Operation::IamGetCredentialReport, true, ""),
            ("roles", Operation::IamListRoles, false, ""),
            ("generate-credential-report", Operation::IamGenerateCredentialReport, true, ""),
            ("describe-configuration-recorder-status", Operation::ConfigDescribeConfigurationRecorderStatus, true, ""),
            ("config.DescribeConfigRules_8", Operation::ConfigDescribeConfigRules, true, "8"),
            ("get-trail-status-main", Operation::CloudTrailGetTrailStatus, true, "main"),
            ("get-policy-version.v3", Operation::IamGetPolicyVersion, true, "v3"),
            ("lookup-events", Operation::CloudTrailLookupEvents, true, ""),
        ] {
            assert_eq!(by_name(stem), Some(Named { operation, certain, rest: rest.to_owned() }), "{stem}");
        }
        for stem in
            ["list-users", "list-mfa-devices", "list-access-keys", "get-insight-selectors", "get-policyx", "readme"]
        {
            assert_eq!(by_name(stem), None, "{stem}");
        }
    }

    #[test]
    fn regions_are_told_from_names_that_look_like_them() {
        for region in
            ["us-east-1", "us-gov-west-1", "us-isob-east-1", "ap-southeast-5", "eusc-de-east-1", "cn-northwest-1"]
        {
            assert!(is_region(region), "{region}");
        }
        for other in ["my-trail-1", "us-east-1a", "us-east", "iam", "x-us-east-1", ""] {
            assert!(!is_region(other), "{other}");
        }
        let split = |stem: &str| take_region(stem).unwrap();
        assert_eq!(split("us-east-1_describe-trails"), ("us-east-1".into(), "describe-trails".into()));
        assert_eq!(split("describe-trails.eu-west-1"), ("eu-west-1".into(), "describe-trails".into()));
        assert_eq!(split("get-trail-status-main-us-east-1"), ("us-east-1".into(), "get-trail-status-main".into()));
    }

    #[test]
    fn members_tell_the_operation() {
        for (text, operation) in [
            (r#"{"RoleDetailList": []}"#, Some(Operation::IamGetAccountAuthorizationDetails)),
            (r#"{"Policies": []}"#, None),
            (r#"{"Users": []}"#, None),
            (r#"{"Regions": [{"RegionName": "us-east-1", "OptInStatus": "opted-in"}]}"#, None),
            (
                r#"{"Regions": [{"RegionName": "us-east-1", "RegionOptStatus": "ENABLED"}]}"#,
                Some(Operation::AccountListRegions),
            ),
            (r#"{"UserId": "x", "Account": "1", "Arn": "y"}"#, Some(Operation::StsGetCallerIdentity)),
            (r#"{"State": "running"}"#, None),
            (r#"{"Events": []}"#, None),
            (r#"{"Events": [{"EventId": "x", "CloudTrailEvent": "{}"}]}"#, Some(Operation::CloudTrailLookupEvents)),
            (r#"{"PasswordPolicy": {}}"#, Some(Operation::IamGetAccountPasswordPolicy)),
        ] {
            let members = serde_json::from_str(text).unwrap();
            assert_eq!(by_content(&members), operation, "{text}");
        }
    }
}
