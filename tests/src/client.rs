//! A client with one connection, for HTTP/1.1 and HTTP/2.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

use crate::deadline::PATIENCE;

/// Drives all clients of a test program.
pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = Builder::new_multi_thread();
    builder
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be made")
});

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub version: Version,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// A header field as text, empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("header fields are ASCII"))
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The trace that the answer belongs to, from `traceresponse`.
    pub fn trace_id(&self) -> &str {
        self.header("traceresponse")
            .split('-')
            .nth(1)
            .unwrap_or_else(|| panic!("no traceresponse: {self:?}"))
    }
}

enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// One connection.
pub struct Client {
    sender: Sender,
    authority: String,
    scheme: &'static str,
}

/// Why there is no answer.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

impl Client {
    /// HTTP/1.1
    pub fn connect(address: SocketAddr) -> Self {
        RUNTIME
            .block_on(Self::open(address))
            .expect("the host accepts connections")
    }

    /// HTTP/1.1, within the runtime.
    ///
    /// # Errors
    /// When nobody listens.
    pub async fn open(address: SocketAddr) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Self::http1(stream, address, "http").await
    }

    /// HTTP/2 without asking first (RFC 9113 section 3.3).
    pub fn connect_http2(address: SocketAddr) -> Self {
        let open = async { Self::http2(TcpStream::connect(address).await?, address, "http").await };
        RUNTIME.block_on(open).expect("the host speaks HTTP/2")
    }

    /// By TLS, offering `protocols` (ALPN). The second value is the one that the host chose.
    ///
    /// # Errors
    /// When the handshake fails.
    pub fn connect_tls(
        address: SocketAddr,
        config: &Arc<rustls::ClientConfig>,
    ) -> Result<(Self, Option<Vec<u8>>), Error> {
        Self::connect_tls_as(address, &address.ip().to_string(), config)
    }

    /// By TLS with a host that has to prove to be `name`, a name or an IP address, offering `protocols` (ALPN). The second
    /// value is the one that the host chose.
    ///
    /// # Errors
    /// When the handshake fails.
    pub fn connect_tls_as(
        address: SocketAddr,
        name: &str,
        config: &Arc<rustls::ClientConfig>,
    ) -> Result<(Self, Option<Vec<u8>>), Error> {
        RUNTIME.block_on(Self::open_tls_as(address, name, config))
    }

    /// The same, within the runtime.
    ///
    /// # Errors
    /// When the handshake fails.
    pub async fn open_tls_as(
        address: SocketAddr,
        name: &str,
        config: &Arc<rustls::ClientConfig>,
    ) -> Result<(Self, Option<Vec<u8>>), Error> {
        let authority = format!("{name}:{}", address.port());
        let name = rustls::pki_types::ServerName::try_from(name.to_owned())?;
        let connector = tokio_rustls::TlsConnector::from(config.clone());
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let stream = connector.connect(name, stream).await?;
        let chosen = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        let mut client = match chosen.as_deref() {
            Some(b"h2") => Self::http2(stream, address, "https").await?,
            _ => Self::http1(stream, address, "https").await?,
        };
        client.authority = authority;
        Ok((client, chosen))
    }

    async fn http1(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        address: SocketAddr,
        scheme: &'static str,
    ) -> Result<Self, Error> {
        let (sender, connection) = http1::Builder::new()
            .handshake(TokioIo::new(stream))
            .await?;
        // It ends with the sender.
        tokio::spawn(connection);
        Ok(Self {
            sender: Sender::Http1(sender),
            authority: address.to_string(),
            scheme,
        })
    }

    async fn http2(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        address: SocketAddr,
        scheme: &'static str,
    ) -> Result<Self, Error> {
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .handshake(TokioIo::new(stream))
            .await?;
        tokio::spawn(connection);
        Ok(Self {
            sender: Sender::Http2(sender),
            authority: address.to_string(),
            scheme,
        })
    }

    /// Sends a request for a path and takes the whole answer.
    ///
    /// # Panics
    /// When there is no whole answer within [`PATIENCE`].
    pub fn send(&mut self, request: Request<Vec<u8>>) -> Answer {
        let what = format!("{} {}", request.method(), request.uri());
        self.try_send(request)
            .unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// Sends a request for a path and takes the whole answer.
    ///
    /// # Errors
    /// When there is none within [`PATIENCE`], or not a whole one.
    pub fn try_send(&mut self, request: Request<Vec<u8>>) -> Result<Answer, Error> {
        RUNTIME.block_on(async { tokio::time::timeout(PATIENCE, self.exchange(request)).await? })
    }

    /// Sends a request for a path and takes the whole answer, within the runtime.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub async fn exchange(&mut self, request: Request<Vec<u8>>) -> Result<Answer, Error> {
        let mut request = request.map(|body| Full::new(Bytes::from(body)));
        let response = match &mut self.sender {
            Sender::Http1(sender) => {
                sender.ready().await?;
                if !request.headers().contains_key("host") {
                    request
                        .headers_mut()
                        .insert("host", self.authority.parse()?);
                }
                sender.send_request(request).await?
            }
            Sender::Http2(sender) => {
                sender.ready().await?;
                let path = request
                    .uri()
                    .path_and_query()
                    .map_or("/", |path| path.as_str());
                *request.uri_mut() =
                    format!("{}://{}{path}", self.scheme, self.authority).parse()?;
                sender.send_request(request).await?
            }
        };
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer {
            status: head.status,
            version: head.version,
            headers: head.headers,
            body,
        })
    }
}
