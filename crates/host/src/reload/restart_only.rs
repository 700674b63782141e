//! Settings that are read at the start and hold until the process ends.

use spinfo_manifest::OutboundHttp;

use crate::configuration::Configuration;

/// The values that the process runs with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RestartOnly {
    name: String,
    version: String,
    outbound_http: OutboundHttp,
    max_instance_memory: Option<usize>,
}

impl RestartOnly {
    pub(super) fn of(configuration: &Configuration) -> Self {
        Self {
            name: configuration.application.name.clone(),
            version: configuration.application.version.clone(),
            outbound_http: configuration.runtime.outbound_http.clone(),
            max_instance_memory: configuration.runtime.max_instance_memory,
        }
    }

    /// Says what of a new configuration waits for a restart.
    pub(super) fn warn_of_changes(&self, configuration: &Configuration) {
        for setting in self.changes(&Self::of(configuration)) {
            tracing::warn!(
                setting,
                "a reload does not change this: it waits for a restart"
            );
        }
    }

    fn changes(&self, new: &Self) -> impl Iterator<Item = &'static str> {
        [
            (
                self.name != new.name,
                "application.name, as service.name of the host's telemetry",
            ),
            (
                self.version != new.version,
                "application.version, as service.version of the host's telemetry",
            ),
            (
                self.outbound_http != new.outbound_http,
                "outbound_http in the runtime configuration",
            ),
            (
                self.max_instance_memory != new.max_instance_memory,
                "max_instance_memory in the runtime configuration",
            ),
        ]
        .into_iter()
        .filter_map(|(changed, setting)| changed.then_some(setting))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_named_and_nothing_else() {
        let settings = |version: &str, memory| RestartOnly {
            name: "a".into(),
            version: version.into(),
            outbound_http: OutboundHttp::default(),
            max_instance_memory: memory,
        };
        let changes = |new: &RestartOnly| settings("1", None).changes(new).collect::<Vec<_>>();
        assert!(changes(&settings("1", None)).is_empty());
        let changed = changes(&settings("2", Some(1)));
        assert_eq!(changed.len(), 2);
        assert!(changed[0].starts_with("application.version"));
        assert!(changed[1].starts_with("max_instance_memory"));
    }
}
