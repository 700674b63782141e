"""Runs each `$ curl …` of a README against a server and compares the answer with what is printed below it.

Usage: tour.py BASE ADMIN README. Times, ids and counts of bytes may differ, nothing else.
"""

import json
import re
import subprocess
import sys

base, admin, readme = sys.argv[1:4]
failed = ran = 0


def normal(text):
    """Replaces what differs from run to run; the order of a JSON object's members does not matter."""
    try:
        text = json.dumps(json.loads(text), sort_keys=True)
    except ValueError:
        pass
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    text = re.sub(r"\b[0-9a-f]{32}\b", "TRACE", text)
    text = re.sub(r"\b\d{8}\.\d{6}\b", "STAMP", text)
    text = re.sub(r"~\d+-\d+-[0-9a-f]{24}\b", "~ID", text)
    text = re.sub(r"\b\d{19}\b", "NANOSECONDS", text)
    return re.sub(r'"revision": \d+', '"revision": N', text).strip()


for block in re.findall(r"```console\n(.*?)```", open(readme, encoding="utf-8").read(), re.S):
    for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
        command, _, printed = part.partition("\n")
        if not command.startswith("curl "):
            continue
        ran += 1
        line = command.replace("http://127.0.0.1:3000", base).replace("http://127.0.0.1:9797", admin)
        answer = subprocess.run(line.replace("curl ", "curl -sS ", 1), shell=True, capture_output=True, text=True)
        if normal(answer.stdout) != normal(printed):
            failed += 1
            print(f"{command}\n  README: {normal(printed)}\n  answer: {normal(answer.stdout)}{answer.stderr}")

print(f"{ran - failed} of {ran} commands of {readme} answer as printed")
sys.exit(1 if failed or not ran else 0)
