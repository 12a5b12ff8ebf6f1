//go:build cgo && linux && !noxla && amd64

// Attention of all heads, 48 queries at a time, whose scores never leave the cache.
//
// Everything is the other way round, with a column for each query: scores are keys
// times queries [tokens, 48], so that the softmax of 16 queries is a matter of whole
// vectors, with nothing to add up across a vector, and the probabilities already lie as
// the right matrix of the next product, values [dim, tokens] times probabilities
// [tokens, 48]. Nothing is kept for the gradient: it makes the probabilities again.

#include "attention.h"

#include <stdatomic.h>

#include "panels.h"
#include "scratch.h"
#include "vector.h"

// One head of one picture, and some of its queries.
typedef struct {
	const attention* a;
	int64_t cuts; // pieces of a head
	atomic_bool failed;
} work;

// A thread's memory, taken piece by piece.
typedef struct {
	float* next;
} arena;

static float* take(arena* a, size_t numbers) {
	float* p = a->next;
	a->next += up(numbers, LANES);
	return p;
}

// part is a head's queries (0), keys (1) or values (2), [tokens, dim], or their
// gradients.
static matrix part(const attention* a, const float* qkv, int64_t picture, int64_t head, int which) {
	int64_t all = a->heads * a->dim;
	return (matrix){qkv + picture * a->tokens * 3 * all + which * all + head * a->dim, 3 * all, 1};
}

static matrix result(const attention* a, const float* mixed, int64_t picture, int64_t head) {
	int64_t all = a->heads * a->dim;
	return (matrix){mixed + picture * a->queries * all + head * a->dim, all, 1};
}

static matrix turned(matrix m) { return (matrix){m.data, m.col, m.row}; }

static matrix from_row(matrix m, int64_t i) {
	m.data += i * m.row;
	return m;
}

// put writes the transpose of from [dim, queries], rows of a panel, scaled by factor
// or, where given, by one for each query.
VECTORS static void put(const float* from, int64_t dim, int64_t queries, float factor, const float* factors, float* to, int64_t row) {
	for (int64_t q = 0; q < queries; q += LANES) {
		const __m512 by = factors ? _mm512_loadu_ps(factors + q) : _mm512_set1_ps(factor);
		for (int64_t d = 0; d < dim; d += LANES) {
			__m512 r[LANES];
			for (int i = 0; i < LANES; i++)
				r[i] = d + i < dim ? _mm512_mul_ps(by, _mm512_load_ps(from + (d + i) * PANEL + q)) : _mm512_setzero_ps();
			transpose(r);
			for (int64_t i = 0; i < LANES && q + i < queries; i++)
				store(to + (q + i) * row + d, dim - d, r[i]);
		}
	}
}

// soften turns scores [tokens, 48] into e^(score-greatest) and gives one over the sum
// for each query.
VECTORS static void soften(float* scores, int64_t tokens, int64_t queries, float* one_over_sum) {
	for (int64_t q = 0; q < queries; q += LANES) {
		float* at = scores + q;
		__m512 most = _mm512_load_ps(at);
		for (int64_t j = 1; j < tokens; j++)
			most = _mm512_max_ps(most, _mm512_load_ps(at + j * PANEL));
		__m512 sum = _mm512_setzero_ps(), more = _mm512_setzero_ps();
		int64_t j = 0;
		for (; j + 2 <= tokens; j += 2) {
			__m512 x = exponential(_mm512_sub_ps(_mm512_load_ps(at + j * PANEL), most));
			__m512 y = exponential(_mm512_sub_ps(_mm512_load_ps(at + (j + 1) * PANEL), most));
			_mm512_store_ps(at + j * PANEL, x);
			_mm512_store_ps(at + (j + 1) * PANEL, y);
			sum = _mm512_add_ps(sum, x);
			more = _mm512_add_ps(more, y);
		}
		for (; j < tokens; j++) {
			__m512 x = exponential(_mm512_sub_ps(_mm512_load_ps(at + j * PANEL), most));
			_mm512_store_ps(at + j * PANEL, x);
			sum = _mm512_add_ps(sum, x);
		}
		_mm512_storeu_ps(one_over_sum + q, _mm512_div_ps(_mm512_set1_ps(1), _mm512_add_ps(sum, more)));
	}
}

// pack_queries packs so many queries, scaled, as a panel [dim, 48].
VECTORS static void pack_queries(matrix q, int64_t dim, int64_t queries, float scale, float* to) {
	gaze_pack_right(turned(q), dim, queries, to);
	const __m512 by = _mm512_set1_ps(scale);
	for (int64_t k = 0; k < dim; k++)
		for (int64_t j = 0; j < queries; j += LANES)
			_mm512_store_ps(to + k * PANEL + j, _mm512_mul_ps(by, _mm512_load_ps(to + k * PANEL + j)));
}

// product multiplies strips by a panel of queries: out [rows, 48].
static void product(const float* left, const float* right, int64_t rows, int64_t queries, int64_t depth, float* out) {
	gaze_panel(left, depth * STRIP, right, PANEL, rows, queries, depth, out, PANEL, false, NULL);
}

// The queries of a piece: from and up to.
typedef struct {
	int64_t picture, head, from, to;
} share;

static share share_of(const work* w, long i) {
	const attention* a = w->a;
	int64_t cut = i % w->cuts, head = i / w->cuts, panels = (a->queries + PANEL - 1) / PANEL;
	share s = {head / a->heads, head % a->heads, panels * cut / w->cuts * PANEL, panels * (cut + 1) / w->cuts * PANEL};
	s.to = least(s.to, a->queries);
	return s;
}

static long pieces(const void* data, int phase) {
	const work* w = data;
	return w->a->batch * w->a->heads * w->cuts;
}

VECTORS static void forward(void* data, int phase, long i) {
	work* w = data;
	const attention* a = w->a;
	const share s = share_of(w, i);
	const int64_t n = a->tokens, dim = a->dim, padded = up(n, STRIP), wide = up(dim, STRIP);
	arena own = {gaze_scratch(sizeof(float) * (2 * padded * wide + (wide + padded + wide + 1) * PANEL + 8 * LANES))};
	if (!own.next) {
		atomic_store(&w->failed, true);
		return;
	}
	float *keys = take(&own, padded * dim), *values = take(&own, wide * n), *queries = take(&own, dim * PANEL), *scores = take(&own, n * PANEL), *out = take(&own, wide * PANEL), *sums = take(&own, PANEL);
	const matrix q = part(a, a->qkv, s.picture, s.head, 0), mixed = result(a, a->mixed, s.picture, s.head);
	gaze_pack_left(part(a, a->qkv, s.picture, s.head, 1), n, dim, keys);
	gaze_pack_left(turned(part(a, a->qkv, s.picture, s.head, 2)), dim, n, values);
	for (int64_t at = s.from; at < s.to; at += PANEL) {
		int64_t some = least(PANEL, s.to - at);
		pack_queries(from_row(q, at), dim, some, 1 / root((float)dim), queries);
		product(keys, queries, n, some, dim, scores);
		soften(scores, n, some, sums);
		product(values, scores, dim, some, n, out);
		put(out, dim, some, 1, sums, (float*)from_row(mixed, at).data, mixed.row);
	}
}

// slope turns probabilities that aren't normalised, and the gradient with respect to
// them, into probabilities and the gradient with respect to the scores:
// p(g - sum of pg).
VECTORS static void slope(float* p, float* g, int64_t tokens, int64_t queries, const float* one_over_sum) {
	for (int64_t q = 0; q < queries; q += LANES) {
		const __m512 by = _mm512_load_ps(one_over_sum + q);
		__m512 sum = _mm512_setzero_ps();
		for (int64_t j = 0; j < tokens; j++) {
			__m512 x = _mm512_mul_ps(by, _mm512_load_ps(p + j * PANEL + q));
			_mm512_store_ps(p + j * PANEL + q, x);
			sum = _mm512_fmadd_ps(x, _mm512_load_ps(g + j * PANEL + q), sum);
		}
		for (int64_t j = 0; j < tokens; j++)
			_mm512_store_ps(g + j * PANEL + q, _mm512_mul_ps(_mm512_load_ps(p + j * PANEL + q), _mm512_sub_ps(_mm512_load_ps(g + j * PANEL + q), sum)));
	}
}

// accumulate adds to sums [tokens, wide] the product of columns [tokens, 48] and rows
// [queries, dim]: packs both, the latter dim by dim.
VECTORS static void accumulate(const float* columns, matrix rows, int64_t tokens, int64_t dim, int64_t queries, float* left, float* right, float* sums, int64_t wide, bool add) {
	gaze_pack_left((matrix){columns, PANEL, 1}, tokens, queries, left);
	for (int64_t d = 0; d < dim; d += PANEL) {
		int64_t some = least(PANEL, dim - d);
		gaze_pack_right((matrix){rows.data + d * rows.col, rows.row, rows.col}, queries, some, right);
		gaze_panel(left, queries * STRIP, right, PANEL, tokens, some, queries, sums + d, wide, add, NULL);
	}
}

// spread writes sums [tokens, wide], scaled, to where a part's gradients belong.
VECTORS static void spread(const float* sums, int64_t wide, matrix to, int64_t tokens, int64_t dim, float scale) {
	const __m512 by = _mm512_set1_ps(scale);
	for (int64_t j = 0; j < tokens; j++)
		for (int64_t d = 0; d < dim; d += LANES)
			store((float*)to.data + j * to.row + d, dim - d, _mm512_mul_ps(by, _mm512_loadu_ps(sums + j * wide + d)));
}

VECTORS static void backward(void* data, int phase, long i) {
	work* w = data;
	const attention* a = w->a;
	const share s = share_of(w, i);
	const int64_t n = a->tokens, dim = a->dim, padded = up(n, STRIP), wide = up(dim, LANES);
	arena own = {gaze_scratch(sizeof(float) * (3 * padded * wide + 2 * wide * n + (3 * wide + 4 * padded + PANEL + 1) * PANEL + 16 * LANES))};
	if (!own.next) {
		atomic_store(&w->failed, true);
		return;
	}
	float *keys = take(&own, padded * dim), *values = take(&own, padded * dim), *key_columns = take(&own, wide * n);
	float *queries = take(&own, dim * PANEL), *gradients = take(&own, dim * PANEL), *p = take(&own, n * PANEL), *g = take(&own, n * PANEL);
	float *out = take(&own, wide * PANEL), *sums = take(&own, PANEL), *left = take(&own, padded * PANEL), *right = take(&own, PANEL * PANEL);
	float *key_sums = take(&own, n * wide), *value_sums = take(&own, n * wide);
	const float scale = 1 / root((float)dim);
	const matrix q = part(a, a->qkv, s.picture, s.head, 0), k = part(a, a->qkv, s.picture, s.head, 1);
	const matrix gradient = result(a, a->gradient, s.picture, s.head), to = part(a, a->qkv_gradient, s.picture, s.head, 0);
	gaze_pack_left(k, n, dim, keys);
	gaze_pack_left(part(a, a->qkv, s.picture, s.head, 2), n, dim, values);
	gaze_pack_left(turned(k), dim, n, key_columns);
	for (int64_t at = s.from; at < s.to; at += PANEL) {
		int64_t some = least(PANEL, s.to - at);
		pack_queries(from_row(q, at), dim, some, scale, queries);
		gaze_pack_right(turned(from_row(gradient, at)), dim, some, gradients);
		product(keys, queries, n, some, dim, p);
		soften(p, n, some, sums);
		product(values, gradients, n, some, dim, g);
		slope(p, g, n, some, sums);
		product(key_columns, g, dim, some, n, out);
		put(out, dim, some, scale, NULL, (float*)from_row(to, at).data, to.row);
		accumulate(p, from_row(gradient, at), n, dim, some, left, right, value_sums, wide, at > 0);
		accumulate(g, from_row(q, at), n, dim, some, left, right, key_sums, wide, at > 0);
	}
	for (int64_t i = a->queries; i < n; i++)
		memset((float*)from_row(to, i).data, 0, dim * sizeof(float));
	spread(key_sums, wide, part(a, a->qkv_gradient, s.picture, s.head, 1), n, dim, scale);
	spread(value_sums, wide, part(a, a->qkv_gradient, s.picture, s.head, 2), n, dim, 1);
}

bool gaze_attend(const scheduler* s, const attention* a) {
	work w = {.a = a, .cuts = 1};
	int64_t heads = a->batch * a->heads, panels = (a->queries + PANEL - 1) / PANEL;
	if (heads % s->threads && heads < 3 * s->threads)
		w.cuts = least(panels, (3 * s->threads + heads - 1) / heads);
	const plan all = {1, pieces, forward};
	return gaze_share(s, &all, &w) && !atomic_load(&w.failed);
}

bool gaze_attend_back(const scheduler* s, const attention* a) {
	work w = {.a = a, .cuts = 1};
	const plan all = {1, pieces, backward};
	return gaze_share(s, &all, &w) && !atomic_load(&w.failed);
}
