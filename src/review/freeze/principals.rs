//! Users, roles, and those of both who are privileged.

use super::super::change::Access;
use super::super::population::{Excluded, Row, Sheet};
use super::super::standing::{self, Profile};
use super::{Maker, Making, bool, day, few, int, texts, used_at};
use crate::evidence::Timestamp;
use crate::evidence::iam::Tag;
use crate::iam::Truth;
use crate::iam::trust::PathKind;
use crate::resource::{Kind, Resource};
use std::collections::BTreeMap;

/// Tags that tell how a person is known elsewhere.
const PERSON_TAGS: [&str; 4] = ["email", "mail", "e-mail", "person"];

pub(super) fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}

/// How much of an administrator somebody is, as a flag.
pub(super) fn admin_flag(rank: u8) -> Option<&'static str> {
    match rank {
        0 => None,
        1 => Some("admin under a condition"),
        2 => Some("can become admin"),
        _ => Some("admin"),
    }
}

impl Maker<'_> {
    /// One row for each user.
    pub(super) fn users(&self) -> Vec<Row> {
        self.population(Kind::User).iter().map(|resource| self.user(resource)).collect()
    }

    fn user(&self, resource: &Resource) -> Row {
        let mut making = Making::new(Sheet::Users, &resource.id, &resource.name);
        making.seen(resource);
        let detail = self.users.get(resource.id.as_str());
        let reported = self.reported.get(resource.id.as_str());
        let tags = detail.map(|detail| tags(&detail.tags)).unwrap_or_default();
        making.row.owner = self.owner(&[&resource.name, &resource.id], &tags);
        making.row.people = vec![resource.name.clone(), resource.id.clone()];
        let person = |(key, _): &(&String, &String)| PERSON_TAGS.iter().any(|tag| key.eq_ignore_ascii_case(tag));
        making.row.people.extend(tags.iter().filter(person).map(|(_, value)| value.clone()));
        let created = detail.and_then(|d| d.create_date).or(reported.and_then(|r| r.created));
        making.row.identity = detail
            .and_then(|detail| detail.user_id.clone())
            .or_else(|| created.map(|created| format!("created {}", created.zulu())));
        making.cell("user", &resource.name);
        making.cell("created", created.map_or_else(|| "unknown".to_owned(), day));
        self.user_activity(&mut making, resource);
        self.credentials(&mut making, resource);
        making.cell("groups", texts(resource, "groups").map_or_else(|why| unknown(&why), |names| few(&names, 12)));
        self.standing(&mut making, self.standings.profiles.get(&resource.id));
        let idle = int(resource, "inactive_days").ok().flatten();
        let privileged = making.row.standing.is_some_and(|rank| rank > 0);
        let suggestion = match (making.row.usable, idle) {
            (Some(false), _) => "remove: it has no credential that works".to_owned(),
            (_, Some(days)) if days >= 2 * self.thresholds.user_unused => format!("remove: no use for {days} days"),
            (_, Some(days)) if days >= self.thresholds.user_unused => format!("disable: no use for {days} days"),
            _ if privileged && bool(resource, "mfa_active") == Ok(false) => "reduce: privileged without MFA".to_owned(),
            _ => String::new(),
        };
        making.finish(&suggestion)
    }

    fn user_activity(&self, making: &mut Making, resource: &Resource) {
        let idle = int(resource, "inactive_days");
        let limit = self.thresholds.user_unused;
        match &idle {
            Ok(Some(days)) => {
                making.cell("days inactive", days.to_string());
                if *days >= limit {
                    making.flag(format!("inactive {limit}+ days"));
                }
            }
            Ok(None) => {}
            Err(_) => {
                making.cell("days inactive", "unknown");
                making.flag("activity unknown");
            }
        }
        let Some(row) = self.reported.get(resource.id.as_str()) else {
            making.cell("last activity", "unknown");
            making.cell(
                "activity source",
                idle.err().unwrap_or_else(|| "the credential report does not list the user".to_owned()),
            );
            return;
        };
        let mut uses: Vec<(Timestamp, String)> = Vec::new();
        uses.extend(used_at(row.password_last_used).map(|at| (at, "password".to_owned())));
        for key in &row.keys {
            let service = key.last_used_service.as_deref().map_or(String::new(), |name| format!(" on {name}"));
            uses.extend(used_at(key.last_used).map(|at| (at, format!("access key {}{service}", key.slot))));
        }
        match uses.into_iter().max() {
            Some((at, source)) => {
                making.cell("last activity", day(at));
                making.cell("activity source", source);
            }
            None => {
                making.cell("last activity", "never");
                making.cell("activity source", "credential report");
                making.flag("never used");
            }
        }
    }

    fn credentials(&self, making: &mut Making, resource: &Resource) {
        let service = texts(resource, "service_credentials");
        let password = bool(resource, "password_enabled");
        let keys = int(resource, "active_keys");
        let certificates = int(resource, "active_certificates");
        let mfa = bool(resource, "mfa_active");
        making.cell("mfa", mfa.as_ref().map_or("unknown", |mfa| if *mfa { "yes" } else { "no" }));
        if mfa == Ok(false) && password == Ok(true) {
            making.flag("no MFA");
        }
        if let Some(row) = self.reported.get(resource.id.as_str()) {
            let at = self.reported_at();
            let limit = self.thresholds.key_age;
            let old = |key: &&crate::evidence::credential_report::Key| {
                key.may_be_active() && key.rotated.is_some_and(|rotated| rotated.days_until(at) > limit)
            };
            if row.keys.iter().any(|key| old(&key)) {
                making.flag("old key");
            }
        }
        let mut words = Vec::new();
        let mut known = true;
        if let Ok(true) = password {
            words.push("password".to_owned());
        }
        let mut count = |number: Result<Option<i64>, String>, one: &str, many: &str| match number {
            Ok(Some(0) | None) => {}
            Ok(Some(n)) => words.push(format!("{n} {}", if n == 1 { one } else { many })),
            Err(why) => {
                known = false;
                making.gap(&why);
            }
        };
        count(keys, "active key", "active keys");
        count(certificates, "certificate", "certificates");
        count(service.map(|list| i64::try_from(list.len()).ok()), "service credential", "service credentials");
        if let Err(why) = &password {
            known = false;
            making.gap(why);
        }
        making.row.usable = if words.is_empty() { known.then_some(false) } else { Some(true) };
        if !known {
            words.push("others unknown".to_owned());
        }
        making.cell("credentials", if words.is_empty() { "none".to_owned() } else { words.join(", ") });
    }

    /// What a principal can do, the same on every sheet.
    fn standing(&self, making: &mut Making, profile: Option<&Profile>) {
        let Some(profile) = profile else {
            making.cell("administrator", "unknown: its policies were not collected");
            making.cell("policies", "unknown");
            making.flag("access unknown");
            let gap = self.standings.gap.clone();
            making.gap(gap.unwrap_or_else(|| "its policies were not collected".to_owned()));
            return;
        };
        making.cell("administrator", &profile.standing.words);
        making.cell("policies", few(&profile.policies, 12));
        making.row.standing = profile.standing.rank;
        making.row.access.clone_from(&profile.access);
        match profile.standing.rank {
            Some(rank) => {
                if let Some(flag) = admin_flag(rank) {
                    making.flag(flag);
                }
            }
            None => {
                making.flag("access unknown");
                making.gap(&profile.standing.words);
            }
        }
        if profile.access.is_none() {
            making.gap("not all of its policies were collected");
        }
    }

    /// One row for each role, and the roles that nobody can decide about.
    pub(super) fn roles(&self) -> (Vec<Row>, Vec<Excluded>) {
        let (mut rows, mut excluded) = (Vec::new(), Vec::new());
        for resource in self.population(Kind::Role) {
            if bool(resource, "service_linked") == Ok(true) {
                let reason =
                    "a service-linked role: only its AWS service can use it, and nobody can edit it".to_owned();
                excluded.push(Excluded { id: resource.id.clone(), reason });
            } else {
                rows.push(self.role(resource));
            }
        }
        excluded.sort();
        (rows, excluded)
    }

    fn role(&self, resource: &Resource) -> Row {
        let mut making = Making::new(Sheet::Roles, &resource.id, &resource.name);
        making.seen(resource);
        let detail = self.roles.get(resource.id.as_str());
        let tags = detail.map(|detail| tags(&detail.tags)).unwrap_or_default();
        making.row.owner = self.owner(&[&resource.name, &resource.id], &tags);
        making.row.identity = detail.and_then(|detail| detail.role_id.clone());
        let created = detail.and_then(|detail| detail.create_date);
        making.cell("role", &resource.name);
        making.cell("created", created.map_or_else(|| "unknown".to_owned(), day));
        let used = detail.and_then(|detail| detail.role_last_used.as_ref());
        match used.and_then(|used| Some((used.last_used_date?, used.region.as_deref()))) {
            Some((at, region)) => {
                making.cell("last activity", day(at));
                making.cell(
                    "activity source",
                    format!("role use{}", region.map_or(String::new(), |r| format!(" in {r}"))),
                );
            }
            None => {
                making.cell("last activity", "never");
                making.cell("activity source", "role use, 400 days back");
                making.flag("never used");
            }
        }
        let limit = self.thresholds.role_unused;
        let idle = int(resource, "idle_days");
        match &idle {
            Ok(Some(days)) => {
                making.cell("days inactive", days.to_string());
                if *days >= limit {
                    making.flag(format!("unused {limit}+ days"));
                }
            }
            Ok(None) => {}
            Err(_) => making.cell("days inactive", "unknown"),
        }
        self.standing(&mut making, self.standings.profiles.get(&resource.id));
        self.ways_in(&mut making, &resource.id);
        if bool(resource, "identity_center") == Ok(true) {
            making.flag("identity center");
        }
        let orphaned = making.row.flags.iter().any(|flag| flag == "orphaned");
        let suggestion = match (making.row.usable, idle.ok().flatten()) {
            (Some(false), _) => "remove: nobody can enter it".to_owned(),
            (_, Some(days)) if days >= limit => format!("remove: no use for {days} days"),
            _ if orphaned => "reduce: it lets in a principal that was deleted".to_owned(),
            _ => String::new(),
        };
        making.finish(&suggestion)
    }

    fn ways_in(&self, making: &mut Making, arn: &str) {
        let Some(report) = self.standings.trusts.get(arn) else {
            making.cell("trust paths", "unknown");
            making.row.access = None;
            making.gap("its trust policy was not collected");
            return;
        };
        let mut words: Vec<String> = report.paths.iter().map(standing::path_words).collect();
        if let Some(problem) = &report.problem {
            words.insert(0, unknown(problem));
            making.gap(format!("its trust policy cannot be read: {problem}"));
        }
        if words.is_empty() {
            words.push("none".to_owned());
        }
        making.cell("trust paths", few(&words, 12));
        let open = report.paths.iter().filter(|path| path.open != Truth::False);
        let has = |wanted: fn(PathKind) -> bool| open.clone().any(|path| wanted(path.kind) && !path.own);
        if has(|kind| kind == PathKind::Public) {
            making.flag("public");
        }
        if has(PathKind::is_external) {
            making.flag("external");
        }
        if has(|kind| kind == PathKind::Orphan) {
            making.flag("orphaned");
        }
        making.row.usable = match (open.count(), &report.problem) {
            (0, Some(_)) => None,
            (count, _) => Some(count > 0),
        };
        let ways = standing::trust_access(report);
        making.row.access = match (making.row.access.take(), ways) {
            (Some(can), Some(ways)) => Some(Access {
                grants: can.grants.into_iter().chain(ways.grants).collect(),
                limits: can.limits.into_iter().chain(ways.limits).collect(),
                boundary: can.boundary,
            }),
            _ => None,
        };
    }

    /// Those who are administrators, can become one, or of whom it is not known; and root, who always is one.
    pub(super) fn privileged(&self, users: &[Row], roles: &[Row]) -> Vec<Row> {
        let mut rows: Vec<Row> = self.root().into_iter().collect();
        for row in users.iter().chain(roles).filter(|row| row.standing != Some(0)) {
            let mut making = Making::new(Sheet::PrivilegedAccess, &row.id, &row.name);
            making.row.identity.clone_from(&row.identity);
            making.row.owner.clone_from(&row.owner);
            making.row.people.clone_from(&row.people);
            making.row.access.clone_from(&row.access);
            making.row.standing = row.standing;
            making.row.usable = row.usable;
            making.row.gap.clone_from(&row.gap);
            making.row.evidence.clone_from(&row.evidence);
            making.cell("principal", &row.name);
            making.cell("what it is", if row.sheet == Sheet::Users { "user" } else { "role" });
            for column in ["last activity", "activity source", "days inactive", "mfa", "policies", "administrator"] {
                making.cell(column, row.cell(column));
            }
            // It is privileged: that needs no flag here, and who has an owner was said.
            let said = ["admin", "can become admin", "admin under a condition", "no owner"];
            making.row.flags.extend(row.flags.iter().filter(|flag| !said.contains(&flag.as_str())).cloned());
            let idle: Option<i64> = row.cell("days inactive").parse().ok();
            let suggestion = match idle {
                Some(days) if days >= self.thresholds.user_unused => {
                    format!("reduce: privileged, no use for {days} days")
                }
                _ if row.flags.iter().any(|flag| flag == "no MFA") => "reduce: privileged without MFA".to_owned(),
                _ => String::new(),
            };
            rows.push(making.finish(&suggestion));
        }
        rows
    }

    fn root(&self) -> Option<Row> {
        let reported = self.report.and_then(|report| report.root());
        let id = match (reported, self.account) {
            (Some(row), _) => row.arn.clone(),
            (None, Some(account)) => format!("arn:aws:iam::{account}:root"),
            (None, None) => return None,
        };
        let mut making = Making::new(Sheet::PrivilegedAccess, &id, "root user");
        making.row.owner = self.owner(&["root", &id], &BTreeMap::new());
        making.row.people = vec!["root".to_owned()];
        making.row.standing = Some(4);
        making.row.access = Some(Access::default());
        making.cell("principal", "root user");
        making.cell("what it is", "root");
        making.cell("administrator", "yes: nothing in the account limits it");
        making.cell("policies", "none apply");
        let Some(row) = reported else {
            making.cell("last activity", "unknown");
            making.gap("the credential report has no row for root");
            making.flag("activity unknown");
            return Some(making.finish(""));
        };
        let uses = [row.password_last_used].into_iter().chain(row.keys.iter().map(|key| key.last_used));
        match uses.filter_map(used_at).max() {
            Some(at) => {
                making.cell("last activity", day(at));
                making.cell("days inactive", at.days_until(self.reported_at()).max(0).to_string());
            }
            None => making.cell("last activity", "never"),
        }
        making.cell("activity source", "credential report");
        making.cell("mfa", row.mfa_active.map_or("unknown", |mfa| if mfa { "yes" } else { "no" }));
        if row.mfa_active == Some(false) {
            making.flag("no MFA");
        }
        let keys = row.keys.iter().filter(|key| key.active == Some(true)).count();
        if keys > 0 {
            making.flag("root keys");
        }
        making.row.usable = Some(true);
        making.row.access = Some(Access {
            grants: row
                .keys
                .iter()
                .filter(|key| key.active == Some(true))
                .map(|key| (format!("access key {}", key.slot), String::new()))
                .collect(),
            ..Access::default()
        });
        Some(making.finish(if keys > 0 { "reduce: delete root's access keys" } else { "" }))
    }
}

fn unknown(why: &str) -> String {
    format!("unknown: {why}")
}
