//! The structures of RFC 3161, as far as they are used. Times with fractions of a second, which authorities may state,
//! are why the statement is not read with the types of a crate.

use der::asn1::{Any, BitString, Int, OctetString, SequenceOf, Utf8StringRef};
use der::oid::ObjectIdentifier;
use der::{DecodeValue, EncodeValue, FixedTag, Header, Length, Reader, Sequence, Tag, Writer};

pub(super) const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
pub(super) const SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
pub(super) const SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
/// id-signedData of CMS.
pub(super) const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
/// id-ct-TSTInfo.
pub(super) const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
/// id-contentType, id-messageDigest.
pub(super) const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
pub(super) const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
/// id-aa-signingCertificate (SHA-1) and id-aa-signingCertificateV2.
pub(super) const SIGNING_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.12");
pub(super) const SIGNING_CERTIFICATE_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
/// id-ce-extKeyUsage, and id-kp-timeStamping as an object and as the bytes that webpki wants.
pub(super) const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
pub(super) const TIME_STAMPING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");
pub(super) const TIME_STAMPING_BYTES: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct AlgorithmIdentifier {
    pub oid: ObjectIdentifier,
    pub parameters: Option<Any>,
}

#[derive(Clone, Debug, PartialEq, Eq, Sequence)]
pub(super) struct Imprint {
    pub hash_algorithm: AlgorithmIdentifier,
    pub hashed_message: OctetString,
}

#[derive(Debug, Sequence)]
pub(super) struct TimeStampReq {
    pub version: u8,
    pub message_imprint: Imprint,
    pub nonce: Option<Int>,
    pub cert_req: bool,
}

/// TimeStampResp.
#[derive(Debug, Sequence)]
pub(super) struct Response<'a> {
    pub status: Status<'a>,
    pub token: Option<Any>,
}

/// PKIStatusInfo.
#[derive(Debug, Sequence)]
pub(super) struct Status<'a> {
    pub status: Int,
    pub status_string: Option<SequenceOf<Utf8StringRef<'a>, 8>>,
    pub fail_info: Option<BitString>,
}

impl Status<'_> {
    /// Whether a stamp was given: `granted` or `grantedWithMods`.
    pub fn granted(&self) -> Result<(), String> {
        if matches!(self.status.as_bytes(), [0 | 1]) {
            return Ok(());
        }
        let words: Vec<String> =
            self.status_string.iter().flat_map(|texts| texts.iter()).map(|text| text.to_string()).collect();
        let words = if words.is_empty() { "no reason is given".to_owned() } else { words.join("; ") };
        let why = self.fail_info.as_ref().map_or_else(String::new, |bits| {
            let named: Vec<&str> = bits
                .bits()
                .enumerate()
                .filter(|(_, set)| *set)
                .map(|(bit, _)| FAILURES.iter().find(|(known, _)| *known == bit).map_or("unknown", |(_, name)| name))
                .collect();
            if named.is_empty() { String::new() } else { format!(" ({})", named.join(", ")) }
        });
        Err(format!("is the authority's refusal: {}{why}", words.escape_debug()))
    }
}

/// PKIFailureInfo, <https://www.rfc-editor.org/rfc/rfc3161#section-2.4.2>.
const FAILURES: [(usize, &str); 8] = [
    (0, "badAlg"),
    (2, "badRequest"),
    (5, "badDataFormat"),
    (14, "timeNotAvailable"),
    (15, "unacceptedPolicy"),
    (16, "unacceptedExtension"),
    (17, "addInfoNotAvailable"),
    (25, "systemFailure"),
];

/// TSTInfo, the statement.
#[derive(Clone, Debug, Sequence)]
pub(super) struct TstInfo {
    pub version: u8,
    pub policy: ObjectIdentifier,
    pub message_imprint: Imprint,
    pub serial_number: Int,
    pub gen_time: GenTime,
    pub accuracy: Option<Accuracy>,
    #[asn1(default = "Default::default")]
    pub ordering: bool,
    pub nonce: Option<Int>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    pub tsa: Option<Any>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    pub extensions: Option<Extensions>,
}

/// Extensions that nobody looks at.
#[derive(Clone, Debug)]
pub(super) struct Extensions(Vec<u8>);

impl FixedTag for Extensions {
    const TAG: Tag = Tag::Sequence;
}

impl<'a> DecodeValue<'a> for Extensions {
    fn decode_value<R: Reader<'a>>(reader: &mut R, header: Header) -> der::Result<Self> {
        Ok(Self(reader.read_vec(header.length)?))
    }
}

impl EncodeValue for Extensions {
    fn value_len(&self) -> der::Result<Length> {
        self.0.len().try_into()
    }

    fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
        writer.write(&self.0)
    }
}

#[derive(Clone, Debug, Sequence)]
pub(super) struct Accuracy {
    pub seconds: Option<u64>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    pub millis: Option<u16>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    pub micros: Option<u16>,
}

impl Accuracy {
    pub fn words(&self) -> String {
        let parts = [
            self.seconds.map(|n| format!("{n} s")),
            self.millis.map(|n| format!("{n} ms")),
            self.micros.map(|n| format!("{n} µs")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// GeneralizedTime as DER has it, with a fraction of a second or without: `20261128045300.25Z`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GenTime(String);

impl GenTime {
    /// The time to the second.
    pub fn rfc3339(&self) -> String {
        let at = |from: usize, to: usize| self.0.get(from..to).unwrap_or_default();
        format!("{}-{}-{}T{}:{}:{}Z", at(0, 4), at(4, 6), at(6, 8), at(8, 10), at(10, 12), at(12, 14))
    }
}

impl FixedTag for GenTime {
    const TAG: Tag = Tag::GeneralizedTime;
}

impl<'a> DecodeValue<'a> for GenTime {
    fn decode_value<R: Reader<'a>>(reader: &mut R, header: Header) -> der::Result<Self> {
        let bytes = reader.read_vec(header.length)?;
        let malformed = || Tag::GeneralizedTime.value_error();
        let text = String::from_utf8(bytes).map_err(|_| malformed())?;
        let digits = text.strip_suffix('Z').ok_or_else(malformed)?;
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
        if whole.len() != 14 || !all_digits(whole) || !all_digits(fraction) {
            return Err(malformed());
        }
        Ok(Self(text))
    }
}

impl EncodeValue for GenTime {
    fn value_len(&self) -> der::Result<Length> {
        self.0.len().try_into()
    }

    fn encode_value(&self, writer: &mut impl Writer) -> der::Result<()> {
        writer.write(self.0.as_bytes())
    }
}

/// SigningCertificate and SigningCertificateV2, as far as the first certificate's digest.
#[derive(Debug, Sequence)]
pub(super) struct SigningCertificate {
    pub certificates: Vec<CertId>,
    pub policies: Option<Extensions>,
}

#[derive(Debug, Sequence)]
pub(super) struct CertId {
    /// Only in the second version, where it is SHA-256 if it is left out.
    pub hash_algorithm: Option<AlgorithmIdentifier>,
    pub hash: OctetString,
    pub issuer_serial: Option<Extensions>,
}
