//! The source keeps to the layers of docs/architecture.md.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The rows of the table: module, and what it may name besides.
fn table() -> Vec<(String, String)> {
    let text = fs::read_to_string("docs/architecture.md").unwrap();
    let rows = text.split("| module |").nth(1).expect("the table of layers").lines().skip(2);
    rows.take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            (cells[1].to_owned(), cells[3].to_owned())
        })
        .collect()
}

fn sources(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name == "tests" || name == "tests.rs") {
            // Tests may print.
            continue;
        } else if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// The code of each module, comments and strings' contents aside where they would mislead.
fn modules() -> BTreeMap<String, Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    let mut modules: BTreeMap<String, Vec<(PathBuf, String)>> = BTreeMap::new();
    for file in files {
        let below = file.strip_prefix("src").unwrap();
        let module =
            below.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        let code: String = fs::read_to_string(&file)
            .unwrap()
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n");
        modules.entry(module).or_default().push((file, code));
    }
    modules
}

fn names(code: &str, prefix: &str) -> bool {
    code.match_indices(prefix).any(|(at, _)| {
        !code[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '"' || c == '/')
    })
}

#[test]
fn every_module_stands_in_the_table_and_the_table_names_no_other() {
    let table: Vec<String> = table().into_iter().map(|(module, _)| module).collect();
    let mut modules: Vec<String> = modules().into_keys().filter(|module| module != "lib").collect();
    let mut sorted = table.clone();
    sorted.sort();
    modules.sort();
    assert_eq!(sorted, modules);
}

#[test]
fn modules_import_only_from_those_above_them() {
    let order: Vec<String> = table().into_iter().map(|(module, _)| module).collect();
    for (module, files) in modules() {
        let Some(rank) = order.iter().position(|m| *m == module) else { continue };
        for (file, code) in files {
            for (other, name) in order.iter().enumerate() {
                let allowed = if module == "iam" { *name == module } else { other <= rank };
                let used = code.contains(&format!("crate::{name}::")) || code.contains(&format!("crate::{name};"));
                assert!(!used || allowed, "{} uses crate::{name}", file.display());
            }
            let braced = code.contains("crate::{");
            assert!(!braced, "{} imports several layers at once; write one `use` for each", file.display());
        }
    }
}

#[test]
fn only_the_named_modules_touch_aws_zip_clap_the_terminal_and_the_clock() {
    let things: [(&str, &[&str]); 7] = [
        ("rust_xlsxwriter", &["rust_xlsxwriter::"]),
        ("calamine", &["calamine::"]),
        ("aws_*", &["aws_sdk_", "aws_config::", "aws_smithy_", "aws_types::", "aws_credential_types::"]),
        ("zip", &["zip::"]),
        ("clap", &["clap::", "clap_complete", "clap_mangen"]),
        ("printing", &["println!", "print!", "eprintln!", "eprint!", "stdout()", "stderr()"]),
        ("the clock", &["Utc::now", "Local::now", "SystemTime::now"]),
    ];
    let besides: BTreeMap<String, String> = table().into_iter().collect();
    for (module, files) in modules() {
        let allowed = besides.get(&module).cloned().unwrap_or_default();
        for (file, code) in files {
            let code = code.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
            for (thing, prefixes) in things {
                let used = prefixes.iter().find(|prefix| names(&code, prefix));
                // The table may name the one file that may.
                let only = allowed.split_once(&format!("{thing} (`")).and_then(|(_, rest)| rest.split('`').next());
                let allowed = allowed.contains(thing) && only.is_none_or(|name| file.ends_with(name));
                assert!(used.is_none() || allowed, "{} names {used:?}", file.display());
            }
        }
    }
}

/// benches/engine builds `iam` alone: it must name each crate that `iam` uses.
#[test]
fn the_engine_is_built_alone_with_all_that_it_uses() {
    let dependencies = |path: &str| -> toml::Table {
        let manifest: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
        manifest["dependencies"].as_table().unwrap().clone()
    };
    let alone = dependencies("benches/engine/Cargo.toml");
    let modules = modules();
    let uses =
        |name: &str| modules["iam"].iter().any(|(_, code)| names(code, &format!("{}::", name.replace('-', "_"))));
    let used: Vec<String> = dependencies("Cargo.toml").keys().filter(|name| uses(name)).cloned().collect();
    assert!(used.iter().any(|name| name == "serde"), "{used:?}");
    assert_eq!(used.iter().filter(|name| !alone.contains_key(*name)).collect::<Vec<_>>(), Vec::<&String>::new());
}
