//! What each `OTEL_*` variable does. One file, because the variables act on one another and the tables are read side by side.

use std::path::PathBuf;
use std::time::Duration;

use opentelemetry_sdk::metrics::Temporality;

use super::*;

/// Settings of a program with no endpoint of its own.
fn settings(vars: &[(&str, &str)]) -> Result<Settings, Error> {
    settings_with(vars, None)
}

fn settings_with(vars: &[(&str, &str)], endpoint: Option<&str>) -> Result<Settings, Error> {
    let lookup = |name: &str| {
        vars.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    };
    let defaults = ServiceDefaults {
        name: "spinfo".to_owned(),
        version: "1.2.3".to_owned(),
        namespace: Some("demo".to_owned()),
        endpoint: endpoint.map(str::to_owned),
    };
    Settings::from_env(&lookup, defaults)
}

fn good(vars: &[(&str, &str)]) -> Settings {
    settings(vars).unwrap_or_else(|why| panic!("{vars:?}: {why}"))
}

fn urls(settings: &Settings) -> [Option<String>; 3] {
    [&settings.traces, &settings.metrics, &settings.logs]
        .map(|export| export.as_ref().map(|export| export.endpoint.to_string()))
}

fn resource<'a>(settings: &'a Settings, key: &str) -> Option<&'a str> {
    settings
        .resource
        .iter()
        .find(|(known, _)| known == key)
        .map(|(_, value)| value.as_str())
}

#[test]
fn nothing_is_exported_when_nobody_names_a_receiver() {
    let settings = good(&[]);
    assert_eq!(urls(&settings), [None, None, None]);
    assert!(settings.warnings.is_empty());
    assert_eq!(
        settings.sampler,
        SamplerSetting {
            parent_based: true,
            ratio: 1.0
        }
    );
    assert_eq!(settings.metric_interval, Duration::from_secs(60));
    assert_eq!(settings.temporality, Temporality::Cumulative);
    assert_eq!(
        settings.propagators,
        Propagators {
            trace_context: true,
            baggage: true
        }
    );
    let second = Duration::from_secs(1);
    let batch = Batch {
        max_queue_size: 2048,
        max_export_batch_size: 512,
        schedule_delay: 5 * second,
        export_timeout: 30 * second,
    };
    assert_eq!(settings.span_batch, batch);
    assert_eq!(
        settings.log_batch,
        Batch {
            schedule_delay: second,
            ..batch
        }
    );
}

#[test]
fn endpoints_follow_the_path_rules() {
    const BASE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    for (vars, traces, logs) in [
        (
            vec![(BASE, "http://c:4318")],
            "http://c:4318/v1/traces",
            Some("http://c:4318/v1/logs"),
        ),
        (
            vec![(BASE, "http://c:4318/")],
            "http://c:4318/v1/traces",
            Some("http://c:4318/v1/logs"),
        ),
        (
            vec![(BASE, "https://c/otlp/")],
            "https://c/otlp/v1/traces",
            Some("https://c/otlp/v1/logs"),
        ),
        (vec![(TRACES, "http://c:4318")], "http://c:4318/", None),
        (
            vec![(TRACES, "http://c:4318/here")],
            "http://c:4318/here",
            None,
        ),
        (
            vec![(TRACES, "http://c/x"), (BASE, "http://d")],
            "http://c/x",
            Some("http://d/v1/logs"),
        ),
        (
            vec![(TRACES, " "), (BASE, "http://d")],
            "http://d/v1/traces",
            Some("http://d/v1/logs"),
        ),
    ] {
        let [found, _, found_logs] = urls(&good(&vars));
        assert_eq!(
            (found.as_deref(), found_logs.as_deref()),
            (Some(traces), logs),
            "{vars:?}"
        );
    }
}

#[test]
fn grpc_endpoints_get_the_name_of_the_method() {
    let method = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    for (vars, authority) in [
        (
            vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317")],
            "http://c:4317",
        ),
        (
            vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c:4317/ignored")],
            "https://c:4317",
        ),
        (
            vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "c:4317")],
            "https://c:4317",
        ),
        (
            vec![
                ("OTEL_EXPORTER_OTLP_ENDPOINT", "c:4317"),
                ("OTEL_EXPORTER_OTLP_INSECURE", "true"),
            ],
            "http://c:4317",
        ),
    ] {
        let mut vars = vars;
        vars.push(("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"));
        let settings = good(&vars);
        assert_eq!(
            urls(&settings)[0],
            Some(format!("{authority}{method}")),
            "{vars:?}"
        );
        assert_eq!(
            settings.traces.map(|export| export.protocol),
            Some(Protocol::Grpc)
        );
    }
}

#[test]
fn the_programs_own_endpoint_is_a_base_and_comes_last() {
    let own = Some("http://127.0.0.1:4318");
    let settings = settings_with(&[], own).unwrap();
    assert_eq!(
        urls(&settings)[1].as_deref(),
        Some("http://127.0.0.1:4318/v1/metrics")
    );
    let settings = settings_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c")], own).unwrap();
    assert_eq!(urls(&settings)[1].as_deref(), Some("http://c/v1/metrics"));
    for off in [
        [("OTEL_SDK_DISABLED", "TRUE")],
        [("OTEL_METRICS_EXPORTER", "none")],
        [("OTEL_METRICS_EXPORTER", "prometheus")],
    ] {
        assert_eq!(urls(&settings_with(&off, own).unwrap())[1], None, "{off:?}");
    }
}

#[test]
fn unusable_values_are_errors_that_name_the_variable() {
    const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let receiver = (ENDPOINT, "http://c:4318");
    for (vars, expected) in [
        (
            vec![(ENDPOINT, "localhost:4318")],
            "OTEL_EXPORTER_OTLP_ENDPOINT: ",
        ),
        (vec![(ENDPOINT, "ftp://c")], "needs http:// or https://"),
        (vec![(ENDPOINT, "http://")], "OTEL_EXPORTER_OTLP_ENDPOINT: "),
        (vec![(ENDPOINT, "http://a b")], "is not a URL"),
        (
            vec![("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "/v1/logs")],
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: ",
        ),
        (
            vec![receiver, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")],
            "http/json is not built in",
        ),
        (
            vec![("OTEL_TRACES_EXPORTER", "console")],
            "OTEL_TRACES_EXPORTER: the exporter console is not built in",
        ),
        (
            vec![receiver, ("OTEL_EXPORTER_OTLP_HEADERS", "token")],
            "OTEL_EXPORTER_OTLP_HEADERS: every header",
        ),
        (
            vec![receiver, ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "a b=c")],
            "cannot be the name of a header",
        ),
        (
            vec![receiver, ("OTEL_EXPORTER_OTLP_HEADERS", "a=%0A")],
            "the value of a cannot be sent",
        ),
        (
            vec![receiver, ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "k.pem")],
            "needs its certificate",
        ),
    ] {
        let why = settings(&vars).map(|_| ()).unwrap_err().to_string();
        assert!(why.contains(expected), "{vars:?}: {why}");
    }
}

#[test]
fn a_bad_header_does_not_show_its_value() {
    let vars = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "k=secret\u{7f}%00"),
    ];
    let why = settings(&vars).map(|_| ()).unwrap_err().to_string();
    assert!(!why.contains("secret"), "{why}");
}

#[test]
fn bad_numbers_and_names_are_reported_and_ignored() {
    let settings = good(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_BSP_SCHEDULE_DELAY", "soon"),
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "100"),
        ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "200"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "-5"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier-pigeon"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
        ("OTEL_TRACES_SAMPLER", "xray"),
        ("OTEL_PROPAGATORS", "b3,tracecontext"),
        ("OTEL_SDK_DISABLED", "1"),
        (
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
            "weekly",
        ),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=1,b"),
    ]);
    assert_eq!(settings.span_batch.max_queue_size, 2048);
    assert_eq!(settings.span_batch.schedule_delay, Duration::from_secs(5));
    assert_eq!(settings.log_batch.max_export_batch_size, 100);
    assert_eq!(settings.metric_interval, Duration::from_secs(60));
    assert_eq!(
        settings.propagators,
        Propagators {
            trace_context: true,
            baggage: false
        }
    );
    assert_eq!(
        settings.traces.as_ref().map(|export| export.compression),
        Some(Compression::None)
    );
    assert_eq!(
        settings.sampler,
        SamplerSetting {
            parent_based: true,
            ratio: 1.0
        }
    );
    assert_eq!(resource(&settings, "a"), None);
    for variable in [
        "OTEL_BSP_MAX_QUEUE_SIZE: \"0\"",
        "OTEL_BSP_SCHEDULE_DELAY: \"soon\"",
        "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: 200",
        "OTEL_METRIC_EXPORT_INTERVAL: \"-5\"",
        "OTEL_EXPORTER_OTLP_PROTOCOL: \"carrier-pigeon\"",
        "OTEL_EXPORTER_OTLP_COMPRESSION: \"zstd\"",
        "OTEL_TRACES_SAMPLER: \"xray\"",
        "OTEL_PROPAGATORS: b3",
        "OTEL_SDK_DISABLED: \"1\"",
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: \"weekly\"",
        "OTEL_RESOURCE_ATTRIBUTES: \"b\"",
    ] {
        let found = settings
            .warnings
            .iter()
            .filter(|warning| warning.starts_with(variable))
            .count();
        assert_eq!(found, 1, "{variable} in {:#?}", settings.warnings);
    }
    assert_eq!(settings.warnings.len(), 11);
}

#[test]
fn every_standard_sampler_is_understood() {
    for (name, argument, parent_based, ratio) in [
        ("always_on", "", false, 1.0),
        ("always_off", "", false, 0.0),
        ("traceidratio", "0.25", false, 0.25),
        ("traceidratio", "", false, 1.0),
        ("traceidratio", "2", false, 1.0),
        ("parentbased_always_on", "0.5", true, 1.0),
        ("parentbased_always_off", "", true, 0.0),
        ("ParentBased_TraceIdRatio", "0.5", true, 0.5),
    ] {
        let settings = good(&[
            ("OTEL_TRACES_SAMPLER", name),
            ("OTEL_TRACES_SAMPLER_ARG", argument),
        ]);
        assert_eq!(
            settings.sampler,
            SamplerSetting {
                parent_based,
                ratio
            },
            "{name} {argument}"
        );
    }
}

#[test]
fn the_resource_is_the_programs_then_the_lists_then_the_service_name() {
    let settings = good(&[
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.name=list, deployment.environment.name=a%2Cb%20c ,service.version=9,,",
        ),
        ("OTEL_SERVICE_NAME", "own"),
    ]);
    for (key, value) in [
        ("service.name", "own"),
        ("service.version", "9"),
        ("service.namespace", "demo"),
        ("deployment.environment.name", "a,b c"),
    ] {
        assert_eq!(resource(&settings, key), Some(value), "{key}");
    }
    let id = resource(&settings, "service.instance.id").unwrap();
    assert_eq!(
        (id.len(), &id[14..15]),
        (36, "4"),
        "{id} is a version 4 UUID"
    );
    assert_ne!(Some(id), resource(&good(&[]), "service.instance.id"));
}

#[test]
fn a_signals_own_settings_come_before_the_general_ones() {
    let settings = good(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c"),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20abc, x-b = 2 ",
        ),
        ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "x-c=3"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
        ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "0"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "none"),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"),
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/me.pem"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/me.key"),
    ]);
    let (traces, metrics, logs) = (
        settings.traces.unwrap(),
        settings.metrics.unwrap(),
        settings.logs.unwrap(),
    );
    assert_eq!(traces.headers["authorization"], "Bearer abc");
    assert_eq!(traces.headers["x-b"], "2");
    assert!(!format!("{traces:?}").contains("abc"));
    assert_eq!(logs.headers.len(), 1);
    assert_eq!(traces.timeout, Duration::from_millis(1500));
    assert_eq!(metrics.timeout, Duration::MAX);
    assert_eq!(
        (traces.compression, logs.compression),
        (Compression::Gzip, Compression::None)
    );
    assert_eq!(
        (traces.protocol, metrics.protocol),
        (Protocol::HttpProtobuf, Protocol::Grpc)
    );
    assert_eq!(logs.certificate, Some(PathBuf::from("/ca.pem")));
    assert_eq!(
        logs.client_identity,
        Some((PathBuf::from("/me.pem"), PathBuf::from("/me.key")))
    );
}

#[test]
fn span_limits_fall_back_to_the_general_one() {
    let settings = good(&[
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "7"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "3"),
    ]);
    let expected = SpanLimits {
        attributes: 3,
        events: 128,
        links: 128,
        attributes_per_event: 7,
        attributes_per_link: 7,
    };
    assert_eq!(settings.span_limits, expected);
}

#[test]
fn exemplars_are_of_sampled_traces_unless_the_environment_says_otherwise() {
    for (value, filter) in [
        ("", ExemplarFilter::TraceBased),
        ("trace_based", ExemplarFilter::TraceBased),
        ("always_on", ExemplarFilter::AlwaysOn),
        ("Always_Off", ExemplarFilter::AlwaysOff),
    ] {
        let settings = good(&[("OTEL_METRICS_EXEMPLAR_FILTER", value)]);
        assert_eq!(settings.exemplar_filter, filter, "{value}");
        assert!(settings.warnings.is_empty(), "{value}");
    }
    let settings = good(&[("OTEL_METRICS_EXEMPLAR_FILTER", "all")]);
    assert_eq!(settings.exemplar_filter, ExemplarFilter::TraceBased);
    assert!(settings.warnings[0].starts_with("OTEL_METRICS_EXEMPLAR_FILTER"));
}
