//! What the policy engine says of everybody, in the words of a review.

use super::change::Access;
use crate::evidence::digest::sha256;
use crate::evidence::iam::{
    AttachedPolicy, AuthorizationDetails, GetPolicyVersion, InlinePolicy, PermissionsBoundary, is_aws_managed,
};
use crate::evidence::{CallId, Evidence, Operation};
use crate::iam::Truth;
use crate::iam::admin::{AdminReport, AdminVerdict};
use crate::iam::analysis::{Account, Analysis, Library};
use crate::iam::principal::{Content, Kind, PolicySource, Principal, Scps};
use crate::iam::trust::{PathKind, Requirement, TrustPath, TrustReport};
use std::collections::{BTreeSet, HashMap};

/// How much of an administrator somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// From 0, no administrator, to 4, one without limits; `None` if it cannot be said.
    pub rank: Option<u8>,
    /// In words.
    pub words: String,
}

/// What there is to say about one principal.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    pub standing: Standing,
    /// What it can do; `None` where it was not collected completely.
    pub access: Option<Access>,
    /// The policies in words, each once.
    pub policies: Vec<String>,
}

/// All principals of an account, by ARN, and the ways into its roles.
#[derive(Debug, Default)]
pub(super) struct Standings {
    pub profiles: HashMap<String, Profile>,
    pub trusts: HashMap<String, TrustReport>,
    pub external: Vec<crate::iam::analysis::ExternalPrincipal>,
    /// Why somebody may be missing.
    pub gap: Option<String>,
}

impl Standings {
    /// Analyses the account.
    pub fn of(evidence: &Evidence, own_accounts: &[String]) -> Self {
        let outcome = evidence.global::<AuthorizationDetails>();
        let gap = outcome.gap().map(ToString::to_string);
        let Some(details) = outcome.arrived() else { return Self { gap, ..Self::default() } };
        let mut reader = Reader::new(evidence, details);
        let (mut principals, mut found) = (Vec::new(), Vec::new());
        let mut seen = BTreeSet::new();
        for (principal, one) in reader.all() {
            // Pages can overlap: the first entry stays.
            if !principal.arn.is_empty() && seen.insert(principal.arn.clone()) {
                principals.push(principal);
                found.push(one);
            }
        }
        let mut trusts = Vec::new();
        for role in &details.role_detail_list {
            if let Some(arn) = &role.arn {
                let document = role.assume_role_policy_document.as_ref();
                let content = document.map_or(Content::Missing, |text| reader.library.read(text.as_str()));
                trusts.push((arn.clone(), content));
            }
        }
        let account = Account {
            id: evidence.account.clone().unwrap_or_default(),
            principals,
            trusts,
            complete: gap.is_none(),
            own_accounts: own_accounts.to_vec(),
            ..Account::default()
        };
        let Analysis { principals: reports, roles, external } = account.analyse();
        let mut profiles = HashMap::new();
        for (report, one) in reports.iter().zip(found) {
            let mut standing = standing(&report.admin);
            // Where the list breaks off, nobody who is not an administrator already is cleared.
            if gap.is_some() && standing.rank.is_some_and(|rank| rank < 3) {
                standing = Standing { rank: None, words: "unknown: not all principals were collected".to_owned() };
            }
            let access = one.whole.then_some(one.access);
            profiles.insert(report.arn.clone(), Profile { standing, access, policies: one.policies });
        }
        let trusts = roles.into_iter().map(|report| (report.role.clone(), report)).collect();
        Self { profiles, trusts, external, gap }
    }
}

/// The verdict as a rank and in words.
fn standing(report: &AdminReport) -> Standing {
    let keys = || match report.keys.as_slice() {
        [] => String::new(),
        keys => format!(" ({})", keys.join(", ")),
    };
    let (rank, words) = match &report.verdict {
        AdminVerdict::Admin => (Some(4), "yes".to_owned()),
        AdminVerdict::AdminExceptDeny => (Some(3), "yes, except for what is denied".to_owned()),
        AdminVerdict::AdminEquivalent { path } => (Some(2), format!("can become one: {}", path.title)),
        AdminVerdict::ConditionalAdmin => (Some(1), format!("under a condition{}", keys())),
        AdminVerdict::NotAdmin => (Some(0), "no".to_owned()),
        AdminVerdict::Unknown { reason } => (None, format!("unknown: {reason}")),
    };
    Standing { rank, words }
}

/// What was found of one principal, beside what the engine takes.
#[derive(Default)]
struct Found {
    access: Access,
    policies: Vec<String>,
    whole: bool,
}

/// Reads principals out of the authorization details, each document once.
struct Reader<'a> {
    evidence: &'a Evidence,
    details: &'a AuthorizationDetails,
    library: Library,
    /// Managed policies by ARN: the content, and the digest of what the account itself wrote.
    managed: HashMap<&'a str, (Content, String)>,
}

impl<'a> Reader<'a> {
    fn new(evidence: &'a Evidence, details: &'a AuthorizationDetails) -> Self {
        let mut reader = Self { evidence, details, library: Library::new(), managed: HashMap::new() };
        for policy in &details.policies {
            let text = policy.default_version().and_then(|version| version.document.as_ref());
            if let (Some(arn), Some(text)) = (&policy.arn, text) {
                let content = reader.library.read(text.as_str());
                reader.managed.insert(arn, (content, digest(arn, text.as_str())));
            }
        }
        reader
    }

    fn all(&mut self) -> Vec<(Principal, Found)> {
        let details = self.details;
        let groups: HashMap<&str, _> =
            details.group_detail_list.iter().filter_map(|group| Some((group.group_name.as_deref()?, group))).collect();
        let mut all = Vec::new();
        for user in &details.user_detail_list {
            let mut making = self.begin(Kind::User, user.arn.as_deref(), user.user_id.as_deref());
            making.0.tags = Some(user.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect());
            self.inline(&mut making, &user.user_policy_list, None);
            self.attached(&mut making, &user.attached_managed_policies, None);
            for name in &user.group_list {
                making.1.access.grants.insert(format!("group {name}"), String::new());
                match groups.get(name.as_str()) {
                    Some(group) => {
                        making.0.groups.extend(group.arn.clone());
                        self.inline(&mut making, &group.group_policy_list, Some(name));
                        self.attached(&mut making, &group.attached_managed_policies, Some(name));
                    }
                    None => {
                        making.1.whole = false;
                        making.0.policies.push(PolicySource::missing(name).via(name));
                    }
                }
            }
            self.boundary(&mut making, user.permissions_boundary.as_ref());
            all.push(making);
        }
        for role in &details.role_detail_list {
            let mut making = self.begin(Kind::Role, role.arn.as_deref(), role.role_id.as_deref());
            if role.path.as_deref().is_some_and(|path| path.starts_with("/aws-service-role/")) {
                making.0.scps = Scps::Exempt;
            }
            self.inline(&mut making, &role.role_policy_list, None);
            self.attached(&mut making, &role.attached_managed_policies, None);
            self.boundary(&mut making, role.permissions_boundary.as_ref());
            all.push(making);
        }
        all
    }

    fn begin(&self, kind: Kind, arn: Option<&str>, unique_id: Option<&str>) -> (Principal, Found) {
        let account = self.evidence.account.as_deref().unwrap_or_default();
        let mut principal = Principal::new(kind, arn.unwrap_or_default(), account);
        principal.unique_id = unique_id.map(str::to_owned);
        (principal, Found { whole: true, ..Found::default() })
    }

    fn inline(&mut self, making: &mut (Principal, Found), policies: &[InlinePolicy], group: Option<&str>) {
        for policy in policies {
            let name = policy.policy_name.as_deref().unwrap_or("(unnamed)");
            let (source, digest) = match &policy.policy_document {
                Some(text) => (self.library.inline(name, text.as_str()), digest("", text.as_str())),
                None => {
                    making.1.whole = false;
                    (PolicySource::missing(name), String::new())
                }
            };
            add(making, source, &format!("inline policy {name}"), digest, group);
        }
    }

    fn attached(&mut self, making: &mut (Principal, Found), policies: &[AttachedPolicy], group: Option<&str>) {
        for policy in policies {
            let Some(arn) = policy.policy_arn.as_deref() else {
                making.1.whole = false;
                making.0.policies.push(PolicySource::missing("(unnamed)"));
                continue;
            };
            let (source, digest) = self.source(arn);
            // The text of AWS's own policies is AWS's affair; that of the account's own must be known to be compared.
            making.1.whole &= is_aws_managed(arn) || !matches!(source.content, Content::Missing);
            add(making, source, &format!("policy {}", short(arn)), digest, group);
        }
    }

    fn boundary(&mut self, making: &mut (Principal, Found), boundary: Option<&PermissionsBoundary>) {
        let Some(boundary) = boundary else { return };
        let Some(arn) = boundary.permissions_boundary_arn.as_deref() else {
            making.1.whole = false;
            making.0.boundary = Some(PolicySource::missing("(unnamed)"));
            return;
        };
        let (source, digest) = self.source(arn);
        making.0.boundary = Some(source);
        making.1.access.limits.insert(format!("boundary {}", short(arn)));
        if !digest.is_empty() {
            // A boundary that was rewritten may give more.
            making.1.access.grants.insert(format!("what the boundary {} allows", short(arn)), digest);
        }
    }

    fn source(&mut self, arn: &str) -> (PolicySource, String) {
        if let Some((content, digest)) = self.managed.get(arn) {
            return (PolicySource::new(arn, content.clone()), digest.clone());
        }
        let call = CallId::global(Operation::IamGetPolicyVersion).about(arn);
        let version = self.evidence.get::<GetPolicyVersion>(&call);
        match version.arrived().and_then(|version| version.policy_version.document.as_ref()) {
            Some(text) => (PolicySource::new(arn, self.library.read(text.as_str())), digest(arn, text.as_str())),
            None => (PolicySource::missing(arn), String::new()),
        }
    }
}

fn add(making: &mut (Principal, Found), source: PolicySource, name: &str, digest: String, group: Option<&str>) {
    let (principal, found) = making;
    let (source, name) = match group {
        Some(group) => (source.via(group), format!("{name} through group {group}")),
        None => (source, name.to_owned()),
    };
    principal.policies.push(source);
    found.policies.push(name.strip_prefix("policy ").unwrap_or(&name).to_owned());
    found.access.grants.insert(name, digest);
}

/// A managed policy by what tells it apart: AWS's own keep their mark.
fn short(arn: &str) -> String {
    match arn.split_once(":policy/") {
        Some((_, name)) if is_aws_managed(arn) => format!("aws/{name}"),
        Some((_, name)) => name.to_owned(),
        None => arn.to_owned(),
    }
}

/// The digest of a text that the account wrote, white space and encoding aside; AWS rewrites its own policies, which
/// is no change of anybody's access that a reviewer decides about.
fn digest(arn: &str, text: &str) -> String {
    if is_aws_managed(arn) {
        return String::new();
    }
    let text = crate::iam::policy::decode_document(text);
    let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let mut digest = sha256(bare.as_bytes());
    digest.truncate(12);
    digest
}

/// The ways into a role as grants and limits: who, and what is asked of them.
pub(super) fn trust_access(report: &TrustReport) -> Option<Access> {
    if report.problem.is_some() {
        return None;
    }
    let mut access = Access::default();
    for path in report.paths.iter().filter(|path| path.open != Truth::False) {
        let (grant, limits) = path_access(path);
        access.grants.insert(format!("way in for {grant}"), conditions(path));
        access.limits.extend(limits.into_iter().map(|limit| format!("{limit} of {grant}")));
    }
    Some(access)
}

/// A way in as a grant, and the limits on it.
pub(super) fn path_access(path: &TrustPath) -> (String, Vec<String>) {
    let mut limits = Vec::new();
    if matches!(path.requirements.external_id, Requirement::Required) {
        limits.push("external id".to_owned());
    }
    if matches!(path.requirements.mfa, Requirement::Required) {
        limits.push("MFA".to_owned());
    }
    (path.principal.clone(), limits)
}

fn conditions(path: &TrustPath) -> String {
    path.condition_keys.join(" ")
}

/// A way in, in words.
pub(super) fn path_words(path: &TrustPath) -> String {
    let who = match path.kind {
        PathKind::CrossAccount if path.own => "own account",
        PathKind::CrossAccount => "other account",
        PathKind::SameAccount => "this account",
        PathKind::Public => "anybody in AWS",
        PathKind::Saml => "SAML",
        PathKind::Oidc => "OIDC",
        PathKind::Service => "service",
        PathKind::Orphan => "deleted principal",
        PathKind::Unclear => "unclear",
    };
    let mut asked = Vec::new();
    let mut ask = |requirement: &Requirement, what: &str| match requirement {
        Requirement::Required => asked.push(format!("{what} required")),
        Requirement::RequiredButAnyValue | Requirement::RequiredButPattern => {
            asked.push(format!("{what} required, but nearly any value will do"));
        }
        Requirement::NotRequired { .. } => asked.push(format!("no {what}")),
        Requirement::Unknown { .. } => asked.push(format!("{what} unknown")),
        Requirement::NotApplicable | Requirement::NoPath => {}
    };
    if path.kind == PathKind::CrossAccount {
        ask(&path.requirements.external_id, "external id");
    }
    if matches!(path.kind, PathKind::CrossAccount | PathKind::SameAccount) {
        ask(&path.requirements.mfa, "MFA");
    }
    match path.open {
        Truth::False => asked.push("closed by its conditions".to_owned()),
        _ if path.kind == PathKind::Public => asked.push("open to every account".to_owned()),
        _ => {}
    }
    let asked = if asked.is_empty() { String::new() } else { format!(" ({})", asked.join(", ")) };
    format!("{who} {}{asked}", path.principal)
}
