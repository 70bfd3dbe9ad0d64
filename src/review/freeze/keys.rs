//! Access keys. AWS's credential report tells no key's id: a key is known by its user and the time of its creation.

use super::super::change::Access;
use super::super::population::{Row, Sheet};
use super::principals::tags;
use super::{Maker, Making, bool, day, int};
use crate::evidence::credential_report::{self, CredentialReport, Key};
use crate::resource::{Kind, Resource};
use std::collections::{BTreeMap, HashMap};

impl Maker<'_> {
    /// One row for each access key of the credential report; root's too.
    pub(super) fn keys(&self) -> Vec<Row> {
        let Some(report) = self.report else { return Vec::new() };
        let resources: HashMap<&str, &Resource> =
            self.population(Kind::AccessKey).iter().map(|resource| (resource.id.as_str(), resource)).collect();
        let users: HashMap<&str, &Resource> =
            self.population(Kind::User).iter().map(|resource| (resource.id.as_str(), resource)).collect();
        let mut rows = Vec::new();
        for row in report.root().into_iter().chain(CredentialReport::users(report)) {
            for key in row.keys.iter().filter(|key| key.exists()) {
                let resource = resources.get(format!("{}#access-key-{}", row.arn, key.slot).as_str()).copied();
                rows.push(self.key(row, key, resource, users.get(row.arn.as_str()).copied()));
            }
        }
        rows
    }

    fn key(
        &self,
        row: &credential_report::Row,
        key: &Key,
        resource: Option<&Resource>,
        user: Option<&Resource>,
    ) -> Row {
        let twins = row.keys[0].rotated == row.keys[1].rotated;
        let id = match key.rotated {
            Some(rotated) if !twins => format!("{}#access-key-of-{}", row.arn, rotated.zulu()),
            _ => format!("{}#access-key-{}", row.arn, key.slot),
        };
        let name = format!("{}, key {}", row.user, key.slot);
        let mut making = Making::new(Sheet::AccessKeys, &id, &name);
        if let Some(resource) = resource {
            making.seen(resource);
        }
        let detail = self.users.get(row.arn.as_str());
        let tags = detail.map(|detail| tags(&detail.tags)).unwrap_or_default();
        making.row.owner = self.owner(&[&row.user, &row.arn], &tags);
        making.row.people =
            if row.is_root() { vec!["root".to_owned()] } else { vec![row.user.clone(), row.arn.clone()] };
        making
            .row
            .people
            .extend(tags.iter().filter(|(key, _)| key.eq_ignore_ascii_case("email")).map(|(_, v)| v.clone()));
        making.row.identity = key.rotated.map(|rotated| format!("created {}", rotated.zulu()));
        making.row.usable = key.active;
        let grants = match key.may_be_active() {
            true => BTreeMap::from([("signs requests".to_owned(), String::new())]),
            false => BTreeMap::new(),
        };
        making.row.access = Some(Access { grants, ..Access::default() });
        making.cell("access key", &name);
        making.cell("created", key.rotated.map_or_else(|| "unknown".to_owned(), day));
        making.cell("state", key.active.map_or("unknown", |active| if active { "active" } else { "inactive" }));
        match user.map(|user| bool(user, "mfa_active")) {
            Some(Ok(mfa)) => making.cell("mfa", if mfa { "yes" } else { "no" }),
            Some(Err(_)) => making.cell("mfa", "unknown"),
            None => making.cell("mfa", row.mfa_active.map_or("unknown", |mfa| if mfa { "yes" } else { "no" })),
        }
        match super::used_at(key.last_used) {
            Some(at) => {
                making.cell("last activity", day(at));
                let service = key.last_used_service.as_deref().unwrap_or("an unnamed service");
                let region = key.last_used_region.as_deref().map_or(String::new(), |region| format!(" in {region}"));
                making.cell("activity source", format!("{service}{region}"));
            }
            None => {
                making.cell("last activity", "never");
                making.cell("activity source", "credential report");
                making.flag("never used");
            }
        }
        let (unused, old) = (self.thresholds.key_unused, self.thresholds.key_age);
        let idle = resource.map_or(Err("it was not read".to_owned()), |resource| int(resource, "idle_days"));
        let age = resource.and_then(|resource| int(resource, "age_days").ok().flatten());
        match &idle {
            Ok(Some(days)) => making.cell("days inactive", days.to_string()),
            Ok(None) => {}
            Err(_) => making.cell("days inactive", "unknown"),
        }
        let idle = idle.ok().flatten();
        if idle.is_some_and(|days| days >= unused) {
            making.flag(format!("inactive {unused}+ days"));
        }
        let aged = key.may_be_active() && age.is_some_and(|age| age > old);
        if aged {
            making.flag("old key");
        }
        if row.is_root() {
            making.row.standing = Some(4);
            making.cell("administrator", "yes: it is root's");
            making.flag("root key");
        } else {
            match self.standings.profiles.get(&row.arn) {
                Some(profile) => {
                    making.row.standing = profile.standing.rank;
                    making.cell("administrator", &profile.standing.words);
                    if let Some(flag) = profile.standing.rank.and_then(super::principals::admin_flag) {
                        making.flag(flag);
                    }
                }
                None => {
                    making.cell("administrator", "unknown: the user's policies were not collected");
                    // The credential report lists a user whom nothing else does.
                    if self.standings.gap.is_none() {
                        making.flag("orphaned");
                    }
                }
            }
        }
        let suggestion = match (key.may_be_active(), idle) {
            _ if row.is_root() => "remove: root should have no access keys".to_owned(),
            (false, _) => "remove: it is inactive already".to_owned(),
            (true, Some(days)) if days >= unused => format!("disable: no use for {days} days"),
            _ if aged => format!("remove, once it is replaced: it is {} days old", age.unwrap_or_default()),
            _ => String::new(),
        };
        making.finish(&suggestion)
    }
}
