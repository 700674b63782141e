//! Files whose change asks for a reload.
//!
//! They are polled twice a second. The system's notifications differ on every system, don't come from bind mounts of
//! containers on macOS and Windows nor from network folders, and must be set up again whenever a tool replaces a file or a
//! Kubernetes volume its symbolic link. A look at ten files takes microseconds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use spinfo_manifest::{Application, MANIFEST_FILE};
use tokio::sync::Notify;

/// Between two looks. Files that differ from one look to the next are still being written, so a reload begins one to two
/// intervals after the last change.
const INTERVAL: Duration = Duration::from_millis(500);

/// When a file was changed and how long it is; `None` for one that is not there.
type Stamp = Option<(SystemTime, u64)>;

/// The files of an application.
pub(crate) struct Watch {
    manifest: PathBuf,
    others: Vec<PathBuf>,
    /// The manifest as it was when it could last be read, which says what other files there are.
    application: Option<(Stamp, Application)>,
    changes: Changes,
}

impl Watch {
    /// Looks at the manifest, at what it names and at `others` for the first time: later changes count.
    pub(crate) fn new(from: &Path, others: Vec<PathBuf>) -> Self {
        let manifest = if from.is_dir() {
            from.join(MANIFEST_FILE)
        } else {
            from.to_owned()
        };
        let mut watch = Self {
            manifest,
            others,
            application: None,
            changes: Changes::default(),
        };
        watch.changes = Changes::since(watch.look());
        watch
    }

    /// Asks for a reload whenever files have changed and are still again, until the future is dropped.
    pub(crate) async fn run(mut self, asked: Arc<Notify>) {
        loop {
            tokio::time::sleep(INTERVAL).await;
            let looked = tokio::task::spawn_blocking(move || {
                let seen = self.look();
                (self, seen)
            });
            // A look cannot panic; if it did, there would be nothing left to look with.
            let Ok((watch, seen)) = looked.await else {
                return;
            };
            self = watch;
            if let Some(file) = self.changes.settled(seen) {
                tracing::info!(file = %file.display(), "a watched file has changed: reloading");
                asked.notify_one();
            }
        }
    }

    fn look(&mut self) -> BTreeMap<PathBuf, Stamp> {
        let manifest = stamp(&self.manifest);
        if self
            .application
            .as_ref()
            .is_none_or(|(read, _)| *read != manifest)
            && let Ok(application) = Application::load(&self.manifest)
        {
            self.application = Some((manifest, application));
        }
        let mut files: Vec<PathBuf> = self.others.clone();
        if let Some((_, application)) = &self.application {
            for component in application.components.values() {
                files.push(component.source.clone());
                // A file that is missing is the reload's to report, when another change asks for one.
                if let Ok(found) = application.files(component) {
                    files.extend(found.files.into_values());
                }
            }
        }
        let mut seen: BTreeMap<_, _> = files
            .into_iter()
            .map(|file| {
                let stamp = stamp(&file);
                (file, stamp)
            })
            .collect();
        seen.insert(self.manifest.clone(), manifest);
        seen
    }
}

fn stamp(file: &Path) -> Stamp {
    let found = std::fs::metadata(file).ok()?;
    Some((found.modified().ok()?, found.len()))
}

/// Tells a change that is complete from one that goes on.
#[derive(Default)]
struct Changes {
    /// What was there at the last reload.
    reloaded: BTreeMap<PathBuf, Stamp>,
    /// What was there at the last look.
    last: BTreeMap<PathBuf, Stamp>,
}

impl Changes {
    fn since(first: BTreeMap<PathBuf, Stamp>) -> Self {
        Self {
            reloaded: first.clone(),
            last: first,
        }
    }

    /// One of the files that changed, when they are as they were at the look before.
    fn settled(&mut self, now: BTreeMap<PathBuf, Stamp>) -> Option<PathBuf> {
        if now != self.last {
            self.last = now;
            return None;
        }
        let changed = now
            .iter()
            .find(|(file, stamp)| self.reloaded.get(*file) != Some(*stamp))
            .or_else(|| {
                self.reloaded
                    .iter()
                    .find(|(file, _)| !now.contains_key(*file))
            })
            .map(|(file, _)| file.clone())?;
        self.reloaded = now;
        Some(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(files: &[(&str, u64)]) -> BTreeMap<PathBuf, Stamp> {
        let files = files
            .iter()
            .map(|(file, length)| ((*file).into(), Some((SystemTime::UNIX_EPOCH, *length))));
        files.collect()
    }

    #[test]
    fn a_change_counts_once_and_only_when_it_is_over() {
        let mut changes = Changes::since(seen(&[("a", 1), ("b", 1)]));
        assert_eq!(changes.settled(seen(&[("a", 1), ("b", 1)])), None);
        assert_eq!(changes.settled(seen(&[("a", 1), ("b", 2)])), None);
        assert_eq!(changes.settled(seen(&[("a", 1), ("b", 3)])), None);
        assert_eq!(
            changes.settled(seen(&[("a", 1), ("b", 3)])),
            Some("b".into())
        );
        assert_eq!(changes.settled(seen(&[("a", 1), ("b", 3)])), None);
        // One that goes away is a change too; one that comes back as it was is none.
        assert_eq!(changes.settled(seen(&[("a", 1)])), None);
        assert_eq!(changes.settled(seen(&[("a", 1), ("b", 3)])), None);
        assert_eq!(changes.settled(seen(&[("a", 1), ("b", 3)])), None);
        assert_eq!(changes.settled(seen(&[("a", 1)])), None);
        assert_eq!(changes.settled(seen(&[("a", 1)])), Some("b".into()));
    }

    #[test]
    fn what_a_manifest_names_is_watched_as_soon_as_it_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let manifest = |source: &str| {
            format!(
                "spin_manifest_version = 2\n[application]\nname = \"a\"\n\
                 [[trigger.http]]\nroute = \"/\"\ncomponent = \"a\"\n\
                 [component.a]\nsource = \"{source}\"\nfiles = [\"*.txt\"]\n"
            )
        };
        write("spin.toml", &manifest("one.wasm"));
        write("x.txt", "");
        let mut watch = Watch::new(folder.path(), vec![folder.path().join("other")]);
        let mut names = || -> Vec<_> {
            let seen = watch.look();
            let name = |file: &PathBuf| file.file_name().unwrap().to_string_lossy().into_owned();
            seen.keys().map(name).collect()
        };
        assert_eq!(names(), ["one.wasm", "other", "spin.toml", "x.txt"]);
        write("y.txt", "");
        write("spin.toml", &manifest("another.wasm"));
        assert_eq!(
            names(),
            ["another.wasm", "other", "spin.toml", "x.txt", "y.txt"]
        );
        // What it named last goes on being watched.
        write("spin.toml", "broken");
        assert_eq!(
            names(),
            ["another.wasm", "other", "spin.toml", "x.txt", "y.txt"]
        );
    }
}
