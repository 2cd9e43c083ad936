//! One look at the desired state, be it a file or a directory of them: what is there, and a hash to tell looks apart.
//!
//! Called by [`super`].

use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;

use super::file::Kind;
use super::{directory, file};
use crate::desired::{self, DesiredState, Problems};

/// Why the desired state could not be read, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Nothing there.
    #[error("there is no such file; create it, or name another")]
    Missing,
    /// A directory without documents.
    #[error("it is a directory with no *.yaml in it; put one there, or name another")]
    Empty,
    /// A directory with more files than anybody means.
    #[error("more than {} files are in it; merge some, or name another directory", directory::MOST_FILES)]
    TooMany,
    /// Reading could wait forever, or never end.
    #[error("it is a pipe, a socket or a device; name a regular file")]
    NotAFile,
    /// Not for this user.
    #[error("permission is denied; let the user that this process runs as read the file and enter its directories")]
    Denied,
    /// Not read to its end.
    #[error("it is larger than {} MiB, which no desired state is; name another file", desired::MAX_BYTES >> 20)]
    TooLarge,
    /// Not read to their end.
    #[error("its files are together larger than {} MiB, which no desired state is", desired::MAX_BYTES >> 20)]
    TooLargeTogether,
    /// One of the files of a directory.
    #[error("{file}: {reason}")]
    Entry {
        /// Its name.
        file: String,
        /// Why not.
        reason: EntryError,
    },
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// Why one file of a directory could not be read, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// A link whose end is gone.
    #[error("it is gone, or a link to nothing; remove the link, or put back what it leads to")]
    LinkToNothing,
    /// Not for this user.
    #[error("permission is denied; let the user that this process runs as read the file")]
    Denied,
    /// Not read to its end.
    #[error("it is larger than {} MiB, which no desired state is; remove it", desired::MAX_BYTES >> 20)]
    TooLarge,
    /// No text that could be shown or sorted.
    #[error("its name is not UTF-8, or has control characters in it; rename it")]
    NotText,
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

impl From<ReadError> for EntryError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Missing => Self::LinkToNothing,
            ReadError::Denied => Self::Denied,
            ReadError::TooLarge => Self::TooLarge,
            other => Self::Other(other.to_string()),
        }
    }
}

impl ReadError {
    /// The whole sentence, with the path of the file that it is about.
    pub(super) fn told(&self, config: &Path) -> String {
        match self {
            Self::Entry { file, reason } => format!("{}: {reason}", config.join(file).display()),
            other => format!("{}: {other}", config.display()),
        }
    }
}

/// What a look finds.
#[derive(Debug)]
pub struct Content {
    documents: Documents,
    /// SHA-256: of the file, or of the names and contents of all files.
    pub(super) hash: [u8; 32],
}

#[derive(Debug)]
enum Documents {
    One(Vec<u8>),
    /// Each with the name of its file, sorted by it.
    Several(Vec<(String, Vec<u8>)>),
}

impl Content {
    /// A file.
    #[must_use]
    pub fn one(bytes: Vec<u8>) -> Self {
        let hash = Sha256::digest(&bytes).into();
        Self { documents: Documents::One(bytes), hash }
    }

    /// A directory.
    fn several(documents: Vec<(String, Vec<u8>)>) -> Self {
        let mut hasher = Sha256::new();
        for (name, bytes) in &documents {
            for part in [name.as_bytes(), bytes] {
                // With its length before it, no part can pass for the end of the one before.
                hasher.update((part.len() as u64).to_be_bytes());
                hasher.update(part);
            }
        }
        Self { documents: Documents::Several(documents), hash: hasher.finalize().into() }
    }

    /// What it means, or all that is wrong with it.
    pub fn load(&self) -> Result<DesiredState, Problems> {
        match &self.documents {
            Documents::One(bytes) => desired::load(bytes),
            Documents::Several(documents) => desired::load_all(documents),
        }
    }

    /// What is in a file, by the name that a problem gives it.
    #[must_use]
    pub fn bytes_of(&self, file: Option<&str>) -> &[u8] {
        match &self.documents {
            Documents::One(bytes) => bytes,
            Documents::Several(documents) => {
                documents.iter().find(|(name, _)| Some(name.as_str()) == file).map_or(&[], |(_, bytes)| bytes)
            }
        }
    }
}

/// Looks at what is at the path. Runs where blocking is allowed: files have no other way.
pub(super) async fn look(path: &Path) -> Result<Content, ReadError> {
    let path = path.to_owned();
    spawn_blocking(move || read(&path)).await.unwrap_or_else(|error| Err(ReadError::Other(error.to_string())))
}

/// The same, where blocking is allowed.
pub fn read(path: &Path) -> Result<Content, ReadError> {
    match file::kind(path)? {
        Kind::File => file::read(path).map(Content::one),
        Kind::Directory => directory::read(path).map(Content::several),
        Kind::Other => Err(ReadError::NotAFile),
    }
}
