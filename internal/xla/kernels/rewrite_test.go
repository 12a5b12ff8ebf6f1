package kernels

import (
	"strings"
	"testing"
)

// op is a dot_general as go-xla writes it, with its axes and further attributes.
func op(axes, more, left, right, out string) string {
	return `    %7 = "stablehlo.dot_general"(%5, %arg1) {
      dot_dimension_numbers = #stablehlo.dot<
  ` + axes + `
>,
      precision_config = [#stablehlo<precision DEFAULT>, #stablehlo<precision DEFAULT>]` + more + `
    } : (tensor<` + left + `>, tensor<` + right + `>) -> tensor<` + out + `>
`
}

const plain = `lhs_batching_dimensions = [],
  rhs_batching_dimensions = [],
  lhs_contracting_dimensions = [1],
  rhs_contracting_dimensions = [0]`

const batched = `lhs_batching_dimensions = [0, 1],
  rhs_batching_dimensions = [0, 1],
  lhs_contracting_dimensions = [3],
  rhs_contracting_dimensions = [3]`

func TestRewrite(t *testing.T) {
	tests := []struct{ name, program, want string }{
		{"matrices", op(plain, "", "197x384xf32", "384x1152xf32", "197x1152xf32"),
			`    %7 = "stablehlo.custom_call"(%5, %arg1) {call_target_name = "gaze_dot", api_version = 4 : i32, backend_config = {numbers = array<i64: 0, 1, 1, 0>}, operand_layouts = [dense<[1, 0]> : tensor<2xindex>, dense<[1, 0]> : tensor<2xindex>], result_layouts = [dense<[1, 0]> : tensor<2xindex>]} : (tensor<197x384xf32>, tensor<384x1152xf32>) -> tensor<197x1152xf32>
`},
		{"batches", op(batched, "", "2x6x197x64xf32", "2x6x197x64xf32", "2x6x197x197xf32"),
			`    %7 = "stablehlo.custom_call"(%5, %arg1) {call_target_name = "gaze_dot", api_version = 4 : i32, backend_config = {numbers = array<i64: 2, 0, 1, 0, 1, 1, 3, 3>}, operand_layouts = [dense<[3, 2, 1, 0]> : tensor<4xindex>, dense<[3, 2, 1, 0]> : tensor<4xindex>], result_layouts = [dense<[3, 2, 1, 0]> : tensor<4xindex>]} : (tensor<2x6x197x64xf32>, tensor<2x6x197x64xf32>) -> tensor<2x6x197x197xf32>
`},
		{"one row", op(plain, "", "1x384xf32", "384x1152xf32", "1x1152xf32"), ""},
		{"little work", op(plain, "", "16x16xf32", "16x16xf32", "16x16xf32"), ""},
		{"float64", op(plain, "", "197x384xf64", "384x1152xf64", "197x1152xf64"), ""},
		{"bfloat16 to float32", op(plain, "", "197x384xbf16", "384x1152xbf16", "197x1152xf32"), ""},
		{"algorithm", op(plain, ",\n      algorithm = #stablehlo.dot_algorithm<lhs_precision_type = tf32>", "197x384xf32", "384x1152xf32", "197x1152xf32"), ""},
		{"no such axis", op(strings.ReplaceAll(plain, "[1]", "[4]"), "", "197x384xf32", "384x1152xf32", "197x1152xf32"), ""},
		{"axes apart", op(strings.ReplaceAll(plain, "[1]", "[1]"), "", "64x384x64xf32", "384x1152xf32", "64x64x1152xf32"), ""},
		{"another op", `    %2 = "stablehlo.tanh"(%1) : (tensor<197x384xf32>) -> tensor<197x384xf32>`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := test.want
			if want == "" {
				want = test.program
			}
			if got := Rewrite(test.program); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestRewriteEach checks that each of several operations is decided on its own.
func TestRewriteEach(t *testing.T) {
	small, large := op(plain, "", "1x384xf32", "384x10xf32", "1x10xf32"), op(plain, "", "197x384xf32", "384x1152xf32", "197x1152xf32")
	got := Rewrite(small + large + small + large)
	if dots, calls := strings.Count(got, "dot_general"), strings.Count(got, "gaze_dot"); dots != 2 || calls != 2 {
		t.Errorf("%d dot_generals and %d calls, want 2 and 2:\n%s", dots, calls, got)
	}
	if !strings.HasPrefix(got, small) {
		t.Error("the first op was changed")
	}
}

// withCalls is a program with calls of kernels, and the functions that stand for them.
const withCalls = `module @m {
  func.func @main(%arg0: tensor<2x9x72xf32>, %arg1: tensor<72xf32>) -> tensor<2x9x24xf32> {
    %0, %1 = "func.call"(%arg0, %arg1) { callee = @gaze_call_norm_4576918229304087675_0 } : (tensor<2x9x72xf32>, tensor<72xf32>) -> (tensor<2x9x72xf32>, tensor<72xf32>)
    %2 = "func.call"(%0) { callee = @gaze_call_attention_3_1 } : (tensor<2x9x72xf32>) -> tensor<2x9x24xf32>
    %3 = "func.call"(%2) { callee = @mine } : (tensor<2x9x24xf32>) -> tensor<2x9x24xf32>
    "stablehlo.return"(%3) : (tensor<2x9x24xf32>) -> ()
  }
  func.func @gaze_call_norm_4576918229304087675_0(%x0: tensor<2x9x72xf32>, %x1: tensor<72xf32>) -> (tensor<2x9x72xf32>, tensor<72xf32>) {
    %4 = "stablehlo.slice"(%x1) {
      limit_indices = array<i64: 1>
    } : (tensor<72xf32>) -> tensor<1xf32>
    "stablehlo.return"(%x0, %x1) : (tensor<2x9x72xf32>, tensor<72xf32>) -> ()
  }
  func.func @mine(%x0: tensor<2x9x24xf32>) -> tensor<2x9x24xf32> {
    "stablehlo.return"(%x0) : (tensor<2x9x24xf32>) -> ()
  }
  func.func @gaze_call_attention_3_1(%x0: tensor<2x9x72xf32>) -> tensor<2x9x24xf32> {
    "stablehlo.return"(%5) : (tensor<2x9x24xf32>) -> ()
  }
}
`

func TestRewriteCalls(t *testing.T) {
	const want = `module @m {
  func.func @main(%arg0: tensor<2x9x72xf32>, %arg1: tensor<72xf32>) -> tensor<2x9x24xf32> {
    %0, %1 = "stablehlo.custom_call"(%arg0, %arg1) {call_target_name = "gaze_norm", api_version = 4 : i32, backend_config = {numbers = array<i64: 4576918229304087675>}, operand_layouts = [dense<[2, 1, 0]> : tensor<3xindex>, dense<[0]> : tensor<1xindex>], result_layouts = [dense<[2, 1, 0]> : tensor<3xindex>, dense<[0]> : tensor<1xindex>]} : (tensor<2x9x72xf32>, tensor<72xf32>) -> (tensor<2x9x72xf32>, tensor<72xf32>)
    %2 = "stablehlo.custom_call"(%0) {call_target_name = "gaze_attention", api_version = 4 : i32, backend_config = {numbers = array<i64: 3>}, operand_layouts = [dense<[2, 1, 0]> : tensor<3xindex>], result_layouts = [dense<[2, 1, 0]> : tensor<3xindex>]} : (tensor<2x9x72xf32>) -> tensor<2x9x24xf32>
    %3 = "func.call"(%2) { callee = @mine } : (tensor<2x9x24xf32>) -> tensor<2x9x24xf32>
    "stablehlo.return"(%3) : (tensor<2x9x24xf32>) -> ()
  }
  func.func @mine(%x0: tensor<2x9x24xf32>) -> tensor<2x9x24xf32> {
    "stablehlo.return"(%x0) : (tensor<2x9x24xf32>) -> ()
  }
}
`
	if got := Rewrite(withCalls); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestFunction(t *testing.T) {
	if got := Function(Norm, []int64{1, 23}, 4); got != "gaze_call_norm_1_23_4" {
		t.Error(got)
	}
}

// FuzzRewrite checks that Rewrite never panics and changes nothing but products and calls.
func FuzzRewrite(f *testing.F) {
	f.Add(op(plain, "", "197x384xf32", "384x1152xf32", "197x1152xf32"))
	f.Add(withCalls)
	f.Add(op(batched, "", "2x6x197x64xf32", "2x6x197x64xf32", "2x6x197x197xf32"))
	f.Fuzz(func(t *testing.T, program string) {
		got := Rewrite(program)
		if !strings.Contains(program, "stablehlo.dot_general") && !strings.Contains(program, functionPrefix) && got != program {
			t.Errorf("%q became %q", program, got)
		}
	})
}

// TestMoveActivations checks that an activation moves to the layer that its input comes from, if
// nothing else reads that.
func TestMoveActivations(t *testing.T) {
	const (
		layer = `    %1 = "func.call"(%0, %arg1) { callee = @gaze_call_linear_0_0_1_0_0 } : (tensor<9x8xf32>, tensor<32x8xf32>) -> tensor<9x32xf32>
`
		reader = `    %2 = "func.call"(%1, %arg2) { callee = @gaze_call_linear_0_1_5_0_1 } : (tensor<9x32xf32>, tensor<8x32xf32>) -> tensor<9x8xf32>
`
		another  = "    %3 = \"stablehlo.tanh\"(%1) : (tensor<9x32xf32>) -> tensor<9x32xf32>\n"
		similar  = "    %3 = \"stablehlo.tanh\"(%12) : (tensor<9x32xf32>) -> tensor<9x32xf32>\n"
		gradient = `    %1 = "func.call"(%0, %arg1) { callee = @gaze_call_linear_1_0_0_0_0 } : (tensor<9x8xf32>, tensor<8x32xf32>) -> tensor<9x32xf32>
`
		computedAgain = `    %4 = "func.call"(%0, %arg1) { callee = @gaze_call_linear_0_0_1_0_0 } : (tensor<9x8xf32>, tensor<32x8xf32>) -> tensor<9x32xf32>
`
		derivative = `    %5, %6 = "func.call"(%2, %arg2, %4) { callee = @gaze_call_linear_1_1_0_0_2 } : (tensor<9x8xf32>, tensor<8x32xf32>, tensor<9x32xf32>) -> (tensor<9x32xf32>, tensor<9x32xf32>)
`
		active = `    %1 = "func.call"(%0, %arg1) { callee = @gaze_call_linear_0_2_1_0_0 } : (tensor<9x8xf32>, tensor<32x8xf32>) -> tensor<9x32xf32>
`
	)
	tests := []struct {
		name, program string
		numbers       []string // the attributes of the calls
	}{
		{"an MLP", layer + reader, []string{"0, 1, 65, 0", "0, 0, 5, 0"}},
		{"a value of a similar name", layer + reader + similar, []string{"0, 1, 65, 0", "0, 0, 5, 0"}},
		// As where a block is computed again for its gradient: the same function is called twice.
		{"called twice", layer + reader + computedAgain + derivative, []string{"0, 1, 65, 0", "0, 0, 5, 0", "0, 0, 1, 0", "1, 1, 0, 0"}},
		{"read by another", layer + reader + another, []string{"0, 0, 1, 0", "0, 1, 5, 0"}},
		{"read before", layer + another + reader, []string{"0, 0, 1, 0", "0, 1, 5, 0"}},
		{"of another function", reader, []string{"0, 1, 5, 0"}},
		{"after a gradient", gradient + reader, []string{"1, 0, 0, 0", "0, 1, 5, 0"}},
		{"after a layer with an activation", active + reader, []string{"0, 2, 1, 0", "0, 1, 5, 0"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := Rewrite(test.program)
			for _, numbers := range test.numbers {
				if !strings.Contains(got, "array<i64: "+numbers+">") {
					t.Errorf("no call has the attributes %s:\n%s", numbers, got)
				}
			}
		})
	}
}
