//! What one WebAssembly instance keeps between its requests, which run concurrently.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use opentelemetry::logs::Severity;
use opentelemetry::trace::SpanContext;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

use crate::app::App;
use crate::platform::Platform;
use crate::problem::Problem;
use crate::store::{Backend, StoreError};
use crate::telemetry::Telemetry;
use crate::telemetry::log::Entry;
use crate::telemetry::pipeline::Pipeline;
use crate::telemetry::resource::Identity;

/// The component variable with the receiver's base URL; empty or missing turns the export off.
const OTLP_ENDPOINT: &str = "otlp_endpoint";

pub(crate) struct Instance {
    pub(crate) app: App,
    pub(crate) platform: Rc<dyn Platform>,
    /// Random, 16 hex digits.
    pub(crate) id: String,
    /// Requests begun so far.
    pub(crate) requests: Cell<u64>,
    // Variables can't change within the life of an instance, so each is asked for once.
    variables: RefCell<HashMap<&'static str, Option<Rc<str>>>>,
    stores: RefCell<HashMap<&'static str, Rc<dyn Backend>>>,
    telemetry: OnceCell<Telemetry>,
}

impl Instance {
    pub(crate) fn new(app: App, platform: Rc<dyn Platform>) -> Rc<Self> {
        Rc::new(Self {
            app,
            platform,
            id: RandomIdGenerator::default().new_span_id().to_string(),
            requests: Cell::new(0),
            variables: RefCell::default(),
            stores: RefCell::default(),
            telemetry: OnceCell::new(),
        })
    }

    /// `None` when the component has no such variable.
    pub(crate) async fn variable(&self, name: &'static str) -> Result<Option<Rc<str>>, Problem> {
        if let Some(known) = self.variables.borrow().get(name) {
            return Ok(known.clone());
        }
        let value = self.platform.variable(name).await.map_err(|reason| {
            Problem::internal(format!(
                "variable {name:?} of component {:?}: {reason}",
                self.app.name()
            ))
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

    pub(crate) async fn telemetry(&self) -> &Telemetry {
        if self.telemetry.get().is_none() {
            let endpoint = self
                .variable(OTLP_ENDPOINT)
                .await
                .ok()
                .flatten()
                .filter(|url| !url.is_empty());
            // Another request of this instance may have come first while this one waited.
            self.telemetry
                .get_or_init(|| self.build_telemetry(endpoint.as_deref()));
        }
        self.telemetry.get_or_init(|| self.build_telemetry(None))
    }

    /// The telemetry, which the first request sets up before any handler runs.
    pub(crate) fn known_telemetry(&self) -> Option<&Telemetry> {
        self.telemetry.get()
    }

    /// The way to the receiver, when there is one and the first request has set it up.
    pub(crate) fn pipeline(&self) -> Option<&Pipeline> {
        self.telemetry.get()?.pipeline.as_ref()
    }

    fn build_telemetry(&self, endpoint: Option<&str>) -> Telemetry {
        let telemetry =
            |pipeline| Telemetry::new(self.app.name(), Rc::clone(&self.platform), pipeline);
        let Some(endpoint) = endpoint else {
            return telemetry(None);
        };
        let identity = Identity {
            component: self.app.name(),
            version: self.app.version(),
            instance: self.id.clone(),
        };
        match Pipeline::new(endpoint, &identity, &self.platform.http_client()) {
            Ok(pipeline) => telemetry(Some(pipeline)),
            Err(error) => {
                let telemetry = telemetry(None);
                let message =
                    format!("variable {OTLP_ENDPOINT:?} is not the URL of a receiver: {error}");
                let entry = Entry {
                    time: self.platform.now(),
                    severity: Severity::Warn,
                    message: message.into(),
                    attributes: Vec::new(),
                };
                telemetry.log(&SpanContext::NONE, entry);
                telemetry
            }
        }
    }
}
