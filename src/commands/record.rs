//! The record of the last access review: taken from the package that `review close` wrote, and judged with other
//! evidence.

use super::CommandError;
use super::source::{Replay, given};
use crate::controls::Controls;
use crate::evidence::Evidence;
use crate::evidence::digest::{Sha256, sha256};
use crate::package::{self, OpenPackage, ScratchFolder};
use crate::resource::access_review::RecordOrigin;
use crate::resource::{Access, LastReview, Resources};
use crate::review::record::Register;
use crate::review::{Closed, INPUT_FOLDER, LAST_FOLDER, REGISTER_FILE};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// The record of another package, as this run's package will hold it.
#[derive(Clone, Debug)]
pub(super) struct LastRecord {
    /// What the checks judge.
    pub review: LastReview,
    /// The files that show it, with their paths in the package.
    pub files: BTreeMap<String, Vec<u8>>,
}

fn register_path() -> String {
    format!("{LAST_FOLDER}/register.json")
}

/// Whether everything that a JSON text says is said by another one, too.
fn says_no_more(text: &[u8], other: &[u8]) -> bool {
    fn within(a: &serde_json::Value, b: &serde_json::Value) -> bool {
        use serde_json::Value::{Array, Object};
        match (a, b) {
            (Object(a), Object(b)) => a.iter().all(|(name, a)| b.get(name).is_some_and(|b| within(a, b))),
            (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| within(a, b)),
            (a, b) => a == b,
        }
    }
    let read = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).ok();
    read(text).zip(read(other)).is_some_and(|(a, b)| within(&a, &b))
}

fn origin_path() -> String {
    format!("{LAST_FOLDER}/record.json")
}

impl LastRecord {
    /// Takes the record out of a package, after the record was made again from what it rests on.
    pub fn load(path: &Path) -> Result<Self, CommandError> {
        let wrong = |reason: String| {
            CommandError::usage(format!("{} cannot be taken for the last access review: {reason}", path.display()))
        };
        let mut opened = package::open(path).map_err(|e| wrong(e.to_string()))?;
        if !opened.has(REGISTER_FILE) {
            return Err(wrong("it holds no record of a closed review; `auditpack review close` writes one".to_owned()));
        }
        let bytes = opened.read(REGISTER_FILE).map_err(|e| wrong(e.to_string()))?;
        let manifest = opened.read(package::MANIFEST).map_err(|e| wrong(e.to_string()))?;
        let again = if opened.paths().any(|path| path.starts_with("raw/")) {
            let replay = Replay::open(path)?;
            let evidence = replay.evidence(None)?;
            register_again(&mut opened, &evidence)
        } else {
            from_documents(&mut opened)
        };
        let again = again.map_err(&wrong)?;
        let made = &opened.manifest().tool.version;
        // Another version may write more about a review. What this record says of it must be derived all the same.
        let other =
            made != env!("CARGO_PKG_VERSION") && again.as_ref().is_some_and(|again| says_no_more(&bytes, again));
        if again.as_ref() != Some(&bytes) && !other {
            return Err(wrong(format!(
                "its {REGISTER_FILE} does not follow from what it rests on (it says auditpack {made} made it); \
                 verify it, and ask for the original"
            )));
        }
        let origin = RecordOrigin {
            name: path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            sha256: digest(path).map_err(|e| wrong(e.to_string()))?,
            manifest_sha256: sha256(&manifest),
        };
        let mut json = serde_json::to_vec_pretty(&origin).map_err(|e| wrong(e.to_string()))?;
        json.push(b'\n');
        let files = BTreeMap::from([(register_path(), bytes), (origin_path(), json)]);
        Self::of(files).map_err(wrong)
    }

    /// The record that a package of this run's kind holds; nothing if it holds none.
    pub fn packaged(opened: &mut OpenPackage) -> Result<Option<Self>, String> {
        if !opened.has(&register_path()) {
            return Ok(None);
        }
        let mut files = BTreeMap::new();
        for path in [register_path(), origin_path()] {
            files.insert(path.clone(), opened.read(&path).map_err(|e| e.to_string())?);
        }
        Self::of(files).map(Some)
    }

    fn of(files: BTreeMap<String, Vec<u8>>) -> Result<Self, String> {
        let file = |path: String| files.get(&path).ok_or_else(|| format!("there is no {path}"));
        let register = Register::read(file(register_path())?)?;
        let origin: RecordOrigin = serde_json::from_slice(file(origin_path())?).map_err(|e| e.to_string())?;
        Ok(Self { review: register.last_review(&register_path(), Some(origin)), files })
    }
}

/// The register of a review that was closed with this evidence, made again; nothing if there is none.
fn register_again(opened: &mut OpenPackage, evidence: &Evidence) -> Result<Option<Vec<u8>>, String> {
    let controls = opened.controls().map_err(|e| e.to_string())?;
    let controls = Controls::from_files(&controls).map_err(|e| e.to_string())?;
    let (resources, analysis) = Resources::with_analysis(evidence, &controls.settings.profile);
    Ok(made_again(opened, evidence, &resources, &analysis)?.map(|closed| closed.register.json()))
}

/// The register of a package that was made from files that somebody supplied: it has no answers of AWS, but the
/// documents of its `evidence/`, and these are laid out as such files are.
pub(super) fn from_documents(opened: &mut OpenPackage) -> Result<Option<Vec<u8>>, String> {
    let folder = ScratchFolder::new().map_err(|e| e.to_string())?;
    opened.unpack("evidence/", folder.path()).map_err(|e| e.to_string())?;
    let as_of = opened.manifest().as_of.to_string();
    let given = given(folder.path(), Some(&as_of)).map_err(|e| e.to_string())?;
    register_again(opened, &given.evidence)
}

/// The record of a review that was closed with a package's evidence, made again from its inputs; nothing if there is
/// none.
pub(super) fn made_again(
    opened: &mut OpenPackage,
    evidence: &Evidence,
    resources: &Resources,
    analysis: &Access,
) -> Result<Option<Closed>, String> {
    let folder = format!("{INPUT_FOLDER}/");
    let paths: Vec<String> = opened.paths().filter(|path| path.starts_with(&folder)).map(str::to_owned).collect();
    if paths.is_empty() {
        return Ok(None);
    }
    let mut inputs = BTreeMap::new();
    for path in paths {
        let bytes = opened.read(&path).map_err(|e| e.to_string())?;
        inputs.insert(path, bytes);
    }
    crate::review::close(inputs, evidence, resources, analysis).map(Some).map_err(|e| e.to_string())
}

/// The SHA-256 of a file, in hexadecimal digits.
pub(super) fn digest(path: &Path) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.finish()),
            n => hash.update(buffer.get(..n).unwrap_or_default()),
        }
    }
}
