//go:build cgo && linux && !noxla && (amd64 || arm64)

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "_cgo_export.h"
#include "pjrt.h"

// All functions of the interface take one structure, and all but those that handle errors
// return an error, or NULL. Plugins reject a structure that is smaller than theirs, so the
// ones made here are larger than in any version, with zeros in the fields that aren't used.
typedef struct {
	size_t struct_size;
	void* extensions;
	void* object;
	union {
		void* pointer;
		size_t size;
		int64_t number;
	} field[32];
} any_args;

void* gaze_call(const api_table* api, int function, void* args) {
	return ((void* (*)(void*))api->functions[function])(args);
}

static any_args args_for(void* object) {
	any_args args = {0};
	args.struct_size = sizeof args;
	args.object = object;
	return args;
}

// A call doesn't say which plugin's table it came through, so each slot has functions of
// its own.
#define SLOT(n) \
	static void* create_##n(void* args) { return gazeClientCreate(n, args); } \
	static void* compile_##n(void* args) { return gazeClientCompile(n, args); }
SLOT(0) SLOT(1) SLOT(2) SLOT(3) SLOT(4) SLOT(5) SLOT(6) SLOT(7)

typedef void* (*pjrt_function)(void*);
static const pjrt_function creates[SLOTS] = {create_0, create_1, create_2, create_3, create_4, create_5, create_6, create_7};
static const pjrt_function compiles[SLOTS] = {compile_0, compile_1, compile_2, compile_3, compile_4, compile_5, compile_6, compile_7};

// go-xla initialised the plugin when it loaded it; a second time would be an error.
static void* already_initialized(void* args) { return NULL; }

api_table* gaze_wrap_table(const api_table* original, int slot) {
	size_t least = offsetof(api_table, functions) + (EXECUTABLE_GET_COMPILED_MEMORY_STATS + 1) * sizeof(function);
	if (original->version.major != 0 || original->struct_size < least || slot < 0 || slot >= SLOTS)
		return NULL;
	api_table* copy = malloc(original->struct_size);
	if (!copy)
		return NULL;
	memcpy(copy, original, original->struct_size);
	copy->functions[PLUGIN_INITIALIZE] = already_initialized;
	copy->functions[CLIENT_CREATE] = creates[slot];
	copy->functions[CLIENT_COMPILE] = compiles[slot];
	return copy;
}

const api_table* gaze_load_table(const char* library, char** error) {
	void* handle = dlopen(library, RTLD_LAZY | RTLD_LOCAL);
	const api_table* (*get)(void) = handle ? dlsym(handle, "GetPjrtApi") : NULL;
	if (!get) {
		*error = dlerror();
		return NULL;
	}
	return get();
}

static bool is_named(const named_value* v, const char* name) {
	return v->name_size == strlen(name) && !memcmp(v->name, name, v->name_size);
}

bool gaze_option_is_false(const create_args* args, const char* option) {
	for (size_t i = 0; i < args->num_options; i++)
		if (is_named(&args->options[i], option))
			return args->options[i].type == NAMED_BOOL && !args->options[i].bool_value;
	return false;
}

void* gaze_create_client(const api_table* api, create_args* args, const char* without, int extra, int devices) {
	const named_value cpu_options[CPU_OPTIONS] = {
		{.struct_size = sizeof(named_value), .name = "cpu_device_count", .name_size = 16, .type = NAMED_INT64, .int64_value = devices, .value_size = 1},
		{.struct_size = sizeof(named_value), .name = "asynchronous", .name_size = 12, .type = NAMED_BOOL, .bool_value = false, .value_size = 1},
	};
	create_args other = *args;
	named_value* some = calloc(args->num_options + CPU_OPTIONS, sizeof *some);
	other.options = some;
	other.num_options = 0;
	for (size_t i = 0; some && i < args->num_options; i++)
		if (!is_named(&args->options[i], without))
			some[other.num_options++] = args->options[i];
	for (int i = 0; some && i < extra; i++)
		some[other.num_options++] = cpu_options[i];
	void* error = gaze_call(api, CLIENT_CREATE, &other);
	args->client = other.client;
	free(some);
	return error;
}

void gaze_error_text(const api_table* api, void* error, const char** text, size_t* size) {
	any_args args = args_for(error);
	((void (*)(void*))api->functions[ERROR_MESSAGE])(&args);
	*text = args.field[0].pointer;
	*size = args.field[1].size;
}

void gaze_error_free(const api_table* api, void* error) {
	any_args args = args_for(error);
	((void (*)(void*))api->functions[ERROR_DESTROY])(&args);
}

void* gaze_text(const api_table* api, int function, void* object, const char** text, size_t* size) {
	any_args args = args_for(object);
	void* error = gaze_call(api, function, &args);
	*text = args.field[0].pointer;
	*size = args.field[1].size;
	return error;
}

void* gaze_devices(const api_table* api, void* client, void*** list, size_t* n) {
	any_args args = args_for(client);
	void* error = gaze_call(api, CLIENT_ADDRESSABLE_DEVICES, &args);
	*list = args.field[0].pointer;
	*n = args.field[1].size;
	return error;
}

void* gaze_device_kind(const api_table* api, void* device, const char** text, size_t* size) {
	any_args args = args_for(device);
	void* error = gaze_call(api, DEVICE_GET_DESCRIPTION, &args);
	return error ? error : gaze_text(api, DEVICE_DESCRIPTION_KIND, args.field[0].pointer, text, size);
}

static void destroy(const api_table* api, int function, void* object) {
	any_args args = args_for(object);
	void* error = gaze_call(api, function, &args);
	if (error)
		gaze_error_free(api, error);
}

void* gaze_serialize(const api_table* api, void* loaded, serialized* out) {
	any_args args = args_for(loaded);
	void* error = gaze_call(api, LOADED_EXECUTABLE_GET_EXECUTABLE, &args);
	if (error)
		return error;
	void* executable = args.field[0].pointer;
	args = args_for(executable);
	error = gaze_call(api, EXECUTABLE_SERIALIZE, &args);
	if (!error) {
		out->bytes = args.field[0].pointer;
		out->size = args.field[1].size;
		out->owner = args.field[2].pointer;
		out->release = (void (*)(void*))args.field[3].pointer;
	}
	destroy(api, EXECUTABLE_DESTROY, executable);
	return error;
}

void gaze_release(serialized* s) {
	if (s->release)
		s->release(s->owner);
}

// check_executable makes the calls that go-xla makes next, so that an executable which can't
// answer them counts as not stored.
static void* check_executable(const api_table* api, void* loaded) {
	any_args args = args_for(loaded);
	void* error = gaze_call(api, LOADED_EXECUTABLE_GET_EXECUTABLE, &args);
	if (error)
		return error;
	void* executable = args.field[0].pointer;
	args = args_for(executable);
	error = gaze_call(api, EXECUTABLE_NUM_OUTPUTS, &args);
	if (!error) {
		args = args_for(executable);
		error = gaze_call(api, EXECUTABLE_GET_COMPILED_MEMORY_STATS, &args);
	}
	destroy(api, EXECUTABLE_DESTROY, executable);
	return error;
}

void* gaze_load_executable(const api_table* api, void* client, const char* bytes, size_t size, void** loaded) {
	any_args args = args_for(client);
	args.field[0].pointer = (void*)bytes;
	args.field[1].size = size;
	void* error = gaze_call(api, EXECUTABLE_DESERIALIZE_AND_LOAD, &args);
	if (error)
		return error;
	*loaded = args.field[2].pointer;
	error = check_executable(api, *loaded);
	if (error)
		destroy(api, LOADED_EXECUTABLE_DESTROY, *loaded);
	return error;
}
