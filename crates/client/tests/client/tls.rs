//! TLS: certificates that are right, and those that are wrong in every way that monitoring meets.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::Version;
use rcgen::{BasicConstraints, IsCa, KeyPair, date_time_ymd};
use spinfo_client::{Client, Failure, FailureKind, Options, Phase, Trust};
use tokio::io::AsyncWriteExt as _;
use tokio_rustls::TlsAcceptor;

use crate::authority::{Authority, Served};
use crate::servers::{Server, Visit, read_head};
use crate::{IMPATIENCE, PATIENCE, get, get_with, target, within};

/// The failure of a request that the certificate doesn't allow.
async fn failing(options: Options, url: &str) -> Failure {
    let failure = get_with(options, url, PATIENCE).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Tls, "{failure}");
    failure
}

#[tokio::test]
async fn a_certificate_that_is_right_has_its_times() {
    let authority = Authority::new();
    let served = Served::new(authority.server_with("127.0.0.1", |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2100, 1, 1);
    }))
    .await;
    let client = Client::new(authority.trusted()).unwrap();
    let connection = client
        .connect(&target(&served.url()), within(PATIENCE).deadline)
        .await
        .unwrap();
    let certificate = connection.certificate().unwrap();
    assert_eq!(certificate.subject, "CN=127.0.0.1");
    assert_eq!(
        certificate.not_before,
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_577_836_800)
    );
    assert_eq!(
        certificate.not_after,
        SystemTime::UNIX_EPOCH + Duration::from_secs(4_102_444_800)
    );
    assert!(connection.phases().tls.is_some());
    assert_eq!(connection.version(), Version::HTTP_11);
}

#[tokio::test]
async fn an_expired_certificate_says_since_when() {
    let authority = Authority::new();
    let served = Served::new(authority.server_with("127.0.0.1", |params| {
        params.not_after = date_time_ymd(2020, 2, 3);
    }))
    .await;
    let failure = failing(authority.trusted(), &served.url()).await;
    assert_eq!(
        failure.message,
        "the server's certificate expired on 2020-02-03T00:00:00Z"
    );
    assert!(failure.after.is_some());
    let since = SystemTime::UNIX_EPOCH + Duration::from_secs(1_580_688_000);
    assert_eq!(failure.certificate.unwrap().not_after, since);
}

#[tokio::test]
async fn a_certificate_of_the_future_says_from_when() {
    let authority = Authority::new();
    let served = Served::new(authority.server_with("127.0.0.1", |params| {
        params.not_before = date_time_ymd(2100, 1, 1);
        params.not_after = date_time_ymd(2101, 1, 1);
    }))
    .await;
    let failure = failing(authority.trusted(), &served.url()).await;
    assert!(
        failure
            .message
            .starts_with("the server's certificate is not valid before 2100-01-01T00:00:00Z"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_certificate_for_another_name_says_for_which() {
    let authority = Authority::new();
    let served = Served::new(authority.server("other.test")).await;
    let failure = failing(authority.trusted(), &served.url()).await;
    assert!(
        failure
            .message
            .starts_with("the server's certificate is not for 127.0.0.1: it is for "),
        "{failure}"
    );
    assert!(
        failure.message.ends_with("it is for other.test"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_certificate_that_is_its_own_authority_is_trusted_when_it_is_named() {
    let own = |name| {
        let authority = Authority::for_server(name);
        (authority.own_server(), authority)
    };
    let (config, authority) = own("127.0.0.1");
    let served = Served::new(config).await;
    let answer = get_with(authority.trusted(), &served.url(), PATIENCE).await;
    assert_eq!(answer.unwrap().body, "ok");
    // Trusted is not the same as right, and another's is not trusted.
    let (config, other) = own("other.test");
    let elsewhere = Served::new(config).await;
    let failure = failing(other.trusted(), &elsewhere.url()).await;
    assert!(failure.message.contains("not for 127.0.0.1"), "{failure}");
    failing(other.trusted(), &served.url()).await;
}

#[tokio::test]
async fn an_unknown_issuer_is_named_with_the_remedy() {
    let served = Served::new(Authority::new().server("127.0.0.1")).await;
    let failure = failing(
        Authority::named("Another Authority").trusted(),
        &served.url(),
    )
    .await;
    assert!(
        failure
            .message
            .starts_with("the server's certificate is from an unknown issuer ("),
        "{failure}"
    );
    assert!(
        failure.message.contains("Test Authority") && failure.message.contains("--cacert"),
        "{failure}"
    );
}

#[tokio::test]
async fn an_authority_with_a_new_key_is_explained() {
    let served = Served::new(Authority::new().server("127.0.0.1")).await;
    let of_another_kind = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    for now in [
        Authority::new(),
        Authority::with("Test Authority", of_another_kind),
    ] {
        let failure = failing(now.trusted(), &served.url()).await;
        assert!(
            failure
                .message
                .contains("not signed with the key of its issuer"),
            "{failure}"
        );
        assert!(
            failure.message.contains("Test Authority") && failure.message.contains("--cacert"),
            "{failure}"
        );
    }
}

#[tokio::test]
async fn an_authoritys_own_certificate_is_explained() {
    let authority = Authority::new();
    let served = Served::new(authority.server_with("127.0.0.1", |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }))
    .await;
    let failure = failing(authority.trusted(), &served.url()).await;
    assert!(
        failure.message.contains("(CA:TRUE)") && failure.message.contains("--cacert"),
        "{failure}"
    );
}

#[tokio::test]
async fn plain_http_where_tls_is_expected_is_explained() {
    let server = Server::start(|mut visit| async move {
        visit.say("HTTP/1.1 400 Bad Request\r\n\r\n").await;
        visit.silence().await;
    })
    .await;
    let failure = failing(Options::default(), &format!("https://{}/", server.address)).await;
    assert!(
        failure.message.starts_with("what came is not TLS"),
        "{failure}"
    );
}

#[tokio::test]
async fn tls_where_plain_http_is_expected_is_no_http() {
    let served = Served::new(Authority::new().server("127.0.0.1")).await;
    let failure = get(&served.url().replace("https", "http"))
        .await
        .unwrap_err();
    assert!(
        matches!(failure.kind, FailureKind::Protocol | FailureKind::Reset),
        "{failure}"
    );
}

#[tokio::test]
async fn an_end_in_the_handshake_is_explained() {
    let server = Server::start(|visit| async move { visit.reset() }).await;
    let failure = failing(Options::default(), &format!("https://{}/", server.address)).await;
    assert!(
        failure
            .message
            .starts_with("the server closed the connection during the TLS handshake"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_handshake_that_stalls_is_a_timeout() {
    let server = Server::start(Visit::silence).await;
    let failure = get_with(
        Options::default(),
        &format!("https://{}/", server.address),
        IMPATIENCE,
    )
    .await
    .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout(Phase::Tls), "{failure}");
}

#[tokio::test]
async fn http2_is_spoken_when_both_can_and_it_is_wanted() {
    let authority = Authority::new();
    let mut config = authority.server("127.0.0.1");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let served = Served::new(config).await;
    let answer = get_with(authority.trusted(), &served.url(), PATIENCE)
        .await
        .unwrap();
    assert_eq!(answer.version, Version::HTTP_2);
    assert_eq!(answer.body, served.address().to_string());
    assert!(answer.sent_at <= answer.head_at && answer.head_at <= answer.finished_at);
    let without = Options {
        http2: false,
        ..authority.trusted()
    };
    assert_eq!(
        get_with(without, &served.url(), PATIENCE)
            .await
            .unwrap()
            .version,
        Version::HTTP_11
    );
}

#[tokio::test]
async fn an_end_without_tlss_own_is_no_end_of_a_body() {
    let authority = Authority::new();
    let acceptor = TlsAcceptor::from(Arc::new(authority.server("127.0.0.1")));
    let server = Server::start(move |visit| {
        let acceptor = acceptor.clone();
        async move {
            let mut stream = acceptor.accept(visit.stream).await.unwrap();
            read_head(&mut stream).await;
            stream
                .write_all(b"HTTP/1.1 200 OK\r\n\r\nhalf")
                .await
                .unwrap();
            stream.flush().await.unwrap();
        }
    })
    .await;
    let url = format!("https://{}/", server.address);
    let failure = get_with(authority.trusted(), &url, PATIENCE)
        .await
        .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Body, "{failure}");
}

#[tokio::test]
async fn http2_that_is_given_up_is_a_reset() {
    let authority = Authority::new();
    let mut config = authority.server("127.0.0.1");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = Server::start(move |visit| {
        let acceptor = acceptor.clone();
        async move { drop(acceptor.accept(visit.stream).await) }
    })
    .await;
    let failure = get_with(
        authority.trusted(),
        &format!("https://{}/", server.address),
        PATIENCE,
    )
    .await
    .unwrap_err();
    assert_eq!(failure.kind, FailureKind::Reset, "{failure}");
}

#[tokio::test]
async fn a_file_without_a_certificate_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "nothing\n").unwrap();
    for (path, expected) in [
        (empty, "there is no certificate in "),
        (
            folder.path().join("none.pem"),
            "cannot read the certificates in ",
        ),
    ] {
        let options = Options {
            trust: Trust {
                cacert: vec![path.clone()],
            },
            ..Options::default()
        };
        let error = Client::new(options).unwrap_err().to_string();
        assert!(
            error.starts_with(expected) && error.contains(&path.display().to_string()),
            "{error}"
        );
    }
}
