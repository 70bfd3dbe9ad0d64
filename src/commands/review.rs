//! `auditpack review`: who has access, decided by people, followed up by evidence.

use super::arguments::{JudgeArgs, ReviewCommand};
use super::judge::{self, Judge, settings};
use super::seal::Sealing;
use super::source::{Replay, is_recording};
use super::work::time;
use super::{CommandError, Exit, print};
use crate::controls::Controls;
use crate::evaluate::evaluate;
use crate::evidence::digest::sha256;
use crate::evidence::iam::AuthorizationDetails;
use crate::evidence::recording::create_private_dir;
use crate::evidence::{Document, Timestamp};
use crate::finding::Status;
use crate::package;
use crate::report::Audit;
use crate::report::words::{count, number, visible};
use crate::resource::{Resources, Value};
use crate::review::answers::{self, Window};
use crate::review::close::{self, CloseError};
use crate::review::open::{Opening, open};
use crate::review::owner::Owners;
use crate::review::population::Origin;
use crate::review::record::Register;
use crate::review::{
    DIGEST_FILE, Frozen, History, INPUT_FOLDER, Outcome, POPULATION_FILE, REGISTER_FILE, Sheet, Thresholds, access,
    status,
};
use chrono::{SubsecRound, Utc};
use std::io::Read;
use std::path::{Path, PathBuf};

pub(super) fn run(command: ReviewCommand) -> Result<Exit, CommandError> {
    match command {
        ReviewCommand::Open { package, out, previous, by_owner, owners, due_days, config } => {
            let history = previous.as_deref().map(history).transpose()?;
            let controls = Controls::load(None, settings(config.as_deref())?, &[]).map_err(CommandError::usage)?;
            let owners = match &owners {
                Some(path) => Owners::read(&path.display().to_string(), &read(path)?).map_err(CommandError::usage)?,
                None => Owners::default(),
            };
            check_folder(&out)?;
            start(&package, &out, history, by_owner, &owners, due_days, &controls)
        }
        ReviewCommand::Status { review, as_of, max_age_days } => {
            let today = match as_of {
                Some(text) => time(&text, true)?,
                None => Timestamp(Utc::now().trunc_subsecs(0)),
            };
            if review.is_dir() { progress(&review, today) } else { age(&review, today, max_age_days) }
        }
        ReviewCommand::Close { dir, with, out, force, max_age_days, judge, seal } => {
            let sealing = Sealing::load(&seal)?;
            finish(&dir, &with, (out.as_deref().unwrap_or(&dir), force), max_age_days, &judge, &sealing)
        }
    }
}

fn start(
    package: &Path,
    out: &Path,
    history: Option<History>,
    by_owner: bool,
    owners: &Owners,
    due_days: u32,
    controls: &Controls,
) -> Result<Exit, CommandError> {
    let replay = Replay::open(package)?;
    let evidence = replay.evidence(None)?;
    let resources = Resources::build(&evidence, &controls.settings.profile);
    let snapshot = access(&evidence, &resources, owners, thresholds(controls)).map_err(CommandError::no_package)?;
    let manifest_sha256 = match is_recording(package) || package.is_dir() {
        true => None,
        false => {
            let mut opened = package::open(package).map_err(CommandError::usage)?;
            Some(sha256(&opened.read(package::MANIFEST).map_err(CommandError::usage)?))
        }
    };
    let details_sha256 = evidence.global::<AuthorizationDetails>().arrived().and_then(|details| {
        let mut bytes = Vec::new();
        details.write(&mut bytes).ok()?;
        Some(sha256(&bytes))
    });
    let name = package.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let opening = Opening {
        account: evidence.account.clone(),
        opened: evidence.as_of(),
        due_days,
        origin: Origin { name, manifest_sha256, details_sha256 },
        snapshot,
        history,
        by_owner,
    };
    let opened = open(opening).map_err(CommandError::usage)?;
    for (path, bytes) in &opened.files {
        write_new(&out.join(path), bytes)?;
    }
    let frozen = &opened.frozen;
    let mut text = format!("Access review of {} as of {}, due {}\n\n", account(frozen), frozen.opened, frozen.due);
    for sheet in Sheet::ALL {
        let rows = frozen.of(*sheet).count() as u64;
        text.push_str(&format!("  {:<22}{:>8}\n", sheet.word(), number(rows)));
    }
    if !frozen.excluded.is_empty() {
        text.push_str(&format!("  not in it{:>21}  service-linked roles\n", number(frozen.excluded.len() as u64)));
    }
    let incomplete = frozen.incomplete();
    for why in &incomplete {
        text.push_str(&format!("\nThere may be more: {}", visible(why)));
    }
    let place = if by_owner { out.join("by-owner") } else { out.join(crate::review::WORKBOOK_FILE) };
    text.push_str(&format!(
        "\nFill in       {}\nThen          auditpack review status {dir}\n              auditpack review close {dir} --with LATER-PACKAGE\nKeep elsewhere, in the ticket say: the population's SHA-256\n              {}\n",
        place.display(),
        opened.population_sha256,
        dir = out.display()
    ));
    print(&text)?;
    Ok(if incomplete.is_empty() { Exit::Clean } else { Exit::Incomplete })
}

fn account(frozen: &Frozen) -> String {
    visible(frozen.account.as_deref().unwrap_or("an account that is not known")).into_owned()
}

fn thresholds(controls: &Controls) -> Thresholds {
    let of = |name: &str, default: i64| match controls.settings.parameters.get(name) {
        Some(Value::Int(days)) => *days,
        _ => default,
    };
    let default = Thresholds::default();
    Thresholds {
        user_unused: of("user_unused_days", default.user_unused),
        role_unused: of("role_unused_days", default.role_unused),
        key_unused: of("access_key_unused_days", default.key_unused),
        key_age: of("access_key_max_age_days", default.key_age),
    }
}

/// How far an open review is.
fn progress(dir: &Path, today: Timestamp) -> Result<Exit, CommandError> {
    let (frozen, _) = frozen(dir)?;
    let day = today.0.date_naive();
    let window = Window { from: frozen.opened.0.date_naive(), to: day };
    let answers = answers::read(&frozen, &answer_files(dir)?, window);
    let status = status::status(&frozen, &answers, day);
    print(&status.text())?;
    Ok(match (status.refusals.is_empty() && status.contradictions.is_empty(), status.open()) {
        _ if status.overdue_days > 0 && status.open() > 0 => Exit::Failed,
        (false, _) => Exit::Failed,
        (true, 0) => Exit::Clean,
        (true, _) => Exit::Incomplete,
    })
}

/// Whether the last closed review is recent enough.
fn age(package: &Path, today: Timestamp, max_age_days: i64) -> Result<Exit, CommandError> {
    let mut opened = package::open(package).map_err(CommandError::usage)?;
    let register = register(&mut opened)?;
    let days = register.closed.days_until(today);
    let fresh = (0..=max_age_days).contains(&days);
    let acknowledged = match &register.acknowledgement {
        Some(ack) => format!("acknowledged by {} on {}", visible(&ack.by), ack.on),
        None => "not acknowledged by management".to_owned(),
    };
    print(&format!(
        "Last closed review  {}, {} before {} ({max_age_days} allowed): {}\nManagement          {acknowledged}\n",
        register.closed,
        count(days.unsigned_abs(), "day", "days"),
        today,
        if fresh { "pass" } else { "fail" },
    ))?;
    Ok(if fresh && register.acknowledgement.is_some() { Exit::Clean } else { Exit::Failed })
}

fn finish(
    dir: &Path,
    with: &Path,
    (out, force): (&Path, bool),
    max_age_days: i64,
    args: &JudgeArgs,
    sealing: &Sealing,
) -> Result<Exit, CommandError> {
    let replay = Replay::open(with)?;
    let judge = Judge::load(args, &replay.recording.run.frameworks)?;
    let evidence = replay.evidence(None)?;
    let target = if out.is_dir() {
        let day = evidence.as_of().0.format("%Y%m%dT%H%M%SZ");
        out.join(format!("access-review_{}_{day}.zip", evidence.account.as_deref().unwrap_or("unknown")))
    } else {
        out.to_owned()
    };
    package::check_target(&target, force).map_err(CommandError::no_package)?;
    let resources = Resources::build(&evidence, &judge.controls.settings.profile);
    let inputs = close::inputs(
        read(&dir.join(POPULATION_FILE))?,
        read(&dir.join(DIGEST_FILE))?,
        answer_files(dir)?,
        max_age_days,
    );
    let closed = crate::review::close(inputs, &evidence, &resources).map_err(|error| match error {
        CloseError::Refused(refusals) => CommandError::usage(format!(
            "the review is not closed, {}:\n{refusals}",
            count(refusals.0.len() as u64, "thing is not accepted", "things are not accepted")
        )),
        other => CommandError::usage(other),
    })?;
    let evaluation = evaluate(&evidence, &resources, &judge.controls);
    let audit = Audit {
        evidence: &evidence,
        resources: &resources,
        controls: &judge.controls,
        evaluation: &evaluation,
        fail_on: judge.fail_on,
    };
    let worst = closed.status();
    let text = summary(&closed.register, &target);
    judge::contents(audit, Some(&replay.recording), closed.files, sealing.seals())
        .and_then(|contents| package::write(contents, &target, force))
        .map_err(|e| CommandError::no_package(format!("no package was written: {e}")))?;
    print(&text)?;
    Ok(match worst {
        Status::Fail => Exit::Failed,
        Status::Unknown => Exit::Incomplete,
        _ => Exit::Clean,
    })
}

fn summary(register: &Register, target: &Path) -> String {
    let mut text = format!(
        "Access review of {}, opened as of {}, closed as of {}\n\n",
        visible(register.account.as_deref().unwrap_or("an account that is not known")),
        register.opened,
        register.closed
    );
    let undecided = register.rows.iter().filter(|row| row.decision.is_none()).count() as u64;
    let rows = register.rows.len() as u64;
    text.push_str(&format!("  decided       {} of {}\n", number(rows - undecided), number(rows)));
    for outcome in [Outcome::Done, Outcome::NotDone, Outcome::Unknown] {
        text.push_str(&format!("  {:<14}{}\n", outcome.to_string(), number(register.followed(outcome))));
    }
    text.push('\n');
    for row in &register.rows {
        if let Some(found) = row.follow_up.as_ref().filter(|f| matches!(f.outcome, Outcome::NotDone | Outcome::Unknown))
        {
            let decision = row.decision.map_or("", crate::review::Decision::word);
            text.push_str(&format!(
                "  {:<9} {decision} {}: {}\n",
                found.outcome,
                visible(&row.name),
                visible(&found.reason)
            ));
        }
    }
    let mut last = "";
    for finding in &register.findings {
        let requirement = format!("{} {}", finding.framework, finding.requirement);
        if last != finding.requirement {
            text.push_str(&format!("\n{requirement}\n"));
        }
        last = &finding.requirement;
        text.push_str(&format!("  {:<15}{}: {}\n", finding.status, finding.check, visible(&finding.message)));
    }
    for line in &register.contradictions {
        text.push_str(&format!("\ncontradiction: {line}"));
    }
    text.push_str(&format!("\nRecord        {} (review/attestation.html is to be signed)\n", target.display()));
    text
}

/// The earlier review in a folder or a package.
fn history(path: &Path) -> Result<History, CommandError> {
    if path.is_dir() {
        let (population, digest) = frozen(path)?;
        let record = newest_record(path)?;
        let register = match record {
            Some(record) => {
                let mut opened = package::open(&record).map_err(CommandError::usage)?;
                let register = register(&mut opened)?;
                (register.population_sha256 == digest).then_some(register)
            }
            None => None,
        };
        return Ok(History::of(population, digest, register.as_ref()));
    }
    let mut opened = package::open(path).map_err(CommandError::usage)?;
    let register = register(&mut opened)?;
    let mut input = |name: &str| opened.read(&format!("{INPUT_FOLDER}/{name}")).map_err(CommandError::usage);
    let (population, digest) =
        close::population(&input(POPULATION_FILE)?, &input(DIGEST_FILE)?).map_err(CommandError::usage)?;
    Ok(History::of(population, digest, Some(&register)))
}

fn register(opened: &mut package::OpenPackage) -> Result<Register, CommandError> {
    let bytes = opened
        .read(REGISTER_FILE)
        .map_err(|e| CommandError::usage(format!("it holds no record of a closed review: {e}")))?;
    Register::read(&bytes).map_err(|e| CommandError::usage(format!("{REGISTER_FILE} cannot be read: {e}")))
}

/// The record that lies in a review's folder, the last by name, which has the time in it.
fn newest_record(dir: &Path) -> Result<Option<PathBuf>, CommandError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|e| unreadable(dir, &e))? {
        let path = entry.map_err(|e| unreadable(dir, &e))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with("access-review_") && name.ends_with(".zip") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found.pop())
}

fn frozen(dir: &Path) -> Result<(Frozen, String), CommandError> {
    let (population, digest) = (read(&dir.join(POPULATION_FILE))?, read(&dir.join(DIGEST_FILE))?);
    close::population(&population, &digest).map_err(CommandError::usage)
}

/// The files that answers stand in, with their paths below the folder, sorted.
fn answer_files(dir: &Path) -> Result<Vec<(String, Vec<u8>)>, CommandError> {
    let mut found = Vec::new();
    let mut folders = vec![(dir.to_owned(), String::new(), 0)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|e| unreadable(&folder, &e))? {
            let entry = entry.map_err(|e| unreadable(&folder, &e))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let kind = entry.file_type().map_err(|e| unreadable(&folder, &e))?;
            if kind.is_dir() && depth < 3 && !name.starts_with('.') {
                folders.push((entry.path(), format!("{path}/"), depth + 1));
            } else if kind.is_file() && answers::is_answer_file(&path) {
                found.push((path, read(&entry.path())?));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    let file = std::fs::File::open(path).map_err(|e| unreadable(path, &e))?;
    let mut bytes = Vec::new();
    let limit = crate::review::LARGEST_FILE;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|e| unreadable(path, &e))?;
    if bytes.len() as u64 > limit {
        return Err(CommandError::usage(format!("{} has more than {limit} bytes", path.display())));
    }
    Ok(bytes)
}

fn unreadable(path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::usage(format!("cannot read {}: {error}", path.display()))
}

fn check_folder(out: &Path) -> Result<(), CommandError> {
    match std::fs::read_dir(out).map(|mut entries| entries.next().is_some()) {
        Ok(true) => {
            Err(CommandError::usage(format!("{} is not empty: a review goes into a folder of its own", out.display())))
        }
        Ok(false) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(unreadable(out, &error)),
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    let failed = |e: std::io::Error| CommandError::no_package(format!("cannot write {}: {e}", path.display()));
    if let Some(parent) = path.parent() {
        create_private_dir(parent).map_err(failed)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    std::io::Write::write_all(&mut options.open(path).map_err(failed)?, bytes).map_err(failed)
}
