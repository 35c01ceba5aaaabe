//! Reports a panic like any other error, without the text that was being processed.
//!
//! Only the location of a panic is shown: its message may quote a line that contains a key.

use std::panic::{self, Location};

use crate::error::{Error, ErrorCode};

/// Passes a panic on any thread to `end`; called once, by `main`, which prints it and ends the process. Ending there
/// rather than by a signal leaves no core file.
pub fn watch(end: impl Fn(&Error) + Send + Sync + 'static) {
    panic::set_hook(Box::new(move |panic| end(&fault_error(panic.location()))));
}

fn fault_error(location: Option<&Location<'_>>) -> Error {
    let error = Error::new(ErrorCode::Internal, "this is a bug in cruddur-ops")
        .hint("run the same command again: an interrupted write is finished or reverted first")
        .hint(
            "please report the command, the version (`cruddur-ops --version`) and the place above",
        );
    match location {
        Some(at) => error.cause(format!("it stopped at {}:{}", at.file(), at.line())),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn a_panic_is_reported_by_its_place_without_its_message() {
        let line = "é hcaik_01abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrst".to_owned();
        let errors: Arc<Mutex<Vec<Error>>> = Arc::default();
        let before = panic::take_hook();
        let recorded = Arc::clone(&errors);
        watch(move |error| recorded.lock().unwrap().push(error.clone()));
        let panicked = std::thread::spawn(move || line[1..].len()).join();
        panic::set_hook(before);
        assert!(panicked.is_err());
        let errors = errors.lock().unwrap();
        let is_here = |error: &&Error| error.cause.as_deref().unwrap().contains("src/ui/fault.rs:");
        assert_eq!(errors.iter().find(is_here).unwrap().code, ErrorCode::Internal);
        assert!(!format!("{errors:?}").contains("hcaik_"), "{errors:?}");
    }
}
