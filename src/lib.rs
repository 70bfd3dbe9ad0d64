//! auditpack collects compliance evidence from an AWS account and leaves one zip that an auditor accepts.
//!
//! The modules are layers: each imports only from those above it in this list.

pub mod evidence;
pub mod finding;
// pub mod iam;
pub mod collect;
pub mod controls;
pub mod evaluate;
pub mod package;

pub mod report;
pub mod resource;
