//! The frozen population: what is reviewed, row by row, as it was when the review was opened.
//!
//! A row is not bound to IAM: its `source` says where it comes from, and everything else is text and sets, so that
//! another source of access (a directory, a permission set) adds rows and no new kind of file.

use super::change::Access;
use crate::evidence::Timestamp;
use crate::evidence::digest::sha256;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of population.json that this program writes and reads.
pub const FORMAT: u32 = 1;

macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$inner])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// The word for it in files and output.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }

            /// The value of a word, in any case.
            pub fn of(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.word().eq_ignore_ascii_case(word.trim()))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }
    };
}

words! {
    /// A part of the population, and the sheet that holds it.
    Sheet {
        /// Users.
        Users "users",
        /// Roles.
        Roles "roles",
        /// Access keys.
        AccessKeys "access keys",
        /// Accounts and identity providers outside the account that can enter it.
        ExternalPrincipals "external principals",
        /// Who is an administrator, can become one, or may be one.
        PrivilegedAccess "privileged access",
    }
}

words! {
    /// What a reviewer decides about a row.
    Decision {
        /// It stays as it is.
        Keep "keep",
        /// It stays, with less access.
        Reduce "reduce",
        /// It stays and cannot be used.
        Disable "disable",
        /// It goes.
        Remove "remove",
    }
}

words! {
    /// What became of a row since the last review.
    Change {
        /// It was not there, or is another one of the same name.
        New "new",
        /// It is the same, with nothing taken away and something added.
        More "more access",
        /// It is the same, with something taken away and nothing added.
        Less "less access",
        /// Its policies were rewritten: whether that is more or less, a person must say.
        Changed "changed access",
        /// It is the same.
        Unchanged "unchanged",
        /// It is gone.
        Removed "removed",
        /// It cannot be compared: its access was not collected completely, then or now.
        Unknown "unknown",
    }
}

impl Sheet {
    /// The letter that the keys of its rows begin with.
    pub fn letter(self) -> char {
        match self {
            Sheet::Users => 'U',
            Sheet::Roles => 'R',
            Sheet::AccessKeys => 'K',
            Sheet::ExternalPrincipals => 'X',
            Sheet::PrivilegedAccess => 'P',
        }
    }

    /// The sheet of a row's key.
    pub fn of_key(key: &str) -> Option<Self> {
        let (letter, rest) = key.split_once('-')?;
        let digits = rest.len() >= 10 && rest.bytes().all(|c| c.is_ascii_hexdigit());
        Self::ALL.iter().copied().find(|sheet| digits && letter.eq_ignore_ascii_case(&sheet.letter().to_string()))
    }

    /// The name of its CSV file.
    pub fn csv_file(self) -> String {
        format!("{}.csv", self.word().replace(' ', "-"))
    }

    /// What can be decided about its rows.
    pub fn decisions(self) -> &'static [Decision] {
        use Decision::{Disable, Keep, Reduce, Remove};
        match self {
            Sheet::Users | Sheet::Roles => &[Keep, Reduce, Disable, Remove],
            Sheet::AccessKeys => &[Keep, Disable, Remove],
            Sheet::ExternalPrincipals | Sheet::PrivilegedAccess => &[Keep, Reduce, Remove],
        }
    }

    /// Its frozen columns.
    pub fn columns(self) -> &'static [Column] {
        match self {
            Sheet::Users => &USERS,
            Sheet::Roles => &ROLES,
            Sheet::AccessKeys => &KEYS,
            Sheet::ExternalPrincipals => &EXTERNAL,
            Sheet::PrivilegedAccess => &PRIVILEGED,
        }
    }
}

/// A frozen column.
#[derive(Debug)]
pub struct Column {
    /// The header.
    pub name: &'static str,
    /// Its width in a workbook, in characters.
    pub width: u16,
}

const fn column(name: &'static str, width: u16) -> Column {
    Column { name, width }
}

/// The column that holds a row's key, the last of the frozen ones.
pub const KEY: &str = "row";

const OWNER: Column = column("owner", 18);
const CREATED: Column = column("created", 11);
const LAST: Column = column("last activity", 11);
const SOURCE: Column = column("activity source", 22);
const IDLE: Column = column("days inactive", 9);
const POLICIES: Column = column("policies", 40);
const ADMIN: Column = column("administrator", 32);
const FLAGS: Column = column("flags", 26);
const CHANGE: Column = column("change", 16);
const HISTORY: Column = column("last review", 26);
const SUGGESTION: Column = column("suggestion", 30);
const ID: Column = column("arn", 46);
const ROW: Column = column(KEY, 14);

const USERS: [Column; 16] = [
    column("user", 22),
    OWNER,
    CREATED,
    LAST,
    SOURCE,
    IDLE,
    column("credentials", 22),
    column("mfa", 8),
    column("groups", 20),
    POLICIES,
    ADMIN,
    FLAGS,
    CHANGE,
    HISTORY,
    SUGGESTION,
    ID,
];
const ROLES: [Column; 13] = [
    column("role", 28),
    OWNER,
    CREATED,
    LAST,
    SOURCE,
    IDLE,
    column("trust paths", 44),
    POLICIES,
    ADMIN,
    FLAGS,
    CHANGE,
    HISTORY,
    SUGGESTION,
];
const KEYS: [Column; 13] = [
    column("access key", 28),
    OWNER,
    CREATED,
    LAST,
    SOURCE,
    IDLE,
    column("state", 9),
    column("mfa", 8),
    ADMIN,
    FLAGS,
    CHANGE,
    HISTORY,
    SUGGESTION,
];
const EXTERNAL: [Column; 9] = [
    column("external principal", 36),
    OWNER,
    column("what it is", 26),
    column("trust paths", 60),
    ADMIN,
    FLAGS,
    CHANGE,
    HISTORY,
    SUGGESTION,
];
const PRIVILEGED: [Column; 13] = [
    column("principal", 28),
    OWNER,
    column("what it is", 16),
    ADMIN,
    LAST,
    SOURCE,
    IDLE,
    column("mfa", 8),
    POLICIES,
    FLAGS,
    CHANGE,
    HISTORY,
    SUGGESTION,
];

/// The columns that a reviewer fills in, behind the frozen ones.
pub const ANSWERS: [Column; 5] = [
    column("decision", 12),
    column("reviewer", 20),
    column("date", 12),
    column("justification", 40),
    column("ticket", 14),
];

/// The frozen columns that stand behind the answers, where they are in nobody's way.
const TAIL: [Column; 2] = [ID, ROW];

/// All columns of a sheet in the order of its files, and which of them are frozen.
pub fn layout(sheet: Sheet) -> Vec<(&'static Column, bool)> {
    let head = sheet.columns().iter().filter(|column| column.name != ID.name);
    head.map(|column| (column, true))
        .chain(ANSWERS.iter().map(|column| (column, false)))
        .chain(TAIL.iter().map(|column| (column, true)))
        .collect()
}

/// One row that a person decides about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Its key in all files: the sheet's letter and a hash of what the row is.
    pub key: String,
    /// The sheet.
    pub sheet: Sheet,
    /// Where the access comes from; `iam` today.
    pub source: String,
    /// The ARN, or what identifies it where there is none.
    pub id: String,
    /// The name that people know it by.
    pub name: String,
    /// What tells it from another one of the same id: a unique id or the time of its creation; null if not told.
    pub identity: Option<String>,
    /// Who answers for it; null if nobody is known to.
    pub owner: Option<String>,
    /// Names by which the person that the row is about may be known, for whom it is no decision to make.
    pub people: Vec<String>,
    /// What it can do and who can use it; null where that was not collected completely.
    pub access: Option<Access>,
    /// How much of an administrator it is; null where that is not known.
    pub standing: Option<u8>,
    /// Whether it can be used at all; null where that is not known.
    pub usable: Option<bool>,
    /// What was not collected and would have been needed for any of the three above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<String>,
    /// What became of it since the last review; null without one.
    pub change: Option<Change>,
    /// Words for what a reviewer should look at.
    pub flags: Vec<String>,
    /// Where the evidence shows it, in the package that the review was opened from.
    pub evidence: Vec<String>,
    /// The content of the frozen columns by their names.
    pub cells: BTreeMap<String, String>,
}

impl Row {
    /// The content of a frozen column.
    pub fn cell(&self, column: &str) -> &str {
        if column == KEY { &self.key } else { self.cells.get(column).map_or("", String::as_str) }
    }
}

/// Why rows of one sheet may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completeness {
    /// How many rows.
    pub rows: u64,
    /// Why there may be more; empty if there are not.
    pub incomplete: Vec<String>,
}

/// What is not for a person to decide, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Excluded {
    /// The ARN.
    pub id: String,
    /// The reason.
    pub reason: String,
}

/// A file that was handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// Its path below the review's folder.
    pub file: String,
    /// The owner whose rows it holds, empty for those without one; null for all rows.
    pub owner: Option<String>,
    /// The only sheet that it holds; null for all.
    pub sheet: Option<Sheet>,
}

impl Issue {
    /// Whether a row was handed out in this file.
    pub fn holds(&self, row: &Row) -> bool {
        let owner = row.owner.as_deref().unwrap_or_default();
        self.owner.as_deref().is_none_or(|of| of == owner) && self.sheet.is_none_or(|sheet| sheet == row.sheet)
    }
}

/// Which evidence a population was frozen from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// What it was called.
    pub name: String,
    /// The SHA-256 of the package's manifest.json, if it was a package.
    pub manifest_sha256: Option<String>,
    /// The call that lists users and roles, as its document's SHA-256: the population is of this document.
    pub details_sha256: Option<String>,
}

/// The frozen population of one review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frozen {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of auditpack that froze it.
    pub version: String,
    /// The account; null if it is not known.
    pub account: Option<String>,
    /// The as-of time of the evidence: the review's first moment.
    pub opened: Timestamp,
    /// The last day for decisions and follow-up.
    pub due: NaiveDate,
    /// The evidence.
    pub origin: Origin,
    /// The review before this one: when it was closed, and the digest of its population.
    pub previous: Option<PreviousReview>,
    /// Each sheet with its size.
    pub sheets: BTreeMap<String, Completeness>,
    /// Differences between independent sources of the population.
    pub differences: Vec<String>,
    /// What is out of scope, and why.
    pub excluded: Vec<Excluded>,
    /// Rows of the last review that are gone.
    pub removed: Vec<Removed>,
    /// The files that were handed out.
    pub issued: Vec<Issue>,
    /// The rows, sorted by sheet and id.
    pub rows: Vec<Row>,
}

/// The review that history comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousReview {
    /// When it was opened.
    pub opened: Timestamp,
    /// When it was closed; null if it never was.
    pub closed: Option<Timestamp>,
    /// The digest of its population.
    pub population_sha256: String,
}

/// A row of the last review that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// The sheet.
    pub sheet: Sheet,
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// What was decided about it, in words.
    pub history: String,
}

impl Frozen {
    /// The text of population.json, with one row on a line.
    pub fn write(&self) -> Vec<u8> {
        // The types hold texts, numbers, lists and maps with text keys, all of which are JSON.
        let mut head = self.clone();
        head.rows.clear();
        let text = serde_json::to_string_pretty(&head).unwrap_or_default();
        let mut out = text.strip_suffix("]\n}").unwrap_or(&text).to_owned();
        for (at, row) in self.rows.iter().enumerate() {
            out.push_str(if at == 0 { "\n" } else { ",\n" });
            out.push_str(&serde_json::to_string(row).unwrap_or_default());
        }
        out.push_str("\n  ]\n}\n");
        out.into_bytes()
    }

    /// Reads population.json.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        if head.format != FORMAT {
            return Err(format!("it has format {}, this version of auditpack reads format {FORMAT}", head.format));
        }
        serde_json::from_slice(bytes).map_err(|e| e.to_string())
    }

    /// The row of a key.
    pub fn by_key(&self) -> BTreeMap<&str, &Row> {
        self.rows.iter().map(|row| (row.key.as_str(), row)).collect()
    }

    /// The rows of a sheet.
    pub fn of(&self, sheet: Sheet) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.sheet == sheet)
    }

    /// How many rows became what since the last review, in words.
    pub fn changes(&self) -> String {
        let count = |change: Change| self.rows.iter().filter(|row| row.change == Some(change)).count();
        let named = |change: &Change| match change {
            Change::Removed => (self.removed.len(), change.word()),
            change => (count(*change), change.word()),
        };
        let some = Change::ALL.iter().map(named).filter(|(count, _)| *count > 0);
        some.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
    }

    /// Whether every population is whole and its sources agree; else why not.
    pub fn incomplete(&self) -> Vec<String> {
        let sheets = self.sheets.iter();
        let holes = sheets.flat_map(|(sheet, of)| of.incomplete.iter().map(move |why| format!("{sheet}: {why}")));
        holes.chain(self.differences.iter().cloned()).collect()
    }
}

/// The key of a row: short, the same in every review, and of no meaning to a spreadsheet.
pub fn key(sheet: Sheet, id: &str) -> String {
    let hash = sha256(format!("{}\0{id}", sheet.word()).as_bytes());
    // 48 bits: among 15,000 rows, two alike have a chance of one in two million, and would be refused when frozen.
    // It has a letter first, and no digits that a spreadsheet would take for a number.
    format!("{}-{}", sheet.letter(), &hash[..12])
}
