//! What a vendor's roles may do, compared with what they are for: is one read-only, do two differ, is
//! access to data tied to a tag?

use serde::Serialize;

use super::context::Context;
use super::decision::StatementRef;
use super::glob;
use super::layers::Layers;
use super::principal::Principal;
use super::surface::{Piece, Surface};

/// What an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccessLevel {
    /// Reads or lists.
    Read,
    /// Anything else.
    Write,
}

/// Knows what actions do.
pub trait ActionLevels {
    /// What an action, or every action that a pattern matches, does; in lower case. Nothing if it is
    /// not known.
    fn level(&self, action: &str) -> Option<AccessLevel>;

    /// Actions in lower case that write, whatever is said of patterns that match them.
    fn writes(&self) -> &'static [&'static str];

    /// Where the knowledge comes from, for the report.
    fn basis(&self) -> &'static str;
}

/// Does a piece only read?
fn reads(piece: &Piece, levels: &dyn ActionLevels) -> bool {
    let mut patterns = piece.all_of.iter();
    patterns.any(|text| levels.level(&text.text) == Some(AccessLevel::Read))
        && !levels.writes().iter().any(|action| piece.has(action))
}

/// Tells from the verb in the name: `Get`, `List`, `Describe` and the like read, anything else writes. Actions whose name
/// says something else than what they do are listed, as far as they matter.
///
/// It is a heuristic, and says so. Against the access levels that AWS documents for 20,455 actions, 53 that read by
/// their names are listed otherwise (most as permissions management that only looks), and 286 that read are taken for
/// writing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NameHeuristic;

const READING: [&str; 22] = [
    "batchcheck",
    "batchdescribe",
    "batchget",
    "batchread",
    "calculate",
    "conditioncheck",
    "count",
    "describe",
    "estimate",
    "fetch",
    "filter",
    "get",
    "head",
    "list",
    "lookup",
    "partiqlselect",
    "query",
    "read",
    "scan",
    "search",
    "select",
    "view",
];

/// They read, whatever their names say.
const READS: [&str; 7] = [
    "iam:generatecredentialreport",
    "iam:generateservicelastaccesseddetails",
    "iam:simulatecustompolicy",
    "iam:simulateprincipalpolicy",
    "logs:startlivetail",
    "logs:startquery",
    "logs:stopquery",
];

/// They hand out credentials, a way in or work to be done, or take data up, whatever their names say.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>
const WRITES: [&str; 19] = [
    "backup:searchrecoverypoint",
    "bedrock-agentcore:getworkloadaccesstoken",
    "cloudshell:getfileuploadurls",
    "cognito-identity:getcredentialsforidentity",
    "cognito-idp:gettokensfromrefreshtoken",
    "datazone:getiamportalloginurl",
    "ec2:getpassworddata",
    "elasticmapreduce:getclustersessioncredentials",
    "emr-containers:getmanagedendpointsessioncredentials",
    "lakeformation:getdataaccess",
    "lightsail:getinstanceaccessdetails",
    "lightsail:getrelationaldatabasemasteruserpassword",
    "redshift:getclustercredentials",
    "redshift:getclustercredentialswithiam",
    "redshift-serverless:getcredentials",
    "states:getactivitytask",
    "sts:getdelegatedaccesstoken",
    "sts:getfederationtoken",
    "sts:getwebidentitytoken",
];

/// Reading that is reading of data, which may be meant for nobody.
const DATA: [&str; 13] = [
    "athena:getqueryresults",
    "dynamodb:batchgetitem",
    "dynamodb:getitem",
    "dynamodb:partiqlselect",
    "dynamodb:query",
    "dynamodb:scan",
    "kinesis:getrecords",
    "logs:filterlogevents",
    "logs:getlogevents",
    "s3:getobject",
    "s3:getobjectversion",
    "secretsmanager:getsecretvalue",
    "ssm:getparameter",
];

impl ActionLevels for NameHeuristic {
    fn level(&self, action: &str) -> Option<AccessLevel> {
        let name = action.split_once(':').map_or("", |(_, name)| name);
        let verb = name.split(['*', '?']).next().unwrap_or_default();
        let reads = READS.contains(&action) || READING.iter().any(|reading| verb.starts_with(reading));
        Some(if reads { AccessLevel::Read } else { AccessLevel::Write })
    }

    fn writes(&self) -> &'static [&'static str] {
        &WRITES
    }

    fn basis(&self) -> &'static str {
        "names"
    }
}

/// Whether a principal only reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "read_only", rename_all = "kebab-case")]
pub enum ReadOnly {
    /// Nothing that it may do writes.
    Yes,
    /// These may write.
    No {
        /// The action patterns and the statements that grant them.
        writes: Vec<Granted>,
    },
    /// A document or statement that could decide it cannot be read.
    Unknown {
        /// What is missing.
        reason: String,
    },
}

/// An action pattern and the statement that grants it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Granted {
    /// The pattern, in lower case.
    pub actions: String,
    /// The resources of the statement, as written.
    pub resources: Vec<String>,
    /// It hangs on a condition, or is for some resources only.
    pub limited: bool,
    /// The statement.
    pub statement: StatementRef,
}

impl From<&Piece> for Granted {
    fn from(piece: &Piece) -> Self {
        Self {
            actions: piece.to_text(),
            resources: piece.resources.clone(),
            limited: !piece.plain,
            statement: piece.statement.clone(),
        }
    }
}

/// Does a principal only read? An action of which the level is not known counts as writing.
#[must_use]
pub fn read_only(principal: &Principal, levels: &dyn ActionLevels) -> ReadOnly {
    let surface = match Surface::of(principal, &Context::new()) {
        Ok(surface) => surface,
        Err(reason) => return ReadOnly::Unknown { reason },
    };
    let mut writes: Vec<Granted> =
        surface.pieces.iter().filter(|piece| !reads(piece, levels)).map(Granted::from).collect();
    writes.sort();
    writes.dedup();
    if writes.is_empty() { ReadOnly::Yes } else { ReadOnly::No { writes } }
}

/// How the permissions of two principals differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Granted to the first only.
    pub only_first: Vec<Granted>,
    /// Granted to the second only.
    pub only_second: Vec<Granted>,
}

impl Difference {
    /// True if neither has anything that the other has not.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.only_first.is_empty() && self.only_second.is_empty()
    }
}

/// How the permissions of two principals differ, pattern by pattern.
///
/// # Errors
///
/// With the reason, if a document of either cannot be read.
pub fn difference(first: &Principal, second: &Principal) -> Result<Difference, String> {
    let a = Surface::of(first, &Context::new())?;
    let b = Surface::of(second, &Context::new())?;
    let only = |mine: &Surface, theirs: &Surface| {
        let missing = mine.pieces.iter().filter(|piece| !theirs.pieces.iter().any(|other| other.grants_all_of(piece)));
        let mut granted: Vec<Granted> = missing.map(Granted::from).collect();
        granted.sort();
        granted.dedup();
        granted
    };
    Ok(Difference { only_first: only(&a, &b), only_second: only(&b, &a) })
}

/// The Allow statements that give more than looking at what there is and work on resources without any of the tag keys
/// (`aws:ResourceTag/team`, `ssm:resourceTag/CE`, ...), after what Deny statements and the boundary take away there.
///
/// `...IfExists` is true for a resource without the tag, so it does not tie anything
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IfExists>).
///
/// # Errors
///
/// With the reason, if a document of the principal cannot be read.
pub fn not_tied_to_tag(
    principal: &Principal,
    tag_keys: &[&str],
    levels: &dyn ActionLevels,
) -> Result<Vec<StatementRef>, String> {
    let mut untagged = Context::new();
    for key in tag_keys {
        untagged.set_absent(key);
    }
    let surface = Surface::of(principal, &untagged)?;
    let only_looks = |piece: &Piece| reads(piece, levels) && !DATA.iter().any(|action| piece.has(action));
    let mut found: Vec<StatementRef> =
        surface.pieces.iter().filter(|piece| !only_looks(piece)).map(|piece| piece.statement.clone()).collect();
    found.sort();
    found.dedup();
    Ok(found)
}

/// The tag keys that a principal's statements depend on, in lower case: an Allow for resources with the tag, or a Deny
/// for those without it.
#[must_use]
pub fn tag_keys(principal: &Principal) -> Vec<String> {
    let layers = Layers::of(principal);
    let mut keys: Vec<String> = layers
        .statements()
        .flat_map(|located| &located.statement.conditions)
        .map(|clause| clause.key.to_string())
        .filter(|key| glob::matches("*resourcetag/*", key))
        .collect();
    keys.sort();
    keys.dedup();
    keys
}
