package weights

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// damage flips a bit in the first member of a zip archive whose name has the suffix.
func damage(t *testing.T, data []byte, suffix string) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		if strings.HasSuffix(f.Name, suffix) {
			from, err := f.DataOffset()
			if err != nil {
				t.Fatal(err)
			}
			data = bytes.Clone(data)
			data[from+int64(f.UncompressedSize64)-1] ^= 1
			return data
		}
	}
	t.Fatalf("no member %s", suffix)
	return nil
}

// withoutChecksums returns the archive that torch.save writes without checksums.
func withoutChecksums(t *testing.T, data []byte) []byte {
	t.Helper()
	data = bytes.Clone(data)
	entry := []byte("PK\x01\x02")
	n := bytes.Count(data, entry)
	for at := 0; n > 0; n-- {
		at += bytes.Index(data[at:], entry) + len(entry)
		clear(data[at+12 : at+16])
	}
	return data
}

// undamaged counts the tensors whose values can be read and returns the errors of the
// others.
func undamaged(t *testing.T, data []byte) (good int, bad []error) {
	t.Helper()
	f, err := openBytes(t, data)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range f.Names() {
		tensor, _ := f.Tensor(name)
		if _, err := tensor.Float32s(); err == nil {
			good++
		} else if strings.Contains(err.Error(), "checksum") {
			bad = append(bad, err)
		}
	}
	return good, bad
}

func TestDamagedStorage(t *testing.T) {
	for name, member := range map[string]string{"torch_catr.pth": "/data/0", "npz_stored.npz": ".npy"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		all, bad := undamaged(t, data)
		if len(bad) != 0 || all < 2 {
			t.Fatalf("%s: %d tensors, %v", name, all, bad)
		}
		hurt := damage(t, data, member)
		good, bad := undamaged(t, hurt)
		if len(bad) == 0 || good+len(bad) != all || good == 0 {
			t.Errorf("%s: %d of %d tensors are good, %v", name, good, all, bad)
		}
		for _, err := range bad {
			if !strings.Contains(err.Error(), "tensor ") || !strings.Contains(err.Error(), "damaged") {
				t.Errorf("%s: %v", name, err)
			}
		}
		// It can't be written to another file either.
		f, err := openBytes(t, hurt)
		if err != nil {
			t.Fatal(err)
		}
		var tensors []*Tensor
		for _, n := range f.Names() {
			tensor, _ := f.Tensor(n)
			tensors = append(tensors, tensor)
		}
		out := filepath.Join(t.TempDir(), "out.safetensors")
		if err := WriteSafetensors(out, tensors, nil); err == nil || !strings.Contains(err.Error(), "checksum") {
			t.Errorf("%s: written: %v", name, err)
		}
		if good, bad := undamaged(t, withoutChecksums(t, hurt)); good != all || len(bad) != 0 {
			t.Errorf("%s without checksums: %d tensors, %v", name, good, bad)
		}
	}
}

func TestDamagedPickle(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "torch_catr.pth"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openBytes(t, damage(t, data, "/data.pkl")); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("opened: %v", err)
	}
}

// A tensor that is copied from its storage is checked when it is copied.
func TestDamagedView(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "torch_views.pth"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, f := range r.File {
		at := strings.LastIndex(f.Name, "/data/")
		if at < 0 || f.UncompressedSize64 == 0 {
			continue
		}
		if _, err := openBytes(t, damage(t, data, f.Name[at:])); err != nil {
			refused++
			if !strings.Contains(err.Error(), "checksum") {
				t.Errorf("%s: %v", f.Name, err)
			}
		}
	}
	if refused == 0 {
		t.Error("no storage of a view was checked")
	}
}
