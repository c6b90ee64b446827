"""Foreign TAXII 2.1 servers on loopback ports, for exchange over what is no Marsad."""

import contextlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid

import pytest

MEDIA = "application/taxii+json;version=2.1"
USER, PASSWORD = "exchange", "in the middle of everything"

# OpenTAXII 0.9.3 writes its answers with a `json.dumps` that knows no UUID, so that with libraries of today each is a 500;
# here ids are written as text. And it gives the type of an object as its `spec_version`, so that nothing that it hands on is
# what it got: MENDED says whether that is set right. Nothing else of the server is touched.
OPENTAXII = """
import json, os, sys
import opentaxii.server
from opentaxii.taxii2 import http
write = http.make_taxii2_response
def respond(data, status=200, extra_headers=None):
    if MENDED and isinstance(data, dict):
        for found in data.get("objects", []):
            if found.get("spec_version") == found.get("type"):
                found["spec_version"] = "2.1"
    return write(data if isinstance(data, str) else json.dumps(data, default=str), status, extra_headers)
opentaxii.server.make_taxii2_response = respond
from opentaxii.cli import app
server = app.taxii_server
with app.app_context():
    root = server.servers.taxii2.persistence.api.add_api_root(title="api", description="", default=True, is_public=True)
    server.servers.taxii2.persistence.api.add_collection(
        api_root_id=str(root.id), title="middle", description="", alias="middle", is_public=True, is_public_write=True)
    server.auth.api.create_account(username=sys.argv[2], password=sys.argv[3])
app.debug = False
app.run(host="127.0.0.1", port=int(sys.argv[1]), threaded=True)
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def ask(url, timeout=30):
    import base64
    token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {token}", "Accept": MEDIA})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return json.loads(answer.read())


class Foreign:
    """A server with one collection, `middle`, readable and writable."""

    def __init__(self, process, port, log):
        self.process, self.log = process, log
        self.url = f"http://127.0.0.1:{port}/taxii2/"
        until = time.monotonic() + 60
        while True:
            try:
                discovery = ask(self.url)
                roots = [discovery.get("default"), *discovery.get("api_roots", [])]
                self.root = next(root for root in roots if root)
                if self.root.startswith("/"):
                    self.root = f"http://127.0.0.1:{port}{self.root}"
                found = ask(f"{self.root.rstrip('/')}/collections/")["collections"]
                self.collection = next(c["id"] for c in found if c["title"] == "middle")
                return
            except (OSError, urllib.error.URLError, StopIteration, KeyError, ValueError) as error:
                if process.poll() is not None or time.monotonic() > until:
                    self.stop()
                    pytest.skip(f"skipped: the foreign server does not start: {error}; {log.read_text()[-400:]}")
                time.sleep(0.2)

    def objects(self):
        """Everything in it, page by page."""
        found, query = [], "limit=100&match[version]=all"
        while True:
            page = ask(f"{self.root.rstrip('/')}/collections/{self.collection}/objects/?{query}")
            found += page.get("objects", [])
            if not page.get("more"):
                return found
            query = f"limit=100&match[version]=all&next={page['next']}"

    def stop(self):
        self.process.kill()
        self.process.wait()


def has(module):
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"skipped: {module} is not installed: pip install -r tests/requirements.txt")


@contextlib.contextmanager
def running(make, folder):
    server = make(folder)
    try:
        yield server
    finally:
        server.stop()


def medallion(folder):
    has("medallion")
    port = free_port()
    data, conf, log = folder / "medallion-data.json", folder / "medallion.json", folder / "medallion.log"
    root = f"http://127.0.0.1:{port}/api/"
    data.write_text(json.dumps({
        "/discovery": {"title": "middle", "default": root, "api_roots": [root]},
        "api": {
            "information": {"title": "api", "versions": [MEDIA], "max_content_length": 9765625}, "status": [],
            "collections": [{
                "id": str(uuid.uuid4()), "title": "middle", "can_read": True, "can_write": True,
                "media_types": ["application/stix+json;version=2.1"], "objects": [], "manifest": [],
            }],
        },
    }))
    conf.write_text(json.dumps({
        "backend": {
            "module": "medallion.backends.memory_backend", "module_class": "MemoryBackend", "filename": str(data),
        },
        "users": {USER: PASSWORD}, "taxii": {"max_page_size": 100},
    }))
    command = [sys.executable, "-m", "medallion.scripts.run", "--host", "127.0.0.1", "--port", str(port), str(conf)]
    with open(log, "ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    return Foreign(process, port, log)


def opentaxii(folder, mended=True):
    has("opentaxii")
    port, conf, log = free_port(), folder / "opentaxii.yml", folder / "opentaxii.log"
    conf.write_text(json.dumps({
        "domain": f"127.0.0.1:{port}", "support_basic_auth": True, "return_server_error_details": True,
        "auth_api": {"class": "opentaxii.auth.sqldb.SQLDatabaseAPI", "parameters": {
            "db_connection": f"sqlite:///{folder}/opentaxii-auth.db", "create_tables": True, "secret": "for this test alone",
        }},
        "taxii1": None,
        "taxii2": {
            "title": "middle", "public_discovery": True, "max_content_length": 9765625, "allow_custom_properties": True,
            "persistence_api": {"class": "opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI", "parameters": {
                "db_connection": f"sqlite:///{folder}/opentaxii.db", "create_tables": True,
            }},
        },
        "logging": {"opentaxii": "warning", "root": "warning"},
    }))
    command = [sys.executable, "-W", "ignore", "-c", f"MENDED = {mended}\n{OPENTAXII}", str(port), USER, PASSWORD]
    with open(log, "ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, "OPENTAXII_CONFIG": str(conf)})
    return Foreign(process, port, log)


KINDS = {"medallion": medallion, "opentaxii": opentaxii}
