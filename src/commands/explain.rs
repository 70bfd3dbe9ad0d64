//! `auditpack explain`: why a principal can do what it can, offline, from what was collected.

mod answer;
mod find;
mod scp;

use super::arguments::{ExplainArgs, Format};
use super::judge::settings;
use super::source::given;
use super::{CommandError, Exit, print};
use crate::evidence::Evidence;
use crate::resource::{Access, Resources};

pub(super) fn run(args: &ExplainArgs) -> Result<Exit, CommandError> {
    if args.format == Format::Csv {
        return Err(CommandError::usage("explain prints text or json; the tables are in a package's populations/"));
    }
    let mut settings = settings(args.config.as_deref())?;
    if !args.scp.is_empty() {
        settings.profile.scps = Some(args.scp.iter().map(|path| scp::level(path)).collect::<Result<_, _>>()?);
    }
    let given = given(&args.from, None)?;
    let evidence = &given.evidence;
    let (_, access) = Resources::with_analysis(evidence, &settings.profile);
    let answer = explain(evidence, &access, args)?;
    match args.format {
        Format::Json => {
            let text = serde_json::to_string_pretty(&answer)
                .map_err(|e| CommandError::no_package(format!("cannot write the answer: {e}")))?;
            print(&format!("{text}\n"))?;
        }
        _ => print(&answer.text())?,
    }
    Ok(if answer.is_unknown() { Exit::Incomplete } else { Exit::Clean })
}

fn explain(evidence: &Evidence, access: &Access, args: &ExplainArgs) -> Result<answer::Answer, CommandError> {
    let analysed = find::principal(access, &args.principal)?;
    if let Some(action) = &args.action {
        let (service, name) = action.split_once(':').unwrap_or((action, ""));
        if service.is_empty() || name.is_empty() {
            let text = format!("`{action}` is not an action; write service:Name, such as s3:DeleteObject");
            return Err(CommandError::usage(text));
        }
        let resource = args.resource.as_deref().unwrap_or("*");
        if resource != "*" && !resource.starts_with("arn:") {
            let text = format!("`{resource}` is not a resource; write its ARN, or leave it out to ask about any");
            return Err(CommandError::usage(text));
        }
        return Ok(answer::Answer::action(evidence, access, analysed, action, resource));
    }
    Ok(answer::Answer::principal(evidence, access, analysed))
}
