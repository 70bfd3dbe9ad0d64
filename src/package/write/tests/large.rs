//! How fast a large package is hashed, and in how much memory, beside the tools that an auditor would take.

use super::{contents, manifest};
use crate::package::{Content, open, write};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::Command;
use std::time::Instant;

/// Half of it does not compress, as log files do not; half are lines as evidence has them.
const FILES: u64 = 48;
const PIECES: u64 = 400;
const PIECE: usize = 1 << 16;

/// Bytes that look random, and are the same each time.
fn noise(seed: u64, bytes: &mut [u8]) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    for eight in bytes.chunks_mut(8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        eight.copy_from_slice(&state.to_le_bytes()[..eight.len()]);
    }
}

fn pieces(file: u64, out: &mut dyn Write) -> std::io::Result<()> {
    let mut piece = vec![0; PIECE];
    for n in 0..PIECES {
        noise(file << 32 | n, &mut piece);
        if file % 2 == 0 {
            out.write_all(&piece)?;
            continue;
        }
        for eight in piece.chunks(32) {
            let id = eight.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            writeln!(out, "{{\"eventVersion\":\"1.11\",\"eventSource\":\"iam.amazonaws.com\",\"eventID\":\"{id}\"}}")?;
        }
    }
    Ok(())
}

/// The most memory that this process ever had, in MB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1000
}

/// docs/performance.md says how to run it and what it came to.
#[test]
#[ignore = "writes more than a gigabyte, to measure"]
fn a_gigabyte_is_hashed_in_little_memory_and_not_half_as_slowly_as_by_unzip() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("large.zip");
    let mut all = contents(&BTreeMap::new(), manifest());
    for file in 0..FILES {
        let content = Content::stream(move |out| pieces(file, out));
        all.add(format!("manual/{file:02}-ballast"), content).unwrap();
    }
    let started = Instant::now();
    let written = write(all, &path, false).unwrap();
    println!("{} MB written in {:.1} s", written.size / 1_000_000, started.elapsed().as_secs_f64());
    let mut package = open(&path).unwrap();
    let unpacked: u64 = package.manifest().files.iter().map(|file| file.size).sum();
    // Twice, the first time to have the file in memory for both.
    let mut times = Vec::new();
    for _ in 0..2 {
        let started = Instant::now();
        let command = format!("unzip -p '{}' | sha256sum", path.display());
        assert!(Command::new("sh").args(["-c", &command]).output().unwrap().status.success());
        let theirs = started.elapsed().as_secs_f64();
        let started = Instant::now();
        assert!(package.check_sums().is_intact());
        times.push((started.elapsed().as_secs_f64(), theirs));
    }
    for (ours, theirs) in &times {
        println!(
            "{} MB unpacked: hashed in {ours:.1} s, by unzip -p | sha256sum in {theirs:.1} s",
            unpacked / 1_000_000
        );
    }
    println!("peak memory of writing and hashing: {} MB", peak());
    assert!(written.size > 1_000_000_000, "{}", written.size);
    assert!(times.iter().any(|(ours, theirs)| ours <= &(2.0 * theirs)), "{times:?}");
    assert!(peak() < 200, "{} MB", peak());
}
