//! The judging of one population by the checks of its kind.

use super::config_verdicts::AwsConfig;
use super::exception;
use crate::controls::check::Verdict;
use crate::controls::expression::Surroundings;
use crate::controls::message::Facts;
use crate::controls::{Check, Controls, RuleSelector};
use crate::evidence::{CallId, Evidence, Operation};
use crate::finding::{Exception, Finding, Pointer, ResourceRef, Status, Text};
use crate::resource::{Field, FieldValue, Kind, Population, Resource, Resources, Unknown, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What all checks share: made once.
pub(super) struct Judge<'a> {
    evidence: &'a Evidence,
    resources: &'a Resources,
    controls: &'a Controls,
    account: Option<&'a Resource>,
    surroundings: Surroundings,
    aws_config: AwsConfig<'a>,
}

/// One check with what is the same for all rows.
struct Prepared<'a> {
    check: &'a Check,
    id: Text,
    title: Text,
    scope_reason: Text,
    own_fields: Vec<&'static Field>,
    own_operations: BTreeSet<Operation>,
    /// The fields of the account that it reads and that are not known.
    account_unknown: Vec<(String, Unknown)>,
    account_evidence: BTreeSet<Pointer>,
    /// Which of the checks rest on the same calls: their findings on a row share the list of places.
    places: usize,
    exceptions: Vec<&'a Exception>,
}

/// What the findings on one row share.
struct About<'r> {
    resource: &'r Resource,
    reference: &'r Arc<ResourceRef>,
    places: &'r Arc<[Pointer]>,
    /// How AWS Config calls the resource.
    names: &'r [Text],
}

impl<'a> Judge<'a> {
    pub(super) fn new(evidence: &'a Evidence, resources: &'a Resources, controls: &'a Controls) -> Self {
        let account = resources.populations.get(&Kind::Account).and_then(|population| population.rows.first());
        let known = account.into_iter().flat_map(|row| row.fields.iter());
        let known = known.filter_map(|(name, value)| Some((name, value.known()?)));
        let surroundings = Surroundings::new(known, &controls.settings.parameters, &evidence.as_of().zulu());
        let aws_config = AwsConfig::new(evidence, resources, controls);
        Self { evidence, resources, controls, account, surroundings, aws_config }
    }

    /// All findings of one kind.
    pub(super) fn population(&self, kind: Kind, checks: &[&'a Check], findings: &mut Vec<Finding>) {
        let mut prepared: Vec<Prepared<'a>> = checks.iter().map(|check| self.prepare(check)).collect();
        let distinct = number_places(&mut prepared);
        let missing;
        let population = match self.resources.populations.get(&kind) {
            Some(population) => population,
            None => {
                missing = not_derived(kind);
                &missing
            }
        };
        let selected = Selection::of(checks, population);
        let read: BTreeSet<&str> = prepared.iter().flat_map(|p| &p.own_fields).map(|field| field.name).collect();
        for resource in &population.rows {
            let known = read.iter().filter_map(|name| Some((*name, resource.fields.get(name)?.known()?)));
            let row = self.surroundings.row(known);
            let reference = Arc::new(resource.reference());
            let names = self.aws_config.names(resource);
            let mut places: Vec<Option<Arc<[Pointer]>>> = vec![None; distinct];
            for prepared in &prepared {
                if selected.judges(prepared.check, resource) {
                    // The number is an index into as many as there are numbers.
                    let places = places[prepared.places].get_or_insert_with(|| self.pointers(prepared, resource));
                    let about = About { resource, reference: &reference, places, names: &names };
                    findings.push(self.finding(prepared, &about, |whole| prepared.check.judge(&row, whole)));
                }
            }
        }
        for prepared in &prepared {
            findings.extend(of_population(prepared, population, &self.aws_config));
            findings.extend(self.not_deployed(prepared, population, &selected));
        }
    }

    fn prepare(&self, check: &'a Check) -> Prepared<'a> {
        let mut own_fields: Vec<&'static Field> = check.own_fields().collect();
        own_fields.sort_by_key(|field| field.name);
        own_fields.dedup_by_key(|field| field.name);
        let account_fields: BTreeMap<&str, &'static Field> =
            check.account_fields().map(|field| (field.name, field)).collect();
        let mut account_unknown = Vec::new();
        let mut account_evidence = BTreeSet::new();
        for field in account_fields.values() {
            account_unknown.extend(self.account_gap(field).map(|gap| (format!("account.{}", field.name), gap)));
            if let Some(account) = self.account {
                account_evidence.extend(self.account_pointers(account, field.calls.iter().copied()));
            }
        }
        let settings = &self.controls.settings;
        Prepared {
            check,
            id: check.id.as_str().into(),
            title: check.title.as_str().into(),
            scope_reason: check.scope_reason.as_deref().unwrap_or_default().into(),
            own_operations: own_fields.iter().flat_map(|field| field.calls.iter().copied()).collect(),
            own_fields,
            account_unknown,
            account_evidence,
            places: 0,
            exceptions: settings.exceptions.iter().filter(|exception| exception.check == check.id).collect(),
        }
    }

    /// Why a field of the account is not known, if it is not.
    fn account_gap(&self, field: &'static Field) -> Option<Unknown> {
        match self.account {
            Some(account) => gap(account, field),
            None => {
                let population = self.resources.populations.get(&Kind::Account);
                let reason = population.and_then(|population| population.incomplete.first().cloned());
                Some(reason.unwrap_or_else(|| no_reason(field.calls)))
            }
        }
    }

    fn finding(&self, prepared: &Prepared<'_>, about: &About<'_>, judge: impl FnOnce(bool) -> Verdict) -> Finding {
        let (check, resource) = (prepared.check, about.resource);
        let own = prepared.own_fields.iter().filter_map(|field| Some((field.name.to_owned(), gap(resource, field)?)));
        let mut unknown: Vec<(String, Unknown)> = own.collect();
        unknown.extend(prepared.account_unknown.iter().cloned());
        if check.rule.is_some() {
            unknown.extend(self.aws_config.doubts(resource));
        }
        let verdict = judge(unknown.is_empty());
        let (status, message): (Status, Text) = match verdict {
            Verdict::Pass => (Status::Pass, prepared.title.clone()),
            Verdict::NotApplicable => (Status::NotApplicable, prepared.scope_reason.clone()),
            Verdict::Fail => (Status::Fail, check.message.render(&RowFacts { judge: self, resource }).into()),
            Verdict::Unknown(reason) if unknown.is_empty() => {
                let why = without_value(prepared, resource).unwrap_or(reason);
                (Status::Unknown, format!("cannot be judged for {}: {why}", resource.name).into())
            }
            Verdict::Unknown(_) => {
                (Status::Unknown, format!("not known for {}: {}", resource.name, reasons(&unknown)).into())
            }
        };
        let exception = (status == Status::Fail)
            .then(|| exception::covering(&prepared.exceptions, resource, self.evidence.as_of()))
            .flatten();
        let missing =
            if status == Status::Unknown { operations(unknown.iter().map(|(_, gap)| gap)) } else { Vec::new() };
        Finding {
            check: prepared.id.clone(),
            status,
            severity: check.severity,
            resource: Some(Arc::clone(about.reference)),
            message,
            evidence: Arc::clone(about.places),
            missing: missing.into(),
            config_rules: self.aws_config.verdicts(check, about.names),
            exception: exception.cloned().map(Box::new),
        }
    }

    /// Where no rule that a check asks is deployed: there AWS gives no evidence.
    fn not_deployed(
        &self,
        prepared: &Prepared<'_>,
        population: &Population,
        selected: &Selection<'_>,
    ) -> Option<Finding> {
        let check = prepared.check;
        let what = match check.rule.as_ref()? {
            RuleSelector::Identifier(identifier) => format!("AWS Config's rule {identifier}"),
            RuleSelector::Name(name) => format!("a Config rule named {name}"),
            RuleSelector::Others => return None,
        };
        if population.rows.is_empty() || !population.incomplete.is_empty() {
            return None; // said already
        }
        let deployed: BTreeSet<&str> = (population.rows.iter())
            .filter(|row| selected.judges(check, row))
            .filter_map(|row| row.region.as_deref())
            .collect();
        let regions = match self.account.and_then(|account| account.fields.get("regions")?.known()) {
            Some(Value::List(regions)) => regions.as_slice(),
            _ => &[],
        };
        let missing: Vec<&str> = regions
            .iter()
            .filter_map(|region| match region {
                Value::Text(region) => Some(region.as_str()),
                _ => None,
            })
            .filter(|region| !deployed.contains(region))
            .collect();
        let message = match (deployed.is_empty(), missing.is_empty()) {
            (true, _) => format!("no evidence: {what} is not deployed in any Region in scope"),
            (false, false) => format!("no evidence from {}: {what} is not deployed there", missing.join(", ")),
            (false, true) => return None,
        };
        Some(Finding {
            check: prepared.id.clone(),
            status: Status::NotApplicable,
            severity: check.severity,
            resource: None,
            message: message.into(),
            evidence: population.sources.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect(),
            missing: Box::default(),
            config_rules: Box::default(),
            exception: None,
        })
    }

    /// Where the package shows what a verdict rests on.
    fn pointers(&self, prepared: &Prepared<'_>, resource: &Resource) -> Arc<[Pointer]> {
        let operations = prepared.own_operations.iter().copied();
        let mut pointers: BTreeSet<Pointer> = if resource.kind == Kind::Account {
            self.account_pointers(resource, operations)
        } else {
            operations.flat_map(|operation| resource.places(operation)).cloned().collect()
        };
        if pointers.is_empty() {
            pointers.extend(resource.sources.iter().map(|(_, place)| place.clone()));
        }
        pointers.extend(prepared.account_evidence.iter().cloned());
        pointers.into_iter().collect()
    }

    /// The places that the account's row names for operations; where it names none, the operations' documents.
    fn account_pointers(&self, account: &Resource, operations: impl Iterator<Item = Operation>) -> BTreeSet<Pointer> {
        let mut pointers = BTreeSet::new();
        for operation in operations {
            let mut named = account.places(operation).cloned().peekable();
            if named.peek().is_some() {
                pointers.extend(named);
                continue;
            }
            pointers.extend(
                (self.evidence.calls_of(operation))
                    .filter(|(_, outcome)| outcome.arrived().is_some())
                    .map(|(call, _)| document(call)),
            );
        }
        pointers
    }
}

/// Numbers the distinct sets of calls that checks rest on, and tells how many there are.
fn number_places(prepared: &mut [Prepared<'_>]) -> usize {
    let mut numbers = BTreeMap::new();
    for one in prepared {
        let next = numbers.len();
        one.places = *numbers.entry((one.own_operations.clone(), one.account_evidence.clone())).or_insert(next);
    }
    numbers.len()
}

/// Which rows a check judges, of those of its kind: all, or the Config rules that it selects.
struct Selection<'a> {
    /// The selectors of all checks, to tell what is left for the others.
    selectors: Vec<&'a RuleSelector>,
}

impl<'a> Selection<'a> {
    fn of(checks: &[&'a Check], population: &Population) -> Self {
        let rules = population.kind == Kind::ConfigRule;
        Self { selectors: checks.iter().filter(|_| rules).filter_map(|check| check.rule.as_ref()).collect() }
    }

    fn judges(&self, check: &Check, resource: &Resource) -> bool {
        let Some(selector) = &check.rule else { return true };
        let identifier = match resource.fields.get("source_identifier").and_then(FieldValue::known) {
            Some(Value::Text(identifier)) => Some(identifier.as_str()),
            _ => None,
        };
        let selects = |selector: &RuleSelector| selector.selects(&resource.name, identifier);
        match selector {
            RuleSelector::Others => !self.selectors.iter().any(|selector| selects(selector)),
            selector => selects(selector),
        }
    }
}

struct RowFacts<'a> {
    judge: &'a Judge<'a>,
    resource: &'a Resource,
}

impl Facts for RowFacts<'_> {
    fn field(&self, name: &str) -> Option<&Value> {
        self.resource.fields.get(name)?.known()
    }
    fn account(&self, name: &str) -> Option<&Value> {
        self.judge.account?.fields.get(name)?.known()
    }
    fn parameter(&self, name: &str) -> Option<&Value> {
        self.judge.controls.settings.parameters.get(name)
    }
}

/// What there is to say about a population as a whole: that it is empty, or that it may have more rows.
fn of_population(prepared: &Prepared<'_>, population: &Population, aws_config: &AwsConfig<'_>) -> Option<Finding> {
    let schema = population.kind.schema();
    let (status, message) = match (population.rows.len(), population.incomplete.is_empty()) {
        (0, true) => (Status::NotApplicable, format!("there are no {} in scope", schema.plural)),
        (_, true) => return None,
        (rows, false) => {
            let found = if rows == 0 { "none was found".to_owned() } else { format!("{rows} were found") };
            let why: BTreeSet<String> = population.incomplete.iter().map(because).collect();
            let why: Vec<String> = why.into_iter().collect();
            (Status::Unknown, format!("there may be more {}: {found}, but {}", schema.plural, shortened(&why)))
        }
    };
    Some(Finding {
        check: prepared.id.clone(),
        status,
        severity: prepared.check.severity,
        resource: None,
        message: message.into(),
        evidence: population.sources.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect(),
        missing: operations(population.incomplete.iter()).into(),
        config_rules: aws_config.verdicts(prepared.check, &[]),
        exception: None,
    })
}

/// Why a field of a row is not known, if it is not. A field that the row lacks is not known either.
fn gap(resource: &Resource, field: &Field) -> Option<Unknown> {
    match resource.fields.get(field.name) {
        Some(FieldValue::Known(_)) => None,
        Some(FieldValue::Unknown(unknown)) => Some(Unknown::clone(unknown)),
        None => Some(no_reason(field.calls)),
    }
}

/// The fields that are null, where everything is known and the check still has no answer: it has none for these.
fn without_value(prepared: &Prepared<'_>, resource: &Resource) -> Option<String> {
    let null =
        |field: &&&'static Field| resource.fields.get(field.name).and_then(FieldValue::known) == Some(&Value::Null);
    let null: Vec<&str> = prepared.own_fields.iter().filter(null).map(|field| field.name).collect();
    (!null.is_empty()).then(|| format!("AWS gives no value for {}", null.join(", ")))
}

/// A population that nobody derived: a defect of ours, which must not look like an empty one.
fn not_derived(kind: Kind) -> Population {
    let incomplete = vec![no_reason(kind.schema().population)];
    Population { kind, rows: Vec::new(), incomplete, sources: Vec::new() }
}

fn no_reason(calls: &[Operation]) -> Unknown {
    let operation = calls.first().copied().unwrap_or(Operation::StsGetCallerIdentity);
    Unknown { call: CallId::global(operation), reason: "was not read".to_owned() }
}

fn document(call: &CallId) -> Pointer {
    Pointer { file: format!("evidence/{}", call.document_path()).into(), at: Text::default() }
}

fn because(unknown: &Unknown) -> String {
    format!("{}: {}", unknown.call, unknown.reason)
}

/// The fields that are not known, together where the reason is the same.
fn reasons(unknown: &[(String, Unknown)]) -> String {
    let mut by_reason: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (field, unknown) in unknown {
        by_reason.entry(because(unknown)).or_default().push(field);
    }
    let reasons: Vec<String> =
        by_reason.into_iter().map(|(reason, fields)| format!("{} ({reason})", fields.join(", "))).collect();
    reasons.join("; ")
}

/// The first few of many reasons.
fn shortened(reasons: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut text = reasons.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("; ");
    if reasons.len() > SHOWN {
        text.push_str(&format!("; and {} more reasons", reasons.len() - SHOWN));
    }
    text
}

fn operations<'u>(unknown: impl Iterator<Item = &'u Unknown>) -> Vec<Operation> {
    unknown.map(Unknown::operation).collect::<BTreeSet<_>>().into_iter().collect()
}
