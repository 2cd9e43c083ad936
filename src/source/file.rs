//! Reads the file of the desired state: at once, bounded, and never waiting for anybody.
//!
//! Whatever is at the path, the answer is its content or what to do about it. Called by [`super`].

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use crate::desired;

/// Why a file could not be read, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Nothing there.
    #[error("there is no such file; create it, or name another with --config")]
    Missing,
    /// A directory.
    #[error("it is a directory; name the file in it")]
    Directory,
    /// Reading could wait forever, or never end.
    #[error("it is a pipe, a socket or a device; name a regular file")]
    NotAFile,
    /// Not for this user.
    #[error("permission is denied; let the user that this process runs as read the file and enter its directories")]
    Denied,
    /// Not read to its end.
    #[error("it is larger than {} MiB, which no desired state is; name another file with --config", desired::MAX_BYTES >> 20)]
    TooLarge,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::PermissionDenied => Self::Denied,
            _ => Self::Other(error.to_string()),
        }
    }
}

/// What a look finds.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    /// SHA-256 of the bytes.
    pub(super) hash: [u8; 32],
}

/// Looks at the file. Runs where blocking is allowed: files have no other way.
pub(super) async fn look(path: &Path) -> Result<Content, ReadError> {
    let path = path.to_owned();
    spawn_blocking(move || read(&path)).await.unwrap_or_else(|error| Err(ReadError::Other(error.to_string())))
}

fn read(path: &Path) -> Result<Content, ReadError> {
    // Before opening: to open a pipe is to wait for its writer.
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(ReadError::Directory);
    }
    if !metadata.is_file() {
        return Err(ReadError::NotAFile);
    }
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too large from one that just fits.
    File::open(path)?.take(desired::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > desired::MAX_BYTES {
        return Err(ReadError::TooLarge);
    }
    let hash = Sha256::digest(&bytes).into();
    Ok(Content { bytes, hash })
}
