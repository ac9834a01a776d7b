"""A Tasmota plug from its captured discovery message: adopted, seen and set from every surface, broker and gateway restarted between."""
import json
import signal

from home import Broker, Ear, Home, Plug, run, until


def adopted(folder):
    broker = Broker(folder).start()
    home = Home(folder, broker).start()
    plug = Plug(broker).announce()
    home.adopt("plug", identity="mac:e09806f17f56")
    home.wait_value("plug", "meter.power", 1, again=lambda: plug.report(watts=1))
    return broker, home, plug


def seen_on_every_surface(folder):
    broker, home, plug = adopted(folder)
    home.claim()
    ear = Ear(broker.port, "hearth/#")
    assert json.loads(ear.wait("hearth/plug/state"))["meter.power"] == 1
    status, device = home.http("GET", "/api/v1/devices/plug")
    assert status == 200 and device["state"]["meter.power"]["value"] == 1, device
    assert device["state"]["switch.on"] == {**device["state"]["switch.on"], "value": False, "quality": "ok"}
    assert json.loads(home.curl(f"http://127.0.0.1:{home.http_port}/api/v1/devices/plug/state"))["state"]["meter.voltage"]["value"] == 233
    plug.report(watts=42)
    ear.wait("hearth/plug/state", lambda p: json.loads(p)["meter.power"] == 42)
    home.wait_value("plug", "meter.power", 42)
    home.stop()
    broker.stop()


def set_from_every_surface(folder):
    broker, home, plug = adopted(folder)
    home.claim()
    ear = Ear(broker.port, "hearth/#")
    # REST, with curl
    answer = json.loads(home.curl("-X", "POST", "-H", "Content-Type: application/json", "-d", '{"set":{"switch.on":true}}',
                                  f"http://127.0.0.1:{home.http_port}/api/v1/devices/plug/commands"))
    assert answer["status"] == "done" and plug.on, answer
    # command line
    home.cli("device", "set", "plug", "switch.on=off")
    assert not plug.on
    # MQTT, one capability
    broker.pub("hearth/plug/main/switch/on/set", "true")
    ear.wait("hearth/plug/result", lambda p: json.loads(p)["status"] == "done")
    assert plug.on
    # MQTT, whole command with an id: carried out once
    before = len(plug.commands)
    for _ in range(2):
        broker.pub("hearth/plug/set", {"set": {"switch.on": False}, "id": "once"})
        ear.wait("hearth/plug/result", lambda p: json.loads(p).get("id") == "once")
    until("both answers", lambda: len([p for p in ear.heard("hearth/plug/result") if json.loads(p).get("id") == "once"]) == 2)
    assert len([c for c in plug.commands[before:] if c[0].startswith("POWER")]) == 1, plug.commands[before:]
    # a refusal says why and what is allowed
    status, body = home.http("POST", "/api/v1/devices/plug/commands", {"set": {"meter.power": 5}})
    assert status >= 400 and body["reason"] == "readonly", body
    broker.pub("hearth/plug/main/switch/on/set", "perhaps")
    ear.wait("hearth/plug/result", lambda p: json.loads(p)["status"] == "refused")
    home.stop()
    broker.stop()


def restarts_lose_nothing(folder):
    broker, home, plug = adopted(folder)
    home.claim()
    token = home.token
    # the broker dies and comes back
    broker.stop(signal.SIGKILL)
    until("the adapter to notice", lambda: any(a["link"] != "up" for a in home.json("status")["adapters"]))
    broker.start()
    until("the adapter to be back", lambda: all(a["link"] == "up" for a in home.json("status")["adapters"]))
    home.wait_value("plug", "meter.power", 7, again=lambda: plug.report(watts=7))
    # the gateway is killed: what was acknowledged is there, and values are stale until confirmed
    home.cli("device", "rename", "plug", "Kettle 水壶")
    home.stop(signal.SIGTERM)
    home.start()
    device = home.json("device", "get", "plug")
    assert device["name"] == "Kettle 水壶"
    assert device["state"]["meter.power"]["value"] == 7, device["state"]
    home.token = token
    assert home.http("GET", "/api/v1/devices/plug")[0] == 200
    home.stop(signal.SIGKILL)
    home.start()
    assert home.json("device", "get", "plug")["name"] == "Kettle 水壶"
    home.wait_value("plug", "meter.power", 8, again=lambda: plug.report(watts=8))
    home.cli("device", "set", "plug", "switch.on=true")
    assert plug.on
    home.stop()
    broker.stop()


def a_silent_device_is_not_confirmed(folder):
    broker, home, plug = adopted(folder)
    plug.answers = False
    result = home.cli("--json", "device", "set", "plug", "switch.on=true", check=False)
    assert json.loads(result.stdout)["status"] == "unconfirmed", result.stdout
    until("the assumed value to fall back", lambda: home.value("plug", "switch.on") is False)
    home.stop()
    broker.stop()


def trace_tells_the_journey(folder):
    broker, home, plug = adopted(folder)
    home.cli("device", "set", "plug", "switch.on=true")
    hops = home.json("trace", "plug")["hops"]
    kinds = {h["kind"] for h in hops}
    assert {"received", "command", "sent"} <= kinds, kinds
    sensor = next(h for h in hops if h["kind"] == "received" and h["message"] == "sensor" and h["rules"])
    assert '"Power": 1' in sensor["raw"] and any("meter.power" in r for r in sensor["rules"]), sensor
    assert sensor["decode_us"] is not None
    text = home.cli("trace", "plug").stdout
    assert "tele/tasmota_F17F56/SENSOR" in text and "µs" in text, text
    # A message that changes nothing is published by nobody.
    hop = None
    def repeated():
        nonlocal hop
        plug.report(watts=1)
        hop = next((h for h in home.json("trace", "plug")["hops"] if h["message"] == "sensor" and not h["rules"]), None)
        return hop
    until("a message that changes nothing", repeated)
    assert hop["publish_us"] is None and hop["total_us"] == hop["decode_us"] + hop["state_us"], hop
    assert "publish -" in home.cli("trace", "plug").stdout
    home.stop()
    broker.stop()


if __name__ == "__main__":
    run(seen_on_every_surface, set_from_every_surface, restarts_lose_nothing, a_silent_device_is_not_confirmed, trace_tells_the_journey)
