//! Finds secrets that no name with a sign precedes: options of command-line clients, elements, statements and prose.

use std::borrow::Cow;
use std::ops::Range;

use super::assignment::is_written_elsewhere;
use super::secrecy::{is_secret_name, looks_like_key};

/// A secret in a line.
pub(super) struct StatedSecret<'l> {
    /// The name to show instead.
    name: &'l str,
    range: Range<usize>,
}

/// The name of a password that has none.
const UNNAMED: &str = "password";

/// Maximum number of bytes in front of a secret in which what identifies it is searched.
const MAX_BYTES_BEFORE: usize = 256;

/// Returns `line` with a name in angle brackets in place of each secret that a client's option, an element, or a
/// sentence states: `mysql -phunter2`, `<password>hunter2</password>`, `the password is hunter2`.
pub(super) fn hide_stated_secrets(line: Cow<'_, str>) -> Cow<'_, str> {
    const FINDERS: [fn(&str, usize) -> Option<StatedSecret<'_>>; 6] =
        [find_option, find_sentence, find_element, find_pair, find_data_source, find_piped];
    FINDERS.into_iter().fold(line, |line, find| match hide_found(&line, find) {
        Some(hidden) => Cow::Owned(hidden),
        None => line,
    })
}

fn hide_found(line: &str, find: fn(&str, usize) -> Option<StatedSecret<'_>>) -> Option<String> {
    let (mut out, mut done, mut from) = (String::new(), 0, 0);
    while let Some(StatedSecret { name, range }) = find(line, from) {
        from = range.end;
        let value = &line[range.clone()];
        // In a compose file, `$$` is the `$` of a variable of the shell.
        let value = if value.starts_with("$$") { &value[1..] } else { value };
        if !is_written_elsewhere(value) {
            out.push_str(&line[done..range.start]);
            out.push_str(&format!("<{name}>"));
            done = range.end;
        }
    }
    (done > 0).then(|| out + &line[done..])
}

/// Returns the end of `text` in which what identifies a secret is searched.
fn end_of(text: &str) -> &str {
    let least = text.len().saturating_sub(MAX_BYTES_BEFORE);
    (least..least + 4).find_map(|at| text.get(at..)).unwrap_or_default()
}

/// Returns the byte range of the word at `at`, or of the text in quotes; `None` if there is none.
fn word_range(line: &str, at: usize) -> Option<Range<usize>> {
    let rest = &line[at..];
    let (skipped, quote) = match rest.as_bytes() {
        [b'\\', quote @ (b'"' | b'\''), ..] => (2, Some(*quote)),
        [quote @ (b'"' | b'\''), ..] => (1, Some(*quote)),
        _ => (0, None),
    };
    let value = &rest[skipped..];
    let end = match quote {
        Some(quote) => memchr::memchr(quote, value.as_bytes()),
        None => value.find(|c: char| c.is_whitespace() || "\"'`<".contains(c)),
    };
    let value = &value[..end.unwrap_or(value.len())];
    let value = match quote {
        Some(_) => value.strip_suffix('\\').unwrap_or(value),
        None if value.contains('{') => value.trim_end_matches([',', ';', '\\']),
        None => value.trim_end_matches([',', ';', ')', ']', '}', '\\', '.']),
    };
    let start = at + skipped;
    (!value.is_empty()).then(|| start..start + value.len())
}

/// The way in which an option's password is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OptionForm {
    /// Directly behind the option: `-phunter2`.
    Attached,
    /// As the next word.
    Next,
    /// Behind a name and a colon, in the next word or directly behind the option: `-u app:hunter2`.
    Pair,
}

/// Options that a password follows, and the programs that have them.
const OPTIONS: [(&str, OptionForm, &[&str]); 17] = [
    (
        "p",
        OptionForm::Attached,
        &[
            "mysql",
            "mysqladmin",
            "mysqldump",
            "mysqlcheck",
            "mysqlimport",
            "mysqlshow",
            "mysqlpump",
            "mariadb",
            "mariadb-admin",
            "mariadb-dump",
            "mariadb-check",
            "7z",
            "7za",
            "sshpass",
            "mongo",
            "mongosh",
            "mongodump",
            "mongorestore",
        ],
    ),
    (
        "p",
        OptionForm::Next,
        &[
            "sshpass",
            "login",
            "mongo",
            "mongosh",
            "mongodump",
            "mongorestore",
            "mongoimport",
            "mongoexport",
            "rabbitmqadmin",
            "cqlsh",
            "cypher-shell",
            "elasticsearch-users",
        ],
    ),
    ("P", OptionForm::Attached, &["sqlcmd"]),
    ("P", OptionForm::Next, &["sqlcmd", "zip", "unzip", "mosquitto_pub", "mosquitto_sub"]),
    ("a", OptionForm::Next, &["redis-cli", "valkey-cli", "keydb-cli"]),
    ("w", OptionForm::Next, &["ldapsearch", "ldapadd", "ldapmodify", "ldapdelete"]),
    ("k", OptionForm::Next, &["openssl"]),
    ("u", OptionForm::Pair, &["curl"]),
    ("a", OptionForm::Pair, &["http", "https"]),
    ("-user", OptionForm::Pair, &["curl", "etcdctl"]),
    ("-oauth2-bearer", OptionForm::Next, &["curl"]),
    ("storepass", OptionForm::Next, &["keytool", "jarsigner"]),
    ("keypass", OptionForm::Next, &["keytool", "jarsigner"]),
    ("-auth", OptionForm::Pair, &["http", "https"]),
    ("passin", OptionForm::Pair, &["openssl"]),
    ("passout", OptionForm::Pair, &["openssl"]),
    ("pass", OptionForm::Pair, &["openssl"]),
];

/// Returns the first password behind an option that is at `from` or later.
fn find_option(line: &str, from: usize) -> Option<StatedSecret<'_>> {
    let dashes = memchr::memchr_iter(b'-', &line.as_bytes()[from..]);
    let range = dashes.map(|at| from + at).find_map(|dash| {
        if !line[..dash].ends_with([' ', '"', '\'', ',', '[', '\t']) {
            return None;
        }
        let rest = &line[dash + 1..];
        OPTIONS.iter().find_map(|(option, form, programs)| {
            let behind = rest.strip_prefix(option)?;
            let at = line.len() - behind.len();
            let range = form.value_range(line, at)?;
            has_word(end_of(&line[..dash]), programs).then_some(range)
        })
    })?;
    Some(StatedSecret { name: UNNAMED, range })
}

/// Returns whether one of `words` is a word of `text`, or the last part of a path in it.
fn has_word(text: &str, words: &[&str]) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    text.split(|c| !is_part(c)).any(|word| words.contains(&word))
}

impl OptionForm {
    /// Returns the byte range of the password, given the offset behind the option.
    fn value_range(self, line: &str, at: usize) -> Option<Range<usize>> {
        let rest = &line[at..];
        let is_end = rest.starts_with([' ', '\t', ',', ']']) || rest.is_empty();
        let ends_quote = rest.starts_with("\",") || rest.starts_with("',");
        if self == Self::Attached {
            return if is_end || ends_quote { None } else { word_range(line, at) };
        }
        let at = if is_end || ends_quote || rest.starts_with('=') {
            line.len() - rest.trim_start_matches(['"', '\'', ',', ' ', '\t', '=']).len()
        } else if self == Self::Pair {
            at
        } else {
            return None;
        };
        // The quote in front of the word belongs to it.
        let quoted = line[..at].ends_with(['"', '\'']);
        let word = word_range(line, at - usize::from(quoted))?;
        match self {
            Self::Pair => {
                let value = &line[word.clone()];
                let colon = value.find(':').filter(|colon| colon + 1 < value.len())?;
                Some(word.start + colon + 1..word.end)
            }
            _ => (!line[word.clone()].starts_with('-')).then_some(word),
        }
    }
}

/// Words that a password follows without a sign, in the configuration of a server or a client.
const SETTINGS: [&str; 6] =
    ["requirepass", "masterauth", "_authToken", "_auth", "_password", "aws_secret_access_key"];

/// Words for a password in a sentence.
const PASSWORD_WORDS: [&str; 5] = ["password", "passwd", "passphrase", "pw", "pwd"];

/// Returns the first secret behind a blank at `from` or later that a sentence or a statement names.
fn find_sentence(line: &str, from: usize) -> Option<StatedSecret<'_>> {
    memchr::memchr_iter(b' ', &line.as_bytes()[from..]).find_map(|at| {
        let blank = from + at;
        let before = end_of(&line[..blank]);
        let word = &before[before.trim_end_matches(is_name).len()..];
        if word.len() < 2 {
            return None;
        }
        let value_at = blank + 1;
        let next = &line[value_at..];
        let is_word = |words: &[&str]| words.iter().any(|other| other.eq_ignore_ascii_case(word));
        let front = || before[..before.len() - word.len()].trim_end();
        let is_stated = match word.len() {
            2 if word.eq_ignore_ascii_case("is") => {
                states_password(front())
                    && word_range(line, value_at).is_some_and(|range| {
                        let value = line[range].to_ascii_lowercase();
                        !COMMON_WORDS.contains(&value.as_str())
                    })
            }
            2 if word.eq_ignore_ascii_case("by") => {
                next.starts_with('\'') && has_ending(front(), "identified")
            }
            _ if has_ending(front(), "add_user") || has_ending(front(), "change_password") => {
                has_word(front(), &["rabbitmqctl"])
            }
            _ if is_word(&PASSWORD_WORDS) => {
                next.starts_with('\'') || has_word(front(), &["login", "machine"])
            }
            _ => is_word(&SETTINGS) || is_key_word(word, next),
        };
        if !is_stated {
            return None;
        }
        let range = word_range(line, value_at)?;
        let name = if is_secret_name(word) { &line[blank - word.len()..blank] } else { UNNAMED };
        Some(StatedSecret { name, range })
    })
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn has_ending(text: &str, ending: &str) -> bool {
    let at = text.len().checked_sub(ending.len());
    at.and_then(|at| text.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(ending))
}

/// Returns whether a sentence up to its verb is about a password: `the password`, `password of the database`.
fn states_password(front: &str) -> bool {
    const MAX_WORDS: usize = 5;
    let words = front.rsplit(|c: char| !is_name(c)).filter(|word| !word.is_empty());
    let mut words = words.take(MAX_WORDS);
    words.any(|word| PASSWORD_WORDS.iter().any(|other| other.eq_ignore_ascii_case(word)))
}

/// Words that follow `the password is` in a sentence that states none.
const COMMON_WORDS: [&str; 40] = [
    "a",
    "an",
    "the",
    "not",
    "no",
    "now",
    "never",
    "always",
    "also",
    "only",
    "set",
    "read",
    "required",
    "optional",
    "missing",
    "empty",
    "invalid",
    "wrong",
    "correct",
    "stored",
    "kept",
    "generated",
    "hidden",
    "taken",
    "used",
    "needed",
    "in",
    "on",
    "at",
    "from",
    "by",
    "for",
    "of",
    "too",
    "to",
    "it",
    "this",
    "that",
    "your",
    "given",
];

/// Returns whether `word` names a secret, and the word behind it looks like one.
fn is_key_word(word: &str, next: &str) -> bool {
    let end = next.find(|c: char| c.is_whitespace() || "\"'`,;)".contains(c));
    let next = &next[..end.unwrap_or(next.len())];
    looks_like_key(next) && !next.contains('-') && is_secret_name(word)
}

/// Returns the first text of an element with the name of a secret whose end is at `from` or later.
fn find_element(line: &str, from: usize) -> Option<StatedSecret<'_>> {
    memchr::memmem::find_iter(&line.as_bytes()[from..], "</").find_map(|at| {
        let end = from + at;
        let behind = &line[end + 2..];
        let name = &behind[..behind.find(|c| !is_name(c) && c != '-' && c != '.')?];
        let before = end_of(&line[from..end]);
        let start = end - (before.len() - before.rfind('>')? - 1);
        (start < end && is_secret_name(name)).then_some(StatedSecret { name, range: start..end })
    })
}

/// Returns the first value at `from` or later that follows the name of a secret as its pair:
/// `{name: DB_PASSWORD, value: hunter2}`.
fn find_pair(line: &str, from: usize) -> Option<StatedSecret<'_>> {
    memchr::memmem::find_iter(&line.as_bytes()[from..], "alue").find_map(|at| {
        let start = from + at;
        let before = end_of(line[..start].strip_suffix(['v', 'V'])?);
        let name = pair_name(before)?;
        let behind = line[start + 4..].trim_start_matches(['"', '\'', '\\']);
        let value = behind.trim_start().strip_prefix([':', '='])?.trim_start();
        let range = word_range(line, line.len() - value.len())?;
        Some(StatedSecret { name, range })
    })
}

/// Returns the name of a secret that `name: ` or `key=` at the end of a text gives.
pub(super) fn pair_name(text: &str) -> Option<&str> {
    let text = text.trim_end_matches([' ', '"', '\'', ',', '\\', '{']);
    let name = &text[text.trim_end_matches(|c| is_name(c) || c == '-' || c == '.').len()..];
    let front = text[..text.len() - name.len()].trim_end_matches(['"', '\'', '\\', ' ']);
    let front = front.strip_suffix([':', '='])?.trim_end_matches(['"', '\'', '\\', ' ']);
    let is_pair = ["name", "key"].into_iter().any(|word| has_ending(front, word));
    (is_pair && is_secret_name(name)).then_some(name)
}

/// Returns the first password at `from` or later in a data source name: `app:hunter2@tcp(db:3306)/x`.
fn find_data_source(line: &str, from: usize) -> Option<StatedSecret<'_>> {
    memchr::memchr_iter(b'@', &line.as_bytes()[from..]).find_map(|at| {
        let end = from + at;
        let network = &line[end + 1..];
        if !network.starts_with("tcp(") && !network.starts_with("unix(") {
            return None;
        }
        let before = end_of(&line[from..end]);
        let word = &before[before.rfind([' ', '"', '\'', '=']).map_or(0, |blank| blank + 1)..];
        let start = end - (word.len() - word.find(':')? - 1);
        (start < end).then_some(StatedSecret { name: UNNAMED, range: start..end })
    })
}

/// Returns the first password that `echo` hands to a program at `from` or later that reads one:
/// `echo hunter2 | docker login --password-stdin`, `echo root:hunter2 | chpasswd`.
fn find_piped(line: &str, from: usize) -> Option<StatedSecret<'_>> {
    let rest = &line[from..];
    let at = memchr::memmem::find(rest.as_bytes(), b"-stdin")
        .or_else(|| memchr::memmem::find(rest.as_bytes(), b"chpasswd"))?;
    let before = end_of(&rest[..at]);
    let start = from + at - before.len();
    let echo = ["echo ", "printf "]
        .into_iter()
        .filter_map(|word| Some(before.rfind(word)? + word.len()))
        .max()?;
    let value = before[echo..].trim_start_matches("-n ").trim_start();
    let word = word_range(line, start + before.len() - value.len())?;
    let user = line[word.clone()].find(':').map_or(0, |colon| colon + 1);
    (word.end <= from + at && user < word.len())
        .then_some(StatedSecret { name: UNNAMED, range: word.start + user..word.end })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stated_secret_is_hidden() {
        for (line, shown) in [
            ("command: mysql -uroot -phunter2 x", "command: mysql -uroot -p<password> x"),
            ("keytool -storepass hunter2 -v", "keytool -storepass <password> -v"),
            ("etcdctl --user root:hunter2 get x", "etcdctl --user root:<password> get x"),
            ("curl --oauth2-bearer hunter2 http://x", "curl --oauth2-bearer <password> http://x"),
            (
                "test: [\"CMD\", \"mysqladmin\", \"-phunter2\"]",
                "test: [\"CMD\", \"mysqladmin\", \"-p<password>\"]",
            ),
            ("/usr/bin/mariadb -p'a b' x", "/usr/bin/mariadb -p'<password>' x"),
            (
                "[\"redis-cli\", \"-a\", \"hunter2\", \"ping\"]",
                "[\"redis-cli\", \"-a\", \"<password>\", \"ping\"]",
            ),
            ("sshpass -p hunter2 ssh x", "sshpass -p <password> ssh x"),
            ("docker login -u a -p hunter2 r", "docker login -u a -p <password> r"),
            ("curl -uapp:hunter2 h", "curl -uapp:<password> h"),
            ("curl --user=app:hunter2 h", "curl --user=app:<password> h"),
            ("openssl rsa -passin pass:hunter2", "openssl rsa -passin pass:<password>"),
            ("rabbitmqctl add_user app hunter2", "rabbitmqctl add_user app <password>"),
            ("A: \"<password>hunter2</password>\"", "A: \"<password><password></password>\""),
            ("<apiToken>hunter2</apiToken>", "<apiToken><apiToken></apiToken>"),
            (
                "# the password of the database is hunter2, keep it",
                "# the password of the database is <password>, keep it",
            ),
            ("ALTER USER a WITH PASSWORD 'hunter2'", "ALTER USER a WITH PASSWORD '<PASSWORD>'"),
            ("CREATE USER a IDENTIFIED BY 'hunter2'", "CREATE USER a IDENTIFIED BY '<password>'"),
            ("machine h login a password hunter2", "machine h login a password <password>"),
            ("{name: DB_PASSWORD, value: hunter2}", "{name: DB_PASSWORD, value: <DB_PASSWORD>}"),
            (
                "<add key=\"Password\" value=\"hunter2\" />",
                "<add key=\"Password\" value=\"<Password>\" />",
            ),
            ("D: app:hunter2@tcp(db:3306)/x", "D: app:<password>@tcp(db:3306)/x"),
            ("echo root:hunter2 | chpasswd", "echo root:<password> | chpasswd"),
            (
                "echo hunter2 | docker login --password-stdin",
                "echo <password> | docker login --password-stdin",
            ),
        ] {
            assert_eq!(hide_stated_secrets(Cow::Borrowed(line)), shown);
        }
    }

    #[test]
    fn what_states_no_secret_is_shown() {
        for line in [
            "mkdir -p /app/data",
            "docker run -p 8080:80 mysql",
            "mysql -p -u root",
            "[\"mysqladmin\", \"-p${DB_PASSWORD}\"]",
            "mariadb-admin -p$$MARIADB_ROOT_PASSWORD ping",
            "curl -u ${USER}:${PASS} h",
            "python -u app.py",
            "# the password is required here",
            "# a token is in the store",
            "{name: HONEYCOMB_DATASET, value: backend}",
            "user@tcp(db:3306)/x",
            "echo ${TOKEN} | docker login --password-stdin",
            "<name>backend</name>",
        ] {
            assert_eq!(hide_stated_secrets(Cow::Borrowed(line)), line);
        }
    }

    #[test]
    fn a_long_line_takes_time_in_proportion_to_its_length() {
        for part in ["mysql -pa ", "is ", "</a>", "value:", "a@tcp(", "echo a ", "-p", "password "]
        {
            let began = std::time::Instant::now();
            let _ = hide_stated_secrets(Cow::Owned(part.repeat(20_000)));
            assert!(began.elapsed().as_secs() < 20, "{part}");
        }
    }
}
