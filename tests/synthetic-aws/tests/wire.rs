//! What goes over the wire, byte for byte where clients look.
#![allow(clippy::unwrap_used, dead_code)]

mod common;

use std::collections::BTreeSet;

use common::{Client, decoded, quoted};
use synthetic_aws::{Account, BlockingServer, Options};

fn rich() -> (BlockingServer, Client) {
    let server = BlockingServer::start(Account::rich(), Options::default()).unwrap();
    let client = Client::new(server.endpoint());
    (server, client)
}

#[test]
fn query_answers_carry_result_metadata_and_request_id() {
    let (_server, client) = rich();
    let reply = client.send("sts", "/", None, "Action=GetCallerIdentity&Version=2011-06-15");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), "text/xml");
    assert_eq!(reply.header("date"), "Thu, 01 Oct 2026 09:00:00 GMT");
    assert!(reply.body.starts_with(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <GetCallerIdentityResult><Arn>"
    ));
    assert_eq!(reply.xml("Account"), Some("111122223333"));
    assert_eq!(reply.xml("RequestId"), Some(reply.header("x-amzn-requestid")));
}

#[test]
fn the_same_requests_give_the_same_bytes_whatever_came_between() {
    let ids = |noise: bool| {
        let (_server, client) = rich();
        let mut ids = Vec::new();
        for _ in 0..3 {
            if noise {
                client.iam("ListUsers", "");
            }
            let reply = client.iam("ListRoles", "&MaxItems=5");
            ids.push((reply.header("x-amzn-requestid").to_owned(), reply.body));
        }
        ids
    };
    let quiet = ids(false);
    assert_eq!(quiet, ids(true));
    assert_ne!(quiet[0].0, quiet[1].0, "a repeated request has an id of its own");
}

#[test]
fn errors_are_shaped_as_each_protocol_has_them() {
    let (server, client) = rich();
    for rule in ["deny:iam:ListRoles", "deny:cloudtrail:DescribeTrails", "deny:account:ListRegions"] {
        server.add_fault(rule.parse().unwrap());
    }
    let iam = client.iam("ListRoles", "");
    assert_eq!((iam.status, iam.xml("Code")), (403, Some("AccessDenied")));
    assert!(iam.body.starts_with("<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">"));
    assert_eq!(iam.xml("Type"), Some("Sender"));

    let trails = client.cloudtrail("DescribeTrails", "{}");
    assert_eq!(trails.status, 400);
    assert_eq!(trails.json()["__type"], "AccessDeniedException");
    assert!(trails.json()["Message"].as_str().unwrap().contains("cloudtrail:DescribeTrails"));
    assert_eq!(trails.header("x-amzn-errortype"), "AccessDeniedException");
    assert_eq!(trails.header("content-type"), "application/x-amz-json-1.1");

    let regions = client.send("account", "/listRegions", None, "{}");
    assert_eq!(regions.status, 403);
    assert_eq!(regions.header("x-amzn-errortype"), "AccessDeniedException");
    assert!(regions.json()["message"].is_string() && regions.json().get("__type").is_none());
}

#[test]
fn the_credential_report_goes_through_its_states() {
    let (_server, client) = rich();
    let early = client.iam("GetCredentialReport", "");
    assert_eq!((early.status, early.xml("Code")), (410, Some("ReportNotPresent")));
    assert_eq!(client.iam("GenerateCredentialReport", "").xml("State"), Some("STARTED"));
    let soon = client.iam("GetCredentialReport", "");
    assert_eq!((soon.status, soon.xml("Code")), (404, Some("ReportInProgress")));
    assert_eq!(client.iam("GenerateCredentialReport", "").xml("State"), Some("INPROGRESS"));
    assert_eq!(client.iam("GenerateCredentialReport", "").xml("State"), Some("COMPLETE"));
    let first = client.iam("GetCredentialReport", "");
    assert_eq!(first.xml("GeneratedTime"), Some("2026-10-01T08:57:40Z"));
    let again = client.iam("GetCredentialReport", "");
    assert_eq!(first.xml("Content"), again.xml("Content"));

    use base64::Engine;
    let csv = base64::engine::general_purpose::STANDARD.decode(first.xml("Content").unwrap()).unwrap();
    let csv = String::from_utf8(csv).unwrap();
    let rows: Vec<Vec<&str>> = csv.lines().map(|l| l.split(',').collect()).collect();
    assert_eq!(rows[0].len(), 22);
    assert_eq!(rows[0][9], "access_key_1_last_rotated", "column 10, not 11");
    assert_eq!(rows[1][0], "<root_account>");
    assert_eq!(rows[1][6], "not_supported");
    let row = |name: &str| rows.iter().find(|r| r[0] == name).unwrap();
    assert_eq!(row("kofi.kamara")[4], "no_information");
    assert_eq!(row("svc-backup")[3..7], ["false", "N/A", "N/A", "N/A"]);
    assert_eq!(row("@oncall")[11], "N/A", "no Region for a global service");
    assert_eq!(row("ivan.ivanov")[8], "false");
    assert_ne!(row("ivan.ivanov")[9], "N/A", "an inactive key keeps its dates");
    // the comma is in the name and in the ARN, nothing is quoted
    assert_eq!(row("lee").len(), 24);
    assert_eq!(row("lee")[1..4], ["ann", "arn:aws:iam::111122223333:user/people/lee", "ann"]);
    assert!(!csv.contains("new.starter"), "created after the report");
    let names: Vec<String> = csv.lines().skip(2).map(|l| l.split(",arn:").next().unwrap().to_lowercase()).collect();
    assert!(names.is_sorted(), "users in order, without regard to case");
}

#[test]
fn authorization_details_page_interleave_and_encode() {
    let (_server, client) = rich();
    let (mut users, mut roles, mut pages, mut marker) = (Vec::new(), 0, 0, String::new());
    let (mut mixed, mut policies, mut groups) = (0, 0, 0);
    loop {
        let reply = client.iam("GetAccountAuthorizationDetails", &format!("&MaxItems=1000{marker}"));
        pages += 1;
        roles += reply.count("RoleName") - reply.count("InstanceProfileName");
        users.extend(reply.body.split("<UserName>").skip(1).map(|u| u.split('<').next().unwrap().to_owned()));
        policies += reply.count("DefaultVersionId");
        groups += reply.count("GroupId");
        mixed += usize::from(reply.count("UserName") > 0 && reply.count("DefaultVersionId") > 0);
        assert!(!reply.body.contains("MaxSessionDuration"));
        match reply.xml("Marker") {
            Some(token) => {
                assert_eq!(reply.xml("IsTruncated"), Some("true"));
                marker = format!("&Marker={}", quoted(token));
            }
            None => break,
        }
    }
    assert_eq!((pages, roles, users.len()), (4, 76, 47), "fewer than asked, nothing lost");
    assert_eq!((policies, groups), (48, 13));
    assert_eq!(users.iter().collect::<BTreeSet<_>>().len(), 47, "nothing twice");
    assert!(mixed >= 2, "types interleave over pages");
    assert!(users.contains(&"new.starter".to_owned()));

    let local = client.iam("GetAccountAuthorizationDetails", "&Filter.member.1=LocalManagedPolicy&MaxItems=2");
    assert_eq!((local.count("DefaultVersionId"), local.count("UserName")), (2, 0));
    let document = local.xml("Document").unwrap();
    assert!(document.starts_with("%7B%22") && !document.contains('+') && !document.contains('*'));
    assert!(decoded(document).starts_with("{\""));
    let wrong = client.iam("GetAccountAuthorizationDetails", "&Filter.member.1=Users");
    assert_eq!((wrong.status, wrong.xml("Code")), (400, Some("ValidationError")));
}

#[test]
fn list_roles_has_the_session_duration_and_no_last_use() {
    let (_server, client) = rich();
    let mut text = String::new();
    let mut marker = String::new();
    loop {
        let reply = client.iam("ListRoles", &format!("&MaxItems=1000{marker}"));
        text.push_str(&reply.body);
        match reply.xml("Marker") {
            Some(token) => marker = format!("&Marker={}", quoted(token)),
            None => break,
        }
    }
    assert_eq!(text.matches("<MaxSessionDuration>").count(), 76);
    assert!(!text.contains("RoleLastUsed") && !text.contains("<Tags>"));
}

#[test]
fn markers_belong_to_their_request() {
    let (_server, client) = rich();
    let marker = quoted(client.iam("ListRoles", "&MaxItems=3").xml("Marker").unwrap());
    assert_eq!(client.iam("ListRoles", &format!("&MaxItems=9&Marker={marker}")).status, 200);
    let other = client.iam("ListUsers", &format!("&Marker={marker}"));
    assert_eq!((other.status, other.xml("Code")), (400, Some("ValidationError")));
}

fn lookup(client: &Client, window: &str) -> (Vec<String>, usize) {
    let (mut ids, mut pages, mut token) = (Vec::new(), 0, String::new());
    loop {
        let reply = client.cloudtrail("LookupEvents", &format!("{{{window}{token}}}"));
        assert_eq!(reply.status, 200, "{}", reply.body);
        let page = reply.json();
        let events = page["Events"].as_array().unwrap();
        assert!(events.len() <= 50);
        pages += 1;
        ids.extend(events.iter().map(|e| e["EventId"].as_str().unwrap().to_owned()));
        match page["NextToken"].as_str() {
            Some(next) => token = format!(",\"NextToken\":\"{next}\""),
            None => return (ids, pages),
        }
    }
}

#[test]
fn lookup_events_pages_repeat_some_events_and_slices_add_up() {
    let (_server, mut client) = rich();
    client.region = "eu-west-1";
    // 2026-07-03T09:00 .. 2026-10-01T09:00, and the same in two halves that share their border
    let (all, pages) = lookup(&client, "\"StartTime\":1783069200,\"EndTime\":1790845200");
    let unique: BTreeSet<_> = all.iter().cloned().collect();
    assert!(unique.len() < all.len(), "an event comes twice over a page border");
    assert!(pages > unique.len() / 50);
    let (new, _) = lookup(&client, "\"StartTime\":1787000000,\"EndTime\":1790845200");
    let (old, _) = lookup(&client, "\"StartTime\":1783069200,\"EndTime\":1787000000");
    assert_eq!(new.into_iter().chain(old).collect::<BTreeSet<_>>(), unique);
}

#[test]
fn lookup_events_filters_and_refuses() {
    let (_server, mut client) = rich();
    client.region = "ap-southeast-2";
    let filter = "\"LookupAttributes\":[{\"AttributeKey\":\"EventName\",\"AttributeValue\":\"StopLogging\"}]";
    assert_eq!(lookup(&client, filter).0.len(), 1);
    let page = client.cloudtrail("LookupEvents", &format!("{{{filter}}}")).json();
    let event = &page["Events"][0];
    assert_eq!(event["ReadOnly"], "false", "a string");
    assert!(event["EventTime"].is_f64(), "seconds since the epoch");
    assert!(event["CloudTrailEvent"].as_str().unwrap().contains("\"eventName\":\"StopLogging\""));

    // both ends of the window are inclusive
    let at = event["EventTime"].as_f64().unwrap();
    let instant = format!("\"StartTime\":{at},\"EndTime\":{at}");
    assert_eq!(lookup(&client, &instant).0, [event["EventId"].as_str().unwrap()]);

    let error = |body: &str| client.cloudtrail("LookupEvents", body).json()["__type"].clone();
    assert_eq!(error("{\"StartTime\":1790000001,\"EndTime\":1790000000}"), "InvalidTimeRangeException");
    assert_eq!(error("{\"MaxResults\":51}"), "InvalidMaxResultsException");
    assert_eq!(error("{\"NextToken\":\"abc\"}"), "InvalidNextTokenException");
    let two = "{\"LookupAttributes\":[{\"AttributeKey\":\"EventName\",\"AttributeValue\":\"a\"},{\"AttributeKey\":\"EventId\",\"AttributeValue\":\"b\"}]}";
    assert_eq!(error(two), "InvalidLookupAttributesException");
    // a token with another window
    let token = client.cloudtrail("LookupEvents", "{\"EndTime\":1790845200}").json()["NextToken"].clone();
    assert_eq!(error(&format!("{{\"EndTime\":1790845199,\"NextToken\":{token}}}")), "InvalidNextTokenException");
}

#[test]
fn regional_services_refuse_a_region_that_is_not_enabled() {
    let (_server, mut client) = rich();
    client.region = "sa-east-1";
    let reply = client.config("DescribeConfigRules", "{}");
    assert_eq!(reply.json()["__type"], "UnrecognizedClientException");
    assert_eq!(client.iam("GetAccountSummary", "").status, 200, "IAM is global");
}

#[test]
fn trail_status_wants_the_arn_away_from_home() {
    let (_server, mut client) = rich();
    client.region = "eu-west-1";
    let by_name = client.cloudtrail("GetTrailStatus", "{\"Name\":\"management-events\"}");
    assert_eq!(by_name.json()["__type"], "TrailNotFoundException");
    let arn = "{\"Name\":\"arn:aws:cloudtrail:us-east-1:111122223333:trail/management-events\"}";
    assert_eq!(client.cloudtrail("GetTrailStatus", arn).json()["IsLogging"], true);
    let shadows = client.cloudtrail("DescribeTrails", "{\"includeShadowTrails\":false}").json();
    assert_eq!(shadows["trailList"].as_array().unwrap().len(), 1);
    let selectors = client.cloudtrail("GetEventSelectors", "{\"TrailName\":\"payments-data-events\"}").json();
    assert!(selectors.get("EventSelectors").is_none() && selectors["AdvancedEventSelectors"].is_array());
}

#[test]
fn config_history_spans_a_week_a_page_and_may_be_empty() {
    let (_server, client) = rich();
    let request = |token: &str| {
        client
            .config(
                "GetResourceConfigHistory",
                &format!("{{\"resourceType\":\"AWS::Config::ResourceCompliance\",\"resourceId\":\"AWS::EC2::SecurityGroup/sg-00000000000000001\",\"laterTime\":1790845200,\"earlierTime\":1783069200{token}}}"),
            )
            .json()
    };
    let (mut pages, mut empty, mut items, mut token) = (0, 0, Vec::new(), String::new());
    loop {
        let page = request(&token);
        pages += 1;
        let found = page["configurationItems"].as_array().unwrap().clone();
        empty += usize::from(found.is_empty());
        items.extend(found);
        match page["nextToken"].as_str() {
            Some(next) => token = format!(",\"nextToken\":\"{next}\""),
            None => break,
        }
    }
    assert_eq!(pages, 13, "ninety days, seven at a time");
    assert_eq!(empty, 12);
    assert_eq!(items.len(), 1);
    let configuration = items[0]["configuration"].as_str().unwrap();
    assert!(configuration.contains("\"complianceType\":\"NON_COMPLIANT\""));
}

#[test]
fn config_says_what_it_does_not_know() {
    let (_server, mut client) = rich();
    let all = |client: &Client, operation: &str, list: &str| {
        let (mut names, mut token) = (Vec::new(), String::new());
        loop {
            let page = client.config(operation, &format!("{{{token}}}")).json();
            let items = page[list].as_array().unwrap().clone();
            names.extend(items.iter().map(|r| r["ConfigRuleName"].as_str().unwrap().to_owned()));
            match page["NextToken"].as_str() {
                Some(next) => token = format!("\"NextToken\":\"{next}\""),
                None => return names,
            }
        }
    };
    let rules = all(&client, "DescribeConfigRules", "ConfigRules");
    let verdicts = all(&client, "DescribeComplianceByConfigRule", "ComplianceByConfigRules");
    let missing: Vec<_> = rules.iter().filter(|r| !verdicts.contains(r)).collect();
    assert_eq!(missing, ["posture-internal-check", "ec2-imdsv2-check", "old-lambda-runtimes"]);
    client.region = "eu-west-1";
    let denied = client.config("GetComplianceDetailsByConfigRule", "{\"ConfigRuleName\":\"payments-tagging-policy\"}");
    assert_eq!(denied.json()["__type"], "AccessDeniedException");
    let capped = client
        .config(
            "DescribeComplianceByConfigRule",
            "{\"ConfigRuleNames\":[\"encrypted-volumes-conformance-pack-e4u6r8o0p\"]}",
        )
        .json();
    let count = &capped["ComplianceByConfigRules"][0]["Compliance"]["ComplianceContributorCount"];
    assert_eq!((count["CappedCount"].as_i64(), count["CapExceeded"].as_bool()), (Some(25), Some(true)));
}
