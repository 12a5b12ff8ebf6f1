//go:build goexperiment.simd && amd64

package backend

import (
	"simd/archsimd"

	"github.com/gomlx/compute/support/envutil"
)

// simd says whether GoMLX's Go backend was compiled with its SIMD kernels. It picks AVX-512,
// AVX2 or scalar code when the program starts, so the program runs on every amd64 processor.
const simd = true

// goVectors is the instruction set of the Go backend's products: "AVX-512", "AVX2" or "none".
func goVectors() string {
	allowed := func(variable string) bool {
		yes, err := envutil.ReadBool(variable, true)
		return yes && err == nil
	}
	switch {
	case archsimd.X86.AVX512() && allowed(envutil.SIMD_AVX512_Env):
		return "AVX-512"
	case archsimd.X86.AVX2() && allowed(envutil.SIMD_AVX2_Env):
		return "AVX2"
	}
	return "none"
}
