"""A home for end-to-end tests: real mosquitto, hearthd and hearth in a scratch directory, on ports that the kernel handed out.

Every wait is for a condition with a deadline; the files of a failed test stay in the scratch directory, whose path is printed.
"""
import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

import paho.mqtt.client as paho

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("HEARTH_BIN", ROOT / "build/asan/bin"))
DEADLINE_S = float(os.environ.get("HEARTH_DEADLINE_S", "20"))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(what, condition, deadline_s=DEADLINE_S):
    """The first true result of condition(); fails the test after the deadline."""
    end = time.monotonic() + deadline_s
    last = None
    while time.monotonic() < end:
        try:
            last = condition()
        except (OSError, AssertionError, KeyError, IndexError) as e:
            last = e
        else:
            if last:
                return last
        time.sleep(0.02)
    raise AssertionError(f"gave up waiting for {what} after {deadline_s:g} s; last: {last!r}")


def end_with_parent():
    """A test that is killed leaves nothing behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Broker:
    """An external mosquitto, as a household may have one already."""

    def __init__(self, folder, options=""):
        self.folder, self.port, self.child = pathlib.Path(folder), free_port(), None
        self.config = self.folder / "mosquitto.conf"
        self.config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence true\n"
                               f"persistence_location {self.folder}/\nset_tcp_nodelay true\nuser root\n{options}")

    def start(self):
        self.child = subprocess.Popen(["mosquitto", "-c", self.config], stdout=subprocess.DEVNULL,
                                      stderr=open(self.folder / "mosquitto.log", "a"), preexec_fn=end_with_parent)
        until("mosquitto to listen", lambda: socket.create_connection(("127.0.0.1", self.port), 1).close() is None)
        return self

    def stop(self, how=signal.SIGTERM):
        if self.child:
            self.child.send_signal(how)
            self.child.wait(10)
            self.child = None

    def pub(self, topic, payload, retain=False):
        body = payload if isinstance(payload, str) else json.dumps(payload)
        subprocess.run(["mosquitto_pub", "-p", str(self.port), "-t", topic, *(["-r"] if retain else []),
                        *(["-n"] if body == "" else ["-m", body])], check=True, timeout=10)


class Ear:
    """Hears topics with paho, a client that we did not write; messages are kept in order."""

    def __init__(self, port, *filters, username=None, password=None):
        self.messages, self.lock = [], threading.Lock()
        self.subscribed = threading.Event()
        args = [paho.CallbackAPIVersion.VERSION1] if hasattr(paho, "CallbackAPIVersion") else []
        self.client = paho.Client(*args)
        if username:
            self.client.username_pw_set(username, password)
        self.client.on_message = self._message
        self.client.on_connect = lambda c, *_: c.subscribe([(f, 0) for f in filters])
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self.subscribed.wait(DEADLINE_S), "no SUBACK"

    def _message(self, _client, _userdata, m):
        with self.lock:
            self.messages.append((m.topic, m.payload.decode("utf-8", "replace"), bool(m.retain)))

    def heard(self, topic):
        with self.lock:
            return [p for t, p, _ in self.messages if t == topic]

    def wait(self, topic, test=lambda p: True):
        return until(f"a message on {topic}", lambda: next((p for p in reversed(self.heard(topic)) if test(p)), None))

    def pub(self, topic, payload, retain=False):
        self.client.publish(topic, payload if isinstance(payload, str) else json.dumps(payload), retain=retain)

    def close(self):
        self.client.loop_stop()
        self.client.disconnect()


class Home:
    """hearthd with its own state directory; config is the text of hearth.yaml without the parts that are filled in here."""

    def __init__(self, folder, broker=None, config="", profiles=ROOT / "profiles"):
        self.folder = pathlib.Path(folder)
        self.state = self.folder / "state"
        self.state.mkdir(mode=0o700, exist_ok=True)
        self.http_port, self.mqtt_port = free_port(), free_port()
        self.broker, self.profiles, self.child = broker, profiles, None
        url = f"  url: mqtt://127.0.0.1:{broker.port}\n" if broker else f"  listen: 127.0.0.1:{self.mqtt_port}\n"
        self.config = self.folder / "hearth.yaml"
        self.config.write_text(f"broker:\n{url}surfaces:\n  http:\n    listen: 127.0.0.1:{self.http_port}\n    https_listen: \"off\"\n{config}")
        self.token = None

    def start(self, ready=True):
        self.log = open(self.folder / "hearthd.log", "a")
        self.child = subprocess.Popen([BIN / "hearthd", "--config", self.config, "--state-dir", self.state, "--profiles", self.profiles,
                                       "--log-level", "debug"], stdout=self.log, stderr=subprocess.STDOUT, preexec_fn=end_with_parent)
        if ready:
            until("hearthd to be ready", self.is_ready)
        return self

    def is_ready(self):
        if self.child.poll() is not None:
            raise RuntimeError(f"hearthd ended with {self.child.returncode}: {self.log_text()[-2000:]}")
        return self.cli("status", check=False).returncode == 0

    def stop(self, how=signal.SIGTERM):
        if not self.child:
            return
        self.child.send_signal(how)
        code = self.child.wait(20)
        self.child = None
        text = self.log_text()
        assert "AddressSanitizer" not in text and "runtime error:" not in text and "LeakSanitizer" not in text, text[-6000:]
        if how == signal.SIGTERM:
            assert code == 0, f"hearthd ended with {code}: {text[-2000:]}"

    def log_text(self):
        return (self.folder / "hearthd.log").read_text(errors="replace")

    # --- the command line ---

    def cli(self, *words, check=True, stdin=None, timeout=60):
        run = subprocess.run([BIN / "hearth", "--state", self.state, "--profiles", self.profiles, *map(str, words)], capture_output=True,
                             text=True, input=stdin, timeout=timeout)
        assert not check or run.returncode == 0, f"hearth {' '.join(map(str, words))}: {run.returncode} {run.stdout}{run.stderr}"
        return run

    def json(self, *words):
        return json.loads(self.cli("--json", *words).stdout)

    def candidate(self, **members):
        def find():
            for c in self.json("candidate", "list")["candidates"]:
                if all(c.get(k) == v for k, v in members.items()):
                    return c
        return until(f"a candidate with {members}", find)

    def adopt(self, device, **members):
        self.cli("candidate", "adopt", self.candidate(**members)["id"], "--id", device, "--name", device)

    def value(self, device, address):
        d = self.json("device", "get", device)
        return d["state"].get(address, {}).get("value")

    def wait_value(self, device, address, value, again=lambda: None):
        """again(): what a device does from time to time anyway, since nothing keeps a message for who was not there."""
        def seen():
            again()
            return self.value(device, address) == value
        until(f"{device} {address} = {value!r}", seen)

    # --- HTTP ---

    def claim(self, account="anna", password="correct horse battery"):
        code = self.json("claim", "code")["code"]
        status, body = self.http("POST", "/api/v1/claim", {"code": code, "account": account, "password": password}, token=None)
        assert status in (200, 201), (status, body)
        self.token = body["token"]
        return self.token

    def http(self, method, path, body=None, token="own", headers=None):
        """→ (status, body); JSON is decoded."""
        h = {"Accept-Language": "en", **(headers or {})}
        if body is not None:
            h.setdefault("Content-Type", "application/json")
        bearer = self.token if token == "own" else token
        if bearer:
            h["Authorization"] = f"Bearer {bearer}"
        r = urllib.request.Request(f"http://127.0.0.1:{self.http_port}{path}", method=method, headers=h,
                                   data=None if body is None else (body if isinstance(body, bytes) else json.dumps(body).encode()))
        try:
            with urllib.request.urlopen(r, timeout=30) as answer:
                status, data = answer.status, answer.read()
        except urllib.error.HTTPError as e:
            status, data = e.code, e.read()
        try:
            return status, json.loads(data) if data else None
        except ValueError:
            return status, data.decode(errors="replace")

    def curl(self, *args):
        return subprocess.run(["curl", "-sS", "--max-time", "20", "-H", f"Authorization: Bearer {self.token}", *args], capture_output=True,
                              text=True, check=True).stdout


class Plug:
    """A Tasmota plug as its captured messages have it (open capture of an Athom Plug V2, Tasmota 10.1.0), played with paho."""

    DISCOVERY = {
        "ip": "192.168.2.71", "dn": "Tasmota", "fn": ["Tasmota", None, None, None, None, None, None, None], "hn": "tasmota-F17F56-8022",
        "mac": "E09806F17F56", "md": "Athom Plug V2", "ty": 0, "if": 0, "ofln": "Offline", "onln": "Online",
        "state": ["OFF", "ON", "TOGGLE", "HOLD"], "sw": "10.1.0", "t": "tasmota_F17F56", "ft": "%prefix%/%topic%/",
        "tp": ["cmnd", "stat", "tele"], "rl": [1, 0, 0, 0, 0, 0, 0, 0], "swc": [-1] * 8, "swn": [None] * 8, "btn": [0] * 8,
        "so": {"4": 0, "11": 0, "13": 0, "17": 0, "20": 0, "30": 0, "68": 0, "73": 0, "82": 0, "114": 0, "117": 0},
        "lk": 0, "lt_st": 0, "sho": [0, 0, 0, 0], "ver": 1,
    }

    def __init__(self, broker, topic="tasmota_F17F56", mac="E09806F17F56", answers=True):
        self.topic, self.mac, self.on, self.answers, self.commands, self.watts = topic, mac, False, answers, [], 0
        self.ear = Ear(broker.port, f"cmnd/{topic}/#")
        self.ear.client.on_message = self._command

    def _command(self, client, _userdata, m):
        word = m.topic.rsplit("/", 1)[1].upper()
        payload = m.payload.decode()
        if self.answers:
            self._answer(client, word, payload)
        self.commands.append((word, payload))

    def _answer(self, client, word, payload):
        if word in ("POWER", "POWER1") and payload in ("ON", "OFF", "TOGGLE"):
            self.on = payload == "ON" if payload != "TOGGLE" else not self.on
            client.publish(f"stat/{self.topic}/RESULT", json.dumps({"POWER": "ON" if self.on else "OFF"}))
            client.publish(f"stat/{self.topic}/POWER", "ON" if self.on else "OFF")
        elif word == "STATUS" and payload == "8":
            client.publish(f"stat/{self.topic}/STATUS8", json.dumps({"StatusSNS": self.sensor(self.watts)}))
        elif word == "STATUS" and payload == "11":
            client.publish(f"stat/{self.topic}/STATUS11", json.dumps({"StatusSTS": {"POWER": "ON" if self.on else "OFF"}}))

    def sensor(self, watts):
        return {"Time": "2023-06-24T09:24:26", "ENERGY": {"TotalStartTime": "2023-06-24T08:32:22", "Total": 0.001, "Yesterday": 0.0,
                "Today": 0.001, "Period": 0, "Power": watts, "ApparentPower": 9, "ReactivePower": 9, "Factor": 0.08, "Voltage": 233, "Current": 0.039}}

    def announce(self):
        d = dict(self.DISCOVERY, mac=self.mac, t=self.topic)
        self.ear.pub(f"tasmota/discovery/{self.mac}/config", d, retain=True)
        self.ear.pub(f"tele/{self.topic}/LWT", "Online", retain=True)
        return self

    def report(self, watts=1):
        self.watts = watts
        self.ear.pub(f"tele/{self.topic}/STATE", {"Time": "2023-06-24T09:19:26", "POWER": "ON" if self.on else "OFF",
                                                  "Wifi": {"AP": 1, "RSSI": 92, "Signal": -54}})
        self.ear.pub(f"tele/{self.topic}/SENSOR", self.sensor(watts))


class Sim:
    """hearth sim: a product played from its profile, with its standard input in our hands."""

    def __init__(self, broker, *words, profiles=ROOT / "profiles"):
        self.out = broker.folder / "sim.log"
        self.child = subprocess.Popen([BIN / "hearth", "--profiles", profiles, "--lang", "en", "sim", "--broker", f"mqtt://127.0.0.1:{broker.port}",
                                       "--every", "1", *map(str, words)], stdin=subprocess.PIPE, stdout=open(self.out, "w"),
                                      stderr=subprocess.STDOUT, text=True, preexec_fn=end_with_parent)
        until("the appliances to be connected", lambda: "connected" in self.text())

    def text(self):
        return self.out.read_text(errors="replace")

    def say(self, line):
        """One line of standard input; it is said again when it was carried out."""
        before = self.text().count(f"{line}\n")
        self.child.stdin.write(f"{line}\n")
        self.child.stdin.flush()
        until(f"the simulator to do {line!r}", lambda: self.text().count(f"{line}\n") > before)

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        code = self.child.wait(20)
        assert code == 0 and "Sanitizer" not in self.text() and "runtime error:" not in self.text(), (code, self.text()[-4000:])


@contextlib.contextmanager
def scratch():
    folder = tempfile.mkdtemp(prefix="hearth-e2e-")
    try:
        yield pathlib.Path(folder)
    except BaseException:
        print(f"the files of this test are in {folder}", file=sys.stderr)
        raise
    shutil.rmtree(folder)


def run(*tests):
    """Runs the functions one after another, each in a scratch folder; prints a line each and the count that CI reads."""
    failed = 0
    for test in tests:
        began = time.monotonic()
        try:
            with scratch() as folder:
                test(folder)
            print(f"ok    {test.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
        except Exception as e:  # the next test still runs
            failed += 1
            print(f"FAIL  {test.__name__}: {e}", flush=True)
            import traceback
            traceback.print_exc()
    print(f"{len(tests) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
