//! Manifest version 1, which Spin still starts: read into the model of version 2.

use std::path::Path;

use crate::application::Application;
use crate::declaration;
use crate::document::Item;
use crate::error::{Error, Warning};
use crate::name;
use crate::section::Section;
use crate::trigger::{self, HttpTrigger};

/// Reads a version 1 manifest; `version` is its first key.
pub(crate) fn read(
    mut root: Section<'_>,
    version: &Item<'_>,
    dir: &Path,
    file: &Path,
) -> Result<Application, Error> {
    let mut application = Application::new(dir, file);
    let problem = version.problem(
        "manifest version 1 is deprecated",
        "convert the file to version 2 with spin doctor",
    );
    application.warnings.push(Warning(*problem));
    application.name = root
        .require("name", "name the application: name = \"…\"")?
        .string()?;
    application.version = root.string("version")?.unwrap_or_default();
    application.description = root.string("description")?.unwrap_or_default();
    application.authors = root.strings("authors")?;
    read_trigger_type(&mut root, &mut application)?;
    application.variables = declaration::read(root.entries("variables")?)?;
    let components = root.array("component")?;
    let none = root.missing(
        "component",
        "add [[component]] with id, source and a trigger",
    );
    root.finish()?;
    if components.is_empty() {
        return Err(none);
    }
    for component in components {
        read_component(component, &mut application)?;
    }
    application.check()
}

/// `trigger = { type = "http" }`, which holds for all components.
fn read_trigger_type(root: &mut Section<'_>, application: &mut Application) -> Result<(), Error> {
    const REMEDY: &str = "write trigger = { type = \"http\" }";
    let mut trigger = root.require("trigger", REMEDY)?.section()?;
    let kind = trigger.require("type", REMEDY)?;
    if kind.as_str() != Some("http") {
        return Err(kind.unsupported(
            "only HTTP triggers are supported",
            "use type = \"http\", or run the application with Spin",
        ));
    }
    application.read_base(&mut trigger)?;
    trigger.finish()
}

/// Keys of version 2 that version 1 hasn't.
const NEW_KEYS: [&str; 6] = [
    "variables",
    "targets",
    "tool",
    "profile",
    "dependencies",
    "dependencies_inherit_configuration",
];

fn read_component(item: Item<'_>, application: &mut Application) -> Result<(), Error> {
    let mut section = item.section()?;
    let id_item = section.require("id", "give the component an id")?;
    let id = component_id(&id_item)?;
    section.rename_table(&format!("component.{id}"));
    if let Some(new) = section
        .rest()
        .iter()
        .find(|item| NEW_KEYS.contains(&item.name.as_str()))
    {
        return Err(new.invalid(
            "unknown key in manifest version 1",
            "convert the file to version 2 with spin doctor",
        ));
    }
    let mut trigger = section
        .require("trigger", "add [component.trigger] with route = \"/…\"")?
        .section()?;
    section.rename("config", "variables");
    if application.components.contains_key(&id) {
        let problem = id_item.problem(
            format!("replaces the earlier component {id:?}"),
            "give each component an id of its own",
        );
        application.warnings.push(Warning(*problem));
    }
    application.add_component(id.clone(), section)?;
    let (item, route) = trigger::read_route(&mut trigger, &mut application.warnings)?;
    trigger.finish()?;
    let trigger = HttpTrigger {
        id: format!("trigger-{id}"),
        component: id,
        route,
    };
    application.add_trigger(&item, trigger);
    Ok(())
}

/// Version 1 ids could have underscores and capitals.
fn component_id(item: &Item<'_>) -> Result<String, Error> {
    let id = item.clone().string()?;
    if name::check_component_id(&id).is_ok() {
        return Ok(id);
    }
    let repaired = id.replace('_', "-").to_lowercase();
    name::check_component_id(&repaired).map_err(|reason| {
        item.invalid(
            format!("a component's id {reason}"),
            "use words joined by dashes, like word-count",
        )
    })?;
    Ok(repaired)
}
