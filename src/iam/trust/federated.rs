//! The identity providers that a role trusts, as somebody sees them who can write what they say.

use std::collections::BTreeMap;

use super::super::condition::Clause;
use super::super::context::Context;
use super::super::policy::{Document, Effect, PrincipalKind, Statement};
use super::super::truth::Truth;
use super::AssumeAction;
use super::walk::trust_statement;

/// An identity provider of the account that a role trusts.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    pub arn: String,
    /// A SAML provider; an OpenID Connect provider if not.
    pub saml: bool,
    /// Whether somebody gets in who can have the provider say what the policy asks for.
    pub admits: Truth,
    /// A statement could not be read.
    pub unclear: bool,
}

/// The providers that a trust policy names, each once.
///
/// Of a SAML provider, everything is taken to be said that is asked for (`SAML:aud`, `SAML:sub`, ...): whoever
/// signs the assertion writes it
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html>). Of an OpenID Connect
/// provider, only statements count that ask nothing of the token.
///
/// `as_of` is when somebody comes, in seconds since 1970; at any time if there is none.
pub(crate) fn providers(document: &Document, as_of: Option<i64>) -> Vec<Provider> {
    let context = context(as_of);
    let mut found: BTreeMap<&str, Provider> = BTreeMap::new();
    let unclear = document.problem().is_some();
    for statement in &document.statements {
        if statement.effect != Effect::Allow || !trust_statement(statement).is_true() {
            continue;
        }
        let entries = statement.principals.iter().flat_map(|principals| &principals.entries);
        for entry in entries.filter(|entry| entry.kind == PrincipalKind::Federated) {
            let saml = entry.value.contains(":saml-provider/");
            if !saml && !entry.value.contains(":oidc-provider/") {
                continue;
            }
            let truth = allows(statement, &entry.value, saml, &context);
            if truth.is_false() {
                continue;
            }
            let provider = found.entry(&entry.value).or_insert_with(|| Provider {
                arn: entry.value.clone(),
                saml,
                admits: Truth::False,
                unclear,
            });
            provider.admits = provider.admits.or(truth);
        }
    }
    for provider in found.values_mut() {
        let denied =
            document.statements.iter().map(|statement| denies(statement, &provider.arn, provider.saml, &context));
        provider.admits = provider.admits.and(denied.fold(Truth::False, Truth::or).negate());
    }
    found.into_values().filter(|provider| provider.admits.is_possible()).collect()
}

fn action(saml: bool) -> &'static str {
    let action = if saml { AssumeAction::WithSaml } else { AssumeAction::WithWebIdentity };
    action.lower()
}

/// What the provider itself says, by the beginning of the key.
fn is_said(clause: &Clause, provider: &str, saml: bool) -> bool {
    if saml {
        return clause.key.starts_with("saml:");
    }
    let issuer = provider.split_once(":oidc-provider/").map_or("", |(_, issuer)| issuer).to_lowercase();
    clause.key.strip_prefix(issuer.as_str()).is_some_and(|rest| rest.starts_with(':'))
}

/// A federated identity has not signed in to AWS, and these operations have no such parameters.
fn context(as_of: Option<i64>) -> Context {
    let absent = ["sts:ExternalId", "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "aws:username"];
    absent.iter().fold(Context::new().at(as_of), |context, key| context.without(key))
}

fn allows(statement: &Statement, provider: &str, saml: bool, context: &Context) -> Truth {
    let conditions = statement.conditions.iter().map(|clause| match is_said(clause, provider, saml) {
        true => saml.into(),
        false => clause.holds(context),
    });
    conditions.fold(statement.actions.matches(action(saml)), Truth::and)
}

fn denies(statement: &Statement, provider: &str, saml: bool, context: &Context) -> Truth {
    let mut entries = statement.principals.iter().flat_map(|principals| &principals.entries);
    let meant = |kind: PrincipalKind, value: &str| {
        kind == PrincipalKind::Anyone || kind == PrincipalKind::Federated && value == provider
    };
    if statement.effect != Effect::Deny
        || !trust_statement(statement).is_true()
        || !entries.any(|entry| meant(entry.kind, &entry.value))
    {
        return Truth::False;
    }
    // What the provider says can be said so that the Deny does not apply.
    let conditions = statement.conditions.iter().map(|clause| match is_said(clause, provider, saml) {
        true => Truth::False,
        false => clause.holds(context),
    });
    conditions.fold(statement.actions.matches(action(saml)), Truth::and)
}
