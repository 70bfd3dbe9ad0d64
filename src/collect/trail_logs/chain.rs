//! Which digests are proven.
//!
//! A digest is proven by an RSA signature, which is found in the object's metadata (if the folder has it) or in
//! the digests that name this one as their previous. It does not matter whether those are proven themselves:
//! nobody but AWS can make a signature that fits, so one that fits proves the digest wherever it came from. One that does
//! not fit is another matter: then it depends on who says so, and the judgement goes from the newest digest
//! to the oldest, so that the later one is always judged first.

use std::cmp::Reverse;
use std::collections::HashMap;

use rayon::prelude::*;

use super::digest::{Digest, Previous, Sidecar, Stated};
use super::keys::PublicKeys;
use super::names::SIDECAR_SUFFIX;
use super::table::Status;

/// What is known of one digest.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) proof: Proof,
    /// What a digest says that is not so, although its signature may be good.
    pub(super) doubts: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proof {
    /// A signature fits; where it was found.
    Verified(&'static str),
    Open(String),
    Refuted(String),
}

impl Judged {
    pub(super) fn status(&self) -> Status {
        match &self.proof {
            Proof::Refuted(_) => Status::Invalid,
            Proof::Verified(_) if self.doubts.is_empty() => Status::Valid,
            Proof::Open(_) | Proof::Verified(_) => Status::NotProven,
        }
    }

    pub(super) fn reason(&self) -> String {
        let proof = match &self.proof {
            Proof::Verified(place) => (*place).to_owned(),
            Proof::Open(why) | Proof::Refuted(why) => why.clone(),
        };
        if self.doubts.is_empty() { proof } else { format!("{}; {proof}", self.doubts.join("; ")) }
    }
}

const IN_METADATA: &str = "signature found in the object's metadata";
const IN_SUCCESSOR: &str = "signature found in the next digest";

/// The signatures that were tried on one digest.
struct Tried {
    /// Or why none could be tried.
    key: Result<(), String>,
    sidecar: Option<bool>,
    /// The digests that name this one, and whether the signature that they state fits.
    successors: Vec<(usize, bool)>,
}

/// Judges all digests; the result has their order.
pub(super) fn judge(digests: &[Digest], keys: &PublicKeys) -> Vec<Judged> {
    let mut named_by: HashMap<&str, Vec<usize>> = HashMap::new();
    for (number, digest) in digests.iter().enumerate() {
        if let Previous::Stated(stated) = &digest.previous {
            named_by.entry(stated.key.as_str()).or_default().push(number);
        }
    }
    let tried: Vec<Tried> = digests
        .par_iter()
        .map(|digest| try_signatures(digest, digests, named_by.get(digest.key.as_str()), keys))
        .collect();
    let mut judged: Vec<Judged> = digests.iter().map(alone).collect();
    let mut order: Vec<usize> = (0..digests.len()).collect();
    order.sort_by_key(|&n| digests.get(n).map(|d| (Reverse((d.end, d.start)), d.path.as_str())));
    for number in order {
        let (Some(digest), Some(tried)) = (digests.get(number), tried.get(number)) else {
            continue;
        };
        let proof = prove(digest, tried, digests, &judged);
        for &(successor, fits) in &tried.successors {
            let Some(later) = digests.get(successor) else {
                continue;
            };
            let doubts = doubts_about(later, digest, &proof, fits, tried.key.is_ok());
            if let Some(judged) = judged.get_mut(successor) {
                judged.doubts.extend(doubts);
            }
        }
        if let Some(judged) = judged.get_mut(number) {
            judged.proof = proof;
        }
    }
    judged
}

/// What can be doubted without looking at other digests.
fn alone(digest: &Digest) -> Judged {
    let mut doubts = Vec::new();
    if let Previous::Inconsistent(what) = &digest.previous {
        doubts.push(what.clone());
    }
    if digest.name.backfill && matches!(digest.sidecar, Some(Sidecar::Signature { backfilled: None, .. })) {
        doubts
            .push("it is a backfill digest, and its object's metadata lacks backfill-generation-timestamp".to_owned());
    }
    // Replaced when its turn comes.
    Judged { proof: Proof::Open("not judged".to_owned()), doubts }
}

fn stated(digest: &Digest) -> Option<&Stated> {
    match &digest.previous {
        Previous::Stated(stated) => Some(stated),
        Previous::None | Previous::Inconsistent(_) => None,
    }
}

fn try_signatures(digest: &Digest, digests: &[Digest], named_by: Option<&Vec<usize>>, keys: &PublicKeys) -> Tried {
    let key = match digest.algorithm.as_deref() {
        Some("SHA256withRSA") => keys.find(&digest.fingerprint, &digest.name.region, digest.signed()),
        Some(other) => Err(format!("its digestSignatureAlgorithm {other:?} is not known; only SHA256withRSA is")),
        None => Err("it states no digestSignatureAlgorithm".to_owned()),
    };
    let fits = |signature: &[u8]| key.as_ref().is_ok_and(|key| digest.is_signed(key, signature));
    let sidecar = match &digest.sidecar {
        Some(Sidecar::Signature { signature, .. }) => Some(fits(signature)),
        _ => None,
    };
    let successors =
        named_by.into_iter().flatten().filter_map(|&n| Some((n, fits(&stated(digests.get(n)?)?.signature)))).collect();
    Tried { key: key.map(|_| ()), sidecar, successors }
}

fn prove(digest: &Digest, tried: &Tried, digests: &[Digest], judged: &[Judged]) -> Proof {
    if let Some(Sidecar::Unsigned(why)) = &digest.sidecar {
        return Proof::Refuted(format!("{why}: the object is not as CloudTrail delivered it"));
    }
    let path = |n: usize| digests.get(n).map_or("", |d| d.path.as_str());
    let is_proof = |n: usize, wanted: fn(&Proof) -> bool| judged.get(n).is_some_and(|j| wanted(&j.proof));
    let contradicts = |n: usize| digests.get(n).and_then(stated).is_some_and(|s| s.hash != digest.sha256);
    let unchecked = match (&digest.sidecar, &tried.key) {
        (Some(Sidecar::Unknown(algorithm)), _) => {
            Some(format!("the signature algorithm {algorithm:?} in its object's metadata is not known"))
        }
        (_, Err(why)) => Some(why.clone()),
        _ => None,
    };
    if let Some(why) = unchecked {
        // To change the name of the key or of the algorithm must not be a way around the hash.
        let is_verified = |n: usize| is_proof(n, |p| matches!(p, Proof::Verified(_)));
        return match tried.successors.iter().find(|(n, _)| is_verified(*n) && contradicts(*n)) {
            Some(&(by, _)) => {
                Proof::Refuted(format!("altered: its hash is not what {} states, which is proven", path(by)))
            }
            None => Proof::Open(why),
        };
    }
    match tried.sidecar {
        Some(true) => return Proof::Verified(IN_METADATA),
        Some(false) => {
            return Proof::Refuted(
                "the signature in its object's metadata does not fit: the digest or the metadata was altered"
                    .to_owned(),
            );
        }
        None => {}
    }
    if tried.successors.iter().any(|(_, fits)| *fits) {
        return Proof::Verified(IN_SUCCESSOR);
    }
    let Some(&(first, _)) = tried.successors.first() else {
        return Proof::Open(format!(
            "its signature is only in the object's metadata, and no later digest here repeats it; fetch it with: aws \
             s3api head-object --bucket {} --key {} > {}{SIDECAR_SUFFIX}",
            shell(&digest.bucket),
            shell(&digest.key),
            shell(&digest.path),
        ));
    };
    let is_refuted = |n: usize| is_proof(n, |p| matches!(p, Proof::Refuted(_)));
    let Some(&(witness, _)) = tried.successors.iter().find(|(n, _)| !is_refuted(*n)) else {
        return Proof::Open(format!("its signature is only in {}, which is itself invalid", path(first)));
    };
    match tried.successors.iter().find(|(n, _)| !is_refuted(*n) && contradicts(*n)) {
        Some(&(by, _)) => {
            Proof::Refuted(format!("altered: neither its hash nor its signature is what {} states", path(by)))
        }
        None => Proof::Open(format!(
            "its hash is what {} states, but the signature that is stated there does not fit",
            path(witness)
        )),
    }
}

/// What `later` says of `earlier`, its previous digest, that is not so.
fn doubts_about(later: &Digest, earlier: &Digest, proof: &Proof, fits: bool, key_is_known: bool) -> Vec<String> {
    let mut doubts = Vec::new();
    let Some(stated) = stated(later) else {
        return doubts;
    };
    let path = earlier.path.as_str();
    if matches!(proof, Proof::Verified(_)) && stated.hash != earlier.sha256 {
        doubts.push(format!("it states a hash that is not that of {path}, whose signature is good"));
    }
    // An altered digest fits no signature, which is not the fault of the digest that states it.
    let is_unaltered = matches!(proof, Proof::Verified(_)) || stated.hash == earlier.sha256;
    if key_is_known && !fits && is_unaltered {
        doubts.push(format!("it states a signature that is not that of {path}"));
    }
    if stated.bucket != earlier.bucket {
        doubts.push(format!(
            "it states that its previous digest is in the bucket {:?}; {path} is of {:?}",
            stated.bucket, earlier.bucket
        ));
    }
    let (a, b) = (&later.name, &earlier.name);
    if (&a.account, &a.region, &a.trail, &a.home_region) != (&b.account, &b.region, &b.trail, &b.home_region) {
        doubts.push(format!("it continues {path}, which belongs to another chain"));
    }
    if later.end <= earlier.end {
        doubts.push(format!("it continues {path}, which is not earlier"));
    }
    doubts
}

/// A word for a shell: keys come from hostile files, and this is meant to be pasted.
fn shell(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
