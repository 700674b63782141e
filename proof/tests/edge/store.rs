//! What replicas share, and what goes on without it.

use http::Request;
use serde_json::json;
use spinfo_proof::edge::{Edge, Replicas, Settings};
use spinfo_tests::{Answer, Client, Redis, Up, deadline};
use std::io::Write as _;

/// Two replicas with one Redis, and an edge before them.
fn start() -> (Redis, Replicas, Edge) {
    let redis = Redis::start();
    let mut config = tempfile::NamedTempFile::new().unwrap();
    write!(
        config,
        "[key_value_store.default]\ntype = \"redis\"\nurl = \"{}\"\n",
        redis.url()
    )
    .unwrap();
    let replicas = Replicas::configured(2, |up: Up| {
        up.args(["--runtime-config-file".as_ref(), config.path().as_os_str()])
    });
    let edge = Settings::before(&replicas, 2).start().with_certificates();
    (redis, replicas, edge)
}

fn set(code: u16) -> Request<Vec<u8>> {
    Request::put("/status")
        .header("content-type", "application/json")
        .body(json!({ "code": code }).to_string().into_bytes())
        .unwrap()
}

fn upload(text: &str) -> Request<Vec<u8>> {
    let form = format!(
        "--b\r\nContent-Disposition: form-data; name=\"new_file\"; filename=\"a.txt\"\r\n\r\n{text}\r\n--b--\r\n"
    );
    Request::post("/file_upload")
        .header("content-type", "multipart/form-data; boundary=b")
        .header("accept", "application/json")
        .body(form.into_bytes())
        .unwrap()
}

fn names(files: &Answer) -> Vec<String> {
    let list = files.json();
    let text = list.to_string();
    assert_eq!(files.status, 200, "{text}");
    let list = list["files"].as_array().cloned().unwrap_or_default();
    list.iter()
        .map(|file| file["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
#[ignore = "needs Caddy, see proof/backends/install, and redis-server"]
fn a_change_and_an_upload_are_seen_by_every_replica() {
    let (_redis, replicas, edge) = start();
    assert_eq!(edge.send(set(418)).status, 200);
    for host in &replicas.hosts {
        assert_eq!(host.get("/status").status, 418);
    }
    let change = Request::post("/status/change").body(Vec::new()).unwrap();
    let changed = edge.send(change).json();
    for host in &replicas.hosts {
        let seen = host.get("/status").json();
        assert_eq!(seen["revision"], changed["revision"], "{seen} {changed}");
    }
    let uploaded = replicas.hosts[0].send(upload("one two two"));
    assert_eq!(uploaded.status, 200, "{uploaded:?}");
    let name = names(&replicas.hosts[1].get("/files")).remove(0);
    let text = replicas.hosts[1].get(&format!("/files/{name}"));
    assert_eq!(text.text(), "one two two");
    // Taking the service out of rotation is for all of them, too.
    let disable = Request::post("/readyz/disable").body(Vec::new()).unwrap();
    assert_eq!(edge.send(disable).status, 202);
    for host in &replicas.hosts {
        assert_eq!(host.get("/readyz").status, 503);
    }
}

#[test]
#[ignore = "needs Caddy, see proof/backends/install, and redis-server"]
fn without_redis_only_what_needs_it_fails_and_all_recovers() {
    let (mut redis, replicas, edge) = start();
    assert_eq!(edge.send(set(201)).status, 200);
    redis.kill();
    for host in &replicas.hosts {
        let said = deadline::until("readiness to say no", || {
            let said = host.admin("/readyz");
            (said.status == 503).then_some(said)
        });
        assert!(
            said.text().contains("key-value store \"default\""),
            "{said:?}"
        );
        assert_eq!(host.admin("/livez").status, 200);
        // What the edge asks: every replica is in the same position, so none is avoided.
        assert_eq!(host.admin("/readyz?exclude=stores").status, 200);
    }
    // For longer than the edge needs to avoid a replica.
    let begun = std::time::Instant::now();
    let mut client = edge.connect(&["h2"]).unwrap();
    while begun.elapsed() < std::time::Duration::from_secs(5) {
        for path in ["/", "/version", "/now", "/api/info", "/healthz"] {
            let answer = client.send(get(path));
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
        }
        for request in [
            get("/status"),
            set(200),
            get("/files"),
            get("/readyz"),
            upload("lost"),
        ] {
            let what = format!("{} {}", request.method(), request.uri());
            let answer = client.send(request);
            assert_eq!(answer.status, 503, "{what}: {answer:?}");
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert_eq!(answer.header("retry-after"), "5", "{what}");
            assert_eq!(
                answer.json()["detail"],
                "the key-value store is not available"
            );
        }
    }
    redis.restart();
    for host in &replicas.hosts {
        deadline::until("readiness to say yes", || {
            (host.admin("/readyz").status == 200).then_some(())
        });
    }
    deadline::until("the status from before", || {
        (edge.get("/status").status == 201).then_some(())
    });
}

#[test]
#[ignore = "needs Caddy, see proof/backends/install, and redis-server"]
fn what_was_acknowledged_is_there_after_redis_was_killed() {
    let (mut redis, replicas, edge) = start();
    let mut acknowledged = 0;
    for round in 0..3 {
        let mut client: Client = edge.connect(&["h2"]).unwrap();
        for number in 0..10 {
            // Sizes are in the names, so names differ.
            let text = "word ".repeat(acknowledged + 1);
            let answer = client.send(upload(&text));
            assert_eq!(answer.status, 200, "{round}/{number}: {answer:?}");
            acknowledged += 1;
        }
        redis.kill();
        redis.restart();
        for host in &replicas.hosts {
            deadline::until("readiness to say yes", || {
                (host.admin("/readyz").status == 200).then_some(())
            });
            assert_eq!(
                names(&host.get("/files")).len(),
                acknowledged,
                "round {round}"
            );
        }
    }
}

fn get(path: &str) -> Request<Vec<u8>> {
    spinfo_proof::edge::caddy::get(path)
}
