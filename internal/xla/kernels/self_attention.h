// Attention, one head and NR queries at a time, so that the scores stay in the cache.
//
// All matrices are transposed, with a column per query. The scores are keys times queries
// [tokens, NR], so the softmax works on whole vectors and needs no sums across
// a vector, and the probabilities already have the layout of a packed micropanel of B for the
// next product, values [dim, tokens] times probabilities [tokens, NR]. The backward pass
// recomputes the probabilities instead of keeping them.
#ifndef GAZE_SELF_ATTENTION_H
#define GAZE_SELF_ATTENTION_H

#include <stdatomic.h>

#include "activation.h"
#include "attention.h"
#include "microkernel.h"
#include "pack.h"
#include "scratch.h"

typedef struct {
	const attention* a;
	int64_t cuts; // of a head's queries
	atomic_bool failed;
} attention_job;

// A bump allocator in a thread's scratch memory.
typedef struct {
	float* next;
} arena;

static float* arena_alloc(arena* a, size_t numbers) {
	float* p = a->next;
	a->next += round_up(numbers, LINE);
	return p;
}

enum { QUERY, KEY, VALUE };

// qkv_slice is one of the three parts of a head, [tokens, dim], of qkv or of dqkv.
static matrix qkv_slice(const attention* a, const float* qkv, int64_t image, int64_t head, int part) {
	int64_t width = a->heads * a->dim;
	return (matrix){qkv + image * a->tokens * 3 * width + part * width + head * a->dim, 3 * width, 1};
}

// out_slice is a head's part of out or of dout, [queries, dim].
static matrix out_slice(const attention* a, const float* out, int64_t image, int64_t head) {
	int64_t width = a->heads * a->dim;
	return (matrix){out + image * a->queries * width + head * a->dim, width, 1};
}

static matrix transposed(matrix m) { return (matrix){m.data, m.col_stride, m.row_stride}; }

static matrix from_row(matrix m, int64_t i) {
	m.data += i * m.row_stride;
	return m;
}

// store_transposed writes the transpose of from [dim, queries], whose rows are NR apart. It is
// scaled by factor or, if factors is given, by one factor per query.
static void store_transposed(const float* from, int64_t dim, int64_t queries, float factor, const float* factors, float* out, int64_t out_stride) {
	for (int64_t q = 0; q < queries; q += LANES) {
		const vf scale = factors ? vload(factors + q) : vset(factor);
		for (int64_t d = 0; d < dim; d += LANES) {
			vf r[LANES];
			for (int i = 0; i < LANES; i++)
				r[i] = d + i < dim ? scale * vload(from + (d + i) * NR + q) : vzero();
			transpose_square(r);
			for (int64_t i = 0; i < LANES && q + i < queries; i++)
				store_lanes(out + (q + i) * out_stride + d, dim - d, r[i]);
		}
	}
}

// softmax replaces scores [tokens, NR] by e^(score - max), with the maximum of each column, and
// sets inv_sum to the inverse of each column's sum. The division is left to the caller.
static void softmax(float* scores, int64_t tokens, int64_t queries, float* inv_sum) {
	for (int64_t q = 0; q < queries; q += LANES) {
		float* column = scores + q;
		vf max = vload(column);
		for (int64_t j = 1; j < tokens; j++)
			max = vmax(max, vload(column + j * NR));
		vf even = vzero(), odd = vzero(); // sums
		int64_t j = 0;
		for (; j + 2 <= tokens; j += 2) {
			vf x = vexp(vload(column + j * NR) - max);
			vf y = vexp(vload(column + (j + 1) * NR) - max);
			vstore(column + j * NR, x);
			vstore(column + (j + 1) * NR, y);
			even += x;
			odd += y;
		}
		for (; j < tokens; j++) {
			vf x = vexp(vload(column + j * NR) - max);
			vstore(column + j * NR, x);
			even += x;
		}
		vstore(inv_sum + q, vset(1) / (even + odd));
	}
}

// pack_queries packs queries, scaled, as a micropanel [dim, NR].
static void pack_queries(matrix q, int64_t dim, int64_t queries, float scale, float* out) {
	pack_b(transposed(q), dim, queries, out);
	const vf factor = vset(scale);
	for (int64_t k = 0; k < dim; k++)
		for (int64_t j = 0; j < queries; j += LANES)
			vstore(out + k * NR + j, factor * vload(out + k * NR + j));
}

// multiply multiplies contiguous rows with a micropanel of queries: tile [rows, NR].
static void multiply(matrix a, const float* b, int64_t rows, int64_t queries, int64_t k, float* tile) {
	const sums to = {tile, NR, false};
	macrokernel(a.data, a.row_stride, b, NR, rows, queries, k, &to, NULL);
}

// transpose copies the transpose of a matrix [tokens, dim], with contiguous rows.
static matrix transpose(matrix m, int64_t tokens, int64_t dim, float* out) {
	arrange_rows(transposed(m), dim, tokens, out, round_up(tokens, LINE));
	return (matrix){out, round_up(tokens, LINE), 1};
}

// The queries begin to end of a head.
typedef struct {
	int64_t image, head, begin, end;
} query_range;

static query_range range_of(const attention_job* job, long i) {
	const attention* a = job->a;
	int64_t cut = i % job->cuts, head = i / job->cuts, micropanels = (a->queries + NR - 1) / NR;
	query_range r = {head / a->heads, head % a->heads, micropanels * cut / job->cuts * NR, micropanels * (cut + 1) / job->cuts * NR};
	r.end = min_i64(r.end, a->queries);
	return r;
}

static long attention_iterations(const void* data, int phase) {
	const attention_job* job = data;
	return job->a->batch * job->a->heads * job->cuts;
}

static void attention_forward(void* data, int phase, long i) {
	attention_job* job = data;
	const attention* a = job->a;
	const query_range r = range_of(job, i);
	const int64_t n = a->tokens, dim = a->dim, n_padded = round_up(n, LINE);
	arena own = {gaze_scratch(sizeof(float) * (dim * n_padded + (dim + n + dim + 1) * NR + 8 * LINE))};
	if (!own.next) {
		atomic_store(&job->failed, true);
		return;
	}
	float *queries = arena_alloc(&own, dim * NR), *scores = arena_alloc(&own, n * NR), *tile = arena_alloc(&own, dim * NR), *inv_sum = arena_alloc(&own, NR);
	const matrix q = qkv_slice(a, a->qkv, r.image, r.head, QUERY), keys = qkv_slice(a, a->qkv, r.image, r.head, KEY), out = out_slice(a, a->out, r.image, r.head);
	const matrix values = transpose(qkv_slice(a, a->qkv, r.image, r.head, VALUE), n, dim, arena_alloc(&own, dim * n_padded));
	for (int64_t at = r.begin; at < r.end; at += NR) {
		int64_t count = min_i64(NR, r.end - at);
		pack_queries(from_row(q, at), dim, count, 1 / sqrt_f32((float)dim), queries);
		multiply(keys, queries, n, count, dim, scores);
		softmax(scores, n, count, inv_sum);
		multiply(values, scores, dim, count, n, tile);
		store_transposed(tile, dim, count, 1, inv_sum, (float*)from_row(out, at).data, out.row_stride);
	}
}

// softmax_backward takes p, the result of softmax, and g, the gradient for the probabilities.
// It divides p by the sums and replaces g by the gradient for the scores, p·(g - sum(p·g)).
static void softmax_backward(float* p, float* g, int64_t tokens, int64_t queries, const float* inv_sum) {
	for (int64_t q = 0; q < queries; q += LANES) {
		const vf scale = vload(inv_sum + q);
		vf sum = vzero();
		for (int64_t j = 0; j < tokens; j++) {
			vf x = scale * vload(p + j * NR + q);
			vstore(p + j * NR + q, x);
			sum = vfma(x, vload(g + j * NR + q), sum);
		}
		for (int64_t j = 0; j < tokens; j++)
			vstore(g + j * NR + q, vload(p + j * NR + q) * (vload(g + j * NR + q) - sum));
	}
}

// add_product sets out [tokens, out_stride], or adds to it, the product of a [tokens, queries],
// whose rows are NR apart, and b [queries, dim]. b_packed is scratch memory.
static void add_product(const float* a, matrix b, int64_t tokens, int64_t dim, int64_t queries, float* b_packed, float* out, int64_t out_stride, bool add) {
	for (int64_t d = 0; d < dim; d += NR) {
		int64_t count = min_i64(NR, dim - d);
		pack_b((matrix){b.data + d * b.col_stride, b.row_stride, b.col_stride}, queries, count, b_packed);
		const sums to = {out + d, out_stride, add};
		macrokernel(a, NR, b_packed, NR, tokens, count, queries, &to, NULL);
	}
}

// store_scaled writes sums [tokens, sums_stride], scaled, to out [tokens, dim].
static void store_scaled(const float* sums, int64_t sums_stride, matrix out, int64_t tokens, int64_t dim, float scale) {
	const vf factor = vset(scale);
	for (int64_t j = 0; j < tokens; j++)
		for (int64_t d = 0; d < dim; d += LANES)
			store_lanes((float*)out.data + j * out.row_stride + d, dim - d, factor * vload(sums + j * sums_stride + d));
}

static void attention_backward(void* data, int phase, long i) {
	attention_job* job = data;
	const attention* a = job->a;
	const query_range r = range_of(job, i);
	const int64_t n = a->tokens, dim = a->dim, n_padded = round_up(n, LINE), dim_padded = round_up(dim, LANES);
	arena own = {gaze_scratch(sizeof(float) * (dim * n_padded + 2 * dim_padded * n + (3 * dim + 2 * n + NR + 1) * NR + 16 * LINE))};
	if (!own.next) {
		atomic_store(&job->failed, true);
		return;
	}
	float *queries = arena_alloc(&own, dim * NR), *dout_packed = arena_alloc(&own, dim * NR), *p = arena_alloc(&own, n * NR), *g = arena_alloc(&own, n * NR);
	float *tile = arena_alloc(&own, dim * NR), *inv_sum = arena_alloc(&own, NR), *b_packed = arena_alloc(&own, NR * NR);
	float *dkeys = arena_alloc(&own, n * dim_padded), *dvalues = arena_alloc(&own, n * dim_padded);
	const float scale = 1 / sqrt_f32((float)dim);
	const matrix q = qkv_slice(a, a->qkv, r.image, r.head, QUERY), keys = qkv_slice(a, a->qkv, r.image, r.head, KEY), values = qkv_slice(a, a->qkv, r.image, r.head, VALUE);
	const matrix keys_transposed = transpose(keys, n, dim, arena_alloc(&own, dim * n_padded));
	const matrix dout = out_slice(a, a->dout, r.image, r.head), dq = qkv_slice(a, a->dqkv, r.image, r.head, QUERY);
	for (int64_t at = r.begin; at < r.end; at += NR) {
		int64_t count = min_i64(NR, r.end - at);
		pack_queries(from_row(q, at), dim, count, scale, queries);
		pack_b(transposed(from_row(dout, at)), dim, count, dout_packed);
		multiply(keys, queries, n, count, dim, p);
		softmax(p, n, count, inv_sum);
		multiply(values, dout_packed, n, count, dim, g);
		softmax_backward(p, g, n, count, inv_sum);
		multiply(keys_transposed, g, dim, count, n, tile);
		store_transposed(tile, dim, count, scale, NULL, (float*)from_row(dq, at).data, dq.row_stride);
		add_product(p, from_row(dout, at), n, dim, count, b_packed, dvalues, dim_padded, at > 0);
		add_product(g, from_row(q, at), n, dim, count, b_packed, dkeys, dim_padded, at > 0);
	}
	for (int64_t i = a->queries; i < n; i++)
		memset((float*)from_row(dq, i).data, 0, dim * sizeof(float));
	store_scaled(dkeys, dim_padded, qkv_slice(a, a->dqkv, r.image, r.head, KEY), n, dim, scale);
	store_scaled(dvalues, dim_padded, qkv_slice(a, a->dqkv, r.image, r.head, VALUE), n, dim, 1);
}

static bool self_attention(const thread_pool* pool, const attention* a) {
	attention_job job = {.a = a, .cuts = 1};
	int64_t heads = a->batch * a->heads, micropanels = (a->queries + NR - 1) / NR;
	// If the heads don't occupy the threads evenly, their queries are divided, too.
	if (heads % pool->threads && heads < 3 * pool->threads)
		job.cuts = min_i64(micropanels, (3 * pool->threads + heads - 1) / heads);
	const parallel_loop loop = {1, attention_iterations, attention_forward};
	return gaze_parallel_for(pool, &loop, &job) && !atomic_load(&job.failed);
}

static bool self_attention_backward(const thread_pool* pool, const attention* a) {
	attention_job job = {.a = a, .cuts = 1};
	const parallel_loop loop = {1, attention_iterations, attention_backward};
	return gaze_parallel_for(pool, &loop, &job) && !atomic_load(&job.failed);
}

#endif
