//go:build cgo && linux && !noxla && (amd64 || arm64)

#include "kernel_set.h"

const kernel_set* const gaze_kernel_sets[GAZE_KERNEL_SETS] = {
#if defined(__x86_64__)
	&gaze_avx512, &gaze_avx2,
#else
	&gaze_neon,
#endif
};
