//! README.txt: what a person who has never seen auditpack reads first. 80 columns, no markup.

use super::costs::{gap_costs, gap_count, gap_words};
use super::facts;
use super::words::{count, number, paragraph, visible};
use super::{Audit, Conclusion};
use crate::controls::Automation;
use std::collections::BTreeSet;

const WIDTH: usize = 78;
/// How many gaps are told one by one; the rest is in report.html.
const MOST_GAPS: usize = 40;

/// README.txt. `files` are the paths in the package, so that it describes only what is there.
pub fn readme_txt(audit: &Audit<'_>, files: &BTreeSet<String>) -> String {
    let mut text = Readme(String::new());
    text.title(audit);
    text.start();
    text.contents(files);
    text.words();
    text.missing(audit);
    text.for_attention(audit);
    text.check(files);
    text.rebuild();
    text.limits(audit);
    text.0
}

struct Readme(String);

impl Readme {
    fn heading(&mut self, text: &str) {
        self.0.push_str(&format!("\n\n{}\n{}\n", text.to_uppercase(), "-".repeat(text.chars().count())));
    }

    fn say(&mut self, text: &str) {
        self.0.push('\n');
        paragraph(&mut self.0, "", text, WIDTH);
    }

    fn item(&mut self, text: &str) {
        paragraph(&mut self.0, "  - ", text, WIDTH);
    }

    fn entry(&mut self, name: &str, text: &str) {
        let lead = format!("  {name:<20}");
        if lead.chars().count() > 22 {
            self.line(&lead);
            paragraph(&mut self.0, &" ".repeat(22), text, WIDTH);
        } else {
            paragraph(&mut self.0, &lead, text, WIDTH);
        }
    }

    fn line(&mut self, text: &str) {
        self.0.push_str(text.trim_end());
        self.0.push('\n');
    }

    fn command(&mut self, text: &str) {
        self.line(&format!("      {text}"));
    }

    fn title(&mut self, audit: &Audit<'_>) {
        self.line("EVIDENCE PACKAGE OF AN AWS ACCOUNT");
        self.line("==================================");
        self.0.push('\n');
        let regions: Vec<&str> = audit.evidence.regions.iter().map(String::as_str).collect();
        let frameworks: Vec<&str> = audit.controls.frameworks.values().map(|f| f.title.as_str()).collect();
        self.entry("Account", &facts::account_words(audit));
        self.entry("Collected by", &facts::caller_words(audit));
        self.entry("As of", &audit.evidence.as_of().zulu());
        self.entry("Period of events", &facts::period_words(audit));
        let regions = if regions.is_empty() { "none known".to_owned() } else { regions.join(", ") };
        self.entry("Regions", &visible(&regions));
        self.entry("Frameworks", &visible(&frameworks.join(", ")));
        self.entry("Made with", &format!("auditpack {}", visible(&audit.evidence.run.version)));
        self.0.push('\n');
        paragraph(&mut self.0, "In short: ", &facts::conclusion_words(audit).join(" "), WIDTH);
        if audit.conclusion() != Conclusion::Clean {
            self.say("The section WHAT IS MISSING below and the first pages of report.html say more.");
        }
    }

    fn start(&mut self) {
        self.heading("Where to start");
        self.say(
            "Unpack the zip into a folder of its own and open report.html with any web browser. It needs no \
             internet connection and no other program. It begins with what could not be collected, then says what \
             was asked of AWS and how, and then lists the findings and the requirements of each framework with \
             links to the evidence files. It can be printed.",
        );
        self.say(
            "The tables (.csv) open in Excel, LibreOffice and Numbers. To draw a sample, use the files in \
             populations/: each holds a whole population. An apostrophe before =, +, - or @ is not part of \
             the name: it keeps the spreadsheet from running the cell. A spreadsheet may also show a long number \
             rounded or a name as a date; findings.json and evidence/ hold the originals.",
        );
    }

    fn contents(&mut self, files: &BTreeSet<String>) {
        self.heading("What is in the package");
        self.0.push('\n');
        for (name, text) in CONTENTS {
            let in_folder = files.range((*name).to_owned()..).next().is_some_and(|path| path.starts_with(name));
            if ALWAYS.contains(name) || in_folder {
                self.entry(name, text);
            }
        }
    }

    fn words(&mut self) {
        self.heading("What the statuses mean");
        self.say("A finding is what one check says about one resource (a user, a role, a trail):");
        self.0.push('\n');
        for (word, text) in STATUSES {
            self.entry(word, text);
        }
        self.say(
            "A requirement shows the worst status of its checks. That is what the technical evidence says; it is \
             never a statement that the requirement is met. Its automation level says how much AWS can evidence at \
             all: full, partial (the technical part), or manual (nothing; a person must provide it). What a person \
             must still provide stands beside each requirement, in report.html and requirements.csv.",
        );
        self.say(
            "An exception is an accepted risk with a reason, an approver and a last day. The failure stays \
             listed as a failure, with the exception beside it.",
        );
    }

    fn missing(&mut self, audit: &Audit<'_>) {
        self.heading("What is missing");
        let costs = gap_costs(audit);
        let notes = &audit.evidence.notes;
        let partial: Vec<_> = audit.resources.populations.values().filter(|p| !p.incomplete.is_empty()).collect();
        let differences: Vec<_> = audit.resources.reconciliation.iter().filter(|r| !r.agrees).collect();
        if costs.is_empty() && notes.is_empty() && partial.is_empty() && differences.is_empty() {
            self.say("Nothing: every call that was planned was answered completely.");
            return;
        }
        if !costs.is_empty() {
            let calls = count(gap_count(&costs), "call has", "calls have");
            self.say(&format!(
                "{calls} no complete answer. What rests on such a call is unknown, and is never counted as a pass:"
            ));
            self.0.push('\n');
            for cost in costs.iter().take(MOST_GAPS) {
                self.item(&gap_words(cost));
            }
            if costs.len() > MOST_GAPS {
                self.item(&format!("and {} more, in report.html", number((costs.len() - MOST_GAPS) as u64)));
            }
        }
        if !partial.is_empty() {
            self.say("These populations may hold more than their file lists:");
            self.0.push('\n');
            for population in partial {
                let schema = population.kind.schema();
                let reasons: BTreeSet<String> =
                    population.incomplete.iter().map(|unknown| visible(&unknown.reason).into_owned()).collect();
                let reasons: Vec<String> = reasons.into_iter().take(3).collect();
                self.item(&format!("{} ({}): {}", schema.plural, schema.file, reasons.join("; ")));
            }
        }
        if !differences.is_empty() {
            self.say("Independent sources of these populations do not bear each other out:");
            self.0.push('\n');
            for of in differences {
                self.item(&visible(&format!("{}: {}", facts::standing_words(of), facts::difference_words(of))));
            }
        }
        if !notes.is_empty() {
            self.say("Also to be known:");
            self.0.push('\n');
            for note in notes {
                self.item(&visible(&format!("{}: {}", note.place, note.text)));
            }
        }
    }

    fn for_attention(&mut self, audit: &Audit<'_>) {
        let remarks = facts::remarks(audit);
        if remarks.is_empty() {
            return;
        }
        self.heading("What somebody should look at");
        self.0.push('\n');
        for remark in remarks {
            self.item(&remark);
        }
    }

    fn check(&mut self, files: &BTreeSet<String>) {
        self.heading("How to check that nothing was changed");
        self.say(
            "SHA256SUMS holds a fingerprint (SHA-256) of each file. In the folder into which you unpacked the zip, \
             one command compares them all; each line must end with OK:",
        );
        self.0.push('\n');
        self.line("  Linux, and AWS CloudShell:");
        self.command("unzip -d package PACKAGE.zip && cd package");
        self.command("sha256sum -c --quiet SHA256SUMS && echo all files are intact");
        self.line("  macOS:");
        self.command("unzip -d package PACKAGE.zip && cd package");
        self.command("shasum -a 256 -c SHA256SUMS");
        self.line("  Windows, in PowerShell (it prints only files that differ):");
        self.command("Expand-Archive PACKAGE.zip package; cd package");
        self.command("Get-Content SHA256SUMS | ForEach-Object {");
        self.command("  $sum, $file = $_ -split '  ', 2");
        self.command("  if ((Get-FileHash -LiteralPath $file).Hash -ne $sum) { $file } }");
        self.line("  Windows, one file at a time:");
        self.command("certutil -hashfile findings.csv SHA256");
        self.say(
            "This shows that the files belong together. That the package as a whole is the one that was made is \
             shown by comparing the SHA-256 of the zip, or of SHA256SUMS, with the one that you were told by \
             another way than the package itself.",
        );
        self.say("auditpack itself checks this and the sections below in one go:");
        self.0.push('\n');
        self.command("auditpack verify PACKAGE.zip");
        if files.contains("attestation") {
            self.signature();
        }
        if files.contains("timestamp.tsr") {
            self.time_stamp(if files.contains("attestation") { "attestation" } else { "manifest.json" });
        }
    }

    fn signature(&mut self) {
        self.heading("How to check who made it");
        self.say(
            "The file attestation holds a signature over the fingerprint of manifest.json, which holds the fingerprint \
             of every other file. Its key is not in the package: get the public key from the organisation that made \
             the package by another way, save it beside the folder as PUBLIC-KEY.pem, and compare its fingerprint (the \
             last line below) with the one that was published. With OpenSSL 1.1.1 or newer, in the folder:",
        );
        self.0.push('\n');
        for line in SIGNATURE {
            self.command(line);
        }
        self.say(
            "The lines must print `Signature Verified Successfully` and `the signature is about this manifest`. Or:",
        );
        self.0.push('\n');
        self.command("auditpack verify PACKAGE.zip --key PUBLIC-KEY.pem");
    }

    fn time_stamp(&mut self, stamped: &str) {
        self.heading("How to check when it was made");
        self.say(&format!(
            "The file timestamp.tsr is a time stamp (RFC 3161) over the file {stamped}: an authority states that the file was \
             there at that time. Save the authority's root certificates beside the folder as ROOTS.pem. In the folder:"
        ));
        self.0.push('\n');
        self.command(&format!("openssl ts -verify -data {stamped} -in timestamp.tsr -CAfile ../ROOTS.pem"));
        self.command("openssl ts -reply -in timestamp.tsr -text | grep 'Time stamp'");
        self.say("The first line must print `Verification: OK`. Or:");
        self.0.push('\n');
        self.command("auditpack verify PACKAGE.zip --timestamp-roots ROOTS.pem");
    }

    fn rebuild(&mut self) {
        self.heading("How to rebuild it");
        self.say(
            "raw/ holds every answer of AWS as it was received, with the request that was sent (session tokens are \
             taken out when an answer is received; manifest.json declares each). Everything else in the package is \
             made from it by rules that stand in controls/. Whoever wants to can do that again, without access to \
             AWS, and compare:",
        );
        self.0.push('\n');
        self.command("auditpack verify PACKAGE.zip");
        self.command("auditpack collect --replay PACKAGE.zip --out again.zip");
        self.say(
            "Each file in evidence/ is named by the command of the AWS CLI that prints the same; a command run \
             today shows the account of today, not that of the as-of time.",
        );
    }

    fn limits(&mut self, audit: &Audit<'_>) {
        self.heading("What this package does not say");
        self.say(
            "auditpack helps to collect evidence. It does not assess whether an organisation meets a framework, \
             and nothing in this package says so. Whether the evidence is sufficient is for the auditor to judge; \
             what AWS cannot show is for the audited organisation to provide. Where AWS Config's own verdicts are \
             quoted, they are AWS's.",
        );
        self.0.push('\n');
        for facts in facts::frameworks(audit) {
            let by_hand = facts.with_automation(Automation::Manual);
            let in_part = facts.with_automation(Automation::Partial);
            let all = count(facts.requirements.len() as u64, "requirement", "requirements");
            self.item(&format!(
                "{}: of {all}, {} manual and {} partial: people provide what is listed beside them",
                visible(&facts.framework.title),
                number(by_hand),
                number(in_part)
            ));
        }
        self.say(
            "The package shows the account at the as-of time, and events within the period. CloudTrail's event \
             history holds management events of the last 90 days and no data events; the most recent events may \
             not have been there yet (report.html says until when they can be relied on, for each Region). \
             Controls outside AWS are not covered.",
        );
        self.say("The package holds names, ARNs, addresses and activities of people. Handle it as confidential.");
    }
}

/// What is there in every package, whatever was collected.
const ALWAYS: &[&str] =
    &["README.txt", "report.html", "findings.csv", "findings.json", "requirements.csv", "manifest.json", "SHA256SUMS"];

const CONTENTS: &[(&str, &str)] = &[
    ("README.txt", "this text"),
    ("report.html", "the report, to read and to print"),
    ("findings.csv", "one row for each check and resource: status, what was found, where the evidence is"),
    ("findings.json", "the same for programs, with every text as AWS gave it"),
    (
        "requirements.csv",
        "one row for each requirement of each framework: status, automation level, what a person must still provide",
    ),
    ("populations/", "whole populations to sample from: users, roles, access keys, policies, trails, Config rules"),
    (
        "evidence/",
        "the documents collected, in the shape that the AWS CLI prints; evidence/<region>/ for what belongs to a Region",
    ),
    (
        "review/",
        "the record of an access review: attestation.html to sign, register.html to read, register.csv with every decision, closure.csv with what followed, findings.csv; input/ holds the frozen population and the files as they were filled in",
    ),
    ("manual/", "files that people attached to requirements: policies, contracts, tickets"),
    ("controls/", "the exact checks, frameworks, parameters and exceptions that were used"),
    ("calls.csv", "every request to AWS, with the id and the time that AWS gave its answer"),
    (
        "raw/",
        "every answer of AWS as received, and calls.jsonl, the log of all calls: when, what, with which parameters and request id",
    ),
    (
        "manifest.json",
        "for programs: scope, period, gaps, populations, and for each file its SHA-256, its size and the calls that it comes from",
    ),
    ("SHA256SUMS", "fingerprints of all files"),
    ("attestation", "the signature over manifest.json"),
    ("timestamp.tsr", "the time stamp"),
];

/// What checks the attestation without auditpack. A test runs these lines as they stand here.
const SIGNATURE: &[&str] = &[
    r#"sed 's/.*"payload":"\([^"]*\)".*/\1/' attestation | base64 -d > ../statement"#,
    r#"sed 's/.*"sig":"\([^"]*\)".*/\1/' attestation | base64 -d > ../signature"#,
    r"printf 'DSSEv1 28 application/vnd.in-toto+json %d ' \",
    "  $(wc -c < ../statement) | cat - ../statement > ../signed",
    r"openssl pkeyutl -verify -pubin -inkey ../PUBLIC-KEY.pem \",
    "  -rawin -in ../signed -sigfile ../signature",
    r#"grep -q "$(sha256sum < manifest.json | cut -c1-64)" ../statement &&"#,
    "  echo the signature is about this manifest",
    "openssl pkey -pubin -in ../PUBLIC-KEY.pem -outform DER | sha256sum",
];

const STATUSES: &[(&str, &str)] = &[
    ("fail", "the check does not hold for the resource"),
    ("unknown", "it cannot be said: AWS denied the call, or did not answer it completely. Never counted as a pass"),
    ("manual", "a person must answer"),
    ("pass", "the check holds, and all that it rests on was collected completely"),
    (
        "not-applicable",
        "the check does not concern the resource, or there is no such resource; the empty list is in the package",
    ),
];
