// Packing: copies of A and B in the order in which the microkernel reads them.
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

// pack_a_contiguous_rows packs MR rows, a multiple of four, four columns at a time.
INLINE void pack_a_contiguous_rows(const float* const row[MR], int64_t kc, float* out) {
	int64_t k = 0;
	for (; k + 4 <= kc; k += 4, out += 4 * MR)
		for (int group = 0; group < MR; group += 4) {
			v4 r[4];
			for (int i = 0; i < 4; i++)
				r[i] = load4(row[group + i] + k);
			transpose4(r);
			for (int i = 0; i < 4; i++)
				store4(out + i * MR + group, r[i]);
		}
	for (; k < kc; k++, out += MR)
		for (int i = 0; i < MR; i++)
			out[i] = row[i][k];
}

// pack_a_contiguous_columns packs up to four micropanels, column by column. Columns tend to be
// on different pages, so packing one micropanel after the other would look up each page for
// each of them.
INLINE void pack_a_contiguous_columns(const float* from, int64_t col_stride, int64_t rows, int64_t kc, float* out) {
	const int64_t full = rows / MR, rest = rows % MR;
	for (int64_t k = 0; k < kc; k++, from += col_stride, out += MR) {
		for (int64_t p = 0; p < full; p++)
			memcpy(out + p * kc * MR, from + p * MR, MR * sizeof *out);
		for (int64_t i = 0; rest && i < MR; i++)
			out[full * kc * MR + i] = i < rest ? from[full * MR + i] : 0;
	}
}

// pack_a packs kc columns of rows of A into micropanels of MR rows, one after the other. A
// micropanel holds MR numbers for each column. Missing rows of the last are zeros.
static void pack_a(matrix a, int64_t rows, int64_t kc, float* out) {
	if (a.row_stride == 1) {
		for (int64_t i = 0; i < rows; i += 4 * MR)
			pack_a_contiguous_columns(a.data + i, a.col_stride, min_i64(rows - i, 4 * MR), kc, out + i * kc);
		return;
	}
	for (int64_t i = 0; i < rows; i += MR, out += kc * MR) {
		const float* from = a.data + i * a.row_stride;
		int64_t count = min_i64(rows - i, MR);
		if (a.col_stride == 1 && count == MR) {
			const float* row[MR];
			for (int r = 0; r < MR; r++)
				row[r] = from + r * a.row_stride;
			pack_a_contiguous_rows(row, kc, out);
			continue;
		}
		for (int64_t k = 0; k < kc; k++)
			for (int64_t r = 0; r < MR; r++)
				out[k * MR + r] = r < count ? from[r * a.row_stride + k * a.col_stride] : 0;
	}
}

#endif
