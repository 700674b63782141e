//! A file for the textfile collector of node_exporter, with blackbox_exporter's names for what both measure.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use spinfo_names::attribute;
use spinfo_telemetry::metrics::gauges;

use crate::check::Outcome;
use crate::measurement;

/// Why the file is not the latest.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// A device, a pipe or a folder, which a rename would destroy.
    #[error("--prometheus: {0} is not a regular file")]
    Kind(PathBuf),
    /// No file can be made beside it.
    #[error(
        "cannot write to the folder {folder}: give --prometheus a file in a folder that this user may write to"
    )]
    Folder {
        folder: PathBuf,
        #[source]
        source: std::io::Error,
    },
    /// The new file cannot take its place.
    #[error("cannot replace {file}")]
    Replace {
        file: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

/// Writes the outcome to `file`, or to what it is a link to. A reader sees the whole old file or the whole new one.
pub(crate) fn write(outcome: &Outcome, url: &str, file: &Path) -> Result<(), WriteError> {
    if std::fs::metadata(file).is_ok_and(|found| !found.is_file()) {
        return Err(WriteError::Kind(file.to_owned()));
    }
    let file = &std::fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // In the same folder, for a rename stays within a file system. The collector reads only names that end in .prom.
    let mut builder = tempfile::Builder::new();
    builder.prefix(".spinfo-probe-").suffix(".tmp");
    let make = || -> std::io::Result<tempfile::NamedTempFile> {
        let mut made = builder.tempfile_in(folder)?;
        made.write_all(text(outcome, url).as_bytes())?;
        readable_by_all(made.as_file())?;
        // Without this a crash of the machine may leave the name with nothing behind it.
        made.as_file().sync_all()?;
        Ok(made)
    };
    let made = make().map_err(|source| WriteError::Folder {
        folder: folder.to_owned(),
        source,
    })?;
    made.persist(file).map_err(|error| WriteError::Replace {
        file: file.to_owned(),
        source: error.error,
    })?;
    Ok(())
}

/// The collector runs as another user. A temporary file is its owner's alone, whatever the umask.
fn readable_by_all(file: &std::fs::File) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(std::fs::Permissions::from_mode(0o644))
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        Ok(())
    }
}

/// The metrics of one check.
fn text(outcome: &Outcome, url: &str) -> String {
    gauges(measurement::ALL.iter().filter_map(|measurement| {
        let (metric, phase) = measurement.metric?;
        let phase = phase.map(|phase| (attribute::PHASE.key, phase.as_str().to_owned()));
        let url = (attribute::URL_FULL.key, url.to_owned());
        let labels = phase.into_iter().chain([url]).collect();
        Some((metric, labels, (measurement.value)(outcome)?))
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::check::tests::outcome;

    #[test]
    fn what_was_not_measured_has_no_sample() {
        let mut outcome = outcome();
        outcome.http = None;
        outcome.certificate = None;
        outcome.clock = None;
        let page = text(&outcome, "http://h/");
        let samples: Vec<_> = page.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            samples,
            [
                r#"probe_success{url_full="http://h/"} 1.0"#,
                r#"probe_duration_seconds{url_full="http://h/"} 0.0031"#,
            ]
        );
    }

    #[test]
    fn every_sample_has_its_help_its_type_and_the_url() {
        let page = text(&outcome(), r#"http://h/"\"#);
        let mut family = "";
        for line in page.lines().filter(|line| *line != "# EOF") {
            if let Some(kind) = line.strip_prefix("# TYPE ") {
                family = kind.strip_suffix(" gauge").unwrap();
                assert_eq!(page.matches(&format!("# TYPE {family} ")).count(), 1);
            } else if let Some(help) = line.strip_prefix("# HELP ") {
                assert!(help.starts_with(family) && help.ends_with('.'), "{help}");
            } else if !line.starts_with("# UNIT ") {
                assert!(line.starts_with(&format!("{family}{{")), "{line}");
                assert!(line.contains(r#"url_full="http://h/\"\\"}"#), "{line}");
                let value = line.rsplit_once(' ').unwrap().1;
                assert!(value.parse::<f64>().unwrap().is_finite(), "{line}");
            }
        }
        for expected in [
            "probe_http_version{url_full=",
            r#"probe_http_duration_seconds{phase="tls",url_full="#,
            "probe_ssl_earliest_cert_expiry{url_full=",
            "spinfo_probe_clock_error_bound_seconds{url_full=",
        ] {
            assert!(page.contains(expected), "{expected} in {page}");
        }
    }

    #[test]
    fn a_reader_never_sees_half_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("spinfo.prom");
        let outcome = outcome();
        // Two pages of different lengths take turns.
        let (short, long) = (
            "http://h/".to_owned(),
            format!("http://h/{}", "x".repeat(20_000)),
        );
        let pages = [text(&outcome, &short), text(&outcome, &long)];
        write(&outcome, &short, &file).unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|threads| {
            threads.spawn(|| {
                for turn in 0..200 {
                    let url = if turn % 2 == 0 { &long } else { &short };
                    write(&outcome, url, &file).unwrap();
                }
                done.store(true, Ordering::Release);
            });
            let mut reads = 0;
            while !done.load(Ordering::Acquire) || reads == 0 {
                let seen = std::fs::read_to_string(&file).unwrap();
                assert!(pages.contains(&seen), "{seen}");
                reads += 1;
            }
        });
        let left = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 1, "temporary files are gone");
    }

    #[cfg(unix)]
    #[test]
    fn everybody_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("spinfo.prom");
        write(&outcome(), "http://h/", &file).unwrap();
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let error = write(&outcome(), "http://h/", &missing.join("a.prom")).unwrap_err();
        assert!(
            error.to_string().contains(&*missing.to_string_lossy()),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn only_files_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        for other in [Path::new("/dev/full"), folder.path()] {
            let error = write(&outcome(), "http://h/", other).unwrap_err();
            assert!(error.to_string().contains("not a regular file"), "{error}");
        }
        let (file, link) = (
            folder.path().join("a.prom"),
            folder.path().join("link.prom"),
        );
        std::fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write(&outcome(), "http://h/", &link).unwrap();
        assert!(link.is_symlink() && !file.is_symlink());
        assert!(
            std::fs::read_to_string(&file)
                .unwrap()
                .contains("probe_success")
        );
    }
}
