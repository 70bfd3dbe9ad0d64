//! Deterministic identifiers: everything that AWS would draw at random is derived from a seed.

/// FNV-1a, 64 bit. `std`'s hasher is not guaranteed to be the same in every release of Rust,
/// and ids must not change when the compiler does.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}

/// SplitMix64: turns a counter into well-mixed bits.
pub(crate) fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A version-4-shaped UUID.
pub(crate) fn uuid(seed: u64) -> String {
    let (a, b) = (mix(seed), mix(seed ^ 0x5bd1_e995));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:x}{:03x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        8 + ((b >> 60) & 3),
        (b >> 48) & 0xfff,
        b & 0xffff_ffff_ffff
    )
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn base32(seed: u64, length: usize) -> String {
    let mut bits = mix(seed);
    (0..length)
        .map(|_| {
            let c = BASE32[(bits & 31) as usize] as char;
            bits >>= 5;
            c
        })
        .collect()
}

/// A unique id as in the
/// [IAM identifiers page](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html):
/// a prefix (AIDA user, AROA role, AGPA group, ANPA managed policy, AIPA instance profile) and 17
/// characters, of which the last seven say EXAMPLE.
pub(crate) fn unique_id(prefix: &str, seed: &str) -> String {
    format!("{prefix}{}EXAMPLE", base32(hash(prefix.as_bytes()) ^ hash(seed.as_bytes()), 10))
}

/// An access key id (AKIA long-term, ASIA temporary): 20 characters, the last seven say EXAMPLE,
/// so that no secret scanner takes it for a real one.
pub(crate) fn access_key(prefix: &str, seed: &str) -> String {
    format!("{prefix}{}EXAMPLE", base32(hash(seed.as_bytes()), 9))
}

/// The id of the long-term access key that a user has in slot 1 or 2; events name the first.
pub(crate) fn user_key(user: &str, slot: u32) -> String {
    match slot {
        1 => access_key("AKIA", user),
        _ => access_key("AKIA", &format!("{user}/{slot}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_the_lengths_that_aws_uses_and_stay_the_same() {
        assert_eq!(unique_id("AIDA", "alice").len(), 21);
        assert_eq!(access_key("AKIA", "alice").len(), 20);
        assert_eq!(uuid(1).len(), 36);
        assert_eq!(uuid(7), uuid(7));
        assert_ne!(unique_id("AIDA", "alice"), unique_id("AIDA", "alicf"));
        assert_eq!(hash(b"a"), 0xaf63_dc4c_8601_ec8c);
    }
}
