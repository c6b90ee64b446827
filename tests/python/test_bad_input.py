"""Input that means harm, at its full size: a gigabyte of brackets, in bounded memory, by every way in."""

import base64
import http.client
import os
import subprocess
import threading

import pytest

from conftest import binary

GIGABYTE = 1 << 30
# What a program may take for one hostile document, in MiB.
BUDGET = 400


def fed(words, pieces):
    """Runs a command on what `pieces` yields as its standard input: exit code, both streams, peak memory in MiB."""
    child = subprocess.Popen([binary(), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def feed():
        try:
            for piece in pieces:
                child.stdin.write(piece)
            child.stdin.close()
        except BrokenPipeError:  # it has read enough
            pass

    feeder = threading.Thread(target=feed)
    feeder.start()
    err = []
    reader = threading.Thread(target=lambda: err.append(child.stderr.read()))
    reader.start()
    out = child.stdout.read()
    reader.join()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    feeder.join()
    return child.returncode, out, err[0], usage.ru_maxrss // 1024


def repeated(piece, size, head=b"", tail=b""):
    block = piece * ((1 << 20) // len(piece))
    yield head
    for _ in range(size // len(block)):
        yield block
    yield tail


OPEN = b'{"type":"bundle","id":"bundle--5ddaeff9-eca7-4094-9e65-4f53da21a444","objects":['
WALLS = {
    "opening brackets": lambda size: repeated(b"[", size),
    "nested lists": lambda size: repeated(b"[[[[[[[[]]]]]]]],", size, OPEN, b"1]}"),
    "elements that are no objects": lambda size: repeated(b"1,", size, b"[", b"1]"),
    "one list that does not end": lambda size: repeated(b"1,", size, OPEN + b'{"type":"tool","x_a":['),
    "one string that does not end": lambda size: repeated(b"a", size, OPEN + b'{"type":"'),
    "members of one object": lambda size: repeated(b'"a":1,', size, b"{"),
    "white space": lambda size: repeated(b" ", size),
}


@pytest.mark.parametrize("wall", WALLS)
def test_files(node, wall):
    # The first at its full size; the others need less to show whether memory grows with them.
    size = GIGABYTE if wall == "opening brackets" else 200 << 20 if "no objects" not in wall and "nested" not in wall else 16 << 20
    for words in (["validate", "--json", "-"], ["import", "-", "--home", str(node.home)]):
        code, out, err, peak = fed(words, WALLS[wall](size))
        assert code == 1, (words, out[-300:], err[-300:])
        assert peak < BUDGET, f"{words} took {peak} MiB"
    node.run("check")


def test_over_http(node):
    node.collection("wall")
    host, port = node.listen.split(":")
    for wall in ("opening brackets", "one list that does not end", "white space"):
        wire = http.client.HTTPConnection(host, int(port), timeout=60)
        wire.putrequest("POST", "/exchange/collections/wall/objects/")
        wire.putheader("Authorization", "Basic " + base64.b64encode(":".join(node.auth).encode()).decode())
        for name in ("Accept", "Content-Type"):
            wire.putheader(name, "application/taxii+json;version=2.1")
        wire.putheader("Transfer-Encoding", "chunked")
        wire.endheaders()
        try:
            for piece in WALLS[wall](GIGABYTE):
                wire.send(b"%x\r\n%s\r\n" % (len(piece), piece) if piece else b"")
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            assert wire.getresponse().status == 413, wall
        except ConnectionResetError:  # it closed before all was sent, and its answer was lost on the way
            pass
    peak = next(line for line in open(f"/proc/{node.process.pid}/status") if line.startswith("VmHWM"))
    assert int(peak.split()[1]) // 1024 < BUDGET, peak
    node.run("check")
