// What a GEMM C = A·B does on the way: a prologue on A while it is packed, an epilogue on C
// while it is written.
#ifndef GAZE_FUSION_H
#define GAZE_FUSION_H

#include <stdbool.h>

#include "avx512.h"
#include "matrix.h"

typedef struct {
	// Prologue: layer norm of A's rows, as torch computes it. gamma is NULL if there is none.
	const float *gamma, *beta;
	float epsilon;
	// Prologue: the activation function is applied to A. If pre_activation [m, n] is given,
	// that is an epilogue instead: C is multiplied by the function's derivative there, and
	// the function's values go to activated [m, n].
	int activation;
	const float* pre_activation;
	float* activated;

	// Epilogue; what is NULL is left out.
	const float* bias;     // [n], added to each row of C
	const float* scale;    // [n], multiplies each row of C after that
	const float* residual; // [m, n], added to C last
	float* row_sums;       // [m], receives the sums of A's rows
} fusion;

// has_prologue says whether A is changed before it is packed. A's rows must then be
// contiguous.
static inline bool has_prologue(const fusion* f) { return f->gamma || (f->activation && !f->pre_activation); }

typedef struct {
	float mean, inv_std;
} row_stats;

// row_statistics is a row's mean and the inverse of its standard deviation.
AVX512_INLINE row_stats row_statistics(const float* row, int64_t n, float epsilon) {
	__m512 sum[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
	int64_t k = 0;
	for (; k + 2 * LANES <= n; k += 2 * LANES) {
		sum[0] = _mm512_add_ps(sum[0], _mm512_loadu_ps(row + k));
		sum[1] = _mm512_add_ps(sum[1], _mm512_loadu_ps(row + k + LANES));
	}
	for (; k < n; k += LANES)
		sum[0] = _mm512_add_ps(sum[0], load_lanes(row + k, n - k));
	const float mean = _mm512_reduce_add_ps(_mm512_add_ps(sum[0], sum[1])) / n;
	const __m512 means = _mm512_set1_ps(mean);
	sum[0] = sum[1] = _mm512_setzero_ps();
	for (k = 0; k + 2 * LANES <= n; k += 2 * LANES) {
		__m512 x = _mm512_sub_ps(_mm512_loadu_ps(row + k), means), y = _mm512_sub_ps(_mm512_loadu_ps(row + k + LANES), means);
		sum[0] = _mm512_fmadd_ps(x, x, sum[0]);
		sum[1] = _mm512_fmadd_ps(y, y, sum[1]);
	}
	for (; k < n; k += LANES) {
		__m512 x = _mm512_maskz_sub_ps(lane_mask(n - k), load_lanes(row + k, n - k), means);
		sum[0] = _mm512_fmadd_ps(x, x, sum[0]);
	}
	row_stats stats = {mean, 1 / sqrt_f32(_mm512_reduce_add_ps(_mm512_add_ps(sum[0], sum[1])) / n + epsilon)};
	return stats;
}

// apply_prologue writes columns k to k+kc of a row of A, after the prologue, to out.
AVX512_INLINE void apply_prologue(const fusion* f, const float* row, row_stats stats, int64_t k, int64_t kc, float* out) {
	if (f->gamma) {
		const __m512 mean = _mm512_set1_ps(stats.mean), inv_std = _mm512_set1_ps(stats.inv_std);
		for (int64_t i = 0; i < kc; i += LANES) {
			__m512 x = _mm512_mul_ps(_mm512_sub_ps(load_lanes(row + k + i, kc - i), mean), inv_std);
			store_lanes(out + i, kc - i, _mm512_fmadd_ps(x, load_lanes(f->gamma + k + i, kc - i), load_lanes(f->beta + k + i, kc - i)));
		}
		return;
	}
	for (int64_t i = 0; i < kc; i += LANES) {
		__m512 derivative;
		store_lanes(out + i, kc - i, vactivation(f->activation, load_lanes(row + k + i, kc - i), &derivative));
	}
}

// sum_rows sets, or adds to, the sums of up to LANES rows of kc numbers each.
AVX512_INLINE void sum_rows(matrix a, int64_t rows, int64_t kc, float* sums, bool add) {
	if (a.row_stride == 1) {
		__m512 sum = _mm512_setzero_ps();
		for (int64_t k = 0; k < kc; k++)
			sum = _mm512_add_ps(sum, load_lanes(a.data + k * a.col_stride, rows));
		store_lanes(sums, rows, add ? _mm512_add_ps(sum, load_lanes(sums, rows)) : sum);
		return;
	}
	for (int64_t i = 0; i < rows; i++) {
		float sum = 0;
		for (int64_t k = 0; k < kc; k++)
			sum += a.data[i * a.row_stride + k * a.col_stride];
		sums[i] = add ? sums[i] + sum : sum;
	}
}

// apply_epilogue writes a tile of sums, whose rows lie stride apart, to C [m, n] at (i, j).
// If the terms were split, the tile is added to what C holds (add), and the epilogue follows
// with the last part (last).
AVX512_INLINE void apply_epilogue(const fusion* f, const float* tile, int64_t stride, float* c, int64_t n, int64_t i, int64_t j, int64_t rows, int64_t columns, bool add, bool last) {
	for (int64_t r = 0; r < rows; r++, tile += stride)
		for (int64_t v = 0; v < columns; v += LANES) {
			const int64_t at = (i + r) * n + j + v, count = columns - v;
			__m512 x = _mm512_loadu_ps(tile + v);
			if (add)
				x = _mm512_add_ps(x, load_lanes(c + at, count));
			if (last) {
				if (f->bias)
					x = _mm512_add_ps(x, load_lanes(f->bias + j + v, count));
				if (f->scale)
					x = _mm512_mul_ps(x, load_lanes(f->scale + j + v, count));
				if (f->pre_activation) {
					__m512 derivative, value = vactivation(f->activation, load_lanes(f->pre_activation + at, count), &derivative);
					x = _mm512_mul_ps(x, derivative);
					store_lanes(f->activated + at, count, value);
				}
				if (f->residual)
					x = _mm512_add_ps(x, load_lanes(f->residual + at, count));
			}
			store_lanes(c + at, count, x);
		}
}

#endif
