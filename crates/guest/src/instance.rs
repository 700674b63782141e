//! What one WebAssembly instance keeps between its requests, which run concurrently.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::platform::Platform;
use crate::store::{Backend, StoreError};
use crate::telemetry::resource::Identity;
use crate::telemetry::{ENDPOINT, Telemetry};

/// A variable that the host doesn't hand out.
#[derive(Debug, thiserror::Error)]
#[error("variable {name:?} of component {component:?}: {reason}")]
pub(crate) struct VariableError {
    name: &'static str,
    component: &'static str,
    /// The host's words.
    reason: String,
}

pub(crate) struct Instance {
    pub(crate) identity: Identity,
    pub(crate) platform: Rc<dyn Platform>,
    /// Requests begun so far.
    pub(crate) requests: Cell<u64>,
    // Variables can't change within the life of an instance, so each is asked for once.
    variables: RefCell<HashMap<&'static str, Option<Rc<str>>>>,
    stores: RefCell<HashMap<&'static str, Rc<dyn Backend>>>,
    telemetry: OnceCell<Telemetry>,
}

impl Instance {
    pub(crate) fn new(identity: Identity, platform: Rc<dyn Platform>) -> Rc<Self> {
        Rc::new(Self {
            identity,
            platform,
            requests: Cell::new(0),
            variables: RefCell::default(),
            stores: RefCell::default(),
            telemetry: OnceCell::new(),
        })
    }

    /// `None` when the component has no such variable.
    pub(crate) async fn variable(
        &self,
        name: &'static str,
    ) -> Result<Option<Rc<str>>, VariableError> {
        if let Some(known) = self.variables.borrow().get(name) {
            return Ok(known.clone());
        }
        let value = self.platform.variable(name).await;
        let value = value.map_err(|reason| VariableError {
            name,
            component: self.identity.component,
            reason,
        })?;
        let value = value.map(Rc::from);
        self.variables.borrow_mut().insert(name, value.clone());
        Ok(value)
    }

    pub(crate) async fn store(&self, label: &'static str) -> Result<Rc<dyn Backend>, StoreError> {
        if let Some(open) = self.stores.borrow().get(label) {
            return Ok(Rc::clone(open));
        }
        let opened = self.platform.open_store(label).await?;
        self.stores.borrow_mut().insert(label, Rc::clone(&opened));
        Ok(opened)
    }

    /// The telemetry, set up by the first request.
    pub(crate) async fn telemetry(&self) -> &Telemetry {
        let endpoint = match self.telemetry.get() {
            Some(known) => return known,
            None => self.variable(ENDPOINT).await.ok().flatten(),
        };
        // Another request of this instance may have come first while this one waited.
        self.telemetry.get_or_init(|| {
            let platform = Rc::clone(&self.platform);
            Telemetry::start(&self.identity, platform, endpoint.as_deref())
        })
    }

    /// The telemetry, which the first request sets up before any handler runs.
    pub(crate) fn known_telemetry(&self) -> Option<&Telemetry> {
        self.telemetry.get()
    }
}
