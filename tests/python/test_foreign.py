"""A foreign server in the middle: one node pushes to it, another pulls from it, and neither has to believe it."""

import json

import pytest

import foreign
from conftest import indicator
from partners import Organisation
from wire import Liar

MIDDLE = "Middle"


def exchange(folder, url, collection="middle"):
    """North pushes to the server, South pulls from it and has North's card; the server has none."""
    north, south = Organisation(folder, "North CERT", 2), Organisation(folder, "South CERT", 3)
    south.knows(north)
    for node in (north, south):
        node.run("partner", "add", "--foreign", MIDDLE, "--relation", "community")
    sign_in = ("--user", foreign.USER, "--password-stdin")
    north.run(
        "link", "add", "out", "--partner", MIDDLE, "--push", url, "--collection", collection, "--from", "shared", *sign_in,
        input=foreign.PASSWORD,
    )
    south.run(
        "link", "add", "in", "--partner", MIDDLE, "--pull", url, "--collection", collection, "--into", "shared", *sign_in,
        input=foreign.PASSWORD,
    )
    return north, south


def run(node, link, expect=(0,)):
    return json.loads(node.run("link", "run", link, "--json", expect=expect).stdout)


def own(node):
    """What it holds of what organisations make, without what it says of itself."""
    return {id: found for id, found in node.holds().items() if id.startswith("indicator--")}


@pytest.mark.parametrize("kind", foreign.KINDS)
def test_what_goes_over_a_foreign_server_arrives_whole_with_its_author_and_its_way(kind, tmp_path):
    with foreign.running(foreign.KINDS[kind], tmp_path) as server:
        north, south = exchange(tmp_path, server.url)
        levels = ["clear", "green", "amber", "red", None]
        north.makes([(indicator(n), levels[n % len(levels)]) for n in range(25)])
        sent = run(north, "out")
        assert (sent["added"], sent["refused"]) == (10, 0), sent
        seals = [found for found in server.objects() if found["type"] == "marsad-seal"]
        assert len(seals) == 10, "each object goes with its author's seal"
        came = run(south, "in")
        assert (came["added"], came["refused"]) == (10, 0), came
        goes = {id: made for id, (made, tlp) in north.made.items() if tlp in ("clear", "green")}
        assert own(south) == goes, "objects and markings are whole"
        assert run(south, "in")["objects"] == 0 and run(north, "out")["objects"] == 0, "nothing travels twice"
        sources = json.loads(south.run("sources", next(iter(goes)), "--json").stdout)
        assert [source["organisation"] for version in sources for source in version["sources"]] == [MIDDLE]
        # Nothing that was withheld reached the server.
        assert not {id for id, (_, tlp) in north.made.items() if tlp not in ("clear", "green")} & {
            found["id"] for found in server.objects()
        }
        recalled(north, south, next(iter(goes)))


def recalled(north, south, object):
    """Taken back, it goes from South too; of the server North tells what was tried and what it answered."""
    north.run("recall", object, "--delete", "--yes")
    sent, came = run(north, "out", expect=(0, 1)), run(south, "in", expect=(0, 1))
    assert object not in own(south), f"a recall travels over the server: {sent} {came}"
    status = json.loads(north.run("recall", "status", object, "--json", expect=(0, 1)).stdout)
    receivers = {receiver["organisation"]: receiver for recall in status["recalls"] for receiver in recall["receivers"]}
    assert receivers[MIDDLE]["answer"], f"what was tried is told: {status}"


@pytest.mark.parametrize("kind", foreign.KINDS)
def test_what_the_middle_alters_is_refused_and_the_rest_goes_on(kind, tmp_path):
    with foreign.running(foreign.KINDS[kind], tmp_path) as server:
        lies = {}
        liar = Liar(server.url.split("/taxii2")[0], lambda found: lies.get(found["id"], lambda it: it)(found))
        north, south = exchange(tmp_path, f"{liar.url}/taxii2/")
        north.makes([(indicator(n), "green") for n in range(6)])
        ids = sorted(north.made)
        clear = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"
        lies[ids[0]] = lambda it: {**it, "pattern": "[domain-name:value = 'a.bank.example']"}
        lies[ids[1]] = lambda it: {**it, "object_marking_refs": [clear]}
        lies[ids[2]] = lambda it: {name: value for name, value in it.items() if name != "object_marking_refs"}
        assert run(north, "out")["added"] == 6
        came = run(south, "in", expect=(1,))
        assert (came["added"], came["refused"]) == (3, 3), came
        assert own(south) == {id: north.made[id][0] for id in ids[3:]}
        for id in ids[:3]:
            assert south.audit([id, "object-refused"]), f"the audit log says why {id} was refused"
        liar.shutdown()


def test_a_server_that_alters_everything_brings_nothing(tmp_path):
    """OpenTAXII 0.9.3 as it was released: the `spec_version` of what it hands on is the object's type."""
    with foreign.running(lambda folder: foreign.opentaxii(folder, mended=False), tmp_path) as server:
        north, south = exchange(tmp_path, server.url)
        north.makes([(indicator(n), "green") for n in range(3)])
        assert run(north, "out")["added"] == 3
        came = run(south, "in", expect=(1,))
        assert came["added"] == 0 and own(south) == {}, came
        assert south.audit(["object-refused"])
