//! No upgrade loses a request: constant load on replicas behind the edge while the application and the host are replaced.
//!
//! A program of its own, so that no other test runs beside it.
//!
//! - [`service`]: what is upgraded, and how
//! - [`mix`]: what clients ask for, and what they have to get
//! - [`load`]: constant load
//! - [`report`]: the table of what became of it

mod load;
mod mix;
mod report;
mod service;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use load::{Load, RATE, Sample};
use mix::{Kind, Versions};
use report::Phase;
use service::Service;
use spinfo_proof::edge::{Edge, caddy::get};

/// Answers before and after what happens in a phase: two seconds if the machine can keep up.
const AROUND: usize = 2 * RATE as usize;

/// Requests a second without which nothing is shown. Far less than any machine can do that can run the test.
const LEAST_RATE: f64 = 25.0;

/// The edge may still send a request on a connection that it kept, in the moment before it notices that this has been closed.
const NOTICED: Duration = Duration::from_millis(500);

/// The phase in which a replica is killed.
const KILL: &str = "kill -9 of one replica, and its replacement";

#[test]
#[ignore = "needs Caddy, see proof/backends/install, and redis-server"]
fn no_upgrade_loses_a_request() {
    let mut service = Service::start();
    let load = Load::start(&service.edge, Versions::of(&[1]));
    let mut phases = Vec::new();
    let mut phase = |name| {
        load.enter(phases.len());
        phases.push(Phase {
            name,
            begun: Instant::now(),
        });
        load.go_on_for(AROUND);
    };

    phase("steady");
    load.go_on_for(AROUND);

    phase("hot reload of both replicas");
    service.release(2);
    load.expect(Versions::of(&[1, 2]));
    for replica in 0..2 {
        let now = service.reload(replica);
        assert!(now["problem"].is_null(), "{now}");
    }
    load.expect(Versions::of(&[2]));
    load.go_on_for(AROUND);

    phase("a broken version, refused, and its repair");
    service.release_broken();
    for replica in 0..2 {
        let problem = service.reload(replica)["problem"].to_string();
        assert!(problem.contains("missing.wasm"), "{problem}");
    }
    load.go_on_for(AROUND);
    service.release(2);
    for replica in 0..2 {
        let now = service.reload(replica);
        assert!(now["problem"].is_null(), "{now}");
    }
    load.go_on_for(AROUND);

    for (name, from, to) in [("rolling upgrade", 2, 3), ("rollback", 3, 2)] {
        phase(name);
        service.release(to);
        load.expect(Versions::of(&[from, to]));
        for replica in 0..2 {
            service.replace(replica);
        }
        load.expect(Versions::of(&[to]));
        load.go_on_for(AROUND);
    }

    phase(KILL);
    let killed = service.kill(0);
    let killed_at = Instant::now();
    load.go_on_for(2 * AROUND);
    service.bring_back(0);
    load.go_on_for(AROUND);

    let end = Instant::now();
    let samples = load.stop();
    let rows = report::rows(&phases, end, &samples);
    report::tell(&report::table(&rows));

    let failed = samples.iter().filter(|sample| sample.failure.is_some());
    let (allowed, lost): (Vec<_>, Vec<_>) = failed.partition(|sample| {
        let upstream = || {
            service
                .edge
                .entry(&mix::mark(sample.number))
                .upstream()
                .to_owned()
        };
        phases[sample.phase].name == KILL
            && !sample.kind().is_idempotent()
            && sample.due < killed_at + NOTICED
            && upstream() == killed
    });
    for sample in &allowed {
        report::tell(&format!(
            "in flight on the killed replica: {}",
            said(sample)
        ));
    }
    let lost: Vec<_> = lost
        .into_iter()
        .map(|sample| format!("{}: {}", phases[sample.phase].name, said(sample)))
        .collect();
    assert!(lost.is_empty(), "{} lost:\n{}", lost.len(), lost.join("\n"));
    for row in &rows {
        assert!(row.rate > LEAST_RATE, "{}: {} a second", row.name, row.rate);
    }
    uploads_are_there_once(&service.edge, &samples);
}

fn said(sample: &Sample) -> String {
    let kind = sample.kind();
    format!(
        "request {}, {} {} on a {} connection, after {:?}: {}",
        sample.number,
        kind.method(),
        kind.route(),
        if sample.kept { "kept" } else { "new" },
        sample.took,
        sample.failure.as_deref().unwrap_or("answered")
    )
}

/// What was acknowledged is there, and nothing was done twice.
fn uploads_are_there_once(edge: &Edge, samples: &[Sample]) {
    let uploads = || {
        samples
            .iter()
            .filter(|sample| sample.kind() == Kind::Upload)
    };
    let mut client = edge.connect(&["h2"]).unwrap();
    let mut stored = BTreeSet::new();
    let mut next = Some("/files?limit=1000".to_owned());
    while let Some(page) = next {
        let page = client.send(get(&page)).json();
        for file in page["files"].as_array().unwrap() {
            let file = client.send(get(file["url"].as_str().unwrap()));
            let number = mix::number(file.text()).expect("an upload of this test");
            assert!(stored.insert(number), "upload {number} is there twice");
        }
        next = page["next"].as_str().map(str::to_owned);
    }
    let acknowledged: BTreeSet<_> = uploads()
        .filter(|sample| sample.failure.is_none())
        .map(|sample| sample.number)
        .collect();
    let missing: Vec<_> = acknowledged.difference(&stored).collect();
    assert!(
        missing.is_empty(),
        "acknowledged and not there: {missing:?}"
    );
    report::tell(&format!(
        "{} uploads acknowledged, {} there, none twice",
        acknowledged.len(),
        stored.len()
    ));
}
