//! Whether the manifest counts what there is.

use super::{Problem, Step};
use crate::evidence::digest::sha256;
use crate::finding::Severity;
use crate::package::error::PackageError;
use crate::package::manifest::Manifest;
use crate::package::open::OpenPackage;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn check(package: &mut OpenPackage) -> Result<Step, PackageError> {
    let manifest = package.manifest().clone();
    let mut problems = Vec::new();
    conclusion(&manifest, &mut problems);
    calls(package, &manifest, &mut problems);
    controls(package, &manifest, &mut problems);
    let rows = populations(package, &manifest, &mut problems);
    let findings = findings(package, &manifest, &mut problems);
    reconciliation(&manifest, &mut problems);
    let says = format!(
        "{rows} rows in {} populations and {findings} findings are counted rightly; {} reconciliations add up",
        manifest.populations.len(),
        manifest.reconciliation.len()
    );
    Ok(Step::of("consistency", says, problems))
}

fn conclusion(manifest: &Manifest, problems: &mut Vec<Problem>) {
    let mut wrong = |what: String| problems.push(Problem::of("manifest.json", what));
    let ended = &manifest.conclusion;
    let expected = match ended.outcome.as_str() {
        "clean" => 0,
        "failed" => 1,
        "incomplete" => 3,
        _ => u8::MAX,
    };
    if ended.exit_code != expected {
        wrong(format!("an outcome `{}` does not go with exit code {}", ended.outcome, ended.exit_code));
    }
    let unknown = ended.findings.get("unknown").copied().unwrap_or(0);
    if ended.outcome == "clean" && (unknown > 0 || !manifest.gaps.is_empty()) {
        wrong("the outcome is clean though something is unknown".to_owned());
    }
    if manifest.populations.iter().any(|population| population.complete != population.incomplete.is_empty()) {
        wrong("a population is whole and says why it may not be".to_owned());
    }
}

fn calls(package: &OpenPackage, manifest: &Manifest, problems: &mut Vec<Problem>) {
    let paths: BTreeSet<&str> = package.paths().collect();
    let gaps: BTreeSet<&str> = manifest.gaps.iter().map(|gap| gap.place.as_str()).collect();
    for call in &manifest.calls {
        let named = call.document.as_deref().into_iter().chain(call.responses.iter().map(|path| path.as_str()));
        for path in named.filter(|path| !paths.contains(path)) {
            problems.push(Problem::of(path, format!("belongs to {} and is not there", call.call)));
        }
        let complete = ["collected", "absent"].contains(&call.outcome.as_str());
        if complete != call.reason.is_none() || (call.outcome == "collected") != (call.document.is_some() && complete) {
            problems.push(Problem::of(
                "manifest.json",
                format!("{} is {} and has no fitting reason or document", call.call, call.outcome),
            ));
        }
        if !complete && !gaps.contains(call.call.to_string().as_str()) {
            problems.push(Problem::of(
                "manifest.json",
                format!("{} is {} and not among the gaps", call.call, call.outcome),
            ));
        }
    }
}

fn controls(package: &OpenPackage, manifest: &Manifest, problems: &mut Vec<Problem>) {
    let mut lines = String::new();
    let mut files = 0;
    for file in &manifest.files {
        let path = file.path.strip_prefix("controls/");
        if let Some(path) = path.filter(|_| package.paths().any(|path| path == file.path.as_str())) {
            files += 1;
            lines.push_str(&format!("{}  {path}\n", file.sha256));
        }
    }
    if sha256(lines.as_bytes()) != manifest.controls.sha256 {
        problems.push(Problem::of("manifest.json", "controls.sha256 is not the digest of the files in controls/"));
    }
    if files != manifest.controls.files {
        problems.push(Problem::of(
            "manifest.json",
            format!("there are {files} files in controls/, it counts {}", manifest.controls.files),
        ));
    }
}

/// The records of a CSV file below its header.
fn records(bytes: &[u8]) -> Result<Vec<csv::StringRecord>, csv::Error> {
    crate::report::csv::reader(bytes).into_records().collect()
}

/// Reads a file; if it cannot be, says so.
fn read(package: &mut OpenPackage, file: &str, problems: &mut Vec<Problem>) -> Option<Vec<u8>> {
    package.bytes(file).map_err(|e| problems.push(Problem::of(file, e.to_string()))).ok()
}

fn populations(package: &mut OpenPackage, manifest: &Manifest, problems: &mut Vec<Problem>) -> u64 {
    let mut total = 0;
    for population in &manifest.populations {
        total += population.rows;
        let Some(file) = &population.file else { continue };
        let Some(bytes) = read(package, file, problems) else { continue };
        match records(&bytes) {
            Err(e) => problems.push(Problem::of(file, format!("is no table: {e}"))),
            Ok(records) => {
                let more = |record: &&csv::StringRecord| {
                    record.get(0).is_some_and(|cell| cell.starts_with("unknown: there may be more"))
                };
                let rows = records.iter().filter(|record| !more(record)).count() as u64;
                if rows != population.rows {
                    problems
                        .push(Problem::of(file, format!("has {rows} rows, the manifest counts {}", population.rows)));
                }
            }
        }
    }
    total
}

fn findings(package: &mut OpenPackage, manifest: &Manifest, problems: &mut Vec<Problem>) -> u64 {
    let Some(bytes) = read(package, "findings.json", problems) else { return 0 };
    let json: Value = match serde_json::from_slice(&bytes) {
        Ok(json) => json,
        Err(e) => {
            problems.push(Problem::of("findings.json", format!("is not JSON: {e}")));
            return 0;
        }
    };
    let list = json["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut told: Vec<(String, String)> = Vec::new();
    for finding in list {
        let text = |member: &str| finding[member].as_str().unwrap_or_default().to_owned();
        *counts.entry(text("status")).or_default() += 1;
        told.push((text("check"), text("status")));
    }
    if counts != manifest.conclusion.findings {
        problems.push(Problem::of("findings.json", "the manifest counts other findings by status"));
    }
    if let Some(bytes) = read(package, "findings.csv", problems) {
        match records(&bytes) {
            Err(e) => problems.push(Problem::of("findings.csv", format!("is no table: {e}"))),
            Ok(records) => {
                let cell = |record: &csv::StringRecord, n| record.get(n).unwrap_or_default().to_owned();
                let rows: Vec<(String, String)> = records.iter().map(|r| (cell(r, 0), cell(r, 2))).collect();
                if rows.len() != told.len() {
                    let what = format!("has {} rows, findings.json has {} findings", rows.len(), told.len());
                    problems.push(Problem::of("findings.csv", what));
                } else if let Some(n) = rows.iter().zip(&told).position(|(row, finding)| row != finding) {
                    let what = format!("record {} tells another check or status than findings.json", n + 2);
                    problems.push(Problem::of("findings.csv", what));
                }
            }
        }
    }
    requirements(package, &json, problems);
    outcome(manifest, list, problems);
    list.len() as u64
}

/// A run failed if and only if a failure that no exception covers is at or above the severity that was asked for.
fn outcome(manifest: &Manifest, findings: &[Value], problems: &mut Vec<Problem>) {
    let least = match manifest.conclusion.fail_on.as_str() {
        "none" => None,
        word => match word.parse::<Severity>() {
            Ok(severity) => Some(severity),
            // The derivation says that this is no severity.
            Err(_) => return,
        },
    };
    let gates = |finding: &&Value| {
        let severity = finding["severity"].as_str().and_then(|word| word.parse::<Severity>().ok());
        finding["status"] == "fail" && finding["exception"].is_null() && severity >= least && severity.is_some()
    };
    let open = if least.is_some() { findings.iter().filter(gates).count() } else { 0 };
    if (open > 0) != (manifest.conclusion.outcome == "failed") {
        let what =
            format!("the outcome is {}, and {open} open failures reach its severity", manifest.conclusion.outcome);
        problems.push(Problem::of("manifest.json", what.escape_debug().to_string()));
    }
}

/// requirements.csv and findings.json tell the same status of each requirement.
fn requirements(package: &mut OpenPackage, json: &Value, problems: &mut Vec<Problem>) {
    const FILE: &str = "requirements.csv";
    const COLUMNS: [&str; 3] = ["framework", "requirement", "status"];
    let Some(bytes) = read(package, FILE, problems) else { return };
    let mut reader = crate::report::csv::reader(&bytes);
    let read = reader.headers().map(|headers| COLUMNS.map(|name| headers.iter().position(|header| header == name)));
    let rows = read.and_then(|columns| {
        let records: Vec<csv::StringRecord> = reader.into_records().collect::<Result<_, _>>()?;
        let cells = |record: &csv::StringRecord| {
            columns.map(|at| at.and_then(|at| record.get(at)).unwrap_or_default().to_owned())
        };
        Ok(records.iter().map(cells).collect::<Vec<_>>())
    });
    let told = json["requirements"].as_array().map(Vec::as_slice).unwrap_or_default();
    // A cell that a spreadsheet would run has an apostrophe before it.
    let cell = |text: &Value| text.as_str().unwrap_or_default().to_owned();
    let told: Vec<[String; 3]> = told.iter().map(|of| COLUMNS.map(|member| cell(&of[member]))).collect();
    let same = |(row, told): (&[String; 3], &[String; 3])| {
        row.iter().zip(told).all(|(row, told)| row == told || row.strip_prefix('\'') == Some(told))
    };
    match rows {
        Err(e) => problems.push(Problem::of(FILE, format!("is no table: {e}"))),
        Ok(rows) if rows.len() != told.len() => {
            let what = format!("has {} rows, findings.json has {} requirements", rows.len(), told.len());
            problems.push(Problem::of(FILE, what));
        }
        Ok(rows) => {
            if let Some(n) = rows.iter().zip(&told).position(|pair| !same(pair)) {
                let what = format!("record {} tells another requirement or status than findings.json", n + 2);
                problems.push(Problem::of(FILE, what));
            }
        }
    }
}

/// Sources that agree without a word count the same.
fn reconciliation(manifest: &Manifest, problems: &mut Vec<Problem>) {
    for of in &manifest.reconciliation {
        let counts: BTreeSet<i64> = of.counts.iter().filter_map(|count| count.count).collect();
        if of.agrees && of.differences.is_empty() && counts.len() > 1 {
            let what = format!("the sources of {} are said to agree, and count differently", of.population);
            problems.push(Problem::of("manifest.json", what));
        }
        if !of.agrees && manifest.conclusion.outcome == "clean" {
            problems.push(Problem::of(
                "manifest.json",
                format!("the outcome is clean though the sources of {} differ", of.population),
            ));
        }
    }
}
