//! Closing a review: decisions are held against later evidence, and the record is made.
//!
//! The record holds what it was made from (`review/input/`): with that and the package's own evidence, [`derive`] makes
//! everything else below `review/` again, byte for byte.

use super::answers::{self, Answers, Window};
use super::findings;
use super::followup::Later;
use super::freeze::{self, Thresholds};
use super::grid::Refusals;
use super::owner::Owners;
use super::population::Frozen;
use super::record::{FORMAT, Register, RegisterRow};
use super::trail::Trail;
use super::{DIGEST_FILE, INPUT_FOLDER, POPULATION_FILE, RECORD_FOLDER, REGISTER_FILE, ReviewFinding, intact, status};
use crate::controls::Controls;
use crate::evaluate::Evaluation;
use crate::evidence::call::file_name;
use crate::evidence::digest::sha256;
use crate::evidence::{Evidence, Timestamp};
use crate::resource::{Access, LastReview, Resources};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a record says about how it was closed, beside the files that were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// The version of this file.
    pub format: u32,
    /// The files that were read: what they were called, and where the record holds them.
    pub files: Vec<InputFile>,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputFile {
    /// Its path below the review's folder.
    pub name: String,
    /// Its path in the package.
    pub path: String,
}

/// Why a review is not closed.
#[derive(Debug, thiserror::Error)]
pub enum CloseError {
    /// What was filled in is not accepted.
    #[error("{0}")]
    Refused(Refusals),
    /// The population is not what was frozen.
    #[error("{0}")]
    Altered(String),
    /// The later evidence does not fit the review.
    #[error("{0}")]
    Evidence(String),
}

/// A closed review.
#[derive(Debug)]
pub struct Closed {
    /// The record.
    pub register: Register,
    frozen: Frozen,
    inputs: BTreeMap<String, Vec<u8>>,
}

impl Closed {
    /// What the checks judge.
    pub fn last_review(&self) -> LastReview {
        self.register.last_review(REGISTER_FILE, None)
    }

    /// The findings of the checks on it.
    pub fn findings(&self, evaluation: &Evaluation, controls: &Controls) -> Vec<ReviewFinding> {
        findings::findings(evaluation, controls)
    }

    /// All files of the record, with their paths in the package: inputs, register, tables and the page to sign.
    pub fn files(self, findings: &[ReviewFinding]) -> BTreeMap<String, Vec<u8>> {
        let Self { register, frozen, inputs: mut files } = self;
        files.insert(REGISTER_FILE.to_owned(), register.json());
        files.insert(format!("{RECORD_FOLDER}/register.csv"), register.csv());
        files.insert(format!("{RECORD_FOLDER}/closure.csv"), register.closure_csv());
        files.insert(format!("{RECORD_FOLDER}/findings.csv"), super::record::findings_csv(findings));
        let page = super::attestation::page(&register, &frozen, findings);
        files.insert(format!("{RECORD_FOLDER}/attestation.html"), page.into_bytes());
        let page = super::register_page::page(&register);
        files.insert(format!("{RECORD_FOLDER}/register.html"), page.into_bytes());
        files
    }
}

const CLOSING_FILE: &str = "review/input/closing.json";

/// Puts the inputs of a record together: `files` are those that answers stand in, with their paths below the folder.
pub fn inputs(population: Vec<u8>, digest: Vec<u8>, files: Vec<(String, Vec<u8>)>) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut taken = BTreeSet::new();
    let mut closing = Closing { format: 1, files: Vec::new() };
    for (name, bytes) in files {
        let parts: Vec<String> = name.split('/').map(file_name).collect();
        let mut path = format!("{INPUT_FOLDER}/files/{}", parts.join("/"));
        while !taken.insert(path.to_ascii_lowercase()) {
            path.push('~');
        }
        closing.files.push(InputFile { name, path: path.clone() });
        all.insert(path, bytes);
    }
    all.insert(format!("{INPUT_FOLDER}/{POPULATION_FILE}"), population);
    all.insert(format!("{INPUT_FOLDER}/{DIGEST_FILE}"), digest);
    // Texts, numbers and lists of texts are JSON.
    let mut json = serde_json::to_vec_pretty(&closing).unwrap_or_default();
    json.push(b'\n');
    all.insert(CLOSING_FILE.to_owned(), json);
    all
}

/// Reads the frozen population, if it is the one whose digest was written down.
pub fn population(bytes: &[u8], digest: &[u8]) -> Result<(Frozen, String), CloseError> {
    let found = sha256(bytes);
    let text = String::from_utf8_lossy(digest);
    let expected = text.split_whitespace().next().unwrap_or_default();
    if expected != found {
        return Err(CloseError::Altered(format!(
            "{POPULATION_FILE} was altered: its SHA-256 is {found}, {DIGEST_FILE} says {expected}; restore the file that `review open` wrote"
        )));
    }
    let frozen = Frozen::read(bytes)
        .map_err(|e| CloseError::Altered(format!("{POPULATION_FILE} is not a frozen population: {e}")))?;
    if let Some(why) = intact::contradiction(&frozen) {
        return Err(CloseError::Altered(format!(
            "{POPULATION_FILE} was altered, though {DIGEST_FILE} fits it: {why}; restore the two files that `review open` wrote"
        )));
    }
    Ok((frozen, found))
}

/// Makes the record from its inputs (paths in the package, and contents) and the later evidence.
pub fn close(
    inputs: BTreeMap<String, Vec<u8>>,
    evidence: &Evidence,
    resources: &Resources,
    analysis: &Access,
) -> Result<Closed, CloseError> {
    let input = |path: &str| inputs.get(path).ok_or_else(|| CloseError::Altered(format!("the record has no {path}")));
    let closing: Closing = serde_json::from_slice(input(CLOSING_FILE)?)
        .map_err(|e| CloseError::Altered(format!("{CLOSING_FILE} cannot be read: {e}")))?;
    let (frozen, population_sha256) = population(
        input(&format!("{INPUT_FOLDER}/{POPULATION_FILE}"))?,
        input(&format!("{INPUT_FOLDER}/{DIGEST_FILE}"))?,
    )?;
    let closed = fits(&frozen, evidence)?;
    let mut files = Vec::new();
    for file in &closing.files {
        files.push((file.name.clone(), input(&file.path)?.clone()));
    }
    let window = Window { from: frozen.opened.0.date_naive(), to: closed.0.date_naive() };
    let answers = answers::read(&frozen, &population_sha256, &files, window);
    if !answers.refusals.0.is_empty() {
        return Err(CloseError::Refused(answers.refusals));
    }
    let snapshot = freeze::access(evidence, resources, analysis, &Owners::default(), Thresholds::default())
        .map_err(CloseError::Evidence)?;
    let trail = Trail::since(evidence, frozen.opened);
    let later = Later::new(&frozen.rows, &snapshot, &trail);
    let rows = register_rows(&frozen, &answers, &later);
    let frozen_keys: BTreeSet<&str> = frozen.rows.iter().map(|row| row.key.as_str()).collect();
    let new = snapshot.rows.iter().filter(|row| !frozen_keys.contains(row.key.as_str()));
    let register = Register {
        format: FORMAT,
        account: frozen.account.clone(),
        opened: frozen.opened,
        closed,
        due: frozen.due,
        population_sha256,
        previous: frozen.previous.clone(),
        acknowledgement: answers.acknowledgement.as_ref().map(Into::into),
        contradictions: status::contradictions(&frozen, &answers),
        new_since: new.map(|row| format!("{}: {}", row.sheet, row.id)).collect(),
        incomplete: frozen.incomplete(),
        missing: intact::missing(&frozen, &snapshot.rows),
        rows,
    };
    Ok(Closed { register, frozen, inputs })
}

/// The as-of time of later evidence that fits the review.
fn fits(frozen: &Frozen, evidence: &Evidence) -> Result<Timestamp, CloseError> {
    let named = |account: &Option<String>| account.clone().unwrap_or_else(|| "no known account".to_owned());
    if frozen.account != evidence.account || frozen.account.is_none() {
        return Err(CloseError::Evidence(format!(
            "the review is of {}, the evidence of {}: close it with evidence of the same account",
            named(&frozen.account),
            named(&evidence.account)
        )));
    }
    let closed = evidence.as_of();
    if closed < frozen.opened {
        return Err(CloseError::Evidence(format!(
            "the evidence is of {closed}, before the review was opened ({}): collect again, and close it with that",
            frozen.opened
        )));
    }
    Ok(closed)
}

fn register_rows(frozen: &Frozen, answers: &Answers, later: &Later<'_>) -> Vec<RegisterRow> {
    let row = |row: &super::Row| {
        let answer = answers.rows.get(&row.key);
        RegisterRow {
            key: row.key.clone(),
            sheet: row.sheet,
            id: row.id.clone(),
            name: row.name.clone(),
            owner: row.owner.clone(),
            flags: row.flags.clone(),
            administrator: row.cell("administrator").to_owned(),
            change: row.change,
            decision: answer.map(|answer| answer.decision),
            reviewer: answer.map(|answer| answer.reviewer.clone()),
            date: answer.map(|answer| answer.date),
            justification: answer.map(|answer| answer.justification.clone()),
            ticket: answer.map(|answer| answer.ticket.clone()).filter(|ticket| !ticket.is_empty()),
            read_from: answer.map(|answer| answer.place.to_string()),
            follow_up: answer.map(|answer| later.of(row, answer.decision)),
            at_close: later.now(row),
        }
    };
    frozen.rows.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::super::change::Access;
    use super::super::open::{Opening, open};
    use super::super::population::{Completeness, Decision, Origin, Sheet, key};
    use super::super::{Outcome, Row, Snapshot};
    use super::*;

    /// A row of IAM Identity Center, which nothing in this program makes yet.
    fn assigned(person: &str, permission_sets: &[&str]) -> Row {
        let id = format!("identity-center:d-0123456789/user/{person}");
        let grants = permission_sets.iter().map(|set| (format!("permission set {set}"), String::new())).collect();
        let cells = [("user", person), ("arn", &id), ("administrator", "no"), ("policies", "by permission set")];
        Row {
            key: key(Sheet::Users, &id),
            sheet: Sheet::Users,
            source: "identity-center".to_owned(),
            name: person.to_owned(),
            identity: Some(format!("id of {person}")),
            owner: None,
            people: vec![person.to_owned()],
            access: Some(Access { grants, ..Access::default() }),
            standing: Some(0),
            usable: Some(true),
            gap: None,
            change: None,
            flags: vec!["no owner".to_owned()],
            evidence: Vec::new(),
            cells: cells.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect(),
            id,
        }
    }

    fn snapshot(rows: Vec<Row>) -> Snapshot {
        let size = |sheet: &Sheet| {
            let rows = rows.iter().filter(|row| row.sheet == *sheet).count() as u64;
            (sheet.word().to_owned(), Completeness { rows, incomplete: Vec::new() })
        };
        Snapshot { sheets: Sheet::ALL.iter().map(size).collect(), rows, ..Snapshot::default() }
    }

    #[test]
    fn rows_of_another_source_are_handed_out_decided_and_followed_up_like_any_others() {
        let opened = Timestamp::parse("2026-10-01T09:00:00Z").unwrap();
        let before = ["ann", "bob", "cem"].map(|person| assigned(person, &["Admin", "Billing"])).to_vec();
        let made = open(Opening {
            account: Some("111122223333".to_owned()),
            opened,
            due_days: 30,
            origin: Origin { name: String::new(), manifest_sha256: None, details_sha256: None },
            snapshot: snapshot(before),
            history: None,
            by_owner: false,
        })
        .unwrap();
        let (_, population) = made.files.iter().find(|(path, _)| path == POPULATION_FILE).unwrap();
        let (frozen, digest) = super::population(population, made.population_sha256.as_bytes()).unwrap();
        assert!(frozen.rows.iter().all(|row| row.source == "identity-center"));

        let (path, csv) = made.files.iter().find(|(path, _)| path == "csv/users.csv").unwrap();
        let mut lines = std::str::from_utf8(csv).unwrap().lines();
        let mut filled = lines.next().unwrap().to_owned() + "\n";
        for (line, decision) in lines.zip(["remove", "reduce", "keep"]) {
            assert!(line.contains(",,,,,identity-center:"), "empty cells for the answers: {line}");
            let answered = format!("{decision},Rita,2026-10-05,because,,identity-center:");
            filled.push_str(&line.replacen(",,,,,identity-center:", &answered, 1));
            filled.push('\n');
        }
        let window = Window { from: "2026-10-01".parse().unwrap(), to: "2026-10-14".parse().unwrap() };
        let answers = answers::read(&frozen, &digest, &[(path.clone(), filled.into_bytes())], window);
        assert!(answers.refusals.0.is_empty(), "{}", answers.refusals);
        assert!(status::status(&frozen, &answers, window.to).is_ready());

        let (later, trail) =
            (snapshot(vec![assigned("bob", &["Billing"]), assigned("cem", &["Admin", "Billing"])]), Trail::default());
        let rows = register_rows(&frozen, &answers, &Later::new(&frozen.rows, &later, &trail));
        let found: Vec<_> = rows.iter().map(|row| (row.decision, row.follow_up.as_ref().unwrap().outcome)).collect();
        assert_eq!(
            found,
            [
                (Some(Decision::Remove), Outcome::Done),
                (Some(Decision::Reduce), Outcome::Done),
                (Some(Decision::Keep), Outcome::NothingToDo)
            ]
        );
        assert!(intact::missing(&frozen, &later.rows).is_empty());
    }
}
