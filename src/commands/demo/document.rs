//! The desired state on disk, for people to edit.

use std::io;
use std::path::PathBuf;

/// The file. Gone with the demo.
pub(super) struct DocumentFile {
    folder: PathBuf,
}

impl DocumentFile {
    pub(super) fn create(text: &str) -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("dhmc-demo-{}", std::process::id()));
        std::fs::create_dir(&folder)?;
        let file = Self { folder };
        std::fs::write(file.path(), text)?;
        Ok(file)
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.join("dhmc.yaml")
    }
}

impl Drop for DocumentFile {
    fn drop(&mut self) {
        // A folder that stays behind in the temporary directory harms nobody.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
