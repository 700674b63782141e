//! Questions to a backend over HTTP.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::Request;
use serde_json::Value;

use spinfo_tests::client::{Answer, Client, RUNTIME};
use spinfo_tests::deadline::PATIENCE;

/// A backend's HTTP interface.
#[derive(Clone, Debug)]
pub struct Api {
    name: &'static str,
    address: SocketAddr,
}

impl Api {
    /// `name` is for messages.
    pub fn new(name: &'static str, address: SocketAddr) -> Self {
        Self { name, address }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `GET`, with a query.
    ///
    /// # Errors
    /// When there is no answer, or another than 200, with its text.
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer, String> {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish();
        let request = Request::get(format!("{path}?{query}"))
            .header("accept", "application/json")
            .body(Vec::new())
            .map_err(|error| format!("{path}: {error}"))?;
        let exchange = async {
            let mut client = Client::open(self.address).await?;
            client.exchange(request).await
        };
        let answer = RUNTIME
            .block_on(async { tokio::time::timeout(PATIENCE, exchange).await })
            .map_err(|_| format!("{} {path}: no answer", self.name))?
            .map_err(|error| format!("{} {path}: {error}", self.name))?;
        if answer.status.is_success() {
            Ok(answer)
        } else {
            let text = String::from_utf8_lossy(&answer.body);
            Err(format!("{} {path}: {} {text}", self.name, answer.status))
        }
    }

    /// `GET`, with a query, for JSON.
    ///
    /// # Errors
    /// When there is no answer, or another than 200, with its text.
    ///
    /// # Panics
    /// When the answer isn't JSON.
    pub fn json(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, String> {
        self.get(path, query).map(|answer| answer.json())
    }
}

/// Seconds since 1970, as the backends' interfaces take them.
pub fn now() -> f64 {
    since_1970().as_secs_f64()
}

/// A span of time that ends now, in whole seconds, with room for clocks and for what is on its way.
pub fn lately(seconds: u64) -> (u64, u64) {
    let now = since_1970().as_secs();
    (now - seconds, now + 1)
}

fn since_1970() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("it is later than 1970")
}
