//! compose.yaml itself, brought up by a real engine with the images that it names.
//!
//! `proof/compose/engine` and `proof/compose/images` see to what it needs where there is no Docker or no registry.

mod containers;
mod docker;
mod files;
mod project;
mod requests;
mod telemetry;

use std::sync::{Mutex, PoisonError};

use project::Project;
use spinfo_proof::stack::Checks;

/// Two stacks at a time are more than a small machine has memory for.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

#[test]
#[ignore = "needs a Docker engine; see proof/compose/engine"]
fn every_combination_of_files_and_profiles_is_valid() {
    files::every_combination_is_valid();
    files::only_what_is_public_is_published();
}

#[test]
#[ignore = "needs a Docker engine and the images; see proof/compose/engine and proof/compose/images"]
fn the_whole_stack_comes_up_and_sees_each_request() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let checks = Checks::default();
    let project = Project::up("all");
    checks.say("everything is up");
    checks.run("containers are healthy", || {
        containers::are_healthy(&project)
    });
    checks.run("containers are confined", || {
        containers::are_confined(&project)
    });
    checks.run("containers are reached from here only", || {
        containers::are_reached_from_this_machine_only(&project);
    });
    checks.run("tags are the versions inside", || {
        containers::have_the_version_of_their_tag(&project);
    });
    if let Some(driven) = checks.run("replicas answer alike", || {
        requests::replicas_answer_alike(&project)
    }) {
        checks.run("traces arrive", || {
            telemetry::traces_arrive(&project, &driven)
        });
        checks.run("requests are counted", || {
            telemetry::requests_are_counted(&project, &driven)
        });
        checks.run("log lines arrive", || {
            telemetry::log_lines_arrive(&project, &driven)
        });
    }
    if let Some(trace) = checks.run("the edge answers for the replicas", || {
        requests::the_edge_answers(&project)
    }) {
        checks.run("a trace begins at the edge", || {
            telemetry::a_trace_begins_at_the_edge(&project, &trace)
        });
    }
    checks.run("the monitor and the probe report", || {
        telemetry::clients_report(&project)
    });
    checks.run("the stack watches itself", || {
        telemetry::the_stack_watches_itself(&project)
    });
    checks.say(&project.memory());
    checks.run("the last request's trace arrives too", || {
        telemetry::the_last_trace_arrives(&project);
    });
    checks.run("everything stops cleanly", || {
        containers::stop_cleanly(&project)
    });
    checks.finish(|| project.logs());
}

#[test]
#[ignore = "needs a Docker engine and the images; see proof/compose/engine and proof/compose/images"]
fn the_minimal_profile_works_and_its_log_lines_wait_for_loki() {
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let checks = Checks::default();
    let mut project = Project::up("minimal");
    checks.say("everything is up");
    checks.run("containers are healthy", || {
        containers::are_healthy(&project)
    });
    if let Some(driven) = checks.run("replicas answer alike", || {
        requests::replicas_answer_alike(&project)
    }) {
        checks.run("traces arrive", || {
            telemetry::traces_arrive(&project, &driven)
        });
        checks.run("requests are counted", || {
            telemetry::requests_are_counted(&project, &driven)
        });
        project.start("all");
        checks.say("the rest is up");
        checks.run("log lines arrive in the end", || {
            telemetry::log_lines_arrive(&project, &driven)
        });
    }
    checks.finish(|| project.logs());
}
