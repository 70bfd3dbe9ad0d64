//! `auditpack review`: who has access, decided by people, followed up by evidence.

mod live;

use super::arguments::{CloseArgs, OpenArgs, ReviewCommand, StatusArgs, StatusFormat};
use super::judge::{self, Judge, settings};
use super::seal::Sealing;
use super::source::{given, is_recording};
use super::work::time;
use super::{CommandError, Exit, print};
use crate::controls::{Catalogue, Controls};
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
use crate::review::findings::worst;
use crate::review::open::{Opening, open};
use crate::review::owner::Owners;
use crate::review::population::Origin;
use crate::review::record::Register;
use crate::review::{
    DIGEST_FILE, Frozen, History, INPUT_FOLDER, Outcome, POPULATION_FILE, REGISTER_FILE, ReviewFinding, Sheet,
    Thresholds, access, status,
};
use chrono::{SubsecRound, Utc};
use std::io::Read;
use std::path::{Path, PathBuf};

pub(super) fn run(command: ReviewCommand) -> Result<Exit, CommandError> {
    match command {
        ReviewCommand::Open(args) => start(&args),
        ReviewCommand::Status(args) => {
            let today = match &args.as_of {
                Some(text) => time(text, true)?,
                None => Timestamp(Utc::now().trunc_subsecs(0)),
            };
            if args.review.is_dir() { progress(&args, today) } else { age(&args, today) }
        }
        ReviewCommand::Close(args) => finish(&args),
    }
}

/// Freezes the access that evidence shows, after collecting it where none was given.
fn start(args: &OpenArgs) -> Result<Exit, CommandError> {
    let history = args.previous.as_deref().map(history).transpose()?;
    let select = &args.select;
    let controls = Controls::load(select.controls.as_deref(), settings(select.config.as_deref())?, &select.frameworks)
        .map_err(CommandError::usage)?;
    let owners = match &args.owners {
        Some(path) => Owners::read(&path.display().to_string(), &read(path)?).map_err(CommandError::usage)?,
        None => Owners::default(),
    };
    check_folder(&args.out)?;
    let (package, as_of) = match &args.package {
        Some(path) => (path.clone(), args.scope.as_of.as_deref()),
        None => (live::for_opening(args)?, None),
    };
    let given = given(&package, as_of)?;
    let evidence = &given.evidence;
    let (resources, analysis) = Resources::with_analysis(evidence, &controls.settings.profile);
    let snapshot =
        access(evidence, &resources, &analysis, &owners, thresholds(&controls)).map_err(CommandError::no_package)?;
    drop(analysis);
    let manifest_sha256 = match given.recording.is_none() || is_recording(&package) || package.is_dir() {
        true => None,
        false => {
            let mut opened = package::open(&package).map_err(CommandError::usage)?;
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
        due_days: args.due_days,
        origin: Origin { name, manifest_sha256, details_sha256 },
        snapshot,
        history,
        by_owner: args.by_owner,
    };
    let opened = open(opening).map_err(CommandError::usage)?;
    for (path, bytes) in &opened.files {
        write_new(&args.out.join(path), bytes)?;
    }
    print(&opening_summary(args, &opened.frozen, &opened.population_sha256))?;
    Ok(if opened.frozen.incomplete().is_empty() { Exit::Clean } else { Exit::Incomplete })
}

fn opening_summary(args: &OpenArgs, frozen: &Frozen, population_sha256: &str) -> String {
    let mut text = format!("Access review of {} as of {}, due {}\n\n", account(frozen), frozen.opened, frozen.due);
    for sheet in Sheet::ALL {
        let rows = frozen.of(*sheet).count() as u64;
        text.push_str(&format!("  {:<22}{:>8}\n", sheet.word(), number(rows)));
    }
    if !frozen.excluded.is_empty() {
        text.push_str(&format!("  not in it{:>21}  service-linked roles\n", number(frozen.excluded.len() as u64)));
    }
    if frozen.previous.is_some() {
        text.push_str(&format!("\nSince the last review: {}\n", frozen.changes()));
    }
    for why in frozen.incomplete() {
        text.push_str(&format!("\nThere may be more: {}", visible(&why)));
    }
    let place = if args.by_owner { args.out.join("by-owner") } else { args.out.join(crate::review::WORKBOOK_FILE) };
    text.push_str(&format!(
        "\nFill in       {}\nThen          auditpack review status {dir}\n              auditpack review close {dir} --with LATER-PACKAGE\nKeep elsewhere, in the ticket say: the population's SHA-256\n              {population_sha256}\n",
        place.display(),
        dir = args.out.display()
    ));
    text
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
fn progress(args: &StatusArgs, today: Timestamp) -> Result<Exit, CommandError> {
    let (frozen, digest) = frozen(&args.review)?;
    let day = today.0.date_naive();
    let window = Window { from: frozen.opened.0.date_naive(), to: day };
    let answers = answers::read(&frozen, &digest, &answer_files(&args.review)?, window);
    let status = status::status(&frozen, &answers, day);
    print(&match args.format {
        StatusFormat::Text => status.text(),
        StatusFormat::Json => status.json(),
    })?;
    Ok(match (status.refusals.is_empty() && status.contradictions.is_empty(), status.open()) {
        _ if status.overdue_days > 0 && status.open() > 0 => Exit::Failed,
        (false, _) => Exit::Failed,
        (true, 0) => Exit::Clean,
        (true, _) => Exit::Incomplete,
    })
}

/// Whether the last closed review is recent enough.
fn age(args: &StatusArgs, today: Timestamp) -> Result<Exit, CommandError> {
    let mut opened = package::open(&args.review).map_err(CommandError::usage)?;
    let register = register(&mut opened)?;
    let most = match args.max_age_days {
        Some(days) => days,
        None => parameter(&settings(args.config.as_deref())?)?,
    };
    let days = register.closed.days_until(today);
    let fresh = register.closed <= today && days <= most;
    let acknowledged = register.acknowledgement.as_ref();
    match args.format {
        StatusFormat::Json => {
            let json = serde_json::json!({
                "format": 1, "account": register.account, "closed": register.closed, "age_days": days, "max_age_days": most,
                "recent": fresh, "acknowledged_by": acknowledged.map(|ack| &ack.by), "acknowledged_on": acknowledged.map(|ack| ack.on),
            });
            print(&format!("{json:#}\n"))?;
        }
        StatusFormat::Text => print(&format!(
            "Last closed review  {}, {} before {} ({most} allowed): {}\nManagement          {}\n",
            register.closed,
            count(days.unsigned_abs(), "day", "days"),
            today,
            if fresh { "pass" } else { "fail" },
            acknowledged.map_or_else(
                || "not acknowledged by management".to_owned(),
                |ack| format!("acknowledged by {} on {}", visible(&ack.by), ack.on)
            ),
        ))?,
    }
    Ok(if fresh && acknowledged.is_some() { Exit::Clean } else { Exit::Failed })
}

/// How old the last closed review may be, by the settings or else by default.
fn parameter(settings: &crate::controls::Settings) -> Result<i64, CommandError> {
    const NAME: &str = "access_review_max_age_days";
    if let Some(Value::Int(days)) = settings.parameters.get(NAME) {
        return Ok(*days);
    }
    let catalogue = Catalogue::load(None).map_err(CommandError::usage)?;
    let parameter = catalogue.parameters.get(NAME).map(|parameter| parameter.default);
    parameter.ok_or_else(|| CommandError::usage(format!("there is no parameter {NAME}")))
}

/// Closes a review with later evidence, after collecting that where it was asked for.
fn finish(args: &CloseArgs) -> Result<Exit, CommandError> {
    let dir = &args.dir;
    let (_, digest) = frozen(dir)?;
    if let Some(kept) =
        args.population_sha256.as_deref().map(str::trim).filter(|kept| !kept.eq_ignore_ascii_case(&digest))
    {
        return Err(CommandError::usage(format!(
            "the SHA-256 of {POPULATION_FILE} is {digest}, not {kept} as was kept elsewhere: it was exchanged after the review was opened; restore the file that `review open` wrote"
        )));
    }
    let inputs = close::inputs(read(&dir.join(POPULATION_FILE))?, read(&dir.join(DIGEST_FILE))?, answer_files(dir)?);
    let sealing = Sealing::load(&args.seal)?;
    let out = args.out.as_deref().unwrap_or(dir);
    if !out.is_dir() {
        package::check_target(out, args.force).map_err(CommandError::no_package)?;
    }
    let (with, as_of, collected) = match &args.with {
        Some(path) => (path.clone(), args.scope.as_of.as_deref(), false),
        None => {
            // What is refused is refused before hours of collection, not after.
            let today = match &args.scope.as_of {
                Some(text) => time(text, true)?,
                None => Timestamp(Utc::now().trunc_subsecs(0)),
            };
            let (frozen, digest) = frozen(dir)?;
            let window = Window { from: frozen.opened.0.date_naive(), to: today.0.date_naive() };
            let refusals = answers::read(&frozen, &digest, &answer_files(dir)?, window).refusals;
            if !refusals.0.is_empty() {
                return Err(refused(&CloseError::Refused(refusals)));
            }
            (live::for_closing(args, today)?, None, true)
        }
    };
    let given = given(&with, as_of)?;
    let evidence = &given.evidence;
    let judge = Judge::load(&args.judge, &evidence.run.frameworks)?;
    let target = if out.is_dir() {
        let day = evidence.as_of().0.format("%Y%m%dT%H%M%SZ");
        out.join(format!("access-review_{}_{day}.zip", evidence.account.as_deref().unwrap_or("unknown")))
    } else {
        out.to_owned()
    };
    package::check_target(&target, args.force).map_err(CommandError::no_package)?;
    let (resources, analysis) = Resources::with_analysis(evidence, &judge.controls.settings.profile);
    let closed = crate::review::close(inputs, evidence, &resources, &analysis).map_err(|error| {
        let mut error = refused(&error);
        if collected {
            error.message.push_str(&format!("\nwhat was collected is kept: close with --with {}", with.display()));
        }
        error
    })?;
    if let Some((_, earlier)) = newest_record(dir, &digest)? {
        let reopened = closed.register.reopened(&earlier);
        if !reopened.0.is_empty() {
            return Err(refused(&CloseError::Refused(reopened)));
        }
    }
    drop(analysis);
    let resources = resources.reviewed(evidence, Some(closed.last_review()));
    let evaluation = evaluate(evidence, &resources, &judge.controls);
    let findings = closed.findings(&evaluation, &judge.controls);
    let audit = Audit {
        evidence,
        resources: &resources,
        controls: &judge.controls,
        evaluation: &evaluation,
        fail_on: judge.fail_on,
    };
    let text = closing_summary(&closed.register, &findings, &target);
    judge::contents(audit, given.recording.as_deref(), closed.files(&findings), sealing.seals())
        .and_then(|contents| package::write(contents, &target, args.force))
        .map_err(|e| CommandError::no_package(format!("no package was written: {e}")))?;
    if collected {
        // The record holds all of it.
        let _ = std::fs::remove_file(&with);
    }
    print(&text)?;
    Ok(match worst(findings.iter().filter(|finding| !finding.excepted)) {
        Some(Status::Fail) => Exit::Failed,
        Some(Status::Unknown) | None => Exit::Incomplete,
        Some(_) => Exit::Clean,
    })
}

fn refused(error: &CloseError) -> CommandError {
    match error {
        CloseError::Refused(refusals) => CommandError::usage(format!(
            "the review is not closed, {}:\n{refusals}",
            count(refusals.0.len() as u64, "thing is not accepted", "things are not accepted")
        )),
        other => CommandError::usage(other),
    }
}

fn closing_summary(register: &Register, findings: &[ReviewFinding], target: &Path) -> String {
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
    /// No more are told one by one: closure.csv has them all.
    const MOST: usize = 40;
    let open = |row: &&crate::review::record::RegisterRow| {
        row.follow_up.as_ref().is_some_and(|found| matches!(found.outcome, Outcome::NotDone | Outcome::Unknown))
    };
    let left: Vec<_> = register.rows.iter().filter(open).collect();
    if !left.is_empty() {
        text.push('\n');
    }
    for row in left.iter().take(MOST) {
        let Some(found) = &row.follow_up else { continue };
        let decision = row.decision.map_or("", crate::review::Decision::word);
        let lead = format!("  {:<9} {decision} {} ({}): ", found.outcome, visible(&row.name), row.sheet);
        crate::report::words::paragraph(&mut text, &lead, &visible(&found.reason), 100.max(lead.len() + 40));
    }
    if left.len() > MOST {
        text.push_str(&format!("  and {} more, in review/closure.csv\n", left.len() - MOST));
    }
    text.push('\n');
    let mut told: Vec<&str> = Vec::new();
    for finding in findings {
        if told.contains(&finding.check.as_str()) {
            continue;
        }
        told.push(&finding.check);
        let asked: Vec<String> = (findings.iter().filter(|other| other.check == finding.check))
            .map(|other| format!("{} {}", other.framework, other.requirement))
            .collect();
        let status = if finding.excepted { "fail (excepted)" } else { finding.status.word() };
        let lead = format!("  {status:<15} {}: ", finding.check);
        crate::report::words::paragraph(&mut text, &lead, &visible(&finding.message), 150);
        crate::report::words::paragraph(&mut text, "                  asked by ", &asked.join(", "), 150);
    }
    if !register.contradictions.is_empty() {
        text.push_str(&format!("\nContradictions ({})\n", number(register.contradictions.len() as u64)));
    }
    for line in register.contradictions.iter().take(MOST) {
        text.push_str(&format!("  - {line}\n"));
    }
    if register.contradictions.len() > MOST {
        text.push_str(&format!("  and {} more, in review/register.json\n", register.contradictions.len() - MOST));
    }
    text.push_str(&format!("\nRecord        {} (review/attestation.html is to be signed)\n", target.display()));
    text
}

/// The earlier review in a folder or a package.
fn history(path: &Path) -> Result<History, CommandError> {
    if path.is_dir() {
        let (population, digest) = frozen(path)?;
        let record = newest_record(path, &digest)?;
        let register = record.map(|(_, register)| register);
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

/// The last record of a population among those in its review's folder: by name, which has the time in it.
fn newest_record(dir: &Path, digest: &str) -> Result<Option<(PathBuf, Register)>, CommandError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|e| unreadable(dir, &e))? {
        let path = entry.map_err(|e| unreadable(dir, &e))?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with("access-review_") && name.ends_with(".zip") {
            found.push(path);
        }
    }
    found.sort();
    while let Some(path) = found.pop() {
        let mut opened = package::open(&path).map_err(CommandError::usage)?;
        let register = register(&mut opened)?;
        if register.population_sha256 == digest {
            return Ok(Some((path, register)));
        }
    }
    Ok(None)
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
