//! Do a user's own policies enforce MFA?
//!
//! Requests without a second factor are of two kinds: long-term access keys do not carry
//! `aws:MultiFactorAuthPresent` at all, temporary credentials obtained without MFA carry *false*
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-multifactorauthpresent>).
//! MFA is enforced if in both cases nothing is left but what it takes to set MFA up
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws_my-sec-creds-self-manage-mfa-only.html>).

use std::sync::LazyLock;

use serde::Serialize;

use super::compare::{AccessLevel, ActionLevels, NameHeuristic};
use super::condition;
use super::context::Context;
use super::decision::StatementRef;
use super::escalation;
use super::glob;
use super::layers::{Layers, Located};
use super::policy::Effect;
use super::principal::Principal;
use super::surface::Surface;

/// Whether MFA is enforced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "mfa", rename_all = "kebab-case")]
pub enum MfaVerdict {
    /// A Deny leaves nothing without MFA but setting it up.
    Enforced,
    /// Every Allow asks for MFA. Grants by resource policies are not covered, as a Deny would.
    EnforcedByAllow,
    /// Something works without MFA.
    NotEnforced {
        /// What, and in which kind of request.
        counter_example: String,
    },
    /// The user's policies allow nothing at all.
    NoPermissions,
    /// A document or statement that could decide it cannot be read.
    Unknown {
        /// What is missing.
        reason: String,
    },
}

impl MfaVerdict {
    /// The stable id.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::EnforcedByAllow => "enforced-by-allow",
            Self::NotEnforced { .. } => "not-enforced",
            Self::NoPermissions => "no-permissions",
            Self::Unknown { .. } => "unknown",
        }
    }
}

/// What an action that needs no MFA is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListedClass {
    /// To set MFA up, or to sign in with it.
    MfaSetup,
    /// To look after one's own password and see one's own credentials.
    SelfService,
    /// To read IAM.
    IamRead,
    /// To become somebody else, to change permissions, or everything of a service.
    Dangerous,
    /// Anything else.
    Other,
}

/// An entry of an allow-list, with what it is good for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Listed {
    /// The action pattern.
    pub action: String,
    /// What it is good for.
    pub class: ListedClass,
}

/// The verdict on a user, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MfaReport {
    /// The verdict.
    #[serde(flatten)]
    pub verdict: MfaVerdict,
    /// What the enforcing Deny statements except, as written.
    pub allow_list: Vec<Listed>,
    /// What is really left without MFA.
    pub without_mfa: Vec<Listed>,
    /// The Deny statements that enforce MFA.
    pub statements: Vec<StatementRef>,
    /// The allow-list lacks what a new user needs to set a password or see the device
    /// (`iam:ChangePassword`, `iam:GetMFADevice`): they may lock themselves out.
    pub may_lock_out: Vec<&'static str>,
}

const SETUP: [&str; 8] = [
    "iam:createvirtualmfadevice",
    "iam:enablemfadevice",
    "iam:getmfadevice",
    "iam:getuser",
    "iam:listmfadevices",
    "iam:listvirtualmfadevices",
    "iam:resyncmfadevice",
    "sts:getsessiontoken",
];
const SELF_SERVICE: [&str; 4] =
    ["iam:changepassword", "iam:getaccountpasswordpolicy", "iam:getloginprofile", "sts:getcalleridentity"];
const HELPFUL: [&str; 2] = ["iam:ChangePassword", "iam:GetMFADevice"];

/// Do the policies of a user (its own and those of its groups) enforce MFA?
#[must_use]
pub fn enforcement(user: &Principal) -> MfaReport {
    enforcement_of(&Layers::of(user), &user.context())
}

pub(crate) fn enforcement_of(layers: &Layers<'_>, context: &Context) -> MfaReport {
    let mut report = MfaReport {
        verdict: MfaVerdict::NoPermissions,
        allow_list: Vec::new(),
        without_mfa: Vec::new(),
        statements: Vec::new(),
        may_lock_out: Vec::new(),
    };
    if let Some(gap) = layers.gap() {
        let reason = gap.to_owned();
        report.verdict = MfaVerdict::Unknown { reason };
        return report;
    }
    let bare = context.clone().without("aws:MultiFactorAuthAge");
    let requests = [
        ("with long-term keys", bare.clone().without("aws:MultiFactorAuthPresent")),
        ("without MFA", bare.with("aws:MultiFactorAuthPresent", "false")),
    ];
    let enforcing = enforcing(layers, &requests);
    report.statements = enforcing.iter().map(Located::reference).collect();
    let lists = enforcing.iter().filter(|located| located.statement.actions.negated);
    report.allow_list =
        lists.flat_map(|located| &located.statement.actions.patterns).map(|pattern| listed(pattern)).collect();
    report.allow_list.sort();
    report.allow_list.dedup();
    if !report.allow_list.is_empty() {
        let has = |action: &str| {
            let action = action.to_ascii_lowercase();
            let mut entries = report.allow_list.iter();
            entries.any(|entry| glob::matches_lower(&entry.action, &action))
        };
        report.may_lock_out = HELPFUL.into_iter().filter(|action| !has(action)).collect();
    }
    match judge(layers, context, &requests, &mut report.without_mfa) {
        Err(reason) => report.verdict = MfaVerdict::Unknown { reason },
        Ok(None) => {}
        Ok(Some(Some(counter_example))) => {
            report.verdict = MfaVerdict::NotEnforced { counter_example };
        }
        Ok(Some(None)) => {
            report.verdict = if enforcing.is_empty() { MfaVerdict::EnforcedByAllow } else { MfaVerdict::Enforced };
        }
    }
    report
}

/// The Deny statements that leave no request without MFA alone, one for each kind of request if need be; none if they
/// leave one kind out.
fn enforcing<'a>(layers: &Layers<'a>, requests: &[(&str, Context)]) -> Vec<Located<'a>> {
    let denies = layers.statements().filter(|located| {
        let mut clauses = located.statement.conditions.iter();
        located.statement.effect == Effect::Deny && clauses.any(|clause| clause.key.starts_with("aws:multifactorauth"))
    });
    let mut left_out = vec![true; requests.len()];
    let mut found = Vec::new();
    for located in denies {
        let holds = |context| condition::all_hold(&located.statement.conditions, context).is_true();
        let met: Vec<bool> = requests.iter().map(|(_, context)| holds(context)).collect();
        if met.contains(&true) {
            found.push(located);
        }
        left_out.iter_mut().zip(met).for_each(|(left_out, met)| *left_out &= !met);
    }
    if left_out.contains(&true) { Vec::new() } else { found }
}

/// Nothing if nothing is allowed; otherwise a counter-example, if there is one.
fn judge(
    layers: &Layers<'_>,
    context: &Context,
    requests: &[(&str, Context)],
    left: &mut Vec<Listed>,
) -> Result<Option<Option<String>>, String> {
    let with_mfa = context.clone().with("aws:MultiFactorAuthPresent", "true").with("aws:MultiFactorAuthAge", "1");
    if Surface::of_layers(layers, &with_mfa)?.is_empty() && Surface::of_layers(layers, context)?.is_empty() {
        return Ok(None);
    }
    let mut counter_example = None;
    for (name, context) in requests {
        for piece in Surface::of_layers(layers, context)?.pieces {
            let entry = listed(piece.main());
            if matches!(entry.class, ListedClass::Dangerous | ListedClass::Other) {
                counter_example.get_or_insert_with(|| {
                    format!("{} {name}, allowed by {}", piece.to_text(), piece.statement.policy)
                });
            }
            left.push(entry);
        }
    }
    left.sort();
    left.dedup();
    Ok(Some(counter_example))
}

fn listed(pattern: &str) -> Listed {
    Listed { action: pattern.to_owned(), class: class(&pattern.to_ascii_lowercase()) }
}

/// The actions that lead to more, each with its service, ready to be compared.
static RISKY: LazyLock<Vec<(String, Vec<glob::Tok>)>> = LazyLock::new(|| {
    let lower = escalation::actions().map(str::to_ascii_lowercase);
    lower.map(|action| (action.split(':').next().unwrap_or_default().to_owned(), glob::tokens(&action))).collect()
});

/// What a pattern, in lower case, is good for.
fn class(pattern: &str) -> ListedClass {
    if SETUP.contains(&pattern) {
        return ListedClass::MfaSetup;
    }
    if SELF_SERVICE.contains(&pattern) {
        return ListedClass::SelfService;
    }
    let of_iam = pattern.starts_with("iam:") || pattern.starts_with("sts:");
    if of_iam && NameHeuristic.level(pattern) == Some(AccessLevel::Read) {
        return ListedClass::IamRead;
    }
    let tokens = glob::tokens(pattern);
    // Most patterns name their service, and reach no action of another.
    let service = pattern.split_once(':').map(|(service, _)| service).filter(|service| !glob::is_glob(service));
    let reaches = |(of, action): &(String, Vec<glob::Tok>)| {
        service.is_none_or(|service| service == of) && glob::overlaps(&tokens, action)
    };
    if RISKY.iter().any(reaches) || of_iam && glob::is_glob(pattern) {
        return ListedClass::Dangerous;
    }
    ListedClass::Other
}
