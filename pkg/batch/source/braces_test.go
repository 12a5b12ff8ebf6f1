package source

import (
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	for _, test := range []struct{ pattern, want string }{
		{"a", "a"},
		{"a-{000..002}.tar", "a-000.tar a-001.tar a-002.tar"},
		{"{8..10}", "8 9 10"},
		{"{08..10}", "08 09 10"},
		{"{2..0}", "2 1 0"},
		{"{a,b}-{1..2}", "a-1 a-2 b-1 b-2"},
		{"x{,y}", "x xy"},
		{"{}", "{}"},
		{"{a}", "{a}"},
		{"{1..x}", "{1..x}"},
		{"{1..2", "{1..2"},
		{"{a{1..2}b}", "{a1b} {a2b}"},
		{"s3://b/{1..2}.tar?x={y}", "s3://b/1.tar?x={y} s3://b/2.tar?x={y}"},
	} {
		var got []string
		for name, err := range expand(test.pattern) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, name)
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %s, want %s", test.pattern, got, test.want)
		}
	}
	for _, pattern := range []string{"{0..999999999}", strings.Repeat("{0..99}", 9)} {
		for _, err := range expand(pattern) {
			if err == nil {
				t.Errorf("%s was expanded", pattern)
			}
			break
		}
	}
}

func FuzzExpand(f *testing.F) {
	for _, pattern := range []string{"a-{000..012}.tar", "{a,b}{1..3}", "{{1..2}", "}{", "{0..999999999}{0..99999999}"} {
		f.Add(pattern)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		n := 0
		for name, err := range expand(pattern) {
			if n++; n > 1000 {
				break
			}
			if err == nil && !strings.Contains(pattern, "{") && name != pattern {
				t.Errorf("%q became %q", pattern, name)
			}
		}
		if n == 0 && pattern != "" {
			t.Error("nothing")
		}
	})
}
