"""The template read by two linters: what CloudFormation takes, and what is wise."""

import json
import os
import subprocess

from stack.template import TEMPLATE, TEXT, mutate, parse


def test_cfn_lint_has_nothing_to_say():
    # Informational rules as well.
    outcome = subprocess.run(["cfn-lint", "--include-checks", "I", "--", TEMPLATE], capture_output=True, text=True)
    assert (outcome.returncode, outcome.stdout) == (0, "")


def findings(template, folder):
    """What checkov finds: checks that fail, and checks that are left out, as (resource, check)."""
    path = folder / "template.yaml"
    path.write_text(template)
    outcome = subprocess.run(
        [os.environ["CHECKOV"], "--framework=cloudformation", f"--file={path}", "--output=json", "--skip-download"],
        capture_output=True,
        text=True,
        env=os.environ | {"HOME": str(folder)},
    )
    report = json.loads(outcome.stdout)
    assert report["summary"]["parsing_errors"] == 0 and report["summary"]["passed"] > 20
    return [
        {(check["resource"].split(".")[-1], check["check_id"]) for check in report["results"][kind]}
        for kind in ("failed_checks", "skipped_checks")
    ]


def test_checkov_finds_nothing_but_what_is_explained(tmp_path):
    explained = {
        (name, skip["id"]): skip["comment"]
        for name, resource in parse(TEXT)["Resources"].items()
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", [])
    }
    assert all(len(comment.split()) > 4 for comment in explained.values())
    failed, skipped = findings(TEXT, tmp_path)
    assert failed == set()
    # An explanation that nothing needs any more goes.
    assert skipped == set(explained)


def test_checkov_finds_a_fault(tmp_path):
    text = mutate(TEXT, "      KmsMasterKeyId: !Ref Key\n", "      DisplayName: alarms\n")
    failed, _ = findings(text, tmp_path)
    assert ("AlarmTopic", "CKV_AWS_26") in failed
