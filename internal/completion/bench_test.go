package completion

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"
)

// BenchmarkStart is the time from the start of the kernel until gopls completes, with the
// processor time and the memory of gopls and what it starts. GOPLSCACHE
// names an empty folder for the first start ever.
func BenchmarkStart(b *testing.B) {
	program := findGopls(b)
	cpu, _ := spent(b)
	for b.Loop() {
		c := New(Options{Root: clone(b), Gopls: program, Dir: b.TempDir()})
		if err := c.Ready(context.Background()); err != nil {
			b.Fatal(err)
		}
		c.Close()
	}
	now, memory := spent(b)
	b.ReportMetric((now-cpu).Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(float64(memory)/1024, "MB")
}

// spent is the processor time of all programs that were started and have ended, and the
// largest one's memory in kB.
func spent(b *testing.B) (time.Duration, int64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), int64(u.Maxrss)
}

// BenchmarkPress is the time of one press of Tab in cells that were never completed before,
// with the time-out that the kernel has. It reports the longest, and which share of the answers
// had what was wanted.
func BenchmarkPress(b *testing.B) {
	c := New(Options{Root: clone(b), Gopls: findGopls(b), Dir: b.TempDir()})
	defer c.Close()
	if err := c.Ready(context.Background()); err != nil {
		b.Fatal(err)
	}
	earlier, cases := readCases(b)
	for _, code := range earlier {
		c.Observe(code, true)
	}
	var times []time.Duration
	right, round := 0, 0
	for b.Loop() {
		for _, test := range cases {
			code, cursor := marked(b, test.Code)
			begin := time.Now()
			got, _ := c.Complete(fmt.Sprintf("%s\n// %d", code, round), cursor)
			times = append(times, time.Since(begin))
			if slices.Contains(got.Matches, test.Want) {
				right++
			} else if round == 0 {
				b.Logf("wrong: %s after %v", test.Name, times[len(times)-1])
			}
		}
		round++
	}
	slices.Sort(times)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(times[len(times)/2]), "ms-median")
	b.ReportMetric(ms(times[len(times)*95/100]), "ms-95%")
	b.ReportMetric(ms(times[len(times)-1]), "ms-longest")
	b.ReportMetric(100*float64(right)/float64(len(times)), "%right")
}
