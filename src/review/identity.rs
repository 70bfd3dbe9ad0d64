//! Whether two names can be those of one person.

/// A name without case, space and punctuation: `Ann Lee`, `ann.lee` and `ANN_LEE` are one.
fn bare(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The words of a name, without case.
fn words(name: &str) -> Vec<String> {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word.chars().flat_map(char::to_lowercase).collect()).collect()
}

/// The ways in which a name can be written: whole, without the domain of an address, without what comes before it in
/// an ARN or a domain account; also the address in `Ann Lee <ann@example.com>`, and what stands around brackets.
fn spellings(name: &str) -> Vec<String> {
    let mut all = vec![name.to_owned()];
    all.extend(name.split(['<', '>', '(', ')', '[', ']', '"']).map(|part| part.trim().to_owned()));
    let parts: Vec<String> = all
        .iter()
        .flat_map(|name| {
            let last = name.rsplit(['/', '\\', ':']).next().unwrap_or(name);
            [last.to_owned(), last.split_once('@').map_or(last, |(local, _)| local).to_owned()]
        })
        .collect();
    all.extend(parts);
    all.retain(|name| !bare(name).is_empty());
    all.sort();
    all.dedup();
    all
}

/// Whether two spellings are of one name: the same letters, or the same words in another order (`Lee, Ann`), or with
/// initials and titles between them (`Dr. Ann M. Lee`).
fn alike(reviewer: &str, person: &str) -> bool {
    if bare(reviewer) == bare(person) {
        return true;
    }
    let (mut more, wanted) = (words(reviewer), words(person));
    if wanted.len() < 2 {
        return false;
    }
    for word in &wanted {
        let Some(at) = more.iter().position(|other| other == word) else { return false };
        more.remove(at);
    }
    /// Longer words are names, and make another name of it: Lee-Ann Smith is not Ann Lee.
    const LONGEST_TITLE: usize = 4;
    more.iter().all(|word| word.chars().count() <= LONGEST_TITLE)
}

/// Whether a reviewer can be the person that a row is about.
pub fn is_same(reviewer: &str, people: &[String]) -> bool {
    // Two names in one cell are two reviewers, neither of whom may be the person.
    let mut names = spellings(reviewer);
    names.extend(reviewer.split([',', ';', '&', '+', '/', '|', '\n']).flat_map(spellings));
    names.extend(reviewer.split(" and ").flat_map(spellings));
    let persons: Vec<String> = people.iter().flat_map(|person| spellings(person)).collect();
    names.iter().any(|name| persons.iter().any(|person| alike(name, person)))
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
            "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Admin_0123456789abcdef/Ann.Lee@example.com",
            "Lee, Ann",
            "Dr. Ann M. Lee",
            "Ann Lee (CTO)",
            "mailto:ann.lee@example.com",
            "bob/ann.lee",
            "Bob and Ann Lee",
            "ann\u{200b}.lee",
        ] {
            assert!(is_same(reviewer, &people), "{reviewer}");
        }
        for reviewer in ["bob", "ann", "lee", "", "ann.leeson@example.com", "Lee-Ann Smith", "staff", "Andy Lee"] {
            assert!(!is_same(reviewer, &people), "{reviewer}");
        }
        assert!(!is_same("…", &["…".to_owned()]), "no letters are no name");
    }
}
