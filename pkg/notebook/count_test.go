package notebook

import "testing"

func TestCount(t *testing.T) {
	c := newCount("photographs")
	if got := c.text(4, 135); got != "4 of 135 photographs" {
		t.Errorf("%q", got)
	}
	c.report(8, 135) // outside a notebook
	if !c.last.IsZero() {
		t.Error("something was shown")
	}
	c.close()
}
