//! Time stamps as RFC 3161 has them: an authority states that some bytes were there at a time.
//!
//! <https://www.rfc-editor.org/rfc/rfc3161>, with ESSCertIDv2 of <https://www.rfc-editor.org/rfc/rfc5816>. [`Request`] is
//! what an authority is asked, [`Token`] what it answers. A token is read, held against the bytes that it is about and
//! against its own signature ([`Token::check`]), and then against roots that come from elsewhere ([`Token::trusted`]).
//! Whether a certificate was revoked is not looked at: that would need a network. Nothing here sends or prints
//! anything, or reads a clock.

mod asn1;
mod chain;
mod signed;

pub use chain::Roots;

use crate::evidence::Timestamp;
use asn1::{AlgorithmIdentifier, GenTime, Imprint, Response, TimeStampReq, TstInfo};
use cms::content_info::ContentInfo;
use cms::signed_data::SignedData;
use der::asn1::{Int, OctetString};
use der::{Decode, Encode};
use std::fmt;

/// The media type of a request.
pub const REQUEST_TYPE: &str = "application/timestamp-query";
/// The media type of an answer.
pub const ANSWER_TYPE: &str = "application/timestamp-reply";
/// The largest answer that is read: it holds a handful of certificates.
pub const LARGEST_ANSWER: usize = 1 << 20;

/// What an authority is asked.
#[derive(Debug)]
pub struct Request {
    stamped: Vec<u8>,
    nonce: Int,
    der: Vec<u8>,
}

impl Request {
    /// A request for a stamp over some bytes, with a random nonce, for an answer that holds the authority's
    /// certificates.
    pub fn over(stamped: &[u8]) -> Result<Self, String> {
        let mut random = [0_u8; 16];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| "no random number could be made".to_owned())?;
        // A positive number of sixteen bytes: its first bit is clear, its second set, so that DER does not shorten it.
        random[0] = random[0] & 0x7f | 0x40;
        let cannot = |e: der::Error| format!("the request for a time stamp cannot be made: {e}");
        let nonce = Int::new(&random).map_err(cannot)?;
        let request = TimeStampReq {
            version: 1,
            message_imprint: Imprint {
                hash_algorithm: AlgorithmIdentifier { oid: asn1::SHA_256, parameters: Some(der::Any::null()) },
                hashed_message: OctetString::new(digest(stamped)).map_err(cannot)?,
            },
            nonce: Some(nonce.clone()),
            cert_req: true,
        };
        Ok(Self { stamped: stamped.to_vec(), nonce, der: request.to_der().map_err(cannot)? })
    }

    /// The request as it is sent.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether an answer is one to this request, and what it claims holds in itself.
    pub fn accept(&self, answer: &[u8]) -> Result<Stamped, String> {
        let token = Token::read(answer)?;
        match &token.info.nonce {
            Some(nonce) if *nonce == self.nonce => {}
            Some(_) => return Err("the answer has another nonce: it is the answer to another request".to_owned()),
            None => return Err("the answer has no nonce: it may be one that was given before".to_owned()),
        }
        token.check(&self.stamped)
    }
}

fn digest(bytes: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref().to_vec()
}

/// An authority's answer.
#[derive(Clone, Debug)]
pub struct Token {
    signed: SignedData,
    /// The bytes of the statement, which are what is signed.
    content: Vec<u8>,
    info: TstInfo,
    time: GenTime,
}

/// What an authority states, once its signature was found to be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// The time, in whole seconds; a fraction is cut off.
    pub time: Timestamp,
    /// By how much the time may be off, as the authority says; nothing if it does not.
    pub accuracy: Option<String>,
    /// The subject of the certificate that signed.
    pub authority: String,
    /// The policy under which the stamp was given, an object identifier.
    pub policy: String,
    /// The stamp's serial number, in hexadecimal digits.
    pub serial: String,
}

impl fmt::Display for Stamped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {} (policy {}", self.time.zulu(), self.authority, self.policy)?;
        if let Some(accuracy) = &self.accuracy {
            write!(f, ", accurate to {accuracy}")?;
        }
        f.write_str(")")
    }
}

impl Token {
    /// Reads an answer. One that says why there is no stamp is an error with those words.
    pub fn read(answer: &[u8]) -> Result<Self, String> {
        if answer.len() > LARGEST_ANSWER {
            return Err(format!("has {} bytes, more than {LARGEST_ANSWER}", answer.len()));
        }
        let malformed = |e: der::Error| format!("is no answer of a time stamp authority: {e}");
        let response = Response::from_der(answer).map_err(malformed)?;
        response.status.granted()?;
        let token = response.token.ok_or("says that a stamp was given, and holds none")?;
        let token: ContentInfo = token.decode_as().map_err(malformed)?;
        if token.content_type != asn1::SIGNED_DATA {
            return Err("holds something that is not signed".to_owned());
        }
        let signed: SignedData = token.content.decode_as().map_err(malformed)?;
        if signed.encap_content_info.econtent_type != asn1::TST_INFO {
            return Err("is signed, and is not about a time".to_owned());
        }
        let content = signed.encap_content_info.econtent.as_ref().ok_or("holds no statement")?;
        let content = content.decode_as::<OctetString>().map_err(malformed)?.into_bytes();
        let info = TstInfo::from_der(&content).map_err(malformed)?;
        if info.version != 1 {
            return Err(format!("is of version {}, which is not known", info.version));
        }
        let time = info.gen_time.clone();
        Ok(Self { signed, content, info, time })
    }

    /// Holds the token against the bytes that it must be about and against its own signature. That shows what the
    /// holder of some key stated; whose key it is only [`Token::trusted`] shows.
    pub fn check(&self, stamped: &[u8]) -> Result<Stamped, String> {
        let imprint = &self.info.message_imprint;
        if imprint.hash_algorithm.oid != asn1::SHA_256 {
            return Err(format!("is about a digest that is no SHA-256 ({})", imprint.hash_algorithm.oid));
        }
        if imprint.hashed_message.as_bytes() != digest(stamped) {
            return Err("is about other bytes: its digest is another".to_owned());
        }
        let signer = signed::check(&self.signed, &self.content)?;
        let time = Timestamp::parse(&self.time.rfc3339()).map_err(|e| format!("states no time: {e}"))?;
        Ok(Stamped {
            time,
            accuracy: self.info.accuracy.as_ref().map(asn1::Accuracy::words),
            authority: signer.subject(),
            policy: self.info.policy.to_string(),
            serial: crate::evidence::digest::hex(self.info.serial_number.as_bytes()),
        })
    }

    /// Whether the certificate that signed leads to one of the roots, at the time that is stated; the root's name.
    /// To be asked after [`Token::check`].
    pub fn trusted(&self, roots: &Roots) -> Result<String, String> {
        let signer = signed::signer(&self.signed)?;
        let time = Timestamp::parse(&self.time.rfc3339()).map_err(|e| format!("states no time: {e}"))?;
        chain::check(&signer, &signed::certificates(&self.signed), roots, time)
    }
}

#[cfg(test)]
mod tests;
