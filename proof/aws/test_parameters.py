"""Stacks with other parameters than the defaults."""

import re

import boto3
import pytest

from stack.deployed import deployed as deploy
from stack.template import TEXT, parse
from test_reachability import openings, public_routes


def test_all_routes_are_public_when_asked_for():
    with deploy(PublicRoutes="all") as stack:
        assert public_routes(stack)[1] == [("forward", None)]


def test_who_may_ask_can_be_narrowed():
    with deploy(AllowFrom="198.51.100.0/24") as stack:
        sources = [
            opening[3] for group in stack.security_groups for opening in openings(group) if opening[3][0] != "group"
        ]
        assert sources == [("address", "198.51.100.0/24")]


def test_a_new_image_is_a_new_version_for_the_group():
    # moto compares templates and not what comes of parameters, so it can't show the update itself.
    image = "ghcr.io/spinfo/spinfo:0.2.0@sha256:" + "0" * 64
    with deploy(Image=image) as stack:
        assert image in stack.user_data
        assert stack.properties("Instances")["LaunchTemplate"] == {
            "LaunchTemplateId": {"Ref": "Template"},
            "Version": {"Fn::GetAtt": ["Template", "LatestVersionNumber"]},
        }


def test_flow_logs_go_to_an_encrypted_group():
    with deploy(FlowLogs="true") as stack:
        (flow,) = boto3.client("ec2").describe_flow_logs()["FlowLogs"]
        assert (flow["ResourceId"], flow["TrafficType"]) == (stack.id_of("Network"), "REJECT")
        assert flow["LogGroupName"] == stack.id_of("FlowLogGroup")


@pytest.mark.parametrize(("address", "told"), [("", []), ("you@example.org", [("email", "you@example.org")])])
def test_a_person_is_told_when_there_is_one(address, told):
    with deploy(AlarmEmail=address):
        subscriptions = boto3.client("sns").list_subscriptions()["Subscriptions"]
        assert [(subscription["Protocol"], subscription["Endpoint"]) for subscription in subscriptions] == told


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        (
            "Image",
            ["ghcr.io/spinfo/spinfo:0.1.0", "registry.example.org:5000/a/b:v1@sha256:" + "0" * 64],
            ["ghcr.io/spinfo/spinfo", "ghcr.io/spinfo/spinfo:0.1.0; reboot", "a/b:$(id)", "a/b:c d", "a/b:c@sha256:0"],
        ),
        ("AllowFrom", ["0.0.0.0/0", "198.51.100.0/24"], ["198.51.100.7", "any", "::/0"]),
        ("AlarmEmail", ["", "you@example.org"], ["you", "you@example.org, me@example.org"]),
    ],
)
def test_what_becomes_part_of_a_command_is_checked(parameter, good, bad):
    # moto takes any value, so the pattern is tried by itself.
    pattern = re.compile(parse(TEXT)["Parameters"][parameter]["AllowedPattern"])
    assert [value for value in good + bad if pattern.search(value)] == good
