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

#ifdef __aarch64__
enum { DATA = R_AARCH64_GLOB_DAT, JUMP = R_AARCH64_JUMP_SLOT };
#else
enum { DATA = R_X86_64_GLOB_DAT, JUMP = R_X86_64_JUMP_SLOT };
#endif

static const struct {
	const char* name;
	void* by;
} replaced[] = {
	{"posix_memalign", gaze_memalign},
	{"aligned_alloc", gaze_aligned_alloc},
	{"free", gaze_free},
};

// What is needed of a loaded library: where it lies, its tables of symbols and of
// places to fill in, and the part that was made read-only after that.
typedef struct {
	ElfW(Addr) base;
	const ElfW(Sym)* symbols;
	const char* strings;
	const ElfW(Rela)* tables[2];
	size_t sizes[2];
	uintptr_t fixed, fixed_end;
} library;

static int find_fixed(struct dl_phdr_info* info, size_t size, void* data) {
	library* l = data;
	if (info->dlpi_addr != l->base)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO) {
			// Of whole pages, which may be larger than the library was made for.
			const uintptr_t page = sysconf(_SC_PAGESIZE), start = l->base + info->dlpi_phdr[i].p_vaddr;
			l->fixed = start & -page;
			l->fixed_end = (start + info->dlpi_phdr[i].p_memsz) & -page;
		}
	return 1;
}

static bool describe(struct link_map* map, library* l) {
	l->base = map->l_addr;
	for (const ElfW(Dyn)* d = map->l_ld; d->d_tag != DT_NULL; d++) {
		// Some loaders write addresses here, others leave offsets.
		ElfW(Addr) at = d->d_un.d_ptr < l->base ? l->base + d->d_un.d_ptr : d->d_un.d_ptr;
		switch (d->d_tag) {
		case DT_SYMTAB: l->symbols = (const void*)at; break;
		case DT_STRTAB: l->strings = (const void*)at; break;
		case DT_RELA: l->tables[0] = (const void*)at; break;
		case DT_RELASZ: l->sizes[0] = d->d_un.d_val; break;
		case DT_JMPREL: l->tables[1] = (const void*)at; break;
		case DT_PLTRELSZ: l->sizes[1] = d->d_un.d_val; break;
		}
	}
	dl_iterate_phdr(find_fixed, l);
	return l->symbols && l->strings;
}

// What stands for the function that a place of the library is filled with.
static void* replacement(const library* l, const ElfW(Rela)* r) {
	if (ELF64_R_TYPE(r->r_info) != DATA && ELF64_R_TYPE(r->r_info) != JUMP)
		return NULL;
	const char* name = l->strings + l->symbols[ELF64_R_SYM(r->r_info)].st_name;
	for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++)
		if (!strcmp(name, replaced[i].name))
			return replaced[i].by;
	return NULL;
}

static bool write_to(const library* l, void** place, void* value) {
	uintptr_t at = (uintptr_t)place, page = sysconf(_SC_PAGESIZE);
	bool fixed = at >= l->fixed && at < l->fixed_end;
	void* start = (void*)(at & -page);
	if (fixed && mprotect(start, page, PROT_READ | PROT_WRITE))
		return false;
	__atomic_store_n(place, value, __ATOMIC_RELEASE);
	if (fixed)
		mprotect(start, page, PROT_READ);
	return true;
}

// patch writes the functions of one kind only: those that free come first, so that
// nothing is handed out that can't be taken back.
static int patch(const library* l, bool freeing) {
	int n = 0;
	for (int t = 0; t < 2; t++)
		for (size_t i = 0; l->tables[t] && i < l->sizes[t] / sizeof(ElfW(Rela)); i++) {
			void* by = replacement(l, &l->tables[t][i]);
			if (!by || (by == (void*)gaze_free) != freeing)
				continue;
			if (!write_to(l, (void**)(l->base + l->tables[t][i].r_offset), by))
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
	if (dlinfo(handle, RTLD_DI_LINKMAP, &map) || !describe(map, &l))
		return "its tables can't be read";
	if (patch(&l, true) <= 0)
		return "it calls no free that can be replaced";
	if (patch(&l, false) <= 0)
		return "it calls no posix_memalign that can be replaced";
	return NULL;
}
