"""Events over SSE and WebSocket: the same numbers, resumed without a gap, told when something was missed, ended when the right to see ends."""
import asyncio
import json
import ssl
import subprocess
import threading
import urllib.request

import websockets

from home import Broker, Home, Plug, free_port, run, until


class Stream(threading.Thread):
    """Server-sent events, read with urllib."""

    def __init__(self, home, after=None):
        super().__init__(daemon=True)
        headers = {"Authorization": f"Bearer {home.token}", "Accept": "text/event-stream"}
        if after:
            headers["Last-Event-ID"] = after
        self.answer = urllib.request.urlopen(
            urllib.request.Request(f"http://127.0.0.1:{home.http_port}/api/v1/events", headers=headers), timeout=30)
        self.events, self.ids, self.ended = [], [], False
        self.start()

    def run(self):
        try:
            for raw in self.answer:
                line = raw.decode().rstrip("\r\n")
                if line.startswith("id:"):
                    self.ids.append(line[3:].strip())
                elif line.startswith("data:"):
                    self.events.append(json.loads(line[5:]))
        except OSError:
            pass
        self.ended = True


def begin(folder):
    broker = Broker(folder).start()
    home = Home(folder, broker).start()
    plug = Plug(broker).announce()
    home.adopt("plug", identity="mac:e09806f17f56")
    home.claim()
    home.wait_value("plug", "meter.power", 1, again=lambda: plug.report(watts=1))
    return broker, home, plug


def watts(events):
    return [e["value"] for e in events if e.get("address") == "meter.power"]


def sse_resumes_without_a_gap(folder):
    broker, home, plug = begin(folder)
    first = Stream(home)
    plug.report(watts=2)
    until("an event", lambda: 2 in watts(first.events))
    last = first.ids[-1]
    first.answer.close()
    for w in (3, 4, 5):
        plug.report(watts=w)
        home.wait_value("plug", "meter.power", w)
    second = Stream(home, after=last)
    until("what was missed", lambda: watts(second.events) == [3, 4, 5])
    seqs = [e["seq"] for e in second.events]
    assert seqs == sorted(seqs) and len(set(seqs)) == len(seqs)
    # a number of an earlier life is noticed
    home.stop()
    home.start()
    third = Stream(home, after=last)
    until("a resync", lambda: any(e["type"] == "resync" for e in third.events))
    home.stop()
    broker.stop()


def websocket_sees_and_sets(folder):
    broker, home, plug = begin(folder)

    async def talk():
        url = f"ws://127.0.0.1:{home.http_port}/api/v1/events/ws"
        async with websockets.connect(url, extra_headers={"Authorization": f"Bearer {home.token}"}) as ws:
            await ws.send(json.dumps({"id": 1, "device": "plug", "set": {"switch.on": True}}))
            answer = event = None
            while answer is None or event is None:
                m = json.loads(await asyncio.wait_for(ws.recv(), 20))
                if m.get("id") == 1 and "status" in m:
                    answer = m
                if m.get("address") == "switch.on" and m.get("value") is True and m.get("quality") == "ok":
                    event = m
            assert answer["status"] in ("done", 200), answer
            assert plug.on

    asyncio.run(talk())
    home.stop()
    broker.stop()


def a_revoked_token_ends_its_streams(folder):
    broker, home, plug = begin(folder)
    token = json.loads(home.cli("--json", "token", "create", "panel", "--scope", "see").stdout)
    owner, home.token = home.token, token["secret"]
    stream = Stream(home)
    assert home.http("POST", "/api/v1/devices/plug/commands", {"set": {"switch.on": True}})[0] == 403
    home.cli("token", "revoke", token["id"])
    until("the stream to end", lambda: stream.ended, deadline_s=2)
    assert home.http("GET", "/api/v1/devices")[0] == 401
    home.token = owner
    assert home.http("GET", "/api/v1/devices")[0] == 200
    home.stop()
    broker.stop()


def https_understands_curl(folder):
    """TLS by our own authority, HEAD, HTTP/1.0, chunks, 100-continue, the cookie and its other half, and the WebSocket over TLS."""
    broker, port = Broker(folder).start(), free_port()
    home = Home(folder, broker)
    home.config.write_text(home.config.read_text().replace('https_listen: "off"', f'https_listen: "127.0.0.1:{port}"'))
    home.start()
    plug = Plug(broker).announce()
    home.adopt("plug", identity="mac:e09806f17f56")
    home.claim()
    home.wait_value("plug", "meter.power", 1, again=lambda: plug.report(watts=1))
    base, ca, jar = f"https://localhost:{port}", next(home.state.rglob("ca.crt")), folder / "jar"
    command = ("-X", "POST", "-H", "Content-Type: application/json", "-d", '{"set":{"switch.on":true}}', f"{base}/api/v1/devices/plug/commands")

    def curl(*args):
        return home.curl("--cacert", ca, *args)

    def anybody(*args):
        return subprocess.run(["curl", "-sS", "--max-time", "20", "--cacert", ca, *args], capture_output=True, text=True, check=True).stdout

    assert curl("-I", f"{base}/health").startswith("HTTP/1.1 200 OK")
    assert json.loads(curl("--http1.0", f"{base}/health"))["claimed"] is True
    for more in ((), ("-H", "Transfer-Encoding: chunked"), ("-H", "Expect: 100-continue"), ("-H", "Expect: 100-continue", "-H", "Transfer-Encoding: chunked")):
        assert json.loads(curl(*more, *command))["status"] == "done", more
    # one connection for several requests
    urls = [f"{base}/health", f"{base}/api/v1/home", f"{base}/api/v1/nothing"]
    codes = curl(*(a for u in urls for a in ("-o", "/dev/null", u)), "-w", "%{http_code} %{num_connects}\n").split("\n")
    assert codes[:3] == ["200 1", "200 0", "404 0"], codes
    # a session by cookie: changes need what only our own page can read
    anybody("-c", jar, "-H", "Content-Type: application/json", "-d", '{"account":"anna","password":"correct horse battery","cookie":true}',
            f"{base}/api/v1/login")
    head = anybody("-b", jar, "-D", "-", "-o", "/dev/null", f"{base}/api/v1/me")
    csrf = next(line.split(": ")[1].strip() for line in head.split("\n") if line.lower().startswith("x-hearth-csrf"))
    assert json.loads(anybody("-b", jar, *command))["error"]["code"] == "denied"
    assert json.loads(anybody("-b", jar, "-H", f"X-Hearth-CSRF: {csrf}", *command))["status"] == "done"

    async def hello():
        context = ssl.create_default_context(cafile=ca)
        url = f"wss://localhost:{port}/api/v1/events/ws"
        async with websockets.connect(url, ssl=context, extra_headers={"Authorization": f"Bearer {home.token}"}) as ws:
            assert json.loads(await asyncio.wait_for(ws.recv(), 20))["type"] == "hello"
            await asyncio.wait_for(await ws.ping(), 20)

    asyncio.run(hello())
    home.stop()
    broker.stop()


if __name__ == "__main__":
    run(sse_resumes_without_a_gap, websocket_sees_and_sets, a_revoked_token_ends_its_streams, https_understands_curl)
