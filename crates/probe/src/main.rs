//! `spinfo-probe`: is it up, and is its clock right?

use std::process::ExitCode;

fn main() -> ExitCode {
    spinfo_probe::main()
}
