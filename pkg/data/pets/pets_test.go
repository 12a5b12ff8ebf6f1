package pets

import (
	"bytes"
	"math"
	"strings"
	"sync"
	"testing"
)

func sample(t *testing.T, seed uint64, breed, index, size int, o Options) Sample {
	t.Helper()
	s, err := Draw(seed, breed, index, size, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func equal(a, b Sample) bool {
	return bytes.Equal(a.Image.Pix, b.Image.Pix) && bytes.Equal(a.Foreground.Pix, b.Foreground.Pix) && bytes.Equal(a.Head.Pix, b.Head.Pix)
}

func TestDrawIsTheSameAtTheSameTime(t *testing.T) {
	const n = 40
	alone := make([]Sample, n)
	for i := range alone {
		alone[i] = sample(t, 3, i%Classes, i, 40+i%3, Natural)
	}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range n {
				i = (i*7 + worker*5) % n
				s, err := Draw(3, i%Classes, i, 40+i%3, Natural)
				if err != nil || !equal(s, alone[i]) {
					t.Errorf("picture %d differs when others are drawn at the same time (error %v)", i, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestArgumentsTellPicturesApart(t *testing.T) {
	base := sample(t, 1, 5, 9, 48, Natural)
	for name, s := range map[string]Sample{
		"seed":  sample(t, 2, 5, 9, 48, Natural),
		"breed": sample(t, 1, 6, 9, 48, Natural),
		"index": sample(t, 1, 5, 10, 48, Natural),
	} {
		if bytes.Equal(s.Image.Pix, base.Image.Pix) {
			t.Errorf("another %s gives the same picture", name)
		}
	}
}

func TestDrawRefusesBadArguments(t *testing.T) {
	for _, c := range []struct {
		breed, size int
		o           Options
		want        string
	}{
		{-1, 64, Natural, "breed -1"},
		{0, 7, Natural, "8 to 4096"},
		{0, MaxSize + 1, Natural, "8 to 4096"},
		{0, 64, Options{View: 1.5}, "View is 1.5"},
		{0, 64, Options{Occlusion: -1}, "Occlusion is -1"},
		{0, 64, Options{Life: math.NaN()}, "Life is NaN"},
	} {
		if _, err := Draw(1, c.breed, 0, c.size, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("breed %d, size %d, %+v: error %v, want one with %q", c.breed, c.size, c.o, err, c.want)
		}
	}
}

func TestAnySize(t *testing.T) {
	large := sample(t, 4, 11, 2, 384, Natural)
	for _, size := range []int{8, 9, 31, 100, 193} {
		s := sample(t, 4, 11, 2, size, Natural)
		for _, im := range []struct{ got, channels int }{
			{len(s.Image.Pix), 3}, {len(s.Foreground.Pix), 1}, {len(s.Head.Pix), 1},
		} {
			if want := size * size * im.channels; im.got != want {
				t.Errorf("size %d: %d values, want %d", size, im.got, want)
			}
		}
		if a, b := mean(s.Foreground.Pix), mean(large.Foreground.Pix); math.Abs(a-b) > 4 {
			t.Errorf("size %d: the animal fills %.1f of 255, %.1f at 384 pixels", size, a, b)
		}
		if a, b := mean(s.Image.Pix), mean(large.Image.Pix); math.Abs(a-b) > 2 {
			t.Errorf("size %d: mean brightness %.1f, %.1f at 384 pixels", size, a, b)
		}
	}
}

func mean(pix []uint8) float64 {
	sum := 0
	for _, v := range pix {
		sum += int(v)
	}
	return float64(sum) / float64(len(pix))
}

// Five hundred pictures: none black, white or garish; always an animal, always a
// head.
func TestPicturesAreFairlyLit(t *testing.T) {
	var brightness, share, headShare, chroma []float64
	for i := range 500 {
		s := sample(t, 8, i%Classes, i, 48, Natural)
		brightness = append(brightness, mean(s.Image.Pix))
		share = append(share, mean(s.Foreground.Pix)/255)
		headShare = append(headShare, mean(s.Head.Pix)/255)
		chroma = append(chroma, cast(s.Image.Pix))
	}
	for _, c := range []struct {
		name                        string
		values                      []float64
		least, lowMean, hiMean, top float64
	}{
		{"brightness", brightness, 60, 120, 170, 225},
		{"share of the animal", share, 0.05, 0.25, 0.5, 0.92},
		{"share of the head", headShare, 0.02, 0.12, 0.4, 0.85},
		{"colour cast", chroma, 0, 5, 40, 100},
	} {
		lo, sum, hi := c.values[0], 0.0, c.values[0]
		for _, v := range c.values {
			lo, sum, hi = min(lo, v), sum+v, max(hi, v)
		}
		m := sum / float64(len(c.values))
		t.Logf("%s: %.3g to %.3g, mean %.3g", c.name, lo, hi, m)
		if lo < c.least || hi > c.top || m < c.lowMean || m > c.hiMean {
			t.Errorf("%s: from %.3g to %.3g, mean %.3g; want %g to %g, mean %g to %g", c.name, lo, hi, m, c.least, c.top, c.lowMean, c.hiMean)
		}
	}
}

// cast is how far apart the means of red, green and blue are.
func cast(pix []uint8) float64 {
	var sums [3]float64
	for i, v := range pix {
		sums[i%3] += float64(v)
	}
	return 3 * (max(sums[0], sums[1], sums[2]) - min(sums[0], sums[1], sums[2])) / float64(len(pix))
}

// The less variation, the more alike the pictures of a breed; and each option
// on its own varies them.
func TestVariationScales(t *testing.T) {
	differ := func(o Options) float64 {
		const size, breeds = 32, 24
		sum := 0.0
		for breed := range breeds {
			a, b := sample(t, 6, breed, 0, size, o), sample(t, 6, breed, 1, size, o)
			for i, p := range a.Foreground.Pix {
				sum += math.Abs(float64(p) - float64(b.Foreground.Pix[i]))
			}
		}
		return sum / (breeds * size * size)
	}
	none, some, all := differ(Options{}), differ(Options{Life: 0.4, View: 0.4}), differ(Options{Life: 1, View: 1})
	life, view := differ(Options{Life: 1}), differ(Options{View: 1})
	t.Logf("masks of a breed differ by %.1f of 255 without variation, %.1f with some, %.1f with all; %.1f with Life only, %.1f with View only",
		none, some, all, life, view)
	if none+10 > some || some+10 > all || none+10 > life || none+10 > view || none > 15 {
		t.Error("the options don't scale the variation")
	}
}

// Without View, the light is even: a breed's coat doesn't get darker.
func TestViewScalesTheLight(t *testing.T) {
	spread := func(o Options) float64 {
		lo, hi := 255.0, 0.0
		for i := range 40 {
			m := mean(sample(t, 6, 4, i, 24, o).Image.Pix)
			lo, hi = min(lo, m), max(hi, m)
		}
		return hi - lo
	}
	if still, moving := spread(Options{}), spread(Options{View: 1}); moving < 1.3*still {
		t.Errorf("mean brightness spreads by %.1f without View, by %.1f with it", still, moving)
	}
}
