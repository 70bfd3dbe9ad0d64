//! From the certificate that signed a token to a root that comes from elsewhere.

use super::asn1::TIME_STAMPING_BYTES;
use super::signed::{Signer, name};
use crate::evidence::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use der::Decode;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use std::time::Duration;
use webpki::{EndEntityCert, Error, KeyUsage, anchor_from_trusted_cert};
use x509_cert::Certificate;

/// The largest file of roots that is read, in bytes: all that browsers trust are a fifth of it.
pub const LARGEST: usize = 2 << 20;

/// Certificates that are trusted, because they come from elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Roots(Vec<(Vec<u8>, Certificate)>);

impl Roots {
    /// Reads a PEM file with one or more certificates.
    pub fn from_pem(text: &str) -> Result<Self, String> {
        const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
        const END: &str = "-----END CERTIFICATE-----";
        if text.len() > LARGEST {
            return Err(format!("it has {} bytes, more than {LARGEST}", text.len()));
        }
        let mut roots = Vec::new();
        for (n, rest) in text.split(BEGIN).skip(1).enumerate() {
            let number = n + 1;
            let (body, _) = rest.split_once(END).ok_or_else(|| format!("its certificate {number} does not end"))?;
            let body: String = body.split_whitespace().collect();
            let der = STANDARD.decode(body).map_err(|e| format!("its certificate {number} is damaged: {e}"))?;
            let certificate = Certificate::from_der(&der)
                .map_err(|e| format!("its certificate {number} is no X.509 certificate: {e}"))?;
            roots.push((der, certificate));
        }
        if roots.is_empty() { Err(format!("it holds no `{BEGIN}`")) } else { Ok(Self(roots)) }
    }
}

/// Whether a certificate leads to a root at a time; the root's name.
pub(super) fn check(signer: &Signer, others: &[Signer], roots: &Roots, at: Timestamp) -> Result<String, String> {
    // Who names the authority's own certificate as trusted means it, whoever issued it. It must have been valid.
    if roots.0.iter().any(|(der, _)| *der == signer.der) {
        let validity = &signer.certificate.tbs_certificate.validity;
        let seconds = u64::try_from(at.0.timestamp()).unwrap_or_default();
        let (from, to) = (validity.not_before.to_unix_duration(), validity.not_after.to_unix_duration());
        return match seconds {
            s if s < from.as_secs() => Err(not_valid(signer, "not valid yet", at)),
            s if s > to.as_secs() => Err(not_valid(signer, "expired", at)),
            _ => Ok(signer.subject()),
        };
    }
    let trusted: Vec<CertificateDer<'_>> =
        roots.0.iter().map(|(der, _)| CertificateDer::from(der.as_slice())).collect();
    // A root that cannot be used leads nowhere.
    let anchors: Vec<TrustAnchor<'_>> = trusted.iter().filter_map(|der| anchor_from_trusted_cert(der).ok()).collect();
    let between: Vec<CertificateDer<'_>> =
        others.iter().filter(|other| other.der != signer.der).map(|other| other.der.as_slice().into()).collect();
    let der = CertificateDer::from(signer.der.as_slice());
    let end =
        EndEntityCert::try_from(&der).map_err(|e| format!("is signed by a certificate that cannot be used: {e}"))?;
    let seconds = u64::try_from(at.0.timestamp()).unwrap_or_default();
    let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let path = end
        .verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &anchors,
            &between,
            time,
            // Authorities between need not say what they are for; the signer itself must, and was looked at before.
            KeyUsage::required_if_present(TIME_STAMPING_BYTES),
            None,
            None,
        )
        .map_err(|e| why(e, signer, at))?;
    let subject = path.anchor().subject.as_ref();
    let root = roots.0.iter().find(|(_, root)| {
        // The anchor holds the subject without its outer tag.
        der::Encode::to_der(&root.tbs_certificate.subject).is_ok_and(|bytes| bytes.ends_with(subject))
    });
    Ok(root.map_or_else(|| "a given root".to_owned(), |(_, root)| name(&root.tbs_certificate.subject)))
}

fn not_valid(signer: &Signer, how: &str, at: Timestamp) -> String {
    format!("is signed by {}, a certificate that was {how} at {}", signer.subject(), at.zulu())
}

fn why(error: Error, signer: &Signer, at: Timestamp) -> String {
    match error {
        Error::CertExpired { .. } => not_valid(signer, "expired, or led to one that was,", at),
        Error::CertNotValidYet { .. } => not_valid(signer, "not valid yet, or led to one that was not,", at),
        Error::UnknownIssuer | Error::InvalidSignatureForPublicKey => {
            format!("is signed by {}, which leads to none of the given roots", signer.subject())
        }
        other => format!("is signed by {}, which does not lead to a given root: {other}", signer.subject()),
    }
}
