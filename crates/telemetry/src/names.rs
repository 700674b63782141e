//! The keys of attributes for native programs, and what may go into the values of some.

mod method;
mod query;

pub use method::KnownMethods;
pub use query::{REDACTED, redact_query};
pub use spinfo_names::attribute::key::*;
pub use spinfo_names::{metric, values};

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use opentelemetry_semantic_conventions::{attribute as semantic, metric as semantic_metric};
    use spinfo_names::attribute;

    use super::*;

    /// A key that begins like those of the conventions is one of theirs.
    #[test]
    fn names_of_the_conventions_are_spelled_as_there() {
        let theirs = HashSet::from([
            semantic::CLIENT_ADDRESS,
            semantic::DB_NAMESPACE,
            semantic::DB_OPERATION_NAME,
            semantic::DB_SYSTEM_NAME,
            semantic::DEPLOYMENT_ENVIRONMENT_NAME,
            semantic::ERROR_TYPE,
            semantic::HOST_NAME,
            semantic::HTTP_REQUEST_METHOD,
            semantic::HTTP_REQUEST_METHOD_ORIGINAL,
            semantic::HTTP_RESPONSE_STATUS_CODE,
            semantic::HTTP_ROUTE,
            semantic::NETWORK_PEER_ADDRESS,
            semantic::NETWORK_PEER_PORT,
            semantic::NETWORK_PROTOCOL_VERSION,
            semantic::SERVER_ADDRESS,
            semantic::SERVER_PORT,
            semantic::SERVICE_INSTANCE_ID,
            semantic::SERVICE_NAME,
            semantic::SERVICE_NAMESPACE,
            semantic::SERVICE_VERSION,
            semantic::TELEMETRY_SDK_LANGUAGE,
            semantic::TELEMETRY_SDK_NAME,
            semantic::TELEMETRY_SDK_VERSION,
            semantic::URL_FULL,
            semantic::URL_PATH,
            semantic::URL_QUERY,
            semantic::URL_SCHEME,
            semantic::URL_TEMPLATE,
            semantic::USER_AGENT_ORIGINAL,
            semantic_metric::HTTP_CLIENT_REQUEST_DURATION,
            semantic_metric::HTTP_SERVER_ACTIVE_REQUESTS,
            semantic_metric::HTTP_SERVER_REQUEST_BODY_SIZE,
            semantic_metric::HTTP_SERVER_REQUEST_DURATION,
            semantic_metric::HTTP_SERVER_RESPONSE_BODY_SIZE,
        ]);
        let keys = attribute::ALL.iter().map(|attribute| attribute.key);
        let names = metric::ALL.iter().map(|metric| metric.name);
        let is_ours = |name: &&str| {
            ["wasm.", "spinfo.", "probe."]
                .iter()
                .any(|prefix| name.starts_with(prefix))
                || !name.contains('.')
        };
        let listed: HashSet<_> = keys.chain(names).filter(|name| !is_ours(name)).collect();
        assert_eq!(listed, theirs);
    }
}
