// Package breeds names the breed of the cat or dog in a photograph: pets37, which knows the
// 37 breeds of the Oxford-IIIT Pet set.
//
// It is two models whose calibrated logits are added, each run on the picture and on its
// mirror image: a linear layer over EfficientNet-Lite2's features, and a small Vision
// Transformer. ImageNet's classes, which EfficientNet-Lite2 knows, tell whether there is a
// cat or a dog at all. recipes/pets37 trains it and measures it; record.json beside the
// weights has the figures.
package breeds

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"gaze/internal/atomicfile"
	"gaze/pkg/transform"
)

// Kind is what marks a config.json as one of this package.
const Kind = "gaze-breeds"

// The files of a classifier's folder.
const (
	HeadFile   = "head.safetensors" // weight [breeds, channels] and bias [breeds] of the linear layer
	ConfigFile = "config.json"
)

// Config describes a classifier of breeds. Models are named as 'gaze models' lists them.
type Config struct {
	Kind   string   `json:"kind"`
	Breeds []string `json:"breeds"` // by class

	Network         string    `json:"network"`          // the EfficientNet-Lite under the linear layer
	NetworkPipeline [2]string `json:"network_pipeline"` // of a picture, and of its mirror image
	ViT             string    `json:"vit"`              // the Vision Transformer, whose classes are Breeds
	ViTPipeline     [2]string `json:"vit_pipeline"`

	// Both models' logits are means over the picture and its mirror image. Their sum, the
	// Vision Transformer's times ViTScale, is divided by Temperature.
	ViTScale    float64 `json:"vit_scale"`
	Temperature float64 `json:"temperature"`

	// AttentionLayer is the block of the Vision Transformer whose attention says where it
	// looked: the one whose map lies on the pet best in the training pictures.
	AttentionLayer int `json:"attention_layer"`

	// PetThreshold is the probability of ImageNet's dogs and cats together below which a
	// picture looks like no pet.
	PetThreshold float64 `json:"pet_threshold"`
}

// Check returns an error that says what in the configuration makes no sense.
func (c Config) Check() error {
	switch {
	case c.Kind != Kind:
		return fmt.Errorf("kind is %q, not %q", c.Kind, Kind)
	case len(c.Breeds) < 2:
		return fmt.Errorf("%d breeds: there must be at least two", len(c.Breeds))
	case slices.Contains(c.Breeds, ""):
		return errors.New("a breed has no name")
	case c.Network == "" || c.ViT == "":
		return errors.New("network and vit must name a model each")
	case !(c.Temperature > 0) || !(c.ViTScale > 0):
		return fmt.Errorf("temperature %g and vit_scale %g must be above 0", c.Temperature, c.ViTScale)
	case c.AttentionLayer < 0:
		return fmt.Errorf("attention_layer %d: layers are numbered from 0", c.AttentionLayer)
	case !(c.PetThreshold >= 0 && c.PetThreshold < 1):
		return fmt.Errorf("pet_threshold %g isn't a probability", c.PetThreshold)
	}
	for _, text := range slices.Concat(c.NetworkPipeline[:], c.ViTPipeline[:]) {
		p, err := transform.Parse(text)
		if err != nil {
			return fmt.Errorf("pipeline %q: %w", text, err)
		}
		if p.Evaluation().String() != p.String() {
			return fmt.Errorf("pipeline %q has random steps", text)
		}
	}
	return nil
}

// ReadConfig reads the configuration of the folder in which a classifier's head lies. ok is
// false if there is none of this package: then the file is something else.
func ReadConfig(head string) (c Config, ok bool, err error) {
	path := filepath.Join(filepath.Dir(head), ConfigFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, false, nil
	}
	return parseConfig(path, text)
}

func parseConfig(path string, text []byte) (c Config, ok bool, err error) {
	var kind struct {
		Kind string `json:"kind"`
	}
	if json.Unmarshal(text, &kind) != nil || kind.Kind != Kind {
		return Config{}, false, nil
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return Config{}, true, fmt.Errorf("%s: %w", path, err)
	}
	if err := c.Check(); err != nil {
		return Config{}, true, fmt.Errorf("%s: %w", path, err)
	}
	return c, true, nil
}

// Write writes the configuration into a folder.
func (c Config) Write(dir string) error {
	if err := c.Check(); err != nil {
		return fmt.Errorf("breeds: %w", err)
	}
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(filepath.Join(dir, ConfigFile), append(text, '\n'))
}
