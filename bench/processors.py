"""Names the processor that results belong to, and holds peers to the instructions of another."""
import os
import pathlib
import platform
import re

# Microarchitectures by family and model, as far as they differ in what the benchmark measures. Virtual
# machines often say no more than "AMD EPYC" or "Intel(R) Xeon(R) Processor".
AMD = [
    (0x17, range(0x00, 0x30), "Zen"), (0x17, range(0x30, 0x100), "Zen 2"),
    (0x19, range(0x10, 0x20), "Zen 4"), (0x19, range(0x60, 0x80), "Zen 4"), (0x19, range(0xA0, 0xB0), "Zen 4"),
    (0x19, range(0x00, 0x60), "Zen 3"), (0x1A, range(0x00, 0x100), "Zen 5"),
]
INTEL = {
    0x3C: "Haswell", 0x3F: "Haswell", 0x45: "Haswell", 0x46: "Haswell", 0x3D: "Broadwell", 0x47: "Broadwell", 0x4F: "Broadwell",
    0x56: "Broadwell", 0x4E: "Skylake", 0x5E: "Skylake", 0x8E: "Kaby Lake", 0x9E: "Kaby Lake", 0xA5: "Comet Lake", 0x6A: "Ice Lake",
    0x6C: "Ice Lake", 0x7E: "Ice Lake", 0x8C: "Tiger Lake", 0x8D: "Tiger Lake", 0xA7: "Rocket Lake", 0x97: "Alder Lake", 0x9A: "Alder Lake",
    0xB7: "Raptor Lake", 0xBA: "Raptor Lake", 0xBF: "Raptor Lake", 0xAA: "Meteor Lake", 0x8F: "Sapphire Rapids", 0xCF: "Emerald Rapids",
    0xAD: "Granite Rapids", 0xAE: "Granite Rapids",
}
VENDORS = {"AuthenticAMD": "AMD", "GenuineIntel": "Intel"}
LINES = ("EPYC", "Ryzen", "Threadripper", "Xeon", "Core", "Pentium", "Celeron")
WIDTHS = (("amx_tile", "AMX"), ("avx512f", "AVX-512"), ("avx2", "AVX2"), ("asimd", "NEON"))

# What holds each library to AVX2. ONNX Runtime's MLAS looks at the processor and has no switch for float32.
AS_AVX2 = {
    "GAZE_KERNELS": "avx2", "GODEBUG": "cpu.avx512f=off", "XLA_FLAGS": "--xla_cpu_max_isa=AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2", "ATEN_CPU_CAPABILITY": "avx2",
}
NOT_HELD = {"onnxruntime"}


def isa():
    """The instruction set that BENCH_ISA holds the peers to; "" for all that the processor has."""
    value = os.environ.get("BENCH_ISA", "").lower()
    if value not in ("", "avx2"):
        raise SystemExit(f"BENCH_ISA is {value!r}: it must be avx2 or nothing")
    return value


def environment():
    """The variables that hold the peers to BENCH_ISA. Flags that are set already are kept."""
    if not isa():
        return {}
    return AS_AVX2 | {name: f"{os.environ[name]} {AS_AVX2[name]}" for name in ("XLA_FLAGS",) if os.environ.get(name)}


def read(text=None):
    """The first processor's lines in /proc/cpuinfo, by name."""
    text = pathlib.Path("/proc/cpuinfo").read_text() if text is None else text
    pairs = (line.split(":", 1) for line in text.split("\n\n")[0].splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def microarchitecture(info):
    """Its name, or the family's and model's numbers."""
    try:
        family, model, stepping = (int(info[key]) for key in ("cpu family", "model", "stepping"))
    except (KeyError, ValueError):
        return ""
    vendor = VENDORS.get(info.get("vendor_id"))
    if vendor == "AMD":
        for f, models, name in AMD:
            if family == f and model in models:
                return name
    if vendor == "Intel" and family == 6:
        if model == 0x55:
            return "Skylake" if stepping < 5 else "Cascade Lake" if stepping < 10 else "Cooper Lake"
        if model in INTEL:
            return INTEL[model]
    return f"family {family} model {model}"


def vectors(info):
    """The widest vectors: AMX (which implies AVX-512), AVX-512, AVX2, NEON, or ""."""
    flags = (info.get("flags") or info.get("Features") or "").split()
    return next((name for flag, name in WIDTHS if flag in flags), "")


def title(info=None):
    """What people call the processor, such as "AMD EPYC (Zen 4), AVX-512"."""
    info = read() if info is None else info
    vendor = VENDORS.get(info.get("vendor_id"), info.get("vendor_id", platform.machine()))
    words = info.get("model name", "")
    line = next((line for line in LINES if re.search(rf"\b{line}\b", words)), "")
    name = " ".join(word for word in (vendor, line) if word)
    micro = microarchitecture(info)
    return ", ".join(part for part in (f"{name} ({micro})" if micro else name, vectors(info)) if part)


def slug(text, held=""):
    """The name of a folder for a processor's results."""
    plain = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=zen) |(?<=avx)-", "", text.lower())).strip("-")
    return plain + (f"-as-{held}" if held else "")
