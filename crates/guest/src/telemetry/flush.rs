//! When exports happen: after the answer, for all requests of the last moment together, one export at a time.

use std::rc::Rc;
use std::time::Duration;

use super::pipeline::{GATHER, Pipeline};
use crate::instance::Instance;

/// A task that waits or exports ends with the request that started it, and a host may end that early. Whoever finds a
/// task this old takes it for gone.
const LOST_AFTER: Duration = Duration::from_secs(30);

/// Since when there is a task that waits, and one that exports.
#[derive(Debug, Default)]
pub(crate) struct State {
    waiting: Option<Duration>,
    exporting: Option<Duration>,
}

/// Sees to it that what was recorded so far is exported soon. Never waits. `now` is monotonic.
pub(crate) fn schedule(instance: &Rc<Instance>, now: Duration) {
    let Some(pipeline) = instance.pipeline() else {
        return;
    };
    let mut state = pipeline.flush.borrow_mut();
    if is_live(state.waiting, now) || pipeline.is_silent(now) {
        return;
    }
    state.waiting = Some(now);
    drop(state);
    let task = Rc::clone(instance);
    instance.platform.spawn(Box::pin(async move {
        if let Some(pipeline) = task.pipeline() {
            run(&task, pipeline).await;
        }
    }));
}

async fn run(instance: &Instance, pipeline: &Pipeline) {
    loop {
        instance.platform.sleep(GATHER).await;
        let now = instance.platform.monotonic();
        let mut state = pipeline.flush.borrow_mut();
        if !is_live(state.exporting, now) {
            // From here on a later request starts the next task.
            *state = State {
                waiting: None,
                exporting: Some(now),
            };
            break;
        }
    }
    let _exporting = Exporting(pipeline);
    pipeline.export(|| instance.platform.monotonic()).await;
}

fn is_live(since: Option<Duration>, now: Duration) -> bool {
    since.is_some_and(|since| now.saturating_sub(since) < LOST_AFTER)
}

struct Exporting<'a>(&'a Pipeline);

impl Drop for Exporting<'_> {
    fn drop(&mut self) {
        self.0.flush.borrow_mut().exporting = None;
    }
}
