//! Which principal a user means.

use crate::commands::CommandError;
use crate::iam::principal::Kind;
use crate::resource::Access;
use crate::resource::access::Analysed;

/// How many names are suggested.
const SUGGESTED: usize = 5;

/// The principal with an ARN, a name, or a kind and a name (`role/CE-Admin`).
pub(super) fn principal<'a>(access: &'a Access, wanted: &str) -> Result<Analysed<'a>, CommandError> {
    if access.principals().next().is_none() {
        let why = match access.incomplete() {
            Some(gap) => format!("{}: {}", gap.call, gap.reason),
            None => "the account has none".to_owned(),
        };
        return Err(CommandError {
            exit: crate::commands::Exit::Incomplete,
            message: format!("no users, roles and groups are known: {why}"),
        });
    }
    if let Some(found) = access.principal(wanted) {
        return Ok(found);
    }
    let named: Vec<Analysed<'a>> = access.principals().filter(|one| is_meant(one, wanted)).collect();
    match named.as_slice() {
        [one] => Ok(*one),
        [] => Err(CommandError::usage(unknown(access, wanted))),
        several => {
            let arns: Vec<&str> = several.iter().map(|one| one.principal.arn.as_str()).collect();
            Err(CommandError::usage(format!("`{wanted}` is several: {}; name one by its ARN", arns.join(", "))))
        }
    }
}

fn is_meant(one: &Analysed<'_>, wanted: &str) -> bool {
    let name = one.principal.name();
    let (kind, rest) = wanted.split_once('/').unwrap_or(("", wanted));
    name == wanted || rest.rsplit('/').next() == Some(name) && kind == word(one.principal.kind)
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::User => "user",
        Kind::Role => "role",
        Kind::Group => "group",
    }
}

fn unknown(access: &Access, wanted: &str) -> String {
    let name = wanted.rsplit('/').next().unwrap_or(wanted).to_lowercase();
    let mut near: Vec<(usize, &str)> = access
        .principals()
        .map(|one| {
            let other = one.principal.name().to_lowercase();
            let part = !name.is_empty() && (other.contains(&name) || name.contains(&other));
            (if part { 0 } else { distance(&name, &other) }, one.principal.arn.as_str())
        })
        .filter(|(far, _)| *far <= name.chars().count().max(3) / 3)
        .collect();
    near.sort_unstable();
    let gap = match access.incomplete() {
        Some(gap) => format!(" ({}: {}: there may be more than were collected)", gap.call, gap.reason),
        None => String::new(),
    };
    let help = match near.as_slice() {
        [] => "populations/users.csv, roles.csv and groups.csv of the package list them".to_owned(),
        near => {
            let near: Vec<&str> = near.iter().take(SUGGESTED).map(|(_, arn)| *arn).collect();
            format!("did you mean {}?", near.join(", "))
        }
    };
    format!("there is no user, role or group `{wanted}`{gap}; {help}")
}

/// How many characters must be put in, taken out or replaced.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut last = i + 1;
        let mut next = vec![last];
        for (j, y) in b.iter().enumerate() {
            let replaced = row.get(j).copied().unwrap_or(usize::MAX - 1) + usize::from(x != *y);
            let removed = row.get(j + 1).copied().unwrap_or(usize::MAX - 1) + 1;
            last = replaced.min(removed).min(last + 1);
            next.push(last);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_edits() {
        for (a, b, far) in [("", "", 0), ("a", "", 1), ("ce-admn", "ce-admin", 1), ("abc", "axc", 1), ("abc", "cba", 2)]
        {
            assert_eq!(distance(a, b), far, "{a} {b}");
        }
    }
}
