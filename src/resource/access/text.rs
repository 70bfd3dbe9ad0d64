//! The text of a statement, as its author wrote it, so that a reader need not take our word for what it says.

use crate::evidence::Evidence;
use crate::evidence::iam::{GetPolicyVersion, GroupDetail, InlinePolicy};
use crate::evidence::policy_text::PolicyText;
use crate::evidence::{CallId, Operation};
use crate::iam::decision::StatementRef;
use serde_json::Value;
use serde_json::value::RawValue;

/// The JSON of a statement of a principal's policies, as it was written. `None` if it is not in the evidence, which
/// is so for AWS's own AdministratorAccess in some sources.
pub fn statement_text(evidence: &Evidence, principal: &str, statement: &StatementRef) -> Option<String> {
    let document = document(evidence, principal, statement)?;
    nth(document.as_str(), statement.index)
}

fn document<'a>(evidence: &'a Evidence, principal: &str, statement: &StatementRef) -> Option<&'a PolicyText> {
    let details = super::details(evidence)?;
    if statement.policy.starts_with("arn:") {
        let arn = statement.policy.as_str();
        let told = details.policies.iter().find(|policy| policy.arn.as_deref() == Some(arn));
        let version = told.and_then(|policy| policy.default_version()).and_then(|version| version.document.as_ref());
        return version.or_else(|| {
            let call = CallId::global(Operation::IamGetPolicyVersion).about(arn);
            evidence.get::<GetPolicyVersion>(&call).arrived()?.policy_version.document.as_ref()
        });
    }
    let group = |wanted: &dyn Fn(&GroupDetail) -> bool| details.group_detail_list.iter().find(|group| wanted(group));
    let inline: &[InlinePolicy] = if let Some(name) = &statement.via_group {
        &group(&|group| group.group_name.as_ref() == Some(name))?.group_policy_list
    } else if let Some(user) = details.user_detail_list.iter().find(|user| user.arn.as_deref() == Some(principal)) {
        &user.user_policy_list
    } else if let Some(role) = details.role_detail_list.iter().find(|role| role.arn.as_deref() == Some(principal)) {
        &role.role_policy_list
    } else {
        &group(&|group| group.arn.as_deref() == Some(principal))?.group_policy_list
    };
    let policy = inline.iter().find(|policy| policy.policy_name.as_ref() == Some(&statement.policy));
    policy?.policy_document.as_ref()
}

/// The nth statement of a document; one that stands alone is the first.
pub(super) fn nth(document: &str, index: usize) -> Option<String> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Document<'a> {
        #[serde(borrow)]
        statement: &'a RawValue,
    }
    let document: Document<'_> = serde_json::from_str(document).ok()?;
    let raw = document.statement.get();
    let text = if raw.starts_with('[') {
        let statements: Vec<&RawValue> = serde_json::from_str(raw).ok()?;
        statements.get(index)?.get()
    } else {
        (index == 0).then_some(raw)?
    };
    // On one line, with the members in the author's order: only the space between is ours.
    Some(compact(text))
}

/// Takes the space between tokens out, and nothing within texts.
fn compact(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut in_text, mut escaped) = (false, false);
    for c in json.chars() {
        if in_text {
            out.push(c);
            match (escaped, c) {
                (true, _) => escaped = false,
                (false, '\\') => escaped = true,
                (false, '"') => in_text = false,
                _ => {}
            }
        } else if c == '"' {
            in_text = true;
            out.push(c);
        } else if !c.is_whitespace() {
            out.push(c);
            if matches!(c, ',' | ':') {
                out.push(' ');
            }
        }
    }
    out
}

/// The text of a trust policy's statement.
pub fn trust_statement_text(evidence: &Evidence, role: &str, index: usize) -> Option<String> {
    let details = super::details(evidence)?;
    let role = details.role_detail_list.iter().find(|detail| detail.arn.as_deref() == Some(role))?;
    nth(role.assume_role_policy_document.as_ref()?.as_str(), index)
}

/// Whether a trust policy has its statements in a list, or one that stands alone.
pub(crate) fn has_statement_list(document: &str) -> bool {
    serde_json::from_str::<Value>(document).is_ok_and(|document| document["Statement"].is_array())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_shown_as_it_was_written() {
        let document = r#"{"Statement": [{"Sid": "a"}, {"Sid":  "b \" , : {", "Effect" :"Deny"}]}"#;
        assert_eq!(nth(document, 1).unwrap(), r#"{"Sid": "b \" , : {", "Effect": "Deny"}"#);
        assert_eq!(nth(document, 2), None);
        assert_eq!(nth(r#"{"Statement": {"Sid": "a"}}"#, 0).unwrap(), r#"{"Sid": "a"}"#);
        assert_eq!(nth("[", 0), None);
    }
}
