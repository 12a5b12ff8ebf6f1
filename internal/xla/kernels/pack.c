//go:build cgo && linux && !noxla && amd64

#include "pack.h"

#include "avx512.h"

// load_4x4 loads four numbers of lines 0, 4, 8 and 12, which lie stride apart.
AVX512_INLINE __m512 load_4x4(const float* from, int64_t stride) {
	__m512 x = _mm512_castps128_ps512(_mm_loadu_ps(from));
	x = _mm512_mask_broadcast_f32x4(x, 0x00f0, _mm_loadu_ps(from + 4 * stride));
	x = _mm512_mask_broadcast_f32x4(x, 0x0f00, _mm_loadu_ps(from + 8 * stride));
	return _mm512_mask_broadcast_f32x4(x, 0xf000, _mm_loadu_ps(from + 12 * stride));
}

// transpose_16x4 writes four numbers of each of 16 lines as four vectors, one per number.
AVX512_INLINE void transpose_16x4(const float* from, int64_t stride, float* out, int64_t out_stride) {
	__m512 a = load_4x4(from, stride), b = load_4x4(from + stride, stride), c = load_4x4(from + 2 * stride, stride), d = load_4x4(from + 3 * stride, stride);
	__m512d e = _mm512_castps_pd(_mm512_unpacklo_ps(a, b)), f = _mm512_castps_pd(_mm512_unpackhi_ps(a, b));
	__m512d g = _mm512_castps_pd(_mm512_unpacklo_ps(c, d)), h = _mm512_castps_pd(_mm512_unpackhi_ps(c, d));
	_mm512_storeu_ps(out, _mm512_castpd_ps(_mm512_unpacklo_pd(e, g)));
	_mm512_storeu_ps(out + out_stride, _mm512_castpd_ps(_mm512_unpackhi_pd(e, g)));
	_mm512_storeu_ps(out + 2 * out_stride, _mm512_castpd_ps(_mm512_unpacklo_pd(f, h)));
	_mm512_storeu_ps(out + 3 * out_stride, _mm512_castpd_ps(_mm512_unpackhi_pd(f, h)));
}

AVX512 void gaze_pack_b(matrix b, int64_t kc, int64_t columns, float* out) {
	if (b.col_stride == 1) {
		// Whole rows at a time. Rows tend to be on different pages, so going through the rows
		// once per vector would look up each page three times.
		const __mmask16 masks[NR / LANES] = {lane_mask(columns), lane_mask(columns - LANES), lane_mask(columns - 2 * LANES)};
		for (int64_t k = 0; k < kc; k++, out += NR)
			for (int j = 0; j < NR / LANES; j++)
				_mm512_store_ps(out + j * LANES, _mm512_maskz_loadu_ps(masks[j], b.data + k * b.row_stride + j * LANES));
		return;
	}
	// Vectors without a column stay unwritten: the microkernel doesn't read them.
	for (int64_t j = 0; j < columns; j += LANES, out += LANES) {
		const float* from = b.data + j * b.col_stride;
		int64_t count = columns - j, k = 0;
		if (b.row_stride == 1 && count >= LANES)
			for (; k + 4 <= kc; k += 4)
				transpose_16x4(from + k, b.col_stride, out + k * NR, NR);
		for (; k < kc; k++)
			for (int64_t i = 0; i < LANES; i++)
				out[k * NR + i] = i < count ? from[k * b.row_stride + i * b.col_stride] : 0;
	}
}

AVX512 void gaze_prepack_b(matrix b, int64_t k_size, int64_t columns, float* out) {
	for (int64_t j = 0; j < columns; j += NR) {
		int64_t width = min_i64(NR, columns - j);
		for (int64_t v = 0; v < width; v += LANES) {
			const float* from = b.data + (j + v) * b.col_stride;
			int64_t k = 0;
			if (b.row_stride == 1)
				for (; k + 4 <= k_size; k += 4)
					transpose_16x4(from + k, b.col_stride, out + k * width + v, width);
			for (; k < k_size; k++)
				for (int64_t i = 0; i < LANES; i++)
					out[k * width + v + i] = from[k * b.row_stride + i * b.col_stride];
		}
		out += k_size * width;
	}
}

// pack_a_contiguous_rows packs MR rows, four columns at a time.
AVX512_INLINE void pack_a_contiguous_rows(const float* from, int64_t row_stride, int64_t kc, float* out) {
	int64_t k = 0;
	for (; k + 4 <= kc; k += 4, from += 4, out += 4 * MR) {
		// r[i] holds four numbers of row i and four of row i+4.
		__m256 r[4];
		for (int i = 0; i < 4; i++)
			r[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(from + i * row_stride)), _mm_loadu_ps(from + (i + 4) * row_stride), 1);
		__m256d e = _mm256_castps_pd(_mm256_unpacklo_ps(r[0], r[1])), f = _mm256_castps_pd(_mm256_unpackhi_ps(r[0], r[1]));
		__m256d g = _mm256_castps_pd(_mm256_unpacklo_ps(r[2], r[3])), h = _mm256_castps_pd(_mm256_unpackhi_ps(r[2], r[3]));
		_mm256_storeu_ps(out, _mm256_castpd_ps(_mm256_unpacklo_pd(e, g)));
		_mm256_storeu_ps(out + MR, _mm256_castpd_ps(_mm256_unpackhi_pd(e, g)));
		_mm256_storeu_ps(out + 2 * MR, _mm256_castpd_ps(_mm256_unpacklo_pd(f, h)));
		_mm256_storeu_ps(out + 3 * MR, _mm256_castpd_ps(_mm256_unpackhi_pd(f, h)));
	}
	for (; k < kc; k++, from++, out += MR)
		for (int i = 0; i < MR; i++)
			out[i] = from[i * row_stride];
}

// pack_a_contiguous_columns packs up to four micropanels, column by column. Columns tend to be
// on different pages, so packing one micropanel after the other would look up each page for
// each of them.
AVX512_INLINE void pack_a_contiguous_columns(const float* from, int64_t col_stride, int64_t rows, int64_t kc, float* out) {
	enum { MICROPANELS = 4 };
	__mmask8 masks[MICROPANELS];
	for (int i = 0; i < MICROPANELS; i++)
		masks[i] = (__mmask8)lane_mask(rows - i * MR);
	const int micropanels = (int)((rows + MR - 1) / MR);
	for (int64_t k = 0; k < kc; k++)
		for (int i = 0; i < micropanels; i++)
			_mm256_storeu_ps(out + (i * kc + k) * MR, _mm256_maskz_loadu_ps(masks[i], from + k * col_stride + i * MR));
}

AVX512 void gaze_pack_a(matrix a, int64_t rows, int64_t kc, float* out) {
	if (a.row_stride == 1) {
		for (int64_t i = 0; i < rows; i += 4 * MR)
			pack_a_contiguous_columns(a.data + i, a.col_stride, min_i64(rows - i, 4 * MR), kc, out + i * kc);
		return;
	}
	for (int64_t i = 0; i < rows; i += MR, out += kc * MR) {
		const float* from = a.data + i * a.row_stride;
		int64_t count = min_i64(rows - i, MR);
		if (a.col_stride == 1 && count == MR) {
			pack_a_contiguous_rows(from, a.row_stride, kc, out);
			continue;
		}
		for (int64_t k = 0; k < kc; k++)
			for (int64_t r = 0; r < MR; r++)
				out[k * MR + r] = r < count ? from[r * a.row_stride + k * a.col_stride] : 0;
	}
}
