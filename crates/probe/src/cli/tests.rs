//! What the flags stand for, and what is said of those that make no sense.

use super::*;

fn parse(arguments: &[&str]) -> anyhow::Result<Job> {
    Job::of(["spinfo-probe"].iter().chain(arguments).map(OsString::from))
}

fn job(arguments: &[&str]) -> Job {
    parse(arguments).unwrap()
}

fn error(arguments: &[&str]) -> String {
    let error = parse(arguments).err().expect("an error");
    format!("{error:#}")
}

#[test]
fn the_flags_are_consistent() {
    <Cli as clap::CommandFactory>::command().debug_assert();
}

#[test]
fn a_url_is_enough() {
    let job = job(&["http://127.0.0.1:3000"]);
    assert_eq!(job.settings.timeout, Duration::from_secs(10));
    assert_eq!(job.settings.max_redirects, 10);
    assert_eq!(job.settings.max_body, 1_048_576);
    let clock = job.settings.clock.unwrap();
    assert_eq!((clock.path.as_str(), clock.samples.get()), ("/now", 8));
    assert_eq!(job.output.format, Format::Line);
    let agent = job.connection.user_agent.unwrap();
    assert!(agent.to_str().unwrap().starts_with("spinfo-probe/"));
}

#[test]
fn ranges_may_begin_with_a_sign_or_a_tilde() {
    let job = job(&["http://h", "-w", "~:2", "-c", "-1:5", "--no-clock"]);
    assert!(job.settings.warning.unwrap().alerts(3.0));
    assert!(job.settings.critical.unwrap().alerts(6.0));
    assert!(job.settings.clock.is_none());
}

#[test]
fn errors_say_what_to_write() {
    for (arguments, expected) in [
        (&["http://h", "--timeout", "10"][..], "30s"),
        (&["http://h", "--timeout", "0s"], "at least 1ms"),
        (&["http://h", "--timeout", "1000years"], "at most a day"),
        (&["http://h", "--time-path", "now"], "/now"),
        (&["http://h", "--time-path", "//evil/now"], "/now"),
        (&["http://h", "-w", "2:1"], "smaller end"),
        (&["http://h", "--expect-status", "2"], "200-299"),
        (&["http://h", "--samples", "0"], "zero"),
        (&["http://h", "--expect-body", "("], "unclosed"),
        (&[], "required"),
    ] {
        let text = error(arguments);
        assert!(text.contains(expected), "{arguments:?}: {text}");
    }
}

#[test]
fn what_may_be_a_secret_is_not_repeated() {
    for arguments in [
        &["http://h", "http://me:hunter2@h"][..],
        &["http://h", "Authorization: hunter2"],
        &["ftp://me:hunter2@h"],
        &["http://h", "-H", "hunter2"],
        &["http://h", "-H", "Authorization: hunter2\u{1}"],
        &["http://h", "--proxy", "socks5://me:hunter2@h"],
    ] {
        let text = error(arguments);
        assert!(!text.contains("hunter2"), "{text}");
    }
}
