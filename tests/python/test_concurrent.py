"""Sixteen writers and sixteen paging readers: every reader sees every object exactly once, in order."""

import json
import threading

import requests

from conftest import indicator

WRITERS, READERS, EACH = 16, 16, 60
HEADERS = {"Accept": "application/taxii+json;version=2.1", "Content-Type": "application/taxii+json;version=2.1"}


def test_sixteen_and_sixteen(node):
    url = node.collection("crowd") + "objects/"
    total, faults, orders = WRITERS * EACH, [], []

    def write(writer):
        session = requests.Session()
        for n in range(EACH):
            body = json.dumps({"objects": [indicator(writer * EACH + n)]})
            answer = session.post(url, data=body, headers=HEADERS, auth=node.auth)
            if answer.status_code != 202 or answer.json()["success_count"] != 1:
                faults.append(answer.text)

    def read():
        session, seen, params = requests.Session(), [], {}
        while len(seen) < total and not faults:
            answer = session.get(url, params={"limit": 37, **params}, headers=HEADERS, auth=node.auth)
            page = answer.json()
            seen += [o["id"] for o in page.get("objects", [])]
            if page.get("more"):
                params = {"next": page["next"]}
            elif page.get("objects"):
                params = {"added_after": answer.headers["X-TAXII-Date-Added-Last"]}
        orders.append(seen)

    crowd = [threading.Thread(target=write, args=(n,)) for n in range(WRITERS)]
    crowd += [threading.Thread(target=read) for _ in range(READERS)]
    for member in crowd:
        member.start()
    for member in crowd:
        member.join(timeout=300)
    assert not faults, faults[:2]
    assert len(orders) == READERS
    for seen in orders:
        assert len(seen) == len(set(seen)) == total
        assert seen == orders[0]
