#!/usr/bin/env python3
"""capabilities.txt, device-types.txt, units.txt, labels.txt → one C file of const tables (gw/model.h).

Usage: generate.py SOURCE_DIR OUTPUT.c. The columns are separated by '|', a heading is "# group: …"; the notation is that of
device-model.md §1. Anything that is not understood is refused with file and line: a vocabulary is never guessed.
The output depends on nothing but the four files.
"""
import pathlib
import re
import sys
from fractions import Fraction

ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)?$")
SYMBOL = re.compile(r"[A-Za-z][A-Za-z0-9_]*$")
NUMBER = r"-?[0-9]+(?:\.[0-9]+)?(?:e[0-9]+)?"
RANGE = re.compile(rf"(?:(?P<min>{NUMBER})\.\.(?P<max>{NUMBER})?)?\s*(?:/(?P<res>[0-9]+(?:\.[0-9]{{1,6}})?))?$")
MAX_COUNT = 2**53  # profile-language.md §1: a greater count is no number
ID_BYTES = 64

KINDS = {"P": "PROPERTY", "A": "ACTION", "E": "EVENT"}
ACCESS = {"r": "READ", "w": "WRITE", "n": "NOTIFY", "x": "INVOKE", "e": "EMIT", "adm": "ADMIN", "sec": "SECURITY"}
PLAIN_TYPES = {"bool": "BOOL", "int": "INT", "num": "NUM", "str": "STR", "time": "TIME"}
PROFILE_NAMED = {"enum, profile-named", "enum, profile-named with mode tags", "symbol"}
# Words behind a range that say what its direction means.
RANGE_REMARKS = ("import > 0", "charging > 0", "open=100")
# An argument that is written as its choices has a name too.
CHOICES = {"up/down": "direction", "open/closed/position": "to", "list<id>": "ids"}
# What the data of an event are, by name; the first is the event's value.
EVENT_DATA = {
    "symbol": "ENUM", "zone": "STR", "confidence": "NUM", "source": "STR", "seconds since": "INT",
    "slot": "INT", "what": "STR", "error": "STR",
}
EVENT_DETAILS = {"severity", "position", "user", "source", "seconds", "late"}


class Refused(Exception):
    pass


class Source:
    """Rows of one file, each with its group, place and columns."""

    def __init__(self, folder, name, columns):
        self.name, self.rows = name, []
        group = ""
        for number, line in enumerate((folder / name).read_text("utf-8").splitlines(), 1):
            if line.startswith("# group: "):
                group = line[len("# group: "):]
            elif line.startswith("#") or not line:
                continue
            else:
                cells = line.split("|")
                if len(cells) != columns:
                    raise Refused(f"{name}:{number}: {len(cells)} columns instead of {columns}")
                self.rows.append((f"{name}:{number}", group, cells))


def c_text(s):
    out = []
    for byte in s.encode("utf-8"):
        ch = chr(byte)
        out.append(ch if 32 <= byte < 127 and ch not in '"\\?' else f"\\{byte:03o}")
    return '"' + "".join(out) + '"'


class Lists:
    """Arrays of texts, each distinct one written once."""

    def __init__(self):
        self.names = {}

    def add(self, items):
        if not items:
            return "NULL"
        return self.names.setdefault(tuple(items), f"list_{len(self.names)}")

    def write(self, out):
        for items, name in self.names.items():
            out.append(f"static const char *const {name}[] = {{{', '.join(c_text(i) for i in items)}}};")


# --- notation ---


def parse_id(at, text, seen):
    if not ID.match(text) or len(text) > ID_BYTES:
        raise Refused(f"{at}: {text!r} is not an id")
    if text in seen:
        raise Refused(f"{at}: {text} was defined before")
    seen.add(text)
    return text


def parse_symbols(at, text):
    """a,b,position_1..position_5 → [a, b, position_1, …]"""
    symbols = []
    for item in text.split(","):
        run = re.match(r"([a-z_]+)_([0-9]+)\.\.\1_([0-9]+)$", item)
        if run:
            first, last = int(run[2]), int(run[3])
            if first >= last:
                raise Refused(f"{at}: {item!r} is an empty run of symbols")
            symbols += [f"{run[1]}_{i}" for i in range(first, last + 1)]
        elif SYMBOL.match(item):
            symbols.append(item)
        else:
            raise Refused(f"{at}: {item!r} is not a symbol")
    if len(set(symbols)) != len(symbols):
        raise Refused(f"{at}: a symbol stands twice in {text!r}")
    return symbols


def parse_type(at, text):
    """Type of a property → (type, symbols, profile_named)."""
    if text in PLAIN_TYPES:
        return PLAIN_TYPES[text], [], False
    if text in PROFILE_NAMED:
        return "ENUM", [], True
    if text == "list<symbol>":
        return "LIST", [], True
    form = re.match(r"(enum |rec |list<rec |list<)(.*?)(>?)$", text)
    if not form or form[1].startswith("list<") != (form[3] == ">"):
        raise Refused(f"{at}: {text!r} is not a type")
    symbols = parse_symbols(at, form[2])
    if form[1] == "enum ":
        return "ENUM", symbols, False
    if form[1] == "list<":
        return "LIST", symbols, False
    return ("REC" if form[1] == "rec " else "LIST"), [], False  # fields: known to the profile


def parse_action(at, text):
    """'in: watts, max current' → names of the inputs; an output is no argument."""
    if text == "" or re.match(r"out: [a-z]+$", text):
        return []
    if not text.startswith("in: "):
        raise Refused(f"{at}: {text!r} is not the form of an action")
    names = []
    for item in text[len("in: "):].split(", "):
        name = CHOICES.get(item, item.replace(" ", "_"))
        if not re.match(r"[a-z][a-z0-9_]*$", name):
            raise Refused(f"{at}: {item!r} is not an argument")
        names.append(name)
    return names


def parse_event(at, text):
    """'press,double; position' or 'what, source' → (type, symbols, profile_named, names)."""
    if text == "":
        return "NONE", [], False, []
    if ";" in text or ("," in text and ", " not in text):
        symbols, _, rest = text.partition("; ")
        details = rest.split(", ") if rest else []
        kind, values, named, names = "ENUM", parse_symbols(at, symbols), False, ["symbol"]
    else:
        first, *details = text.split(", ")
        if first not in EVENT_DATA:
            raise Refused(f"{at}: {first!r} is not a known datum of an event")
        kind, values, named, names = EVENT_DATA[first], [], first == "symbol", [first.replace(" ", "_")]
    for detail in details:
        if detail not in EVENT_DETAILS:
            raise Refused(f"{at}: {detail!r} is not a known datum of an event")
    return kind, values, named, names + details


def parse_range(at, text):
    """'-1e6..1e6 /0.1 import > 0' → (n, d, min, max); bounds as counts of n/d, None when open."""
    body = text
    for remark in RANGE_REMARKS:
        body = body.replace(remark, "")
    form = RANGE.match(" ".join(body.split()))
    if not form:
        raise Refused(f"{at}: {text!r} is not a range")
    res = form["res"] or "1"
    places = len(res.partition(".")[2].rstrip("0"))
    d = 10**places
    n = int(Fraction(res) * d)
    if n <= 0:
        raise Refused(f"{at}: a resolution of {res}")
    bounds = []
    for bound in (form["min"], form["max"]):
        if bound is None:
            bounds.append(None)
            continue
        mantissa, _, exponent = bound.partition("e")
        count = Fraction(mantissa) * 10 ** int(exponent or 0) * d / n
        if count.denominator != 1 or abs(count) >= MAX_COUNT:
            raise Refused(f"{at}: {bound} is no whole count of {res}")
        bounds.append(int(count))
    if None not in bounds and bounds[0] > bounds[1]:
        raise Refused(f"{at}: {text!r} is empty")
    return n, d, bounds[0], bounds[1]


def parse_access(at, text, kind):
    flags = text.split(" ")
    for flag in flags:
        if flag not in ACCESS:
            raise Refused(f"{at}: access {flag!r}")
    allowed = {"P": {"r", "w", "n"}, "A": {"x"}, "E": {"e"}}[kind] | {"adm", "sec"}
    if not set(flags) <= allowed:
        raise Refused(f"{at}: access {text!r} does not fit kind {kind}")
    return " | ".join("GW_ACCESS_" + ACCESS[f] for f in flags)


def parse_list(at, text, capabilities, types):
    """'a.b, c.d or e.f; main: …; each cabinet: …; all of x and y' → ['a.b', 'c.d|e.f', 'cabinet:…', …]"""
    out = []
    whole = re.match(r"all of ([a-z_]+(?: and [a-z_]+)*)$", text)
    if whole:
        for name in whole[1].split(" and "):
            if name not in types:
                raise Refused(f"{at}: {name} is not a device type before this line")
            out += [c for c in types[name] if c not in out]
        return out
    for clause in filter(None, text.split("; ")):
        form = re.match(r"(?:(?:each )?([a-z]+): )?(.*)$", clause)
        prefix = f"{form[1]}:" if form[1] and form[1] != "main" else ""
        for item in form[2].split(", "):
            if re.match(r"[a-z]+ through component$", item):
                continue  # a remark: the part has its own type
            alternatives = item.split(" or ")
            for name in alternatives:
                if name not in capabilities:
                    raise Refused(f"{at}: {name!r} is not a capability")
            out.append(prefix + "|".join(alternatives))
    return out


# --- tables ---


def read_units(folder):
    units = {}
    for at, _, (code, symbol, en, zh) in Source(folder, "units.txt", 4).rows:
        if code in units or not code or not en or not zh:
            raise Refused(f"{at}: a unit needs a code of its own and both names")
        units[code] = (symbol, en, zh)
    return units


def read_labels(folder):
    labels = {}
    for at, _, (name, en, zh) in Source(folder, "labels.txt", 3).rows:
        if name in labels or not en or not zh:
            raise Refused(f"{at}: a label needs an id of its own and both languages")
        labels[name] = (at, en, zh)
    return labels


def take_label(at, labels, used, name):
    if name not in labels:
        raise Refused(f"{at}: labels.txt has no label for {name}")
    used.add(name)
    return labels[name][1:]


def read_capabilities(folder, units, labels, used, lists):
    rows, seen = [], set()
    for at, group, (name, kind, kind_text, unit, limits, access, matter, ha) in Source(
            folder, "capabilities.txt", 8).rows:
        parse_id(at, name, seen)
        if kind not in KINDS or "." not in name:
            raise Refused(f"{at}: {name} of kind {kind!r}")
        if unit and unit not in units:
            raise Refused(f"{at}: unit {unit!r} is not in units.txt")
        args = []
        if kind == "P":
            value_type, symbols, named = parse_type(at, kind_text)
        elif kind == "A":
            value_type, symbols, named, args = "NONE", [], False, parse_action(at, kind_text)
        else:
            value_type, symbols, named, args = parse_event(at, kind_text)
        n, d, low, high = parse_range(at, limits)
        en, zh = take_label(at, labels, used, name)
        rows.append((name, f"""	{{
		.id = {c_text(name)},
		.group = {c_text(group)},
		.kind = GW_KIND_{KINDS[kind]},
		.type = GW_TYPE_{value_type},
		.access = {parse_access(at, access, kind)},
		.unit = {c_text(unit)},
		.res = {{{n}, {d}}},
		.has_min = {str(low is not None).lower()},
		.has_max = {str(high is not None).lower()},
		.min = {low or 0},
		.max = {high or 0},
		.symbols = {lists.add(symbols)},
		.n_symbols = {len(symbols)},
		.profile_named = {str(named).lower()},
		.args = {lists.add(args)},
		.n_args = {len(args)},
		.matter = {c_text(matter)},
		.home_assistant = {c_text(ha)},
		.label_en = {c_text(en)},
		.label_zh = {c_text(zh)},
	}},"""))
    return rows


def read_types(folder, capabilities, labels, used, lists):
    rows, seen, parsed = [], set(), {}
    for at, group, (name, matter, ha, components, must, may) in Source(folder, "device-types.txt", 6).rows:
        parse_id(at, name, seen)
        if not components or not must:
            raise Refused(f"{at}: {name} needs components and mandatory capabilities")
        mandatory = parse_list(at, must, capabilities, parsed)
        optional = [c for c in parse_list(at, may, capabilities, parsed) if c not in mandatory]
        parsed[name] = mandatory + optional
        en, zh = take_label(at, labels, used, name)
        rows.append((name, f"""	{{
		.id = {c_text(name)},
		.group = {c_text(group)},
		.matter = {c_text(matter)},
		.home_assistant = {c_text(ha)},
		.components = {c_text(components)},
		.mandatory = {lists.add(mandatory)},
		.n_mandatory = {len(mandatory)},
		.optional = {lists.add(optional)},
		.n_optional = {len(optional)},
		.label_en = {c_text(en)},
		.label_zh = {c_text(zh)},
	}},"""))
    return rows


# --- perfect hash by displacement; model.c has the same two functions ---


def fnv1a(text):
    h = 0x811C9DC5
    for byte in text.encode():
        h = (h ^ byte) * 0x01000193 & 0xFFFFFFFF
    return h


def mix(h, displacement):
    x = h + displacement * 0x9E3779B9 & 0xFFFFFFFF
    x ^= x >> 16
    x = x * 0x85EBCA6B & 0xFFFFFFFF
    return x ^ x >> 13


def perfect_hash(ids):
    """→ (displacements, slots): slots[mix(h, displacements[h % len]) % len] is the index of the id, or -1."""
    n_buckets, n_slots = max(1, len(ids) // 4), len(ids) * 5 // 4
    buckets = [[] for _ in range(n_buckets)]
    for index, name in enumerate(ids):
        buckets[fnv1a(name) % n_buckets].append(index)
    displacements, slots = [0] * n_buckets, [-1] * n_slots
    for bucket in sorted(range(n_buckets), key=lambda b: (-len(buckets[b]), b)):
        for displacement in range(65536):
            places = [mix(fnv1a(ids[i]), displacement) % n_slots for i in buckets[bucket]]
            if len(set(places)) == len(places) and all(slots[p] < 0 for p in places):
                break
        else:
            raise Refused("no perfect hash found")
        displacements[bucket] = displacement
        for place, index in zip(places, buckets[bucket]):
            slots[place] = index
    return displacements, slots


def write_hash(out, name, ids):
    displacements, slots = perfect_hash(ids)
    out.append(f"static const uint16_t {name}_displacements[] = {{{', '.join(map(str, displacements))}}};")
    out.append(f"static const int16_t {name}_slots[] = {{{', '.join(map(str, slots))}}};")
    out.append(f"""const struct gw_model_hash gw_model_{name}_hash = {{
	.displacements = {name}_displacements,
	.n_displacements = {len(displacements)},
	.slots = {name}_slots,
	.n_slots = {len(slots)},
}};
""")


def write_table(out, kind, name, rows):
    out.append(f"const size_t gw_model_n_{name} = {len(rows)};")
    out.append(f"const struct {kind} gw_model_{name}[] = {{")
    out += [text for _, text in rows]
    out.append("};\n")
    write_hash(out, name, [row_id for row_id, _ in rows])


def generate(folder):
    units, labels, used, lists = read_units(folder), read_labels(folder), set(), Lists()
    capabilities = read_capabilities(folder, units, labels, used, lists)
    types = read_types(folder, {row_id for row_id, _ in capabilities}, labels, used, lists)
    for name, (at, _, _) in labels.items():
        if name not in used:
            raise Refused(f"{at}: a label for {name}, which does not exist")
    out = ["/* Generated by gateway/model/generate.py; do not edit. */", '#include "model/tables.h"', ""]
    lists.write(out)
    out.append("")
    write_table(out, "gw_capability", "capabilities", capabilities)
    write_table(out, "gw_device_type", "types", types)
    write_table(out, "gw_model_unit", "units", [
        (code, f"	{{{c_text(code)}, {c_text(symbol)}, {c_text(en)}, {c_text(zh)}}},")
        for code, (symbol, en, zh) in units.items()])
    return "\n".join(out)


def main():
    folder, target = map(pathlib.Path, sys.argv[1:])
    try:
        text = generate(folder)
    except Refused as refusal:
        print(f"gateway/model/{refusal}", file=sys.stderr)
        return 1
    target.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
