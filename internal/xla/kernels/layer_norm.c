//go:build cgo && linux && !noxla && amd64

#include "layer_norm.h"

#include <stdlib.h>

#include "fusion.h"

// Rows are handled in blocks of a fixed size, so that sums over rows have the same bits for any
// number of threads.
enum { BLOCK_ROWS = 32 };

// The backward pass sums over the rows of each block [blocks, 2, n], then over the blocks.
typedef struct {
	const layer_norm* l;
	float* block_sums;
} norm_job;

static int64_t block_count(const layer_norm* l) { return (l->rows + BLOCK_ROWS - 1) / BLOCK_ROWS; }

// Phase 0 goes over the blocks, phase 1 over groups of 8 vectors of columns.
static long iterations(const void* data, int phase) {
	const layer_norm* l = ((const norm_job*)data)->l;
	return phase == 0 ? block_count(l) : (l->n + 8 * LANES - 1) / (8 * LANES);
}

AVX512 static void forward(void* data, int phase, long i) {
	const layer_norm* l = ((norm_job*)data)->l;
	const fusion f = {.gamma = l->gamma, .beta = l->beta};
	for (int64_t r = i * BLOCK_ROWS; r < l->rows && r < (i + 1) * BLOCK_ROWS; r++)
		apply_prologue(&f, l->x + r * l->n, row_statistics(l->x + r * l->n, l->n, l->epsilon), 0, l->n, l->y + r * l->n);
}

// backward_row sets a row of dx and adds the row's terms to sums, those of dgamma and dbeta.
// With x normalised and g = dy·gamma, dx is (g - mean(g) - x·mean(g·x))/std.
AVX512 static void backward_row(const layer_norm* l, int64_t r, float* sums) {
	const float *row = l->x + r * l->n, *dy_row = l->dy + r * l->n;
	const row_stats stats = row_statistics(row, l->n, l->epsilon);
	const __m512 mean = _mm512_set1_ps(stats.mean), inv_std = _mm512_set1_ps(stats.inv_std);
	__m512 g_sum = _mm512_setzero_ps(), gx_sum = _mm512_setzero_ps();
	for (int64_t k = 0; k < l->n; k += LANES) {
		const int64_t count = l->n - k;
		__m512 x = _mm512_maskz_mul_ps(lane_mask(count), _mm512_sub_ps(load_lanes(row + k, count), mean), inv_std), dy = load_lanes(dy_row + k, count);
		store_lanes(sums + k, count, _mm512_fmadd_ps(dy, x, load_lanes(sums + k, count)));
		store_lanes(sums + l->n + k, count, _mm512_add_ps(dy, load_lanes(sums + l->n + k, count)));
		__m512 g = _mm512_mul_ps(dy, load_lanes(l->gamma + k, count));
		g_sum = _mm512_add_ps(g_sum, g);
		gx_sum = _mm512_fmadd_ps(g, x, gx_sum);
	}
	const __m512 g_mean = _mm512_set1_ps(_mm512_reduce_add_ps(g_sum) / l->n), gx_mean = _mm512_set1_ps(_mm512_reduce_add_ps(gx_sum) / l->n);
	for (int64_t k = 0; k < l->n; k += LANES) {
		const int64_t count = l->n - k;
		__m512 x = _mm512_mul_ps(_mm512_sub_ps(load_lanes(row + k, count), mean), inv_std);
		__m512 g = _mm512_sub_ps(_mm512_mul_ps(load_lanes(dy_row + k, count), load_lanes(l->gamma + k, count)), g_mean);
		store_lanes(l->dx + r * l->n + k, count, _mm512_mul_ps(inv_std, _mm512_fnmadd_ps(x, gx_mean, g)));
	}
}

AVX512 static void backward(void* data, int phase, long i) {
	const norm_job* job = data;
	const layer_norm* l = job->l;
	if (phase == 0) {
		float* sums = job->block_sums + i * 2 * l->n;
		memset(sums, 0, 2 * l->n * sizeof *sums);
		for (int64_t r = i * BLOCK_ROWS; r < l->rows && r < (i + 1) * BLOCK_ROWS; r++)
			backward_row(l, r, sums);
		return;
	}
	for (int64_t k = i * 8 * LANES; k < l->n && k < (i + 1) * 8 * LANES; k += LANES)
		for (int is_beta = 0; is_beta < 2; is_beta++) {
			__m512 sum = _mm512_setzero_ps();
			for (int64_t b = 0; b < block_count(l); b++)
				sum = _mm512_add_ps(sum, load_lanes(job->block_sums + (2 * b + is_beta) * l->n + k, l->n - k));
			store_lanes((is_beta ? l->dbeta : l->dgamma) + k, l->n - k, sum);
		}
}

bool gaze_layer_norm(const thread_pool* pool, const layer_norm* l) {
	norm_job job = {l, NULL};
	const parallel_loop loop = {1, iterations, forward};
	return gaze_parallel_for(pool, &loop, &job);
}

bool gaze_layer_norm_backward(const thread_pool* pool, const layer_norm* l) {
	norm_job job = {l, malloc(block_count(l) * 2 * l->n * sizeof(float))};
	const parallel_loop loop = {2, iterations, backward};
	bool done = job.block_sums && gaze_parallel_for(pool, &loop, &job);
	free(job.block_sums);
	return done;
}
