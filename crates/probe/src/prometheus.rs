//! A file for the textfile collector of node_exporter, with blackbox_exporter's names for what both measure (Prometheus text format 0.0.4).

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use http::Version;

use crate::check::{Http, Outcome};
use crate::timestamp::{seconds_between, unix_seconds};

/// Why the file is not the latest.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
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

/// Writes the outcome to `file`. A reader sees the whole old file or the whole new one.
pub(crate) fn write(outcome: &Outcome, url: &str, file: &Path) -> Result<(), WriteError> {
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
    let mut page = Page {
        text: String::new(),
        url: escaped(url),
    };
    page.gauge(
        "probe_success",
        "Whether the server works: 0 when a finding is critical. A clock or anything else that is unknown does not make it 0.",
        f64::from(u8::from(outcome.is_success())),
    );
    page.gauge(
        "probe_duration_seconds",
        "How long the HTTP check took, with redirects, without the measurement of the clock.",
        outcome.time.as_secs_f64(),
    );
    if let Some(http) = &outcome.http {
        answer(&mut page, http);
    }
    if let Some(failed) = outcome.body_mismatch {
        page.gauge(
            "probe_failed_due_to_regex",
            "Whether the body is not the one that was expected.",
            f64::from(u8::from(failed)),
        );
    }
    if let Some(seen) = &outcome.certificate {
        page.gauge(
            "probe_ssl_earliest_cert_expiry",
            "When the first certificate of the chain expires, in seconds since 1970.",
            unix_seconds(seen.not_after),
        );
        page.gauge(
            "spinfo_probe_ssl_earliest_cert_lifetime_seconds",
            "How long that certificate is valid in all.",
            seconds_between(seen.not_before, seen.not_after),
        );
    }
    if let Some(clock) = &outcome.clock {
        page.gauge(
            "spinfo_probe_clock_offset_seconds",
            "How far the server's clock is ahead of the probe's.",
            clock.offset,
        );
        page.gauge(
            "spinfo_probe_clock_error_bound_seconds",
            "The true offset is at most this far from the measured one.",
            clock.bound,
        );
    }
    page.text
}

fn answer(page: &mut Page, http: &Http) {
    let phases = &http.phases;
    page.gauge(
        "probe_dns_lookup_time_seconds",
        "How long looking up addresses took.",
        phases.resolve.as_secs_f64(),
    );
    page.head(
        "probe_http_duration_seconds",
        "How long each phase of the requests took, added up over redirects.",
    );
    let times = [
        ("resolve", Some(phases.resolve)),
        ("connect", Some(phases.connect)),
        ("tls", phases.tls),
        ("processing", Some(phases.processing)),
        ("transfer", Some(phases.transfer)),
    ];
    for (phase, time) in times {
        if let Some(time) = time {
            page.sample(
                "probe_http_duration_seconds",
                &format!("phase=\"{phase}\","),
                time.as_secs_f64(),
            );
        }
    }
    page.gauge(
        "probe_http_status_code",
        "Status of the last answer.",
        f64::from(http.status.as_u16()),
    );
    if let Some(version) = version(http.version) {
        page.gauge(
            "probe_http_version",
            "Version of HTTP of the last answer.",
            version,
        );
    }
    page.gauge(
        "probe_http_ssl",
        "Whether the last answer came over TLS.",
        f64::from(u8::from(http.tls)),
    );
    page.gauge(
        "probe_http_redirects",
        "How many redirects were followed.",
        f64::from(http.redirects),
    );
    if let Some(length) = http.content_length {
        page.gauge(
            "probe_http_content_length",
            "Length of the body as the last answer's head has it, in bytes.",
            exact(length),
        );
    }
    page.gauge(
        "probe_http_uncompressed_body_length",
        "Length of the body that came, in bytes.",
        exact(http.size),
    );
    page.gauge(
        "probe_ip_protocol",
        "4 or 6, for the version of IP of the last connection.",
        if http.peer.is_ipv4() { 4.0 } else { 6.0 },
    );
}

fn version(version: Version) -> Option<f64> {
    match version {
        Version::HTTP_10 => Some(1.0),
        Version::HTTP_11 => Some(1.1),
        Version::HTTP_2 => Some(2.0),
        _ => None,
    }
}

/// Samples are 64-bit floats by definition of the format. Lengths of bodies are far below the 2^53 up to which this is exact.
fn exact(bytes: u64) -> f64 {
    bytes as f64
}

struct Page {
    text: String,
    url: String,
}

impl Page {
    fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.head(name, help);
        self.sample(name, "", value);
    }

    fn head(&mut self, name: &str, help: &str) {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} gauge");
    }

    /// `labels` are complete and end in a comma, or are none.
    fn sample(&mut self, name: &str, labels: &str, value: f64) {
        let _ = writeln!(
            self.text,
            "{name}{{{labels}url_full=\"{}\"}} {value}",
            self.url
        );
    }
}

/// A label's value: the text format escapes these three.
fn escaped(value: &str) -> String {
    value
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('\n', r"\n")
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
                r#"probe_success{url_full="http://h/"} 1"#,
                r#"probe_duration_seconds{url_full="http://h/"} 0.0031"#,
            ]
        );
    }

    #[test]
    fn every_sample_has_its_help_its_type_and_the_url() {
        let page = text(&outcome(), r#"http://h/"\"#);
        let mut family = "";
        for line in page.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                family = help.split(' ').next().unwrap();
                assert!(help.ends_with('.'), "{help}");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                assert_eq!(kind, format!("{family} gauge"));
            } else {
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
        let error = write(&outcome(), "http://h/", folder.path().join(".").as_path()).unwrap_err();
        assert!(
            std::error::Error::source(&error).is_some(),
            "{error} has a cause"
        );
    }
}
