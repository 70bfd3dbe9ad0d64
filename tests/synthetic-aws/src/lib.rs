//! A synthetic AWS: invented accounts behind the real wire protocols.
//!
//! The AWS SDKs and the AWS CLI talk to it with `--endpoint-url`; the Region and the service of a
//! request are read from its SigV4 credential scope, the signature is not verified. It serves
//! IAM and STS (query/XML), CloudTrail and Config (JSON 1.1), Account Management (REST JSON) and EC2's Regions,
//! can enforce AWS's request quotas, and can be told to fail in the ways that AWS and networks do.
//!
//! ```no_run
//! # async fn f() -> std::io::Result<()> {
//! use synthetic_aws::{Account, Fault, Options, Quotas, Server};
//! let options = Options { quotas: Quotas::aws(), ..Options::default() };
//! let server = Server::start(Account::rich(), options).await?;
//! server.add_fault("deny:iam:GetAccountSummary".parse::<Fault>().map_err(std::io::Error::other)?);
//! println!("AWS_ENDPOINT_URL={}", server.endpoint());
//! # Ok(()) }
//! ```
//!
//! It must not judge anything (that is auditpack's work), and it must be deterministic: the same
//! account, options and requests give the same bytes, request ids included, when the clock is fixed.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod account;
mod accounts;
pub mod bucket;
mod clock;
pub mod events;
mod faults;
mod ids;
mod options;
mod quotas;
mod server;
mod services;
mod stats;
mod wire;

pub use account::{Account, PageSizes};
pub use accounts::Scale;
pub use clock::Clock;
pub use faults::{Fault, FaultKind, FaultSyntaxError, SYNTAX as FAULT_SYNTAX, When};
pub use options::Options;
pub use quotas::{Limit, Quotas};
pub use server::{BlockingServer, Server};
pub use stats::{OperationStats, Stats};
