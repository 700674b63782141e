"""The user data is run, with stand-ins for the programs that it calls, and what it writes is read by its own judges."""

import re
import shlex
import subprocess
import tomllib

import pytest

from stack.machine import INSTANCE, Machine
from stack.template import REPOSITORY

CLI = (REPOSITORY / "crates/host/src/cli.rs").read_text()
DOCKERFILE = (REPOSITORY / "deploy/Dockerfile").read_text()


@pytest.fixture
def machine(deployed, tmp_path):
    return Machine(tmp_path, deployed.user_data, token=deployed.admin_token)


@pytest.fixture
def container(machine):
    return command_of(machine)


def command_of(machine):
    """The command of the service: Docker's options, the image, and the image's own arguments."""
    assert machine.boot().returncode == 0
    command = shlex.split(machine.unit["Service"]["ExecStart"][0])
    image = next(index for index, word in enumerate(command) if word.startswith("ghcr.io/"))
    return command[2:image], command[image], command[image + 1 :]


def values(options, name):
    return [options[index + 1] for index, word in enumerate(options) if word == name]


def seconds(text):
    return int(re.fullmatch(r"(\d+)s?", text)[1])


def default_of(flag):
    """The default of one of the host's flags, in seconds."""
    field = CLI.index(f"pub(crate) {flag.replace('-', '_')}:")
    return seconds(re.findall(r'default_value = "(\w+)"', CLI[:field])[-1])


def test_a_start_ends_with_one_signal_and_it_is_success(machine):
    outcome = machine.boot()
    assert outcome.returncode == 0, outcome.stderr
    calls = machine.calls
    assert [call[0] for call in calls].count("cfn-signal") == 1
    assert calls[-1][0] == "cfn-signal"
    assert values(calls[-1], "--exit-code") == ["0"]
    assert values(calls[-1], "--resource") == ["Instances"]
    assert values(calls[-1], "--stack") == ["spinfo"]


def test_the_balancer_has_the_last_word_before_the_signal(machine, deployed):
    machine.boot()
    *_, wait, _signal = machine.calls
    assert wait[:3] == ["aws", "elbv2", "wait"]
    assert values(wait, "--target-group-arn") == [deployed.outputs["Targets"]]
    assert values(wait, "--targets") == [f"Id={INSTANCE}"]


@pytest.mark.parametrize(
    ("program", "fault", "never"),
    [
        ("dnf", "exit 1", ["docker", "systemctl"]),
        ("docker", "exit 1", ["aws"]),
        ("curl", '[[ "$*" != *readyz* ]] || exit 22; echo x', ["aws"]),
        ("curl", '[[ "$*" != */now ]] || exit 22; echo x', ["aws"]),
        ("aws", "exit 255", []),
    ],
)
def test_what_goes_wrong_is_signalled_with_its_reason(machine, program, fault, never):
    machine.replace(program, fault)
    machine.replace("journalctl", "echo the last words of the service")
    outcome = machine.boot()
    assert outcome.returncode != 0
    (signal,) = [call for call in machine.calls if call[0] == "cfn-signal"]
    assert values(signal, "--exit-code") == [str(outcome.returncode)]
    (reason,) = values(signal, "--reason")
    assert re.match(r"line \d+: .*the last words of the service", reason, re.DOTALL)
    assert not {call[0] for call in machine.calls} & set(never)


def test_a_registry_with_a_bad_minute_is_asked_again(machine):
    machine.replace("docker", 'if [[ ! -e $HOME/tried ]]; then touch "$HOME/tried"; exit 1; fi')
    assert machine.boot().returncode == 0
    assert len([call for call in machine.calls if call[:2] == ["docker", "pull"]]) == 2


def test_the_image_is_pulled_and_run_as_it_is_pinned(machine, container):
    version = tomllib.loads((REPOSITORY / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    pulled = [call[-1] for call in machine.calls if call[:2] == ["docker", "pull"]]
    assert pulled == [container[1]] == [f"ghcr.io/spinfo/spinfo:{version}"]
    assert values(container[0], "--pull") == ["never"]


def test_metadata_is_only_asked_for_with_a_session(machine):
    machine.boot()
    asked = [call for call in machine.calls if any("169.254.169.254" in word for word in call)]
    assert len(asked) == 2
    assert "PUT" in asked[0] and asked[0][-1].endswith("/latest/api/token")
    assert values(asked[1], "--header") == ["X-aws-ec2-metadata-token: session"]


def test_the_container_is_locked_in(container, deployed):
    options, _, _ = container
    assert values(options, "--user") == ["65532:65532"]
    assert values(options, "--cap-drop") == ["ALL"]
    assert values(options, "--security-opt") == ["no-new-privileges"]
    assert "--read-only" in options and "--privileged" not in options and "--network" not in options
    memory = deployed.template["Mappings"]["InstanceTypes"]["t3.micro"]["ContainerMemory"]
    assert values(options, "--memory") == values(options, "--memory-swap") == [memory]
    assert int(*values(options, "--pids-limit")) <= 256
    assert not [volume for volume in values(options, "--volume") if "docker.sock" in volume]


def test_the_container_fits_the_image(container, deployed):
    options, _, arguments = container
    volumes = dict(volume.split(":")[:2] for volume in values(options, "--volume"))
    for folder in volumes["spinfo-state"], volumes["spinfo-cache"]:
        assert f"/out/empty {folder}\n" in DOCKERFILE, f"{folder} has no owner in the image"
    assert "ENV SPIN_HTTP_LISTEN_ADDR=0.0.0.0:3000" in DOCKERFILE
    assert set(values(options, "--publish")) == {"3000:3000", "9797:9797"}
    assert "SPINFO_ADMIN_LISTEN=0.0.0.0:9797" in values(options, "--env")
    assert arguments[0] == "up"
    for flag in [word for word in arguments if word.startswith("--")]:
        assert f"pub(crate) {flag[2:].replace('-', '_')}:" in CLI, f"the host has no {flag}"


def test_logs_go_to_the_group_under_the_name_of_the_instance(container, deployed):
    options, _, _ = container
    assert values(options, "--log-driver") == ["awslogs"]
    given = dict(option.split("=", 1) for option in values(options, "--log-opt"))
    assert given["awslogs-group"] == deployed.outputs["LogGroup"]
    assert (given["awslogs-region"], given["awslogs-stream"]) == ("us-east-1", INSTANCE)
    # CloudWatch being slow must not make requests slow.
    assert given["mode"] == "non-blocking"


def test_the_token_goes_by_file_and_on_no_command_line(machine, container, deployed):
    options, _, arguments = container
    (mounted,) = [volume for volume in values(options, "--volume") if "admin_token" in volume]
    source, target, mode = mounted.split(":")
    assert (source, mode) == ("/run/spinfo/admin_token", "ro")
    assert values(arguments, "--variable") == [f"admin_token=@{target}"]
    assert f"{machine.root}{source}" in machine.token_script

    assert machine.fetch_token().returncode == 0
    written = machine.root / "run/spinfo/admin_token"
    assert written.read_text() == deployed.admin_token
    assert written.stat().st_mode & 0o777 == 0o600
    assert ["chown", "65532:65532", str(written)] in machine.calls
    (fetch,) = [call for call in machine.calls if call[:2] == ["aws", "secretsmanager"]]
    assert values(fetch, "--secret-id") == [deployed.outputs["AdminToken"]]
    assert not [call for call in machine.calls if deployed.admin_token in " ".join(call)]


@pytest.mark.parametrize("answer", ["", "None"])
def test_without_a_token_the_service_does_not_start(machine, answer):
    machine.boot()
    machine.replace("aws", f"echo '{answer}'")
    outcome = machine.fetch_token()
    assert outcome.returncode != 0 and "empty" in outcome.stderr
    assert not (machine.root / "run/spinfo/admin_token").exists()
    # A service whose preparation fails is tried again and again, and never started without it.
    assert machine.unit["Service"]["ExecStartPre"][0] == "/usr/local/libexec/spinfo-token"
    assert machine.unit["Service"]["Restart"] == ["always"]


def test_a_stop_leaves_time_for_requests_under_way(machine, container, deployed):
    _, _, arguments = container
    (grace,) = map(seconds, values(arguments, "--grace"))
    targets = deployed.target_group
    # The balancer has noticed before the host stops accepting.
    assert grace >= targets["HealthCheckIntervalSeconds"] * targets["UnhealthyThresholdCount"]
    takes = grace + default_of("drain-timeout") + 2 * default_of("flush-timeout")
    stop = shlex.split(machine.unit["Service"]["ExecStop"][0])
    assert stop[:2] == ["/usr/bin/docker", "stop"]
    patience = int(stop[stop.index("-t") + 1])
    assert takes < patience < int(machine.unit["Service"]["TimeoutStopSec"][0])
    # An instance is stopped when the balancer has let go of it, which is after the longest request.
    assert int(deployed.target_group_attributes["deregistration_delay.timeout_seconds"]) > 60


def test_the_host_is_the_last_to_close_an_idle_connection(container, deployed):
    _, _, arguments = container
    (host,) = map(seconds, values(arguments, "--header-timeout"))
    balancer = int(deployed.balancer_attributes["idle_timeout.timeout_seconds"])
    assert default_of("request-timeout") < balancer < host


def test_systemd_takes_the_unit(machine):
    machine.boot()
    outcome = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", f"--root={machine.root}", "spinfo.service"],
        capture_output=True,
        text=True,
    )
    assert (outcome.returncode, outcome.stderr) == (0, "")


def test_shellcheck_has_nothing_to_say(machine, tmp_path):
    machine.boot()
    # All that it knows but for braces around every variable and for what `set -e` does not see in conditions.
    for name, script in ("user-data", machine.original), ("spinfo-token", machine.token_script):
        path = tmp_path / name
        path.write_text(script)
        outcome = subprocess.run(
            ["shellcheck", "--enable=all", "--exclude=SC2250,SC2310,SC2312", path], capture_output=True, text=True
        )
        assert outcome.returncode == 0, outcome.stdout


def test_the_user_data_fits(machine):
    assert len(machine.original.encode()) <= 16_384
