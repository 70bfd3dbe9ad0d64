//! The kinds of OpenID Connect providers, and how the subjects of their tokens look.

use crate::iam::glob;

/// A kind of provider: how its subjects look.
pub(super) struct Provider {
    pub name: &'static str,
    hosts: &'static [&'static str],
    /// What all of its subjects begin with, by which a server of one's own is recognised.
    beginning: &'static str,
    /// Subjects from the widest to the narrowest; `{o}` is an organisation, `{r}` a repository.
    pub subjects: &'static [&'static str],
    /// Whom a subject belongs to.
    parse: fn(&str) -> Option<Owner<'_>>,
}

impl Provider {
    /// Whom a subject belongs to, if it is one that the provider could give.
    pub fn owner<'a>(&self, subject: &'a str) -> Option<Owner<'a>> {
        let owner = (self.parse)(subject)?;
        let name = |text: &str| !text.contains(':');
        (name(owner.organisation) && name(owner.repository)).then_some(owner)
    }
}

/// Whom a subject belongs to.
pub(super) struct Owner<'a> {
    pub organisation: &'a str,
    pub repository: &'a str,
    pub rest: &'a str,
}

const PROVIDERS: &[Provider] = &[
    Provider {
        name: "github-actions",
        hosts: &["token.actions.githubusercontent.com"],
        beginning: "repo:",
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
        beginning: "project_path:",
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
        beginning: "organization:*:project:",
        subjects: &["organization:{o}:project:{r}:workspace:zz9stranger:run_phase:apply"],
        parse: |subject| {
            let rest = subject.strip_prefix("organization:")?;
            let (organisation, rest) = rest.split_once(":project:")?;
            let (project, rest) = rest.split_once(":workspace:")?;
            let (workspace, rest) = rest.split_once(":run_phase:")?;
            // Workspaces of a project belong together, as what is in a repository does.
            (!workspace.is_empty()).then_some(Owner { organisation, repository: project, rest })
        },
    },
    Provider {
        name: "buildkite",
        hosts: &["agent.buildkite.com"],
        beginning: "organization:*:pipeline:",
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
        beginning: "system:serviceaccount:",
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
pub(in super::super) fn is_built_in(value: &str) -> bool {
    let hosts = ["cognito-identity.amazonaws.com", "accounts.google.com", "www.amazon.com", "graph.facebook.com"];
    hosts.contains(&value)
}

/// Providers for everybody, whatever becomes of their subjects: those that AWS lists as shared, those of Google and
/// of others whom AWS's list of claims knows, and what is left of CircleCI's and Microsoft's, who have an address for each
/// customer, without the customer.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html>,
/// <https://circleci.com/docs/guides/permissions-authentication/openid-connect-tokens/>,
/// <https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols#endpoints>
pub(super) fn is_shared(issuer: &str) -> bool {
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
        "app.eu.terraform.io",
        "agent.buildkite.com",
        "oidc-configuration.audit-log.githubusercontent.com",
        "oidc.codefresh.io",
        "proidc.upbound.io",
        "sandboxes.cloud",
        "scalr.io",
        "studio.datachain.ai/api",
        "tokens.cloud.shisho.dev",
        "vstoken.actions.githubusercontent.com",
        super::SENTINEL,
        "oidc.circleci.com",
    ];
    let tenants = ["common", "organizations", "consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"];
    let of_no_tenant = ["login.microsoftonline.com/", "sts.windows.net/"]
        .iter()
        .filter_map(|host| issuer.strip_prefix(host))
        .any(|path| tenants.contains(&path.split('/').next().unwrap_or_default()));
    hosts.contains(&issuer) || of_no_tenant
}

/// The kind of a provider: by its address, or for one's own server by the shape of the subjects that are asked for.
pub(super) fn of(issuer: &str, subjects: &[String]) -> Option<&'static Provider> {
    let at = |host: &str| issuer == host || host.ends_with('.') && issuer.starts_with(host);
    let like = |provider: &&Provider| {
        let beginning = format!("{}*", provider.beginning);
        subjects.iter().any(|subject| glob::matches(&beginning, subject))
    };
    let by_address = PROVIDERS.iter().find(|provider| provider.hosts.iter().any(|host| at(host)));
    by_address.or_else(|| PROVIDERS.iter().find(like).filter(|_| !is_shared(issuer)))
}
