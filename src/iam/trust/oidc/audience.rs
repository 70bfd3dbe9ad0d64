//! Providers that tell their customers apart by the audience of a token rather than by its subject: Amazon Cognito's
//! identity pools, and those that AWS lists with the control `aud`.
//!
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html>

use super::{OidcWidth, Probe, STRANGER, filled};
use crate::iam::context::Context;
use crate::iam::glob;

const COGNITO: &str = "cognito-identity.amazonaws.com";

/// What Cognito says of identities that nobody signed in.
const GUEST: &str = "unauthenticated";

/// Whether the audience says of which customer a token is.
pub(super) fn tells_customers_apart(issuer: &str) -> bool {
    [COGNITO, "api.pulumi.com/oidc", "oidc.vercel.com", "sandboxes.cloud"].contains(&issuer)
}

impl Probe<'_> {
    /// The widest of: another customer or a guest, everybody of the customer, one identity.
    pub(super) fn widest_by_audience(&self) -> (OidcWidth, Option<String>) {
        let named = self.claims("aud");
        let (patterns, audiences): (Vec<_>, Vec<_>) = named.into_iter().partition(|aud| glob::is_glob(aud));
        let others: Vec<String> = patterns.iter().map(|pattern| filled(pattern)).chain([STRANGER.to_owned()]).collect();
        let (patterns, subjects): (Vec<_>, Vec<_>) = self.claims("sub").into_iter().partition(|sub| glob::is_glob(sub));
        let anybody: Vec<String> =
            patterns.iter().map(|pattern| filled(pattern)).chain([STRANGER.to_owned()]).collect();
        let signed_in = self.signed_in();
        let guests = if self.issuer == COGNITO { vec![vec![GUEST.to_owned()]] } else { Vec::new() };
        let all: Vec<Vec<String>> = signed_in.iter().chain(&guests).cloned().collect();
        let everybody = if self.issuer == COGNITO { OidcWidth::IssuerWide } else { OidcWidth::OrgWide };
        let every_audience: Vec<String> = audiences.iter().chain(&others).cloned().collect();
        [
            (OidcWidth::Open, &others, &all, &anybody),
            (OidcWidth::Open, &audiences, &guests, &anybody),
            (everybody, &audiences, &signed_in, &anybody),
            (OidcWidth::Subject, &every_audience, &all, &subjects),
        ]
        .into_iter()
        .find_map(|(width, audiences, methods, subjects)| {
            let subject = subjects.iter().find(|subject| self.token_gets_in(audiences, methods, subject))?;
            Some((width, Some(subject.clone())))
        })
        .unwrap_or((OidcWidth::Dead, None))
    }

    /// Sentinel reads for all its customers as one subject and one audience, and names the session by the customer's
    /// workspace: another customer, or those that the policy names.
    pub(super) fn widest_by_session(&self) -> (OidcWidth, Option<String>) {
        let names: Vec<String> = self
            .asking
            .clauses()
            .filter(|clause| &*clause.key == "sts:rolesessionname")
            .flat_map(|clause| clause.written.iter().cloned())
            .collect();
        let (patterns, named): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| glob::is_glob(name));
        let others = patterns.iter().map(|pattern| filled(pattern)).chain([STRANGER.to_owned()]).collect();
        let mut subjects = self.claims("sub");
        subjects.push(STRANGER.to_owned());
        [(OidcWidth::Open, others), (OidcWidth::OrgWide, named)]
            .into_iter()
            .find_map(|(width, names)| {
                let session = |subject: &String| {
                    let tokens = self.contexts(subject);
                    let mut sessions = tokens
                        .iter()
                        .flat_map(|token| names.iter().map(|name| token.clone().with("sts:RoleSessionName", name)));
                    sessions.any(|session| self.asking.allowed(&session))
                };
                subjects.iter().find(|subject| session(subject)).map(|subject| (width, Some(subject.clone())))
            })
            .unwrap_or((OidcWidth::Dead, None))
    }

    /// How somebody may have signed in: `amr` is *authenticated*, with the names of the providers beside it.
    fn signed_in(&self) -> Vec<Vec<String>> {
        let mut with_providers = vec!["authenticated".to_owned()];
        with_providers.extend(self.claims("amr").iter().map(|method| filled(method)).filter(|method| method != GUEST));
        vec![vec!["authenticated".to_owned()], with_providers]
    }

    fn token_gets_in(&self, audiences: &[String], methods: &[Vec<String>], subject: &str) -> bool {
        let key = |claim: &str| format!("{}:{claim}", self.issuer);
        let token = |audience: &String, methods: &Vec<String>| -> Context {
            let token = self.asking.base.clone().with(&key("aud"), audience).with(&key("sub"), subject);
            token.with_values(&key("amr"), methods.clone())
        };
        audiences.iter().any(|audience| methods.iter().any(|methods| self.asking.allowed(&token(audience, methods))))
    }
}
