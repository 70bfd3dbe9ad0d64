//! Resources: the rows that checks judge, derived from evidence.
//!
//! A kind of resource is described once, in [`schema`]: its fields, their types, and the calls that supply each.
//! A field whose call gave no complete answer holds no value, only the reason: nothing above can mistake it for one.

pub mod access;
pub mod access_review;
mod account;
mod activity;
mod build;
mod compliance_history;
mod config;
mod config_results;
mod document;
mod events;
mod external;
mod fields;
mod group;
mod input;
mod pack;
mod permissions;
mod policy;
pub mod profile;
mod reconcile;
mod role;
pub mod schema;
mod sessions;
mod trail;
mod trust_path;
mod user;
pub mod value;
mod vendor;

pub use access::Access;
pub use access_review::LastReview;
pub use config_results::{ConfigNames, rule_results};
pub use fields::Fields;
#[cfg(feature = "program")]
pub(crate) use profile::fits;
pub use profile::{Profile, Vendor};
pub use schema::{FIELDS_ACCOUNT_WIDE, Field, Kind, KindSchema};
#[cfg(feature = "program")]
pub(crate) use user::KEYS_OF_NEWER;
pub use value::{FieldValue, Unknown, Value};

use crate::evidence::{Evidence, Operation};
use crate::finding::{Pointer, ResourceRef};
use std::collections::BTreeMap;

/// One row.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The kind.
    pub kind: Kind,
    /// The ARN, or what identifies the row where there is none. Unique within the kind.
    pub id: String,
    /// The name that people know it by.
    pub name: String,
    /// The Region; `None` for what is global.
    pub region: Option<String>,
    /// The fields of the kind's schema, each of them.
    pub fields: Fields,
    /// Where the evidence shows this row, with the operation that told it, sorted by it.
    pub sources: Vec<(Operation, Pointer)>,
}

impl Resource {
    /// Where an operation's documents show this row.
    pub fn places(&self, of: Operation) -> impl Iterator<Item = &Pointer> {
        self.sources.iter().filter(move |(operation, _)| *operation == of).map(|(_, place)| place)
    }

    /// The reference that findings carry.
    pub fn reference(&self) -> ResourceRef {
        ResourceRef {
            kind: self.kind.id().to_owned(),
            id: self.id.clone(),
            name: self.name.clone(),
            region: self.region.clone(),
        }
    }
}

/// All rows of one kind.
#[derive(Clone, Debug)]
pub struct Population {
    /// The kind.
    pub kind: Kind,
    /// The rows, sorted by Region and id.
    pub rows: Vec<Resource>,
    /// Why there may be more rows than these; empty when the population is whole.
    pub incomplete: Vec<Unknown>,
    /// The documents that the population was read from, which prove that it is empty when it is.
    pub sources: Vec<Pointer>,
}

/// All populations of one account.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    /// By kind; every kind is there.
    pub populations: BTreeMap<Kind, Population>,
    /// What reports show of the policy engine's analysis.
    pub overview: access::Overview,
    /// Differences between independent sources of the same population.
    pub reconciliation: Vec<Reconciliation>,
    /// The last access review, if a record of it was given.
    pub review: Option<LastReview>,
}

impl Resources {
    /// Derives all populations. Whatever is missing in the evidence, the events' file that cannot be read too, becomes
    /// an unknown field or an incomplete population. The profile says what AWS cannot tell.
    pub fn build(evidence: &Evidence, profile: &Profile) -> Self {
        Self::with_analysis(evidence, profile).0
    }

    /// The same, with all that the policy engine found, for whoever explains it.
    pub fn with_analysis(evidence: &Evidence, profile: &Profile) -> (Self, Access) {
        let input = input::Input::new(evidence);
        let trails = trail::trails(&input);
        let access = Access::of(&input, profile, &trails);
        let vendor_roles = vendor::vendor_roles(&input, &access, profile);
        let (roles, accounts) = vendor::watched(&vendor_roles, profile);
        let outsiders = access.external.iter().map(|outsider| outsider.principal.clone()).collect();
        let watched = events::Watched {
            entities: reconcile::watched(&input),
            sessions: sessions::WatchedSessions { outsiders, roles, accounts },
        };
        let recorders = config::recorders(&input);
        let kept = activity::Kept::of(&trails, &recorders);
        let mut events = events::Events::read(evidence, &input.regions, &watched, &kept);
        let rules = config::rules(&input);
        let packs = pack::rules(&input);
        let regional = account::Regional { trails: &trails, recorders: &recorders, rules: &rules };
        let account = account::account(&input, &events, &regional);
        let populations = [
            account,
            user::users(&input, &events, &access),
            user::access_keys(&input),
            role::roles(&input, &access),
            group::groups(&input, &access),
            policy::policies(&input, &access),
            trust_path::trust_paths(&input, &access, profile),
            external::external_principals(&input, &access, profile, &events),
            vendor::vendors(&input, &access, profile, &vendor_roles, &events),
            vendor::role_rows(&input, &access, &vendor_roles),
            sessions::vendor_sessions(&input, &events),
            trails,
            recorders,
            rules,
            compliance_history::intervals(&input),
            packs,
        ];
        let review = access_review::access_review(None, evidence.account.as_deref(), evidence.as_of());
        let populations = populations.into_iter().chain([review]).chain(std::mem::take(&mut events.populations));
        let resources = Self {
            populations: populations.map(|population| (population.kind, population)).collect(),
            overview: access::Overview::of(&access),
            reconciliation: reconcile::reconcile(&input, &events),
            review: None,
        };
        (resources, access)
    }

    /// The same with the last access review, as its record tells.
    pub fn reviewed(mut self, evidence: &Evidence, review: Option<LastReview>) -> Self {
        let row = access_review::access_review(review.as_ref(), evidence.account.as_deref(), evidence.as_of());
        self.populations.insert(Kind::AccessReview, row);
        self.review = review;
        self
    }
}

/// How many rows of a population each of its independent sources counts.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Reconciliation {
    /// The kind, such as `iam.user`.
    pub population: String,
    /// Source (a call) and count; `None` where it was not collected.
    pub counts: Vec<(String, Option<i64>)>,
    /// Whether the sources agree, or all differences are explained.
    pub agrees: bool,
    /// The differences in words, with the reason for those that can be explained.
    pub differences: Vec<String>,
}

/// What the comparison of a population's sources came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// All sources know the same.
    Same,
    /// They differ, or one of them is missing; nothing is left that is not explained.
    Explained,
    /// They differ, and nothing that was collected explains it.
    Unexplained,
    /// There are no two sources to compare.
    NotCompared,
}

impl Reconciliation {
    /// What the comparison came to.
    pub fn standing(&self) -> Standing {
        match (self.agrees, self.counts.iter().filter(|(_, count)| count.is_some()).count()) {
            (true, _) if self.differences.is_empty() => Standing::Same,
            (true, _) => Standing::Explained,
            (false, 0 | 1) => Standing::NotCompared,
            (false, _) => Standing::Unexplained,
        }
    }
}

#[cfg(test)]
mod tests;
