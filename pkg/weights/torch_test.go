package weights

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// torchGolden is torch's own content of a file (tools/golden/torch_files.py).
type torchGolden struct {
	Format Format
	Root   string
	Error  string
	Names  []string // classes that a warning names; no warning if empty
	At     map[string][]torchGoldenTensor
}

type torchGoldenTensor struct {
	Name  string
	DType string
	Shape []int
	Data  []byte
}

func readTorchGolden(t testing.TB) map[string]torchGolden {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "torch_golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden map[string]torchGolden
	if err := json.Unmarshal(text, &golden); err != nil {
		t.Fatal(err)
	}
	return golden
}

func readTestdata(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func compareTorch(t *testing.T, got []*Tensor, want []torchGoldenTensor) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d tensors, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if g.Name != w.Name || g.DType.String() != w.DType || !slices.Equal(g.Shape, w.Shape) || !bytes.Equal(g.Bytes(), w.Data) {
			t.Errorf("tensor %d is %s %s %v, bytes\n%x\nwant %s %s %v\n%x", i, g.Name, g.DType, g.Shape, g.Bytes(), w.Name, w.DType, w.Shape, w.Data)
		}
	}
}

func TestTorchFiles(t *testing.T) {
	for name, want := range readTorchGolden(t) {
		t.Run(name, func(t *testing.T) {
			data := readTestdata(t, name)
			got, format, root, err := openTorch(data)
			if want.Error != "" {
				if err == nil || !strings.Contains(err.Error(), want.Error) {
					t.Errorf("error %v, want it to say %q", err, want.Error)
				}
			} else if err != nil {
				t.Fatal(err)
			} else {
				if format != want.Format || root != want.Root {
					t.Errorf("format %s, root %q; want %s, %q", format, root, want.Format, want.Root)
				}
				compareTorch(t, got, want.At[root])
			}
			for root, tensors := range want.At {
				got, format, at, err := openTorchAt(data, root)
				if err != nil || format != want.Format || at != root {
					t.Fatalf("at %q: %v, format %s, root %q", root, err, format, at)
				}
				compareTorch(t, got, tensors)
			}
		})
	}
}

// Every file truncated anywhere is an error, not a panic and not fewer tensors.
func TestTorchTruncated(t *testing.T) {
	for _, name := range []string{"torch_types.pth", "torch_types_legacy.pth", "torch_catr.pth", "torch_catr_legacy.pth", "torch_protocol4_legacy.pth"} {
		data := readTestdata(t, name)
		for n := range data {
			if _, _, _, err := openTorch(data[:n:n]); err == nil {
				t.Fatalf("%s is read although only %d of its %d bytes are there", name, n, len(data))
			}
		}
	}
}

// A tensor that is in row-major order in the file isn't copied.
func TestTorchAliases(t *testing.T) {
	for _, name := range []string{"torch_types.pth", "torch_types_legacy.pth"} {
		data := readTestdata(t, name)
		tensors, _, _, err := openTorch(data)
		if err != nil {
			t.Fatal(err)
		}
		want := tensors[0].Bytes()[0]
		for i := range data {
			data[i] ^= 0xFF
		}
		if got := tensors[0].Bytes()[0]; got != want^0xFF {
			t.Errorf("%s: the first tensor is a copy", name)
		}
	}
}

func TestTorchAtUnknown(t *testing.T) {
	data := readTestdata(t, "torch_catr.pth")
	for root, want := range map[string]string{
		"ema":               `no dict "ema" in the file; it has: model, optimizer, lr_scheduler, args`,
		"model.proj":        "it has: ",
		"model.proj.weight": "",
		"epoch":             "holds no tensors",
		"epoch.x":           `no dict "epoch.x"`,
		"optimizer.state":   "",
	} {
		_, _, _, err := openTorchAt(data, root)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: error %v, want %q", root, err, want)
		}
	}
}

func TestTorchNotACheckpoint(t *testing.T) {
	tar := make([]byte, 512)
	copy(tar[257:], "ustar")
	for _, test := range []struct {
		name, data, want string
	}{
		{"nothing", "", "isn't a checkpoint"},
		{"text", "hello", "isn't a checkpoint"},
		{"tar", string(tar), "tar archive"},
		{"zip signature", "PK\x03\x04", "broken or truncated"},
		{"magic within a string", "\x80\x02U\x0a" + string(torchMagic) + ".", "magic number is missing"},
		{"another protocol", "\x80\x01\x8a\x0a" + string(torchMagic) + ".", "protocol 2 to 5"},
	} {
		if _, _, _, err := openTorch([]byte(test.data)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
}

func TestOpenTorch(t *testing.T) {
	path := filepath.Join("testdata", "torch_catr_legacy.pth")
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Format() != FormatPyTorchLegacy || f.Root() != "model" || len(f.Names()) != 9 {
		t.Errorf("format %s, root %q, %v", f.Format(), f.Root(), f.Names())
	}
	path = filepath.Join("testdata", "torch_ambiguous.pth")
	if _, err := Open(path); err == nil || !strings.HasPrefix(err.Error(), path+": ") || strings.Count(err.Error(), path) != 1 {
		t.Errorf("error %v doesn't name the file once", err)
	}
	if f, err := OpenAt(path, "decoder"); err != nil || f.Root() != "decoder" || !slices.Equal(f.Names(), []string{"w", "b"}) {
		t.Errorf("decoder: %v, %v", f, err)
	}
}
