//! Command-line arguments of `listen`.

use std::net::IpAddr;
use std::num::NonZeroU64;
use std::time::Duration;

use clap::Args;

use super::TargetArgs;
use crate::plan::ports::PAGE_PORT;

/// Arguments of `listen`.
#[derive(Debug, Args)]
#[command(after_help = "\
A trace is complete once its root span has arrived and no more spans came for 2 seconds.

With --containers, containers reach it at http://host.docker.internal:4318; `cruddur-ops init --provider local` makes the services send there. The page of --web has an address that works for one browser.

Examples:
  cruddur-ops listen
  cruddur-ops listen --web      # a page in the browser, too
  cruddur-ops listen --json     # one span per line
  cruddur-ops listen --forward  # send them on to Honeycomb
  # exit code 0 after one trace, 1 after 30 seconds
  cruddur-ops listen --traces 1 --for 30s
  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 \\
      opentelemetry-instrument python app.py")]
pub struct ListenArgs {
    /// Port for OTLP over HTTP (protobuf or JSON); 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = 4318)]
    pub http_port: u16,
    /// Port for OTLP over gRPC; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = 4317)]
    pub grpc_port: u16,
    /// Address to listen on; other machines can connect unless it is a loopback address
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub bind: IpAddr,
    /// Also accept this machine's containers, on Linux through Docker's bridge address
    #[arg(long, conflicts_with = "bind")]
    pub containers: bool,
    /// Serve a page with traces, waterfalls and queries on 127.0.0.1 and print its address
    #[arg(long)]
    pub web: bool,
    /// Port of the page; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = PAGE_PORT, requires = "web")]
    pub web_port: u16,
    /// Stop after this time, such as 30s or 5m
    #[arg(long = "for", value_name = "TIME", value_parser = super::parse_time)]
    pub time: Option<Duration>,
    /// Stop after this many complete traces
    #[arg(long, value_name = "NUMBER")]
    pub traces: Option<NonZeroU64>,
    /// Memory for spans; the oldest traces are dropped first
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = parse_size)]
    pub keep: usize,
    /// Forward everything to Honeycomb with the stored key and show its answers
    #[arg(long)]
    pub forward: bool,
    /// The Honeycomb API to use
    #[command(flatten)]
    pub target: TargetArgs,
}

/// Parses a size in bytes: `64MiB`, `500k`, `1048576`; every prefix is a power of 1024.
fn parse_size(text: &str) -> Result<usize, String> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return Err("expected a size such as 512KiB, 64MiB or 1GiB".to_owned()),
    };
    number
        .parse::<usize>()
        .ok()
        .and_then(|number| number.checked_mul(1 << shift))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| "expected a size such as 512KiB, 64MiB or 1GiB".to_owned())
}

#[cfg(test)]
mod tests {
    use super::parse_size;

    #[test]
    fn sizes_have_units() {
        assert_eq!(parse_size("64MiB"), Ok(64 << 20));
        assert_eq!(parse_size("500k"), Ok(500 << 10));
        assert_eq!(parse_size("1 GB"), Ok(1 << 30));
        assert_eq!(parse_size("7"), Ok(7));
        for wrong in ["", "MiB", "0", "1.5M", "-1", "99999999999999G"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
