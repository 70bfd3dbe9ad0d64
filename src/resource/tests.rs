//! The laws that all populations obey, whatever the account: shape, dependence on calls, pointers.

mod credentials;
mod given;
mod meaning;

use super::{FieldValue, Kind, Population, Resource, Resources, Value, schema::Type};
use crate::evidence::{CallId, Operation};
use given::{Account, Given, READ_ONLY, account};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn build(account: &Account) -> Resources {
    Resources::build(&account.evidence(), &given::profile())
}

fn row<'a>(resources: &'a Resources, kind: Kind, id: &str) -> &'a Resource {
    let rows = &resources.populations[&kind].rows;
    let found = rows.iter().find(|row| row.id == id);
    found.unwrap_or_else(|| panic!("no {id} in {:?}", rows.iter().map(|row| &row.id).collect::<Vec<_>>()))
}

fn rows(resources: &Resources) -> impl Iterator<Item = &Resource> {
    resources.populations.values().flat_map(|population| &population.rows)
}

fn names_gap(population: &Population, operation: Operation) -> bool {
    population.incomplete.iter().any(|unknown| unknown.call.operation == operation)
}

fn is_of(value: &Value, kind: Type) -> bool {
    match (value, kind) {
        (Value::Bool(_), Type::Bool) | (Value::Int(_), Type::Int) | (Value::Text(_), Type::Text) => true,
        (Value::List(values), Type::Texts) => values.iter().all(|value| matches!(value, Value::Text(_))),
        (Value::Map(values), Type::Map) => values.values().all(|value| matches!(value, Value::Text(_))),
        _ => false,
    }
}

fn assert_shape(resources: &Resources) {
    for (kind, population) in &resources.populations {
        for row in &population.rows {
            let expected: BTreeMap<&str, _> = kind.schema().fields.iter().map(|field| (field.name, field)).collect();
            let there: BTreeSet<&str> = row.fields.iter().map(|(name, _)| name).collect();
            assert!(there.iter().eq(expected.keys()), "{}: {there:?}", row.id);
            for (name, value) in row.fields.iter() {
                let field = expected[name];
                match value.known() {
                    Some(Value::Null) => assert!(field.nullable, "{}.{name} of {} is null", kind.id(), row.id),
                    Some(value) => assert!(is_of(value, field.kind), "{}.{name}: {value:?}", kind.id()),
                    None => {}
                }
            }
        }
        let sorted = |pair: &[Resource]| (&pair[0].region, &pair[0].id) < (&pair[1].region, &pair[1].id);
        assert!(population.rows.windows(2).all(sorted), "{} is not sorted or not unique", kind.id());
    }
}

#[test]
fn every_row_has_exactly_the_fields_of_its_schema() {
    let resources = build(&account());
    assert!(resources.populations.keys().eq(Kind::ALL));
    for (kind, population) in &resources.populations {
        assert!(!population.rows.is_empty(), "the example has no {}", kind.id());
        assert!(population.incomplete.is_empty(), "{:?}", population.incomplete);
    }
    assert_shape(&resources);
    let unknown: Vec<String> = rows(&resources)
        .flat_map(|row| row.fields.iter().map(move |(name, value)| (row, name, value)))
        .filter(|(_, _, value)| value.known().is_none())
        .map(|(row, name, _)| format!("{} {name}", row.name))
        .collect();
    let hidden =
        ["hidden compliance", "hidden evaluated_resources", "hidden noncompliant_resources", "keys compliance"];
    let mut sorted = unknown.clone();
    sorted.sort();
    assert_eq!(sorted, hidden);
}

#[test]
fn a_field_is_unknown_without_any_of_its_calls_and_no_other_changes() {
    let full = build(&account());
    for operation in Operation::ALL.iter().copied() {
        let reduced = build(&account().without(operation));
        assert_shape(&reduced);
        for (kind, population) in &full.populations {
            let rest = &reduced.populations[kind];
            // There is an account whoever tells of it.
            if kind.schema().population.contains(&operation) && *kind != Kind::Account {
                assert!(names_gap(rest, operation), "{} without {operation}", kind.id());
            } else {
                assert!(rest.incomplete.is_empty(), "{} without {operation}", kind.id());
            }
            for row in &population.rows {
                let Some(left) = rest.rows.iter().find(|left| left.id == row.id) else {
                    assert!(names_gap(rest, operation), "{} vanished without {operation}", row.id);
                    continue;
                };
                for field in kind.schema().fields {
                    let (before, after) = (row.fields.get(field.name).unwrap(), left.fields.get(field.name).unwrap());
                    let only_if_left_out =
                        matches!(operation, Operation::IamGetPolicy | Operation::IamGetPolicyVersion);
                    let depends = field.calls.contains(&operation) && (!only_if_left_out || rests_on_read_only(row));
                    match after {
                        FieldValue::Unknown(unknown) if depends => assert_eq!(unknown.operation(), operation),
                        FieldValue::Known(value) if depends => {
                            panic!("{}.{} is {value:?} without {operation}", row.id, field.name)
                        }
                        _ => assert_eq!(before, after, "{}.{} without {operation}", row.id, field.name),
                    }
                }
            }
        }
    }
}

/// Whether a row is about the policy that the authorization details leave out, or about the role that has it.
fn rests_on_read_only(row: &Resource) -> bool {
    let of_the_role = row.id.contains(&given::arn("role/ci")) && row.kind != Kind::Policy;
    row.id == READ_ONLY || of_the_role || OF_THE_ROLE.contains(&row.kind)
}

/// Kinds whose only row in the example is about that role.
const OF_THE_ROLE: [Kind; 2] = [Kind::ExternalPrincipal, Kind::Vendor];

/// Cuts each list at the top of a document; two bits of the pattern say how much of each is kept.
fn truncate(given: &Given, pattern: u8) -> Given {
    let keep = usize::from(pattern & 3);
    match given {
        Given::Json(value) => {
            let mut value = value.clone();
            let lists = value.as_object_mut().unwrap().values_mut().filter_map(|member| member.as_array_mut());
            for (number, list) in lists.enumerate() {
                list.truncate(usize::from(pattern >> (2 * number.min(3)) & 3));
            }
            Given::Json(value)
        }
        Given::Report(text) => Given::Report(text.lines().take(2 + keep).map(|line| format!("{line}\n")).collect()),
        Given::Events(text) => Given::Events(text.lines().take(keep).map(|line| format!("{line}\n")).collect()),
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Calls are left out or cut off at random: what is still known was known before, and is the same.
    #[test]
    fn taking_evidence_away_never_makes_a_value_of_anything(fates in prop::collection::vec((0_u8..10, any::<u8>()), 80)) {
        let whole = account();
        let full = build(&whole);
        let mut less = account();
        for (call, (fate, pattern)) in whole.calls.keys().zip(fates) {
            match fate {
                0..=5 => {}
                6 => drop(less.calls.remove(call)),
                _ => {
                    let cut = truncate(&whole.calls[call], pattern);
                    less.calls.insert(call.clone(), Given::Partial(Box::new(cut)));
                }
            }
        }
        let reduced = build(&less);
        assert_shape(&reduced);
        for (kind, population) in &reduced.populations {
            let before = &full.populations[kind];
            for row in &population.rows {
                let was = before.rows.iter().find(|was| was.id == row.id);
                let was = was.unwrap_or_else(|| panic!("{} came from nowhere", row.id));
                for (name, value) in row.fields.iter() {
                    if let FieldValue::Known(value) = value {
                        prop_assert_eq!(Some(value), was.fields.get(name).unwrap().known(), "{}.{}", row.id, name);
                    }
                }
            }
            let vanished = before.rows.iter().any(|was| population.rows.iter().all(|row| row.id != was.id));
            prop_assert!(!vanished || !population.incomplete.is_empty(), "{} shrank in silence", kind.id());
        }
    }
}

#[test]
fn all_pointers_resolve_in_the_written_documents() {
    let account = account();
    let evidence = account.evidence();
    let files: BTreeMap<String, Vec<u8>> = evidence
        .calls()
        .filter_map(|(call, outcome)| {
            let mut bytes = Vec::new();
            outcome.arrived()?.write(&mut bytes).unwrap();
            Some((format!("evidence/{}", call.document_path()), bytes))
        })
        .collect();
    let resources = Resources::build(&evidence, &given::profile());
    // A record of a review lies in the package, and is no document of AWS; tests/review.rs looks into it.
    let of_aws = rows(&resources).filter(|row| row.kind != Kind::AccessReview);
    let of_rows = of_aws.flat_map(|row| row.sources.iter().map(move |(operation, place)| (row, *operation, place)));
    let mut seen = 0;
    for (row, operation, place) in of_rows {
        seen += 1;
        let bytes = files.get(&*place.file).unwrap_or_else(|| panic!("no file {}", place.file));
        let text = std::str::from_utf8(bytes).unwrap();
        if let Some(line) = place.at.strip_prefix('L') {
            let line = text.lines().nth(line.parse::<usize>().unwrap() - 1).unwrap();
            let root = matches!(row.kind, Kind::Account);
            // The id of an event's row is its time and its own id.
            let arn = row.id.split('#').next().and_then(|id| id.split(' ').next_back()).unwrap();
            assert!(root && line.contains("oot") || line.contains(arn), "{place} of {} is {line}", row.id);
            continue;
        }
        let document: serde_json::Value = serde_json::from_str(text).unwrap();
        let found = document.pointer(&place.at).unwrap_or_else(|| panic!("{place} leads nowhere"));
        let named = ["Arn", "TrailARN", "PolicyArn", "ConfigRuleArn", "PermissionsBoundaryArn"];
        for id in named.iter().filter_map(|name| found.get(name)) {
            let same = id.as_str() == row.id.split('#').next() || matches!(operation, Operation::StsGetCallerIdentity);
            assert!(same, "{place} of {} shows {id}", row.id);
        }
    }
    for place in resources.populations.values().flat_map(|population| &population.sources) {
        assert!(files.contains_key(&*place.file), "no file {}", place.file);
    }
    assert!(seen > 50);
    for row in rows(&resources) {
        assert!(!row.sources.is_empty(), "{} stands nowhere", row.id);
    }
}

#[test]
fn without_any_evidence_nothing_is_known_and_every_population_says_so() {
    let mut nothing = account();
    nothing.calls.clear();
    let resources = build(&nothing);
    assert_shape(&resources);
    let of_aws = |kind: &Kind| *kind != Kind::AccessReview;
    for row in rows(&resources).filter(|row| of_aws(&row.kind)) {
        // A vendor's terms are the user's to say, not AWS's.
        let settings: &[&str] = if row.kind == Kind::Vendor { &["name", "accounts", "expected_roles"] } else { &[] };
        for (name, value) in row.fields.iter() {
            assert_eq!(value.known().is_some(), settings.contains(&name), "{}.{name}", row.id);
        }
    }
    for (kind, population) in resources.populations.iter().filter(|(kind, _)| of_aws(kind)) {
        let whole = matches!(kind, Kind::Account | Kind::Vendor);
        assert!(whole || !population.incomplete.is_empty(), "{} seems whole", kind.id());
        assert!(population.sources.is_empty());
    }
    assert!(resources.reconciliation.iter().all(|reconciliation| !reconciliation.agrees));
}

#[test]
fn regions_that_the_user_named_are_the_scope_without_the_list_of_regions() {
    let mut named = account().without(Operation::AccountListRegions);
    named.run.regions = Some(vec![given::HOME.to_owned(), given::OTHER.to_owned()]);
    let resources = build(&named);
    assert!(resources.populations[&Kind::Trail].incomplete.is_empty());
    let account = row(&resources, Kind::Account, given::ACCOUNT);
    assert_eq!(account.fields.get("effective_trails").unwrap().known(), Some(&Value::from(vec![given::TRAIL])));
}

#[test]
fn calls_about_one_resource_are_looked_up_by_it() {
    let mut account = account();
    let call = CallId::regional(Operation::CloudTrailGetTrailStatus, given::HOME).about(given::TRAIL);
    account.calls.remove(&call);
    let resources = build(&account);
    let FieldValue::Unknown(unknown) = row(&resources, Kind::Trail, given::TRAIL).fields.get("logging").unwrap() else {
        panic!("the status of another trail was taken")
    };
    assert_eq!(unknown.call, call);
}
