package train_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"gaze/pkg/backend"
	"gaze/pkg/train"
	"gaze/pkg/vit"
)

const keptVariable = "GAZE_TEST_TRAINS"

type kept struct {
	Digest string // of all numbers
	Kept   backend.Compiled
}

// TestMain lets this program be another process that looks at pictures and learns.
func TestMain(m *testing.M) {
	if os.Getenv(keptVariable) == "" {
		os.Exit(m.Run())
	}
	if err := lookAndLearn(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func lookAndLearn(out io.Writer) error {
	b, err := backend.Default()
	if err != nil {
		return err
	}
	m, err := vit.New(vit.Config{
		ImageSize: [2]int{8, 8}, PatchSize: [2]int{4, 4}, Channels: 3, Dim: 16, Depth: 2, Heads: 2, MLPDim: 32, Classes: 2,
		ClassToken: true, PatchBias: true, QKVBias: true, FinalNorm: true, NormEps: 1e-6,
	}, 1)
	if err != nil {
		return err
	}
	images, labels := make([]float32, 4*3*8*8), []int{0, 1, 0, 1}
	for i := range images {
		images[i] = float32(i%7)/10 - 0.3
	}
	digest := sha256.New()
	r, err := vit.NewRunner(b, m)
	if err != nil {
		return err
	}
	o, err := r.Run(images, [4]int{4, 3, 8, 8}, vit.Want{Logits: true})
	if err != nil {
		return err
	}
	network, err := train.ViT(m, 0.1, 0)
	if err != nil {
		return err
	}
	t, err := train.NewTrainer(b, network, train.Options{
		Optimizer: train.NewAdamW(), Schedule: train.Constant(1e-3), ClipNorm: 1, Average: &train.Average{Decay: 0.99},
	})
	if err != nil {
		return err
	}
	defer t.Close()
	var losses []float64
	for range 5 {
		metrics, err := t.Step(train.Batch{Images: images, Labels: labels})
		if err != nil {
			return err
		}
		losses = append(losses, metrics.Loss, metrics.GradNorm)
	}
	err = errors.Join(binary.Write(digest, binary.LittleEndian, o.Logits.Values), binary.Write(digest, binary.LittleEndian, losses))
	return errors.Join(err, json.NewEncoder(out).Encode(kept{fmt.Sprintf("%x", digest.Sum(nil)), backend.KeptPrograms()}))
}

// TestProgramsAreKept has a second process load what the first compiled, a forward
// pass and training steps with dropout, and compute the same bits.
func TestProgramsAreKept(t *testing.T) {
	cache := t.TempDir()
	run := func(env ...string) (k kept) {
		t.Helper()
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(append(os.Environ(), keptVariable+"=1", "GAZE_CACHE="+cache, "GAZE_COMPILED="), env...)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err == nil {
			err = json.Unmarshal(out, &k)
		}
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	first := run()
	if first.Kept.Off != "" || first.Kept.Built == 0 {
		t.Skipf("nothing is kept here: %+v", first.Kept)
	}
	if k := first.Kept; k.Loaded != 0 || k.Stored != k.Built || k.Built < 2 {
		t.Errorf("the first process: %+v", k)
	}
	if later := run(); later.Kept.Loaded != first.Kept.Built || later.Kept.Built != 0 {
		t.Errorf("a later process: %+v, the first compiled %d", later.Kept, first.Kept.Built)
	} else if later.Digest != first.Digest {
		t.Error("loaded programs compute something else")
	}
	if without := run("GAZE_COMPILED=off"); without.Digest != first.Digest {
		t.Error("without the cache other numbers came out")
	}
}
