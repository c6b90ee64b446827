"""A disk that fills up: writes are refused and say why, reads go on, nothing acknowledged is lost."""

import json
import os
import subprocess

import pytest
import requests

from conftest import Node, indicator

HEADERS = {"Accept": "application/taxii+json;version=2.1", "Content-Type": "application/taxii+json;version=2.1"}


@pytest.fixture
def small_disk(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("skipped: mounting a small file system needs root")
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], capture_output=True)
    if done.returncode != 0:
        pytest.skip(f"skipped: cannot mount here: {done.stderr.decode().strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_an_import_says_what_it_kept(small_disk, tmp_path):
    node = Node(small_disk / "home")
    objects = [indicator(description="x" * 4000) for _ in range(10_000)]
    file = tmp_path / "many.json"
    file.write_text(json.dumps(objects))
    for words in ([], ["--json"]):
        done = node.run("import", str(file), *words, expect=(3,))
        assert b"the disk is full" in done.stderr
        kept = json.loads(node.run("check", "--json").stdout)["records"]
        if words:
            counts = json.loads(done.stdout)
            assert "the disk is full" in counts["unreadable"][0]
            assert counts["added"] + counts["unchanged"] <= kept < len(objects)
        else:
            assert done.stdout.decode().startswith(f"added {kept}, unchanged 0, refused 0")
        # Nothing is handed on that cannot be written down.
        refused = node.run("export", expect=(0, 3))
        assert refused.returncode == 0 or b"audit.db" in refused.stderr
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    assert json.loads(node.run("export").stdout)["objects"] == objects[:kept]
    node.run("import", str(file))
    assert json.loads(node.run("export").stdout)["objects"] == objects


def test_full_then_freed(small_disk):
    node = Node(small_disk / "home")
    node.start()
    url = node.collection("full") + "objects/"
    kept, refused = set(), None
    for turn in range(4000):
        objects = [indicator(description="x" * 4000) for _ in range(20)]
        answer = requests.post(url, data=json.dumps({"objects": objects}), headers=HEADERS, auth=node.auth)
        if answer.status_code != 202:
            refused = answer
            break
        assert answer.json()["success_count"] == 20
        kept |= {o["id"] for o in objects}
    assert refused is not None and refused.status_code in (503, 507), refused
    assert refused.json()["title"] and "SQL" not in refused.text

    def read():
        seen, params = set(), {}
        while True:
            page = requests.get(url, params={"limit": 500, **params}, headers=HEADERS, auth=node.auth)
            assert page.status_code == 200
            seen |= {o["id"] for o in page.json().get("objects", [])}
            if not page.json().get("more"):
                return seen
            params = {"next": page.json()["next"]}

    assert read() == kept
    node.stop()
    node.run("check")
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    node.start()
    assert read() == kept
    again = requests.post(url, data=json.dumps({"objects": [indicator()]}), headers=HEADERS, auth=node.auth)
    assert again.status_code == 202
    node.stop()
    node.run("check")
