#!/usr/bin/env python3
"""Who may include whom (gateway/docs/architecture.md). Prints each edge that is not allowed; exit 1 if there is any."""
import pathlib
import re
import sys

# room → rooms whose private headers it may include; gw/ headers are listed separately.
ROOMS = {
    "gateway/base": {"base"},
    "gateway/model": {"model", "base"},
    "gateway/profile": {"profile", "model", "base"},
    "gateway/discovery": {"discovery"},
    "gateway/home": {"home", "discovery"},
    "gateway/surfaces/api": {"surfaces/api"},
    "gateway/surfaces/http": {"surfaces/http", "surfaces/api"},
    "gateway/surfaces/control": {"surfaces/control", "surfaces/api"},
    "gateway/surfaces/mqtt": {"surfaces/mqtt"},
    "gateway/cli": {"cli"},
    "gateway/daemon": {"daemon", "home"},
    "adapters": set(),
    "adapters/link": {"link"},
    "adapters/mqtt": {"mqtt", "link"},
}
# Headers in gw/ by the lowest room that may see them: a room sees its own level and everything below.
LEVELS = ["base", "model", "profile", "discovery", "home", "surfaces"]
GW = {
    "base": "compiler alloc str buf list map json node error log clock loop limits option topic path",
    "model": "value model",
    "profile": "profile binding twin import traffic",
    "home": "status access home",
    "surfaces": "surface adapter broker mqtt_link",
}
LEVEL_OF = {h: LEVELS.index(level) for level, names in GW.items() for h in names.split()}
# The link room stands beside the row: contracts only.
MAX_LEVEL = {"gateway/base": 0, "gateway/model": 1, "gateway/profile": 2, "gateway/discovery": 3}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
# Contracts of the row that adapters and links may not see: they know no model, no home.
HIDDEN_FROM_ADAPTERS = {"home", "access", "binding", "twin", "import", "traffic", "surface"}


def main(root: pathlib.Path) -> int:
    bad = []
    for top in ("gateway", "adapters"):
        for path in sorted((root / top).rglob("*.[ch]")):
            rel = path.relative_to(root).as_posix()
            if rel.startswith("gateway/include/"):
                continue
            room = next((r for r in sorted(ROOMS, key=len, reverse=True) if rel.startswith(r + "/")), None)
            if room is None:
                bad.append(f"{rel}: stands in no room of the house")
                continue
            for inc in INCLUDE.findall(path.read_text()):
                if inc.startswith("gw/"):
                    name = inc[3:-2]
                    if name not in LEVEL_OF:
                        bad.append(f"{rel}: {inc} is not in the table of contracts")
                    elif LEVEL_OF[name] > MAX_LEVEL.get(room, 99):
                        bad.append(f"{rel}: {inc} belongs to a later room")
                    elif room.startswith("adapters/") and name in HIDDEN_FROM_ADAPTERS:
                        bad.append(f"{rel}: an adapter may not know {inc}")
                    continue
                target = inc.rsplit("/", 1)[0] if "/" in inc else None
                if target is None:
                    if (path.parent / inc).exists() or not (root / "gateway").joinpath(inc).exists():
                        continue  # a private header beside the file, or a generated one
                    bad.append(f"{rel}: {inc} is not beside the file")
                elif target.split("/import")[0] not in ROOMS[room]:
                    bad.append(f"{rel}: {inc} is another room's private header")
    for line in bad:
        print(line)
    print(f"{len(bad)} forbidden includes")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
