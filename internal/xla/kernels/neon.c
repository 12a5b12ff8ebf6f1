//go:build cgo && linux && !noxla && arm64

// The kernels for NEON, which every 64-bit ARM processor has.

#define GAZE_NEON
#include "all_kernels.h"

const kernel_set gaze_neon = KERNEL_SET("NEON");
