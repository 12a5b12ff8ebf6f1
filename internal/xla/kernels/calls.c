//go:build cgo && linux && !noxla && amd64

// The custom calls: what XLA calls, and what each makes of its arrays. All have one
// attribute, a list of numbers.

#include "calls.h"

#include <stdlib.h>
#include <string.h>

#include "attention.h"
#include "ffi.h"
#include "norm.h"
#include "product.h"

enum { AXES = 8, ARRAYS = 8 };

static int threads = 1;
static bool tiles;

// What a call was given.
typedef struct {
	const ffi_buffer *in[ARRAYS], *out[ARRAYS];
	int64_t ins, outs, count;
	const int64_t* numbers;
	scheduler scheduler;
} call;

static bool schedule(const scheduler* s, void (*task)(void*), void* data) {
	const call_frame* f = s->with;
	schedule_args args = {.struct_size = sizeof args, .context = f->context, .task = task, .data = data};
	return f->api->schedule(&args) == NULL;
}

static bool understand(const call_frame* f, call* c) {
	const ffi_attributes* at = &f->attributes;
	if (f->arguments.size > ARRAYS || f->results.size > ARRAYS || at->size != 1 || at->types[0] != FFI_ARRAY)
		return false;
	const ffi_array* numbers = at->values[0];
	if (numbers->dtype != FFI_S64)
		return false;
	*c = (call){.ins = f->arguments.size, .outs = f->results.size, .count = numbers->size, .numbers = numbers->data, .scheduler = {schedule, f, threads}};
	for (int64_t i = 0; i < c->ins; i++)
		if ((c->in[i] = f->arguments.values[i])->dtype != FFI_F32)
			return false;
	for (int64_t i = 0; i < c->outs; i++)
		if ((c->out[i] = f->results.values[i])->dtype != FFI_F32)
			return false;
	return true;
}

// Why a call failed; NULL when it didn't.
static const char misunderstood[] = "it was called with what it can't compute", no_memory[] = "no memory";

static const char* outcome(bool done) { return done ? NULL : no_memory; }

static int64_t size(const ffi_buffer* b, int64_t from, int64_t to) {
	int64_t all = 1;
	for (int64_t i = from; i < to; i++)
		all *= b->dims[i];
	return all;
}

// A matrix by rows: an array's last axis, and all others.
static int64_t columns(const ffi_buffer* b) { return b->rank > 0 ? b->dims[b->rank - 1] : 1; }
static int64_t rows(const ffi_buffer* b) { return size(b, 0, b->rank - 1); }
static matrix by_rows(const ffi_buffer* b) { return (matrix){b->data, columns(b), 1}; }
static matrix by_columns(const ffi_buffer* b) { return (matrix){b->data, 1, columns(b)}; }
static bool is_vector(const ffi_buffer* b, int64_t n) { return b->rank == 1 && b->dims[0] == n; }
static bool is_matrix(const ffi_buffer* b, int64_t m, int64_t n) { return b->rank > 0 && rows(b) == m && columns(b) == n; }

static double real(int64_t bits) {
	double x;
	memcpy(&x, &bits, sizeof x);
	return x;
}

// linear: a kind, an activation function, and its further arrays as bits.
enum { LINEAR, LINEAR_BACK, LINEAR_WEIGHTS, HAS_BIAS = 1, HAS_NORM = 2, HAS_RESIDUAL = 4, IS_PACKED = 8, HAS_SCALE = 16 };

// x [rows, in], w [out, in], or packed, then bias [out], scale [out], gamma and beta [in], residual [rows, out],
// those that are there: x, prepared, times w turned, and so on.
static const char* linear_forward(const call* c) {
	const int64_t flags = c->numbers[2];
	const ffi_buffer *x = c->in[0], *w = c->in[1], *y = c->out[0];
	product p = {by_rows(x), by_columns(w), flags & IS_PACKED, y->data, rows(x), rows(w), columns(x), {.activation = c->numbers[1]}};
	if (c->outs != 1 || !is_matrix(w, p.n, p.k) || !is_matrix(y, p.m, p.n))
		return misunderstood;
	int64_t next = 2;
	if (flags & HAS_BIAS) {
		if (next >= c->ins || !is_vector(c->in[next], p.n))
			return misunderstood;
		p.around.bias = c->in[next++]->data;
	}
	if (flags & HAS_SCALE) {
		if (next >= c->ins || !is_vector(c->in[next], p.n))
			return misunderstood;
		p.around.scale = c->in[next++]->data;
	}
	if (flags & HAS_NORM) {
		if (next + 1 >= c->ins || !is_vector(c->in[next], p.k) || !is_vector(c->in[next + 1], p.k))
			return misunderstood;
		p.around.gamma = c->in[next++]->data;
		p.around.beta = c->in[next++]->data;
		p.around.epsilon = real(c->numbers[3]);
	}
	if (flags & HAS_RESIDUAL) {
		if (next >= c->ins || !is_matrix(c->in[next], p.m, p.n))
			return misunderstood;
		p.around.residual = c->in[next++]->data;
	}
	return next == c->ins ? outcome(gaze_multiply(&c->scheduler, &p, tiles)) : misunderstood;
}

// gradient [rows, out], w [out, in] and, if there is an activation, x [rows, in] that it
// was applied to: the gradient with respect to x, and the activation's values.
static const char* linear_back(const call* c) {
	const ffi_buffer *g = c->in[0], *w = c->in[1], *dx = c->out[0];
	product p = {by_rows(g), by_rows(w), false, dx->data, rows(g), columns(w), columns(g), {.activation = c->numbers[1]}};
	bool slope = p.around.activation != NONE;
	if (c->ins != 2 + slope || c->outs != 1 + slope || !is_matrix(w, p.k, p.n) || !is_matrix(dx, p.m, p.n))
		return misunderstood;
	if (slope) {
		if (!is_matrix(c->in[2], p.m, p.n) || !is_matrix(c->out[1], p.m, p.n))
			return misunderstood;
		p.around.slope_at = c->in[2]->data;
		p.around.values = c->out[1]->data;
	}
	return outcome(gaze_multiply(&c->scheduler, &p, tiles));
}

// gradient [rows, out] and x [rows, in]: the gradients with respect to w and to bias.
static const char* linear_weights(const call* c) {
	const ffi_buffer *g = c->in[0], *x = c->in[1];
	product p = {by_columns(g), by_rows(x), false, c->out[0]->data, columns(g), columns(x), rows(g), {0}};
	if (c->ins != 2 || c->outs != 2 || rows(x) != p.k || !is_matrix(c->out[0], p.m, p.n) || !is_vector(c->out[1], p.m))
		return misunderstood;
	p.around.sums = c->out[1]->data;
	return outcome(gaze_multiply(&c->scheduler, &p, tiles));
}

static const char* linear(const call* c) {
	if (c->count != 4 || c->ins < 2 || c->outs < 1 || c->numbers[1] < NONE || c->numbers[1] > QUICK_GELU)
		return misunderstood;
	for (int64_t i = 0; i < 2; i++)
		if (c->in[i]->rank < 2)
			return misunderstood;
	switch (c->numbers[0]) {
	case LINEAR:
		return linear_forward(c);
	case LINEAR_BACK:
		return linear_back(c);
	case LINEAR_WEIGHTS:
		return linear_weights(c);
	}
	return misunderstood;
}

// attend: the numbers of heads and of queries. qkv [batch, tokens, 3*heads*dim] and, for
// the gradient with respect to it, that with respect to the result [batch, queries,
// heads*dim].
static const char* attend(const call* c) {
	if (c->count != 2 || c->numbers[0] < 1 || c->ins < 1 || c->ins > 2 || c->outs != 1)
		return misunderstood;
	const ffi_buffer *qkv = c->in[0], *out = c->out[0], *gradient = c->ins > 1 ? c->in[1] : NULL, *mixed = gradient ? gradient : out;
	const int64_t heads = c->numbers[0], queries = c->numbers[1];
	if (qkv->rank != 3 || mixed->rank != 3 || columns(qkv) % (3 * heads) || queries < 1 || queries > qkv->dims[1] || mixed->dims[1] != queries)
		return misunderstood;
	attention a = {qkv->data, qkv->dims[0], qkv->dims[1], heads, columns(qkv) / 3 / heads, queries};
	if (!is_matrix(mixed, a.batch * queries, heads * a.dim) || (gradient && !is_matrix(out, rows(qkv), columns(qkv))))
		return misunderstood;
	if (!gradient) {
		a.mixed = out->data;
		return outcome(gaze_attend(&c->scheduler, &a));
	}
	a.gradient = gradient->data;
	a.qkv_gradient = out->data;
	return outcome(gaze_attend_back(&c->scheduler, &a));
}

// normalize: epsilon. x [rows, n], gamma [n], then beta [n], or the gradient with respect
// to the result [rows, n] for those with respect to x, gamma and beta.
static const char* normalize(const call* c) {
	if (c->count != 1 || c->ins != 3 || (c->outs != 1 && c->outs != 3))
		return misunderstood;
	const ffi_buffer *x = c->in[0], *third = c->in[2];
	norm l = {.x = x->data, .gamma = c->in[1]->data, .epsilon = real(c->numbers[0]), .rows = rows(x), .n = columns(x)};
	if (!is_vector(c->in[1], l.n) || !is_matrix(c->out[0], l.rows, l.n))
		return misunderstood;
	if (c->outs == 1) {
		l.beta = third->data;
		l.out = c->out[0]->data;
		return is_vector(third, l.n) ? outcome(gaze_normalize(&c->scheduler, &l)) : misunderstood;
	}
	if (!is_matrix(third, l.rows, l.n) || !is_vector(c->out[1], l.n) || !is_vector(c->out[2], l.n))
		return misunderstood;
	l.gradient = third->data;
	l.x_gradient = c->out[0]->data;
	l.gamma_gradient = c->out[1]->data;
	l.beta_gradient = c->out[2]->data;
	return outcome(gaze_normalize_back(&c->scheduler, &l));
}

// Some of an array's axes, in order: their sizes and how far apart elements are.
typedef struct {
	int n;
	int64_t size[AXES], apart[AXES];
} axes;

static void add(axes* a, int64_t size, int64_t apart) {
	a->size[a->n] = size;
	a->apart[a->n++] = apart;
}

static int64_t count(const axes* a) {
	int64_t all = 1;
	for (int i = 0; i < a->n; i++)
		all *= a->size[i];
	return all;
}

// offset is where the i-th element is.
static int64_t offset(const axes* a, int64_t i) {
	int64_t at = 0;
	for (int x = a->n - 1; x >= 0; x--) {
		at += i % a->size[x] * a->apart[x];
		i /= a->size[x];
	}
	return at;
}

// one joins axes of which each takes up where the next ends; false when they don't.
static bool one(axes* a) {
	while (a->n > 1) {
		if (a->apart[a->n - 2] != a->size[a->n - 1] * a->apart[a->n - 1])
			return false;
		a->size[a->n - 2] *= a->size[a->n - 1];
		a->apart[a->n - 2] = a->apart[a->n - 1];
		a->n--;
	}
	if (a->n == 0)
		add(a, 1, 1);
	return true;
}

// sort tells an array's axes apart; batch and contracted ones in the order given.
static bool sort(const ffi_buffer* b, int64_t batches, const int64_t* batch, int64_t sums, const int64_t* sum, axes* batched, axes* summed, axes* rest) {
	int64_t apart[AXES], all = 1;
	bool used[AXES] = {false};
	if (b->rank > AXES || batches + sums > b->rank)
		return false;
	for (int64_t i = b->rank - 1; i >= 0; i--) {
		apart[i] = all;
		all *= b->dims[i];
	}
	for (int64_t i = 0; i < batches + sums; i++) {
		int64_t x = i < batches ? batch[i] : sum[i - batches];
		if (x < 0 || x >= b->rank || used[x])
			return false;
		used[x] = true;
		add(i < batches ? batched : summed, b->dims[x], apart[x]);
	}
	for (int64_t i = 0; i < b->rank; i++)
		if (!used[i])
			add(rest, b->dims[i], apart[i]);
	return true;
}

// A product for each element of a batch.
typedef struct {
	product first;
	axes left, right;
	int64_t batches;
	_Atomic bool failed;
} batch;

static product of_batch(const batch* b, int64_t i) {
	product p = b->first;
	p.left.data += offset(&b->left, i);
	p.right.data += offset(&b->right, i);
	p.out += i * p.m * p.n;
	return p;
}

static long batch_pieces(const void* data, int phase) { return ((const batch*)data)->batches; }

static void batch_piece(void* data, int phase, long i) {
	batch* b = data;
	product p = of_batch(b, i);
	if (!gaze_multiply_alone(&p, tiles))
		b->failed = true;
}

// dot: StableHLO's dot_general, with the numbers of its axes: how many batch axes, the
// left's, the right's, how many contracted axes, the left's, the right's.
static const char* dot(const call* c) {
	const int64_t* x = c->numbers;
	if (c->ins != 2 || c->outs != 1 || c->count < 2 || x[0] < 0 || x[0] > AXES || c->count < 2 + 2 * x[0])
		return misunderstood;
	int64_t batches = x[0], sums = x[1 + 2 * batches];
	const int64_t *of_batches = x + 1, *sum = of_batches + 2 * batches + 1;
	if (sums < 0 || sums > AXES || c->count != 2 + 2 * (batches + sums))
		return misunderstood;
	batch b = {0};
	axes a_rest = {0}, b_rest = {0}, a_sum = {0}, b_sum = {0};
	if (!sort(c->in[0], batches, of_batches, sums, sum, &b.left, &a_sum, &a_rest) ||
		!sort(c->in[1], batches, of_batches + batches, sums, sum + sums, &b.right, &b_sum, &b_rest) ||
		!one(&a_rest) || !one(&b_rest) || !one(&a_sum) || !one(&b_sum) || a_sum.size[0] != b_sum.size[0])
		return misunderstood;
	b.batches = count(&b.left);
	b.first = (product){
		{c->in[0]->data, a_rest.apart[0], a_sum.apart[0]}, {c->in[1]->data, b_sum.apart[0], b_rest.apart[0]},
		false, c->out[0]->data, a_rest.size[0], b_rest.size[0], a_sum.size[0], {0},
	};
	if (b.batches >= 2 * threads || b.batches % threads == 0) {
		const plan all = {1, batch_pieces, batch_piece};
		return outcome(gaze_share(&c->scheduler, &all, &b) && !b.failed);
	}
	for (int64_t i = 0; i < b.batches; i++) {
		product p = of_batch(&b, i);
		if (!gaze_multiply(&c->scheduler, &p, tiles))
			return no_memory;
	}
	return NULL;
}

// What is called of the interface hasn't been at the same place in all its versions:
// a plugin tells its own when it is told of the handlers.
static bool known;

static void* handle(call_frame* f, const char* name, const char* (*compute)(const call*)) {
	for (extension* e = f->extensions; e; e = e->next)
		if (e->type == FFI_METADATA) {
			ffi_metadata* m = ((metadata_extension*)e)->metadata;
			m->version.major = f->api->version.major;
			m->version.minor = f->api->version.minor;
			m->traits = 0;
			known = f->api->version.major == 0 && f->api->version.minor >= 3 && f->api->version.minor <= 4;
			return NULL;
		}
	if (f->stage != FFI_EXECUTE)
		return NULL;
	call c;
	const char* why = understand(f, &c) ? compute(&c) : misunderstood;
	if (!why)
		return NULL;
	char message[128];
	strcpy(message, name);
	strcat(message, ": ");
	strcat(message, why);
	error_args args = {.struct_size = sizeof args, .message = message, .code = FFI_INTERNAL};
	return f->api->error_create(&args);
}

#define TARGET(NAME, COMPUTE) \
	static void* handle_##COMPUTE(call_frame* f) { return handle(f, NAME, COMPUTE); }
TARGET("gaze_dot", dot)
TARGET("gaze_linear", linear)
TARGET("gaze_attention", attend)
TARGET("gaze_norm", normalize)

static const struct {
	const char* name;
	void* (*handler)(call_frame* f);
} targets[] = {{"gaze_dot", handle_dot}, {"gaze_linear", handle_linear}, {"gaze_attention", handle_attend}, {"gaze_norm", handle_normalize}};

typedef struct {
	size_t struct_size;
	extension* extensions;
} any_api;

bool gaze_register(const void* pjrt_api, int n, bool with_tiles) {
	static const char platform[] = "Host";
	threads = n;
	tiles = with_tiles;
	const extension* e = ((const any_api*)pjrt_api)->extensions;
	while (e && !(e->type == PJRT_FFI && e->struct_size >= sizeof(ffi_extension)))
		e = e->next;
	for (size_t i = 0; e && i < sizeof targets / sizeof *targets; i++) {
		register_args args = {sizeof args, targets[i].name, strlen(targets[i].name), targets[i].handler, platform, sizeof platform - 1, 0};
		known = false;
		if (((const ffi_extension*)e)->register_handler(&args) || !known)
			return false;
	}
	return e != NULL;
}
