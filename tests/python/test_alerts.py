"""Alerts on their way out of a real node: a web server, mail servers and syslog servers that listen on loopback."""

import asyncio
import base64
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import socket
import socketserver
import ssl
import subprocess
import threading
import time

import pytest
import requests

from conftest import Node, indicator
from test_nats import server as nats_program

GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
SECRET = "a secret of some length"
MEDIA = "application/taxii+json;version=2.1"


def until(found, seconds=30):
    """Waits for something to be found; what it is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if got := found():
            return got
        time.sleep(0.05)
    raise AssertionError("it did not come in time")


class Hook(http.server.ThreadingHTTPServer):
    """A web server that keeps what it is told, once it is told to answer well."""

    daemon_threads = True

    def __init__(self, port=0):
        self.got, self.status, self.location = [], 204, None
        super().__init__(("127.0.0.1", port), Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/hook"

    def stop(self):
        self.shutdown()
        self.server_close()


class Answer(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.headers, body))
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words):
        pass


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=loopback", "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        capture_output=True,
    )
    assert made.returncode == 0, made.stderr
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return folder / "cert.pem", context


class Watcher(Node):
    """A node with a collection, an indicator in it, and hits to bring in."""

    def __init__(self, home, config=""):
        super().__init__(home)
        self.settings(config)
        self.run("collection", "add", "sightings")

    def settings(self, text):
        secret = self.home / "hook-secret"
        secret.write_text(SECRET + "\n")
        (self.home / "config.toml").write_text('alerts.webhook-secret-file = "hook-secret"\n' + text)

    def knows(self, **extra):
        """An indicator in the book; its id."""
        one = indicator(object_marking_refs=[GREEN], **extra)
        done = requests.post(
            f"{self.url}/exchange/collections/main/objects/", json.dumps({"objects": [one]}), auth=self.auth,
            headers={"Accept": MEDIA, "Content-Type": MEDIA}, timeout=30,
        )
        assert done.json()["success_count"] == 1, done.text
        return one["id"]

    def meets(self, of, lines, entity="10.0.0.7", value="bad.example"):
        raw = json.dumps({"id.orig_h": entity, "id.resp_h": "198.51.100.9", "query": value})
        hits = [{"indicator": of, "type": "domain", "value": value, "field": "query", "input": "dns.log", "line": n,
                 "time": "2026-11-25T20:00:00Z", "raw": raw} for n in lines]
        done = requests.post(f"{self.url}/api/alerts", json={"hits": hits}, auth=self.auth, timeout=30)
        assert done.status_code == 200, done.text
        return done.json()

    def alerts(self, query="", auth=None):
        done = requests.get(f"{self.url}/api/alerts{query}", auth=auth or self.auth, timeout=30)
        assert done.status_code == 200, done.text
        return done.json()


def verified(headers, body):
    said = hmac.new(SECRET.encode(), headers["Marsad-Timestamp"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(headers["Marsad-Signature"], f"v1={said}")
    assert abs(int(headers["Marsad-Timestamp"]) - time.time()) < 120
    return json.loads(body)


def test_a_noisy_indicator_is_told_once_and_signed(tmp_path):
    hook = Hook()
    node = Watcher(tmp_path / "home", f'alerts.webhook = "{hook.url}"\n').start()
    try:
        of = node.knows(name="Beacon \u202egnp.exe")
        assert node.meets(of, range(200)) == {"counted": 200, "repeated": 0, "refused": 0}
        assert node.meets(of, range(150, 200)) == {"counted": 0, "repeated": 50, "refused": 0}
        assert node.meets("indicator--00000000-0000-4000-8000-000000000009", range(3))["refused"] == 3
        (headers, body), = until(lambda: hook.got)
        notice = verified(headers, body)
        listed, = node.alerts()["alerts"]
        assert (notice["count"], notice["indicator"], notice["entity"]) == (200, of, "10.0.0.7")
        assert headers["Marsad-Notice"] == notice["id"] == f"{listed['id']}.1" and headers["Idempotency-Key"] == notice["id"]
        shown = requests.get(f"{node.url}/api/alerts/{listed['id']}", auth=node.auth, timeout=30).json()
        assert [one["line"] for one in shown["evidence"]] == [0, 1, 2, 3, 199] and "10.0.0.7" in shown["evidence"][0]["raw"]
        time.sleep(1.5)
        assert len(hook.got) == 1
    finally:
        node.stop()
        hook.stop()


def test_what_was_taken_survives_kill_and_a_server_that_is_away(tmp_path):
    away = Hook()
    port = away.server_address[1]
    away.status = 503
    node = Watcher(tmp_path / "home", f'alerts.webhook = "{away.url}"\n').start()
    of = node.knows()
    for round_ in range(5):
        node.meets(of, [round_], entity=f"10.0.0.{round_}")
        node.kill()
        node.start()
    ids = {one["id"] for one in node.alerts()["alerts"]}
    assert len(ids) == 5
    node.kill()
    away.stop()
    hook = Hook(port)
    node.start()
    try:
        until(lambda: {verified(*one)["alert"] for one in hook.got} == ids)
        # Whatever was sent twice has the same id twice.
        assert {headers["Marsad-Notice"] for headers, _ in hook.got} == {f"{one}.1" for one in ids}
    finally:
        node.stop()
        hook.stop()


def test_a_server_that_sends_us_on_gets_nothing_further(tmp_path):
    hook, other = Hook(), Hook()
    hook.status, hook.location = 307, other.url
    node = Watcher(tmp_path / "home", f'alerts.webhook = "{hook.url}"\n').start()
    try:
        node.meets(node.knows(), [1])
        until(lambda: len(hook.got) > 1)
        assert other.got == []
    finally:
        node.stop()
        hook.stop()
        other.stop()


class Post:
    """A mail server that keeps what it takes."""

    def __init__(self, context, begins):
        smtp = pytest.importorskip("aiosmtpd.smtp", reason="skipped: aiosmtpd is not installed")
        self.got, self.signed, self.loop = [], [], asyncio.new_event_loop()
        tls = {"auth_require_tls": False} if begins == "smtps" else {"tls_context": context, "require_starttls": True}
        answers = lambda: smtp.SMTP(self, authenticator=self.signs_in, auth_required=True, loop=self.loop, **tls)
        threading.Thread(target=self.loop.run_forever, daemon=True).start()
        at_once = context if begins == "smtps" else None
        made = asyncio.run_coroutine_threadsafe(self.loop.create_server(answers, "127.0.0.1", 0, ssl=at_once), self.loop)
        self.server = made.result(10)
        self.port = self.server.sockets[0].getsockname()[1]

    def stop(self):
        self.loop.call_soon_threadsafe(self.server.close)

    async def handle_DATA(self, server, session, envelope):
        self.got.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=email.policy.default), session.ssl is not None))
        return "250 OK"

    def signs_in(self, server, session, envelope, mechanism, data):
        from aiosmtpd.smtp import AuthResult
        self.signed.append((data.login, data.password))
        return AuthResult(success=data.password == b"mail password")


@pytest.mark.parametrize("language, begins, words", [
    ("ar", "smtps", "إنذار جديد"), ("fr", "smtp", "nouvelle alerte"), ("es", "smtps", "nueva alerta"), ("en", "smtp", "new alert"),
])
def test_mail(tmp_path, certificates, language, begins, words):
    authority, context = certificates
    post = Post(context, begins)
    node = Watcher(tmp_path / "home", "".join(f"{line}\n" for line in [
        f'alerts.smtp = "{begins}://127.0.0.1:{post.port}"', f'alerts.smtp-authorities = "{authority}"',
        'alerts.smtp-user = "marsad"', 'alerts.smtp-password-file = "mail-password"', f'alerts.language = "{language}"',
        'alerts.mail-from = "Marsad <marsad@example.org>"', 'alerts.mail-to = ["SOC <soc@example.org>", "b@example.org"]',
    ]))
    (node.home / "mail-password").write_text("mail password\n")
    node.start()
    try:
        of = node.knows(name="منارة\r\nBcc: all@victim.example\r\n\r\nevil \u202e")
        node.meets(of, [1, 2, 3])
        to, mail, under_tls = until(lambda: post.got)[0]
        assert under_tls or begins == "smtps"
        assert to == ["soc@example.org", "b@example.org"] and post.signed[0] == (b"marsad", b"mail password")
        subject, text = str(mail["Subject"]), mail.get_content()
        assert words in subject and "منارة" in subject and "\n" not in subject and "\u202e" not in subject
        assert mail["Bcc"] is None and mail.get_content_type() == "text/plain"
        assert mail["Content-Language"] == language and mail["Auto-Submitted"] == "auto-generated"
        assert of in text and "bad[.]example" in text and "10[.]0[.]0[.]7" in text and "\u202e" not in text
        listed, = node.alerts()["alerts"]
        assert mail["Message-ID"] == f"<{listed['id']}.1@example.org>"
        assert ("2026 " in text or "2026،" in text or "2026," in text) and "20:00:00 UTC" in text
    finally:
        node.stop()
        post.stop()


def test_mail_is_not_sent_in_the_clear(tmp_path):
    """A server without STARTTLS gets no alert."""
    said = []

    class Plain(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"220 plain\r\n")
            for line in self.rfile:
                said.append(line)
                self.wfile.write(b"250 plain\r\n" if line.upper().startswith(b"EHLO") else b"502 no\r\n")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Plain)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    node = Watcher(tmp_path / "home", f'alerts.smtp = "smtp://127.0.0.1:{server.server_address[1]}"\n'
                   'alerts.mail-from = "a@example.org"\nalerts.mail-to = ["b@example.org"]\n').start()
    try:
        node.meets(node.knows(), [1])
        until(lambda: any(line.upper().startswith(b"STARTTLS") for line in said))
        assert not any(line.upper().startswith((b"MAIL", b"RCPT", b"DATA", b"AUTH")) for line in said), said
    finally:
        node.stop()
        server.shutdown()


class Stream(socketserver.StreamRequestHandler):
    def handle(self):
        self.server.got.append(self.rfile.read())


class Datagram(socketserver.BaseRequestHandler):
    def handle(self):
        self.server.got.append(self.request[0])


@pytest.mark.parametrize("over, text", [("udp", "cef"), ("tcp", "plain"), ("tls", "cef")])
def test_syslog(tmp_path, certificates, over, text):
    authority, context = certificates
    kind, handler = (socketserver.ThreadingUDPServer, Datagram) if over == "udp" else (socketserver.ThreadingTCPServer, Stream)
    server = kind(("127.0.0.1", 0), handler)
    server.daemon_threads, server.got = True, []
    if over == "tls":
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    node = Watcher(tmp_path / "home", f'alerts.syslog = "{over}://127.0.0.1:{server.server_address[1]}"\n'
                   f'alerts.syslog-text = "{text}"\nalerts.syslog-authorities = "{authority}"\n').start()
    try:
        of = node.knows(name='a|b\\c="]\n<13>1 forged')
        node.meets(of, [1, 2])
        said = until(lambda: server.got)[0].decode()
        if over != "udp":
            length, said = said.split(" ", 1)
            assert int(length) == len(said.encode())
        assert said.startswith("<36>1 ") and "\n" not in said and f'indicator="{of}"' in said
        listed, = node.alerts()["alerts"]
        assert f'notice="{listed["id"]}.1"' in said
        if text == "cef":
            assert "\ufeffCEF:0|Marsad|Marsad|" in said and r'|a\|b\\c="] <13>1 forged|7|' in said and " cnt=2 " in said
        else:
            assert said.endswith('a|b\\c="] <13>1 forged met 2 times: bad.example')
    finally:
        node.stop()
        server.shutdown()


def test_who_sees_an_alert_and_who_answers_it(tmp_path):
    node = Watcher(tmp_path / "home", 'watch.sightings = "own"\n')
    password = "correct horse battery staple"
    for name, role, more in [("reader", "reader", []), ("guest", "analyst", ["--organisation", "Guests"])]:
        if more:
            node.run("organisation", "add", "Guests", "--relation", "client")
        node.run("account", "add", name, "--role", role, "--password-stdin", *more, input=password)
    node.start()
    try:
        seen = node.knows()
        red = indicator(object_marking_refs=[RED])
        file = tmp_path / "red.json"
        file.write_text(json.dumps({"type": "bundle", "id": f"bundle--{red['id'][11:]}", "objects": [red]}))
        node.run("import", str(file), "--collection", "main", "--to", "analyst")
        node.meets(seen, [1])
        node.meets(red["id"], [2], value="secret.example")
        mine = node.alerts()["alerts"]
        assert {one["indicator"] for one in mine} == {seen, red["id"]}
        hidden = next(one["id"] for one in mine if one["indicator"] == red["id"])
        shown = next(one["id"] for one in mine if one["indicator"] == seen)

        reader, guest = ("reader", password), ("guest", password)
        assert [one["id"] for one in node.alerts(auth=reader)["alerts"]] == [shown]
        assert node.alerts("?limit=1", auth=reader)["more"] is False

        def ask(path, auth, **body):
            address = f"{node.url}/api/alerts{path}"
            done = requests.post(address, json=body, auth=auth, timeout=30) if body else requests.get(address, auth=auth, timeout=30)
            return done.status_code, {**done.json(), "error_id": ""}

        nothing = ask("/5e57c739-391a-4eb3-b6be-7d15ca92d5ed", reader)
        assert nothing[0] == 404 and ask(f"/{hidden}", reader) == nothing
        assert ask(f"?behind={hidden}", reader) == ask("?behind=5e57c739-391a-4eb3-b6be-7d15ca92d5ed", reader)
        assert ask(f"/{shown}", reader, answer="close")[0] == 403
        assert ask("", reader, hits=[])[0] == 403
        assert ask("", guest)[0] == ask(f"/{shown}", guest)[0] == ask("/stream", guest)[0] == 404
        assert ask("", None)[0] == 401
        stream = requests.get(f"{node.url}/api/alerts/stream?after=2020-01-01T00:00:00Z&once=true", auth=reader, timeout=30).text
        assert shown in stream and hidden not in stream and red["id"] not in stream

        assert ask(f"/{shown}", node.auth, answer="odd")[0] == 400
        code, answered = ask(f"/{shown}", node.auth, answer="false-positive", note="our own scanner")
        assert code == 200 and answered["state"] == "false-positive" and answered["answered"]["by"] == "analyst"
        book = json.loads(node.run("export", "--collection", "sightings").stdout)["objects"]
        opinion, = [one for one in book if one["type"] == "opinion"]
        assert (opinion["opinion"], opinion["object_refs"], opinion["explanation"]) == ("strongly-disagree", [seen], "our own scanner")
        assert "analyst" not in json.dumps(opinion)
        assert ask(f"/{hidden}", node.auth, answer="close")[1]["open"] is False
        assert [one["id"] for one in node.alerts("?state=closed")["alerts"]] == [hidden]
        # The log is written in groups, behind the answers.
        wanted = ("alert-false-positive", "alert-closed")
        until(lambda: all(word in node.run("audit", "list", "--json").stdout.decode() for word in wanted))
    finally:
        node.stop()


def test_the_stream_says_it_at_once(tmp_path):
    node = Watcher(tmp_path / "home").start()
    try:
        of = node.knows()
        events = []

        def listen():
            with requests.get(f"{node.url}/api/alerts/stream", auth=node.auth, stream=True, timeout=60) as answer:
                events.append(("open", time.monotonic()))
                for line in answer.iter_lines():
                    if line.startswith(b"data: "):
                        events.append((json.loads(line[6:]), time.monotonic()))

        threading.Thread(target=listen, daemon=True).start()
        until(lambda: events)
        waits = []
        for n in range(20):
            begin, before = time.monotonic(), len(events)
            node.meets(of, [n], entity=f"10.0.1.{n}")
            until(lambda: len(events) > before)
            waits.append(events[before][1] - begin)
            assert events[before][0]["entity"] == f"10.0.1.{n}"
        print(f"from the request to the event: median {sorted(waits)[10] * 1000:.0f} ms, worst {max(waits) * 1000:.0f} ms")
    finally:
        node.kill()


def nats_server():
    """The server's program; the test is skipped where it is not installed."""
    program = nats_program()
    if not program:
        pytest.skip("skipped: no nats-server on this machine")
    return program


class Nats:
    """Speaks as much of the protocol as the test wants."""

    def __init__(self, port):
        self.wire = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.read = self.wire.makefile("rb")
        self.read.readline()
        self.wire.sendall(b'CONNECT {"verbose":false,"headers":true}\r\nSUB answers 1\r\n')

    def ask(self, subject, **body):
        text = json.dumps(body).encode()
        self.wire.sendall(b"PUB %s answers %d\r\n%s\r\n" % (subject.encode(), len(text), text))
        while True:
            line = self.read.readline()
            if line.startswith(b"PING"):
                self.wire.sendall(b"PONG\r\n")
            elif line.startswith((b"MSG", b"HMSG")):
                return json.loads(self.read.read(int(line.split()[-1]) + 2))


def test_nats(tmp_path):
    program = nats_server()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    server = subprocess.Popen([program, "-js", "-a", "127.0.0.1", "-p", str(port), "-sd", str(tmp_path / "nats")],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def there():
        try:
            return Nats(port)
        except OSError:
            return None

    node = None
    try:
        nats = until(there)
        made = nats.ask("$JS.API.STREAM.CREATE.ALERTS", name="ALERTS", subjects=["marsad.>"], duplicate_window=120_000_000_000)
        assert "error" not in made, made
        node = Watcher(tmp_path / "home", f'alerts.nats = "nats://127.0.0.1:{port}/ALERTS?subject=marsad.alerts"\n').start()
        of = node.knows()
        node.meets(of, [1, 2, 3])
        kept = until(lambda: nats.ask("$JS.API.STREAM.MSG.GET.ALERTS", last_by_subj="marsad.alerts").get("message"))
        notice, headers = json.loads(base64.b64decode(kept["data"])), base64.b64decode(kept["hdrs"]).decode()
        assert (notice["indicator"], notice["count"]) == (of, 3) and f"Nats-Msg-Id: {notice['id']}" in headers
        time.sleep(1)
        assert nats.ask("$JS.API.STREAM.INFO.ALERTS")["state"]["messages"] == 1
    finally:
        if node:
            node.stop()
        server.kill()
        server.wait()


def test_a_line_of_a_sensor_becomes_an_alert_and_a_sighting(tmp_path):
    """From the log that grows to the alert, through the watch of the node itself; killed in between, and nothing is missed."""
    hook = Hook()
    log = tmp_path / "dns.log"
    log.write_text("")
    node = Watcher(tmp_path / "home", f'alerts.webhook = "{hook.url}"\nwatch.inputs = ["{log}"]\nwatch.format = "zeek"\n'
                   'watch.sightings = "own"\n').start()
    try:
        one = indicator(object_marking_refs=[GREEN])
        one["pattern"] = "[domain-name:value = 'bad.example']"
        file = tmp_path / "one.json"
        file.write_text(json.dumps({"type": "bundle", "id": f"bundle--{one['id'][11:]}", "objects": [one]}))
        node.run("import", str(file), "--collection", "main")
        time.sleep(1.5)

        def line(n, host):
            return json.dumps({"ts": time.time(), "uid": f"C{n}", "id.orig_h": host, "id.orig_p": 5000, "id.resp_h": "198.51.100.9",
                               "id.resp_p": 53, "proto": "udp", "query": "bad.example", "qtype_name": "A"}) + "\n"

        begin = time.monotonic()
        with log.open("a") as out:
            out.write("".join(line(n, "10.0.0.7") for n in range(50)))
        until(lambda: hook.got)
        print(f"from the line to the web server: {(time.monotonic() - begin) * 1000:.0f} ms")
        node.kill()
        with log.open("a") as out:
            out.write("".join(line(n, "10.0.0.8") for n in range(50, 60)))
        node.start()
        until(lambda: sum(alert["count"] for alert in node.alerts()["alerts"]) == 60)
        assert {alert["entity"]: alert["count"] for alert in node.alerts()["alerts"]} == {"10.0.0.7": 50, "10.0.0.8": 10}

        def sighted():
            book = json.loads(node.run("export", "--collection", "sightings").stdout).get("objects", [])
            return {one["count"] for one in book if one["type"] == "sighting" and one["sighting_of_ref"] == alert_of}

        alert_of = one["id"]
        until(lambda: 10 in sighted())
    finally:
        node.stop()
        hook.stop()
