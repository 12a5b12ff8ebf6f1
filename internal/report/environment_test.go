package report

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/pkg/hub"
)

// files creates empty files and returns their folder.
func files(t *testing.T, names ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range names {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestOwnPhotographs(t *testing.T) {
	many := []string{"notes.txt", ".hidden.jpg"}
	for i := range 9 {
		many = append(many, fmt.Sprintf("p%d.jpg", i))
	}
	for name, test := range map[string]struct {
		files   []string
		want    string
		of      int
		reports bool
	}{
		"a few":              {files: []string{"b.png", "a.JPG", "c.webp"}, want: "a.JPG b.png c.webp", of: 3},
		"one":                {files: []string{"one.jpeg"}, want: "one.jpeg", of: 1},
		"many":               {files: many, want: "p0.jpg p1.jpg p2.jpg p3.jpg p4.jpg p5.jpg", of: 9},
		"the report's":       {files: []string{"31_4838.jpg", "26_5064.jpg", "29_4718.jpg"}, want: "26_5064.jpg 29_4718.jpg 31_4838.jpg", of: 3, reports: true},
		"among others":       {files: []string{"31_4838.png", "26_5064_224x224.jpg", "0_1.jpg", "29_4718.jpeg"}, want: "26_5064_224x224.jpg 29_4718.jpeg 31_4838.png", of: 4, reports: true},
		"two of three":       {files: []string{"31_4838.jpg", "26_5064.jpg"}, want: "26_5064.jpg 31_4838.jpg", of: 2},
		"splits":             {files: []string{"train/1_0.jpg", "train/0_1.jpg", "val/1_3.jpg", "val/0_2.jpg"}, want: "0_2.jpg 1_3.jpg 0_1.jpg 1_0.jpg", of: 4},
		"the report's set":   {files: []string{"train/26_1.jpg", "train/29_2.jpg", "train/31_3.jpg", "val/31_4838.jpg", "val/26_5064.jpg", "val/29_4718.jpg"}, want: "26_5064.jpg 29_4718.jpg 31_4838.jpg", of: 6, reports: true},
		"folders by class":   {files: []string{"cats/b.jpg", "dogs/a.jpg"}, want: "a.jpg b.jpg", of: 2},
		"beside a subfolder": {files: []string{"a.jpg", "old/b.jpg"}, want: "a.jpg", of: 1},
	} {
		t.Run(name, func(t *testing.T) {
			root := files(t, test.files...)
			t.Setenv(EnvPets, filepath.Base(root))
			t.Setenv("GAZE_START", filepath.Dir(root))
			p, err := FindPhotographs(context.Background(), root, hub.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, path := range p.Paths {
				if _, err := os.Stat(path); err != nil {
					t.Error(err)
				}
				got = append(got, filepath.Base(path))
			}
			if strings.Join(got, " ") != test.want || p.Of != test.of || p.From != EnvPets || (p.License != "") != test.reports {
				t.Errorf("%q of %d from %s, licence %q", got, p.Of, p.From, p.License)
			}
		})
	}
}

func TestNoPhotographs(t *testing.T) {
	root := files(t, "file.jpg", "notes/a.txt", "notes/b.md", "heads/a.csv")
	for _, test := range []struct{ value, says string }{
		{"none", "neither a file nor a folder"},
		{"file.jpg", "that is a file"},
		{"notes", "no photographs"},
		{"heads", "no photographs"},
		{"heads/a.csv", "a.csv"},
	} {
		t.Setenv("GAZE_START", root)
		t.Setenv(EnvPets, test.value)
		if p, err := FindPhotographs(context.Background(), "", hub.Options{}); err == nil || !strings.Contains(err.Error(), EnvPets+" is") || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, %v", test.value, p, err)
		}
	}
}

// TestPhotographsBesideTheClone checks that without GAZE_PETS the photographs of the
// shared data are used.
func TestPhotographsBesideTheClone(t *testing.T) {
	t.Setenv(EnvPets, "")
	const folder = "shared/data/images/oxford_pets_ccbysa/"
	root := files(t, folder+"26_5064.jpg", folder+"29_4718.jpg", folder+"31_4838.jpg", "clone/go.mod")
	p, err := FindPhotographs(context.Background(), filepath.Join(root, "clone"), hub.Options{})
	if err != nil || len(p.Paths) != 3 || !strings.Contains(p.From, "beside the clone") {
		t.Errorf("%+v, %v", p, err)
	}
	const set = "shared/data/pets/val/"
	root = files(t, folder+"26_5064.jpg", folder+"29_4718.jpg", folder+"31_4838.jpg", set+"31_4838.jpg", set+"26_5064.jpg", set+"29_4718.jpg", set+"0_1.jpg", "clone/go.mod")
	p, err = FindPhotographs(context.Background(), filepath.Join(root, "clone"), hub.Options{})
	if err != nil || len(p.Paths) != 3 || p.Of != 4 || filepath.Base(filepath.Dir(p.Paths[0])) != "val" {
		t.Errorf("not at their true shape: %+v, %v", p, err)
	}
}

func TestFindCheckpoint(t *testing.T) {
	t.Setenv("GAZE_CACHE", t.TempDir())
	root := files(t, "run/run.json", "run/best/model.safetensors", "begun/run.json", "folder/model.safetensors", "mine.pth", "pets-vit/model.safetensors")
	t.Setenv("GAZE_START", root)
	for _, test := range []struct{ value, path, run, short string }{
		{"run", "run/best/model.safetensors", "run", "run"},
		{"./run", "run/best/model.safetensors", "run", "run"},
		{"folder", "folder", "", "folder"},
		{"folder/model.safetensors", "folder/model.safetensors", "", "folder"},
		{"mine.pth", "mine.pth", "", "mine"},
		{"pets-vit", "pets-vit", "", "pets-vit"}, // an existing file wins over a catalogue name
	} {
		t.Setenv(EnvVIT, test.value)
		c, err := FindCheckpoint(context.Background(), EnvVIT, "", hub.Options{})
		run := test.run
		if run != "" {
			run = filepath.Join(root, run)
		}
		if err != nil || c.Path != filepath.Join(root, test.path) || c.Run != run || c.Short != test.short || c.Given != test.value || c.Pulled != nil {
			t.Errorf("%s: %+v, %v", test.value, c, err)
		}
	}
	// Catalogue names, given and by default; these checkpoints are part of the program.
	for value, want := range map[string]string{"scenes-captioner": "scenes-captioner", "": "pets-vit"} {
		t.Setenv("GAZE_START", t.TempDir())
		t.Setenv(EnvVIT, value)
		c, err := FindCheckpoint(context.Background(), EnvVIT, "pets-vit", hub.Options{})
		if err != nil || c.Given != want || c.Short != want || c.Pulled == nil || c.Pulled.Path != c.Path {
			t.Errorf("%q: %+v, %v", value, c, err)
		}
	}
	t.Setenv("GAZE_START", root)
	for value, says := range map[string]string{
		"begun": "no model yet", "none": filepath.Join(root, "none"), "dinov2": "did you mean dinov2-base", "~nobody": "~nobody",
	} {
		t.Setenv(EnvVIT, value)
		if c, err := FindCheckpoint(context.Background(), EnvVIT, "", hub.Options{}); err == nil || !strings.HasPrefix(err.Error(), EnvVIT) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %+v, %v", value, c, err)
		}
	}
	// The error for an unreachable server names the variable too.
	t.Setenv("HF_ENDPOINT", "http://127.0.0.1:1")
	t.Setenv(EnvVIT, "dinov2-base")
	if _, err := FindCheckpoint(context.Background(), EnvVIT, "", hub.Options{Attempts: 1}); err == nil || !strings.HasPrefix(err.Error(), EnvVIT) {
		t.Errorf("out of reach: %v", err)
	}
}
