// Products of matrices, on vectors.
//
// A is divided into blocks of MC rows, so that each thread has at least one and a block stays in a
// cache. A thread takes a block and goes through B's micropanels: it packs one, multiplies while it
// prefetches a later one, and applies the epilogue to what it has written of C: not to a few rows at a
// time, because an activation function is a long chain of operations, and the processor goes on to the
// next one while it waits for one. A block is read where it lies, unless it has a prologue or its rows aren't
// contiguous. A thread that finds no block left helps with the micropanels of another thread's
// block. If that has to be copied, it copies it for itself: cores that write what other cores read
// wait for each other longer than that takes.
#ifndef GAZE_PRODUCT_H
#define GAZE_PRODUCT_H

#include <stdatomic.h>
#include <stdlib.h>

#include "few_rows.h"
#include "fusion.h"
#include "gemm.h"
#include "microkernel.h"
#include "pack.h"
#include "parallel.h"
#include "scratch.h"
#include "windows.h"

enum {
	MAX_KC = 2048,         // rows of B that are packed at a time
	MAX_BLOCK = 1 << 20,   // numbers in a block of A
	MAX_MC = 384,          // rows in a block of A
	MAX_K = MAX_BLOCK / 64, // columns in a block of A, so that a block has at least 64 rows
	// A thread helps with a block only if at least this many micropanels are left. Fewer
	// aren't worth copying the block again.
	MIN_HELP = 2,
};

// Each thread's scratch memory.
typedef struct {
	float a[MAX_BLOCK + 2 * LINE * MAX_MC], b_packed[NR * MAX_KC], tile[NR * MAX_MC];
} workspace;

// A product, or the part of its terms from k_start to k_start+k_size if it has more than MAX_K.
typedef struct {
	const gemm* g;
	int threads;
	int64_t k_start, k_size;
	int64_t kc;
	int64_t blocks, mc;
	int64_t micropanels; // of B
	float* a_prologue; // A after the prologue, if the threads compute that together first
	bool computing_prologue;
	int64_t line_count;
	int32_t* line_offsets; // the cache lines of a micropanel of B, see list_lines
	atomic_bool failed;
	atomic_long next_block;
	atomic_long* next_micropanel; // of each block
} gemm_job;

// The rows of a block of A as the microkernel reads them: contiguous, stride numbers apart.
typedef struct {
	const float* data;
	int64_t stride;
} block_rows;

// prologue_rows writes some rows of A after the prologue.
static void prologue_rows(const gemm* g, int64_t i, int64_t rows, float* out, int64_t stride) {
	for (int64_t r = i; r < i + rows; r++, out += stride) {
		const float* row = g->a.data + r * g->a.row_stride;
		row_stats stats = g->fusion.gamma ? row_statistics(row, g->k, g->fusion.epsilon) : (row_stats){0, 0};
		apply_prologue(&g->fusion, row, stats, 0, g->k, out);
	}
}

// rows_of_block is a block of A, where it lies or, if it has to be changed or moved, in the thread's
// scratch memory. If several threads ask for the same block, only one of them stores the row sums.
static block_rows rows_of_block(const gemm_job* job, int64_t block, bool store_sums, workspace* own) {
	const gemm* g = job->g;
	const fusion* f = &g->fusion;
	const int64_t i = block * job->mc, rows = min_i64(job->mc, g->m - i), k = job->k_start, kc = job->k_size;
	const matrix a = {g->a.data + i * g->a.row_stride + k * g->a.col_stride, g->a.row_stride, g->a.col_stride};
	block_rows at = {own->a, round_up(kc, LINE) + LINE};
	if (job->a_prologue)
		at = (block_rows){job->a_prologue + i * g->k + k, g->k};
	else if (g->windows)
		copy_windows(g->windows, i, rows, k, kc, own->a, at.stride);
	else if (has_prologue(f))
		prologue_rows(g, i, rows, own->a, at.stride);
	else if (a.col_stride == 1)
		at = (block_rows){a.data, a.row_stride};
	else
		arrange_rows(a, rows, kc, own->a, at.stride);
	if (store_sums && f->row_sums)
		sum_rows((matrix){at.data, at.stride, 1}, rows, kc, f->row_sums + i, k > 0);
	return at;
}

// list_lines lists the offsets of the cache lines of B that a full micropanel of kc rows is
// packed from.
static void list_lines(gemm_job* job) {
	const matrix b = job->g->b;
	const int64_t kc = min_i64(job->kc, job->k_size);
	job->line_count = 0;
	if (job->g->n < 2 * NR || kc % LINE)
		return;
	if (job->g->b_packed)
		for (; job->line_count < kc * NR / LINE; job->line_count++)
			job->line_offsets[job->line_count] = (int32_t)(job->line_count * LINE * sizeof(float));
	else if (b.row_stride == 1 && b.col_stride < INT32_MAX / (int64_t)sizeof(float) / NR)
		for (int64_t j = 0; j < NR; j++)
			for (int64_t k = 0; k < kc; k += LINE)
				job->line_offsets[job->line_count++] = (int32_t)((j * b.col_stride + k) * sizeof(float));
	else if (b.col_stride == 1 && b.row_stride < INT32_MAX / (int64_t)sizeof(float) / MAX_KC)
		for (int64_t k = 0; k < kc; k++)
			for (int64_t j = 0; j < NR; j += LINE)
				job->line_offsets[job->line_count++] = (int32_t)((k * b.row_stride + j) * sizeof(float));
}

// prefetch_b spreads the prefetching of B's micropanel at column j over the multiplication of
// rows rows and kc columns of A.
static prefetch prefetch_b(const gemm_job* job, int64_t k, int64_t kc, int64_t j, int64_t rows) {
	prefetch ahead = {0};
	const gemm* g = job->g;
	const matrix b = g->b;
	int64_t steps = (rows + MR - 1) / MR * (kc / 8);
	if (job->line_count == 0 || kc < job->kc || j + NR > g->n || steps * 4 < job->line_count)
		return ahead;
	ahead.base = (const char*)(b.data + (g->b_packed ? j * g->k + k * NR : k * b.row_stride + j * b.col_stride));
	ahead.per_step = (int)((job->line_count + steps - 1) / steps);
	ahead.next = job->line_offsets;
	ahead.end = job->line_offsets + job->line_count;
	return ahead;
}

// multiply_micropanel multiplies a block of A with a micropanel of B. The sums are added up in C,
// but for a micropanel whose vectors are longer than C's rows.
static void multiply_micropanel(const gemm_job* job, int64_t block, block_rows a, int64_t micropanel, workspace* own) {
	const gemm* g = job->g;
	const matrix b = g->b;
	const bool first = job->k_start == 0, last = job->k_start + job->k_size == g->k;
	int64_t j = micropanel * NR, columns = min_i64(NR, g->n - j), i = block * job->mc, rows = min_i64(job->mc, g->m - i);
	const bool in_place = columns % LANES == 0;
	sums to = {own->tile, NR, false};
	if (in_place)
		to = (sums){g->c + i * g->n + j, g->n, !first};
	// A thread that has the block to itself takes the next micropanel next.
	int64_t later = j + NR * (job->blocks >= job->threads ? 1 : job->threads / job->blocks);
	for (int64_t k = 0; k < job->k_size; k += job->kc) {
		int64_t kc = min_i64(job->kc, job->k_size - k), k_all = job->k_start + k, b_stride = NR;
		const float* b_packed = own->b_packed;
		if (g->b_packed) {
			b_stride = round_up(columns, LANES);
			b_packed = b.data + j * g->k + k_all * b_stride;
		} else {
			pack_b((matrix){b.data + k_all * b.row_stride + j * b.col_stride, b.row_stride, b.col_stride}, kc, columns, own->b_packed);
		}
		prefetch ahead = prefetch_b(job, k_all, kc, later, rows);
		macrokernel(a.data + k, a.stride, b_packed, b_stride, rows, columns, kc, &to, &ahead);
		to.add = true;
	}
	const epilogue finish = {&g->fusion, g->c, g->n, !in_place && !first, last};
	if (!in_place || (last && has_epilogue(&g->fusion)))
		apply_epilogue(&finish, to.tile, to.stride, i, j, rows, columns);
}

// multiply_block multiplies a block of A with those micropanels of B that no thread has taken
// yet. The thread that takes the first micropanel stores the row sums; a thread that took the
// block itself may find no micropanel left.
static void multiply_block(gemm_job* job, int64_t block, workspace* own) {
	block_rows a = {0};
	for (long i; (i = atomic_fetch_add(&job->next_micropanel[block], 1)) < job->micropanels;) {
		if (!a.data)
			a = rows_of_block(job, block, i == 0, own);
		multiply_micropanel(job, block, a, i, own);
	}
}

static long gemm_iterations(const void* data, int phase) {
	const gemm_job* job = data;
	return job->computing_prologue ? (job->g->m + MR - 1) / MR : job->threads;
}

// gemm_iterate is the whole of a thread's work on a product, or the prologue of some rows.
static void gemm_iterate(void* data, int phase, long i) {
	gemm_job* job = data;
	if (job->computing_prologue) {
		prologue_rows(job->g, i * MR, min_i64(MR, job->g->m - i * MR), job->a_prologue + i * MR * job->g->k, job->g->k);
		return;
	}
	workspace* own = gaze_scratch(sizeof *own);
	if (!own) {
		atomic_store(&job->failed, true);
		return;
	}
	for (long b; (b = atomic_fetch_add(&job->next_block, 1)) < job->blocks;)
		multiply_block(job, b, own);
	for (long b = 0; b < job->blocks; b++)
		if (atomic_load(&job->next_micropanel[b]) + MIN_HELP <= job->micropanels)
			multiply_block(job, b, own);
}

// part_size divides size into equal parts of at most most, but at least min_parts, and
// rounds their size up to a multiple of unit.
static int64_t part_size(int64_t size, int64_t most, int64_t unit, int64_t min_parts) {
	if (min_parts < (size + most - 1) / most)
		min_parts = (size + most - 1) / most;
	return round_up((size + min_parts - 1) / min_parts, unit);
}

static bool run_gemm(const thread_pool* pool, gemm_job* job) {
	static const parallel_loop loop = {1, gemm_iterations, gemm_iterate};
	return gaze_parallel_for(pool, &loop, job) && !atomic_load(&job->failed);
}

// multiply_k_range adds the terms from k_start to k_start+k_size, and applies the epilogue if
// these are the last ones.
static bool multiply_k_range(const thread_pool* pool, gemm_job* job, int64_t k_start, int64_t k_size) {
	job->k_start = k_start;
	job->k_size = k_size;
	job->kc = part_size(k_size, MAX_KC, LINE, 1);
	// Several blocks are made as many for each thread. An A that fits one block is divided into
	// two at most: each packed micropanel of B should serve several micropanels of A.
	int64_t max_mc = min_i64(MAX_MC, MAX_BLOCK / round_up(k_size, job->kc) / MR * MR), blocks = (job->g->m + max_mc - 1) / max_mc;
	job->mc = part_size(job->g->m, max_mc, MR, blocks > 1 ? round_up(blocks, job->threads) : job->g->m >= 16 * MR ? min_i64(job->threads, 2) : 1);
	job->blocks = (job->g->m + job->mc - 1) / job->mc;
	job->micropanels = (job->g->n + NR - 1) / NR;
	atomic_init(&job->next_block, 0);
	job->next_micropanel = calloc(job->blocks, sizeof *job->next_micropanel);
	job->line_offsets = malloc(MAX_KC * ((NR + LINE - 1) / LINE) * sizeof *job->line_offsets);
	bool done = job->next_micropanel && job->line_offsets;
	if (done) {
		list_lines(job);
		done = run_gemm(pool, job);
	}
	free(job->next_micropanel);
	free(job->line_offsets);
	return done;
}

static bool product(const thread_pool* pool, const gemm* g) {
	if (g->m < 1 || g->n < 1 || g->k < 1)
		return false;
	if (has_few_rows(g))
		return multiply_few_rows(pool, g);
	gemm_job job = {.g = g, .threads = pool->threads};
	// Many threads that share few blocks would each compute the prologue of all of them.
	if (has_prologue(&g->fusion) && (g->k > MAX_K || pool->threads > 2 * ((g->m + MAX_MC - 1) / MAX_MC))) {
		if (posix_memalign((void**)&job.a_prologue, 64, g->m * g->k * sizeof *job.a_prologue))
			return false;
		job.computing_prologue = true;
		if (!run_gemm(pool, &job)) {
			free(job.a_prologue);
			return false;
		}
		job.computing_prologue = false;
	}
	int64_t k_size = part_size(g->k, MAX_K, LINE, 1);
	bool done = true;
	for (int64_t k = 0; done && k < g->k; k += k_size)
		done = multiply_k_range(pool, &job, k, min_i64(k_size, g->k - k));
	free(job.a_prologue);
	return done;
}

#endif
