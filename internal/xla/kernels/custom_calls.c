//go:build cgo && linux && !noxla && (amd64 || arm64)

// The handlers of the custom calls, which check and decode what XLA passes them. contract.h
// describes the operands, results and attributes of each.

#include "custom_calls.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "amx.h"
#include "contract.h"
#include "ffi.h"

enum { MAX_ARRAYS = 8 };

static int threads = 1;
static atomic_int sharers;
static const kernel_set* kernels;
static bool use_amx;

// A decoded call.
typedef struct {
	const ffi_buffer *operands[MAX_ARRAYS], *results[MAX_ARRAYS];
	int64_t operand_count, result_count, attr_count;
	const int64_t* attrs;
	thread_pool pool;
} call;

static bool schedule(const thread_pool* pool, void (*task)(void*), void* data) {
	const call_frame* f = pool->context;
	schedule_args args = {.struct_size = sizeof args, .context = f->context, .task = task, .data = data};
	return f->api->schedule(&args) == NULL;
}

void gaze_share_threads(int more) { atomic_fetch_add(&sharers, more); }

// threads_of_call is a program's share of the threads, if several are run side by side.
static int threads_of_call(void) {
	int programs = atomic_load_explicit(&sharers, memory_order_relaxed);
	return programs < 2 ? threads : programs < threads ? threads / programs : 1;
}

static bool decode(const call_frame* f, call* c) {
	const ffi_attributes* attributes = &f->attributes;
	if (f->arguments.size > MAX_ARRAYS || f->results.size > MAX_ARRAYS || attributes->size != 1 || attributes->types[0] != FFI_ARRAY)
		return false;
	const ffi_array* attrs = attributes->values[0];
	if (attrs->dtype != FFI_S64)
		return false;
	*c = (call){
		.operand_count = f->arguments.size, .result_count = f->results.size,
		.attr_count = attrs->size, .attrs = attrs->data, .pool = {schedule, f, threads_of_call()},
	};
	for (int64_t i = 0; i < c->operand_count; i++)
		if ((c->operands[i] = f->arguments.values[i])->dtype != FFI_F32)
			return false;
	for (int64_t i = 0; i < c->result_count; i++)
		if ((c->results[i] = f->results.values[i])->dtype != FFI_F32)
			return false;
	return true;
}

// A handler returns why it failed, or NULL.
static const char bad_call[] = "the operands, results or attributes aren't those of such a call", no_memory[] = "memory ran out";

static const char* result_of(bool done) { return done ? NULL : no_memory; }

static int64_t element_count(const ffi_buffer* b, int64_t first_axis, int64_t end_axis) {
	int64_t n = 1;
	for (int64_t i = first_axis; i < end_axis; i++)
		n *= b->dims[i];
	return n;
}

// An array is a matrix whose columns are the last axis and whose rows are all others.
static int64_t columns(const ffi_buffer* b) { return b->rank > 0 ? b->dims[b->rank - 1] : 1; }
static int64_t rows(const ffi_buffer* b) { return element_count(b, 0, b->rank - 1); }
static matrix matrix_of(const ffi_buffer* b) { return (matrix){b->data, columns(b), 1}; }
static matrix transpose_of(const ffi_buffer* b) { return (matrix){b->data, 1, columns(b)}; }
static bool is_vector(const ffi_buffer* b, int64_t n) { return b->rank == 1 && b->dims[0] == n; }
static bool is_matrix(const ffi_buffer* b, int64_t m, int64_t n) { return b->rank > 0 && rows(b) == m && columns(b) == n; }

static double float64_of(int64_t bits) {
	double x;
	memcpy(&x, &bits, sizeof x);
	return x;
}

// A share of fewer multiply-adds, a few microseconds, isn't worth handing to a thread.
enum { MIN_SHARE = 1 << 17 };

// NORM_COST is how many multiply-adds take as long as a number of a layer norm.
enum { NORM_COST = 8 };

// sharing is a pool of so many threads that each has enough to do.
static thread_pool sharing(const thread_pool* pool, int64_t multiply_adds) {
	thread_pool p = *pool;
	int64_t most = multiply_adds / MIN_SHARE;
	if (most < p.threads)
		p.threads = most > 1 ? (int)most : 1;
	return p;
}

static bool multiply(const thread_pool* pool, const gemm* g) {
	const thread_pool p = sharing(pool, g->m * g->n * g->k);
	return use_amx && !g->few_rows ? gaze_amx_gemm(&p, g) : kernels->gemm(&p, g);
}

static const char* linear_forward(const call* c) {
	const int64_t flags = c->attrs[GAZE_LINEAR_ATTR_FLAGS];
	const ffi_buffer *x = c->operands[0], *weight = c->operands[1], *y = c->results[0];
	gemm g = {matrix_of(x), transpose_of(weight), flags & GAZE_LINEAR_IS_PACKED, y->data, rows(x), columns(y), columns(x), {0}, flags & GAZE_LINEAR_HAS_FEW_ROWS};
	*(flags & GAZE_LINEAR_ACTIVATES_RESULT ? &g.fusion.result_activation : &g.fusion.activation) = (int)c->attrs[GAZE_LINEAR_ATTR_ACTIVATION];
	const int64_t weight_rows = g.b_packed ? (g.n + GAZE_PACKED_MULTIPLE - 1) / GAZE_PACKED_MULTIPLE * GAZE_PACKED_MULTIPLE : g.n;
	if (c->result_count != 1 || !is_matrix(weight, weight_rows, g.k) || !is_matrix(y, g.m, g.n))
		return bad_call;
	int64_t next = 2;
	if (flags & GAZE_LINEAR_HAS_BIAS) {
		if (next >= c->operand_count || !is_vector(c->operands[next], g.n))
			return bad_call;
		g.fusion.bias = c->operands[next++]->data;
	}
	if (flags & GAZE_LINEAR_HAS_SCALE) {
		if (next >= c->operand_count || !is_vector(c->operands[next], g.n))
			return bad_call;
		g.fusion.scale = c->operands[next++]->data;
	}
	if (flags & GAZE_LINEAR_HAS_NORM) {
		if (next + 1 >= c->operand_count || !is_vector(c->operands[next], g.k) || !is_vector(c->operands[next + 1], g.k))
			return bad_call;
		g.fusion.gamma = c->operands[next++]->data;
		g.fusion.beta = c->operands[next++]->data;
		g.fusion.epsilon = float64_of(c->attrs[GAZE_LINEAR_ATTR_EPSILON]);
	}
	if (flags & GAZE_LINEAR_HAS_RESIDUAL) {
		if (next >= c->operand_count || !is_matrix(c->operands[next], g.m, g.n))
			return bad_call;
		g.fusion.residual = c->operands[next++]->data;
	}
	return next == c->operand_count ? result_of(multiply(&c->pool, &g)) : bad_call;
}

static const char* linear_input_gradient(const call* c) {
	const ffi_buffer *dy = c->operands[0], *weight = c->operands[1], *dx = c->results[0];
	gemm g = {matrix_of(dy), matrix_of(weight), false, dx->data, rows(dy), columns(weight), columns(dy), {.activation = c->attrs[GAZE_LINEAR_ATTR_ACTIVATION]}};
	bool activation = g.fusion.activation != GAZE_ACTIVATION_NONE;
	if (c->operand_count != 2 + activation || c->result_count != 1 + activation || !is_matrix(weight, g.k, g.n) || !is_matrix(dx, g.m, g.n))
		return bad_call;
	if (activation) {
		if (!is_matrix(c->operands[2], g.m, g.n) || !is_matrix(c->results[1], g.m, g.n))
			return bad_call;
		g.fusion.pre_activation = c->operands[2]->data;
		g.fusion.activated = c->results[1]->data;
	}
	return result_of(multiply(&c->pool, &g));
}

static const char* linear_weight_gradient(const call* c) {
	const ffi_buffer *dy = c->operands[0], *x = c->operands[1];
	gemm g = {transpose_of(dy), matrix_of(x), false, c->results[0]->data, columns(dy), columns(x), rows(dy), {0}};
	if (c->operand_count != 2 || c->result_count != 2 || rows(x) != g.k || !is_matrix(c->results[0], g.m, g.n) || !is_vector(c->results[1], g.m))
		return bad_call;
	g.fusion.row_sums = c->results[1]->data;
	return result_of(multiply(&c->pool, &g));
}

static const char* linear(const call* c) {
	if (c->attr_count != GAZE_LINEAR_ATTRS || c->operand_count < 2 || c->result_count < 1)
		return bad_call;
	const int64_t activation = c->attrs[GAZE_LINEAR_ATTR_ACTIVATION];
	if (activation < GAZE_ACTIVATION_NONE || activation > GAZE_ACTIVATION_QUICK_GELU)
		return bad_call;
	for (int64_t i = 0; i < 2; i++)
		if (c->operands[i]->rank < 2)
			return bad_call;
	switch (c->attrs[GAZE_LINEAR_ATTR_KIND]) {
	case GAZE_LINEAR_FORWARD:
		return linear_forward(c);
	case GAZE_LINEAR_INPUT_GRADIENT:
		return linear_input_gradient(c);
	case GAZE_LINEAR_WEIGHT_GRADIENT:
		return linear_weight_gradient(c);
	}
	return bad_call;
}

static const char* self_attention(const call* c) {
	if (c->attr_count != GAZE_ATTENTION_ATTRS || c->operand_count < 1 || c->operand_count > 2 || c->result_count != 1)
		return bad_call;
	const int64_t heads = c->attrs[GAZE_ATTENTION_ATTR_HEADS], queries = c->attrs[GAZE_ATTENTION_ATTR_QUERIES];
	const ffi_buffer *qkv = c->operands[0], *result = c->results[0], *dout = c->operand_count > 1 ? c->operands[1] : NULL, *out = dout ? dout : result;
	if (heads < 1 || qkv->rank != 3 || out->rank != 3 || columns(qkv) % (3 * heads) || queries < 1 || queries > qkv->dims[1] || out->dims[1] != queries)
		return bad_call;
	attention a = {qkv->data, qkv->dims[0], qkv->dims[1], heads, columns(qkv) / 3 / heads, queries};
	if (!is_matrix(out, a.batch * queries, heads * a.dim) || (dout && !is_matrix(result, rows(qkv), columns(qkv))))
		return bad_call;
	const int64_t products = a.batch * heads * queries * a.tokens * a.dim;
	if (!dout) {
		const thread_pool p = sharing(&c->pool, 2 * products);
		a.out = result->data;
		return result_of(kernels->attention(&p, &a));
	}
	const thread_pool p = sharing(&c->pool, 7 * products);
	a.dout = dout->data;
	a.dqkv = result->data;
	return result_of(kernels->attention_backward(&p, &a));
}

static const char* norm(const call* c) {
	if (c->attr_count != GAZE_NORM_ATTRS || c->operand_count != 3 || (c->result_count != 1 && c->result_count != 3))
		return bad_call;
	const ffi_buffer *x = c->operands[0], *third = c->operands[2];
	layer_norm l = {.x = x->data, .gamma = c->operands[1]->data, .epsilon = float64_of(c->attrs[GAZE_NORM_ATTR_EPSILON]), .rows = rows(x), .n = columns(x)};
	if (!is_vector(c->operands[1], l.n) || !is_matrix(c->results[0], l.rows, l.n))
		return bad_call;
	const thread_pool p = sharing(&c->pool, NORM_COST * l.rows * l.n);
	if (c->result_count == 1) {
		l.beta = third->data;
		l.y = c->results[0]->data;
		return is_vector(third, l.n) ? result_of(kernels->layer_norm(&p, &l)) : bad_call;
	}
	if (!is_matrix(third, l.rows, l.n) || !is_vector(c->results[1], l.n) || !is_vector(c->results[2], l.n))
		return bad_call;
	l.dy = third->data;
	l.dx = c->results[0]->data;
	l.dgamma = c->results[1]->data;
	l.dbeta = c->results[2]->data;
	return result_of(kernels->layer_norm_backward(&p, &l));
}

// pass_vector reads the next operand, of n numbers, if a flag says that there is one. It returns
// false if it isn't such a vector.
static bool pass_vector(const call* c, bool given, int64_t n, int64_t* next, const float** to) {
	if (!given)
		return true;
	if (*next >= c->operand_count || !is_vector(c->operands[*next], n))
		return false;
	*to = c->operands[(*next)++]->data;
	return true;
}

// windows_of is what the kernel of a convolution meets; false if the attributes can't be those of
// a convolution.
static bool windows_of(const call* c, windows* w) {
	const ffi_buffer *x = c->operands[0], *kernel = c->operands[1], *y = c->results[0];
	*w = (windows){
		x->data, x->dims[1], x->dims[2], x->dims[3], kernel->dims[0], kernel->dims[1], y->dims[1], y->dims[2],
		c->attrs[GAZE_CONVOLUTION_ATTR_STRIDE], c->attrs[GAZE_CONVOLUTION_ATTR_DILATION], c->attrs[GAZE_CONVOLUTION_ATTR_TOP], c->attrs[GAZE_CONVOLUTION_ATTR_LEFT],
	};
	for (int i = 0; i < GAZE_CONVOLUTION_ATTRS; i++)
		if (c->attrs[i] < 0 || c->attrs[i] > INT32_MAX)
			return false;
	return w->stride > 0 && w->dilation > 0 && x->dims[0] == y->dims[0] && w->channels == kernel->dims[2];
}

static const char* convolution(const call* c) {
	if (c->attr_count != GAZE_CONVOLUTION_ATTRS || c->operand_count < 2 || c->result_count != 1)
		return bad_call;
	const ffi_buffer *x = c->operands[0], *kernel = c->operands[1], *y = c->results[0];
	windows w;
	if (x->rank != 4 || kernel->rank != 4 || y->rank != 4 || !windows_of(c, &w))
		return bad_call;
	const int64_t flags = c->attrs[GAZE_CONVOLUTION_ATTR_FLAGS];
	gemm g = {matrix_of(x), matrix_of(kernel), flags & GAZE_CONVOLUTION_IS_PACKED, y->data, rows(y), columns(kernel), rows(kernel), {.relu = flags & GAZE_CONVOLUTION_HAS_RELU}, false, &w};
	int64_t next = 2;
	if (columns(y) != g.n || (g.b_packed && g.n % GAZE_PACKED_MULTIPLE) || !pass_vector(c, flags & GAZE_CONVOLUTION_HAS_SCALE, g.n, &next, &g.fusion.scale) || !pass_vector(c, flags & GAZE_CONVOLUTION_HAS_SHIFT, g.n, &next, &g.fusion.shift))
		return bad_call;
	if (flags & GAZE_CONVOLUTION_HAS_RESIDUAL) {
		if (next >= c->operand_count || !is_matrix(c->operands[next], g.m, g.n))
			return bad_call;
		g.fusion.residual = c->operands[next++]->data;
	}
	if (next != c->operand_count)
		return bad_call;
	if (g.k == w.channels && w.stride == 1 && w.top == 0 && w.left == 0 && rows(x) == g.m) { // each pixel is a row
		g.windows = NULL;
		return result_of(multiply(&c->pool, &g));
	}
	const thread_pool p = sharing(&c->pool, g.m * g.n * g.k);
	return result_of(kernels->gemm(&p, &g)); // AMX doesn't read windows
}

// Some of an array's axes, in order, with their sizes and strides.
typedef struct {
	int count;
	int64_t size[GAZE_MAX_RANK], stride[GAZE_MAX_RANK];
} axes;

static void add_axis(axes* a, int64_t size, int64_t stride) {
	a->size[a->count] = size;
	a->stride[a->count++] = stride;
}

static int64_t axes_size(const axes* a) {
	int64_t n = 1;
	for (int i = 0; i < a->count; i++)
		n *= a->size[i];
	return n;
}

// offset_of is the offset of the i-th element along the axes.
static int64_t offset_of(const axes* a, int64_t i) {
	int64_t offset = 0;
	for (int x = a->count - 1; x >= 0; x--) {
		offset += i % a->size[x] * a->stride[x];
		i /= a->size[x];
	}
	return offset;
}

// collapse joins the axes into one; false if no single stride leads through all elements.
static bool collapse(axes* a) {
	while (a->count > 1) {
		if (a->stride[a->count - 2] != a->size[a->count - 1] * a->stride[a->count - 1])
			return false;
		a->size[a->count - 2] *= a->size[a->count - 1];
		a->stride[a->count - 2] = a->stride[a->count - 1];
		a->count--;
	}
	if (a->count == 0)
		add_axis(a, 1, 1);
	return true;
}

// split_axes divides an operand's axes into batch axes, contracted ones and the others. batch
// and contracting list the former two, whose order is kept.
static bool split_axes(const ffi_buffer* b, int64_t batch_count, const int64_t* batch, int64_t contracting_count, const int64_t* contracting, axes* batched, axes* contracted, axes* others) {
	int64_t stride[GAZE_MAX_RANK], n = 1;
	bool used[GAZE_MAX_RANK] = {false};
	if (b->rank > GAZE_MAX_RANK || batch_count + contracting_count > b->rank)
		return false;
	for (int64_t i = b->rank - 1; i >= 0; i--) {
		stride[i] = n;
		n *= b->dims[i];
	}
	for (int64_t i = 0; i < batch_count + contracting_count; i++) {
		int64_t x = i < batch_count ? batch[i] : contracting[i - batch_count];
		if (x < 0 || x >= b->rank || used[x])
			return false;
		used[x] = true;
		add_axis(i < batch_count ? batched : contracted, b->dims[x], stride[x]);
	}
	for (int64_t i = 0; i < b->rank; i++)
		if (!used[i])
			add_axis(others, b->dims[i], stride[i]);
	return true;
}

// A product for each element of a batch.
typedef struct {
	gemm first;
	axes left, right;
	int64_t size;
	_Atomic bool failed;
} gemm_batch;

static gemm batch_element(const gemm_batch* b, int64_t i) {
	gemm g = b->first;
	g.a.data += offset_of(&b->left, i);
	g.b.data += offset_of(&b->right, i);
	g.c += i * g.m * g.n;
	return g;
}

static bool schedule_nothing(const thread_pool* pool, void (*task)(void*), void* data) { return false; }

static const thread_pool calling_thread = {schedule_nothing, NULL, 1};

static long batch_iterations(const void* data, int phase) { return ((const gemm_batch*)data)->size; }

static void multiply_element(void* data, int phase, long i) {
	gemm_batch* b = data;
	gemm g = batch_element(b, i);
	if (!multiply(&calling_thread, &g))
		b->failed = true;
}

static const char* dot(const call* c) {
	const int64_t* x = c->attrs;
	if (c->operand_count != 2 || c->result_count != 1 || c->attr_count < 2 || x[0] < 0 || x[0] > GAZE_MAX_RANK || c->attr_count < 2 + 2 * x[0])
		return bad_call;
	int64_t batch_count = x[0], contracting_count = x[1 + 2 * batch_count];
	const int64_t *batch = x + 1, *contracting = batch + 2 * batch_count + 1;
	if (contracting_count < 0 || contracting_count > GAZE_MAX_RANK || c->attr_count != 2 + 2 * (batch_count + contracting_count))
		return bad_call;
	gemm_batch b = {0};
	axes a_rows = {0}, b_columns = {0}, a_terms = {0}, b_terms = {0};
	if (!split_axes(c->operands[0], batch_count, batch, contracting_count, contracting, &b.left, &a_terms, &a_rows) ||
		!split_axes(c->operands[1], batch_count, batch + batch_count, contracting_count, contracting + contracting_count, &b.right, &b_terms, &b_columns) ||
		!collapse(&a_rows) || !collapse(&b_columns) || !collapse(&a_terms) || !collapse(&b_terms) || a_terms.size[0] != b_terms.size[0])
		return bad_call;
	b.size = axes_size(&b.left);
	b.first = (gemm){
		{c->operands[0]->data, a_rows.stride[0], a_terms.stride[0]}, {c->operands[1]->data, b_terms.stride[0], b_columns.stride[0]},
		false, c->results[0]->data, a_rows.size[0], b_columns.size[0], a_terms.size[0], {0},
	};
	// A batch that occupies the threads evenly runs one product per thread; otherwise the
	// threads share each product.
	if (b.size >= 2 * c->pool.threads || b.size % c->pool.threads == 0) {
		const parallel_loop loop = {1, batch_iterations, multiply_element};
		return result_of(gaze_parallel_for(&c->pool, &loop, &b) && !b.failed);
	}
	for (int64_t i = 0; i < b.size; i++) {
		gemm g = batch_element(&b, i);
		if (!multiply(&c->pool, &g))
			return no_memory;
	}
	return NULL;
}

// The layout of the functions called here may differ in versions of the interface other than
// these: 0.2 to 0.4 differ in functions that aren't called here. A plugin tells its version when a
// handler is registered.
static bool version_known;

static void* handle(call_frame* f, const char* name, const char* (*compute)(const call*)) {
	for (extension* e = f->extensions; e; e = e->next)
		if (e->type == FFI_METADATA) {
			ffi_metadata* m = ((metadata_extension*)e)->metadata;
			m->version.major = f->api->version.major;
			m->version.minor = f->api->version.minor;
			m->traits = 0;
			version_known = f->api->version.major == 0 && f->api->version.minor >= 2 && f->api->version.minor <= 4;
			return NULL;
		}
	if (f->stage != FFI_EXECUTE)
		return NULL;
	call c;
	const char* why = decode(f, &c) ? compute(&c) : bad_call;
	if (!why)
		return NULL;
	char message[128];
	strcpy(message, name);
	strcat(message, ": ");
	strcat(message, why);
	error_args args = {.struct_size = sizeof args, .message = message, .code = FFI_INTERNAL};
	return f->api->error_create(&args);
}

#define HANDLER(NAME, COMPUTE) \
	static void* handle_##COMPUTE(call_frame* f) { return handle(f, GAZE_TARGET_PREFIX NAME, COMPUTE); }
HANDLER(GAZE_DOT, dot)
HANDLER(GAZE_LINEAR, linear)
HANDLER(GAZE_ATTENTION, self_attention)
HANDLER(GAZE_NORM, norm)
HANDLER(GAZE_CONVOLUTION, convolution)

static const struct {
	const char* target;
	void* (*handler)(call_frame* f);
} handlers[] = {
	{GAZE_TARGET_PREFIX GAZE_DOT, handle_dot},
	{GAZE_TARGET_PREFIX GAZE_LINEAR, handle_linear},
	{GAZE_TARGET_PREFIX GAZE_ATTENTION, handle_self_attention},
	{GAZE_TARGET_PREFIX GAZE_NORM, handle_norm},
	{GAZE_TARGET_PREFIX GAZE_CONVOLUTION, handle_convolution},
};

// How the function table of PJRT begins.
typedef struct {
	size_t struct_size;
	extension* extensions;
} any_api;

bool gaze_register_custom_calls(const void* pjrt_api, int n, const kernel_set* set, bool amx) {
	static const char platform[] = "Host";
	threads = n;
	kernels = set;
	use_amx = amx;
	const extension* e = ((const any_api*)pjrt_api)->extensions;
	while (e && !(e->type == PJRT_FFI && e->struct_size >= sizeof(ffi_extension)))
		e = e->next;
	for (size_t i = 0; e && i < sizeof handlers / sizeof *handlers; i++) {
		register_args args = {sizeof args, handlers[i].target, strlen(handlers[i].target), handlers[i].handler, platform, sizeof platform - 1, 0};
		version_known = false;
		if (((const ffi_extension*)e)->register_handler(&args) || !version_known)
			return false;
	}
	return e != NULL;
}
