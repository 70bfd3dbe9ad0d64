//! Ways to an administrator's permissions: the catalogue, and which of it is open to one principal.
//!
//! What counts is data, with sources: `escalation.yaml`. This file reads it; `escalation/subject.rs`
//! asks a principal's policies. What depends on other principals of the account is in
//! [`analysis`](super::analysis).

pub(crate) mod change;
pub(crate) mod subject;
pub(crate) mod tags;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::decision::StatementRef;
use super::interest::{self, ActionId};

/// How sure it is that a path leads to an administrator. Earlier is surer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// The documents alone prove it.
    Certain,
    /// Every permission is there; whether there is something to use it on is not in the documents.
    Potential,
    /// It hangs on condition keys.
    Conditional,
    /// It leads through a principal about whom nothing can be said.
    Unknown,
}

/// One way to an administrator's permissions that is open to a principal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Escalation {
    /// The stable id of the path.
    pub id: &'static str,
    /// What it does, in words.
    pub title: &'static str,
    /// How sure it is.
    pub certainty: Certainty,
    /// The actions that it takes, all of them.
    pub actions: Vec<&'static str>,
    /// The user, role, group or policy that it works on, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The condition keys that it hangs on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
    /// The statements that grant it.
    pub statements: Vec<StatementRef>,
    /// What it asks for, where that matters: the tags that it sets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with: Option<String>,
    /// What is done next, where one step alone leads nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub then: Option<Box<Escalation>>,
    /// Pages that describe it.
    pub sources: Vec<&'static str>,
}

impl Escalation {
    /// This step and another after it: as sure as the less sure of both, and hanging on the keys of both.
    pub(crate) fn followed_by(mut self, next: Self) -> Self {
        self.certainty = self.certainty.max(next.certainty);
        self.hang_on(next.keys.iter().cloned());
        self.then = Some(Box::new(match self.then.take() {
            Some(then) => then.followed_by(next),
            None => next,
        }));
        self
    }

    /// Adds condition keys to those that it hangs on.
    pub(crate) fn hang_on(&mut self, keys: impl IntoIterator<Item = String>) {
        self.keys.extend(keys);
        self.keys.sort();
        self.keys.dedup();
    }

    /// This step and those after it.
    pub fn steps(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |step| step.then.as_deref())
    }
}

/// The catalogue, read from the data file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    paths: Vec<Path>,
}

/// A path of the catalogue.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Path {
    pub id: String,
    pub title: String,
    pub kind: PathKind,
    #[serde(default)]
    pub service: Option<String>,
    #[serde(default)]
    pub speculative: bool,
    #[serde(default)]
    pub takes: Option<Takes>,
    pub needs: Vec<Need>,
    pub sources: Vec<String>,
}

/// What a path does; the data file says what each means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PathKind {
    Grant,
    Create,
    Combine,
    TakeOver,
    Uncap,
    Unbar,
    Tag,
    Untag,
    PassRole,
    Existing,
    Assume,
    Provider,
    SignIn,
}

/// Which policies a path takes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Takes {
    Inline,
    Attached,
    /// All that a user has from the group.
    All,
}

/// An action that a path takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Need {
    pub action: String,
    #[serde(default)]
    pub on: Target,
    #[serde(default)]
    pub choose: BTreeMap<String, Vec<String>>,
}

/// What kind of resource an action is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Target {
    User,
    Role,
    Group,
    Policy,
    Boundary,
    SamlProvider,
    OidcProvider,
    Passed,
    #[default]
    Any,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    // The file is part of the program, and the test below reads it: this cannot fail at run time.
    #[allow(clippy::expect_used)]
    serde_saphyr::from_str(include_str!("escalation.yaml")).expect("escalation.yaml is readable")
});

/// All paths of the catalogue.
pub(crate) fn paths() -> &'static [Path] {
    &CATALOGUE.paths
}

/// All actions that the catalogue names.
pub(crate) fn actions() -> impl Iterator<Item = &'static str> {
    let needs = paths().iter().flat_map(|path| &path.needs);
    needs.map(|need| need.action.as_str())
}

/// The number of an action of the catalogue, of which every one is numbered.
pub(crate) fn action_id(need: &Need) -> Option<ActionId> {
    interest::id(&need.action)
}

impl Path {
    /// How sure the path can be at best.
    pub(crate) fn surest(&self) -> Certainty {
        if self.speculative { Certainty::Potential } else { Certainty::Certain }
    }

    pub(crate) fn report(&'static self, certainty: Certainty) -> Escalation {
        Escalation {
            id: &self.id,
            title: &self.title,
            certainty,
            actions: self.needs.iter().map(|n| n.action.as_str()).collect(),
            target: None,
            keys: Vec::new(),
            statements: Vec::new(),
            with: None,
            then: None,
            sources: self.sources.iter().map(String::as_str).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_catalogue_is_readable_and_consistent() {
        let mut ids = HashSet::new();
        for path in paths() {
            assert!(ids.insert(&path.id), "{} twice", path.id);
            assert!(!path.needs.is_empty() && !path.sources.is_empty(), "{}", path.id);
            assert!(path.sources.iter().all(|url| url.starts_with("https://")), "{}", path.id);
            let service = matches!(path.kind, PathKind::PassRole | PathKind::Existing);
            assert_eq!(path.service.is_some(), service, "{}", path.id);
            let passes = path.needs.iter().any(|need| need.on == Target::Passed);
            assert_eq!(passes, path.kind == PathKind::PassRole, "{}", path.id);
            assert_eq!(path.takes.is_some(), path.kind == PathKind::Unbar, "{}", path.id);
            let graded =
                matches!(path.kind, PathKind::Grant | PathKind::PassRole | PathKind::Uncap | PathKind::Provider);
            assert!(graded || !path.speculative, "{} is potential anyway, or is never", path.id);
            for need in &path.needs {
                assert!(action_id(need).is_some(), "{}", need.action);
            }
        }
    }
}
