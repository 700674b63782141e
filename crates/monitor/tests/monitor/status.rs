//! A server with the status endpoints, whose state others may change too.

use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use crate::server::{Reply, Request, Server, answer};

/// What the server shows.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) state: &'static str,
    pub(crate) code: u16,
    pub(crate) revision: u64,
}

impl State {
    pub(crate) fn ok() -> Self {
        Self {
            state: "ok",
            code: 200,
            revision: 0,
        }
    }

    /// On to another state, as one more revision.
    pub(crate) fn change(&mut self, state: &'static str, code: u16) {
        *self = Self {
            state,
            code,
            revision: self.revision + 1,
        };
    }

    pub(crate) fn document(&self) -> Value {
        let changed_at = format!("2026-01-02T03:04:05.{:09}Z", self.revision);
        json!({ "state": self.state, "code": self.code, "message": "m", "changed_at": changed_at, "revision": self.revision })
    }

    /// The answer to `GET /status`.
    pub(crate) fn shown(&self) -> Reply {
        answer(self.code, &self.document().to_string())
    }

    /// The answer to what has changed it.
    pub(crate) fn told(&self) -> Reply {
        answer(200, &self.document().to_string())
    }
}

/// A server whose `POST /status/change` makes it fail, and whose `DELETE /status` makes it well. Other requests are answered by `extra`, if it likes.
pub(crate) struct StatusServer {
    pub(crate) server: Server,
    state: Arc<Mutex<State>>,
}

impl StatusServer {
    pub(crate) fn start() -> Self {
        Self::start_with(|_, _| None)
    }

    /// `first` may answer before the usual is done.
    pub(crate) fn start_with(
        first: impl Fn(&Request, &mut State) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let state = Arc::new(Mutex::new(State::ok()));
        let shared = state.clone();
        let server = Server::start(move |request| {
            let mut state = shared.lock().unwrap();
            if let Some(reply) = first(request, &mut state) {
                return reply;
            }
            match (request.method.as_str(), request.path.as_str()) {
                ("GET", "/status") => state.shown(),
                ("POST", "/status/change") => {
                    match state.state {
                        "ok" => state.change("failing", 503),
                        _ => state.change("ok", 200),
                    }
                    state.told()
                }
                ("DELETE", "/status") => {
                    state.change("ok", 200);
                    state.told()
                }
                _ => answer(404, ""),
            }
        });
        Self { server, state }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// How many requests of this method there were.
    pub(crate) fn count(&self, method: &str) -> usize {
        self.server
            .requests()
            .iter()
            .filter(|request| request.method == method)
            .count()
    }
}
