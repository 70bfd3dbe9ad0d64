//! Manual evidence: files that people attach to requirements which AWS cannot show.

use crate::evidence::Timestamp;
use crate::evidence::call::file_name;
use chrono::NaiveDate;
use std::path::PathBuf;

/// The largest file that can be attached, in bytes.
pub const LARGEST_FILE: u64 = 25 << 20;
/// How much all attached files may have together, in bytes.
pub const LARGEST_TOTAL: u64 = 200 << 20;

/// A file with what is said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManualEvidence {
    /// Its path as the settings name it, relative to the settings' file.
    pub file: String,
    /// The requirements that it speaks to, as `soc2 CC6.1`.
    pub requirements: Vec<String>,
    /// What it is.
    pub description: String,
    /// Who answers for it.
    pub owner: String,
    /// The day that it was made or signed.
    pub date: NaiveDate,
    /// The last day on which it says something; `None` if it does not age.
    pub valid_until: Option<NaiveDate>,
    /// Its path in the package.
    pub path: String,
    /// Its content, once it was found.
    pub attached: Option<Attached>,
}

/// A file that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Where.
    pub path: PathBuf,
    /// Its SHA-256.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
}

impl ManualEvidence {
    /// The path in the package of the nth file, from 1: `manual/01-<name>`.
    pub fn package_path(n: usize, file: &str) -> String {
        let name = file.rsplit(['/', '\\']).find(|name| !name.is_empty()).unwrap_or("file");
        format!("manual/{n:02}-{}", file_name(name))
    }

    /// Whether it says nothing any more at a time.
    pub fn is_out_of_date(&self, as_of: Timestamp) -> bool {
        self.valid_until.is_some_and(|last| as_of.0.date_naive() > last)
    }

    /// What is to be known of it at a time: `valid`, `out of date since 2026-03-01`, `dated in the future`.
    pub fn state(&self, as_of: Timestamp) -> String {
        match self.valid_until {
            Some(last) if self.is_out_of_date(as_of) => format!("out of date: it was valid until {last}"),
            _ if self.date > as_of.0.date_naive() => "dated after the as-of time".to_owned(),
            Some(last) => format!("valid until {last}"),
            None => "valid".to_owned(),
        }
    }
}
