package damagedfile

import (
	"errors"
	"strings"
	"testing"
)

func TestApply(t *testing.T) {
	shout := func(word string, data []byte) ([]byte, error) {
		if word != "shout" {
			return nil, errors.New("no " + word)
		}
		return []byte(strings.ToUpper(string(data))), nil
	}
	for _, c := range []struct{ recipe, want string }{
		{"-1,2", "adef"},
		{"-4,9", "abcd"},
		{"+2,7a7a", "abzzcdef"},
		{"=5,7a7a", "abcdezz"},
		{"=0,7a -1,1 +9,21", "zcdef!"},
		{"shout -0,1", "BCDEF"},
		{"sing", ""},
		{"-1,x", ""},
		{"+1,7", ""},
	} {
		got, err := Apply([]byte("abcdef"), c.recipe, shout)
		if (err != nil) != (c.want == "") || string(got) != c.want && err == nil {
			t.Errorf("%s: %q, %v", c.recipe, got, err)
		}
	}
	if _, err := Apply(nil, "crc", nil); err == nil {
		t.Error("an unknown word is done")
	}
}

func TestCases(t *testing.T) {
	list, err := Cases([]byte("a.jpg\t-1,2\trefused\tx\nb\t\ty\n"))
	if err != nil || len(list) != 2 || list[0].Rest[1] != "x" || list[1].Recipe != "" {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := Cases([]byte("a\tb\n")); err == nil {
		t.Error("two columns are enough")
	}
}
