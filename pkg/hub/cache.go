package hub

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gaze/internal/cachedir"
	"gaze/internal/environ"
)

// CacheDir returns the cache folder: $GAZE_CACHE, else gaze in $XDG_CACHE_HOME, else
// gaze in the system's cache folder. It may not exist yet.
func CacheDir() (string, error) {
	dir, err := cachedir.Dir()
	if err != nil {
		return "", fmt.Errorf("hub: %w", err)
	}
	return dir, nil
}

// checkpointDir is the folder of a checkpoint's files.
func checkpointDir(name string) (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "checkpoints", name), nil
}

// dir is the folder of the checkpoint's files.
func (c Checkpoint) dir() (string, error) {
	if c.from != nil {
		return checkpointDir(c.from.folder())
	}
	return checkpointDir(c.Name)
}

// Path returns the file to open for a checkpoint in the cache, with its configuration
// files beside it. The name is one that [Find] takes. A checkpoint shipped with the
// program is unpacked first. The second result is false if the checkpoint isn't
// completely in the cache.
func Path(name string) (string, bool) {
	c, ok := Find(name)
	if !ok {
		return "", false
	}
	dir, err := c.dir()
	if err != nil {
		return "", false
	}
	if c.Host == Shipped {
		r, err := c.unpack(dir)
		return r.Path, err == nil
	}
	r, ok := c.cached(dir, false)
	return r.Path, ok
}

// Resolve turns a user's model argument into a path. An existing file or folder is
// returned unchanged; the name of a known checkpoint or Hugging Face repository
// ([Find]) becomes its file in the cache. If it isn't in the cache, the error says how
// to get it.
func Resolve(fileOrName string) (string, error) {
	environ.WarnOnce(os.Stderr)
	if fileOrName == "" {
		return "", errors.New("hub: no model given: name a file or a known checkpoint (`gaze models` lists them)")
	}
	_, err := os.Stat(fileOrName)
	if err == nil {
		return fileOrName, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	if path, ok := Path(fileOrName); ok {
		return path, nil
	}
	c, ok := Find(fileOrName)
	switch {
	case ok && holdsImgFocus(c):
		return "", fmt.Errorf("hub: the files in the cache under %s are another model's: an earlier Gaze took them from %s; `gaze pull %s` keeps them under their own name, %s (a %s), and `gaze pull %s` fetches %[1]s itself",
			c.Name, imgFocusSource, ImgFocusName, ImgFocusName, imgFocus.Title, fileOrName)
	case ok && c.Instead != "":
		return "", fmt.Errorf("hub: the checkpoint %s isn't in the cache: run `gaze pull %s` first; %s", c.Name, fileOrName, c.offer())
	case ok && c.from == nil:
		return "", fmt.Errorf("hub: the checkpoint %s isn't in the cache: run `gaze pull %s` first", c.Name, fileOrName)
	case ok && !looksLikeFile(fileOrName):
		return "", fmt.Errorf("hub: %q is neither a file nor in the cache: if it is a Hugging Face repository, run `gaze pull %s` first", fileOrName, fileOrName)
	}
	return "", unknown(fileOrName, fmt.Sprintf("%q is neither a file nor a known checkpoint", fileOrName))
}

// looksLikeFile reports whether a name ends like a checkpoint file, which is unlikely
// for a repository.
func looksLikeFile(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".safetensors", ".pth", ".pt", ".bin", ".npz", ".onnx", ".json", ".ckpt", ".tar":
		return !strings.Contains(name, "://")
	}
	return false
}

// unknown is the error for a name that isn't in the catalogue.
func unknown(name, what string) error {
	var near []string
	for _, c := range catalogue {
		if strings.Contains(fold(c.Name), fold(name)) || strings.Contains(fold(name), fold(c.Name)) {
			near = append(near, c.Name)
		}
	}
	slices.Sort(near)
	if len(near) > 0 && name != "" {
		return fmt.Errorf("hub: %s; did you mean %s?", what, strings.Join(near, ", "))
	}
	return fmt.Errorf("hub: %s (`gaze models` lists them)", what)
}

// fold removes the differences that people often get wrong in names: case, owner, dashes.
func fold(name string) string {
	name = name[strings.LastIndexByte(name, '/')+1:]
	return strings.NewReplacer("-", "", "_", "", ".", "").Replace(strings.ToLower(name))
}
