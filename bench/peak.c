// Measures the processor's peak rate of float32 operations in GFLOP/s: the given number of
// threads multiply and add in registers, with the widest vectors that the processor has.
// cc -O3 peak.c -o peak -lpthread && ./peak THREADS
#include <immintrin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SUMS = 12, TIMES = 30000000 };

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
LOOP(wide, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_cvtss_f32)
LOOP(narrow, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_cvtss_f32)

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
	__builtin_cpu_init();
	lanes = __builtin_cpu_supports("avx512f") ? 16 : 8;
	if (!__builtin_cpu_supports("fma"))
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
