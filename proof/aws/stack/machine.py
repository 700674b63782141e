"""A folder that stands for a new instance: the user data writes into it, and calls stand-ins that write down their calls."""

import shlex
import subprocess

INSTANCE = "i-0123456789abcdef0"

# What they do besides writing down how they were called.
BEHAVIOUR = {
    "aws": 'if [[ "$*" == *get-secret-value* ]]; then cat "$HOME/token"; fi',
    "cfn-signal": "",
    "chown": "",
    "curl": f"""
case "$*" in
*/latest/api/token) echo session ;;
*/latest/meta-data/instance-id) echo {INSTANCE} ;;
esac""",
    "dnf": "",
    "docker": "",
    "journalctl": "",
    "sleep": "",
    "systemctl": "",
}

# Absolute paths that the user data writes to.
FOLDERS = ("/etc/systemd/system", "/usr/local/libexec", "/run/spinfo")


class Machine:
    def __init__(self, folder, user_data, token):
        self.original = user_data
        self.home = folder / "home"
        self.root = folder / "root"
        self._programs = folder / "programs"
        self._programs.mkdir()
        self.home.mkdir()
        (self.home / "token").write_text(f"{token}\n")
        for name, behaviour in BEHAVIOUR.items():
            self.replace(name, behaviour)
        # What systemd looks for when it reads the unit; systemd and the packages make these folders on a real instance.
        for path in ("etc/systemd/system", "run/spinfo", "usr/bin"):
            (self.root / path).mkdir(parents=True)
        (self.root / "usr/bin/docker").touch(mode=0o755)
        (self.root / "etc/systemd/system/docker.service").write_text("[Service]\nExecStart=/usr/bin/docker\n")
        self._script = user_data
        for path in FOLDERS:
            self._script = self._script.replace(f" {path}", f" {self.root}{path}")

    def replace(self, program, behaviour):
        """Lets a program do something else."""
        path = self._programs / program
        path.write_text(
            f'#!/bin/bash\nprintf \'%q \' "${{0##*/}}" "$@" >> "$HOME/calls"\necho >> "$HOME/calls"\n{behaviour}\n'
        )
        path.chmod(0o755)

    def _run(self, script):
        environment = {"HOME": str(self.home), "PATH": f"{self._programs}:/usr/bin:/bin", "LC_ALL": "C"}
        return subprocess.run(
            ["bash"], input=script, env=environment, cwd=self.home, capture_output=True, text=True, timeout=60
        )

    def boot(self):
        """Runs the user data, as cloud-init does at the first start."""
        return self._run(self._script)

    def fetch_token(self):
        """Runs what the service runs before each of its starts."""
        return self._run(self.token_script)

    @property
    def token_script(self):
        return (self.root / "usr/local/libexec/spinfo-token").read_text()

    @property
    def calls(self):
        """Every call of a stand-in so far, as a list of words."""
        path = self.home / "calls"
        return [shlex.split(line.replace("$'", "'")) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def unit(self):
        """The service's unit: section -> key -> values, in the order in which they are written."""
        sections = {}
        text = (self.root / "etc/systemd/system/spinfo.service").read_text()
        for line in text.replace("\\\n", " ").splitlines():
            if line.startswith("["):
                section = sections.setdefault(line.strip("[]"), {})
            elif line:
                key, value = line.split("=", 1)
                section.setdefault(key, []).append(value.replace(str(self.root), ""))
        return sections
