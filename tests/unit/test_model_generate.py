#!/usr/bin/env python3
"""The generator of the model refuses what it does not understand, with file and line, and writes the same bytes twice."""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

MODEL = pathlib.Path(sys.argv.pop(1))


class Generate(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)
        for name in ("capabilities.txt", "device-types.txt", "units.txt", "labels.txt"):
            shutil.copy(MODEL / name, self.folder)

    def run_it(self, target="out.c"):
        return subprocess.run([sys.executable, MODEL / "generate.py", self.folder, self.folder / target],
                              capture_output=True, text=True, timeout=30)

    def change(self, name, old, new):
        """Replaces one text that stands exactly once; returns its line."""
        text = (self.folder / name).read_text("utf-8")
        self.assertEqual(text.count(old), 1, old)
        (self.folder / name).write_text(text.replace(old, new), "utf-8")
        return text[:text.index(old)].count("\n") + 1

    def refuses(self, name, old, new, said):
        line = self.change(name, old, new)
        ran = self.run_it()
        self.assertEqual(ran.returncode, 1)
        self.assertTrue(ran.stderr.startswith(f"gateway/model/{name}:{line}: "), ran.stderr)
        self.assertIn(said, ran.stderr)
        self.assertFalse((self.folder / "out.c").exists())

    def test_is_deterministic(self):
        self.assertEqual(self.run_it("a.c").returncode, 0)
        self.assertEqual(self.run_it("b.c").returncode, 0)
        self.assertEqual((self.folder / "a.c").read_bytes(), (self.folder / "b.c").read_bytes())

    def test_unknown_type(self):
        self.refuses("capabilities.txt", "link.rssi|P|int|", "link.rssi|P|integer|", "'integer' is not a type")

    def test_broken_range(self):
        self.refuses("capabilities.txt", "|-127..20|", "|-127..x|", "is not a range")

    def test_bound_off_the_resolution(self):
        self.refuses("capabilities.txt", "|-12.7..12.7 /0.1|", "|-12.75..12.7 /0.1|", "no whole count")

    def test_unknown_remark(self):
        self.refuses("capabilities.txt", "/0.1 charging > 0", "/0.1 charging < 0", "is not a range")

    def test_unknown_unit(self):
        self.refuses("capabilities.txt", "link.rssi|P|int|dBm|", "link.rssi|P|int|dBW|", "unit 'dBW'")

    def test_unknown_access(self):
        self.refuses("capabilities.txt", "device.restart|A||||x|", "device.restart|A||||y|", "access 'y'")

    def test_access_of_another_kind(self):
        self.refuses("capabilities.txt", "device.restart|A||||x|", "device.restart|A||||r|", "does not fit kind A")

    def test_unknown_datum_of_an_event(self):
        self.refuses("capabilities.txt", "|E|zone|", "|E|place|", "'place'")

    def test_missing_column(self):
        self.refuses("capabilities.txt", "link.online|P|bool|||r n|", "link.online|P|bool||r n|", "7 columns")

    def test_id_twice(self):
        self.refuses("capabilities.txt", "timer.off|P", "timer.on|P", "defined before")

    def test_label_missing(self):
        self.change("labels.txt", "link.rssi|Signal strength|信号强度\n", "")
        ran = self.run_it()
        self.assertEqual(ran.returncode, 1)
        self.assertIn("capabilities.txt:3: labels.txt has no label for link.rssi", ran.stderr)

    def test_label_without_chinese(self):
        self.refuses("labels.txt", "link.rssi|Signal strength|信号强度", "link.rssi|Signal strength|", "both languages")

    def test_label_of_nothing(self):
        self.refuses("labels.txt", "desk|Height", "dusk|Dusk|黄昏\ndesk|Height", "a label for dusk, which does not exist")

    def test_type_with_unknown_capability(self):
        self.refuses("device-types.txt", "|freezer: cabinet.setpoint|", "|freezer: cabinet.set|", "'cabinet.set'")

    def test_type_that_includes_a_later_one(self):
        self.refuses("device-types.txt", "|all of laundry_washer and laundry_dryer", "|all of laundry_washer and oven",
                     "oven is not a device type before this line")


if __name__ == "__main__":
    unittest.main()
