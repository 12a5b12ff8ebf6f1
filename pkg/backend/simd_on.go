//go:build goexperiment.simd && amd64

package backend

// simd says whether GoMLX's Go backend was compiled with its vector kernels. It
// picks AVX-512, AVX2 or plain code when the program starts, so a binary built
// with them runs on every amd64 processor.
const simd = true
