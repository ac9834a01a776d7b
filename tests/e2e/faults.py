"""Bad input: a clear error, nothing lost."""
import json
import subprocess
import time

from home import BIN, ROOT, Broker, Ear, Home, Plug, run, until


def begin(folder):
    broker = Broker(folder).start()
    home = Home(folder, broker).start()
    plug = Plug(broker).announce()
    home.adopt("plug", identity="mac:e09806f17f56")
    home.wait_value("plug", "meter.power", 1, again=lambda: plug.report(watts=1))
    until("the first questions", lambda: {("STATUS", "8"), ("STATUS", "11")} <= set(plug.commands))
    plug.answers = False  # a later answer would be the newest value
    plug.report(watts=1)
    return broker, home, plug


def a_bad_payload_is_counted_and_the_value_is_stale(folder):
    broker, home, plug = begin(folder)
    for payload in ('{"ENERGY":{"Power":', "not json", '{"ENERGY":' * 40, "\x00\x01"):
        plug.ear.client.publish("tele/tasmota_F17F56/SENSOR", payload)
    until("the count", lambda: home.json("device", "get", "plug")["bad_messages"] >= 4)
    device = home.json("device", "get", "plug")
    assert device["state"]["meter.power"] == {**device["state"]["meter.power"], "value": 1, "quality": "stale"}, device["state"]
    assert home.log_text().count("bad message") + home.log_text().count("malformed") <= 12, "logged once, rate-limited"
    plug.report(watts=3)
    home.wait_value("plug", "meter.power", 3)
    home.stop()
    broker.stop()


def quarantine_and_retained_commands(folder):
    broker, home, plug = begin(folder)
    other = Plug(broker, topic="tasmota_0A0B0C", mac="0000000A0B0C").announce()
    other.report(watts=99)
    c = home.candidate(identity="mac:0000000a0b0c")
    assert "value" not in json.dumps(c) and home.cli("device", "get", "tasmota_0A0B0C", check=False).returncode == 3
    assert not [x for x in other.commands], "nothing is sent to a device that nobody adopted"
    before = len(plug.commands)
    broker.pub("hearth/plug/main/switch/on/set", "true", retain=True)
    home.stop()
    home.start()
    until("the retained command to be cleared", lambda: "GW-MQTT-RETAINED-SET" in home.log_text())
    assert not [x for x in plug.commands[before:] if x[0].startswith("POWER")], plug.commands[before:]
    home.stop()
    broker.stop()


def a_second_claim_of_a_topic_is_refused(folder):
    broker, home, plug = begin(folder)
    thief = dict(Plug.DISCOVERY, mac="AABBCCDDEEFF")  # another device that announces the same topic
    broker.pub("tasmota/discovery/AABBCCDDEEFF/config", thief, retain=True)
    c = home.candidate(identity="mac:aabbccddeeff")
    r = home.cli("candidate", "adopt", c["id"], "--id", "thief", check=False)
    assert r.returncode == 7, (r.returncode, r.stderr)
    assert home.cli("device", "get", "thief", check=False).returncode == 3
    home.stop()
    broker.stop()


def a_damaged_store_is_set_aside(folder):
    broker, home, plug = begin(folder)
    home.cli("room", "add", "Kitchen")
    home.stop()
    home.start()  # a clean start makes the snapshot
    until("the snapshot", lambda: (home.state / "home.db.snapshot").exists())
    home.stop()
    with open(home.state / "home.db", "r+b") as f:
        f.seek(100)
        f.write(b"\xff" * 6000)
    home.start()
    assert list(home.state.glob("home.db.bad-*")), list(home.state.iterdir())
    assert home.json("device", "get", "plug")["id"] == "plug"
    assert [r["name"] for r in home.json("room", "list")["rooms"]] == ["Kitchen"]
    assert any(c["id"] == "store" and c["state"] != "ok" for c in json.loads(home.cli("--json", "doctor", check=False).stdout)["checks"])
    home.stop()
    broker.stop()


def configuration_errors_name_their_place(folder):
    for text, place, words in (
        ("brokr:\n  url: x\n", ":1:1:", "broker"),
        ("surfaces:\n  http:\n    listen: 127.0.0.1:1\n    lissten: 5\n", ":4:5:", "listen"),
        ("broker: {url: mqtt://x, url: mqtt://y}\n", ":1:", "second time"),
    ):
        config = folder / "bad.yaml"
        config.write_text(text)
        r = subprocess.run([BIN / "hearthd", "--config", config, "--state-dir", folder / "s", "--check"], capture_output=True, text=True, timeout=20)
        assert r.returncode == 9 and f"bad.yaml{place}" in r.stderr and words in r.stderr, (r.returncode, r.stderr)


def a_flood_is_coalesced_and_nothing_is_lost(folder):
    broker, home, plug = begin(folder)
    ear = Ear(broker.port, "hearth/plug/state")
    for w in range(1000):
        plug.ear.client.publish("tele/tasmota_F17F56/SENSOR", json.dumps(plug.sensor(w)))
    ear.wait("hearth/plug/state", lambda p: json.loads(p)["meter.power"] == 999)
    began = time.monotonic()
    home.cli("status")
    assert time.monotonic() - began < 10
    home.stop()
    broker.stop()


def a_refused_profile_says_where(folder):
    bad = folder / "bad.yaml"
    bad.write_text((ROOT / "profiles/tasmota/plug.yaml").read_text().replace("meter.voltage: {point: volts", "meter.voltage: {pount: volts", 1))
    r = subprocess.run([BIN / "hearth", "profile", "check", bad], capture_output=True, text=True, timeout=20)
    line = next(i for i, text in enumerate(bad.read_text().splitlines(), 1) if "pount" in text)
    assert r.returncode == 9 and f"bad.yaml:{line}:" in r.stderr and "point" in r.stderr, r.stderr


if __name__ == "__main__":
    run(a_bad_payload_is_counted_and_the_value_is_stale, quarantine_and_retained_commands, a_second_claim_of_a_topic_is_refused,
        a_damaged_store_is_set_aside, configuration_errors_name_their_place, a_flood_is_coalesced_and_nothing_is_lost,
        a_refused_profile_says_where)
