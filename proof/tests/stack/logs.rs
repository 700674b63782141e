//! What Loki has.

use spinfo_proof::stack::loki::Line;
use spinfo_proof::stack::{Stack, wait};

use crate::drive::Driven;

/// The lines of a trace are found by its id, each with who wrote it and how bad it is.
pub(crate) fn lines_are_found_by_trace(stack: &Stack, driven: &Driven) {
    // The component's record of its own failure.
    line_of(stack, &driven.failed, "the component's", |line| {
        is(line, "wasm_component", "lab")
            && is(line, "severity_text", "ERROR")
            && line.text == "GET /status/:code 503"
    });
    // The host's about the trap, and what the guest wrote to stderr before it.
    line_of(stack, &driven.trapped, "the host's", |line| {
        is(line, "wasm_component", "lab") && line.text.contains("trapped")
    });
    line_of(stack, &driven.trapped, "the guest's stderr", |line| {
        is(line, "wasm_component", "lab") && line.text.contains("panicked")
    });
}

fn line_of(stack: &Stack, trace: &str, what: &str, wanted: impl Fn(&Line) -> bool) {
    let query = format!(r#"{{service_name="spinfo"}} | trace_id="{trace}""#);
    wait::until(&format!("{what} line of {trace}"), || {
        let lines = stack.loki().lines(&query, 600)?;
        let found = lines
            .iter()
            .find(|line| wanted(line) && line.labels.contains_key("span_id"));
        found.map(drop).ok_or_else(|| format!("{lines:#?}"))
    });
}

fn is(line: &Line, label: &str, value: &str) -> bool {
    line.labels.get(label).is_some_and(|found| found == value)
}
