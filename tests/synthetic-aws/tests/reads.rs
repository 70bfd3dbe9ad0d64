//! What clients ask that go from principal to principal, and what is refused instead of being made up.
#![allow(clippy::unwrap_used, dead_code)]

mod common;

use common::Client;
use synthetic_aws::account::iam::ServerCertificate;
use synthetic_aws::{Account, BlockingServer, Options};

fn serve(account: Account) -> (BlockingServer, Client) {
    let server = BlockingServer::start(account, Options::default()).unwrap();
    let client = Client::new(server.endpoint());
    (server, client)
}

#[test]
fn what_the_model_does_not_hold_is_refused_by_its_name() {
    let (server, client) = serve(Account::rich());
    for operation in ["GetSAMLProvider", "ListSSHPublicKeys", "GenerateServiceLastAccessedDetails", "CreateUser"] {
        let reply = client.iam(operation, "");
        assert_eq!((reply.status, reply.xml("Code")), (400, Some("InvalidAction")), "{operation}");
        assert_eq!(reply.xml("Message"), Some(format!("synthetic-aws does not have iam:{operation}").as_str()));
    }
    let target = Some("AWSOrganizationsV20161128.DescribeOrganization");
    let reply = client.send("organizations", "/", target, "{}");
    assert_eq!(reply.json()["__type"], "UnknownOperationException");
    assert_eq!(reply.json()["message"], "synthetic-aws does not have organizations:DescribeOrganization");
    let reply = client.send("s3", "/a-bucket", None, "<x/>");
    assert_eq!((reply.status, reply.header("x-amzn-errortype")), (404, "UnknownOperationException"));
    let stats = server.stats();
    assert_eq!(stats.requests_to("organizations", "DescribeOrganization"), 1, "counted by its name");
}

#[test]
fn what_does_not_exist_is_no_such_entity() {
    let (_server, client) = serve(Account::rich());
    let cases = [
        ("GetUser", "&UserName=nobody"),
        ("ListUserPolicies", "&UserName=nobody"),
        ("ListAttachedRolePolicies", "&RoleName=nothing"),
        ("ListGroupsForUser", "&UserName=nobody"),
        ("GetGroup", "&GroupName=none"),
        ("GetUserPolicy", "&UserName=tara.tan&PolicyName=other"),
        ("GetLoginProfile", "&UserName=svc-backup"),
        ("GetMFADevice", "&SerialNumber=arn:aws:iam::111122223333:mfa/none"),
        ("GetInstanceProfile", "&InstanceProfileName=none"),
        ("ListPolicyVersions", "&PolicyArn=arn:aws:iam::111122223333:policy/none"),
        ("ListEntitiesForPolicy", "&PolicyArn=arn:aws:iam::111122223333:policy/none"),
        ("ListServiceSpecificCredentials", "&UserName=nobody"),
        ("ListSAMLProviderTags", "&SAMLProviderArn=arn:aws:iam::111122223333:saml-provider/none"),
    ];
    for (operation, parameters) in cases {
        let reply = client.iam(operation, parameters);
        assert_eq!((reply.status, reply.xml("Code")), (404, Some("NoSuchEntity")), "{operation}: {}", reply.body);
    }
    // A parameter that is missing is the client's mistake; a key of another account is not for us to see.
    assert_eq!(client.iam("ListUserPolicies", "").xml("Code"), Some("ValidationError"));
    let key = client.iam("GetAccessKeyLastUsed", "&AccessKeyId=AKIAOTHERSEXAMPLE000");
    assert_eq!((key.status, key.xml("Code")), (403, Some("AccessDenied")));
    // An AWS-managed policy that nobody has: known, because all attachments are.
    let unused = client.iam("ListEntitiesForPolicy", "&PolicyArn=arn:aws:iam::aws:policy/AWSSupportAccess");
    assert_eq!((unused.status, unused.count("member")), (200, 0));
}

#[test]
fn without_a_name_the_caller_is_meant_who_must_be_a_user() {
    let (_server, client) = serve(Account::rich());
    assert_eq!(client.iam("ListAccessKeys", "").xml("Code"), Some("ValidationError"), "a role has no keys");
    let mut account = Account::rich();
    account.caller.arn = "arn:aws:iam::111122223333:user/people/hana.hoshi".to_owned();
    let (_server, client) = serve(account);
    assert_eq!(client.iam("ListAccessKeys", "").count("AccessKeyId"), 2);
    let device = client.iam("ListMFADevices", "");
    assert!(device.xml("SerialNumber").unwrap().contains(":u2f/user/hana.hoshi/"), "a security key: {}", device.body);
}

#[test]
fn lists_are_filtered_as_asked() {
    let (_server, client) = serve(Account::rich());
    let users = client.iam("ListUsers", "&PathPrefix=/machines/");
    assert!(users.count("UserName") > 5 && users.count("UserName") == users.body.matches("<Path>/machines/").count());
    let support = "&PolicyArn=arn:aws:iam::111122223333:policy/boundary-support";
    let bounded = client.iam("ListEntitiesForPolicy", support);
    assert!(bounded.body.contains("<UserName>maria.moreno</UserName>"), "{}", bounded.body);
    let permitted = client.iam("ListEntitiesForPolicy", &format!("{support}&PolicyUsageFilter=PermissionsPolicy"));
    assert!(!permitted.body.contains("maria.moreno"));
    let roles = client.iam("ListEntitiesForPolicy", &format!("{support}&EntityFilter=Role"));
    assert_eq!(roles.count("UserName"), 0);
    let attached = client.iam("ListAttachedGroupPolicies", "&GroupName=data&PathPrefix=/service-role/");
    assert_eq!(attached.count("PolicyArn"), 0);
}

#[test]
fn server_certificates_are_counted_and_listed() {
    let mut account = Account::clean();
    assert_eq!(serve(account.clone()).1.iam("ListServerCertificates", "").count("member"), 0);
    account.iam.server_certificates.push(ServerCertificate {
        path: "/cloudfront/".to_owned(),
        name: "www".to_owned(),
        id: "ASCAEXAMPLEEXAMPLE".to_owned(),
        arn: "arn:aws:iam::111122223333:server-certificate/cloudfront/www".to_owned(),
        uploaded: account.created,
        expires: account.now,
    });
    let (_server, client) = serve(account);
    assert_eq!(client.iam("ListServerCertificates", "").xml("ServerCertificateName"), Some("www"));
    let summary = client.iam("GetAccountSummary", "").body;
    assert!(summary.contains("<key>ServerCertificates</key><value>1</value>"), "{summary}");
}

#[test]
fn ec2_tells_the_regions_in_its_own_protocol() {
    let (server, client) = serve(Account::rich());
    let ask = |more: &str| client.send("ec2", "/", None, &format!("Action=DescribeRegions&Version=2016-11-15{more}"));
    let enabled = ask("");
    assert!(enabled.body.starts_with("<DescribeRegionsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">"));
    assert_eq!((enabled.count("regionName"), enabled.xml("requestId")), (3, Some(enabled.header("x-amzn-requestid"))));
    let all = ask("&AllRegions=true");
    assert_eq!(all.count("regionName"), server_regions());
    let others = ask("&AllRegions=true&Filter.1.Name=opt-in-status&Filter.1.Value.1=not-opted-in");
    assert_eq!(others.count("regionName"), server_regions() - 3);
    let refused = ask("&Filter.1.Name=endpoint&Filter.1.Value.1=x");
    assert_eq!((refused.status, refused.xml("Code")), (400, Some("InvalidParameterValue")));
    server.add_fault("deny:ec2:DescribeRegions".parse().unwrap());
    let denied = ask("");
    assert_eq!((denied.status, denied.xml("Code")), (403, Some("UnauthorizedOperation")));
    assert!(denied.body.starts_with("<Response><Errors><Error><Code>"));
}

fn server_regions() -> usize {
    Account::rich().regions.len()
}

#[test]
fn trails_are_listed_in_every_region_and_say_that_insights_are_off() {
    let (_server, mut client) = serve(Account::rich());
    client.region = "eu-west-1";
    let trails = client.cloudtrail("ListTrails", "{}").json();
    assert_eq!(trails["Trails"].as_array().unwrap().len(), 3);
    let name = "{\"Name\":\"arn:aws:cloudtrail:us-east-1:111122223333:trail/management-events\"}";
    let trail = client.cloudtrail("GetTrail", name).json();
    let described = client.cloudtrail("DescribeTrails", "{}").json();
    let named = |t: &&serde_json::Value| t["Name"] == "management-events";
    assert_eq!(Some(&trail["Trail"]), described["trailList"].as_array().unwrap().iter().find(named));
    let insights = client.cloudtrail("GetInsightSelectors", &name.replace("Name", "TrailName")).json();
    assert_eq!(insights["__type"], "InsightNotEnabledException");
}

#[test]
fn the_operations_page_names_what_is_answered() {
    let (_server, client) = serve(Account::clean());
    let claimed = client.send("iam", "/_synthetic/operations", None, "").json();
    let services: Vec<&str> = claimed.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(services, ["account", "cloudtrail", "config", "ec2", "iam", "sts"]);
    assert!(claimed["iam"].as_array().unwrap().len() > 40, "{claimed:#}");
    // Each is answered, or refused for a parameter that is missing; none is unknown.
    for operation in claimed["iam"].as_array().unwrap() {
        let reply = client.iam(operation.as_str().unwrap(), "");
        assert_ne!(reply.xml("Code"), Some("InvalidAction"), "{operation}");
    }
}
