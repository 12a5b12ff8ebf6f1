// What a convolution's kernel meets, straight from the pictures.
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

// copy_run copies the numbers of a run at a position.
INLINE void copy_run(const windows* w, const position* p, const run* u, float* out) {
	const int64_t width = w->columns * w->channels, y = p->y + u->y, begin = (p->x + u->x) * w->channels + u->at;
	const int64_t before = begin < 0 ? min_i64(u->n, -begin) : 0, end = y < 0 || y >= w->rows ? before : min_i64(u->n, width - begin);
	if (end <= before) {
		memset(out, 0, u->n * sizeof *out);
		return;
	}
	memset(out, 0, before * sizeof *out);
	memcpy(out + before, p->picture + y * width + begin + before, (end - before) * sizeof *out);
	memset(out + end, 0, (u->n - end) * sizeof *out);
}

// copy_windows copies columns k to k+kc of rows of the matrix, from row i on, to rows that are
// stride numbers apart.
static void copy_windows(const windows* w, int64_t i, int64_t rows, int64_t k, int64_t kc, float* out, int64_t stride) {
	for (int64_t r = 0; r < rows; r++, out += stride) {
		const position at = position_of(w, i + r);
		run u;
		for (int64_t done = 0; done < kc; done += u.n) {
			u = run_at(w, k + done, kc - done);
			copy_run(w, &at, &u, out + done);
		}
	}
}

#endif
