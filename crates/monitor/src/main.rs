//! `spinfo-monitor`: requests a status endpoint again and again, and reports.

use std::process::ExitCode;

fn main() -> ExitCode {
    spinfo_monitor::main()
}
