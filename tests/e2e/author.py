"""An author's first profile: a device is recorded from a real broker, drafted, checked, tested, and adopted with the draft alone."""
import json
import pathlib
import re
import signal
import subprocess

from home import BIN, ROOT, Broker, Home, Sim, end_with_parent, run, until

PAGE = ROOT / "gateway/docs/profiles.md"


def hearth(*words, stdin=None):
    return subprocess.run([BIN / "hearth", "--lang", "en", *map(str, words)], capture_output=True, text=True, input=stdin, timeout=60)


class Recorder:
    def __init__(self, broker, folder, *words):
        self.log = pathlib.Path(folder) / "new.log"
        self.child = subprocess.Popen([BIN / "hearth", "--lang", "en", "profile", "new", "--broker", f"mqtt://127.0.0.1:{broker.port}", *map(str, words)],
                                      stdout=subprocess.DEVNULL, stderr=open(self.log, "w"), preexec_fn=end_with_parent)
        until("the recorder to listen", lambda: "listening" in self.text())

    def text(self):
        return self.log.read_text(errors="replace")

    def wait(self):
        code = self.child.wait(60)
        assert "Sanitizer" not in self.text() and "runtime error:" not in self.text(), self.text()[-4000:]
        return code

    def end(self):
        """As Ctrl-C does."""
        self.child.send_signal(signal.SIGINT)
        return self.wait()


def recorded(path):
    """Whole lines only: the recorder is still writing."""
    return [json.loads(line) for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]


def topics(path):
    return {m["topic"] for m in recorded(path)}


def a_device_becomes_a_profile(folder):
    broker = Broker(folder).start()
    lines, draft = folder / "plug.jsonl", folder / "profiles/acme/plug.yaml"
    draft.parent.mkdir(parents=True)
    recorder = Recorder(broker, folder, "--seconds", 60, "--vendor", "acme", "--record", lines, "--output", draft, "+/fridge/#")
    sim = Sim(broker, "--var", "topic=fridge", ROOT / "profiles/tasmota/plug.yaml")
    for word in ("OFF", "ON"):
        count = len([m for m in recorded(lines) if m["topic"] == "stat/fridge/RESULT"])
        broker.pub("cmnd/fridge/POWER", word)
        until("the answer", lambda: len([m for m in recorded(lines) if m["topic"] == "stat/fridge/RESULT"]) > count)
    until("a report", lambda: {"tele/fridge/STATE", "tele/fridge/SENSOR", "tele/fridge/LWT"} <= topics(lines))
    until("progress", lambda: re.search(r"\d+ messages, \d+ topics\n", recorder.text()))
    assert recorder.end() == 0, recorder.text()

    text = draft.read_text()
    assert "id: acme.plug\n" in text and "fridge" not in text, text
    assert hearth("profile", "check", draft).returncode == 0, hearth("profile", "check", draft).stderr
    tests = [json.loads(line) for line in hearth("--json", "profile", "test", draft).stdout.splitlines()]
    assert len(tests) >= 5 and all(t["passed"] for t in tests), tests
    assert {"set switch.on", "recorded: sensor"} <= {t["test"] for t in tests}, tests
    assert hearth("profile", "explain", draft, "--set", "switch.on=false", "--var", "id=x").stdout == "1. set_power  cmnd/x/POWER  OFF\n"
    # the same recording gives the same draft, without the broker
    assert hearth("profile", "new", "--from", lines, "--vendor", "acme").stdout == text

    # a home that knows nothing but the draft
    home = Home(folder, broker, profiles=folder / "profiles").start()
    home.adopt("fridge", profile="acme.plug")
    until("a value", lambda: home.value("fridge", "meter.voltage") is not None)
    assert json.loads(home.cli("--json", "device", "set", "fridge", "switch.on=off").stdout)["status"] == "done"
    assert home.value("fridge", "switch.on") is False
    home.stop()
    sim.stop()
    broker.stop()


def what_is_refused(folder):
    broker = Broker(folder).start()
    lines = folder / "r.jsonl"
    lines.write_text('{"topic":"acme/A1B2C3/temperature","payload":"21.5","retained":true}\n')
    there = folder / "there.yaml"
    there.write_text("mine\n")
    r = hearth("profile", "new", "--from", lines, "--output", there)
    assert r.returncode == 7 and there.read_text() == "mine\n", r
    for text, code in (('{"topic":"a/#","payload":""}\n', 9), ("nonsense\n", 9), ("", 3), ('{"topic":"state","payload":"1"}\n', 3)):
        r = hearth("profile", "new", "--from", "-", stdin=text)
        assert r.returncode == code and r.stdout == "" and r.stderr, (text, r)
    assert hearth("profile", "new", "--from", folder / "nothing.jsonl").returncode == 3
    assert hearth("profile", "new").returncode == 2
    assert hearth("profile", "new", "--from", lines, "a/#").returncode == 2
    url = f"mqtt://127.0.0.1:{broker.port}"
    assert hearth("profile", "new", "--broker", url, "a/#/b").returncode == 9
    assert hearth("profile", "new", "--broker", url, "--seconds", "soon", "#").returncode == 2
    assert hearth("profile", "new", "--broker", "mqtt://:99999", "#").returncode == 9
    r = hearth("profile", "new", "--broker", url, "--seconds", 1, "nobody/#")
    assert r.returncode == 3 and "nothing was heard" in r.stderr, r
    broker.stop()
    r = hearth("profile", "new", "--broker", url, "--seconds", 1, "#")
    assert r.returncode == 5 and "no broker answers" in r.stderr, r


def the_page_is_true(folder):
    text = PAGE.read_text()
    blocks = re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S)
    assert len(blocks) >= 10, len(blocks)
    for i, block in enumerate(blocks):
        f = folder / f"block{i}.yaml"
        f.write_text(block)
        r = hearth("profile", "check", "--lax", f)
        assert r.returncode == 0, f"{r.stderr}\n{block}"
    # the verbs that it names are there
    usage = hearth("profile", "--help").stdout
    for verb in set(re.findall(r"hearth profile ([a-z]+)", text)):
        assert re.search(rf"(?<![\w-]){verb}(?![\w-])", usage), verb
    for page in ("README.md", "CONTRIBUTING.md"):
        assert "gateway/docs/profiles.md" in (ROOT / page).read_text(), page


if __name__ == "__main__":
    run(a_device_becomes_a_profile, what_is_refused, the_page_is_true)
