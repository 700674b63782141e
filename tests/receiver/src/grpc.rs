//! OTLP/gRPC, by the services that opentelemetry-proto generates.

use http::{Request, Response};
use hyper::body::Incoming;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{
    LogsService, LogsServiceServer,
};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tonic::Status;
use tonic::body::Body;
use tonic::codec::CompressionEncoding::Gzip;
use tonic::codegen::Service as _;

use crate::shared::{Answer, Shared};

pub(crate) async fn answer(request: Request<Incoming>, shared: Shared) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let answer = match path.as_str() {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => {
            TraceServiceServer::new(shared)
                .accept_compressed(Gzip)
                .call(request)
                .await
        }
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => {
            MetricsServiceServer::new(shared)
                .accept_compressed(Gzip)
                .call(request)
                .await
        }
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => {
            LogsServiceServer::new(shared)
                .accept_compressed(Gzip)
                .call(request)
                .await
        }
        _ => {
            shared.change(|state| state.faults.push(format!("{path}: no method of OTLP")));
            Ok(Status::unimplemented(path).into_http())
        }
    };
    answer.unwrap_or_else(|never| match never {})
}

impl Shared {
    /// How many spans to reject of a batch that is taken.
    fn rejected(&self) -> Result<i64, Status> {
        self.change(|state| match state.answers.pop_front() {
            Some(Answer::Grpc(code)) => Err(Status::new(code, "not now: ü")),
            Some(Answer::RejectSpans(spans)) => Ok(spans),
            Some(answer @ Answer::Status(..)) => {
                state
                    .faults
                    .push(format!("{answer:?} is no answer for gRPC"));
                Err(Status::internal("no answer"))
            }
            None => Ok(0),
        })
    }
}

#[tonic::async_trait]
impl TraceService for Shared {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, Status> {
        let rejected_spans = self.rejected()?;
        self.change(|state| {
            state
                .received
                .traces
                .extend(request.into_inner().resource_spans)
        });
        let partial = ExportTracePartialSuccess {
            rejected_spans,
            error_message: "too old".to_owned(),
        };
        let partial_success = (rejected_spans > 0).then_some(partial);
        Ok(tonic::Response::new(ExportTraceServiceResponse {
            partial_success,
        }))
    }
}

#[tonic::async_trait]
impl MetricsService for Shared {
    async fn export(
        &self,
        request: tonic::Request<ExportMetricsServiceRequest>,
    ) -> Result<tonic::Response<ExportMetricsServiceResponse>, Status> {
        self.rejected()?;
        self.change(|state| {
            state
                .received
                .metrics
                .extend(request.into_inner().resource_metrics)
        });
        Ok(tonic::Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Shared {
    async fn export(
        &self,
        request: tonic::Request<ExportLogsServiceRequest>,
    ) -> Result<tonic::Response<ExportLogsServiceResponse>, Status> {
        self.rejected()?;
        self.change(|state| {
            state
                .received
                .logs
                .extend(request.into_inner().resource_logs)
        });
        Ok(tonic::Response::new(ExportLogsServiceResponse::default()))
    }
}
