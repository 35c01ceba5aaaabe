//! Many spans drawn as a heatmap: time from left to right, duration upwards, the more spans the darker.
//!
//! Text only; never wider than the terminal.

use super::text::{duration, right};
use super::{Look, Role};
use crate::otlp::summary::{Cell, Heat};

/// Rows at most.
const ROWS: usize = 10;

/// Columns at most: on a wide terminal more would only be thinner.
const COLUMNS: usize = 100;

/// Columns of the duration at the left.
const LABEL: usize = 8;

/// The lines of the heatmap; none of nothing.
pub fn draw(heat: &Heat, look: &Look) -> Vec<String> {
    let cells: Vec<Cell> = heat.cells().collect();
    let Some(scale) = Scale::of(&cells, heat.step_ns(), look) else {
        return Vec::new();
    };
    let mut counts = vec![vec![0_u64; scale.columns]; scale.rows];
    for cell in &cells {
        counts[scale.row(cell.duration_ns)][scale.column(cell.at_ns)] += cell.count;
    }
    let most = counts.iter().flatten().copied().max().unwrap_or(1);
    let wall = if look.unicode { '│' } else { '|' };
    let mut lines = Vec::new();
    for (row, counts) in counts.iter().enumerate().rev() {
        let label = right(&duration(scale.duration(row), look), LABEL, look);
        let marks: String = counts
            .iter()
            .map(|count| shade(*count, most, look))
            .collect();
        let marks = look.paint(Role::Hue(0), marks.trim_end());
        lines.push(format!("{label} {wall}{marks}"));
    }
    lines.extend(scale.axis(look));
    lines.push(look.paint(Role::Faint, &key(most, look)));
    lines
}

/// How time and duration become columns and rows.
struct Scale {
    from_ns: u64,
    span_ns: u64,
    columns: usize,
    low: f64,
    step: f64,
    rows: usize,
}

impl Scale {
    fn of(cells: &[Cell], step_ns: u64, look: &Look) -> Option<Self> {
        let first = cells.iter().map(|cell| cell.at_ns).min()?;
        let last = cells.iter().map(|cell| cell.at_ns).max()?;
        let low = cells.iter().map(|cell| cell.duration_ns).min()?.max(1);
        let high = cells.iter().map(|cell| cell.duration_ns).max()?.max(1);
        let room = look.width.saturating_sub(LABEL + 2).clamp(10, COLUMNS);
        let span_ns = last - first + step_ns;
        let bins = usize::try_from(span_ns / step_ns).unwrap_or(room);
        let low = (low as f64).ln();
        let high = (high as f64).ln();
        // A row is at least a tenth wide, or the same duration twice would fill the screen.
        let step = ((high - low) / (ROWS - 1) as f64).max(0.1);
        Some(Self {
            from_ns: first,
            span_ns,
            columns: bins.clamp(1, room),
            low,
            step,
            rows: ((high - low) / step).round() as usize + 1,
        })
    }

    fn column(&self, at_ns: u64) -> usize {
        let place = u128::from(at_ns - self.from_ns) * self.columns as u128;
        let column = place / u128::from(self.span_ns);
        usize::try_from(column).unwrap_or(0).min(self.columns - 1)
    }

    fn row(&self, duration_ns: u64) -> usize {
        let row = ((duration_ns.max(1) as f64).ln() - self.low) / self.step;
        (row.round().max(0.0) as usize).min(self.rows - 1)
    }

    /// The middle of a row, in nanoseconds.
    fn duration(&self, row: usize) -> u64 {
        (self.low + row as f64 * self.step).exp().round() as u64
    }

    fn axis(&self, look: &Look) -> [String; 2] {
        let (corner, line) = if look.unicode {
            ('└', "─")
        } else {
            ('+', "-")
        };
        let margin = " ".repeat(LABEL + 1);
        let end = duration(self.span_ns, look);
        let gap = self.columns.saturating_sub(1);
        [
            format!("{margin}{corner}{}", line.repeat(self.columns)),
            format!("{margin} 0{}", right(&end, gap.max(end.len() + 1), look)),
        ]
    }
}

/// From one span to most of them.
fn shades(look: &Look) -> [char; 4] {
    if look.unicode {
        ['░', '▒', '▓', '█']
    } else {
        ['.', ':', '*', '#']
    }
}

/// A cell's mark: by the logarithm, so that one slow span among thousands is still seen.
fn shade(count: u64, most: u64, look: &Look) -> char {
    if count == 0 {
        return ' ';
    }
    let shades = shades(look);
    if most == 1 {
        return shades[shades.len() - 1];
    }
    let part = (count as f64).ln() / (most as f64).ln();
    shades[((part * shades.len() as f64) as usize).min(shades.len() - 1)]
}

fn key(most: u64, look: &Look) -> String {
    let [faintest, .., darkest] = shades(look);
    let margin = " ".repeat(LABEL + 2);
    match most {
        1 => format!("{margin}{darkest} 1 span"),
        most => format!("{margin}{faintest} 1 span  {darkest} {most} spans"),
    }
}
