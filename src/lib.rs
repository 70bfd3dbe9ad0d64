//! auditpack collects compliance evidence from an AWS account and leaves one zip that an auditor accepts.
//!
//! The modules are layers: each imports only from those before it in this list (docs/architecture.md).
pub mod evidence;
pub mod finding;
pub mod iam;
pub mod resource;
pub mod controls;
#[cfg(feature = "program")]
pub mod collect;
pub mod evaluate;
pub mod report;
pub mod package;
#[cfg(feature = "program")]
pub mod review;
#[cfg(feature = "program")]
pub mod commands;
