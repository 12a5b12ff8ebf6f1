//go:build cgo && linux && !noxla && amd64

// The kernels for AVX2. Only the functions of this file use it: the rest of the program runs on
// any processor.

#include <immintrin.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define GAZE_AVX2
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#include "all_kernels.h"

const kernel_set gaze_avx2 = KERNEL_SET("AVX2");

#ifdef __clang__
#pragma clang attribute pop
#endif
