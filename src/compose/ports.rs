//! The short form of a published port: `[HOST_IP:][HOST:]CONTAINER[/PROTOCOL]`, ranges included.

use std::ops::RangeInclusive;

use super::service::Published;
use super::source::Span;

/// Reads the short form; a range of container ports becomes one entry for each.
///
/// Nothing where docker compose would refuse it.
pub(super) fn parse(text: &str, span: &Span) -> Option<Vec<Published>> {
    let (address, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (outside, container) = match address.rsplit_once(':') {
        Some((outside, container)) => (Some(outside), container),
        None => (None, address),
    };
    let (host_ip, host) = match outside {
        None => (None, ""),
        Some(outside) => match outside.rsplit_once(':') {
            Some((ip, host)) => (Some(ip.trim_matches(['[', ']'])), host),
            None => (None, outside),
        },
    };
    publish(host_ip.filter(|ip| !ip.is_empty()), host, container, protocol, span)
}

/// Reads the parts of either form.
pub(super) fn publish(
    host_ip: Option<&str>,
    host: &str,
    container: &str,
    protocol: &str,
    span: &Span,
) -> Option<Vec<Published>> {
    let container = range(container)?;
    let host = match host {
        "" => None,
        host => Some(range(host)?),
    };
    let width = container.end() - container.start();
    let paired = host.as_ref().is_some_and(|host| host.end() - host.start() == width);
    if width > 0 && host.is_some() && !paired {
        return None;
    }
    Some(
        container
            .clone()
            .map(|port| Published {
                host: match &host {
                    Some(host) if width > 0 || paired => {
                        let own = host.start() + (port - container.start());
                        Some(own..=own)
                    }
                    host => host.clone(),
                },
                container: port,
                protocol: match protocol {
                    "" => "tcp".to_owned(),
                    named => named.to_ascii_lowercase(),
                },
                host_ip: host_ip.map(str::to_owned),
                span: span.clone(),
            })
            .collect(),
    )
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let port = |text: &str| text.trim().parse::<u16>().ok();
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (port(first)?, port(last)?),
        None => (port(text)?, port(text)?),
    };
    (first <= last).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::source::FileId;

    /// Host, container, protocol and address as one line for each port.
    fn read(text: &str) -> Option<Vec<String>> {
        let span = Span { file: FileId(0), range: 0..0 };
        let line = |one: Published| {
            let host = one.host.map_or_else(|| "any".to_owned(), |host| format!("{host:?}"));
            let ip = one.host_ip.unwrap_or_default();
            format!("{ip} {host} {}/{}", one.container, one.protocol)
        };
        Some(parse(text, &span)?.into_iter().map(line).collect())
    }

    #[test]
    fn the_short_form_in_all_its_lengths() {
        for (text, expected) in [
            ("3000", " any 3000/tcp"),
            ("8080:80", " 8080..=8080 80/tcp"),
            ("2000:2000/udp", " 2000..=2000 2000/udp"),
            ("127.0.0.1:1:2", "127.0.0.1 1..=1 2/tcp"),
            ("127.0.0.1::2", "127.0.0.1 any 2/tcp"),
            ("[::1]:1:2", "::1 1..=1 2/tcp"),
            (":80", " any 80/tcp"),
            ("3000-3001:80", " 3000..=3001 80/tcp"),
        ] {
            assert_eq!(read(text).as_deref(), Some([expected.to_owned()].as_slice()), "{text}");
        }
    }

    #[test]
    fn ranges_pair_up() {
        let pairs = read("3000-3001:4000-4001").unwrap();
        assert_eq!(pairs, [" 3000..=3000 4000/tcp", " 3001..=3001 4001/tcp"]);
        assert_eq!(read("3000-3001").unwrap().len(), 2);
        for refused in ["", "a:b", "1-2:1-3", "70000", "3-1", "1:2:x"] {
            assert_eq!(read(refused), None, "{refused}");
        }
    }
}
