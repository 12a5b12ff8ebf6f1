// Products of few rows, such as a step of a decoder: they take as long as reading B, which is
// read once and in order. Packing it would take longer than multiplying.
#ifndef GAZE_FEW_ROWS_H
#define GAZE_FEW_ROWS_H

#include "fusion.h"
#include "gemm.h"
#include "microkernel.h"
#include "parallel.h"

enum {
	FEW_ROWS_SHARE = 1 << 17, // numbers of B that are worth another thread
};

// dot_products sets tile to the products of rows of A with columns of B, both contiguous. Each
// sum is of as many parts as a vector has lanes.
INLINE void dot_products(int rows, int columns, const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t k_size, float* tile) {
	vf sum[MR][VECTORS];
	UNROLL for (int i = 0; i < rows; i++)
		UNROLL for (int j = 0; j < columns; j++)
			sum[i][j] = vzero();
	for (int64_t k = 0; k < k_size; k += LANES) {
		const int64_t count = k_size - k;
		vf of_b[VECTORS];
		UNROLL for (int j = 0; j < columns; j++) {
			__builtin_prefetch(b + j * b_stride + k + VECTORS * b_stride, 0, 2);
			of_b[j] = count >= LANES ? vload(b + j * b_stride + k) : load_lanes(b + j * b_stride + k, count);
		}
		UNROLL for (int i = 0; i < rows; i++) {
			const vf of_a = count >= LANES ? vload(a + i * a_stride + k) : load_lanes(a + i * a_stride + k, count);
			UNROLL for (int j = 0; j < columns; j++)
				vadd_product(&sum[i][j], of_a, of_b[j]);
		}
	}
	UNROLL for (int i = 0; i < rows; i++)
		UNROLL for (int j = 0; j < columns; j++)
			tile[i * NR + j] = vsum(sum[i][j]);
}

typedef void few_rows_kernel(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t k_size, float* tile);

#define FEW_ROWS_KERNEL(ROWS) \
	static void dot_products_##ROWS##x1(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t k_size, float* tile) { \
		dot_products(ROWS, 1, a, a_stride, b, b_stride, k_size, tile); \
	} \
	static void dot_products_##ROWS(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t k_size, float* tile) { \
		dot_products(ROWS, VECTORS, a, a_stride, b, b_stride, k_size, tile); \
	}

FEW_ROWS_KERNEL(1) FEW_ROWS_KERNEL(2) FEW_ROWS_KERNEL(3) FEW_ROWS_KERNEL(4)
#if MR == 8
FEW_ROWS_KERNEL(5) FEW_ROWS_KERNEL(6) FEW_ROWS_KERNEL(7) FEW_ROWS_KERNEL(8)
#endif

// For one column and for VECTORS columns.
static few_rows_kernel* const few_rows_kernels[MR][2] = {
	{dot_products_1x1, dot_products_1}, {dot_products_2x1, dot_products_2}, {dot_products_3x1, dot_products_3}, {dot_products_4x1, dot_products_4},
#if MR == 8
	{dot_products_5x1, dot_products_5}, {dot_products_6x1, dot_products_6}, {dot_products_7x1, dot_products_7}, {dot_products_8x1, dot_products_8},
#endif
};

typedef struct {
	const gemm* g;
	int64_t parts, columns; // of B, and the columns of each but the last
} few_rows_job;

static long few_rows_parts(const void* data, int phase) { return ((const few_rows_job*)data)->parts; }

// few_rows_columns computes a part of C's columns.
static void few_rows_columns(void* data, int phase, long part) {
	const few_rows_job* job = data;
	const gemm* g = job->g;
	const epilogue finish = {.fusion = &g->fusion, .c = g->c, .n = g->n, .last = true};
	float tile[MAX_FEW_ROWS * NR];
	for (int64_t from = part * job->columns, to = min_i64(g->n, from + job->columns); from < to; from += NR) {
		const int64_t width = min_i64(NR, to - from);
		const float* b = g->b.data + from * g->b.col_stride;
		for (int64_t j = 0, count; j < width; j += count) {
			count = width - j >= VECTORS ? VECTORS : 1;
			for (int64_t i = 0; i < g->m; i += MR)
				few_rows_kernels[min_i64(MR, g->m - i) - 1][count > 1](g->a.data + i * g->a.row_stride, g->a.row_stride, b + j * g->b.col_stride, g->b.col_stride, g->k, tile + i * NR + j);
		}
		apply_epilogue(&finish, tile, NR, 0, from, g->m, width);
	}
}

// has_few_rows says whether multiply_few_rows can and should compute a product: rows of A and
// columns of B are contiguous.
static bool has_few_rows(const gemm* g) {
	return g->few_rows && g->m <= MAX_FEW_ROWS && g->a.col_stride == 1 && g->b.row_stride == 1 && !g->b_packed && !g->windows && !g->fusion.row_sums && !has_prologue(&g->fusion);
}

static bool multiply_few_rows(const thread_pool* pool, const gemm* g) {
	static const parallel_loop loop = {1, few_rows_parts, few_rows_columns};
	few_rows_job job = {.g = g};
	int64_t shares = g->n * g->k / FEW_ROWS_SHARE, parts = shares < 1 ? 1 : min_i64(shares, 4 * pool->threads);
	job.columns = round_up((g->n + parts - 1) / parts, NR);
	job.parts = (g->n + job.columns - 1) / job.columns;
	return gaze_parallel_for(pool, &loop, &job);
}

#endif
