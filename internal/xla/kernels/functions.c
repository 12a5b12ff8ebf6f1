//go:build cgo && linux && !noxla && amd64

#include "functions.h"

const kernel_functions gaze_kernel_functions = {
	gaze_has_avx512, gaze_has_amx, gaze_gemm, gaze_attention, gaze_attention_backward,
	gaze_layer_norm, gaze_layer_norm_backward, gaze_parallel_for, gaze_scratch,
};
