"""The scripts of the workflows, run in repositories and with programs made for it."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DIGEST = "sha256:" + "a" * 64


def run(*command, **options):
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=60, check=False, **options
    )


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def put(self, path, text, mode=0o644):
        path = self.folder / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path

    def program(self, name, text):
        """A program of that name, first on the path; what it is called with is in `calls`."""
        self.put(f"bin/{name}", f'#!/bin/sh\necho "{name} $*" >>"{self.folder}/calls"\n{text}\n', 0o755)
        return {**os.environ, "PATH": f"{self.folder}/bin:{os.environ['PATH']}"}

    def calls(self):
        return (self.folder / "calls").read_text(encoding="utf-8").splitlines()


class Version(Folder):
    def setUp(self):
        super().setUp()
        self.put("Cargo.toml", '[package]\nversion = "9.9.9"\n[workspace.package]\nversion = "1.2.3"\n[x]\nversion = "8.8.8"\n')
        self.put("CHANGELOG.md", "## Unreleased\n\n- soon\n\n## 1.2.3 (2026-01-01)\n\n- new\n\n## 1.2.30\n\n- old\n")
        for script in ("version", "notes"):
            path = self.put(f".github/release/{script}", "", 0o755)
            shutil.copy(ROOT / f".github/release/{script}", path)
        for command in (
            "init --quiet --initial-branch main",
            "add --all",
            "-c user.name=a -c user.email=a@example.org commit --quiet --message a",
            "update-ref refs/remotes/origin/main HEAD",
        ):
            done = run("git", *command.split(), cwd=self.folder)
            self.assertEqual(done.returncode, 0, done.stderr)

    def version(self, tag):
        return run(self.folder / ".github/release/version", tag)

    def test_the_tag_of_the_workspaces_version_is_released(self):
        self.assertEqual(self.version("v1.2.3").stdout, "version=1.2.3\nprerelease=false\n")

    def test_another_tag_is_not(self):
        for tag in ("v1.2.4", "1.2.3", "v9.9.9", "v1.2.3-rc.1"):
            with self.subTest(tag):
                done = self.version(tag)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn("expected v1.2.3", done.stderr)

    def test_a_version_without_a_changelog_is_not(self):
        self.put("CHANGELOG.md", "## 1.2.30\n## 1x2y3\n")
        self.assertIn('no section "## 1.2.3"', self.version("v1.2.3").stderr)

    def test_a_commit_that_is_not_on_main_is_not(self):
        for command in (
            "checkout --quiet --orphan other",
            "-c user.name=a -c user.email=a@example.org commit --quiet --message b",
        ):
            run("git", *command.split(), cwd=self.folder)
        self.assertIn("not on main", self.version("v1.2.3").stderr)

    def test_a_version_with_a_suffix_is_a_prerelease(self):
        self.put("Cargo.toml", '[workspace.package]\nversion = "1.2.3-rc.1"\n')
        self.put("CHANGELOG.md", "## 1.2.3-rc.1\n")
        self.assertEqual(self.version("v1.2.3-rc.1").stdout, "version=1.2.3-rc.1\nprerelease=true\n")

    def test_the_notes_are_the_section_of_that_version(self):
        notes = run(self.folder / ".github/release/notes", "1.2.3").stdout
        self.assertIn("- new\n", notes)
        self.assertNotIn("- soon", notes)
        self.assertNotIn("- old", notes)
        self.assertIn("/v1.2.3/deploy/VERIFY.md", notes)


class History(Folder):
    def setUp(self):
        super().setUp()
        self.remote = self.folder / "remote"
        run("git", "init", "--quiet", "--bare", self.remote)

    def record(self, share, commit="c0ffee"):
        table = self.put(
            "table.md",
            "| server | requests/s | p99 ms | of native |\n|---|---|---|---|\n"
            f"| native hyper | 1000 | 4.72 | 100 % |\n| spinfo, all telemetry | 310 | 5.14 | {share} % |\n",
        )
        return run(ROOT / ".github/benchmarks/record", table, f"file://{self.remote}", commit)

    def kept(self):
        return run("git", "-C", self.remote, "show", "benchmarks:history.csv").stdout.splitlines()

    def test_runs_are_kept_and_a_slower_one_is_told(self):
        for share in (31, 32, 30):
            done = self.record(share)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.record(29).returncode, 0, "a tenth less is noise")
        done = self.record(20, "abad1dea")
        self.assertEqual(done.returncode, 1)
        self.assertIn("| spinfo, all telemetry | 310 | 5.14 | 20 % | 30 % | slower |", done.stdout)
        # It is recorded even so.
        self.assertEqual(len(self.kept()), 1 + 5 * 2)
        self.assertRegex(self.kept()[-1], r'^\d{4}-.*Z,abad1dea,"spinfo, all telemetry",310,5\.14,20$')

    def test_two_runs_are_no_measure_yet(self):
        for share in (31, 31, 10):
            self.assertEqual(self.record(share).returncode, 0)

    def test_what_is_no_table_is_not_recorded(self):
        self.record(31)
        before = self.kept()
        done = run(ROOT / ".github/benchmarks/record", self.put("table.md", "nothing\n"), f"file://{self.remote}", "c")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no table", done.stderr)
        self.assertEqual(self.kept(), before)


class Images(Folder):
    def test_both_architectures_become_one_image(self):
        # A build's digest is made of what it was asked for, an index's of what it was put together from.
        environment = self.program(
            "docker",
            'case "$*" in\n'
            '"buildx build"*)\n'
            '    digest=$(echo "$*" | sed "s/--metadata-file [^ ]*//" | sha256sum | cut -d" " -f1)\n'
            '    file=$(echo "$*" | sed "s/.*--metadata-file \\([^ ]*\\).*/\\1/")\n'
            '    echo "{\\"containerimage.digest\\": \\"sha256:$digest\\"}" >"$file" ;;\n'
            f'*inspect*) echo \'{{"digest": "{DIGEST}"}}\' ;;\n'
            "esac",
        )
        done = run(ROOT / ".github/release/images", "/built", "ghcr.io/spinfo", "0.1.0", "c0ffee", env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, f"spinfo={DIGEST}\nspinfo-monitor={DIGEST}\nedge={DIGEST}\n")

        builds = [call for call in self.calls() if " build " in call]
        self.assertEqual(len(builds), 6)
        for build in builds:
            architecture = "amd64" if "--platform linux/amd64" in build else "arm64"
            self.assertIn(f"--build-context build=/built/{architecture} ", build)
            self.assertIn("--provenance=mode=max --sbom=true", build)
            self.assertIn("--build-arg VERSION=0.1.0 --build-arg REVISION=c0ffee", build)
            self.assertIn("push-by-digest=true", build)
        created = [call for call in self.calls() if " create " in call]
        self.assertEqual(len(created), 3)
        self.assertRegex(
            created[1],
            r"^docker buildx imagetools create --tag=ghcr\.io/spinfo/spinfo-monitor:0\.1\.0"
            r"( ghcr\.io/spinfo/spinfo-monitor@sha256:[0-9a-f]{64}){2}$",
        )
        parts = [part for call in created for part in call.split() if "@" in part]
        self.assertEqual(len(set(parts)), 6, "each architecture is in its index")


class Application(Folder):
    def test_the_digest_is_the_one_that_spin_tells(self):
        environment = self.program("spin", f"echo 'Pushed with digest {DIGEST}'")
        done = run(ROOT / ".github/release/application", "/app", "ghcr.io/spinfo", "0.1.0", "c0ffee", env=environment)
        self.assertEqual(done.stdout, f"app={DIGEST}\n")
        self.assertIn("spin registry push --from /app/spin.toml ghcr.io/spinfo/app:0.1.0 ", self.calls()[0])

    def test_a_push_without_a_digest_is_no_push(self):
        environment = self.program("spin", "echo 'Pushed; the registry did not return the digest'")
        done = run(ROOT / ".github/release/application", "/app", "ghcr.io/spinfo", "0.1.0", "c0ffee", env=environment)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "")


class Archive(Folder):
    def archive(self, version):
        for name in ("spinfo", "spinfo-probe", "spinfo-monitor"):
            self.put(f"programs/{name}", f"#!/bin/sh\necho {name} 0.1.0\n", 0o755)
        return run(ROOT / ".github/release/archive", self.folder / "programs", self.folder / "dist", "linux-amd64", version)

    def test_an_archive_is_a_folder_with_the_programs_and_the_licence(self):
        done = self.archive("0.1.0")
        self.assertEqual(done.returncode, 0, done.stderr)
        names = run("tar", "-tzf", self.folder / "dist/spinfo-0.1.0-linux-amd64.tar.gz").stdout.split()
        self.assertLessEqual(
            {f"spinfo-0.1.0-linux-amd64/{name}" for name in ("spinfo", "spinfo-probe", "spinfo-monitor", "LICENSE")},
            set(names),
        )

    def test_programs_of_another_version_are_not_packed(self):
        self.assertNotEqual(self.archive("0.2.0").returncode, 0)
        self.assertEqual(list((self.folder / "dist").glob("*.tar.gz")), [])


class Files(Folder):
    def test_images_are_named_by_digest_and_everything_has_a_checksum(self):
        for path in (
            "linux-amd64/spinfo-0.1.0-linux-amd64.tar.gz",
            "windows-amd64/spinfo-0.1.0-windows-amd64.zip",
            "linux-amd64/out.tar",
            "components/app/spin.toml",
            "components/app/target/wasm32-wasip2/component/now.wasm",
            "components/sboms/component-now.cdx.json",
        ):
            self.put(f"artifacts/{path}", path)
        environment = self.program(
            "kubectl",
            "echo 'image: ghcr.io/spinfo/spinfo:0.1.0'\n"
            "echo 'image: \"ghcr.io/spinfo/spinfo-monitor:0.1.0\"'\n"
            "echo 'image: ghcr.io/spinfo/spinfo:0.1.00'",
        )
        other = "sha256:" + "b" * 64
        digests = json.dumps({"spinfo": DIGEST, "spinfo-monitor": other})
        done = run(
            ROOT / ".github/release/files", self.folder / "artifacts", self.folder / "files", "0.1.0", digests, env=environment
        )
        self.assertEqual(done.returncode, 0, done.stderr)

        files = self.folder / "files"
        for overlay in (ROOT / "deploy/kubernetes/overlays").iterdir():
            self.assertEqual(
                (files / f"spinfo-0.1.0-kubernetes-{overlay.name}.yaml").read_text(encoding="utf-8"),
                f"image: ghcr.io/spinfo/spinfo:0.1.0@{DIGEST}\n"
                f'image: "ghcr.io/spinfo/spinfo-monitor:0.1.0@{other}"\n'
                "image: ghcr.io/spinfo/spinfo:0.1.00\n",
            )
        self.assertIn(
            f"Default: ghcr.io/spinfo/spinfo:0.1.0@{DIGEST}\n",
            (files / "spinfo-0.1.0-cloudformation.yaml").read_text(encoding="utf-8"),
        )
        self.assertFalse((files / "out.tar").exists())
        sums = (files / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
        self.assertEqual(
            {line.split("  ", 1)[1] for line in sums}, {path.name for path in files.iterdir()} - {"SHA256SUMS"}
        )
        self.assertIn("component-now.wasm", {line.split("  ", 1)[1] for line in sums})


class Stage(Folder):
    def stage(self, environment, *arguments):
        settings = {"STACK": "blue", "NAMESPACE": "spinfo", "OVERLAY": "overlay", "URL": "https://example.org"}
        return run(ROOT / ".github/deploy/stage", *arguments, env={**environment, **settings})

    def test_an_image_on_kubernetes_is_deployed_by_digest_and_waited_for(self):
        environment = self.program(
            "kubectl",
            'case "$*" in\n'
            "kustomize*) printf 'image: ghcr.io/spinfo/spinfo:0.0.1\\nimage: ghcr.io/spinfo/spinfo-monitor:0.0.1\\n' ;;\n"
            f"*apply*) cat >'{self.folder}/applied' ;;\nesac",
        )
        done = self.stage(environment, "kubernetes", "apply", f"ghcr.io/spinfo/spinfo:0.1.0@{DIGEST}")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(
            (self.folder / "applied").read_text(encoding="utf-8"),
            f"image: ghcr.io/spinfo/spinfo:0.1.0@{DIGEST}\nimage: ghcr.io/spinfo/spinfo-monitor:0.0.1\n",
        )
        self.assertEqual(self.calls()[-1], "kubectl --namespace spinfo rollout status deployment/spinfo --timeout 10m")

    def test_kubernetes_goes_back_to_the_revision_that_was_there(self):
        environment = self.program("kubectl", 'case "$*" in *jsonpath*) cat "$REVISION" ;; esac')
        environment["REVISION"] = str(self.put("revision", "4"))
        self.stage(environment, "kubernetes", "save", self.folder / "kept")
        self.put("revision", "5")
        done = self.stage(environment, "kubernetes", "rollback", self.folder / "kept")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("kubectl --namespace spinfo rollout undo deployment/spinfo --to-revision 4", self.calls())

    def test_a_stack_goes_back_to_its_template_and_its_parameters(self):
        parameters = [{"ParameterKey": "Image", "ParameterValue": "old:1"}, {"ParameterKey": "AllowFrom", "ParameterValue": "10.0.0.0/8"}]
        answer = self.put("answer", json.dumps(parameters))
        environment = self.program(
            "aws", f"case \"$*\" in *get-template*) echo 'old: template' ;; *ParameterKey*) cat '{answer}' ;; esac"
        )
        self.stage(environment, "aws", "save", self.folder / "kept")
        self.assertEqual((self.folder / "kept/template.yaml").read_text(encoding="utf-8"), "old: template\n")
        done = self.stage(environment, "aws", "rollback", self.folder / "kept")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(
            f"--template-file {self.folder}/kept/template.yaml --parameter-overrides Image=old:1 AllowFrom=10.0.0.0/8",
            self.calls()[-1],
        )

    def test_the_first_deployment_has_nothing_to_go_back_to(self):
        environment = self.program("aws", "exit 255")
        self.assertEqual(self.stage(environment, "aws", "save", self.folder / "kept").returncode, 0)
        done = self.stage(environment, "aws", "rollback", self.folder / "kept")
        self.assertEqual(done.returncode, 0)
        self.assertIn("nothing before", done.stderr)

    def test_an_unknown_engine_is_refused(self):
        done = self.stage(os.environ, "", "apply", "image")
        self.assertEqual(done.returncode, 2)
        self.assertIn("aws|kubernetes apply IMAGE", done.stderr)


class Verify(Folder):
    def verify(self, version, signatures):
        environment = self.program("cosign", f"cat '{self.put('answer', json.dumps(signatures))}'")
        return run(ROOT / ".github/deploy/verify", version, env=environment)

    def test_the_image_comes_with_the_digest_that_was_signed(self):
        signature = {"critical": {"image": {"docker-manifest-digest": DIGEST}}}
        self.assertEqual(
            self.verify("0.1.0", [signature, signature]).stdout, f"image=ghcr.io/spinfo/spinfo:0.1.0@{DIGEST}\n"
        )
        self.assertIn("release.yml@refs/tags/v0.1.0", self.calls()[0])

    def test_two_digests_are_refused(self):
        signatures = [{"critical": {"image": {"docker-manifest-digest": "sha256:" + c * 64}}} for c in "ab"]
        done = self.verify("0.1.0", signatures)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "")

    def test_what_is_no_version_goes_no_further(self):
        for version in ("latest", "0.1", "0.1.0;id", "v0.1.0", "0.1.0@sha256:1"):
            with self.subTest(version):
                self.assertEqual(self.verify(version, []).returncode, 1)
                self.assertFalse((self.folder / "calls").exists())


if __name__ == "__main__":
    unittest.main()
