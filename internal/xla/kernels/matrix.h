#ifndef GAZE_MATRIX_H
#define GAZE_MATRIX_H

#include <stdint.h>

// A matrix in memory: element (i, j) is at data[i*row_stride + j*col_stride].
typedef struct {
	const float* data;
	int64_t row_stride, col_stride;
} matrix;

#endif
