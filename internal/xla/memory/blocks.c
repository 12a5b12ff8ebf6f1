//go:build cgo && linux && !noxla && (amd64 || arm64)

#define _GNU_SOURCE
#include "blocks.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

// Blocks of LARGE and more are mappings of their own, at multiples of a huge page, of
// which the kernel makes them where it may.
enum { LARGE = 32 << 20, HUGE_PAGE = 2 << 20, MOST = 1024, PATIENCE = 5000000 };

// What lies idle goes back to the system when so many requests were made since it was
// last used, or after so many nanoseconds. A run makes one request or a few, so steps
// that take turns keep their blocks; to get one anew costs a few hundred milliseconds
// for a gigabyte, which is little once in half a minute.
enum { REQUESTS = 32 };
static int64_t idle_time = 30000000000;

typedef struct {
	char* start;
	size_t size;
	bool used;
	int64_t freed; // when, in nanoseconds
	long requests; // how many there were until then
} block;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t given, idle; // a block was freed; what the collector waits for
static pthread_once_t once = PTHREAD_ONCE_INIT;
static block blocks[MOST]; // the one freed last stands last
static int count;
static blocks_usage usage;
static size_t most_used;
static long requests;

static void* collect(void* unused);

static void begin(void) {
	pthread_condattr_t monotonic; // a clock that nobody sets
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&given, &monotonic);
	pthread_cond_init(&idle, &monotonic);
	pthread_condattr_destroy(&monotonic);

	// The collector takes no signals: those are for the program's own threads. Without
	// a collector, blocks go back by the number of requests alone.
	sigset_t all, before;
	pthread_t thread;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (!pthread_create(&thread, NULL, collect, NULL))
		pthread_detach(thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static int64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct timespec at(int64_t nanoseconds) {
	return (struct timespec){.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
}

static void* map(size_t size) {
	char* p = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	size_t before = -(uintptr_t)p & (HUGE_PAGE - 1);
	if (before)
		munmap(p, before);
	munmap(p + before + size, HUGE_PAGE - before);
	madvise(p + before, size, MADV_HUGEPAGE);
	return p + before;
}

static void drop(int i) {
	munmap(blocks[i].start, blocks[i].size);
	usage.unused -= blocks[i].size;
	for (count--; i < count; i++)
		blocks[i] = blocks[i + 1];
}

static void drop_unused(void) {
	for (int i = count - 1; i >= 0; i--)
		if (!blocks[i].used)
			drop(i);
}

static void drop_passed_over(void) {
	for (int i = count - 1; i >= 0; i--)
		if (!blocks[i].used && blocks[i].requests + REQUESTS <= requests)
			drop(i);
}

// The collector gives back what has been idle for too long.
static void* collect(void* unused) {
	pthread_mutex_lock(&lock);
	for (;;) {
		int64_t next = INT64_MAX, time = now();
		bool dropped = false;
		for (int i = count - 1; i >= 0; i--)
			if (!blocks[i].used && blocks[i].freed + idle_time <= time) {
				drop(i);
				dropped = true;
			} else if (!blocks[i].used && blocks[i].freed + idle_time < next) {
				next = blocks[i].freed + idle_time;
			}
		if (dropped) // what was used at once before that bounds no more
			most_used = usage.used + usage.unused;
		if (next == INT64_MAX) {
			pthread_cond_wait(&idle, &lock);
		} else {
			const struct timespec end = at(next);
			pthread_cond_timedwait(&idle, &lock, &end);
		}
	}
	return NULL;
}

// The smallest block that will do, of those in use or of the others, but none of more
// than twice the size, which may be about to be asked for again.
static int fitting(size_t size, bool used) {
	int best = -1;
	for (int i = 0; i < count; i++)
		if (blocks[i].used == used && blocks[i].size >= size && blocks[i].size / 2 <= size && (best < 0 || blocks[i].size < blocks[best].size))
			best = i;
	return best;
}

// A program's result is there a moment before its memory is given back, and the next run
// may already ask for it: that moment is waited for, or the process would need it twice.
static int fitting_soon(size_t size) {
	int i = fitting(size, false);
	if (i >= 0 || fitting(size, true) < 0)
		return i;
	const struct timespec end = at(now() + PATIENCE);
	for (bool late = false; i < 0 && !late; i = fitting(size, false))
		late = pthread_cond_timedwait(&given, &lock, &end) != 0;
	return i;
}

static void* take(size_t size) {
	size = (size + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1);
	int i = fitting_soon(size);
	if (i >= 0) {
		usage.unused -= blocks[i].size;
	} else {
		// What was asked for until now is hardly asked for again.
		for (int k = count - 1; k >= 0; k--)
			if (!blocks[k].used && blocks[k].size < size)
				drop(k);
		char* p = count < MOST ? map(size) : NULL;
		if (!p) {
			drop_unused();
			p = count < MOST ? map(size) : NULL;
		}
		if (!p)
			return NULL;
		i = count++;
		blocks[i] = (block){.start = p, .size = size};
		usage.made++;
	}
	blocks[i].used = true;
	usage.used += blocks[i].size;
	if (most_used < usage.used)
		most_used = usage.used;
	char* start = blocks[i].start;
	requests++;
	drop_passed_over();
	return start;
}

static bool give(void* p) {
	int i = 0;
	while (i < count && (blocks[i].start != p || !blocks[i].used))
		i++;
	if (i == count)
		return false;
	block freed = blocks[i];
	freed.used = false;
	freed.freed = now();
	freed.requests = requests;
	for (; i < count - 1; i++)
		blocks[i] = blocks[i + 1];
	blocks[i] = freed;
	const bool had_idle = usage.unused > 0; // then the collector has a time to wait for
	usage.used -= freed.size;
	usage.unused += freed.size;
	pthread_cond_broadcast(&given);
	if (!had_idle)
		pthread_cond_signal(&idle);
	// No more lies idle than once was in use.
	for (int k = 0; k < count && usage.unused > most_used;)
		if (blocks[k].used)
			k++;
		else
			drop(k);
	return true;
}

static void* large(size_t alignment, size_t size) {
	if (size < LARGE || size > SIZE_MAX / 2 || alignment > HUGE_PAGE)
		return NULL;
	pthread_once(&once, begin);
	pthread_mutex_lock(&lock);
	void* p = take(size);
	pthread_mutex_unlock(&lock);
	return p;
}

int gaze_memalign(void** out, size_t alignment, size_t size) {
	void* p = large(alignment, size);
	if (!p)
		return posix_memalign(out, alignment, size);
	*out = p;
	return 0;
}

void* gaze_aligned_alloc(size_t alignment, size_t size) {
	void* p = large(alignment, size);
	return p ? p : aligned_alloc(alignment, size);
}

// free must leave errno as it is, and so must what stands for it.
void gaze_free(void* p) {
	bool ours = false;
	if (p && !((uintptr_t)p & (HUGE_PAGE - 1))) {
		int before = errno;
		pthread_mutex_lock(&lock);
		ours = give(p);
		pthread_mutex_unlock(&lock);
		errno = before;
	}
	if (!ours)
		free(p);
}

blocks_usage gaze_blocks_usage(void) {
	pthread_mutex_lock(&lock);
	blocks_usage now = usage;
	pthread_mutex_unlock(&lock);
	return now;
}

void gaze_blocks_idle_time(int64_t nanoseconds) {
	pthread_once(&once, begin);
	pthread_mutex_lock(&lock);
	idle_time = nanoseconds;
	pthread_cond_signal(&idle);
	pthread_mutex_unlock(&lock);
}
