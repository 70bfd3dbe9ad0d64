//! What people and programs read, made from audits that were put together by hand.
//!
//! `LOOK=<folder> cargo test --test report` leaves all files there, to be looked at.

#[path = "support/audit.rs"]
mod audit;

use audit::{HOSTILE, Sample};
use auditpack::evidence::Operation;
use auditpack::finding::{Severity, Status};
use auditpack::report::{self, Audit, Conclusion, Written};
use auditpack::resource::{Kind, Population};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

const WRITTEN: Written<'_> = Written { path: "auditpack_111122223333_20261001T090000Z.zip", size: 1_234_567 };

fn utf8(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

/// Everything that the reports make, by file name.
fn files(sample: &Sample) -> Vec<(String, Vec<u8>)> {
    let audit = sample.audit();
    let mut files = vec![
        ("report.html".to_owned(), html(&audit, &sample.files).into_bytes()),
        ("findings.csv".to_owned(), report::findings_csv(&audit)),
        ("findings.json".to_owned(), report::findings_json(&audit)),
        ("requirements.csv".to_owned(), report::requirements_csv(&audit)),
        ("README.txt".to_owned(), report::readme_txt(&audit, &sample.files).into_bytes()),
        ("summary.txt".to_owned(), report::summary(&audit, Some(&WRITTEN), 100, false).into_bytes()),
        ("summary.json".to_owned(), report::summary_json(&audit, Some(&WRITTEN))),
    ];
    files.extend(populations(&audit));
    files
}

fn html(audit: &Audit<'_>, files: &BTreeSet<String>) -> String {
    let mut page = Vec::new();
    report::write_html(audit, files, &mut page).unwrap();
    utf8(page)
}

fn populations(audit: &Audit<'_>) -> Vec<(String, Vec<u8>)> {
    let table = |population: &Population| {
        let mut bytes = Vec::new();
        report::write_population(population, &mut bytes).unwrap();
        (population.kind.schema().file.to_owned(), bytes)
    };
    audit.resources.populations.values().map(table).collect()
}

#[test]
fn to_look_at() {
    let Ok(dir) = std::env::var("LOOK") else { return };
    for (name, sample) in [
        ("example", audit::example()),
        ("empty", audit::empty()),
        ("denied", audit::all_denied()),
        ("large", audit::large(5_000, 10_000)),
    ] {
        let dir = Path::new(&dir).join(name);
        std::fs::create_dir_all(&dir).unwrap();
        for (file, bytes) in files(&sample) {
            std::fs::write(dir.join(file), bytes).unwrap();
        }
    }
}

#[test]
fn what_people_read_stays_as_it_is() {
    for (name, sample) in [("example", audit::example()), ("empty", audit::empty()), ("denied", audit::all_denied())] {
        let audit = sample.audit();
        insta::assert_snapshot!(format!("{name}-summary"), report::summary(&audit, Some(&WRITTEN), 80, false));
        insta::assert_snapshot!(format!("{name}-readme"), report::readme_txt(&audit, &sample.files));
    }
    let sample = audit::example();
    let audit = sample.audit();
    // A byte order mark is not seen in a snapshot; another test looks at it.
    let table = |bytes| utf8(bytes).replace('\u{feff}', "").replace("\r\n", "\n");
    insta::assert_snapshot!("findings-csv", table(report::findings_csv(&audit)));
    insta::assert_snapshot!("requirements-csv", table(report::requirements_csv(&audit)));
    insta::assert_snapshot!("summary-json", utf8(report::summary_json(&audit, Some(&WRITTEN))));
    insta::assert_snapshot!("findings-json", utf8(report::findings_json(&audit)));
    insta::assert_snapshot!("report-html", without_style(&html(&audit, &sample.files)));
    let users = populations(&audit).into_iter().find(|(name, _)| name == "users.csv").unwrap();
    insta::assert_snapshot!("users-csv", table(users.1));
}

/// The page without its style sheet and its hash, which change with every touch of a colour.
fn without_style(page: &str) -> String {
    let page = page.replacen(include_str!("../templates/report/style.css"), "", 1);
    let (before, after) = page.split_once("sha256-").unwrap();
    format!("{before}{}", &after[44..])
}

#[test]
fn no_name_is_markup_in_the_page_and_none_hides() {
    let sample = audit::example();
    let page = html(&sample.audit(), &sample.files);
    assert!(!page.contains("<script"), "a name became an element");
    assert!(!page.contains(" style="), "the policy forbids style attributes");
    assert!(!page.contains("http-equiv=\"refresh\"") && !page.contains("javascript:"));
    for c in ['\u{202e}', '\u{0}', '\u{1b}', '\r'] {
        assert!(!page.contains(c), "{c:?} is in the page as it is");
    }
    assert!(page.contains("admin⟨U+202E⟩nimda"));
}

#[test]
fn the_page_loads_and_runs_nothing() {
    let sample = audit::example();
    let page = html(&sample.audit(), &sample.files);
    assert!(page.contains("default-src &#39;none&#39;; style-src &#39;sha256-"), "the policy is not there");
    for needle in ["src=", "href=\"http", "href=\"//", "url(", "@import", "<link"] {
        assert!(!page.contains(needle), "the page refers to something outside: {needle}");
    }
}

/// Every target within the page exists once; every file that is linked is in the package.
#[test]
fn every_link_leads_somewhere() {
    for sample in [audit::example(), audit::empty(), audit::all_denied()] {
        let page = html(&sample.audit(), &sample.files);
        let mut ids = BTreeSet::new();
        for id in attributes(&page, " id=\"") {
            assert!(ids.insert(id.clone()), "{id} is there twice");
        }
        let mut linked = 0;
        for href in attributes(&page, "href=\"") {
            match href.strip_prefix('#') {
                Some(id) => assert!(ids.contains(id), "#{id} leads nowhere"),
                None => {
                    let path = percent_encoding::percent_decode_str(&href).decode_utf8().unwrap().into_owned();
                    assert!(sample.files.contains(&path), "{path} is not in the package");
                    linked += 1;
                }
            }
        }
        assert!(linked > 10, "hardly anything is linked");
    }
}

fn attributes(page: &str, start: &str) -> Vec<String> {
    let values = page.split(start).skip(1).filter_map(|rest| rest.split('"').next());
    values.map(str::to_owned).collect()
}

#[test]
fn a_page_of_a_large_account_stays_small_and_says_what_it_leaves_out() {
    let sample = audit::large(2_000, 3_000);
    let page = html(&sample.audit(), &sample.files);
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
    assert!(page.contains("more, in findings.csv") && page.contains("more, in <a href=\"findings.csv\">"));
}

#[test]
fn no_cell_of_any_table_is_live_and_a_row_is_a_line() {
    let sample = audit::example();
    let tables = files(&sample).into_iter().filter(|(name, _)| name.ends_with(".csv"));
    for (name, bytes) in tables {
        assert!(bytes.starts_with(b"\xef\xbb\xbf"), "{name} has no byte order mark");
        let text = utf8(bytes);
        assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "{name} has a line within a row");
        let mut reader =
            csv::ReaderBuilder::new().flexible(false).from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        for record in reader.records() {
            for cell in &record.unwrap() {
                let number = cell.parse::<i64>().is_ok();
                assert!(number || !cell.trim_start().starts_with(['=', '+', '-', '@']), "{name}: {cell}");
            }
        }
        // The same file as a spreadsheet reads it that takes semicolons for separators.
        let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(b';').from_reader(text.as_bytes());
        for record in reader.records() {
            for cell in &record.unwrap() {
                assert!(!cell.trim_start().starts_with(['=', '+', '@']), "{name}, by semicolons: {cell}");
            }
        }
    }
}

#[test]
fn the_json_keeps_every_name_as_it_came() {
    let sample = audit::example();
    let bytes = report::findings_json(&sample.audit());
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert!(!utf8(bytes).contains('\u{202e}'), "the file plays tricks on whoever looks at it");
    assert_eq!(json["format"], 1);
    let findings = json["findings"].as_array().unwrap();
    assert_eq!(findings.len(), sample.evaluation.findings.len());
    for name in HOSTILE {
        assert!(findings.iter().any(|finding| finding["resource"]["name"] == name), "{name:?} was changed");
    }
}

#[test]
fn an_account_that_answers_nothing_passes_nothing_anywhere() {
    let sample = audit::all_denied();
    let audit = sample.audit();
    assert_eq!(audit.conclusion(), Conclusion::Incomplete);
    let page = html(&audit, &sample.files);
    assert!(!page.contains("class=\"s pass\""));
    for (name, bytes) in populations(&audit) {
        // Which vendors there are, and whether access was reviewed, is the user's to say.
        let whole = name == "vendors.csv" || name == "access-reviews.csv";
        assert!(whole || utf8(bytes).contains("unknown: there may be more"), "{name} looks whole");
    }
    let costs = report::gap_costs(&audit);
    for operation in sample.controls.operations() {
        let per_resource = operation.scope().is_per_resource();
        assert!(per_resource || costs.iter().any(|cost| cost.operation == operation), "no gap tells of {operation}");
    }
}

#[test]
fn a_gap_costs_the_findings_of_its_region_and_resource_and_no_others() {
    let mut sample = audit::example();
    let status = Operation::CloudTrailGetTrailStatus;
    let of = |sample: &Sample| {
        let costs = report::gap_costs(&sample.audit());
        let cost = costs.into_iter().find(|cost| cost.operation == status).unwrap();
        (cost.unknown, cost.touched)
    };
    let (unknown, touched) = of(&sample);
    assert_eq!(unknown.into_iter().collect::<Vec<_>>(), [("cloudtrail-delivering".to_owned(), 1)]);
    assert_eq!(touched.into_iter().collect::<Vec<_>>(), [("soc2".to_owned(), "CC7.2".to_owned())]);
    let finding = sample.evaluation.findings.iter_mut().find(|f| f.status == Status::Unknown).unwrap();
    Arc::make_mut(finding.resource.as_mut().unwrap()).region = Some("us-east-1".to_owned());
    assert!(of(&sample).0.is_empty(), "a finding of another Region is counted");
}

#[test]
fn whatever_is_not_known_keeps_a_run_from_being_clean() {
    let clean = |sample: &Sample| sample.audit().conclusion();
    let mut sample = audit::empty();
    // The samples leave out the calls of AWS Config, which one of their checks needs.
    assert_eq!(clean(&sample), Conclusion::Incomplete);
    sample.controls.checks.remove("config-recorder-on");
    assert_eq!(clean(&sample), Conclusion::Clean);
    assert!(report::summary(&sample.audit(), None, 120, false).contains("Nothing in scope is unknown"));

    let silenced = sample.evaluation.findings.pop().unwrap();
    assert_eq!(clean(&sample), Conclusion::Incomplete, "a check that left no finding is silent");
    sample.evaluation.findings.push(silenced);

    sample.resources.reconciliation = audit::example().resources.reconciliation;
    assert_eq!(clean(&sample), Conclusion::Incomplete, "a difference is silent");
    sample.resources.reconciliation.clear();

    let denied = audit::all_denied().resources.populations.remove(&Kind::AccessKey).unwrap();
    sample.resources.populations.insert(Kind::AccessKey, denied);
    assert_eq!(clean(&sample), Conclusion::Incomplete, "a population that is not whole is silent");
}

#[test]
fn a_requirement_that_the_evaluation_forgot_is_unknown_and_not_left_out() {
    let mut sample = audit::empty();
    sample.evaluation.requirements.clear();
    let table = utf8(report::requirements_csv(&sample.audit()));
    assert!(table.contains("CC6.1,") && table.contains(",partial,unknown,"));
    assert!(table.contains("CC6.4,") && table.contains(",manual,manual,"));
    let rows = table.split_once("\r\n").unwrap().1;
    assert!(!rows.contains(",pass,"));
}

#[test]
fn the_word_that_is_not_ours_is_only_quoted() {
    let sample = audit::example();
    // The populations of Config rules and of packs' rules are AWS Config's own verdicts.
    let of_config = ["config-rules.csv", "conformance-pack-rules.csv"];
    for (name, bytes) in files(&sample).into_iter().filter(|(name, _)| !of_config.contains(&name.as_str())) {
        let quoted = [
            "NON_COMPLIANT",
            "\"compliance\":",
            "describe-conformance-pack-compliance",
            "get-compliance-details-by-config-rule",
            "GetComplianceDetailsByConfigRule",
        ];
        let text = quoted.iter().fold(utf8(bytes), |text, word| text.replace(word, ""));
        let at = text
            .to_lowercase()
            .find("complian")
            .map(|at| text.chars().skip(at.saturating_sub(60)).take(120).collect::<String>());
        assert_eq!(at, None, "{name} speaks of compliance");
    }
}

#[test]
fn lines_keep_to_their_width() {
    for sample in [audit::example(), audit::empty(), audit::all_denied()] {
        let audit = sample.audit();
        for (text, width) in [
            (report::readme_txt(&audit, &sample.files), 80),
            (report::summary(&audit, Some(&WRITTEN), 80, false), 80),
            (report::summary(&audit, None, 120, false), 120),
        ] {
            for line in text.lines() {
                assert!(line.chars().count() <= width, "longer than {width}: {line}");
            }
        }
    }
}

#[test]
fn colour_is_written_only_when_asked_for_and_changes_no_word() {
    let sample = audit::example();
    let audit = sample.audit();
    let plain = report::summary(&audit, Some(&WRITTEN), 80, false);
    let coloured = report::summary(&audit, Some(&WRITTEN), 80, true);
    assert!(!plain.contains('\u{1b}') && coloured.contains('\u{1b}'));
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        stripped.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    stripped.push_str(rest);
    assert_eq!(stripped, plain);
}

#[test]
fn the_threshold_decides_between_failed_and_not() {
    let mut sample = audit::example();
    assert_eq!(sample.audit().conclusion(), Conclusion::Failed);
    sample.fail_on = None;
    assert_eq!(sample.audit().conclusion(), Conclusion::Incomplete);
    assert!(report::summary(&sample.audit(), None, 80, false).contains("Exit 3"));
    sample.fail_on = Some(Severity::Low);
    assert!(
        report::summary(&sample.audit(), None, 200, false).contains("18 open failures are at or above severity low")
    );
}
