//! Conditions: one [`Clause`] is one operator on one key with its values.
//!
//! Rules: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>
//! and <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html>.
//! Clauses are ANDed; the values of a positive operator are ORed, those of a negated one NORed. An absent
//! key makes a positive operator false, a negated one true, and anything with `IfExists` true.

mod value;

use std::collections::BTreeSet;

use super::context::{Context, Known};
use super::matching::{self, Wildcards};
use super::policy::{Pattern, Version};
use super::truth::Truth;
use value::{Net, number, time};

/// Keys that every request of a principal carries.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>
const ALWAYS_THERE: [&str; 7] = [
    "aws:currenttime",
    "aws:epochtime",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principaltype",
    "aws:securetransport",
    "aws:userid",
];

/// One condition of a statement.
#[derive(Clone, Debug)]
pub struct Clause {
    /// The condition key in lower case (key names are case-insensitive).
    pub(crate) key: Box<str>,
    /// The operator as written, with its set prefix and `IfExists`.
    pub(crate) operator: Operator,
    /// The values as written.
    pub(crate) written: Vec<String>,
    values: Values,
}

/// A condition operator, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    pub set: Set,
    pub test: Test,
    pub negated: bool,
    pub if_exists: bool,
}

/// How several values of the request count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    /// No prefix: the key has one value.
    Single,
    /// `ForAllValues:`, true when there is no value at all.
    All,
    /// `ForAnyValue:`
    Any,
}

/// What is compared, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    Equals,
    EqualsIgnoreCase,
    Like,
    Number(Order),
    Time(Order),
    Bool,
    Binary,
    Address,
    Arn,
    Null,
}

/// An order between the request's value and the policy's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The policy's values, read once.
#[derive(Clone, Debug)]
enum Values {
    Texts(Vec<Pattern>),
    Numbers(Vec<f64>),
    Times(Vec<i64>),
    Bools(Vec<bool>),
    Nets(Vec<Net>),
}

impl Operator {
    fn parse(text: &str) -> Option<Self> {
        let (set, rest) = if let Some(rest) = text.strip_prefix("ForAllValues:") {
            (Set::All, rest)
        } else if let Some(rest) = text.strip_prefix("ForAnyValue:") {
            (Set::Any, rest)
        } else {
            (Set::Single, text)
        };
        let (name, if_exists) = match rest.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (rest, false),
        };
        let (test, negated) = match name {
            "StringEquals" => (Test::Equals, false),
            "StringNotEquals" => (Test::Equals, true),
            "StringEqualsIgnoreCase" => (Test::EqualsIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (Test::EqualsIgnoreCase, true),
            "StringLike" => (Test::Like, false),
            "StringNotLike" => (Test::Like, true),
            "NumericEquals" => (Test::Number(Order::Equal), false),
            "NumericNotEquals" => (Test::Number(Order::Equal), true),
            "NumericLessThan" => (Test::Number(Order::Less), false),
            "NumericLessThanEquals" => (Test::Number(Order::LessOrEqual), false),
            "NumericGreaterThan" => (Test::Number(Order::Greater), false),
            "NumericGreaterThanEquals" => (Test::Number(Order::GreaterOrEqual), false),
            "DateEquals" => (Test::Time(Order::Equal), false),
            "DateNotEquals" => (Test::Time(Order::Equal), true),
            "DateLessThan" => (Test::Time(Order::Less), false),
            "DateLessThanEquals" => (Test::Time(Order::LessOrEqual), false),
            "DateGreaterThan" => (Test::Time(Order::Greater), false),
            "DateGreaterThanEquals" => (Test::Time(Order::GreaterOrEqual), false),
            "Bool" => (Test::Bool, false),
            "BinaryEquals" => (Test::Binary, false),
            "IpAddress" => (Test::Address, false),
            "NotIpAddress" => (Test::Address, true),
            // ArnEquals and ArnLike behave identically.
            "ArnEquals" | "ArnLike" => (Test::Arn, false),
            "ArnNotEquals" | "ArnNotLike" => (Test::Arn, true),
            // "You can add IfExists to the end of any condition operator except the Null condition",
            // and the set prefixes are for operators that compare.
            "Null" if !if_exists && set == Set::Single => (Test::Null, false),
            _ => return None,
        };
        Some(Self { set, test, negated, if_exists })
    }
}

impl Clause {
    /// Refuses an operator that is not one of IAM's.
    pub(crate) fn check_operator(operator: &str) -> Result<Operator, String> {
        Operator::parse(operator).ok_or_else(|| format!("unknown condition operator {operator:?}"))
    }

    pub(crate) fn new(operator: &str, key: &str, written: Vec<String>, version: Version) -> Result<Self, String> {
        let parsed = Self::check_operator(operator)?;
        let values = Values::read(parsed.test, &written, version)
            .map_err(|bad| format!("{bad:?} is not a value for {operator}"))?;
        Ok(Self { key: key.to_lowercase().into_boxed_str(), operator: parsed, written, values })
    }

    /// Does the condition hold?
    #[must_use]
    pub fn holds(&self, context: &Context) -> Truth {
        let known = context.get(&self.key);
        if known == Known::Unknown
            && let Some(always) = self.always()
        {
            return always.into();
        }
        if self.operator.test == Test::Null {
            let Values::Bools(wanted) = &self.values else {
                return Truth::Maybe;
            };
            return match known {
                Known::Unknown => Truth::Maybe,
                // A key without any value "is null", too.
                Known::Absent | Known::Present([]) => wanted.contains(&true).into(),
                Known::Present(_) => wanted.contains(&false).into(),
            };
        }
        let present = match known {
            Known::Unknown => return Truth::Maybe,
            Known::Present(values) => values,
            Known::Absent => return self.when_absent(),
        };
        if self.operator.set != Set::Single && present.iter().all(String::is_empty) {
            // "If the context key value resolves to a null dataset, such as an empty string": ForAllValues is true
            // of it, ForAnyValue is false.
            // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
            return (self.operator.set == Set::All).into();
        }
        let each = present.iter().map(|value| self.holds_for(value, context));
        match self.operator.set {
            Set::All => each.fold(Truth::True, Truth::and),
            Set::Any => each.fold(Truth::False, Truth::or),
            // One value is the rule. With several, AWS does not say what happens, so only
            // unanimity counts.
            Set::Single => match present {
                [] => self.when_absent(),
                _ => each.reduce(|a, b| if a == b { a } else { Truth::Maybe }).unwrap_or(Truth::Maybe),
            },
        }
    }

    /// What the clause says of every request, where it says the same of all: a star fits whatever the key's value is, and
    /// without a value IfExists and ForAllValues are true.
    fn always(&self) -> Option<bool> {
        let operator = self.operator;
        let anything = match &self.values {
            Values::Texts(patterns) => {
                matches!(operator.test, Test::Like | Test::Arn) && patterns.iter().any(Pattern::is_everything)
            }
            Values::Bools(wanted) => wanted.contains(&true) && wanted.contains(&false),
            _ => false,
        };
        if !anything {
            return None;
        }
        if operator.test == Test::Null {
            return Some(true);
        }
        let there = ALWAYS_THERE.contains(&&*self.key) && operator.set != Set::Any;
        let holds = !operator.negated;
        (there || self.when_absent() == holds.into()).then_some(holds)
    }

    fn when_absent(&self) -> Truth {
        let operator = self.operator;
        match operator.set {
            _ if operator.if_exists => Truth::True,
            Set::All => Truth::True,
            Set::Any => Truth::False,
            Set::Single => operator.negated.into(),
        }
    }

    /// One value of the request against all values of the policy.
    fn holds_for(&self, actual: &str, context: &Context) -> Truth {
        let found = match (&self.values, self.operator.test) {
            (Values::Texts(patterns), test) => patterns
                .iter()
                .map(|pattern| text_matches(test, pattern, actual, context, self.operator.negated))
                .fold(Truth::False, Truth::or),
            (Values::Numbers(wanted), Test::Number(order)) => {
                compare(number(actual), wanted, |a, b| order.holds(a.partial_cmp(b)))
            }
            (Values::Times(wanted), Test::Time(order)) => {
                compare(time(actual), wanted, |a, b| order.holds(Some(a.cmp(b))))
            }
            (Values::Bools(wanted), _) => compare(value::boolean(actual), wanted, |a, b| a == b),
            (Values::Nets(wanted), _) => compare(actual.parse().ok(), wanted, |address, net| net.contains(*address)),
            _ => Truth::Maybe,
        };
        found.negate_if(self.operator.negated)
    }

    /// True if a value or the key's template makes the clause depend on more keys than its own.
    pub(crate) fn variables(&self) -> Vec<String> {
        match &self.values {
            Values::Texts(patterns) => patterns
                .iter()
                .filter(|pattern| pattern.variables)
                .flat_map(|pattern| matching::variables(&pattern.text))
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// A request's value against the policy's; a value of the wrong type cannot be compared.
fn compare<T>(actual: Option<T>, wanted: &[T], holds: impl Fn(&T, &T) -> bool) -> Truth
where
    T: Sized,
{
    match actual {
        None => Truth::Maybe,
        Some(actual) => wanted.iter().any(|value| holds(&actual, value)).into(),
    }
}

impl Order {
    fn holds(self, ordering: Option<std::cmp::Ordering>) -> bool {
        ordering.is_some_and(|ordering| match self {
            Self::Equal => ordering.is_eq(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        })
    }
}

impl Values {
    /// The values in the operator's type, or the one that is not of it.
    fn read(test: Test, written: &[String], version: Version) -> Result<Self, String> {
        fn each<T>(written: &[String], read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
            written.iter().map(|text| read(text).ok_or_else(|| text.clone())).collect()
        }
        Ok(match test {
            Test::Equals | Test::EqualsIgnoreCase | Test::Like | Test::Binary | Test::Arn => {
                let patterns = written.iter().cloned();
                Self::Texts(patterns.map(|text| Pattern::new(text, version)).collect())
            }
            Test::Number(_) => Self::Numbers(each(written, number)?),
            Test::Time(_) => Self::Times(each(written, time)?),
            Test::Bool | Test::Null => Self::Bools(each(written, value::boolean)?),
            Test::Address => Self::Nets(each(written, |text| text.parse().ok())?),
        })
    }
}

fn text_matches(test: Test, pattern: &Pattern, actual: &str, context: &Context, negated: bool) -> Truth {
    if !pattern.variables {
        return match test {
            Test::EqualsIgnoreCase => (pattern.text.to_lowercase() == actual.to_lowercase()).into(),
            Test::Like => super::glob::matches(&pattern.text, actual).into(),
            Test::Arn => value::arn_like(&pattern.text, actual),
            _ => (*pattern.text == *actual).into(),
        };
    }
    let wildcards = match test {
        Test::Like | Test::Arn => Wildcards::Active,
        _ => Wildcards::Literal,
    };
    let (text, actual) = match test {
        Test::EqualsIgnoreCase => (pattern.text.to_lowercase(), actual.to_lowercase()),
        _ => (pattern.text.to_string(), actual.to_owned()),
    };
    let replaced = match test {
        Test::EqualsIgnoreCase => matching::replace(&text, wildcards, &context.lower_cased()),
        _ => matching::replace(&text, wildcards, context),
    };
    if replaced.missing {
        // A variable without a value equals nothing, but a statement that would apply for that reason
        // may as well be invalid.
        return if negated { Truth::Maybe } else { Truth::False };
    }
    let found = super::glob::matches_tokens(&replaced.tokens, &actual);
    let truth = match test {
        // The parts of an ARN are compared one by one; a star that could have crossed from one to
        // the next leaves it open.
        Test::Arn if found => match super::glob::matches_segments(&replaced.tokens, &actual) {
            Some(true) => Truth::True,
            _ => Truth::Maybe,
        },
        _ => found.into(),
    };
    replaced.soften(truth)
}

/// The keys that the clauses of which nobody can tell whether they hold hang on.
pub(crate) fn open_keys(clauses: &[Clause], context: &Context, keys: &mut BTreeSet<String>) {
    for clause in clauses {
        if clause.holds(context) != Truth::Maybe {
            continue;
        }
        let before = keys.len();
        if !context.knows(&clause.key) {
            keys.insert(clause.key.to_string());
        }
        keys.extend(clause.variables().into_iter().filter(|key| !context.knows(key)));
        if keys.len() == before {
            keys.insert(clause.key.to_string());
        }
    }
}

/// Do all clauses hold?
pub(crate) fn all_hold(clauses: &[Clause], context: &Context) -> Truth {
    let mut result = Truth::True;
    for clause in clauses {
        result = result.and(clause.holds(context));
        if result.is_false() {
            break;
        }
    }
    result
}
