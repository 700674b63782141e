//! The files that the manifest grants to a component.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::TempDir;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

/// A read-only folder with copies of a component's files, so that an edit on disk does not change a running application.
pub(crate) struct Mounts {
    folder: Option<TempDir>,
    /// By the path that the component sees: the copy.
    files: BTreeMap<PathBuf, PathBuf>,
}

impl Mounts {
    /// Copies files, given by the path that the component sees relative to its root, into a folder of its own.
    ///
    /// # Errors
    /// Names the file that can't be copied.
    pub(crate) fn copy(files: &BTreeMap<PathBuf, PathBuf>) -> anyhow::Result<Self> {
        if files.is_empty() {
            return Ok(Self {
                folder: None,
                files: BTreeMap::new(),
            });
        }
        let folder = tempfile::Builder::new()
            .prefix("spinfo-files-")
            .tempdir()
            .context("cannot make a temporary folder for the components' files")?;
        let mut copies = BTreeMap::new();
        for (guest_path, source) in files {
            let target = folder.path().join(guest_path);
            copy(source, &target)?;
            copies.insert(guest_path.clone(), target);
        }
        Ok(Self {
            folder: Some(folder),
            files: copies,
        })
    }

    /// The path that the component sees, and the copy, of each file.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&Path, &Path)> {
        self.files
            .iter()
            .map(|(seen, copy)| (seen.as_path(), copy.as_path()))
    }

    pub(crate) fn preopen(&self, wasi: &mut WasiCtxBuilder) -> wasmtime::Result<()> {
        if let Some(folder) = &self.folder {
            wasi.preopened_dir(folder.path(), "/", FsPerms::ReadOnly)?;
        }
        Ok(())
    }
}

fn copy(source: &Path, target: &Path) -> anyhow::Result<()> {
    if let Some(parent) = target.parent() {
        std::fs::create_dir_all(parent)
            .with_context(|| format!("cannot make the folder {}", parent.display()))?;
    }
    std::fs::copy(source, target).with_context(|| {
        format!(
            "cannot copy {} for the component that is to read it",
            source.display()
        )
    })?;
    Ok(())
}
