//! The summary that ends a run on the terminal.

use super::costs::{gap_costs, gap_count, gap_words};
use super::facts::{self, FrameworkFacts, Tally};
use super::trail_logs;
use super::words::{count, first, len, number, paragraph, size, visible};
use super::{Audit, Conclusion};
use crate::controls::Automation;
use crate::finding::{Severity, Status};
use crate::resource::{Kind, Population};
use anstyle::{AnsiColor, Style};

/// The package that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written<'a> {
    /// Its path, as the user should see it.
    pub path: &'a str,
    /// Its size in bytes.
    pub size: u64,
}

/// How many gaps are listed; the rest is counted.
const MOST_GAPS: usize = 8;
/// Where values begin.
const MARGIN: usize = 14;

/// The summary: account, caller, period, populations, findings, frameworks, gaps, package, and why the run exits
/// as it does. `width` is the terminal's, in columns; lines are no wider, except for tables below 64 columns.
/// Escape sequences for colour are written only when asked for.
pub fn summary(audit: &Audit<'_>, written: Option<&Written<'_>>, width: usize, colour: bool) -> String {
    let mut page = Page { out: String::new(), width: width.clamp(40, 120), colour };
    page.facts(audit);
    page.populations(audit);
    page.findings(audit);
    page.frameworks(audit);
    page.gaps(audit);
    page.for_attention(audit);
    page.ending(audit, written);
    page.out
}

struct Page {
    out: String,
    width: usize,
    colour: bool,
}

const HEADING: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

impl Page {
    fn styled(&self, style: Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn fact(&mut self, name: &str, text: &str) {
        let mut lines = String::new();
        paragraph(&mut lines, &format!("{name:<MARGIN$}"), text, self.width);
        // The name stands at the start of the first line and is styled once the line is laid out.
        let rest = lines.strip_prefix(name).unwrap_or(&lines).to_owned();
        let name = self.styled(HEADING, name);
        self.out.push_str(&name);
        self.out.push_str(&rest);
    }

    fn heading(&mut self, name: &str, columns: &str) {
        self.out.push('\n');
        let line = format!("{}{}", self.styled(HEADING, name), self.styled(DIM, columns));
        self.line(&line);
    }

    fn facts(&mut self, audit: &Audit<'_>) {
        self.fact("Account", &facts::account_words(audit));
        self.fact("Caller", &facts::caller_words(audit));
        self.fact("As of", &audit.evidence.as_of().zulu());
        self.fact("Period", &format!("{}{}", facts::period_words(audit), settled_words(audit)));
        if let Some(logs) = &audit.evidence.trail_logs {
            self.fact("Trail logs", &trail_logs::verdict_words(logs));
        }
        if let Some(restriction) = audit.evidence.run.events.restriction() {
            self.fact("Events", &visible(&restriction));
        }
        let regions: Vec<&str> = audit.evidence.regions.iter().map(String::as_str).collect();
        let regions = if regions.is_empty() { "none known".to_owned() } else { first(&regions, 6) };
        self.fact("Regions", &visible(&regions));
    }

    fn populations(&mut self, audit: &Audit<'_>) {
        self.heading("Populations", "");
        // Without a record of a review, its one row only says so.
        let told = |population: &&Population| population.kind != Kind::AccessReview || audit.resources.review.is_some();
        for population in audit.resources.populations.values().filter(told) {
            let schema = population.kind.schema();
            let rows = number(population.rows.len() as u64);
            let mut line = format!("  {:<22}{rows:>9}", schema.plural);
            if !population.incomplete.is_empty() {
                let known = if population.rows.is_empty() { "unknown" } else { "or more: not whole" };
                line = format!("  {:<22}{:>9}  ", schema.plural, if population.rows.is_empty() { "?" } else { &rows });
                line.push_str(&self.styled(status_style(Status::Unknown), known));
            }
            self.line(&line);
        }
        for of in audit.resources.reconciliation.iter().filter(|r| !r.agrees) {
            let text = format!("{}: {}", facts::standing_words(of), facts::difference_words(of));
            paragraph(&mut self.out, "  ", &visible(&text), self.width);
        }
    }

    fn findings(&mut self, audit: &Audit<'_>) {
        self.heading(
            &format!("{:<24}", "Findings"),
            &format!("{:>7}{:>10}{:>9}{:>8}{:>8}{:>7}", "open", "excepted", "unknown", "manual", "pass", "n/a"),
        );
        for (severity, tally) in facts::by_severity(audit) {
            let line = format!("  {:<22}{}", severity.word(), self.counts(&tally, severity));
            self.line(&line);
        }
    }

    fn counts(&self, tally: &Tally, severity: Severity) -> String {
        let fail = format!("{:>7}", number(tally.open()));
        let unknown = format!("{:>9}", number(tally.get(Status::Unknown)));
        format!(
            "{}{:>10}{}{:>8}{:>8}{:>7}",
            if tally.open() > 0 { self.styled(severity_style(severity), &fail) } else { fail },
            number(tally.excepted),
            if tally.get(Status::Unknown) > 0 { self.styled(status_style(Status::Unknown), &unknown) } else { unknown },
            number(tally.get(Status::Manual)),
            number(tally.get(Status::Pass)),
            number(tally.get(Status::NotApplicable)),
        )
    }

    fn frameworks(&mut self, audit: &Audit<'_>) {
        self.heading(
            &format!("{:<22}", "Requirements"),
            &format!("{:>6}{:>9}{:>8}{:>6}{:>5}   full/partial/manual", "fail", "unknown", "manual", "pass", "n/a"),
        );
        for facts in facts::frameworks(audit) {
            let line = self.framework(&facts);
            self.line(&line);
        }
    }

    fn framework(&self, facts: &FrameworkFacts<'_>) -> String {
        let title: String = visible(&facts.framework.title).chars().take(20).collect();
        let n = |status| number(facts.with_status(status));
        let (fail, unknown) = (format!("{:>6}", n(Status::Fail)), format!("{:>9}", n(Status::Unknown)));
        let style = |status, text: String| match facts.with_status(status) {
            0 => text,
            _ => self.styled(status_style(status), &text),
        };
        format!(
            "  {title:<20}{}{}{:>8}{:>6}{:>5}   {}/{}/{}",
            style(Status::Fail, fail),
            style(Status::Unknown, unknown),
            n(Status::Manual),
            n(Status::Pass),
            n(Status::NotApplicable),
            facts.with_automation(Automation::Full),
            facts.with_automation(Automation::Partial),
            facts.with_automation(Automation::Manual),
        )
    }

    fn gaps(&mut self, audit: &Audit<'_>) {
        let costs = gap_costs(audit);
        let notes: Vec<_> = audit.evidence.notes.iter().filter(|note| note.incomplete).collect();
        if costs.is_empty() && notes.is_empty() {
            return;
        }
        let total = gap_count(&costs) + notes.len() as u64;
        self.heading(&format!("Gaps ({})", number(total)), "");
        let mut items: Vec<(u64, String)> = costs.iter().map(|cost| (len(&cost.calls), gap_words(cost))).collect();
        items.extend(notes.iter().map(|note| (1, visible(&format!("{}: {}", note.place, note.text)).into_owned())));
        for (_, text) in items.iter().take(MOST_GAPS) {
            paragraph(&mut self.out, "  - ", text, self.width);
        }
        let more: u64 = items.iter().skip(MOST_GAPS).map(|(calls, _)| calls).sum();
        if more > 0 {
            self.line(&format!("  and {} more, in report.html", number(more)));
        }
    }

    /// Exceptions and attached files that somebody should look at.
    fn for_attention(&mut self, audit: &Audit<'_>) {
        let remarks = facts::remarks(audit);
        if remarks.is_empty() {
            return;
        }
        self.heading(&format!("To look at ({})", number(remarks.len() as u64)), "");
        for text in remarks.iter().take(MOST_GAPS) {
            paragraph(&mut self.out, "  - ", text, self.width);
        }
        let more = remarks.len().saturating_sub(MOST_GAPS) as u64;
        if more > 0 {
            self.line(&format!("  and {} more, in report.html", number(more)));
        }
    }

    fn ending(&mut self, audit: &Audit<'_>, written: Option<&Written<'_>>) {
        self.out.push('\n');
        if let Some(written) = written {
            // The path stands on a line of its own, unbroken, to be copied.
            let line = format!(
                "{}{} ({})",
                self.styled(HEADING, &format!("{:<MARGIN$}", "Package")),
                visible(written.path),
                size(written.size)
            );
            self.line(&line);
        }
        let conclusion = audit.conclusion();
        let style = match conclusion {
            Conclusion::Clean => AnsiColor::Green.on_default().bold(),
            Conclusion::Failed => AnsiColor::Red.on_default().bold(),
            Conclusion::Incomplete => AnsiColor::Yellow.on_default().bold(),
        };
        let exit = format!("Exit {}", conclusion.exit_code());
        let mut lines = String::new();
        let lead = format!("{exit:<MARGIN$}");
        paragraph(&mut lines, &lead, &facts::conclusion_words(audit).join(" "), self.width);
        let rest = lines.strip_prefix(&exit).unwrap_or(&lines).to_owned();
        let exit = self.styled(style, &exit);
        self.out.push_str(&exit);
        self.out.push_str(&rest);
    }
}

/// Until when events can be believed to be complete, if any control asks for them.
fn settled_words(audit: &Audit<'_>) -> String {
    let coverage: Vec<_> = facts::coverage(audit).into_iter().filter(|c| c.outcome.is_some()).collect();
    let incomplete = coverage.iter().filter(|c| c.settled_through.is_none()).count() as u64;
    match (coverage.iter().filter_map(|c| c.settled_through).min(), incomplete) {
        (Some(time), 0) => format!(", events settled through {}", time.zulu()),
        (_, 0) => String::new(),
        (_, n) => format!(", events incomplete in {}", count(n, "Region", "Regions")),
    }
}

fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => AnsiColor::Red.on_default().bold(),
        Severity::Medium => AnsiColor::Yellow.on_default(),
        Severity::Low => Style::new(),
    }
}

fn status_style(status: Status) -> Style {
    match status {
        Status::Fail => AnsiColor::Red.on_default(),
        Status::Unknown => AnsiColor::Yellow.on_default(),
        _ => Style::new(),
    }
}
