"""`marsad watch` against a small matcher of its own kind: the same logs in five formats, the same hits in each."""

import csv
import gzip
import ipaddress
import json
import random
import subprocess

import pytest

from conftest import binary

LINES = 3000


def make_indicators(rng):
    """(type, value as the list has it, id)"""
    made = []
    for n in range(300):
        made.append(("domain", f"bad{n}.example-{n % 7}.com", f"i-domain-{n}"))
        made.append(("domain", f".wide{n}.example-{n % 7}.net", f"i-wide-{n}"))
        made.append(("ipv4", str(ipaddress.IPv4Address(0xCB007100 + n)), f"i-ip-{n}"))
        made.append(("md5", f"{rng.getrandbits(128):032x}", f"i-md5-{n}"))
        made.append(("url", f"http://bad{n}.example.org/p/{n}", f"i-url-{n}"))
    made.append(("cidr", "198.51.100.0/25", "i-net"))
    made.append(("ipv6", "2001:db8::bad", "i-six"))
    return made


class Matcher:
    """What `marsad watch` must find, in sets."""

    def __init__(self, indicators):
        self.exact, self.wide, self.nets = {}, {}, []
        for kind, value, name in indicators:
            if kind == "cidr":
                self.nets.append((ipaddress.ip_network(value), name))
            elif kind in ("ipv4", "ipv6"):
                self.exact["ip", ipaddress.ip_address(value)] = name
            elif kind == "domain" and value.startswith("."):
                self.wide[value[1:].lower()] = name
                self.exact["domain", value[1:].lower()] = name
            else:
                self.exact[kind, value.lower() if kind != "url" else value] = name

    def address(self, text):
        address = ipaddress.ip_address(text)
        found = {name for net, name in self.nets if address in net}
        if ("ip", address) in self.exact:
            found.add(self.exact["ip", address])
        return found

    def domain(self, text):
        text = text.lower().rstrip(".")
        found = {self.exact["domain", text]} if ("domain", text) in self.exact else set()
        labels = text.split(".")
        for cut in range(1, len(labels)):
            above = ".".join(labels[cut:])
            if above in self.wide:
                found.add(self.wide[above])
        return found

    def plain(self, kind, text):
        name = self.exact.get((kind, text))
        return {name} if name else set()


def make_events(rng, indicators):
    """Events of one shape for all formats; some hold what was planted, many what nearly is."""
    by_kind = {}
    for kind, value, _ in indicators:
        by_kind.setdefault(kind, []).append(value)
    events = []
    for n in range(LINES):
        event = {
            "src": f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
            "dst": str(ipaddress.IPv4Address(0x08000000 + rng.getrandbits(24))),
            "host": f"host{n}.example-{n % 7}.com",
            "md5": f"{rng.getrandbits(128):032x}",
        }
        dice = rng.randrange(40)
        if dice == 0:
            event["host"] = rng.choice(by_kind["domain"]).lstrip(".")
        elif dice == 1:
            event["host"] = "WWW." + rng.choice([d for d in by_kind["domain"] if d[0] == "."])[1:].upper()
        elif dice == 2:
            event["dst"] = rng.choice(by_kind["ipv4"])
        elif dice == 3:
            event["dst"] = f"198.51.100.{rng.randrange(256)}"
        elif dice == 4:
            event["md5"] = rng.choice(by_kind["md5"]).upper()
        elif dice == 5:
            event["dst"] = "2001:0db8:0:0::0bad"
        elif dice == 6:  # all around an indicator, none of them one
            event["host"] = "not" + rng.choice(by_kind["domain"]).lstrip(".")
            event["md5"] = rng.choice(by_kind["md5"])[:-1] + "g"
        elif dice == 7:
            event["host"] = rng.choice([d for d in by_kind["domain"] if d[0] != "."]) + ".org"
        elif dice == 8:
            event["host"] = "sub." + rng.choice([d for d in by_kind["domain"] if d[0] != "."])
        events.append(event)
    return events


def zeek_json(events):
    for n, e in enumerate(events):
        yield json.dumps({"ts": 1700000000.25 + n, "uid": f"C{n}", "id.orig_h": e["src"], "id.resp_h": e["dst"],
                          "server_name": e["host"]} | ({"md5": e["md5"]}))


def zeek_tsv(events):
    yield "#separator \\x09"
    for head in (["#set_separator", ","], ["#empty_field", "(empty)"], ["#unset_field", "-"], ["#path", "files"],
                 ["#fields", "md5", "ts", "id.resp_h", "query", "id.orig_h"], ["#types", "string", "time", "addr", "string", "addr"]):
        yield "\t".join(head)
    for n, e in enumerate(events):
        yield "\t".join([e["md5"], f"{1700000000.25 + n}", e["dst"], e["host"], e["src"]])
    yield "#close\t2026-01-01-00-00-00"


def eve(events):
    for n, e in enumerate(events):
        yield json.dumps({"timestamp": "2023-09-18T06:13:41.532140+0000", "flow_id": 2**62 + n, "event_type": "fileinfo",
                          "src_ip": e["src"], "dest_ip": e["dst"], "http": {"hostname": e["host"]},
                          "fileinfo": {"md5": e["md5"], "state": "CLOSED"}})


def table(events, path):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time", "note", "src_ip", "dst_ip", "host", "md5"])
        for n, e in enumerate(events):
            writer.writerow([n, 'a "note", in two\nlines' if n % 10 == 0 else "x", e["src"], e["dst"], e["host"], e["md5"]])


def syslog(events):
    for e in events:
        yield (f'<134>1 2026-10-11T22:14:15.003Z fw app - - [x@32473 src="{e["src"]}" dst="{e["dst"]}"] '
               f'query for {e["host"]}, file md5={e["md5"]}')


def write(path, lines):
    path.write_text("".join(line + "\n" for line in lines))


def watch(tmp_path, *words):
    done = subprocess.run([binary(), "watch", "--indicators", str(tmp_path / "list.csv"), *map(str, words)],
                          capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("watch")
    rng = random.Random(20261125)
    indicators = make_indicators(rng)
    with open(folder / "list.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["type", "value", "id"])
        writer.writerows(indicators)
    events = make_events(rng, indicators)
    matcher = Matcher(indicators)
    wanted = {}
    for n, e in enumerate(events):
        found = matcher.address(e["src"]) | matcher.address(e["dst"]) | matcher.domain(e["host"]) | matcher.plain("md5", e["md5"].lower())
        if found:
            wanted[n] = found
    assert len(wanted) > 200
    return folder, events, wanted


def by_event(hits, first, lines_of=None):
    found = {}
    for hit in hits:
        n = lines_of[hit["line"]] if lines_of else hit["line"] - first
        found.setdefault(n, set()).add(hit["indicator"])
    return found


@pytest.mark.parametrize("form", ["zeek_json", "zeek_tsv", "eve", "syslog"])
def test_lines(planted, form):
    folder, events, wanted = planted
    path = folder / form
    write(path, globals()[form](events))
    hits, said = watch(folder, path)
    assert by_event(hits, 8 if form == "zeek_tsv" else 1) == wanted, said
    packed = folder / f"{form}.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    again, _ = watch(folder, packed)
    assert [hit | {"input": ""} for hit in again] == [hit | {"input": ""} for hit in hits]


def test_csv(planted):
    folder, events, wanted = planted
    path = folder / "table.csv"
    table(events, path)
    lines_of, line = {}, 2
    for n in range(len(events)):
        lines_of[line] = n
        line += 2 if n % 10 == 0 else 1
    hits, said = watch(folder, path)
    assert by_event(hits, None, lines_of) == wanted, said


def test_many_inputs_in_their_order(planted):
    folder, events, wanted = planted
    logs = folder / "logs"
    logs.mkdir()
    for part in range(4):
        write(logs / f"{part}.log", zeek_json(events[part::4]))
    hits, _ = watch(folder, logs)
    order = [(hit["input"], hit["line"]) for hit in hits]
    assert order == sorted(order)
    found = {}
    for hit in hits:
        part = int(hit["input"][-5])
        found.setdefault((hit["line"] - 1) * 4 + part, set()).add(hit["indicator"])
    assert found == wanted


def test_urls_in_text(planted):
    folder, _, _ = planted
    path = folder / "notes.txt"
    write(path, [f"<a href='http://bad{n}.example.org/p/{n}'>, hxxp://bad{n}[.]example.org/p/{n}x" for n in range(300)])
    hits, _ = watch(folder, "--format", "text", path)
    assert by_event(hits, 1) == {n: {f"i-url-{n}"} for n in range(300)}
