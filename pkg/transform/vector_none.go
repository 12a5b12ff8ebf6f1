//go:build !(goexperiment.simd && amd64)

package transform

func downRow(_, _ []uint8, _ []int32, _ *[]int32) int { return 0 }

func acrossRow(_, _ []uint8, _ *taps) int { return 0 }

func greySum(_ []uint8) (sum, done int) { return 0, 0 }

func saturate(_, _ []uint8, _ float32) int { return 0 }

func mirror3(_, _ []uint8) int { return 0 }

func blendBytes(_, _ []uint8, _ uint8, _ float32) int { return 0 }
