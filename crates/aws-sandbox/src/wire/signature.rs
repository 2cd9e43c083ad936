//! AWS Signature Version 4 in the Authorization header, checked from the specification and not with the signer
//! the clients use. No presigned URLs, no chunked uploads: none of the services here needs them.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use hyper::Uri;
use hyper::header::HeaderMap;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

/// How far a request's time may be off. AWS allows five minutes.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// RFC 3986's unreserved characters stay.
pub(crate) const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The parts of an Authorization header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Authorization<'a> {
    pub(crate) access_key_id: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
    date: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

/// Why a request is not taken; the texts are AWS's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch(pub(crate) String);

impl<'a> Authorization<'a> {
    /// `None` when the header is missing or is of another scheme.
    pub(crate) fn of(headers: &'a HeaderMap) -> Option<Self> {
        let header = headers.get("authorization")?.to_str().ok()?;
        let fields = header.strip_prefix("AWS4-HMAC-SHA256")?;
        let field = |name: &str| {
            let mut all = fields.split(',').map(str::trim);
            all.find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
        };
        let mut scope = field("Credential")?.split('/');
        let (access_key_id, date) = (scope.next()?, scope.next()?);
        let (region, service) = (scope.next()?, scope.next()?);
        (scope.next()? == "aws4_request").then_some(())?;
        Some(Self {
            access_key_id,
            region,
            service,
            date,
            signed_headers: field("SignedHeaders")?,
            signature: field("Signature")?,
        })
    }

    /// Checks time and signature of a request.
    pub(crate) fn verify(&self, request: &Signed<'_>, now: Timestamp) -> Result<(), Mismatch> {
        let sent = text(request.headers, "x-amz-date");
        check_time(&sent, now)?;
        let signs = |name: &str| self.signed_headers.split(';').any(|signed| signed == name);
        if !signs("host") {
            return Err(Mismatch("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.".to_owned()));
        }
        if request.headers.contains_key("x-amz-security-token") && !signs("x-amz-security-token") {
            return Err(mismatch());
        }
        let digest = hex::encode(Sha256::digest(request.body));
        let declared = text(request.headers, "x-amz-content-sha256");
        if !declared.is_empty() && declared != digest {
            return Err(mismatch());
        }
        let canonical = self.canonical(request, &digest);
        let scope = format!("{}/{}/{}/aws4_request", self.date, self.region, self.service);
        let string_to_sign = format!("AWS4-HMAC-SHA256\n{sent}\n{scope}\n{}", hex::encode(Sha256::digest(canonical)));
        let mut key = format!("AWS4{}", request.secret).into_bytes();
        for part in [self.date, self.region, self.service, "aws4_request"] {
            key = hmac(&key, part);
        }
        if hex::encode(hmac(&key, &string_to_sign)) == self.signature && sent.starts_with(self.date) {
            Ok(())
        } else {
            Err(mismatch())
        }
    }

    fn canonical(&self, request: &Signed<'_>, digest: &str) -> String {
        // Paths are encoded once more than on the wire, for every service but S3.
        let path = request.uri.path().split('/');
        let path: Vec<String> = path.map(|segment| utf8_percent_encode(segment, UNRESERVED).to_string()).collect();
        let query = request.uri.query().unwrap_or_default().as_bytes();
        let encoded = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
        let mut query: Vec<String> =
            form_urlencoded::parse(query).map(|(name, value)| format!("{}={}", encoded(&name), encoded(&value))).collect();
        query.sort();
        let mut canonical = format!("{}\n{}\n{}\n", request.method, path.join("/"), query.join("&"));
        for name in self.signed_headers.split(';') {
            let values = text(request.headers, name);
            // Writing to a String cannot fail.
            let _ = writeln!(canonical, "{name}:{values}");
        }
        let _ = write!(canonical, "\n{}\n{digest}", self.signed_headers);
        canonical
    }
}

/// What was signed, and the secret it should be signed with.
#[derive(Debug)]
pub(crate) struct Signed<'a> {
    pub(crate) secret: &'a str,
    pub(crate) method: &'a str,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// All values of a header, trimmed, runs of spaces as one.
fn text(headers: &HeaderMap, name: &str) -> String {
    let values = headers.get_all(name).iter().map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes());
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        words.join(" ")
    });
    values.collect::<Vec<_>>().join(",")
}

fn hmac(key: &[u8], data: &str) -> Vec<u8> {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Vec::new();
    };
    mac.update(data.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn check_time(sent: &str, now: Timestamp) -> Result<(), Mismatch> {
    let parsed = DateTime::strptime("%Y%m%dT%H%M%SZ", sent)
        .and_then(|civil| TimeZone::UTC.to_timestamp(civil))
        .map_err(|_| Mismatch(format!("Date in Credential scope or header is invalid: {sent}")))?;
    let age = now.duration_since(parsed);
    let stamp = |moment: Timestamp| moment.strftime("%Y%m%dT%H%M%SZ").to_string();
    let now_text = stamp(now);
    if age > TOLERANCE {
        let limit = stamp(now.checked_sub(TOLERANCE).unwrap_or(now));
        return Err(Mismatch(format!("Signature expired: {sent} is now earlier than {limit} ({now_text} - 5 min.)")));
    }
    if -age > TOLERANCE {
        let limit = stamp(now.checked_add(TOLERANCE).unwrap_or(now));
        return Err(Mismatch(format!("Signature not yet current: {sent} is still later than {limit} ({now_text} + 5 min.)")));
    }
    Ok(())
}

fn mismatch() -> Mismatch {
    let text = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
    Mismatch(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The request `get-vanilla` of AWS's published signature test suite.
    fn verify(signature: &str, now: &str) -> Result<(), Mismatch> {
        let mut headers = HeaderMap::new();
        headers.insert("host", "example.amazonaws.com".parse().unwrap());
        headers.insert("x-amz-date", "20150830T123600Z".parse().unwrap());
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature={signature}"
        );
        headers.insert("authorization", authorization.parse().unwrap());
        let uri = Uri::from_static("/");
        let request =
            Signed { secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", method: "GET", uri: &uri, headers: &headers, body: b"" };
        let authorization = Authorization::of(&headers).unwrap();
        assert_eq!(authorization.access_key_id, "AKIDEXAMPLE");
        authorization.verify(&request, now.parse().unwrap())
    }

    const VANILLA: &str = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";

    #[test]
    fn the_vanilla_request_of_aws_own_suite_is_taken() {
        assert_eq!(verify(VANILLA, "2015-08-30T12:40:59Z"), Ok(()));
    }

    #[test]
    fn another_signature_is_refused() {
        assert!(verify(&VANILLA.replace('5', "6"), "2015-08-30T12:36:00Z").is_err());
    }

    #[test]
    fn a_request_more_than_five_minutes_old_has_expired() {
        let error = verify(VANILLA, "2015-08-30T12:41:01Z").unwrap_err();
        assert!(error.0.starts_with("Signature expired: 20150830T123600Z"), "{error:?}");
    }

    #[test]
    fn a_request_from_the_future_is_not_yet_current() {
        let error = verify(VANILLA, "2015-08-30T12:30:00Z").unwrap_err();
        assert!(error.0.starts_with("Signature not yet current"), "{error:?}");
    }
}
