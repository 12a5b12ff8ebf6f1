//go:build cgo && linux && !noxla && amd64

// Products on vectors of 16 float32s.
//
// A processor that keeps its vector units busy does so whoever feeds it; what tells
// programs apart is how long they are idle. The left matrix is cut into blocks of rows,
// so many that each thread has one and that a packed block stays in a cache. A thread
// takes a block, packs it, and goes through the panels of the right matrix: packs one,
// has the cache get the numbers of a later one while it multiplies, and writes the result
// with all that belongs to it. A thread that finds no block left helps another with its
// panels, and packs that block for itself: cores that write to what others read wait for
// each other longer than packing takes.

#include "product.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "panels.h"
#include "scratch.h"
#include "tiles.h"

enum {
	// A panel is packed so many rows at a time, and a block so many numbers: of so many
	// rows, and of no more of each than leaves a block of some rows.
	DEEPEST = 2048,
	MOST = 1 << 20,
	TALLEST = 384,
	LONGEST = MOST / 64,
	// Who helps with fewer panels than this packs a block for too little.
	WORTHWHILE = 2,
};

// Each thread's memory.
typedef struct {
	float left[MOST], right[PANEL * DEEPEST], sum[PANEL * TALLEST], rows[STRIP * DEEPEST];
} workspace;

// A product, or a stretch of its sums where they are very long.
typedef struct {
	const product* p;
	int threads;
	int64_t from, k;      // the sums' terms
	int64_t deep;         // so many at a time
	int64_t blocks, tall; // of rows
	int64_t panels;
	float* prepared; // the left matrix, when threads prepare it together
	bool preparing;  // which is what they are at
	int64_t lines;   // of a panel's part in the right matrix, by
	int32_t* line;   // their offsets from where it begins
	atomic_bool failed;
	atomic_long next_block;
	atomic_long* next_panel; // of each block
} work;

// pack packs a block, part by part of the sums. Of those who share a block only the
// first tells the sums of its rows.
VECTORS static void pack(const work* w, int64_t block, bool first, workspace* own) {
	const product* p = w->p;
	const around* around = &p->around;
	int64_t begin = block * w->tall, rows = least(w->tall, p->m - begin);
	bool here = prepares(around) && !w->prepared;
	moments m[STRIP];
	for (int64_t r = 0; r < rows; r += here ? STRIP : rows) {
		int64_t some = here ? least(STRIP, rows - r) : rows;
		for (int64_t k = 0; k < w->k; k += w->deep) {
			int64_t depth = least(w->deep, w->k - k), from = w->from + k;
			float* to = own->left + k * up(rows, STRIP) + r * depth;
			matrix a = {p->left.data + (begin + r) * p->left.row + from * p->left.col, p->left.row, p->left.col};
			if (w->prepared)
				a = (matrix){w->prepared + (begin + r) * p->k + from, p->k, 1};
			if (here) {
				for (int64_t q = 0; q < some; q++) {
					const float* row = p->left.data + (begin + r + q) * p->left.row;
					if (k == 0 && around->gamma)
						m[q] = measure(row, p->k, around->epsilon);
					prepare(around, row, m[q], from, depth, own->rows + q * depth);
				}
				a = (matrix){own->rows, depth, 1};
			}
			gaze_pack_left(a, some, depth, to);
			for (int64_t q = 0; first && around->sums && q < some; q += STRIP)
				sum_rows((matrix){to + q * depth, 1, STRIP}, least(STRIP, some - q), depth, around->sums + begin + r + q, from > 0);
		}
	}
}

// list lists the lines of a whole panel's first part.
static void list(work* w) {
	const matrix b = w->p->right;
	const int64_t depth = least(w->deep, w->k);
	w->lines = 0;
	if (w->p->n < 2 * PANEL || depth % LANES)
		return;
	if (w->p->packed)
		for (; w->lines < depth * PANEL / LANES; w->lines++)
			w->line[w->lines] = (int32_t)(w->lines * LANES * sizeof(float));
	else if (b.row == 1 && b.col < INT32_MAX / (int64_t)sizeof(float) / PANEL)
		for (int64_t j = 0; j < PANEL; j++)
			for (int64_t k = 0; k < depth; k += LANES)
				w->line[w->lines++] = (int32_t)((j * b.col + k) * sizeof(float));
	else if (b.col == 1 && b.row < INT32_MAX / (int64_t)sizeof(float) / DEEPEST)
		for (int64_t k = 0; k < depth; k++)
			for (int64_t j = 0; j < PANEL; j += LANES)
				w->line[w->lines++] = (int32_t)((k * b.row + j) * sizeof(float));
}

// fetch has the cache get a part of a later panel while rows are multiplied.
static ahead fetch(const work* w, int64_t from, int64_t depth, int64_t column, int64_t rows) {
	ahead more = {0};
	const product* p = w->p;
	const matrix b = p->right;
	// A strip has room for lines after each 8 numbers.
	int64_t room = (rows + STRIP - 1) / STRIP * (depth / 8);
	if (w->lines == 0 || depth < w->deep || column + PANEL > p->n || room * 4 < w->lines)
		return more;
	more.base = (const char*)(b.data + (p->packed ? column * p->k + from * PANEL : from * b.row + column * b.col));
	more.each = (int)((w->lines + room - 1) / room);
	more.next = w->line;
	more.end = w->line + w->lines;
	return more;
}

// panel multiplies a packed block by a panel.
VECTORS static void panel(const work* w, int64_t block, int64_t i, workspace* own) {
	const product* p = w->p;
	const matrix b = p->right;
	int64_t j = i * PANEL, columns = least(PANEL, p->n - j), begin = block * w->tall, rows = least(w->tall, p->m - begin);
	// Who goes through a block alone takes the next panel next.
	int64_t later = j + PANEL * (w->blocks >= w->threads ? 1 : w->threads / w->blocks);
	for (int64_t k = 0; k < w->k; k += w->deep) {
		int64_t depth = least(w->deep, w->k - k), from = w->from + k, wide = PANEL;
		const float* right = own->right;
		if (p->packed) {
			wide = columns;
			right = b.data + j * p->k + from * wide;
		} else {
			gaze_pack_right((matrix){b.data + from * b.row + j * b.col, b.row, b.col}, depth, columns, own->right);
		}
		ahead more = fetch(w, from, depth, later, rows);
		if (k + depth == w->k) {
			more.result = p->out + begin * p->n + j;
			more.row = p->n;
		}
		gaze_panel(own->left + k * up(rows, STRIP), depth * STRIP, right, wide, rows, columns, depth, own->sum, PANEL, k > 0, &more);
	}
	finish(&p->around, own->sum, PANEL, p->out, p->n, begin, j, rows, columns, w->from > 0, w->from + w->k == p->k);
}

// panels does what is left of a block. First is who has the first panel, not who came to
// the block first, and may find nothing left of it.
static void panels(work* w, int64_t block, workspace* own) {
	bool packed = false;
	for (long i; (i = atomic_fetch_add(&w->next_panel[block], 1)) < w->panels;) {
		if (!packed)
			pack(w, block, i == 0, own);
		packed = true;
		panel(w, block, i, own);
	}
}

// together is a part of preparing the left matrix, some rows.
VECTORS static void together(const work* w, int64_t begin, int64_t end) {
	const product* p = w->p;
	for (int64_t r = begin; r < end; r++) {
		const float* row = p->left.data + r * p->left.row;
		moments m = p->around.gamma ? measure(row, p->k, p->around.epsilon) : (moments){0, 0};
		prepare(&p->around, row, m, 0, p->k, w->prepared + r * p->k);
	}
}

static long pieces(const void* data, int phase) {
	const work* w = data;
	return w->preparing ? (w->p->m + STRIP - 1) / STRIP : w->threads;
}

// piece is all that one thread does.
static void piece(void* data, int phase, long i) {
	work* w = data;
	if (w->preparing) {
		together(w, i * STRIP, least(w->p->m, (i + 1) * STRIP));
		return;
	}
	workspace* own = gaze_scratch(sizeof *own);
	if (!own) {
		atomic_store(&w->failed, true);
		return;
	}
	for (long b; (b = atomic_fetch_add(&w->next_block, 1)) < w->blocks;)
		panels(w, b, own);
	for (long b = 0; b < w->blocks; b++)
		if (atomic_load(&w->next_panel[b]) + WORTHWHILE <= w->panels)
			panels(w, b, own);
}

// part says how much of size is taken at a time, in at least so many equal parts of at
// most so much.
static int64_t part(int64_t size, int64_t most, int64_t unit, int64_t times) {
	if (times < (size + most - 1) / most)
		times = (size + most - 1) / most;
	return up((size + times - 1) / times, unit);
}

static bool share(const scheduler* s, work* w) {
	static const plan all = {1, pieces, piece};
	return gaze_share(s, &all, w) && !atomic_load(&w->failed);
}

// stretch makes a part of the sums, and the product once they are all there.
static bool stretch(const scheduler* s, work* w, int64_t from, int64_t k) {
	w->from = from;
	w->k = k;
	w->deep = part(k, DEEPEST, LANES, 1);
	// As many blocks for each thread, unless threads share one or two: what is packed of
	// the right matrix should serve some strips.
	int64_t tall = least(TALLEST, MOST / up(k, w->deep) / STRIP * STRIP), blocks = (w->p->m + tall - 1) / tall;
	w->tall = part(w->p->m, tall, STRIP, blocks > 1 ? up(blocks, w->threads) : w->p->m >= 16 * STRIP ? least(w->threads, 2) : 1);
	w->blocks = (w->p->m + w->tall - 1) / w->tall;
	w->panels = (w->p->n + PANEL - 1) / PANEL;
	atomic_init(&w->next_block, 0);
	w->next_panel = calloc(w->blocks, sizeof *w->next_panel);
	w->line = malloc(PANEL * DEEPEST / LANES * sizeof *w->line);
	bool done = w->next_panel && w->line;
	if (done) {
		list(w);
		done = share(s, w);
	}
	free(w->next_panel);
	free(w->line);
	return done;
}

static bool in_vectors(const scheduler* s, const product* p) {
	work w = {.p = p, .threads = s->threads};
	// Many threads that share few blocks would each prepare all of them.
	if (prepares(&p->around) && (p->k > LONGEST || s->threads > 2 * ((p->m + TALLEST - 1) / TALLEST))) {
		if (posix_memalign((void**)&w.prepared, 64, p->m * p->k * sizeof *w.prepared))
			return false;
		w.preparing = true;
		if (!share(s, &w)) {
			free(w.prepared);
			return false;
		}
		w.preparing = false;
	}
	int64_t k = part(p->k, LONGEST, LANES, 1);
	bool done = true;
	for (int64_t from = 0; done && from < p->k; from += k)
		done = stretch(s, &w, from, least(k, p->k - from));
	free(w.prepared);
	return done;
}

static bool nobody(const scheduler* s, void (*task)(void*), void* data) { return false; }

bool gaze_multiply(const scheduler* s, const product* p, bool tiles) {
	if (p->m < 1 || p->n < 1 || p->k < 1)
		return false;
	if (p->packed && (tiles || p->n % LANES))
		return false;
	return tiles ? gaze_in_tiles(s, p) : in_vectors(s, p);
}

bool gaze_multiply_alone(const product* p, bool tiles) {
	const scheduler alone = {nobody, NULL, 1};
	return gaze_multiply(&alone, p, tiles);
}
