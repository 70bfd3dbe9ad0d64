//! `synthetic-aws`: the server, started by hand.

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use clap::{Parser, ValueEnum};
use synthetic_aws::{Account, Clock, FAULT_SYNTAX, Fault, Options, PageSizes, Quotas, Scale, Server};

/// A synthetic AWS for tests: an invented account behind the real wire protocols
///
/// Serves IAM and STS (query/XML), CloudTrail and Config (JSON 1.1), EC2's Regions and Account Management (REST
/// JSON) on 127.0.0.1. Any credentials will do; the Region of a call is the one it is signed for.
#[derive(Parser)]
#[command(version, after_help = examples(), after_long_help = long_help())]
struct Arguments {
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 4566)]
    port: u16,
    /// Which account is served
    #[arg(long, value_enum, default_value = "rich")]
    account: Kind,
    /// Users of a scaled account (any of these numbers selects --account scaled)
    #[arg(long)]
    users: Option<usize>,
    /// Roles of a scaled account
    #[arg(long)]
    roles: Option<usize>,
    /// Customer-managed policies of a scaled account
    #[arg(long)]
    policies: Option<usize>,
    /// CloudTrail events of a scaled account, over all Regions
    #[arg(long)]
    events: Option<u64>,
    /// Enabled Regions of a scaled account, the first one is the trail's home
    #[arg(long, value_delimiter = ',')]
    regions: Option<Vec<String>>,
    /// Which request quotas are enforced
    #[arg(long, value_enum, default_value = "none")]
    quotas: QuotaKind,
    /// A fault rule; may be given several times (see --help for the syntax)
    #[arg(long = "fault", alias = "faults", value_name = "RULE")]
    faults: Vec<Fault>,
    /// The time that the server takes for now; `real` follows the machine's clock
    #[arg(long, default_value = "2026-10-01T09:00:00Z", value_parser = now)]
    now: Now,
    /// Also write the log files and digests of the account's first trail to this folder, as `aws s3 sync` copies them
    #[arg(long, value_name = "DIR")]
    trail_logs: Option<PathBuf>,
    /// The log files of how many days, up to now
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=400))]
    trail_days: u16,
    /// The largest page of every list, instead of the account's own sizes
    #[arg(long)]
    page_size: Option<usize>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// A grown company: rich and awkward
    Rich,
    /// A small account in which everything is as it should be
    Clean,
    /// As large as --users, --roles, --policies, --events and --regions say
    Scaled,
}

#[derive(Clone, Copy, ValueEnum)]
enum QuotaKind {
    /// As AWS: LookupEvents 2/s per Region, other CloudTrail calls 10/s, IAM and Config 10/s per API
    Aws,
    None,
}

#[derive(Clone, Copy)]
enum Now {
    At(DateTime<Utc>),
    Real,
}

fn now(text: &str) -> Result<Now, String> {
    if text == "real" {
        return Ok(Now::Real);
    }
    let at: DateTime<Utc> =
        text.parse().map_err(|e| format!("{e}: expected a time like 2026-10-01T09:00:00Z, or real"))?;
    if !(2020..2200).contains(&at.year()) {
        return Err("expected a year from 2020 to 2199".to_owned());
    }
    Ok(Now::At(at))
}

fn examples() -> String {
    "\
Examples:
  synthetic-aws --port 4566 &
  export AWS_ENDPOINT_URL=http://127.0.0.1:4566 AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 \\
         AWS_ACCESS_KEY_ID=AKIAEXAMPLE AWS_SECRET_ACCESS_KEY=any
  auditpack collect --as-of 2026-10-01T09:00:00Z
  aws iam get-account-summary
  python3 -c \"import boto3; print(boto3.client('sts').get_caller_identity())\"
  curl http://127.0.0.1:4566/_synthetic/stats

  synthetic-aws --users 5000 --roles 10000 --policies 10000 --events 1000000 --quotas aws
  synthetic-aws --fault deny:iam:GetAccountSummary --fault throttle429:cloudtrail:LookupEvents:eu-west-1:every=3"
        .to_owned()
}

fn long_help() -> String {
    format!("Fault rules:\n{FAULT_SYNTAX}\n\n{}", examples())
}

impl Arguments {
    fn account(&self, now: DateTime<Utc>) -> Account {
        let sized = self.users.is_some()
            || self.roles.is_some()
            || self.policies.is_some()
            || self.events.is_some()
            || self.regions.is_some();
        match self.account {
            _ if sized => self.scaled(now),
            Kind::Rich => Account::rich_at(now),
            Kind::Clean => Account::clean_at(now),
            Kind::Scaled => self.scaled(now),
        }
    }

    fn scaled(&self, now: DateTime<Utc>) -> Account {
        let default = Scale::default();
        let scale = Scale {
            users: self.users.unwrap_or(default.users),
            roles: self.roles.unwrap_or(default.roles),
            policies: self.policies.unwrap_or(default.policies),
            events: self.events.unwrap_or(default.events),
            regions: self.regions.clone().unwrap_or(default.regions),
        };
        Account::scaled_at(&scale, now)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (now, clock) = match arguments.now {
        Now::At(at) => (at, Clock::Fixed(at)),
        Now::Real => (Utc::now(), Clock::System),
    };
    let mut account = arguments.account(now);
    if let (Some(folder), Some(trail)) = (&arguments.trail_logs, account.trails.first().map(|t| t.name.clone())) {
        let from = now - TimeDelta::days(arguments.trail_days.into());
        if let Err(error) = synthetic_aws::bucket::deliver(&mut account, &trail, from, now, folder) {
            eprintln!("error: cannot write log files to {}: {error}", folder.display());
            return ExitCode::FAILURE;
        }
    }
    let about = format!(
        "account {} ({}), {} users, {} roles, {} policies",
        account.id,
        account.name,
        account.iam.users.len(),
        account.iam.roles.len(),
        account.iam.policies.len()
    );
    let options = Options {
        quotas: match arguments.quotas {
            QuotaKind::Aws => Quotas::aws(),
            QuotaKind::None => Quotas::none(),
        },
        faults: arguments.faults,
        clock: Some(clock),
        pages: arguments.page_size.map(PageSizes::uniform),
        credential_report_polls: None,
    };
    let server = match Server::start_on(arguments.port, account, options).await {
        Ok(server) => server,
        Err(error) => {
            eprintln!("error: cannot listen on 127.0.0.1:{}: {error}", arguments.port);
            return ExitCode::FAILURE;
        }
    };
    // the endpoint alone on stdout, so that scripts can read it
    println!("{}", server.endpoint());
    eprintln!("serving {about}; stop with ctrl-c");
    match tokio::signal::ctrl_c().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot wait for ctrl-c: {error}");
            ExitCode::FAILURE
        }
    }
}
