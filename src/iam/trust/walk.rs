//! Walks a trust policy and gathers its paths.

use std::collections::BTreeSet;

use super::requirement::{Asking, Requirement, Requirements, worst};
use super::{AssumeAction, PathKind, Surroundings, TrustPath, TrustReport, classify, findings, oidc, service};
use crate::iam::arn::Arn;
use crate::iam::context::Context;
use crate::iam::glob;
use crate::iam::policy::{Document, Effect, PrincipalEntry, PrincipalKind, Statement};
use crate::iam::truth::Truth;

/// An account and an organisation that nobody has: what they may do, any stranger may.
pub(super) const STRANGER: &str = "731905284616";
/// No policy is known to name more; a document with more is not analysed statement by statement.
const MAX_PATHS: usize = 2000;

pub(super) fn report(role_arn: &str, account: &str, document: &Document, around: &Surroundings<'_>) -> TrustReport {
    let mut problem = None;
    let mut unclear_deny = false;
    let mut unclear_allow = false;
    let mut usable = Vec::new();
    for (index, statement) in document.statements.iter().enumerate() {
        match unusable(statement) {
            None => usable.push((index, statement)),
            Some(reason) => {
                unclear_allow |= statement.effect != Effect::Deny;
                unclear_deny |= statement.effect != Effect::Allow;
                problem.get_or_insert_with(|| format!("statement {index}: {reason}"));
            }
        }
    }
    let denies: Vec<_> = usable
        .iter()
        .filter(|(_, statement)| statement.effect == Effect::Deny)
        .map(|(_, statement)| *statement)
        .collect();
    let role = Role {
        arn: role_arn,
        account,
        around,
        denies: &denies,
        unclear_deny: unclear_deny.then(|| problem.clone().unwrap_or_default()),
    };
    let mut paths = Vec::new();
    for (index, statement) in &usable {
        if statement.effect != Effect::Allow {
            continue;
        }
        for entry in statement.principals.iter().flat_map(|p| &p.entries) {
            if paths.len() < MAX_PATHS {
                role.walk(*index, statement, entry, &mut paths);
            } else {
                unclear_allow = true;
                problem.get_or_insert_with(|| format!("more than {MAX_PATHS} paths"));
            }
        }
    }
    let missing = unclear_allow.then(|| problem.clone().unwrap_or_default());
    let over = |wanted: &dyn Fn(&TrustPath) -> bool, pick: &dyn Fn(&Requirements) -> &Requirement| {
        let chosen = paths.iter().filter(|path| wanted(path));
        worst(chosen.map(|path| pick(&path.requirements)), missing.as_deref())
    };
    let external = |path: &TrustPath| path.kind.is_external();
    // A role that only services use has nobody who could show a second factor.
    let people = paths.iter().any(|path| path.kind != PathKind::Service);
    let anybody = |_: &TrustPath| people;
    let resource = Arn::parse(role_arn).map_or("", |arn| arn.resource);
    TrustReport {
        role: role_arn.to_owned(),
        external_id: over(&external, &|r| &r.external_id),
        mfa: over(&anybody, &|r| &r.mfa),
        mfa_age: over(&anybody, &|r| &r.mfa_age),
        oidc: paths.iter().filter_map(|p| p.oidc.as_ref()).map(|o| o.width).max(),
        service_linked: resource.starts_with("role/aws-service-role/"),
        permission_set: resource.starts_with("role/aws-reserved/sso.amazonaws.com/"),
        paths,
        problem,
    }
}

/// Why a statement cannot be used in a trust policy.
fn unusable(statement: &Statement) -> Option<&str> {
    if let Some(problem) = &statement.problem {
        return Some(problem);
    }
    if statement.resources.is_some() {
        return Some("a Resource in a trust policy");
    }
    match &statement.principals {
        None => Some("no Principal"),
        Some(principals) if principals.negated => Some("NotPrincipal, which trust policies cannot have"),
        Some(_) => None,
    }
}

struct Role<'a> {
    arn: &'a str,
    account: &'a str,
    around: &'a Surroundings<'a>,
    denies: &'a [&'a Statement],
    unclear_deny: Option<String>,
}

impl Role<'_> {
    fn walk(&self, index: usize, statement: &Statement, entry: &PrincipalEntry, paths: &mut Vec<TrustPath>) {
        let (kind, account) = classify(entry, self.account);
        let actions: &[AssumeAction] = match kind {
            PathKind::Saml => &[AssumeAction::WithSaml],
            PathKind::Oidc => &[AssumeAction::WithWebIdentity],
            // Nor does one know of whom one cannot make sense by which door it comes.
            PathKind::Public | PathKind::Unclear => {
                &[AssumeAction::AssumeRole, AssumeAction::WithSaml, AssumeAction::WithWebIdentity]
            }
            _ => &[AssumeAction::AssumeRole],
        };
        for action in actions {
            if statement.actions.matches(action.lower()).is_possible() {
                paths.push(self.path(index, statement, entry, *action, kind, account.clone()));
            }
        }
    }

    fn path(
        &self,
        index: usize,
        statement: &Statement,
        entry: &PrincipalEntry,
        action: AssumeAction,
        kind: PathKind,
        account: Option<String>,
    ) -> TrustPath {
        let base = base_context(entry, action, kind, account.as_deref());
        let mut asking = Asking {
            statement,
            denies: self
                .denies
                .iter()
                .copied()
                .filter(|deny| denies_path(deny, entry, action, account.as_deref()))
                .collect(),
            base,
            action,
            kind,
            max_mfa_age: self.around.max_mfa_age,
            unclear_deny: self.unclear_deny.as_deref(),
        };
        let (kind, account, narrowed) = match kind {
            PathKind::Public if action == AssumeAction::AssumeRole => self.narrow(&asking),
            _ => (kind, account, Vec::new()),
        };
        asking.kind = kind;
        let requirements = asking.requirements();
        let external_ids = asking.accepted("sts:externalid");
        let own = account
            .as_ref()
            .is_some_and(|account| account == self.account || self.around.own_accounts.contains(account));
        let keys: BTreeSet<_> = statement.condition_keys().map(str::to_owned).collect();
        let mut path = TrustPath {
            kind,
            principal: entry.value.clone(),
            account,
            own,
            action,
            statement: index,
            sid: statement.sid.clone(),
            condition_keys: keys.into_iter().collect(),
            open: asking.open(),
            requirements,
            external_ids,
            oidc: (kind == PathKind::Oidc).then(|| oidc::trust(&asking, &entry.value)),
            guard: (kind == PathKind::Service).then(|| service::guard(&asking, &entry.value)),
            findings: Vec::new(),
        };
        path.findings = findings::of(&path, &asking, &narrowed, self.arn, self.around);
        path
    }

    /// A path for anybody whose conditions let only some accounts in is theirs alone.
    fn narrow(&self, asking: &Asking<'_>) -> (PathKind, Option<String>, Vec<String>) {
        let stranger = asking
            .base
            .clone()
            .with("aws:PrincipalAccount", STRANGER)
            .with("aws:PrincipalOrgID", "o-stranger000")
            .with_values("aws:PrincipalOrgPaths", vec!["o-stranger000/r-strange/".to_owned()])
            .with("aws:userid", "AROASTRANGERSTRANGER0:stranger");
        // Anybody can give a role the name that a pattern asks for.
        let named = arns_of(asking, "aws:principalarn", STRANGER);
        let mut arns = named.into_iter().chain([format!("arn:aws:iam::{STRANGER}:role/stranger")]);
        if arns.any(|arn| asking.allowed(&stranger.clone().with("aws:PrincipalArn", arn))) {
            return (PathKind::Public, None, Vec::new());
        }
        let mut accounts = BTreeSet::new();
        let mut keys = BTreeSet::new();
        for clause in asking.clauses() {
            match &*clause.key {
                "aws:principalaccount" => accounts.extend(clause.written.iter().cloned()),
                "aws:principalarn" => accounts
                    .extend(clause.written.iter().map(|arn| Arn::parse(arn).map_or("*", |arn| arn.account).to_owned())),
                "aws:principalorgid" | "aws:principalorgpaths" | "aws:userid" => {}
                _ => continue,
            }
            keys.insert(clause.key.to_string());
        }
        let keys: Vec<_> = keys.into_iter().collect();
        match accounts.into_iter().collect::<Vec<_>>().as_slice() {
            [only] if only == self.account => (PathKind::SameAccount, Some(self.account.to_owned()), keys),
            [only] if crate::iam::arn::is_account_id(only) => (PathKind::CrossAccount, Some(only.clone()), keys),
            _ => (PathKind::CrossAccount, None, keys),
        }
    }
}

/// ARNs that the patterns of a key match, and that are of an account which no policy names.
pub(super) fn arns_of(asking: &Asking<'_>, key: &str, account: &str) -> Vec<String> {
    let clauses = asking.clauses().filter(|clause| *clause.key == *key);
    let instance = |pattern: &String| {
        let mut parts: Vec<String> = pattern.splitn(6, ':').map(str::to_owned).collect();
        // A pattern with fewer parts may stand for any account.
        let wanted = parts.get_mut(4)?;
        if !glob::matches(wanted, account) {
            return None;
        }
        *wanted = account.to_owned();
        let arn = parts.join(":").replace('*', "stranger").replace('?', "q");
        Some(arn)
    };
    clauses.flat_map(|clause| &clause.written).filter_map(instance).collect()
}

/// What is known of every request on a path.
fn base_context(entry: &PrincipalEntry, action: AssumeAction, kind: PathKind, account: Option<&str>) -> Context {
    let mut context = Context::new();
    if let Some(account) = account {
        context.set("aws:PrincipalAccount", account);
    }
    if entry.kind == PrincipalKind::Aws
        && !super::is_whole_account(&entry.value)
        && let Some(arn) = Arn::parse(&entry.value)
    {
        if arn.service == "iam" {
            context.set("aws:PrincipalArn", &entry.value);
        }
        if arn.service == "sts" || arn.resource.starts_with("role/") {
            context.set_absent("aws:username");
        }
    }
    if action == AssumeAction::AssumeRole && kind != PathKind::Unclear {
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalisawsservice
        context.set("aws:PrincipalIsAWSService", (kind == PathKind::Service).to_string());
    }
    if action != AssumeAction::AssumeRole || kind == PathKind::Service {
        // These operations have no such parameters, and whoever calls them has not signed in to AWS.
        for key in ["sts:ExternalId", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "aws:username"] {
            context.set_absent(key);
        }
    }
    context
}

/// Does a Deny certainly cover the path's principal and action?
fn denies_path(deny: &Statement, entry: &PrincipalEntry, action: AssumeAction, account: Option<&str>) -> bool {
    if !deny.actions.matches(action.lower()).is_true() {
        return false;
    }
    deny.principals.iter().flat_map(|p| &p.entries).any(|denied| {
        denied.kind == PrincipalKind::Anyone
            || denied == entry
            || denied.kind == PrincipalKind::Aws
                && super::is_whole_account(&denied.value)
                && account.is_some()
                && super::principal_account(&denied.value) == account
    })
}

/// Shared with the edges inside an account.
pub(super) fn trust_statement(statement: &Statement) -> Truth {
    match unusable(statement) {
        None => Truth::True,
        Some(_) => Truth::Maybe,
    }
}
