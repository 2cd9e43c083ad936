//! `AWS_CA_BUNDLE`: which certificate authorities to trust.
//!
//! The Rust SDK ignores this variable, which every other AWS client honours. As with those, the file's certificates replace
//! the system's.

use std::path::{Path, PathBuf};

use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Forty times what all public certificate authorities take together.
const LARGEST_BUNDLE: u64 = 8 << 20;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// The bundle is of no use.
#[derive(Debug, thiserror::Error)]
pub enum CaBundleError {
    /// It cannot be read.
    #[error("AWS_CA_BUNDLE names {}, which cannot be read; name a readable PEM file, or unset the variable", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is a directory, a device, or far too large.
    #[error(
        "AWS_CA_BUNDLE names {}, which is not a file of at most {} MiB; name a PEM file of certificates, or unset the variable",
        file.display(),
        LARGEST_BUNDLE >> 20
    )]
    NotABundle {
        /// The file.
        file: PathBuf,
    },
    /// It holds no certificate.
    #[error("AWS_CA_BUNDLE names {}, which holds no `{BEGIN}`; name a PEM file of certificates, or unset the variable", file.display())]
    NoCertificate {
        /// The file.
        file: PathBuf,
    },
    /// A certificate in it is broken.
    #[error("AWS_CA_BUNDLE names {}, whose certificates cannot be used: {message}", file.display())]
    Unusable {
        /// The file.
        file: PathBuf,
        /// What the TLS library says.
        message: String,
    },
}

/// An HTTP client that trusts what the system trusts.
pub(super) fn client_of_the_system() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https()
}

/// An HTTP client that trusts the file's certificates and no others.
pub(super) fn client_trusting(file: &Path) -> Result<SharedHttpClient, CaBundleError> {
    let unreadable = |source| CaBundleError::Unreadable { file: file.to_owned(), source };
    // Before opening: a pipe or a device has no end.
    let metadata = std::fs::metadata(file).map_err(unreadable)?;
    if !metadata.is_file() || metadata.len() > LARGEST_BUNDLE {
        return Err(CaBundleError::NotABundle { file: file.to_owned() });
    }
    let pem = std::fs::read(file).map_err(unreadable)?;
    check(&pem, file)?;
    let context = TlsContext::builder().with_trust_store(TrustStore::empty().with_pem_certificate(pem)).build();
    let context = context.map_err(|error| CaBundleError::Unusable { file: file.to_owned(), message: error.to_string() })?;
    Ok(Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(context).build_https())
}

/// The SDK panics on a certificate that it cannot use, at the first request: look first.
fn check(pem: &[u8], file: &Path) -> Result<(), CaBundleError> {
    let unusable = |message: String| CaBundleError::Unusable { file: file.to_owned(), message };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(CaBundleError::NoCertificate { file: file.to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_that_cannot_be_used_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let missing = client_trusting(&folder.path().join("none.pem")).unwrap_err().to_string();
        assert!(missing.contains("none.pem, which cannot be read; name a readable PEM file"), "{missing}");

        let folder_itself = client_trusting(folder.path()).unwrap_err().to_string();
        assert!(folder_itself.contains("which is not a file of at most 8 MiB"), "{folder_itself}");

        let text = folder.path().join("text.pem");
        std::fs::write(&text, "no certificate here").unwrap();
        let empty = client_trusting(&text).unwrap_err().to_string();
        assert!(empty.contains("holds no `-----BEGIN CERTIFICATE-----`"), "{empty}");

        let broken = folder.path().join("broken.pem");
        std::fs::write(&broken, format!("{BEGIN}\nAAAA\n-----END CERTIFICATE-----\n")).unwrap();
        let broken = client_trusting(&broken).unwrap_err().to_string();
        assert!(broken.contains("whose certificates cannot be used: "), "{broken}");
    }
}
