package main

import (
	"encoding/json"
	"strings"
	"testing"

	"gaze/pkg/backend"
)

// TestComputes: devices says what computes a program, and why.
func TestComputes(t *testing.T) {
	xla := func(set, why string, tiles bool) backend.Candidate {
		return backend.Candidate{Name: "XLA on the CPU", Spec: "xla:/p.so", Used: true, Kernels: &backend.KernelChoice{Set: set, Why: why, Tiles: tiles}}
	}
	other := backend.Candidate{Name: "Go", Spec: "go:ops_sequential"}
	for _, c := range []struct {
		name string
		used backend.Candidate
		says []string
	}{
		{"AVX-512", xla("AVX-512", "the reason", false), []string{"kernels for AVX-512: the reason", "XLA computes the rest", "$GAZE_KERNELS=avx2"}},
		{"AMX", xla("AVX-512", "the reason", true), []string{"for AVX-512, with AMX tiles: the reason and AMX", "$GAZE_TILES=off"}},
		{"AVX2", xla("AVX2", "the reason", false), []string{"kernels for AVX2: the reason", "$GAZE_KERNELS=off changes that"}},
		{"NEON", xla("NEON", "the reason", false), []string{"kernels for NEON: the reason"}},
		{"none", xla("", "the reason", false), []string{"XLA computes everything", "the reason"}},
		{"CUDA", backend.Candidate{Spec: "xla:cuda", Used: true}, []string{"XLA computes everything"}},
		{"Go", backend.Candidate{Name: "$GOMLX_BACKEND", Spec: "go:ops_sequential", Used: true}, []string{"Go backend computes everything"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := computes([]backend.Candidate{other, c.used})
			for _, want := range c.says {
				if !strings.Contains(got, want) {
					t.Errorf("%q says nothing of %q", got, want)
				}
			}
		})
	}
	if got := computes([]backend.Candidate{other}); got != "" {
		t.Errorf("with no backend in use: %q", got)
	}
}

// TestDevicesFollowKernels: what is printed follows $GAZE_KERNELS, also in JSON.
func TestDevicesFollowKernels(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	for _, c := range []struct{ value, set string }{{"off", ""}, {"avx2", "AVX2"}} {
		t.Setenv("GAZE_KERNELS", c.value)
		status, out, log := separately(t, "devices", "--json")
		if c.set != "" && status != 0 && strings.Contains(log, "GAZE_KERNELS is") {
			continue // kernels for another architecture
		}
		var found []backend.Candidate
		if err := json.Unmarshal([]byte(out), &found); status != 0 || err != nil {
			t.Fatalf("GAZE_KERNELS=%s: exit status %d, %v\n%s", c.value, status, err, log)
		}
		for _, d := range found {
			k := d.Kernels
			switch {
			case k == nil:
				continue // another backend
			case !strings.Contains(k.Why, "GAZE_KERNELS") && k.Set != "":
				t.Errorf("GAZE_KERNELS=%s: %+v doesn't name it", c.value, *k)
			case k.Set != c.set && (c.set == "" || k.Set != ""):
				t.Errorf("GAZE_KERNELS=%s: kernels for %q, want %q: %s", c.value, k.Set, c.set, k.Why)
			case k.Tiles:
				t.Errorf("GAZE_KERNELS=%s: with tiles", c.value)
			}
			_, text, _ := separately(t, "devices")
			if !strings.Contains(text, k.Why) {
				t.Errorf("GAZE_KERNELS=%s: devices doesn't say %q:\n%s", c.value, k.Why, text)
			}
		}
	}
}
