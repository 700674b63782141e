//! What is shown where.

use crate::program::{command, run};
use crate::server::{Server, answer};

#[test]
fn lines_are_for_people_and_json_for_programs() {
    let server = Server::start(|_| answer(200, ""));
    let url = server.url();
    let ended = run(&[&url, "-n", "2", "-i", "20ms", "--output", "lines"]);
    assert_eq!(ended.stdout.len(), 2, "{:?}", ended.stdout);
    assert!(
        ended
            .stdout
            .iter()
            .all(|line| line.contains("/status 200 ") && !line.contains('\u{1b}')),
        "{:?}",
        ended.stdout
    );
    assert!(
        ended.stderr.contains(&format!("{url}: 2 requests")),
        "{}",
        ended.stderr
    );

    let ended = run(&[&url, "-n", "1", "-i", "20ms"]);
    let kinds: Vec<_> = ["request", "change", "summary"]
        .map(|kind| ended.of_kind(kind).len())
        .into();
    assert_eq!(kinds, [1, 0, 1]);
}

#[test]
fn the_man_page_and_completions_come_from_the_flags() {
    for (what, expected) in [
        ("man", ".TH spinfo-monitor 1"),
        ("bash", "--change-interval"),
        ("fish", "change-interval"),
    ] {
        let ended = run(&["--generate", what]);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        assert!(ended.stdout.join("\n").contains(expected), "{what}");
    }
    // Even where a variable stands for a flag.
    let output = command(&["--generate", "man"], &[("SPINFO_LOG", "debug")])
        .output()
        .unwrap();
    assert!(output.status.success());
}
