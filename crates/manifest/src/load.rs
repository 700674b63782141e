//! From a file to an application, whatever the version of its manifest.

use std::path::Path;

use crate::application::Application;
use crate::document;
use crate::error::{Error, Place};
use crate::v1;

/// The file that is looked for in a folder.
pub const MANIFEST_FILE: &str = "spin.toml";

impl Application {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// [`Error::Read`] if `path` is neither a readable manifest nor a folder with a `spin.toml`, else like
    /// [`Application::parse`].
    pub fn load(path: &Path) -> Result<Self, Error> {
        let file = if path.is_dir() {
            path.join(MANIFEST_FILE)
        } else {
            path.to_owned()
        };
        let bytes = std::fs::read(&file).map_err(|cause| Error::Read {
            file: file.clone(),
            cause,
            remedy: "name a spin.toml, or a folder with one, with --from".to_owned(),
        })?;
        let text = String::from_utf8(bytes).map_err(|error| Error::Syntax {
            place: Place::file(&file),
            reason: format!("{error}; save it as UTF-8"),
        })?;
        let dir = file
            .parent()
            .filter(|dir| !dir.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        Self::parse(&text, dir, &file)
    }

    /// Checks the text of a manifest without reading any file. Paths in it are joined to `dir`; `file_name` is for messages.
    ///
    /// # Errors
    /// [`Error::Syntax`] for what isn't TOML, [`Error::Unsupported`] for what Spin knows and spinfo doesn't do,
    /// [`Error::Invalid`] for everything else that keeps Spin from starting.
    pub fn parse(text: &str, dir: &Path, file_name: &Path) -> Result<Self, Error> {
        let mut root = document::parse(text, file_name)?;
        let version = root.take("spin_manifest_version");
        let Some(version) = version.or_else(|| root.take_unadvised("spin_version")) else {
            return Err(root.missing(
                "spin_manifest_version",
                "start the file with spin_manifest_version = 2",
            ));
        };
        match (version.as_integer(), version.as_str()) {
            (Some(2), _) if version.name == "spin_manifest_version" => {
                let application = Self::new(dir, file_name);
                application.read(root)
            }
            (_, Some("1")) => v1::read(root, &version, dir, file_name),
            _ => Err(version.invalid(
                "unknown manifest version",
                "write spin_manifest_version = 2",
            )),
        }
    }
}
