//! Analyses accounts of 1,000 to 10,000 roles, with half as many users, on one core.
//!
//! `cargo bench --manifest-path benches/engine/Cargo.toml`, which builds the engine alone. The times are the processor's, of the one thread, where Linux tells them
//! (`/proc/thread-self/schedstat`), and the clock's elsewhere, so that a busy machine does not matter. Each role and user has several statements; every tenth has a policy of
//! about 6 KB, a third share managed policies, some may assume or pass roles, one in fifty is an administrator.

use std::fmt::Write as _;
use std::time::Instant;

use auditpack::iam::analysis::{Account, Library};
use auditpack::iam::principal::{Kind, PolicySource, Principal};

const ACCOUNT: &str = "111122223333";

fn main() {
    println!(" roles   users  text MB  read ms  admin ms  analyse ms  total ms");
    for roles in [1_000, 2_000, 5_000, 10_000] {
        measure(roles);
    }
}

fn measure(roles: usize) {
    let texts = Texts::new(roles);
    let clock = Clock::start();
    let account = texts.account();
    let read = clock.millis();
    let administrators = account.administrators();
    let admin = clock.millis() - read;
    // Once more with everything else: trust, log tampering, MFA, the outsiders.
    let analysis = account.analyse();
    let analyse = clock.millis() - read - admin;
    println!(
        "{roles:>6}  {:>6}  {:>7.1}  {read:>7}  {admin:>8}  {analyse:>10}  {:>8}",
        roles / 2,
        texts.size() as f64 / 1e6,
        read + analyse,
    );
    assert_eq!(analysis.principals.len(), roles + roles / 2 + 10);
    assert_eq!(administrators.len(), analysis.principals.len());
}

/// The time that this thread has been running.
struct Clock(u128, Instant);

impl Clock {
    fn start() -> Self {
        Self(Self::cpu(), Instant::now())
    }

    fn millis(&self) -> u128 {
        match Self::cpu() {
            0 => self.1.elapsed().as_millis(),
            now => (now - self.0) / 1_000_000,
        }
    }

    /// In nanoseconds; 0 where it is not told.
    fn cpu() -> u128 {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0)
    }
}

/// The documents as AWS hands them over.
struct Texts {
    managed: Vec<(String, String)>,
    /// Inline policy and trust policy.
    roles: Vec<(String, String)>,
    users: Vec<String>,
}

impl Texts {
    fn new(roles: usize) -> Self {
        Self {
            managed: (0..300)
                .map(|index| (format!("arn:aws:iam::{ACCOUNT}:policy/shared-{index}"), shared(index)))
                .collect(),
            roles: (0..roles).map(|index| (inline(index, roles), trust(index))).collect(),
            users: (0..roles / 2).map(|index| inline(index + 7, roles)).collect(),
        }
    }

    fn size(&self) -> usize {
        let managed = self.managed.iter().map(|(_, text)| text.len());
        let roles = self.roles.iter().map(|(a, b)| a.len() + b.len());
        let users = self.users.iter().map(String::len);
        managed.chain(roles).chain(users).sum()
    }

    fn account(&self) -> Account {
        let mut library = Library::new();
        for (arn, text) in &self.managed {
            library.add_managed(arn, text);
        }
        let mut account = Account { id: ACCOUNT.into(), complete: true, ..Account::default() };
        let mut groups = Vec::new();
        for index in 0..10 {
            let arn = format!("arn:aws:iam::{ACCOUNT}:group/team-{index}");
            let mut group = Principal::new(Kind::Group, &arn, ACCOUNT);
            for number in 0..3 {
                group = group.with(library.managed(&self.managed[index * 3 + number].0));
            }
            group = group.with(library.inline("mfa", MFA));
            groups.push(group);
        }
        for (index, (policy, trust)) in self.roles.iter().enumerate() {
            let arn = format!("arn:aws:iam::{ACCOUNT}:role/app-{index}");
            let mut role = Principal::new(Kind::Role, &arn, ACCOUNT)
                .with(library.inline("inline", policy))
                .with(library.managed(&self.managed[index % 300].0));
            if index.is_multiple_of(50) {
                role = role.with(PolicySource::missing("arn:aws:iam::aws:policy/AdministratorAccess"));
            }
            account.principals.push(role);
            account.trusts.push((arn, library.read(trust)));
        }
        for (index, policy) in self.users.iter().enumerate() {
            let group = &groups[index % 10];
            let arn = format!("arn:aws:iam::{ACCOUNT}:user/person-{index}");
            let mut user = Principal::new(Kind::User, &arn, ACCOUNT).with(library.inline("inline", policy));
            user.policies.extend(group.policies.iter().map(|p| p.clone().via(&group.arn)));
            user.groups.push(group.arn.clone());
            account.principals.push(user);
        }
        account.principals.extend(groups);
        account
    }
}

const MFA: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"DenyAllExceptMFASetup","Effect":"Deny",
  "NotAction":["iam:CreateVirtualMFADevice","iam:EnableMFADevice","iam:GetUser","iam:ListMFADevices",
  "iam:ListVirtualMFADevices","iam:ResyncMFADevice","sts:GetSessionToken"],"Resource":"*",
  "Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]}"#;

const SERVICES: [&str; 12] =
    ["s3", "dynamodb", "sqs", "sns", "lambda", "ec2", "logs", "kms", "rds", "ecs", "glue", "states"];

fn shared(index: usize) -> String {
    let mut statements = String::new();
    for number in 0..6 {
        let service = SERVICES[(index + number) % SERVICES.len()];
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(
            statements,
            r#"{comma}{{"Effect":"Allow","Action":["{service}:Get*","{service}:List*","{service}:Describe*","{service}:Put{number}"],
            "Resource":["arn:aws:{service}:*:{ACCOUNT}:team-{index}/*","arn:aws:{service}:*:{ACCOUNT}:common-{number}"]}}"#
        );
    }
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

fn inline(index: usize, roles: usize) -> String {
    let next = (index * 7919 + 13) % roles;
    let mut statements = format!(
        r#"{{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::bucket-{index}/*"}},
        {{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::{ACCOUNT}:role/app-{next}"}},
        {{"Effect":"Allow","Action":"dynamodb:*","Resource":"arn:aws:dynamodb:*:{ACCOUNT}:table/t-{index}",
          "Condition":{{"StringEquals":{{"aws:ResourceTag/app":"app-{index}"}}}}}},
        {{"Effect":"Deny","Action":"s3:DeleteBucket","Resource":"*"}}"#
    );
    if index.is_multiple_of(5) {
        let _ = write!(
            statements,
            r#",{{"Effect":"Allow","Action":["iam:PassRole"],"Resource":"arn:aws:iam::{ACCOUNT}:role/app-{next}*"}},
            {{"Effect":"Allow","Action":["lambda:CreateFunction","lambda:InvokeFunction"],"Resource":"*"}}"#
        );
    }
    if index % 25 == 3 {
        let _ = write!(
            statements,
            r#",{{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::{ACCOUNT}:role/app-{}*"}}"#,
            next % 97
        );
    }
    if index % 10 == 9 {
        for number in 0..24 {
            let service = SERVICES[number % SERVICES.len()];
            let _ = write!(
                statements,
                r#",{{"Sid":"Part{number}","Effect":"Allow","Action":["{service}:GetThing{number}","{service}:Put*","{service}:UpdateThing"],
                "Resource":["arn:aws:{service}:eu-west-1:{ACCOUNT}:thing/{index}-{number}/*","arn:aws:{service}:eu-central-1:{ACCOUNT}:*"]}}"#
            );
        }
    }
    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
}

fn trust(index: usize) -> String {
    let principal = match index % 5 {
        0 => r#"{"Service":"lambda.amazonaws.com"}"#.to_owned(),
        1 => format!(r#"{{"AWS":"arn:aws:iam::{ACCOUNT}:root"}}"#),
        2 => format!(r#"{{"AWS":"arn:aws:iam::{ACCOUNT}:role/app-{}"}}"#, index / 2),
        3 => r#"{"Service":"ec2.amazonaws.com"}"#.to_owned(),
        _ => {
            return format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",
            "Principal":{{"AWS":"arn:aws:iam::{:012}:root"}},"Action":"sts:AssumeRole",
            "Condition":{{"StringEquals":{{"sts:ExternalId":"ext-{}"}},"Bool":{{"aws:MultiFactorAuthPresent":"true"}}}}}}]}}"#,
                900_000_000_000_u64 + index as u64 % 40,
                index % 60
            );
        }
    };
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"}}]}}"#
    )
}
