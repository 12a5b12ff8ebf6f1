//go:build cgo && linux && !noxla && (amd64 || arm64)

#include "processor.h"

#if defined(__aarch64__)

// Every 64-bit ARM processor has NEON.
bool gaze_processor_runs(const kernel_set* set) { return set == &gaze_neon; }

#else

#include <cpuid.h>

// __builtin_cpu_supports would need libgcc, which Go's linker would have to search for each of
// a notebook's cells.
bool gaze_processor_runs(const kernel_set* set) {
	const bool wide = set == &gaze_avx512;
	const unsigned vector_state = wide ? 0xe6 : 0x06, features = wide ? bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL : bit_AVX2;
	unsigned a, b, c, d;
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_FMA))
		return false;
	__asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	if ((a & vector_state) != vector_state) // the system doesn't save the registers
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & features) == features;
}

#endif
