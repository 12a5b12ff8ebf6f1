package hub_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"gaze/pkg/hub"
)

func ExampleLookup() {
	c, ok := hub.Lookup("catr-v3")
	fmt.Println(ok, c.Host, c.Repo, c.License)
	// Output: true GitHub saahiluppal/catr Apache-2.0
}

func ExampleResolve() {
	dir, err := os.MkdirTemp("", "gaze")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	os.Setenv("GAZE_CACHE", dir)
	defer os.Unsetenv("GAZE_CACHE")

	_, err = hub.Resolve("dinov2-base")
	fmt.Println(err)

	mine := filepath.Join(dir, "mine.safetensors")
	if err := os.WriteFile(mine, nil, 0o644); err != nil {
		panic(err)
	}
	path, err := hub.Resolve(mine)
	fmt.Println(filepath.Base(path), err)
	// Output:
	// hub: the checkpoint dinov2-base isn't in the cache: run `gaze pull dinov2-base` first
	// mine.safetensors <nil>
}

// Fetching needs the network, so this one only compiles.
func ExamplePull() {
	result, err := hub.Pull(context.Background(), hub.ImgFocusName, hub.Options{
		Progress: func(p hub.Progress) { fmt.Fprintf(os.Stderr, "\r%s %d of %d", p.Name, p.Done, p.Total) },
		Log:      func(line string) { fmt.Fprintln(os.Stderr, line) },
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(result.Path, "from", result.Source)
}

func ExampleFind() {
	for _, name := range []string{"google/vit-base-patch16-224", "hf-hub:timm/vit_tiny_patch16_224.augreg_in21k_ft_in1k", "owner/name@v2"} {
		c, ok := hub.Find(name)
		fmt.Println(c.Name, ok)
	}
	// Output:
	// vit-base-patch16-224 true
	// vit_tiny_patch16_224 true
	// owner/name@v2 true
}
