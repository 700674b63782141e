//! When exports happen: after the answer, for all requests of the last moment together, one export at a time.

use std::rc::Rc;
use std::time::Duration;

use super::pipeline::{GATHER, Pipeline};
use crate::platform::Platform;

/// A task that waits or exports ends with the request that started it, and a host may end that early. Whoever finds a
/// task this old takes it for gone.
const LOST_AFTER: Duration = Duration::from_secs(30);

/// Sees to it that what was recorded so far is exported soon. Never waits. `now` is monotonic.
pub(crate) fn schedule(pipeline: &Rc<Pipeline>, platform: &Rc<dyn Platform>, now: Duration) {
    if is_live(pipeline.waiting.get(), now) || pipeline.is_silent(now) {
        return;
    }
    pipeline.waiting.set(Some(now));
    let task = run(Rc::clone(pipeline), Rc::clone(platform));
    platform.spawn(Box::pin(task));
}

async fn run(pipeline: Rc<Pipeline>, platform: Rc<dyn Platform>) {
    loop {
        platform.sleep(GATHER).await;
        let now = platform.monotonic();
        if !is_live(pipeline.exporting.get(), now) {
            // From here on a later request starts the next task.
            pipeline.waiting.set(None);
            pipeline.exporting.set(Some(now));
            break;
        }
    }
    let _exporting = Exporting(&pipeline);
    pipeline.export(|| platform.monotonic()).await;
}

fn is_live(since: Option<Duration>, now: Duration) -> bool {
    since.is_some_and(|since| now.saturating_sub(since) < LOST_AFTER)
}

struct Exporting<'a>(&'a Pipeline);

impl Drop for Exporting<'_> {
    fn drop(&mut self) {
        self.0.exporting.set(None);
    }
}
