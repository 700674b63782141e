//! A whole application: `spin.toml`, read and checked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::component::{self, Component};
use crate::declaration::{self, Variable};
use crate::document::{self, Item};
use crate::error::{Error, Place, Problem, Warning};
use crate::name;
use crate::outbound::AllowedHosts;
use crate::section::Section;
use crate::trigger::{self, HttpTrigger};
use crate::v1;

/// The file that is looked for in a folder.
pub const MANIFEST_FILE: &str = "spin.toml";
/// An application as its manifest describes it.
#[derive(Clone, Debug)]
pub struct Application {
    /// `application.name`.
    pub name: String,
    /// `application.version`; empty if not given.
    pub version: String,
    /// `application.description`; empty if not given.
    pub description: String,
    /// `application.authors`.
    pub authors: Vec<String>,
    /// The manifest's folder; paths in the manifest are relative to it.
    pub base_dir: PathBuf,
    /// The manifest.
    pub file: PathBuf,
    /// `[variables]` by name.
    pub variables: BTreeMap<String, Variable>,
    /// `[component.ID]` by id, and the components written inline at triggers.
    pub components: BTreeMap<String, Component>,
    /// `[[trigger.http]]` in order.
    pub triggers: Vec<HttpTrigger>,
    /// What works, but probably not as its author thinks.
    pub warnings: Vec<Warning>,
}

impl Application {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// [`Error::Read`] if `path` is neither a readable manifest nor a folder with a `spin.toml`, else like
    /// [`Application::parse`].
    pub fn load(path: &Path) -> Result<Self, Error> {
        let file = if path.is_dir() {
            path.join(MANIFEST_FILE)
        } else {
            path.to_owned()
        };
        let bytes = std::fs::read(&file).map_err(|cause| Error::Read {
            file: file.clone(),
            cause,
            remedy: "name a spin.toml, or a folder with one, with --from".to_owned(),
        })?;
        let text = String::from_utf8(bytes).map_err(|error| Error::Syntax {
            place: Place::file(&file),
            reason: format!("{error}; save it as UTF-8"),
        })?;
        let dir = file
            .parent()
            .filter(|dir| !dir.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        Self::parse(&text, dir, &file)
    }

    /// Checks the text of a manifest without reading any file. Paths in it are joined to `dir`; `file_name` is for messages.
    ///
    /// # Errors
    /// [`Error::Syntax`] for what isn't TOML, [`Error::Unsupported`] for what Spin knows and spinfo doesn't do,
    /// [`Error::Invalid`] for everything else that keeps Spin from starting.
    pub fn parse(text: &str, dir: &Path, file_name: &Path) -> Result<Self, Error> {
        let mut root = document::parse(text, file_name)?;
        let version = root.take("spin_manifest_version");
        let Some(version) = version.or_else(|| root.take_unadvised("spin_version")) else {
            return Err(root.missing(
                "spin_manifest_version",
                "start the file with spin_manifest_version = 2",
            ));
        };
        match (version.as_integer(), version.as_str()) {
            (Some(2), _) if version.name == "spin_manifest_version" => {
                let application = Self::new(dir, file_name);
                application.read(root)
            }
            (_, Some("1")) => v1::read(root, &version, dir, file_name),
            _ => Err(version.invalid(
                "unknown manifest version",
                "write spin_manifest_version = 2",
            )),
        }
    }

    pub(crate) fn new(dir: &Path, file: &Path) -> Self {
        Self {
            name: String::new(),
            version: String::new(),
            description: String::new(),
            authors: vec![],
            base_dir: dir.to_owned(),
            file: file.to_owned(),
            variables: BTreeMap::new(),
            components: BTreeMap::new(),
            triggers: vec![],
            warnings: vec![],
        }
    }

    fn read(mut self, mut root: Section<'_>) -> Result<Self, Error> {
        let details = root
            .require("application", "add [application] with name = \"…\"")?
            .section()?;
        self.read_details(details)?;
        self.variables = declaration::read(root.entries("variables")?)?;
        for item in root.entries("component")? {
            name::check_component_id(&item.name).map_err(|reason| {
                item.invalid(
                    format!("a component's id {reason}"),
                    "use words joined by dashes, like word-count",
                )
            })?;
            self.add_component(item.name.clone(), item.section()?)?;
        }
        let triggers = root.require(
            "trigger",
            "add [[trigger.http]] with a route and a component",
        )?;
        self.read_triggers(triggers)?;
        root.finish()?;
        self.check()
    }

    fn read_details(&mut self, mut details: Section<'_>) -> Result<(), Error> {
        self.name = details
            .require("name", "name the application: name = \"…\"")?
            .string()?;
        self.version = details.string("version")?.unwrap_or_default();
        self.description = details.string("description")?.unwrap_or_default();
        self.authors = details.strings("authors")?;
        if let Some(targets) = details.take("targets").filter(|item| !item.is_empty()) {
            let problem = targets.problem(
                "target environments are not checked",
                "check them with spin build",
            );
            self.warnings.push(Warning(*problem));
        }
        for settings in details.entries("trigger")? {
            self.read_trigger_settings(settings)?;
        }
        for tool in details.entries("tool")? {
            // Spin hands these to other programs; they only have to be tables.
            tool.section()?;
        }
        details.finish()
    }

    /// `[application.trigger.http]`, whose only key is no longer of use.
    pub(crate) fn read_trigger_settings(&mut self, item: Item<'_>) -> Result<(), Error> {
        if item.name != "http" {
            // No trigger of that type can be in the application, so the settings have no effect, as in Spin.
            let problem = item.problem("there is no trigger of this type", "remove it");
            self.warnings.push(Warning(*problem));
            return item.section().map(drop);
        }
        let mut section = item.section()?;
        self.read_base(&mut section)?;
        section.finish()
    }

    pub(crate) fn read_base(&mut self, section: &mut Section<'_>) -> Result<(), Error> {
        let Some(base) = section.take("base") else {
            return Ok(());
        };
        match base.clone().string()?.as_str() {
            "/" => {
                let problem = base.problem("base is deprecated and has no effect", "remove it");
                self.warnings.push(Warning(*problem));
                Ok(())
            }
            prefix => Err(base.invalid(
                "base is no longer supported",
                format!("remove it and write {prefix:?} in front of each route"),
            )),
        }
    }

    pub(crate) fn add_component(&mut self, id: String, section: Section<'_>) -> Result<(), Error> {
        let variables = &self.variables;
        let key = section.key.clone();
        let problem = section.problem("", "");
        let component = component::read(id.clone(), section, &self.base_dir, &mut self.warnings)?;
        for (name, template) in &component.variables {
            if let Some(used) = template
                .variables()
                .find(|used| !variables.contains_key(*used))
            {
                return Err(Error::Invalid(Box::new(Problem {
                    key: format!("{key}.variables.{name}"),
                    reason: format!("there is no application variable {used:?}"),
                    remedy: format!("declare it: [variables] {used} = {{ default = \"…\" }}"),
                    ..*problem
                })));
            }
        }
        AllowedHosts::check(&component, variables, &problem, &mut self.warnings)?;
        self.components.insert(id, component);
        Ok(())
    }

    fn read_triggers(&mut self, item: Item<'_>) -> Result<(), Error> {
        let place = item.clone();
        let mut entries = vec![];
        for kind in item.entries()? {
            if kind.name != "http" {
                let what = format!("triggers of type {:?} are not supported", kind.name);
                return Err(kind.unsupported(
                    what,
                    "use [[trigger.http]], or run the application with Spin",
                ));
            }
            if !kind.is_array() {
                return Err(kind.invalid(
                    "must be an array of tables",
                    "write [[trigger.http]], with two brackets",
                ));
            }
            for trigger in kind.array()? {
                entries.push(trigger::read(trigger, &mut self.warnings)?);
            }
        }
        if entries.is_empty() {
            return Err(place.invalid(
                "there is no trigger",
                "add [[trigger.http]] with a route and a component",
            ));
        }
        let mut ids: BTreeSet<String> = entries.iter().map(|entry| entry.id.clone()).collect();
        for mut entry in entries {
            if entry.id.is_empty() {
                entry.id = trigger_id(entry.component.as_str(), &ids);
                ids.insert(entry.id.clone());
            }
            let component = self.trigger_component(&entry.id, entry.component)?;
            let trigger = HttpTrigger {
                id: entry.id,
                component,
                route: entry.route,
            };
            self.add_trigger(&entry.route_item, trigger);
        }
        Ok(())
    }

    /// The component a trigger names, or that is written in its place.
    fn trigger_component(&mut self, trigger: &str, item: Item<'_>) -> Result<String, Error> {
        if let Some(id) = item.as_str() {
            return match self.components.contains_key(id) {
                true => Ok(id.to_owned()),
                false => Err(item.invalid(
                    format!("there is no component {id:?}"),
                    format!(
                        "add [component.{id}], or name one of: {}",
                        self.component_ids()
                    ),
                )),
            };
        }
        if !item.is_table() {
            let reason = format!(
                "must be a component's id or table, not {}",
                item.type_name()
            );
            return Err(item.invalid(reason, "name the component that answers: component = \"…\""));
        }
        let id = Some(format!("{trigger}-component"))
            .filter(|id| name::check_component_id(id).is_ok() && !self.components.contains_key(id))
            .or_else(|| {
                (1..)
                    .map(|n| format!("inline-component{n}"))
                    .find(|id| !self.components.contains_key(id))
            })
            .unwrap_or_default();
        self.add_component(id.clone(), item.section()?)?;
        Ok(id)
    }

    fn component_ids(&self) -> String {
        match self.components.is_empty() {
            true => "(there is none yet)".to_owned(),
            false => self
                .components
                .keys()
                .cloned()
                .collect::<Vec<_>>()
                .join(", "),
        }
    }

    /// Adds a trigger whose component is there.
    pub(crate) fn add_trigger(&mut self, item: &Item<'_>, trigger: HttpTrigger) {
        let problems = trigger::check_route(&trigger.route, &self.triggers);
        let problems = problems
            .into_iter()
            .map(|(reason, remedy)| Warning(*item.problem(reason, remedy)));
        self.warnings.extend(problems);
        self.triggers.push(trigger);
    }

    /// What can only be seen when all is read.
    pub(crate) fn check(mut self) -> Result<Self, Error> {
        let mut warnings = vec![];
        for id in self
            .components
            .keys()
            .filter(|id| !self.triggers.iter().any(|t| t.component == **id))
        {
            let problem = Problem {
                place: Place::file(&self.file),
                key: format!("component.{id}"),
                reason: "no trigger names this component".to_owned(),
                remedy: "add [[trigger.http]], or remove it".to_owned(),
            };
            self.warnings.push(Warning(problem));
        }
        for (trigger, by) in trigger::unreachable(&self) {
            let problem = Problem {
                place: Place::file(&self.file),
                key: format!("trigger {}", trigger.id),
                reason: format!("gets no requests for its own route, trigger {} does", by.id),
                remedy: "give one of them another route".to_owned(),
            };
            warnings.push(Warning(problem));
        }
        self.warnings.extend(warnings);
        Ok(self)
    }

    /// Checks that the WebAssembly file of every component is there.
    ///
    /// # Errors
    /// [`Error::Read`] for the first that isn't a readable file.
    pub fn check_sources(&self) -> Result<(), Error> {
        for component in self.components.values() {
            let check = std::fs::File::open(&component.source).and_then(|file| file.metadata());
            let check = check.and_then(|found| match found.is_file() {
                true => Ok(()),
                false => Err(std::io::Error::other("it is not a file")),
            });
            check.map_err(|cause| Error::Read {
                file: component.source.clone(),
                cause,
                remedy: format!(
                    "build it with `spinfo build`, or correct component.{}.source in {}",
                    component.id,
                    self.file.display()
                ),
            })?;
        }
        Ok(())
    }
}

/// The id Spin gives to a trigger that has none.
fn trigger_id(component: Option<&str>, taken: &BTreeSet<String>) -> String {
    let natural = component
        .map(|id| format!("{id}-http-trigger"))
        .filter(|id| !taken.contains(id));
    natural
        .or_else(|| {
            (1..)
                .map(|n| format!("http-trigger{n}"))
                .find(|id| !taken.contains(id))
        })
        .unwrap_or_default()
}
