//! A fault of the program's own: told like any other error, and without a word of the text it was working on.
//!
//! Where a panic begins is all that is said of it: its message may quote a line, and the line may hold a key. Ending here
//! rather than by a signal leaves no core file behind either.

use std::panic::{self, Location};

use super::Ui;
use crate::error::Error;
use crate::secret::Redactor;

/// From now on a panic on any thread is told and ends the process by `end`; called once, by `main`.
pub fn watch(end: impl Fn() + Send + Sync + 'static) {
    panic::set_hook(Box::new(move |panic| {
        // A redactor of its own: the thread that panics may hold the lock of the other one.
        let (out, err) = (std::io::stdout(), std::io::stderr());
        let mut ui = Ui::new(Box::new(out), Box::new(err), Redactor::default(), false);
        ui.error(&error(panic.location()));
        end();
    }));
}

fn error(location: Option<&Location<'_>>) -> Error {
    let error = Error::new("internal", "this is a fault of cruddur-ops itself")
        .hint("the same command once more: whatever was being written is finished or taken back first")
        .hint("please report the command, the version (`cruddur-ops --version`) and the place above");
    match location {
        Some(at) => error.cause(format!("it gave up at {}:{}", at.file(), at.line())),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    const KEY: &str = "hcaik_01abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrst";

    #[test]
    #[ignore = "ends its process; the test below runs it in one of its own"]
    fn gives_up() {
        super::watch(|| std::process::exit(2));
        let line = format!("é{KEY}");
        let thread = std::thread::spawn(move || line[1..].len());
        drop(thread.join());
    }

    #[test]
    fn a_panic_ends_the_process_and_quotes_nothing() {
        let child = [
            "--exact",
            "ui::fault::tests::gives_up",
            "--ignored",
            "--nocapture",
        ];
        let program = std::env::current_exe().unwrap();
        let output = Command::new(program).args(child).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(
            told.contains("error[internal]: this is a fault of cruddur-ops itself"),
            "{told}"
        );
        assert!(told.contains("it gave up at src/ui/fault.rs:"), "{told}");
        let all = format!("{told}{}", String::from_utf8_lossy(&output.stdout));
        assert!(!all.contains(&KEY[..12]), "{told}");
    }
}
