//! The periodic access review: who has access is frozen, decided by people, and followed up by evidence.
//!
//! [`open`](open()) freezes the population of a moment and writes it as files that people fill in; [`answers::read`]
//! reads them back and refuses what was not decided properly; [`close`](close()) holds each decision against later
//! evidence. Everything that a record says follows from its inputs: the frozen population, the files as they were
//! filled in, and the later evidence. Nothing here reads a clock, prints, or writes to a disk.
//!
//! A decision is never made by this program: it suggests, and leaves the cell empty. Where it cannot say whether a
//! decision was carried out, the answer is *unknown*, never *done*.

pub mod answers;
mod attestation;
pub mod change;
pub mod close;
pub mod findings;
mod followup;
mod freeze;
mod grid;
mod history;
mod identity;
mod intact;
pub mod open;
pub mod owner;
pub mod population;
pub mod record;
mod register_page;
mod standing;
pub mod status;
mod tables;
mod trail;
mod workbook;

pub use close::{CloseError, Closed, close};
pub use findings::ReviewFinding;
pub use followup::{FollowUp, Outcome};
pub use freeze::{Snapshot, Thresholds, access};
pub use grid::{LARGEST_FILE, Place, Refusal, Refusals};
pub use history::{History, PreviousRow};
pub use open::{Opened, Opening, open};
pub use population::{Decision, Frozen, Row, Sheet};

/// The frozen population.
pub const POPULATION_FILE: &str = "population.json";
/// Its digest, as `sha256sum` prints it.
pub const DIGEST_FILE: &str = "population.sha256";
/// The workbook that holds the whole population.
pub const WORKBOOK_FILE: &str = "access-review.xlsx";
/// Where a package holds the record of a review.
pub const RECORD_FOLDER: &str = "review";
/// Where the record holds what it was made from.
pub const INPUT_FOLDER: &str = "review/input";
/// Where a package holds the record of a review that was closed with other evidence: a copy of its register, and which
/// package it was taken from.
pub const LAST_FOLDER: &str = "review/last";
/// The record for programs.
pub const REGISTER_FILE: &str = "review/register.json";
