//! `OTEL_TRACES_SAMPLER` and its argument.

use opentelemetry_sdk::trace::Sampler;

use super::Variables;

/// The decision whether a new span is recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SamplerSetting {
    /// Follow the decision of the caller's span when there is one.
    pub parent_based: bool,
    /// Share of the remaining traces that is recorded, from 0 to 1.
    pub ratio: f64,
}

impl SamplerSetting {
    pub(crate) fn build(self) -> Sampler {
        let root = match self.ratio {
            ratio if ratio >= 1.0 => Sampler::AlwaysOn,
            ratio if ratio <= 0.0 => Sampler::AlwaysOff,
            ratio => Sampler::TraceIdRatioBased(ratio),
        };
        if self.parent_based {
            Sampler::ParentBased(Box::new(root))
        } else {
            root
        }
    }
}

/// The specification's default, `parentbased_always_on`.
const DEFAULT_SAMPLER: SamplerSetting = SamplerSetting {
    parent_based: true,
    ratio: 1.0,
};

pub(super) fn sampler(env: &Variables<'_>) -> SamplerSetting {
    const NAME: &str = "OTEL_TRACES_SAMPLER";
    let Some(name) = env.get(NAME) else {
        return DEFAULT_SAMPLER;
    };
    let name = name.to_ascii_lowercase();
    let (parent_based, root) = match name.strip_prefix("parentbased_") {
        Some(root) => (true, root),
        None => (false, name.as_str()),
    };
    let ratio = match root {
        "always_on" => 1.0,
        "always_off" => 0.0,
        "traceidratio" => ratio(env),
        _ => {
            env.warn(format!(
                "{NAME}: {name:?} is not supported, taking parentbased_always_on; supported are always_on, always_off, traceidratio \
                 and each of them after parentbased_"
            ));
            return DEFAULT_SAMPLER;
        }
    };
    SamplerSetting {
        parent_based,
        ratio,
    }
}

fn ratio(env: &Variables<'_>) -> f64 {
    const NAME: &str = "OTEL_TRACES_SAMPLER_ARG";
    let Some(value) = env.get(NAME) else {
        return 1.0;
    };
    match value.parse() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => ratio,
        _ => {
            env.warn(format!(
                "{NAME}: {value:?} is not a number from 0 to 1, taking 1"
            ));
            1.0
        }
    }
}
