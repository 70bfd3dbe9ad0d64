//! What the judging commands share: settings, controls, and the way from evidence to a package and an exit code.

use super::arguments::{Format, JudgeArgs, OutputArgs};
use super::attach;
use super::memory;
use super::record::LastRecord;
use super::signals;
use super::{CommandError, Exit, print};
use crate::controls::{Controls, Settings};
use crate::evaluate::evaluate;
use crate::evidence::Evidence;
use crate::evidence::recording::Recording;
use crate::finding::Severity;
use crate::package::{self, Content, Contents, PackageError, Seals};
use crate::report::{self, Audit, Conclusion, Written};
use crate::resource::Resources;
use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::path::Path;

/// By what is judged.
#[derive(Debug)]
pub(super) struct Judge {
    pub controls: Controls,
    pub fail_on: Option<Severity>,
    /// The record of the last access review, if one was given.
    pub record: Option<LastRecord>,
}

/// Reads the settings file: the one that was named, or the one in the current folder if it is there.
pub(super) fn settings(named: Option<&Path>) -> Result<Settings, CommandError> {
    let path = named.unwrap_or(Path::new(Settings::FILE));
    match std::fs::read_to_string(path) {
        Ok(text) => Settings::parse(&path.display().to_string(), &text).map_err(CommandError::usage),
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => Ok(Settings::default()),
        Err(error) => Err(CommandError::usage(format!("cannot read the settings {}: {error}", path.display()))),
    }
}

impl Judge {
    /// Reads settings and controls; all that is wrong with them is told at once. `recorded` are the frameworks that
    /// a recording was made for, which are used where the user names none.
    pub fn load(args: &JudgeArgs, recorded: &[String]) -> Result<Self, CommandError> {
        Self::with(settings(args.select.config.as_deref())?, args, recorded)
    }

    /// The same with settings that were read before.
    pub fn with(settings: Settings, args: &JudgeArgs, recorded: &[String]) -> Result<Self, CommandError> {
        let fail_on = match (args.fail_on, settings.fail_on) {
            (Some(least), _) => least.least(),
            (None, Some(least)) => least,
            (None, None) => Some(Severity::High),
        };
        let chosen = [&args.select.frameworks, &settings.frameworks].into_iter().find(|ids| !ids.is_empty());
        let frameworks = chosen.map_or_else(|| recorded.to_vec(), Clone::clone);
        let mut controls =
            Controls::load(args.select.controls.as_deref(), settings, &frameworks).map_err(CommandError::usage)?;
        attach::beside_settings(&mut controls.settings)?;
        Ok(Self { controls: controls.without_cases(), fail_on, record: None })
    }

    /// The same with the record of the last access review: that of an option, else that which the settings name.
    pub fn reviewed(mut self, named: Option<&Path>) -> Result<Self, CommandError> {
        let settings = &self.controls.settings;
        let path = named.map(Path::to_owned).or_else(|| {
            let folder = settings.file.as_ref().and_then(|file| Path::new(file.name()).parent());
            settings.review_record.as_ref().map(|path| folder.unwrap_or(Path::new("")).join(path))
        });
        self.record = path.as_deref().map(LastRecord::load).transpose()?;
        Ok(self)
    }

    /// Evaluates, writes the package if one is wanted, prints the result, and says what to exit with.
    pub fn conclude(
        &self,
        evidence: &Evidence,
        recording: Option<&Recording>,
        target: Option<(&Path, bool)>,
        seals: Seals<'_>,
        output: &OutputArgs,
    ) -> Result<Exit, CommandError> {
        let review = self.record.as_ref().map(|record| record.review.clone());
        memory::give_back();
        let resources = Resources::build(evidence, &self.controls.settings.profile).reviewed(evidence, review);
        memory::give_back();
        let evaluation = evaluate(evidence, &resources, &self.controls);
        memory::give_back();
        let audit = Audit {
            evidence,
            resources: &resources,
            controls: &self.controls,
            evaluation: &evaluation,
            fail_on: self.fail_on,
        };
        let written = match target {
            Some((path, force)) => {
                let written = contents(
                    audit,
                    recording,
                    self.record.iter().flat_map(|record| record.files.clone()).collect(),
                    seals,
                )
                .and_then(|contents| package::write(contents, path, force))
                .map_err(|e| CommandError::no_package(format!("no package was written: {e}")))?;
                signals::done();
                Some((path.display().to_string(), written))
            }
            None => None,
        };
        let written = written.as_ref().map(|(path, written)| Written { path, size: written.size });
        match output.format {
            Format::Text => {
                let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
                print(&report::summary(&audit, written.as_ref(), width(), colour))?;
            }
            Format::Json => print(&String::from_utf8_lossy(&report::summary_json(&audit, written.as_ref())))?,
            Format::Csv => print(&String::from_utf8_lossy(&report::findings_csv(&audit)))?,
            Format::Nothing => {}
        }
        Ok(match audit.conclusion() {
            Conclusion::Clean => Exit::Clean,
            Conclusion::Failed => Exit::Failed,
            Conclusion::Incomplete => Exit::Incomplete,
        })
    }
}

/// The width of the terminal; a line that is read later has 100 columns.
fn width() -> usize {
    terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0).clamp(60, 120))
}

/// What the package of an audit holds. The same for a new package and for one that is derived again.
pub(super) fn contents<'a>(
    audit: Audit<'a>,
    recording: Option<&'a Recording>,
    more: BTreeMap<String, Vec<u8>>,
    seals: Seals<'a>,
) -> Result<Contents<'a>, PackageError> {
    let mut reports = vec![
        ("findings.csv".to_owned(), Content::stream(move |out| report::write_findings_csv(&audit, out))),
        ("findings.json".to_owned(), Content::stream(move |out| report::write_findings_json(&audit, out))),
        ("requirements.csv".to_owned(), Content::Bytes(report::requirements_csv(&audit))),
    ];
    for population in audit.resources.populations.values() {
        let table = Content::stream(move |out| report::write_population(population, out));
        reports.push((format!("populations/{}", population.kind.schema().file), table));
    }
    reports.extend(report::trail_logs(&audit).into_iter().map(|(path, bytes)| (path, Content::Bytes(bytes))));
    reports.extend(more.into_iter().map(|(path, bytes)| (path, Content::Bytes(bytes))));
    let mut contents = package::assemble(audit, recording, reports)?;
    let mut files: BTreeSet<String> = contents.paths().map(str::to_owned).collect();
    files.extend([README, REPORT, package::MANIFEST, package::SUMS].map(str::to_owned));
    files.extend(Seals::paths(seals.declared()).map(str::to_owned));
    contents.add(README.to_owned(), Content::text(report::readme_txt(&audit, &files)))?;
    contents.add(REPORT.to_owned(), Content::stream(move |out| report::write_html(&audit, &files, out)))?;
    contents.seal(seals);
    Ok(contents)
}

const README: &str = "README.txt";
const REPORT: &str = "report.html";
