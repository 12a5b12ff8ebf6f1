package vit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"gaze/pkg/transform"
)

// specPrefix begins the description of a model to be trained from scratch.
const specPrefix = "vit:"

// IsSpec says whether a text is a description for [ParseConfig] and not the name of a file.
func IsSpec(text string) bool { return strings.HasPrefix(text, specPrefix) }

// specKeys are the names in a description, with the bounds of their values.
var specKeys = []struct {
	name      string
	low, high int
}{
	{"size", 1, 1 << 14}, {"patch", 1, 1 << 12}, {"dim", 1, 1 << 16}, {"depth", 1, 1 << 10}, {"heads", 1, 1 << 10},
	{"mlp", 1, 1 << 18}, {"registers", 0, 1 << 10},
}

// ParseConfig reads the architecture of a model to be trained from scratch, such as
//
//	vit:dim=128,depth=6,heads=4,patch=8,size=64
//
// Names are size (of square pictures), patch, dim, depth, heads, mlp, registers and pool
// (class or mean). What is left out is as in ViT-S/16 for 224 pixels, except that heads
// are 64 channels wide and mlp is 4·dim. The model has no classification head yet. An
// error in the text is a [*transform.SyntaxError].
func ParseConfig(text string) (Config, error) {
	values := map[string]int{"size": 224, "patch": 16, "dim": 384, "depth": 12, "registers": 0}
	seen := map[string]bool{}
	c := Config{Channels: 3, ClassToken: true, QKVBias: true, PatchBias: true, FinalNorm: true, NormEps: 1e-6}
	fail := func(at int, err error) (Config, error) {
		return Config{}, &transform.SyntaxError{Spec: text, Column: utf8.RuneCountInString(text[:at]) + 1, Reason: err.Error()}
	}
	rest, ok := strings.CutPrefix(text, specPrefix)
	if !ok {
		return fail(0, errors.New(`a description of a model begins with "vit:"`))
	}
	end := len(specPrefix)
	for part := range strings.SplitSeq(rest, ",") {
		at := end
		end += len(part) + 1
		if rest == "" {
			break
		}
		name, value, _ := strings.Cut(part, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if seen[name] {
			return fail(at, fmt.Errorf("%s is given a second time", name))
		}
		seen[name] = true
		if err := setSpec(&c, values, name, value); err != nil {
			return fail(at, err)
		}
	}
	return c.fromSpec(values)
}

// setSpec sets the value of one name.
func setSpec(c *Config, values map[string]int, name, value string) error {
	if name == "pool" {
		switch value {
		case "class":
		case "mean":
			c.Pool, c.ClassToken, c.FinalNorm, c.PoolNorm = PoolMean, false, false, true
		default:
			return fmt.Errorf("pool is class or mean, not %q", value)
		}
		return nil
	}
	var names []string
	for _, key := range specKeys {
		if key.name != name {
			names = append(names, key.name)
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < key.low || n > key.high {
			return fmt.Errorf("%s is a whole number from %d to %d, not %q", name, key.low, key.high, value)
		}
		values[name] = n
		return nil
	}
	return fmt.Errorf("there is no name %q; there are %s and pool", name, strings.Join(names, ", "))
}

// fromSpec makes the configuration from the values.
func (c Config) fromSpec(values map[string]int) (Config, error) {
	c.ImageSize = [2]int{values["size"], values["size"]}
	c.PatchSize = [2]int{values["patch"], values["patch"]}
	c.Dim, c.Depth, c.Registers = values["dim"], values["depth"], values["registers"]
	if c.Heads = values["heads"]; c.Heads == 0 {
		c.Heads = max(c.Dim/64, 1)
	}
	if c.MLPDim = values["mlp"]; c.MLPDim == 0 {
		c.MLPDim = 4 * c.Dim
	}
	if err := c.Validate(); err != nil {
		return Config{}, fmt.Errorf("vit: %w", err)
	}
	if n := c.ParameterCount(); n > maxSpecParameters {
		return Config{}, fmt.Errorf("vit: a model of %d million parameters is beyond the limit of %d: take a smaller dim, depth or mlp", n/1_000_000, maxSpecParameters/1_000_000)
	}
	return c, nil
}

// maxSpecParameters bounds the size of a model that is made from a description, well above
// the usual ViTs (ViT-G/14 has 1.8 billion), so that a wrong digit doesn't ask for more
// memory than any machine has.
const maxSpecParameters = 4_000_000_000
