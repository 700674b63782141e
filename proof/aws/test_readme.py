"""The commands of deploy/cloudformation/README.md, run in their order by the AWS CLI against a moto server."""

import re
import shutil
import subprocess
import tomllib
import urllib.request

import boto3
import pytest
from moto.server import ThreadedMotoServer

from stack.deployed import STACK
from stack.template import REPOSITORY, TEXT, parse

README = (REPOSITORY / "deploy/cloudformation/README.md").read_text()

# What the AWS CLI of PyPI, version 1, does not have, or moto can't do: they are only looked at.
NOT_RUN = {
    "logs tail": "in version 2 only",
    "ssm start-session": "needs the plugin and an instance",
    "cloudformation wait stack-update-complete": "see AWS",
    "cloudformation cancel-update-stack": "needs an update under way",
    "cloudformation delete-stack": "moto can't delete a network with routes",
    "cloudformation wait stack-delete-complete": "as delete-stack",
}


# The stand-in for the AWS CLI. moto has no outputs of a stack that a change set has made, and an update replaces what it should
# leave alone. So the stack is there from the start, and what would change it is judged and not done: as a change set for a
# stack that is new each time, or by the CLI's own model of the service. That goes for a refresh too, which moto doesn't know.
STAND_IN = """
case "$* " in
NOT_RUN) exit 0 ;;
"cloudformation deploy "*) set -- "${@/%spinfo/judged-$RANDOM}" --no-execute-changeset ;;
"cloudformation update-stack "* | "autoscaling start-instance-refresh "*) set -- "$@" --generate-cli-skeleton output ;;
esac
exec AWS "$@"
"""


def commands():
    """Every command that the page shows, with its continuation lines."""
    for block in re.findall(r"^```console\n(.*?)^```", README, re.MULTILINE | re.DOTALL):
        assert block.startswith("$ ")
        yield from re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]


@pytest.fixture
def endpoint(monkeypatch):
    """A moto server on a free port, with the stack and nothing else in it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    # For the types that moto is taught: they ask the same server.
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    # Where a value of before is to be kept, moto takes the value for the name of an entry: so there is one of that name.
    entries = boto3.client("ssm")
    for parameter in parse(TEXT)["Parameters"].values():
        if parameter["Type"].startswith("AWS::SSM::"):
            value = entries.get_parameter(Name=parameter["Default"])["Parameter"]["Value"]
            entries.put_parameter(Name=value, Value=value, Type="String", Overwrite=True)
    boto3.client("cloudformation").create_stack(StackName=STACK, TemplateBody=TEXT, Capabilities=["CAPABILITY_IAM"])
    yield url
    urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST")).close()
    server.stop()


def program(folder, name, script):
    path = folder / name
    path.write_text(f'#!/bin/bash\necho "${{0##*/}} $*" >> "$HOME/calls"\n{script}\n')
    path.chmod(0o755)


def test_the_commands_do_what_the_page_says(endpoint, tmp_path):
    aws = shutil.which("aws")
    assert aws, "the AWS CLI is not installed; run proof/aws/check"
    not_run = "|".join(f'"{command} "*' for command in NOT_RUN)
    program(tmp_path, "aws", STAND_IN.replace("NOT_RUN", not_run).replace("AWS", aws))
    program(tmp_path, "docker", f"echo sha256:{'0' * 64}")
    program(tmp_path, "curl", "")
    program(tmp_path, "spinfo-probe", "")
    script = "set -euo pipefail\n" + "".join(
        f"echo '--- {index}'\n{command}" for index, command in enumerate(commands())
    )
    outcome = subprocess.run(
        ["bash"],
        input=script,
        cwd=REPOSITORY,
        env={
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": endpoint,
            "HOME": str(tmp_path),
            "PATH": f"{tmp_path}:/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert outcome.returncode == 0, outcome.stdout[-2000:] + outcome.stderr[-2000:]
    calls = (tmp_path / "calls").read_text()
    assert re.search(r"^curl --fail http://\S+\.elb\.amazonaws\.com/now$", calls, re.MULTILINE)
    assert re.search(r"^spinfo-probe http://\S+\.elb\.amazonaws\.com$", calls, re.MULTILINE)
    assert f"Image=ghcr.io/spinfo/spinfo:{version()}@sha256:{'0' * 64}" in calls
    assert re.search(r"^aws ssm start-session --target i-[0-9a-f]+$", calls, re.MULTILINE)
    for command in NOT_RUN:
        assert f"\naws {command} " in calls, f"the page doesn't show {command}"


def version():
    return tomllib.loads((REPOSITORY / "Cargo.toml").read_text())["workspace"]["package"]["version"]


def test_the_page_has_the_version_and_every_parameter():
    assert set(re.findall(r"ghcr\.io/spinfo/spinfo:([^\s@'\"]+)", README)) == {version()}
    # An update by update-stack would put a parameter that is not named back to its default.
    assert set(re.findall(r"ParameterKey=(\w+)", README)) == set(parse(TEXT)["Parameters"])


def test_the_page_has_every_alarm():
    alarms = {
        name for name, resource in parse(TEXT)["Resources"].items() if resource["Type"] == "AWS::CloudWatch::Alarm"
    }
    section = README.split("\n## Alarms\n")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == alarms


def test_the_costs_add_up():
    rows = re.findall(r"^\| [^|*]+ \| ([\d.]+) \| (\d+) \| ([\d.]+) \|$", README, re.MULTILINE)
    assert len(rows) == 7
    for price, times, month in rows:
        assert abs(float(price) * int(times) - float(month)) < 0.006, f"{price} × {times} is not {month}"
    (together,) = re.findall(r"\*\*together, idle\*\* \| \| \| \*\*([\d.]+)\*\*", README)
    assert f"{sum(float(month) for _, _, month in rows):.2f}" == together
