// The prologue and the epilogue of a product, on vectors: see struct fusion in gemm.h.
#ifndef GAZE_FUSION_H
#define GAZE_FUSION_H

#include "activation.h"
#include "gemm.h"
#include "vector.h"

// has_prologue says whether A is changed before it is multiplied. Its rows must then be
// contiguous.
INLINE bool has_prologue(const fusion* f) { return f->gamma || (f->activation && !f->pre_activation); }

typedef struct {
	float mean, inv_std;
} row_stats;

// row_statistics is a row's mean and the inverse of its standard deviation.
INLINE row_stats row_statistics(const float* row, int64_t n, float epsilon) {
	vf sum[2] = {vzero(), vzero()};
	int64_t k = 0;
	for (; k + 2 * LANES <= n; k += 2 * LANES) {
		sum[0] += vload(row + k);
		sum[1] += vload(row + k + LANES);
	}
	for (; k < n; k += LANES)
		sum[0] += load_lanes(row + k, n - k);
	const float mean = vsum(sum[0] + sum[1]) / n;
	const vf means = vset(mean);
	sum[0] = sum[1] = vzero();
	for (k = 0; k + 2 * LANES <= n; k += 2 * LANES) {
		vf x = vload(row + k) - means, y = vload(row + k + LANES) - means;
		sum[0] = vfma(x, x, sum[0]);
		sum[1] = vfma(y, y, sum[1]);
	}
	for (; k < n; k += LANES) {
		vf x = first_lanes(load_lanes(row + k, n - k) - means, n - k);
		sum[0] = vfma(x, x, sum[0]);
	}
	row_stats stats = {mean, 1 / sqrt_f32(vsum(sum[0] + sum[1]) / n + epsilon)};
	return stats;
}

// apply_prologue writes columns k to k+kc of a row of A, after the prologue, to out.
INLINE void apply_prologue(const fusion* f, const float* row, row_stats stats, int64_t k, int64_t kc, float* out) {
	if (f->gamma) {
		const vf mean = vset(stats.mean), inv_std = vset(stats.inv_std);
		for (int64_t i = 0; i < kc; i += LANES) {
			vf x = (load_lanes(row + k + i, kc - i) - mean) * inv_std;
			store_lanes(out + i, kc - i, vfma(x, load_lanes(f->gamma + k + i, kc - i), load_lanes(f->beta + k + i, kc - i)));
		}
		return;
	}
	for (int64_t i = 0; i < kc; i += LANES) {
		vf derivative;
		store_lanes(out + i, kc - i, vactivation(f->activation, load_lanes(row + k + i, kc - i), &derivative));
	}
}

// sum_rows sets, or adds to, the sums of rows of kc numbers each.
INLINE void sum_rows(matrix a, int64_t rows, int64_t kc, float* sums, bool add) {
	if (a.row_stride == 1) {
		for (int64_t i = 0; i < rows; i += LANES) {
			vf sum = vzero();
			for (int64_t k = 0; k < kc; k++)
				sum += load_lanes(a.data + i + k * a.col_stride, rows - i);
			store_lanes(sums + i, rows - i, add ? sum + load_lanes(sums + i, rows - i) : sum);
		}
		return;
	}
	for (int64_t i = 0; i < rows; i++) {
		const float* row = a.data + i * a.row_stride;
		vf of_lanes = vzero();
		int64_t k = 0;
		for (; a.col_stride == 1 && k + LANES <= kc; k += LANES)
			of_lanes += vload(row + k);
		float sum = vsum(of_lanes);
		for (; k < kc; k++)
			sum += row[k * a.col_stride];
		sums[i] = add ? sums[i] + sum : sum;
	}
}

// What becomes of sums on their way to C [m, n].
typedef struct {
	const fusion* fusion;
	float* c;
	int64_t n;
	bool add;  // to what C holds: the terms were split
	bool last; // the sums have all their terms: the epilogue follows
} epilogue;

// epilogue_of_rows is apply_epilogue. It is compiled for the usual cases: rare is false if nothing
// but bias, residual and result_activation follows, function is the latter where that is known,
// and full is true if all vectors have LANES columns.
INLINE void epilogue_of_rows(const epilogue* e, const float* tile, int64_t stride, int64_t i, int64_t j, int64_t rows, int64_t columns, bool rare, int function, bool full) {
	const fusion* f = e->fusion;
	for (int64_t r = 0; r < rows; r++, tile += stride)
		for (int64_t v = 0; v < columns; v += LANES) {
			const int64_t at = (i + r) * e->n + j + v, count = full ? LANES : columns - v;
			vf x = vload(tile + v);
			if (rare && e->add)
				x += load_lanes(e->c + at, count);
			if (!rare || e->last) {
				if (f->bias)
					x += load_lanes(f->bias + j + v, count);
				if (rare && f->scale)
					x *= load_lanes(f->scale + j + v, count);
				if (rare && f->pre_activation) {
					vf derivative, value = vactivation(f->activation, load_lanes(f->pre_activation + at, count), &derivative);
					x *= derivative;
					store_lanes(f->activated + at, count, value);
				}
				if (rare && f->shift)
					x += load_lanes(f->shift + j + v, count);
				if (f->residual)
					x += load_lanes(f->residual + at, count);
				if (rare && f->relu)
					x = vmax(vzero(), x);
				if (function) {
					vf derivative;
					x = vactivation(function, x, &derivative);
				}
			}
			store_lanes(e->c + at, count, x);
		}
}

// apply_epilogue writes rows of sums, which lie stride apart, to C at (i, j). They may lie there
// already.
static void apply_epilogue(const epilogue* e, const float* tile, int64_t stride, int64_t i, int64_t j, int64_t rows, int64_t columns) {
	const fusion* f = e->fusion;
	if (e->add || !e->last || f->scale || f->pre_activation || f->shift || f->relu || columns % LANES)
		epilogue_of_rows(e, tile, stride, i, j, rows, columns, true, f->result_activation, false);
	else if (f->result_activation == GAZE_ACTIVATION_NONE)
		epilogue_of_rows(e, tile, stride, i, j, rows, columns, false, GAZE_ACTIVATION_NONE, true);
	else if (f->result_activation == GAZE_ACTIVATION_GELU)
		epilogue_of_rows(e, tile, stride, i, j, rows, columns, false, GAZE_ACTIVATION_GELU, true);
	else
		epilogue_of_rows(e, tile, stride, i, j, rows, columns, false, f->result_activation, true);
}

// has_epilogue says whether sums that are complete change on their way to C.
INLINE bool has_epilogue(const fusion* f) { return f->bias || f->scale || f->pre_activation || f->shift || f->residual || f->relu || f->result_activation; }

#endif
