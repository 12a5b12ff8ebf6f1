// AMX's instructions for tiles of bfloat16 in plain C, so that amx.c can be tested on processors
// without them. As the processor does, the emulation rounds sums to nearest even and treats
// numbers below 2^-126 as zero.
#ifndef GAZE_EMULATED_AMX_H
#define GAZE_EMULATED_AMX_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

// The tile registers of the one processor that is emulated.
static uint8_t tile_registers[8][16][64];

static inline void emulated_load(int tile, const void* from, int64_t stride) {
	for (int i = 0; i < 16; i++)
		memcpy(tile_registers[tile][i], (const char*)from + i * stride, 64);
}

static inline void emulated_store(int tile, void* to, int64_t stride) {
	for (int i = 0; i < 16; i++)
		memcpy((char*)to + i * stride, tile_registers[tile][i], 64);
}

static inline float flush_denormal(float x) {
	uint32_t bits;
	memcpy(&bits, &x, sizeof bits);
	if (!(bits & 0x7f800000))
		bits &= 0x80000000;
	memcpy(&x, &bits, sizeof x);
	return x;
}

static inline float read_bfloat16(const uint8_t* at) {
	uint16_t half;
	memcpy(&half, at, sizeof half);
	uint32_t bits = (uint32_t)half << 16;
	float x;
	memcpy(&x, &bits, sizeof x);
	return flush_denormal(x);
}

// The products of the even and of the odd numbers of a row are added up separately, then
// together, then to c.
__attribute__((target("fma"))) static void emulated_dpbf16ps(int c, int a, int b) {
	for (int i = 0; i < 16; i++)
		for (int j = 0; j < 16; j++) {
			float sums[2] = {0, 0}, x;
			for (int k = 0; k < 16; k++)
				for (int odd = 0; odd < 2; odd++)
					sums[odd] = flush_denormal(__builtin_fmaf(read_bfloat16(&tile_registers[a][i][4 * k + 2 * odd]), read_bfloat16(&tile_registers[b][k][4 * j + 2 * odd]), sums[odd]));
			memcpy(&x, &tile_registers[c][i][4 * j], sizeof x);
			x = flush_denormal(x + flush_denormal(sums[0] + sums[1]));
			memcpy(&tile_registers[c][i][4 * j], &x, sizeof x);
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
#define _tile_zero(tile) memset(tile_registers[tile], 0, sizeof tile_registers[tile])
#define _tile_loadd(tile, from, stride) emulated_load(tile, from, stride)
#define _tile_stored(tile, to, stride) emulated_store(tile, to, stride)
#define _tile_dpbf16ps(c, a, b) emulated_dpbf16ps(c, a, b)

#endif
