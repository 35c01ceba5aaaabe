//! Tells the linker to leave unwind tables out of the released program, a twelfth of its size. A panic ends the process
//! without unwinding (`ui::fault`), so nothing reads them.
#![allow(clippy::print_stdout, reason = "cargo reads the standard output of a build script")]

use std::path::Path;
use std::{env, fs, io};

/// The linker script that discards unwind tables. The start files of the C library refer to their own.
const SCRIPT: &str = "SECTIONS { /DISCARD/ : { *(EXCLUDE_FILE(*crtbegin*.o *crtend*.o) .eh_frame) } } INSERT BEFORE .text;\n";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=packaging/link.rs");
    let variable = |name| env::var(name).unwrap_or_default();
    // GNU's linker and LLVM's read the script; others, such as mold, refuse it.
    let is_default_linker =
        variable("RUSTC_LINKER").is_empty() && variable("CARGO_ENCODED_RUSTFLAGS").is_empty();
    let is_linux = variable("CARGO_CFG_TARGET_OS") == "linux";
    if variable("PROFILE") != "release" || !is_linux || !is_default_linker {
        return Ok(());
    }
    let script = Path::new(&variable("OUT_DIR")).join("without-unwind-tables.ld");
    fs::write(&script, SCRIPT)?;
    println!("cargo::rustc-link-arg-bins=-T{}", script.display());
    // glibc reads packed relocations since 2.36, which is too new to rely on; a static program brings its own reader.
    if variable("CARGO_CFG_TARGET_ENV") == "musl" {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    Ok(())
}
