package breeds

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// valid is a configuration that makes sense.
func valid() Config {
	const steps = "resize(32,32) | totensor | normalize(0.5,0.5)"
	return Config{
		Kind: Kind, Breeds: []string{"Beagle", "Siamese"},
		Network: "net", NetworkPipeline: [2]string{steps, "hflip | " + steps},
		ViT: "vit", ViTPipeline: [2]string{steps, "hflip | " + steps},
		ViTScale: 1, Temperature: 1.5, PetThreshold: 0.1,
	}
}

func TestCheck(t *testing.T) {
	if err := valid().Check(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Kind = "vit" }, `kind is "vit"`},
		{func(c *Config) { c.Breeds = c.Breeds[:1] }, "at least two"},
		{func(c *Config) { c.Breeds = []string{"a", ""} }, "no name"},
		{func(c *Config) { c.Network = "" }, "must name a model"},
		{func(c *Config) { c.Temperature = 0 }, "temperature 0"},
		{func(c *Config) { c.Temperature = math.NaN() }, "temperature NaN"},
		{func(c *Config) { c.ViTScale = -1 }, "vit_scale -1"},
		{func(c *Config) { c.AttentionLayer = -1 }, "attention_layer -1"},
		{func(c *Config) { c.PetThreshold = 1 }, "pet_threshold 1"},
		{func(c *Config) { c.ViTPipeline[1] = "resize(" }, "pipeline"},
		{func(c *Config) { c.NetworkPipeline[0] = "randomhflip | totensor" }, "random steps"},
	} {
		cfg := valid()
		c.change(&cfg)
		if err := cfg.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: want an error with %q", err, c.want)
		}
	}
}

func TestReadConfig(t *testing.T) {
	dir := t.TempDir()
	head := filepath.Join(dir, HeadFile)
	if _, ok, err := ReadConfig(head); ok || err != nil {
		t.Errorf("without a file: %v, %v", ok, err)
	}
	if err := valid().Write(dir); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := ReadConfig(head); !ok || err != nil || got.Temperature != 1.5 || got.Breeds[1] != "Siamese" {
		t.Errorf("read back: %+v, %v, %v", got, ok, err)
	}
	if err := (Config{}).Write(dir); err == nil {
		t.Error("an empty configuration was written")
	}
	for text, want := range map[string]bool{ // whether it is one of this package, with an error then
		`{"architectures":["ViTModel"]}`: false,
		`{`:                              false,
		`[]`:                             false,
		`{"kind":"gaze-breeds"}`:         true,
		`{"kind":"gaze-breeds","breeds":"Siamese"`: false,
		`{"kind":"gaze-breeds","breeds":3}`:        true,
	} {
		if err := os.WriteFile(filepath.Join(dir, ConfigFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := ReadConfig(head); ok != want || (err != nil) != want {
			t.Errorf("%s: %v, %v", text, ok, err)
		}
	}
}

// FuzzParseConfig: no file makes it panic, and what it accepts makes sense.
func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(`{"kind":"gaze-breeds","breeds":["a","b"],"network":"n","vit":"v","temperature":1,"vit_scale":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if c, ok, err := parseConfig("config.json", text); ok && err == nil && c.Check() != nil {
			t.Errorf("accepted %+v", c)
		}
	})
}

// TestPetMass: a logit for a breed is a pet, one for anything else isn't, and large logits
// don't overflow.
func TestPetMass(t *testing.T) {
	for class, want := range map[int]float64{150: 0, 151: 1, 268: 1, 269: 0, 280: 0, 281: 1, 285: 1, 286: 0, 999: 0} {
		logits := make([]float32, imageNetClasses)
		logits[class] = 3e3
		if got := PetMass(logits); math.Abs(got-want) > 1e-9 {
			t.Errorf("class %d: %g, want %g", class, got, want)
		}
	}
	if got, want := PetMass(make([]float32, imageNetClasses)), 123.0/1000; math.Abs(got-want) > 1e-12 {
		t.Errorf("equal logits: %g, want %g", got, want)
	}
}
