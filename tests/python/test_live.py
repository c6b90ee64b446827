"""The watch of a node that serves: a log that grows, restarts in between, claims that come, go and decay; beside it `marsad
watch --home` and `marsad hunt` on the same home."""

import datetime
import json
import signal
import subprocess
import threading

import pytest
import requests

from conftest import Node, binary, indicator
from test_alerts import MEDIA, until

PATIENCE = 180


class Site(Node):
    """A node that watches a log."""

    def __init__(self, home, config=""):
        super().__init__(home)
        self.log = self.home / "sensor.log"
        (self.home / "config.toml").write_text(f'watch.inputs = ["sensor.log"]\nwatch.format = "zeek"\n{config}')
        self.lines = 0

    def claims(self, name, **extra):
        one = indicator(pattern=f"[domain-name:value = '{name}']", **extra)
        self.post(one)
        return one

    def post(self, one):
        done = requests.post(
            f"{self.url}/exchange/collections/main/objects/", json.dumps({"objects": [one]}), auth=self.auth,
            headers={"Accept": MEDIA, "Content-Type": MEDIA}, timeout=60,
        )
        assert done.json()["success_count"] == 1, done.text

    def revokes(self, one):
        self.post(one | {"modified": "2026-03-02T09:00:00.000Z", "revoked": True})

    def sees(self, name):
        """A line of the log in which a machine of its own asks for a name; the machine."""
        self.lines += 1
        machine = f"10.0.{self.lines // 256}.{self.lines % 256}"
        with open(self.log, "a") as log:
            log.write(json.dumps({"ts": 1700000000.5, "uid": "C", "id.orig_h": machine, "query": name}) + "\n")
        return machine

    def alerted(self):
        """The machines that alerts are about, each with how often."""
        done = requests.get(f"{self.url}/api/alerts?limit=500", auth=self.auth, timeout=60)
        assert done.status_code == 200, done.text
        return {one["entity"]: one["count"] for one in done.json()["alerts"]}

    def metrics(self):
        return requests.get(f"{self.url}/metrics", auth=self.auth, timeout=60).text

    def follows(self, line):
        """Waits until the metrics hold this line."""
        until(lambda: f"\n{line}\n" in self.metrics(), PATIENCE)

    def has_read(self):
        """Waits until the whole log was read: the last line, which is met, is told."""
        last = self.sees("sentinel.example")
        until(lambda: last in self.alerted(), PATIENCE)
        return last


def test_a_log_that_grows_over_restarts(tmp_path):
    site = Site(tmp_path / "home").start()
    site.claims("bad.example")
    wanted = {}
    try:
        site.follows("marsad_watch_claims 1")
        for end in (site.stop, site.kill, site.stop):
            for _ in range(5):
                wanted[site.sees("bad.example")] = 1
                site.sees("good.example")
            until(lambda: site.alerted() == wanted, PATIENCE)
            # What is written while it ends, and while nobody watches, is met later; nothing is counted twice.
            wanted[site.sees("bad.example")] = 1
            end()
            wanted[site.sees("bad.example")] = 1
            site.start()
        until(lambda: site.alerted() == wanted, PATIENCE)
    finally:
        site.kill()


def test_a_claim_is_met_until_it_is_revoked(tmp_path):
    site = Site(tmp_path / "home").start()
    try:
        site.claims("sentinel.example")
        one = site.claims("bad.example")
        site.follows("marsad_watch_claims 2")
        met = site.sees("bad.example")
        wanted = {met: 1, site.has_read(): 1}
        assert site.alerted() == wanted
        site.revokes(one)
        site.follows("marsad_watch_claims 1")
        site.sees("bad.example")
        wanted[site.has_read()] = 1
        assert site.alerted() == wanted
    finally:
        site.kill()


def test_claims_decay_by_a_model(tmp_path):
    """Of three claims on what is seen, the one of long ago has decayed; without the model it is met."""
    model = {"formula": "Polynomial", "parameters": {"lifetime": 100, "decay_speed": 2, "threshold": 30, "default_base_score": 80}}
    site = Site(tmp_path / "home", 'watch.decay-model = "model.json"\n')
    (site.home / "model.json").write_text(json.dumps(model))
    site.start()
    try:
        old = {"created": "2020-01-01T00:00:00.000Z", "modified": "2020-01-01T00:00:00.000Z", "valid_from": "2020-01-01T00:00:00Z"}
        fresh = old | {"modified": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")}
        site.claims("old.example", **old)
        site.claims("sentinel.example", **fresh)
        site.claims("faint.example", **fresh, confidence=20)
        site.follows("marsad_watch_claims 3")
        first, faint = site.sees("old.example"), site.sees("faint.example")
        assert site.has_read() in site.alerted() and not {first, faint} & site.alerted().keys()
        site.stop()
        (site.home / "config.toml").write_text('watch.inputs = ["sensor.log"]\nwatch.format = "zeek"\n')
        site.start()
        site.follows("marsad_watch_claims 3")
        second, third = site.sees("old.example"), site.sees("faint.example")
        site.has_read()
        assert {second, third} <= site.alerted().keys() and not {first, faint} & site.alerted().keys()
        site.stop()
        (site.home / "config.toml").write_text('watch.inputs = ["sensor.log"]\nwatch.decay-model = "none.json"\n')
        assert b"watch.decay-model" in site.run("serve", "--listen", "127.0.0.1:0", "--plain-http", expect=(1, 2, 3)).stderr
    finally:
        if site.process:
            site.kill()


WARNING = {"name": "Known hosts", "type": "hostname", "matching_attributes": ["domain", "hostname"], "list": ["good.example"]}


def test_what_warning_lists_name_is_not_watched_for(tmp_path):
    site = Site(tmp_path / "home", 'watch.warning-lists = ["lists"]\n')
    (site.home / "lists").mkdir()
    (site.home / "lists" / "list.json").write_text(json.dumps(WARNING))
    site.start()
    try:
        site.claims("www.good.example")
        site.claims("sentinel.example")
        site.follows('marsad_watch_benign{list="Known hosts"} 1')
        site.follows("marsad_watch_claims 1")
        site.sees("www.good.example")
        last = site.has_read()
        assert site.alerted() == {last: 1}
        done = site.run("watch", str(site.log))
        assert len(done.stdout.splitlines()) == 1
        assert b"1 claims on what is well known and benign (Known hosts: 1)" in done.stderr, done.stderr
    finally:
        site.kill()


def test_warning_lists_of_a_file_of_indicators(tmp_path):
    names, lists = tmp_path / "list.csv", tmp_path / "warning.json"
    names.write_text("type,value\ndomain,good.example\ndomain,bad.example\n")
    lists.write_text(json.dumps(WARNING))
    log = tmp_path / "dns.log"
    log.write_text(json.dumps({"ts": 1700000000.5, "uid": "C1", "id.orig_h": "10.0.0.5", "id.orig_p": 5353,
                               "id.resp_h": "10.0.0.1", "id.resp_p": 53, "proto": "udp", "query": "good.example",
                               "answers": ["bad.example"]}) + "\n")

    def watch(path):
        words = [binary(), "watch", "--indicators", names, "--warning-lists", path, log]
        return subprocess.run(words, capture_output=True, text=True, timeout=600)

    done = watch(lists)
    assert done.returncode == 0 and [json.loads(line)["value"] for line in done.stdout.splitlines()] == ["bad.example"]
    assert "(Known hosts: 1)" in done.stderr
    assert watch(tmp_path / "none").returncode == 3
    lists.write_text(json.dumps(WARNING | {"type": "regex"}))
    done = watch(lists)
    assert done.returncode == 3 and "regex" in done.stderr


@pytest.mark.parametrize("serving", [False, True])
def test_watch_on_a_home(tmp_path, serving):
    """`marsad watch --home`, alone or beside the node that serves: hits, revoked ones gone, and `--follow`."""
    site = Site(tmp_path / "home").start()
    one = site.claims("bad.example")
    gone = site.claims("gone.example")
    stays = site.claims("sentinel.example")
    site.revokes(gone)
    for name in ("bad.example", "gone.example", "notbad.example", "sentinel.example"):
        site.sees(name)
    if not serving:
        site.stop()
    hits = [json.loads(line) for line in site.run("watch", str(site.log)).stdout.splitlines()]
    assert [(hit["indicator"], hit["line"]) for hit in hits] == [(one["id"], 1), (stays["id"], 4)]
    if not serving:
        site.start()
    following = subprocess.Popen([binary(), "watch", "--home", site.home, "--follow", site.log], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    told = []
    reader = threading.Thread(target=lambda: told.extend(json.loads(line) for line in following.stdout), daemon=True)
    reader.start()
    seen = lambda: {(hit["indicator"], hit["line"]) for hit in told}
    try:
        until(lambda: len(told) == 2, PATIENCE)
        new = site.claims("new.example")

        def comes():
            """A line with the new name is told, as soon as the follower has it; those before it are not."""
            site.sees("new.example")
            return any(hit["indicator"] == new["id"] for hit in told)

        until(comes, PATIENCE)
        site.revokes(one)

        def goes():
            """Behind a line with the revoked name the next one is told, and that one is not."""
            site.sees("bad.example")
            tried = site.lines
            site.sees("sentinel.example")
            until(lambda: (stays["id"], tried + 1) in seen(), PATIENCE)
            return (one["id"], tried) not in seen()

        until(goes, PATIENCE)
        following.send_signal(signal.SIGTERM)
        assert following.wait(timeout=PATIENCE) == 0
        reader.join(PATIENCE)
        assert gone["id"] not in {hit["indicator"] for hit in told}
        assert len(told) == len(seen()), "each once"
    finally:
        following.kill()
        site.kill()


def test_a_hunt_beside_a_node_that_serves(tmp_path):
    """What came later is found in what was read before, while the node goes on."""
    site = Site(tmp_path / "home").start()
    try:
        site.claims("sentinel.example")
        site.follows("marsad_watch_claims 1")
        past = [site.sees("bad.example") for _ in range(3)]
        site.has_read()
        one = site.claims("bad.example")
        site.follows("marsad_watch_claims 2")
        done = site.run("hunt", "--json", str(site.log))
        hits = [json.loads(line) for line in done.stdout.splitlines()]
        assert [hit["line"] for hit in hits if hit.get("indicator") == one["id"]] == [1, 2, 3]
        assert "report" in hits[-1] and len(hits) == 5
        now = site.sees("bad.example")
        site.has_read()
        assert now in site.alerted() and not set(past) & site.alerted().keys(), "a hunt tells, and does not alert"
    finally:
        site.kill()
