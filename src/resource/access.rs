//! Who can do what, and who can become whom: the policy engine's analysis of the whole account, made once and read by
//! the rows of users, roles, groups, trust paths and outsiders, by `explain` and by access reviews.
//!
//! What AWS did not tell stays unknown: a principal with a document that was not collected has no verdict unless what
//! is known decides alone, and where the authorization details break off, nobody is cleared.

pub mod overview;
mod text;
pub mod words;

use super::build::{Fact, Source};
use super::input::Input;
use super::profile::{Profile, ServiceControlPolicy};
use super::{Population, Unknown, Value};
use crate::evidence::iam::{AttachedPolicy, AuthorizationDetails, GroupDetail, InlinePolicy, PermissionsBoundary};
use crate::evidence::{Evidence, iam::is_aws_managed};
use crate::iam::admin::{self, AdminReport, AdminVerdict};
use crate::iam::analysis::{Account, ExternalPrincipal, Library, PrincipalReport};
use crate::iam::decision::{LayerKind, StatementRef};
use crate::iam::mfa::{MfaReport, MfaVerdict};
use crate::iam::principal::{Content, Kind, PolicySource, Principal, Scps};
use crate::iam::tamper::{EvidenceResources, Tampering};
use crate::iam::trust::TrustReport;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

pub use overview::Overview;
pub(crate) use text::has_statement_list;
pub use text::{statement_text, trust_statement_text};

/// The analysis of an account, and where what it rests on has holes.
#[derive(Clone, Debug, Default)]
pub struct Access {
    principals: Vec<Principal>,
    reports: Vec<PrincipalReport>,
    /// For each principal, the first document that was not collected.
    holes: Vec<Option<Arc<Unknown>>>,
    by_arn: HashMap<String, usize>,
    trusts: Vec<TrustReport>,
    trust_by_arn: HashMap<String, usize>,
    /// Outsiders who can enter.
    pub external: Vec<ExternalPrincipal>,
    /// Verdicts on policies by themselves, by the policy's id.
    policies: HashMap<String, AdminReport>,
    /// The service control policies that were given.
    scps: Vec<ServiceControlPolicy>,
    /// Why there may be more users, roles and groups.
    details_gap: Option<Arc<Unknown>>,
    /// Why not all trails are known.
    trails_gap: Option<Arc<Unknown>>,
}

/// A principal as it was analysed.
#[derive(Clone, Copy, Debug)]
pub struct Analysed<'a> {
    /// Its policies and what else is known of it.
    pub principal: &'a Principal,
    /// What the engine says.
    pub report: &'a PrincipalReport,
}

impl Access {
    /// Analyses the account. `trails` are where its evidence is kept.
    pub(super) fn of(input: &Input<'_>, profile: &Profile, trails: &Population) -> Self {
        let Some(details) = input.details.arrived() else {
            return Self { details_gap: input.details.gap().cloned(), ..Self::default() };
        };
        let mut reader = Reader::new(input, details, profile);
        let mut principals = Vec::new();
        let mut holes = Vec::new();
        let mut by_arn = HashMap::new();
        for (principal, hole) in reader.principals(details) {
            // Pages can overlap: the first entry stays, as in the populations.
            if !principal.arn.is_empty() && !by_arn.contains_key(&principal.arn) {
                by_arn.insert(principal.arn.clone(), principals.len());
                principals.push(principal);
                holes.push(hole);
            }
        }
        let mut trusts = Vec::new();
        let mut trust_by_arn = HashMap::new();
        for role in &details.role_detail_list {
            let Some(arn) = role.arn.as_deref().filter(|arn| !trust_by_arn.contains_key(*arn)) else { continue };
            trust_by_arn.insert(arn.to_owned(), trusts.len());
            let document = role.assume_role_policy_document.as_ref();
            trusts.push((arn.to_owned(), document.map_or(Content::Missing, |text| reader.library.read(text.as_str()))));
        }
        let policies = reader.policies(details);
        let account = Account {
            id: input.account().to_owned(),
            principals,
            trusts,
            complete: input.details.gap().is_none(),
            own_accounts: profile.own_accounts.clone(),
            vendor_names: profile.vendors.iter().map(|vendor| vendor.name.clone()).collect(),
            max_mfa_age: 0,
            as_of: Some(reader.as_of()),
            evidence: evidence_resources(trails, input.account()),
        };
        let analysis = account.analyse();
        Self {
            principals: account.principals,
            reports: analysis.principals,
            holes,
            by_arn,
            trusts: analysis.roles,
            trust_by_arn,
            external: analysis.external,
            policies,
            scps: profile.scps.iter().flatten().flatten().cloned().collect(),
            details_gap: input.details.gap().cloned(),
            trails_gap: trails.incomplete.first().cloned().map(Arc::new),
        }
    }

    /// All principals, in the order of the authorization details.
    pub fn principals(&self) -> impl Iterator<Item = Analysed<'_>> {
        self.principals.iter().zip(&self.reports).map(|(principal, report)| Analysed { principal, report })
    }

    /// A principal by its ARN.
    pub fn principal(&self, arn: &str) -> Option<Analysed<'_>> {
        let at = *self.by_arn.get(arn)?;
        Some(Analysed { principal: self.principals.get(at)?, report: self.reports.get(at)? })
    }

    /// The JSON of a statement of a service control policy that was given, as it was written.
    pub fn scp_text(&self, statement: &StatementRef) -> Option<String> {
        let given = self.scps.iter().find(|given| given.name == statement.policy);
        given
            .filter(|_| statement.layer == LayerKind::Scp)
            .and_then(|given| text::nth(&given.document, statement.index))
    }

    /// The ways into a role.
    pub fn trust(&self, arn: &str) -> Option<&TrustReport> {
        self.trusts.get(*self.trust_by_arn.get(arn)?)
    }

    /// The ways into all roles.
    pub fn trusts(&self) -> &[TrustReport] {
        &self.trusts
    }

    /// Why there may be more users, roles and groups than were analysed.
    pub fn incomplete(&self) -> Option<&Unknown> {
        self.details_gap.as_deref()
    }

    /// A document of the principal that was not collected.
    pub fn hole(&self, arn: &str) -> Option<&Unknown> {
        self.holes.get(*self.by_arn.get(arn)?)?.as_deref()
    }

    /// The verdict on a principal; or why there is none.
    pub(super) fn admin(&self, input: &Input<'_>, arn: Option<&str>) -> Fact<&AdminReport> {
        let analysed = self.analysed(input, arn)?;
        let report = &analysed.report.admin;
        self.settled(input, arn, report)?;
        Ok(report)
    }

    /// A verdict stands if it does not rest on what was not told.
    fn settled(&self, input: &Input<'_>, arn: Option<&str>, report: &AdminReport) -> Fact<()> {
        if let AdminVerdict::Unknown { reason } = &report.verdict {
            let hole = arn.and_then(|arn| self.holes.get(*self.by_arn.get(arn)?)?.clone());
            return Err(hole.or_else(|| self.details_gap.clone()).unwrap_or_else(|| input.details.unknown(reason)));
        }
        // Who is an administrator by its own policies is one whoever else there may be.
        let own = matches!(report.verdict, AdminVerdict::Admin | AdminVerdict::AdminExceptDeny);
        match &self.details_gap {
            Some(gap) if !own => Err(gap.clone()),
            _ => Ok(()),
        }
    }

    fn analysed(&self, input: &Input<'_>, arn: Option<&str>) -> Fact<Analysed<'_>> {
        let arn = input.details.told(arn, "the principal's ARN")?;
        self.principal(arn).ok_or_else(|| input.details.not_listed("the principal"))
    }

    /// What a principal can do to the records of what was done; or why that is not known.
    pub(super) fn tampering(&self, input: &Input<'_>, arn: Option<&str>) -> Fact<&[Tampering]> {
        let analysed = self.analysed(input, arn)?;
        if let Some(hole) = arn.and_then(|arn| self.holes.get(*self.by_arn.get(arn)?)?.clone()) {
            return Err(hole);
        }
        if let Some(gap) = &self.trails_gap {
            return Err(gap.clone());
        }
        let unknown = analysed.report.tampering.iter().find_map(|one| match &one.decision.outcome {
            crate::iam::Outcome::Unknown { reason } => Some(reason),
            _ => None,
        });
        match unknown {
            Some(reason) => Err(input.details.unknown(reason)),
            None => Ok(&analysed.report.tampering),
        }
    }

    /// Whether a user's policies enforce MFA; or why that is not known.
    pub(super) fn mfa(&self, input: &Input<'_>, arn: Option<&str>) -> Fact<&MfaReport> {
        let analysed = self.analysed(input, arn)?;
        let report = analysed.report.mfa.as_ref().ok_or_else(|| input.details.unknown("only users sign in by MFA"))?;
        match &report.verdict {
            MfaVerdict::Unknown { reason } => {
                let hole = arn.and_then(|arn| self.holes.get(*self.by_arn.get(arn)?)?.clone());
                Err(hole.unwrap_or_else(|| input.details.unknown(reason)))
            }
            _ => Ok(report),
        }
    }

    /// What a policy by itself would make of who has it.
    pub(super) fn policy(&self, id: &str) -> Option<&AdminReport> {
        self.policies.get(id)
    }
}

/// Reads principals and policies out of the authorization details, each document once.
struct Reader<'a, 'i> {
    input: &'a Input<'i>,
    library: Library,
    /// What is known of managed policies; an error for those that were not collected.
    managed: HashMap<&'a str, Fact<Content>>,
    groups: HashMap<&'a str, &'a GroupDetail>,
    /// The service control policies of whoever is not exempt from them.
    scps: Scps,
}

impl<'a, 'i> Reader<'a, 'i> {
    fn new(input: &'a Input<'i>, details: &'a AuthorizationDetails, profile: &Profile) -> Self {
        let mut groups = HashMap::new();
        for group in &details.group_detail_list {
            if let Some(name) = group.group_name.as_deref() {
                groups.entry(name).or_insert(group);
            }
        }
        let read = |given: &ServiceControlPolicy| PolicySource::inline(&given.name, &given.document);
        let scps = match &profile.scps {
            Some(levels) => Scps::Levels(levels.iter().map(|level| level.iter().map(read).collect()).collect()),
            None => Scps::Unknown,
        };
        Self { input, library: Library::new(), managed: HashMap::new(), groups, scps }
    }

    fn principals(&mut self, details: &'a AuthorizationDetails) -> Vec<(Principal, Option<Arc<Unknown>>)> {
        let mut all = Vec::new();
        for user in &details.user_detail_list {
            let mut making = self.begin(Kind::User, user.arn.as_deref(), user.user_id.as_deref());
            let tags = user.tags.iter().map(|tag| (tag.key.clone(), tag.value.clone()));
            making.principal.tags = Some(tags.collect());
            self.inline(&mut making, &user.user_policy_list, None);
            self.attached(&mut making, &user.attached_managed_policies, None);
            for name in &user.group_list {
                match self.groups.get(name.as_str()).copied() {
                    Some(group) => {
                        making.principal.groups.extend(group.arn.clone());
                        self.inline(&mut making, &group.group_policy_list, Some(name));
                        self.attached(&mut making, &group.attached_managed_policies, Some(name));
                    }
                    None => {
                        let missing = PolicySource::missing(&format!("the policies of the group {name}"));
                        making.principal.policies.push(missing.via(name));
                        making.hole(self.input.details.not_listed(&format!("the group {name}")));
                    }
                }
            }
            self.boundary(&mut making, user.permissions_boundary.as_ref());
            all.push((making.principal, making.hole));
        }
        for role in &details.role_detail_list {
            let mut making = self.begin(Kind::Role, role.arn.as_deref(), role.role_id.as_deref());
            if role.path.as_deref().is_some_and(|path| path.starts_with("/aws-service-role/")) {
                making.principal.scps = Scps::Exempt;
            }
            self.inline(&mut making, &role.role_policy_list, None);
            self.attached(&mut making, &role.attached_managed_policies, None);
            self.boundary(&mut making, role.permissions_boundary.as_ref());
            all.push((making.principal, making.hole));
        }
        for group in &details.group_detail_list {
            let mut making = self.begin(Kind::Group, group.arn.as_deref(), None);
            self.inline(&mut making, &group.group_policy_list, None);
            self.attached(&mut making, &group.attached_managed_policies, None);
            all.push((making.principal, making.hole));
        }
        all
    }

    /// When the evidence was collected, in seconds since 1970.
    fn as_of(&self) -> i64 {
        self.input.as_of().0.timestamp()
    }

    fn begin(&self, kind: Kind, arn: Option<&str>, unique_id: Option<&str>) -> Making {
        let mut principal = Principal::new(kind, arn.unwrap_or_default(), self.input.account());
        principal.unique_id = unique_id.map(str::to_owned);
        principal.scps = self.scps.clone();
        principal.as_of = Some(self.as_of());
        Making { principal, hole: None }
    }

    fn inline(&mut self, making: &mut Making, policies: &'a [InlinePolicy], group: Option<&str>) {
        for policy in policies {
            let name = policy.policy_name.as_deref().unwrap_or("(unnamed)");
            let source = match &policy.policy_document {
                Some(text) => self.library.inline(name, text.as_str()),
                None => {
                    making.hole(
                        self.input.details.unknown(format!("the document of the inline policy {name} is not told")),
                    );
                    PolicySource::missing(name)
                }
            };
            making.add(source, group);
        }
    }

    fn attached(&mut self, making: &mut Making, policies: &'a [AttachedPolicy], group: Option<&str>) {
        for policy in policies {
            let source = self.source(making, policy.policy_arn.as_deref());
            making.add(source, group);
        }
    }

    fn boundary(&mut self, making: &mut Making, boundary: Option<&'a PermissionsBoundary>) {
        if let Some(boundary) = boundary {
            let source = self.source(making, boundary.permissions_boundary_arn.as_deref());
            making.principal.boundary = Some(source);
        }
    }

    fn source(&mut self, making: &mut Making, arn: Option<&'a str>) -> PolicySource {
        let Some(arn) = arn else {
            making.hole(self.input.details.unknown("the ARN of an attached policy is not told"));
            return PolicySource::missing("(unnamed)");
        };
        match self.managed(arn) {
            Ok(content) => PolicySource::new(arn, content),
            Err(gap) => {
                let source = PolicySource::missing(arn);
                if matches!(source.content, Content::Missing) {
                    making.hole(gap);
                }
                source
            }
        }
    }

    fn managed(&mut self, arn: &'a str) -> Fact<Content> {
        if let Some(known) = self.managed.get(arn) {
            return known.clone();
        }
        let content = self.input.managed_document(arn).map(|text| self.library.read(text.as_str()));
        self.managed.insert(arn, content.clone());
        content
    }

    /// What each policy would make of a principal that has it and nothing else.
    fn policies(&mut self, details: &'a AuthorizationDetails) -> HashMap<String, AdminReport> {
        let mut reports = HashMap::new();
        let account = self.input.account().to_owned();
        let as_of = Some(self.as_of());
        let alone = |source: PolicySource| {
            let principal = Principal { as_of, ..Principal::new(Kind::Role, "", &account) };
            admin::verdict(&principal.with(source))
        };
        let mut arns: BTreeSet<&'a str> = details.policies.iter().filter_map(|policy| policy.arn.as_deref()).collect();
        arns.extend(self.managed.keys().copied());
        for arn in arns {
            let source = match self.managed(arn) {
                Ok(content) => PolicySource::new(arn, content),
                Err(_) => PolicySource::missing(arn),
            };
            reports.insert(arn.to_owned(), alone(source));
        }
        let users = details.user_detail_list.iter().map(|user| (user.arn.as_deref(), &user.user_policy_list));
        let groups = details.group_detail_list.iter().map(|group| (group.arn.as_deref(), &group.group_policy_list));
        let roles = details.role_detail_list.iter().map(|role| (role.arn.as_deref(), &role.role_policy_list));
        for (owner, policies) in users.chain(groups).chain(roles) {
            for policy in policies {
                if let (Some(owner), Some(name), Some(text)) = (owner, &policy.policy_name, &policy.policy_document) {
                    let source = self.library.inline(name, text.as_str());
                    reports.entry(format!("{owner}#{name}")).or_insert_with(|| alone(source));
                }
            }
        }
        reports
    }
}

/// A principal in the making.
struct Making {
    principal: Principal,
    hole: Option<Arc<Unknown>>,
}

impl Making {
    fn hole(&mut self, gap: Arc<Unknown>) {
        self.hole.get_or_insert(gap);
    }

    fn add(&mut self, source: PolicySource, group: Option<&str>) {
        let source = match group {
            Some(group) => source.via(group),
            None => source,
        };
        self.principal.policies.push(source);
    }
}

/// The resources that keep an account's records: what its trails deliver to, and by which keys. What auditpack does
/// not read (event data stores, topics, alarms) is asked about as a whole.
fn evidence_resources(trails: &Population, account: &str) -> EvidenceResources {
    let mut kinds: [(&str, BTreeSet<String>); 5] =
        ["trail", "bucket", "objects", "key", "log-group"].map(|kind| (kind, BTreeSet::new()));
    for trail in &trails.rows {
        let text = |name: &str| match trail.fields.get(name).and_then(|field| field.known()) {
            Some(Value::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        let partition = text("arn").and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws");
        let bucket = text("s3_bucket").map(|bucket| format!("arn:{partition}:s3:::{bucket}"));
        let prefix = text("s3_prefix").map_or_else(String::new, |prefix| format!("{}/", prefix.trim_end_matches('/')));
        let objects = bucket.as_ref().map(|bucket| format!("{bucket}/{prefix}AWSLogs/{account}/CloudTrail/*"));
        let [trail, buckets, files, key, group] = &mut kinds;
        trail.1.extend(text("arn").map(str::to_owned));
        buckets.1.extend(bucket);
        files.1.extend(objects);
        key.1.extend(text("kms_key").filter(|key| key.starts_with("arn:")).map(str::to_owned));
        group.1.extend(text("log_group").map(str::to_owned));
    }
    EvidenceResources { by_kind: kinds.map(|(kind, arns)| (kind.to_owned(), arns.into_iter().collect())).into() }
}

impl<'a> Input<'a> {
    /// The account's id: as STS told it, or as the ARNs of its own roles, users and groups have it. Without it, the
    /// account itself would look like a stranger in its trust policies. Empty where nothing tells it.
    pub(super) fn account(&self) -> &'a str {
        if let Some(account) = self.evidence.account.as_deref() {
            return account;
        }
        let details = self.details.arrived().into_iter();
        let mut arns = details.flat_map(|details| {
            let roles = details.role_detail_list.iter().map(|role| &role.arn);
            let users = details.user_detail_list.iter().map(|user| &user.arn);
            roles.chain(users).chain(details.group_detail_list.iter().map(|group| &group.arn))
        });
        arns.find_map(|arn| arn.as_deref()?.split(':').nth(4).filter(|account| !account.is_empty())).unwrap_or_default()
    }

    /// The document in force of a managed policy.
    pub(super) fn managed_document(&self, arn: &str) -> Fact<&'a crate::evidence::policy_text::PolicyText> {
        use crate::evidence::iam::{GetPolicy, GetPolicyVersion};
        use crate::evidence::{CallId, Operation};
        let told = self.policies.get(arn).copied();
        if let Some(text) = told.and_then(|policy| policy.default_version()).and_then(|v| v.document.as_ref()) {
            return Ok(text);
        }
        let default = match told {
            Some(policy) => self.details.told(policy.default_version_id.as_deref(), "the default version")?,
            None if !is_aws_managed(arn) && self.details.gap().is_some() => {
                return Err(self.details.not_listed("the policy"));
            }
            None => {
                let source = Source::<GetPolicy>::of(self.evidence, CallId::global(Operation::IamGetPolicy).about(arn));
                let policy = &source.whole()?.policy;
                source.told(policy.default_version_id.as_deref(), "the default version")?
            }
        };
        let call = CallId::global(Operation::IamGetPolicyVersion).about(arn);
        let source = Source::<GetPolicyVersion>::of(self.evidence, call);
        let version = &source.whole()?.policy_version;
        match source.told(version.version_id.as_deref(), "which version it is")? {
            id if id == default => source.told(version.document.as_ref(), "the policy's document"),
            id => Err(source.unknown(format!("the answer is about version {id}, the default version is {default}"))),
        }
    }
}

/// Whether service control policies could still deny what is allowed. auditpack reads no AWS Organizations: where nobody
/// hands them over, all verdicts are upper bounds, but those about service-linked roles.
pub fn is_upper_bound(principal: &Principal) -> bool {
    matches!(principal.scps, Scps::Unknown)
}

/// For callers that hold evidence only: what a text is made of is looked up again.
pub(super) fn details(evidence: &Evidence) -> Option<&AuthorizationDetails> {
    evidence.global::<AuthorizationDetails>().arrived().copied()
}
