//go:build cgo && linux && !noxla && (amd64 || arm64)

#include "functions.h"

#include "amx.h"
#include "processor.h"
#include "scratch.h"

const kernel_functions gaze_kernel_functions = {
	gaze_kernel_sets, gaze_processor_runs, gaze_has_amx, gaze_amx_gemm, gaze_parallel_for, gaze_scratch,
};
