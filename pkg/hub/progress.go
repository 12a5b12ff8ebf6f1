package hub

import "time"

// Progress is the state of a running download.
type Progress struct {
	Name  string  // the file's name
	Done  int64   // bytes fetched, including those of earlier attempts
	Total int64   // bytes of the whole file, 0 if not known
	Rate  float64 // bytes per second in this attempt
}

// meter reports progress at most once per interval, and at the end.
type meter struct {
	report   func(Progress)
	name     string
	total    int64
	interval time.Duration
	start    time.Time
	began    int64 // bytes already fetched when the attempt began
	last     time.Time
}

func newMeter(report func(Progress), name string, began, total int64) *meter {
	now := time.Now()
	return &meter{report: report, name: name, total: total, interval: 100 * time.Millisecond, start: now, began: began, last: now}
}

func (m *meter) at(done int64, end bool) {
	now := time.Now()
	if m.report == nil || !end && now.Sub(m.last) < m.interval {
		return
	}
	m.last = now
	rate := 0.0
	if s := now.Sub(m.start).Seconds(); s > 0 {
		rate = float64(done-m.began) / s
	}
	m.report(Progress{Name: m.name, Done: done, Total: m.total, Rate: rate})
}
