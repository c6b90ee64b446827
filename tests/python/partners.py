"""Nodes that are partners of each other: set up by commands alone, as their people would."""

import json
import os
import re

from conftest import Node

# Every loopback address that a test listens on; nothing else is reached.
os.environ.setdefault("MARSAD_EGRESS_ALLOW", ",".join(f"127.0.0.{n}" for n in range(1, 40)))

SHARED = "shared"
# From the freest to the strictest, as STIX marks them (TLP 2.0).
TLP = {
    "clear": "94868c89-83c2-464b-929b-a1a8aa3c8487", "green": "bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "amber": "55d920b0-5e8b-4f79-9ee9-91f868d9b421", "amber+strict": "939a9414-2ddd-4d32-a0cd-375ea402b003",
    "red": "e828b379-4e03-4974-9ac4-e53a884c97c1",
}
# To whom a level goes, by how they stand to whoever holds it.
GOES = {
    "clear": {"client", "community", "public"}, "green": {"client", "community"}, "amber": {"client"},
    None: {"client"},  # no marking is AMBER
    "amber+strict": set(), "red": set(),
}


class Organisation(Node):
    """A node with a card, a collection that is shared, and what it made itself."""

    def __init__(self, folder, name, number):
        super().__init__(folder / name.lower().replace(" ", "-"), name)
        self.name, self.listen, self.made, self.relations = name, f"127.0.0.{number}:0", {}, {}
        self.collection_id = self.run("collection", "add", SHARED).stdout.decode().split()[-1]
        self.card = self.home.parent / f"{self.home.name}.card.json"
        self.run("card", "show", "-o", str(self.card))
        shown = json.loads(self.run("card", "show", "--json").stdout)
        self.words, self.identity = shown["words"], shown["identities"][0]

    def knows(self, other, relation="community"):
        """Takes the other's card, compared by its words."""
        self.relations[other.name] = relation
        self.run("partner", "add", str(other.card), "--name", other.name, "--relation", relation, "--words", other.words)

    def key_for(self, other):
        """A key by which the other organisation's link asks here."""
        name = f"link-{other.home.name}"
        self.run("account", "add", name, "--organisation", other.name, "--role", "analyst")
        return self.run("key", "add", name, "--account", name).stdout.decode().split()[-1]

    def pulls(self, other, line, every="5s", extra=()):
        """A link that pulls from the other, over a line."""
        key = other.key_for(self)
        self.run(
            "link", "add", f"from-{other.home.name}", "--partner", other.name, "--pull", f"http://{line.address}/taxii2/",
            "--collection", SHARED, "--into", SHARED, "--every", every, "--at-once", "--key-stdin", *extra, input=key,
        )

    def makes(self, objects):
        """Objects of its own, with the level of each; taken in beside the running node."""
        bundles = {"red": [], None: []}
        for made, tlp in objects:
            made = {**made, "created_by_ref": self.identity}
            if tlp:
                made["object_marking_refs"] = [f"marking-definition--{TLP[tlp]}"]
            bundles["red" if tlp == "red" else None].append(made)
            self.made[made["id"]] = (made, tlp)
        for level, bundle in bundles.items():
            text = json.dumps({"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000000", "objects": bundle})
            file = self.home.parent / f"{self.home.name}.bundle.json"
            file.write_text(text)
            # What is RED is for somebody by name.
            self.run("import", str(file), "--collection", SHARED, *(("--to", self.name) if level else ()))

    def listed(self):
        """What it holds, each as often as it holds it."""
        text = self.run("export", "--collection", SHARED).stdout.decode()
        return re.findall(r'"id": ?"((?!bundle)[a-z0-9-]+--[^"]+)"', text)

    def holds(self):
        text = self.run("export", "--collection", SHARED).stdout
        return {found["id"]: found for found in json.loads(text).get("objects", [])}

    def links(self):
        return json.loads(self.run("link", "status", "--json", expect=(0, 1)).stdout)

    def audit(self, words):
        """Lines of the audit log in which all words stand."""
        text = self.run("audit", "export").stdout.decode()
        return [line for line in text.splitlines() if all(word in line for word in words)]


def befriend(one, other, to_other="community", to_one="community"):
    """Each takes the other's card; how the other stands to each."""
    one.knows(other, to_other)
    other.knows(one, to_one)


def spread(organisations, ways):
    """What each holds in the end: `ways` are pairs (from, to)."""
    held = {node.name: {id: tlp for id, (_, tlp) in node.made.items()} for node in organisations}
    while True:
        before = sum(map(len, held.values()))
        for giver, taker in ways:
            relation = giver.relations[taker.name]
            held[taker.name].update({id: tlp for id, tlp in held[giver.name].items() if relation in GOES[tlp]})
        if sum(map(len, held.values())) == before:
            return held
