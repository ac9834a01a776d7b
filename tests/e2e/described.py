"""Devices that describe themselves: Home Assistant discovery (entity and device form) and zigbee2mqtt, from published messages."""
import json

from home import Broker, Ear, Home, run, until

# open-protocols A1.7 TV-HA-3
AC = {"dev": {"ids": ["hg_ac01"], "name": "Bedroom AC", "mf": "Acme", "mdl": "X1", "sw": "1.2"}, "o": {"name": "homegate", "sw": "0.1", "url": "https://example.org"},
      "avty": [{"t": "hg/ac01/avail"}], "cmps": {
          "climate": {"p": "climate", "uniq_id": "hg_ac01_climate", "name": None, "modes": ["off", "cool", "heat", "fan_only", "dry", "auto"],
                      "mode_cmd_t": "hg/ac01/mode/set", "mode_stat_t": "hg/ac01/state", "mode_stat_tpl": "{{ value_json.mode }}",
                      "temp_cmd_t": "hg/ac01/target/set", "temp_stat_t": "hg/ac01/state", "temp_stat_tpl": "{{ value_json.target }}",
                      "curr_temp_t": "hg/ac01/state", "curr_temp_tpl": "{{ value_json.current }}", "min_temp": 16, "max_temp": 30, "temp_step": 0.5},
          "power": {"p": "sensor", "uniq_id": "hg_ac01_w", "dev_cla": "power", "unit_of_meas": "W", "stat_cla": "measurement",
                    "stat_t": "hg/ac01/state", "val_tpl": "{{ value_json.watt }}"}}}

# grammar of exposes, as zigbee2mqtt publishes a two-gang switch and a contact
BRIDGE = [
    {"ieee_address": "0x00124b00120144ae", "type": "Coordinator", "friendly_name": "Coordinator", "supported": True, "disabled": False, "definition": None},
    {"ieee_address": "0x0017880104e45517", "type": "Router", "friendly_name": "hall", "supported": True, "disabled": False, "interview_completed": True,
     "definition": {"source": "native", "model": "QBKG12LM", "vendor": "Aqara", "description": "Smart wall switch (double rocker)", "exposes": [
         {"type": "switch", "endpoint": "left", "features": [{"type": "binary", "name": "state", "label": "State", "property": "state_left", "access": 7,
                                                              "value_on": "ON", "value_off": "OFF", "value_toggle": "TOGGLE", "endpoint": "left"}]},
         {"type": "switch", "endpoint": "right", "features": [{"type": "binary", "name": "state", "label": "State", "property": "state_right", "access": 7,
                                                               "value_on": "ON", "value_off": "OFF", "value_toggle": "TOGGLE", "endpoint": "right"}]},
         {"type": "numeric", "name": "power", "label": "Power", "property": "power", "access": 5, "unit": "W"},
         {"type": "numeric", "name": "linkquality", "label": "Linkquality", "property": "linkquality", "access": 1, "unit": "lqi", "value_min": 0, "value_max": 255}]}},
    {"ieee_address": "0x00158d000149d6c5", "type": "EndDevice", "friendly_name": "front door", "supported": True, "disabled": False, "interview_completed": True,
     "definition": {"source": "native", "model": "MCCGQ11LM", "vendor": "Aqara", "description": "Door and window sensor", "exposes": [
         {"type": "binary", "name": "contact", "label": "Contact", "property": "contact", "access": 1, "value_on": False, "value_off": True},
         {"type": "numeric", "name": "battery", "label": "Battery", "property": "battery", "access": 1, "unit": "%", "value_min": 0, "value_max": 100}]}},
]


def home_assistant_device_form(folder):
    broker = Broker(folder).start()
    home = Home(folder, broker).start()
    commands = Ear(broker.port, "hg/ac01/+/set")
    broker.pub("homeassistant/device/hg_ac01/config", AC, retain=True)
    broker.pub("hg/ac01/avail", "online", retain=True)
    home.adopt("ac", name="Bedroom AC")
    broker.pub("hg/ac01/state", {"mode": "cool", "target": 24, "current": 26.5, "watt": 812})
    home.wait_value("ac", "thermostat.mode", "cool")
    assert home.value("ac", "thermostat.setpoint") == 24 and home.value("ac", "temperature.measured") in (26.5, None)
    assert home.value("ac", "meter.power") == 812

    def echo():
        if commands.heard("hg/ac01/target/set"):
            broker.pub("hg/ac01/state", {"mode": "cool", "target": float(commands.heard("hg/ac01/target/set")[-1]), "current": 26.5, "watt": 800})
            return True

    import threading
    threading.Thread(target=lambda: until("the command", echo), daemon=True).start()
    r = json.loads(home.cli("--json", "device", "set", "ac", "thermostat.setpoint=22.5").stdout)
    assert r["status"] == "done", r
    assert home.cli("device", "set", "ac", "thermostat.setpoint=40", check=False).returncode == 9
    # the description is withdrawn
    broker.pub("homeassistant/device/hg_ac01/config", "", retain=True)
    home.stop()
    home.start()
    assert home.json("device", "get", "ac")["id"] == "ac", "an adopted device stays until a person removes it"
    home.stop()
    broker.stop()


def zigbee2mqtt_bridge(folder):
    broker = Broker(folder).start()
    home = Home(folder, broker).start()
    sets = Ear(broker.port, "zigbee2mqtt/+/set")
    broker.pub("zigbee2mqtt/bridge/devices", BRIDGE, retain=True)
    home.adopt("hall", name="hall")
    home.adopt("door", name="front door")
    assert len(home.json("candidate", "list")["candidates"]) == 2, "the coordinator is no appliance"
    broker.pub("zigbee2mqtt/hall", {"state_left": "ON", "state_right": "OFF", "power": 12.5, "linkquality": 120})
    broker.pub("zigbee2mqtt/front door", {"contact": False, "battery": 91})
    until("the gangs", lambda: home.json("device", "get", "hall")["state"] and any(
        a.endswith("switch.on") and s["value"] is True for a, s in home.json("device", "get", "hall")["state"].items()))
    home.wait_value("door", "contact.open", True)
    address = next(a for a, s in home.json("device", "get", "hall")["state"].items() if a.endswith("switch.on") and s["value"] is False)
    home.cli("device", "set", "hall", f"{address}=on", check=False)
    assert json.loads(sets.wait("zigbee2mqtt/hall/set")) == {"state_right": "ON"}
    home.stop()
    broker.stop()


if __name__ == "__main__":
    run(home_assistant_device_form, zigbee2mqtt_bridge)
