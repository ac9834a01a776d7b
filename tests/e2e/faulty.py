"""Appliances on a bad day, played by hearth sim: nothing false is shown, nothing breaks, and the good day comes back by itself."""
import json
import shutil

from home import ROOT, Broker, Home, Sim, run, until

WASHER = ROOT / "tests/vectors/sim/washer.yaml"


def begin(folder, *words, product="tasmota.plug"):
    broker = Broker(folder).start()
    home = Home(folder, broker).start()
    sim = Sim(broker, *words, product)
    home.adopt("plug", identity="mac:e09806f17f56")
    until("a first value", lambda: power(home)["quality"] == "ok")
    return broker, home, sim


def end(broker, home, sim):
    sim.stop()
    home.stop()
    broker.stop()


def power(home):
    return home.json("device", "get", "plug")["state"]["meter.power"]


def bad(home):
    return home.json("device", "get", "plug")["bad_messages"]


def switch(home, value):
    r = home.cli("--json", "device", "set", "plug", f"switch.on={value}", check=False)
    return json.loads(r.stdout)["status"]


def works_again(home):
    until("a good value", lambda: power(home)["quality"] == "ok")
    assert switch(home, "false") == "done" and switch(home, "true") == "done"


def garbage(folder):
    broker, home, sim = begin(folder)
    sim.say("fault garbage on")
    until("malformed messages", lambda: bad(home) >= 4)
    before = power(home)
    assert before["quality"] == "stale" and before["value"] is not None, before
    count = bad(home)
    until("more of them", lambda: bad(home) >= count + 4)
    assert power(home)["value"] == before["value"], "the last good value stays"
    sim.say("fault garbage off")
    works_again(home)
    end(broker, home, sim)


def wrong_type(folder):
    broker, home, sim = begin(folder)
    sim.say("fault wrong-type on")
    until("the value to be no good one", lambda: power(home)["quality"] != "ok")
    assert power(home)["quality"] == "unknown" and power(home)["value"] is None, power(home)
    assert bad(home) == 0, "the messages are well formed"
    sim.say("fault wrong-type off")
    works_again(home)
    end(broker, home, sim)


def silence(folder):
    broker, home, sim = begin(folder)
    sim.say("fault silence on")
    assert switch(home, "false") == "unconfirmed"
    before = power(home)
    assert before["value"] is not None, before
    sim.say("fault silence off")
    works_again(home)
    end(broker, home, sim)


def slow(folder):
    broker, home, sim = begin(folder)
    sim.say("fault slow=700ms on")
    assert switch(home, "false") == "done", "late, but in time"
    sim.say("fault slow=6s on")
    assert switch(home, "true") == "unconfirmed", "too late"
    until("what came late", lambda: home.value("plug", "switch.on") is True)
    sim.say("fault slow=6s off")
    works_again(home)
    end(broker, home, sim)


def duplicate(folder):
    broker, home, sim = begin(folder, "--fault", "duplicate")
    works_again(home)
    assert bad(home) == 0
    end(broker, home, sim)


def reboot(folder):
    (folder / "home.yaml").write_text("appliances: [{profile: tasmota.plug, set: {switch.on: true}}]")
    broker, home, sim = begin(folder, product=folder / "home.yaml")
    until("how it begins", lambda: home.value("plug", "switch.on") is True)
    online = lambda: home.json("device", "get", "plug")["online"]
    assert switch(home, "false") == "done"
    for _ in range(2):
        until("it to be there", online)
        sim.say("reboot")
        until("the broker to tell its end", lambda: not online())
        until("it to be back", online)
    until("its state", lambda: power(home)["quality"] == "ok")
    assert home.value("plug", "switch.on") is False, "a reboot switches nothing on, and how it began is long ago"
    works_again(home)
    assert len(home.json("device", "list")["devices"]) == 1
    end(broker, home, sim)


def na(folder):
    broker = Broker(folder).start()
    profiles = folder / "profiles"
    (profiles / "test").mkdir(parents=True)
    shutil.copy(WASHER, profiles / "test")
    home = Home(folder, broker, profiles=profiles).start()
    scene = folder / "scene.yaml"
    scene.write_text("scenes: [{set: {operation.phase: rinsing}}]")
    sim = Sim(broker, "--scenario", scene, WASHER)
    home.adopt("washer", profile="test.washer")
    home.wait_value("washer", "operation.phase", "rinsing")
    phase = lambda: home.json("device", "get", "washer")["state"]["operation.phase"]
    sim.say("fault na on")
    until("the sentinel", lambda: phase()["quality"] != "ok")
    assert "-" not in str(phase().get("value")), phase()
    sim.say("fault na off")
    until("the value", lambda: phase()["quality"] == "ok" and phase()["value"] == "rinsing")
    end(broker, home, sim)


def what_is_no_fault(folder):
    broker = Broker(folder).start()
    home = Home(folder, broker)
    for words, expected in ((("--fault", "smoke"), "silence, garbage"), (("--fault", "slow"), "duration")):
        r = home.cli("sim", *words, "tasmota.plug", check=False)
        assert r.returncode == 9 and expected in r.stderr, (r.returncode, r.stderr)
    sim = Sim(broker, "--seed", "77", "tasmota.plug")
    assert "seed 77" in sim.text()
    for line in ("fault garbage", "fault smoke on", "dance", "fault slow on"):
        sim.child.stdin.write(line + "\n")
    sim.child.stdin.flush()
    until("four refusals", lambda: sim.text().count("hearth: ") == 4)
    sim.say("fault garbage on")
    sim.stop()
    broker.stop()


if __name__ == "__main__":
    run(garbage, wrong_type, silence, slow, duplicate, reboot, na, what_is_no_fault)
