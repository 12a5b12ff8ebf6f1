package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"gaze/pkg/caption"
	"gaze/pkg/hub"
	"gaze/pkg/plots"
	"gaze/pkg/vit"
)

// gazeWith is gaze with text on standard input.
func gazeWith(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, log bytes.Buffer
	status = runWith(context.Background(), args, strings.NewReader(stdin), &out, &log)
	return status, out.String(), log.String()
}

// sharedCache is a cache folder for tests that compile the same programs.
var sharedCache = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "gaze-test-cache-*") })

// shareCache makes the test use the shared cache.
func shareCache(t *testing.T) {
	t.Helper()
	dir, err := sharedCache()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GAZE_CACHE", dir)
}

// contents maps everything in a folder to its hash or, for a link, its target.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		switch {
		case e.IsDir():
			found[rel] = "folder"
		case e.Type()&fs.ModeSymlink != 0:
			found[rel], err = os.Readlink(path)
		case e.Type().IsRegular():
			var data []byte
			data, err = os.ReadFile(path)
			found[rel] = fmt.Sprintf("%x", sha256.Sum256(data))
		default:
			found[rel] = e.Type().String()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// unchanged reports every change that a command made in a folder.
func unchanged(t *testing.T, before, after map[string]string) {
	t.Helper()
	if maps.Equal(before, after) {
		return
	}
	for name, sum := range after {
		if before[name] != sum {
			t.Errorf("%s: %q, before %q", name, sum, before[name])
		}
	}
	for name := range before {
		if _, there := after[name]; !there {
			t.Errorf("%s is gone", name)
		}
	}
}

// workplace makes a new working folder for the test, with photos/cat.png and dog.png,
// model/ (a classifier of two classes), names.txt, labels.csv and an empty out/.
func workplace(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, dir := range []string{"photos", "model", "out"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	plain(t, "photos/cat.png", 200)
	plain(t, "photos/dog.png", 60)
	write(t, "names.txt", "a cat\na dog\n")
	write(t, "labels.csv", "filename,label\nphotos/cat.png,0\nphotos/dog.png,1\n")
	cfg, err := vit.ParseConfig("vit:dim=16,depth=1,heads=2,patch=16,size=32")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Classes = 2
	m, err := vit.New(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Save("model/model.safetensors"); err != nil {
		t.Fatal(err)
	}
}

// plain draws a plain picture, so that its figures compress quickly.
func plain(t *testing.T, path string, shade uint8) {
	t.Helper()
	im := image.NewGray(image.Rect(0, 0, 16, 16))
	for i := range im.Pix {
		im.Pix[i] = shade
	}
	if err := plots.SavePNG(path, im); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// linked makes a link or skips the test.
func linked(t *testing.T, how func(from, to string) error, from, to string) {
	t.Helper()
	if err := how(from, to); err != nil {
		t.Skip("no links here:", err)
	}
}

// An overwrite is a command line whose output would replace an input.
type overwrite struct {
	command string
	name    string
	prepare func(t *testing.T)
	args    []string
	stdin   string
	// names are other files that the error names.
	names []string
}

// overwrites lists the ways in which each command's outputs can replace its inputs.
func overwrites() []overwrite {
	link := func(from, to string) func(*testing.T) {
		return func(t *testing.T) { linked(t, os.Symlink, from, to) }
	}
	hard := func(from, to string) func(*testing.T) {
		return func(t *testing.T) { linked(t, os.Link, from, to) }
	}
	var list []overwrite
	// Commands that write DIR/<stem>.png.
	for command, model := range map[string]string{"attend": "model", "caption": hub.LaptopCaptioner, "explain": "model"} {
		add := func(name string, prepare func(*testing.T), stdin string, args ...string) {
			list = append(list, overwrite{command, name, prepare, append([]string{command, "--model", model}, args...), stdin, []string{"cat.png"}})
		}
		add("itself", nil, "", "-o", "photos", "photos/cat.png")
		add("among others", nil, "", "-o", "photos", "photos/dog.png", "photos/cat.png")
		add("the folder", nil, "", "-o", "photos", "photos")
		add("here", nil, "", "-o", "photos/../photos/.", "./photos//cat.png")
		add("absolute", func(t *testing.T) {
			abs, err := filepath.Abs("photos")
			if err != nil {
				t.Fatal(err)
			}
			linked(t, os.Symlink, abs, "absolute")
		}, "", "-o", "photos", "absolute/cat.png")
		add("a linked folder", link("photos", "album"), "", "-o", "album", "photos/cat.png")
		add("through a linked folder", link("photos", "album"), "", "-o", "photos", "album/cat.png")
		add("a link to it", link("../photos/cat.png", "out/cat.png"), "", "-o", "out", "photos/cat.png")
		add("a link as the input", link("../photos/cat.png", "out/cat.png"), "", "-o", "out", "out/cat.png")
		add("where a link leads", link("photos/cat.png", "cat.jpg"), "", "-o", "photos", "cat.jpg")
		add("a hard link", hard("photos/cat.png", "out/cat.png"), "", "-o", "out", "photos/cat.png")
		add("another picture's", hard("photos/cat.png", "out/dog.png"), "", "-o", "out", "photos/cat.png", "photos/dog.png")
		add("from a list", nil, "photos/dog.png\nphotos/cat.png\n", "-o", "photos", "-")
		add("searched", nil, "", "-o", "photos", "-r", "photos")
		add("searched from above", nil, "", "-o", ".", "-r", "names.txt", "photos")
		add("by another format", func(t *testing.T) { linked(t, os.Link, "photos/cat.png", "out/cat.svg") }, "", "--svg", "-o", "out", "photos/cat.png")
	}
	list = append(list,
		overwrite{"attend", "npy", link("../photos/cat.png", "out/cat.npy"), []string{"attend", "--model", "model", "--npy", "-o", "out", "photos/cat.png"}, "", []string{"cat.npy"}},
		overwrite{"attend", "the model", hard("model/model.safetensors", "out/cat.png"), []string{"attend", "--model", "model", "-o", "out", "photos/cat.png"}, "", []string{"out/cat.png", "model.safetensors"}},
		overwrite{"explain", "a class's npy", link("../photos/cat.png", "out/cat-chefer-1.npy"), []string{"explain", "--model", "model", "--npy", "--class", "0,1", "-o", "out", "photos/cat.png"}, "", []string{"cat-chefer-1.npy"}},
		overwrite{"explain", "html", link("photos/cat.png", "page.html"), []string{"explain", "--model", "model", "--html", "page.html", "photos/cat.png"}, "", []string{"page.html"}},
		overwrite{"explain", "json", link("../photos/cat.png", "out/cat.json"), []string{"explain", "--model", "model", "--json", "-o", "out", "photos/cat.png"}, "", []string{"cat.json"}},
		overwrite{"caption", "json", link("../photos/cat.png", "out/cat.json"), []string{"caption", "--model", hub.LaptopCaptioner, "--json", "-o", "out", "photos/cat.png"}, "", []string{"cat.json"}},
		overwrite{"caption", "atlas", link("../photos/cat.png", "out/cat-heads.png"), []string{"caption", "--model", hub.LaptopCaptioner, "--atlas", "-o", "out", "photos/cat.png"}, "", []string{"cat-heads.png"}},
		overwrite{"caption", "the words", nil, []string{"caption", "--model", hub.LaptopCaptioner, "--vocab", "words.json", "--json", "-o", ".", "photos/words.png"}, "", []string{"words.json"}},
	)
	for i := range list {
		if list[i].name == "the words" {
			list[i].prepare = func(t *testing.T) {
				photo(t, "photos", "words.png")
				path, err := hub.Resolve(hub.LaptopCaptioner)
				if err != nil {
					t.Fatal(err)
				}
				m, err := caption.Open(path, "", "", "")
				if err != nil {
					t.Fatal(err)
				}
				defer m.Close()
				write(t, "words.json", m.Vocab.String())
			}
		}
	}
	// Commands that write the files named by flags.
	for _, c := range []struct {
		command, flag string
		args          []string // without the flag
		inputs        []string
		ending        string // that the flag asks for
	}{
		{"classify", "-o", []string{"--model", "model", "--names", "names.txt", "photos/cat.png"}, []string{"names.txt", "photos/cat.png", "model/model.safetensors", "model/config.json"}, ""},
		{"classify", "--logits", []string{"--model", "model/model.safetensors", "--names", "names.txt", "photos/cat.png"}, []string{"names.txt", "photos/cat.png", "model/model.safetensors", "model/config.json"}, ""},
		{"augment", "-o", []string{"--pipeline", "hflip", "photos/dog.png", "photos/cat.png"}, []string{"photos/cat.png"}, ".png"},
		{"transform", "-o", []string{"--pipeline", "hflip", "photos/cat.png"}, []string{"photos/cat.png"}, ".png"},
		{"transform", "--npy", []string{"--pipeline", "hflip", "photos/cat.png"}, []string{"photos/cat.png"}, ""},
		{"posembed", "-o", []string{"--model", "model"}, []string{"model/model.safetensors", "model/config.json"}, ".png"},
		{"posembed", "--npy", []string{"--model", "model", "-o", "out/fig.png"}, []string{"model/model.safetensors", "model/config.json", "model/preprocessor_config.json", "model/pytorch_model.bin"}, ""},
	} {
		for _, input := range c.inputs {
			add := func(name, out string, prepare func(*testing.T)) {
				args := slices.Concat([]string{c.command, c.flag, out}, c.args)
				list = append(list, overwrite{c.command, c.flag + " over " + input + ", " + name, prepare, args, "", []string{out, filepath.Base(input)}})
			}
			if c.ending == "" || c.ending == filepath.Ext(input) {
				dir, base := filepath.Split(input)
				add("itself", input, nil)
				add("spelled otherwise", "./"+dir+"../"+filepath.Base(filepath.Dir(input))+"/"+base, func(t *testing.T) {
					if dir == "" {
						t.Skip("there is no folder to go through")
					}
				})
				add("through a linked folder", "same/"+base, link("./"+dir, "same"))
			}
			if _, optional := map[string]bool{"model/preprocessor_config.json": true, "model/pytorch_model.bin": true}[input]; optional {
				continue // it isn't there
			}
			add("a link", "out/x"+c.ending, link("../"+input, "out/x"+c.ending))
			add("a link to a link", "out/x"+c.ending, func(t *testing.T) {
				linked(t, os.Symlink, input, "first")
				linked(t, os.Symlink, "../first", "out/x"+c.ending)
			})
			add("a hard link", "out/x"+c.ending, hard(input, "out/x"+c.ending))
		}
	}
	// evaluate writes files with fixed names.
	for name, input := range map[string]string{"report.json": "labels.csv", "predictions.csv": "model/config.json", "classes.png": "photos/dog.png", "losses.png": "photos/cat.png", "confusion.png": "model/model.safetensors"} {
		args := []string{"evaluate", "--run", "model", "--data", "labels.csv", "-o", "out"}
		list = append(list,
			overwrite{"evaluate", name + ", a link", link("../"+input, "out/"+name), args, "", []string{name, filepath.Base(input)}},
			overwrite{"evaluate", name + ", a hard link", hard(input, "out/"+name), args, "", []string{name, filepath.Base(input)}})
	}
	list = append(list, overwrite{"evaluate", "the table", func(t *testing.T) {
		if err := os.Rename("labels.csv", "predictions.csv"); err != nil {
			t.Fatal(err)
		}
	}, []string{"evaluate", "--run", "model", "--data", "predictions.csv", "-o", "."}, "", []string{"predictions.csv"}})
	// lr draws a chart; its training pictures are listed in a table.
	for _, input := range []string{"photos/dog.png", "labels.csv", "model/model.safetensors"} {
		args := []string{"lr", "--data", "labels.csv", "--model", "model", "-o", "out/x.png"}
		list = append(list,
			overwrite{"lr", "over " + input + ", a link", link("../"+input, "out/x.png"), args, "", []string{"out/x.png", filepath.Base(input)}},
			overwrite{"lr", "over " + input + ", a hard link", hard(input, "out/x.png"), args, "", []string{"out/x.png", filepath.Base(input)}})
	}
	list = append(list, overwrite{"lr", "among the pictures", nil, []string{"lr", "--data", "labels.csv", "--model", "model", "-o", "photos/dog.png"}, "", []string{"photos"}})
	// train replaces the weights of its run.
	list = append(list, overwrite{"train", "the model", func(t *testing.T) {
		if err := os.Mkdir("run", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename("model", "run/best"); err != nil {
			t.Fatal(err)
		}
	}, []string{"train", "--data", "labels.csv", "--model", "run/best/model.safetensors", "-o", "run"}, "", []string{"run/best"}},
		overwrite{"train", "in the model's folder", nil, []string{"train", "--data", "labels.csv", "--model", "model", "-o", "model"}, "", []string{"model/config.json"}})
	return list
}

// TestNothingReadIsWrittenOver: if an output would replace an input, by any path, the
// command fails with an error and writes nothing, even with --force.
func TestNothingReadIsWrittenOver(t *testing.T) {
	if testing.Short() {
		t.Skip("runs many command lines")
	}
	shareCache(t)
	for _, c := range overwrites() {
		t.Run(c.command+"/"+c.name, func(t *testing.T) {
			workplace(t)
			if c.prepare != nil {
				c.prepare(t)
			}
			before := contents(t, ".")
			for _, force := range []bool{false, true} {
				args := c.args
				if force && c.command != "train" {
					args = append(slices.Clone(args), "--force")
				}
				status, out, log := gazeWith(t, c.stdin, args...)
				if status != 1 && status != 2 || out != "" {
					t.Errorf("gaze %q: exit status %d\n%s%s", args, status, out, log)
				}
				for _, name := range c.names {
					if !strings.Contains(log, name) {
						t.Errorf("gaze %q: %q isn't named: %s", args, name, log)
					}
				}
				unchanged(t, before, contents(t, "."))
			}
		})
	}
}

// TestEveryOutputIsTested: every command with an output flag is in the tests of this
// file, and has --force unless it only writes new folders.
func TestEveryOutputIsTested(t *testing.T) {
	tested := map[string]bool{}
	for _, c := range overwrites() {
		tested[c.command] = true
	}
	newFolder := map[string]bool{"pets": true, "scenes": true, "pull": true, "train": true} // TestFoldersArentReplaced
	notebooks := map[string]bool{"report": true}                                            // tools/notebooks/tests.py
	for _, cmd := range newRoot().Commands() {
		npy := cmd.Flags().Lookup("npy")
		writes := cmd.Flags().Lookup("output") != nil || cmd.Flags().Lookup("logits") != nil || npy != nil && npy.Value.Type() == "string"
		name := cmd.Name()
		if writes && !tested[name] && !newFolder[name] && !notebooks[name] {
			t.Errorf("%s writes files: add it to overwrites()", name)
		}
		if writes && !newFolder[name] && cmd.Flags().Lookup("force") == nil {
			t.Errorf("%s writes files, and has no --force", name)
		}
	}
}

// TestFoldersArentReplaced: commands that make a new folder refuse one that isn't empty.
func TestFoldersArentReplaced(t *testing.T) {
	shareCache(t)
	for _, args := range [][]string{
		{"pets", "--size", "32", "--breeds", "2", "--train", "1", "--val", "0", "--test", "0"},
		{"scenes", "--train", "1", "--val", "0", "--test", "0", "--heldout", "0"},
		{"pull", hub.OxfordPetsName},
	} {
		workplace(t)
		linked(t, os.Symlink, "photos", "album")
		before := contents(t, ".")
		for _, out := range []string{"photos", "album", "names.txt", "photos/cat.png", "names.txt/new"} {
			status, _, log := gaze(t, append(args, "-o", out)...)
			if status != 1 || log == "" {
				t.Errorf("gaze %q -o %s: exit status %d\n%s", args, out, status, log)
			}
			unchanged(t, before, contents(t, "."))
		}
	}
}

// writers are command lines that write files, with the files.
var writers = []struct {
	args  []string
	files []string
}{
	{[]string{"attend", "--model", "model", "--npy", "-o", "out/new", "photos/cat.png"}, []string{"out/new/cat.png", "out/new/cat.npy"}},
	{[]string{"explain", "--model", "model", "--npy", "--json", "--method", "attention", "--html", "page.html", "-o", "out/new", "photos/cat.png"}, []string{"out/new/cat.png", "out/new/cat.npy", "out/new/cat.json", "page.html"}},
	{[]string{"caption", "--model", hub.LaptopCaptioner, "--max-tokens", "2", "--json", "--svg", "-o", "out", "photos/cat.png"}, []string{"out/cat.svg", "out/cat.json"}},
	{[]string{"classify", "--model", "model", "-o", "out/pred.csv", "--logits", "out/l.npy", "photos"}, []string{"out/pred.csv", "out/l.npy"}},
	{[]string{"augment", "--pipeline", "hflip", "-n", "1", "-o", "out/grid.svg", "photos/cat.png"}, []string{"out/grid.svg"}},
	{[]string{"transform", "--pipeline", "hflip", "-o", "out/x.png", "--npy", "out/x.npy", "photos/cat.png"}, []string{"out/x.png", "out/x.npy"}},
	{[]string{"posembed", "--model", "model", "-o", "out/fig.svg", "--npy", "out/sim.npy"}, []string{"out/fig.svg", "out/sim.npy"}},
	{[]string{"evaluate", "--run", "model", "--data", "labels.csv", "-o", "out"}, []string{"out/report.json", "out/predictions.csv", "out/confusion.png", "out/reliability.png", "out/classes.png", "out/losses.png"}},
}

// TestOnlyOwnFilesAreReplaced: each command replaces its own files, and other files only
// with --force.
func TestOnlyOwnFilesAreReplaced(t *testing.T) {
	shareCache(t)
	for _, w := range writers {
		t.Run(w.args[0], func(t *testing.T) {
			workplace(t)
			ok(t, w.args...)
			var files []string
			for _, file := range w.files {
				if _, err := os.Stat(file); err == nil {
					files = append(files, file)
				} else if filepath.Base(file) != "losses.png" { // only where something is wrong
					t.Errorf("%s isn't there", file)
				}
			}
			ok(t, w.args...) // again
			whole := contents(t, ".")
			for _, file := range files {
				mine, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				write(t, file, "the user's")
				before := contents(t, ".")
				status, out, log := gaze(t, w.args...)
				if status != 1 || !strings.Contains(log, file) || !strings.Contains(log, "--force") || out != "" {
					t.Errorf("over %s: exit status %d\n%s%s", file, status, out, log)
				}
				unchanged(t, before, contents(t, "."))
				write(t, file, string(mine))
			}
			for _, file := range files {
				write(t, file, "the user's")
			}
			ok(t, append(slices.Clone(w.args), "--force")...)
			unchanged(t, whole, contents(t, "."))
		})
	}
}

// TestGridAmongItsPictures: a figure in the folder of its pictures isn't read as one of
// them when the command is run again, unless Gaze didn't write it.
func TestGridAmongItsPictures(t *testing.T) {
	shareCache(t)
	workplace(t)
	args := []string{"augment", "--pipeline", "hflip", "-n", "1", "-q", "-o", "photos/grid.png", "photos"}
	first := ok(t, args...)
	if again := ok(t, args...); again != first {
		t.Errorf("first %q, again %q", first, again)
	}
	photo(t, "photos", "grid.png")
	before := contents(t, ".")
	if status, _, log := gaze(t, append(args, "--force")...); status != 2 || !strings.Contains(log, "grid.png, which is read here") {
		t.Errorf("exit status %d: %s", status, log)
	}
	unchanged(t, before, contents(t, "."))
}

// TestStaleLosses: evaluate removes an earlier evaluation's losses.png, but not a
// losses.png that Gaze didn't write.
func TestStaleLosses(t *testing.T) {
	shareCache(t)
	workplace(t)
	write(t, "out/losses.png", "the user's")
	status, _, log := gaze(t, "evaluate", "--run", "model", "--data", "labels.csv", "-o", "out")
	if got, err := os.ReadFile("out/losses.png"); status != 1 || !strings.Contains(log, "losses.png") || err != nil || string(got) != "the user's" {
		t.Errorf("exit status %d, %q, %v: %s", status, got, err, log)
	}
}

// TestCollidingOutputs: pictures whose results would have the same name are reported
// before anything is written.
func TestCollidingOutputs(t *testing.T) {
	shareCache(t)
	for _, c := range []struct {
		name   string
		files  []string
		args   []string
		status int
		says   []string
	}{
		{"two folders", []string{"a/cat.png", "b/cat.png"}, []string{"a", "b"}, 2, []string{"a/cat.png and b/cat.png", "--recursive"}},
		{"two endings", []string{"a/cat.png", "a/cat.jpg"}, []string{"a"}, 2, []string{"a/cat.jpg and a/cat.png"}},
		{"two cases", []string{"a/cat.png", "b/CAT.png"}, []string{"a", "b"}, 2, []string{"a/cat.png", "b/CAT.png", "case"}},
		{"two files", []string{"a/cat.png", "b/cat.png", "b/dog.png"}, []string{"b/dog.png", "a/cat.png", "b/cat.png"}, 2, []string{"a/cat.png and b/cat.png"}},
		{"an atlas", []string{"a/cat.png", "a/cat-layers.png"}, []string{"--atlas", "a"}, 2, []string{"cat-layers.png"}},
		{"no atlas", []string{"a/cat.png", "a/cat-layers.png"}, []string{"a"}, 0, nil},
		{"folders kept", []string{"a/cat.png", "b/cat.png"}, []string{"-r", "a", "b"}, 0, nil},
		{"two endings, folders kept", []string{"a/cat.png", "a/cat.jpg"}, []string{"-r", "a"}, 2, []string{"a different folder for each"}},
		{"one file twice", []string{"a/cat.png"}, []string{"a/cat.png", "a", "./a/../a/cat.png"}, 0, nil},
	} {
		for _, command := range [][]string{{"attend", "--model", "model"}, {"caption", "--model", hub.LaptopCaptioner}} {
			if (command[0] == "attend") == strings.Contains(c.name, "atlas") && (c.status == 0 || command[0] == "attend") {
				continue // no such flag, or the same again
			}
			workplace(t)
			for _, file := range c.files {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				plain(t, file, uint8(len(file)))
			}
			before := contents(t, ".")
			status, _, log := gaze(t, slices.Concat(command, []string{"-o", "out"}, c.args)...)
			if status != c.status {
				t.Errorf("%s %s: exit status %d: %s", command[0], c.name, status, log)
			}
			for _, text := range c.says {
				if !strings.Contains(log, text) {
					t.Errorf("%s %s: %q isn't said: %s", command[0], c.name, text, log)
				}
			}
			if c.status != 0 {
				unchanged(t, before, contents(t, "."))
			}
		}
	}
}

// TestOutputsOfOneCommand: two flags can't write one file.
func TestOutputsOfOneCommand(t *testing.T) {
	shareCache(t)
	for _, args := range [][]string{
		{"classify", "--model", "model", "photos", "-o", "A", "--logits", "B"},
		{"posembed", "--model", "model", "-o", "A", "--npy", "B"},
		{"transform", "--pipeline", "hflip", "photos/cat.png", "-o", "A", "--npy", "B"},
	} {
		for _, c := range []struct {
			a, b    string
			prepare func()
		}{
			{"out/x.png", "out/x.png", nil},
			{"out/x.png", "./out/../out//x.png", nil},
			{"out/x.png", "out/X.PNG", nil},
			{"out/x.png", "album/x.png", func() { linked(t, os.Symlink, "out", "album") }},
			{"out/x.png", "out/y.png", func() {
				write(t, "out/x.png", "")
				linked(t, os.Link, "out/x.png", "out/y.png")
			}},
			{"out/x.png", "out/y.png", func() {
				write(t, "out/x.png", "")
				linked(t, os.Symlink, "x.png", "out/y.png")
			}},
		} {
			workplace(t)
			if c.prepare != nil {
				c.prepare()
			}
			before := contents(t, ".")
			line := slices.Clone(args)
			line[slices.Index(line, "A")], line[slices.Index(line, "B")] = c.a, c.b
			status, _, log := gaze(t, append(line, "--force")...)
			if status != 2 || !strings.Contains(log, c.a) || !strings.Contains(log, "name another file") {
				t.Errorf("gaze %q: exit status %d: %s", line, status, log)
			}
			unchanged(t, before, contents(t, "."))
		}
	}
}

// TestAllWritesArePlanned: no source file of the command line writes without the plan.
func TestAllWritesArePlanned(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range sources {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range []string{
			"atomicfile.", "os.Create", "os.WriteFile", "os.OpenFile", "os.Rename", "os.Remove", "os.Mkdir", "os.Link", "os.Symlink", "os.Truncate",
			"plots.Save", "weights.Write", ".Save(",
		} {
			if bytes.Contains(text, []byte(call)) {
				t.Errorf("%s calls %s: plan the file and write it through the plan (outputs.go)", path, call)
			}
		}
	}
}

// TestNewRun: a run that was killed at its start leaves no files that stop a new run;
// a run whose run.json is missing does.
func TestNewRun(t *testing.T) {
	for _, c := range []struct {
		file, text string
		ok         bool
	}{
		{"notes.txt", "the user's", true},
		{"metrics.jsonl", "", true},
		{"events.out.tfevents.gaze", "the head of a file", true},
		{"metrics.jsonl", "{}\n", false},
		{"events.out.tfevents.1", strings.Repeat("x", 500), false},
		{"checkpoints/last.safetensors", "", false},
		{"best/model.safetensors", "x", false},
		{"best/config.json", "{}", false},
		{"config.json", "{}", false},
		{"model.safetensors", "", false},
		{"pytorch_model.bin", "", false},
		{"B_16.pth", "the user's", true},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, c.file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, c.text)
		if err := checkNewRun(dir); (err == nil) != c.ok || err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", c.file, err)
		}
	}
	dir := t.TempDir()
	linked(t, os.Symlink, filepath.Join(dir, "elsewhere"), filepath.Join(dir, "metrics.jsonl"))
	if checkNewRun(dir) == nil {
		t.Error("a link is followed")
	}
}

// TestOpenFilesAreInputs: a file that the shell redirects to standard input is an input,
// and one that it redirects standard output to is an output, though neither has a path.
func TestOpenFilesAreInputs(t *testing.T) {
	shareCache(t)
	const list = "photos/cat.png\n"
	for _, c := range []struct {
		name   string
		stdout string // opened to be added to
		args   []string
		status int
		says   string
	}{
		{"the list", "", []string{"classify", "--model", "model", "-o", "list", "-"}, 2, "list on standard input"},
		{"the list by a link", "", []string{"classify", "--model", "model", "-o", "link", "--force", "-"}, 2, "list on standard input"},
		{"the list of another command", "", []string{"augment", "--pipeline", "hflip", "-o", "list.svg", "--force", "-"}, 2, "list on standard input"},
		{"rows after a picture", "photos/cat.png", []string{"classify", "--model", "model", "-"}, 2, "standard output goes to photos/cat.png"},
		{"rows after the list", "list", []string{"classify", "--model", "model", "-"}, 2, "standard output goes to the list on standard input"},
		{"lines after the model", "model/model.safetensors", []string{"classify", "--model", "model", "--json", "photos/dog.png"}, 2, "model.safetensors"},
		{"a figure after a picture", "photos/cat.png", []string{"transform", "--pipeline", "hflip", "-o", "/dev/stdout", "photos/cat.png"}, 2, "photos/cat.png"},
		{"rows after others", "rows", []string{"classify", "--model", "model", "-"}, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			workplace(t)
			write(t, "list", list)
			write(t, "rows", "")
			linked(t, os.Symlink, "list", "link")
			linked(t, os.Link, "list", "list.svg")
			before := contents(t, ".")
			in, err := os.Open("list")
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			run := command(t, c.args...)
			var log, out bytes.Buffer
			run.Stdin, run.Stderr, run.Stdout = in, &log, &out
			if c.stdout != "" {
				file, err := os.OpenFile(c.stdout, os.O_WRONLY|os.O_APPEND, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				run.Stdout = file
			}
			_ = run.Run() // its status is looked at
			if status := run.ProcessState.ExitCode(); status != c.status || !strings.Contains(log.String(), c.says) {
				t.Errorf("exit status %d: %s", status, log.String())
			}
			if c.status != 0 {
				unchanged(t, before, contents(t, "."))
			}
		})
	}
}

// TestStandardOutputAsFile: if a file is written to standard output, other lines don't
// go there; and a single output file can't be called -.
func TestStandardOutputAsFile(t *testing.T) {
	workplace(t)
	if _, err := os.Stat("/dev/stdout"); err != nil {
		t.Skip(err)
	}
	status, out, log := separately(t, "transform", "--pipeline", "hflip", "-o", "/dev/stdout", "photos/cat.png")
	if status != 0 || log != "hflip\n" {
		t.Errorf("exit status %d: %s", status, log)
	}
	if im, err := png.Decode(strings.NewReader(out)); err != nil || im.Bounds().Dx() != 16 || !strings.HasSuffix(out, "IEND\xaeB`\x82") {
		t.Errorf("%v of %d bytes", err, len(out))
	}
	before := contents(t, ".")
	for _, args := range [][]string{
		{"transform", "--pipeline", "hflip", "--npy", "-", "photos/cat.png"},
		{"classify", "--model", "model", "--logits", "-", "photos/cat.png"},
		{"posembed", "--model", "model", "-o", "out/x.png", "--npy", "-"},
	} {
		if status, _, log := gaze(t, args...); status != 1 || !strings.Contains(log, "/dev/stdout") {
			t.Errorf("gaze %q: exit status %d, %s", args, status, log)
		}
	}
	unchanged(t, before, contents(t, "."))
}
