"""Signing in at a real OpenID provider: the right way, and every way in which an answer may be bent."""

import html
import pathlib
import re
import shutil
import socket
import subprocess
import time
import urllib.parse

import pytest
import requests

from conftest import ROOT, Node

PLACE = ROOT / "tests" / "oidc"


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture(scope="module")
def provider():
    """The provider's address; skipped where there is no node, npm or registry."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("skipped: no node and npm on this machine")
    if not (PLACE / "node_modules" / "oidc-provider").exists():
        done = subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=PLACE, capture_output=True, text=True
        )
        if done.returncode != 0:
            pytest.skip(f"skipped: npm ci: {done.stderr.strip()[-200:]}")
    return PLACE / "provider.js"


class World:
    def __init__(self, home, script):
        here, there = free_port(), free_port()
        self.issuer = f"http://127.0.0.1:{there}"
        self.node = Node(home)
        self.node.listen = f"127.0.0.1:{here}"
        (self.node.home / "secret-of-client").write_text("a secret: with / odd+letters\n")
        (self.node.home / "config.toml").write_text(
            f'public-url = "http://127.0.0.1:{here}"\noidc.issuer = "{self.issuer}"\noidc.client-id = "marsad"\n'
            'oidc.client-secret-file = "secret-of-client"\noidc.scope = "openid email"\n'
            "accounts.attempts-per-minute = 1000\n"
        )
        self.process = subprocess.Popen(
            ["node", str(script), str(there), f"http://127.0.0.1:{here}/api/oidc/callback"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        line = self.process.stdout.readline()
        assert line.strip() == "ready", line
        self.node.start()

    def mode(self, name):
        assert requests.get(f"{self.issuer}/control", params={"mode": name}).text == name

    def end(self):
        self.node.stop()
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def world(provider, tmp_path_factory):
    world = World(tmp_path_factory.mktemp("oidc") / "home", provider)
    yield world
    world.end()


@pytest.fixture(autouse=True)
def straight(world):
    world.mode("straight")


def at_the_provider(browser, location, login):
    """What a person does there. Gives the address to which the provider sends the browser back, not yet followed."""
    answer = browser.get(location, allow_redirects=False)
    for _ in range(20):
        if answer.is_redirect:
            target = urllib.parse.urljoin(answer.url, answer.headers["Location"])
            if "/api/oidc/callback" in target:
                return target
            answer = browser.get(target, allow_redirects=False)
            continue
        assert answer.status_code == 200, answer.text
        action = html.unescape(re.search(r'action="([^"]+)"', answer.text).group(1))
        prompt = re.search(r'name="prompt" value="([^"]+)"', answer.text).group(1)
        fields = {"prompt": prompt, "login": login, "password": "whatever"}
        answer = browser.post(urllib.parse.urljoin(answer.url, action), data=fields, allow_redirects=False)
    raise AssertionError("the provider does not come to an end")


def begun(world):
    browser = requests.Session()
    answer = browser.get(f"{world.node.url}/api/oidc/start", allow_redirects=False)
    assert answer.status_code == 303, answer.text
    assert answer.headers["Location"].startswith(f"{world.issuer}/auth?")
    assert "HttpOnly; SameSite=Lax" in answer.headers["Set-Cookie"]
    return browser, answer.headers["Location"]


def signed_in(world, login, change=lambda location: location, back=lambda target: target):
    browser, location = begun(world)
    target = at_the_provider(browser, change(location), login)
    return browser, browser.get(back(target), allow_redirects=False)


def with_parameter(address, name, value):
    parts = urllib.parse.urlsplit(address)
    query = dict(urllib.parse.parse_qsl(parts.query))
    query[name] = value
    return urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode(query)))


def refused(world, answer, *statuses):
    assert answer.status_code in statuses, answer.text
    cookies = answer.headers.get("Set-Cookie", "")
    assert "marsad=" not in cookies, "no session"
    for word in ("email", "sub", "another-client", "jwks", "rust"):
        assert word not in answer.text.lower(), answer.text


def test_an_identity_that_is_bound_signs_in(world):
    world.node.run("account", "add", "lina", "--role", "reader")
    world.node.run("account", "link", "lina", "--issuer", world.issuer, "--subject", "subject-1")
    browser, answer = signed_in(world, "subject-1")
    assert answer.status_code == 200, answer.text
    assert answer.json()["name"] == "lina" and answer.json()["csrf"]
    assert browser.get(f"{world.node.url}/api/session").json()["name"] == "lina"
    taxii = {"Accept": "application/taxii+json;version=2.1"}
    assert browser.get(f"{world.node.url}/exchange/collections/", headers=taxii).status_code == 200
    world.node.run("account", "unlink", "lina", "--issuer", world.issuer, "--subject", "subject-1")
    refused(world, signed_in(world, "subject-1")[1], 403)


def test_a_mail_address_is_no_identity(world):
    world.node.run("account", "add", "omar@example.org", "--role", "administrator")
    world.node.run("account", "add", "omar", "--role", "administrator")
    world.node.run("account", "link", "omar", "--issuer", f"{world.issuer}/", "--subject", "omar")
    world.node.run("account", "link", "omar", "--issuer", world.issuer, "--subject", "OMAR")
    refused(world, signed_in(world, "omar")[1], 403)


def test_the_sign_in_must_be_one_that_was_begun_here(world):
    world.node.run("account", "add", "noor", "--role", "reader")
    world.node.run("account", "link", "noor", "--issuer", world.issuer, "--subject", "noor")
    bent = [
        dict(back=lambda target: with_parameter(target, "state", "another")),
        dict(back=lambda target: with_parameter(target, "state", "")),
        dict(back=lambda target: with_parameter(target, "iss", "https://id.example")),
        dict(back=lambda target: with_parameter(target, "error", "access_denied")),
        dict(back=lambda target: target + "&code=another"),
        dict(change=lambda location: with_parameter(location, "state", "another")),
        dict(change=lambda location: with_parameter(location, "nonce", "another")),
        dict(back=lambda target: with_parameter(target, "code", "another")),
    ]
    for step in bent:
        refused(world, signed_in(world, "noor", **step)[1], 400, 403, 503)
    # In another browser, and a second time in the same one.
    browser, location = begun(world)
    target = at_the_provider(browser, location, "noor")
    refused(world, requests.get(target, allow_redirects=False), 400)
    stranger, _ = begun(world)
    refused(world, stranger.get(target, allow_redirects=False), 400)
    assert browser.get(target, allow_redirects=False).status_code == 200
    refused(world, browser.get(target, allow_redirects=False), 400)
    refused(world, requests.get(f"{world.node.url}/api/oidc/callback"), 400)


@pytest.mark.parametrize("mode", ["audience", "audiences", "issuer", "expired", "unsigned"])
def test_a_token_that_does_not_hold(world, mode):
    world.node.run("account", "add", mode, "--role", "reader")
    world.node.run("account", "link", mode, "--issuer", world.issuer, "--subject", mode)
    world.mode(mode)
    refused(world, signed_in(world, mode)[1], 403)
    world.mode("straight")
    assert signed_in(world, mode)[1].status_code == 200


def session(world, name, password):
    browser = requests.Session()
    answer = browser.post(f"{world.node.url}/api/session", json={"name": name, "password": password})
    assert answer.status_code == 200, answer.text
    browser.headers["X-Marsad-CSRF"] = answer.json()["csrf"]
    return browser


def test_a_member_binds_itself_in_its_own_session(world):
    url = f"{world.node.url}/api/oidc/link"
    browser = session(world, "analyst", world.node.password)
    location = browser.post(url, json={}).json()["location"]
    target = at_the_provider(browser, location, "analyst-elsewhere")
    # What another browser began is not this one's to finish.
    refused(world, requests.get(target, allow_redirects=False), 400)
    answer = browser.get(target, allow_redirects=False)
    assert answer.json() == {"name": "analyst", "linked": world.issuer}
    assert signed_in(world, "analyst-elsewhere")[1].json()["name"] == "analyst"
    # Bound once: nobody else takes it over.
    world.node.run("account", "add", "thief", "--role", "reader", "--password-stdin", input=world.node.password)
    thief = session(world, "thief", world.node.password)
    location = thief.post(url, json={}).json()["location"]
    refused(world, thief.get(at_the_provider(thief, location, "analyst-elsewhere"), allow_redirects=False), 422)
    # A session that has ended binds nothing.
    location = thief.post(url, json={}).json()["location"]
    target = at_the_provider(thief, location, "thief-elsewhere")
    world.node.run("account", "sessions", "thief", "end")
    refused(world, thief.get(target, allow_redirects=False), 400)
    assert requests.post(url, json={}).status_code == 401
    assert requests.post(url, json={}, auth=("thief", world.node.password)).status_code == 403
    assert session(world, "thief", world.node.password).post(url, data="{}").status_code == 415


def test_keys_that_the_provider_changes_are_learned(world):
    world.node.run("account", "add", "rania", "--role", "reader")
    world.node.run("account", "link", "rania", "--issuer", world.issuer, "--subject", "rania")
    assert signed_in(world, "rania")[1].status_code == 200
    # A provider is not asked for its keys again within ten seconds.
    time.sleep(11)
    world.mode("rotated")
    assert signed_in(world, "rania")[1].status_code == 200
