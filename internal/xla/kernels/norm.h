// Layer normalisation and its gradient, on vectors.
#ifndef GAZE_NORM_CODE_H
#define GAZE_NORM_CODE_H

#include <stdlib.h>

#include "fusion.h"
#include "layer_norm.h"

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
static long norm_iterations(const void* data, int phase) {
	const layer_norm* l = ((const norm_job*)data)->l;
	return phase == 0 ? block_count(l) : (l->n + 8 * LANES - 1) / (8 * LANES);
}

static void norm_forward(void* data, int phase, long i) {
	const layer_norm* l = ((norm_job*)data)->l;
	const fusion f = {.gamma = l->gamma, .beta = l->beta};
	for (int64_t r = i * BLOCK_ROWS; r < l->rows && r < (i + 1) * BLOCK_ROWS; r++)
		apply_prologue(&f, l->x + r * l->n, row_statistics(l->x + r * l->n, l->n, l->epsilon), 0, l->n, l->y + r * l->n);
}

// backward_row sets a row of dx and adds the row's terms to sums, those of dgamma and dbeta.
// With x normalised and g = dy·gamma, dx is (g - mean(g) - x·mean(g·x))/std.
static void backward_row(const layer_norm* l, int64_t r, float* sums) {
	const float *row = l->x + r * l->n, *dy_row = l->dy + r * l->n;
	const row_stats stats = row_statistics(row, l->n, l->epsilon);
	const vf mean = vset(stats.mean), inv_std = vset(stats.inv_std);
	vf g_sum = vzero(), gx_sum = vzero();
	for (int64_t k = 0; k < l->n; k += LANES) {
		const int64_t count = l->n - k;
		vf x = first_lanes((load_lanes(row + k, count) - mean) * inv_std, count), dy = load_lanes(dy_row + k, count);
		store_lanes(sums + k, count, vfma(dy, x, load_lanes(sums + k, count)));
		store_lanes(sums + l->n + k, count, dy + load_lanes(sums + l->n + k, count));
		vf g = dy * load_lanes(l->gamma + k, count);
		g_sum += g;
		gx_sum = vfma(g, x, gx_sum);
	}
	const vf g_mean = vset(vsum(g_sum) / l->n), gx_mean = vset(vsum(gx_sum) / l->n);
	for (int64_t k = 0; k < l->n; k += LANES) {
		const int64_t count = l->n - k;
		vf x = (load_lanes(row + k, count) - mean) * inv_std;
		vf g = load_lanes(dy_row + k, count) * load_lanes(l->gamma + k, count) - g_mean;
		store_lanes(l->dx + r * l->n + k, count, inv_std * vnfma(x, gx_mean, g));
	}
}

static void norm_gradient(void* data, int phase, long i) {
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
			vf sum = vzero();
			for (int64_t b = 0; b < block_count(l); b++)
				sum += load_lanes(job->block_sums + (2 * b + is_beta) * l->n + k, l->n - k);
			store_lanes((is_beta ? l->dbeta : l->dgamma) + k, l->n - k, sum);
		}
}

static bool norm(const thread_pool* pool, const layer_norm* l) {
	norm_job job = {l, NULL};
	const parallel_loop loop = {1, norm_iterations, norm_forward};
	return gaze_parallel_for(pool, &loop, &job);
}

static bool norm_backward(const thread_pool* pool, const layer_norm* l) {
	norm_job job = {l, malloc(block_count(l) * 2 * l->n * sizeof(float))};
	const parallel_loop loop = {2, norm_iterations, norm_gradient};
	bool done = job.block_sums && gaze_parallel_for(pool, &loop, &job);
	free(job.block_sums);
	return done;
}

#endif
