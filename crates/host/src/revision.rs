//! Which version of an application this is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

/// Hexadecimal digits of the digest that people get to see. Enough to tell the versions of one application apart.
const SHORT: usize = 12;

/// SHA-256 over all that makes an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AppDigest([u8; 32]);

/// SHA-256 of one file.
pub(crate) type FileDigest = [u8; 32];

impl AppDigest {
    /// Over the manifest's text and each component's code and files. Variables and the runtime configuration are not part
    /// of it: they belong to a machine, and the digest is to be the same on every replica.
    pub(crate) fn new(manifest: &[u8], components: &BTreeMap<Arc<str>, FileDigest>) -> Self {
        let mut all = Sha256::new();
        all.update(Sha256::digest(manifest));
        for (id, component) in components {
            // An id has no zero byte, so no two sets of components have the same bytes.
            all.update(id.as_bytes());
            all.update([0]);
            all.update(component);
        }
        Self(all.finalize().into())
    }

    fn hex(&self) -> String {
        hex(&self.0)
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Over a component's code and the files that it can read, by the paths under which it sees them.
///
/// # Errors
/// When a file can't be read.
pub(crate) fn component_digest<'a>(
    wasm: &[u8],
    files: impl Iterator<Item = (&'a Path, &'a Path)>,
) -> std::io::Result<FileDigest> {
    let mut all = Sha256::new();
    all.update(Sha256::digest(wasm));
    for (seen, source) in files {
        let mut file = Sha256::new();
        std::io::copy(&mut std::fs::File::open(source)?, &mut file)?;
        for part in seen.iter() {
            // The same on systems that write paths in another way.
            all.update(part.to_string_lossy().as_bytes());
            all.update(b"/");
        }
        all.update([0]);
        all.update(file.finalize());
    }
    Ok(all.finalize().into())
}

/// What is loaded, by number and by content.
#[derive(Debug)]
pub(crate) struct Revision {
    /// Counts what this process has loaded, from 1.
    pub(crate) generation: u64,
    /// The whole digest, as `sha256:` and 64 digits.
    pub(crate) digest: String,
    /// The digest's first digits.
    pub(crate) short: Arc<str>,
}

impl Revision {
    pub(crate) fn new(generation: u64, digest: AppDigest) -> Self {
        let digits = digest.hex();
        Self {
            generation,
            short: digits[..SHORT].into(),
            digest: format!("sha256:{digits}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(manifest: &str, components: &[(&str, FileDigest)]) -> AppDigest {
        let components = components
            .iter()
            .map(|(id, digest)| ((*id).into(), *digest));
        AppDigest::new(manifest.as_bytes(), &components.collect())
    }

    #[test]
    fn whatever_changes_is_another_revision_and_what_does_not_is_the_same() {
        let one = of("text", &[("a", [1; 32]), ("b", [2; 32])]);
        assert_eq!(one, of("text", &[("b", [2; 32]), ("a", [1; 32])]));
        for other in [
            of("other", &[("a", [1; 32]), ("b", [2; 32])]),
            of("text", &[("a", [1; 32]), ("b", [3; 32])]),
            of("text", &[("a", [1; 32]), ("c", [2; 32])]),
            of("text", &[("a", [1; 32])]),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn a_file_counts_by_its_content_and_by_the_path_that_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let digest = |wasm: &[u8], seen: &str, content: &str| {
            let file = folder.path().join("file");
            std::fs::write(&file, content).unwrap();
            component_digest(wasm, [(Path::new(seen), file.as_path())].into_iter()).unwrap()
        };
        let one = digest(b"wasm", "a.txt", "text");
        assert_eq!(one, digest(b"wasm", "a.txt", "text"));
        assert_ne!(one, digest(b"wasm", "b.txt", "text"));
        assert_ne!(one, digest(b"wasm", "a.txt", "more"));
        assert_ne!(one, digest(b"code", "a.txt", "text"));
        let missing = folder.path().join("none");
        assert!(component_digest(b"", [(Path::new(""), missing.as_path())].into_iter()).is_err());
    }

    #[test]
    fn people_see_the_first_digits() {
        let revision = Revision::new(3, AppDigest([0xab; 32]));
        assert_eq!((revision.generation, &*revision.short), (3, "abababababab"));
        assert_eq!(revision.digest.len(), "sha256:".len() + 64);
    }
}
