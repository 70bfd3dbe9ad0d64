//! Whether a decision was carried out: what was decided is held against what is there later.
//!
//! That somebody says so proves nothing, and that something is not seen proves nothing either unless all of its kind
//! were seen. Where the evidence does not decide, the outcome is unknown.

use super::freeze::Snapshot;
use super::history::{change, unique_id};
use super::population::{Change, Decision, Row, Sheet, key};
use super::trail::{Event, Trail};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What became of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// There was nothing to do.
    NothingToDo,
    /// The later evidence shows that it was carried out.
    Done,
    /// The evidence does not decide it.
    Unknown,
    /// The later evidence shows that it was not carried out.
    NotDone,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Outcome::NothingToDo => "nothing to do",
            Outcome::Done => "done",
            Outcome::Unknown => "unknown",
            Outcome::NotDone => "not done",
        })
    }
}

/// The proof of one decision's follow-up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUp {
    /// The outcome.
    pub outcome: Outcome,
    /// Why, in a sentence.
    pub reason: String,
    /// The change that carried it out, the last one of several; null if CloudTrail does not show it.
    pub event: Option<Event>,
}

/// The later evidence.
pub(super) struct Later<'a> {
    snapshot: &'a Snapshot,
    by_key: BTreeMap<&'a str, &'a Row>,
    trail: &'a Trail,
    /// How many keys of each user were there when the review was opened and are gone now.
    vanished_keys: BTreeMap<String, usize>,
    users: BTreeSet<&'a str>,
    /// Rows by their sheet and unique id: what was renamed is still what it was.
    by_identity: BTreeMap<(Sheet, &'a str), &'a Row>,
    /// The users that were renamed, from their ARNs to what these are now.
    renamed: BTreeMap<String, String>,
}

impl<'a> Later<'a> {
    pub fn new(frozen: &[Row], snapshot: &'a Snapshot, trail: &'a Trail) -> Self {
        let by_key: BTreeMap<&str, &Row> = snapshot.rows.iter().map(|row| (row.key.as_str(), row)).collect();
        let by_identity: BTreeMap<(Sheet, &str), &Row> =
            snapshot.rows.iter().filter_map(|row| Some(((row.sheet, unique_id(row)?), row))).collect();
        let renamed = frozen.iter().filter(|row| row.sheet == Sheet::Users).filter_map(|row| {
            let later = by_identity.get(&(row.sheet, unique_id(row)?))?;
            (later.id != row.id).then(|| (row.id.clone(), later.id.clone()))
        });
        let users = snapshot.rows.iter().filter(|row| row.sheet == Sheet::Users).map(|row| row.id.as_str()).collect();
        let renamed = renamed.collect();
        let mut all = Self { snapshot, by_key, trail, vanished_keys: BTreeMap::new(), users, by_identity, renamed };
        let mut vanished_keys: BTreeMap<String, usize> = BTreeMap::new();
        for row in frozen.iter().filter(|row| row.sheet == Sheet::AccessKeys && all.find(row).is_none()) {
            *vanished_keys.entry(user_of_key(row).to_owned()).or_default() += 1;
        }
        all.vanished_keys = vanished_keys;
        all
    }

    /// What a row is in the later evidence: the row of its name, else that which has its unique id under another name.
    fn find(&self, row: &Row) -> Option<&'a Row> {
        let named = self.by_key.get(row.key.as_str()).copied();
        named.or_else(|| self.by_identity.get(&(row.sheet, unique_id(row)?)).copied()).or_else(|| {
            let (user, which) = row.id.split_once('#').filter(|_| row.sheet == Sheet::AccessKeys)?;
            let id = format!("{}#{which}", self.renamed.get(user)?);
            self.by_key.get(key(row.sheet, &id).as_str()).copied()
        })
    }

    /// What a row is now, in one word.
    pub fn now(&self, row: &Row) -> Change {
        match self.find(row) {
            Some(later) => change(row, later),
            None if self.hole(row.sheet).is_some() => Change::Unknown,
            None => Change::Removed,
        }
    }

    /// Why rows of a sheet may be missing from the later evidence.
    fn hole(&self, sheet: Sheet) -> Option<String> {
        self.snapshot
            .sheets
            .get(sheet.word())
            .map_or(Some("it was not read".to_owned()), |of| of.incomplete.first().cloned())
    }

    /// Holds a decision against the later evidence.
    pub fn of(&self, row: &Row, decision: Decision) -> FollowUp {
        if decision == Decision::Keep {
            let reason = "it was to be kept".to_owned();
            return FollowUp { outcome: Outcome::NothingToDo, reason, event: None };
        }
        let (outcome, reason) = match self.find(row) {
            None => self.gone(row, decision),
            Some(later) if later.id != row.id => {
                let (outcome, reason) = judge(row, later, decision);
                (outcome, format!("{reason} (it was renamed to {})", later.name))
            }
            Some(later) => judge(row, later, decision),
        };
        let event = (outcome == Outcome::Done).then(|| self.cause(row, decision)).flatten();
        let reason = match (&event, outcome) {
            (Some(event), _) => format!("{reason}: {} at {} by {}", event.name, event.at, event.by),
            (None, Outcome::Done) => format!("{reason}; when and by whom is not in the events collected"),
            _ => reason,
        };
        FollowUp { outcome, reason, event }
    }

    fn gone(&self, row: &Row, decision: Decision) -> (Outcome, String) {
        if let Some(hole) = self.hole(row.sheet) {
            return (Outcome::Unknown, format!("it is not seen, but not everything was: {hole}"));
        }
        if row.sheet == Sheet::AccessKeys && decision == Decision::Remove {
            return self.key_gone(row);
        }
        let reason = match row.sheet {
            Sheet::PrivilegedAccess => "it is not privileged any more",
            Sheet::AccessKeys => "no key of that time is active any more",
            Sheet::ExternalPrincipals => "no way in is left",
            Sheet::Users | Sheet::Roles => "it is not there any more",
        };
        (Outcome::Done, reason.to_owned())
    }

    /// AWS documents that the credential report does not tell of inactive keys, so that a key that it does not list
    /// can be deleted or inactive (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>).
    fn key_gone(&self, row: &Row) -> (Outcome, String) {
        let user = user_of_key(row);
        let there = self.users.contains(&user) || self.renamed.contains_key(user);
        if !row.id.contains(":root#") && !there && self.hole(Sheet::Users).is_none() {
            return (Outcome::Done, "its user is not there any more".to_owned());
        }
        let deleted = self.trail.about(&subjects(row), &["DeleteAccessKey"]).len();
        let vanished = self.vanished_keys.get(user).copied().unwrap_or_default();
        if deleted >= vanished {
            return (Outcome::Done, "it was deleted".to_owned());
        }
        let events = self.trail.gap.as_deref().map_or(String::new(), |gap| format!(" ({gap})"));
        (
            Outcome::Unknown,
            format!(
                "the credential report does not list the key any more, but it need not list inactive ones, and of {vanished} keys of \
                 the user that are gone CloudTrail shows {deleted} deleted{events}"
            ),
        )
    }

    /// The last change that can have carried a decision out.
    fn cause(&self, row: &Row, decision: Decision) -> Option<Event> {
        let removes: &[&str] = match row.sheet {
            Sheet::Users => &["DeleteUser"],
            Sheet::Roles => &["DeleteRole"],
            Sheet::AccessKeys => &["DeleteAccessKey", "DeleteUser"],
            Sheet::ExternalPrincipals | Sheet::PrivilegedAccess => &[],
        };
        let disables = [
            "DeleteLoginProfile",
            "UpdateAccessKey",
            "DeleteAccessKey",
            "UpdateAssumeRolePolicy",
            "DeleteSigningCertificate",
            "UpdateSigningCertificate",
            "DeleteServiceSpecificCredential",
            "UpdateServiceSpecificCredential",
        ];
        let reduces = [
            "DetachUserPolicy",
            "DeleteUserPolicy",
            "PutUserPolicy",
            "RemoveUserFromGroup",
            "PutUserPermissionsBoundary",
            "DetachRolePolicy",
            "DeleteRolePolicy",
            "PutRolePolicy",
            "PutRolePermissionsBoundary",
            "UpdateAssumeRolePolicy",
            "DetachGroupPolicy",
            "DeleteGroupPolicy",
            "PutGroupPolicy",
            "CreatePolicyVersion",
            "SetDefaultPolicyVersion",
            "DeleteUser",
            "DeleteRole",
            "DeleteAccessKey",
            "UpdateAccessKey",
        ];
        let subjects = subjects(row);
        let removed = self.trail.about(&subjects, removes).pop();
        let other = match (decision, row.sheet) {
            (Decision::Disable, _) => self.trail.about(&subjects, &disables).pop(),
            (Decision::Reduce, _) | (_, Sheet::ExternalPrincipals | Sheet::PrivilegedAccess) => {
                self.trail.about(&subjects, &reduces).pop()
            }
            _ => None,
        };
        removed.or(other)
    }
}

/// The user of a key's row, by ARN.
fn user_of_key(row: &Row) -> &str {
    row.id.split_once('#').map_or(&row.id, |(user, _)| user)
}

/// What changes to a row are recorded under.
fn subjects(row: &Row) -> Vec<String> {
    let name = |arn: &str| arn.rsplit('/').next().unwrap_or(arn).to_owned();
    let mut all = Vec::new();
    match row.sheet {
        Sheet::Users => all.push(format!("user {}", name(&row.id))),
        Sheet::Roles => all.push(format!("role {}", name(&row.id))),
        Sheet::AccessKeys => all.push(format!("user {}", name(user_of_key(row)))),
        Sheet::PrivilegedAccess => {
            let kind = if row.id.contains(":role/") { "role" } else { "user" };
            all.push(format!("{kind} {}", name(&row.id)));
        }
        Sheet::ExternalPrincipals => {}
    }
    let account = row.id.split(':').nth(4).unwrap_or_default();
    for grant in row.access.iter().flat_map(|access| access.grants.keys()) {
        if let Some(group) = grant.strip_prefix("group ") {
            all.push(format!("group {group}"));
        } else if let Some(role) = grant.strip_prefix("way into ").and_then(|rest| rest.split(" by ").next()) {
            all.push(format!("role {role}"));
        } else if let Some(policy) = grant.strip_prefix("policy ") {
            let policy = policy.split(" through group ").next().unwrap_or(policy);
            all.push(format!("policy arn:aws:iam::{account}:policy/{policy}"));
        }
    }
    all
}

/// A decision about something that is still there.
fn judge(row: &Row, later: &Row, decision: Decision) -> (Outcome, String) {
    let recreated = matches!((&row.identity, &later.identity), (Some(was), Some(is)) if was != is);
    let usable = |what: &str| match later.usable {
        Some(false) => (Outcome::Done, "it cannot be used any more".to_owned()),
        Some(true) => (Outcome::NotDone, what.to_owned()),
        None => (Outcome::Unknown, format!("whether it can be used is not known: {}", gap(later))),
    };
    match decision {
        Decision::Keep => (Outcome::NothingToDo, "it was to be kept".to_owned()),
        Decision::Remove if row.sheet == Sheet::PrivilegedAccess => match later.standing {
            None => (Outcome::Unknown, format!("whether it is privileged is not known: {}", gap(later))),
            Some(_) => (Outcome::NotDone, format!("it is still privileged: {}", later.cell("administrator"))),
        },
        Decision::Remove if row.sheet == Sheet::ExternalPrincipals && later.usable == Some(false) => {
            (Outcome::Done, "no way in is open any more".to_owned())
        }
        Decision::Remove if recreated => (Outcome::NotDone, "another one of the same name is there".to_owned()),
        Decision::Remove if row.sheet == Sheet::AccessKeys && later.usable == Some(false) => {
            (Outcome::NotDone, "it is inactive, but still there".to_owned())
        }
        Decision::Remove => (Outcome::NotDone, "it is still there".to_owned()),
        Decision::Disable => usable("it can still be used"),
        Decision::Reduce => reduced(row, later),
    }
}

fn reduced(row: &Row, later: &Row) -> (Outcome, String) {
    let words = match (&row.access, &later.access) {
        (Some(was), Some(is)) => was.difference(is).words(),
        _ => String::new(),
    };
    let fell = row.standing.zip(later.standing).is_some_and(|(was, is)| is < was);
    match change(row, later) {
        Change::Less if words.is_empty() => (Outcome::Done, "it is less of an administrator".to_owned()),
        Change::Less => (Outcome::Done, format!("it has less access ({words})")),
        Change::Unchanged => (Outcome::NotDone, "its access is what it was".to_owned()),
        // Something was added, but the verdict fell: whether that is less, on the whole, a person must say.
        Change::More if fell => (Outcome::Unknown, format!("access was taken away and added ({words})")),
        Change::More => (Outcome::NotDone, format!("it has more access than before ({words})")),
        Change::New => (Outcome::NotDone, "another one of the same name is there".to_owned()),
        Change::Changed => (
            Outcome::Unknown,
            format!("its policies were rewritten ({words}): whether that is less, a person must show"),
        ),
        Change::Unknown | Change::Removed => {
            let gap = if row.access.is_none() { gap(row) } else { gap(later) };
            (Outcome::Unknown, format!("its access cannot be compared: {gap}"))
        }
    }
}

fn gap(row: &Row) -> &str {
    row.gap.as_deref().unwrap_or("not everything was collected")
}
