//! Which measurements may leave an exemplar.

use opentelemetry::trace::SpanContext;

/// The choice of `OTEL_METRICS_EXEMPLAR_FILTER` ("Metrics SDK", "ExemplarFilter").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExemplarFilter {
    /// Every measurement, also one without a trace. `/metrics` shows only those with one.
    AlwaysOn,
    /// None; nothing is spent on exemplars.
    AlwaysOff,
    /// Measurements made within a sampled span.
    #[default]
    TraceBased,
}

impl ExemplarFilter {
    pub(super) fn accepts(self, context: Option<&SpanContext>) -> bool {
        match self {
            Self::AlwaysOn => true,
            Self::AlwaysOff => false,
            Self::TraceBased => {
                context.is_some_and(|context| context.is_sampled() && context.is_valid())
            }
        }
    }
}
