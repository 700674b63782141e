//! `cargo bench -p spinfo-benches`: the host against a native hyper server with the same answer to `GET /`, with and without telemetry.
//!
//! Machines are noisy and differ, so only ratios within one run count: the subjects take turns, and each ratio is the median over the
//! rounds. Rounds and seconds are set by `SPINFO_BENCH_ROUNDS` and `SPINFO_BENCH_SECONDS`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use spinfo_benches::load::{Found, Tool};
use spinfo_benches::native;
use spinfo_benches::subject::Subject;

const NATIVE_FLAG: &str = "--serve-natively";
const CONNECTIONS: u32 = 64;
const ROUNDS: u32 = 5;
const SECONDS: u32 = 5;

fn main() -> anyhow::Result<()> {
    if std::env::args().any(|argument| argument == NATIVE_FLAG) {
        return native::run(|address| say(&format!("Serving http://{address}")));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .context("no workspace")?
        .to_owned();
    let tool = Tool::find()?;
    let program = build(&root)?;
    let (rounds, seconds) = (
        number("SPINFO_BENCH_ROUNDS", ROUNDS)?,
        number("SPINFO_BENCH_SECONDS", SECONDS)?,
    );

    let receiver = Subject::native(NATIVE_FLAG)?;
    let subjects = [
        ("native hyper", Subject::native(NATIVE_FLAG)?),
        ("spinfo", Subject::host(&program, &root, None)?),
        (
            "spinfo, all telemetry",
            Subject::host(&program, &root, Some(&receiver.url))?,
        ),
    ];
    let mut found: Vec<Vec<Found>> = vec![Vec::new(); subjects.len()];
    for (_, subject) in &subjects {
        tool.run(&subject.url, CONNECTIONS, 1)?;
    }
    for _ in 0..rounds {
        for ((_, subject), found) in subjects.iter().zip(&mut found) {
            found.push(tool.run(&subject.url, CONNECTIONS, seconds)?);
        }
    }
    say(&format!(
        "GET / over {CONNECTIONS} connections by {tool:?}, {rounds} rounds of {seconds} s, medians\n"
    ));
    say("| server | requests/s | p99 ms | of native |");
    say("|---|---|---|---|");
    for ((name, _), rounds) in subjects.iter().zip(&found) {
        let rate = median(rounds.iter().map(|round| round.rate));
        let p99 = median(rounds.iter().map(|round| round.p99));
        let share = median(
            rounds
                .iter()
                .zip(&found[0])
                .map(|(round, native)| round.rate / native.rate),
        );
        say(&format!(
            "| {name} | {rate:.0} | {p99:.2} | {:.0} % |",
            share * 100.0
        ));
    }
    Ok(())
}

/// Builds what is shipped: the host by its `dist` profile, and the components.
fn build(root: &Path) -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "build",
            "--profile",
            "dist",
            "--package",
            "spinfo",
            "--bin",
            "spinfo",
            "--message-format",
            "json-render-diagnostics",
        ])
        .current_dir(root)
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    ensure!(output.status.success(), "the host could not be built");
    let program = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo names no program")?;
    let built = Command::new(&program)
        .args(["build", "--from"])
        .arg(root.join("spin.toml"))
        .status()
        .context("cannot run the host")?;
    ensure!(built.success(), "the components could not be built");
    Ok(program)
}

fn number(name: &str, default: u32) -> anyhow::Result<u32> {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .with_context(|| format!("{name}={text} is no number")),
        Err(_) => Ok(default),
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn say(line: &str) {
    // A reader that has gone away ends the comparison soon enough.
    let _ = writeln!(std::io::stdout(), "{line}");
}
