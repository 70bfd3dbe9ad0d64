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
        let mut asking = Asking {
            statement,
            denies: self
                .denies
                .iter()
                .copied()
                .filter(|deny| denies_path(deny, entry, action, account.as_deref()))
                .collect(),
            base: base_context(entry, action, kind, account.as_deref()).at(self.around.as_of),
            action,
            kind,
            max_mfa_age: self.around.max_mfa_age,
            unclear_deny: self.unclear_deny.as_deref(),
        };
        let (kind, account, narrowed) = match kind {
            PathKind::Public if action == AssumeAction::AssumeRole && is_for_services(&asking) => {
                (PathKind::Service, None, vec![SERVICES_ONLY.to_owned()])
            }
            PathKind::Public if action == AssumeAction::AssumeRole => self.narrow(&asking),
            _ => (kind, account, Vec::new()),
        };
        if kind == PathKind::Service {
            asking.base = base_context(entry, action, kind, None).at(self.around.as_of);
        }
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
        let own = |account: &String| account == self.account || self.around.own_accounts.contains(account);
        if strangers(asking, own).iter().any(|stranger| asking.allowed(stranger)) {
            return (PathKind::Public, None, Vec::new());
        }
        let mut accounts = BTreeSet::new();
        let mut keys = BTreeSet::new();
        for clause in asking.clauses() {
            match &*clause.key {
                "aws:principalaccount" => accounts.extend(clause.written.iter().cloned()),
                "aws:principalarn" => accounts.extend(clause.written.iter().map(|arn| account_in(arn).to_owned())),
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

const SERVICES_ONLY: &str = "aws:principalisawsservice";

/// A path for anybody who is an AWS service.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalisawsservice>
fn is_for_services(asking: &Asking<'_>) -> bool {
    let open = |service: &str| asking.allowed(&asking.base.clone().with(SERVICES_ONLY, service));
    open("true") && !open("false")
}

/// The account that a pattern of an ARN names. An id has twelve digits, so that a `*` after them stands for the rest.
fn account_in(pattern: &str) -> &str {
    pattern.split(':').nth(4).map_or("*", |account| account.trim_end_matches('*'))
}

/// Requests of principals whom no policy names: of an organisation that is not named and of none, with the names and
/// in the accounts that wildcards let them have.
///
/// The keys of the organisation are absent for a principal in none:
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgid>
fn strangers(asking: &Asking<'_>, own: impl Fn(&String) -> bool) -> Vec<Context> {
    let mut accounts = accounts_like(asking, "aws:principalaccount");
    accounts.retain(|account| !own(account));
    accounts.push(STRANGER.to_owned());
    let mut callers: Vec<(String, String)> =
        accounts.iter().map(|account| (account.clone(), format!("arn:aws:iam::{account}:role/stranger"))).collect();
    // Anybody can give a user or a role the name that a pattern asks for.
    for arn in arns_like(asking, "aws:principalarn", &["arn:aws:iam::{}:role/*", "arn:aws:iam::{}:user/*"]) {
        let account = account_in(&arn).to_owned();
        if !own(&account) {
            callers.push((account, arn));
        }
    }
    let mut ids = vec!["AROASTRANGERSTRANGER0:stranger".to_owned()];
    for pattern in written(asking, "aws:userid").filter(|pattern| glob::is_glob(pattern)) {
        for shape in ["AROA?????????????????:*", "AIDA?????????????????"] {
            let id = glob::common(&glob::tokens(pattern), &glob::tokens(shape)).map(|id| id.replace('q', "Q"));
            // An id that the pattern spells out is not a stranger's.
            ids.extend(id.filter(|id| !pattern.contains(id.split(':').next().unwrap_or(id))));
        }
    }
    let mut strangers = Vec::new();
    for (account, arn) in &callers {
        for id in &ids {
            let alone = asking
                .base
                .clone()
                .with("aws:PrincipalAccount", account)
                .with("aws:PrincipalArn", arn)
                .with("aws:userid", id)
                .without("aws:PrincipalOrgID")
                .without("aws:PrincipalOrgPaths");
            let organised = alone
                .clone()
                .with("aws:PrincipalOrgID", "o-stranger000")
                .with_values("aws:PrincipalOrgPaths", vec!["o-stranger000/r-strange/".to_owned()]);
            strangers.extend([alone, organised]);
        }
    }
    strangers
}

/// What the conditions of a path compare a key with.
fn written<'a>(asking: &'a Asking<'_>, key: &'a str) -> impl Iterator<Item = &'a String> {
    asking.clauses().filter(move |clause| *clause.key == *key).flat_map(|clause| &clause.written)
}

/// Accounts that nobody spelt out, but that the patterns of a key match.
pub(super) fn accounts_like(asking: &Asking<'_>, key: &str) -> Vec<String> {
    let patterns = written(asking, key).filter(|pattern| glob::is_glob(pattern));
    patterns.filter_map(|pattern| account_like(pattern)).collect()
}

/// An account that a pattern matches.
fn account_like(pattern: &str) -> Option<String> {
    let account = glob::common(&glob::tokens(pattern), &glob::tokens("????????????"))?.replace('q', "7");
    crate::iam::arn::is_account_id(&account).then_some(account)
}

/// ARNs that the patterns of a key match, in an account that nobody spelt out. A shape is an ARN with `{}` for the
/// account.
pub(super) fn arns_like(asking: &Asking<'_>, key: &str, shapes: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for pattern in written(asking, key) {
        // Part by part, so that no wildcard runs over a colon; and as a whole, for those that must.
        let parts: Vec<&str> = pattern.splitn(6, ':').collect();
        if let [_, _, _, _, account, _] = parts.as_slice() {
            for settled in [Some(STRANGER.to_owned()), account_like(account)].into_iter().flatten() {
                if glob::is_glob(account) && glob::matches(account, &settled) {
                    let rest = pattern.replacen(&format!(":{account}:"), &format!(":{settled}:"), 1);
                    found.push(rest.replace('*', "stranger").replace('?', "q"));
                }
            }
        }
        for shape in shapes {
            for account in [STRANGER, "????????????"] {
                let Some(arn) = glob::common(&glob::tokens(pattern), &glob::tokens(&shape.replace("{}", account)))
                else {
                    continue;
                };
                let id = account_in(&arn).to_owned();
                let settled = id.replace('q', "7");
                // Without a wildcard in it, the account is one that the pattern names.
                if (id != settled || id == STRANGER) && crate::iam::arn::is_account_id(&settled) {
                    found.push(arn.replacen(&id, &settled, 1));
                }
            }
        }
    }
    found
}

/// ARNs that the patterns of a key match and that name no account, as those of S3's buckets. AWS asks for the account
/// beside them: <https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html>.
pub(super) fn without_account(asking: &Asking<'_>, key: &str) -> Vec<String> {
    let like = |pattern: &String| glob::common(&glob::tokens(pattern), &glob::tokens("arn:*:*:*::*"));
    written(asking, key).filter_map(like).filter(|arn| account_in(arn).is_empty()).collect()
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
