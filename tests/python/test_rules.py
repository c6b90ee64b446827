"""What a viewer may have, for other sensors: nothing of what they may not have, and every file as the real programs read it."""

import base64
import io
import json
import os
import re
import shutil
import subprocess
import tarfile

import pytest

from conftest import Node, indicator

FORMATS = (
    "suricata", "suricata-datasets", "suricata-iprep", "snort3", "snort3-reputation", "zeek-intel", "sigma", "rpz", "hosts",
    "nftables", "iptables", "squid", "postfix", "csv", "jsonl", "stix", "plain",
)
FOLDERS = ("suricata-datasets", "suricata-iprep", "squid", "postfix", "plain")
TLP = {
    "clear": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    "green": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    "amber": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    "strict": "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    "red": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}
VIEWERS = {
    "Example CERT": {"clear", "green", "amber", "strict", None},
    "Client": {"clear", "green", "amber", None},
    "Community": {"clear", "green"},
    "Stranger": {"clear"},
    "Nina": {"clear", "green", "red"},
}
ID = re.compile(rb"indicator--[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OPEN = {"object_marking_refs": [TLP["clear"]]}


def bundle(objects):
    made = {"type": "bundle", "id": "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d", "objects": objects}
    return json.dumps(made).encode()


def files(node, format, *words):
    """The files of an export: name to bytes."""
    out = node.run("rules", "--as", format, *words).stdout
    if format not in FOLDERS:
        return {"": out}
    with tarfile.open(fileobj=io.BytesIO(out)) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def summary(node, tmp_path, format, *words):
    done = node.run("rules", "--as", format, "-o", str(tmp_path / "out"), "--json", *words)
    return json.loads(done.stdout)


def decoded(content):
    """Every line as it is, and as what it is in base64."""
    for line in content.splitlines():
        yield line
        try:
            yield base64.b64decode(line, validate=True)
        except ValueError:
            pass


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A node with an indicator of each label, and viewers who stand to it in every way."""
    node = Node(tmp_path_factory.mktemp("labelled") / "home")
    node.run("collection", "add", "shared")
    for name, relation in (("Client", "client"), ("Community", "community"), ("Stranger", "public")):
        node.run("organisation", "add", name, "--relation", relation)
    node.run("account", "add", "Nina", "--role", "reader", "--organisation", "Community", "--password-stdin", input=node.password)
    made = {}
    for number, label in enumerate(["clear", "green", "amber", "strict", "red", None], start=1):
        found = indicator(number, name=f"named {number}", **({"object_marking_refs": [TLP[label]]} if label else {}))
        found["pattern"] = f"[domain-name:value = 'h{number}.evil.example' OR ipv4-addr:value = '203.0.113.{number}']"
        to = ("--to", "Nina") if label == "red" else ()
        node.run("import", "-", "--collection", "shared", *to, input=bundle([found]))
        made[label] = found
    return node, made


@pytest.mark.parametrize("format", FORMATS)
def test_nobody_is_given_what_they_may_not_have(labelled, format):
    node, made = labelled
    for viewer, labels in VIEWERS.items():
        given = files(node, format, "--as-viewer", viewer)
        whole = b"\n".join(given.values())
        may = {found["id"].encode() for label, found in made.items() if label in labels}
        assert set(ID.findall(whole)) == may, f"{format} for {viewer}"
        lines = b"\n".join(decoded(whole))
        for label, found in made.items():
            number = int(found["id"][-1])
            for trace in (f"h{number}.evil.example", f"203.0.113.{number}", f"{number}.113.0.203", f"named {number}"):
                assert label in labels or trace.encode() not in lines, f"{format} for {viewer}: {trace}"


def test_an_export_is_in_the_audit_log_with_what_was_given(labelled):
    node, made = labelled
    node.run("rules", "--as", "csv", "--as-viewer", "Client")
    for label, expected in (("amber", True), ("red", False)):
        told = json.loads(node.run("who", made[label]["id"], "--json").stdout)
        given = [found for found in told["handed"] if found["organisation"] == "Client" and found["as"] == "rules"]
        assert bool(given) == expected, f"{label}: {told}"


def test_what_does_not_hold_is_left_out_with_its_reason(tmp_path):
    node = Node(tmp_path / "home")
    node.run("collection", "add", "shared")

    def made(number, **extra):
        return indicator(number, **{**OPEN, **extra})

    old, new = "2026-03-01T09:00:00.000Z", "2026-04-01T09:00:00.000Z"
    node.run("import", "-", "--collection", "shared", input=bundle([made(2)]))
    node.run("import", "-", "--collection", "shared", input=bundle([
        made(1, confidence=80),
        made(2, modified=new, revoked=True),
        made(3, valid_until="2026-03-02T09:00:00Z"),
        made(4, valid_from="9000-01-01T00:00:00Z"),
        made(5, pattern="[domain-name:value = 'a.example' AND domain-name:value = 'b.example']"),
        made(6, pattern="[domain-name:value = 'com']"),
        made(7, pattern="[ipv4-addr:value = '0.0.0.0/0']"),
        made(8, pattern="[ipv4-addr:value = '127.0.0.1']"),
        made(9, pattern_type="yara", pattern="rule x { condition: true }"),
        made(10, pattern_type="suricata", pattern="pass ip any any <> any any (sid:1;)"),
        made(11, pattern_type="suricata", pattern="alert dns any any -> any any (msg:\"x\"; dns.query; content:\"y\"; sid:2000001;)"),
    ]))
    out = summary(node, tmp_path, "suricata")
    left = {reason: found["count"] for reason, found in out["left_out"].items()}
    assert left == {
        "revoked": 1, "expired": 1, "not-yet-valid": 1, "says-more": 1, "too-broad": 2, "other-language": 1, "does-more": 1,
    }
    assert (out["indicators"], out["entries"], out["natives"]) == (11, {"domain": 1, "ipv4": 1}, 1)
    rules = (tmp_path / "out").read_text()
    assert "pass ip" not in rules and "sid:2000001" not in rules
    assert summary(node, tmp_path, "nftables")["left_out"]["private"]["count"] == 1, "nothing cuts off the reader's own hosts"
    sure = summary(node, tmp_path, "csv", "--min-confidence", "80")
    assert (sure["written"], sure["left_out"]["low-confidence"]["count"]) == (1, 7)
    # An older version that lies elsewhere does not bring back what was revoked.
    node.run("collection", "add", "elsewhere")
    node.run("import", "-", "--collection", "elsewhere", input=bundle([made(2, modified=old), made(1, confidence=80)]))
    both = summary(node, tmp_path, "csv")
    assert (both["indicators"], both["left_out"]["revoked"]["count"]) == (11, 1)


def test_ways_out(labelled, tmp_path):
    node, _ = labelled
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "sha1.txt").write_text("of an earlier export\n")
    node.run("rules", "--as", "plain", "-o", f"{folder}/")
    assert sorted(path.name for path in folder.iterdir()) == ["domain.txt", "index.csv", "ipv4.txt"]
    part = node.run("rules", "--as", "plain", "--part", "domain.txt").stdout
    assert [line for line in part.splitlines() if not line.startswith(b"#")] == [
        line for line in (folder / "domain.txt").read_bytes().splitlines() if not line.startswith(b"#")
    ]
    for words in (("--as", "nothing"), ("--as", "plain", "--part", "../x"), ("--as", "csv", "--numbers", "9-1"), ("--as", "csv", "--json")):
        node.run("rules", *words, expect=(2,))
    for words in (("--as-viewer", "Nobody"), ("--collection", "none"), ("-o", str(tmp_path / "no" / "file"))):
        node.run("rules", "--as", "csv", *words, expect=(3,))


HOSTILE = "x\n127.0.0.1 bank.example\r\n\"; sid:1; )\u202e\u2028' # ; \\ \u0000 }".replace("\u0000", "\u0007")
PATTERNS = {
    "domain": "[domain-name:value = 'evil.example.com']",
    "idn": "[domain-name:value = 'مرصد.example.com']",
    "below": "[domain-name:value LIKE '%.wide.example.com']",
    "trigger": "[domain-name:value = '32.1.0.0.127.rpz-ip']",
    "both": "[domain-name:value = 'wide2.example.com' OR domain-name:value LIKE '%.wide2.example.com']",
    "v4": "[ipv4-addr:value = '203.0.113.7']",
    "nested": "[ipv4-addr:value = '203.0.113.0/24']",
    "wider": "[ipv4-addr:value = '203.0.112.77/20']",
    "v6": "[ipv6-addr:value = '2001:db8::10']",
    "v6net": "[ipv6-addr:value = '2001:db8:0:1::/64']",
    "url": "[url:value = 'http://evil.example.com/a b/?q=\"x\";y&z=(1)*[2]{3}^$']",
    "port": "[url:value = 'https://evil.example.com:8443/']",
    "sha256": f"[file:hashes.'SHA-256' = '{'ab' * 32}']",
    "md5": f"[file:hashes.MD5 = '{'cd' * 16}']",
    "name": "[file:name = 'in voice$(1)[2].exe']",
    "email": "[email-addr:value = 'Bad+1@evil.example.com']",
    "subject": "[email-message:subject = 'Win $100 (now) / free*']",
    "agent": "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = 'curl \"x\"; *?']",
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A node with indicators of every kind, whose author writes what would break out of each format."""
    node = Node(tmp_path_factory.mktemp("hostile") / "home")
    node.run("collection", "add", "shared")
    author = {
        "type": "identity", "spec_version": "2.1", "id": "identity--11111111-1111-4111-8111-111111111111",
        "created": "2026-03-01T09:00:00.000Z", "modified": "2026-03-01T09:00:00.000Z", "name": f"CERT {HOSTILE}",
        "identity_class": "organization", **OPEN,
    }
    made = [
        indicator(number, name=HOSTILE, pattern=pattern, created_by_ref=author["id"], **OPEN)
        for number, pattern in enumerate(PATTERNS.values(), start=1)
    ]
    done = node.run("import", "-", "--collection", "shared", input=bundle([author, *made]))
    assert b"refused 0" in done.stderr + done.stdout
    return node


def program(name, *others):
    """A program's path; the test is skipped, with the reason, where it is absent."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"skipped: no {name} on this machine")
    return found


def runs(*words, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120, **more)
    assert done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def entries(content, mark="#"):
    return [line for line in content.decode().split("\n") if line and not line.startswith(mark)]


def test_bind_loads_the_zone(hostile, tmp_path):
    check = program("named-checkzone")
    zone = files(hostile, "rpz")[""]
    (tmp_path / "zone").write_bytes(zone)
    dump = tmp_path / "dump"
    runs(check, "-k", "ignore", "-D", "-o", dump, "rpz.marsad", tmp_path / "zone")
    owners = {line.split()[0] for line in dump.read_text().splitlines() if " CNAME" in line.replace("\t", " ")}
    assert owners == {
        f"{owner}.rpz.marsad." for owner in (
            "evil.example.com", "xn--ugbdm6d.example.com", "*.wide.example.com", "wide2.example.com", "*.wide2.example.com",
            "32.7.113.0.203.rpz-ip", "24.0.113.0.203.rpz-ip", "20.0.112.0.203.rpz-ip", "128.10.zz.db8.2001.rpz-ip",
            "64.zz.1.0.db8.2001.rpz-ip",
        )
    }


def test_nftables_takes_the_sets(hostile, tmp_path):
    nft = program("nft")
    probe = subprocess.run([nft, "-c", "add table inet marsad_probe"], capture_output=True, text=True)
    if probe.returncode != 0:
        pytest.skip(f"skipped: nft may not be asked here: {probe.stderr.strip().splitlines()[:1]}")
    (tmp_path / "sets").write_bytes(files(hostile, "nftables")[""])
    runs(nft, "-c", "-f", tmp_path / "sets")
    assert (tmp_path / "sets").read_text().count(" comment ") == 3, "no interval covers another"


def test_ipset_takes_the_sets(hostile, tmp_path):
    ipset, unshare = program("ipset"), program("unshare")
    # In a network of its own, which goes with the process.
    alone = (unshare, "--user", "--map-root-user", "--net")
    probe = subprocess.run([*alone, ipset, "list"], capture_output=True, text=True)
    if probe.returncode != 0:
        pytest.skip(f"skipped: ipset may not be asked here: {probe.stderr.strip().splitlines()[:1]}")
    (tmp_path / "sets").write_bytes(files(hostile, "iptables")[""])
    listed = runs(*alone, "sh", "-c", f"{ipset} -exist restore < {tmp_path}/sets && {ipset} list")
    for entry in ("203.0.113.7 ", "203.0.113.0/24 ", "203.0.112.0/20 ", "2001:db8::10 ", "2001:db8:0:1::/64 "):
        assert f"\n{entry}comment " in listed, listed


def test_squid_takes_the_lists(hostile, tmp_path):
    squid = program("squid")
    given = files(hostile, "squid")
    for name, content in given.items():
        (tmp_path / name).write_bytes(content)
    config = given["marsad.conf"].decode().replace("/etc/squid/marsad/", f"{tmp_path}/")
    (tmp_path / "squid.conf").write_text(f"{config}http_port 3128\nhttp_access deny all\n")
    tmp_path.chmod(0o755)
    said = runs(squid, "-k", "parse", "-f", tmp_path / "squid.conf")
    assert not re.search("ERROR|FATAL|subdomain|subnetwork|WARNING.*(?:ignored|duplicate)", said), said
    patterns = entries(given["marsad-urls.acl"])
    asked = "http://evil.example.com/a%20b/?q=%22x%22;y&z=(1)*[2]%7B3%7D%5E$"
    if grep := shutil.which("grep"):
        matched = subprocess.run([grep, "-E", "-f", "-", "/dev/null"], input="\n".join(patterns), text=True)
        assert matched.returncode == 1, "each is an expression"
        hits = [p for p in patterns if subprocess.run([grep, "-qE", p], input=asked, text=True).returncode == 0]
        assert len(hits) == 1, "exactly the URL is matched"


def test_postfix_takes_the_maps(hostile, tmp_path):
    postmap = program("postmap")
    for name, content in files(hostile, "postfix").items():
        (tmp_path / name).write_bytes(content)
    runs(postmap, f"hash:{tmp_path}/marsad-access")

    def asked(map, key):
        done = subprocess.run([postmap, "-q", key, f"{map}"], capture_output=True, text=True, timeout=60)
        assert not done.stderr.strip() or "warning" not in done.stderr, done.stderr
        return done.stdout.strip()

    for map, key, answer in (
        (f"hash:{tmp_path}/marsad-access", "evil.example.com", "REJECT"),
        (f"hash:{tmp_path}/marsad-access", "bad+1@evil.example.com", "REJECT"),
        (f"hash:{tmp_path}/marsad-access", "bank.example", ""),
        (f"cidr:{tmp_path}/marsad-clients.cidr", "203.0.113.9", "REJECT"),
        (f"cidr:{tmp_path}/marsad-clients.cidr", "2001:db8::10", "REJECT"),
        (f"cidr:{tmp_path}/marsad-clients.cidr", "127.0.0.1", ""),
        (f"regexp:{tmp_path}/marsad-headers.regexp", "Subject: Win $100 (now) / free*", "REJECT"),
        (f"regexp:{tmp_path}/marsad-headers.regexp", "Subject: Win $100 (now) / freeee", ""),
        (f"regexp:{tmp_path}/marsad-attachments.regexp", 'Content-Type: x; name="in voice$(1)[2].exe"', "REJECT"),
        (f"regexp:{tmp_path}/marsad-attachments.regexp", 'Content-Type: x; name="in voice.exe"', ""),
    ):
        assert asked(map, key) == answer, f"{map} {key}"


def test_suricata_takes_the_rules(hostile, tmp_path):
    suricata = program("suricata")
    (tmp_path / "marsad.rules").write_bytes(files(hostile, "suricata")[""])
    said = runs(suricata, "-T", "-l", tmp_path, "-S", tmp_path / "marsad.rules")
    assert not re.search(r"error parsing signature.*(?<!smtp)", said), said


def test_pysigma_takes_the_rules(hostile):
    collection = pytest.importorskip("sigma.collection", reason="skipped: no pySigma on this machine")
    text = files(hostile, "sigma")[""].decode()
    rules = collection.SigmaCollection.from_yaml(text).rules
    assert [rule.errors for rule in rules if rule.errors] == []
    assert len({rule.id for rule in rules}) == len(rules)
    items = [
        item for rule in rules for detection in rule.detection.detections.values() for item in detection.detection_items
    ]
    plain = [value for item in items if not item.modifiers for value in item.value]
    assert not [value for value in plain if value.contains_special()], "nothing of a value is a wildcard"
    found = {value.to_plain() for value in plain}
    assert {"evil.example.com", "xn--ugbdm6d.example.com", "203.0.113.7", "2001:db8::10"} <= found
    networks = {value.cidr for item in items for value in item.value if hasattr(value, "cidr")}
    assert networks == {"203.0.113.0/24", "203.0.112.0/20", "2001:db8:0:1::/64"}


def test_sigma_rules_of_partners_are_passed_on_and_end_nothing(tmp_path):
    yaml = pytest.importorskip("yaml", reason="skipped: no PyYAML on this machine")
    node = Node(tmp_path / "home")
    node.run("collection", "add", "shared")
    sound = (
        "title: Of a partner\nstatus: test\ndate: 2026-03-01\ntags:\n- attack.t1059.001\nlogsource:\n  product: windows\n"
        "detection:\n  sel:\n    - Image|endswith: '\\a.exe'\n      Other: \"x: y\"\n    - Image: \\b.exe\n  condition: sel\n"
        "description: |\n  any [ text {\n   of its own\nlevel: high\n"
    )
    bent = ("x: [", "x: &a", "x: 'open", "---\nx: y", "...", "\tx: y", "x: 2026-13-45", "x: 0x_", "x: =", "title: twice", "%YAML 9")
    texts = [sound, *(sound + line + "\n" for line in bent), sound]
    made = [indicator(n, pattern_type="sigma", pattern=text, **OPEN) for n, text in enumerate(texts, start=1)]
    node.run("import", "-", "--collection", "shared", input=bundle(made))
    read = list(yaml.safe_load_all(files(node, "sigma")[""].decode()))
    assert read == [yaml.safe_load(sound)] * 2
    assert summary(node, tmp_path, "sigma")["left_out"]["bad-rule"]["count"] == len(bent)


def test_idstools_reads_every_rule(hostile):
    rule = pytest.importorskip("idstools.rule", reason="skipped: no idstools on this machine")
    lines = entries(files(hostile, "suricata")[""])
    read = [rule.parse(line) for line in lines]
    assert all(found and found.enabled and found.sid >= 1_000_000 for found in read)
    assert len({found.sid for found in read}) == len(lines)


def test_hosts_and_csv_hold_exactly_the_entries(hostile, tmp_path):
    names = {"evil.example.com", "xn--ugbdm6d.example.com", "wide2.example.com"}
    hosts = [line.split("#")[0].split() for line in entries(files(hostile, "hosts")[""])]
    assert {name for _, name in hosts} - {"32.1.0.0.127.rpz-ip"} == names and {where for where, _ in hosts} == {"0.0.0.0"}
    content = files(hostile, "csv")[""]
    (tmp_path / "marsad.csv").write_bytes(content)
    assert content.startswith(b"type,value,id\n")
    assert f"sha256,{'ab' * 32},".encode() in content
