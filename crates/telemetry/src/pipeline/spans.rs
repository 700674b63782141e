//! Spans: from the end of a span into its queue, and from a batch to a request.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use prost::Message as _;

use super::queue::Queue;

/// Puts sampled spans into the queue.
#[derive(Debug)]
pub(crate) struct SpanSink(pub(crate) Arc<Queue<SpanData>>);

impl SpanProcessor for SpanSink {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() {
            self.0.push(span);
        }
    }

    /// Does nothing: flushing belongs to [`Telemetry::shutdown`](crate::Telemetry::shutdown), which has a deadline.
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        self.0.close();
        Ok(())
    }
}

pub(super) fn encoder(resource: &Resource) -> impl Fn(Vec<SpanData>) -> Vec<u8> + Send + 'static {
    let resource = ResourceAttributesWithSchema::from(resource);
    move |spans| {
        let resource_spans = group_spans_by_resource_and_scope(spans, &resource);
        ExportTraceServiceRequest { resource_spans }.encode_to_vec()
    }
}
