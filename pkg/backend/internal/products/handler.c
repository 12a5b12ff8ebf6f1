//go:build cgo && linux && !noxla && amd64

// The custom call gaze_product of two float32 arrays: what StableHLO's dot_general is,
// with its numbers of axes as the attribute "axes": how many batch axes, the left's,
// the right's, how many contracted axes, the left's, the right's.

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "ffi.h"
#include "handler.h"
#include "product.h"

enum { AXES = 8 };

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
	if (b->dtype != FFI_F32 || b->rank > AXES)
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

// A product, cut into parts that can be made in any order, by any thread.
typedef struct {
	matrix left, right;
	axes left_batch, right_batch;
	float* out;
	int64_t m, n, k, batches;

	int64_t cuts;    // parts of each of the batch's products
	bool by_columns; // parts are some columns, not rows

	atomic_long next, users;
	atomic_bool failed;
	atomic_long done;
} job;

static int64_t edge(int64_t size, int64_t cuts, int64_t i) {
	int64_t tiles = (size + 31) / 32, at = tiles * i / cuts * 32;
	return at < size ? at : size;
}

static void part(job* j, int64_t i) {
	int64_t batch = i / j->cuts, cut = i % j->cuts;
	matrix a = j->left, b = j->right;
	a.data += offset(&j->left_batch, batch);
	b.data += offset(&j->right_batch, batch);
	float* out = j->out + batch * j->m * j->n;
	int64_t m = j->m, n = j->n;
	if (j->by_columns) {
		int64_t from = edge(n, j->cuts, cut);
		n = edge(n, j->cuts, cut + 1) - from;
		b.data += from * b.col;
		out += from;
	} else {
		int64_t from = edge(m, j->cuts, cut);
		m = edge(m, j->cuts, cut + 1) - from;
		a.data += from * a.row;
		out += from * j->n;
	}
	if (m > 0 && n > 0 && !gaze_multiply(a, b, out, j->n, m, n, j->k, j->m))
		atomic_store(&j->failed, true);
}

static void leave(job* j) {
	if (atomic_fetch_sub(&j->users, 1) == 1)
		free(j);
}

static void work(job* j) {
	long all = j->batches * j->cuts;
	for (long i; (i = atomic_fetch_add(&j->next, 1)) < all; atomic_fetch_add(&j->done, 1))
		part(j, i);
}

static void task(void* data) {
	work(data);
	leave(data);
}

static int threads = 1;

static bool run(const call_frame* f, job* j) {
	long all = j->batches * j->cuts, helpers = threads - 1;
	if (helpers > all - 1)
		helpers = all - 1;
	atomic_init(&j->users, helpers + 1);
	for (long i = 0; i < helpers; i++) {
		schedule_args args = {.struct_size = sizeof args, .context = f->context, .task = task, .data = j};
		if (f->api->schedule(&args))
			leave(j);
	}
	work(j);
	while (atomic_load(&j->done) < all)
		__builtin_ia32_pause();
	bool failed = atomic_load(&j->failed);
	leave(j);
	return !failed;
}

static void* problem(const call_frame* f, const char* what) {
	error_args args = {.struct_size = sizeof args, .message = what, .code = FFI_INTERNAL};
	return f->api->error_create(&args);
}

// plan understands a call's arguments.
static bool plan(const call_frame* f, job* j) {
	const ffi_attributes* at = &f->attributes;
	if (f->arguments.size != 2 || f->results.size != 1 || at->size != 1 || at->types[0] != FFI_ARRAY)
		return false;
	const ffi_array* numbers = at->values[0];
	const int64_t* x = numbers->data;
	if (numbers->dtype != FFI_S64 || numbers->size < 2 || x[0] < 0 || x[0] > AXES || numbers->size < 2 + 2 * (size_t)x[0])
		return false;
	int64_t batches = x[0], sums = x[1 + 2 * batches];
	const int64_t *batch = x + 1, *sum = batch + 2 * batches + 1;
	if (sums < 0 || sums > AXES || numbers->size != 2 + 2 * (size_t)(batches + sums))
		return false;
	const ffi_buffer *a = f->arguments.values[0], *b = f->arguments.values[1], *out = f->results.values[0];
	axes a_rest = {0}, b_rest = {0}, a_sum = {0}, b_sum = {0};
	if (!sort(a, batches, batch, sums, sum, &j->left_batch, &a_sum, &a_rest) ||
		!sort(b, batches, batch + batches, sums, sum + sums, &j->right_batch, &b_sum, &b_rest) ||
		!one(&a_rest) || !one(&b_rest) || !one(&a_sum) || !one(&b_sum) || a_sum.size[0] != b_sum.size[0])
		return false;
	j->left = (matrix){a->data, a_rest.apart[0], a_sum.apart[0]};
	j->right = (matrix){b->data, b_sum.apart[0], b_rest.apart[0]};
	j->m = a_rest.size[0];
	j->n = b_rest.size[0];
	j->k = a_sum.size[0];
	j->batches = count(&j->left_batch);
	j->out = out->data;
	return true;
}

// What is called of the interface hasn't been at the same place in all its versions:
// a plugin tells its own when it is told of the handler.
static bool known;

static void* handle(call_frame* f) {
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
	job* j = calloc(1, sizeof *j);
	if (!j)
		return problem(f, "no memory for a matrix product");
	if (!plan(f, j)) {
		free(j);
		return problem(f, "gaze_product was called with what it can't multiply");
	}
	j->by_columns = j->n > j->m;
	j->cuts = j->batches >= 4 * threads || j->batches % threads == 0 ? 1 : threads;
	if (!run(f, j))
		return problem(f, "no memory for a matrix product");
	return NULL;
}

typedef struct {
	size_t struct_size;
	extension* extensions;
} any_api;

bool gaze_register(const void* pjrt_api, int n) {
	static const char name[] = "gaze_product", platform[] = "Host";
	threads = n;
	for (const extension* e = ((const any_api*)pjrt_api)->extensions; e; e = e->next)
		if (e->type == PJRT_FFI && e->struct_size >= sizeof(ffi_extension)) {
			register_args args = {sizeof args, name, sizeof name - 1, handle, platform, sizeof platform - 1, 0};
			known = false;
			return !((const ffi_extension*)e)->register_handler(&args) && known;
		}
	return false;
}
