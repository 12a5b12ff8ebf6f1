// The part of XLA's foreign function interface that the custom calls need, laid out as in
// xla/ffi/api/c_api.h and xla/pjrt/c/pjrt_c_api_ffi_extension.h.
#ifndef GAZE_FFI_H
#define GAZE_FFI_H

#include <stddef.h>
#include <stdint.h>

// Structures of both interfaces, PJRT and FFI, may have a linked list of extensions.
typedef struct extension {
	size_t struct_size;
	int type;
	struct extension* next;
} extension;

enum { PJRT_FFI = 5, FFI_METADATA = 1 };

// The extension of PJRT with which handlers are registered.
typedef struct {
	extension base;
	void* type_register;
	void* user_data_add;
	void* (*register_handler)(void* args); // returns an error, or NULL
} ffi_extension;

typedef struct {
	size_t struct_size;
	const char* name;
	size_t name_size;
	void* handler;
	const char* platform;
	size_t platform_size;
	int traits;
} register_args;

typedef struct {
	size_t struct_size;
	extension* extensions;
	int major, minor;
} ffi_version;

typedef struct {
	size_t struct_size;
	ffi_version version;
	uint32_t traits;
} ffi_metadata;

typedef struct {
	extension base;
	ffi_metadata* metadata;
} metadata_extension;

typedef struct {
	size_t struct_size;
	extension* extensions;
	const char* message;
	int code;
} error_args;

typedef struct {
	size_t struct_size;
	extension* extensions;
	void* context;
	void (*task)(void* data);
	void* data;
} schedule_args;

typedef struct {
	size_t struct_size;
	extension* extensions;
	ffi_version version;
	const void* internal;
	void* (*error_create)(error_args* args);
	void* others[2];
	void* more[8];
	void* (*schedule)(schedule_args* args); // returns an error, or NULL
} ffi_api;

typedef struct {
	size_t struct_size;
	extension* extensions;
	int dtype;
	void* data;
	int64_t rank;
	int64_t* dims;
} ffi_buffer;

typedef struct {
	int dtype;
	size_t size;
	void* data;
} ffi_array;

// Operands or results: their kinds and values.
typedef struct {
	size_t struct_size;
	extension* extensions;
	int64_t size;
	int* types;
	void** values;
} ffi_list;

typedef struct {
	size_t struct_size;
	extension* extensions;
	int64_t size;
	int* types;
	void** names;
	void** values;
} ffi_attributes;

enum { FFI_F32 = 11, FFI_S64 = 5, FFI_ARRAY = 1, FFI_EXECUTE = 3, FFI_INTERNAL = 13 };

typedef struct {
	size_t struct_size;
	extension* extensions;
	const ffi_api* api;
	void* context;
	int stage;
	ffi_list arguments, results;
	ffi_attributes attributes;
} call_frame;

#endif
