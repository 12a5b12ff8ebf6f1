// Copies of A and B in the order in which the microkernel reads them.
#ifndef GAZE_PACK_H
#define GAZE_PACK_H

#include "matrix.h"
#include "vector.h"

// A microtile of C is MR rows by NR columns: registers hold its sums until all terms are added.
enum { NR = VECTORS * LANES };

// LINE is the float32s of a cache line.
enum { LINE = 16 };

// pack_b packs kc rows of up to NR columns of B into one micropanel, whose rows are NR numbers
// apart, with zeros up to a multiple of LANES columns.
static void pack_b(matrix b, int64_t kc, int64_t columns, float* out) {
	if (b.col_stride == 1) {
		// Whole rows at a time. Rows tend to be on different pages, so going through the rows
		// once per vector would look up each page several times.
		for (int64_t k = 0; k < kc; k++, out += NR)
			for (int j = 0; j < NR; j += LANES)
				vstore(out + j, load_lanes(b.data + k * b.row_stride + j, columns - j));
		return;
	}
	// Vectors without a column stay unwritten: the microkernel doesn't read them.
	for (int64_t j = 0; j < columns; j += LANES, out += LANES) {
		const float* from = b.data + j * b.col_stride;
		int64_t count = columns - j, k = 0;
		if (b.row_stride == 1 && count >= LANES)
			for (; k + 4 <= kc; k += 4)
				transpose_lines(from + k, b.col_stride, out + k * NR, NR);
		for (; k < kc; k++)
			for (int64_t i = 0; i < LANES; i++)
				out[k * NR + i] = i < count ? from[k * b.row_stride + i * b.col_stride] : 0;
	}
}

// prepack_b packs all of B, once, into micropanels that take no more memory than B: their rows
// are as long as they have columns, with zeros up to a multiple of LANES.
static void prepack_b(matrix b, int64_t k_size, int64_t columns, float* out) {
	for (int64_t j = 0; j < columns; j += NR) {
		int64_t width = round_up(min_i64(NR, columns - j), LANES);
		for (int64_t v = 0; v < width; v += LANES) {
			const float* from = b.data + (j + v) * b.col_stride;
			int64_t count = columns - j - v, k = 0;
			if (b.row_stride == 1 && count >= LANES)
				for (; k + 4 <= k_size; k += 4)
					transpose_lines(from + k, b.col_stride, out + k * width + v, width);
			for (; k < k_size; k++)
				for (int64_t i = 0; i < LANES; i++)
					out[k * width + v + i] = i < count ? from[k * b.row_stride + i * b.col_stride] : 0;
		}
		out += k_size * width;
	}
}

// arrange_rows copies A so that its rows are contiguous, and stride numbers apart.
static void arrange_rows(matrix a, int64_t rows, int64_t kc, float* out, int64_t stride) {
	if (a.col_stride == 1) {
		for (int64_t i = 0; i < rows; i++)
			memcpy(out + i * stride, a.data + i * a.row_stride, kc * sizeof *out);
		return;
	}
	int64_t k = 0;
	for (; a.row_stride == 1 && k + LANES <= kc; k += LANES) {
		int64_t i = 0;
		for (; i + 4 <= rows; i += 4)
			transpose_lines(a.data + k * a.col_stride + i, a.col_stride, out + i * stride + k, stride);
		for (; i < rows; i++)
			for (int64_t q = k; q < k + LANES; q++)
				out[i * stride + q] = a.data[i + q * a.col_stride];
	}
	for (; k < kc; k++)
		for (int64_t i = 0; i < rows; i++)
			out[i * stride + k] = a.data[i * a.row_stride + k * a.col_stride];
}

#endif
