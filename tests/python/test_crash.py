"""Acknowledged means kept: writers and readers on a node that is killed at random moments."""

import base64
import http.client
import json
import os
import random
import re
import threading
import time

from conftest import Node, indicator

ROUNDS = int(os.environ.get("MARSAD_CRASH_ROUNDS", "200"))
MEDIA = "application/taxii+json;version=2.1"


class Crowd:
    """Writers that note what was acknowledged and readers that note what they were given, until the node dies."""

    def __init__(self, node):
        self.node, self.lock = node, threading.Lock()
        self.acknowledged, self.number, self.faults = set(), 0, []
        self.readers = [Reader(self) for _ in range(2)]
        token = base64.b64encode(":".join(node.auth).encode()).decode()
        self.headers = {"Authorization": f"Basic {token}", "Accept": MEDIA, "Content-Type": MEDIA}

    def connect(self):
        host, port = self.node.listen.split(":")
        return http.client.HTTPConnection(host, int(port), timeout=10)

    def write(self):
        try:
            wire = self.connect()
            while True:
                with self.lock:
                    size = random.choice([1, 1, 1, 20])
                    objects = [indicator(self.number + n) for n in range(size)]
                    self.number += size
                wire.request("POST", "/exchange/collections/crash/objects/", json.dumps({"objects": objects}), self.headers)
                answer = wire.getresponse()
                body = json.loads(answer.read())
                if answer.status == 202 and body["success_count"] == size:
                    with self.lock:
                        self.acknowledged |= {o["id"] for o in objects}
                elif answer.status != 503:
                    self.faults.append(("write", answer.status, body))
        except (OSError, http.client.HTTPException):
            return
        except ValueError:  # the answer was cut off by the kill
            return

    def round(self, seconds):
        self.node.start()
        crowd = [threading.Thread(target=self.write) for _ in range(4)] + [threading.Thread(target=r.read) for r in self.readers]
        for member in crowd:
            member.start()
        time.sleep(seconds)
        self.node.kill()
        for member in crowd:
            member.join()

    def all_there(self):
        """After a restart: what was acknowledged is in the book, which is sound."""
        self.node.run("check")
        text = self.node.run("export", "--collection", "crash").stdout.decode()
        kept = re.findall(r'"id": ?"(indicator--[^"]+)"', text)
        assert len(kept) == len(set(kept)), "an object is there twice"
        missing = self.acknowledged - set(kept)
        assert not missing, f"{len(missing)} acknowledged objects are missing, {sorted(missing)[:3]}"


class Reader:
    """Follows the collection by cursor through every crash; sees each object once, in order."""

    def __init__(self, crowd):
        self.crowd, self.seen, self.next, self.after = crowd, {}, None, None

    def read(self, until_empty=False):
        try:
            wire = self.crowd.connect()
            while True:
                query = "limit=50" + (f"&next={self.next}" if self.next else f"&added_after={self.after}" if self.after else "")
                wire.request("GET", f"/exchange/collections/crash/objects/?{query}", headers=self.crowd.headers)
                answer = wire.getresponse()
                body = json.loads(answer.read())
                if answer.status != 200:
                    self.crowd.faults.append(("read", answer.status, body))
                    return
                for served in body.get("objects", []):
                    if served["id"] in self.seen:
                        self.crowd.faults.append(("twice", served["id"]))
                    self.seen[served["id"]] = len(self.seen)
                self.after = answer.headers.get("X-TAXII-Date-Added-Last", self.after)
                self.next = body.get("next") if body.get("more") else None
                if not body.get("more"):
                    if until_empty:
                        return
                    time.sleep(0.005)
        except (OSError, http.client.HTTPException, ValueError):
            return


def test_killed_at_random_moments(tmp_path):
    random.seed(int.from_bytes(os.urandom(4)))
    node = Node(tmp_path / "home")
    node.run("collection", "add", "crash")
    crowd = Crowd(node)
    for turn in range(ROUNDS):
        crowd.round(random.uniform(0.0, 0.35))
        assert not crowd.faults, crowd.faults[:3]
        crowd.all_there()
    node.start()
    for reader in crowd.readers:
        reader.read(until_empty=True)
    fresh = Reader(crowd)
    fresh.read(until_empty=True)
    node.stop()
    assert not crowd.faults, crowd.faults[:3]
    assert crowd.acknowledged, "no write was ever acknowledged"
    for reader in (*crowd.readers, fresh):
        missing = crowd.acknowledged - reader.seen.keys()
        assert not missing, f"{len(missing)} acknowledged objects are missing, {sorted(missing)[:3]}"
        assert list(reader.seen) == list(fresh.seen), "a reader was given another order or another set"
    print(f"{ROUNDS} kills, {len(crowd.acknowledged)} objects acknowledged and all there")
