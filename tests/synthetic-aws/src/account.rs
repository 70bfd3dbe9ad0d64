//! The model of an account: what the services have to tell. Data only.

pub mod config;
pub mod iam;
mod index;
pub mod trail;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::Fault;
use crate::events::EventStore;
use config::ConfigRegion;
use iam::Iam;
use trail::{PublicKey, Trail};

pub(crate) use index::{Entity, Index};

/// One invented AWS account.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: String,
    pub name: String,
    pub alias: Option<String>,
    pub created: DateTime<Utc>,
    /// The instant that all data are relative to.
    pub now: DateTime<Utc>,
    /// Who GetCallerIdentity says the given credentials are.
    pub caller: Caller,
    pub regions: Vec<Region>,
    pub iam: Iam,
    pub trails: Vec<Trail>,
    /// The same in every Region of this account (AWS has different ones).
    pub public_keys: Vec<PublicKey>,
    /// AWS Config, by Region; a Region that is missing was never set up.
    pub config: BTreeMap<String, ConfigRegion>,
    /// CloudTrail's event history, by Region.
    pub events: BTreeMap<String, EventStore>,
    pub pages: PageSizes,
    /// What the caller may not do: always in force, not removed by `clear_faults`.
    pub denials: Vec<Fault>,
}

/// A caller as GetCallerIdentity describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub account: String,
    pub arn: String,
    pub user_id: String,
}

/// A Region and its opt-in status as ListRegions gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    pub name: String,
    pub status: String,
}

impl Region {
    pub fn is_enabled(&self) -> bool {
        matches!(self.status.as_str(), "ENABLED" | "ENABLED_BY_DEFAULT")
    }
}

impl Account {
    /// Is this Region enabled? Regional services of the others refuse the caller's token.
    pub fn is_enabled(&self, region: &str) -> bool {
        self.regions.iter().any(|r| r.name == region && r.is_enabled())
    }

    pub(crate) fn arn(&self, resource: &str) -> String {
        format!("arn:aws:iam::{}:{resource}", self.id)
    }
}

/// The most that the server puts on one page, per list; requests may ask for less. IAM documents
/// that it "might return fewer than the MaxItems number of results, even when there are more".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageSizes {
    pub authorization_details: usize,
    /// ListRoles, ListUsers, ListVirtualMFADevices and the other lists of IAM.
    pub iam_list: usize,
    pub regions: usize,
    pub events: usize,
    pub config_rules: usize,
    pub config_compliance: usize,
    pub config_details: usize,
    pub config_status: usize,
    pub conformance_packs: usize,
    pub conformance_pack_compliance: usize,
    pub conformance_pack_details: usize,
    pub config_history: usize,
    pub public_keys: usize,
}

impl PageSizes {
    /// As AWS pages (25 config rules a page is observed, not documented).
    pub fn aws() -> Self {
        Self {
            authorization_details: 1000,
            iam_list: 1000,
            regions: 50,
            events: 50,
            config_rules: 25,
            config_compliance: 25,
            config_details: 100,
            config_status: 50,
            conformance_packs: 20,
            conformance_pack_compliance: 100,
            conformance_pack_details: 100,
            config_history: 100,
            public_keys: 10,
        }
    }

    /// So small that a small account needs several pages of everything.
    pub fn small() -> Self {
        Self {
            authorization_details: 50,
            iam_list: 25,
            regions: 10,
            events: 50,
            config_rules: 10,
            config_compliance: 10,
            config_details: 20,
            config_status: 10,
            conformance_packs: 1,
            conformance_pack_compliance: 4,
            conformance_pack_details: 10,
            config_history: 5,
            public_keys: 1,
        }
    }

    /// The same number for all lists.
    pub fn uniform(size: usize) -> Self {
        Self {
            authorization_details: size,
            iam_list: size,
            regions: size,
            events: size.min(50),
            config_rules: size,
            config_compliance: size,
            config_details: size,
            config_status: size,
            conformance_packs: size,
            conformance_pack_compliance: size,
            conformance_pack_details: size,
            config_history: size,
            public_keys: size,
        }
    }
}
