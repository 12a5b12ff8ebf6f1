package vit

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"gaze/internal/atomicfile"
	"gaze/pkg/weights"
)

// Save writes the model as a safetensors file with timm's names, which timm can read too,
// and beside it the config.json from which [Load] gets the same configuration,
// preprocessing and class names again. Each file is written whole or not at all. A
// config.json of another model in that folder is replaced. A configuration that timm's
// names can't express is an error.
func (m *Model) Save(path string) error { return m.save(path, false) }

// SaveHalf is [Model.Save] with the values rounded to float16, half the size. Only the
// statistics of a stem's batch norms stay float32, since their range is any. A value that
// float16 can't hold is an error.
func (m *Model) SaveHalf(path string) error { return m.save(path, true) }

func (m *Model) save(path string, half bool) error {
	text, err := m.timmConfig()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	var list []*weights.Tensor
	for _, p := range m.Config.Parameters() {
		values, shape, err := m.Parameter(p.Name)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		t := weights.NewTensor(m.Config.timmName(p.Name), shape, values)
		if half && !Frozen(p.Name) {
			if t, err = t.Half(); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		list = append(list, t)
	}
	// The configuration comes first: weights without it would be read with a
	// guess at heads and preprocessing.
	if err := atomicfile.WriteBytes(filepath.Join(filepath.Dir(path), "config.json"), text); err != nil {
		return err
	}
	return weights.WriteSafetensors(path, list, map[string]string{"format": "pt"})
}

// CheckSave returns the error that [Model.Save] would return for the model's configuration,
// so that it can be known before a long training.
func (m *Model) CheckSave() error {
	_, err := m.timmConfig()
	return err
}

// timmName is timm's name for a parameter; empty if it has none.
func (c Config) timmName(ours string) string {
	if rest, ok := strings.CutPrefix(ours, stemScope); ok && c.Stem != nil {
		return stemPrefix + c.Stem.TimmName(rest)
	}
	if ways := timmTable.rowsOf(ours); len(ways) > 0 {
		return ways[0][0].file
	}
	return ""
}

// timmConfig is the config.json for the model. It has been checked to give the same
// configuration again.
func (m *Model) timmConfig() ([]byte, error) {
	if m.pipelineErr != nil {
		return nil, fmt.Errorf("its preprocessing is unknown, so that it can't be saved: %w", m.pipelineErr)
	}
	c := m.Config
	values := map[string]any{
		"img_size": c.ImageSize, "patch_size": c.PatchKernel(), "in_chans": c.Channels, "num_classes": c.Classes,
		"embed_dim": c.Dim, "depth": c.Depth, "num_heads": c.Heads, "reg_tokens": c.Registers,
		"layer_norm_eps": c.NormEps, "pipeline": m.pipeline,
	}
	if c.Activation != SwiGLU {
		values["act_layer"] = c.Activation.String()
	}
	switch c.Pool {
	case PoolClass:
		values["global_pool"] = "token"
	case PoolMean:
		values["global_pool"] = "avg"
	}
	if c.Stem != nil {
		values["stem"] = c.Stem
	}
	if m.Labels != nil {
		values["label_names"] = m.Labels
	}
	text, err := json.MarshalIndent(values, "", "  ")
	if err != nil {
		return nil, err
	}
	back := &configFile{path: "config.json"}
	if err := json.Unmarshal(text, &back.values); err != nil {
		return nil, err
	}
	shapes := shapesOf{}
	for _, p := range c.Parameters() {
		if c.timmName(p.Name) == "" {
			return nil, fmt.Errorf("the model has %s, for which timm has no name", strings.TrimSuffix(p.Name, "/weight"))
		}
		shapes[p.Name] = p.Shape
	}
	read, _, _, err := inferConfig(&timmTable, shapes, back)
	if err != nil {
		return nil, err
	}
	if !read.Equal(c) {
		return nil, fmt.Errorf("timm's names can't express this configuration: it would be read as %s", read)
	}
	return append(text, '\n'), nil
}
