//! `files`: what of the application's folder a component can read.
//!
//! Spin copies the files into a folder that becomes the component's root. Which file ends up where follows its rules, those
//! that surprise included; [`Application::files`](crate::Application::files) says so in warnings.

use std::collections::BTreeMap;
use std::path::{Component as Part, Path, PathBuf};

use crate::document::Item;
use crate::error::{Error, Place, Problem, Warning};

/// One entry of `files`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileMount {
    /// A file, a folder or a glob pattern, relative to the manifest's folder; the component sees the same path.
    Pattern(String),
    /// A file or folder under another name.
    Placement {
        /// Relative to the manifest's folder.
        source: String,
        /// Where the component sees it.
        destination: String,
    },
}

/// The files one component can read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// The path that the component sees, relative to its root and without `.` or `..`, and the file.
    pub files: BTreeMap<PathBuf, PathBuf>,
    /// What works, but probably not as its author thinks.
    pub warnings: Vec<Warning>,
}

impl FileMount {
    pub(crate) fn read(item: Item<'_>) -> Result<Self, Error> {
        const REMEDY: &str = "write \"assets/*\" or { source = \"assets\", destination = \"/\" }";
        if let Some(pattern) = item.as_str() {
            return Ok(Self::Pattern(pattern.to_owned()));
        }
        if !item.is_table() {
            return Err(item.invalid(
                format!("must be a string or a table, not {}", item.type_name()),
                REMEDY,
            ));
        }
        let mut section = item.section()?;
        let source = section.require("source", REMEDY)?.string()?;
        let destination = section.require("destination", REMEDY)?.string()?;
        section.finish()?;
        Ok(Self::Placement {
            source,
            destination,
        })
    }
}

/// The entries of one component.
pub(crate) struct Entries<'a> {
    pub(crate) manifest: &'a Path,
    pub(crate) base_dir: &'a Path,
    /// The component's id.
    pub(crate) component: &'a str,
    pub(crate) mounts: &'a [FileMount],
    /// `exclude_files`
    pub(crate) exclude: &'a [String],
}

impl Entries<'_> {
    /// See [`Application::files`](crate::Application::files).
    pub(crate) fn find(&self) -> Result<Files, Error> {
        let root = std::path::absolute(self.base_dir).map_err(|cause| Error::Read {
            file: self.base_dir.to_owned(),
            cause,
            remedy: "start in a folder that exists".to_owned(),
        })?;
        let mut files = Files::default();
        for (at, mount) in self.mounts.iter().enumerate() {
            let key = format!("component.{}.files[{at}]", self.component);
            let mut finder = Finder {
                entries: self,
                root: &root,
                key,
                files: &mut files,
                found: 0,
            };
            match mount {
                FileMount::Pattern(pattern) => finder.pattern(pattern)?,
                FileMount::Placement {
                    source,
                    destination,
                } => finder.placement(source, destination)?,
            }
            if finder.found == 0 {
                finder.warn("matches no file", "correct or remove it");
            }
        }
        let folders = files.files.keys().flat_map(|path| path.ancestors().skip(1));
        match folders
            .into_iter()
            .find(|folder| files.files.contains_key(*folder))
        {
            None => Ok(files),
            Some(both) => Err(Error::Invalid(Box::new(Problem {
                place: Place::file(self.manifest),
                key: format!("component.{}.files", self.component),
                reason: format!("{} would be both a file and a folder", both.display()),
                remedy: "correct one of the destinations".to_owned(),
            }))),
        }
    }
}

/// Looks for the files of one entry.
struct Finder<'a> {
    entries: &'a Entries<'a>,
    /// The manifest's folder, absolute.
    root: &'a Path,
    key: String,
    files: &'a mut Files,
    found: usize,
}

impl Finder<'_> {
    fn problem(&self, reason: impl Into<String>, remedy: &str) -> Problem {
        Problem {
            place: Place::file(self.entries.manifest),
            key: self.key.clone(),
            reason: reason.into(),
            remedy: remedy.to_owned(),
        }
    }

    fn warn(&mut self, reason: impl Into<String>, remedy: &str) {
        let warning = Warning(self.problem(reason, remedy));
        self.files.warnings.push(warning);
    }

    fn fail<T>(&self, reason: impl Into<String>, remedy: &str) -> Result<T, Error> {
        Err(Error::Invalid(Box::new(self.problem(reason, remedy))))
    }

    fn pattern(&mut self, pattern: &str) -> Result<(), Error> {
        const WHOLE_FOLDER: &str = "write { source = \"folder\", destination = \"/folder\" }, or a pattern like \"folder/**/*\"";
        if matches!(pattern.rsplit('/').next(), Some("." | "..")) {
            return self.fail(format!("{pattern:?} ends in \".\" or \"..\""), WHOLE_FOLDER);
        }
        if matches!(pattern, "*" | "**/*") {
            let remedy = "name the folders it needs, or put \"./\" in front if everything is meant";
            self.warn(
                "lets the component read the whole folder of the application",
                remedy,
            );
        }
        let path = self.root.join(pattern);
        if path.is_dir() {
            // The folder's path counts twice, as in Spin.
            let doubled = Path::new(pattern).join(pattern);
            self.warn(
                format!(
                    "puts the files into {:?}, as in Spin",
                    doubled.display().to_string()
                ),
                WHOLE_FOLDER,
            );
            let all = format!("{}/**/*", glob::Pattern::escape(&path.to_string_lossy()));
            self.glob(&all, self.root, Path::new(pattern))
        } else if path.exists() {
            self.add(Path::new(pattern), path)
        } else if glob::Pattern::escape(pattern) != pattern {
            // Only what the author wrote is a pattern, whatever characters the folder's own name has.
            let all = match Path::new(pattern).is_absolute() {
                true => pattern.to_owned(),
                false => format!(
                    "{}/{pattern}",
                    glob::Pattern::escape(&self.root.to_string_lossy())
                ),
            };
            self.glob(&all, self.root, Path::new(""))
        } else {
            self.fail(format!("there is no {pattern:?}"), "correct or remove it")
        }
    }

    fn placement(&mut self, source: &str, destination: &str) -> Result<(), Error> {
        let path = self.root.join(source);
        let below = Path::new(destination.trim_start_matches('/'));
        if path.is_dir() {
            let all = format!("{}/**/*", glob::Pattern::escape(&path.to_string_lossy()));
            return self.glob(&all, &path, below);
        }
        if !path.exists() {
            return self.fail(
                format!("there is no {source:?}"),
                "correct source, or remove the entry",
            );
        }
        if matches!(destination.rsplit('/').next(), Some("" | "." | "..")) {
            let reason = format!("{source:?} is a file and {destination:?} a folder");
            return self.fail(
                reason,
                "give the file's own name too, like \"/folder/file.txt\"",
            );
        }
        self.add(below, path)
    }

    /// Adds the files that match `pattern`, each below `folder` under its path relative to `prefix`.
    fn glob(&mut self, pattern: &str, prefix: &Path, folder: &Path) -> Result<(), Error> {
        const GLOB: &str = "correct it; * ? [a-z] and ** as a whole folder name are understood";
        let excluded = self.entries.exclude.iter().map(|pattern| {
            glob::Pattern::new(pattern).or_else(|error| {
                self.fail(
                    format!("exclude_files has {pattern:?}, no pattern: {}", error.msg),
                    GLOB,
                )
            })
        });
        let excluded = excluded.collect::<Result<Vec<_>, _>>()?;
        let paths = glob::glob(pattern)
            .or_else(|error| self.fail(format!("is no pattern: {}", error.msg), GLOB))?;
        for path in paths {
            let path = path.map_err(|error| Error::Read {
                file: error.path().to_owned(),
                remedy: format!("make it readable, or leave it out of {}", self.key),
                cause: error.into(),
            })?;
            if !path.is_file() {
                continue;
            }
            let relative = self.inside(&path)?;
            if excluded
                .iter()
                .any(|pattern| pattern.matches_path(relative))
            {
                continue;
            }
            // What a pattern finds is below its prefix.
            let Ok(name) = path.strip_prefix(prefix) else {
                continue;
            };
            self.add(&folder.join(name), path.clone())?;
        }
        Ok(())
    }

    /// The path relative to the manifest's folder, in which it has to be.
    fn inside<'p>(&self, path: &'p Path) -> Result<&'p Path, Error> {
        path.strip_prefix(self.root).or_else(|_| {
            let reason = format!("{} is outside of the application's folder", path.display());
            self.fail(reason, "copy it into the folder")
        })
    }

    fn add(&mut self, seen: &Path, path: PathBuf) -> Result<(), Error> {
        self.inside(&path)?;
        self.found += 1;
        let mut guest = PathBuf::new();
        for part in seen.components() {
            let inside = match part {
                Part::Normal(name) => {
                    guest.push(name);
                    true
                }
                Part::CurDir => true,
                Part::ParentDir => guest.pop(),
                Part::RootDir | Part::Prefix(_) => {
                    return self.fail(
                        format!("{} is absolute", seen.display()),
                        "write it relative to the manifest",
                    );
                }
            };
            if !inside {
                let reason = format!(
                    "{} is above the component's root, so it can't be seen",
                    seen.display()
                );
                self.warn(reason, "use { source = \"…\", destination = \"/…\" }");
                return Ok(());
            }
        }
        self.files.files.insert(guest, path);
        Ok(())
    }
}
