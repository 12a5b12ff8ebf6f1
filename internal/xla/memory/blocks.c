//go:build cgo && linux && !noxla && (amd64 || arm64)

#define _GNU_SOURCE
#include "blocks.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum {
	LARGE_BLOCK = 32 << 20, // smaller ones are the C library's
	HUGE_PAGE = 2 << 20,    // large blocks are aligned to it and multiples of it
	MAX_BLOCKS = 1024,
};

// How long a request waits for a block to be freed, in nanoseconds.
static int64_t max_wait = 5000000;

// A cached block goes back to the system after MAX_REQUESTS requests that didn't use it, or
// after idle_time nanoseconds. A run makes one request or a few, so steps that alternate
// keep their blocks. Mapping a gigabyte again takes a few hundred milliseconds, which is
// little once in half a minute.
enum { MAX_REQUESTS = 32 };
static int64_t idle_time = 30000000000;

typedef struct {
	char* start;
	size_t size;
	bool used;
	int64_t freed_at;      // nanoseconds
	long freed_at_request; // the number of requests until then
} block;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t block_freed;      // allocations wait for it
static pthread_cond_t reclaimer_wakeup; // the reclaimer waits for it
static pthread_once_t once = PTHREAD_ONCE_INIT;
static block blocks[MAX_BLOCKS]; // in the order in which they were freed
static int block_count;
static block_usage usage;
static size_t peak_used;
static long requests;

static void* reclaim(void* unused);

static void initialize(void) {
	pthread_condattr_t monotonic; // so that setting the system's clock changes nothing
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&block_freed, &monotonic);
	pthread_cond_init(&reclaimer_wakeup, &monotonic);
	pthread_condattr_destroy(&monotonic);

	// The reclaimer blocks all signals: they are for the program's own threads. If it
	// can't be started, blocks are still returned by the number of requests.
	sigset_t all, before;
	pthread_t thread;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (!pthread_create(&thread, NULL, reclaim, NULL))
		pthread_detach(thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static int64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct timespec timespec_of(int64_t nanoseconds) {
	return (struct timespec){.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
}

// map_block maps size bytes at a multiple of HUGE_PAGE.
static void* map_block(size_t size) {
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

// drop returns a cached block to the system.
static void drop(int i) {
	munmap(blocks[i].start, blocks[i].size);
	usage.cached -= blocks[i].size;
	for (block_count--; i < block_count; i++)
		blocks[i] = blocks[i + 1];
}

static void drop_cached(void) {
	for (int i = block_count - 1; i >= 0; i--)
		if (!blocks[i].used)
			drop(i);
}

static void drop_smaller_than(size_t size) {
	for (int i = block_count - 1; i >= 0; i--)
		if (!blocks[i].used && blocks[i].size < size)
			drop(i);
}

static void drop_unrequested(void) {
	for (int i = block_count - 1; i >= 0; i--)
		if (!blocks[i].used && blocks[i].freed_at_request + MAX_REQUESTS <= requests)
			drop(i);
}

// reclaim is a thread that drops blocks which have been idle for too long.
static void* reclaim(void* unused) {
	pthread_mutex_lock(&lock);
	for (;;) {
		int64_t next = INT64_MAX, time = now();
		bool dropped = false;
		for (int i = block_count - 1; i >= 0; i--)
			if (!blocks[i].used && blocks[i].freed_at + idle_time <= time) {
				drop(i);
				dropped = true;
			} else if (!blocks[i].used && blocks[i].freed_at + idle_time < next) {
				next = blocks[i].freed_at + idle_time;
			}
		if (dropped) // the earlier peak no longer says how much may be cached
			peak_used = usage.used + usage.cached;
		if (next == INT64_MAX) {
			pthread_cond_wait(&reclaimer_wakeup, &lock);
		} else {
			const struct timespec end = timespec_of(next);
			pthread_cond_timedwait(&reclaimer_wakeup, &lock, &end);
		}
	}
	return NULL;
}

// best_fit is the smallest block, of those in use or of the cached ones, that holds size
// bytes and at most twice as many; -1 if there is none. A larger block would waste memory,
// and a request for its own size may follow.
static int best_fit(size_t size, bool used) {
	int best = -1;
	for (int i = 0; i < block_count; i++)
		if (blocks[i].used == used && blocks[i].size >= size && blocks[i].size / 2 <= size && (best < 0 || blocks[i].size < blocks[best].size))
			best = i;
	return best;
}

// wait_for_fit is best_fit among the cached blocks. XLA frees a run's memory a moment after
// it has handed out the run's result, so the next run may ask for the same block before it
// is free. Waiting for that moment keeps the process from needing the block twice.
static int wait_for_fit(size_t size) {
	int i = best_fit(size, false);
	if (i >= 0 || best_fit(size, true) < 0)
		return i;
	const struct timespec end = timespec_of(now() + max_wait);
	for (bool late = false; i < 0 && !late; i = best_fit(size, false))
		late = pthread_cond_timedwait(&block_freed, &lock, &end) != 0;
	return i;
}

static void* allocate(size_t size) {
	size = (size + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1);
	int i = wait_for_fit(size);
	if (i >= 0) {
		usage.cached -= blocks[i].size;
	} else {
		// Requests have grown: blocks of the earlier size are unlikely to be needed.
		drop_smaller_than(size);
		char* p = block_count < MAX_BLOCKS ? map_block(size) : NULL;
		if (!p) {
			drop_cached();
			p = block_count < MAX_BLOCKS ? map_block(size) : NULL;
		}
		if (!p)
			return NULL;
		i = block_count++;
		blocks[i] = (block){.start = p, .size = size};
		usage.mappings++;
	}
	blocks[i].used = true;
	usage.used += blocks[i].size;
	if (peak_used < usage.used)
		peak_used = usage.used;
	char* start = blocks[i].start;
	requests++;
	drop_unrequested();
	return start;
}

// release puts a block into the cache. It returns false if p isn't a block in use.
static bool release(void* p) {
	int i = 0;
	while (i < block_count && (blocks[i].start != p || !blocks[i].used))
		i++;
	if (i == block_count)
		return false;
	block freed = blocks[i];
	freed.used = false;
	freed.freed_at = now();
	freed.freed_at_request = requests;
	for (; i < block_count - 1; i++)
		blocks[i] = blocks[i + 1];
	blocks[i] = freed;
	const bool reclaimer_has_deadline = usage.cached > 0;
	usage.used -= freed.size;
	usage.cached += freed.size;
	pthread_cond_broadcast(&block_freed);
	if (!reclaimer_has_deadline)
		pthread_cond_signal(&reclaimer_wakeup);
	// Cache no more than was ever in use at once; the blocks freed first go first.
	for (int k = 0; k < block_count && usage.cached > peak_used;)
		if (blocks[k].used)
			k++;
		else
			drop(k);
	return true;
}

// allocate_large returns NULL if the C library is to serve the request.
static void* allocate_large(size_t alignment, size_t size) {
	if (size < LARGE_BLOCK || size > SIZE_MAX / 2 || alignment > HUGE_PAGE)
		return NULL;
	pthread_once(&once, initialize);
	pthread_mutex_lock(&lock);
	void* p = allocate(size);
	pthread_mutex_unlock(&lock);
	return p;
}

// Blocks of the C library that were freed last and wait to be used again, the oldest first. Each
// thread's own heap would otherwise keep a run's memory, whichever threads runs happen on.
enum { MEDIUM_BLOCK = 256 << 10, MAX_KEPT = 8, MAX_KEPT_BYTES = 16 << 20 };
static struct {
	void* start;
	size_t size;
} kept[MAX_KEPT];
static int kept_count;
static size_t kept_bytes;

static void* remove_kept(int i) {
	void* p = kept[i].start;
	kept_bytes -= kept[i].size;
	for (kept_count--; i < kept_count; i++)
		kept[i] = kept[i + 1];
	return p;
}

// reuse_kept is a kept block that holds size bytes and at most a quarter more, NULL if there is
// none. The one that was freed last is most likely in a cache.
static void* reuse_kept(size_t alignment, size_t size) {
	if (size < MEDIUM_BLOCK || size >= LARGE_BLOCK)
		return NULL;
	void* p = NULL;
	pthread_mutex_lock(&lock);
	for (int i = kept_count - 1; i >= 0 && !p; i--)
		if (kept[i].size >= size && kept[i].size - size <= size / 4 && !((uintptr_t)kept[i].start & (alignment - 1)))
			p = remove_kept(i);
	pthread_mutex_unlock(&lock);
	return p;
}

// keep keeps a block that is being freed. It returns false if the block isn't of medium size.
static bool keep(void* p) {
	const size_t size = malloc_usable_size(p);
	if (size < MEDIUM_BLOCK || size >= LARGE_BLOCK || size > MAX_KEPT_BYTES)
		return false;
	for (;;) {
		void* oldest = NULL;
		pthread_mutex_lock(&lock);
		if (kept_count == MAX_KEPT || kept_bytes + size > MAX_KEPT_BYTES) {
			oldest = remove_kept(0);
		} else {
			kept[kept_count].start = p;
			kept[kept_count++].size = size;
			kept_bytes += size;
		}
		pthread_mutex_unlock(&lock);
		if (!oldest)
			return true;
		free(oldest);
	}
}

int gaze_memalign(void** out, size_t alignment, size_t size) {
	void* p = allocate_large(alignment, size);
	if (!p)
		p = reuse_kept(alignment, size);
	if (!p)
		return posix_memalign(out, alignment, size);
	*out = p;
	return 0;
}

void* gaze_aligned_alloc(size_t alignment, size_t size) {
	void* p = allocate_large(alignment, size);
	if (!p)
		p = reuse_kept(alignment, size);
	return p ? p : aligned_alloc(alignment, size);
}

// free preserves errno, so its replacement has to as well.
void gaze_free(void* p) {
	bool released = false;
	if (p && !((uintptr_t)p & (HUGE_PAGE - 1))) {
		int before = errno;
		pthread_mutex_lock(&lock);
		released = release(p);
		pthread_mutex_unlock(&lock);
		errno = before;
	}
	if (!released && !(p && keep(p)))
		free(p);
}

block_usage gaze_block_usage(void) {
	pthread_mutex_lock(&lock);
	block_usage now = usage;
	pthread_mutex_unlock(&lock);
	return now;
}

void gaze_set_idle_time(int64_t nanoseconds) {
	pthread_once(&once, initialize);
	pthread_mutex_lock(&lock);
	idle_time = nanoseconds;
	pthread_cond_signal(&reclaimer_wakeup);
	pthread_mutex_unlock(&lock);
}

void gaze_set_max_wait(int64_t nanoseconds) {
	pthread_mutex_lock(&lock);
	max_wait = nanoseconds;
	pthread_mutex_unlock(&lock);
}
