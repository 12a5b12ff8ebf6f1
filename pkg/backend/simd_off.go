//go:build !goexperiment.simd || !amd64

package backend

// simd says whether GoMLX's Go backend was compiled with its SIMD kernels, which exist for
// amd64 only.
const simd = false

func goVectors() string { return "none" }
