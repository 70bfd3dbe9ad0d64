//! The policy engine: what an IAM principal can do, and who can become it.
//!
//! Everything is decided from policy documents alone, offline, and in three values: a condition on
//! something nobody told us is neither true nor false. Three rules hold everywhere:
//!
//! - what cannot be read (a document that was not collected, an element we do not know) gives
//!   *unknown*, never a guess and never silence;
//! - an answer names the statements that decide it;
//! - an answer for the identity side alone says that it is an upper bound.
//!
//! Policies are hostile input. Parsing is bounded in size and depth, and globbing never recurses.
//!
//! This module depends on nothing else of the program. Reading order: [`policy`] (documents),
//! [`condition`] and [`context`] (when a statement applies), [`principal`] (whose policies),
//! [`decision`] (can it do X on Y), [`admin`] and [`escalation`] (is it an administrator),
//! [`trust`] (who can become it), [`mfa`], [`tamper`] and [`compare`] (questions that auditors
//! ask), [`analysis`] (all of it for a whole account).
//!
//! Rules and their sources: `docs/policy-engine.md`.

pub mod admin;
pub mod analysis;
mod arn;
pub mod compare;
pub mod condition;
pub mod context;
pub mod decision;
pub mod escalation;
mod glob;
mod interest;
mod json;
mod layers;
mod matching;
pub mod mfa;
pub mod policy;
pub mod principal;
pub mod surface;
pub mod tamper;
pub mod trust;
mod truth;

pub use admin::{AdminReport, AdminVerdict};
pub use analysis::Account;

pub use context::Context;
pub use decision::{Decision, Outcome, can};
pub use policy::{Document, PolicyError};
pub use principal::{Kind, PolicySource, Principal};
pub use truth::Truth;
