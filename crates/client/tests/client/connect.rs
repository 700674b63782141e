//! From a name to a connection.

use std::net::SocketAddr;
use std::time::Duration;

use spinfo_client::{FailureKind, Family, Options, Phase};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::servers::Server;
use crate::{IMPATIENCE, PATIENCE, failure_soon, get, get_with};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn resolving(entry: &str) -> Options {
    Options {
        resolve: vec![entry.parse().unwrap()],
        ..Options::default()
    }
}

/// A port on which nothing listens.
async fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// A listener whose queue is full, so that whoever connects waits.
struct Deaf {
    address: SocketAddr,
    _socket: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl Deaf {
    async fn on(address: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(address.parse().unwrap()).unwrap();
        let socket = socket.listen(1).unwrap();
        let address = socket.local_addr().unwrap();
        let mut waiting = Vec::new();
        while let Ok(stream) = tokio::time::timeout(IMPATIENCE, TcpStream::connect(address)).await {
            waiting.push(stream.unwrap());
        }
        Self {
            address,
            _socket: socket,
            _waiting: waiting,
        }
    }
}

#[tokio::test]
async fn a_refused_connection_names_host_and_address() {
    let port = closed_port().await;
    let failure = get(&format!("http://127.0.0.1:{port}/")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Connect);
    assert_eq!(
        failure.message,
        format!("cannot connect to 127.0.0.1 port {port} (127.0.0.1:{port}: connection refused)")
    );
    assert!(failure.after.is_some());
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_a_failure_of_dns() {
    // Too long for a label, so that the resolver refuses it without asking anybody.
    let host = "a".repeat(64);
    let failure = get(&format!("http://{host}.test/")).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Dns, "{failure}");
    assert!(
        failure
            .message
            .starts_with(&format!("cannot find the address of {host}.test: ")),
        "{failure}"
    );
}

#[tokio::test]
async fn a_given_address_takes_the_place_of_a_look_up() {
    let server = Server::answering(OK).await;
    let port = server.port();
    let options = resolving(&format!("nowhere.test:{port}:127.0.0.1"));
    let answer = get_with(
        options,
        &format!("http://nowhere.test:{port}/a?b#c"),
        PATIENCE,
    )
    .await
    .unwrap();
    assert_eq!(answer.body, "ok");
    assert_eq!(
        server.heard(),
        [format!(
            "GET /a?b HTTP/1.1\r\naccept: */*\r\nhost: nowhere.test:{port}\r\n\r\n"
        )]
    );
}

#[tokio::test]
async fn a_family_without_an_address_is_a_failure_of_dns() {
    let options = Options {
        family: Some(Family::V6),
        ..Options::default()
    };
    let failure = get_with(options, "http://127.0.0.1:1/", PATIENCE)
        .await
        .unwrap_err();
    assert_eq!(
        (failure.kind, failure.message.as_str()),
        (FailureKind::Dns, "127.0.0.1 has no IPv6 address")
    );
}

#[tokio::test]
async fn an_address_that_refuses_is_followed_by_the_next() {
    let server = Server::answering(OK).await;
    let port = server.port();
    // The server listens on 127.0.0.1 only.
    let options = resolving(&format!("h.test:{port}:127.0.0.2,127.0.0.1"));
    assert_eq!(
        get_with(options, &format!("http://h.test:{port}/"), PATIENCE)
            .await
            .unwrap()
            .body,
        "ok"
    );
}

#[tokio::test]
async fn an_address_that_is_silent_is_not_waited_for() {
    let server = Server::answering(OK).await;
    let port = server.port();
    let _deaf = Deaf::on(&format!("127.0.0.2:{port}")).await;
    let options = resolving(&format!("h.test:{port}:127.0.0.2,127.0.0.1"));
    let client = spinfo_client::Client::new(options).unwrap();
    let target = crate::target(&format!("http://h.test:{port}/"));
    let connection = client
        .connect(&target, crate::within(PATIENCE).deadline)
        .await
        .unwrap();
    assert_eq!(connection.peer(), server.address);
    // The system tries the silent address again after a second: the other one answered before.
    assert!(
        connection.phases().connect >= Duration::from_millis(250),
        "{:?}",
        connection.phases()
    );
    assert!(
        connection.phases().connect < PATIENCE,
        "{:?}",
        connection.phases()
    );
}

#[tokio::test]
async fn every_address_that_failed_is_named() {
    let port = closed_port().await;
    let options = resolving(&format!("h.test:{port}:127.0.0.1,127.0.0.2"));
    let failure = get_with(options, &format!("http://h.test:{port}/"), PATIENCE)
        .await
        .unwrap_err();
    assert!(
        failure.message.contains("127.0.0.1:") && failure.message.contains("127.0.0.2:"),
        "{failure}"
    );
}

#[tokio::test]
async fn connecting_ends_with_the_deadline() {
    let deaf = Deaf::on("127.0.0.1:0").await;
    let failure = failure_soon(&format!("http://{}/", deaf.address)).await;
    assert_eq!(
        failure.kind,
        FailureKind::Timeout(Phase::Connect),
        "{failure}"
    );
    assert!(
        failure.message.starts_with("timed out after 0."),
        "{failure}"
    );
}
