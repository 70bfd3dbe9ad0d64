//! `auditpack.toml`: what a user sets once for all runs. It is read here and checked against the controls in
//! `Settings::resolve`, when these are known.

mod vendors;

use super::check::Check;
use super::error::{LoadError, LoadErrors, Source, suggest};
use super::framework::Framework;
use super::manual::ManualEvidence;
use super::node::{Content, Node, Reader};
use super::own_rule::{self, OwnRule};
use super::parameter::Parameter;
use crate::finding::{Exception, Severity};
use crate::resource::{Profile, Value};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// What a user has set.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// All parameters with their values; defaults are included once the settings have been resolved.
    pub parameters: BTreeMap<String, Value>,
    /// Accepted risks, expired ones too.
    pub exceptions: Vec<Exception>,
    /// The least severity that makes a run fail, `Some(None)` for none; `None` where it is not set.
    pub fail_on: Option<Option<Severity>>,
    /// The frameworks to use; none where it is not set.
    pub frameworks: Vec<String>,
    /// The Regions to collect from; none where it is not set.
    pub regions: Vec<String>,
    /// The length of the period in days.
    pub period_days: Option<i64>,
    /// Config rules of one's own, with the requirements to which they speak.
    pub own_rules: Vec<OwnRule>,
    /// Files that are attached to requirements.
    pub manual: Vec<ManualEvidence>,
    /// What AWS cannot tell: the owner's other accounts, and the vendors with their terms.
    pub profile: Profile,
    /// The package with the record of the last access review; a path that counts from the settings' folder.
    pub review_record: Option<String>,
    /// The file that they were read from.
    pub file: Option<SettingsFile>,
}

/// Where the settings stand in their file.
#[derive(Clone, Debug)]
pub struct SettingsFile {
    source: Arc<Source>,
    parameters: BTreeMap<String, (Range<usize>, Node)>,
    exceptions: Vec<Range<usize>>,
    frameworks: Vec<Range<usize>>,
    manual: Vec<Vec<Range<usize>>>,
}

impl SettingsFile {
    /// What messages call the file: its path.
    pub fn name(&self) -> &str {
        &self.source.name
    }

    /// The file's text, which the package keeps.
    pub fn text(&self) -> &str {
        &self.source.text
    }
}

/// The longest period: CloudTrail's event history keeps 90 days
/// (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html>).
const LONGEST_PERIOD: i64 = 90;

impl Settings {
    /// The settings' name in the package, below `controls/`.
    pub const FILE: &'static str = "auditpack.toml";

    /// The file that they were read from, to point at places in it.
    pub(super) fn source(&self) -> Option<Arc<Source>> {
        self.file.as_ref().map(|file| file.source.clone())
    }

    /// Reads a settings file.
    pub fn load(path: &Path) -> Result<Settings, LoadErrors> {
        let name = path.display().to_string();
        let text = super::load::text(path).map_err(|message| {
            LoadErrors(vec![LoadError::about(name.clone(), message).help("--config takes the path of a settings file")])
        })?;
        Self::parse(&name, &text)
    }

    /// Reads the text of a settings file. `name` is what messages call it.
    pub fn parse(name: &str, text: &str) -> Result<Settings, LoadErrors> {
        let path = Self::FILE.to_owned();
        let source = Arc::new(Source { name: name.to_owned(), path, text: text.to_owned() });
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        let mut reader = Reader::new(source.clone());
        for error in &errors {
            let message = error.message().lines().next().unwrap_or_default().to_owned();
            reader.error(&error.span().unwrap_or(0..0), message);
        }
        let mut settings = Settings::default();
        if errors.is_empty() {
            let span = table.span();
            let root = Node { content: table_content(table.get_ref()), span };
            read(&mut reader, &root, &mut settings);
        }
        LoadErrors(reader.errors).check()?;
        Ok(settings)
    }

    /// Checks the settings against the controls, and adds the defaults of all parameters that they do not set.
    /// An exception to a check that does not exist is an error, unless `lenient`: a package holds only the checks used.
    pub(super) fn resolve(
        &mut self,
        parameters: &BTreeMap<String, Parameter>,
        checks: &BTreeMap<String, Check>,
        frameworks: &BTreeMap<String, Framework>,
        lenient: bool,
    ) -> Vec<LoadError> {
        let source = self.file.as_ref().map(|file| file.source.clone());
        let mut reader = Reader::new(source.unwrap_or_else(|| {
            Arc::new(Source { name: "settings".into(), path: Self::FILE.into(), text: String::new() })
        }));
        let mut values: BTreeMap<String, Value> =
            parameters.values().map(|p| (p.name.clone(), Value::Int(p.default))).collect();
        for (name, value) in &self.parameters {
            let place = self.file.as_ref().and_then(|file| file.parameters.get(name));
            let (key, span) = place.map_or((0..0, 0..0), |(key, node)| (key.clone(), node.span.clone()));
            match (parameters.get(name), value) {
                (None, _) => {
                    let help = suggest(name, parameters.keys().map(String::as_str));
                    reader.error_with_help(&key, format!("there is no parameter `{name}`"), help);
                }
                (Some(parameter), Value::Int(number)) => {
                    if let Some(refusal) = parameter.refusal(*number) {
                        reader.error(&span, refusal);
                    }
                }
                (Some(_), _) => reader.error(&span, format!("parameter `{name}` is a whole number")),
            }
            values.insert(name.clone(), value.clone());
        }
        for (i, exception) in self.exceptions.iter().enumerate() {
            if !lenient && !checks.contains_key(&exception.check) {
                let place = self.file.as_ref().and_then(|file| file.exceptions.get(i)).cloned().unwrap_or(0..0);
                let help = suggest(&exception.check, checks.keys().map(String::as_str))
                    .unwrap_or_else(|| "`auditpack controls list` lists the checks".to_owned());
                reader.error_with_help(&place, format!("there is no check `{}`", exception.check), Some(help));
            }
        }
        for (i, evidence) in self.manual.iter().enumerate().filter(|_| !lenient) {
            for (j, named) in evidence.requirements.iter().enumerate() {
                let known =
                    || frameworks.values().flat_map(|f| f.requirements.iter().map(|r| format!("{} {}", f.id, r.id)));
                if known().any(|known| known == *named) {
                    continue;
                }
                let place = self.file.as_ref().and_then(|file| file.manual.get(i)?.get(j)).cloned().unwrap_or(0..0);
                let all: Vec<String> = known().collect();
                let help = suggest(named, all.iter().map(String::as_str))
                    .unwrap_or_else(|| "framework and requirement, such as `soc2 CC6.1`".to_owned());
                reader.error_with_help(&place, format!("there is no requirement `{named}`"), Some(help));
            }
        }
        self.parameters = values;
        reader.errors
    }

    /// Where the settings name their nth framework.
    pub(super) fn framework_error(&self, n: usize, message: String, help: Option<String>) -> LoadError {
        let place = self.file.as_ref().and_then(|file| Some((&file.source, file.frameworks.get(n)?.clone())));
        match place {
            Some((source, span)) => LoadError::at(source, span, message).maybe_help(help),
            None => LoadError::about("settings", message).maybe_help(help),
        }
    }
}

/// TOML as the tree that control files are read from.
fn table_content(table: &DeTable<'_>) -> Content {
    let entries = table.iter().map(|(key, value)| {
        let name = Node { content: Content::Text(key.get_ref().to_string()), span: key.span() };
        (name, Node { content: value_content(value.get_ref()), span: value.span() })
    });
    Content::Map(entries.collect())
}

fn value_content(value: &DeValue<'_>) -> Content {
    match value {
        DeValue::String(text) => Content::Text(text.to_string()),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            parsed.map_or_else(|_| Content::Number(number.to_string()), Content::Int)
        }
        DeValue::Float(number) => Content::Number(number.to_string()),
        DeValue::Boolean(value) => Content::Bool(*value),
        DeValue::Datetime(time) => Content::Text(time.to_string()),
        DeValue::Array(items) => Content::List(
            items.iter().map(|item| Node { content: value_content(item.get_ref()), span: item.span() }).collect(),
        ),
        DeValue::Table(table) => table_content(table),
    }
}

fn read(reader: &mut Reader, root: &Node, settings: &mut Settings) {
    let keys = [
        "fail_on",
        "frameworks",
        "regions",
        "period",
        "parameters",
        "exceptions",
        "manual",
        "own_accounts",
        "vendors",
        "config_rules",
        "review",
    ];
    let Some(fields) = reader.fields(root, "auditpack.toml", &keys) else { return };
    let mut file = SettingsFile {
        source: reader.source.clone(),
        parameters: BTreeMap::new(),
        exceptions: Vec::new(),
        frameworks: Vec::new(),
        manual: Vec::new(),
    };
    if let Some(node) = fields.get("fail_on")
        && let Some(text) = reader.text(node)
    {
        match text.as_str() {
            "none" => settings.fail_on = Some(None),
            word => match word.parse() {
                Ok(severity) => settings.fail_on = Some(Some(severity)),
                Err(message) => reader.error(&node.span, format!("{message} or none")),
            },
        }
    }
    for (framework, span) in reader.texts(&fields, "frameworks") {
        settings.frameworks.push(framework);
        file.frameworks.push(span);
    }
    for (region, span) in reader.texts(&fields, "regions") {
        if !is_region(&region) {
            let help = Some("such as `eu-central-1`".to_owned());
            reader.error_with_help(&span, format!("`{region}` is not a Region"), help);
        }
        settings.regions.push(region);
    }
    if let Some(node) = fields.get("period")
        && let Some(text) = reader.text(node)
    {
        settings.period_days = text.strip_suffix('d').and_then(|days| days.parse().ok());
        if settings.period_days.is_none_or(|days| !(1..=LONGEST_PERIOD).contains(&days)) {
            let help = format!("a number of days from `1d` to `{LONGEST_PERIOD}d`: CloudTrail keeps no more");
            reader.error_with_help(&node.span, format!("`{text}` is not a period"), Some(help));
        }
    }
    if let Some(parameters) = fields.get("parameters").and_then(|node| reader.map(node, "the parameters")) {
        for entry in parameters.entries() {
            if let Some(value) = reader.int(entry.node) {
                settings.parameters.insert(entry.name.to_owned(), Value::Int(value));
                file.parameters.insert(entry.name.to_owned(), (entry.span.clone(), entry.node.clone()));
            }
        }
    }
    for node in reader.items(&fields, "exceptions") {
        if let Some((exception, span)) = exception(reader, node) {
            settings.exceptions.push(exception);
            file.exceptions.push(span);
        }
    }
    for node in reader.items(&fields, "config_rules") {
        settings.own_rules.extend(own_rule::read(reader, node));
    }
    for node in reader.items(&fields, "manual") {
        if let Some((evidence, spans)) = manual(reader, node, settings.manual.len() + 1) {
            settings.manual.push(evidence);
            file.manual.push(spans);
        }
    }
    if let Some(review) =
        fields.get("review").and_then(|node| reader.fields(node, "the last access review", &["record"]))
    {
        settings.review_record = reader.required_text(&review, "record");
    }
    settings.profile = vendors::read(reader, &fields);
    settings.file = Some(file);
}

fn manual(reader: &mut Reader, node: &Node, n: usize) -> Option<(ManualEvidence, Vec<Range<usize>>)> {
    let keys = ["file", "requirements", "description", "owner", "date", "valid_until"];
    let fields = reader.fields(node, "manual evidence", &keys)?;
    let file = reader.required_text(&fields, "file");
    let description = reader.required_text(&fields, "description");
    let owner = reader.required_text(&fields, "owner");
    let date = reader.required(&fields, "date").and_then(|node| day(reader, node, "the day it was made or signed"));
    let valid_until = match fields.get("valid_until") {
        Some(node) => Some(day(reader, node, "the last day on which it is valid")?),
        None => None,
    };
    let (requirements, spans): (Vec<String>, Vec<Range<usize>>) =
        reader.texts(&fields, "requirements").into_iter().unzip();
    if requirements.is_empty() {
        let help = Some("such as `requirements = [\"soc2 CC6.1\"]`".to_owned());
        reader.error_with_help(&node.span, "manual evidence speaks to no requirement".to_owned(), help);
    }
    let file = file?;
    let path = ManualEvidence::package_path(n, &file);
    let evidence = ManualEvidence {
        requirements,
        description: description?,
        owner: owner?,
        date: date?,
        valid_until,
        path,
        attached: None,
        file,
    };
    Some((evidence, spans))
}

fn exception(reader: &mut Reader, node: &Node) -> Option<(Exception, Range<usize>)> {
    let keys = ["check", "resource", "reason", "approver", "granted", "expires", "ticket"];
    let fields = reader.fields(node, "an exception", &keys)?;
    let check = reader.required(&fields, "check");
    let check_text = check.and_then(|node| reader.text(node));
    let resource = reader.required_text(&fields, "resource");
    let reason = reader.required_text(&fields, "reason");
    let approver = reader.required_text(&fields, "approver");
    let expires =
        reader.required(&fields, "expires").and_then(|node| day(reader, node, "the last day on which it holds"));
    let granted = match fields.get("granted") {
        Some(node) => Some(day(reader, node, "the day on which it was granted")?),
        None => None,
    };
    let ticket = match fields.get("ticket") {
        Some(node) => Some(reader.text(node)?),
        None => None,
    };
    if let (Some(granted), Some(expires), Some(node)) = (granted, expires, fields.get("granted"))
        && granted > expires
    {
        reader.error(&node.span, format!("it is granted on {granted}, after it expires on {expires}"));
    }
    let exception = Exception {
        check: check_text?,
        resource: resource?,
        reason: reason?,
        approver: approver?,
        granted,
        expires: expires?,
        ticket,
    };
    Some((exception, check?.span.clone()))
}

/// A day such as 2026-12-31.
fn day(reader: &mut Reader, node: &Node, meaning: &str) -> Option<chrono::NaiveDate> {
    let text = reader.text(node)?;
    let date = chrono::NaiveDate::parse_from_str(&text, "%Y-%m-%d");
    let help = Some(format!("such as `2026-12-31`, {meaning}"));
    date.map_err(|_| reader.error_with_help(&node.span, format!("`{text}` is not a date"), help)).ok()
}

fn is_region(text: &str) -> bool {
    text.len() <= 32
        && text.matches('-').count() >= 2
        && text
            .split('-')
            .all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::Catalogue;

    const SETTINGS: &str = r#"
fail_on = "critical"
regions = ["eu-central-1", "us-gov-west-1"]
period = "30d"

[parameters]
access_key_max_age_days = 60

[[exceptions]]
check = "user-console-mfa"
resource = "*:user/break-glass"
reason = "the key is in the safe"
approver = "Head of Security"
expires = 2026-12-31
"#;

    fn resolved(text: &str) -> Result<Settings, LoadErrors> {
        let settings = Settings::parse("auditpack.toml", text)?;
        Ok(Catalogue::load(None)?.select(settings, &[])?.settings)
    }

    #[test]
    fn settings_are_read_and_defaults_added() {
        let settings = resolved(SETTINGS).unwrap();
        assert_eq!(settings.fail_on, Some(Some(Severity::Critical)));
        assert_eq!(settings.regions, ["eu-central-1", "us-gov-west-1"]);
        assert_eq!(settings.period_days, Some(30));
        assert_eq!(settings.parameters["access_key_max_age_days"], Value::Int(60));
        assert_eq!(settings.parameters["role_unused_days"], Value::Int(180));
        assert_eq!(settings.exceptions[0].expires.to_string(), "2026-12-31");
        assert_eq!(resolved("fail_on = \"none\"").unwrap().fail_on, Some(None));
        assert_eq!(resolved("").unwrap().fail_on, None);
    }

    #[test]
    fn everything_that_is_wrong_is_reported_at_once() {
        let text = SETTINGS
            .replace("fail_on = \"critical\"", "fial_on = \"critical\"")
            .replace("eu-central-1", "Frankfurt")
            .replace("30d", "120d")
            .replace("= 60", "= \"60\"")
            .replace("2026-12-31", "\"31.12.2026\"")
            .replace("reason =", "raeson =");
        let error = Settings::parse("my/auditpack.toml", &text).unwrap_err().to_string();
        for part in [
            "my/auditpack.toml:2:1",
            "did you mean `fail_on`?",
            "`Frankfurt` is not a Region",
            "`120d` is not a period",
            "expected a whole number, found a text",
            "`31.12.2026` is not a date",
            "an exception needs `reason`",
            "did you mean `reason`?",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        let text = SETTINGS.replace("= 60", "= 0").replace("user-console-mfa", "user-console-mf");
        let text = text.replace("regions =", "frameworks = [\"sox\"]\nregions =") + "[parameters.x]\n";
        let error = Settings::parse("a.toml", &text).unwrap_err().to_string();
        assert!(error.contains("a.toml:16:") && error.contains("expected a whole number"), "{error}");
        let error = resolved(text.trim_end_matches("[parameters.x]\n")).unwrap_err().to_string();
        for part in [
            "`access_key_max_age_days` must be from 1 to 3650, not 0",
            "auditpack.toml:8:27",
            "there is no check `user-console-mf`",
            "did you mean `user-console-mfa`?",
            "there is no framework `sox`",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        let error = resolved("[parameters]\nacces_key_max_age_days = 3\n").unwrap_err().to_string();
        assert!(
            error.contains("auditpack.toml:2:1") && error.contains("did you mean `access_key_max_age_days`?"),
            "{error}"
        );
    }

    #[test]
    fn a_file_is_read_within_bounds() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("auditpack.toml");
        std::fs::write(&path, SETTINGS).unwrap();
        assert_eq!(Settings::load(&path).unwrap().period_days, Some(30));
        std::fs::write(&path, "#".repeat(1_100_000)).unwrap();
        assert!(Settings::load(&path).unwrap_err().to_string().contains("is larger than 1 MiB"));
        assert!(Settings::load(dir.path()).unwrap_err().to_string().contains("is not a file"));
        let error = Settings::load(&dir.path().join("gone.toml")).unwrap_err().to_string();
        assert!(error.contains("gone.toml") && error.contains("cannot be read"), "{error}");
    }

    #[test]
    fn bad_toml_is_refused_with_its_place() {
        for text in ["fail_on = ", "a = 1\na = 2", "[[exceptions]\n", "period = \"30d", "\u{0}"] {
            let error = Settings::parse("auditpack.toml", text).unwrap_err().to_string();
            assert!(error.contains("auditpack.toml:"), "{error}");
        }
        let deep = format!("regions = {}{}", "[".repeat(5_000), "]".repeat(5_000));
        assert!(Settings::parse("auditpack.toml", &deep).is_err());
    }

    /// A package holds only the checks used; an exception to another one is kept there and means nothing.
    #[test]
    fn the_settings_in_a_package_are_read_though_their_check_is_not_there() {
        let files = BTreeMap::from([
            (Settings::FILE.to_owned(), SETTINGS.replace("fail_on", "frameworks = [\"gone\"]\nfail_on")),
            ("parameters.yaml".to_owned(), Catalogue::load(None).unwrap().files["parameters.yaml"].clone()),
        ]);
        let controls = crate::controls::Controls::from_files(&files).unwrap();
        assert_eq!(controls.settings.exceptions.len(), 1);
        assert_eq!(controls.settings.parameters["access_key_max_age_days"], Value::Int(60));
        assert_eq!(controls.files, files);
    }
}
