package train_test

import (
	"errors"
	"fmt"
	"log"
	"math"
	"strings"
	"testing"

	"gaze/pkg/train"
	"gaze/pkg/transform"
)

func ExampleParseSettings() {
	s, err := train.ParseSettings("lr=1e-6; epochs=5; batch=16; accumulate=15; seed=1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Rate, s.Optimizer, s.Updates(230)) // 3680 pictures are 230 batches
	_, err = train.ParseSettings("lr=1e-3; epoch=5")
	fmt.Println(err)
	// Output:
	// 1e-06 adam 16
	// column 10: there is no setting "epoch"; there are lr, epochs, batch, accumulate, divide, seed, optimizer, weight_decay, no_decay, momentum, nesterov, beta1, beta2, eps, schedule, floor, warmup, clip, smoothing, ema, droppath, layerdecay, freeze, probe, mixup, cutmix, precision, checkpoint, valid, head_epochs, head_lr
	//   lr=1e-3; epoch=5
	//            ^
}

func TestParseSettings(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "lr=0.0001; epochs=5; batch=16; accumulate=1; seed=1"},
		{" LR = 3e-4 ;; Epochs=2; ", "lr=0.0003; epochs=2; batch=16; accumulate=1; seed=1"},
		{"probe; seed=18446744073709551615", "lr=0.0001; epochs=5; batch=16; accumulate=1; seed=18446744073709551615; probe=true"},
		{"probe=false;nodecay=1", "lr=0.0001; epochs=5; batch=16; accumulate=1; seed=1; no_decay=true"},
		{"checkpoint; precision=BFloat16", "lr=0.0001; epochs=5; batch=16; accumulate=1; seed=1; precision=bfloat16; checkpoint=true"},
		{"freeze=Blocks:02; layerdecay=0.5", "lr=0.0001; epochs=5; batch=16; accumulate=1; seed=1; layerdecay=0.5; freeze=blocks:2"},
		{"checkpoint=false; precision=float32", "lr=0.0001; epochs=5; batch=16; accumulate=1; seed=1"},
		{"optimizer=AdamW", "lr=0.0001; epochs=5; batch=16; accumulate=1; seed=1; optimizer=adamw"},
		{"weightdecay=0.01; optimizer=adamw", "lr=0.0001; epochs=5; batch=16; accumulate=1; seed=1; optimizer=adamw"},
		{"optimizer=adamw; weight_decay=0", "lr=0.0001; epochs=5; batch=16; accumulate=1; seed=1; optimizer=adamw; weight_decay=0"},
		{"optimizer=sgd;momentum=0.9;nesterov;schedule=cosine;floor=1e-6;warmup=0.5;clip=1",
			"lr=0.0001; epochs=5; batch=16; accumulate=1; seed=1; optimizer=sgd; momentum=0.9; nesterov=true; schedule=cosine; floor=1e-06; warmup=0.5; clip=1"},
	} {
		s, err := train.ParseSettings(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if got := s.String(); got != c.want {
			t.Errorf("%q is %q, want %q", c.text, got, c.want)
		}
		if again, err := train.ParseSettings(s.String()); err != nil || again != s {
			t.Errorf("%q comes back as %+v (%v), not %+v", s.String(), again, err, s)
		}
	}
}

func TestParseSettingsErrors(t *testing.T) {
	for _, c := range []struct {
		text   string
		column int
		says   string
	}{
		{"lr", 1, `lr is a number, not ""`},
		{"lr=", 4, "the value of lr should be here"},
		{"lr= ;", 5, "the value of lr should be here"},
		{"lr=fast", 4, `not "fast"`},
		{"lr=NaN", 4, "between 0"},
		{"lr=-1", 4, "between 0"},
		{"lr=1; lr=2", 7, "second time"},
		{"seed=1; weight_decay=1;weightdecay=2", 24, "second time"},
		{"epochs=1.5", 8, "whole number"},
		{"epochs=0", 8, "between 1"},
		{"ä=1; lr=x", 1, `"ä"`},
		{" ä; lr=x", 2, `"ä"`},
		{"lr=1e-3 ; epochs = many", 20, `not "many"`},
		{"lr=1e-3, epochs=5", 4, `not "1e-3, epochs=5"`},
		{"seed=-1", 6, "from 0"},
		{"optimizer=lion", 11, "adam, adamw, sgd"},
		{"probe=perhaps", 7, "true or false"},
		{"ema=1", 5, "less than 1"},
		{"momentum=0.9", 1, "optimizer=sgd"},
		{"optimizer=sgd; nesterov", 1, "momentum=0.9"},
		{"floor=1; schedule=cosine", 1, "above the learning rate"},
		{"floor=1e-6", 1, "schedule=cosine"},
		{"warmup=6", 1, "longer than the 5 epochs"},
		{"probe; mixup=0.2", 1, "can't be mixed"},
		{"freeze=backbone; layerdecay=0.75", 1, "only the head"},
		{"freeze=blocks", 8, "none, stem, backbone, blocks:N"},
		{"freeze=blocks:0", 8, "1 or more"},
		{"freeze=blocks:-1", 8, "1 or more"},
		{"freeze=blocks:2; probe", 1, "only the head"},
		{"precision=float16", 11, "float32, bfloat16"},
		{"checkpoint=often", 12, "true or false"},
		{"probe; precision=bfloat16", 1, "change nothing in a probe"},
		{"probe; checkpoint", 1, "change nothing in a probe"},
		{"eps=0", 5, "more than 0 and at most 1"},
		{"beta1=1", 7, "at least 0 and less than 1"},
		{"smoothing=2", 11, "between 0 and 1"},
		{"=", 1, `no setting ""`},
	} {
		_, err := train.ParseSettings(c.text)
		var syntax *transform.SyntaxError
		if !errors.As(err, &syntax) || syntax.Column != c.column || !strings.Contains(syntax.Reason, c.says) {
			t.Errorf("%q: %v, want column %d and %q", c.text, err, c.column, c.says)
		}
	}
}

func FuzzParseSettings(f *testing.F) {
	for _, seed := range []string{"", "lr=1e-6; epochs=5; batch=16; accumulate=15; seed=1", "probe", "lr==", "ema=0.999;optimizer=sgd;momentum=0.9", "ä=;\xff", "LR =1;\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := train.ParseSettings(text)
		if err != nil {
			var syntax *transform.SyntaxError
			if !errors.As(err, &syntax) || syntax.Column < 1 || syntax.Column > len(text)+1 {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		if again, err := train.ParseSettings(s.String()); err != nil || again != s {
			t.Fatalf("%q: %q comes back as %+v (%v)", text, s.String(), again, err)
		}
	})
}

// TestSettingsSchedule checks the rate of every update of a short run.
func TestSettingsSchedule(t *testing.T) {
	for _, c := range []struct {
		text string
		want []float64
	}{
		{"lr=2; epochs=2; accumulate=2", []float64{2, 2, 2, 2}},
		{"lr=2; epochs=2; accumulate=2; schedule=linear", []float64{2, 1.5, 1, 0.5}},
		{"lr=2; epochs=2; accumulate=2; schedule=linear; floor=1", []float64{2, 1.75, 1.5, 1.25}},
		{"lr=2; epochs=2; accumulate=2; schedule=cosine; warmup=1", []float64{2.0 / 3, 4.0 / 3, 2, 1}},
	} {
		s, err := train.ParseSettings(c.text)
		if err != nil {
			t.Fatal(err)
		}
		o := s.Options(3, 2)
		if s.Updates(3)*s.Epochs != len(c.want) {
			t.Fatalf("%s: %d updates", c.text, s.Updates(3)*s.Epochs)
		}
		for i, want := range c.want {
			if got := o.Schedule(i); math.Abs(got-want) > 1e-12 {
				t.Errorf("%s: update %d has the rate %g, want %g", c.text, i, got, want)
			}
		}
	}
}

func TestSettingsOptions(t *testing.T) {
	s, err := train.ParseSettings("optimizer=adamw; no_decay; layerdecay=0.5; ema=0.9; mixup=0.2; cutmix=1; clip=1; divide")
	if err != nil {
		t.Fatal(err)
	}
	o := s.Options(10, 2)
	if adam, ok := o.Optimizer.(train.Adam); !ok || adam != train.NewAdamW() {
		t.Errorf("optimiser %+v", o.Optimizer)
	}
	if len(o.Rules) != 2 || o.Average == nil || o.Average.Decay != 0.9 || o.ClipNorm != 1 || !o.DivideByAccumulate {
		t.Errorf("options %+v", o)
	}
	if mix := s.Mix(); mix == nil || *mix != (transform.Mix{MixupAlpha: 0.2, CutMixAlpha: 1, P: 1, Switch: 0.5}) {
		t.Errorf("mixing %+v", mix)
	}
	s, err = train.ParseSettings("optimizer=sgd; momentum=0.9; freeze=backbone")
	if err != nil {
		t.Fatal(err)
	}
	o = s.Options(10, 2)
	if o.Optimizer != train.Optimizer(train.SGD{Momentum: 0.9}) || len(o.Rules) != 1 || s.Mix() != nil {
		t.Errorf("options %+v", o)
	}
	if m := s.Map(); m["lr"] != "0.0001" || m["freeze"] != "backbone" || len(m) != 26 {
		t.Errorf("map %v", m)
	}
	if m := s.Map(); o.Precision != train.Float32 || o.Checkpointing || m["precision"]+m["checkpoint"] != "" {
		t.Errorf("options %+v, map %v", o, m)
	}
	if s, err = train.ParseSettings("precision=bfloat16; checkpoint"); err != nil {
		t.Fatal(err)
	}
	if o, m := s.Options(10, 2), s.Map(); o.Precision != train.BFloat16 || !o.Checkpointing || m["precision"] != "bfloat16" || m["checkpoint"] != "true" {
		t.Errorf("options %+v, map %v", o, m)
	}
}
