//! `[component.ID]`: a WebAssembly file and what it may use.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::declaration;
use crate::document::Item;
use crate::error::{Error, Warning};
use crate::files::FileMount;
use crate::name;
use crate::outbound;
use crate::section::Section;
use crate::template::Template;

/// One component.
#[derive(Clone, Debug)]
pub struct Component {
    /// The id, as in `[component.ID]`.
    pub id: String,
    /// The WebAssembly file: as written, joined to the manifest's folder.
    pub source: PathBuf,
    /// What the file's SHA-256 must be: `sha256:` and 64 lower-case hexadecimal digits. Given by
    /// `source = { path = "….wasm", digest = "…" }`, which Spin doesn't know, or by `url = "file://…"` in place of `path`.
    pub digest: Option<String>,
    /// For people.
    pub description: String,
    /// Files the component can read.
    pub files: Vec<FileMount>,
    /// Glob patterns of files that it can't, relative to the manifest's folder.
    pub exclude_files: Vec<String>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Its variables, made of application variables.
    pub variables: BTreeMap<String, Template>,
    /// Labels of the key-value stores it may open.
    pub key_value_stores: Vec<String>,
    /// Patterns of the hosts it may send requests to; see [`AllowedHosts`](crate::AllowedHosts).
    pub allowed_outbound_hosts: Vec<Template>,
    /// How to build it.
    pub build: Option<Build>,
}

/// `[component.ID.build]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Shell commands, run one after the other.
    pub commands: Vec<String>,
    /// Where: as written, relative to the manifest's folder.
    pub workdir: Option<PathBuf>,
    /// Glob patterns of source files, relative to `workdir`.
    pub watch: Vec<String>,
}

/// What Spin knows and this crate refuses unless it is empty: key, reason, remedy.
const UNSUPPORTED: [(&str, &str, &str); 3] = [
    (
        "sqlite_databases",
        "SQLite databases are not supported",
        "keep the data in a key-value store (key_value_stores), or run the application with Spin",
    ),
    (
        "ai_models",
        "AI models are not supported",
        "call a model over HTTP, or run the application with Spin",
    ),
    (
        "dependencies",
        "component dependencies are not supported",
        "compose the component before, for example with wac, and name the result as source",
    ),
];

/// Reads the table of component `id`.
pub(crate) fn read(
    id: String,
    mut section: Section<'_>,
    base_dir: &Path,
    warnings: &mut Vec<Warning>,
) -> Result<Component, Error> {
    for (key, reason, remedy) in UNSUPPORTED {
        if let Some(item) = section.take_unadvised(key).filter(|item| !item.is_empty()) {
            return Err(item.unsupported(reason, remedy));
        }
    }
    read_without_effect(&mut section, warnings)?;
    let (source, digest) = read_source(
        section.require(
            "source",
            "give the component's .wasm file: source = \"….wasm\"",
        )?,
        base_dir,
    )?;
    let component = Component {
        id,
        source,
        digest,
        description: section.string("description")?.unwrap_or_default(),
        files: section
            .array("files")?
            .into_iter()
            .map(FileMount::read)
            .collect::<Result<_, _>>()?,
        exclude_files: section.strings("exclude_files")?,
        environment: section.string_map("environment")?.into_iter().collect(),
        variables: read_variables(&mut section)?,
        key_value_stores: read_stores(&mut section)?,
        allowed_outbound_hosts: outbound::read(&mut section, warnings)?,
        build: section.take("build").map(read_build).transpose()?,
    };
    for tool in section.entries("tool")? {
        // Spin hands these to other programs; they only have to be tables.
        tool.section()?;
    }
    section.finish()?;
    Ok(component)
}

/// Keys that mean something to Spin's other commands, but not to a run with the default profile.
fn read_without_effect(
    section: &mut Section<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<(), Error> {
    let mut warn = |item: &Item<'_>, reason: &str, remedy: &str| {
        warnings.push(Warning(*item.problem(reason, remedy)))
    };
    if let Some(item) = section.take_unadvised("targets") {
        warn(
            &item,
            "target environments are not checked",
            "check them with spin build",
        );
        item.array()?;
    }
    if let Some(item) = section.take_unadvised("dependencies_inherit_configuration") {
        warn(&item, "has no effect without dependencies", "remove it");
        item.boolean()?;
    }
    for item in section.entries("profile")? {
        warn(
            &item,
            "profiles are not selected, the default one is built and run",
            "use Spin for other profiles",
        );
        let mut profile = item.section()?;
        profile.take("source");
        profile.string_map("environment")?;
        profile.entries("dependencies")?;
        if let Some(build) = profile.take("build") {
            let mut build = build.section()?;
            build.require("command", "write command = \"…\"")?;
            build.finish()?;
        }
        profile.finish()?;
    }
    Ok(())
}

fn read_source(item: Item<'_>, base_dir: &Path) -> Result<(PathBuf, Option<String>), Error> {
    const REMEDY: &str = "download the component first and give its file: source = \"….wasm\"";
    if let Some(path) = item.as_str() {
        return Ok((base_dir.join(path), None));
    }
    if !item.is_table() {
        let reason = format!("must be a file name or a table, not {}", item.type_name());
        return Err(item.invalid(
            reason,
            "give the component's .wasm file: source = \"….wasm\"",
        ));
    }
    let mut section = item.clone().section()?;
    if section
        .take("registry")
        .or(section.take("package"))
        .is_some()
    {
        return Err(item.unsupported("components from registries are not supported", REMEDY));
    }
    let (path, digest) = match section.take("path") {
        Some(path) => (path.string()?, section.take("digest")),
        None => {
            let url = section.require("url", REMEDY)?;
            let digest =
                section.require("digest", "give the file's digest: digest = \"sha256:…\"")?;
            let Some(path) = url.as_str().and_then(|url| url.strip_prefix("file://")) else {
                return Err(url.unsupported("downloading components is not supported", REMEDY));
            };
            (path.to_owned(), Some(digest))
        }
    };
    let digest = digest.map(read_digest).transpose()?;
    section.finish()?;
    Ok((base_dir.join(path), digest))
}

fn read_digest(item: Item<'_>) -> Result<String, Error> {
    const HEX_DIGITS: usize = 64;
    let hex = item
        .as_str()
        .and_then(|digest| digest.strip_prefix("sha256:"));
    let valid = |hex: &&str| {
        hex.len() == HEX_DIGITS && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    match hex.filter(valid) {
        Some(hex) => Ok(format!("sha256:{hex}")),
        None => Err(item.invalid(
            "is not a SHA-256 digest",
            "write \"sha256:\" and the 64 lower-case hexadecimal digits that sha256sum prints",
        )),
    }
}

fn read_variables(section: &mut Section<'_>) -> Result<BTreeMap<String, Template>, Error> {
    let mut variables = BTreeMap::new();
    for item in section.entries("variables")? {
        declaration::check_name(&item)?;
        let name = item.name.clone();
        let template = Template::read(&item)?;
        variables.insert(name, template);
    }
    Ok(variables)
}

fn read_stores(section: &mut Section<'_>) -> Result<Vec<String>, Error> {
    let mut stores = vec![];
    for item in section.array("key_value_stores")? {
        let label = item.clone().string()?;
        name::check_store_label(&label).map_err(|reason| {
            item.invalid(
                format!("a store's label {reason}"),
                "use words joined by dashes or by underscores, like \"default\"",
            )
        })?;
        stores.push(label);
    }
    Ok(stores)
}

fn read_build(item: Item<'_>) -> Result<Build, Error> {
    const REMEDY: &str = "write command = \"…\" or command = [\"…\", \"…\"]";
    let mut section = item.section()?;
    let command = section.require("command", REMEDY)?;
    let commands = match command.as_str() {
        Some(command) => vec![command.to_owned()],
        None if command.is_array() => command
            .array()?
            .into_iter()
            .map(Item::string)
            .collect::<Result<_, _>>()?,
        None => {
            let reason = format!(
                "must be a string or an array of strings, not {}",
                command.type_name()
            );
            return Err(command.invalid(reason, REMEDY));
        }
    };
    let build = Build {
        commands,
        workdir: section.string("workdir")?.map(PathBuf::from),
        watch: section.strings("watch")?,
    };
    section.finish()?;
    Ok(build)
}
