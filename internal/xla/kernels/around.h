// What a product can do on the way: to the left matrix as it is packed, and to the
// result as it is written.
#ifndef GAZE_AROUND_H
#define GAZE_AROUND_H

#include <stdbool.h>

#include "matrix.h"
#include "vector.h"

typedef struct {
	// Each row of the left matrix is normalised to mean 0 and variance 1, multiplied by
	// gamma and added to beta, as torch's LayerNorm does it. NULL: it isn't.
	const float *gamma, *beta;
	float epsilon;
	// The activation function is applied to the left matrix or, if slope_at is given,
	// the result [m, n] is multiplied by its slope there, and its values go to values.
	int activation;
	const float* slope_at;
	float* values;

	const float* bias;     // [n], added to each row of the result
	const float* scale;    // [n], by which each row of the result is then multiplied
	const float* residual; // [m, n], added to the result
	float* sums;           // [m], gets the sums of the left matrix' rows
} around;

// prepares says whether the left matrix must be prepared; its rows are then dense.
static inline bool prepares(const around* w) { return w->gamma || (w->activation && !w->slope_at); }

// A row's mean, and one over its standard deviation.
typedef struct {
	float mean, scale;
} moments;

VECTOR moments measure(const float* row, int64_t n, float epsilon) {
	__m512 sum[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
	int64_t k = 0;
	for (; k + 2 * LANES <= n; k += 2 * LANES) {
		sum[0] = _mm512_add_ps(sum[0], _mm512_loadu_ps(row + k));
		sum[1] = _mm512_add_ps(sum[1], _mm512_loadu_ps(row + k + LANES));
	}
	for (; k < n; k += LANES)
		sum[0] = _mm512_add_ps(sum[0], load(row + k, n - k));
	const float mean = _mm512_reduce_add_ps(_mm512_add_ps(sum[0], sum[1])) / n;
	const __m512 all = _mm512_set1_ps(mean);
	sum[0] = sum[1] = _mm512_setzero_ps();
	for (k = 0; k + 2 * LANES <= n; k += 2 * LANES) {
		__m512 x = _mm512_sub_ps(_mm512_loadu_ps(row + k), all), y = _mm512_sub_ps(_mm512_loadu_ps(row + k + LANES), all);
		sum[0] = _mm512_fmadd_ps(x, x, sum[0]);
		sum[1] = _mm512_fmadd_ps(y, y, sum[1]);
	}
	for (; k < n; k += LANES) {
		__m512 x = _mm512_maskz_sub_ps(first(n - k), load(row + k, n - k), all);
		sum[0] = _mm512_fmadd_ps(x, x, sum[0]);
	}
	moments m = {mean, 1 / root(_mm512_reduce_add_ps(_mm512_add_ps(sum[0], sum[1])) / n + epsilon)};
	return m;
}

// prepare writes numbers from to from+depth of a row of the left matrix as they are to
// be multiplied.
VECTOR void prepare(const around* w, const float* row, moments m, int64_t from, int64_t depth, float* to) {
	if (w->gamma) {
		const __m512 mean = _mm512_set1_ps(m.mean), scale = _mm512_set1_ps(m.scale);
		for (int64_t k = 0; k < depth; k += LANES) {
			__m512 x = _mm512_mul_ps(_mm512_sub_ps(load(row + from + k, depth - k), mean), scale);
			store(to + k, depth - k, _mm512_fmadd_ps(x, load(w->gamma + from + k, depth - k), load(w->beta + from + k, depth - k)));
		}
		return;
	}
	for (int64_t k = 0; k < depth; k += LANES) {
		__m512 slope;
		store(to + k, depth - k, activation(w->activation, load(row + from + k, depth - k), &slope));
	}
}

// sum_rows sets, or adds to, the sums of up to LANES rows' depth numbers.
VECTOR void sum_rows(matrix a, int64_t rows, int64_t depth, float* to, bool add) {
	if (a.row == 1) {
		__m512 sum = _mm512_setzero_ps();
		for (int64_t k = 0; k < depth; k++)
			sum = _mm512_add_ps(sum, load(a.data + k * a.col, rows));
		store(to, rows, add ? _mm512_add_ps(sum, load(to, rows)) : sum);
		return;
	}
	for (int64_t i = 0; i < rows; i++) {
		float sum = 0;
		for (int64_t k = 0; k < depth; k++)
			sum += a.data[i * a.row + k * a.col];
		to[i] = add ? to[i] + sum : sum;
	}
}

// finish writes rows of up to a panel's numbers to where they belong, from row i and
// column j of the result on. They are added to what is there when that is a part of the
// sum, and only at the last the rest is done.
VECTOR void finish(const around* w, const float* from, int64_t apart, float* out, int64_t n, int64_t i, int64_t j, int64_t rows, int64_t columns, bool add, bool last) {
	for (int64_t r = 0; r < rows; r++, from += apart)
		for (int64_t c = 0; c < columns; c += LANES) {
			const int64_t at = (i + r) * n + j + c, some = columns - c;
			__m512 x = _mm512_loadu_ps(from + c);
			if (add)
				x = _mm512_add_ps(x, load(out + at, some));
			if (last) {
				if (w->bias)
					x = _mm512_add_ps(x, load(w->bias + j + c, some));
				if (w->scale)
					x = _mm512_mul_ps(x, load(w->scale + j + c, some));
				if (w->slope_at) {
					__m512 slope, value = activation(w->activation, load(w->slope_at + at, some), &slope);
					x = _mm512_mul_ps(x, slope);
					store(w->values + at, some, value);
				}
				if (w->residual)
					x = _mm512_add_ps(x, load(w->residual + at, some));
			}
			store(out + at, some, x);
		}
}

#endif
