//! The users and groups of the rich account.
//!
//! User names may hold `[\w+=,.@-]` (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html>),
//! so commas and leading `=`, `+`, `-` and `@` are real.

use serde_json::json;

use super::super::aws_managed::arn as managed;
use super::super::build::{Maker, document, local};
use crate::account::iam::{Group, User};

/// A user who signs in: password changed and last used (days ago), with MFA or not.
struct Person(&'static str, i64, &'static [&'static str], i64, Option<i64>, bool);

/// Name, age, groups, password changed, last sign-in, MFA.
const PEOPLE: [Person; 31] = [
    Person("alice.adams", 1900, &["admins", "require-mfa"], 45, Some(1), true),
    // similar names: one person, one leftover, one namesake
    Person("alice.adams1", 1400, &["developers"], 700, Some(690), false),
    Person("alice_adams", 90, &["support"], 30, Some(2), true),
    Person("bob.baker", 1500, &["power-users", "iam-operators"], 30, Some(3), true),
    Person("carl.cruz", 800, &["developers"], 70, Some(5), true),
    Person("dana.dietrich", 420, &["developers"], 20, Some(1), false),
    Person("erik.eriksson", 1100, &["developers"], 210, Some(120), false),
    Person("fatima.fahmi", 640, &["data"], 60, Some(1), true),
    Person("george.garcia", 655, &["data"], 66, Some(4), true),
    Person("hana.hoshi", 980, &["sre", "require-mfa"], 12, Some(0), true),
    Person("ivan.ivanov", 720, &["sre", "require-mfa"], 80, Some(6), true),
    Person("julia.jensen", 500, &["sre"], 33, Some(8), true),
    // no_information: has a password, never signed in
    Person("kofi.kamara", 150, &["finance"], 150, None, false),
    Person("li.lei", 10, &["finance"], 10, None, false),
    Person("maria.moreno", 300, &["support"], 25, Some(1), true),
    Person("nils.nielsen", 1300, &["support"], 400, Some(2), true),
    Person("olga.orlova", 900, &["security", "require-mfa"], 15, Some(0), true),
    Person("peter.popov", 1250, &["developers"], 500, Some(310), true),
    Person("rosa.ruiz", 1000, &["admins"], 88, Some(2), false),
    Person("sven.svensson", 1600, &["data"], 40, Some(11), true),
    Person("tara.tan", 380, &["developers"], 50, Some(3), true),
    Person("uma.usman", 200, &["power-users", "require-mfa"], 41, Some(1), true),
    // 89 and 91 days since the last sign-in: the two sides of the threshold
    Person("victor.vance", 600, &["developers"], 89, Some(89), true),
    Person("wanda.weiss", 600, &["developers"], 91, Some(91), true),
    // names that break naive parsers and spreadsheets
    Person("lee,ann", 350, &["support"], 28, Some(7), true),
    Person("=1+1", 240, &["contractors"], 31, Some(14), false),
    Person("+15550100", 230, &["contractors"], 35, Some(30), true),
    Person("-dash.first", 220, &["contractors"], 36, Some(22), true),
    Person("@oncall", 210, &["sre"], 10, Some(1), true),
    Person("o=neil+ops@example.com", 190, &["sre"], 9, Some(2), true),
    Person(
        "yuki.yamada-contractor-for-the-data-platform-migration-2025-2026",
        180,
        &["contractors", "data"],
        55,
        Some(13),
        true,
    ),
];

pub(super) fn users(make: Maker) -> Vec<User> {
    let mut users: Vec<User> = PEOPLE
        .iter()
        .map(|Person(name, age, groups, changed, used, mfa)| {
            let user = make.user("/people/", name, *age).groups(groups).password(make, *changed, *used);
            let user = if *mfa { user.mfa() } else { user };
            details(make, user)
        })
        .collect();
    users.extend(machines(make));
    users.extend(oddities(make));
    users
}

/// What else the people have: keys, policies of their own, tags.
fn details(make: Maker, user: User) -> User {
    let everything = document(&json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Temporary", "Effect": "Allow", "Action": "*", "Resource": "*"}]}));
    let us = "us-east-1";
    match user.name.as_str() {
        "alice.adams" => user
            .key(make, 1, true, 60, Some((2, us, "sts")))
            .tag("Owner", "Alice Adams, \"platform\" lead")
            .tag("cost-center", "cc-1001"),
        "alice_adams" => user.tag("Owner", "Álice Ádams (サポート)"),
        "carl.cruz" => user.attach(local("pass-any-role")).attach(local("lambda-authors")),
        "dana.dietrich" => user.tag("note", "=HYPERLINK(\"http://example.com\",\"MFA waiver\")"),
        "erik.eriksson" => user.key(make, 1, true, 210, Some((118, "eu-west-1", "s3"))),
        "fatima.fahmi" => user.key(make, 1, true, 95, Some((1, us, "athena"))),
        "george.garcia" => user.key(make, 1, true, 89, Some((1, us, "athena"))),
        "hana.hoshi" => user
            .key(make, 1, true, 70, Some((0, us, "eks")))
            .key(make, 2, true, 12, Some((0, "eu-west-1", "ec2"))),
        "ivan.ivanov" => user
            .key(make, 1, false, 400, Some((398, us, "ec2")))
            .key(make, 2, true, 20, Some((1, us, "ec2"))),
        "julia.jensen" => user.key(make, 1, true, 130, None),
        "maria.moreno" => user
            .boundary(local("boundary-support"))
            .inline("reset-passwords", document(&json!({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": ["iam:UpdateLoginProfile", "iam:CreateLoginProfile"], "Resource": "arn:aws:iam::111122223333:user/people/*"}]}))),
        "peter.popov" => user.key(make, 1, true, 500, Some((312, us, "codecommit"))),
        "sven.svensson" => user.certificate(make, true, 1590),
        "tara.tan" => user.inline("TemporaryAdmin", everything),
        "@oncall" => user.key(make, 1, true, 5, Some((0, "N/A", "iam"))),
        _ => user,
    }
}

fn machines(make: Maker) -> Vec<User> {
    let user = |name: &str, age: i64| make.user("/machines/", name, age).tag("kind", "machine");
    let (us, eu) = ("us-east-1", "eu-west-1");
    vec![
        user("svc-jenkins", 1700).groups(&["ci-admins"]).key(make, 1, true, 900, Some((0, us, "sts"))),
        user("svc-terraform", 700).groups(&["ci-admins"]).key(make, 1, true, 45, Some((0, us, "iam"))).key(
            make,
            2,
            false,
            135,
            Some((46, us, "iam")),
        ),
        user("svc-backup", 620).groups(&["data"]).key(make, 1, true, 40, Some((0, us, "s3"))),
        // one letter away from the one above, never used
        user("svc-back-up", 610).groups(&["data"]).key(make, 1, true, 610, None),
        user("svc-mailer", 1200)
            .inline(
                "send",
                document(&json!({"Version": "2012-10-17", "Statement": {
                "Effect": "Allow", "Action": "ses:SendRawEmail", "Resource": "*"}})),
            )
            .key(make, 1, true, 200, Some((0, us, "ses"))),
        user("svc-etl-nightly", 400).attach(local("data-lake-write")).key(make, 1, true, 30, Some((0, eu, "s3"))),
        user("svc-monitoring", 800).attach(managed("CloudWatchReadOnlyAccess")).key(
            make,
            1,
            true,
            75,
            Some((0, us, "monitoring")),
        ),
        user("svc-legacy-sftp", 2300)
            .attach(managed("AdministratorAccess"))
            .key(make, 1, true, 2290, Some((260, us, "transfer")))
            .key(make, 2, true, 1100, None),
        // credentials that the report does not show
        user("svc-bedrock", 60),
        user("svc-codecommit", 900),
        user("svc-report-export", 500).attach(local("reporting-access")).key(
            make,
            1,
            false,
            480,
            Some((460, us, "s3")),
        ),
        user("svc-inactive", 650).key(make, 1, false, 640, None).key(make, 2, false, 600, Some((590, eu, "sqs"))),
    ]
}

fn oddities(make: Maker) -> Vec<User> {
    let mut starter = make.user("/people/", "new.starter", 0).groups(&["developers"]);
    // after the credential report: in authorization details and in the summary only
    starter.created = make.now - chrono::TimeDelta::seconds(75);
    vec![
        // no credentials of any kind
        make.user("/people/", "quinn.quade", 77).groups(&["finance"]),
        // the vendor's own user, although the vendor says that it needs none
        make.user("/vendors/", "vendor-ce-support", 130)
            .tag("vendor", "continuous-engineering")
            .attach(managed("ReadOnlyAccess"))
            .key(make, 1, true, 130, Some((19, "us-east-1", "ec2"))),
        // paths may hold any printable ASCII
        make.user("/teams,finance/\"quoted\"/=x/", "zoe.zimmer", 45)
            .groups(&["finance"])
            .password(make, 44, Some(3))
            .mfa(),
        starter,
    ]
}

pub(super) fn groups(make: Maker) -> Vec<Group> {
    let admin = document(&json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]}));
    vec![
        make.group("admins", 2000, &[managed("AdministratorAccess")]),
        make.group("ci-admins", 1700, &[]).inline("deploy-anything", admin),
        // no members
        make.group("contractors-2023", 1100, &[managed("PowerUserAccess")]),
        make.group("contractors", 400, &[local("developer-read")]),
        make.group("data", 1500, &[local("data-lake-read"), managed("ReadOnlyAccess")]),
        make.group(
            "developers",
            1900,
            &[managed("ReadOnlyAccess"), local("developers-not-prod"), managed("IAMUserChangePassword")],
        ),
        make.group("finance", 1500, &[managed("Billing"), local("enforce-mfa-broken")]),
        make.group("iam-operators", 900, &[local("iam-operators")]),
        make.group("power-users", 1500, &[local("everything-but-iam")]),
        make.group("require-mfa", 700, &[local("enforce-mfa")]),
        make.group("security", 1500, &[managed("SecurityAudit")]),
        make.group("sre", 1500, &[managed("PowerUserAccess")]),
        make.group("support", 1300, &[managed("ReadOnlyAccess")]),
    ]
}
