package vit

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// goldenArray is an array of an .npz file; of integers too, as float32.
type goldenArray struct {
	shape  []int
	values []float32
}

var npyShape = regexp.MustCompile(`'shape': \(([^)]*)\)`)

// readGoldenNPZ reads the arrays of an .npz file that a script in tools/golden
// wrote. It is no reader for other files.
func readGoldenNPZ(t *testing.T, path string) map[string]goldenArray {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	arrays := map[string]goldenArray{}
	for _, member := range archive.File {
		r, err := member.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		size := int(binary.LittleEndian.Uint16(data[8:]))
		header, body := string(data[10:10+size]), data[10+size:]
		var a goldenArray
		for _, n := range strings.Split(npyShape.FindStringSubmatch(header)[1], ",") {
			if n = strings.TrimSpace(n); n != "" {
				v, err := strconv.Atoi(n)
				if err != nil {
					t.Fatal(err)
				}
				a.shape = append(a.shape, v)
			}
		}
		switch {
		case strings.Contains(header, "'fortran_order': True"):
			t.Fatalf("%s: %s isn't row-major", path, member.Name)
		case strings.Contains(header, "'<f4'"):
			for i := 0; i < len(body); i += 4 {
				a.values = append(a.values, math.Float32frombits(binary.LittleEndian.Uint32(body[i:])))
			}
		case strings.Contains(header, "'<i8'"):
			for i := 0; i < len(body); i += 8 {
				a.values = append(a.values, float32(int64(binary.LittleEndian.Uint64(body[i:]))))
			}
		default:
			t.Fatalf("%s: %s has an unexpected header %s", path, member.Name, header)
		}
		arrays[strings.TrimSuffix(member.Name, ".npy")] = a
	}
	return arrays
}

func TestResizePosEmbedEqualsReferences(t *testing.T) {
	arrays := readGoldenNPZ(t, filepath.Join("testdata", "posembed.npz"))
	methods := []struct {
		name   string
		method PosResize
		bits   bool // equal to the last bit, else to 1e-6 of the largest value
	}{
		{"timm", TimmBicubic, false}, {"hf", HFBicubic, false}, {"dinov2", DINOv2Bicubic, false}, {"zoom", ZoomLinear, true},
		{"torchvision", TorchvisionBicubic, false},
	}
	n := 0
	for ; ; n++ {
		grid, ok := arrays[fmt.Sprintf("%d_grid", n)]
		if !ok {
			break
		}
		to := arrays[fmt.Sprintf("%d_to", n)]
		size := [2]int{int(to.values[0]), int(to.values[1])}
		from, dim := [2]int{grid.shape[0], grid.shape[1]}, grid.shape[2]
		for _, m := range methods {
			t.Run(fmt.Sprintf("%s %v to %v", m.name, from, size), func(t *testing.T) {
				want := arrays[fmt.Sprintf("%d_%s", n, m.name)].values
				got, err := ResizePosEmbed(grid.values, dim, from, size, m.method)
				if err != nil {
					t.Fatal(err)
				}
				if len(got) != len(want) || len(got) != size[0]*size[1]*dim {
					t.Fatalf("%d values, not %d", len(got), len(want))
				}
				var worst, largest float64
				different := 0
				for i := range want {
					worst = max(worst, math.Abs(float64(got[i])-float64(want[i])))
					largest = max(largest, math.Abs(float64(want[i])))
					if got[i] != want[i] {
						different++
					}
				}
				t.Logf("%d of %d values differ, by at most %.2g of the largest", different, len(want), worst/largest)
				if !(worst <= 1e-6*largest) || m.bits && different > 0 {
					t.Errorf("off by up to %g, largest value %g, %d of %d values", worst, largest, different, len(want))
				}
			})
		}
	}
	if n < 10 {
		t.Fatalf("only %d golden cases", n)
	}
}

func TestResizePosEmbedSameGridCopies(t *testing.T) {
	grid := []float32{1, 2, 3, 4, 5, 6}
	for m := TimmBicubic; m <= TorchvisionBicubic; m++ {
		got, err := ResizePosEmbed(grid, 2, [2]int{1, 3}, [2]int{1, 3}, m)
		if err != nil || !slices.Equal(got, grid) {
			t.Fatalf("%v: %v, %v", m, got, err)
		}
		if got[0] = 9; grid[0] != 1 {
			t.Fatalf("%v: the result shares memory with the grid", m)
		}
	}
}

// Interpolation's weights sum to one: a constant stays itself, whatever the way.
func TestResizePosEmbedKeepsConstants(t *testing.T) {
	grid := slices.Repeat([]float32{0.75}, 5*6)
	for m := TimmBicubic; m <= TorchvisionBicubic; m++ {
		for _, to := range [][2]int{{1, 1}, {2, 9}, {11, 3}, {6, 5}} {
			got, err := ResizePosEmbed(grid, 1, [2]int{5, 6}, to, m)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range got {
				if math.Abs(float64(v)-0.75) > 1e-6 {
					t.Fatalf("%v to %v: value %d is %v, not 0.75", m, to, i, v)
				}
			}
		}
	}
}

func TestResizePosEmbedRejects(t *testing.T) {
	grid := make([]float32, 12)
	tests := []struct {
		name     string
		dim      int
		from, to [2]int
		method   PosResize
		want     string
	}{
		{"no rows", 3, [2]int{2, 2}, [2]int{0, 2}, HFBicubic, "0×2"},
		{"negative", 3, [2]int{2, -2}, [2]int{2, 2}, HFBicubic, "2×-2"},
		{"huge", 3, [2]int{2, 2}, [2]int{2, 1 << 40}, HFBicubic, "from 1 to"},
		{"wrong length", 3, [2]int{2, 3}, [2]int{4, 4}, TimmBicubic, "12 values"},
		{"no width", 0, [2]int{2, 2}, [2]int{4, 4}, TimmBicubic, "width 0"},
		{"unknown method", 3, [2]int{2, 2}, [2]int{4, 4}, TorchvisionBicubic + 1, "number 5"},
		{"negative method", 3, [2]int{2, 2}, [2]int{4, 4}, -1, "number -1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := ResizePosEmbed(grid, test.dim, test.from, test.to, test.method)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v and the error %v, want one with %q", got, err, test.want)
			}
		})
	}
}

func TestPosResizeString(t *testing.T) {
	seen := map[string]bool{}
	for m := TimmBicubic; m <= TorchvisionBicubic; m++ {
		if s := m.String(); s == "" || strings.Contains(s, "unknown") || seen[s] {
			t.Errorf("%d is called %q", int(m), s)
		} else {
			seen[s] = true
		}
	}
	for _, m := range []PosResize{-1, TorchvisionBicubic + 1} {
		if s := m.String(); !strings.Contains(s, "unknown") {
			t.Errorf("%d is called %q", int(m), s)
		}
	}
}

func ExampleResizePosEmbed() {
	// A 2×2 grid of embeddings one value wide, on 3×3 patches.
	grid := []float32{0, 2, 4, 6}
	resized, err := ResizePosEmbed(grid, 1, [2]int{2, 2}, [2]int{3, 3}, ZoomLinear)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(resized)
	// Output: [0 1 2 2 3 4 4 5 6]
}
