package donation

import (
	"strings"
	"testing"
)

// step is Adam's update of one weight as go-xla writes it, with attributes on one line and on
// several.
const step = `module @step {
  func.func @main(%arg0: tensor<3xf32>, %_model_w: tensor<2x3xf32>, %_exp_avg_w: tensor<2x3xf32>, %_exp_avg_sq_w: tensor<2x3xf32>, %_model_frozen: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<f32>) {
    %0 = "stablehlo.slice"(%arg0) {
      limit_indices = array<i64: 1>,
      start_indices = array<i64: 0>,
      strides = array<i64: 1>
    } : (tensor<3xf32>) -> tensor<1xf32>
    %1 = "stablehlo.reshape"(%0) : (tensor<1xf32>) -> tensor<f32>
    %2 = "stablehlo.broadcast_in_dim"(%1) { broadcast_dimensions = array<i64> } : (tensor<f32>) -> tensor<2x3xf32>
    %3 = "stablehlo.custom_call"(%_model_w, %_model_frozen) {call_target_name = "gradient"} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
    %4 = "stablehlo.subtract"(%3, %_exp_avg_w) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
    %5 = "stablehlo.multiply"(%4, %2) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
    %6 = "stablehlo.add"(%_exp_avg_w, %5) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
    %7 = "stablehlo.multiply"(%3, %3) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
    %8 = "stablehlo.multiply"(%_exp_avg_sq_w, %2) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
    %9 = "stablehlo.add"(%8, %7) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
    %10 = "stablehlo.sqrt"(%9) : (tensor<2x3xf32>) -> tensor<2x3xf32>
    %11 = "stablehlo.divide"(%6, %10) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
    %12 = "stablehlo.subtract"(%_model_w, %11) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
    "stablehlo.return"(%12, %6, %9, %1) : (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<f32>) -> ()
  }
  func.func @other(%x: tensor<f32>) -> tensor<f32> {
    "stablehlo.return"(%x) : (tensor<f32>) -> ()
  }
}
`

func TestRewrite(t *testing.T) {
	want := "%_model_w: tensor<2x3xf32> {tf.aliasing_output = 0 : i32}, %_exp_avg_w: tensor<2x3xf32> {tf.aliasing_output = 1 : i32}, " +
		"%_exp_avg_sq_w: tensor<2x3xf32> {tf.aliasing_output = 2 : i32}, %_model_frozen: tensor<2x3xf32>) ->"
	got := Rewrite(step)
	if !strings.Contains(got, want) {
		t.Errorf("got\n%s\nwant in it\n%s", got, want)
	}
	// Nothing else has changed.
	for i := range 3 {
		got = strings.Replace(got, " {tf.aliasing_output = "+string(rune('0'+i))+" : i32}", "", 1)
	}
	if got != step {
		t.Errorf("more was changed:\n%s", got)
	}
}

func TestRewriteLeavesUnchanged(t *testing.T) {
	for name, program := range map[string]string{
		"nothing":             "",
		"no variables":        strings.ReplaceAll(step, "%_", "%v"),
		"another kind":        strings.ReplaceAll(step, "%_model_w: tensor<2x3xf32>,", `%_model_w: tensor<2x3xf32> {mhlo.sharding = "x"},`),
		"the variable itself": strings.Replace(step, `"stablehlo.return"(%12, %6, %9, %1)`, `"stablehlo.return"(%_model_w, %_exp_avg_w, %_exp_avg_sq_w, %1)`, 1),
		"cut":                 step[:200],
	} {
		if got := Rewrite(program); got != program {
			t.Errorf("%s: became\n%s", name, got)
		}
	}
}

// FuzzRewrite checks that Rewrite never panics and never shortens a program.
func FuzzRewrite(f *testing.F) {
	f.Add(step)
	f.Add(step[:300])
	f.Fuzz(func(t *testing.T, program string) {
		if got := Rewrite(program); len(got) < len(program) {
			t.Errorf("%q became %q", program, got)
		}
	})
}
