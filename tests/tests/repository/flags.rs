//! Flags: docs/reference.md has all of them, and no page names one that there isn't.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use regex::Regex;
use spinfo_tests::artifacts;

use crate::files::{below, made, read};

/// What a program says about its flags.
fn reference(program: PathBuf) -> String {
    let output = Command::new(program)
        .args(["--generate", "markdown"])
        .output()
        .expect("the program can be run");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("it is text")
}

fn references() -> String {
    [artifacts::host(), artifacts::probe(), artifacts::monitor()]
        .map(reference)
        .join("\n")
}

#[test]
fn the_reference_is_what_the_programs_say() {
    let intro = "# Reference\n\nEvery flag of the three programs, as `--generate markdown` prints them. A flag wins over its variable; a variable that is \
                 empty is unset.\n\n";
    made("docs/reference.md", &format!("{intro}{}", references()));
}

/// In a line that calls another program, flags are that program's.
const OTHERS: &str = r"\b(aws|cargo|cosign|curl|docker|gh|git|kubectl|openssl|prometheus|promtool|redis-cli|rustup|spin|valkey-cli|wget|tar|COPY|sha256sum|shasum|update-ca-certificates)\b";

/// Flags of other programs that a sentence names by themselves.
const OF_OTHERS: [&str; 4] = [
    "--enable-feature",
    "--force-conflicts",
    "--parameter-overrides",
    "--wait",
];

#[test]
fn pages_name_flags_that_exist() {
    let flag = Regex::new(r"--[a-z][a-z0-9.]*(?:-[a-z0-9.]+)*").unwrap();
    let code = Regex::new(r"`[^`]+`").unwrap();
    let others = Regex::new(OTHERS).unwrap();
    let known: BTreeSet<String> = flag
        .find_iter(&references())
        .map(|found| found.as_str().to_owned())
        .chain(["--help", "--version"].map(str::to_owned))
        .chain(OF_OTHERS.map(str::to_owned))
        .collect();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in below(".", ".md") {
        // A command goes on after a backslash.
        let text = read(&path).replace("\\\n", " ");
        let mut fenced = false;
        for line in text.lines() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            }
            let parts: Vec<&str> = if fenced {
                vec![line]
            } else {
                code.find_iter(line).map(|found| found.as_str()).collect()
            };
            for part in parts.into_iter().filter(|part| !others.is_match(part)) {
                for found in flag.find_iter(part).map(|found| found.as_str()) {
                    seen += 1;
                    if !known.contains(found) {
                        wrong.push(format!("{path}: {found} in {line:?}"));
                    }
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "no program of ours has these flags: {wrong:#?}"
    );
    assert!(seen > 50, "{seen}");
}
