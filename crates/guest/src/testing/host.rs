//! The host of a test and its OTLP receiver.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::LocalBoxFuture;
use opentelemetry_http::{HttpClient, HttpError};

use super::{MemoryStore, start};
use crate::platform::Platform;
use crate::store::{Backend, StoreError};

#[derive(Default)]
pub(super) struct TestHost {
    pub(super) variables: HashMap<&'static str, String>,
    pub(super) stores: RefCell<BTreeMap<&'static str, Rc<MemoryStore>>>,
    pub(super) elapsed: Rc<Cell<Duration>>,
    pub(super) background: RefCell<VecDeque<LocalBoxFuture<'static, ()>>>,
    pub(super) lines: RefCell<Vec<String>>,
    pub(super) receiver: Arc<Receiver>,
}

impl TestHost {
    pub(super) fn store(&self, label: &'static str) -> Rc<MemoryStore> {
        Rc::clone(self.stores.borrow_mut().entry(label).or_default())
    }
}

impl Platform for TestHost {
    fn variable(&self, name: &'static str) -> LocalBoxFuture<'_, Result<Option<String>, String>> {
        Box::pin(std::future::ready(Ok(self.variables.get(name).cloned())))
    }

    fn open_store(
        &self,
        label: &'static str,
    ) -> LocalBoxFuture<'_, Result<Rc<dyn Backend>, StoreError>> {
        let store: Rc<dyn Backend> = self.store(label);
        Box::pin(std::future::ready(Ok(store)))
    }

    fn now(&self) -> SystemTime {
        start() + self.elapsed.get()
    }

    fn monotonic(&self) -> Duration {
        self.elapsed.get()
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        let elapsed = Rc::clone(&self.elapsed);
        Box::pin(async move { elapsed.set(elapsed.get() + duration) })
    }

    fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        self.background.borrow_mut().push_back(task);
    }

    fn log_line(&self, line: &str) {
        self.lines.borrow_mut().push(line.to_owned());
    }

    fn http_client(&self) -> Arc<dyn HttpClient> {
        Arc::<Receiver>::clone(&self.receiver)
    }
}

#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) exports: Mutex<Vec<(String, Bytes)>>,
    pub(super) reachable: Mutex<bool>,
}

impl Default for Receiver {
    fn default() -> Self {
        Self {
            exports: Mutex::default(),
            reachable: Mutex::new(true),
        }
    }
}

#[async_trait]
impl HttpClient for Receiver {
    async fn send_bytes(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        if !*self
            .reachable
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
        {
            return Err("connection refused".into());
        }
        let path = request.uri().path().to_owned();
        self.exports
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((path, request.into_body()));
        Ok(http::Response::new(Bytes::new()))
    }
}
