//! Reads the services of one document, many of them in two threads.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use crate::compose::read::{ComposeFault, MappingReader, ServiceMapping};
use crate::compose::schema;
use crate::compose::source::FileSpan;
use crate::compose::view::{NodeShape, NodeView, OverrideTag};
use crate::parallel::run_both;

use super::contents::DocumentContents;

/// Number of services above which a second thread is worth its cost.
const MIN_SERVICES_FOR_THREAD: usize = 64;

/// Reads services until they exceed `room` bytes; returns whether all of them fit.
pub(super) fn read_services(
    services: NodeView<'_>,
    reader: &mut MappingReader<'_>,
    contents: &mut DocumentContents,
    mut room: usize,
) -> bool {
    let services = services.entries();
    let (variables, scope, folder) = (reader.variables, reader.scope, reader.folder);
    let read = |entries: &[NamedView<'_>]| {
        let reader =
            MappingReader { variables, scope, folder, faults: Vec::new(), reaches: Vec::new() };
        ServiceBatch::read(entries, reader, room)
    };
    let batches = if services.len() < MIN_SERVICES_FOR_THREAD {
        vec![read(&services)]
    } else {
        let (first, second) = services.split_at(services.len() / 2);
        let (second, first) = run_both(|| read(second), || read(first));
        vec![first, second]
    };
    contents.services.reserve(services.len());
    for batch in batches {
        reader.faults.extend(batch.faults);
        reader.reaches.extend(batch.reaches);
        for (mark, read) in batch.services {
            let left = room.checked_sub(read.weight);
            contents.services.push((mark, read));
            match left {
                Some(left) => room = left,
                None => return false,
            }
        }
    }
    true
}

/// The key, its position and the value of a mapping's entry.
type NamedView<'t> = (Cow<'t, str>, NodeView<'t>, NodeView<'t>);

/// Services that one thread reads.
struct ServiceBatch {
    services: Vec<(OverrideTag, ServiceMapping)>,
    faults: Vec<ComposeFault>,
    reaches: Vec<FileSpan>,
}

impl ServiceBatch {
    /// Reads services up to the one with which they exceed `room` bytes.
    fn read(entries: &[NamedView<'_>], mut reader: MappingReader<'_>, mut room: usize) -> Self {
        let (variables, scope) = (reader.variables, reader.scope);
        let interpolate =
            |text: &str| variables.interpolate(scope, text).map(|interpolated| interpolated.text);
        let mut services = Vec::with_capacity(entries.len());
        for (name, key, service) in entries {
            let Some((mark, read)) = read_service(name, *key, *service, &mut reader, &interpolate)
            else {
                continue;
            };
            let left = room.checked_sub(read.weight);
            services.push((mark, read));
            match left {
                Some(left) => room = left,
                None => break,
            }
        }
        Self { services, faults: reader.faults, reaches: reader.reaches }
    }
}

/// Reads the entry of one service; `None` if its value cannot be that of a service.
fn read_service(
    name: &str,
    key: NodeView<'_>,
    service: NodeView<'_>,
    reader: &mut MappingReader<'_>,
    interpolate: schema::ScalarInterpolation<'_>,
) -> Option<(OverrideTag, ServiceMapping)> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !name.chars().all(is_allowed) {
        let text = format!("`{name}` is not a service name: letters, digits, `.`, `_`, `-`");
        reader.refuse(key, text);
    }
    let mark = service.mark();
    let is_bare = service.shape() == NodeShape::Null;
    if service.shape() != NodeShape::Mapping && !is_bare && mark != OverrideTag::Reset {
        reader.refuse(service, format!("the service `{name}` is not a mapping"));
        return None;
    }
    let mut read = reader.service(name, key, service);
    if is_bare {
        read.without_value = Some(key.span());
        return Some((mark, read));
    }
    let faults = schema::check_service(name, service, interpolate);
    read.refused = RefCell::new(faults.lasting);
    if !faults.bare.is_empty() {
        Arc::make_mut(&mut read.partial).bare = faults.bare;
    }
    Some((mark, read))
}

#[cfg(test)]
mod tests {
    use crate::compose::texts::load_texts;

    use super::*;

    /// Returns a compose file with `service` once in each line from the third on.
    fn compose_file(head: &str, count: usize, service: &str) -> String {
        let services = (0..count).map(|number| format!("  s{number}: {service}\n"));
        format!("{head}\nservices:\n{}", services.collect::<String>())
    }

    #[test]
    fn services_and_faults_keep_their_order_however_many_there_are() {
        for count in [MIN_SERVICES_FOR_THREAD - 1, MIN_SERVICES_FOR_THREAD, 201] {
            let text = compose_file("", count, "{image: x, ports: {a: b}}");
            let model = load_texts(&[("compose.yaml", &text)], &[]).unwrap();
            let names = model.services.iter().map(|service| service.name.clone());
            let expected = (0..count).map(|number| format!("s{number}"));
            assert!(names.eq(expected), "{count}");
            let lines = model.warnings.iter().map(|warning| warning.place.line);
            assert!(lines.eq(3..count + 3), "{count}");
        }
    }

    #[test]
    fn the_service_that_exceeds_the_limit_is_named_in_either_half() {
        let head = format!("x-e: &e {{A: {}}}", "y".repeat(1 << 18));
        for (count, half) in [(400, "second"), (800, "first")] {
            let text = compose_file(&head, count, "{image: x, environment: *e}");
            let error = load_texts(&[("compose.yaml", &text)], &[]).err().unwrap();
            let line = error.place.unwrap().line;
            assert!((254..=258).contains(&line), "{half}: {line}");
        }
    }
}
