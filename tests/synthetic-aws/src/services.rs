//! The services: each operation, from its parameters to the body of its answer.

mod account;
pub(crate) mod cloudtrail;
mod config;
mod ec2;
mod iam;
mod page;
mod sts;

pub(crate) use cloudtrail::default_selectors;

use std::collections::BTreeMap;

use crate::server::Context;
use crate::wire::{AwsError, Call, Protocol};

/// The body of a successful answer: the inside of `<XResult>` in query, the whole body elsewhere.
type Answer = Result<String, AwsError>;

/// An operation's name and what answers it.
type Operation = (&'static str, fn(&Context, &Call) -> Answer);

/// All that this server has, by signing name.
const SERVICES: [(&str, &[Operation]); 6] = [
    ("account", account::OPERATIONS),
    ("cloudtrail", cloudtrail::OPERATIONS),
    ("config", config::OPERATIONS),
    ("ec2", ec2::OPERATIONS),
    ("iam", iam::OPERATIONS),
    ("sts", sts::OPERATIONS),
];

/// The names of all operations that this server has, by service: what `GET /_synthetic/operations` prints.
pub(crate) fn operations() -> BTreeMap<&'static str, Vec<&'static str>> {
    let names = |operations: &[Operation]| operations.iter().map(|(name, _)| *name).collect();
    SERVICES.iter().map(|(service, operations)| (*service, names(operations))).collect()
}

pub(crate) fn answer(context: &Context, call: &Call) -> Answer {
    let global = matches!(call.service.as_str(), "iam" | "account");
    if !global && !context.account.is_enabled(&call.region) {
        return Err(AwsError::region_disabled(call));
    }
    let operations = SERVICES.iter().find(|(service, _)| *service == call.service).map(|(_, operations)| *operations);
    match operations.into_iter().flatten().find(|(name, _)| *name == call.operation) {
        Some((_, answer)) => answer(context, call),
        None => Err(unknown(call)),
    }
}

/// An operation that this server does not have.
fn unknown(call: &Call) -> AwsError {
    let message = format!("synthetic-aws does not have {}:{}", call.service, call.operation);
    match call.protocol {
        Protocol::Query | Protocol::Ec2 => AwsError::new(400, "InvalidAction", message),
        Protocol::Json => AwsError::json("UnknownOperationException", message),
        Protocol::Rest => AwsError::new(404, "UnknownOperationException", message),
    }
}
