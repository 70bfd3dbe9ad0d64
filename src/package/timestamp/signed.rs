//! The signature of a token: one signer, whose certificate is there, is named within what is signed, and may sign
//! nothing but time stamps.

use super::asn1::{self, SigningCertificate};
use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};
use cms::cert::CertificateChoices;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use der::asn1::OctetString;
use der::oid::ObjectIdentifier;
use der::{Decode, Encode};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use webpki::EndEntityCert;
use webpki::aws_lc_rs as algorithms;
use x509_cert::Certificate;
use x509_cert::ext::pkix::{ExtendedKeyUsage, SubjectKeyIdentifier};

/// A certificate, with its bytes.
#[derive(Clone, Debug)]
pub(super) struct Signer {
    pub certificate: Certificate,
    pub der: Vec<u8>,
}

impl Signer {
    pub fn subject(&self) -> String {
        name(&self.certificate.tbs_certificate.subject)
    }
}

/// A distinguished name, harmless to print.
pub(super) fn name(of: &x509_cert::name::Name) -> String {
    let text = of.to_string();
    if text.is_empty() { "a certificate without a name".to_owned() } else { text.escape_debug().to_string() }
}

/// All certificates of a token.
pub(super) fn certificates(signed: &SignedData) -> Vec<Signer> {
    let all = signed.certificates.iter().flat_map(|set| set.0.iter());
    all.filter_map(|choice| match choice {
        CertificateChoices::Certificate(certificate) => {
            Some(Signer { certificate: certificate.clone(), der: certificate.to_der().ok()? })
        }
        CertificateChoices::Other(_) => None,
    })
    .collect()
}

/// The one signature of a token.
fn signature(signed: &SignedData) -> Result<&SignerInfo, String> {
    match signed.signer_infos.0.as_slice() {
        [one] => Ok(one),
        all => Err(format!("has {} signatures, and must have one", all.len())),
    }
}

/// The certificate whose key signed a token, as the token names it.
pub(super) fn signer(signed: &SignedData) -> Result<Signer, String> {
    let info = signature(signed)?;
    let is_named = |signer: &Signer| {
        let of = &signer.certificate.tbs_certificate;
        match &info.sid {
            SignerIdentifier::IssuerAndSerialNumber(id) => {
                of.issuer == id.issuer && of.serial_number == id.serial_number
            }
            SignerIdentifier::SubjectKeyIdentifier(id) => {
                of.get::<SubjectKeyIdentifier>().is_ok_and(|found| found.is_some_and(|(_, found)| found == *id))
            }
        }
    };
    certificates(signed)
        .into_iter()
        .find(is_named)
        .ok_or_else(|| "holds no certificate of the key that signed it".to_owned())
}

/// Holds the signature against what it is about. `content` are the bytes of the statement.
pub(super) fn check(signed: &SignedData, content: &[u8]) -> Result<Signer, String> {
    let info = signature(signed)?;
    let signer = signer(signed)?;
    let attributes = info.signed_attrs.as_ref().ok_or("has no signed attributes")?;
    let attribute = |oid: ObjectIdentifier| -> Option<&der::Any> {
        let mut found = attributes.iter().filter(|attribute| attribute.oid == oid);
        let only = found.next()?;
        match (found.next(), only.values.as_slice()) {
            (None, [value]) => Some(value),
            _ => None,
        }
    };
    let kind = attribute(asn1::CONTENT_TYPE).and_then(|value| value.decode_as::<ObjectIdentifier>().ok());
    if kind != Some(asn1::TST_INFO) {
        return Err("is signed as something that is not about a time".to_owned());
    }
    let hash = hash_algorithm(info.digest_alg.oid)
        .ok_or_else(|| format!("is signed over a digest that is not known ({})", info.digest_alg.oid))?;
    let told = attribute(asn1::MESSAGE_DIGEST).and_then(|value| value.decode_as::<OctetString>().ok());
    if told.as_ref().map(OctetString::as_bytes) != Some(digest(hash, content).as_ref()) {
        return Err("was altered: its statement is not the one that was signed".to_owned());
    }
    names_its_certificate(&signer, attribute(asn1::SIGNING_CERTIFICATE_V2), attribute(asn1::SIGNING_CERTIFICATE))?;
    let signed_bytes = attributes.to_der().map_err(|e| format!("cannot be read: {e}"))?;
    let der = CertificateDer::from(signer.der.as_slice());
    let certificate =
        EndEntityCert::try_from(&der).map_err(|e| format!("is signed by a certificate that cannot be used: {e}"))?;
    let candidates = candidates(info.signature_algorithm.oid, info.digest_alg.oid);
    if candidates.is_empty() {
        return Err(format!("is signed in a way that is not known ({})", info.signature_algorithm.oid));
    }
    let verified = candidates
        .iter()
        .any(|algorithm| certificate.verify_signature(*algorithm, &signed_bytes, info.signature.as_bytes()).is_ok());
    if !verified {
        return Err("was altered: its signature is not right".to_owned());
    }
    is_for_time_stamps(&signer)?;
    Ok(signer)
}

/// The certificate's digest stands within what is signed, so that it cannot be exchanged for another of the same key
/// (<https://www.rfc-editor.org/rfc/rfc5816#section-2.2.1>).
fn names_its_certificate(signer: &Signer, v2: Option<&der::Any>, v1: Option<&der::Any>) -> Result<(), String> {
    let (value, v2) = match (v2, v1) {
        (Some(value), _) => (value, true),
        (None, Some(value)) => (value, false),
        (None, None) => return Err("does not name its certificate within what is signed".to_owned()),
    };
    let bytes = value.to_der().map_err(|e| e.to_string())?;
    let named = SigningCertificate::from_der(&bytes)
        .map_err(|e| format!("names its certificate in a way that cannot be read: {e}"))?;
    let first = named.certificates.first().ok_or("names no certificate within what is signed")?;
    let algorithm = match (&first.hash_algorithm, v2) {
        (None, true) => Some(&SHA256),
        (Some(of), true) => hash_algorithm(of.oid),
        (_, false) => Some(&SHA1_FOR_LEGACY_USE_ONLY),
    };
    let algorithm = algorithm.ok_or("names its certificate by a digest that is not known")?;
    if digest(algorithm, &signer.der).as_ref() != first.hash.as_bytes() {
        return Err("is about another certificate than the one that is in it".to_owned());
    }
    Ok(())
}

/// A certificate for time stamps is for nothing else, and says so in a way that nobody may pass over
/// (<https://www.rfc-editor.org/rfc/rfc3161#section-2.3>).
fn is_for_time_stamps(signer: &Signer) -> Result<(), String> {
    let extensions = signer.certificate.tbs_certificate.extensions.iter().flatten();
    let mut usages = extensions.filter(|extension| extension.extn_id == asn1::EXTENDED_KEY_USAGE);
    let only = usages.next().filter(|extension| extension.critical).and_then(|extension| {
        ExtendedKeyUsage::from_der(extension.extn_value.as_bytes()).ok().filter(|_| usages.next().is_none())
    });
    if only.is_some_and(|usage| usage.0 == [asn1::TIME_STAMPING]) {
        return Ok(());
    }
    Err(format!("is signed by a certificate that is not for time stamps ({})", signer.subject()))
}

fn hash_algorithm(oid: ObjectIdentifier) -> Option<&'static Algorithm> {
    match oid {
        asn1::SHA_256 => Some(&SHA256),
        asn1::SHA_384 => Some(&SHA384),
        asn1::SHA_512 => Some(&SHA512),
        _ => None,
    }
}

/// The algorithms that a signature may be of: webpki tells by the key which of them fits.
fn candidates(
    signature: ObjectIdentifier,
    hash: ObjectIdentifier,
) -> &'static [&'static dyn SignatureVerificationAlgorithm] {
    const RSA: &str = "1.2.840.113549.1.1.1";
    const PSS: &str = "1.2.840.113549.1.1.10";
    let hash = match hash {
        asn1::SHA_256 => 256,
        asn1::SHA_384 => 384,
        asn1::SHA_512 => 512,
        _ => return &[],
    };
    match (signature.to_string().as_str(), hash) {
        (RSA | "1.2.840.113549.1.1.11", 256) => &RSA_SHA256,
        (RSA | "1.2.840.113549.1.1.12", 384) => &RSA_SHA384,
        (RSA | "1.2.840.113549.1.1.13", 512) => &RSA_SHA512,
        (PSS, 256) => &PSS_SHA256,
        (PSS, 384) => &PSS_SHA384,
        (PSS, 512) => &PSS_SHA512,
        ("1.2.840.10045.4.3.2", 256) => &ECDSA_SHA256,
        ("1.2.840.10045.4.3.3", 384) => &ECDSA_SHA384,
        ("1.2.840.10045.4.3.4", 512) => &ECDSA_SHA512,
        ("1.3.101.112", 512) => &EDWARDS,
        _ => &[],
    }
}

type Algorithms<const N: usize> = [&'static dyn SignatureVerificationAlgorithm; N];
static RSA_SHA256: Algorithms<1> = [algorithms::RSA_PKCS1_2048_8192_SHA256];
static RSA_SHA384: Algorithms<1> = [algorithms::RSA_PKCS1_2048_8192_SHA384];
static RSA_SHA512: Algorithms<1> = [algorithms::RSA_PKCS1_2048_8192_SHA512];
static PSS_SHA256: Algorithms<1> = [algorithms::RSA_PSS_2048_8192_SHA256_LEGACY_KEY];
static PSS_SHA384: Algorithms<1> = [algorithms::RSA_PSS_2048_8192_SHA384_LEGACY_KEY];
static PSS_SHA512: Algorithms<1> = [algorithms::RSA_PSS_2048_8192_SHA512_LEGACY_KEY];
static ECDSA_SHA256: Algorithms<3> =
    [algorithms::ECDSA_P256_SHA256, algorithms::ECDSA_P384_SHA256, algorithms::ECDSA_P521_SHA256];
static ECDSA_SHA384: Algorithms<3> =
    [algorithms::ECDSA_P256_SHA384, algorithms::ECDSA_P384_SHA384, algorithms::ECDSA_P521_SHA384];
static ECDSA_SHA512: Algorithms<3> =
    [algorithms::ECDSA_P256_SHA512, algorithms::ECDSA_P384_SHA512, algorithms::ECDSA_P521_SHA512];
static EDWARDS: Algorithms<1> = [algorithms::ED25519];

/// What the purpose of the certificate in a PEM file is found to be.
#[cfg(test)]
pub(super) fn purpose_of(pem: &str) -> Result<(), String> {
    use base64::Engine as _;
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(body).map_err(|e| e.to_string())?;
    let certificate = Certificate::from_der(&der).map_err(|e| e.to_string())?;
    is_for_time_stamps(&Signer { certificate, der })
}
