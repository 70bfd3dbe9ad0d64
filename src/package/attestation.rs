//! The attestation: an in-toto statement about the manifest's digest in a DSSE envelope.
//!
//! <https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>,
//! <https://github.com/secure-systems-lab/dsse/blob/master/protocol.md>. Both are written on one line with members in a
//! fixed order, so that README.txt can take them apart with `sed`.

use super::key::{PublicKey, SigningKey};
use super::manifest::Manifest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// The type of the payload.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The type of what is stated.
pub const PREDICATE_TYPE: &str = "urn:auditpack:package:v1";

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Signature {
    #[serde(default)]
    keyid: String,
    sig: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Debug, Serialize, Deserialize)]
struct Subject {
    name: String,
    digest: Digest,
}

#[derive(Debug, Serialize, Deserialize)]
struct Digest {
    sha256: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Predicate {
    format: u32,
    account: Option<String>,
    as_of: String,
    tool: String,
}

/// The bytes that a DSSE signature is over.
fn pre_authentication(payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// Signs a package.
pub(super) fn sign(key: &SigningKey, manifest: &Manifest, manifest_sha256: &str) -> Result<Vec<u8>, String> {
    let statement = Statement {
        kind: STATEMENT_TYPE.to_owned(),
        subject: vec![Subject {
            name: super::MANIFEST.to_owned(),
            digest: Digest { sha256: manifest_sha256.to_owned() },
        }],
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate: Predicate {
            format: manifest.format,
            account: manifest.account.id.clone(),
            as_of: manifest.as_of.zulu(),
            tool: format!("{} {}", manifest.tool.name, manifest.tool.version),
        },
    };
    let payload = serde_json::to_vec(&statement).map_err(|e| e.to_string())?;
    let envelope = Envelope {
        payload_type: PAYLOAD_TYPE.to_owned(),
        payload: STANDARD.encode(&payload),
        signatures: vec![Signature {
            keyid: key.public().fingerprint(),
            sig: STANDARD.encode(key.sign(&pre_authentication(&payload))),
        }],
    };
    let mut text = serde_json::to_vec(&envelope).map_err(|e| e.to_string())?;
    text.push(b'\n');
    Ok(text)
}

/// What an attestation says, before a key was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    payload: Vec<u8>,
    /// Fingerprints of the keys that are said to have signed, with their signatures.
    signatures: Vec<(String, Vec<u8>)>,
    /// The digest of the manifest that it is about.
    pub manifest_sha256: String,
}

impl Attestation {
    /// Reads an attestation.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let envelope: Envelope = serde_json::from_slice(bytes).map_err(|e| format!("is no DSSE envelope: {e}"))?;
        if envelope.payload_type != PAYLOAD_TYPE {
            return Err(format!("holds `{}`, not an in-toto statement", envelope.payload_type.escape_debug()));
        }
        let decode = |text: &str| STANDARD.decode(text).map_err(|e| format!("is damaged: {e}"));
        let payload = decode(&envelope.payload)?;
        let statement: Statement =
            serde_json::from_slice(&payload).map_err(|e| format!("holds no in-toto statement about a package: {e}"))?;
        if statement.kind != STATEMENT_TYPE || statement.predicate_type != PREDICATE_TYPE {
            return Err("holds a statement of another kind".to_owned());
        }
        let manifest_sha256 = match statement.subject.as_slice() {
            [subject] if subject.name == super::MANIFEST => subject.digest.sha256.clone(),
            _ => return Err("is not about one manifest.json".to_owned()),
        };
        let signatures: Result<Vec<_>, String> =
            envelope.signatures.into_iter().map(|of| Ok((of.keyid, decode(&of.sig)?))).collect();
        Ok(Self { payload, signatures: signatures?, manifest_sha256 })
    }

    /// The fingerprints of the keys that are said to have signed. Nothing is proven by them.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.signatures.iter().map(|(key, _)| key.as_str())
    }

    /// Whether one of the signatures is a key's. The fingerprints in the attestation are hints and not looked at.
    pub fn is_by(&self, key: &PublicKey) -> bool {
        let bytes = pre_authentication(&self.payload);
        self.signatures.iter().any(|(_, signature)| key.verifies(&bytes, signature))
    }
}
