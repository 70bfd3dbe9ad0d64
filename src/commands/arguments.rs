//! The arguments of all commands, with their help.

use crate::evidence::identity::is_account_id;
use crate::finding::Severity;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const AFTER_HELP: &str = "\
Exit codes:
  0  done; no finding at or above --fail-on, nothing in scope unknown
  1  done; findings at or above --fail-on that no valid exception covers
  2  usage, configuration or control-file error; nothing was collected
  3  done, package written, but evidence in scope is incomplete
  4  no package: credentials, network, disk, interrupted (--resume goes on)
  5  verify: the package is not intact, not authentic, or does not re-derive

auditpack only reads: of all the calls it makes, the only one that is not a Get, List,
Describe or Lookup is iam:GenerateCredentialReport. `auditpack permissions` prints the
IAM policy that it needs.";

/// Collects compliance evidence from an AWS account and leaves one zip that an auditor accepts.
#[derive(Debug, Parser)]
#[command(name = "auditpack", version, about, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

fn account_id(text: &str) -> Result<String, String> {
    match is_account_id(text) {
        true => Ok(text.to_owned()),
        false => Err("an account id has twelve digits, such as 111122223333".to_owned()),
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Collect evidence, evaluate it, and write the package
    Collect(Box<CollectArgs>),
    /// Evaluate a package, a recording, or a folder of AWS CLI output again, offline
    Evaluate(EvaluateArgs),
    /// Review who has access: freeze it, have people decide, prove what followed
    Review(ReviewArgs),
    /// Verify a package: intact, signed, derived from AWS's answers
    Verify(VerifyArgs),
    /// Show what changed between two packages
    Diff(DiffArgs),
    /// Make a key to sign packages with
    Keygen(KeygenArgs),
    /// Say why a user, role or group can do what it can, and who can become it, offline
    Explain(ExplainArgs),
    /// Show and check the controls: checks, frameworks, fields
    Controls(ControlsArgs),
    /// Print the least-privilege IAM policy that a collection needs
    Permissions(PermissionsArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one for each command to a folder
    Man {
        /// The folder for the pages of all commands
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

/// Which controls there are.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Judging")]
pub(super) struct SelectArgs {
    /// Frameworks, separated by commas: soc2, iso27001, hipaa, pci-dss, iso42001 [default: all]
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub frameworks: Vec<String>,
    /// A folder of checks and frameworks that override and extend the built-in ones
    #[arg(long, value_name = "DIR")]
    pub controls: Option<PathBuf>,
    /// Settings: parameters, exceptions, defaults [default: auditpack.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// By what the evidence is judged.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Judging")]
pub(super) struct JudgeArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// The least severity of a failure that makes the exit code 1 [default: high]
    #[arg(long, value_name = "SEVERITY", value_enum)]
    pub fail_on: Option<FailOn>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    Critical,
    High,
    Medium,
    Low,
    None,
}

impl FailOn {
    pub fn least(self) -> Option<Severity> {
        match self {
            FailOn::Critical => Some(Severity::Critical),
            FailOn::High => Some(Severity::High),
            FailOn::Medium => Some(Severity::Medium),
            FailOn::Low => Some(Severity::Low),
            FailOn::None => None,
        }
    }
}

/// What is printed on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A summary for people
    #[default]
    Text,
    /// The summary for programs
    Json,
    /// The findings, one a line
    Csv,
    /// Nothing: another result is told
    #[value(skip)]
    Nothing,
}

/// How the result is told.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    /// What is printed on standard output
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// No progress on standard error
    #[arg(long, short)]
    pub quiet: bool,
}

/// How the package is sealed.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Sealing")]
pub(super) struct SealArgs {
    /// Sign the package with this private key (PEM; `auditpack keygen` makes one)
    #[arg(long, value_name = "KEY")]
    pub sign: Option<PathBuf>,
    /// Have this time stamp authority (RFC 3161) state when the package was there; it is sent a digest only
    #[arg(long, value_name = "URL")]
    pub timestamp_url: Option<String>,
}

const COLLECT_EXAMPLES: &str = "\
Examples:
  Try it without an account, on a recording:
    auditpack collect --replay fixtures/example-corp --out example.zip
  The account of a profile, all frameworks, the last 90 days:
    auditpack collect --profile audit
  SOC 2 only, two Regions, another folder:
    auditpack collect --frameworks soc2 --regions us-east-1,eu-west-1 --out evidence/
  Through a role that asks for MFA, and only if it is this account:
    auditpack collect --role-arn arn:aws:iam::111122223333:role/Auditor \\
      --mfa-serial arn:aws:iam::999988887777:mfa/ann --expect-account 111122223333
  Events of a year from a trail's log files, which `aws s3 sync` has copied to trail/:
    auditpack collect --from 2025-10-01 --to 2026-09-30 --trail-logs trail/
  In a CI job, failing on medium findings too:
    auditpack collect --fail-on medium --format json --quiet > summary.json";

#[derive(Debug, Args)]
#[command(after_help = COLLECT_EXAMPLES)]
pub(super) struct CollectArgs {
    #[command(flatten)]
    pub session: SessionArgs,
    #[command(flatten)]
    pub scope: ScopeArgs,
    #[command(flatten)]
    pub judge: JudgeArgs,
    /// The package with the record of the last closed access review, which its checks judge
    #[arg(long, value_name = "PACKAGE", help_heading = "Judging")]
    pub review: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
    /// The package's file, or the folder for it [default: the current folder]
    #[arg(long, value_name = "FILE|DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Replace a package that is already there
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    /// Answer all calls from a recording (a folder or a package): no network, no credentials
    #[arg(long, value_name = "PATH", conflicts_with_all = ["profile", "region", "role_arn", "external_id", "session_name", "mfa_serial", "mfa_code", "endpoint_url", "regions", "period", "from", "to", "as_of", "events", "event_name", "resource", "trail_logs"])]
    pub replay: Option<PathBuf>,
    /// Go on with an interrupted collection from its work folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["replay", "regions", "period", "from", "to", "as_of", "events", "event_name", "resource"])]
    pub resume: Option<PathBuf>,
    /// Stop after so many minutes, keep what there is, and exit with 4; --resume goes on
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub deadline: Option<u64>,
    /// Keep the work folder with the recording after the package is written
    #[arg(long, help_heading = "Output")]
    pub keep_work: bool,
    #[command(flatten)]
    pub seal: SealArgs,
    /// Leave the machine's name, its user and its system out of the chain of custody
    #[arg(long, help_heading = "Output")]
    pub no_host_facts: bool,
}

/// Who asks AWS.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Credentials")]
pub(super) struct SessionArgs {
    /// The profile of the AWS configuration files
    #[arg(long)]
    pub profile: Option<String>,
    /// The Region through which global services are asked [default: as the AWS CLI finds it, else us-east-1]
    #[arg(long)]
    pub region: Option<String>,
    /// A role to assume
    #[arg(long, value_name = "ARN")]
    pub role_arn: Option<String>,
    /// The external id that the role's trust policy asks for
    #[arg(long, value_name = "ID", requires = "role_arn")]
    pub external_id: Option<String>,
    /// The session's name in CloudTrail [default: auditpack]
    #[arg(long, value_name = "NAME", requires = "role_arn")]
    pub session_name: Option<String>,
    /// The MFA device whose code is asked for on the terminal
    #[arg(long, value_name = "ARN")]
    pub mfa_serial: Option<String>,
    /// The device's current code, for scripts
    #[arg(long, value_name = "CODE")]
    pub mfa_code: Option<String>,
    /// Refuse any other account before anything else is asked
    #[arg(long, value_name = "ACCOUNT", value_parser = account_id)]
    pub expect_account: Option<String>,
    /// How many seconds one request may take before it is tried again
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
    /// Another address for all services; AWS_ENDPOINT_URL works too
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Ask without regard to AWS's limits, for an emulator that enforces none
    #[arg(long, requires = "endpoint_url")]
    pub no_pacing: bool,
}

/// What is asked.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Scope")]
pub(super) struct ScopeArgs {
    /// Regions, separated by commas [default: all that the account has enabled]
    #[arg(long, value_name = "REGIONS", value_delimiter = ',')]
    pub regions: Vec<String>,
    /// How far back events go, such as 30d or 12h [default: 90d, all that the event history holds]
    #[arg(long, value_name = "LENGTH", conflicts_with_all = ["from", "to"])]
    pub period: Option<String>,
    /// The period's start: 2026-07-01 or 2026-07-01T00:00:00Z
    #[arg(long, value_name = "TIME", requires = "to")]
    pub from: Option<String>,
    /// The period's end; a day is included whole
    #[arg(long, value_name = "TIME", requires = "from")]
    pub to: Option<String>,
    /// Take another time for now: ages are counted to it [default: now]
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<String>,
    /// Which events: all, write (those that change something), none; what rests on all events is then unknown
    #[arg(long, value_name = "KIND", value_enum, default_value_t)]
    pub events: EventsArg,
    /// Only events of these names, separated by commas: ConsoleLogin,StopLogging
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub event_name: Vec<String>,
    /// Only events about these resources, separated by commas, as LookupEvents names them
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with = "trail_logs")]
    pub resource: Vec<String>,
    /// Ask AWS Config for the compliance history of at most so many resources in each Region
    #[arg(long, value_name = "RESOURCES", default_value_t = crate::evidence::Run::CONFIG_HISTORY)]
    pub config_history: u32,
    /// Read events from a trail's log files, copied to this folder, instead of the event history; their digests are validated
    #[arg(long, value_name = "DIR")]
    pub trail_logs: Option<PathBuf>,
    /// Public keys for the digests, as `aws cloudtrail list-public-keys` prints them [default: ask AWS]
    #[arg(long, value_name = "FILE", requires = "trail_logs", num_args = 1..)]
    pub trail_keys: Vec<PathBuf>,
}

/// Which kind of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum EventsArg {
    #[default]
    All,
    Write,
    None,
}

const EVALUATE_EXAMPLES: &str = "\
PATH is a package (.zip), a recording, a folder of files that the AWS CLI printed, or one such file.
Such files are named by the command that printed them, with or without its first word, in folders as in
a package's evidence/ or in one folder:
    aws iam get-account-authorization-details > account-authorization-details.json
    aws iam generate-credential-report; aws iam get-credential-report > credential-report.json
What is missing is not collected: what rests on it is unknown, never a pass.

Examples:
  Judge a package by a framework of your own:
    auditpack evaluate package.zip --controls my-controls
  Judge AWS CLI output, and write a package from it:
    auditpack evaluate cli-output/ --out package.zip";

#[derive(Debug, Args)]
#[command(after_help = EVALUATE_EXAMPLES)]
pub(super) struct EvaluateArgs {
    /// What to evaluate
    pub path: PathBuf,
    #[command(flatten)]
    pub judge: JudgeArgs,
    /// The package with the record of the last closed access review, which its checks judge
    #[arg(long, value_name = "PACKAGE", help_heading = "Judging")]
    pub review: Option<PathBuf>,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Write a package to this file or folder
    #[arg(long, value_name = "FILE|DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Replace a package that is already there
    #[arg(long, requires = "out", help_heading = "Output")]
    pub force: bool,
    #[command(flatten)]
    pub seal: SealArgs,
    /// The time to which ages are counted, for AWS CLI output [default: now]; a recording states its own
    #[arg(long, value_name = "TIME", help_heading = "Scope")]
    pub as_of: Option<String>,
    /// Regions that AWS CLI output should cover, separated by commas [default: those that it does]
    #[arg(long, value_name = "REGIONS", value_delimiter = ',', help_heading = "Scope")]
    pub regions: Vec<String>,
}

const VERIFY_EXAMPLES: &str = "\
Nothing of the package is trusted, no network is used, and nothing is written. Without --key the verdict
can only be that the package is intact: anybody could have made it. The key must come from elsewhere.

Examples:
  Was anything changed, and does everything follow from AWS's answers?
    auditpack verify package.zip
  Was it signed by the key that the audited organisation published?
    auditpack verify package.zip --key organisation.pub.pem
  Was it there at the time that a time stamp authority states?
    auditpack verify package.zip --timestamp-roots authority-roots.pem
  Does AWS's own log know of the calls? Later events, from a package or a trail's log files:
    auditpack verify package.zip --corroborate later.zip";

#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
pub(super) struct VerifyArgs {
    /// The package
    pub package: PathBuf,
    /// The public key that must have signed it (PEM)
    #[arg(long, value_name = "PUB")]
    pub key: Option<PathBuf>,
    /// Certificates (PEM) to one of which the time stamp must lead; a package without a stamp is then refused
    #[arg(long, value_name = "FILE")]
    pub timestamp_roots: Option<PathBuf>,
    /// Look for auditpack's own calls in the account's CloudTrail events: a later package, a folder of log files, or a file
    #[arg(long, value_name = "EVENTS")]
    pub corroborate: Option<PathBuf>,
    /// The package that the record of the last access review was taken from, to compare it
    #[arg(long, value_name = "PACKAGE")]
    pub review: Option<PathBuf>,
    /// Leave out the derivation from AWS's answers
    #[arg(long)]
    pub no_derivation: bool,
    /// Print the result for programs
    #[arg(long)]
    pub json: bool,
}

/// What `diff` prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum DiffFormat {
    /// A summary for people
    #[default]
    Text,
    /// The same as Markdown
    Markdown,
    /// All changes, for programs
    Json,
    /// All changes, one a line
    Csv,
}

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The package from before
    pub old: PathBuf,
    /// The package from after
    pub new: PathBuf,
    /// What is printed on standard output
    #[arg(long, value_enum, default_value_t)]
    pub format: DiffFormat,
}

const KEYGEN_EXAMPLES: &str = "\
Keep KEY.pem secret, and publish KEY.pub.pem and its fingerprint where auditors find them without the package.

Examples:
    auditpack keygen --out audit-key
    auditpack collect --sign audit-key.pem
    auditpack verify package.zip --key audit-key.pub.pem";

#[derive(Debug, Args)]
#[command(after_help = KEYGEN_EXAMPLES)]
pub(super) struct KeygenArgs {
    /// The files' name: NAME.pem for the private key, NAME.pub.pem for the public one
    #[arg(long, value_name = "NAME", default_value = "auditpack-key")]
    pub out: PathBuf,
}

const EXPLAIN_EXAMPLES: &str = "\
The answer is about the identity side: what is out of sight (service control policies, resource policies)
stands at its end. The exit code is 0, or 3 where something that could decide was not collected.

Examples:
  Is the role an administrator, by what, and who can become it?
    auditpack explain CE-Admin --from package.zip
  Can a user stop the trail? Which statement decides?
    auditpack explain user/ann cloudtrail:StopLogging --from package.zip
  Can a role delete log files, as JSON?
    auditpack explain role/deploy s3:DeleteObject 'arn:aws:s3:::trail-logs/*' \\
      --from package.zip --format json
  From files that the AWS CLI printed:
    auditpack explain ann --from account-authorization-details.json";

#[derive(Debug, Args)]
#[command(after_help = EXPLAIN_EXAMPLES)]
pub(super) struct ExplainArgs {
    /// A user, role or group: its ARN, its name, or its kind and name (role/CE-Admin)
    pub principal: String,
    /// An action, such as s3:DeleteObject; `*` stands for anything
    pub action: Option<String>,
    /// The ARN of a resource [default: any]
    pub resource: Option<String>,
    /// A package, a recording, or AWS CLI output, as `evaluate` takes them
    #[arg(long, value_name = "PATH")]
    pub from: PathBuf,
    /// The service control policies of one level (root, unit, account), once for each level: a policy, a list of
    /// those attached there, FullAWSAccess included, or what `aws organizations describe-policy` prints
    #[arg(long, value_name = "FILE")]
    pub scp: Vec<PathBuf>,
    /// Settings, for vendors and own accounts [default: auditpack.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How the answer is printed: text or json
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub(super) struct ControlsArgs {
    #[command(subcommand)]
    pub command: ControlsCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum ControlsCommand {
    /// List all checks with their severity, resource and frameworks
    List {
        /// A folder of checks and frameworks that override and extend the built-in ones
        #[arg(long, value_name = "DIR")]
        controls: Option<PathBuf>,
    },
    /// Show one check, framework or requirement: user-console-mfa, soc2, "soc2 CC6.1"
    Show {
        /// The id
        id: String,
        /// A folder of checks and frameworks that override and extend the built-in ones
        #[arg(long, value_name = "DIR")]
        controls: Option<PathBuf>,
    },
    /// Load all control files, run the cases of all checks, and report every error
    Validate {
        /// A folder of checks and frameworks that override and extend the built-in ones
        #[arg(long, value_name = "DIR")]
        controls: Option<PathBuf>,
    },
    /// Run the cases of checks, and tell how each came out
    Test {
        /// One check only
        check: Option<String>,
        /// A folder of checks and frameworks that override and extend the built-in ones
        #[arg(long, value_name = "DIR")]
        controls: Option<PathBuf>,
    },
    /// Write a check or a framework to begin with into a folder of controls
    New {
        /// The id: lower-case words with -
        id: String,
        /// The kind of resource that the check judges, such as iam.user; without it, a framework is written
        #[arg(long, value_name = "KIND")]
        resource: Option<String>,
        /// The folder of controls
        #[arg(long, value_name = "DIR")]
        controls: PathBuf,
    },
    /// Show what speaks to each requirement: checks, AWS Config rules, evidence, or nothing
    Matrix {
        /// Frameworks, separated by commas [default: all]
        #[arg(long, value_name = "IDS", value_delimiter = ',')]
        frameworks: Vec<String>,
        /// As CSV: one row for each requirement and what speaks to it
        #[arg(long)]
        csv: bool,
        /// A folder of checks and frameworks that override and extend the built-in ones
        #[arg(long, value_name = "DIR")]
        controls: Option<PathBuf>,
    },
    /// Print a conformance pack with the AWS Config rules that frameworks ask and that are not deployed
    ConformancePack {
        /// A package or recording that shows what is deployed; without it, all rules are printed
        path: Option<PathBuf>,
        /// One Region only, as a pack is deployed Region by Region [default: what is missing in any Region in scope]
        #[arg(long, value_name = "REGION", requires = "path")]
        region: Option<String>,
        /// Which pack to print, where the rules fill several
        #[arg(long, value_name = "N", default_value_t = 1)]
        part: usize,
        /// Frameworks, separated by commas [default: all]
        #[arg(long, value_name = "IDS", value_delimiter = ',')]
        framework: Vec<String>,
        /// A folder of checks and frameworks that override and extend the built-in ones
        #[arg(long, value_name = "DIR")]
        controls: Option<PathBuf>,
        /// Settings: the rules' parameters are set by their thresholds [default: auditpack.toml, if it is there]
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Print the JSON Schema of a kind of control file, for editors
    Schema {
        /// The kind of file
        #[arg(value_parser = ["check", "framework", "config-rules"])]
        kind: String,
    },
    /// List the kinds of resources and their fields, with the calls that supply each
    Fields {
        /// One kind only, such as iam.user
        kind: Option<String>,
        /// As Markdown
        #[arg(long)]
        markdown: bool,
    },
}

const PERMISSIONS_EXAMPLES: &str = "\
Examples:
  Make a policy for collecting SOC 2 evidence:
    auditpack permissions --frameworks soc2 > policy.json
    aws iam create-policy --policy-name auditpack --policy-document file://policy.json";

#[derive(Debug, Args)]
#[command(after_help = PERMISSIONS_EXAMPLES)]
pub(super) struct PermissionsArgs {
    #[command(flatten)]
    pub select: SelectArgs,
    /// For a collection with --trail-logs: public keys of CloudTrail instead of the event history
    #[arg(long)]
    pub trail_logs: bool,
}

const REVIEW_EXAMPLES: &str = "\
Examples:
  Collect, freeze who has access, and write a workbook to fill in:
    auditpack review open --profile audit --out review-2026-q4/
  The same from a package; one workbook for each owner, last quarter's decisions as history:
    auditpack review open package.zip --out q4/ --by-owner --owners owners.csv --previous q3/
  See what is open, then close with evidence that was collected after the follow-up:
    auditpack review status q4/
    auditpack review close q4/ --with later.zip
    auditpack review close q4/ --live --profile audit
  Judge the account with that review on record, in every later run:
    auditpack collect --review q4/access-review_111122223333_20261014T090000Z.zip";

#[derive(Debug, Args)]
#[command(after_help = REVIEW_EXAMPLES)]
pub(super) struct ReviewArgs {
    #[command(subcommand)]
    pub command: ReviewCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum ReviewCommand {
    /// Freeze the population, and write the files that people fill in
    Open(Box<OpenArgs>),
    /// Show what is open by owner, what is overdue, and what closing would refuse
    Status(StatusArgs),
    /// Read the filled files, hold each decision against later evidence, and write the record into a package
    Close(Box<CloseArgs>),
}

/// Opening a review.
#[derive(Debug, Args)]
pub(super) struct OpenArgs {
    /// A package, a recording, or a folder of files that the AWS CLI printed [default: collect from the account now]
    #[arg(conflicts_with_all = ["profile", "region", "role_arn", "external_id", "session_name", "mfa_serial", "mfa_code", "endpoint_url", "regions", "period", "from", "to", "events", "event_name", "resource", "trail_logs"])]
    pub package: Option<PathBuf>,
    /// The folder for the review; it must be empty or not there yet
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The review before: its folder, or the package with its record. Its decisions are shown as history
    #[arg(long, value_name = "DIR|PACKAGE")]
    pub previous: Option<PathBuf>,
    /// One workbook for each owner instead of one for all
    #[arg(long)]
    pub by_owner: bool,
    /// Owners, as CSV with the columns resource and owner; others come from the tags owner, team and contact
    #[arg(long, value_name = "FILE")]
    pub owners: Option<PathBuf>,
    /// Days for decisions and follow-up
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
    pub due_days: u32,
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub session: SessionArgs,
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// No progress on standard error
    #[arg(long, short, help_heading = "Output")]
    pub quiet: bool,
}

/// Asking how far a review is.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// The review's folder, or a package with its record
    pub review: PathBuf,
    /// The day to count to [default: today]
    #[arg(long, value_name = "DAY")]
    pub as_of: Option<String>,
    /// How old the last closed review may be, in days [default: access_review_max_age_days of the settings, or 92]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=3660))]
    pub max_age_days: Option<i64>,
    /// How the status is printed: text or json
    #[arg(long, value_enum, default_value_t)]
    pub format: StatusFormat,
    /// Settings [default: auditpack.toml, if it is there]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What `review status` prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum StatusFormat {
    /// A summary for people
    #[default]
    Text,
    /// The same for programs
    Json,
}

/// Closing a review.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("later").required(true).args(["with", "live"]))]
pub(super) struct CloseArgs {
    /// The review's folder
    pub dir: PathBuf,
    /// Evidence that was collected after the follow-up: a package, a recording, or files that the AWS CLI printed
    #[arg(long, value_name = "PATH", conflicts_with_all = ["profile", "region", "role_arn", "external_id", "session_name", "mfa_serial", "mfa_code", "endpoint_url", "regions", "period", "from", "to", "events", "event_name", "resource", "trail_logs"])]
    pub with: Option<PathBuf>,
    /// Collect the later evidence from the account now
    #[arg(long)]
    pub live: bool,
    /// The population's SHA-256 that was kept elsewhere, in the ticket say: another one is refused
    #[arg(long, value_name = "SHA256")]
    pub population_sha256: Option<String>,
    /// The package's file or folder [default: the review's folder]
    #[arg(long, value_name = "FILE|DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Replace a package that is already there
    #[arg(long, help_heading = "Output")]
    pub force: bool,
    #[command(flatten)]
    pub judge: JudgeArgs,
    #[command(flatten)]
    pub session: SessionArgs,
    #[command(flatten)]
    pub scope: ScopeArgs,
    #[command(flatten)]
    pub seal: SealArgs,
    /// No progress on standard error
    #[arg(long, short, help_heading = "Output")]
    pub quiet: bool,
}
