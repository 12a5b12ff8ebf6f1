//go:build cgo && linux && !noxla && amd64

// The kernels for AVX-512. Only the functions of this file use it: the rest of the program runs on
// any processor.

#include <immintrin.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define GAZE_AVX512
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma,prfchw"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,fma,prfchw")
#endif

#include "all_kernels.h"

const kernel_set gaze_avx512 = KERNEL_SET("AVX-512");

#ifdef __clang__
#pragma clang attribute pop
#endif
