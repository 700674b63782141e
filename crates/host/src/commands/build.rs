//! `spinfo build`: runs the components' build commands, as `spin build` does.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail, ensure};
use spinfo_manifest::{Application, Build, Component};

use super::say;

/// Builds the components of the application at `from`: all, or those named.
///
/// # Errors
/// Names the components and the command that failed.
pub(crate) fn run(from: &Path, only: &[String]) -> anyhow::Result<()> {
    let application = Application::load(from)?;
    for id in only {
        ensure!(
            application.components.contains_key(id),
            "{} has no component {id:?}",
            application.file.display()
        );
    }
    let mut builds: Vec<(&Build, Vec<&str>)> = Vec::new();
    let chosen = |component: &&Component| only.is_empty() || only.contains(&component.id);
    for component in application.components.values().filter(chosen) {
        let id = &*component.id;
        match &component.build {
            // What several components have in common builds all of them.
            Some(build) => match builds.iter_mut().find(|(known, _)| is_same(known, build)) {
                Some((_, components)) => components.push(id),
                None => builds.push((build, vec![id])),
            },
            None if only.is_empty() => {}
            None => bail!("component {id:?} has no [component.{id}.build]"),
        }
    }
    let mut checked = HashSet::new();
    for (build, components) in builds {
        let quoted: Vec<_> = components.iter().map(|id| format!("{id:?}")).collect();
        run_commands(&application, build, &quoted.join(", "), &mut checked)?;
    }
    Ok(())
}

fn is_same(one: &Build, other: &Build) -> bool {
    (&one.commands, &one.workdir) == (&other.commands, &other.workdir)
}

fn run_commands(
    application: &Application,
    build: &Build,
    components: &str,
    checked: &mut HashSet<String>,
) -> anyhow::Result<()> {
    let folder = match &build.workdir {
        Some(workdir) => application.base_dir.join(workdir),
        None => application.base_dir.clone(),
    };
    for command in &build.commands {
        say(format_args!("Building {components} with `{command}`"));
        if let Some(target) =
            wanted_target(command).filter(|target| checked.insert((*target).to_owned()))
        {
            add_if_missing(target, &folder);
        }
        let status = shell(command)
            .current_dir(&folder)
            .status()
            .with_context(|| {
                format!(
                    "building {components}: cannot run `{command}` in {}",
                    folder.display()
                )
            })?;
        ensure!(
            status.success(),
            "building {components}: `{command}` failed ({status})"
        );
    }
    Ok(())
}

/// Build commands are lines for the platform's shell.
fn shell(command: &str) -> Command {
    let (program, flag) = if cfg!(windows) {
        ("cmd", "/C")
    } else {
        ("sh", "-c")
    };
    let mut shell = Command::new(program);
    shell.arg(flag).arg(command);
    shell
}

/// Lets rustup fetch a target, which it does not do by itself everywhere. Without rustup the command itself says what is
/// missing.
fn add_if_missing(target: &str, folder: &Path) {
    let installed = Command::new("rustup")
        .args(["target", "list", "--installed"])
        .current_dir(folder)
        .output();
    let missing = installed.is_ok_and(|output| {
        output.status.success()
            && !String::from_utf8_lossy(&output.stdout)
                .lines()
                .any(|line| line.trim() == target)
    });
    if missing {
        say(format_args!("Adding the target {target}"));
        // A failure shows in rustup's own output, and again in the command's.
        let _ = Command::new("rustup")
            .args(["target", "add", target])
            .current_dir(folder)
            .status();
    }
}

/// The WebAssembly target that a cargo command asks for.
fn wanted_target(command: &str) -> Option<&str> {
    let mut words = command.split_whitespace();
    if words.next() != Some("cargo") {
        return None;
    }
    while let Some(word) = words.next() {
        let target = match word.strip_prefix("--target") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('='),
            None => None,
        };
        if let Some(target) = target.filter(|target| target.starts_with("wasm32-")) {
            return Some(target);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::wanted_target;

    #[test]
    fn finds_the_target_of_a_cargo_command() {
        assert_eq!(
            wanted_target("cargo build --target wasm32-wasip2 --release"),
            Some("wasm32-wasip2")
        );
        assert_eq!(
            wanted_target("cargo build --target-dir target --target=wasm32-wasip1"),
            Some("wasm32-wasip1")
        );
        for other in [
            "cargo build",
            "cargo build --target x86_64-unknown-linux-gnu",
            "npm run build --target wasm32-wasip2",
            "cargo build --target",
        ] {
            assert_eq!(wanted_target(other), None, "{other}");
        }
    }
}
