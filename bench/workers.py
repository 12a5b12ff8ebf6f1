"""The peers: the command that starts each one's worker, and the worker process."""
import json
import os
import pathlib
import platform
import select
import signal
import subprocess
import sys
import tempfile
import time

import processors

HERE = pathlib.Path(__file__).resolve().parent / "peers"
GOLDEN = HERE.parent.parent / "tools" / "golden"  # the captioner in PyTorch is there


class Peer:
    def __init__(self, title, command, task=None, env=None):
        self.title, self.command, self.task, self.env = title, command, task or {}, env or {}


def peers(cache):
    """All peers by the names that rows.py uses, without those that this machine can't
    run."""
    def python(script, *args):
        return [sys.executable, str(HERE / script), *args]

    worker = [str(cache / "worker")]
    found = {
        "gaze": Peer("Gaze, XLA", worker, {"backend": "xla"}),
        "gaze-go": Peer("Gaze, Go", worker, {"backend": "go:ops_sequential"}),
        "torch": Peer("torch eager", python("torch_vit.py")),
        "torch-compile": Peer("torch.compile", python("torch_vit.py", "compile")),
        "torch-explain": Peer("torch eager", python("torch_explain.py")),
        "jax": Peer("JAX jit", python("jax_vit.py")),
        "onnxruntime": Peer("ONNX Runtime", python("onnx_vit.py")),
        "catr": Peer("CATR's loop in torch", python("catr.py")),
        "hf": Peer("transformers' generate", python("hf_generate.py")),
        "torchvision": Peer("torchvision on PIL", python("torchvision_pipeline.py", "pil")),
        "torchvision-v2": Peer("torchvision v2 on tensors", python("torchvision_pipeline.py", "v2")),
    }
    found |= {
        "gaze-gpu": Peer("Gaze, XLA", worker, {"backend": os.environ.get("BENCH_GPU_BACKEND", "xla:cuda")}),
        "torch-gpu": Peer("torch eager, SDPA", found["torch"].command),
        "torch-compile-gpu": Peer("torch.compile, SDPA", found["torch-compile"].command),
        "jax-gpu": Peer("JAX jit", found["jax"].command),
    }
    if processors.isa():
        for name in processors.NOT_HELD:
            found[name].title += f", not held to {processors.isa().upper()}"
    stub = mkl_stub(cache)
    if stub:
        found["torch-mkl"] = Peer("torch eager, MKL told it's Intel", found["torch"].command, env={"LD_PRELOAD": stub})
    return found


def mkl_stub(cache):
    """MKL takes slow paths on processors that aren't Intel's. A preloaded library makes
    it detect an Intel processor; on Intel's it gains nothing. Returns the path of that
    library, or None."""
    if os.environ.get("BENCH_MKL_STUB") != "1" and "AuthenticAMD" not in pathlib.Path("/proc/cpuinfo").read_text():
        return None
    path = cache / "mklstub.so"
    if not path.exists():
        code = "int mkl_serv_intel_cpu_true(void) { return 1; }\n"
        subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(path)], input=code, text=True, check=True)
    return str(path)


class Refused(Exception):
    """The worker can't do the row; the message says why."""


class Worker:
    """A worker process. It is stopped whenever it isn't its turn."""

    def __init__(self, peer, task, cache, limit):
        env = os.environ | {
            "GAZE_CACHE": str(cache / "gaze"), "TORCHINDUCTOR_CACHE_DIR": str(cache / "inductor"), "TORCHINDUCTOR_COMPILE_THREADS": "1",
            "JAX_COMPILATION_CACHE_DIR": str(cache / "jax"), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "GOMAXPROCS": str(task["threads"]), "OMP_NUM_THREADS": str(task["threads"]), "JAX_PLATFORMS": task.get("device", "cpu"), "HF_HUB_OFFLINE": "1",
            "PYTHONPATH": str(GOLDEN),
        } | processors.environment() | peer.env
        self.errors = tempfile.TemporaryFile("w+")
        started = time.perf_counter()
        self.process = subprocess.Popen(peer.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=env,
                                        bufsize=1)
        try:
            self.engine = self.ask(json.dumps(task | peer.task), limit).get("engine")
        except BaseException:
            self.close()
            raise
        self.first_answer = time.perf_counter() - started
        self.stop()

    def ask(self, line, limit=600):
        try:
            print(line, file=self.process.stdin, flush=True)
            if not select.select([self.process.stdout], [], [], limit)[0]:
                raise Refused(f"took more than {limit:.0f} s")
            reply = self.process.stdout.readline()
        except BrokenPipeError:
            reply = ""
        if not reply:
            self.errors.seek(0)
            raise Refused("the worker ended: " + self.errors.read().strip()[-300:])
        reply = json.loads(reply)
        if "error" in reply:
            raise Refused(reply["error"])
        return reply

    def run(self, repetitions):
        """Seconds of the given number of repetitions."""
        self.process.send_signal(signal.SIGCONT)
        try:
            return self.ask(str(repetitions))["seconds"]
        finally:
            self.stop()

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def peak_mib(self):
        """The peak memory of the process."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        return None

    def close(self):
        self.process.kill()
        self.process.communicate()
        self.errors.close()


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()
