//! The credential report: byte-exact, and its rows by column name.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>. Live reports have 22
//! columns, the documentation has 23; more may come. A column that is missing is an error, never an empty value. A user
//! who is listed twice is one, too: of two rows nobody knows which is right.

use super::document::{Document, read_json};
use super::operation::Operation;
use super::timestamp::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::collections::HashMap;
use std::io::{self, Write};

/// The name of root's row.
pub const ROOT: &str = "<root_account>";

/// GetCredentialReport.
#[derive(Clone, Debug, PartialEq)]
pub struct CredentialReport {
    bytes: Vec<u8>,
    /// When AWS made the report, up to four hours before it was asked for. Ages are computed against it.
    pub generated: Option<Timestamp>,
    /// One row for root and one for each user, in the report's order.
    pub rows: Vec<Row>,
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The line on which the row starts, counted from 1; the header is line 1.
    pub line: u64,
    /// The user's name, from its ARN: names may hold commas, and not everyone quotes them.
    pub user: String,
    /// The user's ARN.
    pub arn: String,
    /// When the user was created.
    pub created: Option<Timestamp>,
    /// Whether there is a password; `None` where the report says `not_supported`.
    pub password_enabled: Option<bool>,
    /// When the password was last used.
    pub password_last_used: LastUsed,
    /// When the password was last set.
    pub password_last_changed: Option<Timestamp>,
    /// Whether an MFA device is assigned and enabled (passkeys and security keys count).
    pub mfa_active: Option<bool>,
    /// The first two access keys; a third one (old accounts), and service-specific credentials, are not in the report.
    pub keys: [Key; 2],
    /// Whether the first and second signing certificate are active; `None` where the report says neither.
    pub certificates: [Option<bool>; 2],
    /// What the report says of further access keys and certificates, which it does not list
    /// (`additional_credentials_info`, a column that not every report has).
    pub additional: Option<String>,
}

/// When a credential was last used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastUsed {
    /// Then, at the report's granularity (5 minutes for passwords, 15 for keys).
    At(Timestamp),
    /// Never, as far as AWS's tracking goes back (passwords: October 2014; keys: April 2015).
    Never,
    /// There is no such credential.
    NoCredential,
}

/// One access key of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// 1 or 2.
    pub slot: u8,
    /// Whether the key can be used; `None` where the report says neither.
    pub active: Option<bool>,
    /// When the key was created or last rotated. `None` if there is no key, or it is inactive and AWS does not say.
    pub rotated: Option<Timestamp>,
    /// When the key was last used.
    pub last_used: LastUsed,
    /// The Region of the last use; `None` for global services.
    pub last_used_region: Option<String>,
    /// The service last used.
    pub last_used_service: Option<String>,
}

impl Key {
    /// Whether there is a key in this slot, active or not; also where the report leaves that open.
    pub fn exists(&self) -> bool {
        self.active != Some(false) || self.rotated.is_some()
    }

    /// Whether nothing says that the key cannot be used.
    pub fn may_be_active(&self) -> bool {
        self.active != Some(false)
    }
}

impl CredentialReport {
    /// Parses a report. `generated` is the time that GetCredentialReport states.
    pub fn new(bytes: Vec<u8>, generated: Option<Timestamp>) -> Result<Self, String> {
        let rows = parse(&bytes)?;
        Ok(Self { bytes, generated, rows })
    }

    /// The report as AWS sent it.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Root's row.
    pub fn root(&self) -> Option<&Row> {
        self.rows.iter().find(|row| row.is_root())
    }

    /// The users' rows.
    pub fn users(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.is_root())
    }
}

impl Row {
    /// Whether it is root's row.
    pub fn is_root(&self) -> bool {
        self.user == ROOT
    }

    /// How many access keys can be used.
    ///
    /// # Errors
    ///
    /// With the reason, if the report does not list all keys or does not say of each whether it is active.
    pub fn active_keys(&self) -> Result<i64, String> {
        self.lists_all("access keys")?;
        let mut count = 0;
        for key in &self.keys {
            let active =
                key.active.ok_or_else(|| format!("it does not tell whether access key {} is active", key.slot));
            count += i64::from(active?);
        }
        Ok(count)
    }

    /// How many signing certificates can be used.
    ///
    /// # Errors
    ///
    /// As [`Row::active_keys`].
    pub fn active_certificates(&self) -> Result<i64, String> {
        self.lists_all("signing certificates")?;
        let mut count = 0;
        for (slot, active) in (1..).zip(self.certificates) {
            let active = active.ok_or_else(|| format!("it does not tell whether signing certificate {slot} is active"));
            count += i64::from(active?);
        }
        Ok(count)
    }

    /// An error if the user has further access keys or certificates, which the report only mentions.
    fn lists_all(&self, what: &str) -> Result<(), String> {
        match &self.additional {
            None => Ok(()),
            Some(text) => {
                let text: String = text.chars().take(MENTIONED).collect();
                Err(format!("it does not list all {what}; of further credentials it says: {text}"))
            }
        }
    }
}

/// So many characters of what the report says of further credentials are quoted.
const MENTIONED: usize = 200;

impl Document for CredentialReport {
    const OPERATION: Operation = Operation::IamGetCredentialReport;
    const MEMBERS: &'static [&'static str] = &[];

    /// Reads the CSV itself, or the JSON that `aws iam get-credential-report` prints.
    fn read(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Printed {
            content: String,
            generated_time: Option<Timestamp>,
        }
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Self::new(bytes.to_vec(), None);
        }
        let printed: Printed = read_json(bytes)?;
        let content = STANDARD.decode(printed.content.trim()).map_err(|e| format!("Content is not base64: {e}"))?;
        Self::new(content, printed.generated_time)
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&self.bytes)
    }
}

/// Further credentials: AWS documents the column, and not all reports have it.
const ADDITIONAL: &str = "additional_credentials_info";

/// The columns that must be there, as AWS names them.
const COLUMNS: [&str; 22] = [
    "user",
    "arn",
    "user_creation_time",
    "password_enabled",
    "password_last_used",
    "password_last_changed",
    "password_next_rotation",
    "mfa_active",
    "access_key_1_active",
    "access_key_1_last_rotated",
    "access_key_1_last_used_date",
    "access_key_1_last_used_region",
    "access_key_1_last_used_service",
    "access_key_2_active",
    "access_key_2_last_rotated",
    "access_key_2_last_used_date",
    "access_key_2_last_used_region",
    "access_key_2_last_used_service",
    "cert_1_active",
    "cert_1_last_rotated",
    "cert_2_active",
    "cert_2_last_rotated",
];

fn parse(bytes: &[u8]) -> Result<Vec<Row>, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = reader.headers().map_err(|e| format!("the header cannot be read: {e}"))?.clone();
    let position = |name: &str| header.iter().position(|column| column.trim_start_matches('\u{feff}') == name);
    let missing: Vec<&str> = COLUMNS.into_iter().filter(|name| position(name).is_none()).collect();
    if !missing.is_empty() {
        return Err(format!("not a credential report: no column {}", missing.join(", ")));
    }
    let mut rows: Vec<Row> = Vec::new();
    let mut lines = HashMap::new();
    for record in reader.records() {
        let record = record.map_err(|e| format!("a row cannot be read: {e}"))?;
        let line = record.position().map_or(0, csv::Position::line);
        let row = row(bytes, &header, &record, &position).map_err(|e| format!("line {line}: {e}"))?;
        if let Some(first) = lines.insert(row.arn.clone(), line) {
            return Err(format!("line {line}: {} stands in line {first} already", row.arn));
        }
        rows.push(row);
    }
    if rows.is_empty() {
        return Err("the report has no rows, not even root's".to_owned());
    }
    Ok(rows)
}

/// Puts a line's name and ARN together again, where commas in them were not quoted: names may hold commas, paths
/// commas and quotes. So many cells are too many; of the ways to give them to the two columns, the one is right in which
/// the ARN ends in the name. `text` begins with the line.
fn rejoin(text: &[u8], columns: usize) -> Option<csv::StringRecord> {
    let line = std::str::from_utf8(text.split(|byte| *byte == b'\n').next()?).ok()?;
    let cells: Vec<&str> = line.trim_end_matches('\r').split(',').collect();
    let moved = cells.len().checked_sub(columns)?;
    (1..=moved + 1).find_map(|name_cells| {
        let name = cells.get(..name_cells)?.join(",");
        let arn = cells.get(name_cells..moved + 2)?.join(",");
        let name = name.trim_matches('"');
        let arn = arn.strip_prefix('"').and_then(|arn| arn.strip_suffix('"')).unwrap_or(&arn);
        let fits = arn.starts_with("arn:") && arn.ends_with(&format!("/{name}"));
        fits.then(|| [name, arn].into_iter().chain(cells[moved + 2..].iter().copied()).collect())
    })
}

fn row(
    bytes: &[u8],
    header: &csv::StringRecord,
    record: &csv::StringRecord,
    position: &impl Fn(&str) -> Option<usize>,
) -> Result<Row, String> {
    let place = record.position().map_or((0, 0), |place| (place.line(), place.byte()));
    let whole = if record.len() == header.len() {
        None
    } else {
        let text = usize::try_from(place.1).ok().and_then(|at| bytes.get(at..));
        let rejoined = text.and_then(|text| rejoin(text, header.len()));
        Some(rejoined.ok_or_else(|| format!("{} cells where the header has {}", record.len(), header.len()))?)
    };
    let record = whole.as_ref().unwrap_or(record);
    let arn = record.get(1).unwrap_or_default().to_owned();
    let cell = |name: &str| -> &str { position(name).and_then(|at| record.get(at)).unwrap_or_default() };
    let first = cell("user");
    let user = if first == ROOT {
        ROOT.to_owned()
    } else {
        let name = arn.split_once(":user/").map(|(_, path)| path.rsplit_once('/').map_or(path, |(_, name)| name));
        name.ok_or_else(|| format!("`{arn}` is not the ARN of a user"))?.to_owned()
    };
    let key = |slot: u8| -> Result<Key, String> {
        let cell = |what: &str| cell(&format!("access_key_{slot}_{what}")).to_owned();
        let active = boolean(&cell("active"))?;
        let rotated = time(&cell("last_rotated"))?;
        let last_used = match last_used(&cell("last_used_date"))? {
            // `N/A` is both "no key" and "never used".
            LastUsed::NoCredential if active == Some(true) || rotated.is_some() => LastUsed::Never,
            other => other,
        };
        let text = |what: &str| Some(cell(what)).filter(|text| !is_nothing(text));
        Ok(Key {
            slot,
            active,
            rotated,
            last_used,
            last_used_region: text("last_used_region"),
            last_used_service: text("last_used_service"),
        })
    };
    let password_enabled = boolean(cell("password_enabled"))?;
    Ok(Row {
        line: place.0,
        created: time(cell("user_creation_time"))?,
        password_last_used: match last_used(cell("password_last_used"))? {
            LastUsed::NoCredential if password_enabled == Some(true) => LastUsed::Never,
            other => other,
        },
        password_enabled,
        password_last_changed: time(cell("password_last_changed"))?,
        mfa_active: boolean(cell("mfa_active"))?,
        keys: [key(1)?, key(2)?],
        certificates: [boolean(cell("cert_1_active"))?, boolean(cell("cert_2_active"))?],
        additional: Some(cell(ADDITIONAL)).filter(|cell| !is_nothing(cell)).map(str::to_owned),
        user,
        arn,
    })
}

/// Whether a cell is one of AWS's ways to say nothing.
fn is_nothing(cell: &str) -> bool {
    matches!(cell, "" | "N/A" | "no_information" | "not_supported")
}

fn boolean(cell: &str) -> Result<Option<bool>, String> {
    match cell {
        // The documentation writes TRUE, live reports write true.
        _ if cell.eq_ignore_ascii_case("true") => Ok(Some(true)),
        _ if cell.eq_ignore_ascii_case("false") => Ok(Some(false)),
        _ if is_nothing(cell) => Ok(None),
        _ => Err(format!("`{cell}` is neither true nor false")),
    }
}

fn time(cell: &str) -> Result<Option<Timestamp>, String> {
    if is_nothing(cell) {
        return Ok(None);
    }
    Timestamp::parse(cell).map(Some).map_err(|e| format!("`{cell}` is not a time: {e}"))
}

fn last_used(cell: &str) -> Result<LastUsed, String> {
    Ok(match (cell, time(cell)?) {
        (_, Some(time)) => LastUsed::At(time),
        ("no_information", None) => LastUsed::Never,
        _ => LastUsed::NoCredential,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(rows: &str) -> Result<CredentialReport, String> {
        CredentialReport::read(format!("{}\n{rows}", COLUMNS.join(",")).as_bytes())
    }

    const KEYS: &str = "true,2026-01-01T00:00:00+00:00,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A";

    #[test]
    fn a_comma_in_a_user_name_moves_no_column() {
        for (name, quote) in [("\"smith,ann\"", "\""), ("smith,ann", "\""), ("smith,ann", "")] {
            let row = format!(
                "{name},{quote}arn:aws:iam::111122223333:user/ops/smith,ann{quote},2025-01-01T00:00:00+00:00,TRUE,no_information,2025-01-01T00:00:00+00:00,N/A,false,{KEYS}"
            );
            let report = report(&row).unwrap();
            assert_eq!(report.rows[0].user, "smith,ann");
            assert_eq!(report.rows[0].password_enabled, Some(true));
            assert_eq!(report.rows[0].mfa_active, Some(false));
            assert!(report.rows[0].keys[0].active == Some(true) && !report.rows[0].keys[1].exists());
        }
    }

    #[test]
    fn a_comma_and_quotes_in_a_path_move_no_column() {
        for arn in ["arn:aws:iam::111122223333:user/a,b/\"c\"/=x/ann", "arn:aws:iam::111122223333:user/\"a\",\"b\"/ann"]
        {
            let row = format!("ann,{arn},2025-01-01T00:00:00Z,true,N/A,N/A,N/A,true,{KEYS}");
            let report = report(&row).unwrap();
            assert_eq!((report.rows[0].user.as_str(), report.rows[0].arn.as_str()), ("ann", arn));
            assert_eq!(report.rows[0].mfa_active, Some(true));
        }
    }

    #[test]
    fn never_used_is_told_from_no_credential() {
        let row = format!(
            "ann,arn:aws:iam::111122223333:user/ann,2025-01-01T00:00:00+00:00,true,no_information,2025-01-01T00:00:00+00:00,N/A,true,{KEYS}"
        );
        let report = report(&row).unwrap();
        assert_eq!(report.rows[0].password_last_used, LastUsed::Never);
        assert_eq!(report.rows[0].keys[0].last_used, LastUsed::Never);
        assert_eq!(report.rows[0].keys[1].last_used, LastUsed::NoCredential);
    }

    #[test]
    fn a_report_that_is_not_whole_is_an_error() {
        assert!(report("").unwrap_err().contains("no rows"));
        assert!(report("ann,arn:aws:iam::111122223333:user/ann,2025-01-01").unwrap_err().contains("line 2"));
        assert!(CredentialReport::read(b"user,arn\n").unwrap_err().contains("mfa_active"));
        assert!(CredentialReport::read(b"<html>").is_err());
        let odd = format!("ann,arn:aws:iam::1:user/ann,never,true,N/A,N/A,N/A,maybe,{KEYS}");
        assert!(report(&odd).unwrap_err().contains("never"));
    }

    fn ann(keys: &str) -> String {
        format!("ann,arn:aws:iam::111122223333:user/ann,2025-01-01T00:00:00Z,true,N/A,N/A,N/A,true,{keys}")
    }

    #[test]
    fn a_user_who_is_listed_twice_is_refused() {
        let twice = format!("{}\n{}", ann(KEYS), ann(KEYS));
        let error = report(&twice).unwrap_err();
        assert!(error.contains("line 3") && error.contains("line 2"), "{error}");
    }

    #[test]
    fn what_is_neither_true_nor_false_counts_as_neither() {
        for nothing in ["N/A", "no_information", "not_supported", ""] {
            let report = report(&ann(&KEYS.replacen("true", nothing, 1))).unwrap();
            assert!(report.rows[0].keys[0].exists());
            assert!(report.rows[0].active_keys().unwrap_err().contains("access key 1"));
            let (keys, _) = KEYS.rsplit_once("false,N/A").unwrap();
            let report = super::tests::report(&ann(&format!("{keys}{nothing},N/A"))).unwrap();
            assert!(report.rows[0].active_certificates().unwrap_err().contains("certificate 2"));
            assert_eq!(report.rows[0].active_keys(), Ok(1));
        }
    }

    #[test]
    fn further_credentials_leave_the_counts_open() {
        let header = format!("{},{ADDITIONAL}", COLUMNS.join(","));
        let read = |told: &str| {
            CredentialReport::read(format!("{header}\n{},{told}", ann(KEYS)).as_bytes()).unwrap().rows.remove(0)
        };
        assert_eq!(read("N/A").active_keys(), Ok(1));
        assert_eq!(read("").active_certificates(), Ok(0));
        let row = read("\"1 access key, use ListAccessKeys\"");
        assert!(row.active_keys().unwrap_err().contains("1 access key, use ListAccessKeys"));
        assert!(row.active_certificates().is_err());
    }

    #[test]
    fn the_json_of_the_cli_is_read_with_its_time() {
        let csv = format!(
            "{}\n{ROOT},arn:aws:iam::1:root,2025-01-01T00:00:00+00:00,not_supported,N/A,N/A,not_supported,true,{KEYS}",
            COLUMNS.join(",")
        );
        let json = format!(
            r#"{{"Content": "{}", "ReportFormat": "text/csv", "GeneratedTime": "2026-10-01T08:00:00+00:00"}}"#,
            STANDARD.encode(&csv)
        );
        let report = CredentialReport::read(json.as_bytes()).unwrap();
        assert_eq!(report.bytes(), csv.as_bytes());
        assert_eq!(report.generated, Timestamp::parse("2026-10-01T08:00:00Z").ok());
        assert!(report.root().is_some_and(|root| root.password_enabled.is_none()));
        assert_eq!(report.users().count(), 0);
    }
}
