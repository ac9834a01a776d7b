#!/usr/bin/env python3
"""Every text that can be the second half of an API error has its Chinese in gateway/surfaces/api/detail.c.

Takes the literals out of the calls in CALLS, the assignments in ASSIGNED and the tables in TABLES, and prints file:line of each for which the
table has no row. Also printed: rows that nobody says, rows whose two halves differ in their values, and texts that are handed on under a name
which is not in HANDED_ON, because this check would miss them. Exit 1 if there is any.

Not looked at, on purpose: what is said before the language is known (surfaces/http/head.c, `/* chinese= */ false`), what ends the start of the
daemon (home/config.c, base/option.c), and what the compiler of profiles says to their authors, which stays English behind "Its profile cannot
be used: ".
"""
import pathlib
import re
import sys

TABLE = "gateway/surfaces/api/detail.c"
HOLE = "\0"  # a value, in a format as in a row
ROW, WORD, ARGUMENT = "row", "word", "argument"  # a row; a word within one; a row, and one with "name: " before it

STRING = r'"(?:[^"\\]|\\.)*"'

# Files; function, maybe with its first argument; number of the argument that is the text; what is made of it; where that has to stand.
CALLS = [
    ("gateway/surfaces/api/*.c", "gw_api_fail", 3, "{}", ROW),
    ("gateway/surfaces/api/channel.c", "send_error", 4, "{}", ROW),
    ("gateway/surfaces/*/*.c", "gw_api_write_error", 3, "{}", ROW),
    ("gateway/surfaces/api/schema.c", "refuse", 2, "{}", ROW),
    ("gateway/surfaces/http/check.c", "refuse", 3, "{}", ROW),
    ("gateway/base/build.c", "gw_build_fail", 4, "{}", ROW),
    ("gateway/base/node_json.c", "gw_build_fail", 4, "{}", ROW),
    ("gateway/base/node_json.c", "fail_at_reader", 3, "{}", WORD),
    ("gateway/base/json.c", "fail", 1, "{}", WORD),
    ("gateway/model/wanted.c", "gw_error_set", 3, "{}", ARGUMENT),
    ("gateway/model/wanted.c", "refuse_bound", 2, "%s is {} allowed %s", ARGUMENT),
    ("gateway/model/wanted.c", "refuse_type", 1, "{}", WORD),
    ("gateway/profile/*.c", "gw_write_refuse", 2, "{}", ROW),
    ("gateway/profile/write.c", "refuse_bound", 3, "%s is {} %s", ROW),
    ("gateway/profile/write.c", "snprintf(e->text", 2, "{}", ROW),
    ("gateway/profile/binding.c", "gw_error_set", 3, "{}", ROW),
    ("gateway/profile/library.c", "gw_error_set", 3, "{}", ROW),
    ("gateway/profile/vars.c", "refuse_var", 3, 'variable "%s": {}', ROW),
    ("gateway/home/*.c", "gw_command_finish", 3, "{}", ROW),
    ("gateway/home/*.c", "gw_commands_abort", 2, "{}", ROW),
    ("gateway/home/*.c", "gw_registry_set_problem", 1, "{}", ROW),
    ("gateway/home/command.c", "refuse", 4, "{}", ROW),
    ("gateway/home/adopt.c", "no", 3, "{}", ROW),
    ("gateway/home/adopt.c", "gw_error_set", 3, "{}", ROW),
    # The problem of a device is what its commands are refused with.
    ("gateway/home/adopt.c", "snprintf(text", 2, "{}", ROW),
    ("gateway/home/registry.c", "snprintf(text", 2, "{}", ROW),
    ("gateway/home/restore.c", "snprintf(text", 2, "{}", ROW),
    ("gateway/home/route.c", "snprintf(text", 2, "{}", ROW),
]
ASSIGNED = [
    ("gateway/home/command.c", r"\*ret_text\s*=", ROW),
    ("gateway/home/command.c", r"\.text\s*=", ROW),
    ("gateway/base/json.c", r"\berror\s*=", WORD),
    ("gateway/home/password.c", r"\bfault\s*=", ROW),
]
TABLES = [
    ("gateway/surfaces/http/*.c", rf"\{{\s*\d+,\s*GW_STATUS_\w+,\s*((?:{STRING}\s*)+)\}}", "{}", ROW),
    ("gateway/model/wanted.c", rf"\[GW_NODE_\w+\]\s*=\s*({STRING})", "{}", WORD),
    ("gateway/home/restore.c", rf"\be\.text\s*:\s*({STRING})", "Its profile %s cannot be loaded: {}", ROW),
]
# Names under which a text goes on that is looked at where it is made.
HANDED_ON = {
    "NULL", "text", "expected", "what", "detail", "error", "e->text", "o->text", "r->text", "r->error", "error.text", "c->error.text",
    "k->text", "d->problem", "gw_status_row(s)->text_en", "gw_status_row(status)->text_en",
}
# Formats that only put texts together: the table has a row for each whole.
FORWARDS = {"%s", "%s: %s", "%s is %s %s", "%s is %s allowed %s"}
# Said by the connection before it has read which language is wanted; by gw_value_parse(), which no API call uses.
ENGLISH = {"a line feed without its carriage return", "the head is larger than 16 KiB", "expected a %s as JSON"}
# What ends a write otherwise than by a refusal never stands behind the name of an argument.
NO_ARGUMENT = {"out of memory"}

TOKEN = re.compile(rf"{STRING}|'(?:[^'\\]|\\.)*'|/\*.*?\*/|//[^\n]*", re.S)
CONVERSION = re.compile(r"%[-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|z|j)?[diouxXeEfgGcsp]")
MACROS = {"GW_STR_FMT": '"%.*s"', "PRIu32": '"u"', "PRIu64": '"llu"'}


def without_comments(text):
    def replace(m):
        if not m[0].startswith("/"):
            return m[0]
        return ("CHINESE " if m[0] == "/* chinese= */" else " ") + "\n" * m[0].count("\n")
    return TOKEN.sub(replace, text)


def scan(text, start, stops):
    """Positions from start on of the characters in stops that stand in no bracket and no quotes; ends where a bracket closes."""
    depth, i = 0, start
    while i < len(text):
        m = TOKEN.match(text, i)
        if m:
            i = m.end()
            continue
        if depth == 0 and text[i] in stops:
            yield i
        depth += (text[i] in "([{") - (text[i] in ")]}")
        if depth < 0:
            return
        i += 1


def split(text, separators):
    pieces, start = [], 0
    for i in [*scan(text, 0, separators), len(text)]:
        pieces.append(text[start:i])
        start = i + 1
    return pieces


def branches(expression):
    """The values of a ?: b; what stands before a '?' is a condition."""
    pieces = split(expression, "?:")
    at = len(pieces[0])
    for k, piece in enumerate(pieces):
        if not expression[at:at + 1] == "?":
            yield piece
        at += 1 + (len(pieces[k + 1]) if k + 1 < len(pieces) else 0)


def unquote(text):
    return re.sub(r'\\(["\\])', r"\1", "".join(s[1:-1] for s in re.findall(STRING, text)))


def key_of(text):
    """A format as it is compared with a row: values that touch are one."""
    return re.sub(HOLE + "+", HOLE, CONVERSION.sub(HOLE, text))


def show(key):
    return key.replace(HOLE, "…")


class Check:
    def __init__(self, root):
        self.root, self.bad, self.said, self.sources = root, [], set(), {}
        table = (root / TABLE).read_text()
        self.tables = {kind: self.read_table(table, name) for kind, name in ((ROW, "rows"), (WORD, "words"))}

    def read_table(self, text, name):
        """key → line"""
        start = text.index(f"static const struct row {name}[] = {{\n")
        body = text[start:text.index("\n};", start) + 1]
        found = {}
        pairs = re.findall(rf"^(.*\{{({STRING}), ({STRING})\}},)$", body, re.M)
        if len(pairs) != body.count("\n\t{"):
            self.bad.append(f"{TABLE}: a row of {name} is not one line")
        for whole, en, zh in pairs:
            line = text.count("\n", 0, text.index(whole + "\n", start)) + 1
            key = re.sub("[%#][1-4]", HOLE, unquote(en))
            if sorted(re.findall("[%#][1-4]", en)) != sorted(re.findall("[%#][1-4]", zh)):
                self.bad.append(f"{TABLE}:{line}: the halves have different values: {en}")
            if key in found:
                self.bad.append(f"{TABLE}:{line}: stands here a second time: {en}")
            found[key] = line
        return found

    def files(self, pattern):
        for path in sorted(self.root.glob(pattern)):
            name = path.relative_to(self.root).as_posix()
            if name != TABLE:
                if name not in self.sources:
                    self.sources[name] = without_comments(path.read_text())
                yield name, self.sources[name]

    def want(self, where, text, kind):
        if not text or text in FORWARDS or text in ENGLISH:
            return
        keys = [key_of(text)]
        if kind == ARGUMENT and text not in NO_ARGUMENT:
            keys.append(f"{HOLE}: {keys[0]}")
        for key in keys:
            kind = WORD if kind == WORD else ROW
            self.said.add((kind, key))
            if key not in self.tables[kind]:
                self.bad.append(f"{where}: {TABLE} has no {kind} for: {show(key)}")

    def take(self, where, expression, made, kind):
        for branch in branches(expression):
            for name, value in MACROS.items():
                branch = re.sub(rf"\b{name}\b", value, branch)
            branch = " ".join(branch.split())
            if re.fullmatch(rf"{STRING}(?: ?{STRING})*", branch):
                self.want(where, made.replace("{}", unquote(branch)), kind)
            elif branch not in HANDED_ON:
                self.bad.append(f"{where}: says a text that this check cannot see: {branch}")

    def calls(self, source, function):
        """(line, arguments) of each call, without definitions and declarations"""
        name, _, first = function.partition("(")
        for m in re.finditer(rf"(?<![\w.>]){name}\(", source):
            before = re.search(r"(\w+|\*)\s*$", source[:m.start()])
            if before and before[1] not in ("return", "else"):
                continue
            end = next(scan(source, m.end(), ")"))
            args = [" ".join(a.split()) for a in split(source[m.end():end], ",")]
            if not first or args[0] == first:
                yield source.count("\n", 0, m.start()) + 1, args

    def look_at_calls(self, pattern, function, number, made, kind):
        seen = False
        for name, source in self.files(pattern):
            for line, args in self.calls(source, function):
                seen = True
                if "CHINESE false" in args:
                    continue
                text = args[number]
                if name.endswith("api/schema.c") and function == "refuse" and args[number + 1] != '""':
                    text += '"%s"'  # its refuse() puts the next argument behind the text
                self.take(f"{name}:{line}", text, made, kind)
        if not seen:
            self.bad.append(f"{pattern}: no call of {function}() there any more; this check has to follow")

    def look_at_assignments(self, pattern, regex, kind):
        for name, source in self.files(pattern):
            for m in re.finditer(regex, source):
                end = next(scan(source, m.end(), ",;}"))
                self.take(f"{name}:{source.count(chr(10), 0, m.start()) + 1}", source[m.end():end], "{}", kind)

    def look_at_tables(self, pattern, regex, made, kind):
        for name, source in self.files(pattern):
            for m in re.finditer(regex, source):
                self.want(f"{name}:{source.count(chr(10), 0, m.start(1)) + 1}", made.replace("{}", unquote(m[1])), kind)

    def run(self):
        for spec in CALLS:
            self.look_at_calls(*spec)
        for spec in ASSIGNED:
            self.look_at_assignments(*spec)
        for spec in TABLES:
            self.look_at_tables(*spec)
        for kind, table in self.tables.items():
            for key, line in table.items():
                if (kind, key) not in self.said:
                    self.bad.append(f"{TABLE}:{line}: nobody says: {show(key)}")
        for line in self.bad:
            print(line)
        print(f"{len(self.tables[ROW])} rows, {len(self.tables[WORD])} words, {len(self.bad)} faults")
        return 1 if self.bad else 0


if __name__ == "__main__":
    sys.exit(Check(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")).run())
