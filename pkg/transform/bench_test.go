package transform

import "testing"

// The report's pipeline at its two sizes, and a model's usual preprocessing, with drawn
// parameters, on a picture of typical size.
func BenchmarkPipelines(b *testing.B) {
	im := noise(375, 500, 3)
	for name, spec := range map[string]string{
		"report256": report,
		"report224": "randomhflip | centercrop(256) | resize(224,224) | rotation(30) | jitter(0.5:1.5,0.5:1.5,0.5:1.5) | perspective(0.2,p=0.5) | totensor | normalize(0.5,0.5)",
		"imagenet":  "resize(256,bicubic) | centercrop(224) | totensor | normalize([0.485,0.456,0.406],[0.229,0.224,0.225])",
	} {
		b.Run(name, func(b *testing.B) {
			p := mustParse(b, spec)
			var w Buffers
			index := uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.Tensor(p, 1, 1, index, im); err != nil {
					b.Fatal(err)
				}
				index++
			}
		})
	}
}
