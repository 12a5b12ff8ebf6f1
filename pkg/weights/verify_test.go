package weights

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestVerify(t *testing.T) {
	for name, want := range map[string]struct{ checksums, unnoted, files, unchecked int }{
		"torch_catr.pth":         {checksums: 20, files: 1},
		"npz_stored.npz":         {checksums: 1, files: 1},
		"npz_compressed.npz":     {checksums: 1, files: 1},
		"st_types.safetensors":   {files: 1, unchecked: 1},
		"torch_catr_legacy.pth":  {files: 1, unchecked: 1},
		"onnx_external.onnx":     {files: 2, unchecked: 2},
		"sharded_ok":             {files: 3, unchecked: 2},
		"torch_whole_nested.pth": {checksums: 5, files: 1},
	} {
		v, err := Verify(filepath.Join("testdata", name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if v.Checksums < want.checksums || want.checksums == 0 && v.Checksums > 0 || v.Unnoted != want.unnoted ||
			len(v.Files) != want.files || len(v.NoCheckFor) != want.unchecked || len(v.Damaged) > 0 || v.Bytes == 0 {
			t.Errorf("%s: %+v, want %+v", name, v, want)
		}
	}
}

// Damage anywhere in an archive is found and reported with the tensors in the damaged
// member, also in compressed archives and in a metadata member that Open doesn't read.
func TestVerifyDamage(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ file, member, want string }{
		"a weight":   {"torch_catr.pth", "/data/0", "/data/0 (model.proj.weight)"},
		"a moment":   {"torch_catr.pth", "/data/7", "/data/7 ("},
		"an array":   {"npz_stored.npz", ".npy", ".npy"},
		"a note":     {"torch_catr.pth", "/version", "/version"},
		"unnoted of": {"torch_catr.pth", "/data/1", "/data/1 (model.proj.bias)"},
	} {
		data, err := os.ReadFile(filepath.Join("testdata", c.file))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "damaged")
		if err := os.WriteFile(path, damage(t, data, c.member), 0o600); err != nil {
			t.Fatal(err)
		}
		v, err := Verify(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(v.Damaged) != 1 || !strings.Contains(v.Damaged[0], c.want) {
			t.Errorf("%s: %q, want %q", name, v.Damaged, c.want)
		}
		if err := os.WriteFile(path, withoutChecksums(t, damage(t, data, c.member)), 0o600); err != nil {
			t.Fatal(err)
		}
		if v, err := Verify(path); err != nil || len(v.Damaged) > 0 || v.Checksums > 0 || v.Unnoted == 0 {
			t.Errorf("%s, without checksums: %+v, %v", name, v, err)
		}
	}
	data := readTestdata(t, "torch_catr.pth")
	path := filepath.Join(dir, "pickle.pth")
	if err := os.WriteFile(path, damage(t, data, "/data.pkl"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(path); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("a damaged pickle: %v", err)
	}
	if _, err := Verify(filepath.Join(dir, "nothing")); err == nil {
		t.Error("a file that isn't there is verified")
	}
}

// Every shard that is an archive is verified.
func TestVerifyShards(t *testing.T) {
	dir := t.TempDir()
	good := readTestdata(t, "torch_module.pth")
	index := `{"weight_map": {"proj.weight": "a.bin"}}`
	for name, data := range map[string][]byte{"a.bin": damage(t, good, "/data/1"), "pytorch_model.bin.index.json": []byte(index)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	v, err := Verify(dir)
	if err != nil || len(v.Files) != 2 || len(v.Damaged) != 1 || !strings.HasPrefix(v.Damaged[0], "a.bin: ") || v.Checksums < 3 {
		t.Errorf("%+v, %v", v, err)
	}
}
