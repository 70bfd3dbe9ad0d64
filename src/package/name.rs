//! How a package's file is called, and where it goes.

use crate::evidence::Timestamp;
use crate::evidence::identity::is_account_id;
use std::path::{Path, PathBuf};

/// The name of an account's package: `auditpack_<account>_<yyyymmddThhmmssZ>.zip`.
pub fn file_name(account: Option<&str>, as_of: Timestamp) -> String {
    // What stands here in place of an account's id came from AWS or from a file, and is not trusted.
    let account = account.filter(|id| is_account_id(id));
    format!("auditpack_{}_{}.zip", account.unwrap_or("unknown"), as_of.0.format("%Y%m%dT%H%M%SZ"))
}

/// The file to write to: `--out` itself, or a file in it if it is a folder or ends like one, or a file in the
/// current folder if there is no `--out`.
pub fn target(out: Option<&Path>, account: Option<&str>, as_of: Timestamp) -> PathBuf {
    let name = file_name(account, as_of);
    match out {
        None => PathBuf::from(name),
        Some(out) if out.is_dir() || ends_like_a_folder(out) => out.join(name),
        Some(out) => out.to_owned(),
    }
}

fn ends_like_a_folder(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().last().is_some_and(|c| std::path::is_separator(char::from(*c)))
        || path.file_name().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_account_and_time() {
        let as_of = Timestamp::parse("2026-10-01T11:00:05.9+02:00").unwrap();
        assert_eq!(file_name(Some("111122223333"), as_of), "auditpack_111122223333_20261001T090005Z.zip");
        assert_eq!(file_name(None, as_of), "auditpack_unknown_20261001T090005Z.zip");
        assert_eq!(file_name(Some("../x"), as_of), "auditpack_unknown_20261001T090005Z.zip");
    }

    #[test]
    fn out_is_a_file_or_a_folder() {
        let as_of = Timestamp::parse("2026-10-01T09:00:00Z").unwrap();
        let name = file_name(None, as_of);
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(target(None, None, as_of), Path::new(&name));
        assert_eq!(target(Some(dir.path()), None, as_of), dir.path().join(&name));
        assert_eq!(target(Some(&dir.path().join("x.zip")), None, as_of), dir.path().join("x.zip"));
        assert_eq!(target(Some(Path::new("new/")), None, as_of), Path::new("new").join(&name));
        assert_eq!(target(Some(Path::new("..")), None, as_of), Path::new("..").join(&name));
    }
}
