//! Requests through proxies, and proxies that refuse.

use spinfo_client::{FailureKind, Options, Phase, Proxy};
use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use tokio::net::TcpStream;

use crate::authority::{Authority, Served};
use crate::servers::{Server, Visit};
use crate::{IMPATIENCE, PATIENCE, get_with};

fn through(proxy: &str) -> Options {
    Options {
        proxy: Proxy::from_settings(Some(proxy), None, &|_| None).unwrap(),
        ..Options::default()
    }
}

/// Does what CONNECT asks for, whatever the host.
async fn tunnelling(mut visit: Visit) {
    let head = visit.head().await;
    let port = head
        .split_whitespace()
        .nth(1)
        .and_then(|authority| authority.rsplit_once(':'))
        .unwrap()
        .1
        .to_owned();
    let mut server = TcpStream::connect(format!("127.0.0.1:{port}"))
        .await
        .unwrap();
    visit
        .stream
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .await
        .unwrap();
    // Ends in an error when one side doesn't wait for the other's last bytes.
    let _ = copy_bidirectional(&mut visit.stream, &mut server).await;
}

#[tokio::test]
async fn http_is_asked_of_the_proxy_with_the_whole_url() {
    let proxy = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let options = through(&format!("http://me:hunter2@{}", proxy.address));
    let answer = get_with(options, "http://nowhere.test:81/a?b", PATIENCE)
        .await
        .unwrap();
    assert_eq!(answer.body, "ok");
    let heard = proxy.heard().concat();
    assert!(
        heard.starts_with("GET http://nowhere.test:81/a?b HTTP/1.1\r\n"),
        "{heard}"
    );
    assert!(heard.contains("\r\nhost: nowhere.test:81\r\n"), "{heard}");
    assert!(
        heard.contains("\r\nproxy-authorization: Basic bWU6aHVudGVyMg==\r\n"),
        "{heard}"
    );
}

#[tokio::test]
async fn https_goes_through_a_tunnel_that_alone_sees_the_proxys_password() {
    let authority = Authority::new();
    let server = Served::new(authority.server("nowhere.test")).await;
    let proxy = Server::start(tunnelling).await;
    let mut options = through(&format!("http://me:hunter2@{}", proxy.address));
    options.trust.cacert.push(authority.file());
    let port = server.port();
    let answer = get_with(options, &format!("https://nowhere.test:{port}/"), PATIENCE)
        .await
        .unwrap();
    assert_eq!(answer.body, "ok");
    let heard = proxy.heard().concat();
    assert!(
        heard.starts_with(&format!("CONNECT nowhere.test:{port} HTTP/1.1\r\n")),
        "{heard}"
    );
    assert!(
        heard.contains("\r\nproxy-authorization: Basic bWU6aHVudGVyMg==\r\n"),
        "{heard}"
    );
    assert!(
        !server.heard().concat().contains("proxy-authorization"),
        "{:?}",
        server.heard()
    );
}

#[tokio::test]
async fn a_proxy_may_speak_tls_itself() {
    let authority = Authority::new();
    let server = Served::new(authority.server("nowhere.test")).await;
    let proxy = Served::tunnel(authority.server("localhost")).await;
    let mut options = through(&format!("https://localhost:{}", proxy.port()));
    options.trust.cacert.push(authority.file());
    options.resolve.push(
        format!("localhost:{}:127.0.0.1", proxy.port())
            .parse()
            .unwrap(),
    );
    let answer = get_with(
        options,
        &format!("https://nowhere.test:{}/", server.port()),
        PATIENCE,
    )
    .await
    .unwrap();
    assert_eq!(answer.body, "ok");
}

#[tokio::test]
async fn a_proxy_that_wants_a_password_says_where_it_goes() {
    let proxy = Server::answering(
        "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n",
    )
    .await;
    let failure = get_with(through(&proxy.url("")), "https://nowhere.test/", PATIENCE)
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Proxy, "{failure}");
    assert!(
        failure.message.contains("407")
            && failure.message.ends_with("put USER:PASSWORD@ into its URL"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_refusing_proxy_is_named_without_its_password() {
    for status in [
        "407 Proxy Authentication Required",
        "403 Forbidden",
        "502 Bad Gateway",
    ] {
        let proxy = Server::start(move |mut visit| async move {
            visit
                .answer(&format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n"))
                .await;
        })
        .await;
        let options = through(&format!("http://me:hunter2@{}", proxy.address));
        assert!(
            !format!("{options:?}").contains("hunter2") && !format!("{options:?}").contains("bWU6"),
            "{options:?}"
        );
        let failure = get_with(options, "https://nowhere.test/", PATIENCE)
            .await
            .unwrap_err();
        assert_eq!(failure.kind, FailureKind::Proxy);
        assert_eq!(
            failure.message,
            format!(
                "the proxy http://{}/ answered {status} to CONNECT nowhere.test:443",
                proxy.address
            )
        );
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_the_proxys_failure() {
    let port = Server::answering("").await.port();
    for url in ["http://nowhere.test/", "https://nowhere.test/"] {
        let options = through(&format!("http://me:hunter2@127.0.0.1:{port}"));
        let failure = get_with(options, url, PATIENCE).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Proxy, "{failure}");
        assert!(
            failure.message.starts_with(&format!(
                "the proxy http://127.0.0.1:{port}/ can't be used: cannot connect"
            )),
            "{failure}"
        );
    }
}

#[tokio::test]
async fn a_proxy_that_closes_or_talks_nonsense_is_the_proxys_failure() {
    for bytes in ["", "SSH-2.0\r\n\r\n"] {
        let proxy = Server::answering(bytes).await;
        let failure = get_with(through(&proxy.url("")), "https://nowhere.test/", PATIENCE)
            .await
            .unwrap_err();
        assert_eq!(failure.kind, FailureKind::Proxy, "{failure}");
    }
}

#[tokio::test]
async fn a_silent_proxy_is_a_timeout() {
    let proxy = Server::start(Visit::silence).await;
    let failure = get_with(through(&proxy.url("")), "https://nowhere.test/", IMPATIENCE)
        .await
        .unwrap_err();
    assert_eq!(
        failure.kind,
        FailureKind::Timeout(Phase::Proxy),
        "{failure}"
    );
}
