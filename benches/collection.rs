//! What a collection costs: requests, seconds, CPU and memory, of accounts and event histories of any size, against
//! the synthetic AWS of this repository. The program is measured as users run it: as a process of its own.
//!
//! `cargo bench --bench collection -- [accounts] [events] [pace] [zip]`, all but `pace` if none is named;
//! `pace` takes minutes, because it waits as AWS makes everybody wait. Peak memory and CPU are read from /proc: Linux.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use synthetic_aws::{Account, BlockingServer, Options, Quotas, Scale};

/// Events that a page of LookupEvents holds, and pages a second that AWS allows for a Region.
const PAGE: u64 = 50;
const PAGES_A_SECOND: f64 = 2.0;

type Failure = Box<dyn std::error::Error>;

/// What a process used.
#[derive(Clone, Copy, Debug, Default)]
struct Used {
    wall: f64,
    cpu: f64,
    /// The most memory that was resident, in MB of 10^6 bytes.
    peak: f64,
}

/// A run and what it left.
struct Ran {
    used: Used,
    requests: u64,
    throttled: u64,
    package: std::path::PathBuf,
}

fn main() -> Result<(), Failure> {
    let named: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |name: &str| named.iter().any(|n| n == name) || (named.is_empty() && name != "pace");
    if wanted("accounts") {
        accounts()?;
    }
    if wanted("events") {
        events()?;
    }
    if wanted("zip") {
        zip()?;
    }
    if wanted("pace") {
        pace()?;
    }
    Ok(())
}

fn scale(users: usize, roles: usize, policies: usize, events: u64) -> Scale {
    Scale { users, roles, policies, events, regions: vec!["us-east-1".to_owned()] }
}

fn accounts() -> Result<(), Failure> {
    println!("accounts, one Region, no latency, with the program's own pace");
    println!(
        "{:>26} {:>9} {:>8} {:>8} {:>9} {:>11}",
        "users/roles/policies", "requests", "wall s", "CPU s", "peak MB", "package MB"
    );
    for (users, roles, policies, events) in [(10, 10, 5, 100), (1_000, 1_000, 200, 100), (5_000, 10_000, 10_000, 1_000)]
    {
        let out = tempfile::tempdir()?;
        let ran = collect(&scale(users, roles, policies, events), Options::default(), &[], out.path())?;
        let name = format!("{users}/{roles}/{policies}");
        let size = std::fs::metadata(&ran.package)?.len() as f64 / 1e6;
        let Used { wall, cpu, peak } = ran.used;
        println!("{name:>26} {:>9} {wall:>8.2} {cpu:>8.2} {peak:>9.1} {size:>11.1}", ran.requests);
    }
    Ok(())
}

fn events() -> Result<(), Failure> {
    println!("events of one Region, no quotas, --no-pacing");
    println!(
        "{:>10} {:>9} {:>8} {:>8} {:>10} {:>9} {:>12}",
        "events", "requests", "wall s", "CPU s", "events/s", "peak MB", "us CPU/event"
    );
    for count in [10_000, 100_000, 1_000_000] {
        let out = tempfile::tempdir()?;
        let ran = collect(&scale(10, 10, 5, count), Options::default(), &["--no-pacing"], out.path())?;
        let Used { wall, cpu, peak } = ran.used;
        let (rate, each) = (count as f64 / wall, cpu * 1e6 / count as f64);
        println!("{count:>10} {:>9} {wall:>8.2} {cpu:>8.2} {rate:>10.0} {peak:>9.1} {each:>12.1}", ran.requests);
    }
    Ok(())
}

/// The time that writing the package adds to judging, over the bytes that go into it.
fn zip() -> Result<(), Failure> {
    println!("zip: evaluate, with and without --out, of a package with 100,000 events");
    let out = tempfile::tempdir()?;
    let ran = collect(&scale(10, 10, 5, 100_000), Options::default(), &["--no-pacing"], out.path())?;
    let evaluate = |more: &[&str]| -> Result<Used, Failure> {
        let mut command = auditpack(out.path());
        command.arg("evaluate").arg(&ran.package).arg("--quiet").args(more);
        measure(command)
    };
    let judged = evaluate(&[])?;
    let target = out.path().join("again.zip");
    let written = evaluate(&["--out", target.to_str().unwrap_or_default()])?;
    let mut package = auditpack::package::open(&target)?;
    let paths: Vec<String> = package.paths().map(str::to_owned).collect();
    let mut bytes = 0;
    for path in &paths {
        bytes += package.bytes(path)?.len() as u64;
    }
    let (megabytes, seconds) = (bytes as f64 / 1e6, written.wall - judged.wall);
    let size = std::fs::metadata(&target)?.len() as f64 / 1e6;
    println!(
        "{megabytes:.0} MB in {} files become {size:.0} MB in {seconds:.2} s: {:.0} MB/s",
        paths.len(),
        megabytes / seconds
    );
    Ok(())
}

/// With AWS's quotas enforced, and answers that take longer than the quota leaves for them.
fn pace() -> Result<(), Failure> {
    println!("pace: AWS's quotas enforced, 0.7 s for an answer of LookupEvents");
    println!("{:>10} {:>7} {:>9} {:>8} {:>7} {:>10}", "events", "pages", "bound s", "wall s", "ratio", "throttled");
    for count in [10_000, 24_000] {
        let delay = "delay=700:cloudtrail:LookupEvents".parse()?;
        let options = Options {
            quotas: Quotas::aws(),
            faults: vec![delay],
            credential_report_polls: Some(0),
            ..Options::default()
        };
        let out = tempfile::tempdir()?;
        let ran = collect(&scale(10, 10, 5, count), options, &[], out.path())?;
        let pages = count.div_ceil(PAGE);
        let bound = pages as f64 / PAGES_A_SECOND;
        let wall = ran.used.wall;
        println!("{count:>10} {pages:>7} {bound:>9.1} {wall:>8.1} {:>7.3} {:>10}", wall / bound, ran.throttled);
    }
    Ok(())
}

fn collect(scale: &Scale, options: Options, more: &[&str], out: &Path) -> Result<Ran, Failure> {
    let server = BlockingServer::start(Account::scaled(scale), options)?;
    let mut command = auditpack(out);
    command.args(["collect", "--quiet", "--as-of", "2026-10-01T09:00:00Z", "--fail-on", "none", "--endpoint-url"]);
    command.arg(server.endpoint()).arg("--out").arg(out).args(more);
    let used = measure(command)?;
    let packages = std::fs::read_dir(out)?.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let package = packages.into_iter().find(|path| path.extension().is_some_and(|end| end == "zip"));
    let stats = server.stats();
    let package = package.ok_or("the run left no package")?;
    Ok(Ran { used, requests: stats.requests, throttled: stats.throttled, package })
}

fn auditpack(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_auditpack"));
    command.env_clear().env("HOME", "/nonexistent").env("AWS_EC2_METADATA_DISABLED", "true").current_dir(folder);
    command
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "example")
        .env("AWS_REGION", "us-east-1");
    command.stdout(Stdio::null()).stderr(Stdio::inherit());
    command
}

/// Runs a process to its end.
fn measure(mut command: Command) -> Result<Used, Failure> {
    let started = Instant::now();
    let mut child: Child = command.spawn()?;
    let folder = format!("/proc/{}", child.id());
    let mut used = Used::default();
    loop {
        let stat = std::fs::read_to_string(format!("{folder}/stat")).unwrap_or_default();
        // The name of the process may hold anything; what follows its closing bracket does not.
        let numbers: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| numbers.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        // utime and stime, in hundredths of a second, as Linux has them on all its common machines.
        used.cpu = used.cpu.max((ticks(11) + ticks(12)) / 100.0);
        let status = std::fs::read_to_string(format!("{folder}/status")).unwrap_or_default();
        let peak = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
        used.peak = used.peak.max(peak.unwrap_or(0.0) * 1024.0 / 1e6);
        // A process that has ended keeps its times until it is waited for.
        if numbers.first() == Some(&"Z") || !Path::new(&folder).exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    used.wall = started.elapsed().as_secs_f64();
    let status = child.wait()?;
    match status.code() {
        Some(0 | 1 | 3) => Ok(used),
        _ => Err(format!("auditpack ended with {status}").into()),
    }
}
