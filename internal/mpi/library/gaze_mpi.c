// What `gaze train --hosts` needs of MPI, with an interface that has no MPI in it: gaze loads
// this library while it runs (internal/mpi), so that it needs MPI only where it is used, and
// whatever MPI the cluster has. `make mpi` compiles it.
//
// All functions return 0, or MPI's error code, whose text gaze_mpi_error gives. They may be
// called from any thread, but from one at a time.
#include <mpi.h>
#include <stddef.h>
#include <stdlib.h>

// The version of this interface, which internal/mpi checks.
int gaze_mpi_version(void) { return 1; }

// gaze_mpi_open starts MPI and tells which of how many processes this is.
int gaze_mpi_open(int* rank, int* size) {
	// Open MPI would handle signals that Go's runtime needs, such as SIGSEGV.
	setenv("OMPI_MCA_opal_signal", "", 0);
	int provided, failed = MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided);
	if (failed)
		return failed;
	if (provided < MPI_THREAD_SERIALIZED)
		return MPI_ERR_OTHER;
	MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
	failed = MPI_Comm_rank(MPI_COMM_WORLD, rank);
	return failed ? failed : MPI_Comm_size(MPI_COMM_WORLD, size);
}

// Parts keep the counts, which are ints, and MPI's temporary memory small.
enum { PART = 1 << 24 };

static int sum(char* values, size_t n, size_t each, MPI_Datatype type) {
	for (size_t done = 0; done < n; done += PART) {
		int count = n - done < PART ? (int)(n - done) : PART;
		int failed = MPI_Allreduce(MPI_IN_PLACE, values + done * each, count, type, MPI_SUM, MPI_COMM_WORLD);
		if (failed)
			return failed;
	}
	return 0;
}

// The sums replace the values, in every process.
int gaze_mpi_sum_floats(float* values, size_t n) { return sum((char*)values, n, sizeof *values, MPI_FLOAT); }
int gaze_mpi_sum_doubles(double* values, size_t n) { return sum((char*)values, n, sizeof *values, MPI_DOUBLE); }

// gaze_mpi_broadcast copies n bytes, at most 2 GiB, from process 0 to the others.
int gaze_mpi_broadcast(void* bytes, size_t n) { return MPI_Bcast(bytes, (int)n, MPI_BYTE, 0, MPI_COMM_WORLD); }

// gaze_mpi_close ends MPI, once every process calls it.
int gaze_mpi_close(void) { return MPI_Finalize(); }

// gaze_mpi_error writes the text of an error code.
void gaze_mpi_error(int code, char text[MPI_MAX_ERROR_STRING]) {
	int n = 0;
	if (MPI_Error_string(code, text, &n))
		n = 0;
	text[n] = 0;
}

// gaze_mpi_error_size is the room that gaze_mpi_error needs.
int gaze_mpi_error_size(void) { return MPI_MAX_ERROR_STRING + 1; }
