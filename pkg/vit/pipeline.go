package vit

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"gaze/pkg/convnet"
	"gaze/pkg/transform"
)

// The usual normalisations.
const (
	normalizeHalf     = "normalize(0.5,0.5)"
	normalizeCLIP     = "normalize([0.48145466,0.4578275,0.40821073],[0.26862954,0.26130258,0.27577711])"
	normalizeImageNet = "normalize([0.485,0.456,0.406],[0.229,0.224,0.225])"
	normalizeLite     = "normalize(0.49803922,0.50196078)" // (x-127)/128 of pixels from 0 to 255
)

// Pipeline is the text of [Model.Preprocessing]; empty where that is an error.
func (m *Model) Pipeline() string { return m.pipeline }

// Preprocessing is how pictures are prepared for the checkpoint: as the files beside the
// weights say, otherwise as the layout's own code does by default. The files are, in this
// order: Gaze's own config.json, timm's config.json with a pretrained_cfg, transformers'
// processor_config.json and preprocessor_config.json. docs/preprocessing.md lists their
// keys.
//
// What a file asks for is done as in timm 1.0 and transformers 5 (its PIL backend), or is
// an error that names the file and the key; [Model.WithPipeline] then helps.
func (m *Model) Preprocessing() (transform.Pipeline, error) {
	if m.pipelineErr != nil {
		return nil, m.pipelineErr
	}
	p, err := transform.Parse(m.pipeline)
	if err != nil {
		return nil, fmt.Errorf("the checkpoint's own pipeline: %w", err)
	}
	return p, nil
}

// A source is a file that says how pictures are prepared.
type source struct {
	file string // its path
	text string // the pipeline as it stands in the file, if it does
	read func() (p transform.Pipeline, warnings []string, err error)
}

// findPipeline sets the preprocessing of a checkpoint, or the reason why it is unknown. It
// returns an error only for a file that can't be read at all.
func (m *Model) findPipeline(conf *configFile, dir string) error {
	sources, err := m.sources(conf, dir)
	if err != nil {
		return err
	}
	if len(sources) == 0 {
		m.pipeline = defaultPipeline(m.Layout, m.Config)
		if m.Layout == Timm && !conf.present() {
			m.PipelineWarnings = append(m.PipelineWarnings, "no file beside the weights says how pictures are prepared: using "+m.pipeline+", as usual for the timm layout, though some of its models normalise differently (the original DeiT)")
		}
		return nil
	}
	first := sources[0]
	p, warnings, err := first.read()
	m.PipelineWarnings = append(m.PipelineWarnings, warnings...)
	switch {
	case err != nil:
		m.pipelineErr = fmt.Errorf("%s: %w; give a pipeline of your own instead (--pipeline, in Go WithPipeline)", first.file, err)
	case first.text != "":
		m.pipeline = first.text
	default:
		m.pipeline = p.String()
	}
	for _, other := range sources[1:] {
		if q, _, err := other.read(); err != nil || q.String() != p.String() {
			m.PipelineWarnings = append(m.PipelineWarnings, fmt.Sprintf("%s isn't used: %s says how pictures are prepared", other.file, filepath.Base(first.file)))
		}
	}
	return nil
}

// sources lists the files beside the weights that say how pictures are prepared. The first
// one is used.
func (m *Model) sources(conf *configFile, dir string) ([]source, error) {
	var list []source
	if spec := conf.text("pipeline"); spec != "" {
		list = append(list, source{conf.path, spec, func() (transform.Pipeline, []string, error) { return parseOwn(spec) }})
	}
	if conf.saysPreprocessing() {
		list = append(list, source{conf.path, "", func() (transform.Pipeline, []string, error) { return timmPipeline(m.Config, conf) }})
	}
	for _, name := range processorNames {
		path := filepath.Join(dir, name)
		values, err := readJSON(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if name == "processor_config.json" { // most only speak of text
			inner, ok := values["image_processor"].(map[string]any)
			if !ok && values["image_processor"] != nil {
				return nil, fmt.Errorf("%s says image_processor is %s, where an object should be", path, shortJSON(values["image_processor"]))
			}
			if !ok {
				continue
			}
			values = inner
		}
		if err := markFractions(path, values, "size", "crop_size", "pad_size", "resample"); err != nil {
			return nil, err
		}
		list = append(list, source{path, "", func() (transform.Pipeline, []string, error) {
			p, err := hfPipeline(values, m.Layout, m.Config, conf)
			return p, nil, err
		}})
	}
	return list, nil
}

// parseOwn reads the pipeline of a config.json that Save wrote.
func parseOwn(spec string) (transform.Pipeline, []string, error) {
	p, err := transform.Parse(spec)
	if err != nil {
		return nil, nil, fmt.Errorf("pipeline: %w", err)
	}
	return p, nil, nil
}

// defaultPipeline is the default preprocessing of the layout's own code.
func defaultPipeline(layout Layout, c Config) string {
	h, w := c.ImageSize[0], c.ImageSize[1]
	grey := ""
	if c.Channels == 1 {
		grey = "grayscale(1) | "
	}
	switch layout {
	case DINOv2: // 224 whatever the size the positions are for, as its evaluation does
		return grey + "resize(256,bicubic) | centercrop(224) | totensor | " + normalizeFor(c, normalizeImageNet)
	case HFDinov2:
		return onWhite(c) + grey + "resize(256,bicubic) | centercrop(224,floor) | totensor | " + normalizeFor(c, normalizeImageNet)
	case HFCLIP:
		if !c.PreNorm { // SigLIP
			return onWhite(c) + fmt.Sprintf("resize(%d,%d,bicubic) | totensor | %s", h, w, normalizeHalf)
		}
		return onWhite(c) + fmt.Sprintf("resize(%d,bicubic) | centercrop(%d,floor) | totensor | %s", h, h, normalizeCLIP)
	case Torchvision:
		return torchvisionPipeline(c)
	case HFDeiT:
		crop := transform.CenterCropFloor{Height: h, Width: w}
		return grey + fmt.Sprintf("resize(%d,%d,bicubic) | %s | totensor | ", 256*h/224, 256*w/224, crop) + normalizeFor(c, normalizeImageNet)
	case Timm:
		cropPct, normalize := 0.9, normalizeHalf
		if h >= 384 || c.LayerScale {
			cropPct = 1
		}
		if c.DistToken || c.LayerScale || c.Classes == 0 { // DeiT, DINOv2, DINO
			normalize = normalizeImageNet
		}
		steps, err := timmCrop(c.ImageSize, cropPct, "center", transform.Bicubic, nil)
		if err == nil {
			return grey + steps.String() + " | totensor | " + normalizeFor(c, normalize)
		}
	}
	normalize := normalizeHalf
	if layout == Random && c.Stem != nil && c.Stem.Kind == convnet.EfficientNetLite { // as its published weights are used
		normalize = normalizeLite
	}
	return grey + fmt.Sprintf("resize(%d,%d,bilinear) | totensor | %s", h, w, normalize)
}

// onWhite is what transformers' classes that convert to RGB begin with; pictures for
// other models than those of colours aren't converted.
func onWhite(c Config) string {
	if c.Channels == 3 {
		return transform.Background{}.String() + " | "
	}
	return ""
}

// normalizeFor is the normalisation for the model's channels. Models of other than three
// channels get the one that is the same for all channels.
func normalizeFor(c Config, spec string) string {
	if c.Channels == 3 {
		return spec
	}
	return normalizeHalf
}
