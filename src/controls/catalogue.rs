//! The catalogue: every check, framework and parameter there is, of which a run uses a selection.

use super::error::{LoadError, LoadErrors, Source};
use super::load::{self, PARAMETERS};
use super::managed_rule::ManagedRule;
use super::parameter::Parameter;
use super::{Check, Controls, Framework, Settings, own_rule};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Everything that was loaded.
#[derive(Debug)]
pub struct Catalogue {
    /// Every check, by id.
    pub checks: BTreeMap<String, Check>,
    /// Every framework, by id.
    pub frameworks: BTreeMap<String, Framework>,
    /// Every parameter, by name.
    pub parameters: BTreeMap<String, Parameter>,
    /// Every rule of the catalogue of AWS Config rules, by source identifier. Each is one of the checks too.
    pub rules: BTreeMap<String, ManagedRule>,
    /// The files that all this was read from: path below `controls/`, and text.
    pub(super) files: BTreeMap<String, String>,
}

impl Catalogue {
    /// The embedded controls, overridden and extended by those of a folder. All errors of all files are in the error.
    pub fn load(dir: Option<&Path>) -> Result<Catalogue, LoadErrors> {
        let mut errors = Vec::new();
        let mut layers = vec![load::embedded()];
        layers.extend(dir.map(|dir| load::folder(dir, &mut errors)));
        load::catalogue(&layers, errors)
    }

    /// Controls from files and nothing else, such as those that a package holds: path below `controls/`, and text.
    pub fn from_files(files: &BTreeMap<String, String>) -> Result<Catalogue, LoadErrors> {
        let sources = files.iter().filter(|(path, _)| path.as_str() != Settings::FILE).map(|(path, text)| {
            Arc::new(Source { name: format!("controls/{path}"), path: path.clone(), text: text.clone() })
        });
        load::catalogue(&[sources.collect()], Vec::new())
    }

    /// The checks that no framework names.
    pub fn unnamed_checks(&self) -> Vec<&str> {
        let named: BTreeSet<&str> = self.frameworks.values().flat_map(Framework::checks).collect();
        self.checks.keys().map(String::as_str).filter(|id| !named.contains(id)).collect()
    }

    /// The frameworks that name a check.
    pub fn frameworks_of<'a>(&'a self, check: &'a str) -> impl Iterator<Item = &'a Framework> + 'a {
        self.frameworks.values().filter(move |framework| framework.names(check))
    }

    /// The selected frameworks and the checks that they name. `frameworks` empty is those of the settings; if these
    /// name none, all.
    pub fn select(self, settings: Settings, frameworks: &[String]) -> Result<Controls, LoadErrors> {
        self.select_with(settings, frameworks, false)
    }

    pub(super) fn select_with(
        mut self,
        mut settings: Settings,
        frameworks: &[String],
        lenient: bool,
    ) -> Result<Controls, LoadErrors> {
        let mut errors = own_rule::add(&settings, &mut self.checks, &mut self.frameworks, &self.parameters, lenient);
        errors.extend(settings.resolve(&self.parameters, &self.checks, &self.frameworks, lenient));
        let known = self.frameworks.keys().cloned().collect::<Vec<_>>().join(", ");
        let unknown =
            |id: &str| (format!("there is no framework `{id}`"), Some(format!("the frameworks are: {known}")));
        if !lenient {
            for (n, id) in settings.frameworks.iter().enumerate().filter(|(_, id)| !self.frameworks.contains_key(*id)) {
                let (message, help) = unknown(id);
                errors.push(settings.framework_error(n, message, help));
            }
        }
        for id in frameworks.iter().filter(|id| !self.frameworks.contains_key(*id)) {
            let (message, help) = unknown(id);
            errors.push(LoadError::about("--frameworks", message).maybe_help(help));
        }
        LoadErrors(errors).check()?;
        let selected = if frameworks.is_empty() && !lenient { &settings.frameworks } else { frameworks };
        if !selected.is_empty() {
            self.frameworks.retain(|id, _| selected.contains(id));
        }
        let named: BTreeSet<String> = self.frameworks.values().flat_map(Framework::checks).map(str::to_owned).collect();
        self.checks.retain(|id, _| named.contains(id));
        let used: BTreeSet<&str> = self
            .checks
            .values()
            .map(|check| check.file.as_str())
            .chain(self.frameworks.values().map(|framework| framework.file.as_str()))
            .chain([PARAMETERS])
            .collect();
        let mut files: BTreeMap<String, String> =
            self.files.into_iter().filter(|(path, _)| used.contains(path.as_str())).collect();
        if let Some(file) = &settings.file {
            files.insert(Settings::FILE.to_owned(), file.text().to_owned());
        }
        Ok(Controls { checks: self.checks, frameworks: self.frameworks, settings, files })
    }
}
