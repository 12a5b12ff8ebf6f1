// 8 float32s in an AVX register, with AVX2's integers and FMA. The functions are those of
// vector_avx512.h, where each is described.
#ifndef GAZE_VECTOR_AVX2_H
#define GAZE_VECTOR_AVX2_H

#include <immintrin.h>

// A microtile is 4 rows of 3 vectors: 12 of the 16 registers hold its sums.
#define LANES 8
#define MR 4
#define VECTORS 3
#define MAX_TERMS 768

typedef float vf __attribute__((vector_size(32)));
typedef __m256i vi;

INLINE vf vset(float x) { return _mm256_set1_ps(x); }
INLINE vf vsqrt(vf x) { return _mm256_sqrt_ps(x); }
INLINE vf vabs(vf x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }

INLINE float vsum(vf x) {
	__m128 y = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
	y = _mm_add_ps(y, _mm_movehl_ps(y, y));
	return _mm_cvtss_f32(_mm_add_ss(y, _mm_movehdup_ps(y)));
}

INLINE vf vfma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
INLINE vf vnfma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
INLINE void vadd_product(vf* sum, vf a, vf b) { __asm__("vfmadd231ps %2, %1, %0" : "+x"(*sum) : "x"(a), "x"(b)); }
INLINE vf vmin(vf a, vf b) { return _mm256_min_ps(a, b); }
INLINE vf vmax(vf a, vf b) { return _mm256_max_ps(a, b); }
INLINE vf vround(vf x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

// power_of_two is 2^n for n from -126 to 127.
INLINE vf power_of_two(vi n) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23)); }

// vscale multiplies twice, because 2^n may be out of range where x·2^n isn't. The first product
// is exact.
INLINE vf vscale(vf x, vf n) {
	vi whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1);
	return x * power_of_two(half) * power_of_two(_mm256_sub_epi32(whole, half));
}

INLINE vf vreciprocal(vf x) { return vset(1) / x; }
INLINE vf vpositive(vf x, vf a, vf b) { return _mm256_blendv_ps(b, a, _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_GT_OQ)); }

INLINE vi lane_mask(int64_t n) {
	static const int32_t ones_then_zeros[2 * LANES] = {-1, -1, -1, -1, -1, -1, -1, -1};
	return _mm256_loadu_si256((const __m256i*)(ones_then_zeros + LANES - (n >= LANES ? LANES : n <= 0 ? 0 : n)));
}

INLINE vf first_lanes(vf x, int64_t n) { return _mm256_and_ps(x, _mm256_castsi256_ps(lane_mask(n))); }

INLINE vf load_lanes(const float* from, int64_t n) { return n >= LANES ? _mm256_loadu_ps(from) : _mm256_maskload_ps(from, lane_mask(n)); }

INLINE void store_lanes(float* to, int64_t n, vf x) {
	if (n >= LANES)
		_mm256_storeu_ps(to, x);
	else
		_mm256_maskstore_ps(to, lane_mask(n), x);
}

// transpose_4x8 turns 4 rows, each of which holds 4 numbers of a line and 4 of the line 4 further
// on, into 4 vectors of 8 lines.
INLINE void transpose_4x8(vf r[4]) {
	__m256d e = _mm256_castps_pd(_mm256_unpacklo_ps(r[0], r[1])), f = _mm256_castps_pd(_mm256_unpackhi_ps(r[0], r[1]));
	__m256d g = _mm256_castps_pd(_mm256_unpacklo_ps(r[2], r[3])), h = _mm256_castps_pd(_mm256_unpackhi_ps(r[2], r[3]));
	r[0] = _mm256_castpd_ps(_mm256_unpacklo_pd(e, g));
	r[1] = _mm256_castpd_ps(_mm256_unpackhi_pd(e, g));
	r[2] = _mm256_castpd_ps(_mm256_unpacklo_pd(f, h));
	r[3] = _mm256_castpd_ps(_mm256_unpackhi_pd(f, h));
}

INLINE void transpose_lines(const float* from, int64_t stride, float* out, int64_t out_stride) {
	vf r[4];
	for (int i = 0; i < 4; i++)
		r[i] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(from + i * stride)), _mm_loadu_ps(from + (i + 4) * stride), 1);
	transpose_4x8(r);
	for (int i = 0; i < 4; i++)
		_mm256_storeu_ps(out + i * out_stride, r[i]);
}

INLINE void transpose_square(vf r[LANES]) {
	vf low[4], high[4];
	for (int i = 0; i < 4; i++) {
		low[i] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x20);
		high[i] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x31);
	}
	transpose_4x8(low);
	transpose_4x8(high);
	memcpy(r, low, sizeof low);
	memcpy(r + 4, high, sizeof high);
}

#endif
