//! Reads the documents of a directory: every `*.yaml` and `*.yml` directly in it, sorted by name.
//!
//! Names that begin with a dot are passed over: a mounted `ConfigMap` keeps its versions in `..2026_11_23`, and editors
//! their drafts in `.a.yaml.swp`. So are directories and whatever else is no file. Called by [`super::look`].

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use super::file::{self, Kind};
use super::look::{EntryError, ReadError};
use crate::desired;

/// Many more than people keep apart. Each costs a look twice a second.
pub(super) const MOST_FILES: usize = 1_000;

/// The files of a directory, each by its name with its content.
pub(super) fn read(directory: &Path) -> Result<Vec<(String, Vec<u8>)>, ReadError> {
    let mut documents = Vec::new();
    let mut total = 0;
    for name in names(directory)? {
        let path = directory.join(&name);
        let failed = |reason: EntryError| ReadError::Entry { file: name.clone(), reason };
        if file::kind(&path).map_err(|error| failed(error.into()))? != Kind::File {
            continue;
        }
        let bytes = file::read(&path).map_err(|error| failed(error.into()))?;
        total += bytes.len();
        if total > desired::MAX_BYTES {
            return Err(ReadError::TooLargeTogether);
        }
        documents.push((name, bytes));
    }
    if documents.is_empty() { Err(ReadError::Empty) } else { Ok(documents) }
}

fn names(directory: &Path) -> Result<Vec<String>, ReadError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        if !is_document(&name) {
            continue;
        }
        if names.len() == MOST_FILES {
            return Err(ReadError::TooMany);
        }
        let unreadable = |name: &str| ReadError::Entry { file: name.escape_debug().to_string(), reason: EntryError::NotText };
        let name = name.into_string().map_err(|name| unreadable(&name.to_string_lossy()))?;
        if name.contains(char::is_control) {
            return Err(unreadable(&name));
        }
        names.push(name);
    }
    names.sort_unstable();
    Ok(names)
}

fn is_document(name: &OsString) -> bool {
    let extension = Path::new(name).extension();
    !name.as_encoded_bytes().starts_with(b".") && extension.is_some_and(|extension| extension == "yaml" || extension == "yml")
}
