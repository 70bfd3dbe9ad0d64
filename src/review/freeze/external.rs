//! Accounts and identity providers outside the account that can become one of its roles.

use super::super::change::Access;
use super::super::population::{Row, Sheet};
use super::super::standing;
use super::{Maker, Making, few};
use crate::iam::Truth;
use crate::iam::analysis::ExternalPrincipal;
use crate::iam::trust::{PathKind, Requirement, TrustPath};
use std::collections::{BTreeMap, BTreeSet};

impl Maker<'_> {
    /// One row for each outsider.
    pub(super) fn external(&self) -> Vec<Row> {
        self.standings.external.iter().map(|outsider| self.outsider(outsider)).collect()
    }

    /// Roles whose trust policies do not tell whom they let in.
    pub(super) fn unreadable_trusts(&self) -> Vec<String> {
        let mut all: Vec<String> = self
            .standings
            .trusts
            .values()
            .filter_map(|report| Some(format!("the trust policy of {}: {}", report.role, report.problem.as_ref()?)))
            .collect();
        all.sort();
        all
    }

    fn outsider(&self, outsider: &ExternalPrincipal) -> Row {
        let principal = &outsider.principal;
        let (what, name) = match outsider.kind {
            PathKind::CrossAccount if outsider.own => ("AWS account of the same owner", format!("account {principal}")),
            PathKind::CrossAccount if principal == "*" => ("AWS accounts", "any account, under conditions".to_owned()),
            PathKind::CrossAccount => ("AWS account", format!("account {principal}")),
            PathKind::Public => ("anybody with an AWS account", "everybody".to_owned()),
            PathKind::Saml | PathKind::Oidc => {
                let what =
                    if outsider.kind == PathKind::Saml { "SAML identity provider" } else { "OIDC identity provider" };
                (what, standing::short_principal(outsider.kind, principal).to_owned())
            }
            PathKind::Orphan => ("principal that was deleted", principal.clone()),
            _ => ("a principal that is not understood", principal.clone()),
        };
        let id = format!("{}:{principal}", outsider.kind.id());
        let mut making = Making::new(Sheet::ExternalPrincipals, &id, &name);
        // The same outsider stands once for each kind of way in; its paths are found by role and place.
        let paths: Vec<(&str, &TrustPath)> = outsider
            .entries
            .iter()
            .filter_map(|entry| {
                Some((entry.role.as_str(), self.standings.trusts.get(&entry.role)?.paths.get(entry.path)?))
            })
            .collect();
        let open: Vec<(&str, &TrustPath)> =
            paths.iter().copied().filter(|(_, path)| path.open != Truth::False).collect();
        let mut access = Access::default();
        for (role, path) in &open {
            let (_, limits) = standing::path_access(path);
            access
                .grants
                .insert(format!("way into {} by {}", name_of(role), path.action.name()), path.condition_keys.join(" "));
            access.limits.extend(limits.into_iter().map(|limit| format!("{limit} for {}", name_of(role))));
        }
        let roles: BTreeSet<&str> = open.iter().map(|(role, _)| *role).collect();
        making.row.owner = self.outsider_owner(&name, principal, &roles);
        making.row.usable = Some(!open.is_empty());
        making.row.access = Some(access);
        making.row.people = vec![principal.clone()];
        making.cell("external principal", &name);
        making.cell("what it is", what);
        let words: BTreeMap<String, BTreeSet<String>> = paths.iter().fold(BTreeMap::new(), |mut all, (role, path)| {
            all.entry(standing::path_words(path)).or_default().insert(name_of(role).to_owned());
            all
        });
        let words: Vec<String> = words
            .iter()
            .map(|(path, roles)| format!("{} as {path}", few(&roles.iter().cloned().collect::<Vec<_>>(), 8)))
            .collect();
        making.cell("trust paths", few(&words, 8));
        self.becomes(&mut making, &roles);
        let mut without_id = false;
        for (_, path) in &open {
            without_id |= path.kind == PathKind::CrossAccount
                && !path.own
                && matches!(path.requirements.external_id, Requirement::NotRequired { .. });
        }
        let suggestion = match outsider.kind {
            PathKind::Orphan => {
                making.flag("orphaned");
                "remove: nobody is behind it any more"
            }
            PathKind::Public => {
                making.flag("public");
                "reduce: name who may enter"
            }
            _ if open.is_empty() => "remove: no way in is open",
            _ if without_id => {
                making.flag("no external id");
                "reduce: require an external id"
            }
            _ => "",
        };
        if outsider.own {
            making.flag("own account");
        }
        making.finish(suggestion)
    }

    /// What the outsider is once it is in.
    fn becomes(&self, making: &mut Making, roles: &BTreeSet<&str>) {
        let profile = |role: &&str| self.standings.profiles.get(*role);
        let (mut rank, mut highest) = (Some(0), None);
        let mut admins = Vec::new();
        for role in roles {
            match profile(role).map(|profile| profile.standing.rank) {
                Some(Some(0)) => {}
                Some(Some(found)) => {
                    rank = rank.map(|rank: u8| rank.max(found));
                    highest = highest.max(Some(found));
                    admins.push(name_of(role).to_owned());
                }
                Some(None) | None => rank = None,
            }
        }
        making.row.standing = rank;
        let words = match (admins.is_empty(), rank) {
            (true, Some(_)) => "no".to_owned(),
            (true, None) => "unknown: not all roles could be judged".to_owned(),
            (false, _) => format!("by role {}", few(&admins, 8)),
        };
        making.cell("administrator", words);
        if let Some(flag) = highest.and_then(super::principals::admin_flag) {
            making.flag(flag);
        }
    }

    /// The outsider's own owner, or the one owner of all roles that it enters.
    fn outsider_owner(&self, name: &str, principal: &str, roles: &BTreeSet<&str>) -> Option<String> {
        self.owners.of([name, principal]).map(str::to_owned).or_else(|| {
            let owners: BTreeSet<Option<String>> = roles
                .iter()
                .map(|arn| {
                    let tags = self.roles.get(*arn).map(|role| super::principals::tags(&role.tags)).unwrap_or_default();
                    self.owner(&[name_of(arn), arn], &tags)
                })
                .collect();
            let mut owners = owners.into_iter();
            match (owners.next(), owners.next()) {
                (Some(owner), None) => owner,
                _ => None,
            }
        })
    }
}

/// A role's name, the last part of its ARN.
fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
