package data_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gaze/internal/textfile/textfiletest"
	"gaze/pkg/data"
)

// TestSplitsAsNamed reads data sets with the folder names used by people and archives.
func TestSplitsAsNamed(t *testing.T) {
	// Two classes in each split; Dog comes before cat, as in ImageFolder.
	split := func(name string) []string {
		return []string{name + "/cat/0.jpg", name + "/Dog/1.jpg"}
	}
	join := func(names ...string) []string {
		var out []string
		for _, n := range names {
			out = append(out, split(n)...)
		}
		return out
	}
	const both = "Dog/1.jpg:Dog cat/0.jpg:cat"
	trainVal, all := "train "+both+" val "+both, "train "+both+" val "+both+" test "+both
	trainTest := "train " + both + " test " + both
	for _, tt := range []struct {
		name  string
		files []string
		want  string
		notes string // of which this is a part
	}{
		{"lower case", join("train", "val", "test"), all, ""},
		{"capitals", join("Train", "Val", "Test"), all, "Train is train"},
		{"upper case", join("TRAIN", "VALID", "TEST"), all, ""},
		{"sets", join("training_set", "validation_set"), trainVal, "training_set is train, validation_set is val"},
		{"sets with a test", join("training_set", "validation_set", "test_set"), all, ""},
		{"together", join("trainset", "devset", "testset"), all, ""},
		{"camel case", join("TrainData", "ValData", "TestData"), all, ""},
		{"hyphens and blanks", join("train-set", "validation set"), trainVal, ""},
		{"dev", join("train", "dev"), trainVal, ""},
		{"eval", join("trn", "eval"), trainVal, ""},
		{"years", join("train2017", "val2017"), trainVal, ""},
		{"train and test", join("train", "test"), trainTest, ""},
		{"numbered test", join("train", "test1"), trainTest, ""},
		{"a name in common", join("pets_train", "pets_val", "pets_test"), all, "pets_train is train"},
		{"nested twice", join("seg_train/seg_train", "seg_test/seg_test"), trainTest, "seg_train"},
		{"in a folder", join("pets/train", "pets/val"), trainVal, "read from"},
		{"in a folder of the same name, with litter", append(join("set/set/train", "set/set/val"), "__MACOSX/set/._x.jpg", "set/.ipynb_checkpoints/a.jpg", "set/set/Thumbs.db"), trainVal, "read from"},
		{"litter among splits", append(join("train", "val"), "__MACOSX/train/._a.jpg", "@eaDir/a.jpg", ".ipynb_checkpoints/a.jpg"), trainVal, ""},
		{"litter among classes", append(split("train"), "train/__MACOSX/x.jpg", "train/cat/__MACOSX/0.jpg", "train/cat/.ipynb_checkpoints/0-checkpoint.jpg", "train/cat/Thumbs.db"), "train " + both, ""},
		{"images in a folder", join("images/train", "images/val"), trainVal, "images"},
		{"images beside annotations", append(join("images/train", "images/val"), "annotations/train/0.png", "labels/a.txt"), trainVal, "images"},
		{"images beside folders without pictures", append(join("Data/CLS-LOC/train", "Data/CLS-LOC/val"), "Annotations/a.xml", "ImageSets/train.txt"), trainVal, "CLS-LOC"},
		{"a project's data", append(join("data/train", "data/val"), "models/a.bin", "notebooks/a.ipynb", "README.md"), trainVal, "data"},
		{"files of an export", append(join("train", "valid"), "_annotations.csv=x", "README.roboflow.txt", "data.yaml", "train/cat/labels.cache"), trainVal, "valid is val"},
		{"tables with tabs", []string{"images/1.jpg", "train.tsv=label\tfilename\nu\t1.jpg\n"}, "train images/1.jpg:u", ""},
		{"the same folder once in each class", []string{"cat/raw/0.jpg", "dog/raw/1.jpg"}, "train cat/raw/0.jpg:cat dog/raw/1.jpg:dog", ""},
		{"other folders in some classes", []string{"cat/0.jpg", "dog/x/1.jpg", "dog/y/1.jpg"}, "train cat/0.jpg:cat dog/x/1.jpg:dog dog/y/1.jpg:dog", ""},
		{"annotations beside splits", append(join("train", "val"), "annotations/0.png"), trainVal, ""},
		{"an empty folder beside splits", append(join("train", "val"), "runs/"), trainVal, ""},
		{"splits with images folders", join("train/images", "val/images"), trainVal, "images"},
		{"classes with images folders", []string{"cat/images/0.jpg", "Dog/images/1.jpg"}, "train Dog/images/1.jpg:Dog cat/images/0.jpg:cat", ""},
		{"named pictures in images", []string{"images/0_1.jpg", "images/1_2.jpg"}, "train 0_1.jpg:0 1_2.jpg:1", "images"},
		{"named pictures in splits", []string{"Train/0_1.jpg", "Train/1_2.jpg", "Val/0_3.jpg"}, "train 0_1.jpg:0 1_2.jpg:1 val 0_3.jpg:0", ""},
		{"a class called train_station", []string{"train_station/0.jpg", "airport/1.jpg"}, "train airport/1.jpg:airport train_station/0.jpg:train_station", ""},
		{"a class called test in train", []string{"train/test/0.jpg", "train/control/1.jpg"}, "train control/1.jpg:control test/0.jpg:test", ""},
		{"a class called train, listed", []string{"train/0.jpg", "bus/1.jpg", "classes.txt=bus\ntrain\n"}, "train bus/1.jpg:bus train/0.jpg:train", ""},
		{"classes called as splits, listed", []string{"train/0.jpg", "test/1.jpg", "classes.txt=test\ntrain\n"}, "train test/1.jpg:test train/0.jpg:train", ""},
		{"same folders in each class, listed", []string{"a/x/0.jpg", "a/y/1.jpg", "b/x/0.jpg", "b/y/1.jpg", "classes.txt=a\nb\n"}, "train a/x/0.jpg:a a/y/1.jpg:a b/x/0.jpg:b b/y/1.jpg:b", ""},
		{"a single class", []string{"dog/0.jpg"}, "train dog/0.jpg:dog", ""},
		{"classes that differ in case", []string{"A/0.jpg", "a/1.jpg"}, "train A/0.jpg:A a/1.jpg:a", `"A" and "a" differ only in upper and lower case`},
		{"a test set without classes", append(split("train"), "test/1.jpg", "test/2.jpg"), "train " + both, "test isn't used"},
		{"a test set without classes, nested", append(split("train"), "test1/test1/1.jpg"), "train " + both, "test1 isn't used"},
		{"tables in any case", []string{"images/1.jpg", "images/2.jpg", "Train.CSV=FileName,Label\nimages/1.jpg,u\n", "VAL.csv=filename,label\n2.jpg,u\n"},
			"train images/1.jpg:u val images/2.jpg:u", "Train.CSV is train"},
		{"tables of labels", []string{"images/1.jpg", "train_labels.csv=filename,label\n1.jpg,u\n", "test_labels.csv=filename\n1.jpg\n"}, "train images/1.jpg:u", "test_labels.csv isn't used"},
		{"tables and folders", []string{"train/1.jpg", "test/2.jpg", "train.csv=filename,label\n1.jpg,u\n", "test.csv=filename\n2.jpg\n"}, "train train/1.jpg:u", "test.csv isn't used"},
		{"a table beside images", []string{"images/1.jpg", "labels.csv=filename,label\n1.jpg,u\n"}, "train images/1.jpg:u", ""},
		{"a list in capitals", []string{"0_1.jpg", "Classes.TXT=cat\n"}, "train 0_1.jpg:cat", ""},
	} {
		s, err := data.OpenDataset(tree(t, tt.files...))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := list(s); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if notes := strings.Join(s.Notes, "; "); !strings.Contains(notes, tt.notes) {
			t.Errorf("%s: notes %q, want %q", tt.name, notes, tt.notes)
		}
	}
}

// TestSplitsNotUnderstood: folders that may be splits with other names aren't taken for
// classes.
func TestSplitsNotUnderstood(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files []string
		says  []string
	}{
		{"splits and a class", []string{"train/cat/0.jpg", "val/cat/0.jpg", "cat/1.jpg"}, []string{"beside train, val", `"cat"`, "classes.txt"}},
		{"a class called test", []string{"cat/0.jpg", "dog/0.jpg", "test/0.jpg"}, []string{"beside test", `"cat", "dog"`, "put their folders into one called train"}},
		{"one split unknown", []string{"Train/cat/0.jpg", "PublicTest/cat/0.jpg"}, []string{"beside Train", `"PublicTest"`, "train, val and test"}},
		{"seg_pred", []string{"seg_train/a/0.jpg", "seg_test/a/0.jpg", "seg_pred/1.jpg"}, []string{"beside seg_train, seg_test", `"seg_pred"`}},
		{"train twice", []string{"train/cat/0.jpg", "Train/cat/0.jpg"}, []string{"Train", "same split (train)", "rename one"}},
		{"train by two names", []string{"train/cat/0.jpg", "training_set/cat/0.jpg", "val/cat/0.jpg"}, []string{"same split (train)"}},
		{"two years", []string{"train2014/cat/0.jpg", "train2017/cat/0.jpg"}, []string{"same split (train)"}},
		{"folder and table", []string{"val/cat/0.jpg", "a/1.jpg", "val.csv=filename,label\na/1.jpg,u\n"}, []string{"same split (val)"}},
		{"inside out", []string{"cat/train/0.jpg", "cat/val/1.jpg", "dog/train/0.jpg", "dog/val/1.jpg"}, []string{`"cat", "dog"`, `"train", "val"`, "rearrange it"}},
		{"inside out, train only", []string{"cat/train/0.jpg", "dog/train/0.jpg"}, []string{"rearrange it"}},
		{"folds", []string{"fold1/cat/0.jpg", "fold1/dog/0.jpg", "fold2/cat/0.jpg", "fold2/dog/0.jpg"}, []string{`"fold1", "fold2"`, `"cat", "dog"`, "look like splits", "classes.txt"}},
		{"folds in images", []string{"a/images/cat/0.jpg", "a/images/dog/0.jpg", "b/images/Cat/0.jpg", "b/images/dog/0.jpg"}, []string{"look like splits"}},
		{"splits in a split", []string{"train/train/cat/0.jpg", "train/val/cat/0.jpg"}, []string{`"train", "val"`, "look like splits"}},
		{"test in train", []string{"train/test/cat/0.jpg"}, []string{`"test"`, "look like splits"}},
		{"a copy of the set", []string{"daisy/0.jpg", "rose/0.jpg", "flowers/daisy/0.jpg", "flowers/rose/0.jpg"}, []string{`"flowers"`, `"daisy", "rose"`, "looks like a copy"}},
		{"a copy of the set, deeper", []string{"a/0.jpg", "b/0.jpg", "set/images/A/0.jpg", "set/images/b/0.jpg"}, []string{`"set"`, "looks like a copy"}},
		{"validation in train", []string{"train/cat/0.jpg", "train/dog/0.jpg", "train/val/cat/0.jpg", "train/val/dog/0.jpg"}, []string{`"val"`, "looks like a copy"}},
		{"A and B", []string{"trainA/a/0.jpg", "trainB/a/0.jpg", "testA/a/0.jpg", "testB/a/0.jpg"}, []string{`"testB", "trainB"`}},
		{"trainval", []string{"trainval/cat/0.jpg", "test/cat/0.jpg"}, []string{`"trainval"`}},
		{"classes in other cases", []string{"train/Cat/0.jpg", "val/cat/0.jpg"}, []string{`class "cat"`, `it has "Cat"`}},
		{"validation without classes", []string{"train/cat/0.jpg", "val/1.jpg"}, []string{"val/1.jpg", "no class"}},
		{"some of test without classes", []string{"train/0_1.jpg", "test/1.jpg", "test/0_2.jpg"}, []string{"test/1.jpg", "no class"}},
		{"only a test set without classes", []string{"test/1.jpg"}, []string{"1.jpg", "no class"}},
		{"a table without labels", []string{"1.jpg", "l.csv=filename\n1.jpg\n"}, []string{"no classes", "filename and label"}},
	} {
		_, err := data.OpenDataset(tree(t, tt.files...))
		if err == nil {
			t.Errorf("%s: no error", tt.name)
			continue
		}
		for _, part := range tt.says {
			if !strings.Contains(filepath.ToSlash(err.Error()), part) {
				t.Errorf("%s: %q doesn't say %q", tt.name, err, part)
			}
		}
	}
}

// TestOpenDatasetWalksLinks: linked folders are walked at any depth, except where they
// lead back.
func TestOpenDatasetWalksLinks(t *testing.T) {
	dir := tree(t, "store/b.jpg", "set/train/dog/a.jpg", "set/train/cat/c.jpg", "other/val/dog/v.jpg")
	for link, to := range map[string]string{
		"set/train/dog/more": "store", "set/train/dog/back": "set/train/dog", "set/Val": "other/val", "set/train/cat/gone.jpg": "none.jpg", "set/train/cat/README.md": "none",
	} {
		if err := os.Symlink(filepath.Join(dir, to), filepath.Join(dir, link)); err != nil {
			t.Skip("no symbolic links here:", err)
		}
	}
	s, err := data.OpenDataset(filepath.Join(dir, "set"))
	if err != nil {
		t.Fatal(err)
	}
	if got := list(s); got != "train cat/c.jpg:cat cat/gone.jpg:cat dog/a.jpg:dog dog/more/b.jpg:dog val dog/v.jpg:dog" {
		t.Error(got)
	}
	if err := os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "set", "train", "owl")); err != nil {
		t.Fatal(err)
	}
	if _, err := data.OpenDataset(filepath.Join(dir, "set")); err == nil || !strings.Contains(err.Error(), "owl: a link to a file that doesn't exist") {
		t.Errorf("a class that is a broken link: %v", err)
	}
}

// TestTablesAsSaved reads a table and a list of classes in any form that a spreadsheet or
// an editor may save.
func TestTablesAsSaved(t *testing.T) {
	open := func(table, classes string) string {
		s, err := data.OpenDataset(tree(t, "a.jpg", "b, c.jpg", "sub/ü.jpg", "l.csv="+table, "classes.txt="+classes))
		if err != nil {
			return err.Error()
		}
		return list(s)
	}
	const classes, want = "Pékinois\n柴犬\n", "train a.jpg:Pékinois b, c.jpg:柴犬 sub/ü.jpg:柴犬"
	const table = "filename,label\na.jpg,Pékinois\n\"b, c.jpg\",柴犬\nsub/ü.jpg,1\n"
	for name, data := range textfiletest.Saved(table) {
		if got := open(string(data), classes); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	for name, data := range textfiletest.Saved(classes) {
		if got := open(table, string(data)); got != want {
			t.Errorf("classes, %s: %s", name, got)
		}
	}
	for name, text := range map[string]string{
		"semicolons":        strings.ReplaceAll(table, ",", ";"),
		"Excel in Europe":   "\ufefffilename;label\r\na.jpg;Pékinois\r\nb, c.jpg;柴犬\r\nsub/ü.jpg;1\r\n;\r\n",
		"Excel's hint":      "sep=;\r\nfilename;label\r\na.jpg;Pékinois\r\nb, c.jpg;柴犬\r\nsub/ü.jpg;1\r\n",
		"tabs":              "filename\tlabel\na.jpg\tPékinois\nb, c.jpg\t柴犬\nsub/ü.jpg\t1\n",
		"bars":              "label|filename\nPékinois|a.jpg\n柴犬|b, c.jpg\n1|sub/ü.jpg\n",
		"column names":      "File Name , LABEL,note\na.jpg,Pékinois,x\n\"b, c.jpg\",柴犬,\nsub/ü.jpg,1,\n",
		"underscores":       "file_name,label\na.jpg,Pékinois\n\"b, c.jpg\",柴犬\nsub/ü.jpg,1\n",
		"blanks":            "filename,label\n a.jpg , Pékinois \n\"b, c.jpg \",柴犬\nsub/ü.jpg,1 \n",
		"empty rows":        "filename,label\n\na.jpg,Pékinois\n,\n\"b, c.jpg\",柴犬\n   \nsub/ü.jpg,1\n,\n,,,\n",
		"surplus commas":    "filename,label\na.jpg,Pékinois,,\n\"b, c.jpg\",柴犬,\nsub/ü.jpg,1\n",
		"Windows' slashes":  "filename,label\na.jpg,Pékinois\n\"b, c.jpg\",柴犬\nsub\\ü.jpg,1\n",
		"quoted everything": "\"filename\";\"label\"\n\"a.jpg\";\"Pékinois\"\n\"b, c.jpg\";\"柴犬\"\n\"sub/ü.jpg\";\"1\"\n",
	} {
		if got := open(text, classes); name == "semicolons" {
			if !strings.Contains(got, "b; c.jpg") { // which the replacement has made of "b, c.jpg"
				t.Errorf("%s: %s", name, got)
			}
		} else if got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	for says, text := range map[string]string{
		"l.csv:3: byte 0xE9 isn't UTF-8": "filename,label\na.jpg,x\nb.jpg,P\xe9kinois\n",
		"l.csv:2: a NUL byte":            "filename,label\na.jpg,\x00\n",
		"l.csv:1: the header is":         "file:label\na.jpg:x\n",
	} {
		if got := open(text, classes); !strings.Contains(got, says) {
			t.Errorf("%q: %s, want %q", text, got, says)
		}
	}
	if got := open(table, "P\xe9kinois\nb\n"); !strings.Contains(got, "classes.txt:1: byte 0xE9") {
		t.Errorf("classes in Latin-1: %s", got)
	}
}
