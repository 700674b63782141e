//! Every limit of the host, said once: the comment is the flag's help, and the parts that keep a limit read it from here.

use std::num::NonZero;
use std::time::Duration;

use clap::Args;
use spinfo_manifest::RuntimeConfig;
use spinfo_program::parsers::{duration, positive, size};

/// What the host takes on at a time, and how long anything may last.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct Limits {
    /// Threads that serve requests [default: one per core]. The numbers of requests, connections and instances below are for
    /// the whole process; each thread gets an equal share.
    #[arg(long, value_name = "N", value_parser = positive::<usize>)]
    workers: Option<usize>,

    /// Open connections; more wait in the kernel.
    #[arg(long, default_value = "10000", value_name = "N", value_parser = positive::<usize>)]
    pub(crate) max_connections: usize,

    /// Requests that components work on at a time.
    #[arg(long, default_value = "1024", value_name = "N", value_parser = positive::<usize>)]
    pub(crate) max_in_flight: usize,

    /// Requests that may wait for one of them to finish; more are answered 503.
    #[arg(long, default_value = "1024", value_name = "N")]
    pub(crate) max_queue: usize,

    /// How long a request may wait before it is answered 503, and a component's own request before it fails.
    #[arg(long, default_value = "5s", value_name = "TIME", value_parser = duration)]
    pub(crate) max_queue_wait: Duration,

    /// Size of a request's body; a larger one is answered 413. The default leaves room for an upload of 10 MiB.
    #[arg(long, default_value = "32MiB", value_name = "SIZE", value_parser = size)]
    pub(crate) max_body: u64,

    /// Requests of components to other servers that are under way at a time; more wait.
    #[arg(long, default_value = "256", value_name = "N", value_parser = positive::<usize>)]
    pub(crate) max_outbound: usize,

    /// Instances alive at a time; a request that finds no room for one is answered 503. The default is more than
    /// --max-in-flight, because an instance finishes its own work after the response.
    #[arg(long, default_value = "2048", value_name = "N", value_parser = positive::<u32>)]
    pub(crate) max_instances: u32,

    /// Memory that one instance may use. One that needs more traps, and its request is answered 500.
    #[arg(long, default_value = "128MiB", value_name = "SIZE", value_parser = memory)]
    pub(crate) max_memory: usize,

    /// Requests that one instance serves before a fresh one takes its place. The default is Spin's. Components for WASI 0.2
    /// always get a fresh one.
    #[arg(long, default_value = "128", value_name = "N", value_parser = positive::<usize>)]
    pub(crate) max_instance_reuse_count: usize,

    /// Requests that one instance works on at a time. Spin's default is 16; with 1, a trap costs only the request that
    /// caused it.
    #[arg(long, default_value = "1", value_name = "N", value_parser = positive::<usize>)]
    pub(crate) max_instance_concurrent_reuse_count: usize,

    /// How long an instance without work is kept. The default is Spin's.
    #[arg(long, default_value = "1s", value_name = "TIME", value_parser = duration)]
    pub(crate) idle_instance_timeout: Duration,

    /// How long a component may take to begin its answer, and as long again to finish it; then the client gets 504. The
    /// default leaves room for /delay/60.
    #[arg(long, default_value = "90s", value_name = "TIME", value_parser = duration)]
    pub(crate) request_timeout: Duration,

    /// How long a client may take for the TLS handshake and for the head of a request; also how long a connection may idle.
    #[arg(long, default_value = "60s", value_name = "TIME", value_parser = duration)]
    pub(crate) header_timeout: Duration,

    /// How long to go on serving after /readyz has begun to say no. Behind a load balancer, a little more than the interval
    /// of its health check.
    #[arg(long, default_value = "0s", value_name = "TIME", value_parser = duration, help_heading = "Stopping")]
    pub(crate) grace: Duration,

    /// How long requests under way may take to finish, at a stop and at a reload.
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = duration, help_heading = "Stopping")]
    pub(crate) drain_timeout: Duration,

    /// How long sending the remaining telemetry may take: first that of the components, then the host's own.
    #[arg(long, default_value = "5s", value_name = "TIME", value_parser = duration, help_heading = "Stopping")]
    pub(crate) flush_timeout: Duration,
}

impl Limits {
    /// The limits of this machine: its runtime configuration may lower those of the flags.
    pub(crate) fn lowered_by(&self, machine: &RuntimeConfig) -> Self {
        let lower =
            |flag: usize, configured: Option<usize>| configured.map_or(flag, |max| max.min(flag));
        Self {
            workers: Some(self.workers()),
            max_memory: lower(self.max_memory, machine.max_instance_memory),
            max_outbound: lower(self.max_outbound, machine.outbound_http.max_connections),
            ..self.clone()
        }
    }

    pub(crate) fn workers(&self) -> usize {
        self.workers
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get))
    }

    /// One worker's share of a number that is for the whole process.
    pub(crate) fn per_worker(&self, whole: usize) -> usize {
        whole.div_ceil(self.workers())
    }
}

/// No machine has more memory than it has addresses.
fn memory(text: &str) -> Result<usize, String> {
    Ok(usize::try_from(size(text)?).unwrap_or(usize::MAX))
}

#[cfg(test)]
impl Limits {
    /// The limits of a command line.
    pub(crate) fn of(flags: &[&str]) -> Self {
        use clap::FromArgMatches as _;
        let command = Self::augment_args(clap::Command::new("").no_binary_name(true));
        Self::from_arg_matches(&command.get_matches_from(flags)).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_lowers_limits_and_raises_none() {
        let limits = Limits::of(&["--workers=3", "--max-memory=64MiB", "--max-outbound=10"]);
        let on = |memory, outbound| {
            let mut machine = RuntimeConfig {
                max_instance_memory: memory,
                ..RuntimeConfig::default()
            };
            machine.outbound_http.max_connections = outbound;
            let limits = limits.lowered_by(&machine);
            (limits.max_memory, limits.max_outbound)
        };
        assert_eq!(on(None, None), (64 << 20, 10));
        assert_eq!(on(Some(1 << 20), Some(0)), (1 << 20, 0));
        assert_eq!(on(Some(1 << 30), Some(100)), (64 << 20, 10));
        assert_eq!(limits.per_worker(limits.max_outbound), 4);
    }
}
