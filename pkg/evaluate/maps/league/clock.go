package league

import "time"

// clock begins to time a step, which the returned function ends.
func (r *running) clock(what string) (done func()) {
	start := time.Now()
	return func() {
		if r.Timing == nil {
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.Timing(what, time.Since(start).Seconds())
	}
}
