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
    publish(
        host_ip.filter(|ip| !ip.is_empty()),
        host,
        container,
        protocol,
        span,
    )
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
    let paired = host
        .as_ref()
        .is_some_and(|host| host.end() - host.start() == width);
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
                protocol: protocol.to_ascii_lowercase(),
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

    fn read(text: &str) -> Option<Vec<(Option<RangeInclusive<u16>>, u16, String, Option<String>)>> {
        let span = Span {
            file: FileId(0),
            range: 0..0,
        };
        let ports = parse(text, &span)?;
        Some(
            ports
                .into_iter()
                .map(|one| (one.host, one.container, one.protocol, one.host_ip))
                .collect(),
        )
    }

    fn one(
        host: Option<u16>,
        container: u16,
        protocol: &str,
        ip: Option<&str>,
    ) -> Vec<(Option<RangeInclusive<u16>>, u16, String, Option<String>)> {
        let host = host.map(|host| host..=host);
        vec![(host, container, protocol.to_owned(), ip.map(str::to_owned))]
    }

    #[test]
    fn the_short_form_in_all_its_lengths() {
        assert_eq!(read("3000").unwrap(), one(None, 3000, "tcp", None));
        assert_eq!(read("8080:80").unwrap(), one(Some(8080), 80, "tcp", None));
        assert_eq!(
            read("2000:2000/udp").unwrap(),
            one(Some(2000), 2000, "udp", None)
        );
        assert_eq!(
            read("127.0.0.1:1:2").unwrap(),
            one(Some(1), 2, "tcp", Some("127.0.0.1"))
        );
        assert_eq!(
            read("127.0.0.1::2").unwrap(),
            one(None, 2, "tcp", Some("127.0.0.1"))
        );
        assert_eq!(
            read("[::1]:1:2").unwrap(),
            one(Some(1), 2, "tcp", Some("::1"))
        );
        assert_eq!(read(":80").unwrap(), one(None, 80, "tcp", None));
    }

    #[test]
    fn ranges_pair_up_or_offer_a_choice() {
        let pairs = read("3000-3001:4000-4001").unwrap();
        assert_eq!(pairs[1], (Some(3001..=3001), 4001, "tcp".to_owned(), None));
        assert_eq!(read("3000-3001:80").unwrap()[0].0, Some(3000..=3001));
        assert_eq!(read("3000-3001").unwrap().len(), 2);
        for refused in ["", "a:b", "1-2:1-3", "70000", "3-1", "1:2:x"] {
            assert_eq!(read(refused), None, "{refused}");
        }
    }
}
