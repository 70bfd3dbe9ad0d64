//! Frameworks: standards and their requirements, in our own words.

use crate::evidence::Operation;
use serde::{Deserialize, Serialize};

/// A standard.
#[derive(Debug)]
pub struct Framework {
    /// Such as `soc2`.
    pub id: String,
    /// Such as "SOC 2".
    pub title: String,
    /// The edition that the requirements follow.
    pub edition: String,
    /// What part of the standard is listed.
    pub scope: String,
    /// What a reader must know: that the wording is ours, what was corrected, what is not covered.
    pub notes: Vec<String>,
    /// Every requirement in scope, in the standard's order.
    pub requirements: Vec<Requirement>,
    /// The file that it was read from, below `controls/`.
    pub file: String,
}

/// One numbered item of a standard.
#[derive(Debug)]
pub struct Requirement {
    /// Such as `CC6.1`.
    pub id: String,
    /// The part of the standard that it stands in.
    pub group: String,
    /// What it asks for, in our own words.
    pub title: String,
    /// How much of it AWS can evidence.
    pub automation: Automation,
    /// The checks that speak to it, by id.
    pub checks: Vec<String>,
    /// Calls whose documents are evidence for it, besides those of its checks.
    pub evidence: Vec<Operation>,
    /// What a person must still provide; always there unless the automation is full.
    pub manual: Option<String>,
}

/// How much of a requirement AWS can evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Automation {
    /// All of it.
    Full,
    /// The technical part.
    Partial,
    /// Nothing.
    Manual,
}

impl Automation {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Automation::Full => "full",
            Automation::Partial => "partial",
            Automation::Manual => "manual",
        }
    }
}
