package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Pasted identifiers give the matching catalogue entry or a repository.
func TestFind(t *testing.T) {
	for _, known := range []struct{ name, want string }{
		{"vit-base-patch16-224", "vit-base-patch16-224"},
		{"google/vit-base-patch16-224", "vit-base-patch16-224"},
		{"Google/ViT-base-patch16-224", "vit-base-patch16-224"},
		{" google/vit-base-patch16-224 ", "vit-base-patch16-224"},
		{"google/vit-base-patch16-224/", "vit-base-patch16-224"},
		{"google/vit-base-patch16-224@main", "vit-base-patch16-224"},
		{"hf-hub:google/vit-base-patch16-224", "vit-base-patch16-224"},
		{"hf_hub:google/vit-base-patch16-224", "vit-base-patch16-224"},
		{"hf-hub://google/vit-base-patch16-224", "vit-base-patch16-224"},
		{"hf://google/vit-base-patch16-224", "vit-base-patch16-224"},
		{"https://huggingface.co/google/vit-base-patch16-224", "vit-base-patch16-224"},
		{"https://huggingface.co/google/vit-base-patch16-224/", "vit-base-patch16-224"},
		{"http://www.huggingface.co/google/vit-base-patch16-224?library=transformers", "vit-base-patch16-224"},
		{"huggingface.co/google/vit-base-patch16-224#how-to-use", "vit-base-patch16-224"},
		{"https://hf.co/google/vit-base-patch16-224/tree/main", "vit-base-patch16-224"},
		{"https://huggingface.co/google/vit-base-patch16-224/blob/main/model.safetensors", "vit-base-patch16-224"},
		{"https://huggingface.co/google/vit-base-patch16-224/resolve/main/model.safetensors?download=true", "vit-base-patch16-224"},
		{"https://mirror.example/hf/google/vit-base-patch16-224", "vit-base-patch16-224"},
		{"HTTPS://HuggingFace.co/google/vit-base-patch16-224", "vit-base-patch16-224"},
		{"https://huggingface.co/google/vit-base-patch16-224.git", "vit-base-patch16-224"},
		{"https://huggingface.co/google/vit-base-patch16-224/discussions/3", "vit-base-patch16-224"},
		{`"google/vit-base-patch16-224"`, "vit-base-patch16-224"},
		{"'google/vit-base-patch16-224' ", "vit-base-patch16-224"},
		{"`google/vit-base-patch16-224`", "vit-base-patch16-224"},
		{"<https://huggingface.co/google/vit-base-patch16-224>", "vit-base-patch16-224"},
		{" dinov2-base\n", "dinov2-base"},
		{"facebook/dinov2-base", "dinov2-base"},
		{"facebook/dinov2-small@ed25f3a31f01632728cabb09d1542f84ab7b0056", "dinov2-small"},
		{"timm/vit_base_patch16_224.augreg_in21k_ft_in1k", "vit_base_patch16_224"},
		{"hf-hub:timm/vit_base_patch16_224.augreg_in21k_ft_in1k", "vit_base_patch16_224"},
		{"hf_hub:timm/vit_base_patch16_224.augreg_in21k_ft_in1k", "vit_base_patch16_224"},
		{"vit_base_patch16_224.augreg_in21k_ft_in1k", "vit_base_patch16_224"},
		{"hf-hub:vit_base_patch16_224.augreg_in21k_ft_in1k", "vit_base_patch16_224"},
		{"timm/vit_base_patch16_224", "vit_base_patch16_224"},
		{"deit_tiny_distilled_patch16_224.fb_in1k", "deit_tiny_distilled_patch16_224"},
		{"google-bert/bert-base-uncased", "bert-base-uncased"},
		{"https://github.com/lukemelas/PyTorch-Pretrained-ViT/releases/download/0.0.2/B_16_imagenet1k.pth", "B_16_imagenet1k"},
	} {
		t.Setenv("HF_ENDPOINT", "https://mirror.example/hf/")
		t.Setenv("GAZE_GITHUB_ENDPOINT", "")
		if c, ok := Find(known.name); !ok || c.Name != known.want || len(c.Files) == 0 {
			t.Errorf("%q: %s (%v), want %s", known.name, c.Name, ok, known.want)
		}
	}
	for name, want := range map[string]string{
		"owner/name": "owner/name main",
		"https://huggingface.co/owner/name/commit/abc123": "owner/name abc123",
		"owner/name@v1.0":                                                        "owner/name v1.0",
		"owner/name@refs/pr/3":                                                   "owner/name refs/pr/3",
		"hf-hub:owner/name@abc":                                                  "owner/name abc",
		"timm/vit_giant.some_tag":                                                "timm/vit_giant.some_tag main",
		"facebook/dinov2-small@main":                                             "facebook/dinov2-small main", // the catalogue's is a commit
		"google/vit-base-patch16-224@refs/pr/1":                                  "google/vit-base-patch16-224 refs/pr/1",
		"https://huggingface.co/owner/name/tree/dev/sub":                         "owner/name dev/sub",
		"https://huggingface.co/owner/name/blob/main/weights/vit%20b.pth":        "owner/name main weights/vit b.pth",
		"https://huggingface.co/google/vit-base-patch16-224/blob/main/other.bin": "google/vit-base-patch16-224 main other.bin",
	} {
		c, ok := Find(name)
		got := ""
		if ok && c.from != nil {
			got = strings.TrimSpace(c.Repo + " " + c.Revision + " " + c.from.file)
		}
		if got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
		if again, ok := Find(c.Name); !ok || again.Repo != c.Repo || again.Revision != c.Revision || again.from.file != c.from.file {
			t.Errorf("%q: its own name %s leads to %+v", name, c.Name, again)
		}
	}
	for _, name := range []string{"", "nonsense", "../../etc", "a/b/c", "owner/..", "owner/name@../x", "/owner/name", "owner/", "owner//name", "ow ner/name",
		"https://example.com/owner/name", "https://huggingface.co/owner", "https://huggingface.co/datasets/owner/name", "https://huggingface.co/spaces/owner/name", "https://huggingface.co/", "hf-hub:", "owner/na\\me", "owner/name@",
		"https://huggingface.co/owner/name/blob/main/../../x"} {
		if c, ok := Find(name); ok && name != "owner/name@" {
			t.Errorf("%q is taken for %+v", name, c)
		}
	}
}

// repo adds a repository to the server.
func (w *world) repo(id, revision string, files map[string]string) string {
	at := "/hf/" + id + "/resolve/" + revision + "/"
	for name, text := range files {
		w.files[at+name] = []byte(text)
	}
	return at
}

// Repositories outside the catalogue are fetched with their configuration files.
func TestPullRepository(t *testing.T) {
	index, err := json.Marshal(map[string]any{"weight_map": map[string]string{"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-1.safetensors"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []string // in the cache, the one to open first
	}{
		{"safetensors", map[string]string{"model.safetensors": "w", "pytorch_model.bin": "old", "config.json": "{}", "preprocessor_config.json": "{}", "README.md": "x"},
			[]string{"model.safetensors", "config.json", "preprocessor_config.json"}},
		{"shards", map[string]string{"model.safetensors.index.json": string(index), "model-1.safetensors": "1", "model-2.safetensors": "2", "config.json": "{}", "processor_config.json": "{}"},
			[]string{"model.safetensors.index.json", "model-1.safetensors", "model-2.safetensors", "config.json", "processor_config.json"}},
		{"bin", map[string]string{"pytorch_model.bin": "w"}, []string{"pytorch_model.bin"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			at := w.repo("owner/"+c.name, "main", c.files)
			name := "owner/" + c.name
			if _, err := Resolve(name); err == nil || !strings.Contains(err.Error(), "gaze pull "+name) || !strings.Contains(err.Error(), "neither a file") {
				t.Errorf("before it is there: %v", err)
			}
			var log []string
			r, err := Pull(t.Context(), name, w.options(&log))
			if err != nil {
				t.Fatal(err)
			}
			if r.Cached || filepath.Base(r.Path) != c.want[0] || !strings.Contains(r.License, "not known") || !strings.Contains(r.Source, "owner/"+c.name+" at main") {
				t.Errorf("%+v", r)
			}
			var got []string
			for _, f := range r.Files {
				got = append(got, f.Name)
				if data, err := os.ReadFile(filepath.Join(r.Dir, f.Name)); err != nil || string(data) != c.files[f.Name] {
					t.Errorf("%s: %q, %v", f.Name, data, err)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("fetched %v, want %v", got, c.want)
			}
			if path, err := Resolve("https://huggingface.co/" + name); err != nil || path != r.Path {
				t.Errorf("afterwards: %s, %v", path, err)
			}
			again, err := Pull(t.Context(), "hf-hub:"+name, w.options(nil))
			if err != nil || !again.Cached || w.count(at+c.want[0]) != 1 {
				t.Errorf("the second time: %+v, %v", again, err)
			}
			if ok, err := CheckFetched(r.Path); !ok || err != nil {
				t.Errorf("compared with the record: %v, %v", ok, err)
			}
			if err := os.WriteFile(r.Path, []byte(strings.Repeat("x", len(c.files[c.want[0]]))), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := CheckFetched(r.Path); err == nil || !strings.Contains(err.Error(), "has changed") {
				t.Errorf("damaged: %v", err)
			}
		})
	}
}

// Different revisions and files of a repository are kept separately.
func TestPullRevision(t *testing.T) {
	w := newWorld(t)
	w.repo("owner/name", "main", map[string]string{"model.safetensors": "main", "config.json": "{}", "sub/other.pth": "other", "sub/config.json": "sub"})
	w.repo("owner/name", "v2", map[string]string{"model.safetensors": "two"})
	w.repo("google/vit-base-patch16-224", "main", map[string]string{"model.safetensors": "vit", "config.json": "{}", "preprocessor_config.json": "{}"})
	w.files["/hf/api/models/owner/name"] = []byte(`{"cardData": {"license": "mit"}, "tags": ["license:mit"]}`)
	for name, want := range map[string]string{
		"owner/name": "main", "owner/name@v2": "two", "https://huggingface.co/owner/name/blob/main/sub/other.pth": "other",
		"google/vit-base-patch16-224": "vit",
	} {
		r, err := Pull(t.Context(), name, w.options(nil))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		data, err := os.ReadFile(r.Path)
		if err != nil || string(data) != want {
			t.Errorf("%s: %q (%v), want %q", name, data, err, want)
		}
		if strings.HasPrefix(name, "owner") && r.License != "mit" {
			t.Errorf("%s: licence %q", name, r.License)
		}
	}
	if path, ok := Path("vit-base-patch16-224"); !ok || !strings.Contains(path, filepath.Join("checkpoints", "vit-base-patch16-224")) {
		t.Errorf("the catalogue's own isn't where it belongs: %s", path)
	}
}

func TestPullRepositoryErrors(t *testing.T) {
	w := newWorld(t)
	w.repo("owner/empty", "main", map[string]string{"config.json": "{}"})
	w.repo("owner/outside", "main", map[string]string{"model.safetensors.index.json": `{"weight_map": {"a": "../../x.safetensors"}}`})
	w.repo("owner/broken", "main", map[string]string{"model.safetensors.index.json": `[]`})
	w.repo("owner/cut", "main", map[string]string{"model.safetensors.index.json": `{"weight_map": {"a": "m1.safetensors"}}`})
	for name, want := range map[string]string{
		"owner/empty":   "has none of model.safetensors, model.safetensors.index.json, pytorch_model.bin",
		"owner/nothing": "has none of model.safetensors",
		"owner/outside": "outside its folder",
		"owner/broken":  "not a shard index",
		"owner/cut":     "it has no such file",
		"https://huggingface.co/owner/empty/blob/main/x.pth": "has none of x.pth",
	} {
		if _, err := Pull(t.Context(), name, w.options(nil)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
		if _, ok := Path(name); ok {
			t.Errorf("%s is in the cache all the same", name)
		}
	}
	if _, err := Pull(t.Context(), "owner/empty", w.options(nil)); errors.Is(err, ErrUnreachable) {
		t.Errorf("%v", err)
	}
	for _, name := range []string{"runs/best.pth", "weights/model.safetensors"} {
		if _, err := Resolve(name); err == nil || strings.Contains(err.Error(), "gaze pull") {
			t.Errorf("a file's name: %v", err)
		}
	}
	// A file or folder of that name takes precedence.
	t.Chdir(t.TempDir())
	if err := os.MkdirAll(filepath.Join("google", "vit-base-patch16-224"), 0o700); err != nil {
		t.Fatal(err)
	}
	if path, err := Resolve("google/vit-base-patch16-224"); err != nil || path != "google/vit-base-patch16-224" {
		t.Errorf("a folder: %s, %v", path, err)
	}
}

func TestLicenceIn(t *testing.T) {
	for text, want := range map[string]string{
		`{"cardData": {"license": "apache-2.0"}}`: "apache-2.0",
		`{"tags": ["vit", "license:cc-by-4.0"]}`:  "cc-by-4.0",
		`{"cardData": {"license": ["a"]}}`:        "",
		`{"cardData": {"license": "a\nb"}}`:       "",
		`[]`:                                      "",
		`<html>`:                                  "",
	} {
		if got := licenceIn([]byte(text)); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// Any pasted text gives a single folder inside the cache.
func FuzzParseRepository(f *testing.F) {
	for _, s := range []string{"owner/name@v1", "hf-hub:timm/x", "https://huggingface.co/a/b/blob/main/c/d.pth?x#y", "a/b@refs/pr/1", "https://huggingface.co/a/b/tree/..%2f..", "hf://a/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, ok := parseRepository(text)
		if !ok {
			return
		}
		folder := r.folder()
		if folder != filepath.Base(folder) || !filepath.IsLocal(folder) || strings.ContainsAny(folder, `/\`) {
			t.Errorf("%q goes to %q", text, folder)
		}
		if again, ok := parseRepository(r.String()); !ok || again.folder() != folder {
			t.Errorf("%q: %s leads to %v, not %v", text, r, fmt.Sprint(again), fmt.Sprint(r))
		}
	})
}
