package league

import (
	"encoding/base64"
	"fmt"
	"math"
)

// Kept is the scores of single pictures, each in a byte: the mean over the models that are
// right about the picture.
type Kept struct {
	Low  float64 `json:"low"`  // what 0 stands for
	High float64 `json:"high"` // what 254 stands for; 255 is no score
	Data string  `json:"data"` // base64 of [pictures][rows]
}

// keep packs scores, [pictures][rows]; NaN is no score.
func keep(values [][]float64) *Kept {
	low, high := math.Inf(1), math.Inf(-1)
	for _, row := range values {
		for _, v := range row {
			if finite(v) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	if low > high {
		low, high = 0, 0
	}
	k := &Kept{Low: round(low), High: round(high)}
	step := k.step()
	var bytes []byte
	for _, row := range values {
		for _, v := range row {
			b := uint8(255)
			if finite(v) {
				b = 0
				if step > 0 {
					b = uint8(min(max(math.Round((v-k.Low)/step), 0), 254))
				}
			}
			bytes = append(bytes, b)
		}
	}
	k.Data = base64.StdEncoding.EncodeToString(bytes)
	return k
}

func (k *Kept) step() float64 { return (k.High - k.Low) / 254 }

// Values unpacks the scores, [pictures][rows], exact to half a step of (High-Low)/254.
func (k *Kept) Values(rows int) ([][]float64, error) {
	bytes, err := base64.StdEncoding.DecodeString(k.Data)
	if err != nil || rows < 1 || len(bytes)%rows != 0 {
		return nil, fmt.Errorf("the kept scores are damaged (%d bytes for %d rows, %v)", len(bytes), rows, err)
	}
	var out [][]float64
	for at := 0; at < len(bytes); at += rows {
		line := make([]float64, rows)
		for i, b := range bytes[at : at+rows] {
			line[i] = k.Low + float64(b)*k.step()
			if b == 255 {
				line[i] = math.NaN()
			}
		}
		out = append(out, line)
	}
	return out, nil
}

func (k *Kept) check(cases, rows int) error {
	values, err := k.Values(rows)
	if err == nil && len(values) > cases {
		err = fmt.Errorf("%d pictures' scores, but there are %d pictures", len(values), cases)
	}
	return err
}
