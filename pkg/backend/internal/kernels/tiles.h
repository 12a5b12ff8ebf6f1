// Products of float32 matrices on AMX tiles: see product.c.
#ifndef GAZE_PRODUCT_H
#define GAZE_PRODUCT_H

#include <stdbool.h>
#include <stdint.h>

// A matrix in memory: element (i, j) is at data[i*row + j*col].
typedef struct {
	const float* data;
	int64_t row, col;
} matrix;

// gaze_tiles_ready says whether this processor has AMX tiles for bfloat16, and asks
// the system to let this process use them.
bool gaze_tiles_ready(void);

// gaze_multiply sets out[m, n], whose rows lie row numbers apart, to a[m, k] times
// b[k, n]: a part of a product of so many rows as a whole, cut where 32 divides. It is
// to be called only when tiles are ready. False means that memory ran out.
bool gaze_multiply(matrix a, matrix b, float* out, int64_t row, int64_t m, int64_t n, int64_t k, int64_t whole);

#endif
