//! What is in an image: all files, and what kind of programs.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::docker::{Image, docker, docker_bytes};

/// `PT_INTERP` of the ELF format: the program header of a program that needs a loader.
const NEEDS_A_LOADER: u32 = 3;

/// What every image of ours holds, and what the engine puts into each container.
const EVERYWHERE: [&str; 3] = [
    "etc/group",
    "etc/passwd",
    "etc/ssl/certs/ca-certificates.crt",
];
const ENGINE: [&str; 7] = [
    ".dockerenv",
    "dev/",
    "etc/hostname",
    "etc/hosts",
    "etc/mtab",
    "etc/resolv.conf",
    "proc/",
];

/// An image holds these programs, what begins with one of these paths, and nothing else.
pub(crate) fn are(image: &Image, programs: &[&str], others: &[&str]) {
    let id = docker(["create", &image.reference]);
    let id = id.trim();
    let archive = docker_bytes(["export", id]);
    docker(["rm", id]);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let tar = folder.path().join("image.tar");
    fs::write(&tar, &archive).expect("a file can be written");
    let listed = Command::new("tar").arg("-tf").arg(&tar).output();
    let listed = String::from_utf8_lossy(&listed.expect("tar can be run").stdout).into_owned();
    let files: BTreeSet<_> = listed
        .lines()
        .filter(|path| !path.ends_with('/'))
        .filter(|path| !ENGINE.iter().any(|given| path.starts_with(given)))
        .collect();

    let is_program = |path: &str| {
        let name = path.strip_prefix("usr/local/bin/");
        name.is_some_and(|name| programs.contains(&name))
    };
    for path in &files {
        assert!(
            is_program(path)
                || EVERYWHERE.contains(path)
                || others.iter().any(|other| path.starts_with(other)),
            "{} holds {path}",
            image.reference
        );
    }
    for program in programs {
        let path = format!("usr/local/bin/{program}");
        assert!(
            files.contains(path.as_str()),
            "{} lacks {program}",
            image.reference
        );
        let unpacked = Command::new("tar")
            .arg("-xOf")
            .arg(&tar)
            .arg(&path)
            .output();
        let elf = unpacked.expect("tar can be run").stdout;
        assert!(!needs_a_loader(&elf), "{program} is not static");
    }
}

/// Whether a 64-bit little-endian ELF file, as the images are for x86-64 and AArch64, has a `PT_INTERP`.
fn needs_a_loader(elf: &[u8]) -> bool {
    let number = |at: usize, bytes: usize| {
        let bytes = &elf[at..at + bytes];
        bytes
            .iter()
            .rev()
            .fold(0, |number, byte| (number << 8) | usize::from(*byte))
    };
    assert_eq!(&elf[..6], b"\x7fELF\x02\x01", "no ELF file of that kind");
    let (headers, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    (0..count).any(|header| number(headers + header * size, 4) == NEEDS_A_LOADER as usize)
}
