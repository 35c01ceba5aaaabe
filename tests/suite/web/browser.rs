//! The page in Chromium: `drive.mjs` acts as a user or a hostile page; any fault it finds fails the test.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use super::start;
use crate::sandbox::{KEY, Sandbox, end_in_time, tool};

/// A lock for one browser at a time, because each needs two cores to start and times are measured.
static BROWSER: Mutex<()> = Mutex::new(());

/// Returns the folder where `tests/tools/chromium.sh` installs the browser's driver, or the reason to skip.
fn driver() -> Option<PathBuf> {
    // An absolute path stands for itself.
    tool("/usr/bin/chromium", "chromium.sh")?;
    tool("browser/node_modules/playwright-core", "chromium.sh")
}

/// Runs a scene of `drive.mjs` on the page at `url`; spans are sent to `to`.
fn play(scene: &str, url: &str, to: &str) {
    let Some(driver) = driver() else { return };
    let _guard = BROWSER.lock().unwrap_or_else(PoisonError::into_inner);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/web/drive.mjs");
    let mut command = Command::new("node");
    command.arg(script).args([scene, url, to, KEY]).env("DRIVER", driver);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = end_in_time(child, &command);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    println!("{}", text(&output.stdout));
    assert!(output.status.success(), "{scene}: {}", text(&output.stderr));
}

/// Runs a scene on the page of a new `listen`.
fn play_on_listen(scene: &str) {
    let sandbox = Sandbox::new(&[]).with("HONEYCOMB_API_KEY", KEY);
    let (listening, url) = start(&sandbox, &[]);
    play(scene, &url, &format!("http://{}", listening.http));
    listening.interrupt();
    listening.end().expect(0);
}

#[test]
fn a_trace_arrives_without_a_reload_and_the_page_says_how() {
    play_on_listen("arrival");
}

#[test]
fn the_waterfall_shows_each_span_with_its_attributes_and_events() {
    play_on_listen("waterfall");
}

#[test]
fn everything_is_done_by_keys() {
    play_on_listen("keyboard");
}

#[test]
fn the_guides_queries_are_answered_as_table_and_chart() {
    play_on_listen("query");
}

#[test]
fn a_cell_of_the_heatmap_leads_to_exactly_its_traces() {
    play_on_listen("heatmap");
}

#[test]
fn a_hostile_span_is_text_and_nothing_else() {
    play_on_listen("hostile");
}

#[test]
fn another_page_gets_nothing() {
    play_on_listen("foreign");
}

#[test]
fn a_name_that_was_made_to_lead_here_gets_nothing() {
    play_on_listen("rebound");
}

#[test]
fn ten_thousand_spans_are_drawn_at_once() {
    play_on_listen("large");
}

#[test]
fn the_page_fits_narrow_screens_both_themes_and_readers() {
    play_on_listen("access");
}

#[test]
fn the_page_says_that_listen_has_ended() {
    let sandbox = Sandbox::new(&[]);
    let (listening, url) = start(&sandbox, &[]);
    play("ended", &url, &listening.id().to_string());
    listening.interrupt();
    listening.end().expect(0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_page_that_stays_open_takes_bounded_memory() {
    /// The additional memory that `listen` may use for a page, including 4 MiB of kept spans.
    const MAX_KIB: usize = 96 << 10;
    let sandbox = Sandbox::new(&[]);
    let (listening, url) = start(&sandbox, &["--keep", "4MiB"]);
    play("load", &url, &format!("http://{}", listening.http));
    let peak = listening.peak();
    assert!(peak < MAX_KIB, "{peak} KiB");
    listening.interrupt();
    listening.end().expect(0);
}

#[test]
fn try_shows_the_sample_in_a_page() {
    let sandbox = Sandbox::new(&[]);
    let (trying, url) = super::start_try(&sandbox);
    play("sample", &url, "");
    trying.interrupt();
    trying.end().expect(0);
}
