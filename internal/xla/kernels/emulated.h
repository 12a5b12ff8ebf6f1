// AMX's instructions for tiles of bfloat16, written out: so that tiles.c can be tested on
// processors that don't have them. As the processor's, they round sums to the nearest
// even, and take numbers below 2^-126 for zero.
#ifndef GAZE_EMULATED_H
#define GAZE_EMULATED_H

#include <stdint.h>
#include <string.h>

// Of one processor.
static uint8_t emulated[8][16][64];

static inline void emulated_load(int tile, const void* from, int64_t stride) {
	for (int i = 0; i < 16; i++)
		memcpy(emulated[tile][i], (const char*)from + i * stride, 64);
}

static inline void emulated_store(int tile, void* to, int64_t stride) {
	for (int i = 0; i < 16; i++)
		memcpy((char*)to + i * stride, emulated[tile][i], 64);
}

static inline float emulated_normal(float x) {
	uint32_t bits;
	memcpy(&bits, &x, sizeof bits);
	if (!(bits & 0x7f800000))
		bits &= 0x80000000;
	memcpy(&x, &bits, sizeof x);
	return x;
}

static inline float emulated_bfloat16(const uint8_t* at) {
	uint16_t half;
	memcpy(&half, at, sizeof half);
	uint32_t bits = (uint32_t)half << 16;
	float x;
	memcpy(&x, &bits, sizeof x);
	return emulated_normal(x);
}

// The even and the odd numbers of a row are added up apart, and then to the sum.
__attribute__((target("fma"))) static void emulated_multiply(int sum, int a, int b) {
	for (int i = 0; i < 16; i++)
		for (int j = 0; j < 16; j++) {
			float parts[2] = {0, 0}, x;
			for (int k = 0; k < 16; k++)
				for (int odd = 0; odd < 2; odd++)
					parts[odd] = emulated_normal(__builtin_fmaf(emulated_bfloat16(&emulated[a][i][4 * k + 2 * odd]), emulated_bfloat16(&emulated[b][k][4 * j + 2 * odd]), parts[odd]));
			memcpy(&x, &emulated[sum][i][4 * j], sizeof x);
			x = emulated_normal(x + emulated_normal(parts[0] + parts[1]));
			memcpy(&emulated[sum][i][4 * j], &x, sizeof x);
		}
}

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbf16ps
#define _tile_loadconfig(config) ((void)(config))
#define _tile_release() ((void)0)
#define _tile_zero(tile) memset(emulated[tile], 0, sizeof emulated[tile])
#define _tile_loadd(tile, from, stride) emulated_load(tile, from, stride)
#define _tile_stored(tile, to, stride) emulated_store(tile, to, stride)
#define _tile_dpbf16ps(sum, a, b) emulated_multiply(sum, a, b)

#endif
