// GEMM on AMX tiles: see amx.c.
#ifndef GAZE_AMX_H
#define GAZE_AMX_H

#include "gemm.h"

#if defined(__x86_64__)

// gaze_has_amx says whether the processor has AMX tiles for bfloat16, and asks the system to
// let this process use them.
bool gaze_has_amx(void);

// gaze_amx_gemm computes a product. It must be called only if gaze_has_amx is true. It returns
// false if memory ran out.
bool gaze_amx_gemm(const thread_pool* pool, const gemm* g);

#else

static inline bool gaze_has_amx(void) { return false; }
static inline bool gaze_amx_gemm(const thread_pool* pool, const gemm* g) { return false; }

#endif

#endif
