// Packing: copies of A and B in the order in which the microkernel reads them.
#ifndef GAZE_PACK_H
#define GAZE_PACK_H

#include <stdint.h>

#include "matrix.h"

// A microtile of C is MR rows by NR columns: 24 vector registers that hold its sums until
// all terms are added.
enum { MR = 8, NR = 48 };

// gaze_pack_a packs kc columns of rows of A into micropanels of MR rows, one after the other.
// A micropanel holds MR numbers for each column. Missing rows of the last are zeros.
void gaze_pack_a(matrix a, int64_t rows, int64_t kc, float* out);

// gaze_pack_b packs kc rows of up to NR columns of B into one micropanel, whose rows are NR
// numbers apart, with zeros up to a multiple of 16 columns.
void gaze_pack_b(matrix b, int64_t kc, int64_t columns, float* out);

// gaze_prepack_b packs all of B, once, into micropanels that take no more memory than B:
// their rows are as long as they have columns. columns must be a multiple of 16.
void gaze_prepack_b(matrix b, int64_t k, int64_t columns, float* out);

#endif
