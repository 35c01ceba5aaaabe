//! Reads git's index, which lists the tracked paths: versions 2 to 4, split and sparse, with SHA-1 or SHA-256.
//!
//! No I/O, and streaming: memory use is limited by the longest path, regardless of the declared number of entries.

use std::io::{BufRead, ErrorKind, Read};

use gix_ignore::glob::pattern::Case;

/// Maximum length of a path; git cannot check out longer ones.
const MAX_PATH_BYTES: u64 = 64 * 1024;

/// Maximum size of a `link` extension, which has two compressed bits for each entry of the shared index.
const MAX_LINK_BYTES: u32 = 64 * 1024 * 1024;

/// Mode of an entry that represents a whole folder in a sparse index.
const SPARSE_FOLDER: u32 = 0o040_000;

/// Flag of an entry with two additional bytes of flags.
const EXTENDED: u16 = 0x4000;

/// The length in the flags that stands for this length or more.
const MAX_FLAG_LENGTH: usize = 0xfff;

/// The state of a path in an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum IndexState {
    /// No entry has the path.
    Absent,
    /// The path is in a folder that is a single entry of a sparse index, without its contents.
    Sparse,
    /// An entry has the path, or a path below it.
    Tracked,
}

/// The path to look up, and the format of the index.
#[derive(Debug, Clone, Copy)]
pub(super) struct IndexQuery<'a> {
    /// Path relative to the root of the working tree, with slashes.
    pub(super) path: &'a [u8],
    /// Whether case is ignored, as with `core.ignoreCase`.
    pub(super) case: Case,
    /// Length of an object name in bytes: 20 for SHA-1, 32 for SHA-256.
    pub(super) hash_length: usize,
}

/// The shared index of a split index, and its deleted entries.
#[derive(Debug)]
pub(super) struct SharedIndex {
    /// The suffix of its file name: `sharedindex.NAME`.
    pub(super) name: String,
    deleted: Vec<u8>,
}

/// The result of a lookup in one index file.
#[derive(Debug)]
pub(super) struct IndexAnswer {
    pub(super) state: IndexState,
    /// The shared index that this index modifies.
    pub(super) shared: Option<SharedIndex>,
    /// Positions of the entries that match the path.
    positions: Vec<usize>,
}

/// Looks up a path in an index file of `length` bytes.
///
/// # Errors
/// The reason why the index cannot be read.
pub(super) fn look_up(
    bytes: impl BufRead,
    length: u64,
    query: IndexQuery,
) -> Result<IndexAnswer, String> {
    let mut bytes = CountedReader { inner: bytes, count: 0 };
    let header = bytes.take_array::<12>()?;
    let [b'D', b'I', b'R', b'C', version @ .., _, _, _, _] = header else {
        return Err("it does not begin as an index".to_owned());
    };
    let version = u32::from_be_bytes(version);
    if !(2..=4).contains(&version) {
        return Err(format!("its version is {version}"));
    }
    let entries = u32::from_be_bytes([header[8], header[9], header[10], header[11]]);
    let mut answer = IndexAnswer { state: IndexState::Absent, shared: None, positions: Vec::new() };
    let mut path = Vec::new();
    for position in 0..entries as usize {
        let mode = read_entry(&mut bytes, version, query.hash_length, &mut path)?;
        let state = query.compare(mode, &path);
        if state == IndexState::Tracked {
            answer.positions.push(position);
        }
        answer.state = answer.state.max(state);
    }
    let end = length.saturating_sub(query.hash_length as u64);
    answer.shared = read_extensions(&mut bytes, end, query.hash_length)?;
    Ok(answer)
}

impl SharedIndex {
    /// Returns the result for the shared index without its deleted entries.
    ///
    /// # Errors
    /// Fails if the list of deleted entries is damaged.
    pub(super) fn remaining(&self, answer: &IndexAnswer) -> Result<IndexState, String> {
        let positions = &answer.positions;
        let (Some(last), false) = (positions.last(), self.deleted.is_empty()) else {
            return Ok(answer.state);
        };
        let damaged = || "its list of deleted entries is damaged".to_owned();
        let decoded = gix_bitmap::ewah::decode(&self.deleted).map_err(|_| damaged());
        let (deleted, _) = decoded?;
        let (mut gone, mut passed) = (0, false);
        let whole = deleted.for_each_set_bit(|position| {
            passed = position > *last;
            gone += usize::from(positions.binary_search(&position).is_ok());
            (!passed).then_some(())
        });
        match whole {
            None if !passed => Err(damaged()),
            _ if gone < positions.len() => Ok(IndexState::Tracked),
            _ => Ok(IndexState::Absent),
        }
    }
}

impl IndexQuery<'_> {
    fn compare(&self, mode: u32, entry: &[u8]) -> IndexState {
        let same = |left: &[u8], right: &[u8]| {
            if self.case == Case::Fold { left.eq_ignore_ascii_case(right) } else { left == right }
        };
        let begins = |long: &[u8], short: &[u8]| {
            long.get(..short.len()).is_some_and(|start| same(start, short))
        };
        let is_below = begins(entry, self.path) && entry.get(self.path.len()) == Some(&b'/');
        match mode {
            SPARSE_FOLDER if begins(self.path, entry) => IndexState::Sparse,
            _ if same(entry, self.path) || is_below => IndexState::Tracked,
            _ => IndexState::Absent,
        }
    }
}

/// Reads one entry: its path into `path`, which still contains the previous entry's, and returns its mode.
fn read_entry(
    bytes: &mut CountedReader<impl BufRead>,
    version: u32,
    hash_length: usize,
    path: &mut Vec<u8>,
) -> Result<u32, String> {
    let start = bytes.count;
    bytes.skip(24)?;
    let mode = u32::from_be_bytes(bytes.take_array()?);
    bytes.skip(12 + hash_length as u64)?;
    let flags = u16::from_be_bytes(bytes.take_array()?);
    if flags & EXTENDED != 0 {
        bytes.skip(2)?;
    }
    if version == 4 {
        let dropped = bytes.take_offset()?;
        let common_length = path.len().checked_sub(dropped).ok_or("an entry has no path")?;
        path.truncate(common_length);
        bytes.take_until_nul(path)?;
        return Ok(mode);
    }
    path.clear();
    let name_length = usize::from(flags) & MAX_FLAG_LENGTH;
    match name_length {
        MAX_FLAG_LENGTH => bytes.take_until_nul(path)?,
        _ => bytes.take_bytes(name_length as u64, path)?,
    }
    let size = bytes.count - start - u64::from(name_length == MAX_FLAG_LENGTH);
    bytes.skip(start + (size / 8 + 1) * 8 - bytes.count)?;
    Ok(mode)
}

/// Reads the extensions up to `end`. Those with upper-case names are optional; any other one must be supported.
fn read_extensions(
    bytes: &mut CountedReader<impl BufRead>,
    end: u64,
    hash_length: usize,
) -> Result<Option<SharedIndex>, String> {
    let mut shared = None;
    while bytes.count < end {
        let name: [u8; 4] = bytes.take_array()?;
        let length = u32::from_be_bytes(bytes.take_array()?);
        match &name {
            b"link" if length <= MAX_LINK_BYTES => {
                let mut link = Vec::new();
                bytes.take_bytes(length.into(), &mut link)?;
                let (hash, deleted) =
                    link.split_at_checked(hash_length).ok_or("its link is damaged")?;
                let name = hash.iter().map(|byte| format!("{byte:02x}")).collect();
                let is_none = hash.iter().all(|byte| *byte == 0);
                shared = (!is_none).then(|| SharedIndex { name, deleted: deleted.to_owned() });
            }
            b"sdir" => bytes.skip(length.into())?,
            [first, ..] if first.is_ascii_uppercase() => bytes.skip(length.into())?,
            _ => return Err("it has an extension that is not known".to_owned()),
        }
    }
    Ok(shared)
}

/// A reader that counts the bytes read.
struct CountedReader<R> {
    inner: R,
    count: u64,
}

impl<R: BufRead> CountedReader<R> {
    fn take_array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut array = [0; N];
        self.inner.read_exact(&mut array).map_err(explain_index_error)?;
        self.count += N as u64;
        Ok(array)
    }

    fn take_bytes(&mut self, length: u64, into: &mut Vec<u8>) -> Result<(), String> {
        let read =
            self.inner.by_ref().take(length).read_to_end(into).map_err(explain_index_error)?;
        self.count += read as u64;
        if (read as u64) < length { Err(TRUNCATED_MESSAGE.to_owned()) } else { Ok(()) }
    }

    fn skip(&mut self, length: u64) -> Result<(), String> {
        let mut skipped = self.inner.by_ref().take(length);
        let read =
            std::io::copy(&mut skipped, &mut std::io::sink()).map_err(explain_index_error)?;
        self.count += read;
        if read < length { Err(TRUNCATED_MESSAGE.to_owned()) } else { Ok(()) }
    }

    /// Reads up to a null byte, which is not included.
    fn take_until_nul(&mut self, into: &mut Vec<u8>) -> Result<(), String> {
        let left = MAX_PATH_BYTES.saturating_sub(into.len() as u64);
        let read =
            self.inner.by_ref().take(left).read_until(0, into).map_err(explain_index_error)?;
        self.count += read as u64;
        match into.pop() {
            Some(0) if read > 0 => Ok(()),
            _ => Err("an entry's path has no end".to_owned()),
        }
    }

    /// Reads git's variable-length integer.
    fn take_offset(&mut self) -> Result<usize, String> {
        let mut value: usize = 0;
        loop {
            let [byte] = self.take_array()?;
            value = value << 7 | usize::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
            value += 1;
            if value as u64 > MAX_PATH_BYTES {
                return Err("an entry's path is too long".to_owned());
            }
        }
    }
}

const TRUNCATED_MESSAGE: &str = "it ends too early";

fn explain_index_error(error: std::io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => TRUNCATED_MESSAGE.to_owned(),
        _ => error.to_string(),
    }
}
