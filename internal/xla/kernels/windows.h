// Packing what a convolution's kernel meets, straight from the pictures.
#ifndef GAZE_WINDOWS_H
#define GAZE_WINDOWS_H

#include "gemm.h"
#include "pack.h"

// A position of the kernel: the picture, and where its first element is in it.
typedef struct {
	const float* picture;
	int64_t y, x;
} position;

static position position_of(const windows* w, int64_t i) {
	const int64_t each = w->out_rows * w->out_columns, in_picture = i % each;
	return (position){
		w->pictures + i / each * w->rows * w->columns * w->channels,
		in_picture / w->out_columns * w->stride - w->top,
		in_picture % w->out_columns * w->stride - w->left,
	};
}

// A run is part of a row of the matrix that lies together in a picture, if it isn't cut off at a
// border: a row of the kernel or, of a dilated kernel, one element.
typedef struct {
	int64_t y, x; // its first element's distance from the kernel's
	int64_t at, n; // it has columns at to at+n of those numbers
} run;

static run run_at(const windows* w, int64_t k, int64_t limit) {
	const int64_t elements = w->dilation == 1 ? w->kernel_columns : 1, length = elements * w->channels;
	const int64_t i = k / length, at = k % length, in_row = w->kernel_columns / elements;
	return (run){i / in_row * w->dilation, i % in_row * w->dilation, at, min_i64(length - at, limit)};
}

// meet is the numbers of a run at a position. If part of them lies outside of the picture, they
// are written to scratch.
INLINE const float* meet(const windows* w, const position* p, const run* u, float* scratch) {
	const int64_t width = w->columns * w->channels, y = p->y + u->y, begin = (p->x + u->x) * w->channels + u->at;
	if (!p->picture || y < 0 || y >= w->rows || begin >= width || begin + u->n <= 0)
		return memset(scratch, 0, u->n * sizeof *scratch);
	const float* row = p->picture + y * width;
	if (begin >= 0 && begin + u->n <= width)
		return row + begin;
	const int64_t before = begin < 0 ? -begin : 0, end = min_i64(u->n, width - begin);
	memset(scratch, 0, before * sizeof *scratch);
	memcpy(scratch + before, row + begin + before, (end - before) * sizeof *scratch);
	memset(scratch + end, 0, (u->n - end) * sizeof *scratch);
	return scratch;
}

// pack_windows packs columns k to k+kc of rows of the matrix, from row i on, as pack_a does.
// scratch has MR*kc numbers.
static void pack_windows(const windows* w, int64_t i, int64_t rows, int64_t k, int64_t kc, float* scratch, float* out) {
	for (int64_t r = 0; r < rows; r += MR, out += kc * MR) {
		position at[MR] = {{0}};
		for (int64_t q = 0; q < MR && r + q < rows; q++)
			at[q] = position_of(w, i + r + q);
		run u;
		for (int64_t done = 0; done < kc; done += u.n) {
			u = run_at(w, k + done, kc - done);
			const float* row[MR];
			for (int q = 0; q < MR; q++)
				row[q] = meet(w, &at[q], &u, scratch + q * kc);
			pack_a_contiguous_rows(row, u.n, out + done * MR);
		}
	}
}

#endif
