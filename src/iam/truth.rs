//! Three-valued logic: true, false, and "it depends on something we were not told".

use serde::Serialize;

/// A truth value of Kleene's three-valued logic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Truth {
    /// Holds in every request that the context describes.
    True,
    /// Holds in some of them, or nobody can tell.
    Maybe,
    /// Holds in none.
    False,
}

impl Truth {
    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, Self::True) => Self::True,
            _ => Self::Maybe,
        }
    }

    /// At least one.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::True, _) | (_, Self::True) => Self::True,
            (Self::False, Self::False) => Self::False,
            _ => Self::Maybe,
        }
    }

    /// The opposite; *maybe* stays *maybe*.
    #[must_use]
    pub fn negate(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::Maybe => Self::Maybe,
            Self::False => Self::True,
        }
    }

    /// Negated if asked to be.
    pub(crate) fn negate_if(self, negated: bool) -> Self {
        if negated { self.negate() } else { self }
    }

    /// True in every request.
    #[must_use]
    pub fn is_true(self) -> bool {
        self == Self::True
    }

    /// False in every request.
    #[must_use]
    pub fn is_false(self) -> bool {
        self == Self::False
    }

    /// True in at least one request, as far as anyone can tell.
    #[must_use]
    pub fn is_possible(self) -> bool {
        self != Self::False
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}
