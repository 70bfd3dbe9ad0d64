//! Who asked, and which Regions there are: documents of STS and Account Management.

use super::document::json_documents;
use serde::{Deserialize, Serialize};

/// GetCallerIdentity. It needs no permission and works under an explicit deny, so that its success
/// says nothing about access (<https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CallerIdentity {
    /// The unique id of the calling entity.
    pub user_id: Option<String>,
    /// The account, twelve digits.
    pub account: Option<String>,
    /// The ARN of the calling entity.
    pub arn: Option<String>,
}

/// Whether a text is the id of an account: twelve digits
/// (<https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html>).
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// ListRegions of Account Management.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListRegions {
    /// All Regions of the partition.
    pub regions: Vec<Region>,
}

/// One Region and whether the account uses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Region {
    /// Such as `eu-west-1`.
    pub region_name: Option<String>,
    /// ENABLED, ENABLED_BY_DEFAULT, ENABLING, DISABLING or DISABLED.
    pub region_opt_status: Option<String>,
}

impl ListRegions {
    /// The names of the Regions that are enabled
    /// (<https://docs.aws.amazon.com/accounts/latest/reference/API_Region.html>).
    pub fn enabled(&self) -> impl Iterator<Item = &str> {
        self.regions.iter().filter_map(|region| {
            let enabled = matches!(region.region_opt_status.as_deref(), Some("ENABLED" | "ENABLED_BY_DEFAULT"));
            region.region_name.as_deref().filter(|_| enabled)
        })
    }
}

impl ListRegions {
    /// The Regions that are on their way from one state to the other: they answer no calls, or not for long.
    pub fn in_between(&self) -> impl Iterator<Item = (&str, &str)> {
        self.regions.iter().filter_map(|region| {
            let status = region.region_opt_status.as_deref()?;
            matches!(status, "ENABLING" | "DISABLING").then_some((region.region_name.as_deref()?, status))
        })
    }
}

json_documents! {
    CallerIdentity => StsGetCallerIdentity ["Account", "Arn"],
    ListRegions => AccountListRegions ["Regions"],
}
