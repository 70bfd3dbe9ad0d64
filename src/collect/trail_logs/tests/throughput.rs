//! Figures for docs/trail-logs.md. They take a while and say nothing about correctness, so they run only
//! when asked for: `cargo test --release trail_logs::tests::throughput -- --ignored --nocapture --test-threads 1`.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use chrono::TimeDelta;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::super::sorter::{EventSorter, Item};
use super::super::{EventCounts, Options, Period, PublicKeys, Verdict, read};
use super::kit::{ACCOUNT, AWS_KEY, Trail, World, hour, iso, keys_json, sidecar, start};

const FILES: u64 = 500;
const EVENTS_PER_FILE: u64 = 1000;

/// A record of about 1.5 KB, shaped like AWS's.
fn event(n: u64) -> String {
    let time = iso(start() + TimeDelta::milliseconds(i64::try_from(n * 7_919 % 172_800_000).unwrap()));
    let hash = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let id =
        format!("{:08x}-{:04x}-4{:03x}-8{:03x}-{n:012x}", hash >> 32, hash >> 16 & 0xffff, hash & 0xfff, hash >> 52);
    format!(
        r#"{{"eventVersion":"1.11","userIdentity":{{"type":"AssumedRole","principalId":"AROA{hash:016X}:session-{n}","arn":"arn:aws:sts::{ACCOUNT}:assumed-role/deployment-role-{role}/session-{n}","accountId":"{ACCOUNT}","accessKeyId":"ASIA{hash:016X}","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROA{hash:016X}","arn":"arn:aws:iam::{ACCOUNT}:role/deployment-role-{role}","accountId":"{ACCOUNT}","userName":"deployment-role-{role}"}},"attributes":{{"creationDate":"{time}","mfaAuthenticated":"false"}}}},"invokedBy":"cloudformation.amazonaws.com"}},"eventTime":"{time}","eventSource":"dynamodb.amazonaws.com","eventName":"DescribeTable","awsRegion":"us-east-1","sourceIPAddress":"10.{a}.{b}.17","userAgent":"aws-sdk-java/2.25.31 Linux/5.10.210-201.855.amzn2.x86_64 OpenJDK_64-Bit_Server_VM/17.0.10+8-LTS Java/17.0.10 vendor/Amazon.com_Inc. exec-env/AWS_ECS_FARGATE io/sync http/Apache cfg/retry-mode/legacy","requestParameters":{{"tableName":"orders-{hash:x}"}},"responseElements":null,"requestID":"{hash:032X}","eventID":"{id}","readOnly":true,"resources":[{{"accountId":"{ACCOUNT}","type":"AWS::DynamoDB::Table","ARN":"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/orders-{hash:x}"}}],"eventType":"AwsApiCall","apiVersion":"2012-08-10","managementEvent":true,"recipientAccountId":"{ACCOUNT}","eventCategory":"Management","tlsDetails":{{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"dynamodb.us-east-1.amazonaws.com"}}}}"#,
        role = n % 97,
        a = n % 251,
        b = n % 13,
    )
}

fn write_logs(folder: &Path) {
    for file in 0..FILES {
        let name = format!("{ACCOUNT}_CloudTrail_us-east-1_20260301T0005Z_{file:016}.json.gz");
        let mut encoder = GzEncoder::new(fs::File::create(folder.join(name)).unwrap(), Compression::default());
        for n in 0..EVENTS_PER_FILE {
            let before = if n == 0 { "{\"Records\":[" } else { "," };
            write!(encoder, "{before}{}", event(file * EVENTS_PER_FILE + n)).unwrap();
        }
        encoder.write_all(b"]}").unwrap();
        encoder.finish().unwrap();
    }
}

/// The most memory that this process has had at any time, in MB; Linux says so, others do not.
fn peak_memory() -> Option<u64> {
    memory("VmHWM:")
}

fn memory_now() -> Option<u64> {
    memory("VmRSS:")
}

fn memory(field: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? / 1024)
}

/// The processor time that this process has used, in seconds; wall time says little on a machine that is shared.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields 14 and 15, counted from the state, the first after the name in brackets, in ticks of 10 ms.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_ascii_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

struct Since {
    wall: Instant,
    cpu: f64,
}

impl Since {
    fn now() -> Self {
        Self { wall: Instant::now(), cpu: cpu_seconds() }
    }
}

fn report(what: &str, events: &EventCounts, since: &Since) {
    let (seconds, cpu) = (since.wall.elapsed().as_secs_f64(), cpu_seconds() - since.cpu);
    println!(
        "{what}: {} events, {} MB in {seconds:.2} s ({cpu:.2} CPU s): {:.0} events/s, {:.0} MB/s; peak memory of the process {:?} MB",
        events.records,
        events.bytes / 1_000_000,
        events.records as f64 / seconds,
        events.bytes as f64 / 1e6 / seconds,
        peak_memory(),
    );
}

#[test]
#[ignore = "a measurement"]
fn reading_and_sorting() {
    let folder = tempfile::tempdir().unwrap();
    write_logs(folder.path());
    let options = Options::new(folder.path(), Period { from: start(), to: hour(48) });
    for threads in [1, rayon::current_num_threads()] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let began = Since::now();
        let seen = AtomicU64::new(0);
        let outcome = pool.install(|| {
            read(&options, &|r| r.into(), &|event| {
                seen.fetch_add(event.raw.len() as u64, Ordering::Relaxed);
                Ok(())
            })
        });
        report(&format!("read, {threads} threads"), &outcome.unwrap().events, &began);
    }
    let work = tempfile::tempdir().unwrap();
    let began = Since::now();
    let sorter = EventSorter::new(work.path(), 48 << 20).unwrap();
    let outcome = read(&options, &|r| r.into(), &|e| {
        Ok(sorter.push(Item { group: e.region.unwrap_or_default(), time_ms: e.time_ms, id: e.id, raw: e.raw })?)
    });
    let mut sorted = sorter.finish().unwrap();
    let mut out = std::io::BufWriter::new(fs::File::create(work.path().join("events.jsonl")).unwrap());
    while let Some(event) = sorted.next_event().unwrap() {
        out.write_all(event.raw).unwrap();
        out.write_all(b"\n").unwrap();
    }
    out.flush().unwrap();
    report("read, sort and write", &outcome.unwrap().events, &began);
    assert_eq!(sorted.counts().kept, FILES * EVENTS_PER_FILE);
}

#[test]
#[ignore = "a measurement"]
fn a_million_events_sort_in_less_than_100_mb() {
    const COUNT: u64 = 1_000_000;
    let work = tempfile::tempdir().unwrap();
    let began = Since::now();
    let sorter = EventSorter::new(work.path(), 48 << 20).unwrap();
    let mut bytes = 0;
    for n in 0..COUNT {
        let raw = event(n);
        let time_ms = i64::try_from(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 30).unwrap();
        sorter.push(Item { group: "us-east-1", time_ms, id: &format!("{n:036}"), raw: raw.as_bytes() }).unwrap();
        bytes += raw.len() as u64;
    }
    let mut sorted = sorter.finish().unwrap();
    let mut last = i64::MIN;
    while let Some(event) = sorted.next_event().unwrap() {
        assert!(event.time_ms >= last);
        last = event.time_ms;
    }
    assert_eq!(sorted.counts().kept, COUNT);
    let counts = EventCounts { records: COUNT, bytes, ..EventCounts::default() };
    report("sort", &counts, &began);
    // A process that did nothing else: run this test alone.
    assert!(peak_memory().is_none_or(|mb| mb < 100));
}

#[test]
#[ignore = "a measurement"]
fn a_table_of_many_files() {
    const HOURS: usize = 1000;
    let world = World::empty(Vec::new());
    for region in
        ["us-east-1", "us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-central-1", "sa-east-1", "ca-central-1"]
    {
        let trail = Trail { region: region.into(), hours: HOURS, logs_per_hour: 6, ..Trail::default() };
        let digests = trail.make(&mut |_, _| {});
        world.write_all(&digests);
        let newest = digests.last().unwrap();
        world.write(&format!("{}.metadata.json", newest.key), sidecar(&newest.signature).to_string().as_bytes());
    }
    let mut options = Options::new(world.dir.path(), Period { from: start(), to: hour(HOURS as i64) });
    options.keys = PublicKeys::default();
    options.keys.add_listing(keys_json(&AWS_KEY).to_string().as_bytes(), None).unwrap();
    let before = memory_now();
    let began = Since::now();
    let outcome = read(&options, &|r| r.into(), &|_| Ok(())).unwrap();
    assert_eq!((outcome.verdict, outcome.rows.len()), (Verdict::Proven, 8 * HOURS * 7));
    println!(
        "{} files proven in {:.2} s; the process grew by {:?} MB",
        outcome.rows.len(),
        began.wall.elapsed().as_secs_f64(),
        memory_now().zip(before).map(|(after, before)| after.saturating_sub(before)),
    );
}
