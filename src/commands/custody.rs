//! What is written down about a run for its chain of custody: the command line, the program, the machine.

use crate::evidence::Timestamp;
use crate::evidence::custody::{Host, Start};
use crate::evidence::digest::Sha256;
use chrono::{SubsecRound, Utc};
use std::fs::File;
use std::io::Read;

/// Options whose values are secrets, or open doors together with others.
const SECRET: [&str; 2] = ["--mfa-code", "--external-id"];
const REMOVED: &str = "REMOVED";

/// A start of this program, now.
pub(super) fn start(with_host: bool) -> Start {
    let arguments = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned());
    Start {
        started: Timestamp(Utc::now().trunc_subsecs(0)),
        command: without_secrets(arguments),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        program_sha256: program_sha256(),
        host: with_host.then(host),
        caller: None,
    }
}

fn without_secrets(arguments: impl Iterator<Item = String>) -> Vec<String> {
    let mut command = vec!["auditpack".to_owned()];
    let mut secret_follows = false;
    for argument in arguments {
        let with_value = argument.split_once('=').map(|(name, _)| name.to_owned());
        command.push(match with_value {
            _ if secret_follows => REMOVED.to_owned(),
            Some(name) if SECRET.contains(&name.as_str()) => format!("{name}={REMOVED}"),
            _ => without_password(&argument),
        });
        secret_follows = !secret_follows && SECRET.contains(&argument.as_str());
    }
    command
}

/// An address without the name and password that may stand in it.
pub(super) fn without_password(argument: &str) -> String {
    let Some((before, rest)) = argument.split_once("://") else { return argument.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{before}://{REMOVED}@{host}{path}"),
        None => argument.to_owned(),
    }
}

/// The SHA-256 of this program's file, by which it can be told from another build of the same version.
fn program_sha256() -> Option<String> {
    let mut file = File::open(std::env::current_exe().ok()?).ok()?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).ok()? {
            0 => return Some(hash.finish()),
            n => hash.update(buffer.get(..n)?),
        }
    }
}

fn host() -> Host {
    let variable = |names: &[&str]| names.iter().find_map(|name| std::env::var(name).ok()).filter(|v| !v.is_empty());
    Host {
        name: host_name().or_else(|| variable(&["COMPUTERNAME", "HOSTNAME"])),
        user: variable(&["USER", "USERNAME", "LOGNAME"]),
        system: std::env::consts::OS.to_owned(),
        architecture: std::env::consts::ARCH.to_owned(),
    }
}

#[cfg(unix)]
fn host_name() -> Option<String> {
    Some(rustix::system::uname().nodename().to_str().ok()?.to_owned()).filter(|name| !name.is_empty())
}

#[cfg(not(unix))]
fn host_name() -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn no_secret_is_written_down() {
        let command = "collect --mfa-code 123456 --external-id=abc --sign key.pem --endpoint-url https://me:pw@host/x \
            --timestamp-url=http://a@tsa --mfa-code=654321 --external-id --mfa-code";
        let kept = without_secrets(command.split_whitespace().map(str::to_owned)).join(" ");
        assert_eq!(
            kept,
            "auditpack collect --mfa-code REMOVED --external-id=REMOVED --sign key.pem --endpoint-url \
             https://REMOVED@host/x --timestamp-url=http://REMOVED@tsa --mfa-code=REMOVED --external-id REMOVED"
        );
    }
}
