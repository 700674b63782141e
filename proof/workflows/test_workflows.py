"""What no linter knows about the workflows: pins, versions that have to agree, and paths that have to exist."""

import glob
import os
import pathlib
import re
import tomllib
import unittest

from ruamel.yaml import YAML

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
WORKFLOWS = {path.name: YAML(typ="safe").load(path.read_text(encoding="utf-8")) for path in FILES}
PINNED = re.compile(r"uses: (?P<action>[\w.-]+/[\w./-]+)@(?P<commit>[0-9a-f]{40}) # (?P<version>v\d+\.\d+\.\d+)$")


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def jobs():
    for name, workflow in WORKFLOWS.items():
        for job, content in workflow["jobs"].items():
            yield f"{name}: {job}", content


def steps():
    for name, job in jobs():
        for step in job.get("steps", []):
            yield name, step


def scripts():
    """What the jobs run, each with its job's name."""
    return [(name, step["run"]) for name, step in steps() if "run" in step]


class Pins(unittest.TestCase):
    def test_every_action_is_pinned_by_commit_and_says_its_version(self):
        found = {}
        for path in FILES:
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if "uses:" not in line or "uses: ./" in line:
                    continue
                with self.subTest(f"{path.name}:{number}"):
                    match = PINNED.search(line)
                    self.assertIsNotNone(match, f"not `uses: OWNER/NAME@COMMIT # vX.Y.Z`: {line.strip()}")
                    pin = (match["commit"], match["version"])
                    self.assertEqual(found.setdefault(match["action"], pin), pin, "two versions of one action")
        self.assertGreater(len(found), 5)

    def test_a_checkout_leaves_no_credentials_behind(self):
        for name, step in steps():
            if step.get("uses", "").startswith("actions/checkout@"):
                with self.subTest(name):
                    self.assertIs(step["with"]["persist-credentials"], False)


class Jobs(unittest.TestCase):
    def test_nothing_is_allowed_that_a_job_does_not_ask_for(self):
        for name, workflow in WORKFLOWS.items():
            with self.subTest(name):
                self.assertEqual(workflow["permissions"], {})
        for name, job in jobs():
            with self.subTest(name):
                self.assertIn("permissions", job)
                self.assertNotIn("write-all", str(job["permissions"]))

    def test_only_the_release_and_the_history_may_write(self):
        writers = {
            f"{name} {scope}"
            for name, job in jobs()
            for scope, right in job["permissions"].items()
            if right == "write" and scope != "id-token"
        }
        self.assertEqual(
            writers,
            {
                "nightly.yml: history contents",
                "release.yml: images packages",
                "release.yml: latest packages",
                "release.yml: release attestations",
                "release.yml: release contents",
                "release.yml: sign attestations",
                "release.yml: sign packages",
            },
        )

    def test_every_job_ends(self):
        for name, job in jobs():
            with self.subTest(name):
                self.assertTrue("timeout-minutes" in job or "uses" in job)

    def test_a_pipe_fails_with_any_of_its_programs(self):
        # Without its name, bash is run without pipefail.
        for name, workflow in WORKFLOWS.items():
            with self.subTest(name):
                self.assertEqual(workflow["defaults"]["run"]["shell"], "bash")

    def test_nothing_that_is_released_comes_from_a_cache(self):
        for name, step in steps():
            if name.startswith("release.yml"):
                with self.subTest(name):
                    self.assertNotIn("actions/cache", step.get("uses", ""))


class Paths(unittest.TestCase):
    def test_every_script_that_is_run_is_there(self):
        count = 0
        for name, run in scripts():
            for path in re.findall(r"(?<![\w./-])((?:\.github|\.ci|deploy|proof|tests)/[\w./-]*\w)", run):
                count += 1
                with self.subTest(f"{name}: {path}"):
                    self.assertTrue((ROOT / path).is_file(), "there is no such file")
                    if not re.search(rf"\w+ {re.escape(path)}", run):
                        self.assertTrue(os.access(ROOT / path, os.X_OK), "it is not executable")
        self.assertGreater(count, 15)

    def test_every_file_that_an_action_reads_is_there(self):
        for name, step in steps():
            for key, value in step.get("with", {}).items():
                for pattern in re.findall(r"'([^']+)'", str(value)) if "hashFiles" in str(value) else []:
                    with self.subTest(f"{name}: {pattern}"):
                        # A folder that isn't there matches its own `**`.
                        found = glob.glob(str(ROOT / pattern), recursive=True)
                        self.assertTrue(any(map(os.path.isfile, found)), "it matches no file")
                if key == "go-version-file":
                    with self.subTest(f"{name}: {value}"):
                        self.assertTrue((ROOT / value).is_file())

    def test_every_package_that_cargo_is_told_is_in_the_workspace(self):
        packages = set()
        for member in tomllib.loads(read("Cargo.toml"))["workspace"]["members"]:
            for manifest in ROOT.glob(f"{member}/Cargo.toml"):
                packages.add(tomllib.loads(manifest.read_text(encoding="utf-8"))["package"]["name"])
        told = {package for _, run in scripts() for package in re.findall(r"--(?:package|exclude) ([\w-]+)", run)}
        self.assertTrue(told)
        self.assertLessEqual(told, packages)

    def test_dependabot_looks_where_something_is(self):
        found = {
            "github-actions": ".github/workflows/*.yml",
            "cargo": "Cargo.lock",
            "docker": "Dockerfile",
            "docker-compose": "compose.yaml",
        }
        for update in YAML(typ="safe").load(read(".github/dependabot.yml"))["updates"]:
            with self.subTest(update["package-ecosystem"]):
                folder = ROOT / update["directory"].strip("/")
                self.assertTrue(list(folder.glob(found[update["package-ecosystem"]])))


class Agreement(unittest.TestCase):
    def test_the_toolchain_is_that_of_rust_toolchain_toml(self):
        channel = tomllib.loads(read("rust-toolchain.toml"))["toolchain"]["channel"]
        for path in FILES:
            text = path.read_text(encoding="utf-8")
            with self.subTest(path.name):
                # Whoever names no version gets that one.
                self.assertNotRegex(text, r"rustup (toolchain install|default|override set) [^-]")
                self.assertNotRegex(text, r"cargo \+")
        self.assertIn(f"FROM rust:{channel}", read("deploy/Dockerfile"))

    def test_who_builds_with_cargo_has_the_toolchain(self):
        for name, job in jobs():
            run = "\n".join(step.get("run", "") for step in job.get("steps", []))
            if re.search(r"^cargo |\.ci/(run|release)|deploy/(build|reproducible)|\.github/smoke", run, re.MULTILINE):
                with self.subTest(name):
                    self.assertIn("rustup toolchain install", run)

    def test_go_is_the_newest_that_a_backend_asks_for(self):
        def version(path):
            return tuple(int(part) for part in re.search(r"^go ([\d.]+)$", read(path), re.MULTILINE)[1].split("."))

        wanted = max(
            version(path.relative_to(ROOT))
            for path in [*(ROOT / "proof/backends").glob("*/go.mod"), ROOT / "proof/workflows/go.mod"]
        )
        told = {step["with"]["go-version-file"] for _, step in steps() if "setup-go" in step.get("uses", "")}
        self.assertEqual(len(told), 1)
        self.assertEqual(version(told.pop()), wanted)

    def test_cargo_deny_is_that_of_the_release_ring(self):
        here = re.search(r"^cargo_deny=(\S+)$", read(".ci/release"), re.MULTILINE)[1]
        self.assertEqual(WORKFLOWS["nightly.yml"]["jobs"]["audit"]["env"]["CARGO_DENY"], here)

    def test_macos_leaves_out_what_reads_proc_and_nothing_else(self):
        names = set()
        for path in [*(ROOT / "tests/tests").rglob("*.rs"), *(ROOT / "proof/tests").rglob("*.rs")]:
            function = ""
            ignored = False
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.startswith("#[ignore"):
                    ignored = True
                elif match := re.match(r"(?:async )?fn (\w+)", line):
                    function, skipped, ignored = match[1], ignored, False
                elif "resident_memory()" in line and not skipped:
                    names.add(function)
        stack = read("proof/tests/stack/main.rs")
        self.assertIn("#[ignore", stack, "the stack tests read proc(5) too, and are left out because they are ignored")
        names = {name for name in names if f"fn {name}" not in read("proof/tests/stack/outage.rs")}
        run = "\n".join(run for name, run in scripts() if name == "ci.yml: macos")
        self.assertEqual(set(re.findall(r"--skip (\w+)", run)), names)

    def test_images_are_stages_of_the_dockerfile_and_all_are_signed(self):
        pairs = dict(re.findall(r"(\w+):([\w-]+)", re.search(r"for target in (.*); do", read(".github/release/images"))[1]))
        stages = set(re.findall(r"^FROM \S+ AS (\S+)$", read("deploy/Dockerfile"), re.MULTILINE))
        self.assertLessEqual(set(pairs), stages)
        images = set(pairs.values()) | {"app"}
        self.assertEqual(set(WORKFLOWS["release.yml"]["jobs"]["sign"]["strategy"]["matrix"]["image"]), images)
        self.assertEqual(set(re.findall(r"^merge ([\w-]+) ", read(".github/release/sboms"), re.MULTILINE)), images)

    def test_the_build_stage_is_what_the_images_are_given(self):
        self.assertRegex(read("deploy/Dockerfile"), r"(?m)^FROM \S+ AS build$")
        self.assertIn('--build-context "build=', read(".github/release/images"))
        copied = set(re.findall(r"--from=build \S*\s*(/out/\w+)", read("deploy/Dockerfile").replace("--chown=65532:65532 ", "")))
        self.assertLessEqual({path.removeprefix("/out/") for path in copied}, {"bin", "app", "system", "empty"})

    def test_the_stack_has_the_outputs_that_a_stage_asks_for(self):
        template = read("deploy/cloudformation/spinfo.yaml")
        self.assertRegex(template, r"(?m)^  Url:$")
        self.assertRegex(template, r"(?m)^  Image:$")

    def test_users_verify_the_workflow_that_signs(self):
        identity = "https://github.com/spinfo/spinfo/.github/workflows/release.yml@refs/tags/v"
        self.assertIn("release.yml", WORKFLOWS)
        for path in ("deploy/VERIFY.md", ".github/deploy/verify"):
            with self.subTest(path):
                self.assertIn(identity, read(path))


if __name__ == "__main__":
    unittest.main()
