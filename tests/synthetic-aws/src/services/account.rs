//! Account Management: <https://docs.aws.amazon.com/accounts/latest/reference/api-reference.html>.

use serde_json::{Value, json};

use super::{Answer, Operation, page};
use crate::server::Context;
use crate::wire::Call;
use crate::wire::xml;

pub(super) const OPERATIONS: &[Operation] =
    &[("ListRegions", list_regions), ("GetAccountInformation", account_information)];

fn account_information(context: &Context, _: &Call) -> Answer {
    let account = &context.account;
    Ok(json!({
        "AccountId": account.id,
        "AccountName": account.name,
        "AccountCreatedDate": xml::iso(account.created),
        "AccountState": "ACTIVE",
    })
    .to_string())
}

fn list_regions(context: &Context, call: &Call) -> Answer {
    let wanted = call.texts("RegionOptStatusContains");
    let regions = context.account.regions.iter().filter(|r| wanted.is_empty() || wanted.contains(&r.status));
    let size = page::size(call, "MaxResults", 50, 50, context.pages.regions, "ValidationException")?;
    let page = page::of(call, regions, size)?;
    let regions: Vec<Value> =
        page.items.iter().map(|r| json!({"RegionName": r.name, "RegionOptStatus": r.status})).collect();
    let mut body = json!({ "Regions": regions });
    if let Some(next) = page.next {
        body["NextToken"] = next.into();
    }
    Ok(body.to_string())
}
