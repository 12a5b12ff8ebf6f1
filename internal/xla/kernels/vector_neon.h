// 4 float32s in a NEON register of a 64-bit ARM processor. The functions are those of
// vector_avx512.h, where each is described.
#ifndef GAZE_VECTOR_NEON_H
#define GAZE_VECTOR_NEON_H

#include <arm_neon.h>

// A microtile is 8 rows of 3 vectors: 24 of the 32 registers hold its sums.
#define LANES 4
#define MR 8
#define VECTORS 3
#define MAX_TERMS 256

typedef float vf __attribute__((vector_size(16)));
typedef int32x4_t vi;

INLINE vf vset(float x) { return vdupq_n_f32(x); }
INLINE vf vsqrt(vf x) { return vsqrtq_f32(x); }
INLINE vf vabs(vf x) { return vabsq_f32(x); }
INLINE float vsum(vf x) { return vaddvq_f32(x); }
INLINE vf vfma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
INLINE vf vnfma(vf a, vf b, vf c) { return vfmsq_f32(c, a, b); }
INLINE void vadd_product(vf* sum, vf a, vf b) { *sum = vfmaq_f32(*sum, a, b); }
INLINE vf vmin(vf a, vf b) { return vminq_f32(a, b); }
INLINE vf vmax(vf a, vf b) { return vmaxq_f32(a, b); }
INLINE vf vround(vf x) { return vrndnq_f32(x); }

// power_of_two is 2^n for n from -126 to 127.
INLINE vf power_of_two(vi n) { return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(n, vdupq_n_s32(127)), 23)); }

// vscale multiplies twice, because 2^n may be out of range where x·2^n isn't. The first product
// is exact.
INLINE vf vscale(vf x, vf n) {
	vi whole = vcvtnq_s32_f32(n), half = vshrq_n_s32(whole, 1);
	return x * power_of_two(half) * power_of_two(vsubq_s32(whole, half));
}

INLINE vf vreciprocal(vf x) { return vset(1) / x; }
INLINE vf vpositive(vf x, vf a, vf b) { return vbslq_f32(vcgtq_f32(x, vdupq_n_f32(0)), a, b); }

INLINE vf load_lanes(const float* from, int64_t n) {
	if (n >= LANES)
		return vld1q_f32(from);
	vf x = vdupq_n_f32(0);
	for (int i = 0; i < n; i++)
		x[i] = from[i];
	return x;
}

INLINE void store_lanes(float* to, int64_t n, vf x) {
	if (n >= LANES)
		vst1q_f32(to, x);
	else
		for (int i = 0; i < n; i++)
			to[i] = x[i];
}

INLINE vf first_lanes(vf x, int64_t n) {
	for (int i = n < 0 ? 0 : (int)n; i < LANES; i++)
		x[i] = 0;
	return x;
}

INLINE void transpose_square(vf r[LANES]) {
	const float32x4x2_t a = vtrnq_f32(r[0], r[1]), b = vtrnq_f32(r[2], r[3]);
	r[0] = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
	r[1] = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
	r[2] = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
	r[3] = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
}

INLINE void transpose_lines(const float* from, int64_t stride, float* out, int64_t out_stride) {
	vf r[4];
	for (int i = 0; i < 4; i++)
		r[i] = vld1q_f32(from + i * stride);
	transpose_square(r);
	for (int i = 0; i < 4; i++)
		vst1q_f32(out + i * out_stride, r[i]);
}

#endif
