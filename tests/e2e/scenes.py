"""A washing machine that goes through its programme by itself, played by hearth sim with a scenario."""
import json
import shutil

from home import ROOT, Broker, Ear, Home, Sim, run, until

WASHER = ROOT / "tests/vectors/sim/washer.yaml"
PROGRAMME = """loop: true
scenes:
  - {when: {operation.state: running}, set: {operation.phase: washing, operation.remaining: 3600, operation.door_locked: true}}
  - {after: 300ms, set: {operation.phase: rinsing, operation.remaining: 1800}}
  - {after: 300ms, set: {operation.phase: spinning, operation.remaining: 600}}
  - {after: 300ms, set: {operation.state: stopped, operation.remaining: 0, operation.door_locked: false, operation.done: ok}}
"""


def a_programme_runs_when_it_is_started(folder):
    broker = Broker(folder).start()
    (folder / "profiles/test").mkdir(parents=True)
    shutil.copy(WASHER, folder / "profiles/test")
    home = Home(folder, broker, profiles=folder / "profiles").start()
    (folder / "programme.yaml").write_text(PROGRAMME)
    sim = Sim(broker, "--scenario", folder / "programme.yaml", WASHER)
    home.adopt("washer", profile="test.washer")
    home.wait_value("washer", "operation.state", "stopped")
    ear = Ear(broker.port, "hearth/washer/state")
    ear.wait("hearth/washer/state")
    assert home.value("washer", "operation.state") == "stopped", "nobody started it"

    def phases():
        states = [json.loads(p) for p in ear.heard("hearth/washer/state")]
        running = [s.get("operation.phase") for s in states if s["operation.state"] == "running" and s["operation.remaining"]]
        return [p for i, p in enumerate(running) if i == 0 or running[i - 1] != p]

    for times in (1, 2):  # they loop
        home.cli("device", "act", "washer", "operation.start")
        until("its end", lambda: phases() == ["washing", "rinsing", "spinning"] * times and home.value("washer", "operation.state") == "stopped")
        assert home.value("washer", "operation.door_locked") is False and home.value("washer", "operation.remaining") == 0
    sim.stop()
    home.stop()
    broker.stop()


def a_scenario_that_fits_nothing_is_refused(folder):
    broker = Broker(folder)
    home = Home(folder, broker)
    for text, place, words in (("scenes: [{after: soon}]", ":1:11:", "duration"), ("scenes: [{set: {fan.mode: low}}]", ":1:17:", "fan.mode"),
                               ("scenes: [", ":", "")):
        (folder / "s.yaml").write_text(text)
        r = home.cli("sim", "--scenario", folder / "s.yaml", WASHER, check=False)
        assert r.returncode == 9 and f"s.yaml{place}" in r.stderr and words in r.stderr, (r.returncode, r.stderr)
    assert home.cli("sim", "--scenario", folder / "nothing.yaml", WASHER, check=False).returncode == 3


if __name__ == "__main__":
    run(a_programme_runs_when_it_is_started, a_scenario_that_fits_nothing_is_refused)
