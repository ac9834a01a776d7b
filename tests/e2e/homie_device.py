"""Homie devices of others: a Homie 5 lamp and a Homie 4 thermostat, played with paho; found, adopted, seen and set. What we announce ourselves is no candidate."""
import json

from home import Broker, Ear, Home, run, until

LAMP = {"homie": "5.0", "version": 1, "name": "Desk lamp", "type": "light", "nodes": {"light": {"name": "Light", "properties": {
    "on": {"name": "On", "datatype": "boolean", "settable": True},
    "brightness": {"name": "Brightness", "datatype": "integer", "format": "0:255", "settable": True},
    "effect": {"name": "Effect", "datatype": "enum", "format": "none,rainbow", "settable": True},
    "uptime": {"name": "Uptime", "datatype": "integer", "unit": "s"}}}}}

# one topic for each attribute, in the order in which a hash table may give them
THERMOSTAT = {
    "heating/setpoint/$datatype": "float", "$nodes": "heating", "heating/setpoint/$format": "5:30", "heating/setpoint/$unit": "°C",
    "heating/setpoint/$settable": "true", "heating/$properties": "setpoint,temperature,mode", "$name": "Hall", "heating/temperature/$unit": "°C",
    "heating/mode/$datatype": "enum", "heating/mode/$format": "eco,comfort", "heating/mode/$settable": "true", "$homie": "4.0.0",
    "heating/$name": "Heating", "heating/temperature/$datatype": "float", "$state": "ready", "$extensions": "",
}


class Device:
    """Answers a set as the convention has it: the property is published again."""

    def __init__(self, broker, base):
        self.base, self.sets = base, []
        self.ear = Ear(broker.port, f"{base}/+/+/set")
        self.ear.client.on_message = self._set

    def _set(self, client, _userdata, m):
        self.sets.append((m.topic, m.payload.decode(), bool(m.retain)))
        client.publish(m.topic[: -len("/set")], m.payload, retain=True)

    def say(self, **values):
        for path, value in values.items():
            self.ear.pub(f"{self.base}/{path.replace('__', '/')}", value, retain=True)

    def state(self, state):
        self.ear.pub(f"{self.base}/$state", state, retain=True)

    def close(self):
        self.ear.close()


def announce_lamp(broker):
    lamp = Device(broker, "homie/5/desk-lamp")
    lamp.state("init")
    lamp.ear.pub("homie/5/desk-lamp/$description", LAMP, retain=True)
    lamp.say(light__on="false", light__brightness="51", light__effect="none", light__uptime="7")
    lamp.state("ready")
    return lamp


def announce_thermostat(broker):
    hall = Device(broker, "homie/hall")
    for attribute, value in THERMOSTAT.items():
        hall.ear.pub(f"homie/hall/{attribute}", value, retain=True)
    hall.say(heating__setpoint="21", heating__temperature="19.5", heating__mode="eco")
    return hall


def homie_5(folder):
    broker = Broker(folder).start()
    home = Home(folder, broker).start()
    lamp = announce_lamp(broker)
    home.adopt("lamp", identity="homie:homie/5/desk-lamp", name="Desk lamp")
    home.wait_value("lamp", "level.value", 20)
    assert home.value("lamp", "switch.on") is False and home.value("lamp", "device.uptime") == 7
    result = json.loads(home.cli("--json", "device", "set", "lamp", "switch.on=on").stdout)
    assert result["status"] == "done", result
    home.cli("device", "set", "lamp", "level.value=40")
    assert lamp.sets == [("homie/5/desk-lamp/light/on/set", "true", False), ("homie/5/desk-lamp/light/brightness/set", "102", False)], lamp.sets
    home.wait_value("lamp", "level.value", 40)
    # a change that the device makes by itself, and its loss
    lamp.say(light__on="false")
    home.wait_value("lamp", "switch.on", False)
    lamp.state("lost")
    home.wait_value("lamp", "link.online", False)
    lamp.state("ready")
    home.wait_value("lamp", "link.online", True)
    lamp.close()
    home.stop()
    broker.stop()


def homie_4(folder):
    broker = Broker(folder).start()
    hall = announce_thermostat(broker)  # before the gateway: everything is retained
    home = Home(folder, broker).start()
    home.adopt("hall", identity="homie:homie/hall", name="Hall")
    home.wait_value("hall", "thermostat.setpoint", 21)
    assert home.value("hall", "temperature.measured") == 19.5 and home.value("hall", "x.homie.mode") == "eco"
    home.cli("device", "set", "hall", "thermostat.setpoint=22.5")
    home.cli("device", "set", "hall", "x.homie.mode=comfort")
    assert [s[:2] for s in hall.sets] == [("homie/hall/heating/setpoint/set", "22.5"), ("homie/hall/heating/mode/set", "comfort")], hall.sets
    assert home.cli("device", "set", "hall", "thermostat.setpoint=40", check=False).returncode == 9
    # all attributes come again after a restart: the device is the same one
    home.stop()
    home.start()
    home.wait_value("hall", "thermostat.setpoint", 22.5)
    assert len(home.json("device", "list")["devices"]) == 1
    hall.close()
    home.stop()
    broker.stop()


def our_own_are_no_candidates(folder):
    broker = Broker(folder).start()
    home = Home(folder, broker, config="  mqtt:\n    homie: true\n").start()
    lamp, ear = announce_lamp(broker), Ear(broker.port, "homie/5/+/$description")
    home.adopt("lamp", name="Desk lamp")
    ear.wait("homie/5/hearth-lamp/$description")
    hall = announce_thermostat(broker)  # what comes later is read after our own
    home.candidate(name="Hall")
    identities = [c["identity"] for c in home.json("candidate", "list")["candidates"]]
    assert sorted(identities) in (["homie:homie/5/desk-lamp", "homie:homie/hall"], ["homie:homie/hall"]), identities
    # a device that is withdrawn is no candidate any more
    hall.ear.pub("homie/hall/$homie", "", retain=True)
    until("the withdrawal", lambda: all(c["name"] != "Hall" for c in home.json("candidate", "list")["candidates"]))
    lamp.close()
    hall.close()
    home.stop()
    broker.stop()


if __name__ == "__main__":
    run(homie_5, homie_4, our_own_are_no_candidates)
