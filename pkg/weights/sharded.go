package weights

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gaze/internal/textfile"
)

// readShards opens the files that a Hugging Face index (*.index.json) names and checks
// that each tensor is in the file given by the index.
func (f *File) readShards(path string, data []byte, c choice) error {
	var index struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	text, err := textfile.Decode("", data)
	if err != nil {
		return fmt.Errorf("a JSON file that can't be read: %w", err)
	}
	if err := json.Unmarshal(text, &index); err != nil {
		return fmt.Errorf("a JSON file that can't be read: %w", err)
	}
	if len(index.WeightMap) == 0 {
		return errors.New(`a JSON file without a "weight_map": not an index of a sharded checkpoint`)
	}
	var shards []string
	for tensor, shard := range index.WeightMap {
		if shard == "" || filepath.Base(shard) != shard || shard == "." || shard == ".." || strings.ContainsAny(shard, `/\`) {
			return fmt.Errorf("tensor %s is in %q according to the index, but shards must be in the index's folder", tensor, shard)
		}
		shards = append(shards, shard)
	}
	slices.Sort(shards)
	shards = slices.Compact(shards)
	for _, shard := range shards {
		f.tried = append(f.tried, filepath.Join(filepath.Dir(path), shard))
	}
	for _, shard := range shards {
		if err := f.readShard(filepath.Join(filepath.Dir(path), shard), shard, index.WeightMap, c); err != nil {
			return err
		}
	}
	for tensor, shard := range index.WeightMap {
		if f.tensors[tensor] == nil {
			return fmt.Errorf("tensor %s isn't in %s, where the index says it is", tensor, shard)
		}
	}
	return nil
}

func (f *File) readShard(path, shard string, places map[string]string, c choice) error {
	inner := &File{path: path, shard: true, tensors: map[string]*Tensor{}}
	err := inner.read(path, c)
	f.unmap, f.tried = append(f.unmap, inner.unmap...), append(f.tried, inner.tried...)
	f.files, f.mappings = append(f.files, inner.files...), append(f.mappings, inner.mappings...)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("the shard %s isn't in the index's folder: download it too", shard)
	}
	if err != nil {
		return fmt.Errorf("shard %s: %w", shard, err)
	}
	f.format, f.warnings = inner.format, append(f.warnings, inner.warnings...)
	if f.metadata == nil {
		f.metadata = inner.metadata
	}
	for _, name := range inner.names {
		if place, listed := places[name]; listed && place != shard {
			return fmt.Errorf("tensor %s is in %s, but the index says %s", name, shard, place)
		}
		if err := f.add([]*Tensor{inner.tensors[name]}); err != nil {
			return fmt.Errorf("shard %s: %w", shard, err)
		}
	}
	return nil
}

// folderChoices are the file names to look for in a folder, in order of preference.
var folderChoices = []string{
	"model.safetensors", "model.safetensors.index.json",
	"pytorch_model.bin", "pytorch_model.bin.index.json",
	"*.safetensors", "*.safetensors.index.json", "*.pth", "*.pt", "*.bin", "*.pth.tar", "*.ckpt", "*.npz", "*.onnx",
}

// FolderNames lists the file names that a folder is opened by, before any other file in
// it: one that is written under such a name becomes what the folder stands for.
func FolderNames() []string {
	return slices.DeleteFunc(slices.Clone(folderChoices), func(pattern string) bool { return strings.Contains(pattern, "*") })
}

// folderBeside are the names of files that trainers leave beside the weights in
// files of the same kinds.
var folderBeside = []string{
	"optimizer*", "scheduler*", "scaler*", "training_args*", "trainer_state*", "rng_state*", "random_states*", "tokenizer*", "vocab*",
}

// checkpointIn finds the checkpoint in a folder: by the usual names, or else as the only
// file with one of the usual extensions.
func checkpointIn(dir string) (string, error) {
	for _, pattern := range folderChoices {
		found, err := filepath.Glob(filepath.Join(globQuoted(dir), pattern))
		if err != nil {
			return "", err
		}
		if len(found) > 1 {
			if weights := slices.DeleteFunc(slices.Clone(found), isBeside); len(weights) > 0 {
				found = weights
			}
		}
		switch {
		case len(found) == 1:
			return found[0], nil
		case len(found) > 1:
			for i := range found {
				found[i] = filepath.Base(found[i])
			}
			return "", fmt.Errorf("%s: it isn't clear which of %s to read; name the file", dir, strings.Join(found, ", "))
		}
	}
	return "", fmt.Errorf("%s: no checkpoint in this folder (%s)%s", dir, strings.Join(folderChoices, ", "), unreadIn(dir))
}

// isBeside tells whether a file is one that trainers leave beside the weights.
func isBeside(path string) bool {
	return slices.ContainsFunc(folderBeside, func(pattern string) bool {
		ok, err := filepath.Match(pattern, filepath.Base(path))
		return ok && err == nil
	})
}

// unreadIn names files in a folder that hold weights which aren't read.
func unreadIn(dir string) string {
	list, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	for _, e := range list {
		if what := unreadName(e.Name()); what != "" {
			return fmt.Sprintf("; of %s: %s", e.Name(), what)
		}
	}
	return ""
}

// globQuoted escapes the characters of a folder's name that are special to Glob.
func globQuoted(dir string) string {
	return strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`, `\`, `\\`).Replace(dir)
}
