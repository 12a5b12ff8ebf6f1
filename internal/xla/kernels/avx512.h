// Vectors of 16 float32s (AVX-512), and the functions of a transformer on them.
#ifndef GAZE_AVX512_H
#define GAZE_AVX512_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "contract.h"

enum { LANES = GAZE_LANES };

// The attributes of functions that use AVX-512: the rest of the program runs on any processor.
#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma,prfchw")))
#define AVX512_INLINE AVX512 __attribute__((always_inline)) static inline

static inline int64_t min_i64(int64_t a, int64_t b) { return a < b ? a : b; }

static inline int64_t round_up(int64_t x, int64_t to) { return (x + to - 1) / to * to; }

// lane_mask is the mask of the first n lanes.
static inline __mmask16 lane_mask(int64_t n) { return n >= LANES ? 0xffff : n <= 0 ? 0 : (1u << n) - 1; }

// sqrt_f32 is sqrtf without setting errno, so that programs needn't link libm.
static inline float sqrt_f32(float x) { return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))); }

// load_lanes and store_lanes move the first n of LANES numbers. Masked stores are slow on
// AMD's processors, so full vectors don't use a mask.
AVX512_INLINE __m512 load_lanes(const float* from, int64_t n) { return n >= LANES ? _mm512_loadu_ps(from) : _mm512_maskz_loadu_ps(lane_mask(n), from); }

AVX512_INLINE void store_lanes(float* to, int64_t n, __m512 x) {
	if (n >= LANES)
		_mm512_storeu_ps(to, x);
	else
		_mm512_mask_storeu_ps(to, lane_mask(n), x);
}

// The polynomials below are minimax approximations. TestActivations holds their errors to
// the bounds given here.

// vexp is e^x to 1 unit in the last place, 0 below -103.98, and keeps NaN.
AVX512_INLINE __m512 vexp(__m512 x) {
	x = _mm512_max_ps(_mm512_set1_ps(-110), _mm512_min_ps(_mm512_set1_ps(100), x));
	__m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
	// ln 2 is split in two parts; the first has few bits, so that n times it is exact.
	__m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
	r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
	__m512 p = _mm512_set1_ps(0.00138368458f);
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.00837481581f));
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.0416682251f));
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.166664198f));
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.499999911f));
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
	p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
	return _mm512_scalef_ps(p, n);
}

// vreciprocal is 1/x: an estimate of 14 bits and one Newton step. x is neither 0 nor infinite.
AVX512_INLINE __m512 vreciprocal(__m512 x) {
	__m512 r = _mm512_rcp14_ps(x);
	return _mm512_fmadd_ps(_mm512_fnmadd_ps(x, r, _mm512_set1_ps(1)), r, r);
}

// vnormal_cdf is the standard normal distribution's cumulative function Φ(x) =
// (1+erf(x/√2))/2, to 9e-8, and its density. With e = exp(-x²/2), t = 0.35|x|/√2 and
// u = t/(1+t), the tail 1-Φ(|x|) is e/2·(1-u·S(u)) with a polynomial S.
AVX512_INLINE __m512 vnormal_cdf(__m512 x, __m512* density) {
	const __m512 one = _mm512_set1_ps(1);
	__m512 e = vexp(_mm512_mul_ps(_mm512_mul_ps(x, _mm512_set1_ps(-0.5f)), x));
	*density = _mm512_mul_ps(e, _mm512_set1_ps(0.398942280f));
	// Beyond 4.5√2 the factor e alone makes the tail small enough.
	__m512 t = _mm512_mul_ps(_mm512_min_ps(_mm512_set1_ps(6.36396103f), _mm512_abs_ps(x)), _mm512_set1_ps(0.247487373f));
	__m512 u = _mm512_mul_ps(t, vreciprocal(_mm512_add_ps(t, one)));
	__m512 s = _mm512_set1_ps(-0.214211255f);
	s = _mm512_fmadd_ps(s, u, _mm512_set1_ps(0.645939052f));
	s = _mm512_fmadd_ps(s, u, _mm512_set1_ps(-0.228624538f));
	s = _mm512_fmadd_ps(s, u, _mm512_set1_ps(-1.92859221f));
	s = _mm512_fmadd_ps(s, u, _mm512_set1_ps(4.43975687f));
	s = _mm512_fmadd_ps(s, u, _mm512_set1_ps(-4.93912601f));
	s = _mm512_fmadd_ps(s, u, _mm512_set1_ps(3.2239356f));
	__m512 tail = _mm512_mul_ps(_mm512_mul_ps(e, _mm512_set1_ps(0.5f)), _mm512_fnmadd_ps(u, s, one));
	return _mm512_mask_sub_ps(tail, _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ), one, tail);
}

// vsigmoid is 1/(1+e^-x). complement is one minus that, with its own full precision.
AVX512_INLINE __m512 vsigmoid(__m512 x, __m512* complement) {
	__m512 e = vexp(_mm512_min_ps(_mm512_set1_ps(88), _mm512_sub_ps(_mm512_setzero_ps(), x)));
	__m512 l = _mm512_div_ps(_mm512_set1_ps(1), _mm512_add_ps(_mm512_set1_ps(1), e));
	*complement = _mm512_mul_ps(e, l);
	return l;
}

// vactivation is an activation function's value and its derivative at x. function is one of
// GAZE_ACTIVATION.
AVX512_INLINE __m512 vactivation(int function, __m512 x, __m512* derivative) {
	__m512 gate, gate_derivative, complement; // the value is x·gate
	switch (function) {
	case GAZE_ACTIVATION_GELU:
		gate = vnormal_cdf(x, &gate_derivative);
		break;
	case GAZE_ACTIVATION_GELU_TANH: { // (1+tanh(y))/2 is 1/(1+e^-2y)
		const __m512 linear = _mm512_set1_ps(2 * 0.797884561f), cubic = _mm512_set1_ps(2 * 0.797884561f * 0.044715f);
		__m512 q = _mm512_mul_ps(x, x);
		gate = vsigmoid(_mm512_mul_ps(x, _mm512_fmadd_ps(q, cubic, linear)), &complement);
		gate_derivative = _mm512_mul_ps(_mm512_mul_ps(gate, complement), _mm512_fmadd_ps(q, _mm512_mul_ps(_mm512_set1_ps(3), cubic), linear));
		break;
	}
	case GAZE_ACTIVATION_QUICK_GELU:
		gate = vsigmoid(_mm512_mul_ps(x, _mm512_set1_ps(1.702f)), &complement);
		gate_derivative = _mm512_mul_ps(_mm512_mul_ps(gate, complement), _mm512_set1_ps(1.702f));
		break;
	default:
		*derivative = _mm512_set1_ps(1);
		return x;
	}
	*derivative = _mm512_fmadd_ps(x, gate_derivative, gate);
	return _mm512_mul_ps(x, gate);
}

// transpose16x16 transposes 16 rows of 16 numbers.
AVX512_INLINE void transpose16x16(__m512 r[LANES]) {
	__m512 t[LANES];
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
		__m512 a = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88), b = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
		__m512 c = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88), d = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
		t[i] = _mm512_shuffle_f32x4(a, c, 0x88);
		t[i + 4] = _mm512_shuffle_f32x4(b, d, 0x88);
		t[i + 8] = _mm512_shuffle_f32x4(a, c, 0xdd);
		t[i + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
	}
	memcpy(r, t, sizeof t);
}

#endif
