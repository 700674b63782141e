//! A line of little bars: how long the last requests took, and which of them failed.

use std::time::Duration;

use super::style::{Line, Tone};
use crate::stats::Point;

/// From the shortest to the longest of the requests on show.
const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// A failure is no matter of time: it has a mark of its own, which needs no colour to be seen.
const FAILED: &str = "×";

/// A tick without a request.
const MISSED: &str = "·";

/// The longest bar stands for at least this many times the shortest, so that the noise of an even server looks even.
const LEAST_RANGE: f64 = 8.0;

/// Shorter than this counts as this, because a logarithm needs something to begin with.
const SHORTEST: Duration = Duration::from_micros(1);

/// The newest of `points`, which are oldest first, at the right end of `columns`. The scale is logarithmic: a request that takes a hundred
/// times as long stands out and does not flatten the others.
pub(super) fn sparkline(points: &[Point], columns: usize) -> Line {
    let shown = &points[points.len().saturating_sub(columns)..];
    if shown.is_empty() {
        return Line::default();
    }
    let answered = || shown.iter().filter_map(seconds);
    let shortest = answered().fold(f64::INFINITY, f64::min);
    let longest = answered().fold(shortest * LEAST_RANGE, f64::max);
    let range = (longest / shortest).ln();

    let mut line = Line::of(Tone::Plain, &" ".repeat(columns - shown.len()));
    // Neighbours of one tone share their escape sequences.
    for run in shown.chunk_by(|left, right| tone(left) == tone(right)) {
        let text: String = run
            .iter()
            .map(|point| match seconds(point) {
                Some(took) => bar((took / shortest).ln() / range),
                None if matches!(point, Point::Missed) => MISSED,
                None => FAILED,
            })
            .collect();
        line.push(tone(&run[0]), &text);
    }
    line
}

fn seconds(point: &Point) -> Option<f64> {
    match point {
        Point::Ok(took) => Some((*took).max(SHORTEST).as_secs_f64()),
        Point::Failed(_) | Point::Missed => None,
    }
}

fn tone(point: &Point) -> Tone {
    match point {
        Point::Ok(_) => Tone::Good,
        Point::Failed(_) => Tone::Bad,
        Point::Missed => Tone::Faint,
    }
}

fn bar(share: f64) -> &'static str {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounding down to one of eight steps is the point, and the cast saturates"
    )]
    let step = (share * BARS.len() as f64) as usize;
    BARS[step.min(BARS.len() - 1)]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::sparkline;
    use crate::stats::Point;

    /// Positive numbers are answers, negative ones failures, 0 is a tick without a request.
    fn drawn(milliseconds: &[i64], columns: usize) -> String {
        let points: Vec<Point> = milliseconds
            .iter()
            .map(|&took| {
                let duration = Duration::from_millis(took.unsigned_abs());
                match took {
                    1.. => Point::Ok(duration),
                    0 => Point::Missed,
                    ..0 => Point::Failed(duration),
                }
            })
            .collect();
        sparkline(&points, columns).paint(false)
    }

    #[test]
    fn even_requests_look_even() {
        assert_eq!(drawn(&[100, 105, 110, 120, 104], 5), "▁▁▁▁▁");
    }

    #[test]
    fn a_slow_one_stands_out_and_leaves_the_others_readable() {
        assert_eq!(drawn(&[10, 12, 1000, 40, 10], 5), "▁▁█▃▁");
    }

    #[test]
    fn failures_and_gaps_are_marked_and_do_not_set_the_scale() {
        assert_eq!(drawn(&[10, -5000, 0, -1, 12], 5), "▁×·×▁");
        assert_eq!(drawn(&[-10, -10], 2), "××");
    }

    #[test]
    fn the_newest_are_at_the_right() {
        assert_eq!(drawn(&[10, 80], 4), "  ▁█");
        assert_eq!(drawn(&[500, 10, 80], 2), "▁█");
        assert_eq!(drawn(&[], 3), "");
        assert_eq!(drawn(&[1, 2], 0), "");
    }

    #[test]
    fn no_time_at_all_is_a_short_time() {
        let points = [Point::Ok(Duration::ZERO), Point::Ok(Duration::ZERO)];
        assert_eq!(sparkline(&points, 2).paint(false), "▁▁");
    }
}
