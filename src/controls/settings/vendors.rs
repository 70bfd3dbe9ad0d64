//! The part of `auditpack.toml` that says what AWS cannot tell: the owner's other accounts, and the vendors.

use super::super::node::{Fields, Node, Reader};
use crate::evidence::identity::is_account_id;
use crate::resource::{Profile, Vendor};

const KEYS: [&str; 10] = [
    "name",
    "accounts",
    "roles",
    "users",
    "admin_roles",
    "read_only_roles",
    "tag_scoped_roles",
    "max_session",
    "mfa",
    "mfa_max_age",
];

/// STS gives no longer session (<https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>).
const LONGEST_SESSION: i64 = 43_200;
/// The longest session of a user with MFA, at whose end the sign-in is at its oldest
/// (<https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html>).
const OLDEST_MFA: i64 = 129_600;

pub(super) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Profile {
    let own_accounts = accounts(reader, fields, "own_accounts");
    let mut vendors: Vec<Vendor> = Vec::new();
    for node in reader.items(fields, "vendors") {
        let Some(vendor) = vendor(reader, node) else { continue };
        if vendors.iter().any(|other| other.name == vendor.name) {
            reader.error(&node.span, format!("there are two vendors `{}`", vendor.name));
        } else if let Some(account) = vendor.accounts.iter().find(|account| own_accounts.contains(account)) {
            reader.error(&node.span, format!("account {account} is a vendor's and stands in `own_accounts`, too"));
        }
        vendors.push(vendor);
    }
    vendors.sort_by(|a, b| a.name.cmp(&b.name));
    Profile { own_accounts, vendors, scps: None }
}

fn vendor(reader: &mut Reader, node: &Node) -> Option<Vendor> {
    let fields = reader.fields(node, "a vendor", &KEYS)?;
    let name = reader.required_text(&fields, "name");
    let accounts = accounts(reader, &fields, "accounts");
    let mut names = |key| -> Vec<String> { reader.texts(&fields, key).into_iter().map(|(text, _)| text).collect() };
    let (roles, users) = (names("roles"), names("users"));
    let (admin_roles, read_only_roles) = (names("admin_roles"), names("read_only_roles"));
    let tag_scoped_roles = names("tag_scoped_roles");
    if accounts.is_empty() && roles.is_empty() {
        let help = "by `accounts`, the ids of its AWS accounts, or by `roles`, names in which `*` stands for anything";
        reader.error_with_help(&node.span, "nothing tells which roles are the vendor's", Some(help.to_owned()));
    }
    let max_session = length(reader, &fields, "max_session", LONGEST_SESSION).unwrap_or(Vendor::MAX_SESSION_SECONDS);
    let mfa_max_age = length(reader, &fields, "mfa_max_age", OLDEST_MFA).unwrap_or(Vendor::MFA_MAX_AGE_SECONDS);
    Some(Vendor {
        name: name?,
        accounts,
        roles,
        users,
        admin_roles,
        read_only_roles,
        tag_scoped_roles,
        max_session_seconds: max_session,
        mfa: fields.get("mfa").and_then(|node| reader.bool(node)).unwrap_or(true),
        mfa_max_age_seconds: mfa_max_age,
    })
}

fn accounts(reader: &mut Reader, fields: &Fields<'_>, key: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for (id, span) in reader.texts(fields, key) {
        if !is_account_id(&id) {
            let help = Some("twelve digits in quotes, such as `\"111122223333\"`".to_owned());
            reader.error_with_help(&span, format!("`{id}` is not an account id"), help);
        }
        ids.push(id);
    }
    ids
}

/// A length of time such as `4h`, `90m` or `3600s`, in seconds.
fn length(reader: &mut Reader, fields: &Fields<'_>, key: &str, longest: i64) -> Option<i64> {
    let node = fields.get(key)?;
    let text = reader.text(node)?;
    let seconds = [("h", 3600), ("m", 60), ("s", 1)]
        .iter()
        .find_map(|(unit, seconds)| text.strip_suffix(unit)?.parse::<i64>().ok()?.checked_mul(*seconds));
    match seconds {
        Some(seconds) if (1..=longest).contains(&seconds) => Some(seconds),
        _ => {
            let help = Some(format!("such as `4h` or `30m`, at most {} hours", longest / 3600));
            reader.error_with_help(&node.span, format!("`{text}` is no length of time for `{key}`"), help);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;

    const VENDOR: &str = r#"
own_accounts = ["222233334444"]

[[vendors]]
name = "continuous.engineering"
accounts = ["999988887777"]
roles = ["CE-*"]
admin_roles = ["CE-Admin"]
max_session = "4h"
mfa_max_age = "3600s"
"#;

    #[test]
    fn a_vendor_and_its_terms_are_read() {
        let profile = Settings::parse("a.toml", VENDOR).unwrap().profile;
        assert_eq!(profile.own_accounts, ["222233334444"]);
        let vendor = profile.vendor_of_account("999988887777").unwrap();
        assert_eq!((vendor.name.as_str(), vendor.max_session_seconds), ("continuous.engineering", 14_400));
        assert!(vendor.mfa && vendor.expects("CE-Admin") && !vendor.expects("Admin"));
        assert_eq!(profile.vendor_of_account("222233334444"), None);
    }

    #[test]
    fn what_is_wrong_with_a_vendor_is_told_with_its_place() {
        let text = VENDOR
            .replace("222233334444", "22223333444")
            .replace("\"4h\"", "\"13h\"")
            .replace("\"3600s\"", "\"soon\"")
            .replace("admin_roles", "admin_role");
        let text = format!("{text}\n[[vendors]]\nname = \"x\"\nmfa = 1\n");
        let error = Settings::parse("a.toml", &text).unwrap_err().to_string();
        for part in [
            "a.toml:2:17",
            "`22223333444` is not an account id",
            "`13h` is no length of time for `max_session`",
            "`soon` is no length of time",
            "did you mean `admin_roles`?",
            "nothing tells which roles are the vendor's",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        let twice = format!("{VENDOR}\n{}", VENDOR.replace("own_accounts = [\"222233334444\"]", ""));
        let error = Settings::parse("a.toml", &twice).unwrap_err().to_string();
        assert!(error.contains("there are two vendors `continuous.engineering`"), "{error}");
        let own = VENDOR.replace("222233334444", "999988887777");
        assert!(Settings::parse("a.toml", &own).unwrap_err().to_string().contains("stands in `own_accounts`, too"));
    }
}
