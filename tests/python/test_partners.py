"""The field test: real nodes in a ring and around a hub, on lines that break, killed at random moments.

MARSAD_FIELD_OBJECTS, MARSAD_FIELD_CUTS and MARSAD_FIELD_KILLS say how much; `scripts/field --full` runs it in full.
"""

import collections
import json
import os
import random
import time

import pytest

from conftest import indicator
from partners import Organisation, befriend, spread
from wire import Line

OBJECTS = int(os.environ.get("MARSAD_FIELD_OBJECTS", "500"))
CUTS = int(os.environ.get("MARSAD_FIELD_CUTS", "5"))
KILLS = int(os.environ.get("MARSAD_FIELD_KILLS", "5"))
PARTNERS = int(os.environ.get("MARSAD_FIELD_PARTNERS", "10"))
SEED = int(os.environ.get("MARSAD_FIELD_SEED", "20261125"))
PATIENCE = float(os.environ.get("MARSAD_FIELD_PATIENCE", str(120 + OBJECTS / 50)))
LEVELS = ["clear", "green", "green", "amber", "amber+strict", "red", None]


def until(holds, what, patience=PATIENCE):
    ends = time.monotonic() + patience
    while True:
        wrong = holds()
        if not wrong:
            return
        assert time.monotonic() < ends, f"{what}: {str(wrong)[:1500]}"
        time.sleep(0.5)


class Field:
    """A ring of three and a hub with partners, each on a loopback address of its own, with a line for every link."""

    def __init__(self, folder):
        self.random = random.Random(SEED)
        names = ["North CERT", "South CERT", "East CERT", "Hub"] + [f"Partner {n}" for n in range(PARTNERS)]
        self.nodes = [Organisation(folder, name, number + 2) for number, name in enumerate(names)]
        ring, hub, self.partners = self.nodes[:3], self.nodes[3], self.nodes[4:]
        self.ways, self.lines = [], []
        for one, other in zip(ring, ring[1:] + ring[:1]):
            befriend(one, other, "client", "community")
            self.way(one, other)
        befriend(ring[0], hub, "client", "client")
        self.way(ring[0], hub)
        self.way(hub, ring[0])
        for number, partner in enumerate(self.partners):
            befriend(hub, partner, ["community", "client", "public"][number % 3], "client")
            self.way(hub, partner)
            # Who has an author's card heeds the author's recall, over whatever relay it comes.
            partner.knows(ring[0])
        self.way(self.partners[0], hub)
        for node in self.nodes:
            self.start(node)

    def way(self, giver, taker):
        line = Line()
        self.ways.append((giver, taker))
        self.lines.append((giver, line))
        taker.pulls(giver, line)

    def start(self, node):
        node.start()
        for giver, line in self.lines:
            if giver is node:
                line.leads_to(node.listen)

    def disturb(self):
        """Lines break and nodes die, in any order, while objects are on their way."""
        acts = ["cut"] * CUTS + ["kill"] * KILLS
        self.random.shuffle(acts)
        done = {"cut": 0, "kill": 0}
        for act in acts:
            time.sleep(self.random.uniform(0.05, 0.5))
            if act == "kill":
                node = self.random.choice(self.nodes)
                node.kill()
                time.sleep(self.random.uniform(0, 0.3))
                self.start(node)
            else:
                # A line on which nothing is on its way is not broken.
                ends = time.monotonic() + 30
                while not self.random.choice(self.lines)[1].cut() and time.monotonic() < ends:
                    time.sleep(0.02)
            done[act] += 1
        return done

    def wrong(self):
        """Where something is missing, too much, or there twice."""
        wanted, wrong = spread(self.nodes, self.ways), {}
        about = {id: f"{node.name} {tlp}" for node in self.nodes for id, (_, tlp) in node.made.items()}
        for node in self.nodes:
            found = node.listed()
            missing, more = wanted[node.name].keys() - set(found), set(found) - wanted[node.name].keys()
            twice = len(found) - len(set(found))
            if missing or more or twice:
                kinds = collections.Counter(about.get(id, "recalled") for id in missing | more)
                troubles = [(link["name"], link["refused"], link["last_error"]) for link in node.links()]
                wrong[node.name] = {
                    "missing": len(missing), "more": len(more), "twice": twice, "of": dict(kinds), "links": troubles,
                }
        return wrong

    def traffic(self):
        return {link["name"] + " of " + node.name: link["objects"] for node in self.nodes for link in node.links()}

    def stop(self):
        for node in self.nodes:
            node.stop()
        for _, line in self.lines:
            line.close()


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    field = Field(tmp_path_factory.mktemp("field"))
    yield field
    field.stop()


def test_everybody_holds_what_they_may_and_everybody_gives_back_what_is_recalled(field):
    north, hub, partner = field.nodes[0], field.nodes[3], field.partners[0]
    begin = time.monotonic()
    for maker, count, first in ((north, OBJECTS * 7 // 10, 0), (hub, OBJECTS // 5, 1 << 20), (partner, OBJECTS // 10, 1 << 21)):
        maker.makes([(indicator(first + n), field.random.choice(LEVELS)) for n in range(count)])
    done = field.disturb()
    until(field.wrong, "not everybody holds what they may")
    took = time.monotonic() - begin
    # A loop would go on.
    before = field.traffic()
    time.sleep(12)
    assert field.traffic() == before, "objects still travel though everybody holds everything"
    assert not field.wrong()
    # The last object that reached many: taken back, it goes from everybody.
    wanted = spread(field.nodes, field.ways)
    object = next(id for id, (_, tlp) in reversed(north.made.items()) if tlp == "clear")
    holders = [node for node in field.nodes if object in wanted[node.name] and node is not north]
    assert len(holders) == len(field.nodes) - 1
    north.run("recall", object, "--delete", "--yes")
    del north.made[object]

    def unconfirmed():
        status = json.loads(north.run("recall", "status", object, "--json", expect=(0, 1)).stdout)
        return None if confirmed(status) >= len(holders) else status

    until(unconfirmed, "not everybody has confirmed", 60)
    until(field.wrong, "somebody still holds what was recalled", 30)
    bytes_kept = sum(len(node.listed()) for node in field.nodes)
    print(
        f"\n{OBJECTS} objects, {len(field.nodes)} nodes, {done['cut']} cuts, {done['kill']} kills: {bytes_kept} copies,"
        f" settled after {took:.1f} s; a recall confirmed by {len(holders)}"
    )


def confirmed(status):
    """How many have confirmed, those behind the receivers with them."""
    count = 0
    for recall in status if isinstance(status, list) else status.get("recalls", []):
        for receiver in recall["receivers"]:
            count += (receiver["state"] == "confirmed") + receiver["downstream"]["confirmed"]
    return count
