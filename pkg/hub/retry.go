package hub

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// retryAfter parses a Retry-After header (seconds or a date); 0 if it is missing or
// invalid.
func retryAfter(value string, now time.Time) time.Duration {
	if s, err := strconv.Atoi(value); err == nil {
		if s <= 0 || s > 24*3600 {
			return 0
		}
		return time.Duration(s) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) && at.Sub(now) <= 24*time.Hour {
		return at.Sub(now)
	}
	return 0
}

// backoff is the pause before attempt n (1 is the first retry): base, doubled
// each time, at most 30 s.
func backoff(base time.Duration, n int) time.Duration {
	const most = 30 * time.Second
	d := base
	for ; n > 1 && d < most; n-- {
		d *= 2
	}
	return min(d, most)
}

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
