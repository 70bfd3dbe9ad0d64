//! Evidence as rows to decide about: at the opening of a review, and again at its close to see what became of them.

mod external;
mod keys;
mod principals;

use super::owner::{self, Owners};
use super::population::{Completeness, Excluded, Row, Sheet, key};
use super::standing::Standings;
use crate::evidence::credential_report::{self, CredentialReport, LastUsed};
use crate::evidence::iam::{AuthorizationDetails, RoleDetail, UserDetail};
use crate::evidence::{Evidence, Timestamp};
use crate::report::words::visible;
use crate::resource::{Access, FieldValue, KEYS_OF_NEWER, Kind, Population, Resource, Resources, Unknown, Value};
use std::collections::{BTreeMap, HashMap};

/// From when on something is remarkable, in days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Users without use.
    pub user_unused: i64,
    /// Roles without use.
    pub role_unused: i64,
    /// Keys without use.
    pub key_unused: i64,
    /// Keys that were not rotated.
    pub key_age: i64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { user_unused: 90, role_unused: 180, key_unused: 90, key_age: 90 }
    }
}

/// All access of an account as it is at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The rows, sorted by sheet and id.
    pub rows: Vec<Row>,
    /// Each sheet with its size, and why rows may be missing.
    pub sheets: BTreeMap<String, Completeness>,
    /// Differences between independent sources that nothing explains.
    pub differences: Vec<String>,
    /// What nobody can decide about.
    pub excluded: Vec<Excluded>,
}

/// Everything that has access, as rows.
pub fn access(
    evidence: &Evidence,
    resources: &Resources,
    analysis: &Access,
    owners: &Owners,
    thresholds: Thresholds,
) -> Result<Snapshot, String> {
    let maker = Maker::new(evidence, resources, analysis, owners, thresholds);
    let mut snapshot = Snapshot::default();
    let mut sheets: BTreeMap<Sheet, (Vec<Row>, Vec<String>)> = BTreeMap::new();
    sheets.insert(Sheet::Users, (maker.users(), maker.incomplete(&[Kind::User])));
    let (roles, excluded) = maker.roles();
    snapshot.excluded = excluded;
    sheets.insert(Sheet::Roles, (roles, maker.incomplete(&[Kind::Role])));
    sheets.insert(Sheet::AccessKeys, (maker.keys(), maker.incomplete(&[Kind::AccessKey])));
    let mut holes = maker.incomplete(&[Kind::Role]);
    holes.extend(maker.unreadable_trusts());
    sheets.insert(Sheet::ExternalPrincipals, (maker.external(), holes));
    let mut privileged = maker.incomplete(&[Kind::User, Kind::Role]);
    privileged.dedup();
    let rows = maker.privileged(
        sheets.get(&Sheet::Users).map_or(&[][..], |(rows, _)| rows),
        sheets.get(&Sheet::Roles).map_or(&[][..], |(rows, _)| rows),
    );
    sheets.insert(Sheet::PrivilegedAccess, (rows, privileged));
    for (sheet, (mut rows, incomplete)) in sheets {
        rows.sort_by(|a, b| a.id.cmp(&b.id));
        rows.dedup_by(|later, first| later.id == first.id);
        let size = Completeness { rows: rows.len() as u64, incomplete };
        snapshot.sheets.insert(sheet.word().to_owned(), size);
        snapshot.rows.extend(rows);
    }
    let mut keys: HashMap<&str, &str> = HashMap::new();
    for row in &snapshot.rows {
        if let Some(other) = keys.insert(&row.key, &row.id) {
            return Err(format!("{other} and {} would have the same key {}: please report it", row.id, row.key));
        }
    }
    let counted = ["iam.user", "iam.role", "iam.access_key"];
    let differing =
        resources.reconciliation.iter().filter(|one| !one.agrees && counted.contains(&one.population.as_str()));
    snapshot.differences = differing.map(|one| format!("{}: {}", one.population, one.differences.join("; "))).collect();
    Ok(snapshot)
}

/// What all rows are made from.
struct Maker<'a> {
    resources: &'a Resources,
    owners: &'a Owners,
    thresholds: Thresholds,
    standings: Standings,
    account: Option<&'a str>,
    as_of: Timestamp,
    report: Option<&'a CredentialReport>,
    users: HashMap<&'a str, &'a UserDetail>,
    roles: HashMap<&'a str, &'a RoleDetail>,
    reported: HashMap<&'a str, &'a credential_report::Row>,
}

impl<'a> Maker<'a> {
    fn new(
        evidence: &'a Evidence,
        resources: &'a Resources,
        analysis: &Access,
        owners: &'a Owners,
        thresholds: Thresholds,
    ) -> Self {
        let details = evidence.global::<AuthorizationDetails>();
        let report = evidence.global::<CredentialReport>();
        let (details, report) = (details.arrived().copied(), report.arrived().copied());
        let of = |list: Option<&'a AuthorizationDetails>| list.into_iter();
        Self {
            resources,
            owners,
            thresholds,
            standings: Standings::of(evidence, analysis),
            account: evidence.account.as_deref(),
            as_of: evidence.as_of(),
            report,
            // In reverse, so that the first of several entries stays, as in the populations.
            users: of(details)
                .flat_map(|d| d.user_detail_list.iter().rev())
                .filter_map(|user| Some((user.arn.as_deref()?, user)))
                .collect(),
            roles: of(details)
                .flat_map(|d| d.role_detail_list.iter().rev())
                .filter_map(|role| Some((role.arn.as_deref()?, role)))
                .collect(),
            reported: report.into_iter().flat_map(CredentialReport::users).map(|row| (row.arn.as_str(), row)).collect(),
        }
    }

    fn population(&self, kind: Kind) -> &'a [Resource] {
        self.resources.populations.get(&kind).map_or(&[][..], |population| &population.rows)
    }

    /// Why rows of these kinds may be missing.
    fn incomplete(&self, kinds: &[Kind]) -> Vec<String> {
        let populations = kinds.iter().filter_map(|kind| self.resources.populations.get(kind));
        let mut all: Vec<String> =
            populations.flat_map(incomplete_beyond_users).map(|why| format!("{}: {}", why.call, why.reason)).collect();
        all.sort();
        all.dedup();
        all
    }

    /// The time that ages of the credential report are counted to.
    fn reported_at(&self) -> Timestamp {
        self.report.and_then(|report| report.generated).unwrap_or(self.as_of)
    }

    /// The owner: the mapping's, else a tag's.
    fn owner(&self, names: &[&str], tags: &BTreeMap<String, String>) -> Option<String> {
        let mapped = self.owners.of(names.iter().copied()).map(str::to_owned);
        mapped.or_else(|| {
            let tag = |wanted: &str| tags.iter().find(|(key, _)| key.eq_ignore_ascii_case(wanted));
            let tagged = owner::TAGS.iter().filter_map(|wanted| tag(wanted));
            tagged.map(|(_, value)| visible(value.trim()).into_owned()).find(|value| !value.is_empty())
        })
    }
}

/// A row in the making.
struct Making {
    row: Row,
}

impl Making {
    fn new(sheet: Sheet, id: &str, name: &str) -> Self {
        let row = Row {
            key: key(sheet, id),
            sheet,
            source: "iam".to_owned(),
            id: id.to_owned(),
            name: name.to_owned(),
            identity: None,
            owner: None,
            people: Vec::new(),
            access: None,
            standing: None,
            usable: None,
            gap: None,
            change: None,
            flags: Vec::new(),
            evidence: Vec::new(),
            cells: BTreeMap::new(),
        };
        let mut making = Self { row };
        making.cell("arn", id);
        making
    }

    fn cell(&mut self, column: &str, text: impl AsRef<str>) {
        let text = shorten(&visible(text.as_ref()));
        if !text.is_empty() {
            self.row.cells.insert(column.to_owned(), text);
        }
    }

    fn flag(&mut self, flag: impl Into<String>) {
        self.row.flags.push(flag.into());
    }

    fn gap(&mut self, why: impl Into<String>) {
        self.row.gap.get_or_insert_with(|| why.into());
    }

    fn seen(&mut self, resource: &Resource) {
        self.row.evidence = resource.sources.iter().map(|(_, place)| place.to_string()).collect();
        self.row.evidence.sort();
    }

    /// Writes what follows from the rest, and gives the row.
    fn finish(mut self, suggestion: &str) -> Row {
        let owner = self.row.owner.clone().unwrap_or_default();
        if owner.is_empty() {
            self.flag("no owner");
        }
        self.cell("owner", owner);
        let flags = self.row.flags.join(", ");
        self.cell("flags", flags);
        self.cell("suggestion", suggestion);
        self.row
    }
}

/// A spreadsheet holds no more than 32,767 characters in a cell; nobody reads a tenth of that.
fn shorten(text: &str) -> String {
    const MOST: usize = 2_000;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    let kept: String = text.chars().take(MOST).collect();
    format!("{kept}… (cut here; whole in {})", super::POPULATION_FILE)
}

/// The first items of a list, and how many more there are.
fn few(items: &[String], most: usize) -> String {
    let mut text = items.iter().take(most).map(String::as_str).collect::<Vec<_>>().join("; ");
    if items.len() > most {
        text.push_str(&format!("; and {} more", items.len() - most));
    }
    text
}

/// A day as all files have it.
fn day(time: Timestamp) -> String {
    time.0.date_naive().to_string()
}

/// A field as a number of days, a fact of absence, or the reason why it is not known.
fn int(resource: &Resource, field: &str) -> Result<Option<i64>, String> {
    match resource.fields.get(field) {
        Some(FieldValue::Known(Value::Int(n))) => Ok(Some(*n)),
        Some(FieldValue::Known(Value::Null)) => Ok(None),
        other => Err(why(other)),
    }
}

fn bool(resource: &Resource, field: &str) -> Result<bool, String> {
    match resource.fields.get(field) {
        Some(FieldValue::Known(Value::Bool(value))) => Ok(*value),
        other => Err(why(other)),
    }
}

fn texts(resource: &Resource, field: &str) -> Result<Vec<String>, String> {
    match resource.fields.get(field) {
        Some(FieldValue::Known(Value::List(values))) => Ok(values
            .iter()
            .filter_map(|value| match value {
                Value::Text(text) => Some(text.clone()),
                _ => None,
            })
            .collect()),
        other => Err(why(other)),
    }
}

fn why(field: Option<&FieldValue>) -> String {
    match field {
        Some(FieldValue::Unknown(unknown)) => format!("{}: {}", unknown.call, unknown.reason),
        _ => "it was not read".to_owned(),
    }
}

fn used_at(used: LastUsed) -> Option<Timestamp> {
    match used {
        LastUsed::At(time) => Some(time),
        LastUsed::Never | LastUsed::NoCredential => None,
    }
}

/// Why rows may be missing for which no other row stands. A user of whom the credential report does not know has a row
/// among the users, and there it is said that the keys are not known.
fn incomplete_beyond_users(population: &Population) -> impl Iterator<Item = &Unknown> {
    population.incomplete.iter().filter(|why| !why.reason.starts_with(KEYS_OF_NEWER))
}
