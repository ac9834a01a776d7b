"""The private broker: hearthd configures, starts and supervises mosquitto; who may do what on it."""
import os
import signal
import subprocess

from home import Ear, Home, run, until


def mosquitto_of(home):
    out = subprocess.run(["pgrep", "-P", str(home.child.pid), "-x", "mosquitto"], capture_output=True, text=True).stdout.split()
    return int(out[0]) if out else None


def sub(home, user, topic, seconds=2):
    password = (home.state / "broker" / f"{user}.password").read_text().strip()
    return subprocess.run(["mosquitto_sub", "-p", str(home.mqtt_port), "-u", user, "-P", password, "-t", topic, "-C", "1", "-W", str(seconds)],
                          capture_output=True, text=True)


def started_supervised_and_stopped(folder):
    home = Home(folder).start()
    pid = until("mosquitto", lambda: mosquitto_of(home))
    until("the adapter", lambda: all(a["link"] == "up" for a in home.json("status")["adapters"]))
    os.kill(pid, signal.SIGKILL)
    second = until("a new mosquitto", lambda: (lambda p: p if p and p != pid else None)(mosquitto_of(home)))
    until("the adapter again", lambda: all(a["link"] == "up" for a in home.json("status")["adapters"]))
    home.stop()
    until("mosquitto to end with us", lambda: not os.path.exists(f"/proc/{second}"))
    home.start()
    third = until("mosquitto", lambda: mosquitto_of(home))
    home.stop(signal.SIGKILL)
    until("mosquitto to end when we are killed", lambda: not os.path.exists(f"/proc/{third}"))


def accounts_and_rights(folder):
    home = Home(folder).start()
    until("the adapter", lambda: all(a["link"] == "up" for a in home.json("status")["adapters"]))
    anonymous = subprocess.run(["mosquitto_sub", "-p", str(home.mqtt_port), "-t", "#", "-C", "1", "-W", "2"], capture_output=True, text=True)
    assert anonymous.returncode != 0 and "not authorised" in (anonymous.stderr + anonymous.stdout).lower(), anonymous
    until("the surface to say online", lambda: sub(home, "home", "hearth/status").stdout.strip() == "online")
    assert sub(home, "device", "hearth/status").stdout == "", "appliances see nothing of the home"
    mode = (home.state / "broker" / "device.password").stat().st_mode & 0o777
    assert mode == 0o600, oct(mode)
    password = (home.state / "broker" / "device.password").read_text().strip()
    ear = Ear(home.mqtt_port, "hearth/#", username="home", password=(home.state / "broker" / "home.password").read_text().strip())
    subprocess.run(["mosquitto_pub", "-p", str(home.mqtt_port), "-u", "device", "-P", password, "-t", "hearth/x/state", "-m", "forged"], check=True)
    ear.wait("hearth/status")
    assert not ear.heard("hearth/x/state")
    home.stop()


if __name__ == "__main__":
    run(started_supervised_and_stopped, accounts_and_rights)
