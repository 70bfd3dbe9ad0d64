//! EC2, as far as account-wide tools need it: which Regions there are.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html>

use super::{Answer, Operation};
use crate::server::Context;
use crate::wire::xml::Xml;
use crate::wire::{AwsError, Call};

pub(super) const OPERATIONS: &[Operation] = &[("DescribeRegions", regions)];

/// The enabled Regions, with AllRegions the others too. Of filters there is opt-in-status; others are refused rather
/// than disregarded.
fn regions(context: &Context, call: &Call) -> Answer {
    let names = call.numbered("RegionName");
    let statuses = call.numbered("Filter.1.Value");
    let filter = call.text("Filter.1.Name");
    if filter.is_some_and(|name| name != "opt-in-status") || call.text("Filter.2.Name").is_some() {
        let message = "synthetic-aws filters Regions by opt-in-status only";
        return Err(AwsError::new(400, "InvalidParameterValue", message));
    }
    let known = &context.account.regions;
    if let Some(wrong) = names.iter().find(|name| !known.iter().any(|r| r.name == **name)) {
        return Err(AwsError::new(400, "InvalidParameterValue", format!("Invalid region names: [{wrong}]")));
    }
    let all = call.flag("AllRegions").unwrap_or(false);
    let wanted = known
        .iter()
        .filter(|r| all || r.is_enabled())
        .filter(|r| names.is_empty() || names.contains(&r.name))
        .filter(|r| filter.is_none() || statuses.iter().any(|status| status == opt_in(&r.status)));
    let mut x = Xml::new();
    x.nest("regionInfo", |x| {
        for region in wanted {
            x.nest("item", |x| {
                x.text("regionName", &region.name);
                x.text("regionEndpoint", &format!("ec2.{}.amazonaws.com", region.name));
                x.text("optInStatus", opt_in(&region.status));
            });
        }
    });
    Ok(x.finish())
}

/// What EC2 calls the states of Account Management's ListRegions.
fn opt_in(status: &str) -> &'static str {
    match status {
        "ENABLED_BY_DEFAULT" => "opt-in-not-required",
        "ENABLED" => "opted-in",
        _ => "not-opted-in",
    }
}
