//! The package: one zip, written whole or not at all, in which everything can be checked.
//!
//! [`assemble`] puts the contents together from an audit and its recording, [`write()`] makes the zip of them,
//! [`open`] reads one back without trusting it. The format is specified in docs/package-format.md. Only this
//! module names the `zip` crate; it judges nothing, prints nothing and reads no clock.

mod assemble;
pub mod attestation;
pub mod check;
mod compare;
mod content;
mod corroborate;
mod describe;
mod diff;
mod error;
pub mod key;
pub mod manifest;
mod name;
mod open;
mod pretty;
mod seal;
mod sums;
pub mod timestamp;
mod unfinished;
mod write;

pub use assemble::assemble;
pub use attestation::Attestation;
pub use check::{Problem, Step, Verdict, check};
pub use compare::{differences, same_bytes};
pub use content::{Content, Contents, is_path};
pub use corroborate::{Confirmed, Corroboration, Record, nothing_to_corroborate};
pub use diff::{Change, Changes, diff};
pub use error::PackageError;
pub use key::{PublicKey, SigningKey};
pub use manifest::Manifest;
pub use name::{file_name, target};
pub use open::{OpenPackage, OpenRecording, SumsReport, open, open_intact, open_to_check};
pub use seal::{Seals, Stamp};
pub use unfinished::{ScratchFolder, abandon};
pub use write::{Written, check_target, write};

/// The file in which a package says what it holds.
pub const MANIFEST: &str = "manifest.json";
/// The file with the checksum of every other file.
pub const SUMS: &str = "SHA256SUMS";
/// The table of all requests.
pub const CALLS: &str = "calls.csv";
/// The file with a signature over the manifest. It is added to a finished package, and so not in SHA256SUMS.
pub const ATTESTATION: &str = "attestation";
/// The file with a time stamp, added like the attestation.
pub const TIMESTAMP: &str = "timestamp.tsr";
