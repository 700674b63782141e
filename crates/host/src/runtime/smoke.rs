//! A smoke test of components before they are served: each is instantiated once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use tokio::time::timeout;

use super::Runtime;
use super::component::Component;
use super::instances::{new_store, with_room};
use super::outbound::Outbound;

/// Makes one instance of each component and drops it again. Linking has checked the types of what a component imports; only
/// this shows whether its memory fits into the limit and whether its start function returns.
///
/// # Errors
/// Names the component that can't be instantiated within the time of a request.
pub(crate) async fn smoke_test(
    components: &BTreeMap<Arc<str>, Arc<Component>>,
    runtime: &Runtime,
) -> anyhow::Result<()> {
    let _transient = runtime.transient.enter();
    let limits = &runtime.limits;
    for component in components.values() {
        let context = || {
            format!(
                "component {:?} cannot be instantiated (its memory has to fit into --max-memory)",
                component.id
            )
        };
        let limit = limits.request_timeout;
        timeout(limit, instantiate(component, runtime))
            .await
            .with_context(|| format!("it takes longer than {limit:?} to start"))
            .flatten()
            .with_context(context)?;
    }
    Ok(())
}

async fn instantiate(component: &Arc<Component>, runtime: &Runtime) -> anyhow::Result<()> {
    let begun = Instant::now();
    let Some(network) = runtime.networks.first() else {
        return Ok(());
    };
    let measured = runtime.metrics.component(&component.id);
    let pre = component.proxy_pre()?;
    let make = || async {
        let outbound = Outbound {
            network: network.clone(),
            metrics: runtime.metrics.clone(),
            component: component.clone(),
            measured: measured.clone(),
            // Nobody answers what a start function asks of another component: there is no version to belong to yet.
            dispatcher: None,
            current: Arc::default(),
        };
        let mut store = new_store(component, outbound, &runtime.limits)?;
        pre.instantiate_async(&mut store).await.map(drop)
    };
    // Under full load every place is taken, though none for long.
    with_room(make, || begun.elapsed() < runtime.limits.request_timeout).await?;
    Ok(())
}
