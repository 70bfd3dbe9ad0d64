//! Reading a review's files back: what people and spreadsheets did to them, in the tables of the recorded account.

mod common;
#[path = "common/review.rs"]
mod reviewing;

use auditpack::review::answers::{self, Answers, Window};
use auditpack::review::{Decision, Frozen};
use reviewing::{Table, column, csv_text, fill_table, opened, review, save, set, table, text};
use std::path::Path;

/// What somebody does to a table between opening and closing.
type Alteration = Box<dyn Fn(&mut Table)>;

/// What is read from one file of a review.
fn read(dir: &Path, path: &str, bytes: Vec<u8>) -> Answers {
    let frozen = Frozen::read(&std::fs::read(dir.join("population.json")).unwrap()).unwrap();
    let window = Window { from: "2026-10-01".parse().unwrap(), to: "2026-10-14".parse().unwrap() };
    answers::read(&frozen, &digest(dir), &[(path.to_owned(), bytes)], window)
}

fn digest(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("population.sha256")).unwrap()[..64].to_owned()
}

#[test]
fn cheating_is_refused_with_the_address_of_the_cell() {
    let (_dir, q1) = opened(&[]);
    let mut honest = table(&q1.join("csv/users.csv"));
    fill_table(&mut honest, |_| None);
    let accepted = read(&q1, "csv/users.csv", csv_text(&honest, b','));
    assert!(accepted.refusals.0.is_empty() && accepted.rows.len() == 47, "{}", accepted.refusals);
    let letter = |name: &str| char::from(b'A' + u8::try_from(column(&honest, name)).unwrap());
    let person = honest.iter().position(|row| row[0] == "rosa.ruiz").unwrap();
    let put = |name: &'static str, row: usize, value: &'static str| -> Alteration {
        Box::new(move |t| set(t, row, name, value))
    };
    let cases: Vec<(Alteration, String)> = vec![
        (put("decision", 1, "mayb"), format!("csv/users.csv {}2: `mayb` is no decision", letter("decision"))),
        (put("decision", 1, "=keep"), format!("csv/users.csv {}2: `=keep` is no decision", letter("decision"))),
        (put("reviewer", 1, ""), format!("csv/users.csv {}2: the reviewer", letter("reviewer"))),
        (put("justification", 1, " - "), format!("csv/users.csv {}2: the justification", letter("justification"))),
        (put("date", 1, "2026-09-30"), format!("csv/users.csv {}2: 2026-09-30 is outside", letter("date"))),
        (put("date", 1, "2026-10-15"), format!("csv/users.csv {}2: 2026-10-15 is outside", letter("date"))),
        (put("reviewer", person, "Rosa Ruiz"), "would decide about their own access (rosa.ruiz)".into()),
        (put("reviewer", person, "ROSA.RUIZ@example.com"), "would decide about their own access (rosa.ruiz)".into()),
        (
            put("reviewer", person, "arn:aws:iam::111122223333:user/people/rosa.ruiz"),
            "would decide about their own access (rosa.ruiz)".into(),
        ),
        (put("administrator", person, "none at all"), "`administrator` of rosa.ruiz was altered".into()),
        (
            Box::new(|t| {
                let mut row = t[1].clone();
                *row.last_mut().unwrap() = "U-0123456789ab".into();
                t.push(row);
            }),
            "rows cannot be added".into(),
        ),
        (
            Box::new(|t| {
                let row = t[1].clone();
                t.push(row);
            }),
            "is there twice".into(),
        ),
        (
            Box::new(move |t| {
                t.remove(person);
            }),
            "csv/users.csv: 1 row was removed from it: rosa.ruiz".into(),
        ),
        (
            Box::new(|t| {
                let at = column(t, "flags");
                t.iter_mut().for_each(|row| drop(row.remove(at)));
            }),
            "the column `flags` is missing".into(),
        ),
    ];
    for (cheat, expected) in cases {
        let mut cheated = honest.clone();
        cheat(&mut cheated);
        let refusals = read(&q1, "csv/users.csv", csv_text(&cheated, b',')).refusals.to_string();
        assert!(refusals.contains(&expected), "{expected}: {refusals}");
    }
    // The program refuses to close, and a population that is not the one whose digest was written down.
    let mut cheated = honest.clone();
    set(&mut cheated, 1, "decision", "mayb");
    save(&q1.join("csv/users.csv"), &cheated, b',');
    let record = q1.join("record.zip");
    let close = || review(&["close", text(&q1), "--with", text(&reviewing::recording()), "--out", text(&record)]);
    let ran = close();
    assert!(ran.code == 2 && ran.stderr.contains("`mayb` is no decision") && !record.exists(), "{}", ran.stderr);
    let population = q1.join("population.json");
    let bytes = std::fs::read_to_string(&population).unwrap();
    std::fs::write(&population, bytes.replacen("rosa.ruiz", "rosa.riuz", 1)).unwrap();
    let ran = close();
    assert!(ran.code == 2 && ran.stderr.contains("population.json was altered"), "{}", ran.stderr);
}

#[test]
fn what_a_spreadsheet_does_by_itself_is_accepted() {
    let (_dir, q1) = opened(&[]);
    for sheet in ["users", "roles"] {
        let path = format!("csv/{sheet}.csv");
        let mut changed = table(&q1.join(&path));
        fill_table(&mut changed, |_| Some("REMOVE "));
        // Sorted, reversed columns, one more column, German dates.
        let (created, date) = (column(&changed, "created"), column(&changed, "date"));
        changed[1..].reverse();
        for (at, row) in changed.iter_mut().enumerate() {
            if at > 0 {
                row[date] = "05.10.2026".to_owned();
                if let [year, month, day] = row[created].split('-').collect::<Vec<_>>()[..] {
                    row[created] = format!("{day}.{month}.{year}");
                }
            }
            row.push(if at == 0 { "my notes".to_owned() } else { "ask Bob".to_owned() });
            row.reverse();
        }
        let rows = changed.len() - 1;
        let semicolons = csv_text(&changed, b';');
        let marked = [b"\xef\xbb\xbf".as_slice(), &semicolons].concat();
        let tabs = String::from_utf8(csv_text(&changed, b'\t')).unwrap();
        let utf16: Vec<u8> = format!("\u{feff}{tabs}").encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (kind, bytes) in [("semicolons", semicolons), ("a mark", marked), ("tabs, UTF-16", utf16)] {
            let read = read(&q1, &path, bytes);
            assert!(read.refusals.0.is_empty(), "{sheet}, {kind}: {}", read.refusals);
            assert_eq!(read.rows.len(), rows, "{sheet}, {kind}");
            assert!(read.rows.values().all(|answer| answer.decision == Decision::Remove));
        }
    }
}

#[test]
fn files_that_decide_differently_contradict_each_other() {
    let (_dir, q1) = opened(&[]);
    let frozen = Frozen::read(&std::fs::read(q1.join("population.json")).unwrap()).unwrap();
    let files: Vec<(String, Vec<u8>)> = ["keep", "remove"]
        .iter()
        .map(|decision| {
            let mut users = table(&q1.join("csv/users.csv"));
            fill_table(&mut users, |name| (name == "rosa.ruiz").then_some(decision));
            (format!("{decision}.csv"), csv_text(&users, b','))
        })
        .collect();
    let window = Window { from: "2026-10-01".parse().unwrap(), to: "2026-10-14".parse().unwrap() };
    let read = answers::read(&frozen, &digest(&q1), &files, window);
    assert_eq!(read.contradictions.len(), 1, "{:?}", read.contradictions);
    assert!(
        read.contradictions[0].contains("rosa.ruiz is decided twice: keep in keep.csv"),
        "{:?}",
        read.contradictions
    );
    assert_eq!(read.refusals.0.len(), 1);
}

#[test]
fn one_workbook_for_each_owner_and_the_same_bytes_again() {
    let (_dir, q1) = opened(&[]);
    let (_other, again) = opened(&[]);
    for file in ["access-review.xlsx", "population.json", "csv/users.csv"] {
        assert!(std::fs::read(q1.join(file)).unwrap() == std::fs::read(again.join(file)).unwrap(), "{file}");
    }
    let folder = tempfile::tempdir().unwrap();
    let owners = folder.path().join("owners.csv");
    std::fs::write(&owners, "resource,owner\nsvc-*,ops/team\nchain-*,OPS-Team\nbastion,ops-team\n").unwrap();
    let (_split, split) = opened(&["--by-owner", "--owners", text(&owners)]);
    let mut names: Vec<String> = std::fs::read_dir(split.join("by-owner"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    for name in ["OPS-Team.xlsx", "no-owner.xlsx"] {
        assert!(names.contains(&name.to_owned()), "{names:?}");
    }
    let folded: std::collections::BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
    assert_eq!(folded.len(), names.len(), "no two are one where case means nothing: {names:?}");
    assert!(!split.join("access-review.xlsx").exists());
    let status = review(&["status", text(&split), "--as-of", "2026-10-06"]);
    assert_eq!(status.code, 3, "no workbook is taken for altered: {}", status.stdout);
    assert!(status.stdout.contains("ops/team"), "{}", status.stdout);
}
