//! What there is to say about a principal, as text and as JSON.

use crate::evidence::Evidence;
use crate::iam::decision::StatementRef;
use crate::iam::{Context, Outcome, can};
use crate::resource::Access;
use crate::resource::access::{Analysed, is_upper_bound, statement_text, trust_statement_text, words};
use serde::Serialize;
use std::fmt::Write as _;

/// The answer. The names are public: programs read them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) struct Answer {
    format: &'static str,
    principal: String,
    kind: String,
    /// The question, if one was asked about an action.
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<Question>,
    verdict: String,
    /// Service control policies were not given, and could deny what is allowed.
    upper_bound: bool,
    reason: String,
    /// The condition keys that the verdict hangs on.
    conditions: Vec<String>,
    statements: Vec<Statement>,
    boundary: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    escalation_paths: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_tampering: Option<Tampering>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mfa: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trust: Option<Vec<Way>>,
    out_of_sight: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Question {
    action: String,
    resource: String,
}

#[derive(Debug, Serialize)]
struct Statement {
    place: String,
    effect: String,
    /// As its author wrote it.
    text: Option<String>,
}

#[derive(Debug, Serialize)]
struct Tampering {
    verdict: &'static str,
    allowed: Vec<String>,
    conditional: Vec<String>,
}

/// A way into the role.
#[derive(Debug, Serialize)]
struct Way {
    principal: String,
    kind: &'static str,
    action: &'static str,
    open: &'static str,
    statement: usize,
    text: Option<String>,
    external_id: &'static str,
    mfa: &'static str,
    mfa_max_age_seconds: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    oidc_width: Option<&'static str>,
    counter_examples: Vec<String>,
    problems: Vec<String>,
}

impl Answer {
    /// Can the principal do this?
    pub(super) fn action(
        evidence: &Evidence,
        access: &Access,
        analysed: Analysed<'_>,
        action: &str,
        resource: &str,
    ) -> Self {
        let decision = can(analysed.principal, action, resource, &Context::new());
        let mut answer = Self::start(evidence, access, analysed, &decision.statements);
        answer.question = Some(Question { action: action.to_owned(), resource: resource.to_owned() });
        answer.verdict = decision.outcome.id().to_owned();
        let on = if resource == "*" { "any resource".to_owned() } else { resource.to_owned() };
        answer.reason = match &decision.outcome {
            Outcome::Allow => format!("{action} on {on} is allowed in every request"),
            Outcome::ExplicitDeny => format!("{action} on {on} is denied by a statement, whatever else allows it"),
            Outcome::ImplicitDeny => format!("no statement that applies allows {action} on {on}"),
            Outcome::Conditional { keys } => {
                answer.conditions.clone_from(keys);
                format!("{action} on {on} is allowed in some requests and not in others")
            }
            Outcome::Unknown { reason } => reason.clone(),
        };
        answer
    }

    /// What is the principal, and who can become it?
    pub(super) fn principal(evidence: &Evidence, access: &Access, analysed: Analysed<'_>) -> Self {
        let report = &analysed.report.admin;
        let mut references = report.statements.clone();
        references.extend(report.denies.iter().cloned());
        let mut answer = Self::start(evidence, access, analysed, &references);
        answer.verdict = report.verdict.id().to_owned();
        answer.reason = words::bare_reason(report);
        answer.conditions.clone_from(&report.keys);
        answer.escalation_paths = report.paths.iter().map(words::escalation).collect();
        let found = &analysed.report.tampering;
        answer.log_tampering = Some(Tampering {
            verdict: words::tampering_verdict(found),
            allowed: words::tampering_actions(found, true),
            conditional: words::tampering_actions(found, false),
        });
        answer.mfa = analysed.report.mfa.as_ref().map(words::mfa);
        answer.trust = access.trust(&analysed.principal.arn).map(|trust| {
            if let Some(problem) = &trust.problem {
                answer.out_of_sight.push(format!("part of the trust policy: {problem}"));
            }
            let way = |path: &crate::iam::trust::TrustPath| Way {
                principal: path.principal.clone(),
                kind: path.kind.id(),
                action: path.action.name(),
                open: words::openness(path),
                statement: path.statement + 1,
                text: trust_statement_text(evidence, &trust.role, path.statement),
                external_id: path.requirements.external_id.id(),
                mfa: path.requirements.mfa.id(),
                mfa_max_age_seconds: words::mfa_limit(&path.requirements.mfa_limit).ok().flatten(),
                oidc_width: path.oidc.as_ref().map(|oidc| oidc.width.id()),
                counter_examples: words::counter_examples(path),
                problems: path.findings.iter().map(|finding| finding.detail.clone()).collect(),
            };
            trust.paths.iter().map(way).collect()
        });
        answer
    }

    fn start(evidence: &Evidence, access: &Access, analysed: Analysed<'_>, statements: &[StatementRef]) -> Self {
        let principal = analysed.principal;
        let mut out_of_sight = Vec::new();
        if is_upper_bound(principal) {
            out_of_sight.push(
                "service control policies of AWS Organizations: what is allowed here may be denied there (an upper bound); --scp takes them"
                    .to_owned(),
            );
        }
        out_of_sight.push("resource control policies of AWS Organizations, which can allow less".to_owned());
        out_of_sight.push("resource policies (of buckets, keys, queues, ...), which can allow more, and session and endpoint policies, which can allow less".to_owned());
        if let Some(hole) = access.hole(&principal.arn) {
            out_of_sight.push(format!("a document of the principal: {}: {}", hole.call, hole.reason));
        }
        if let Some(gap) = access.incomplete() {
            out_of_sight.push(format!(
                "users, roles, groups and policies that were not collected: {}: {}",
                gap.call, gap.reason
            ));
        }
        Self {
            format: "auditpack-explain/1",
            principal: principal.arn.clone(),
            kind: format!("{:?}", principal.kind).to_lowercase(),
            question: None,
            verdict: String::new(),
            upper_bound: is_upper_bound(principal),
            reason: String::new(),
            conditions: Vec::new(),
            statements: statements
                .iter()
                .map(|reference| Statement {
                    place: words::statement(reference),
                    effect: format!("{:?}", reference.effect).to_lowercase(),
                    text: access.scp_text(reference).or_else(|| statement_text(evidence, &principal.arn, reference)),
                })
                .collect(),
            boundary: principal.boundary.as_ref().map(|boundary| boundary.policy.to_string()),
            escalation_paths: Vec::new(),
            log_tampering: None,
            mfa: None,
            trust: None,
            out_of_sight,
        }
    }

    /// Whether there is no answer.
    pub(super) fn is_unknown(&self) -> bool {
        self.verdict == "unknown"
    }

    /// What a verdict that lets something through is worth.
    fn bound(&self) -> &'static str {
        let closed = ["explicit-deny", "implicit-deny", "not-admin", "unknown"].contains(&self.verdict.as_str());
        if self.upper_bound && !closed { " (an upper bound: service control policies were not given)" } else { "" }
    }

    /// The answer for people.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        // Writing to a String does not fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "{} {}", self.kind, shown(&self.principal))?;
        if let Some(question) = &self.question {
            writeln!(out, "{} on {}", shown(&question.action), shown(&question.resource))?;
        }
        writeln!(out, "\nVerdict     {}{}", self.verdict, self.bound())?;
        writeln!(out, "Because     {}", shown(&self.reason))?;
        if !self.conditions.is_empty() {
            writeln!(out, "Hangs on    {}", shown(&self.conditions.join(", ")))?;
        }
        match &self.boundary {
            Some(boundary) => writeln!(out, "Boundary    {}", shown(boundary))?,
            None => writeln!(out, "Boundary    none")?,
        }
        if let Some(mfa) = &self.mfa {
            writeln!(out, "MFA         {}", shown(mfa))?;
        }
        if !self.statements.is_empty() {
            writeln!(out, "\nStatements that decide")?;
            for statement in &self.statements {
                writeln!(out, "  {}: {}", statement.effect, shown(&statement.place))?;
                writeln!(
                    out,
                    "      {}",
                    shown(statement.text.as_deref().unwrap_or("(its text is not in the evidence)"))
                )?;
            }
        }
        if !self.escalation_paths.is_empty() {
            writeln!(out, "\nWays to become an administrator")?;
            for path in &self.escalation_paths {
                writeln!(out, "  - {}", shown(path))?;
            }
        }
        if let Some(tampering) = &self.log_tampering {
            writeln!(out, "\nCan it touch the records of what was done?  {}", tampering.verdict)?;
            for (word, actions) in [("allowed", &tampering.allowed), ("conditional", &tampering.conditional)] {
                if !actions.is_empty() {
                    writeln!(out, "  {word}: {}", actions.join(", "))?;
                }
            }
        }
        if let Some(ways) = &self.trust {
            writeln!(out, "\nWho can become it")?;
            if ways.is_empty() {
                writeln!(out, "  nobody: no way in was found")?;
            }
            for way in ways {
                write_way(out, way)?;
            }
        }
        writeln!(out, "\nOut of sight")?;
        for line in &self.out_of_sight {
            writeln!(out, "  - {}", shown(line))?;
        }
        Ok(())
    }
}

fn write_way(out: &mut String, way: &Way) -> std::fmt::Result {
    writeln!(
        out,
        "  - {} ({}, {}, {}), statement {}",
        shown(&way.principal),
        way.kind,
        way.action,
        way.open,
        way.statement
    )?;
    if let Some(text) = &way.text {
        writeln!(out, "      {}", shown(text))?;
    }
    let age = way.mfa_max_age_seconds.map_or_else(String::new, |age| format!(", at most {age} seconds old"));
    writeln!(out, "      external id {}; MFA {}{age}", way.external_id, way.mfa)?;
    if let Some(width) = way.oidc_width {
        writeln!(out, "      identities that get in: {width}")?;
    }
    for example in &way.counter_examples {
        writeln!(out, "      gets in: {}", shown(example))?;
    }
    for problem in &way.problems {
        writeln!(out, "      note: {}", shown(problem))?;
    }
    Ok(())
}

/// What comes from AWS, with what a terminal would obey made visible.
fn shown(text: &str) -> String {
    crate::report::words::visible(text).into_owned()
}
