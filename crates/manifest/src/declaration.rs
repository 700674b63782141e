//! `[variables]`: what an application can be told.

use std::collections::BTreeMap;
use std::fmt;

use crate::document::Item;
use crate::error::Error;
use crate::name;
use crate::secret::Value;

/// The declaration of one application variable: either it has a default or it is required.
#[derive(Clone, PartialEq, Eq)]
pub struct Variable {
    /// Whether a value has to be given.
    pub required: bool,
    /// The value if none is given.
    pub default: Option<String>,
    /// Whether its value must not be shown.
    pub secret: bool,
    /// For people.
    pub description: String,
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let default = self
            .default
            .as_ref()
            .map(|default| Value::new(default, self.secret));
        f.debug_struct("Variable")
            .field("required", &self.required)
            .field("default", &default)
            .field("secret", &self.secret)
            .field("description", &self.description)
            .finish()
    }
}

/// Reads `[variables]`.
pub(crate) fn read(items: Vec<Item<'_>>) -> Result<BTreeMap<String, Variable>, Error> {
    let mut variables = BTreeMap::new();
    for item in items {
        check_name(&item)?;
        let name = item.name.clone();
        let place = item.clone();
        let mut section = item.section()?;
        let variable = Variable {
            required: section.boolean("required")?.unwrap_or_default(),
            default: section.string("default")?,
            secret: section.boolean("secret")?.unwrap_or_default(),
            description: section.string("description")?.unwrap_or_default(),
        };
        section.finish()?;
        match (variable.required, &variable.default) {
            (true, Some(_)) => {
                return Err(place.invalid("is required and has a default", "remove one of the two"));
            }
            (false, None) => {
                return Err(place.invalid(
                    "is neither required nor has a default",
                    "write required = true or default = \"…\"",
                ));
            }
            _ => variables.insert(name, variable),
        };
    }
    Ok(variables)
}

/// Variable names are the same for the application and for components.
pub(crate) fn check_name(item: &Item<'_>) -> Result<(), Error> {
    name::check_variable_name(&item.name).map_err(|reason| {
        item.invalid(
            format!("a variable's name {reason}"),
            "use lower-case words joined by underscores, like admin_token",
        )
    })
}
