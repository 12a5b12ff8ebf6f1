package backend

import (
	"strings"
	"testing"
)

// TestDevicesOption takes devices=N out of a configuration, and refuses what it can't be.
func TestDevicesOption(t *testing.T) {
	for _, c := range []struct {
		config, rest string
		devices      int
		wrong        string // in the error
	}{
		{"/p/cpu.so", "/p/cpu.so", 1, ""},
		{"/p/cpu.so,devices=4", "/p/cpu.so", 4, ""},
		{"/p/cpu.so,a=b,devices=2,nopreallocate", "/p/cpu.so,a=b,nopreallocate", 2, ""},
		{"/p/cuda.so,tf32=false", "/p/cuda.so,tf32=false", 1, ""},
		{"", "", 1, ""},
		{"/p/cpu.so,devices", "", 0, "from 1 to 64"},
		{"/p/cpu.so,devices=0", "", 0, "from 1 to 64"},
		{"/p/cpu.so,devices=65", "", 0, "from 1 to 64"},
		{"/p/cpu.so,devices=two", "", 0, "from 1 to 64"},
		{"/p/cuda.so,devices=2", "", 0, "visible_devices"},
	} {
		rest, devices, err := cutDevices(c.config)
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%q: %v, want an error with %q", c.config, err, c.wrong)
			}
		} else if err != nil || rest != c.rest || devices != c.devices {
			t.Errorf("%q: %q, %d devices, %v", c.config, rest, devices, err)
		}
	}
}

// TestDevices opens the processor as several devices and as one, in any order.
func TestDevices(t *testing.T) {
	if withoutXLA != "" {
		t.Skip(withoutXLA)
	}
	for spec, want := range map[string]int{"xla:cpu": 1, "xla:cpu,devices=3": 3, "xla:cpu,devices=2": 2} {
		b, err := Open(spec)
		if err != nil {
			t.Skip(err)
		}
		if !Kernels(b) {
			t.Skip("the plugin isn't wrapped")
		}
		if n := b.NumDevices(); n != want {
			t.Errorf("%s has %d devices", spec, n)
		}
		if err := CheckDevices(b, want); err != nil {
			t.Errorf("%s: %v", spec, err)
		}
		if err := CheckDevices(b, want+1); err == nil || !strings.Contains(err.Error(), "GOMLX_BACKEND=xla:cpu,devices=") {
			t.Errorf("%s: too many devices: %v", spec, err)
		}
	}
}
