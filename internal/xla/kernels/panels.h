// Products of float32 matrices on vectors of 16: what is packed, and how much of it.
#ifndef GAZE_PANELS_H
#define GAZE_PANELS_H

#include <stdbool.h>
#include <stdint.h>

#include "matrix.h"

// The left matrix is packed in strips of 8 rows, number by number of each; the right
// one in panels of 48 columns, row by row. A strip times a panel is 24 vectors, all of
// which the processor keeps in registers until the product is done.
enum { STRIP = 8, PANEL = 48 };

// gaze_vectors_ready says whether this processor has the vectors.
bool gaze_vectors_ready(void);

// gaze_pack_left writes rows of a matrix and depth numbers of each as strips, one
// after the other; rows that are missing from the last are zeros.
void gaze_pack_left(matrix a, int64_t rows, int64_t depth, float* to);

// gaze_pack_right writes depth rows of up to PANEL columns as a panel, whose rows lie
// PANEL numbers apart, with zeros up to the next multiple of 16 columns.
void gaze_pack_right(matrix b, int64_t depth, int64_t columns, float* to);

// gaze_pack_weights writes a right matrix as panels one after the other, each with rows as
// long as it has columns, which are multiples of 16 here.
void gaze_pack_weights(matrix b, int64_t depth, int64_t columns, float* to);

// What the cache should get while a product is made: so many lines of what begins at
// base, by their offsets, for each 8 numbers of a strip, up to the end.
typedef struct {
	const char* base;
	const int32_t *next, *end;
	int each;
	// Where each row of the result will be written, row numbers apart; NULL: nowhere.
	const float* result;
	int64_t row;
} ahead;

// gaze_panel sets, or adds to, out[rows, columns] the product of strips, which lie apart
// numbers apart, and a panel, whose rows lie wide numbers apart. It writes whole vectors:
// up to the next multiple of 16 columns. out's rows lie row numbers apart.
void gaze_panel(const float* left, int64_t apart, const float* right, int64_t wide, int64_t rows, int64_t columns, int64_t depth, float* out, int64_t row, bool add, ahead* more);

#endif
