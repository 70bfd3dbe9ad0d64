//! `auditpack keygen`: a key to sign packages with.

use super::arguments::KeygenArgs;
use super::{CommandError, Exit, print};
use crate::package::SigningKey;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

pub(super) fn run(args: &KeygenArgs) -> Result<Exit, CommandError> {
    let (private, public) = (with_ending(&args.out, ".pem"), with_ending(&args.out, ".pub.pem"));
    if public.exists() {
        return Err(exists(&public));
    }
    let key = SigningKey::generate().map_err(CommandError::no_package)?;
    // Nothing is ever written over a key.
    write(&private, &key.to_pem().map_err(CommandError::no_package)?, 0o600)?;
    write(&public, &key.public().to_pem(), 0o644)?;
    print(&format!(
        "private key   {} (keep it secret)\npublic key    {}\nfingerprint   {}\n",
        private.display(),
        public.display(),
        key.public().fingerprint()
    ))?;
    Ok(Exit::Clean)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn exists(path: &Path) -> CommandError {
    CommandError::usage(format!("{} exists already: name another file with --out", path.display()))
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), CommandError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
    #[cfg(not(unix))]
    let _ = mode;
    let written = options.open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(path),
        _ => CommandError::no_package(format!("cannot write {}: {error}", path.display())),
    })
}
