// Matrix products of a Vision Transformer by Gaze's kernels and by libraries, on one thread: see
// README.md. Prints a line for each library: the median, least and largest GFLOP/s of the rounds.
#include <dlfcn.h>
#include <libxsmm.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#ifdef WITH_ONEDNN
#include <dnnl.hpp>
#endif

extern "C" {
void ours_pack(int wide, const float* b, int n, int k, float* out);
bool ours_multiply(int wide, const float* a, const float* b, bool packed, float* c, int m, int n, int k);
}

using std::string, std::vector;

// C [m, n] = A [m, k] · Bᵀ, with weights B [n, k] as torch stores them.
struct Shape {
	int m, n, k;
};
using Product = std::function<void(const float* a, float* c)>;
// A library prepares a product with some weights, which may include packing them. The result is
// empty if it can't.
struct Library {
	string name;
	std::function<Product(Shape, const float* weights)> prepare;
};

static double processor_time() {
	timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

static std::shared_ptr<float> aligned(size_t n) { return {static_cast<float*>(aligned_alloc(64, (4 * n + 63) / 64 * 64)), free}; }

static Library gaze(bool wide, bool packed) {
	return {packed ? "Gaze, packed" : "Gaze", [=](Shape s, const float* weights) -> Product {
		std::shared_ptr<float> memory = aligned(size_t(s.n) * s.k);
		if (packed)
			ours_pack(wide, weights, s.n, s.k, memory.get());
		return [=](const float* a, float* c) {
			if (!ours_multiply(wide, a, packed ? memory.get() : weights, packed, c, s.m, s.n, s.k))
				exit(1);
		};
	}};
}

// Both of these BLAS have the same names, so each is loaded by itself.
static Library blas(const char* name, const char* file) {
	void* library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	using Sgemm = void (*)(int, int, int, int, int, int, float, const float*, int, const float*, int, float, float*, int);
	auto sgemm = library ? reinterpret_cast<Sgemm>(dlsym(library, "cblas_sgemm")) : nullptr;
	return {name, [=](Shape s, const float* weights) -> Product {
		if (!sgemm)
			return {};
		return [=](const float* a, float* c) { sgemm(101, 111, 112, s.m, s.n, s.k, 1, a, s.k, weights, s.k, 0, c, s.n); };
	}};
}

// libxsmm multiplies blocks; which blocks, and the order of the weights, is up to its user. The
// best of a few sizes is taken.
static Product xsmm_blocks(Shape s, const float* weights, int rows, int columns, int terms) {
	int lda = columns, ldb = s.k, ldc = s.n, flags = 0, prefetch = 0;
	float one = 1, zero = 0;
	auto kernel = [&](int m) {
		return m ? libxsmm_smmdispatch_reducebatch_strd(columns, m, terms, 4 * columns * terms, 4 * terms, &lda, &ldb, &ldc, &one, &zero, &flags, &prefetch) : nullptr;
	};
	if (s.n % columns || s.k % terms || rows > s.m || !kernel(rows) || (s.m % rows && !kernel(s.m % rows)))
		return {};
	std::shared_ptr<float> memory = aligned(size_t(s.n) * s.k);
	float* to = memory.get();
	for (int j = 0; j < s.n; j += columns)
		for (int k = 0; k < s.k; k++)
			for (int i = 0; i < columns; i++)
				*to++ = weights[size_t(j + i) * s.k + k];
	return [=, whole = kernel(rows), last = kernel(s.m % rows)](const float* a, float* c) {
		unsigned long long count = s.k / terms;
		for (int j = 0; j < s.n; j += columns)
			for (int i = 0; i < s.m; i += rows)
				(i + rows <= s.m ? whole : last)(memory.get() + size_t(j) * s.k, a + size_t(i) * s.k, c + size_t(i) * s.n + j, &count);
	};
}

static Product xsmm(Shape s, const float* weights) {
	static int best[3];
	static Shape known;
	if (memcmp(&known, &s, sizeof s)) {
		vector<float> a(size_t(s.m) * s.k), c(size_t(s.m) * s.n);
		double least = 1e9;
		for (int rows : {17, 24, 48, 65})
			for (int columns : {32, 48, 64})
				for (int terms : {64, 128, 192, 384, 768})
					if (Product p = xsmm_blocks(s, weights, rows, columns, terms)) {
						p(a.data(), c.data());
						double start = processor_time();
						p(a.data(), c.data());
						double time = processor_time() - start;
						if (time < least)
							least = time, best[0] = rows, best[1] = columns, best[2] = terms;
					}
		known = s;
	}
	return xsmm_blocks(s, weights, best[0], best[1], best[2]);
}

#ifdef WITH_ONEDNN
static Library onednn(bool packed) {
	using namespace dnnl;
	return {packed ? "oneDNN, packed" : "oneDNN", [=](Shape s, const float* weights) -> Product {
		using tag = memory::format_tag;
		static engine cpu(engine::kind::cpu, 0);
		static stream order(cpu);
		memory::desc a({s.m, s.k}, memory::data_type::f32, tag::ab), c({s.m, s.n}, memory::data_type::f32, tag::ab);
		memory::desc plain({s.k, s.n}, memory::data_type::f32, tag::ba), any({s.k, s.n}, memory::data_type::f32, tag::any);
		matmul::primitive_desc how(cpu, a, packed ? any : plain, c);
		memory b(plain, cpu, const_cast<float*>(weights));
		if (packed) {
			memory other(how.weights_desc(), cpu);
			reorder(b, other).execute(order, b, other);
			order.wait();
			b = other;
		}
		return [=, product = matmul(how), from = memory(a, cpu, nullptr), to = memory(c, cpu, nullptr)](const float* a, float* c) mutable {
			from.set_data_handle(const_cast<float*>(a));
			to.set_data_handle(c);
			product.execute(order, {{DNNL_ARG_SRC, from}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, to}});
			order.wait();
		};
	}};
}
#endif

int main(int argc, char** argv) {
	if (argc != 4)
		return fprintf(stderr, "use: gemm M N K\n"), 2;
	const Shape s = {atoi(argv[1]), atoi(argv[2]), atoi(argv[3])};
	const bool wide = !getenv("AVX2"); // the libraries have variables of their own
	vector<Library> libraries = {gaze(wide, false), gaze(wide, true), blas("OpenBLAS", "libopenblas.so.0"), blas("BLIS", "libblis.so.4"), {"libxsmm, packed", xsmm}};
#ifdef WITH_ONEDNN
	libraries.push_back(onednn(false)), libraries.push_back(onednn(true));
#endif
	// As in a model, each of some layers has weights of its own.
	const int layers = s.m > 1000 ? 2 : 12, rounds = 9, warm_up = 1;
	const double operations = 2.0 * s.m * s.n * s.k * layers;
	const int repeats = std::max(1, int(1.5e9 / operations));
	std::mt19937 random(1);
	std::normal_distribution<float> normal;
	vector<float> a(size_t(s.m) * s.k), c(size_t(s.m) * s.n), weights(size_t(s.n) * s.k), want;
	std::generate(a.begin(), a.end(), [&] { return normal(random); });
	std::generate(weights.begin(), weights.end(), [&] { return normal(random); });
	vector<vector<float>> each(layers, weights);
	vector<vector<Product>> products(libraries.size());
	for (size_t q = 0; q < libraries.size(); q++) {
		for (auto& w : each)
			if (Product p = libraries[q].prepare(s, w.data()))
				products[q].push_back(p);
		if (products[q].empty())
			continue;
		products[q][0](a.data(), c.data());
		if (want.empty())
			want = c;
		for (size_t i = 0; i < c.size(); i++)
			if (!(std::fabs(c[i] - want[i]) < 1e-4 * s.k))
				return fprintf(stderr, "%s: a wrong product\n", libraries[q].name.c_str()), 1;
	}
	vector<vector<double>> rates(libraries.size());
	for (int r = -warm_up; r < rounds; r++)
		for (size_t i = 0; i < libraries.size(); i++) {
			const size_t l = (i + r + warm_up) % libraries.size();
			const double start = processor_time();
			for (int q = 0; q < repeats; q++)
				for (Product& p : products[l])
					p(a.data(), c.data());
			if (r >= 0 && !products[l].empty())
				rates[l].push_back(1e-9 * operations * repeats / (processor_time() - start));
		}
	for (size_t l = 0; l < libraries.size(); l++)
		if (auto& t = rates[l]; !t.empty()) {
			std::sort(t.begin(), t.end());
			printf("%dx%dx%d\t%s\t%.1f\t%.1f\t%.1f\n", s.m, s.n, s.k, libraries[l].name.c_str(), t[t.size() / 2], t[0], t.back());
		}
}
