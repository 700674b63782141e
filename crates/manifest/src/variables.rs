//! The values of an application's variables.

use std::collections::BTreeMap;

use crate::application::Application;
use crate::component::Component;
use crate::error::{Error, Place, Problem, Warning};
use crate::outbound::AllowedHosts;
use crate::provider::VariablesProvider;
use crate::secret::Value;
use crate::template::Template;
use crate::variable_override::VariableOverride;

/// Where values come from: first the overrides (a later one before an earlier one), then the providers in order, then the
/// environment as [`VariablesProvider::default`] says, then the default in the manifest.
pub struct VariableSources<'a> {
    /// The `--variable` arguments.
    pub overrides: &'a [VariableOverride],
    /// Those of the runtime configuration.
    pub providers: &'a [VariablesProvider],
    /// Looks up one environment variable; this crate never does so itself.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
}

/// The values of all variables of one application.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    values: BTreeMap<String, Value>,
    warnings: Vec<Warning>,
}

impl Variables {
    /// Finds a value for every variable that `application` declares.
    ///
    /// # Errors
    /// [`Error::Variable`] for the first required variable without a value; [`Error::Read`] and [`Error::Syntax`] for files
    /// that are named and can't be used.
    pub fn resolve(
        application: &Application,
        sources: &VariableSources<'_>,
    ) -> Result<Self, Error> {
        let mut overrides = BTreeMap::new();
        for argument in sources.overrides {
            overrides.extend(argument.values()?);
        }
        let environment = VariablesProvider::default();
        let mut resolved = Self::default();
        for (name, variable) in &application.variables {
            let mut value = overrides
                .remove(name)
                .map(|value| value.expose().to_owned());
            for provider in sources.providers.iter().chain([&environment]) {
                if value.is_some() {
                    break;
                }
                value = provider.get(name, sources.environment)?;
            }
            let Some(value) = value.or_else(|| variable.default.clone()) else {
                return Err(Error::Variable {
                    name: name.clone(),
                    reason: format!(
                        "is required in {} and has no value",
                        application.file.display()
                    ),
                    remedy: format!(
                        "give one with --variable {name}=… or SPIN_VARIABLE_{}",
                        name.to_uppercase()
                    ),
                });
            };
            resolved
                .values
                .insert(name.clone(), Value::new(value, variable.secret));
        }
        for name in overrides.into_keys() {
            resolved.warnings.push(Warning(Problem {
                place: Place::file(&application.file),
                key: format!("variables.{name}"),
                reason: "--variable gives a value to a variable that is not declared".to_owned(),
                remedy: "declare it, or remove the argument".to_owned(),
            }));
        }
        Ok(resolved)
    }

    /// The value of the application variable `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// What works, but probably not as intended.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Renders a template. The value is secret if a variable in it is.
    ///
    /// # Errors
    /// [`Error::Template`] for a variable that the application doesn't declare.
    pub fn render(&self, template: &Template) -> Result<Value, Error> {
        let text = template.render(|name| self.get(name).map(Value::expose))?;
        Ok(Value::new(
            text,
            template
                .variables()
                .filter_map(|name| self.get(name))
                .any(Value::is_secret),
        ))
    }

    /// The component's own variables, as it can ask for them.
    ///
    /// # Errors
    /// Like [`Variables::render`].
    pub fn of(&self, component: &Component) -> Result<BTreeMap<String, Value>, Error> {
        component
            .variables
            .iter()
            .map(|(name, template)| Ok((name.clone(), self.render(template)?)))
            .collect()
    }

    /// Where the component may send requests. Patterns with unknown variables allow nothing
    /// ([`Application::warnings`] names them).
    ///
    /// # Errors
    /// [`Error::Host`] if the values make something that is no pattern; it doesn't quote secrets.
    pub fn allowed_hosts(&self, component: &Component) -> Result<AllowedHosts, Error> {
        let mut allowed = AllowedHosts::default();
        for template in &component.allowed_outbound_hosts {
            let Ok(value) = self.render(template) else {
                continue;
            };
            let shown = if value.is_secret() {
                template.as_str()
            } else {
                value.expose()
            };
            let added = allowed.add(value.expose(), shown);
            added.map_err(|error| match error {
                Error::Host { reason, remedy, .. } => Error::Host {
                    pattern: template.as_str().to_owned(),
                    reason: match value.is_secret() {
                        true => "with a secret in it, is no pattern".to_owned(),
                        false => format!(
                            "of component {:?}, rendered as {:?}: {reason}",
                            component.id,
                            value.expose()
                        ),
                    },
                    remedy,
                },
                other => other,
            })?;
        }
        Ok(allowed)
    }
}

#[cfg(test)]
mod tests;
