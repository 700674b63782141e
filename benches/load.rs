//! Load from a second program, so that the client's cost is the same for all that are compared.

use std::process::Command;

use anyhow::{Context as _, bail, ensure};

/// What a round found.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    /// Answers a second.
    pub rate: f64,
    /// The 99th percentile of the latency, in milliseconds.
    pub p99: f64,
}

/// A program that makes load.
#[derive(Debug, Clone, Copy)]
pub enum Tool {
    /// <https://github.com/wg/wrk>, which takes the least from the machine.
    Wrk,
    /// <https://github.com/hatoo/oha>, `cargo install oha`.
    Oha,
}

impl Tool {
    /// The first of the tools that is installed.
    ///
    /// # Errors
    /// When there is none.
    pub fn find() -> anyhow::Result<Self> {
        let installed = |name: &str| Command::new(name).arg("--version").output().is_ok();
        if installed("wrk") {
            Ok(Self::Wrk)
        } else if installed("oha") {
            Ok(Self::Oha)
        } else {
            bail!(
                "neither wrk nor oha is installed: use your system's package of wrk, or `cargo install oha`"
            )
        }
    }

    /// Sends `GET url` over `connections` kept-alive connections for `seconds`.
    ///
    /// # Errors
    /// When the tool fails, when an answer was no 2xx, or when the output can't be read.
    pub fn run(self, url: &str, connections: u32, seconds: u32) -> anyhow::Result<Found> {
        match self {
            Self::Wrk => wrk(url, connections, seconds),
            Self::Oha => oha(url, connections, seconds),
        }
    }
}

fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn wrk(url: &str, connections: u32, seconds: u32) -> anyhow::Result<Found> {
    let text = output(
        Command::new("wrk")
            .args(["-t2", "--latency"])
            .arg(format!("-c{connections}"))
            .arg(format!("-d{seconds}s"))
            .arg(url),
    )?;
    ensure!(
        !text.contains("Non-2xx"),
        "some answers were no success:\n{text}"
    );
    let after = |label: &str| {
        text.lines()
            .find_map(|line| line.trim().strip_prefix(label))
            .map(str::trim)
            .with_context(|| format!("no {label} in:\n{text}"))
    };
    Ok(Found {
        rate: after("Requests/sec:")?
            .parse()
            .context("a rate that is no number")?,
        p99: milliseconds(after("99%")?)?,
    })
}

/// wrk writes `812.00us`, `3.10ms` or `1.02s`.
fn milliseconds(text: &str) -> anyhow::Result<f64> {
    let units = [("us", 0.001), ("ms", 1.0), ("s", 1000.0)];
    let (number, factor) = units
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))
        .with_context(|| format!("{text:?} is no time"))?;
    Ok(number
        .parse::<f64>()
        .with_context(|| format!("{text:?} is no time"))?
        * factor)
}

fn oha(url: &str, connections: u32, seconds: u32) -> anyhow::Result<Found> {
    let text = output(
        Command::new("oha")
            .args(["--no-tui", "--output-format", "json"])
            .arg(format!("-c{connections}"))
            .arg(format!("-z{seconds}s"))
            .arg(url),
    )?;
    let report: serde_json::Value = serde_json::from_str(&text).context("oha wrote no JSON")?;
    let number = |pointer: &str| {
        report
            .pointer(pointer)
            .and_then(serde_json::Value::as_f64)
            .with_context(|| format!("no {pointer} in:\n{text}"))
    };
    let failed = report["statusCodeDistribution"]
        .as_object()
        .is_none_or(|codes| codes.keys().any(|code| !code.starts_with('2')));
    ensure!(!failed, "some answers were no success:\n{text}");
    Ok(Found {
        rate: number("/summary/requestsPerSec")?,
        p99: number("/latencyPercentiles/p99")? * 1000.0,
    })
}
