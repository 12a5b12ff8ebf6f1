//go:build cgo && linux && !noxla && (amd64 || arm64)

#include "scratch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

enum { PAGE = 4096 };

// The header is in the page before the memory that is returned.
typedef struct {
	size_t bytes;
} header;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool key_created;

static void create_key(void) { key_created = pthread_key_create(&key, free) == 0; }

void* gaze_scratch(size_t bytes) {
	pthread_once(&once, create_key);
	if (!key_created)
		return NULL;
	header* own = pthread_getspecific(key);
	if (!own || own->bytes < bytes) {
		free(own);
		void* larger;
		own = posix_memalign(&larger, PAGE, PAGE + bytes) ? NULL : larger;
		if (own)
			own->bytes = bytes;
		if (pthread_setspecific(key, own)) {
			free(own);
			return NULL;
		}
	}
	return own ? (char*)own + PAGE : NULL;
}
