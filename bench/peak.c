// Measures the processor's peak rate of float32 operations in GFLOP/s: the given number of
// threads multiply and add in registers, with the widest vectors that the processor has, or
// with those of AVX2.
// cc -O3 peak.c -o peak -lpthread && ./peak THREADS [avx2]
#if defined(__x86_64__)
#include <immintrin.h>
#else
#include <arm_neon.h>
#endif
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SUMS = 12, TIMES = 30000000 }; // twelve sums hide the latency and fit into 16 registers

#define LOOP(NAME, TARGET, VECTOR, SET, FMA, LANE0) \
	__attribute__((target(TARGET))) static float NAME(void) { \
		VECTOR sum[SUMS], a = SET(0.999f), b = SET(0.001f); \
		for (int i = 0; i < SUMS; i++) \
			sum[i] = SET((float)i); \
		for (long k = 0; k < TIMES; k++) \
			_Pragma("GCC unroll 12") for (int i = 0; i < SUMS; i++) \
				sum[i] = FMA(sum[i], a, b); \
		float all = 0; \
		for (int i = 0; i < SUMS; i++) \
			all += LANE0(sum[i]); \
		return all; \
	}
#if defined(__x86_64__)
LOOP(wide, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_cvtss_f32)
LOOP(narrow, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_cvtss_f32)

static int widest(void) {
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx512f") ? 16 : __builtin_cpu_supports("fma") ? 8 : 0;
}
#else
#define FMA4(SUM, A, B) vfmaq_f32(B, SUM, A)
#define LANE0(SUM) vgetq_lane_f32(SUM, 0)
#define wide narrow
LOOP(narrow, "arch=armv8-a", float32x4_t, vdupq_n_f32, FMA4, LANE0)

static int widest(void) { return 4; }
#endif

static volatile float result;
static int lanes;

static void* run(void* unused) {
	result = lanes == 16 ? wide() : narrow();
	return unused;
}

int main(int count, char** words) {
	int n = count > 1 ? atoi(words[1]) : 1;
	pthread_t* threads = calloc(n, sizeof *threads);
	struct timespec from, to;
	lanes = widest();
	if (count > 2 && strcmp(words[2], "avx2") == 0 && lanes > 8)
		lanes = 8;
	if (lanes == 0)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (int i = 0; i < n; i++)
		pthread_create(&threads[i], NULL, run, NULL);
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	clock_gettime(CLOCK_MONOTONIC, &to);
	double seconds = (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
	printf("%.0f\n", 2e-9 * n * TIMES * SUMS * lanes / seconds);
	return 0;
}
