//go:build cgo && linux && !noxla && (amd64 || arm64)

#define _GNU_SOURCE
#include "blocks.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// The relocations that fill a word with a function's address.
#ifdef __aarch64__
enum { RELOCATION_GLOB_DAT = R_AARCH64_GLOB_DAT, RELOCATION_JUMP_SLOT = R_AARCH64_JUMP_SLOT };
#else
enum { RELOCATION_GLOB_DAT = R_X86_64_GLOB_DAT, RELOCATION_JUMP_SLOT = R_X86_64_JUMP_SLOT };
#endif

static const struct {
	const char* name;
	void* replacement;
} replacements[] = {
	{"posix_memalign", gaze_memalign},
	{"aligned_alloc", gaze_aligned_alloc},
	{"free", gaze_free},
};

// The parts of a loaded library that are needed here: its address, its symbol table, its
// relocation tables, and the pages that were made read-only after relocation.
typedef struct {
	ElfW(Addr) base;
	const ElfW(Sym)* symbols;
	const char* strings;
	const ElfW(Rela)* relocations[2];
	size_t relocation_bytes[2];
	uintptr_t relro_start, relro_end;
} library;

// find_relro is a callback of dl_iterate_phdr.
static int find_relro(struct dl_phdr_info* info, size_t size, void* data) {
	library* l = data;
	if (info->dlpi_addr != l->base)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO) {
			// The loader protects whole pages of this system's size.
			const uintptr_t page = sysconf(_SC_PAGESIZE), start = l->base + info->dlpi_phdr[i].p_vaddr;
			l->relro_start = start & -page;
			l->relro_end = (start + info->dlpi_phdr[i].p_memsz) & -page;
		}
	return 1;
}

static bool read_library(struct link_map* map, library* l) {
	l->base = map->l_addr;
	for (const ElfW(Dyn)* d = map->l_ld; d->d_tag != DT_NULL; d++) {
		// glibc stores absolute addresses here, musl leaves offsets.
		ElfW(Addr) at = d->d_un.d_ptr < l->base ? l->base + d->d_un.d_ptr : d->d_un.d_ptr;
		switch (d->d_tag) {
		case DT_SYMTAB: l->symbols = (const void*)at; break;
		case DT_STRTAB: l->strings = (const void*)at; break;
		case DT_RELA: l->relocations[0] = (const void*)at; break;
		case DT_RELASZ: l->relocation_bytes[0] = d->d_un.d_val; break;
		case DT_JMPREL: l->relocations[1] = (const void*)at; break;
		case DT_PLTRELSZ: l->relocation_bytes[1] = d->d_un.d_val; break;
		}
	}
	dl_iterate_phdr(find_relro, l);
	return l->symbols && l->strings;
}

// replacement_for returns what replaces the function that a relocation refers to, or NULL.
static void* replacement_for(const library* l, const ElfW(Rela)* r) {
	if (ELF64_R_TYPE(r->r_info) != RELOCATION_GLOB_DAT && ELF64_R_TYPE(r->r_info) != RELOCATION_JUMP_SLOT)
		return NULL;
	const char* name = l->strings + l->symbols[ELF64_R_SYM(r->r_info)].st_name;
	for (size_t i = 0; i < sizeof replacements / sizeof *replacements; i++)
		if (!strcmp(name, replacements[i].name))
			return replacements[i].replacement;
	return NULL;
}

// write_word writes a word of the library, which may lie in read-only pages.
static bool write_word(const library* l, void** word, void* value) {
	uintptr_t at = (uintptr_t)word, page = sysconf(_SC_PAGESIZE);
	bool read_only = at >= l->relro_start && at < l->relro_end;
	void* start = (void*)(at & -page);
	if (read_only && mprotect(start, page, PROT_READ | PROT_WRITE))
		return false;
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	if (read_only)
		mprotect(start, page, PROT_READ);
	return true;
}

// patch replaces either free or the functions that allocate. It returns how many words it
// wrote, or -1 if one couldn't be written.
static int patch(const library* l, bool free_only) {
	int n = 0;
	for (int t = 0; t < 2; t++)
		for (size_t i = 0; l->relocations[t] && i < l->relocation_bytes[t] / sizeof(ElfW(Rela)); i++) {
			void* replacement = replacement_for(l, &l->relocations[t][i]);
			if (!replacement || (replacement == (void*)gaze_free) != free_only)
				continue;
			if (!write_word(l, (void**)(l->base + l->relocations[t][i].r_offset), replacement))
				return -1;
			n++;
		}
	return n;
}

const char* gaze_patch(const char* path) {
	void* handle = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
	struct link_map* map;
	library l = {0};
	if (!handle)
		return "it isn't loaded";
	if (dlinfo(handle, RTLD_DI_LINKMAP, &map) || !read_library(map, &l))
		return "its symbol table can't be read";
	// free comes first: a block of the cache must never reach the C library's free.
	if (patch(&l, true) <= 0)
		return "it has no call of free that can be patched";
	if (patch(&l, false) <= 0)
		return "it has no call of posix_memalign that can be patched";
	return NULL;
}
