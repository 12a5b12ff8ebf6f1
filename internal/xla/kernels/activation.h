// The exponential and the activation functions of a transformer, on vectors. The polynomials are
// minimax approximations. TestActivations holds their errors to the bounds given here.
#ifndef GAZE_ACTIVATION_H
#define GAZE_ACTIVATION_H

#include "contract.h"
#include "vector.h"

// vexp is e^x to 1 unit in the last place, 0 below -103.98, and keeps NaN.
INLINE vf vexp(vf x) {
	x = vmax(vset(-110), vmin(vset(100), x));
	vf n = vround(x * vset(1.44269504f));
	// ln 2 is split in two parts; the first has few bits, so that n times it is exact.
	vf r = vnfma(n, vset(0.693359375f), x);
	r = vnfma(n, vset(-2.12194440e-4f), r);
	vf p = vset(0.00138368458f);
	p = vfma(p, r, vset(0.00837481581f));
	p = vfma(p, r, vset(0.0416682251f));
	p = vfma(p, r, vset(0.166664198f));
	p = vfma(p, r, vset(0.499999911f));
	p = vfma(p, r, vset(1));
	p = vfma(p, r, vset(1));
	return vscale(p, n);
}

// vnormal_cdf is the standard normal distribution's cumulative function Φ(x) =
// (1+erf(x/√2))/2, to 9e-8, and its density. With e = exp(-x²/2), t = 0.35|x|/√2 and
// u = t/(1+t), the tail 1-Φ(|x|) is e/2·(1-u·S(u)) with a polynomial S.
INLINE vf vnormal_cdf(vf x, vf* density) {
	const vf one = vset(1);
	vf e = vexp(x * vset(-0.5f) * x);
	*density = e * vset(0.398942280f);
	// Beyond 4.5√2 the factor e alone makes the tail small enough.
	vf t = vmin(vset(6.36396103f), vabs(x)) * vset(0.247487373f);
	vf u = t * vreciprocal(t + one);
	vf s = vset(-0.214211255f);
	s = vfma(s, u, vset(0.645939052f));
	s = vfma(s, u, vset(-0.228624538f));
	s = vfma(s, u, vset(-1.92859221f));
	s = vfma(s, u, vset(4.43975687f));
	s = vfma(s, u, vset(-4.93912601f));
	s = vfma(s, u, vset(3.2239356f));
	vf tail = e * vset(0.5f) * vnfma(u, s, one);
	return vpositive(x, one - tail, tail);
}

// vsigmoid is 1/(1+e^-x). complement is one minus that, with its own full precision.
INLINE vf vsigmoid(vf x, vf* complement) {
	vf e = vexp(vmin(vset(88), vzero() - x));
	vf l = vset(1) / (vset(1) + e);
	*complement = e * l;
	return l;
}

// vactivation is an activation function's value and its derivative at x. function is one of
// GAZE_ACTIVATION.
INLINE vf vactivation(int function, vf x, vf* derivative) {
	vf gate, gate_derivative, complement; // the value is x·gate
	switch (function) {
	case GAZE_ACTIVATION_GELU:
		gate = vnormal_cdf(x, &gate_derivative);
		break;
	case GAZE_ACTIVATION_GELU_TANH: { // (1+tanh(y))/2 is 1/(1+e^-2y)
		const vf linear = vset(2 * 0.797884561f), cubic = vset(2 * 0.797884561f * 0.044715f), q = x * x;
		gate = vsigmoid(x * vfma(q, cubic, linear), &complement);
		gate_derivative = gate * complement * vfma(q, vset(3) * cubic, linear);
		break;
	}
	case GAZE_ACTIVATION_QUICK_GELU:
		gate = vsigmoid(x * vset(1.702f), &complement);
		gate_derivative = gate * complement * vset(1.702f);
		break;
	default:
		*derivative = vset(1);
		return x;
	}
	*derivative = vfma(x, gate_derivative, gate);
	return x * gate;
}

#endif
