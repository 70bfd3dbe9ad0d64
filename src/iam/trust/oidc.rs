//! Who of an OpenID Connect provider gets in.
//!
//! A provider that many customers share (GitHub, GitLab, ...) vouches for all of them, so everything
//! hangs on conditions on the token. They are tried out with tokens that strangers, neighbours in the
//! same organisation and other branches of the same repository would have; the widest that gets in
//! decides.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc_secure-by-default.html>,
//! <https://docs.github.com/en/actions/reference/security/oidc>,
//! <https://docs.gitlab.com/ci/cloud_services/>,
//! <https://developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials/workload-identity-tokens>,
//! <https://buildkite.com/docs/agent/v3/cli-oidc>,
//! <https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html>

mod address;
mod audience;
mod provider;

use std::collections::BTreeSet;

use serde::Serialize;

use super::requirement::Asking;
use crate::iam::condition::Test;
use crate::iam::context::Context;
use crate::iam::glob;
use crate::iam::policy::Effect;
pub(super) use provider::is_built_in;
use provider::{Owner, Provider};

/// How wide the door is, narrowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OidcWidth {
    /// No token can have what the policy asks for.
    Dead,
    /// One subject.
    Subject,
    /// One environment.
    Environment,
    /// One branch or tag, or a pattern of them.
    Branch,
    /// Everything in one repository, project, workspace or pipeline, or one namespace of a cluster.
    RepoWide,
    /// Everything in one organisation or group.
    OrgWide,
    /// Everything that a provider of one's own vouches for (a cluster, say).
    IssuerWide,
    /// Any customer of a provider that many share.
    Open,
}

impl OidcWidth {
    /// The stable id.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Dead => "dead",
            Self::Subject => "subject",
            Self::Environment => "environment",
            Self::Branch => "branch",
            Self::RepoWide => "repo-wide",
            Self::OrgWide => "org-wide",
            Self::IssuerWide => "issuer-wide",
            Self::Open => "open",
        }
    }
}

/// A path for the identities of an OpenID Connect provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OidcTrust {
    /// The provider's address without `https://`.
    pub issuer: String,
    /// The kind of provider, if it is a known one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<&'static str>,
    /// How wide the door is.
    pub width: OidcWidth,
    /// The subjects that the policy names, as written.
    pub subjects: Vec<String>,
    /// A subject that gets in: the widest that was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// Microsoft's tenant from which Sentinel reads the logs of all its customers.
/// <https://learn.microsoft.com/en-us/azure/sentinel/connect-aws-configure-environment>
const SENTINEL: &str = "sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d";

const GOOGLE: &str = "accounts.google.com";

/// The provider whose other claims are understood, too.
const GITHUB: &str = "github-actions";

/// No more subjects are tried out. IAM's own limit for a trust policy leaves room for fewer.
const MAX_SUBJECTS: usize = 100;

/// Stands for a name that nobody but a stranger has.
pub const STRANGER: &str = "zz9stranger";

/// Stands for the name of somebody of whom other claims are known.
pub const ACQUAINTANCE: &str = "zz8acquaintance";

/// Stands for what a question mark takes: anybody can have a name that differs in one character.
const ANY: char = '\u{e000}';

/// Stands for [`ANY`] where only ASCII is understood: no pattern spells it out.
const FREE: char = '\u{1}';

/// In characters: <https://docs.github.com/en/enterprise-cloud@latest/admin/managing-iam/iam-configuration-reference/username-considerations-for-external-authentication>.
const LONGEST_OWNER: usize = 39;

/// True of a name that is not settled.
fn is_open(name: &str) -> bool {
    name.contains(STRANGER) || name.contains(ANY)
}

/// Claims by which a provider tells its customers apart; the first two follow from the subject.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif>
///
/// What anybody can have is not among them: the name of a workflow, the person who set it off (in whichever repository
/// that was), the audience that Google's caller asks for (`oaud`).
const STRANGERS_CLAIMS: [&str; 9] = [
    "repository",
    "repository_owner",
    "repository_id",
    "repository_owner_id",
    "enterprise_id",
    "job_workflow_ref",
    "email",
    "organization_id",
    "namespace_path",
];

pub(super) fn trust(asking: &Asking<'_>, principal: &str) -> OidcTrust {
    let issuer = principal.split_once(":oidc-provider/").map_or(principal, |(_, issuer)| issuer).to_lowercase();
    let subject_key = format!("{issuer}:sub");
    let mut subjects: Vec<String> = asking
        .clauses()
        .filter(|clause| *clause.key == *subject_key)
        .flat_map(|clause| clause.written.iter().map(|subject| without_variables(subject)))
        .collect();
    subjects.sort();
    subjects.dedup();
    let tried = in_lower_case(asking, &subject_key, &subjects);
    let provider = provider::of(&issuer, &tried);
    let probe = Probe { asking, issuer: &issuer, subject_key: &subject_key, provider };
    let (width, example) = match issuer.trim_end_matches('/') {
        SENTINEL => probe.widest_by_session(),
        issuer if audience::tells_customers_apart(issuer) => probe.widest_by_audience(),
        GOOGLE => probe.widest(&tried).max(probe.widest_by_address(&tried)),
        _ => probe.widest(&tried),
    };
    let example = example.map(|subject| subject.replace(ANY, "q"));
    OidcTrust { provider: provider.map(|provider| provider.name), width, subjects, example, issuer }
}

/// The subjects, in lower case where the case makes no difference: so do providers write what is their own in them.
fn in_lower_case(asking: &Asking<'_>, subject_key: &str, subjects: &[String]) -> Vec<String> {
    let mut about = asking.clauses().filter(|clause| *clause.key == *subject_key);
    if subjects.is_empty() || !about.all(|clause| clause.operator.test == Test::EqualsIgnoreCase) {
        return subjects.to_vec();
    }
    subjects.iter().map(|subject| subject.to_lowercase()).collect()
}

struct Probe<'a> {
    asking: &'a Asking<'a>,
    issuer: &'a str,
    subject_key: &'a str,
    provider: Option<&'a Provider>,
}

impl Probe<'_> {
    fn widest(&self, written: &[String]) -> (OidcWidth, Option<String>) {
        let mut best = (OidcWidth::Dead, None);
        // A condition that a token without a subject would meet is no guard at all.
        let widest = self.width_of(STRANGER);
        let without = self.contexts(STRANGER).into_iter();
        if without.map(|context| context.without(self.subject_key)).any(|context| self.asking.allowed(&context)) {
            return (widest, Some(STRANGER.to_owned()));
        }
        if written.len() > MAX_SUBJECTS {
            // Too many to be tried out one by one; nobody is cleared for that.
            return (widest, None);
        }
        for subject in self.candidates(written) {
            let width = self.width_of(&subject);
            if width > best.0 && self.gets_in(&subject) {
                best = (width, Some(subject));
            }
        }
        best
    }

    /// Subjects to try: strangers, neighbours, and what the policy's own patterns stand for.
    fn candidates(&self, written: &[String]) -> BTreeSet<String> {
        let mut found = BTreeSet::from([STRANGER.to_owned()]);
        // Somebody whom a claim other than the subject singles out may be of any name.
        let mut owners = vec![
            (STRANGER.to_owned(), STRANGER.to_owned()),
            (ACQUAINTANCE.to_owned(), STRANGER.to_owned()),
            (ACQUAINTANCE.to_owned(), ACQUAINTANCE.to_owned()),
        ];
        if let Some(provider) = self.provider {
            // `repository` and `repository_owner` claims name owners, too.
            let repositories = self.claims("repository");
            owners
                .extend(repositories.iter().filter(|name| glob::is_glob(name)).filter_map(|name| strange_owner(name)));
            let repositories = repositories.into_iter().map(|name| format!("repo:{name}:x"));
            let organisations = self.claims("repository_owner").into_iter().map(|name| format!("repo:{name}/*:x"));
            let named = repositories.chain(organisations);
            let all: Vec<String> = written.iter().cloned().chain(named).take(2 * MAX_SUBJECTS).collect();
            for owner in all.iter().filter_map(|subject| provider.owner(subject)) {
                owners.push((filled(owner.organisation), STRANGER.to_owned()));
                owners.push((filled(owner.organisation), filled(owner.repository)));
            }
            owners.sort();
            owners.dedup();
            let parts: Vec<String> = self.parts();
            for (organisation, repository) in &owners {
                for subject in provider.subjects.iter().copied().chain(parts.iter().map(String::as_str)) {
                    found.insert(subject.replace("{o}", organisation).replace("{r}", repository));
                }
            }
            for pattern in written.iter().filter(|value| glob::is_glob(value)) {
                found.extend(common(pattern, provider, &owners));
            }
        }
        let tails: Vec<String> = match self.provider {
            None => vec![STRANGER.to_owned()],
            Some(provider) => provider
                .subjects
                .iter()
                .flat_map(|subject| {
                    // Every part of a subject that a star may have swallowed.
                    let full = subject.replace("{o}", STRANGER).replace("{r}", STRANGER);
                    let cuts: Vec<usize> = full
                        .char_indices()
                        .filter(|(_, c)| matches!(c, ':' | '/'))
                        .map(|(index, _)| index + 1)
                        .collect();
                    let tails = cuts.into_iter().map(|index| full[index..].to_owned());
                    tails.chain([full.clone(), STRANGER.to_owned()]).collect::<Vec<_>>()
                })
                .collect(),
        };
        for value in written {
            if !glob::is_glob(value) {
                found.insert(value.clone());
                continue;
            }
            for tail in &tails {
                // The last star may have swallowed more than one part.
                let (head, last) = value.rsplit_once('*').unwrap_or((value, ""));
                let head = head.replace('*', STRANGER);
                let with = if value.contains('*') { format!("{head}{tail}{last}") } else { head };
                found.insert(filled(&with));
            }
        }
        // Stars are never in a real token.
        found.retain(|subject| !glob::is_glob(subject));
        found
    }

    /// Subjects of GitHub for the branches and environments that other claims ask for.
    fn parts(&self) -> Vec<String> {
        if self.provider.is_none_or(|provider| provider.name != GITHUB) {
            return Vec::new();
        }
        let of = |claim: &str, word: &str| -> Vec<String> {
            let values = self.claims(claim).into_iter().take(MAX_SUBJECTS);
            values.map(|value| format!("repo:{{o}}/{{r}}:{word}:{}", filled(&value))).collect()
        };
        [of("ref", "ref"), of("environment", "environment")].concat()
    }

    /// The values of a claim that the Allow statement asks for.
    fn claims(&self, claim: &str) -> Vec<String> {
        let key = format!("{}:{claim}", self.issuer);
        let clauses = self.asking.clauses().filter(|clause| *clause.key == *key);
        clauses.flat_map(|clause| clause.written.iter().cloned()).collect()
    }

    fn width_of(&self, subject: &str) -> OidcWidth {
        let widest = if provider::is_shared(self.issuer) { OidcWidth::Open } else { OidcWidth::IssuerWide };
        let Some(provider) = self.provider else {
            return if is_open(subject) { widest } else { OidcWidth::Subject };
        };
        let Some(owner) = provider.owner(subject) else {
            return if subject.starts_with(STRANGER) { widest } else { customised(provider, subject, widest) };
        };
        if is_open(owner.organisation) {
            return widest;
        }
        if is_open(owner.repository) {
            return if provider.name == "eks" { widest } else { OidcWidth::OrgWide };
        }
        let rest = owner.rest;
        let free = rest.starts_with(STRANGER)
            || rest == "pull_request"
            || provider.subjects.iter().any(|subject| {
                let subject = subject.replace("{o}", "o").replace("{r}", "r");
                provider.owner(&subject).is_some_and(|template| template.rest == rest)
            });
        if free {
            OidcWidth::RepoWide
        } else if rest.starts_with("environment:") {
            OidcWidth::Environment
        } else if rest.starts_with("ref") {
            OidcWidth::Branch
        } else {
            OidcWidth::Subject
        }
    }

    fn gets_in(&self, subject: &str) -> bool {
        self.contexts(subject).iter().any(|context| self.asking.allowed(context))
    }

    /// The claims that come with a subject. What a stranger's token would say is said; what the
    /// policy asks of everybody alike (the audience) is granted.
    fn contexts(&self, subject: &str) -> Vec<Context> {
        let key = |claim: &str| format!("{}:{claim}", self.issuer);
        let mut base = self.asking.base.clone().with(self.subject_key, subject);
        let owner = self.provider.and_then(|provider| provider.owner(subject));
        let mut references = Vec::new();
        if let (Some(owner), Some(GITHUB)) = (&owner, self.provider.map(|p| p.name)) {
            self.github(owner, &mut base);
            if owner.rest.starts_with("environment:") && !is_open(owner.rest) {
                // A job for an environment can run on any branch.
                references.extend(self.claims("ref").iter().take(8).map(|value| filled(value)));
            }
        } else if subject.contains(STRANGER) {
            for claim in STRANGERS_CLAIMS {
                base.set(&key(claim), STRANGER);
            }
        }
        let mut audiences: BTreeSet<String> = BTreeSet::from(["sts.amazonaws.com".to_owned()]);
        audiences.extend(self.audiences());
        audiences.retain(|audience| !glob::is_glob(audience));
        // AWS's list of keys for GitHub does not have the owner's name: it may never be there.
        let owner_key = key("repository_owner");
        let nameless = base.clone().without(&owner_key);
        let mut bases = vec![base];
        if self.asking.clauses().any(|clause| *clause.key == *owner_key) {
            bases.push(nameless);
        }
        for base in bases.clone() {
            bases.extend(references.iter().map(|value| base.clone().with(&key("ref"), value)));
        }
        let audiences: Vec<String> = audiences.into_iter().take(8).collect();
        bases
            .iter()
            .flat_map(|base| audiences.iter().map(|audience| base.clone().with(&key("aud"), audience)))
            .collect()
    }

    /// The claims of a token of GitHub that follow from its subject.
    fn github(&self, owner: &Owner<'_>, base: &mut Context) {
        let key = |claim: &str| format!("{}:{claim}", self.issuer);
        base.set(&key("repository"), format!("{}/{}", owner.organisation, owner.repository));
        base.set(&key("repository_owner"), owner.organisation);
        let reference = match owner.rest {
            "pull_request" => "refs/pull/1/merge",
            rest => rest.strip_prefix("ref:").unwrap_or("refs/heads/zz9stranger"),
        };
        base.set(&key("ref"), reference);
        match owner.rest.strip_prefix("environment:") {
            Some(environment) => base.set(&key("environment"), environment),
            None => base.set_absent(&key("environment")),
        }
        if is_open(owner.organisation) {
            for claim in STRANGERS_CLAIMS.iter().skip(2) {
                base.set(&key(claim), self.strange(claim));
            }
        } else if is_open(owner.repository) {
            base.set(&key("repository_id"), self.strange("repository_id"));
        }
    }

    /// What a stranger's token says in a claim: what a pattern of the policy lets it say, if one does.
    fn strange(&self, claim: &str) -> String {
        let fits = |pattern: &String| match claim {
            "job_workflow_ref" => strange_owner(pattern).map(|(owner, rest)| format!("{owner}/{rest}")),
            _ => glob::common(&glob::tokens(pattern), &glob::tokens(&format!("*{STRANGER}*"))),
        };
        let claims = self.claims(claim);
        let mut patterns = claims.iter().filter(|value| glob::is_glob(value));
        patterns.find_map(fits).unwrap_or_else(|| STRANGER.to_owned())
    }

    fn audiences(&self) -> Vec<String> {
        let key = format!("{}:aud", self.issuer);
        let statement = self.asking.statement;
        debug_assert_eq!(statement.effect, Effect::Allow);
        let clauses = statement.conditions.iter();
        let about = clauses.filter(|clause| *clause.key == *key && clause.operator.test != Test::Null);
        about.flat_map(|clause| clause.written.iter().cloned()).collect()
    }
}

/// How wide a subject is that has not the shape which its provider gives by default. GitHub lets its customers choose
/// the claims that their subjects are made of, each as `claim:value`:
/// <https://docs.github.com/en/actions/reference/security/oidc#customizing-the-subject-claims-for-an-organization-or-repository>
fn customised(provider: &Provider, subject: &str, widest: OidcWidth) -> OidcWidth {
    let (claim, values) = subject.split_once(':').unwrap_or((subject, ""));
    let is_claim = !claim.is_empty() && claim.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if provider.name == GITHUB && !is_claim {
        // No subject of the provider's, so that nobody has it.
        return OidcWidth::Dead;
    }
    if !is_open(subject) {
        return OidcWidth::Subject;
    }
    if provider.name != GITHUB || claim.eq_ignore_ascii_case("repo") {
        return OidcWidth::Dead;
    }
    let first = values.split([':', '/']).next().unwrap_or(values);
    if is_open(first) { widest } else { OidcWidth::OrgWide }
}

/// A text with its wildcards filled by what strangers have.
fn filled(pattern: &str) -> String {
    pattern.replace('*', STRANGER).replace('?', &ANY.to_string())
}

/// A subject whose variables may stand for anything.
fn without_variables(subject: &str) -> String {
    let mut text = String::new();
    let mut rest = subject;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((_, after)) = after.split_once('}') else { break };
        text.push_str(before);
        text.push('*');
        rest = after;
    }
    text.push_str(rest);
    text
}

/// An owner of a stranger's and what follows it, as a pattern of `owner/rest` lets them be.
fn strange_owner(pattern: &str) -> Option<(String, String)> {
    if let Some((owner, rest)) = pattern.split_once('/')
        && glob::is_glob(owner)
    {
        return Some((filled(owner), filled(rest)));
    }
    let name = glob::common(&glob::tokens(pattern), &glob::tokens(&format!("*{STRANGER}*/*")))?;
    let (owner, rest) = name.split_once('/')?;
    owner.contains(STRANGER).then(|| (owner.to_owned(), rest.to_owned()))
}

/// Subjects that the provider gives and the pattern matches: of strangers, of neighbours, of the same repository.
fn common(pattern: &str, provider: &Provider, owners: &[(String, String)]) -> Vec<String> {
    // Where only question marks stand for the owner, any owner with as many characters will do.
    let free: Vec<String> = match pattern.contains('?') {
        true => (1..=LONGEST_OWNER).map(|length| FREE.to_string().repeat(length)).collect(),
        false => Vec::new(),
    };
    let pattern = glob::tokens(pattern);
    let anybody = format!("*{STRANGER}*");
    let mut pairs: Vec<(&str, &str)> = vec![(&anybody, "?*")];
    pairs.extend(free.iter().map(|owner| (owner.as_str(), "?*")));
    for (organisation, repository) in owners {
        pairs.push((organisation, &anybody));
        pairs.push((organisation, repository));
    }
    pairs.sort_unstable();
    pairs.dedup();
    let shapes = pairs.iter().flat_map(|(organisation, repository)| {
        let subjects = provider.subjects.iter();
        subjects.map(|subject| {
            let subject = subject.replace(STRANGER, "*");
            subject.replace("{o}", organisation).replace("{r}", repository)
        })
    });
    let texts = shapes.filter_map(|shape| glob::common(&pattern, &glob::tokens(&shape)));
    texts.map(|text| text.replace(FREE, &ANY.to_string())).collect()
}
