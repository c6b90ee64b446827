"""The main job on real input: the three ATT&CK bundles in, read out by a real client, new objects pushed back."""

import json
import re
import subprocess

import pytest
import requests
import stix2
from taxii2client.v21 import Collection, as_pages

from conftest import Node, binary, indicator, shared, unpack


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attack")
    unpack(shared("attack-stix", "attack-stix21.tar.zst"), folder)
    found = {p.name.split("-")[0]: p for p in folder.rglob("*.json")}
    found["enterprise"] = shared("attack-stix", "enterprise-attack-18.1-stix20.json.zst")
    return found


@pytest.fixture(scope="module")
def loaded(material, tmp_path_factory):
    node = Node(tmp_path_factory.mktemp("node") / "home")
    for name, path in material.items():
        node.collection(name)
        done = node.run("import", str(path), "--collection", name, "--json", expect=(0, 1))
        node.counts = {**getattr(node, "counts", {}), name: json.loads(done.stdout)}
    node.start()
    yield node
    node.stop()


def raw_objects(text):
    """The exact bytes of each object of a bundle, by a decoder of the standard library."""
    decoder, at = json.JSONDecoder(), text.index('"objects"')
    at = text.index("[", at) + 1
    while True:
        while text[at] in " \r\n\t,":
            at += 1
        if text[at] == "]":
            return
        value, end = decoder.raw_decode(text, at)
        yield value, text[at:end]
        at = end


def raw_walk(node, name):
    """Every version in a collection, page by page: the value and its exact bytes."""
    url, after, found = f"{node.url}/exchange/collections/{name}/objects/", {}, []
    while True:
        answer = requests.get(
            url, params={"limit": 1000, "match[version]": "all", **after}, auth=node.auth,
            headers={"Accept": "application/taxii+json;version=2.1"},
        )
        answer.encoding = "utf-8"
        found += raw_objects(answer.text)
        more = re.search(r'"more": *(true|false)', answer.text[:200] + answer.text[-400:])
        if not more or more.group(1) == "false":
            return found
        after = {"next": re.search(r'"next": *"([^"]*)"', answer.text[:400] + answer.text[-400:]).group(1)}


def walk(node, name, **filters):
    found = Collection(node.address(name), user=node.auth[0], password=node.auth[1])
    for page in as_pages(found.get_objects, per_request=1000, **filters):
        yield from page.get("objects", [])


@pytest.mark.parametrize("name", ["ics", "mobile"])
def test_bodies_are_the_authors_bytes(loaded, material, name):
    assert loaded.counts[name]["refused"] == 0
    wanted = {}
    for value, text in raw_objects(material[name].read_text()):
        wanted[value["id"], value.get("modified")] = text
    seen = {}
    for value, text in raw_walk(loaded, name):
        key = value["id"], value.get("modified")
        assert key not in seen, f"{key} twice"
        seen[key] = text
    assert seen == wanted


def test_enterprise_is_upgraded_whole(loaded, material, tmp_path):
    counts = loaded.counts["enterprise"]
    assert (counts["added"], counts["refused"]) == (24771, 0)
    source = json.loads(unpack(material["enterprise"], tmp_path).read_text())["objects"]
    pages = list(walk(loaded, "enterprise"))
    served = {o["id"]: o for o in pages}
    assert len(pages) == len(served) == 24771 and set(served) == {o["id"] for o in source}
    assert all(o["spec_version"] == "2.1" for o in served.values())
    for before in source:
        after = served[before["id"]]
        for name, value in before.items():
            if name != "labels":
                assert after[name] == value, (before["id"], name)


def test_export_and_server_give_the_same_bytes(loaded, tmp_path):
    out = tmp_path / "enterprise.json"
    loaded.run("export", "--collection", "enterprise", "-o", str(out))
    exported = {value["id"]: text for value, text in raw_objects(out.read_text())}
    assert len(exported) == 24771
    served = raw_walk(loaded, "enterprise")
    assert len(served) == 24771
    for value, text in served:
        assert exported[value["id"]] == text


@pytest.mark.parametrize("name", ["ics", "mobile"])
def test_stix2_parses_all_that_is_served(loaded, name):
    for served in walk(loaded, name):
        stix2.parse(served, allow_custom=True)


def test_stix2_parses_enterprise(loaded):
    parsed = 0
    for served in walk(loaded, "enterprise"):
        stix2.parse(served, allow_custom=True)
        parsed += 1
    assert parsed == 24771


def test_new_objects_are_pushed_back(loaded):
    found = Collection(loaded.address("ics"), user=loaded.auth[0], password=loaded.auth[1])
    pushed = [json.loads(stix2.Indicator(**{k: v for k, v in indicator().items() if k != "type"}).serialize()) for _ in range(20)]
    assert found.add_objects({"objects": pushed}).success_count == 20
    served = {o["id"]: o for o in walk(loaded, "ics", type="indicator")}
    assert all(served[o["id"]] == o for o in pushed)


def test_importing_again_changes_nothing(loaded, material):
    done = loaded.run("import", str(material["mobile"]), "--collection", "mobile", "--json", expect=(0, 1))
    counts = json.loads(done.stdout)
    assert counts["added"] == 0 and counts["unchanged"] == loaded.counts["mobile"]["added"]


def test_pull_from_one_node_into_another(loaded, tmp_path):
    other = Node(tmp_path / "other")
    other.run("collection", "add", "copy")
    other.run(
        "pull", f"{loaded.url}/taxii2/", "--collection", "mobile", "--user", loaded.auth[0], "--password-stdin",
        "--into", "copy", input=loaded.password,
    )
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    loaded.run("export", "--collection", "mobile", "-o", str(before))
    other.run("export", "--collection", "copy", "-o", str(after))
    assert {v["id"]: t for v, t in raw_objects(before.read_text())} == {v["id"]: t for v, t in raw_objects(after.read_text())}
    done = subprocess.run([binary(), "check", "--home", str(other.home)], capture_output=True)
    assert done.returncode == 0, done.stdout
