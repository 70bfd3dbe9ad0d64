//! The services: each operation, from its parameters to the body of its answer.

mod account;
pub(crate) mod cloudtrail;
mod config;
mod iam;
mod page;
mod sts;

pub(crate) use cloudtrail::default_selectors;

use crate::server::Context;
use crate::wire::{AwsError, Call, Protocol};

/// The body of a successful answer: the inside of `<XResult>` in query, the whole body elsewhere.
type Answer = Result<String, AwsError>;

pub(crate) fn answer(context: &Context, call: &Call) -> Answer {
    let global = matches!(call.service.as_str(), "iam" | "account");
    if !global && !context.account.is_enabled(&call.region) {
        return Err(AwsError::region_disabled(call));
    }
    match call.service.as_str() {
        "iam" => iam::answer(context, call),
        "sts" => sts::answer(context, call),
        "cloudtrail" => cloudtrail::answer(context, call),
        "config" => config::answer(context, call),
        "account" => account::answer(context, call),
        _ => Err(unknown(call)),
    }
}

/// An operation that this server does not have.
fn unknown(call: &Call) -> AwsError {
    let message = format!("synthetic-aws does not have {}:{}", call.service, call.operation);
    match call.protocol {
        Protocol::Query => AwsError::new(400, "InvalidAction", message),
        Protocol::Json => AwsError::json("UnknownOperationException", message),
        Protocol::Rest => AwsError::new(404, "UnknownOperationException", message),
    }
}
