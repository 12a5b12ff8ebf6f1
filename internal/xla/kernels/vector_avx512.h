// 16 float32s in an AVX-512 register.
#ifndef GAZE_VECTOR_AVX512_H
#define GAZE_VECTOR_AVX512_H

#include <immintrin.h>

// A microtile is 8 rows of 3 vectors: 24 of the 32 registers hold its sums.
#define LANES 16
#define MR 8
#define VECTORS 3
#define MAX_TERMS 768

typedef float vf __attribute__((vector_size(64)));
typedef __m512i vi;

INLINE vf vset(float x) { return _mm512_set1_ps(x); }
INLINE vf vsqrt(vf x) { return _mm512_sqrt_ps(x); }
INLINE vf vabs(vf x) { return _mm512_abs_ps(x); }
INLINE float vsum(vf x) { return _mm512_reduce_add_ps(x); }

// vfma is a·b + c and vnfma is c - a·b, rounded once.
INLINE vf vfma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vf vnfma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }

// vadd_product adds a·b to sum. Written as an instruction, since compilers otherwise choose forms
// that overwrite a factor, and then move registers around.
INLINE void vadd_product(vf* sum, vf a, vf b) { __asm__("vfmadd231ps %2, %1, %0" : "+v"(*sum) : "v"(a), "v"(b)); }

// vmin and vmax are NaN if b is.
INLINE vf vmin(vf a, vf b) { return _mm512_min_ps(a, b); }
INLINE vf vmax(vf a, vf b) { return _mm512_max_ps(a, b); }

// vround rounds to the nearest whole number.
INLINE vf vround(vf x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

// vscale is x·2^n for whole n from -160 to 160.
INLINE vf vscale(vf x, vf n) { return _mm512_scalef_ps(x, n); }

// vreciprocal is 1/x: an estimate of 14 bits and one Newton step. x is neither 0 nor infinite.
INLINE vf vreciprocal(vf x) {
	vf r = _mm512_rcp14_ps(x);
	return vfma(vnfma(x, r, vset(1)), r, r);
}

// vpositive is a where x > 0, else b.
INLINE vf vpositive(vf x, vf a, vf b) { return _mm512_mask_mov_ps(b, _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ), a); }

// lane_mask is the mask of the first n lanes.
INLINE __mmask16 lane_mask(int64_t n) { return n >= LANES ? 0xffff : n <= 0 ? 0 : (1u << n) - 1; }

// first_lanes keeps the first n numbers and makes the others 0.
INLINE vf first_lanes(vf x, int64_t n) { return _mm512_maskz_mov_ps(lane_mask(n), x); }

// load_lanes and store_lanes move the first n of LANES numbers; the others are loaded as 0.
// Masked stores are slow on AMD's processors, so full vectors don't use a mask.
INLINE vf load_lanes(const float* from, int64_t n) { return n >= LANES ? _mm512_loadu_ps(from) : _mm512_maskz_loadu_ps(lane_mask(n), from); }

INLINE void store_lanes(float* to, int64_t n, vf x) {
	if (n >= LANES)
		_mm512_storeu_ps(to, x);
	else
		_mm512_mask_storeu_ps(to, lane_mask(n), x);
}

// load_4x4 loads four numbers of lines 0, 4, 8 and 12, which lie stride apart.
INLINE vf load_4x4(const float* from, int64_t stride) {
	vf x = _mm512_castps128_ps512(_mm_loadu_ps(from));
	x = _mm512_mask_broadcast_f32x4(x, 0x00f0, _mm_loadu_ps(from + 4 * stride));
	x = _mm512_mask_broadcast_f32x4(x, 0x0f00, _mm_loadu_ps(from + 8 * stride));
	return _mm512_mask_broadcast_f32x4(x, 0xf000, _mm_loadu_ps(from + 12 * stride));
}

// transpose_lines writes four numbers of each of LANES lines as four vectors, one per number.
INLINE void transpose_lines(const float* from, int64_t stride, float* out, int64_t out_stride) {
	vf a = load_4x4(from, stride), b = load_4x4(from + stride, stride), c = load_4x4(from + 2 * stride, stride), d = load_4x4(from + 3 * stride, stride);
	__m512d e = _mm512_castps_pd(_mm512_unpacklo_ps(a, b)), f = _mm512_castps_pd(_mm512_unpackhi_ps(a, b));
	__m512d g = _mm512_castps_pd(_mm512_unpacklo_ps(c, d)), h = _mm512_castps_pd(_mm512_unpackhi_ps(c, d));
	_mm512_storeu_ps(out, _mm512_castpd_ps(_mm512_unpacklo_pd(e, g)));
	_mm512_storeu_ps(out + out_stride, _mm512_castpd_ps(_mm512_unpackhi_pd(e, g)));
	_mm512_storeu_ps(out + 2 * out_stride, _mm512_castpd_ps(_mm512_unpacklo_pd(f, h)));
	_mm512_storeu_ps(out + 3 * out_stride, _mm512_castpd_ps(_mm512_unpackhi_pd(f, h)));
}

// transpose_square transposes LANES rows of LANES numbers.
INLINE void transpose_square(vf r[LANES]) {
	vf t[LANES];
	for (int i = 0; i < 16; i += 2) {
		t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
		t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
	}
	for (int i = 0; i < 16; i += 4) {
		__m512d a = _mm512_castps_pd(t[i]), b = _mm512_castps_pd(t[i + 1]), c = _mm512_castps_pd(t[i + 2]), d = _mm512_castps_pd(t[i + 3]);
		r[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, c));
		r[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, c));
		r[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(b, d));
		r[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(b, d));
	}
	for (int i = 0; i < 4; i++) {
		vf a = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88), b = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
		vf c = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88), d = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
		t[i] = _mm512_shuffle_f32x4(a, c, 0x88);
		t[i + 4] = _mm512_shuffle_f32x4(b, d, 0x88);
		t[i + 8] = _mm512_shuffle_f32x4(a, c, 0xdd);
		t[i + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
	}
	memcpy(r, t, sizeof t);
}

#endif
