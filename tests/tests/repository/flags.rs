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
const OTHERS: &str = r"\b(aws|cargo|cosign|curl|docker|gh|git|kubectl|openssl|prometheus|promtool|redis-cli|rustup|spin|syft|valkey-cli|wget|wrk|wasmtime|systemctl|journalctl|npm|pip|jq|otelcol)\b";

#[test]
fn pages_name_flags_that_exist() {
    let flag = Regex::new(r"--[a-z][a-z0-9.]*(?:-[a-z0-9.]+)*").unwrap();
    let code = Regex::new(r"`[^`]+`").unwrap();
    let others = Regex::new(OTHERS).unwrap();
    let known: BTreeSet<String> = flag
        .find_iter(&references())
        .map(|found| found.as_str().to_owned())
        .chain(["--help", "--version", "--generate"].map(str::to_owned))
        .collect();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in below(".", ".md") {
        let text = read(&path);
        let mut fenced = false;
        for (number, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            }
            let parts: Vec<&str> = if fenced {
                vec![line]
            } else {
                code.find_iter(line).map(|found| found.as_str()).collect()
            };
            for part in parts {
                // A command of another program, up to what is ours in it: `cargo up --listen …` has both.
                if others.is_match(part) {
                    continue;
                }
                for found in flag.find_iter(part) {
                    seen += 1;
                    if !known.contains(found.as_str()) {
                        wrong.push(format!("{path}:{}: {}", number + 1, found.as_str()));
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
