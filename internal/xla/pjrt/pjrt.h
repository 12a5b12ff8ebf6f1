// The part of PJRT's C interface that this package needs, laid out as in XLA's
// pjrt_c_api.h. The interface only grows: functions are appended to the table, fields to the
// argument structures, and both sides pass the sizes of their structures.
#ifndef GAZE_PJRT_H
#define GAZE_PJRT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void* function;

typedef struct {
	size_t struct_size;
	void* extensions;
	struct {
		size_t struct_size;
		void* extensions;
		int major, minor;
	} version;
	function functions[];
} api_table;

// Indices in the function table.
enum {
	ERROR_DESTROY = 0,
	ERROR_MESSAGE = 1,
	PLUGIN_INITIALIZE = 3,
	CLIENT_CREATE = 10,
	CLIENT_PLATFORM_NAME = 12,
	CLIENT_PLATFORM_VERSION = 14,
	CLIENT_ADDRESSABLE_DEVICES = 16,
	CLIENT_COMPILE = 20,
	DEVICE_DESCRIPTION_KIND = 26,
	DEVICE_GET_DESCRIPTION = 29,
	EXECUTABLE_DESTROY = 40,
	EXECUTABLE_NUM_OUTPUTS = 44,
	EXECUTABLE_SERIALIZE = 49,
	LOADED_EXECUTABLE_DESTROY = 50,
	LOADED_EXECUTABLE_GET_EXECUTABLE = 51,
	EXECUTABLE_DESERIALIZE_AND_LOAD = 56,
	EXECUTABLE_GET_COMPILED_MEMORY_STATS = 96,
};

typedef struct {
	size_t struct_size;
	void* extensions;
	const char* name;
	size_t name_size;
	int type;
	union {
		const void* pointer_value;
		int64_t int64_value;
		bool bool_value;
	};
	size_t value_size;
} named_value;

enum { NAMED_INT64 = 1, NAMED_BOOL = 4 };

typedef struct {
	size_t struct_size;
	void* extensions;
	const named_value* options;
	size_t num_options;
	void* key_value_store[4];
	void* client; // out
	void* more_key_value_store[2];
} create_args;

typedef struct {
	size_t struct_size;
	void* extensions;
	const char* code;
	size_t code_size;
	const char* format;
	size_t format_size;
} program;

typedef struct {
	size_t struct_size;
	void* extensions;
	void* client;
	const program* program;
	const char* options;
	size_t options_size;
	void* executable; // out
} compile_args;

typedef struct {
	const char* bytes;
	size_t size;
	void* owner;
	void (*release)(void* owner);
} serialized;

// gaze_load_table loads a plugin's library and returns its function table, or NULL and the
// loader's message.
const api_table* gaze_load_table(const char* library, char** error);

// gaze_wrap_table copies a table and replaces the functions that create clients and compile.
// The replacements call Go with the slot, which identifies the plugin. It returns NULL if
// the table's version is unknown, the table is too short, or the slot is out of range.
api_table* gaze_wrap_table(const api_table* original, int slot);
enum { SLOTS = 8 };

// gaze_option_is_false says whether args have a boolean option that is false.
bool gaze_option_is_false(const create_args* args, const char* option);

// The functions below call the plugin. They return the plugin's error, or NULL.

void* gaze_call(const api_table* api, int function, void* args);

// gaze_create_client creates a client without one of the options and with the first extra of
// the CPU_OPTIONS options for CPU clients: the number of devices, and programs that run on the
// thread that calls them.
void* gaze_create_client(const api_table* api, create_args* args, const char* without, int extra, int devices);
enum { CPU_OPTIONS = 2 };
void gaze_error_text(const api_table* api, void* error, const char** text, size_t* size);
void gaze_error_free(const api_table* api, void* error);
void* gaze_text(const api_table* api, int function, void* object, const char** text, size_t* size);
void* gaze_devices(const api_table* api, void* client, void*** list, size_t* n);
void* gaze_device_kind(const api_table* api, void* device, const char** text, size_t* size);
void* gaze_serialize(const api_table* api, void* loaded, serialized* out);
void gaze_release(serialized* s);
void* gaze_load_executable(const api_table* api, void* client, const char* bytes, size_t size, void** executable);

#endif
