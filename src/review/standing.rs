//! What the policy engine says of everybody, in the words of a review.

use super::change::Access;
use crate::evidence::digest::sha256;
use crate::evidence::iam::{
    AttachedPolicy, AuthorizationDetails, GetPolicyVersion, InlinePolicy, PermissionsBoundary, is_aws_managed,
};
use crate::evidence::{CallId, Evidence, Operation};
use crate::iam::Truth;
use crate::iam::admin::{AdminReport, AdminVerdict};
use crate::iam::trust::{PathKind, Requirement, TrustPath, TrustReport};
use std::collections::HashMap;

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
    /// Reads the analysis of the account, and what everybody's access is made of.
    pub fn of(evidence: &Evidence, analysed: &crate::resource::access::Access) -> Self {
        let outcome = evidence.global::<AuthorizationDetails>();
        let gap = outcome.gap().map(ToString::to_string);
        let Some(details) = outcome.arrived() else { return Self { gap, ..Self::default() } };
        let mut profiles = HashMap::new();
        for (arn, one) in Reader::new(evidence, details).all() {
            let Some(report) = analysed.principal(&arn).map(|analysed| &analysed.report.admin) else { continue };
            let mut standing = standing(report);
            // Where the list breaks off, nobody who is not an administrator already is cleared.
            if gap.is_some() && standing.rank.is_some_and(|rank| rank < 3) {
                standing = Standing { rank: None, words: "unknown: not all principals were collected".to_owned() };
            }
            let access = one.whole.then_some(one.access);
            // Pages can overlap: the first entry stays.
            profiles.entry(arn).or_insert(Profile { standing, access, policies: one.policies });
        }
        let trusts = analysed.trusts().iter().map(|report| (report.role.clone(), report.clone())).collect();
        Self { profiles, trusts, external: analysed.external.clone(), gap }
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

/// What was found of one principal.
#[derive(Default)]
struct Found {
    access: Access,
    policies: Vec<String>,
    whole: bool,
}

/// Reads what access is made of out of the authorization details.
struct Reader<'a> {
    evidence: &'a Evidence,
    details: &'a AuthorizationDetails,
    /// The digests of managed policies by ARN.
    managed: HashMap<&'a str, String>,
}

impl<'a> Reader<'a> {
    fn new(evidence: &'a Evidence, details: &'a AuthorizationDetails) -> Self {
        let mut managed = HashMap::new();
        for policy in &details.policies {
            let text = policy.default_version().and_then(|version| version.document.as_ref());
            if let (Some(arn), Some(text)) = (&policy.arn, text) {
                managed.insert(arn.as_str(), digest(arn, text.as_str()));
            }
        }
        Self { evidence, details, managed }
    }

    fn all(&self) -> Vec<(String, Found)> {
        let details = self.details;
        let groups: HashMap<&str, _> =
            details.group_detail_list.iter().filter_map(|group| Some((group.group_name.as_deref()?, group))).collect();
        let mut all = Vec::new();
        for user in &details.user_detail_list {
            let mut found = Found { whole: true, ..Found::default() };
            self.inline(&mut found, &user.user_policy_list, None);
            self.attached(&mut found, &user.attached_managed_policies, None);
            for name in &user.group_list {
                found.access.grants.insert(format!("group {name}"), String::new());
                match groups.get(name.as_str()) {
                    Some(group) => {
                        self.inline(&mut found, &group.group_policy_list, Some(name));
                        self.attached(&mut found, &group.attached_managed_policies, Some(name));
                    }
                    None => found.whole = false,
                }
            }
            self.boundary(&mut found, user.permissions_boundary.as_ref());
            all.extend(user.arn.clone().map(|arn| (arn, found)));
        }
        for role in &details.role_detail_list {
            let mut found = Found { whole: true, ..Found::default() };
            self.inline(&mut found, &role.role_policy_list, None);
            self.attached(&mut found, &role.attached_managed_policies, None);
            self.boundary(&mut found, role.permissions_boundary.as_ref());
            all.extend(role.arn.clone().map(|arn| (arn, found)));
        }
        all
    }

    fn inline(&self, found: &mut Found, policies: &[InlinePolicy], group: Option<&str>) {
        for policy in policies {
            let name = policy.policy_name.as_deref().unwrap_or("(unnamed)");
            found.whole &= policy.policy_document.is_some();
            let digest = policy.policy_document.as_ref().map_or(String::new(), |text| digest("", text.as_str()));
            found.add(&format!("inline policy {name}"), digest, group);
        }
    }

    fn attached(&self, found: &mut Found, policies: &[AttachedPolicy], group: Option<&str>) {
        for policy in policies {
            match policy.policy_arn.as_deref() {
                Some(arn) => {
                    let digest = self.digest_of(arn);
                    // The text of AWS's own policies is AWS's affair; that of the account's own must be known.
                    found.whole &= is_aws_managed(arn) || digest.is_some();
                    found.add(&format!("policy {}", short(arn)), digest.unwrap_or_default(), group);
                }
                None => found.whole = false,
            }
        }
    }

    fn boundary(&self, found: &mut Found, boundary: Option<&PermissionsBoundary>) {
        let Some(boundary) = boundary else { return };
        let Some(arn) = boundary.permissions_boundary_arn.as_deref() else {
            found.whole = false;
            return;
        };
        let digest = self.digest_of(arn);
        found.whole &= is_aws_managed(arn) || digest.is_some();
        found.access.limits.insert(format!("boundary {}", short(arn)));
        found.access.boundary = digest.filter(|digest| !digest.is_empty());
    }

    fn digest_of(&self, arn: &str) -> Option<String> {
        self.managed.get(arn).cloned().or_else(|| {
            let call = CallId::global(Operation::IamGetPolicyVersion).about(arn);
            let version = self.evidence.get::<GetPolicyVersion>(&call);
            let text = version.arrived()?.policy_version.document.as_ref()?;
            Some(digest(arn, text.as_str()))
        })
    }
}

impl Found {
    fn add(&mut self, name: &str, digest: String, group: Option<&str>) {
        let name = group.map_or_else(|| name.to_owned(), |group| format!("{name} through group {group}"));
        self.policies.push(name.strip_prefix("policy ").unwrap_or(&name).to_owned());
        self.access.grants.insert(name, digest);
    }
}

/// A managed policy by what tells it apart: AWS's own keep their mark.
fn short(arn: &str) -> String {
    match arn.split_once(":policy/") {
        Some((_, name)) if is_aws_managed(arn) => format!("aws/{name}"),
        Some((_, name)) => name.to_owned(),
        None => arn.to_owned(),
    }
}

/// The digest of a text that the account wrote, white space aside; AWS rewrites its own policies, which
/// is no change of anybody's access that a reviewer decides about.
fn digest(arn: &str, text: &str) -> String {
    if is_aws_managed(arn) {
        return String::new();
    }
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
    format!("{who} {}{asked}", short_principal(path.kind, &path.principal))
}

/// A principal without what its kind says already: the own account's ARNs by their last part.
pub(super) fn short_principal(kind: PathKind, principal: &str) -> &str {
    let own = matches!(kind, PathKind::SameAccount | PathKind::Saml | PathKind::Oidc);
    let local = principal.splitn(6, ':').nth(5).filter(|_| own && principal.starts_with("arn:")).unwrap_or(principal);
    match kind {
        PathKind::Saml => local.strip_prefix("saml-provider/").unwrap_or(local),
        PathKind::Oidc => local.strip_prefix("oidc-provider/").unwrap_or(local),
        _ => local,
    }
}
