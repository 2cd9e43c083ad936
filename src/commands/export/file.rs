//! The file that a document is written to: whole or not at all, and never over another one unasked.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What becomes of a file that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overwrite {
    /// It stays, and nothing is written.
    Refused,
    /// It is replaced.
    Allowed,
}

/// Writes a file. One that is replaced is so at once: a controller that watches it never sees half of it.
pub(super) fn write(file: &Path, text: &str, overwrite: Overwrite) -> io::Result<()> {
    match overwrite {
        Overwrite::Refused => write_new(file, text),
        Overwrite::Allowed => {
            // Where a link leads, there the file is.
            let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
            let beside = beside(&file);
            write_new(&beside, text)?;
            fs::rename(&beside, &file).inspect_err(|_| drop(fs::remove_file(&beside)))
        }
    }
}

fn write_new(file: &Path, text: &str) -> io::Result<()> {
    let mut open = OpenOptions::new().write(true).create_new(true).open(file)?;
    open.write_all(text.as_bytes()).and_then(|()| open.sync_all()).inspect_err(|_| drop(fs::remove_file(file)))
}

/// A name that no directory of documents reads.
fn beside(file: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(file.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    file.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_replaced_only_where_that_is_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dhmc.yaml");
        write(&file, "first", Overwrite::Refused).unwrap();
        assert_eq!(write(&file, "second", Overwrite::Refused).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&file).unwrap(), "first");
        write(&file, "third", Overwrite::Allowed).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "third");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_a_link_leads_to_is_replaced_and_not_the_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("real.yaml"), folder.path().join("link.yaml"));
        fs::write(&file, "first").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&link, "second", Overwrite::Allowed).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "second");
        assert!(link.symlink_metadata().unwrap().is_symlink());
    }
}
