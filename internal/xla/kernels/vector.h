// Vectors of LANES float32s, and the few operations on them that compilers have no operator
// for. Each instruction set's file (avx512.c, avx2.c, neon.c) includes this file and then the
// kernels, so that the kernels are written once and built for each set.
//
// vf is a vector of float32s and vi one of as many int32s. Both are the compiler's own vector
// types: +, -, * and / work on them.
#ifndef GAZE_VECTOR_H
#define GAZE_VECTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// What is written as a product and a sum is rounded twice; vfma rounds once. GCC does so because
// of -std=c11.
#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

#define INLINE __attribute__((always_inline)) static inline

INLINE int64_t min_i64(int64_t a, int64_t b) { return a < b ? a : b; }

INLINE int64_t round_up(int64_t x, int64_t to) { return (x + to - 1) / to * to; }

// Besides the operations, the header of a set defines LANES, the size of its microtile (MR rows of
// VECTORS vectors), and MAX_TERMS: so many terms are added up in registers. Longer sums are added
// up from such parts, because rounding errors grow with the length of a sum, and because so many
// rows of a micropanel of B stay in a cache close by.
#if defined(GAZE_AVX512)
#include "vector_avx512.h"
#elif defined(GAZE_AVX2)
#include "vector_avx2.h"
#elif defined(GAZE_NEON)
#include "vector_neon.h"
#else
#error "an instruction set's file defines which one it is for"
#endif

INLINE vf vload(const float* from) {
	vf x;
	memcpy(&x, from, sizeof x);
	return x;
}

INLINE void vstore(float* to, vf x) { memcpy(to, &x, sizeof x); }

INLINE vf vzero(void) { return vset(0); }

// sqrt_f32 is sqrtf without setting errno, so that programs needn't link libm.
INLINE float sqrt_f32(float x) { return vsqrt(vset(x))[0]; }

#endif
