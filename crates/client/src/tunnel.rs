//! A tunnel through a proxy: `CONNECT` (RFC 9110, section 9.3.6).

use std::time::Instant;

use http::header::{HOST, PROXY_AUTHORIZATION, USER_AGENT};
use http::{HeaderValue, Method, StatusCode, Version};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout_at;

use crate::connection::Driver;
use crate::failure::{Failure, FailureKind, Phase, chain};
use crate::target::Target;

/// Asks the proxy at the other end of `stream` for a tunnel to `target`.
pub(crate) async fn tunnel<S>(
    stream: S,
    proxy: &Target,
    target: &Target,
    user_agent: Option<&HeaderValue>,
    deadline: Instant,
) -> Result<TokioIo<Upgraded>, Failure>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let began = Instant::now();
    let failed = |message: String| Failure::new(FailureKind::Proxy, message);
    let broken = |error: hyper::Error| {
        failed(format!(
            "the proxy {proxy} gave no tunnel to {}: {}",
            target.authority_with_port(),
            chain(&error)
        ))
    };
    let asked = async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        let _driver = Driver::spawn(connection.with_upgrades());
        let answer = sender
            .send_request(request(proxy, target, user_agent)?)
            .await
            .map_err(broken)?;
        match answer.status() {
            status if status.is_success() => hyper::upgrade::on(answer).await.map_err(broken),
            status @ StatusCode::PROXY_AUTHENTICATION_REQUIRED
                if proxy.authorization().is_none() =>
            {
                Err(failed(format!(
                    "the proxy {proxy} answered {status}: put USER:PASSWORD@ into its URL"
                )))
            }
            status => Err(failed(format!(
                "the proxy {proxy} answered {status} to CONNECT {}",
                target.authority_with_port()
            ))),
        }
    };
    let upgraded = timeout_at(deadline.into(), asked)
        .await
        .map_err(|_| Failure::timeout(Phase::Proxy, began))?;
    upgraded.map(TokioIo::new)
}

fn request(
    proxy: &Target,
    target: &Target,
    user_agent: Option<&HeaderValue>,
) -> Result<http::Request<Empty<Bytes>>, Failure> {
    let authority = target.authority_with_port();
    let mut request = http::Request::builder()
        .method(Method::CONNECT)
        .version(Version::HTTP_11)
        .uri(&authority)
        .header(HOST, &authority);
    if let Some(user_agent) = user_agent {
        request = request.header(USER_AGENT, user_agent);
    }
    if let Some(authorization) = proxy.authorization() {
        request = request.header(PROXY_AUTHORIZATION, authorization);
    }
    request.body(Empty::new()).map_err(|error| {
        Failure::new(
            FailureKind::Proxy,
            format!("cannot ask the proxy for {authority}: {error}"),
        )
    })
}
