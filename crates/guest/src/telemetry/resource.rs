//! Who the telemetry is about.

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::{
    EnvResourceDetector, ResourceDetector, TelemetryResourceDetector,
};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use spinfo_names::attribute::{
    COMPONENT, DEPLOYMENT_ENVIRONMENT_NAME, SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_NAMESPACE,
    SERVICE_VERSION,
};

/// `service.name` and `service.namespace`: the application, of which the component is a part.
const SERVICE: &str = "spinfo";

/// The name of the instrumentation scope.
pub(crate) const SCOPE: &str = env!("CARGO_PKG_NAME");

/// What tells one component and one of its instances from another.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    /// The component's id in spin.toml.
    pub(crate) component: &'static str,
    /// The component's version.
    pub(crate) version: &'static str,
    /// 16 random hex digits, for the life of this WebAssembly instance.
    pub(crate) instance: String,
}

impl Identity {
    /// A new instance of the component.
    pub(crate) fn new(component: &'static str, version: &'static str) -> Self {
        Self {
            component,
            version,
            instance: RandomIdGenerator::default().new_span_id().to_string(),
        }
    }
}

/// The resource of spans and log records. `OTEL_RESOURCE_ATTRIBUTES` of the component's environment overrides.
pub(crate) fn of_events(identity: &Identity) -> Resource {
    builder(identity, Some(&identity.instance))
}

/// The resource of metrics: without an instance of its own, because WebAssembly instances live for seconds and each
/// would leave time series behind. `OTEL_RESOURCE_ATTRIBUTES` may name the host process as `service.instance.id`.
pub(crate) fn of_metrics(identity: &Identity) -> Resource {
    builder(identity, None)
}

fn builder(identity: &Identity, instance: Option<&str>) -> Resource {
    let mut attributes = vec![
        KeyValue::new(SERVICE_NAME.key, SERVICE),
        KeyValue::new(SERVICE_NAMESPACE.key, SERVICE),
        KeyValue::new(SERVICE_VERSION.key, identity.version),
        KeyValue::new(DEPLOYMENT_ENVIRONMENT_NAME.key, "development"),
        KeyValue::new(COMPONENT.key, identity.component),
    ];
    attributes.extend(instance.map(|id| KeyValue::new(SERVICE_INSTANCE_ID.key, id.to_owned())));
    let detectors: [Box<dyn ResourceDetector>; 2] = [
        Box::new(TelemetryResourceDetector),
        Box::new(EnvResourceDetector::new()),
    ];
    Resource::builder_empty()
        .with_attributes(attributes)
        .with_detectors(&detectors)
        .build()
}

#[cfg(test)]
mod tests {
    use opentelemetry::Key;

    use super::*;

    #[test]
    fn only_events_name_the_instance() {
        let identity = Identity {
            component: "hello",
            version: "1.2.3",
            instance: "00f067aa0ba902b7".to_owned(),
        };
        let attribute = |resource: &Resource, key: &'static str| {
            resource
                .get(&Key::from_static_str(key))
                .map(|value| value.to_string())
        };
        let events = of_events(&identity);
        assert_eq!(
            attribute(&events, "service.name").as_deref(),
            Some("spinfo")
        );
        assert_eq!(
            attribute(&events, "service.version").as_deref(),
            Some("1.2.3")
        );
        assert_eq!(
            attribute(&events, "wasm.component").as_deref(),
            Some("hello")
        );
        assert_eq!(
            attribute(&events, "service.instance.id").as_deref(),
            Some("00f067aa0ba902b7")
        );
        assert_eq!(
            attribute(&of_metrics(&identity), "service.instance.id"),
            None
        );
    }
}
