package weights

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Objects that scripts save beside the weights are skipped. Unknown classes are named in
// a warning; arrays, dates, paths and random states aren't.
func TestTorchObjectsAreNamed(t *testing.T) {
	for name, want := range readTorchGolden(t) {
		if !strings.Contains(name, "passive") && !strings.Contains(name, "foreign") {
			continue
		}
		f, err := Open(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		all := strings.Join(f.Warnings(), "\n")
		if len(want.Names) == 0 && strings.Contains(name, "passive") && all != "" {
			t.Errorf("%s: warns: %s", name, all)
		}
		for _, class := range want.Names {
			if !strings.Contains(all, class) {
				t.Errorf("%s: the warnings don't name %s: %q", name, class, all)
			}
		}
		f.Close()
	}
	f, err := Open(filepath.Join("testdata", "torch_whole_nested.pth"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if w := f.Warnings(); len(w) == 0 || !strings.Contains(w[0], "__main__.Whole") || !strings.Contains(w[0], "whole pickled model") {
		t.Errorf("a whole model: warnings %q", w)
	}
}

// A call of a function that runs programs is refused by name, wherever it is; an unknown
// class isn't refused.
func TestJudgeGlobal(t *testing.T) {
	for name, want := range map[pickleGlobal]globalKind{
		"os.system": globalRefused, "posix.system": globalRefused, "nt.system": globalRefused, "subprocess.Popen": globalRefused,
		"builtins.eval": globalRefused, "builtins.exec": globalRefused, "builtins.compile": globalRefused, "builtins.open": globalRefused,
		"builtins.getattr": globalRefused, "builtins.__import__": globalRefused, "builtins.breakpoint": globalRefused, "builtins.print": globalRefused,
		"importlib.import_module": globalRefused, "runpy.run_path": globalRefused, "socket.socket": globalRefused, "shutil.rmtree": globalRefused,
		"operator.attrgetter": globalRefused, "operator.methodcaller": globalRefused, "types.FunctionType": globalRefused, "types.CodeType": globalRefused,
		"pickle.loads": globalRefused, "_pickle.loads": globalRefused, "marshal.loads": globalRefused, "ctypes.CDLL": globalRefused,
		"webbrowser.open": globalRefused, "urllib.request.urlopen": globalRefused, "pdb.run": globalRefused, "timeit.timeit": globalRefused,
		"threading.Thread": globalRefused, "multiprocessing.context.Process": globalRefused, "code.interact": globalRefused, "commands.getoutput": globalRefused,
		"torch.load": globalRefused, "torch.hub.load": globalRefused, "torch.storage._load_from_bytes": globalRefused, "torch.jit._script.script": globalRefused,
		"numpy.load": globalRefused, "numpy.testing._private.utils.runstring": globalRefused, "pandas.read_pickle": globalRefused,
		"dill._dill._create_function": globalRefused, "cloudpickle.cloudpickle._make_function": globalRefused, "joblib.load": globalRefused,
		"pip._internal.cli.main.main": globalRefused, "mylibrary.tools.os.system": globalRefused, "mylibrary.os": globalRefused,
		"mylibrary.Helper.__init__.__globals__": globalRefused, "mylibrary.eval": globalRefused, "collections.abc.sys.modules": globalRefused,
		"random._os.system": globalRefused, "enum.sys.modules": globalRefused, "typing.sys": globalRefused,
		"o s.x": globalRefused, "mylibrary.\x1b[2J": globalRefused, "mylibrary..x": globalRefused, "lone": globalRefused, ".": globalRefused, "": globalRefused,

		"collections.OrderedDict": globalKnown, "torch._utils._rebuild_tensor_v2": globalKnown, "torch.float32": globalKnown,
		"torch.FloatStorage": globalKnown, "datetime.datetime": globalKnown, "pathlib.PosixPath": globalKnown, "pathlib._local.PosixPath": globalKnown,
		"builtins.ValueError": globalKnown, "builtins.UserWarning": globalKnown, "builtins.object": globalKnown, "decimal.Decimal": globalKnown,
		"uuid.UUID": globalKnown, "types.SimpleNamespace": globalKnown, "functools.partial": globalKnown, "math.sqrt": globalKnown, "builtins.max": globalKnown, "_io.BytesIO": globalKnown,
		"_operator.mul": globalKnown, "io.open": globalRefused, "_io.open": globalRefused, "_operator.attrgetter": globalRefused, "statistics.sys.modules": globalRefused,
		"builtins.map": globalRefused, "builtins.vars": globalRefused, "builtins.input": globalRefused, "zoneinfo.ZoneInfo._unpickle": globalKnown,

		"numpy.core.multiarray._reconstruct": globalForeign, "numpy._core.multiarray._reconstruct": globalForeign,
		"numpy.random._pickle.__randomstate_ctor": globalForeign, "omegaconf.dictconfig.DictConfig": globalForeign, "__main__.Settings": globalForeign,
		"timm.models.vision_transformer.VisionTransformer": globalForeign, "torch.nn.modules.linear.Linear": globalForeign,
		"system.config.Settings": globalForeign, "mylibrary.system.Settings": globalForeign, "bibliothèque.Réglages": globalForeign,
		"easydict.EasyDict": globalForeign, "lightning.fabric.utilities.data.AttributeDict": globalForeign, "src.commands.train.Args": globalForeign,
	} {
		if got := judgeGlobal(name); got != want {
			t.Errorf("%q: %d, want %d", name, got, want)
		}
	}
}

// A file that wants to run code is refused even if its weights are good, whichever
// instruction does it.
func TestTorchHostileBeside(t *testing.T) {
	good := string(pickledDict("w", string(pickledTensor(pickledStorage(float32s, "0", 1), 0, []int{1}, []int{1}))))
	global := func(module, name string) string { return "c" + module + "\n" + name + "\n" }
	stacked := func(module, name string) string { return pickled(module) + pickled(name) + "\x93" }
	args := pickled(pickleTuple{"ls"})
	for name, test := range map[string]struct{ words, want string }{
		"reduce":             {global("os", "system") + args + "R", "os.system;"},
		"newobj":             {global("subprocess", "Popen") + args + "\x81", "subprocess.Popen;"},
		"newobj_ex":          {global("subprocess", "Popen") + args + "}\x92", "subprocess.Popen;"},
		"only named":         {global("posix", "system"), "posix.system;"},
		"stack global":       {stacked("builtins", "exec"), "builtins.exec;"},
		"Python 2's":         {global("__builtin__", "eval") + args + "R", "builtins.eval;"},
		"through a module":   {stacked("mylibrary.tools", "os.system") + args + "R", "mylibrary.tools.os.system;"},
		"in a partial":       {global("functools", "partial") + "(" + global("os", "system") + "tR", "os.system;"},
		"in a class's state": {global("mylibrary", "Thing") + ")\x81" + string(pickledDict("x", global("os", "system"))) + "b", "os.system;"},
		"reconstructed":      {global("copyreg", "_reconstructor") + "(" + global("runpy", "run_path") + global("builtins", "object") + "NtR", "runpy.run_path;"},
	} {
		_, _, _, err := openTorch(archiveOf(t, pickledDict("model", good, "x", test.words), 4))
		if err == nil || !strings.Contains(err.Error(), "refuses: the pickle wants to call "+test.want) {
			t.Errorf("%s: error %v, want one that names %s", name, err, test.want)
		}
	}
	for name, words := range map[string]string{
		"an unknown class":     global("mylibrary", "Thing") + ")\x81}b",
		"an unknown function":  global("mylibrary", "make") + args + "R",
		"named arguments":      global("mylibrary", "Thing") + ")}\x92",
		"a class by itself":    global("mylibrary", "Thing"),
		"items of a dict":      global("mylibrary", "Thing") + ")\x81(" + pickled("k") + pickled(1) + "u",
		"items of a list":      global("mylibrary", "Thing") + ")\x81(" + pickled(1) + "e",
		"a made class's call":  global("functools", "partial") + "(" + global("mylibrary", "Thing") + "tR)R",
		"attributes of slots":  global("mylibrary", "Thing") + ")\x81N" + string(pickledDict("a", "N")) + "\x86b",
		"a class of a pickled": pickled(pickleTuple{"module", pickleGlobal("mylibrary.Net"), "net.py", "class Net: pass"}) + "Q",
	} {
		tensors, _, root, err := openTorch(archiveOf(t, pickledDict("model", good, "x", words), 4))
		if err != nil || root != "model" || len(tensors) != 1 {
			t.Errorf("%s: %d tensors at %q, error %v", name, len(tensors), root, err)
		}
	}
}

// A small pickle can't make Gaze copy the same module's attributes many times.
func TestTorchManyModules(t *testing.T) {
	attributes := "}" + pickled("_parameters") + "}("
	for range 2000 {
		attributes += pickled("p") + "N"
	}
	attributes += "us" + pickled("_modules") + "}s" + "q\x00"
	words := pickled("first") + attributes
	for range 2000 {
		words += pickled("m") + "cmylibrary\nNet\n)\x81h\x00b"
	}
	_, _, _, err := openTorchAt(archiveOf(t, rawPickle("}("+words+"u"), 4), "")
	if err == nil || !strings.Contains(err.Error(), "holds no tensors") {
		t.Errorf("error %v", err)
	}
}

// OpenAll lists the tensors of all containers.
func TestOpenAll(t *testing.T) {
	f, err := OpenAll(filepath.Join("testdata", "torch_teacher.pth"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if want := []string{"student.w", "teacher.w", "dino_loss.center"}; !slices.Equal(f.Names(), want) || f.Root() != "" {
		t.Errorf("root %q, %v; want %v", f.Root(), f.Names(), want)
	}
	// A tensor that can't be read is listed with the reason, which its methods return.
	for name, reason := range map[string]string{"torch_complex.pth": "complex64", "torch_sparse.pth": "torch._utils._rebuild_sparse_tensor", "torch_uint16.pth": "uint16"} {
		f, err := OpenAll(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		w, ok := f.Tensor("w")
		if !ok || w.Err() == nil || !strings.Contains(w.Err().Error(), reason) || w.Bytes() != nil {
			t.Fatalf("%s: %v", name, w)
		}
		if _, err := w.Float32s(); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: values: %v", name, err)
		}
	}
	// Views that aren't in row-major order are copied when they are used.
	strict, err := Open(filepath.Join("testdata", "torch_views.pth"))
	if err != nil {
		t.Fatal(err)
	}
	defer strict.Close()
	late, err := OpenAll(filepath.Join("testdata", "torch_views.pth"))
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	for _, name := range strict.Names() {
		a, _ := strict.Tensor(name)
		b, ok := late.Tensor(name)
		if !ok || string(a.Bytes()) != string(b.Bytes()) {
			t.Errorf("%s differs", name)
		}
	}
	if f, err = OpenAll(filepath.Join("testdata", "st_types.safetensors")); err != nil {
		t.Fatal(err)
	}
	f.Close()
}
