package train

import "gaze/pkg/transform"

// EvaluationPipeline is a training pipeline without chance, to validate and to
// classify with: random steps are left out, but a random crop becomes one of the
// middle, and a random resized crop what torchvision's references put in its
// place: the shorter side to 256/224 of the size, then the middle (with a size
// that isn't square, all of the picture).
func EvaluationPipeline(p transform.Pipeline) transform.Pipeline {
	var out transform.Pipeline
	for _, op := range p {
		switch o := op.(type) {
		case transform.RandomCrop:
			out = append(out, transform.CenterCrop{Height: o.Height, Width: o.Width})
		case transform.RandomResizedCrop:
			if o.Height != o.Width {
				out = append(out, transform.ResizeTo{Height: o.Height, Width: o.Width, Filter: o.Filter})
				continue
			}
			out = append(out, transform.ResizeShort{Size: (o.Height*256 + 112) / 224, Filter: o.Filter}, transform.CenterCrop{Height: o.Height, Width: o.Width})
		case transform.RandomOp, transform.RandomTensorOp:
		default:
			out = append(out, op)
		}
	}
	return out
}
