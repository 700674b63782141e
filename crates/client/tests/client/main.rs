//! The client against servers that are wrong on purpose: every way to fail has its kind and its words.

mod authority;
mod body;
mod connect;
mod head;
mod proxy;
mod servers;
mod tls;
mod warm;

use std::time::{Duration, Instant};

use http::{HeaderMap, Method};
use hyper::body::Bytes;
use spinfo_client::{Answer, Client, Failure, Limits, Options, Request, Target};

/// Enough for everything that is expected to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Enough for nothing that is expected not to come.
const IMPATIENCE: Duration = Duration::from_millis(200);

/// The longest body that the tests accept, in bytes.
const BODY_LIMIT: usize = 1000;

fn within(time: Duration) -> Limits {
    Limits {
        body_bytes: BODY_LIMIT,
        deadline: Instant::now() + time,
    }
}

fn target(url: &str) -> Target {
    url.parse().unwrap()
}

fn asking<'a>(method: &Method, target: &'a Target, headers: &'a HeaderMap) -> Request<'a> {
    Request {
        method: method.clone(),
        target,
        headers,
        body: Bytes::new(),
    }
}

/// One GET on a connection of its own.
async fn get_with(options: Options, url: &str, time: Duration) -> Result<Answer, Failure> {
    let client = Client::new(options).unwrap();
    let target = target(url);
    let limits = within(time);
    let mut connection = client.connect(&target, limits.deadline).await?;
    connection
        .send(asking(&Method::GET, &target, &HeaderMap::new()), limits)
        .await
}

async fn get(url: &str) -> Result<Answer, Failure> {
    get_with(Options::default(), url, PATIENCE).await
}

/// The failure of one GET that is given little time.
async fn failure_soon(url: &str) -> Failure {
    get_with(Options::default(), url, IMPATIENCE)
        .await
        .unwrap_err()
}
