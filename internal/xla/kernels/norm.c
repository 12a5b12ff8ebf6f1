//go:build cgo && linux && !noxla && amd64

#include "norm.h"

#include <stdlib.h>

#include "around.h"

// Rows are taken so many at a time, whoever takes them, so that sums over rows have the
// same bits for any number of threads.
enum { ROWS = 32 };

// The sums over rows are made for each piece [2, n], then for all of them.
typedef struct {
	const norm* l;
	float* sums;
} work;

static int64_t blocks(const norm* l) { return (l->rows + ROWS - 1) / ROWS; }

// Columns are shared out in vectors when sums are added up.
static long pieces(const void* data, int phase) {
	const norm* l = ((const work*)data)->l;
	return phase == 0 ? blocks(l) : (l->n + 8 * LANES - 1) / (8 * LANES);
}

VECTORS static void forward(void* data, int phase, long i) {
	const norm* l = ((work*)data)->l;
	const around w = {.gamma = l->gamma, .beta = l->beta};
	for (int64_t r = i * ROWS; r < l->rows && r < (i + 1) * ROWS; r++)
		prepare(&w, l->x + r * l->n, measure(l->x + r * l->n, l->n, l->epsilon), 0, l->n, l->out + r * l->n);
}

// back_row sets a row's gradient: with x normalised and g the gradient times gamma,
// (g - mean of g - x·(mean of gx)) over the standard deviation; and adds the row's
// part of the others.
VECTORS static void back_row(const norm* l, int64_t r, float* sums) {
	const float *row = l->x + r * l->n, *gradient = l->gradient + r * l->n;
	const moments m = measure(row, l->n, l->epsilon);
	const __m512 mean = _mm512_set1_ps(m.mean), scale = _mm512_set1_ps(m.scale);
	__m512 all = _mm512_setzero_ps(), along = _mm512_setzero_ps();
	for (int64_t k = 0; k < l->n; k += LANES) {
		const int64_t some = l->n - k;
		__m512 x = _mm512_maskz_mul_ps(first(some), _mm512_sub_ps(load(row + k, some), mean), scale), dy = load(gradient + k, some);
		store(sums + k, some, _mm512_fmadd_ps(dy, x, load(sums + k, some)));
		store(sums + l->n + k, some, _mm512_add_ps(dy, load(sums + l->n + k, some)));
		__m512 g = _mm512_mul_ps(dy, load(l->gamma + k, some));
		all = _mm512_add_ps(all, g);
		along = _mm512_fmadd_ps(g, x, along);
	}
	const __m512 g_mean = _mm512_set1_ps(_mm512_reduce_add_ps(all) / l->n), gx_mean = _mm512_set1_ps(_mm512_reduce_add_ps(along) / l->n);
	for (int64_t k = 0; k < l->n; k += LANES) {
		const int64_t some = l->n - k;
		__m512 x = _mm512_mul_ps(_mm512_sub_ps(load(row + k, some), mean), scale);
		__m512 g = _mm512_sub_ps(_mm512_mul_ps(load(gradient + k, some), load(l->gamma + k, some)), g_mean);
		store(l->x_gradient + r * l->n + k, some, _mm512_mul_ps(scale, _mm512_fnmadd_ps(x, gx_mean, g)));
	}
}

VECTORS static void backward(void* data, int phase, long i) {
	const work* w = data;
	const norm* l = w->l;
	if (phase == 0) {
		float* sums = w->sums + i * 2 * l->n;
		memset(sums, 0, 2 * l->n * sizeof *sums);
		for (int64_t r = i * ROWS; r < l->rows && r < (i + 1) * ROWS; r++)
			back_row(l, r, sums);
		return;
	}
	for (int64_t k = i * 8 * LANES; k < l->n && k < (i + 1) * 8 * LANES; k += LANES)
		for (int which = 0; which < 2; which++) {
			__m512 sum = _mm512_setzero_ps();
			for (int64_t b = 0; b < blocks(l); b++)
				sum = _mm512_add_ps(sum, load(w->sums + (2 * b + which) * l->n + k, l->n - k));
			store((which ? l->beta_gradient : l->gamma_gradient) + k, l->n - k, sum);
		}
}

bool gaze_normalize(const scheduler* s, const norm* l) {
	work w = {l, NULL};
	const plan all = {1, pieces, forward};
	return gaze_share(s, &all, &w);
}

bool gaze_normalize_back(const scheduler* s, const norm* l) {
	work w = {l, malloc(blocks(l) * 2 * l->n * sizeof(float))};
	const plan all = {2, pieces, backward};
	bool done = w.sums && gaze_share(s, &all, &w);
	free(w.sums);
	return done;
}
