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
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tonic::Status;
use tonic::body::Body;
use tonic::codec::CompressionEncoding::Gzip;
use tonic::codegen::Service as _;

use super::Shared;

pub(super) async fn answer(request: Request<Incoming>, shared: Shared) -> Response<Body> {
    let path = request.uri().path().to_owned();
    shared.add(|received| received.paths.push(path.clone()));
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
        _ => Ok(Status::unimplemented(path).into_http()),
    };
    answer.unwrap_or_else(|never| match never {})
}

#[tonic::async_trait]
impl TraceService for Shared {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, Status> {
        self.add(|received| received.traces.extend(request.into_inner().resource_spans));
        Ok(tonic::Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Shared {
    async fn export(
        &self,
        request: tonic::Request<ExportMetricsServiceRequest>,
    ) -> Result<tonic::Response<ExportMetricsServiceResponse>, Status> {
        self.add(|received| {
            received
                .metrics
                .extend(request.into_inner().resource_metrics)
        });
        Ok(tonic::Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Shared {
    async fn export(
        &self,
        request: tonic::Request<ExportLogsServiceRequest>,
    ) -> Result<tonic::Response<ExportLogsServiceResponse>, Status> {
        self.add(|received| received.logs.extend(request.into_inner().resource_logs));
        Ok(tonic::Response::new(Default::default()))
    }
}
