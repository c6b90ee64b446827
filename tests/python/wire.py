"""What lies between nodes in the field test: a line that breaks, and a relay that does not hand on what it got."""

import contextlib
import http.server
import json
import random
import select
import socket
import threading
import urllib.error
import urllib.request


class Line:
    """A TCP line to an address, with a loopback port of its own. `cut` breaks every connection; what is on the way is lost.

    `most`: a connection breaks after at most so many bytes of answers, again and again, while it is set.
    """

    def __init__(self, host="127.0.0.1"):
        self.target, self.most, self.cuts, self.open, self.lock = None, None, 0, set(), threading.Lock()
        self.listener = socket.create_server((host, 0))
        self.address = "%s:%d" % self.listener.getsockname()
        self.random = random.Random(self.address)
        threading.Thread(target=self._listen, daemon=True).start()

    def leads_to(self, address):
        host, port = address.rsplit(":", 1)
        self.target = (host, int(port))
        return self

    def cut(self):
        with self.lock:
            pairs, self.open = self.open, set()
        for ends in pairs:
            self._close(ends)
        self.cuts += len(pairs)
        return len(pairs)

    def close(self):
        self.listener.close()
        self.cut()

    def _close(self, ends):
        for end in ends:
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, as of a line that broke
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _listen(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near):
        try:
            if self.target is None:
                raise OSError("it leads nowhere yet")
            far = socket.create_connection(self.target, timeout=10)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        ends = (near, far)
        with self.lock:
            self.open.add(ends)
        left = self.random.randrange(1, self.most) if self.most else None
        try:
            while True:
                for end in select.select(ends, [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    if end is far and left is not None:
                        if len(data) >= left:
                            near.sendall(data[:left])
                            self.cuts += 1
                            return
                        left -= len(data)
                    (far if end is near else near).sendall(data)
        except (OSError, ValueError):
            return
        finally:
            with self.lock:
                self.open.discard(ends)
            self._close(ends)


class Liar(http.server.ThreadingHTTPServer):
    """Stands before a TAXII server and alters the objects of its answers: `alters(object)` gives what goes out."""

    daemon_threads = True

    def __init__(self, target, alters):
        super().__init__(("127.0.0.1", 0), Lies)
        self.target, self.alters = target.rstrip("/"), alters
        self.url = "http://127.0.0.1:%d" % self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Lies(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self._pass(None)

    def do_POST(self):
        self._pass(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    def _pass(self, body):
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "accept-encoding")}
        request = urllib.request.Request(self.server.target + self.path, data=body, headers=headers, method=self.command)
        try:
            answer = urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            content = answer.read().replace(self.server.target.encode(), self.server.url.encode())
            with contextlib.suppress(ValueError):
                page = json.loads(content)
                if isinstance(page.get("objects"), list):
                    page["objects"] = [self.server.alters(found) for found in page["objects"]]
                    content = json.dumps(page).encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection", "server", "date"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, *_):
        pass
