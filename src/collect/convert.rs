//! From the SDK's types to the documents' types, member by member.

use crate::evidence::Timestamp;
use crate::evidence::policy_text::PolicyText;
use aws_smithy_types::DateTime;
use std::collections::{BTreeMap, HashMap};

/// Turns a value of the SDK into one of a document.
pub(super) trait Convert<T> {
    fn convert(self) -> T;
}

impl<A: Convert<B>, B> Convert<Vec<B>> for Option<Vec<A>> {
    fn convert(self) -> Vec<B> {
        self.unwrap_or_default().convert()
    }
}

impl<A: Convert<B>, B> Convert<Vec<B>> for Vec<A> {
    fn convert(self) -> Vec<B> {
        self.into_iter().map(Convert::convert).collect()
    }
}

impl<A: Convert<B>, B> Convert<Option<Vec<B>>> for Option<Vec<A>> {
    fn convert(self) -> Option<Vec<B>> {
        self.map(Convert::convert)
    }
}

impl Convert<String> for String {
    fn convert(self) -> String {
        self
    }
}

impl Convert<Option<String>> for String {
    fn convert(self) -> Option<String> {
        Some(self)
    }
}

impl Convert<Option<String>> for Option<String> {
    fn convert(self) -> Option<String> {
        self
    }
}

impl Convert<Option<PolicyText>> for Option<String> {
    fn convert(self) -> Option<PolicyText> {
        self.map(|text| PolicyText::new(&text))
    }
}

impl Convert<Option<bool>> for Option<bool> {
    fn convert(self) -> Option<bool> {
        self
    }
}

impl Convert<Option<bool>> for bool {
    fn convert(self) -> Option<bool> {
        Some(self)
    }
}

impl Convert<Option<i64>> for Option<i32> {
    fn convert(self) -> Option<i64> {
        self.map(i64::from)
    }
}

impl Convert<Option<i64>> for Option<i64> {
    fn convert(self) -> Option<i64> {
        self
    }
}

impl Convert<Option<i64>> for i32 {
    fn convert(self) -> Option<i64> {
        Some(self.into())
    }
}

impl Convert<Option<Timestamp>> for Option<DateTime> {
    fn convert(self) -> Option<Timestamp> {
        self.and_then(|time| Timestamp::from_seconds(time.as_secs_f64()))
    }
}

impl Convert<Option<Timestamp>> for DateTime {
    fn convert(self) -> Option<Timestamp> {
        Some(self).convert()
    }
}

impl<K: AsRef<str>> Convert<BTreeMap<String, i64>> for Option<HashMap<K, i32>> {
    fn convert(self) -> BTreeMap<String, i64> {
        self.unwrap_or_default().into_iter().map(|(key, value)| (key.as_ref().to_owned(), value.into())).collect()
    }
}

/// Structures, by the members that both sides have. A member of another name on the SDK's side stands as `ours: theirs`.
macro_rules! convert {
    ($($theirs:path => $ours:path { $($member:ident $(: $other:ident)?),* $(,)? })*) => {
        $(
            impl $crate::collect::convert::Convert<$ours> for $theirs {
                fn convert(self) -> $ours {
                    let theirs = self;
                    $ours { $($member: $crate::collect::convert::convert!(@member theirs $member $($other)?),)* }
                }
            }
            impl $crate::collect::convert::Convert<Option<$ours>> for Option<$theirs> {
                fn convert(self) -> Option<$ours> {
                    self.map($crate::collect::convert::Convert::convert)
                }
            }
        )*
    };
    (@member $theirs:ident $member:ident) => { $theirs.$member.convert() };
    (@member $theirs:ident $member:ident $other:ident) => { $theirs.$other.convert() };
}
pub(super) use convert;

/// Enumerations, by the word that AWS sends.
macro_rules! words {
    ($($theirs:path),* $(,)?) => {
        $(
            impl $crate::collect::convert::Convert<Option<String>> for $theirs {
                fn convert(self) -> Option<String> {
                    Some(self.as_str().to_owned())
                }
            }
            impl $crate::collect::convert::Convert<Option<String>> for Option<$theirs> {
                fn convert(self) -> Option<String> {
                    self.map(|word| word.as_str().to_owned())
                }
            }
            impl $crate::collect::convert::Convert<String> for $theirs {
                fn convert(self) -> String {
                    self.as_str().to_owned()
                }
            }
        )*
    };
}
pub(super) use words;
