//! Quotas, faults, statistics: a server that says no, and how.
#![allow(clippy::unwrap_used, dead_code)]

mod common;

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use common::Client;
use synthetic_aws::{Account, BlockingServer, Fault, Options, Quotas};

fn start(quotas: Quotas, faults: &[&str]) -> (BlockingServer, Client) {
    let faults = faults.iter().map(|f| f.parse::<Fault>().unwrap()).collect();
    let options = Options { quotas, faults, ..Options::default() };
    let server = BlockingServer::start(Account::clean(), options).unwrap();
    let client = Client::new(server.endpoint());
    (server, client)
}

#[test]
fn lookups_above_two_a_second_are_throttled_and_counted() {
    let (server, mut client) = start(Quotas::aws(), &[]);
    let statuses: Vec<u16> = (0..4).map(|_| client.cloudtrail("LookupEvents", "{}").status).collect();
    assert_eq!(statuses, [200, 200, 400, 400]);
    let throttled = client.cloudtrail("LookupEvents", "{}");
    assert_eq!(throttled.json()["__type"], "ThrottlingException");
    assert_eq!(throttled.json()["Message"], "Rate exceeded");
    client.region = "eu-west-1";
    assert_eq!(client.cloudtrail("LookupEvents", "{}").status, 200, "another Region, another bucket");
    std::thread::sleep(Duration::from_millis(600));
    client.region = "us-east-1";
    assert_eq!(client.cloudtrail("LookupEvents", "{}").status, 200, "it refills");

    let stats = server.stats();
    assert_eq!(stats.requests_to("cloudtrail", "LookupEvents"), 7);
    assert_eq!(stats.throttled_at("cloudtrail", "LookupEvents"), 3);
    server.reset_stats();
    assert_eq!(server.stats().requests, 0);
}

#[test]
fn each_protocol_throttles_in_its_own_way() {
    let (_server, client) = start(Quotas::aws(), &[]);
    let replies: Vec<_> = (0..6).map(|_| client.send("account", "/listRegions", None, "{}")).collect();
    assert_eq!((replies[4].status, replies[5].status), (200, 429));
    assert_eq!(replies[5].header("x-amzn-errortype"), "TooManyRequestsException");
    let replies: Vec<_> = (0..21).map(|_| client.iam("GetAccountSummary", "")).collect();
    assert_eq!((replies[19].status, replies[20].status), (200, 400));
    assert_eq!(replies[20].xml("Code"), Some("Throttling"));
}

#[test]
fn the_stats_page_is_json() {
    let (_server, client) = start(Quotas::none(), &["error503:iam:ListUsers"]);
    assert_eq!(client.iam("ListUsers", "").status, 503);
    let stats = client.send("iam", "/_synthetic/stats", None, "").json();
    assert_eq!(stats["requests"], 1);
    assert_eq!(stats["operations"][0]["operation"], "ListUsers");
    assert_eq!(stats["operations"][0]["errors"], 1);
}

#[test]
fn storms_pass_when_their_time_is_over() {
    let (_server, client) = start(Quotas::none(), &["error500:iam:ListRoles:times=2", "throttle429:config:every=2"]);
    let statuses: Vec<u16> = (0..3).map(|_| client.iam("ListRoles", "").status).collect();
    assert_eq!(statuses, [500, 500, 200]);
    let statuses: Vec<u16> = (0..4).map(|_| client.config("DescribeConfigRules", "{}").status).collect();
    assert_eq!(statuses, [200, 429, 200, 429]);
}

#[test]
fn tokens_expire_and_clocks_differ() {
    let (_server, client) = start(
        Quotas::none(),
        &[
            "expired-token:iam:ListRoles",
            "expired-token:config",
            "skew:sts",
            "date=-7200:iam:ListUsers",
            "region-disabled:cloudtrail",
        ],
    );
    assert_eq!(client.iam("ListRoles", "").xml("Code"), Some("ExpiredToken"));
    assert_eq!(client.config("DescribeConfigRules", "{}").json()["__type"], "ExpiredTokenException");
    let skewed = client.send("sts", "/", None, "Action=GetCallerIdentity&Version=2011-06-15");
    assert_eq!(skewed.xml("Code"), Some("SignatureDoesNotMatch"));
    assert!(skewed.xml("Message").unwrap().starts_with("Signature expired: 20261001T090000Z is now earlier than"));
    assert_eq!(skewed.header("date"), "Thu, 01 Oct 2026 09:15:00 GMT");
    assert_eq!(client.iam("ListUsers", "").header("date"), "Thu, 01 Oct 2026 07:00:00 GMT");
    assert_eq!(client.cloudtrail("DescribeTrails", "{}").json()["__type"], "UnrecognizedClientException");
}

#[test]
fn connections_break_in_the_way_that_was_asked_for() {
    let (server, client) = start(
        Quotas::none(),
        &[
            "cut:iam:ListUsers",
            "reset:iam:ListRoles",
            "stall:iam:ListGroups",
            "hang:iam:ListPolicies",
            "truncate:iam:GetAccountSummary",
        ],
    );
    let kind = |action: &str| {
        let body = format!("Action={action}&Version=2010-05-08");
        client.try_send("iam", "/", None, &body).map(|r| r.status).unwrap_err().kind()
    };
    assert_eq!(kind("ListUsers"), ErrorKind::UnexpectedEof, "closed without an answer");
    assert_eq!(kind("ListRoles"), ErrorKind::ConnectionReset);
    assert_eq!(kind("ListGroups"), ErrorKind::WouldBlock, "our read timed out");
    assert_eq!(kind("ListPolicies"), ErrorKind::WouldBlock);
    let truncated = client.iam("GetAccountSummary", "");
    assert_eq!(truncated.status, 200, "well framed");
    assert!(
        truncated.body.starts_with("<GetAccountSummaryResponse")
            && !truncated.body.contains("</GetAccountSummaryResponse>")
    );
    server.clear_faults();
    assert!(client.iam("GetAccountSummary", "").body.ends_with("</GetAccountSummaryResponse>\n"));
}

#[test]
fn slow_answers_are_slow() {
    let (_server, client) = start(Quotas::none(), &["drip=15:iam:ListUsers", "delay=120:iam:ListRoles"]);
    let time = |action: &str| {
        let start = Instant::now();
        assert_eq!(client.iam(action, "").status, 200);
        start.elapsed()
    };
    assert!(time("ListUsers") >= Duration::from_millis(15 * 15));
    assert!(time("ListRoles") >= Duration::from_millis(120));
}

#[test]
fn pages_can_be_empty_tokens_refused_and_types_wrong() {
    let (_server, client) = start(
        Quotas::none(),
        &[
            "empty-page:cloudtrail:LookupEvents:nth=1",
            "invalid-token:cloudtrail:LookupEvents:nth=2",
            "wrong-types:config:DescribeConfigRules",
            "wrong-types:iam:GetAccountSummary",
        ],
    );
    let first = client.cloudtrail("LookupEvents", "{}").json();
    assert_eq!(first["Events"].as_array().unwrap().len(), 0);
    let follow =
        |token: &serde_json::Value| client.cloudtrail("LookupEvents", &format!("{{\"NextToken\":{token}}}")).json();
    let second = follow(&first["NextToken"]);
    assert_eq!(second["Events"].as_array().unwrap().len(), 50, "nothing was lost");
    assert_eq!(follow(&second["NextToken"])["__type"], "InvalidNextTokenException");
    assert_eq!(follow(&second["NextToken"])["Events"].as_array().unwrap().len(), 50);
    assert!(client.config("DescribeConfigRules", "{}").json()["ConfigRules"].is_string());
    assert!(client.iam("GetAccountSummary", "").body.contains("<value>about 0</value>"));
}

#[test]
fn a_dropped_server_is_gone() {
    let (server, client) = start(Quotas::none(), &[]);
    assert_eq!(client.iam("ListUsers", "").status, 200);
    drop(server);
    assert!(client.try_send("iam", "/", None, "").is_err());
}
