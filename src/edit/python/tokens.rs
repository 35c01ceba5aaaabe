//! Checks names, numbers and strings more strictly than the grammar does.

use tree_sitter::Node;

/// Keywords of Python 3.
const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// Returns the reason why this is not a valid name.
pub(super) fn identifier_fault(text: &str) -> Option<&'static str> {
    KEYWORDS.contains(&text).then_some("a keyword cannot be a name")
}

/// Returns the reason why this is not a valid integer.
pub(super) fn integer_fault(text: &str) -> Option<&'static str> {
    let digits = text.replace('_', "").to_ascii_lowercase();
    if digits.ends_with('l') {
        return Some("`L` after a number is Python 2");
    }
    let octal = digits.len() > 1
        && digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && digits.bytes().any(|byte| byte != b'0');
    if octal {
        return Some("a number with a leading zero is octal in Python 2; Python 3 writes `0o`");
    }
    let misplaced = text.ends_with('_') || text.contains("__");
    misplaced.then_some("an underscore in a number must be between digits")
}

/// Returns the letters before the opening quote, in lower case.
fn read_string_prefix(text: &str) -> String {
    let end = text.find(['"', '\'']).unwrap_or(0);
    text[..end].to_ascii_lowercase()
}

/// Returns the reason why this is not a valid string.
pub(super) fn string_fault(text: &str, node: Node<'_>) -> Option<&'static str> {
    if text.trim_start_matches(char::is_alphabetic).starts_with('`') {
        return Some("backquotes are `repr()` in Python 3");
    }
    let prefix = read_string_prefix(text);
    if !matches!(
        prefix.as_str(),
        "" | "r" | "u" | "b" | "f" | "br" | "rb" | "fr" | "rf" | "t" | "tr" | "rt"
    ) {
        return Some("no string begins with these letters");
    }
    let is_bytes = prefix.contains('b');
    if is_bytes && !text.is_ascii() {
        return Some("bytes can only have ASCII characters");
    }
    let mut cursor = node.walk();
    let mut contents = node
        .named_children(&mut cursor)
        .filter(|part| part.kind() == "string_content")
        .filter_map(|part| {
            text.get(part.start_byte() - node.start_byte()..part.end_byte() - node.start_byte())
        });
    let kind = if is_bytes { LiteralKind::Bytes } else { LiteralKind::Text };
    let broken = |content: &str| !prefix.contains('r') && has_broken_escape(content, kind);
    contents.any(broken).then_some("an escape in this string is not complete")
}

/// The type of a string literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LiteralKind {
    Bytes,
    Text,
}

/// Returns whether there is an incomplete `\xhh` or, in text, `\uhhhh`, `\Uhhhhhhhh` or `\N{…}` escape.
fn has_broken_escape(content: &str, kind: LiteralKind) -> bool {
    let is_text = kind == LiteralKind::Text;
    let mut rest = content;
    while let Some(at) = rest.find('\\') {
        let after = &rest[at + 1..];
        let Some(letter) = after.chars().next() else {
            return false;
        };
        let digits = match letter {
            'x' => 2,
            'u' if is_text => 4,
            'U' if is_text => 8,
            _ => 0,
        };
        let behind = &after.as_bytes()[letter.len_utf8()..];
        let whole = behind.len() >= digits && behind[..digits].iter().all(u8::is_ascii_hexdigit);
        let code = after.get(1..1 + digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        let large = letter == 'U' && code.is_some_and(|code| code > 0x10_ffff);
        let unnamed = letter == 'N' && is_text && behind.first() != Some(&b'{');
        if !whole || large || unnamed {
            return true;
        }
        rest = &after[letter.len_utf8()..];
    }
    false
}

/// Checks that adjacent strings are either all bytes or all text.
pub(super) fn bytes_fault<'t>(
    parts: &[Node<'_>],
    text: impl Fn(Node<'_>) -> &'t str,
) -> Option<&'static str> {
    let bytes = parts.iter().filter(|part| read_string_prefix(text(**part)).contains('b')).count();
    (bytes > 0 && bytes < parts.len()).then_some("bytes and strings cannot be concatenated")
}
