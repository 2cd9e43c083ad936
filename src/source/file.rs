//! Reads one file: at once, bounded, and never waiting for anybody.
//!
//! Whatever is at the path, the answer is its content or what to do about it. Called by [`super::look`].

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::look::ReadError;
use crate::desired;

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    /// Reading could wait forever, or never end.
    Other,
}

/// What is at a path, links followed.
pub(super) fn kind(path: &Path) -> Result<Kind, ReadError> {
    let metadata = fs::metadata(path)?;
    Ok(if metadata.is_dir() {
        Kind::Directory
    } else if metadata.is_file() {
        Kind::File
    } else {
        Kind::Other
    })
}

/// The content of a regular file. To be asked of [`kind`] before: to open a pipe is to wait for its writer.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too large from one that just fits.
    File::open(path)?.take(desired::MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > desired::MAX_BYTES {
        return Err(ReadError::TooLarge);
    }
    Ok(bytes)
}
