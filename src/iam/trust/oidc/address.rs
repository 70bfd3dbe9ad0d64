//! Identities of Google by their addresses.
//!
//! <https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload>

use super::{OidcWidth, Probe, STRANGER, filled};
use crate::iam::glob;

/// Where anybody can have an address.
const FOR_ANYBODY: [&str; 2] = ["gmail.com", "googlemail.com"];

impl Probe<'_> {
    /// The widest of: any address, those of a domain, one.
    pub(super) fn widest_by_address(&self, subjects: &[String]) -> (OidcWidth, Option<String>) {
        let key = format!("{}:email", self.issuer);
        let addresses = self.claims("email");
        let identities = |subject: &String| if glob::is_glob(subject) { filled(subject) } else { subject.clone() };
        let subjects: Vec<String> = [STRANGER.to_owned()].into_iter().chain(subjects.iter().map(identities)).collect();
        // A token for whoever was not asked for it has no address at all.
        let mut without = self.contexts(STRANGER).into_iter().map(|token| token.without(&key));
        if without.any(|token| self.asking.allowed(&token)) {
            return (OidcWidth::Open, Some(STRANGER.to_owned()));
        }
        let mut best = (OidcWidth::Dead, None);
        for address in &addresses {
            for subject in &subjects {
                let width = if subject.contains(STRANGER) { width(address) } else { OidcWidth::Subject };
                let mut tokens = self.contexts(subject).into_iter().map(|token| token.with(&key, filled(address)));
                if width > best.0 && tokens.any(|token| self.asking.allowed(&token)) {
                    best = (width, Some(subject.clone()));
                }
            }
        }
        best
    }
}

/// Who has an address like this.
fn width(pattern: &str) -> OidcWidth {
    match pattern.rsplit_once('@') {
        _ if !glob::is_glob(pattern) => OidcWidth::Subject,
        Some((_, domain)) if !glob::is_glob(domain) && !FOR_ANYBODY.contains(&domain) => OidcWidth::OrgWide,
        _ => OidcWidth::Open,
    }
}
