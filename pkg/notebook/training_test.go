package notebook

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"gaze/pkg/backend"
	"gaze/pkg/nn"
	"gaze/pkg/train"
	"gaze/pkg/weights"
)

// epochs returns the reports of a run: two epochs of four batches, of which the first is
// the best.
func epochs() []train.Progress {
	var list []train.Progress
	for epoch := 1; epoch <= 2; epoch++ {
		p := train.Progress{Epoch: epoch, Epochs: 2, Batches: 4, Train: train.Evaluation{Loss: 1.25, Accuracy: 0.75}}
		for p.Done = 1; p.Done <= 4; p.Done++ {
			p.Batch = 8
			list = append(list, p)
		}
		p.Batch, p.Seconds = 0, 61*float64(epoch)
		p.Validation = &train.Evaluation{Loss: 0.5 * float64(epoch), Accuracy: 0.9}
		list = append(list, p)
	}
	return list
}

// TestTrainingInNotebook checks that one output is redrawn at most four times a second,
// and that only the table remains.
func TestTrainingInNotebook(t *testing.T) {
	sent, printed, _ := record(t, true)
	clock := time.Unix(0, 0)
	shown := NewTraining()
	shown.now = func() time.Time { return clock }
	for _, p := range epochs() {
		shown.Report(p)
		clock = clock.Add(100 * time.Millisecond)
	}
	if len(*sent) != 4 { // at 0, 300, 600 and 900 ms of 1 s
		t.Errorf("drawn %d times", len(*sent))
	}
	shown.Close()
	ids := map[string]bool{}
	for _, d := range *sent {
		ids[d.DisplayID] = true
	}
	if len(ids) != 1 || ids[""] {
		t.Errorf("drawn in places %v, want one that has a name", ids)
	}
	text := func(i int) string { return (*sent)[i].Data[protocol.MIMETextHTML].(string) }
	if first := text(0); !strings.Contains(first, "epoch 1/2, step 1/4") || strings.Contains(first, "<table") {
		t.Errorf("at first it shows %s", first)
	}
	if third := text(2); !strings.Contains(third, "epoch 2/2, step 2/4") || !strings.Contains(third, "<table") {
		t.Errorf("in the second epoch it shows %s", third)
	}
	last := text(len(*sent) - 1)
	for _, want := range []string{"1.2500", "75.00 %", "0.5000", "90.00 %", "1m1s", "2m2s"} {
		if !strings.Contains(last, want) {
			t.Errorf("the table lacks %q: %s", want, last)
		}
	}
	if strings.Contains(last, "step") || printed.Len() > 0 {
		t.Errorf("it leaves more than the table: %s %s", last, printed)
	}
}

// TestTrainingWithoutEpochs checks that nothing remains if no epoch was finished.
func TestTrainingWithoutEpochs(t *testing.T) {
	sent, _, _ := record(t, true)
	NewTraining().Close()
	if len(*sent) != 0 {
		t.Errorf("a run that didn't start is shown as %v", (*sent)[0].Data)
	}
	shown := NewTraining()
	shown.Report(epochs()[0])
	shown.Close()
	if len(*sent) != 2 || (*sent)[1].Data[protocol.MIMETextHTML] != "" {
		t.Errorf("a run without a whole epoch leaves %v", (*sent)[1].Data)
	}
}

func TestTrainingInTerminal(t *testing.T) {
	sent, printed, _ := record(t, false)
	shown := NewTraining()
	for _, p := range epochs() {
		shown.Report(p)
	}
	shown.Close()
	if len(*sent) > 0 || !strings.Contains(printed.String(), "1m1s") {
		t.Errorf("printed %q", printed)
	}
}

func TestTrainingTableMarksTheBest(t *testing.T) {
	var list []train.EpochMetrics
	for i, accuracy := range []float64{0.5, 0.75, 0.75} {
		list = append(list, train.EpochMetrics{Epoch: i + 1, Validation: &train.Evaluation{Accuracy: accuracy, Loss: float64(i)}})
	}
	if got := TrainingTable(list).Highlight; len(got) != 1 || got[0] != 1 {
		t.Errorf("row %v stands out, want 1", got)
	}
	list[0].Validation, list[1].Validation, list[2].Validation = nil, nil, nil
	if got := TrainingTable(list).Highlight; got != nil {
		t.Errorf("row %v stands out without a validation set", got)
	}
}

// slow is a source that is longer than the test.
type slow struct{}

func (slow) Len() int { return 100000 }

func (slow) Batches(_, from int) iter.Seq2[train.Batch, error] {
	return func(yield func(train.Batch, error) bool) {
		for range 100000 - from {
			time.Sleep(5 * time.Millisecond)
			if !yield(train.Batch{Images: []float32{1, 2}, Labels: []int{1}}, nil) {
				return
			}
		}
	}
}

// linear is a network with a single matrix.
func linear() *train.Network {
	loss, err := train.Classification(2, 0, func(scope *model.Scope, images *Node, _ nn.Training) *Node {
		w := scope.VariableWithShape("w", shapes.Make(dtypes.Float32, 2, 2)).NodeValue(images)
		return DotGeneral(Reshape(images, -1, 2), []int{1}, nil, w, []int{1}, nil)
	})
	if err != nil {
		panic(err)
	}
	return &train.Network{
		Weights: []*weights.Tensor{weights.NewTensor("w", []int{2, 2}, make([]float32, 4))}, Input: [3]int{2, 1, 1}, Loss: loss,
	}
}

// TestInterruptChild is the cell's program that TestInterrupt interrupts.
func TestInterruptChild(t *testing.T) {
	dir := os.Getenv("GAZE_NOTEBOOK_CHILD")
	if dir == "" {
		t.Skip("run by TestInterrupt")
	}
	b, err := backend.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	tr, err := train.NewTrainer(b, linear(), train.Options{Optimizer: train.SGD{}, Schedule: train.Constant(0.1)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, done := Interrupt()
	defer done()
	report := func(p train.Progress) {
		if p.Done == 5 {
			fmt.Println("trains")
		}
	}
	_, err = train.Fit{Dir: dir, Train: slow{}, Epochs: 1, Progress: report}.Run(ctx, tr)
	if !errors.Is(err, train.ErrStopped) {
		t.Fatal(err)
	}
	if os.Getenv("GAZE_NOTEBOOK_LINGER") != "" {
		fmt.Println("saved")
		<-context.Background().Done() // until a second interruption ends the program
	}
}

// TestInterruptIsAnnounced: the kernel is told that the program saves, until it has saved.
func TestInterruptIsAnnounced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("GAZE_KERNEL_SOCKET", path)
	ctx, done := Interrupt()
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := bufio.NewReader(conn)
	if line, err := r.ReadString('\n'); err != nil || line != "{\"do\":\"saving\"}\n" || ctx.Err() == nil {
		t.Errorf("%q, %v, context %v", line, err, ctx.Err())
	}
	conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := r.ReadByte(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("while it saves: %v", err)
	}
	done()
	conn.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := r.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("after it has saved: %v", err)
	}

	_, done = Interrupt()
	done() // no interruption, nothing to announce
	l.(*net.UnixListener).SetDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := l.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("without an interruption: %v", err)
	}
}

// child starts the cell's program and waits until it is training.
func child(t *testing.T, dir string, env ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestInterruptChild$")
	c.Env = append(append(os.Environ(), "GAZE_NOTEBOOK_CHILD="+dir), env...)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() })
	lines := bufio.NewScanner(out)
	await(t, lines, "trains")
	return c, lines
}

func await(t *testing.T, lines *bufio.Scanner, want string) {
	t.Helper()
	var said []string
	for lines.Scan() {
		if lines.Text() == want {
			return
		}
		said = append(said, lines.Text())
	}
	t.Fatalf("the child ended before it said %q:\n%s", want, strings.Join(said, "\n"))
}

// TestInterrupt interrupts a training process as the kernel does, and checks that it saves
// and ends well within the kernel's five seconds.
func TestInterrupt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	c, lines := child(t, dir)
	began := time.Now()
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
	}
	if err := c.Wait(); err != nil {
		t.Fatalf("the interrupted run: %v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v to save", took)
	}
	m, err := train.ReadManifest(dir)
	if err != nil || m.Status != train.Stopped || m.Updates < 5 {
		t.Fatalf("the run stands as %+v (%v)", m, err)
	}
	f, err := weights.Open(filepath.Join(dir, "checkpoints", "last.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}

// TestInterruptTwice checks that a second interruption ends a program that takes too long.
func TestInterruptTwice(t *testing.T) {
	c, lines := child(t, filepath.Join(t.TempDir(), "run"), "GAZE_NOTEBOOK_LINGER=1")
	c.Process.Signal(os.Interrupt)
	await(t, lines, "saved")
	c.Process.Signal(os.Interrupt)
	for lines.Scan() {
	}
	err := c.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != -1 {
		t.Errorf("interrupted twice it ended with %v", err)
	}
}
