//! Whether two names can be those of one person.

/// A name without case, space and punctuation: `Ann Lee`, `ann.lee` and `ANN_LEE` are one.
fn bare(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The ways in which a name can be written: whole, without the domain of an address, without what comes before it in
/// an ARN or a domain account; also the address in `Ann Lee <ann@example.com>`.
fn spellings(name: &str) -> Vec<String> {
    let mut all = vec![name.to_owned()];
    if let Some((before, rest)) = name.split_once('<') {
        all.push(before.to_owned());
        all.push(rest.trim_end_matches('>').trim().to_owned());
    }
    let parts: Vec<String> = all
        .iter()
        .flat_map(|name| {
            let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
            [last.to_owned(), last.split_once('@').map_or(last, |(local, _)| local).to_owned()]
        })
        .collect();
    all.extend(parts);
    let mut all: Vec<String> = all.iter().map(|name| bare(name)).filter(|name| !name.is_empty()).collect();
    all.sort();
    all.dedup();
    all
}

/// Whether a reviewer can be the person that a row is about.
pub fn is_same(reviewer: &str, people: &[String]) -> bool {
    // Two names in one cell are two reviewers, neither of whom may be the person.
    let mut names = spellings(reviewer);
    names.extend(reviewer.split([',', ';', '&', '+']).flat_map(spellings));
    people.iter().any(|person| spellings(person).iter().any(|name| names.contains(name)))
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn a_person_is_known_again_under_every_common_spelling() {
        let people = ["ann.lee".to_owned(), "arn:aws:iam::111122223333:user/staff/ann.lee".to_owned()];
        for reviewer in [
            "ann.lee",
            "Ann Lee",
            "ann.lee@example.com",
            "ANN_LEE",
            "EXAMPLE\\ann.lee",
            "Ann Lee <al@example.com>",
            "al <ann.lee@example.com>",
            "bob, ann.lee",
            "arn:aws:iam::111122223333:user/staff/ann.lee",
        ] {
            assert!(is_same(reviewer, &people), "{reviewer}");
        }
        for reviewer in ["bob", "ann", "lee", "", "ann.leeson@example.com"] {
            assert!(!is_same(reviewer, &people), "{reviewer}");
        }
        assert!(!is_same("…", &["…".to_owned()]), "no letters are no name");
    }
}
