//! The reading of control files, embedded and from a folder. The only module of the layer that reads files.

use super::catalogue::Catalogue;
use super::check::{self, Check};
use super::error::{LoadError, LoadErrors, Source};
use super::framework::{self, Framework, Named};
use super::managed_rule::{self, ManagedRule};
use super::node::{self, Content, Node, Reader};
use super::parameter::{self, Parameter};
use include_dir::{Dir, DirEntry, include_dir};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/controls");

/// The largest control file, the most of them in a folder, and how deep their folders may lie.
const LARGEST: u64 = 1 << 20;
const MOST: usize = 5_000;
const DEEPEST: usize = 8;

/// The file of the parameters, below `controls/`.
pub(super) const PARAMETERS: &str = "parameters.yaml";

/// The files that are part of the program.
pub(super) fn embedded() -> Vec<Arc<Source>> {
    fn walk(dir: &Dir<'_>, sources: &mut Vec<Arc<Source>>) {
        for entry in dir.entries() {
            match entry {
                DirEntry::Dir(dir) => walk(dir, sources),
                DirEntry::File(file) => {
                    let path = file.path().to_string_lossy().replace('\\', "/");
                    if let (true, Some(text)) = (is_control_file(&path), file.contents_utf8()) {
                        sources.push(Arc::new(Source {
                            name: format!("controls/{path}"),
                            path,
                            text: text.to_owned(),
                        }));
                    }
                }
            }
        }
    }
    let mut sources = Vec::new();
    walk(&EMBEDDED, &mut sources);
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

fn is_control_file(path: &str) -> bool {
    path == PARAMETERS
        || path == managed_rule::FILE
        || (path.ends_with(".yaml") && (path.starts_with("checks/") || path.starts_with("frameworks/")))
}

/// The files of a folder that is laid out as `controls/` is.
pub(super) fn folder(dir: &Path, errors: &mut Vec<LoadError>) -> Vec<Arc<Source>> {
    let mut sources = Vec::new();
    let place = dir.display().to_string();
    if !dir.is_dir() {
        errors.push(
            LoadError::about(place, "there is no such folder")
                .help("--controls takes a folder laid out as controls/ is"),
        );
        return sources;
    }
    let mut walk = Walk { errors, sources: &mut sources };
    walk.file(&dir.join(PARAMETERS), PARAMETERS);
    walk.file(&dir.join(managed_rule::FILE), managed_rule::FILE);
    walk.folder(&dir.join("checks"), "checks", 1);
    walk.folder(&dir.join("frameworks"), "frameworks", 1);
    if sources.is_empty() && errors.is_empty() {
        let help = "control files lie in checks/<service>/<id>.yaml, frameworks/<id>.yaml and parameters.yaml";
        errors.push(LoadError::about(place, "the folder holds no control file").help(help));
    }
    sources
}

struct Walk<'a> {
    errors: &'a mut Vec<LoadError>,
    sources: &'a mut Vec<Arc<Source>>,
}

impl Walk<'_> {
    fn refuse(&mut self, path: &Path, message: impl Into<String>, help: &str) {
        self.errors.push(LoadError::about(path.display().to_string(), message).help(help));
    }

    fn folder(&mut self, path: &Path, below: &str, depth: usize) {
        match fs::symlink_metadata(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return,
            Err(e) => return self.refuse(path, format!("cannot be read: {e}"), "check its permissions"),
            Ok(meta) if meta.is_symlink() => return self.refuse_link(path),
            Ok(meta) if !meta.is_dir() => {
                return self.refuse(path, "is not a folder", "put the control files in a folder of this name");
            }
            Ok(_) if depth > DEEPEST => {
                return self.refuse(
                    path,
                    format!("lies deeper than {DEEPEST} folders"),
                    "checks lie in checks/<service>/",
                );
            }
            Ok(_) => {}
        }
        let entries = fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let mut entries = match entries {
            Ok(entries) => entries,
            Err(e) => return self.refuse(path, format!("cannot be read: {e}"), "check its permissions"),
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let (path, below) = (entry.path(), format!("{below}/{name}"));
            if name.starts_with('.') || name.ends_with(".md") {
                continue; // an editor's, a version control's, or a note to readers
            }
            if self.sources.len() >= MOST {
                return self.refuse(&path, format!("is one file more than {MOST}"), "keep controls in fewer files");
            }
            match entry.file_type() {
                Ok(of) if of.is_symlink() => self.refuse_link(&path),
                Ok(of) if of.is_dir() => self.folder(&path, &below, depth + 1),
                Ok(_) => self.file(&path, &below),
                Err(e) => self.refuse(&path, format!("cannot be read: {e}"), "check its permissions"),
            }
        }
    }

    fn refuse_link(&mut self, path: &Path) {
        self.refuse(path, "is a symbolic link, which is not followed", "put the file itself there");
    }

    fn file(&mut self, path: &Path, below: &str) {
        match fs::symlink_metadata(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return,
            Err(e) => return self.refuse(path, format!("cannot be read: {e}"), "check its permissions"),
            Ok(meta) if meta.is_symlink() => return self.refuse_link(path),
            Ok(meta) if !meta.is_file() => return self.refuse(path, "is not a file", "remove it"),
            Ok(_) if !below.ends_with(".yaml") => {
                return self.refuse(path, "is not a control file", "control files end in .yaml, notes in .md");
            }
            Ok(_) => {}
        }
        match text(path) {
            Ok(text) => {
                let (name, path) = (path.display().to_string(), below.to_owned());
                self.sources.push(Arc::new(Source { name, path, text }));
            }
            Err(message) => self.refuse(path, message, "control files are small texts in UTF-8 that you may read"),
        }
    }
}

/// The text of a file, or why it cannot be had.
pub(super) fn text(path: &Path) -> Result<String, String> {
    let cannot = |e: std::io::Error| format!("cannot be read: {e}");
    // A pipe would be waited for.
    if !fs::metadata(path).map_err(cannot)?.is_file() {
        return Err("is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    // A file can grow after its size was asked for: the limit is on what is read.
    fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(cannot)?;
    if bytes.len() as u64 > LARGEST {
        return Err("is larger than 1 MiB".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())
}

/// Everything that was read from files, later layers over earlier ones.
#[derive(Default)]
struct Loaded {
    errors: Vec<LoadError>,
    parameters: BTreeMap<String, Parameter>,
    checks: BTreeMap<String, (Check, Arc<Source>)>,
    frameworks: BTreeMap<String, (Framework, Named, Arc<Source>)>,
    /// Ids of checks that could not be read.
    broken: BTreeSet<String>,
    /// The text of each layer's parameters.
    parameter_texts: Vec<String>,
    /// The catalogue of Config rules, and the text of each layer's.
    rules: BTreeMap<String, ManagedRule>,
    rule_texts: Vec<String>,
}

/// Reads layers of files: the same id in a later layer takes the place of the one in an earlier layer; twice in one
/// layer is an error.
pub(super) fn catalogue(layers: &[Vec<Arc<Source>>], errors: Vec<LoadError>) -> Result<Catalogue, LoadErrors> {
    let mut loaded = Loaded { errors, ..Loaded::default() };
    let parse = |loaded: &mut Loaded, source: &Arc<Source>| {
        node::parse(source)
            .map_err(|error| loaded.errors.push(error))
            .ok()
            .map(|root| (Reader::new(source.clone()), root))
    };
    for layer in layers {
        for source in layer.iter().filter(|source| source.path == PARAMETERS) {
            let Some((mut reader, root)) = parse(&mut loaded, source) else { continue };
            loaded.parameters.extend(parameter::read(&mut reader, &root));
            loaded.errors.append(&mut reader.errors);
            loaded.parameter_texts.push(source.text.clone());
        }
    }
    for layer in layers {
        for source in layer.iter().filter(|source| source.path == managed_rule::FILE) {
            let Some((mut reader, root)) = parse(&mut loaded, source) else { continue };
            let rules = managed_rule::read(&mut reader, &root, &loaded.parameters);
            loaded.rules.extend(rules.into_iter().map(|rule| (rule.identifier.clone(), rule)));
            loaded.errors.append(&mut reader.errors);
            loaded.rule_texts.push(source.text.clone());
        }
    }
    for source in managed_rule::checks(&loaded.rules) {
        let Some((mut reader, root)) = parse(&mut loaded, &source) else { continue };
        if let Some(mut check) = check::read(&mut reader, &root, &loaded.parameters) {
            managed_rule::FILE.clone_into(&mut check.file);
            loaded.checks.insert(check.id.clone(), (check, source.clone()));
        }
        loaded.errors.append(&mut reader.errors);
    }
    for layer in layers {
        let (mut own_checks, mut own_frameworks) = (BTreeMap::new(), BTreeMap::new());
        for source in layer {
            let is_check = source.path.starts_with("checks/");
            if source.path == PARAMETERS || source.path == managed_rule::FILE {
                continue;
            }
            let Some((mut reader, root)) = parse(&mut loaded, source) else {
                loaded.broken.extend(stem(source));
                continue;
            };
            let own = if is_check { &mut own_checks } else { &mut own_frameworks };
            if let Some((id, span)) = peek_id(&root)
                && let Some(earlier) = own.insert(id.clone(), source.name.clone())
            {
                let what = if is_check { "check" } else { "framework" };
                reader.error_with_help(
                    &span,
                    format!("{what} `{id}` is there twice"),
                    Some(format!("the other is {earlier}")),
                );
            }
            if is_check {
                let read = check::read(&mut reader, &root, &loaded.parameters);
                match read {
                    Some(check) => drop(loaded.checks.insert(check.id.clone(), (check, source.clone()))),
                    None => loaded.broken.extend(peek_id(&root).map(|(id, _)| id).into_iter().chain(stem(source))),
                }
            } else if let Some((framework, named)) = framework::read(&mut reader, &root) {
                loaded.frameworks.insert(framework.id.clone(), (framework, named, source.clone()));
            }
            loaded.errors.append(&mut reader.errors);
        }
    }
    finish(loaded)
}

fn finish(mut loaded: Loaded) -> Result<Catalogue, LoadErrors> {
    // The package keeps one file of parameters: the one that was read, or all of them as one.
    let parameters = match loaded.parameter_texts.as_slice() {
        [text] => text.clone(),
        _ => parameter::write(&loaded.parameters),
    };
    let mut files = BTreeMap::from([(PARAMETERS.to_owned(), parameters)]);
    match loaded.rule_texts.as_slice() {
        [] => {}
        [text] => drop(files.insert(managed_rule::FILE.to_owned(), text.clone())),
        _ => drop(files.insert(managed_rule::FILE.to_owned(), managed_rule::write(&loaded.rules))),
    }
    let mut checks = BTreeMap::new();
    for (id, (check, source)) in loaded.checks {
        if check.file != managed_rule::FILE {
            files.insert(source.path.clone(), source.text.clone());
        }
        checks.insert(id, check);
    }
    let mut frameworks = BTreeMap::new();
    for (id, (mut framework, named, source)) in loaded.frameworks {
        let mut reader = Reader::new(source.clone());
        framework::look_up(&mut reader, &named, &checks, &loaded.rules, &loaded.broken);
        framework.add_checks_of_rules(&loaded.rules);
        loaded.errors.append(&mut reader.errors);
        files.insert(source.path.clone(), source.text.clone());
        frameworks.insert(id, framework);
    }
    LoadErrors(loaded.errors).check()?;
    Ok(Catalogue { checks, frameworks, parameters: loaded.parameters, rules: loaded.rules, files })
}

fn stem(source: &Source) -> Option<String> {
    source.path.rsplit('/').next().and_then(|name| name.strip_suffix(".yaml")).map(str::to_owned)
}

/// The id of a file in which something else may be wrong.
fn peek_id(root: &Node) -> Option<(String, std::ops::Range<usize>)> {
    let Content::Map(entries) = &root.content else { return None };
    entries.iter().find_map(|(key, value)| match (&key.content, &value.content) {
        (Content::Text(key), Content::Text(id)) if key == "id" => Some((id.clone(), value.span.clone())),
        _ => None,
    })
}
