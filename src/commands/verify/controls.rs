//! Whose controls a package was judged by. Verdicts follow from AWS's answers *and* from these: who wants another verdict can
//! write another check, and everything is derived rightly from it. So what is not the program's own is named.

use crate::controls::{Controls, Settings};
use crate::package::{OpenPackage, Problem, Step, Verdict};

pub(super) fn controls(opened: &mut OpenPackage) -> Step {
    const STEP: &str = "controls";
    let files = match opened.controls() {
        Ok(files) => files,
        Err(error) => return Step::of(STEP, "", vec![Problem::of("controls/", error.to_string())]),
    };
    let (ours, theirs) = (env!("CARGO_PKG_VERSION"), opened.manifest().tool.version.clone());
    let settings = match files.contains_key(Settings::FILE) {
        true => "; thresholds, exceptions and attached files stand in controls/auditpack.toml",
        false => "",
    };
    if theirs != ours {
        let says =
            format!("they are to be held against those of auditpack {}, and this is {ours}", theirs.escape_debug());
        return Step::ended(STEP, Verdict::NotChecked, says);
    }
    let embedded = Controls::embedded_files();
    let problems: Vec<Problem> = (files.iter())
        .filter(|(path, _)| *path != Settings::FILE)
        .filter_map(|(path, text)| match embedded.get(path) {
            Some(own) if own == text => None,
            Some(_) => Some((path, format!("is not the one of auditpack {ours}"))),
            None => Some((path, format!("is not part of auditpack {ours}"))),
        })
        .map(|(path, what)| Problem::of(format!("controls/{path}"), what))
        .collect();
    if problems.is_empty() {
        let says =
            format!("the {} checks, frameworks and other files are auditpack {ours}'s own{settings}", files.len());
        return Step::ended(STEP, Verdict::Ok, says);
    }
    let says = format!(
        "{} of {} files are somebody's own: read what they ask before you rely on verdicts by them{settings}",
        problems.len(),
        files.len()
    );
    Step { step: STEP, verdict: Verdict::InPart, says, problems }
}
