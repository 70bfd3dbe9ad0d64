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

use std::collections::BTreeSet;

use serde::Serialize;

use super::requirement::Asking;
use crate::iam::condition::Test;
use crate::iam::context::Context;
use crate::iam::glob;
use crate::iam::policy::Effect;

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

/// No more subjects are tried out. IAM's own limit for a trust policy leaves room for fewer.
const MAX_SUBJECTS: usize = 100;

/// Stands for a name that nobody but a stranger has.
pub const STRANGER: &str = "zz9stranger";

/// Stands for the name of somebody of whom other claims are known.
pub const ACQUAINTANCE: &str = "zz8acquaintance";

/// Claims by which a provider tells its customers apart; the first two follow from the subject.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif>
const STRANGERS_CLAIMS: [&str; 14] = [
    "repository",
    "repository_owner",
    "repository_id",
    "repository_owner_id",
    "actor",
    "actor_id",
    "enterprise_id",
    "job_workflow_ref",
    "workflow",
    "email",
    "oaud",
    "amr",
    "organization_id",
    "namespace_path",
];

/// A kind of provider: how its subjects look.
struct Provider {
    name: &'static str,
    hosts: &'static [&'static str],
    /// Subjects from the widest to the narrowest; `{o}` is an organisation, `{r}` a repository.
    subjects: &'static [&'static str],
    /// Whom a subject belongs to.
    parse: fn(&str) -> Option<Owner<'_>>,
}

impl Provider {
    /// Whom a subject belongs to, if it is one that the provider could give.
    fn owner<'a>(&self, subject: &'a str) -> Option<Owner<'a>> {
        let owner = (self.parse)(subject)?;
        let name = |text: &str| !text.contains(':');
        (name(owner.organisation) && name(owner.repository)).then_some(owner)
    }
}

/// Whom a subject belongs to.
struct Owner<'a> {
    organisation: &'a str,
    repository: &'a str,
    rest: &'a str,
}

const PROVIDERS: &[Provider] = &[
    Provider {
        name: "github-actions",
        hosts: &["token.actions.githubusercontent.com"],
        subjects: &[
            "repo:{o}/{r}:ref:refs/heads/zz9stranger",
            "repo:{o}/{r}:environment:zz9stranger",
            "repo:{o}/{r}:pull_request",
            "repo:{o}/{r}:ref:refs/tags/zz9stranger",
        ],
        parse: |subject| {
            let rest = subject.strip_prefix("repo:")?;
            let (organisation, rest) = rest.split_once('/')?;
            let (repository, rest) = rest.split_once(':')?;
            Some(Owner { organisation, repository, rest })
        },
    },
    Provider {
        name: "gitlab",
        hosts: &["gitlab.com"],
        subjects: &[
            "project_path:{o}/{r}:ref_type:branch:ref:zz9stranger",
            "project_path:{o}/{r}:ref_type:tag:ref:zz9stranger",
        ],
        parse: |subject| {
            let rest = subject.strip_prefix("project_path:")?;
            let (path, rest) = rest.split_once(':')?;
            let (organisation, repository) = path.split_once('/')?;
            Some(Owner { organisation, repository, rest })
        },
    },
    Provider {
        name: "terraform-cloud",
        hosts: &["app.terraform.io", "app.eu.terraform.io"],
        subjects: &["organization:{o}:project:zz9stranger:workspace:{r}:run_phase:apply"],
        parse: |subject| {
            let rest = subject.strip_prefix("organization:")?;
            let (organisation, rest) = rest.split_once(":project:")?;
            let (project, rest) = rest.split_once(":workspace:")?;
            let (workspace, rest) = rest.split_once(":run_phase:")?;
            // A stranger's project with a known workspace name is still a stranger's.
            let repository = if project.contains(STRANGER) { project } else { workspace };
            Some(Owner { organisation, repository, rest })
        },
    },
    Provider {
        name: "buildkite",
        hosts: &["agent.buildkite.com"],
        subjects: &["organization:{o}:pipeline:{r}:ref:refs/heads/zz9stranger:commit:zz9stranger:step:zz9stranger"],
        parse: |subject| {
            let rest = subject.strip_prefix("organization:")?;
            let (organisation, rest) = rest.split_once(":pipeline:")?;
            let (repository, rest) = rest.split_once(':')?;
            Some(Owner { organisation, repository, rest })
        },
    },
    Provider {
        name: "eks",
        hosts: &["oidc.eks."],
        subjects: &["system:serviceaccount:{r}:zz9stranger"],
        parse: |subject| {
            let rest = subject.strip_prefix("system:serviceaccount:")?;
            let (repository, rest) = rest.split_once(':')?;
            Some(Owner { organisation: "", repository, rest })
        },
    },
];

/// The providers that need no ARN of their own.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-federated-web-identity>
pub(super) fn is_built_in(value: &str) -> bool {
    let hosts = ["cognito-identity.amazonaws.com", "accounts.google.com", "www.amazon.com", "graph.facebook.com"];
    hosts.contains(&value)
}

/// Providers for everybody whose subjects we cannot take apart.
fn is_shared(issuer: &str) -> bool {
    let hosts = [
        "accounts.google.com",
        "gitlab.com",
        "www.amazon.com",
        "graph.facebook.com",
        "cognito-identity.amazonaws.com",
        "oidc.vercel.com",
        "api.pulumi.com/oidc",
        "token.actions.githubusercontent.com",
        "app.terraform.io",
        "agent.buildkite.com",
    ];
    hosts.contains(&issuer)
}

pub(super) fn trust(asking: &Asking<'_>, principal: &str) -> OidcTrust {
    let issuer = principal.split_once(":oidc-provider/").map_or(principal, |(_, issuer)| issuer).to_lowercase();
    let provider = PROVIDERS.iter().find(|provider| {
        let mut hosts = provider.hosts.iter();
        hosts.any(|host| issuer == *host || host.ends_with('.') && issuer.starts_with(host))
    });
    let subject_key = if issuer == "cognito-identity.amazonaws.com" {
        // An identity pool is named by the audience; its subjects are random.
        format!("{issuer}:aud")
    } else {
        format!("{issuer}:sub")
    };
    let mut subjects: Vec<String> = asking
        .clauses()
        .filter(|clause| *clause.key == *subject_key)
        .flat_map(|clause| clause.written.iter().cloned())
        .collect();
    subjects.sort();
    subjects.dedup();
    let probe = Probe { asking, issuer: &issuer, subject_key: &subject_key, provider };
    let (width, example) = probe.widest(&subjects);
    OidcTrust { provider: provider.map(|provider| provider.name), width, subjects, example, issuer }
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
            let named = self.claims("repository").into_iter().map(|name| format!("repo:{name}:x"));
            let all: Vec<String> = written.iter().cloned().chain(named).take(2 * MAX_SUBJECTS).collect();
            for owner in all.iter().filter_map(|subject| provider.owner(subject)) {
                let plain = |name: &str| name.replace('*', STRANGER).replace('?', "q");
                owners.push((plain(owner.organisation), STRANGER.to_owned()));
                owners.push((plain(owner.organisation), plain(owner.repository)));
            }
            for (organisation, repository) in &owners {
                for subject in provider.subjects {
                    found.insert(subject.replace("{o}", organisation).replace("{r}", repository));
                }
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
                found.insert(with.replace('?', "q"));
            }
        }
        // Stars are never in a real token.
        found.retain(|subject| !glob::is_glob(subject));
        found
    }

    /// The values of a claim that the Allow statement asks for.
    fn claims(&self, claim: &str) -> Vec<String> {
        let key = format!("{}:{claim}", self.issuer);
        let clauses = self.asking.clauses().filter(|clause| *clause.key == *key);
        clauses.flat_map(|clause| clause.written.iter().cloned()).collect()
    }

    fn width_of(&self, subject: &str) -> OidcWidth {
        let shared = is_shared(self.issuer) || self.issuer.starts_with("app.eu.terraform");
        let widest = if shared { OidcWidth::Open } else { OidcWidth::IssuerWide };
        let Some(provider) = self.provider else {
            return if subject.contains(STRANGER) { widest } else { OidcWidth::Subject };
        };
        let Some(owner) = provider.owner(subject) else {
            // Not the shape that the provider gives its subjects (they can be customised).
            return if subject.starts_with(STRANGER) { widest } else { OidcWidth::Subject };
        };
        if owner.organisation.contains(STRANGER) {
            return widest;
        }
        if owner.repository.contains(STRANGER) {
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
        let stranger = subject.contains(STRANGER);
        if let (Some(owner), Some("github-actions")) = (&owner, self.provider.map(|p| p.name)) {
            let repository = format!("{}/{}", owner.organisation, owner.repository);
            base.set(&key("repository"), repository);
            base.set(&key("repository_owner"), owner.organisation);
            if let Some(reference) = owner.rest.strip_prefix("ref:") {
                base.set(&key("ref"), reference);
            }
            match owner.rest.strip_prefix("environment:") {
                Some(environment) => base.set(&key("environment"), environment),
                None => base.set_absent(&key("environment")),
            }
            if owner.organisation.contains(STRANGER) {
                for claim in STRANGERS_CLAIMS.iter().skip(2) {
                    base.set(&key(claim), STRANGER);
                }
            } else if owner.repository.contains(STRANGER) {
                base.set(&key("repository_id"), STRANGER);
            }
        } else if stranger {
            for claim in STRANGERS_CLAIMS {
                base.set(&key(claim), STRANGER);
            }
        }
        let mut audiences: BTreeSet<String> = BTreeSet::from(["sts.amazonaws.com".to_owned()]);
        if !self.subject_key.ends_with(":aud") {
            audiences.extend(self.audiences());
            audiences.retain(|audience| !glob::is_glob(audience));
        } else {
            return vec![base];
        }
        audiences.into_iter().take(8).map(|audience| base.clone().with(&key("aud"), audience)).collect()
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
