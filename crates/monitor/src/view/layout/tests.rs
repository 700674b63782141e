use super::{Frame, Size, screen};
use crate::stats::Snapshot;
use crate::view::samples;

fn drawn(columns: usize, rows: usize, targets: Vec<Snapshot>) -> String {
    let frame = Frame {
        targets,
        stopping: false,
        now: samples::now(),
    };
    let lines = screen(&frame, Size { columns, rows });
    let text: String = lines
        .iter()
        .map(|line| format!("{}\n", line.paint(false)))
        .collect();
    format!("\n{text}")
}

fn three() -> Vec<Snapshot> {
    vec![samples::healthy(), samples::failing(), samples::waiting()]
}

fn many(count: usize) -> Vec<Snapshot> {
    let target = |at| Snapshot {
        name: format!("http://10.0.0.{at}:3000"),
        ..samples::healthy()
    };
    (0..count).map(target).collect()
}

#[test]
fn at_40_columns() {
    assert_eq!(
        drawn(40, 24, three()),
        r"
spinfo-monitor  0:12:34  1 of 3 failing
1,454 requests  1.2/s  1.4 % errors  54…

TARGET          STATE     ERRORS     P95
127.0.0.1:3000  degraded     0 %  5.2 ms
status.…m/base  timeout    3.0 %  5.00 s
  └ 12s ago no answer within 5s, the se…
edge-東京       waiting        -       -

q quit  r reset the numbers
"
    );
}

#[test]
fn at_80_columns() {
    assert_eq!(
        drawn(80, 24, three()),
        r"
spinfo-monitor  0:12:34  1 of 3 failing
1,454 requests  1.2/s  1.4 % errors  54 missed  18 changes, 3 failed

TARGET              STATE       RATE  ERRORS     P50     P95     P99  HISTORY
127.0.0.1:3000      degraded   1.0/s     0 %  3.1 ms  5.2 ms   12 ms  ▂▁▁▁▂▂▂▂▁▁
status.eu…com/base  timeout   0.20/s   3.0 %   31 ms  5.00 s  5.00 s  ▁▃▆█×·×·×·
  └ 12s ago no answer within 5s, the server has taken the connection and is sil…
edge-東京           waiting      0/s       -       -       -       -

q quit  r reset the numbers
"
    );
}

#[test]
fn at_120_columns() {
    assert_eq!(
        drawn(120, 24, three()),
        r"
spinfo-monitor  0:12:34  1 of 3 failing
1,454 requests  1.2/s  1.4 % errors  54 missed  18 changes, 3 failed

TARGET                                STATE       RATE  ERRORS     P50     P95     P99  MISSED  HISTORY
127.0.0.1:3000                        degraded   1.0/s     0 %  3.1 ms  5.2 ms   12 ms       0  ▂▁▁▁▂▂▂▂▁▁▁▂▂▂▂▁▁▁▂▂▂▂▁▁
status.eu-central-1.example.com/base  timeout   0.20/s   3.0 %   31 ms  5.00 s  5.00 s      54  ▅▇█▁▃▅▇█▁▃▅▇█▁▃▅▇█×·×·×·
  └ 12s ago no answer within 5s, the server has taken the connection and is silent
edge-東京                             waiting      0/s       -       -       -       -       0

q quit  r reset the numbers
"
    );
}

#[test]
fn at_200_columns() {
    assert_eq!(
        drawn(200, 24, three()),
        r"
spinfo-monitor  0:12:34  1 of 3 failing
1,454 requests  1.2/s  1.4 % errors  54 missed  18 changes, 3 failed

TARGET                                STATE       RATE  ERRORS     P50     P95     P99  MISSED  CHANGES  HISTORY                   LAST ERROR
127.0.0.1:3000                        degraded   1.0/s     0 %  3.1 ms  5.2 ms   12 ms       0       12  ▂▁▁▁▂▂▂▂▁▁▁▂▂▂▂▁▁▁▂▂▂▂▁▁
status.eu-central-1.example.com/base  timeout   0.20/s   3.0 %   31 ms  5.00 s  5.00 s      54      3/6  ▅▇█▁▃▅▇█▁▃▅▇█▁▃▅▇█×·×·×·  12s ago no answer within 5s, the server has taken the connection and…
edge-東京                             waiting      0/s       -       -       -       -       0        -

q quit  r reset the numbers
"
    );
}

#[test]
fn on_a_low_screen_those_that_fail_are_seen() {
    let mut targets = many(8);
    targets[6] = samples::failing();
    assert_eq!(
        drawn(80, 8, targets),
        r"
spinfo-monitor  0:12:34  1 of 8 failing
5,978 requests  7.2/s  0.4 % errors  54 missed  90 changes, 3 failed
TARGET              STATE       RATE  ERRORS     P50     P95     P99  HISTORY
10.0.0.0:3000       degraded   1.0/s     0 %  3.1 ms  5.2 ms   12 ms  ▂▁▁▁▂▂▂▂▁▁
10.0.0.1:3000       degraded   1.0/s     0 %  3.1 ms  5.2 ms   12 ms  ▂▁▁▁▂▂▂▂▁▁
status.eu…com/base  timeout   0.20/s   3.0 %   31 ms  5.00 s  5.00 s  ▁▃▆█×·×·×·
and 5 more
q quit  r reset the numbers
"
    );
}

#[test]
fn what_is_hidden_is_counted() {
    let mut targets = many(8);
    for target in &mut targets[3..] {
        target.last_ok = Some(false);
    }
    let text = drawn(80, 8, targets);
    assert!(text.contains("\nand 5 more, 2 failing\n"), "{text}");
}

#[test]
fn no_screen_is_overrun() {
    for columns in 1..220 {
        for rows in 1..30 {
            let text = drawn(columns, rows, three());
            let lines: Vec<&str> = text.trim_start_matches('\n').lines().collect();
            assert!(lines.len() <= rows, "{columns}x{rows}");
            for line in lines {
                let wide = crate::view::text::width(line);
                assert!(wide <= columns, "{columns}x{rows}: {line}");
                assert_eq!(line, line.trim_end(), "{columns}x{rows}");
            }
        }
    }
}

#[test]
fn what_servers_say_cannot_reach_the_terminal() {
    let mut target = samples::failing();
    target.name = "evil\u{1b}[31m\u{9b}2J".to_owned();
    target.last_ok = Some(true);
    target.state = Some("\u{1b}]52;c;eA==\u{7}".to_owned());
    if let Some(error) = &mut target.last_error {
        error.message = "line\r\nnext\u{202e}\u{1b}[2J".to_owned();
    }
    for columns in [40, 80, 120, 200] {
        let text = drawn(columns, 24, vec![target.clone()]);
        let control = |character: char| character.is_control() && character != '\n';
        assert!(!text.contains(control), "{text:?}");
        assert_eq!(text.matches("evil").count(), 1);
        assert!(!text.contains('\u{202e}'), "{text:?}");
        // Neither has it made a line of its own.
        assert!(!text.contains("\nnext"), "{text:?}");
    }
}

#[test]
fn a_run_that_ends_says_so() {
    let frame = Frame {
        targets: many(1),
        stopping: true,
        now: samples::now(),
    };
    let lines = screen(
        &frame,
        Size {
            columns: 80,
            rows: 24,
        },
    );
    assert_eq!(
        lines[0].paint(false),
        "spinfo-monitor  0:12:34  1 target  stopping"
    );
}
