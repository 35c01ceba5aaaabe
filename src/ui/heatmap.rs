//! Draws spans as a heatmap: time from left to right, duration upwards, darker for more spans.
//!
//! Text only, and never wider than the terminal.

use super::painted::PaintedLine;
use super::text::{LineStyle, format_nanoseconds};
use super::{StreamLook, TextRole};
use crate::otlp::summary::{HeatmapCell, SpanHeatmap};

/// The most rows.
const ROWS: usize = 10;

/// The most columns; a wider heatmap would only be sparser.
const COLUMNS: usize = 100;

/// The width of the durations on the left.
const LABEL: usize = 8;

/// Returns the lines of the heatmap; none without spans.
pub(crate) fn draw(heat: &SpanHeatmap, pen: &LineStyle) -> Vec<PaintedLine> {
    let look = &pen.look;
    let cells: Vec<HeatmapCell> = heat.cells().collect();
    let Some(scale) = HeatmapScale::of(&cells, heat.step_ns(), look) else {
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
        let label = pen.right(&pen.show(&format_nanoseconds(scale.duration(row), look)), LABEL);
        let marks: String = counts.iter().map(|count| cell_shade(*count, most, look)).collect();
        let label = PaintedLine::from(format!("{label} {wall}"));
        lines.push(label + TextRole::Hue(0).paint(marks.trim_end()));
    }
    lines.extend(scale.axis(pen));
    lines.push(TextRole::Faint.paint(shade_legend(most, look)));
    lines
}

/// The mapping of time and duration to columns and rows.
struct HeatmapScale {
    from_ns: u64,
    span_ns: u64,
    columns: usize,
    low: f64,
    step: f64,
    rows: usize,
}

impl HeatmapScale {
    fn of(cells: &[HeatmapCell], step_ns: u64, look: &StreamLook) -> Option<Self> {
        let first = cells.iter().map(|cell| cell.at_ns).min()?;
        let last = cells.iter().map(|cell| cell.at_ns).max()?;
        let low = cells.iter().map(|cell| cell.duration_ns).min()?.max(1);
        let high = cells.iter().map(|cell| cell.duration_ns).max()?.max(1);
        let width = look.width.saturating_sub(LABEL + 2).clamp(10, COLUMNS);
        let span_ns = (last - first).saturating_add(step_ns);
        let bins = usize::try_from(span_ns / step_ns).unwrap_or(width);
        let low = (low as f64).ln();
        let high = (high as f64).ln();
        // A row covers at least a tenth of a decade; otherwise equal durations would fill the screen.
        let step = ((high - low) / (ROWS - 1) as f64).max(0.1);
        Some(Self {
            from_ns: first,
            span_ns,
            columns: bins.clamp(1, width),
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

    /// Returns the middle of a row, in nanoseconds.
    fn duration(&self, row: usize) -> u64 {
        (self.low + row as f64 * self.step).exp().round() as u64
    }

    fn axis(&self, pen: &LineStyle) -> [PaintedLine; 2] {
        let look = &pen.look;
        let (corner, line) = if look.unicode { ('└', "─") } else { ('+', "-") };
        let margin = " ".repeat(LABEL + 1);
        let end = format_nanoseconds(self.span_ns, look);
        let gap = self.columns.saturating_sub(1);
        [
            format!("{margin}{corner}{}", line.repeat(self.columns)).into(),
            format!("{margin} 0{}", pen.right(&pen.show(&end), gap.max(end.len() + 1))).into(),
        ]
    }
}

/// Returns the shade characters, from fewest to most spans.
fn shade_marks(look: &StreamLook) -> [char; 4] {
    if look.unicode { ['░', '▒', '▓', '█'] } else { ['.', ':', '*', '#'] }
}

/// Returns a cell's shade, on a logarithmic scale so that one slow span among thousands is visible.
fn cell_shade(count: u64, most: u64, look: &StreamLook) -> char {
    if count == 0 {
        return ' ';
    }
    let shades = shade_marks(look);
    if most == 1 {
        return shades[shades.len() - 1];
    }
    let part = (count as f64).ln() / (most as f64).ln();
    shades[((part * shades.len() as f64) as usize).min(shades.len() - 1)]
}

fn shade_legend(most: u64, look: &StreamLook) -> String {
    let [faintest, .., darkest] = shade_marks(look);
    let margin = " ".repeat(LABEL + 2);
    match most {
        1 => format!("{margin}{darkest} 1 span"),
        most => format!("{margin}{faintest} 1 span  {darkest} {most} spans"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Redactor;
    use crate::ui::text::count_columns;

    fn drawn(heat: &SpanHeatmap, width: usize, unicode: bool) -> String {
        let look = StreamLook { unicode, width, ..StreamLook::plain() };
        let lines: Vec<String> = draw(heat, &LineStyle::new(look, &Redactor::default()))
            .iter()
            .map(PaintedLine::text)
            .collect();
        for line in &lines {
            assert!(count_columns(line) <= width, "too wide: {line:?}");
        }
        lines.join("\n")
    }

    /// Returns 30 s of requests that take 20 to 40 ms, with a slow period after 18 s.
    fn afternoon() -> SpanHeatmap {
        let mut heat = SpanHeatmap::default();
        for step in 0..600_u64 {
            let at = 1_700_000_000_000_000_000 + step * 50_000_000;
            heat.add(at, 20_000_000 + step * 7_919 % 997 * 20_000);
            if (360..420).contains(&step) {
                heat.add(at, 900_000_000);
            }
        }
        heat
    }

    #[test]
    fn eighty_columns() {
        insta::assert_snapshot!(drawn(&afternoon(), 80, true), @r#"
     906 ms │                                         ▒███████
     592 ms │
     387 ms │
     253 ms │
     166 ms │
     108 ms │
    70.9 ms │
    46.4 ms │░▒ ░░▒ ░░ ▒░░ ▒ ▒ ▒ ▒ ▒ ▒ ▒ ▒ ▒ ▒ ▒ ▒ ▒ ▒ ▒ ▒ ▒ ▒ ░░▒ ░░▒ ░░ ▒░░ ▒ ▒░░
    30.3 ms │█▓█▒█▓███▓██▓██▓███▓██▓███▓█▒█▓█▒█░█▒█░█▓█▓█░█▓█▓█▒█▓█░█▒█▓█▒█▓█▓█▓█▓▒
    19.8 ms │░▓ ▒ ▓ ▒ ▒░▒ ▒░░▒▒░░▒▒░░▒ ▓▒░░▒ ▓░▒ ▓░▒ ▓ ▓ ▓ ▓ ▓ ▓ ▓ ▓ ▓ ▓ ▓ ▓ ▓ ▒▒▓
            └──────────────────────────────────────────────────────────────────────
             0                                                               30.1 s
             ░ 1 span  █ 10 spans
    "#);
    }

    #[test]
    fn a_hundred_and_twenty_columns() {
        insta::assert_snapshot!(drawn(&afternoon(), 120, true), @r#"
     906 ms │                                                           ▒██████▓██▓
     592 ms │
     387 ms │
     253 ms │
     166 ms │
     108 ms │
    70.9 ms │
    46.4 ms │░ ▒  ▒  ▒  ▒  ▒  ▒  ▒ ░░  ▒ ░░ ▒  ▒  ▒  ▒  ▒  ▒  ▒  ▒  ▒ ▒   ▒ ▒  ░░ ▒  ▒  ▒  ▒  ▒  ▒  ▒ ░░  ▒ ▒  ▒
    30.3 ms │██░██▒█▓ ██▒█▓▓█▒▒█▓▓█▒█▓▓▓█▒██░█▓▒██░██▓▓█░█▓▓█▒░█▓▓█▒██ ▓█▒██░██ ██░██▒█▓░██▒█▒▓█░▒█▒██░█▓▒██░██▒░
    19.8 ms │░ ▓  ▓ ▓░ ░▒ ▓░ ░▒ ▓░ ▓  ▓░ ▓  ▓  ▓  ▓ ▒░ ░▓ ▓░ ▓  ▓░ ▓  ▓  ▓  ▓ ░▓  ▓ ▒▒ ░▓ ▒▒ ▓  ▒▒ ▓  ▓  ▓  ▓ ░▓
            └────────────────────────────────────────────────────────────────────────────────────────────────────
             0                                                                                             30.1 s
             ░ 1 span  █ 7 spans
    "#);
    }

    #[test]
    fn ascii() {
        insta::assert_snapshot!(drawn(&afternoon(), 60, false), @r#"
     906 ms |                             :#####
     592 ms |
     387 ms |
     253 ms |
     166 ms |
     108 ms |
    70.9 ms |
    46.4 ms |.:: :: :: :: ::: :: :: :: ::: :: :: :: :: ::..:: :
    30.3 ms |####*###*###*#######*###:###*####*###*##*########:
    19.8 ms |.*::.::.::.::.:* :*:.*:.*:.** **.:*::*::*::** **.:
            +--------------------------------------------------
             0                                           30.1 s
             . 1 span  # 13 spans
    "#);
    }

    #[test]
    fn one_span_is_one_mark() {
        let mut heat = SpanHeatmap::default();
        heat.add(1_700_000_000_000_000_000, 1_500_000);
        insta::assert_snapshot!(drawn(&heat, 80, false), @r#"
    1.51 ms |#
            +-
             0 10.0 ms
             # 1 span
    "#);
    }

    #[test]
    fn an_empty_heatmap_has_no_lines() {
        assert_eq!(drawn(&SpanHeatmap::default(), 80, true), "");
    }

    #[test]
    fn the_shortest_and_the_longest_fit() {
        let mut heat = SpanHeatmap::default();
        heat.add(0, 0);
        heat.add(u64::MAX, u64::MAX);
        drawn(&heat, 20, true);
    }
}
