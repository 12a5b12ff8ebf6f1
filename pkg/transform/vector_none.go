//go:build !(goexperiment.simd && amd64)

package transform

func downRow(_, _ []uint8, _ []int32, _ *[]int32) int { return 0 }

func acrossRow(_, _ []uint8, _ *taps) int { return 0 }
