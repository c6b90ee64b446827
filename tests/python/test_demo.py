"""The demonstration: what it prints is true, every curl line works as printed, and every colour is kept to its readers."""

import json
import re
import signal
import subprocess

import pytest
import stix2

from conftest import binary


@pytest.fixture(scope="module")
def demo():
    process = subprocess.Popen(
        [binary(), "demo", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if len([kept for kept in lines if "curl " in kept]) == 3:
            break
    yield lines
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0


def test_it_says_where_it_is(demo):
    assert any(re.search(r"http://127\.0\.0\.1:\d+", line) for line in demo)


def test_its_curl_lines_work(demo):
    lines = [line.strip() for line in demo if "curl " in line]
    assert len(lines) == 3
    objects = 0
    for line in lines:
        done = subprocess.run(["bash", "-c", line + " --fail --silent"], capture_output=True, timeout=60)
        assert done.returncode == 0, (line, done.stderr)
        if done.stdout.startswith(b"{"):
            for served in json.loads(done.stdout).get("objects", []):
                if isinstance(served, dict) and "type" in served:
                    stix2.parse(served, allow_custom=True)
                    objects += 1
    assert objects, "none of the lines shows an object"
