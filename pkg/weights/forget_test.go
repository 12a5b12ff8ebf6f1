package weights

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// resident returns how many KiB of a mapped file are in memory.
func resident(t *testing.T, path string) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Skip("the system doesn't say which pages are in memory: ", err)
	}
	total, inside := 0, false
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		switch {
		case len(fields) >= 5 && strings.Contains(fields[0], "-"):
			inside = strings.HasSuffix(strings.TrimSpace(line), path)
		case inside && len(fields) == 3 && fields[0] == "Rss:":
			n, err := strconv.Atoi(fields[1])
			if err != nil {
				t.Fatal(err)
			}
			total += n
		}
	}
	return total
}

func TestForget(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the test reads /proc")
	}
	path := filepath.Join(t.TempDir(), "w.safetensors")
	values := make([]float32, 1<<20)
	for i := range values {
		values[i] = float32(i)
	}
	tensors := []*Tensor{NewTensor("a", []int{3}, values[:3]), NewTensor("b", []int{1 << 20}, values)}
	if err := WriteSafetensors(path, tensors, nil); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sum := func() (s float64) {
		for _, name := range f.Names() {
			tensor, _ := f.Tensor(name)
			v, err := tensor.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range v {
				s += float64(x)
			}
		}
		return s
	}
	want := sum()
	before := resident(t, path)
	for _, name := range f.Names() {
		tensor, _ := f.Tensor(name)
		tensor.Forget()
	}
	if after := resident(t, path); before < 4000 || after > 100 {
		t.Errorf("%d KiB of the file were in memory before, %d after", before, after)
	}
	if got := sum(); got != want {
		t.Errorf("the values add up to %v afterwards, %v before", got, want)
	}
	NewTensor("c", []int{2}, values[:2]).Forget() // not in a file
}
