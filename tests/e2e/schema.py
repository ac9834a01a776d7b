#!/usr/bin/env python3
"""The JSON Schema for editors, judged by a validator that we did not write: what ships is valid, and each kind of mistake is found at its place."""
import glob
import json
import os
import pathlib
import re
import subprocess
import sys

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEARTH = os.path.join(os.environ["HEARTH_BIN"], "hearth")

GOOD = """
profile: 1
id: acme.plug
version: 1.0.0
type: plug
name: {en: Plug, zh-CN: 插座}
match: [{mqtt: "stat/+/POWER", set: {topic: "topic:1"}}]
vars: {topic: {identity: true}}
msgs: {power: {rx: "stat/{topic}/POWER", tx: "cmnd/{topic}/POWER", codec: text}}
points: {on: {io: "power#", map: {"ON": true, "OFF": false}}}
caps: {switch.on: {point: on}}
tests: [{name: works, rx: [{power: "ON"}], want: {switch.on: true}, write: {switch.on: false}, tx: [{power: "OFF"}]}]
"""

# (what is changed, by what, the path at which an editor must mark it)
BROKEN = [
    ("profile: 1", "profile: 2", ["profile"]),
    ("version: 1.0.0", "version: first", ["version"]),
    ("version: 1.0.0", "", []),
    ("tests: [", "teste: []\ntests: [", []),
    ("codec: text", "codec: xml", ["msgs", "power", "codec"]),
    ("codec: text", "codec: text, qos: many", ["msgs", "power", "qos"]),
    ("codec: text", "codec: text, fill: 'aa bb'", ["msgs", "power", "codec"]),
    ("io: \"power#\"", "io: 5", ["points", "on", "io"]),
    ("io: \"power#\", ", "", ["points", "on"]),
    ("{point: on}", "{points: on}", ["caps", "switch.on"]),
    ("{point: on}", "{point: on, assume: soon}", ["caps", "switch.on", "assume"]),
    ("{point: on}", "{point: on, set: {on: v}}", ["caps", "switch.on"]),
    ("write: {switch.on: false}", "write: {switch.on: false}, act: [a, {}]", ["tests", 0]),
]


class Loader(yaml.SafeLoader):
    """The core schema of the profile language: only true and false are booleans, nothing is a date."""


for first, resolvers in list(yaml.SafeLoader.yaml_implicit_resolvers.items()):
    Loader.yaml_implicit_resolvers = dict(Loader.yaml_implicit_resolvers)
    Loader.yaml_implicit_resolvers[first] = [r for r in resolvers if not r[0].endswith((":bool", ":timestamp"))]
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))


def read(text):
    return yaml.load(text, Loader)


def hearth(*words):
    return subprocess.run([HEARTH, *words], capture_output=True, text=True, timeout=60)


def main():
    out = hearth("profile", "schema")
    assert out.returncode == 0 and not out.stderr, out
    schema = json.loads(out.stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)

    files = sorted(glob.glob(str(ROOT / "profiles/*/*.yaml")))
    assert len(files) >= 17, files
    for file in files:
        errors = [f"{list(e.absolute_path)}: {e.message}" for e in validator.iter_errors(read(open(file).read()))]
        assert not errors, (file, errors)

    assert not list(validator.iter_errors(read(GOOD)))
    for old, new, path in BROKEN:
        assert old in GOOD, old
        text = GOOD.replace(old, new, 1)
        paths = [list(e.absolute_path) for e in validator.iter_errors(read(text))]
        assert paths, f"not found: {new!r} instead of {old!r}"
        assert path in paths, (new, path, paths)
        file = pathlib.Path(os.environ.get("TMPDIR", "/tmp")) / f"hearth-schema-{os.getpid()}.yaml"
        file.write_text(text)
        try:  # the checker agrees: one source of both
            refused = hearth("profile", "check", str(file))
            assert refused.returncode == 9, (new, refused)
        finally:
            file.unlink()

    # What an editor offers: every key has a line of help, every capability and device type of the model is known by name.
    caps = next(d for d in schema["definitions"].values() if "switch.on" in d.get("properties", {}))
    assert len(caps["properties"]) > 200 and all(p["description"] for p in caps["properties"].values())
    assert "robot_vacuum" in schema["properties"]["type"]["examples"]
    print(f"{len(files)} profiles valid, {len(BROKEN)} mistakes found")


if __name__ == "__main__":
    sys.exit(main())
