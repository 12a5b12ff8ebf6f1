package plots

import "testing"

// TestBarEnds checks the ends of error bars, and that Low and High at equal
// distances draw the same as Errors.
func TestBarEnds(t *testing.T) {
	unequal := Bars{Values: []float64{4}, Low: []float64{1}, High: []float64{5}}
	if low, high, ok := unequal.errorBar(0); low != 1 || high != 5 || !ok {
		t.Errorf("from %g to %g, %v; want 1 to 5", low, high, ok)
	}
	if _, _, ok := (Bars{Values: []float64{4}}).errorBar(0); ok {
		t.Error("there is an error bar without errors")
	}
	chart := func(b Bars) string {
		doc, err := BarChart{Names: []string{"a", "b"}, Series: []Bars{b}}.SVG()
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	values := []float64{4, -2}
	half := chart(Bars{Values: values, Errors: []float64{1, 0.5}})
	if ends := chart(Bars{Values: values, Low: []float64{3, -2.5}, High: []float64{5, -1.5}}); ends != half {
		t.Error("the same ends are drawn differently")
	}
	if chart(Bars{Values: values}) == half {
		t.Error("error bars aren't drawn")
	}
}
