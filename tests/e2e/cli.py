"""The command line: exit codes, languages, completion, man pages, the profile commands and the line protocol."""
import json
import os
import re
import subprocess

from home import BIN, ROOT, Broker, Home, Plug, run


def hearth(*words, stdin=None, env=None):
    return subprocess.run([BIN / "hearth", *map(str, words)], capture_output=True, text=True, input=stdin, timeout=60, env=env)


def exit_codes(folder):
    assert hearth("--state", folder, "status").returncode == 8
    assert hearth("frobnicate").returncode == 2
    assert hearth("device", "set").returncode == 2
    assert hearth("--help").returncode == 0 and hearth("--version").stdout.startswith("hearth ")
    broker = Broker(folder).start()
    home = Home(folder, broker).start()
    assert home.cli("device", "get", "nothing", check=False).returncode == 3
    plug = Plug(broker).announce()
    home.adopt("plug", identity="mac:e09806f17f56")
    home.wait_value("plug", "meter.power", 1, again=lambda: plug.report(watts=1))
    assert home.cli("device", "set", "plug", "switch.on=maybe", check=False).returncode == 9
    assert home.cli("device", "set", "plug", "meter.power=1", check=False).returncode == 9
    assert home.cli("room", "add", "Kitchen").returncode == 0
    r = home.cli("--lang", "zh-CN", "device", "get", "nothing", check=False)
    assert any("\u4e00" <= ch <= "\u9fff" for ch in r.stderr), r.stderr
    home.stop()
    broker.stop()


def command_names():
    return [line.split()[0] for line in hearth("--help").stdout.split("Commands:")[1].split("Options:")[0].strip().splitlines()]


def every_command_has_help_in_two_languages(_folder):
    names = command_names()
    assert {"status", "doctor", "claim", "device", "candidate", "room", "token", "profile", "trace", "sim"} <= set(names), names
    for name in names:
        assert hearth(name, "--help").returncode == 0
        chinese = hearth("--lang", "zh-CN", name, "--help").stdout
        assert any("\u4e00" <= ch <= "\u9fff" for ch in chinese), (name, chinese)


def completion_and_man(folder):
    script = hearth("completion", "bash").stdout
    (folder / "c.bash").write_text(script)
    r = subprocess.run(["bash", "-c", f"source {folder}/c.bash; COMP_WORDS=(hearth dev); COMP_CWORD=1; _hearth; echo ${{COMPREPLY[@]}}"],
                       capture_output=True, text=True, check=True)
    assert r.stdout.strip() == "device", r.stdout
    for page in ("hearth.1", "hearthd.8", "hearth.yaml.5"):
        r = subprocess.run(["man", "--warnings", "-l", ROOT / "gateway/man" / page], capture_output=True, text=True)
        assert r.returncode == 0 and not r.stderr.strip(), (page, r.stderr)


def the_pages_say_what_the_help_says(_folder):
    def options(text):
        return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))

    def page(name):
        env = {**os.environ, "MANWIDTH": "2000", "LC_ALL": "C.UTF-8", "MANPAGER": "cat"}
        return subprocess.run(["man", "-l", ROOT / "gateway/man" / name], capture_output=True, text=True, check=True, env=env).stdout

    helped = hearth("--help").stdout
    for name in command_names():
        usage = hearth(name, "--help").stdout.splitlines()[0].removeprefix("usage: hearth ")
        helped += usage
        listed = page("hearth.1")
        for word in set(re.findall(r"(?<![\w=-])[a-z]{3,}", re.sub(r"(--scope|--expires|mqtt:)\S+| [a-z]+,\S+", "", usage))):
            assert re.search(rf"(?<![\w-]){word}(?![\w-])", listed), f"hearth.1 lacks {word} of: {usage}"
    assert options(page("hearth.1")) == options(helped), options(page("hearth.1")) ^ options(helped)
    helped = subprocess.run([BIN / "hearthd", "--help"], capture_output=True, text=True, check=True).stdout
    assert options(page("hearthd.8")) == options(helped), options(page("hearthd.8")) ^ options(helped)


def shipped_profiles_pass_their_tests(_folder):
    files = sorted((ROOT / "profiles").glob("*/*.yaml"))
    assert len(files) >= 12, files
    r = hearth("profile", "check", *files)
    assert r.returncode == 0, r.stderr
    r = hearth("--json", "profile", "test", *files)
    rows = [json.loads(line) for line in r.stdout.splitlines()]
    assert r.returncode == 0 and len(rows) > 80 and all(x["passed"] for x in rows), [x for x in rows if not x["passed"]]


def the_line_protocol(folder):
    f = folder / "p.yaml"
    f.write_text("msgs: {m: {rx: s, tx: c}}\npoints: {p: {io: m#/a, div: 10}}\ncaps: {thermostat.setpoint: {point: p, range: [16, 30, 0.5]}}\n")
    r = hearth("profile", "run", f, "--lax", stdin='{"rx":[{"m":{"a":215}}]}\n{"write":{"thermostat.setpoint":16.3}}\n{"write":{"thermostat.setpoint":16.5}}\nnonsense\n')
    lines = r.stdout.splitlines()
    assert lines[0] == '{"error":null,"events":[],"tx":[],"vars_out":null,"want":{"thermostat.setpoint":21.5}}', lines[0]
    assert json.loads(lines[1])["error"] == "step" and json.loads(lines[2])["tx"] == [{"m": {"a": 165}}] and json.loads(lines[3])["error"] == "line", lines
    f.write_text("msgs: {m: {rx: s}}\npoints: {p: {in: n#/a}}\n")
    r = hearth("profile", "run", f, "--lax", stdin="")
    assert r.returncode == 3 and json.loads(r.stdout)["refused"] == {**json.loads(r.stdout)["refused"], "code": "ref", "at": "/points/p/in"}, r.stdout


def what_an_author_asks(folder):
    plug = ROOT / "profiles/tasmota/plug.yaml"
    sensor = '{"ENERGY":{"Total":3.185,"Power":12,"Voltage":231}}'
    r = hearth("profile", "explain", plug, "sensor", sensor, "--var", "topic=plug1")
    assert r.returncode == 0 and r.stdout.splitlines()[0] == "sensor  tele/plug1/SENSOR", r
    assert "meter.power = 12  by watts = 12" in r.stdout and "meter.voltage = 231" in r.stdout, r.stdout
    assert hearth("profile", "explain", plug, "sensor", stdin=sensor).stdout.count("\n") == r.stdout.count("\n")
    r = hearth("profile", "explain", plug, "sensor", "{nonsense")
    assert r.returncode == 9 and "body" in r.stderr, r
    assert hearth("profile", "explain", plug, "nothing", "x").returncode == 3
    r = hearth("profile", "explain", plug, "--set", "switch.on=true", "--var", "topic=plug1")
    assert r.returncode == 0 and r.stdout == "1. power  cmnd/plug1/POWER  ON\n", r
    r = hearth("profile", "explain", plug, "--set", "switch.on=7")
    assert r.returncode == 9 and "expected true or false" in r.stderr, r

    old, new = folder / "old.yaml", folder / "new.yaml"
    old.write_text("msgs: {m: {rx: s, tx: c}}\npoints: {p: {io: m#/a}, q: {io: m#/b}}\n"
                   "caps: {switch.on: {point: p}}\n"
                   "components: {jet: {caps: {x.t.power: {type: int, range: [0, 3], point: q}}}}\n")
    new.write_text(old.read_text().replace("range: [0, 3]", "range: [0, 5]").replace("{switch.on: {point: p}}", "{x.t.gone: {type: bool, point: p}}")
                   + "moved: {switch.on: x.t.gone}\n")
    r = hearth("profile", "diff", "--lax", old, new)
    assert r.returncode == 0, r
    assert r.stdout.splitlines() == ["> switch.on  moved to x.t.gone", "~ jet/x.t.power  int 0…3, writable → int 0…5, writable", "+ x.t.gone  bool, writable"], r.stdout
    assert hearth("profile", "diff", plug, plug).stdout == "no capability differs\n"
    scene = json.dumps({"devices": {"lamp": {"set": {"switch.on": True, "jet/x.t.power": 2}}}, "order": ["switch.on"]})
    r = hearth("profile", "migrate", "--lax", new, stdin=scene)
    assert json.loads(r.stdout) == {"devices": {"lamp": {"set": {"x.t.gone": True, "jet/x.t.power": 2}}}, "order": ["x.t.gone"]}, r
    assert "2 addresses" in r.stderr
    assert hearth("profile", "migrate", "--lax", new, stdin="{").returncode == 9


if __name__ == "__main__":
    run(exit_codes, every_command_has_help_in_two_languages, completion_and_man, the_pages_say_what_the_help_says,
        shipped_profiles_pass_their_tests, the_line_protocol, what_an_author_asks)
