//! Here-documents that belong to a program on a `RUN` line, which the parser does not support.

use super::shell::SHELLS;

/// Removes here-documents that belong to programs, keeping the number of lines: those of shells become here-documents
/// of `RUN` itself, others become comments. `None` if there are none.
pub(super) fn without_inner_documents(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut changed = false;
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let Some((at, name)) = inner_document(line) else {
            out.push_str(line);
            continue;
        };
        changed = true;
        let start = line.len() - line.trim_start().len() + "RUN".len();
        let program = line[start..at].split_whitespace().next().unwrap_or_default();
        if SHELLS.contains(&program.rsplit('/').next().unwrap_or(program)) {
            out.push_str(&line[..start]);
            out.push(' ');
            out.push_str(&line[at..]);
            continue;
        }
        out.push_str(&line.replace("<<", "--"));
        for inner in lines.by_ref() {
            out.push_str("#\n");
            if inner.trim() == name {
                break;
            }
        }
    }
    changed.then_some(out)
}

/// Returns the position of a here-document that follows a program, and its delimiter.
fn inner_document(line: &str) -> Option<(usize, &str)> {
    let written = line.trim_start();
    let is_run = written.get(..4)?.eq_ignore_ascii_case("run ");
    let at = line.find("<<").filter(|_| is_run)?;
    let name = line[at + 2..].trim_start_matches('-').trim_start_matches(['"', '\'']);
    let end = name.find(|next: char| !next.is_ascii_alphanumeric() && next != '_');
    let name = &name[..end.unwrap_or(name.len())];
    let is_inner = !line[..at].trim().eq_ignore_ascii_case("run");
    (is_inner && !name.is_empty()).then_some((at, name))
}
