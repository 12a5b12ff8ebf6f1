// Code generated from contract.h by go test ./internal/xla/kernels -regen; DO NOT EDIT.

package kernels

// The kernels. The target of a kernel's custom call is its name with this prefix.
const (
	TargetPrefix = "gaze_"
	Dot          = "dot"
	Linear       = "linear"
	Attention    = "attention"
	Norm         = "norm"
	Convolution  = "convolution"
)

// A dot is StableHLO's dot_general. Its attributes are the number of batch axes, those of the
// left operand, those of the right one, the number of contracted axes, and again both lists.
const (
	MaxRank = 8 // of either operand
)

// A linear layer computes (f(x)·weightᵀ + bias)·scale + residual, where f is a layer norm or
// an activation function.
const (
	LinearAttrKind       = 0
	LinearAttrActivation = 1
	LinearAttrFlags      = 2
	LinearAttrEpsilon    = 3 // of the layer norm
	LinearAttrs          = 4
)

// The kinds of a linear layer's call, with their operands and results:
//
//	forward          x [rows, in], weight [out, in], and by the flags bias [out], scale [out],
//	                 gamma and beta [in], residual [rows, out], in this order;
//	                 gives [rows, out]
//	input gradient   gradient [rows, out], weight [out, in], and with an activation function
//	                 its input x [rows, in];
//	                 gives the gradient for x [rows, in], and with an activation f(x)
//	weight gradient  gradient [rows, out], f(x) [rows, in];
//	                 gives the gradients for weight [out, in] and bias [out]
const (
	LinearForward        = 0
	LinearInputGradient  = 1
	LinearWeightGradient = 2
)

// The flags of a forward call.
const (
	LinearHasBias         = 1
	LinearHasNorm         = 2
	LinearHasResidual     = 4
	LinearIsPacked        = 8 // the weight was packed by gaze_prepack_b, see GAZE_PACKED_MULTIPLE
	LinearHasScale        = 16
	LinearHasFewRows      = 32 // the weight should be read as it is
	LinearActivatesResult = 64 // the activation function is applied to the result, and not to x
)

// The activation functions.
const (
	ActivationNone      = 0
	ActivationGELU      = 1 // x·Φ(x)
	ActivationGELUTanh  = 2 // GELU, approximated by tanh
	ActivationQuickGELU = 3 // x·sigmoid(1.702x)
)

// Self-attention takes qkv [batch, tokens, 3*heads*dim] and gives the output of the first
// queries [batch, queries, heads*dim]. With the gradient for the output as a second operand,
// it gives the gradient for qkv.
const (
	AttentionAttrHeads   = 0
	AttentionAttrQueries = 1
	AttentionAttrs       = 2
)

// Layer norm takes x [rows, n], gamma [n] and beta [n]. With three results, the third operand
// is the gradient for the output [rows, n], and the results are those for x, gamma and beta.
const (
	NormAttrEpsilon = 0
	NormAttrs       = 1
)

// A convolution takes pictures x [batch, rows, columns, in], a kernel [kernel rows, kernel
// columns, in, out], and by the flags scale [out], shift [out], and residual [batch, rows out,
// columns out, out], in this order. It gives conv(x, kernel)*scale + shift + residual, or the
// maximum of that and 0. What lies outside of a picture is zero. The attributes are the distance
// between positions of the kernel, that between its elements, and the rows above and the columns
// left of the picture that the first position includes.
const (
	ConvolutionAttrStride   = 0
	ConvolutionAttrDilation = 1
	ConvolutionAttrTop      = 2
	ConvolutionAttrLeft     = 3
	ConvolutionAttrFlags    = 4
	ConvolutionAttrs        = 5
)

// The flags of a convolution.
const (
	ConvolutionHasScale    = 1
	ConvolutionHasShift    = 2
	ConvolutionHasResidual = 4
	ConvolutionHasReLU     = 8  // negative results become 0
	ConvolutionIsPacked    = 16 // the kernel was packed as a matrix of out columns, a multiple of GAZE_PACKED_MULTIPLE, by gaze_prepack_b
)

// Packed weights are [out, in] with out rounded up to a multiple of this, which is one of every
// set's vectors.
const (
	PackedMultiple = 16
)
