//go:build cgo && linux && !noxla && amd64

// The kernels' amx.c, compiled with emulated instructions. The functions that it defines get
// other names, and those that it calls come from the table of package kernels.

#include "emulated_amx.h"
#include "../processor.h"
#include "../scratch.h"
#include "kernelstest.h"

#define gaze_has_amx emulated_has_amx
#define gaze_amx_gemm emulated_amx_gemm
#define gaze_processor_runs(set) true
#define gaze_parallel_for kernelstest_functions->parallel_for
#define gaze_scratch kernelstest_functions->scratch

#include "../amx.c"
