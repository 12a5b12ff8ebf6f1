package data

import "testing"

func TestSplitOf(t *testing.T) {
	for name, want := range map[string]struct {
		split int
		rest  string
	}{
		"train": {0, ""}, "Train": {0, ""}, "TRAIN": {0, ""}, "training": {0, ""}, "training_set": {0, ""}, "Training-Set": {0, ""},
		"trainset": {0, ""}, "TrainSet": {0, ""}, "train data": {0, ""}, "traindata": {0, ""}, "train_images": {0, ""}, "imagesTrain": {0, ""},
		"train2017": {0, ""}, "train_2017": {0, ""}, "trn": {0, ""}, "dataset_train": {0, ""},
		"val": {1, ""}, "Valid": {1, ""}, "VALIDATION": {1, ""}, "validation_set": {1, ""}, "dev": {1, ""}, "devset": {1, ""}, "eval": {1, ""}, "val2017": {1, ""},
		"test": {2, ""}, "Testing": {2, ""}, "test_set": {2, ""}, "TestSet": {2, ""}, "test1": {2, ""}, "testing_data": {2, ""}, "tst": {2, ""},
		"pets_train": {0, "pets"}, "seg-test": {2, "seg"}, "train_masks": {0, "masks"}, "train_station": {0, "station"},
		"trainval": {-1, "trainval"}, "train_val": {-1, ""}, "train_test_split": {-1, ""}, "trains": {-1, "trains"}, "contest": {-1, "contest"},
		"cat": {-1, "cat"}, "valley": {-1, "valley"}, "device": {-1, "device"}, "images": {-1, ""}, "": {-1, ""}, "2017": {-1, ""}, "trainée": {-1, "trainée"},
	} {
		if split, rest := splitOf(name, false); split != want.split || rest != want.rest {
			t.Errorf("%q: split %d, rest %q", name, split, rest)
		}
	}
	if split, rest := splitOf("train_labels", true); split != 0 || rest != "" {
		t.Errorf("a table of labels: %d, %q", split, rest)
	}
	if split, rest := splitOf("train_labels", false); split != 0 || rest != "labels" {
		t.Errorf("a folder of labels: %d, %q", split, rest)
	}
}

func FuzzSplitOf(f *testing.F) {
	for _, seed := range []string{"train", "Val_2017", "pets-Test", "\xff", "ʼn1", "TRAINset"} {
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, name string, table bool) {
		split, rest := splitOf(name, table)
		if split < -1 || split >= len(splitNames) {
			t.Errorf("%q: split %d, rest %q", name, split, rest)
		}
	})
}
