//! A program whose stdout and stderr are two terminals of 80 columns.

use std::fs::File;
use std::io::Read;
use std::process::{Child, Command};
use std::thread::JoinHandle;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::sandbox::end_in_time;

/// The output of a run.
pub struct Shown {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Opens a terminal: the program's side, and a thread that reads the other side until the program has closed it.
struct Terminal {
    end: File,
    reader: JoinHandle<String>,
}

impl Terminal {
    fn open() -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&controller).unwrap();
        unlockpt(&controller).unwrap();
        let name = ptsname(&controller, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let end = rustix::fs::open(name, flags, Mode::empty()).unwrap();
        let size = Winsize { ws_row: 50, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&end, size).unwrap();
        let mut controller = File::from(controller);
        let reader = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            // It ends with an error once nobody holds the other side.
            let _ = controller.read_to_end(&mut bytes);
            String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
        });
        Self { end: File::from(end), reader }
    }
}

/// Runs `command` until it exits; calls `begin` with the running program.
pub fn run(mut command: Command, begin: impl FnOnce(&mut Child)) -> Shown {
    let (out, err) = (Terminal::open(), Terminal::open());
    command.env("TERM", "xterm").env("NO_COLOR", "1").stdout(out.end).stderr(err.end);
    let mut child = command.spawn().unwrap();
    begin(&mut child);
    let output = end_in_time(child, &command);
    // Its copies of the terminals would keep the readers waiting.
    drop(command);
    Shown {
        status: output.status.code().unwrap_or(-1),
        stdout: out.reader.join().unwrap(),
        stderr: err.reader.join().unwrap(),
    }
}
