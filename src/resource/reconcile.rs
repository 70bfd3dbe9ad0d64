//! Reconciliation: the same population as independent sources count it.
//!
//! A difference is explained by what happened between the answers, or it stays a difference that a reader is told of.

use super::Reconciliation;
use super::build::Source;
use super::events::{Entity, Events};
use super::input::Input;
use crate::evidence::config::{
    DescribeComplianceByConfigRule, DescribeConfigRuleEvaluationStatus, DescribeConfigRules,
};
use crate::evidence::{Document, Operation, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Names that only one of two sources knows: what the event history is to be asked about.
pub(super) fn watched(input: &Input<'_>) -> BTreeSet<Entity> {
    let mut names = BTreeSet::new();
    if let (Ok(_), Ok(_)) = (input.details.whole(), input.report.whole()) {
        let detailed = input.users.iter().filter(|(arn, _)| !input.reported.contains_key(*arn));
        names.extend(detailed.filter_map(|(_, (_, user))| user.user_name.clone()).map(Entity::User));
        let reported = input.reported.iter().filter(|(arn, _)| !input.users.contains_key(*arn));
        names.extend(reported.map(|(_, row)| Entity::User(row.user.clone())));
    }
    if let (Ok(details), Ok(list)) = (input.details.whole(), input.list_roles.whole()) {
        let detailed: BTreeSet<&str> =
            details.role_detail_list.iter().filter_map(|role| role.role_name.as_deref()).collect();
        let listed: BTreeSet<&str> = list.roles.iter().filter_map(|role| role.role_name.as_deref()).collect();
        names.extend(detailed.symmetric_difference(&listed).map(|name| Entity::Role((*name).to_owned())));
    }
    names
}

/// The users, roles, groups, customer-managed policies and Config rules as each source counts them.
pub(super) fn reconcile(input: &Input<'_>, events: &Events) -> Vec<Reconciliation> {
    let all = [users(input, events), roles(input, events), groups(input), policies(input)];
    all.into_iter().chain(rules(input)).collect()
}

/// A reconciliation in the making.
struct Ledger {
    population: &'static str,
    counts: Vec<(String, Option<i64>)>,
    differences: Vec<String>,
    agrees: bool,
}

impl Ledger {
    fn new(population: &'static str) -> Self {
        Self { population, counts: Vec::new(), differences: Vec::new(), agrees: true }
    }

    /// Adds a source's count, or the reason why it has none.
    fn count<'a, D: Document>(
        &mut self,
        source: &Source<'a, D>,
        count: impl FnOnce(&'a D) -> Option<usize>,
    ) -> Option<i64> {
        let operation = D::OPERATION;
        let counted = match source.whole() {
            Ok(document) => {
                let counted = count(document).and_then(|count| i64::try_from(count).ok());
                if counted.is_none() {
                    self.differences.push(format!("{operation} tells no count"));
                }
                counted
            }
            Err(gap) => {
                self.differences.push(format!("{operation} cannot be counted: {}", gap.reason));
                None
            }
        };
        self.counts.push((operation.to_string(), counted));
        counted
    }

    fn explained(&mut self, difference: String) {
        self.differences.push(difference);
    }

    fn unexplained(&mut self, difference: String) {
        self.differences.push(difference);
        self.agrees = false;
    }

    /// Compares the account summary's count with another source's.
    fn compare_summary(&mut self, summary: Option<i64>, other: Option<i64>, operation: Operation) {
        if let (Some(summary), Some(other)) = (summary, other)
            && summary != other
        {
            self.unexplained(format!(
                "{operation} lists {other}, {} counts {summary}; the summary can lag behind changes by a few minutes",
                Operation::IamGetAccountSummary
            ));
        }
    }

    fn finish(mut self) -> Reconciliation {
        // One source alone agrees with nobody.
        self.agrees &= self.counts.iter().filter(|(_, count)| count.is_some()).count() >= 2;
        Reconciliation {
            population: self.population.to_owned(),
            counts: self.counts,
            agrees: self.agrees,
            differences: self.differences,
        }
    }
}

fn users(input: &Input<'_>, events: &Events) -> Reconciliation {
    let mut ledger = Ledger::new("iam.user");
    let detailed = ledger.count(&input.details, |_| Some(input.users.len()));
    let reported = ledger.count(&input.report, |_| Some(input.reported.len()));
    let summed = ledger.count(&input.summary, |summary| in_summary(&summary.summary_map, "Users"));
    if detailed.is_some() && reported.is_some() {
        let generated = input.report.arrived().and_then(|report| report.generated);
        let mut detailed: Vec<_> = input.users.iter().filter(|(arn, _)| !input.reported.contains_key(*arn)).collect();
        detailed.sort_by_key(|(arn, _)| *arn);
        for (arn, (_, user)) in detailed {
            let changed = user.user_name.clone().map(|name| events.changes(&Entity::User(name)).created);
            let created = user.create_date.max(changed.flatten());
            let only = format!("{arn} is in the authorization details, not in the credential report");
            match (created, generated) {
                (Some(created), Some(generated)) if created > generated => {
                    ledger.explained(format!("{only}: made or renamed at {created}, the report at {generated}"));
                }
                _ => ledger.unexplained(format!("{only}: nothing collected explains it")),
            }
        }
        let mut reported: Vec<_> = input.reported.iter().filter(|(arn, _)| !input.users.contains_key(*arn)).collect();
        reported.sort_by_key(|(arn, _)| *arn);
        for (arn, row) in reported {
            let only = format!("{arn} is in the credential report, not in the authorization details");
            match events.changes(&Entity::User(row.user.clone())).removed {
                Some(removed) if generated.is_none_or(|generated| removed >= generated) => {
                    ledger.explained(format!("{only}: deleted or renamed at {removed}, after the report was made"));
                }
                _ => ledger.unexplained(format!("{only}: nothing collected explains it")),
            }
        }
    }
    match detailed {
        Some(_) => ledger.compare_summary(summed, detailed, Operation::IamGetAccountAuthorizationDetails),
        None => ledger.compare_summary(summed, reported, Operation::IamGetCredentialReport),
    }
    ledger.finish()
}

fn roles(input: &Input<'_>, events: &Events) -> Reconciliation {
    let mut ledger = Ledger::new("iam.role");
    let names =
        |names: Vec<Option<&str>>| -> BTreeSet<String> { names.into_iter().flatten().map(str::to_owned).collect() };
    let in_details = input.details.whole().map_or_else(
        |_| BTreeSet::new(),
        |details| names(details.role_detail_list.iter().map(|role| role.arn.as_deref()).collect()),
    );
    let in_list = input
        .list_roles
        .whole()
        .map_or_else(|_| BTreeSet::new(), |list| names(list.roles.iter().map(|role| role.arn.as_deref()).collect()));
    let detailed = ledger.count(&input.details, |_| Some(in_details.len()));
    let listed = ledger.count(&input.list_roles, |_| Some(in_list.len()));
    let summed = ledger.count(&input.summary, |summary| in_summary(&summary.summary_map, "Roles"));
    if detailed.is_some() && listed.is_some() {
        // Both were asked for within one run: only a change during the run explains a difference.
        let during = |time: Option<Timestamp>| time.filter(|time| *time >= input.as_of());
        for arn in in_details.symmetric_difference(&in_list) {
            let (here, there) = match in_details.contains(arn) {
                true => ("the authorization details", "ListRoles"),
                false => ("ListRoles", "the authorization details"),
            };
            let only = format!("{arn} is in {here}, not in {there}");
            let name = arn.rsplit_once('/').map_or(arn.as_str(), |(_, name)| name);
            let changes = events.changes(&Entity::Role(name.to_owned()));
            match during(changes.created).or(during(changes.removed)) {
                Some(time) => ledger.explained(format!("{only}: made or deleted at {time}, during the run")),
                None => ledger.unexplained(format!("{only}: nothing collected explains it")),
            }
        }
    }
    match detailed {
        Some(_) => ledger.compare_summary(summed, detailed, Operation::IamGetAccountAuthorizationDetails),
        None => ledger.compare_summary(summed, listed, Operation::IamListRoles),
    }
    ledger.finish()
}

fn groups(input: &Input<'_>) -> Reconciliation {
    let mut ledger = Ledger::new("iam.group");
    let detailed = ledger.count(&input.details, |details| Some(details.group_detail_list.len()));
    let summed = ledger.count(&input.summary, |summary| in_summary(&summary.summary_map, "Groups"));
    ledger.compare_summary(summed, detailed, Operation::IamGetAccountAuthorizationDetails);
    ledger.finish()
}

/// The summary counts customer-managed policies only.
fn policies(input: &Input<'_>) -> Reconciliation {
    let mut ledger = Ledger::new("iam.policy");
    let detailed = ledger.count(&input.details, |details| {
        Some(details.policies.iter().filter(|policy| !policy.is_aws_managed()).count())
    });
    let summed = ledger.count(&input.summary, |summary| in_summary(&summary.summary_map, "Policies"));
    ledger.compare_summary(summed, detailed, Operation::IamGetAccountAuthorizationDetails);
    ledger.finish()
}

/// The Config rules of all Regions. The lists of verdicts and of runs know no rule that is not there, so that a rule in
/// one of them shows that the list of rules is short. That they lack a rule, its own fields tell.
fn rules(input: &Input<'_>) -> Option<Reconciliation> {
    let of_rules = NamesInRegions::of::<DescribeConfigRules>(input, |told| {
        told.config_rules.iter().map(|rule| rule.config_rule_name.as_deref()).collect()
    })?;
    let others = [
        NamesInRegions::of::<DescribeComplianceByConfigRule>(input, |told| {
            told.compliance_by_config_rules.iter().map(|entry| entry.config_rule_name.as_deref()).collect()
        })?,
        NamesInRegions::of::<DescribeConfigRuleEvaluationStatus>(input, |told| {
            told.config_rules_evaluation_status.iter().map(|entry| entry.config_rule_name.as_deref()).collect()
        })?,
    ];
    let mut ledger = Ledger::new("config.rule");
    for source in std::iter::once(&of_rules).chain(&others) {
        ledger.counts.push((source.operation.to_string(), source.count()));
        for (region, names) in &source.regions {
            if let Err(reason) = names {
                ledger.explained(format!("{} in {region} cannot be counted: {reason}", source.operation));
            }
        }
    }
    for (region, listed) in &of_rules.regions {
        let Ok(listed) = listed else { continue };
        for other in &others {
            let Some(Ok(named)) = other.regions.get(region) else { continue };
            for name in named.difference(listed) {
                ledger.unexplained(format!(
                    "{name} in {region} is in {}, not in {}: nothing collected explains it",
                    other.operation, of_rules.operation
                ));
            }
            for name in listed.difference(named) {
                ledger.explained(format!(
                    "{name} in {region} is in {}, not in {}: what that would tell of it is unknown",
                    of_rules.operation, other.operation
                ));
            }
        }
    }
    Some(ledger.finish())
}

/// The names that an operation lists in each Region, or why they are not known.
struct NamesInRegions<'a> {
    operation: Operation,
    regions: BTreeMap<&'a str, Result<BTreeSet<&'a str>, String>>,
}

impl<'a> NamesInRegions<'a> {
    /// Nothing if the operation was not asked for.
    fn of<D: Document>(input: &'a Input<'_>, names: impl Fn(&'a D) -> Vec<Option<&'a str>>) -> Option<Self> {
        let operation = D::OPERATION;
        input.evidence.calls_of(operation).next()?;
        let in_region = |region: &&'a str| {
            let region = *region;
            let told = Source::<D>::regional(input.evidence, region).whole();
            let told = told.map(|told| names(told).into_iter().flatten().collect());
            (region, told.map_err(|gap| gap.reason.clone()))
        };
        Some(Self { operation, regions: input.regions.names.iter().map(in_region).collect() })
    }

    fn count(&self) -> Option<i64> {
        self.regions.values().map(|names| names.as_ref().ok().and_then(|names| i64::try_from(names.len()).ok())).sum()
    }
}

fn in_summary(counts: &std::collections::BTreeMap<String, i64>, name: &str) -> Option<usize> {
    counts.get(name).and_then(|count| usize::try_from(*count).ok())
}
