//go:build cgo && linux && !noxla && (amd64 || arm64)

#define _GNU_SOURCE
#include "blocks.h"

#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool has_text_relocations(const struct link_map* map) {
	for (const ElfW(Dyn)* d = map->l_ld; d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_TEXTREL || (d->d_tag == DT_FLAGS && (d->d_un.d_val & DF_TEXTREL)))
			return true;
	return false;
}

static void forget_segments(const struct dl_phdr_info* info) {
	const uintptr_t page = sysconf(_SC_PAGESIZE);
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr)* p = &info->dlpi_phdr[i];
		uintptr_t from = (info->dlpi_addr + p->p_vaddr + page - 1) & -page, to = (info->dlpi_addr + p->p_vaddr + p->p_filesz) & -page;
		if (p->p_type == PT_LOAD && !(p->p_flags & PF_W) && from < to)
			madvise((void*)from, to - from, MADV_DONTNEED);
	}
}

// forget_library is a callback of dl_iterate_phdr.
static int forget_library(struct dl_phdr_info* info, size_t size, void* data) {
	const struct link_map* map = data;
	if (info->dlpi_addr != map->l_addr)
		return 0;
	forget_segments(info);
	return 1;
}

static bool relocates_text(const struct dl_phdr_info* info) {
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC) {
			const struct link_map map = {.l_ld = (void*)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr)};
			return has_text_relocations(&map);
		}
	return true;
}

// forget_named is a callback of dl_iterate_phdr.
static int forget_named(struct dl_phdr_info* info, size_t size, void* path) {
	if (strcmp(info->dlpi_name, path))
		return 0;
	if (!relocates_text(info))
		forget_segments(info);
	return 1;
}

// dlopen would wait until the library is loaded; dl_iterate_phdr doesn't.
void gaze_forget_loading(const char* path) { dl_iterate_phdr(forget_named, (void*)path); }

void gaze_forget_code(const char* path) {
	void* handle = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
	struct link_map* map;
	// Code that was relocated when it was loaded differs from the file and can't be dropped.
	if (handle && !dlinfo(handle, RTLD_DI_LINKMAP, &map) && !has_text_relocations(map))
		dl_iterate_phdr(forget_library, map);
	if (handle)
		dlclose(handle);
}
