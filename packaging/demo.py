#!/usr/bin/env python3
"""The demo home: starts hearthd and `hearth sim`, adopts the appliances of demo.json, tells what to try. Started by packaging/run."""
import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
DEADLINE_S = 60


def port_is_free(host, port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((host, port))
        except OSError:
            return False
        return True


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Demo:
    def __init__(self, args):
        self.args = args
        self.state = HERE.parent / "build" / ("smoke" if args.smoke else "demo")
        self.children = []
        self.plan = json.loads((HERE / "demo.json").read_text())["appliances"]

    def say(self, text):
        print(text, file=sys.stderr if self.args.smoke else sys.stdout, flush=True)

    def hearth(self, *words, check=True):
        run = subprocess.run([self.args.bin / "hearth", "--state", self.state, "--json", *words], capture_output=True, text=True)
        if check and run.returncode != 0:
            raise SystemExit(f"demo: hearth {' '.join(words)}: {(run.stderr or run.stdout).strip()}")
        return run

    def ask(self, *words):
        return json.loads(self.hearth(*words).stdout)

    def configure(self):
        if (self.state / "control.sock").exists() and self.hearth("status", check=False).returncode == 0:
            raise SystemExit("demo: it runs already; end it first")
        host, _, port = self.args.http.rpartition(":")
        if self.args.smoke:
            self.args.http, self.args.mqtt = f"127.0.0.1:{free_port()}", free_port()
        elif not port_is_free(host or "127.0.0.1", int(port)):
            raise SystemExit(f"demo: {self.args.http} is in use; choose another with --http ADDRESS:PORT")
        elif not port_is_free("127.0.0.1", self.args.mqtt):
            raise SystemExit(f"demo: MQTT port {self.args.mqtt} is in use (another broker?); choose another with --mqtt PORT")
        if self.state.exists() and not self.args.keep:
            shutil.rmtree(self.state)
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        config = self.state / "hearth.yaml"
        config.write_text(
            "# Written by packaging/run for the demo home.\n"
            f"broker:\n  listen: 127.0.0.1:{self.args.mqtt}\n"
            f"surfaces:\n  http:\n    listen: {self.args.http}\n    https_listen: \"off\"\n"
        )
        return config

    def start(self, name, *words):
        log = open(self.state / f"{name}.log", "w")
        child = subprocess.Popen([str(w) for w in words], stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        self.children.append((name, child))
        return child

    def stop(self):
        for _, child in reversed(self.children):
            if child.poll() is None:
                child.terminate()
        for _, child in reversed(self.children):
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()

    def wait(self, what, condition):
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            for name, child in self.children:
                if child.poll() is not None:
                    tail = (self.state / f"{name}.log").read_text().strip().splitlines()[-3:]
                    raise SystemExit(f"demo: {name} ended with {child.returncode}: {' | '.join(tail)}")
            result = condition()
            if result:
                return result
            time.sleep(0.05)
        raise SystemExit(f"demo: gave up waiting for {what} after {DEADLINE_S} s (logs in {self.state})")

    def adopt(self):
        def candidates():
            found = {c["identity"]: c for c in self.ask("candidate", "list")["candidates"]}
            return found if all(a["identity"] in found for a in self.plan) else None

        known = {d["id"] for d in self.ask("device", "list")["devices"]}
        todo = [a for a in self.plan if a["id"] not in known]
        if not todo:
            return
        found = self.wait("the appliances to be discovered", candidates)
        rooms = {r["name"]: r["id"] for r in self.ask("room", "list")["rooms"]}
        for a in todo:
            if a["room"] not in rooms:
                rooms[a["room"]] = self.ask("room", "add", a["room"])["id"]
            self.hearth("candidate", "adopt", found[a["identity"]]["id"], "--id", a["id"], "--name", a["name"], "--room", rooms[a["room"]])

    def reporting(self):
        devices = self.ask("device", "list")["devices"]
        heard = [d for d in devices if d["last_seen"] and any(p["quality"] == "ok" for p in d["state"].values())]
        return devices if len(heard) == len(devices) >= len(self.plan) else None

    def run(self):
        config = self.configure()
        began = time.monotonic()
        self.start("hearthd", self.args.bin / "hearthd", "--config", config, "--state-dir", self.state)
        self.wait("hearthd", lambda: self.hearth("status", check=False).returncode == 0)
        self.start("sim", self.args.bin / "hearth", "--state", self.state, "sim", "--broker", f"mqtt://127.0.0.1:{self.args.mqtt}",
                   "--every", "5", HERE / "demo.json")
        self.adopt()
        devices = self.wait("every device to report", self.reporting)
        status = self.ask("status")
        if self.args.smoke:
            capabilities = sum(len(self.ask("device", "get", d["id"])["capabilities"]) for d in devices)
            print(json.dumps({"ready_ms": round(status["ready_ms"], 1), "devices": len(devices), "capabilities": capabilities,
                              "adapters": sorted(a["name"] for a in status["adapters"] if a["link"] == "up"),
                              "all_reporting_s": round(time.monotonic() - began, 1)}))
            return
        self.welcome(len(devices))
        while all(child.poll() is None for _, child in self.children):
            time.sleep(0.5)
        self.wait("the demo", lambda: None)

    def welcome(self, count):
        code = self.ask("claim", "code").get("code", "")
        hearth = f"{os.path.relpath(self.args.bin / 'hearth')} --state {os.path.relpath(self.state)}"
        self.say(f"""
Hearth is ready: {count} appliances, all simulated from their profiles.

  Address      http://{self.args.http}/
  Claim code   {code}   (makes you the owner: {hearth} claim)
  MQTT broker  127.0.0.1:{self.args.mqtt}   (user home, password in {os.path.relpath(self.state)}/broker/home.password)

Try, in another terminal:

  {hearth} device list
  {hearth} device get kitchen-kettle
  {hearth} device set kitchen-kettle switch.on=true
  {hearth} trace kitchen-kettle
  {hearth} doctor

Ctrl-C ends the demo.""")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--bin", type=lambda s: pathlib.Path(s).resolve(), required=True)
    p.add_argument("--http", required=True)
    p.add_argument("--mqtt", type=int, required=True)
    p.add_argument("--smoke", action="store_true")
    p.add_argument("--keep", action="store_true")
    demo = Demo(p.parse_args())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        demo.run()
    except KeyboardInterrupt:
        print()
    finally:
        demo.stop()


if __name__ == "__main__":
    main()
