//! Page tokens: opaque to the client, bound to the request that they continue.
//!
//! AWS refuses a token that comes back with other parameters (CloudTrail's
//! [LookupEvents](https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html)
//! says so), so a token carries a hash of them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::ids;

/// Where a list goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) item: u64,
    /// How many pages came before.
    pub(crate) page: u32,
}

impl Position {
    pub(crate) const START: Position = Position { item: 0, page: 0 };
}

pub(crate) fn encode(scope: u64, at: Position) -> String {
    let mut bytes = Vec::with_capacity(28);
    bytes.extend(scope.to_be_bytes());
    bytes.extend(at.item.to_be_bytes());
    bytes.extend(at.page.to_be_bytes());
    let check = ids::mix(ids::hash(&bytes));
    bytes.extend(check.to_be_bytes());
    // mask, so that tokens look like nothing and use all of base64's alphabet
    for (i, b) in bytes.iter_mut().enumerate().take(20) {
        *b ^= check.rotate_left(i as u32 * 8) as u8 ^ (i as u8).wrapping_mul(37);
    }
    STANDARD.encode(bytes)
}

pub(crate) fn decode(scope: u64, token: &str) -> Option<Position> {
    let mut bytes = STANDARD.decode(token).ok().filter(|b| b.len() == 28)?;
    let check = u64::from_be_bytes(bytes[20..].try_into().ok()?);
    for (i, b) in bytes.iter_mut().enumerate().take(20) {
        *b ^= check.rotate_left(i as u32 * 8) as u8 ^ (i as u8).wrapping_mul(37);
    }
    let fits = ids::mix(ids::hash(&bytes[..20])) == check && u64::from_be_bytes(bytes[..8].try_into().ok()?) == scope;
    fits.then_some(Position {
        item: u64::from_be_bytes(bytes[8..16].try_into().ok()?),
        page: u32::from_be_bytes(bytes[16..20].try_into().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_continues_only_the_request_that_it_was_given_to() {
        let at = Position { item: 1234, page: 7 };
        let token = encode(99, at);
        assert_eq!(decode(99, &token), Some(at));
        assert_eq!(decode(98, &token), None);
        assert_eq!(decode(99, "nonsense"), None);
        let mut forged = token.into_bytes();
        forged[12] = if forged[12] == b'A' { b'B' } else { b'A' };
        assert_eq!(decode(99, &String::from_utf8(forged).unwrap()), None);
    }
}
