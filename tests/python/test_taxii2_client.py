"""The OASIS client, unchanged, from discovery to delete, both ways of paging, alone and in crowds."""

import concurrent.futures
import json

import pytest
import requests
from taxii2client.v21 import ApiRoot, Collection, Server, as_pages

from conftest import indicator

PER_PAGE = 100


def collection(node, alias):
    return Collection(node.address(alias), user=node.auth[0], password=node.auth[1])


def test_discovery_to_delete(node):
    node.collection("walk", "--title", "A walk")
    server = Server(f"{node.url}/taxii2/", user=node.auth[0], password=node.auth[1])
    assert server.default.url.startswith(node.url)
    root = server.api_roots[0]
    assert "application/taxii+json;version=2.1" in root.versions and root.max_content_length > 0
    found = {c.title: c for c in root.collections}["A walk"]
    assert found.can_read and found.can_write

    first, second = indicator(), indicator()
    status = found.add_objects({"objects": [first, second]})
    assert (status.status, status.success_count, status.failure_count) == ("complete", 2, 0)
    status.refresh()
    assert status.status == "complete"

    assert [o["id"] for o in found.get_objects()["objects"]] == [first["id"], second["id"]]
    assert found.get_object(first["id"])["objects"] == [first]
    newer = dict(first, modified="2026-03-02T09:00:00.000Z", name="Newer")
    assert found.add_objects({"objects": [newer]}).success_count == 1
    assert found.object_versions(first["id"])["versions"] == [first["modified"], newer["modified"]]
    assert found.get_object(first["id"])["objects"] == [newer]
    assert [m["id"] for m in found.get_manifest()["objects"]] == [second["id"], first["id"]]

    found.delete_object(first["id"], version=newer["modified"])
    assert found.get_object(first["id"])["objects"] == [first]
    found.delete_object(first["id"])
    with pytest.raises(requests.HTTPError) as gone:
        found.get_object(first["id"])
    assert gone.value.response.status_code == 404


def test_over_tls_with_the_nodes_own_certificate(tmp_path, monkeypatch):
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # they would win over the client's own setting
        monkeypatch.delenv(name, raising=False)
    import subprocess
    from conftest import Node, binary
    node = Node(tmp_path / "home")
    process = subprocess.Popen(
        [binary(), "serve", "--home", str(node.home), "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )
    try:
        url = process.stdout.readline().decode().split()[-1].rstrip("/")
        assert url.startswith("https://")
        url = url.replace("127.0.0.1", "localhost")
        certificates = sorted((node.home / "tls").glob("*cert*"))
        assert certificates, "the node made no certificate"
        server = Server(f"{url}/taxii2/", user=node.auth[0], password=node.auth[1], verify=str(certificates[0]))
        assert server.api_roots
        with pytest.raises(requests.exceptions.SSLError):
            Server(f"{url}/taxii2/", user=node.auth[0], password=node.auth[1], verify=True).refresh()
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0


@pytest.fixture(scope="module")
def filled(module_node):
    """A collection of 2,500 objects, and their ids in order."""
    module_node.collection("filled")
    wanted = [indicator(n) for n in range(2500)]
    target = collection(module_node, "filled")
    for start in range(0, len(wanted), 500):
        assert target.add_objects({"objects": wanted[start:start + 500]}).failure_count == 0
    return [o["id"] for o in wanted]


def by_next(node):
    pages = as_pages(collection(node, "filled").get_objects, per_request=PER_PAGE)
    return [o["id"] for page in pages for o in page.get("objects", [])]


def by_date(node):
    """For clients that know no `next`: `added_after` is the last page's X-TAXII-Date-Added-Last."""
    found, after = [], None
    session = requests.Session()
    while True:
        params = {"limit": PER_PAGE, **({"added_after": after} if after else {})}
        answer = session.get(
            f"{node.url}/exchange/collections/filled/objects/", params=params, auth=node.auth,
            headers={"Accept": "application/taxii+json;version=2.1"},
        )
        assert answer.status_code == 200
        page = json.loads(answer.content)
        found += [o["id"] for o in page.get("objects", [])]
        if not page.get("more"):
            return found
        assert answer.headers["X-TAXII-Date-Added-First"] <= answer.headers["X-TAXII-Date-Added-Last"]
        after = answer.headers["X-TAXII-Date-Added-Last"]


@pytest.mark.parametrize("way", [by_next, by_date])
@pytest.mark.parametrize("clients", [1, 8, 32])
def test_every_object_once_and_in_order(module_node, filled, way, clients):
    with concurrent.futures.ThreadPoolExecutor(clients) as crowd:
        for found in crowd.map(lambda _: way(module_node), range(clients)):
            assert found == filled


def test_filters_as_the_client_sends_them(module_node, filled):
    found = collection(module_node, "filled")
    some = filled[10:13]
    assert [o["id"] for o in found.get_objects(id=some)["objects"]] == some
    assert "objects" not in found.get_objects(type="malware")
    assert len(found.get_objects(type="indicator", limit=7)["objects"]) == 7
    assert found.get_objects(added_after="2200-01-01T00:00:00.000000Z") == {}
    assert ApiRoot(f"{module_node.url}/exchange/", user=module_node.auth[0], password=module_node.auth[1]).title
