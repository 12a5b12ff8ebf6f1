package study

import (
	"fmt"
	"time"

	"gaze/pkg/train"
	"gaze/pkg/transform"
	"gaze/pkg/vit"
)

// Forecast estimates how long a study still takes: the arithmetic of its runs, divided by
// the speed since it began. k-NN and rows of Study.Extractors count nothing: they take
// seconds to minutes. It isn't safe for concurrent use; Study.Progress isn't called
// concurrently.
type Forecast struct {
	work  []float64 // operations of each run, in order
	ahead int       // runs that were found done, or are done
	now   float64   // share of the run under way that is done
	done  float64   // operations since the first report
	clock func() time.Time
	began time.Time
	named bool // whether Text has said how long it takes in all
}

// Forecast works out what the rows need. It loads each model's configuration.
func (s Study) Forecast() (*Forecast, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	f, configs := &Forecast{clock: time.Now}, map[string]vit.Config{}
	for _, row := range s.Rows {
		work, err := s.work(row, configs)
		if err != nil {
			return nil, fmt.Errorf("study: %s: %w", row.Title(), err)
		}
		for range s.seedsOf(row) {
			f.work = append(f.work, work)
		}
	}
	return f, nil
}

// work is the operations of one of a row's runs.
func (s Study) work(row Row, configs map[string]vit.Config) (float64, error) {
	if row.Kind != Trains || s.Extractors[row.Start] != nil {
		return 0, nil
	}
	settings, err := train.ParseSettings(row.Settings)
	if err != nil {
		return 0, err
	}
	pipeline, err := transform.Parse(row.Pipeline)
	if err != nil {
		return 0, err
	}
	cfg, known := configs[row.Start]
	if !known {
		if cfg, err = configOf(row.Start); err != nil {
			return 0, err
		}
		configs[row.Start] = cfg
	}
	if _, height, width, fixed := pipeline.OutputSize(); fixed {
		cfg.ImageSize = [2]int{height, width}
	}
	training, validation, test := s.counts(row)
	epochs, each := float64(settings.Epochs), float64(settings.Epochs)*settings.Cost(cfg.Depth)
	if settings.Probe {
		epochs, each = 1, 1
	}
	return cfg.Operations() * (training*each + validation*epochs + test), nil
}

// counts are the pictures that a row's run trains, validates and tests on.
func (s Study) counts(row Row) (training, validation, test float64) {
	for _, n := range s.Data.Train.Counts() {
		if row.PerClass > 0 {
			n = min(n, row.PerClass)
		}
		training += float64(n)
	}
	validation = float64(s.Data.Validation.Len())
	if s.Data.Test != nil {
		return training, validation, float64(s.Data.Test.Len())
	}
	return training, validation, validation
}

func configOf(start string) (vit.Config, error) {
	if vit.IsSpec(start) {
		return vit.ParseConfig(start)
	}
	m, err := vit.Load(start)
	if err != nil {
		return vit.Config{}, err
	}
	defer m.Close()
	return m.Config, nil
}

// Observe takes a report of the study's progress.
func (f *Forecast) Observe(p Progress) {
	if p.Run < 1 || p.Run > len(f.work) {
		return
	}
	if f.began.IsZero() {
		f.ahead, f.began = p.Run-1, f.clock()
		f.now = share(p)
		return
	}
	if run := p.Run - 1; run > f.ahead {
		f.done += f.work[f.ahead] * (1 - f.now)
		f.ahead, f.now = run, 0
	} else if run < f.ahead { // of several at a time, the last counts
		return
	}
	if now := share(p); now > f.now {
		f.done += f.work[f.ahead] * (now - f.now)
		f.now = now
	}
}

// share is how much of its run a report is about.
func share(p Progress) float64 {
	if p.Epochs == 0 || p.Batches == 0 {
		return 0
	}
	if p.EpochDone() {
		return float64(p.Epoch) / float64(p.Epochs)
	}
	return (float64(p.Epoch-1) + float64(p.Done)/float64(p.Batches)) / float64(p.Epochs)
}

// enough is how long a study must have run for its speed to mean something: programs are
// compiled in the first seconds.
const enough = 20 * time.Second

// Remaining is the estimate of the time that is left; false where it is too early for one.
func (f *Forecast) Remaining() (time.Duration, bool) {
	if f.began.IsZero() || f.done == 0 {
		return 0, false
	}
	elapsed := f.clock().Sub(f.began)
	if elapsed < enough {
		return 0, false
	}
	left := f.work[f.ahead] * (1 - f.now)
	for _, w := range f.work[f.ahead+1:] {
		left += w
	}
	return time.Duration(float64(elapsed) * left / f.done), true
}

// Text is the estimate in words, "" while it is too early for one: the first time for the
// whole study, then for what is left.
func (f *Forecast) Text() string {
	left, ok := f.Remaining()
	if !ok {
		return ""
	}
	if !f.named {
		f.named = true
		all := left + f.clock().Sub(f.began)
		return fmt.Sprintf("%d of %d runs were done before; the others take about %s in all, to about %s",
			f.ahead, len(f.work), aboutTime(all), f.clock().Add(left).Format("15:04"))
	}
	return "about " + aboutTime(left) + " left"
}

// aboutTime rounds to what such an estimate is worth.
func aboutTime(d time.Duration) string {
	switch {
	case d >= time.Hour:
		d = d.Round(5 * time.Minute)
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	case d >= 2*time.Minute:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
