package source

import (
	"fmt"
	"hash/maphash"
	"strings"
	"testing"
)

func TestKeySet(t *testing.T) {
	for _, n := range []int{0, 1, 9, 10, 11, 95} {
		for _, again := range []int{-1, 0, n - 1} {
			if again >= n {
				continue
			}
			k := &keySet{size: 10}
			want := map[uint64]bool{}
			for i := range n {
				if err := k.add(fmt.Sprint(i)); err != nil {
					t.Fatal(err)
				}
			}
			if again >= 0 {
				if err := k.add(fmt.Sprint(again)); err != nil {
					t.Fatal(err)
				}
				want[maphash.String(keySeed, fmt.Sprint(again))] = true
			}
			got, err := k.twice()
			if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%d keys, %d again: %v, %v; want %v", n, again, got, err, want)
			}
			k.close()
		}
	}
}

func TestKeysTwice(t *testing.T) {
	a := write(t, map[string]string{"x.jpg": "", "y.jpg": ""})
	b := write(t, map[string]string{"y.jpg": "", "z.jpg": ""})
	_, err := list(t, Options{}, a, b)
	for _, want := range []string{`"y.jpg"`, a, b, "qualify"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error doesn't say %s: %v", want, err)
		}
	}
	all, err := list(t, Options{Qualify: true}, a, b)
	if err != nil {
		t.Fatal(err)
	}
	if got := keys(all); !strings.Contains(got, "/y.jpg") || len(all) != 4 {
		t.Error(got)
	}
	if _, err := list(t, Options{Qualify: true}, a, a); err == nil || !strings.Contains(err.Error(), "rename") {
		t.Errorf("the same folder twice: %v", err)
	}
}
