//! The requirements of each framework, and what people must still provide.

use super::findings::Counts;
use super::{Context, Link, command};
use crate::controls::{Automation, Requirement};
use crate::evidence::CallId;
use crate::finding::{Finding, Status};
use crate::report::facts::{self, FrameworkFacts, RequirementFacts, Tally};
use crate::report::tables::requirement_calls;
use crate::report::words::{Shown, number};
use std::collections::{BTreeMap, BTreeSet};

/// How many failing resources of a check are named.
const MOST_NAMES: usize = 5;

pub(super) struct FrameworkView {
    pub(super) anchor: String,
    pub(super) title: Shown,
    pub(super) edition: Shown,
    pub(super) scope: Shown,
    pub(super) notes: Vec<Shown>,
    pub(super) total: usize,
    pub(super) statuses: Vec<StatusCount>,
    pub(super) automation: String,
    pub(super) groups: Vec<Group>,
}

pub(super) struct StatusCount {
    pub(super) word: &'static str,
    pub(super) class: &'static str,
    pub(super) count: u64,
}

pub(super) struct Group {
    pub(super) title: Shown,
    pub(super) requirements: Vec<RequirementView>,
}

pub(super) struct RequirementView {
    pub(super) anchor: String,
    pub(super) id: Shown,
    pub(super) title: Shown,
    pub(super) automation: &'static str,
    pub(super) status: &'static str,
    pub(super) status_class: &'static str,
    pub(super) counts: Counts,
    pub(super) manual: Shown,
    pub(super) attached: Vec<AttachedView>,
    pub(super) checks: Vec<CheckLine>,
    pub(super) evidence: Vec<EvidenceLink>,
    /// What Config rules that are not deployed would tell.
    pub(super) without_evidence: Vec<Link>,
}

/// A file that somebody attached.
pub(super) struct AttachedView {
    pub(super) link: Link,
    pub(super) description: Shown,
    pub(super) owner: Shown,
    pub(super) date: String,
    pub(super) state: String,
    pub(super) out_of_date: bool,
}

pub(super) struct CheckLine {
    pub(super) title: Shown,
    pub(super) target: String,
    pub(super) severity: &'static str,
    pub(super) severity_class: &'static str,
    pub(super) status: &'static str,
    pub(super) status_class: &'static str,
    pub(super) counts: String,
    pub(super) names: Vec<Shown>,
    pub(super) more: String,
}

/// A document, or the place in the appendix that lists the documents of an operation.
pub(super) enum EvidenceLink {
    Document(Link),
    Operation { target: String, text: String },
}

pub(super) fn view(context: &Context<'_>) -> Vec<FrameworkView> {
    let findings = facts::by_check(&context.audit);
    let mut documents: BTreeMap<crate::evidence::Operation, Vec<&CallId>> = BTreeMap::new();
    for (call, _) in context.audit.evidence.calls() {
        documents.entry(call.operation).or_default().push(call);
    }
    let builder = Builder { context, findings, documents };
    facts::frameworks(&context.audit).iter().map(|facts| builder.framework(facts)).collect()
}

struct Builder<'a, 'c> {
    context: &'c Context<'a>,
    findings: BTreeMap<&'a str, Vec<&'a Finding>>,
    documents: BTreeMap<crate::evidence::Operation, Vec<&'a CallId>>,
}

impl Builder<'_, '_> {
    fn framework(&self, facts: &FrameworkFacts<'_>) -> FrameworkView {
        let framework = facts.framework;
        let mut groups: Vec<Group> = Vec::new();
        for of in &facts.requirements {
            let view = self.requirement(&framework.id, of);
            let title = Shown::from(&of.requirement.group);
            match groups.last_mut() {
                Some(group) if group.title == title => group.requirements.push(view),
                _ => groups.push(Group { title, requirements: vec![view] }),
            }
        }
        FrameworkView {
            anchor: super::anchor("framework", &framework.id),
            title: (&framework.title).into(),
            edition: (&framework.edition).into(),
            scope: (&framework.scope).into(),
            notes: framework.notes.iter().map(Shown::from).collect(),
            total: facts.requirements.len(),
            statuses: Status::ALL
                .iter()
                .rev()
                .map(|status| StatusCount {
                    word: status.word(),
                    class: super::status_class(*status),
                    count: facts.with_status(*status),
                })
                .filter(|status| status.count > 0)
                .collect(),
            automation: automation_words(facts),
            groups,
        }
    }

    fn requirement(&self, framework: &str, of: &RequirementFacts<'_>) -> RequirementView {
        let requirement = of.requirement;
        let silent: BTreeSet<&String> = of.without_evidence.iter().collect();
        let checks: BTreeSet<&String> = requirement.checks.iter().filter(|id| !silent.contains(id)).collect();
        let mut checks: Vec<(Status, CheckLine)> = checks.into_iter().map(|id| self.check(id)).collect();
        checks.sort_by_key(|(status, _)| std::cmp::Reverse(*status));
        RequirementView {
            anchor: super::anchor("requirement", &format!("{framework} {}", requirement.id)),
            id: (&requirement.id).into(),
            title: (&requirement.title).into(),
            automation: requirement.automation.word(),
            status: of.status.word(),
            status_class: super::status_class(of.status),
            counts: Counts::of(&of.tally),
            manual: requirement.manual.as_deref().unwrap_or_default().into(),
            attached: self.attached(&format!("{framework} {}", requirement.id)),
            checks: checks.into_iter().map(|(_, line)| line).collect(),
            evidence: self.evidence(requirement),
            without_evidence: silent.into_iter().map(|id| self.not_deployed(id)).collect(),
        }
    }

    fn attached(&self, requirement: &str) -> Vec<AttachedView> {
        let as_of = self.context.audit.evidence.as_of();
        let manual = self.context.audit.controls.settings.manual.iter();
        manual
            .filter(|evidence| evidence.requirements.iter().any(|named| named == requirement))
            .map(|evidence| AttachedView {
                link: self.context.link(&evidence.path, &evidence.path),
                description: (&evidence.description).into(),
                owner: (&evidence.owner).into(),
                date: evidence.date.to_string(),
                state: evidence.state(as_of),
                out_of_date: evidence.is_out_of_date(as_of),
            })
            .collect()
    }

    fn check(&self, id: &str) -> (Status, CheckLine) {
        let check = self.context.audit.controls.checks.get(id);
        let findings = self.findings.get(id).map(Vec::as_slice).unwrap_or_default();
        let status = findings.iter().map(|f| f.status).max().unwrap_or(Status::Unknown);
        let severity = check.map_or(crate::finding::Severity::Low, |check| check.severity);
        let failing: Vec<&&Finding> = findings.iter().filter(|f| f.is_open_failure()).collect();
        let names = failing.iter().filter_map(|f| f.resource.as_ref()).map(|resource| match &resource.region {
            Some(region) if resource.name != *region => format!("{} ({region})", resource.name),
            _ => resource.name.clone(),
        });
        let names: Vec<Shown> = names.take(MOST_NAMES).map(Shown::from).collect();
        let detailed = matches!(status, Status::Fail | Status::Unknown | Status::Manual);
        let line = CheckLine {
            title: check.map_or(id, |check| &check.title).into(),
            target: super::anchor(if detailed { "check" } else { "definition" }, id),
            severity: severity.word(),
            severity_class: super::weight(severity, status),
            status: status.word(),
            status_class: super::status_class(status),
            counts: counts_words(&Tally::of(findings.iter().copied())),
            more: match failing.len().saturating_sub(names.len()) {
                0 => String::new(),
                more => number(more as u64),
            },
            names,
        };
        (status, line)
    }

    /// A check whose Config rule is not deployed, linked to its definition.
    fn not_deployed(&self, id: &str) -> Link {
        let title = self.context.audit.controls.checks.get(id).map_or(id, |check| check.title.as_str());
        Link { href: Some(format!("#{}", super::anchor("definition", id))), text: title.into(), at: Shown::default() }
    }

    /// One document is linked itself; several are listed once, in the appendix.
    fn evidence(&self, requirement: &Requirement) -> Vec<EvidenceLink> {
        let link = |operation| match self.documents.get(&operation).map(Vec::as_slice) {
            Some([call]) => EvidenceLink::Document(self.context.document(call, &command(operation))),
            _ => EvidenceLink::Operation {
                target: super::anchor("call", &operation.to_string()),
                text: command(operation),
            },
        };
        requirement_calls(&self.context.audit, requirement).into_iter().map(link).collect()
    }
}

/// `2 fail, 1 excepted, 40 pass`.
fn counts_words(tally: &Tally) -> String {
    let parts = [
        (tally.open(), "fail"),
        (tally.excepted, "excepted"),
        (tally.get(Status::Unknown), "unknown"),
        (tally.get(Status::Manual), "manual"),
        (tally.get(Status::Pass), "pass"),
        (tally.get(Status::NotApplicable), "not applicable"),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", number(*n))).collect();
    if parts.is_empty() { "no finding".to_owned() } else { parts.join(", ") }
}

fn automation_words(facts: &FrameworkFacts<'_>) -> String {
    let of = |automation: Automation| format!("{} {}", facts.with_automation(automation), automation.word());
    [Automation::Full, Automation::Partial, Automation::Manual].map(of).join(", ")
}

/// What AWS cannot show at all.
pub(super) struct ManualView {
    pub(super) findings: Vec<ManualFinding>,
    pub(super) frameworks: Vec<ManualFramework>,
}

pub(super) struct ManualFinding {
    pub(super) check: Shown,
    pub(super) resource: Shown,
    pub(super) message: Shown,
}

pub(super) struct ManualFramework {
    pub(super) title: Shown,
    pub(super) rows: Vec<ManualRow>,
}

pub(super) struct ManualRow {
    pub(super) id: Shown,
    pub(super) target: String,
    pub(super) title: Shown,
    pub(super) manual: Shown,
}

pub(super) fn manual(context: &Context<'_>) -> ManualView {
    let audit = &context.audit;
    let finding = |finding: &Finding| ManualFinding {
        check: audit.controls.checks.get(&*finding.check).map_or(&*finding.check, |check| &*check.title).into(),
        resource: finding.resource.as_ref().map(|r| r.name.as_str()).unwrap_or_default().into(),
        message: (&finding.message).into(),
    };
    let framework = |framework: &crate::controls::Framework| ManualFramework {
        title: (&framework.title).into(),
        rows: framework
            .requirements
            .iter()
            .filter(|requirement| requirement.automation == Automation::Manual)
            .map(|requirement| ManualRow {
                id: (&requirement.id).into(),
                target: super::anchor("requirement", &format!("{} {}", framework.id, requirement.id)),
                title: (&requirement.title).into(),
                manual: requirement.manual.as_deref().unwrap_or_default().into(),
            })
            .collect(),
    };
    ManualView {
        findings: audit
            .evaluation
            .findings
            .iter()
            .filter(|f| f.status == Status::Manual)
            .take(MOST_MANUAL)
            .map(finding)
            .collect(),
        frameworks: audit.controls.frameworks.values().map(framework).filter(|f| !f.rows.is_empty()).collect(),
    }
}

/// How many findings that a person must answer are listed; all are in findings.csv.
const MOST_MANUAL: usize = 200;
