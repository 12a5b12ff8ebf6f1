#!/usr/bin/env python3
"""Tests of the kernel as Jupyter sees it: through its kernelspec, with Jupyter's own client.

    .venv/bin/python tools/notebooks/kernel_tests.py [-k NAME]

KERNEL_NAME in the environment is another kernelspec than "gaze".
"""

import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import execute  # noqa: E402  (sets Jupyter's folders)
from jupyter_client.manager import KernelManager  # noqa: E402

DATA = Path(__file__).resolve().parent / "testdata"
NAME = os.environ.get("KERNEL_NAME", "gaze")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
LIMIT = 120  # seconds for one step; the machine may be busy


class Outcome:
    """How a cell ended, and what it showed."""

    def __init__(self):
        self.messages, self.reply, self.stdout, self.stderr, self.seconds = [], None, "", "", 0.0

    @property
    def status(self):
        return self.reply["status"]

    @property
    def traceback(self):
        return ANSI.sub("", "\n".join(self.reply.get("traceback", [])))

    def types(self):
        return [m["msg_type"] for m in self.messages]


class Kernel:
    """A kernel with a client of it."""

    def __init__(self):
        self.manager = KernelManager(kernel_name=NAME)
        self.folder = tempfile.TemporaryDirectory()
        self.log = tempfile.TemporaryFile("w+", errors="replace")
        self.manager.start_kernel(cwd=self.folder.name, stderr=self.log)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=LIMIT)

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=False)
        self.folder.cleanup()
        self.log.close()

    def reply(self, request):
        while True:
            m = self.client.get_shell_msg(timeout=LIMIT)
            if m["parent_header"].get("msg_id") == request:
                return m["content"]

    def collect(self, request):
        out, start = Outcome(), time.monotonic()
        while True:
            m = self.client.get_iopub_msg(timeout=LIMIT)
            if m["parent_header"].get("msg_id") != request:
                continue
            out.messages.append(m)
            content = m["content"]
            if m["msg_type"] == "stream":
                setattr(out, content["name"], getattr(out, content["name"]) + content["text"])
            if m["msg_type"] == "status" and content["execution_state"] == "idle":
                break
        out.reply = self.reply(request)
        out.seconds = time.monotonic() - start
        return out

    def run(self, code, **more):
        return self.collect(self.client.execute(code, **more))

    def interrupt_when_it_prints(self, code, word="started"):
        """Runs a cell, interrupts it once it has printed a word, and measures from then."""
        request = self.client.execute(code)
        seen = ""
        while word not in seen:
            m = self.client.get_iopub_msg(timeout=LIMIT)
            if m["parent_header"].get("msg_id") == request and m["msg_type"] == "stream":
                seen += m["content"]["text"]
        start = time.monotonic()
        self.manager.interrupt_kernel()
        out = self.collect(request)
        out.seconds = time.monotonic() - start
        return out


def processes_with(text):
    """Lists the processes whose command line or environment has a text."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int(folder.name) != os.getpid() and text in (folder / "environ").read_text(errors="replace") + (folder / "cmdline").read_text(errors="replace"):
                found.append(int(folder.name))
        except (OSError, ValueError):
            continue
    return found


class Cells(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.kernel = Kernel()
        cls.kernel.run('import (\n\t"fmt"\n\t"os"\n\t"time"\n)\n\nfunc load(m map[string]int) {\n\tm["x"] = 1\n}')

    @classmethod
    def tearDownClass(cls):
        cls.kernel.close()

    def failed(self, code, name, value, *lines):
        out = self.kernel.run(code)
        self.assertEqual((out.status, out.reply.get("ename")), ("error", name), out.reply)
        self.assertIn(value, out.reply["evalue"])
        self.assertIn("error", out.types())
        for line in lines:
            self.assertIn(line, out.traceback)
        self.assertNotIn("/tmp/", out.traceback + out.stderr)
        return out

    def test_a_program_that_fails_fails_the_cell(self):
        out = self.failed('%%\nfmt.Fprintln(os.Stderr, "before")\nload(nil)', "panic", "assignment to entry in nil map", "in load: m[\"x\"] = 1")
        self.assertEqual(out.stderr, "before\n")
        self.failed("%%\nos.Exit(3)", "exit status 3", "exit status 3")
        self.failed('%%\nfmt.Fprintln(os.Stderr, "error: no such file")\nos.Exit(1)', "error", "no such file")
        self.failed("%%\nsyscall.Kill(os.Getpid(), syscall.SIGKILL)", "signal: killed", "killed")
        self.failed("%%bash\nexit 5", "exit status 5", "exit status 5")

    def test_compile_errors_show_the_line(self):
        out = self.failed("%%\n\nfmt.Println(missing)", "compile error", "Line 3: undefined: missing", "fmt.Println(missing)\n                ^", "missing")
        self.assertTrue(out.traceback.startswith("Line 3: undefined: missing"), out.traceback)
        self.assertNotIn("display_data", out.types())
        self.failed("%%\nfmt.Println(", "syntax error", "Line 2: ")

    def test_programs_that_end_well(self):
        for code, stdout in [
            ('%%\nfmt.Println("ok")\nos.Exit(0)', "ok\n"), ("// only a comment", ""), ("", ""), (" \n\t", ""),
            ('%%\nfmt.Println(1)\n%%\nfmt.Println(2)', "1\n2\n"), ("!echo hi", "hi\n"), ("!false", ""),
            ('%%\nfmt.Print("\\r10 %", "\\r20 %\\n")', "\r10 %\r20 %\n"),
        ]:
            with self.subTest(code):
                out = self.kernel.run(code)
                self.assertEqual((out.status, out.stdout), ("ok", stdout), out.reply)

    def test_junk_and_long_output(self):
        out = self.kernel.run("%%\nos.Stdout.Write([]byte{0xff, 0, 'a', 0xe2, 0x82, 0xac, '\\n'})")
        self.assertTrue(out.stdout.endswith("a€\n"), repr(out.stdout))
        out = self.kernel.run('%%\nfor i := range 200_000 {\n\tfmt.Printf("%049d\\n", i)\n}')
        self.assertEqual((len(out.stdout), out.stdout[-7:]), (10_000_000, "199999\n"))
        self.assertLess(len(out.messages), 1000)
        out = self.kernel.run('%%\nfmt.Println(strings.Repeat("x", 5_000_000))')
        self.assertEqual(len(out.stdout), 5_000_001)

    def test_an_interruption_ends_a_cell(self):
        for code in [
            '%%\nfmt.Println("started")\ntime.Sleep(time.Hour)',
            '%%\nsignal.Ignore(os.Interrupt)\nfmt.Println("started")\nfor {\n}',
            '%%\nfor {\n\tfmt.Println("started")\n}',
            "!echo started; sleep 1000",
            "!trap '' INT; echo started; sleep 1000; sleep 1000",
        ]:
            with self.subTest(code):
                out = self.kernel.interrupt_when_it_prints(code)
                self.assertEqual((out.status, out.reply.get("ename")), ("error", "interrupted"), out.reply)
                self.assertLess(out.seconds, 10)  # 1 s on a quiet machine
        self.assertEqual(self.kernel.run("!echo hi").stdout, "hi\n")

    def test_the_rest_is_aborted(self):
        client = self.kernel.client
        requests = [client.execute(code) for code in ["!true", "%%\nos.Exit(1)", "!true", "!true"]]
        self.assertEqual([self.kernel.collect(r).status for r in requests], ["ok", "error", "aborted", "aborted"])
        self.assertEqual(self.kernel.run("!true").status, "ok")

    def test_requests_are_answered_while_a_cell_runs(self):
        client = self.kernel.client
        running = client.execute("!sleep 5")
        waiting = {client.kernel_info(), client.is_complete("%%\nfor {"), client.complete("fmt.", 4), client.inspect("fmt", 1), client.history(), client.comm_info()}
        while waiting:
            m = client.get_shell_msg(timeout=LIMIT)
            self.assertIn(m["content"]["status"], ("ok", "incomplete"), m)
            self.assertNotEqual(m["msg_type"], "execute_reply", "the cell ended before the others were answered")
            waiting.discard(m["parent_header"]["msg_id"])
        self.assertEqual(self.kernel.collect(running).status, "ok")

    def test_what_the_kernel_says_of_itself(self):
        info = self.kernel.reply(self.kernel.client.kernel_info())
        self.assertEqual(info["protocol_version"], "5.4")
        language = info["language_info"]
        self.assertEqual((language["name"], language["mimetype"], language["file_extension"]), ("go", "text/x-go", ".go"))

    def test_counts(self):
        first = self.kernel.run("!true").reply["execution_count"]
        self.assertEqual(self.kernel.run("%%\nos.Exit(1)").reply["execution_count"], first + 1)
        self.assertEqual(self.kernel.run("!true", silent=True).reply["execution_count"], first + 1)
        self.assertEqual(self.kernel.run("!true").reply["execution_count"], first + 2)


class Ends(unittest.TestCase):
    def test_after_a_restart_the_cells_above_are_named(self):
        kernel = Kernel()
        self.addCleanup(kernel.close)
        self.assertEqual(kernel.run("func attention() int { return 1 }").status, "ok")
        kernel.manager.restart_kernel()
        kernel.client.wait_for_ready(timeout=LIMIT)
        out = kernel.run("%%\nattention()")
        self.assertIn("run the cells above", out.traceback)

    @unittest.skipUnless(sys.platform == "linux", "needs /proc")
    def test_nothing_is_left_of_a_killed_kernel(self):
        kernel = Kernel()
        out = kernel.run("!echo $GAZE_KERNEL_SOCKET; nohup sleep 1001 >/dev/null 2>&1 &")
        socket = out.stdout.strip()
        self.assertTrue(processes_with(socket))
        kernel.manager.provisioner.process.kill()
        deadline = time.monotonic() + LIMIT
        while (processes_with(socket) or Path(socket).parent.exists()) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(processes_with(socket), [])
        self.assertFalse(Path(socket).parent.exists())
        kernel.close()


class Nbconvert(unittest.TestCase):
    """Other programs that run notebooks notice failures, too."""

    def convert(self, name):
        with tempfile.TemporaryDirectory() as folder:
            return subprocess.run(
                [sys.executable, "-m", "jupyter", "nbconvert", "--execute", "--to", "notebook", "--output-dir", folder,
                 f"--ExecutePreprocessor.kernel_name={NAME}", str(DATA / f"{name}.ipynb")],
                capture_output=True, text=True, check=False, timeout=600)

    def test_status(self):
        for name, want in [("pass", None), ("panic", "assignment to entry in nil map"), ("exit3", "exit status 3"), ("compile", "Line ")]:
            with self.subTest(name):
                done = self.convert(name)
                self.assertEqual(done.returncode != 0, want is not None, done.stderr)
                if want:
                    self.assertIn(want, ANSI.sub("", done.stderr))


if __name__ == "__main__":
    unittest.main()
