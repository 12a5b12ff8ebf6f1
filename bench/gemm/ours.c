// Gaze's kernels for gemm.cc: C++ can't read kernel_set.h, whose fields are named like their types.
#include <stddef.h>

#include "kernel_set.h"

static bool no_thread(const thread_pool* pool, void (*task)(void*), void* data) { return false; }

// Writes B [n, k] to out in the order that ours_multiply reads if packed is set.
void ours_pack(int wide, const float* b, int n, int k, float* out) {
	const kernel_set* set = wide ? &gaze_avx512 : &gaze_avx2;
	set->prepack_b((matrix){b, 1, k}, k, n, out);
}

// C [m, n] = A [m, k] · Bᵀ.
bool ours_multiply(int wide, const float* a, const float* b, bool packed, float* c, int m, int n, int k) {
	const kernel_set* set = wide ? &gaze_avx512 : &gaze_avx2;
	const thread_pool pool = {no_thread, NULL, 1};
	const gemm g = {{a, k, 1}, {b, 1, k}, packed, c, m, n, k, {0}};
	return set->gemm(&pool, &g);
}
