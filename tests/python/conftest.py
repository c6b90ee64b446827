"""A real node for the tests: the binary, its own home, a loopback port of the system's choosing."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import uuid

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"


def binary():
    named = os.environ.get("MARSAD_BIN")
    candidates = [named] if named else [ROOT / "target" / kind / "marsad" for kind in ("release", "ci-release", "ci", "debug")]
    for candidate in candidates:
        if candidate and pathlib.Path(candidate).exists():
            return str(candidate)
    pytest.exit("no marsad binary: run `cargo build` or set MARSAD_BIN", returncode=3)


class Node:
    """A home and, between `start` and `stop`, a running server on it."""

    def __init__(self, home, organisation="Example CERT"):
        self.home = pathlib.Path(home)
        self.process = None
        self.url = None
        self.listen = "127.0.0.1:0"
        self.ids = {}
        self.password = "correct horse battery staple"
        self.run("init", "--organisation", organisation)
        self.run("account", "add", "analyst", "--role", "analyst", "--password-stdin", input=self.password)

    def run(self, *words, input=None, expect=(0,), timeout=600):
        done = subprocess.run(
            [binary(), words[0], *words[1:], "--home", str(self.home)],
            input=input if isinstance(input, (bytes, type(None))) else input.encode(),
            capture_output=True, timeout=timeout,
        )
        assert done.returncode in expect, f"{words}: exit {done.returncode}\n{done.stderr.decode(errors='replace')}"
        return done

    def start(self):
        log = open(self.home.parent / f"{self.home.name}.log", "ab")
        self.process = subprocess.Popen(
            [binary(), "serve", "--home", str(self.home), "--listen", self.listen, "--plain-http"],
            stdout=subprocess.PIPE, stderr=log,
        )
        log.close()
        line = self.process.stdout.readline().decode()
        assert line.startswith("listening on "), f"no address: {line!r}, see {self.home}.log"
        self.url = line.split()[-1].rstrip("/")
        self.listen = self.url.split("//")[1]
        return self

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            code = self.process.wait(timeout=60)
            self.process = None
            assert code == 0, f"SIGTERM ended the node with {code}"

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    @property
    def auth(self):
        return ("analyst", self.password)

    def collection(self, alias, *flags):
        """Adds a collection; its address, by id: taxii2-client refuses addresses by alias."""
        self.ids[alias] = self.run("collection", "add", alias, *flags).stdout.decode().split()[-1]
        return self.address(alias)

    def address(self, alias):
        return f"{self.url}/exchange/collections/{self.ids[alias]}/"


@pytest.fixture
def node(tmp_path):
    node = Node(tmp_path / "home").start()
    yield node
    node.stop()


@pytest.fixture(scope="module")
def module_node(tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("node") / "home").start()
    yield node
    node.stop()


def indicator(number=None, modified="2026-03-01T09:00:00.000Z", **extra):
    """A valid indicator with an id of its own."""
    name = uuid.uuid4() if number is None else uuid.UUID(int=(0x4000 << 64) | (0x8 << 60) | number)
    return {
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--{name}",
        "created": "2026-03-01T09:00:00.000Z", "modified": modified,
        "name": f"Beacon {name}", "description": "A name that answers only to one port.",
        "indicator_types": ["malicious-activity"], "pattern_type": "stix",
        "pattern": f"[domain-name:value = 'h{str(name)[:8]}.example']", "valid_from": "2026-03-01T09:00:00Z", **extra,
    }


def shared(*parts):
    """A file of the recorded material; the test is skipped, with the reason, where it is absent."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"skipped: {path.name} is not beside this checkout")
    return path


def unpack(path, into):
    """A zstd file or tar, by the system's own tools."""
    if shutil.which("zstd") is None:
        pytest.skip("skipped: no zstd on this machine")
    if str(path).endswith(".tar.zst"):
        subprocess.run(["tar", "--zstd", "-xf", str(path), "-C", str(into)], check=True)
        return into
    out = into / path.name.removesuffix(".zst")
    subprocess.run(["zstd", "-dqf", str(path), "-o", str(out)], check=True)
    return out


def objects_of(bundle_path):
    return json.loads(pathlib.Path(bundle_path).read_text())["objects"]
