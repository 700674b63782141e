//! A whole application: `spin.toml`, read and checked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::component::{self, Component};
use crate::declaration::{self, Variable};
use crate::document::Item;
use crate::error::{Error, Place, Problem, Warning};
use crate::files::{self, Files};
use crate::name;
use crate::outbound::AllowedHosts;
use crate::router::Router;
use crate::section::Section;
use crate::trigger::{self, HttpTrigger};

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

    pub(crate) fn read(mut self, mut root: Section<'_>) -> Result<Self, Error> {
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
        AllowedHosts::check(
            &component.allowed_outbound_hosts,
            variables,
            &problem,
            &mut self.warnings,
        )?;
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
        for (trigger, by) in Router::new(&self).unreachable(&self.triggers) {
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

    /// Finds the files that `component` can read, by looking into the manifest's folder.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a file or folder that isn't there or lies outside of the manifest's folder, for a pattern
    /// that doesn't parse and for a path that would be both a file and a folder; [`Error::Read`] for an unreadable folder.
    pub fn files(&self, component: &Component) -> Result<Files, Error> {
        let entries = files::Entries {
            manifest: &self.file,
            base_dir: &self.base_dir,
            component: &component.id,
            mounts: &component.files,
            exclude: &component.exclude_files,
        };
        entries.find()
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

impl Router {
    /// The router of `application`; [`Application::warnings`] names both of two triggers with the same route.
    pub fn new(application: &Application) -> Self {
        Self::over(&application.triggers, application.components.keys())
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
