package scripts

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestREADMEAsALibrary does what the README's section says, without the network: its
// commands in an empty folder, its program on a picture.
func TestREADMEAsALibrary(t *testing.T) {
	if testing.Short() {
		t.Skip("links a program")
	}
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "\n## As a library\n")
	section, _, _ = strings.Cut(section, "\n## ")
	block := regexp.MustCompile("(?s)```(\\w+)\n(.*?)```")
	blocks := block.FindAllStringSubmatch(section, -1)
	if len(blocks) < 2 || blocks[0][1] != "sh" || blocks[1][1] != "go" {
		t.Fatalf("the section has no commands and program: %q", blocks)
	}
	dir := t.TempDir()
	put(t, filepath.Join(dir, "main.go"), blocks[1][2])
	outside := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		// As outside the clone, and offline; GOFLAGS only so that builds share one cache.
		cmd.Env = slices.DeleteFunc(os.Environ(), func(entry string) bool {
			return strings.HasPrefix(entry, "GOWORK=") || strings.HasPrefix(entry, "GAZE_")
		})
		cmd.Env = append(cmd.Env, "GOPROXY=off", "GAZE_CACHE="+filepath.Join(dir, "cache"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %q: %v\n%s", name, args, err, out)
		}
		return string(out)
	}
	commands := strings.ReplaceAll(blocks[0][2], "~/gaze", "'"+root+"'")
	if strings.Count(commands, root) != 1 {
		t.Fatalf("the commands name no clone:\n%s", blocks[0][2])
	}
	outside("sh", "-euc", commands)
	outside("go", "build", "-o", "hello", ".")
	stripes(t, filepath.Join(dir, "photo.png"))
	model := filepath.Join(root, "pkg", "vit", "testdata", "hf_vit", "weights.safetensors")
	outside(filepath.Join(dir, "hello"), model, "photo.png")
	picture, err := os.ReadFile(filepath.Join(dir, "attention.png"))
	if err != nil {
		t.Fatal(err)
	}
	if im, err := png.Decode(bytes.NewReader(picture)); err != nil || im.Bounds().Dx() < 300 {
		t.Errorf("attention.png: %v", err)
	}
	// 'go run gaze/cmd/gaze' finds the command from there, too.
	if text := outside("go", "list", "gaze/cmd/gaze"); strings.TrimSpace(text) != "gaze/cmd/gaze" {
		t.Errorf("go list: %s", text)
	}
}

func stripes(t *testing.T, path string) {
	t.Helper()
	im := image.NewNRGBA(image.Rect(0, 0, 48, 40))
	for y := range 40 {
		for x := range 48 {
			im.Set(x, y, color.NRGBA{R: uint8(5 * x), G: uint8(3 * y), B: uint8(x * y), A: 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, im); err != nil {
		t.Fatal(err)
	}
	put(t, path, b.String())
}
