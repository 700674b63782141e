//! Log records: from the logger into their queue, and from a batch to a request.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::InstrumentationScope;
use opentelemetry::logs::LogRecord as _;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::logs::tonic::group_logs_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogProcessor, SdkLogRecord};
use prost::Message as _;

use super::queue::Queue;

/// A record and the scope of the logger that made it.
pub(crate) type ScopedRecord = (SdkLogRecord, InstrumentationScope);

/// Puts log records into the queue.
#[derive(Debug)]
pub(crate) struct LogSink(pub(crate) Arc<Queue<Box<ScopedRecord>>>);

impl LogProcessor for LogSink {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        let mut record = record.clone();
        // An event has no time but that of its observation, and receivers sort by the former.
        if let (None, Some(observed)) = (record.timestamp(), record.observed_timestamp()) {
            record.set_timestamp(observed);
        }
        self.0.push(Box::new((record, scope.clone())));
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

pub(super) fn encoder(
    resource: &Resource,
) -> impl Fn(Vec<Box<ScopedRecord>>) -> Vec<u8> + Send + 'static {
    let resource = ResourceAttributesWithSchema::from(resource);
    move |records| {
        let records: Vec<_> = records.iter().map(|entry| (&entry.0, &entry.1)).collect();
        let resource_logs = group_logs_by_resource_and_scope(&LogBatch::new(&records), &resource);
        ExportLogsServiceRequest { resource_logs }.encode_to_vec()
    }
}
