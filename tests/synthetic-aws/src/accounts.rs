//! The accounts that the server can serve, all invented.

mod aws_managed;
mod build;
mod clean;
mod rich;
mod scaled;

use chrono::{DateTime, TimeZone, Utc};

use crate::Account;

/// The account id of all accounts here.
pub(crate) const ACCOUNT: &str = "111122223333";

/// How large a scaled account is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scale {
    pub users: usize,
    pub roles: usize,
    pub policies: usize,
    /// Over all Regions: seven in ten are in the first one.
    pub events: u64,
    pub regions: Vec<String>,
}

impl Default for Scale {
    fn default() -> Self {
        Self { users: 1000, roles: 1000, policies: 500, events: 10_000, regions: vec!["us-east-1".to_owned()] }
    }
}

impl Account {
    /// The clock of the built-in accounts: 2026-10-01T09:00:00Z.
    pub fn default_now() -> DateTime<Utc> {
        // cannot fail: the date exists
        Utc.with_ymd_and_hms(2026, 10, 1, 9, 0, 0).single().unwrap_or_default()
    }

    /// A company of some sixty people, grown for years: rich and awkward.
    pub fn rich() -> Account {
        Self::rich_at(Self::default_now())
    }

    /// The same, with all its dates relative to another instant.
    pub fn rich_at(now: DateTime<Utc>) -> Account {
        rich::account(now)
    }

    /// A small account in which everything is as it should be.
    pub fn clean() -> Account {
        Self::clean_at(Self::default_now())
    }

    /// The same, with all its dates relative to another instant.
    pub fn clean_at(now: DateTime<Utc>) -> Account {
        clean::account(now)
    }

    /// As large as wanted, plausible and deterministic.
    pub fn scaled(scale: &Scale) -> Account {
        Self::scaled_at(scale, Self::default_now())
    }

    /// The same, with all its dates relative to another instant.
    pub fn scaled_at(scale: &Scale, now: DateTime<Utc>) -> Account {
        scaled::account(scale, now)
    }
}
