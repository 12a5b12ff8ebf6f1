package vit

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
)

// Normalisations that checkpoints are trained with.
const (
	normalizeHalf     = "normalize(0.5,0.5)"
	normalizeCLIP     = "normalize([0.48145466,0.4578275,0.40821073],[0.26862954,0.26130258,0.27577711])"
	normalizeImageNet = "normalize([0.485,0.456,0.406],[0.229,0.224,0.225])"
)

// Pipeline is the preprocessing that the checkpoint was made with, as package
// transform reads it: from the configuration files beside the weights where
// they tell, else what the layout's own code does by default.
func (m *Model) Pipeline() string { return m.pipeline }

// pipelineOf finds a checkpoint's preprocessing.
func pipelineOf(layout Layout, c Config, conf *configFile, dir string) (string, error) {
	path := filepath.Join(dir, "preprocessor_config.json")
	values, err := readJSON(path)
	if err == nil && isHF(layout) {
		spec, err := hfPipeline(values)
		if err != nil {
			return "", fmt.Errorf("%s: %w", path, err)
		}
		return spec, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if spec := conf.text("pipeline"); spec != "" { // a file that Save wrote
		return spec, nil
	}
	if conf.present() && conf.timm != nil {
		return timmPipeline(c, conf.timm), nil
	}
	return defaultPipeline(layout, c), nil
}

func isHF(l Layout) bool { return l == HFViT || l == HFDeiT || l == HFDinov2 || l == HFCLIP }

// defaultPipeline is what the layout's own code does to a picture when nobody
// says otherwise.
func defaultPipeline(layout Layout, c Config) string {
	h, w := c.ImageSize[0], c.ImageSize[1]
	switch layout {
	case Torchvision:
		return torchvisionPipeline(c)
	case HFDinov2, DINOv2: // 224 whatever the size the positions are for, as its processor does
		return "resize(256,bicubic) | centercrop(224) | totensor | " + normalizeImageNet
	case HFCLIP:
		if !c.PreNorm { // SigLIP
			return fmt.Sprintf("resize(%d,%d,bicubic) | totensor | %s", h, w, normalizeHalf)
		}
		return fmt.Sprintf("resize(%d,bicubic) | centercrop(%d) | totensor | %s", h, h, normalizeCLIP)
	case HFDeiT:
		side := 256 * h / 224
		return fmt.Sprintf("resize(%d,%d,bicubic) | centercrop(%d) | totensor | %s", side, side, h, normalizeImageNet)
	case Timm:
		cropPct, normalize := 0.9, normalizeHalf
		if h >= 384 || c.LayerScale {
			cropPct = 1
		}
		if c.DistToken || c.LayerScale || c.Classes == 0 { // DeiT, DINOv2, DINO
			normalize = normalizeImageNet
		}
		return timmSpec(h, w, cropPct, "bicubic", normalize)
	}
	return fmt.Sprintf("resize(%d,%d,bilinear) | totensor | %s", h, w, normalizeHalf)
}

// timmSpec is timm's evaluation transform: the short side to size/cropPct,
// rounded down, then the centre; pictures that aren't square are squeezed.
func timmSpec(h, w int, cropPct float64, filter, normalize string) string {
	if h != w {
		return fmt.Sprintf("resize(%d,%d,%s) | totensor | %s", h, w, filter, normalize)
	}
	return fmt.Sprintf("resize(%d,%s) | centercrop(%d) | totensor | %s", int(float64(h)/cropPct), filter, h, normalize)
}

// timmPipeline reads timm's pretrained_cfg.
func timmPipeline(c Config, cfg map[string]any) string {
	cropPct, ok := cfg["crop_pct"].(float64)
	if !ok || cropPct <= 0 || cropPct > 1 {
		cropPct = 0.9
	}
	filter := "bicubic"
	switch name, _ := cfg["interpolation"].(string); name {
	case "bilinear", "nearest", "lanczos":
		filter = name
	}
	normalize, ok := normalizeSpec(cfg["mean"], cfg["std"])
	if !ok {
		normalize = normalizeHalf
	}
	return timmSpec(c.ImageSize[0], c.ImageSize[1], cropPct, filter, normalize)
}

// hfPipeline reads a preprocessor_config.json of transformers.
func hfPipeline(values map[string]any) (string, error) {
	var steps []string
	if enabled(values, "do_resize") {
		filter, err := pilFilter(values["resample"])
		if err != nil {
			return "", err
		}
		switch size := values["size"].(type) {
		case float64: // older files: ViT squeezes to a square, what crops keeps the shape
			if values["do_center_crop"] == true {
				steps = append(steps, fmt.Sprintf("resize(%d,%s)", int(size), filter))
			} else {
				steps = append(steps, fmt.Sprintf("resize(%d,%d,%s)", int(size), int(size), filter))
			}
		case map[string]any:
			if n, ok := asSize(size["shortest_edge"]); ok {
				steps = append(steps, fmt.Sprintf("resize(%d,%s)", n, filter))
			} else if h, w, ok := heightWidth(size); ok {
				steps = append(steps, fmt.Sprintf("resize(%d,%d,%s)", h, w, filter))
			} else {
				return "", fmt.Errorf("size %v isn't understood", size)
			}
		default:
			return "", fmt.Errorf("size %v isn't understood", size)
		}
	}
	if values["do_center_crop"] == true {
		crop, ok := asPair(values["crop_size"])
		if size, isMap := values["crop_size"].(map[string]any); isMap {
			crop[0], crop[1], ok = heightWidth(size)
		}
		if !ok || crop[0] != crop[1] {
			return "", fmt.Errorf("crop_size %v isn't understood: only squares are", values["crop_size"])
		}
		steps = append(steps, fmt.Sprintf("centercrop(%d)", crop[0]))
	}
	steps = append(steps, "totensor")
	if enabled(values, "do_normalize") {
		normalize, ok := normalizeSpec(values["image_mean"], values["image_std"])
		if !ok {
			return "", fmt.Errorf("image_mean %v and image_std %v aren't understood", values["image_mean"], values["image_std"])
		}
		steps = append(steps, normalize)
	}
	return strings.Join(steps, " | "), nil
}

// enabled is a switch that is on unless the file turns it off.
func enabled(values map[string]any, key string) bool { return values[key] != false }

func heightWidth(size map[string]any) (h, w int, ok bool) {
	h, okH := asSize(size["height"])
	w, okW := asSize(size["width"])
	return h, w, okH && okW
}

// pilFilter names PIL's numbered filters.
func pilFilter(v any) (string, error) {
	n, ok := v.(float64)
	if v == nil {
		return "bilinear", nil
	}
	names := map[float64]string{0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}
	if name := names[n]; ok && name != "" {
		return name, nil
	}
	return "", fmt.Errorf("resample %v isn't among 0 (nearest), 1 (lanczos), 2 (bilinear) and 3 (bicubic)", v)
}

// normalizeSpec writes the step for a mean and a deviation per channel.
func normalizeSpec(mean, std any) (string, bool) {
	m, okM := numbers(mean)
	s, okS := numbers(std)
	if !okM || !okS || len(m) != len(s) {
		return "", false
	}
	for _, v := range s {
		if v <= 0 {
			return "", false
		}
	}
	return fmt.Sprintf("normalize(%s,%s)", channelList(m), channelList(s)), true
}

func numbers(v any) ([]float64, bool) {
	list, ok := v.([]any)
	out := make([]float64, len(list))
	for i, e := range list {
		if out[i], ok = e.(float64); !ok {
			return nil, false
		}
	}
	return out, ok && len(out) > 0
}

// channelList is one number where all channels have the same, else a list.
func channelList(v []float64) string {
	texts, same := make([]string, len(v)), true
	for i, f := range v {
		texts[i] = strconv.FormatFloat(f, 'g', -1, 64)
		same = same && f == v[0]
	}
	if same {
		return texts[0]
	}
	return "[" + strings.Join(texts, ",") + "]"
}
