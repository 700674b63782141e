"""Adds the table of a benchmark to a history and compares it with the runs before.

    python3 compare.py TABLE HISTORY.csv COMMIT

Exit codes: 0 as fast as before, 1 slower, 2 the table could not be read.
"""

import csv
import datetime
import pathlib
import re
import statistics
import sys

FIELDS = ["time", "commit", "server", "requests_per_second", "p99_ms", "percent_of_native"]
# Fourteen nights: a version that is slower on purpose is the new measure after a week.
NIGHTS = 14
# Fewer say nothing about how much the runs differ among themselves.
ENOUGH = 3
TOLERANCE = 0.10
ROW = re.compile(r"^\| (?P<server>[^|]+) \| (?P<rate>\d+) \| (?P<p99>[\d.]+) \| (?P<share>\d+) % \|$")


def read(table):
    rows = [match.groupdict() for line in table.splitlines() if (match := ROW.match(line.strip()))]
    if not any(row["share"] == "100" for row in rows) or len(rows) < 2:
        raise ValueError("there is no table with a native server and another one")
    return rows


def main(table, history, commit):
    try:
        rows = read(pathlib.Path(table).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        print(f"compare.py: {table}: {error}", file=sys.stderr)
        return 2
    history = pathlib.Path(history)
    past = []
    if history.exists():
        with history.open(newline="", encoding="utf-8") as file:
            past = list(csv.DictReader(file))

    slower = False
    print("| server | requests/s | p99 ms | of native | median before | |")
    print("|---|---|---|---|---|---|")
    for row in rows:
        shares = [float(run["percent_of_native"]) for run in past if run["server"] == row["server"]][-NIGHTS:]
        before, verdict = "", ""
        if len(shares) >= ENOUGH:
            median = statistics.median(shares)
            before = f"{median:.0f} %"
            if float(row["share"]) < median * (1 - TOLERANCE):
                slower, verdict = True, "slower"
        print(f"| {row['server']} | {row['rate']} | {row['p99']} | {row['share']} % | {before} | {verdict} |")

    time = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    new = not history.exists()
    with history.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(FIELDS)
        for row in rows:
            writer.writerow([time, commit, row["server"], row["rate"], row["p99"], row["share"]])
    return 1 if slower else 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(*sys.argv[1:]))
