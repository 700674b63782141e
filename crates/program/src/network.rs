//! The flags of the probe and the monitor that say how connections are made.

use std::fmt;
use std::path::PathBuf;

use clap::Args;

/// How connections are made.
///
/// What may hold a secret is taken as it is and read later: an error of clap's would repeat it.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "Connection")]
pub struct NetworkFlags {
    /// Trust the authorities in this PEM file too; may be given again. The system's are those of SSL_CERT_FILE and SSL_CERT_DIR where
    /// these are set
    #[arg(long, value_name = "FILE")]
    pub cacert: Vec<PathBuf>,

    /// Use this address for a host and port, such as example.org:443:127.0.0.1; may be given again. * stands for every host
    #[arg(long, value_name = "HOST:PORT:ADDR")]
    pub resolve: Vec<String>,

    /// Use IPv4 only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub ipv4: bool,

    /// Use IPv6 only
    #[arg(short = '6', long)]
    pub ipv6: bool,

    /// Send this header; may be given again. 'Name: @FILE' takes the value from a file, which keeps a secret out of the list of processes
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,

    /// Go through this proxy; an empty text means none. Without this flag http_proxy, https_proxy and all_proxy decide
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,

    /// Hosts, domains and networks that are asked directly, separated by commas; * means all. Without this flag no_proxy decides
    #[arg(long, value_name = "LIST")]
    pub noproxy: Option<String>,

    /// Don't offer HTTP/2 to servers that speak TLS
    #[arg(long = "http1.1")]
    pub http1_1: bool,
}

/// Without headers and proxies, which may hold secrets.
impl fmt::Debug for NetworkFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkFlags")
            .field("cacert", &self.cacert)
            .field("resolve", &self.resolve)
            .finish_non_exhaustive()
    }
}
