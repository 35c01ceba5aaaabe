//! Parses the short form of a published port: `[HOST_IP:][HOST:]CONTAINER[/PROTOCOL]`, including ranges.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::service::PublishedPorts;
use super::source::FileSpan;

/// Parses the short form; a range stays one entry.
///
/// Returns `None` if docker compose would reject it.
pub(super) fn parse(text: &str, span: &FileSpan) -> Option<PublishedPorts> {
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
    parse_published_port(host_ip.filter(|ip| !ip.is_empty()), host, container, protocol, span)
}

/// Parses the parts of the short or long form.
pub(super) fn parse_published_port(
    host_ip: Option<&str>,
    host: &str,
    container: &str,
    protocol: &str,
    span: &FileSpan,
) -> Option<PublishedPorts> {
    let container = parse_port_range(container)?;
    let host = match host {
        "" => None,
        host => Some(parse_port_range(host)?),
    };
    let width = container.end() - container.start();
    let fits = |host: &RangeInclusive<u16>| width == 0 || host.end() - host.start() == width;
    if !host.as_ref().is_none_or(fits) {
        return None;
    }
    Some(PublishedPorts {
        host,
        container,
        protocol: match protocol {
            "" => "tcp".to_owned(),
            named => named.to_ascii_lowercase(),
        },
        host_ip: host_ip.map(str::to_owned),
        span: span.clone(),
    })
}

impl PublishedPorts {
    /// Returns whether each container port has a known host port.
    fn is_paired(&self) -> bool {
        let width = |range: &RangeInclusive<u16>| range.end() - range.start();
        self.host.as_ref().is_some_and(|host| width(host) == width(&self.container))
    }

    /// Returns the host port of a container port; `None` if docker chooses it, or if it is not published here.
    pub fn host_of(&self, container: u16) -> Option<u16> {
        let host = self.host.as_ref().filter(|_| self.is_paired())?;
        self.container
            .contains(&container)
            .then(|| host.start() + (container - self.container.start()))
    }

    /// Returns whether only the host itself can reach it.
    pub fn is_loopback(&self) -> bool {
        let address = self.host_ip.as_deref().and_then(|ip| ip.parse::<IpAddr>().ok());
        address.is_some_and(|address| address.is_loopback())
    }

    /// Returns whether a remote browser may reach it: TCP, and not bound to loopback.
    pub fn reaches_everybody(&self) -> bool {
        self.protocol == "tcp" && !self.is_loopback()
    }

    /// Returns the host ports, if they are known.
    pub fn known_hosts(&self) -> Option<&RangeInclusive<u16>> {
        self.host.as_ref().filter(|_| self.is_paired())
    }
}

/// Parses `8000` or `8000-8010`.
pub(super) fn parse_port_range(text: &str) -> Option<RangeInclusive<u16>> {
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

    /// Returns host, container, protocol and address on one line.
    fn read(text: &str) -> Option<String> {
        let span = FileSpan { file: FileId(0), range: 0..0 };
        let published = parse(text, &span)?;
        let ports = |range: &RangeInclusive<u16>| {
            if range.start() == range.end() {
                range.start().to_string()
            } else {
                format!("{}-{}", range.start(), range.end())
            }
        };
        let host = published.host.as_ref().map_or_else(|| "any".to_owned(), ports);
        let ip = published.host_ip.as_deref().unwrap_or_default();
        Some(format!("{ip} {host} {}/{}", ports(&published.container), published.protocol))
    }

    #[test]
    fn every_variant_of_the_short_form_is_parsed() {
        for (text, expected) in [
            ("3000", " any 3000/tcp"),
            ("8080:80", " 8080 80/tcp"),
            ("2000:2000/udp", " 2000 2000/udp"),
            ("127.0.0.1:1:2", "127.0.0.1 1 2/tcp"),
            ("127.0.0.1::2", "127.0.0.1 any 2/tcp"),
            ("[::1]:1:2", "::1 1 2/tcp"),
            (":80", " any 80/tcp"),
            ("3000-3001:80", " 3000-3001 80/tcp"),
            ("3000-3001", " any 3000-3001/tcp"),
            ("1-65535:1-65535", " 1-65535 1-65535/tcp"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for refused in ["", "a:b", "1-2:1-3", "70000", "3-1", "1:2:x", "1-2:3"] {
            let got = read(refused);
            assert_eq!(got.is_none(), refused != "1-2:3", "{refused}: {got:?}");
        }
    }

    #[test]
    fn ranges_of_equal_width_are_paired() {
        let span = FileSpan { file: FileId(0), range: 0..0 };
        let hosts = |text: &str, container: u16| parse(text, &span)?.host_of(container);
        assert_eq!(hosts("3000-3001:4000-4001", 4001), Some(3001));
        assert_eq!(hosts("3000-3001:4000-4001", 4002), None);
        assert_eq!(hosts("3000-3001:80", 80), None);
        assert_eq!(hosts("3000-3001", 3000), None);
        assert_eq!(hosts("1-65535:1-65535", 65535), Some(65535));
        assert_eq!(hosts("8080:80", 80), Some(8080));
    }
}
