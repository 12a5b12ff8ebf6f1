package train

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	stdflag "flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"gaze/pkg/weights"
)

var regen = stdflag.Bool("regen", false, "rewrite testdata/"+eventFile+"; tools/golden/tensorboard_events.py then reads it with TensorBoard")

// event is what a test reads of an Event.
type event struct {
	time    float64
	step    int64
	version string
	values  []scalar
}

// readEvents reads an event file, to its end or to what is wrong in it.
func readEvents(data []byte) ([]event, error) {
	var list []event
	for len(data) > 0 {
		if len(data) < 16 {
			return list, errors.New("half a record")
		}
		length := binary.LittleEndian.Uint64(data)
		if binary.LittleEndian.Uint32(data[8:]) != maskedCRC(data[:8]) {
			return list, errors.New("the length's CRC is wrong")
		}
		if length > uint64(len(data)-16) {
			return list, errors.New("half a record")
		}
		body, rest := data[12:12+length], data[12+length:]
		if binary.LittleEndian.Uint32(rest) != maskedCRC(body) {
			return list, errors.New("the data's CRC is wrong")
		}
		e, err := readEvent(body)
		if err != nil {
			return list, err
		}
		list, data = append(list, e), rest[4:]
	}
	return list, nil
}

// fields calls with every field of a message, as its number, and the bytes or
// the number that it holds.
func fields(message []byte, each func(n protowire.Number, bytes []byte, number uint64) error) error {
	for len(message) > 0 {
		n, kind, used := protowire.ConsumeTag(message)
		if used < 0 {
			return protowire.ParseError(used)
		}
		message = message[used:]
		var bytes []byte
		var number uint64
		switch kind {
		case protowire.BytesType:
			bytes, used = protowire.ConsumeBytes(message)
		case protowire.Fixed64Type:
			number, used = protowire.ConsumeFixed64(message)
		case protowire.Fixed32Type:
			var v uint32
			v, used = protowire.ConsumeFixed32(message)
			number = uint64(v)
		case protowire.VarintType:
			number, used = protowire.ConsumeVarint(message)
		default:
			return fmt.Errorf("field %d is of type %d", n, kind)
		}
		if used < 0 {
			return protowire.ParseError(used)
		}
		message = message[used:]
		if err := each(n, bytes, number); err != nil {
			return err
		}
	}
	return nil
}

func readEvent(message []byte) (e event, err error) {
	err = fields(message, func(n protowire.Number, bytes []byte, number uint64) error {
		switch n {
		case eventTime:
			e.time = math.Float64frombits(number)
		case eventStep:
			e.step = int64(number)
		case eventVersion:
			e.version = string(bytes)
		case eventSummary:
			return fields(bytes, func(_ protowire.Number, value []byte, _ uint64) error {
				var s scalar
				err := fields(value, func(n protowire.Number, bytes []byte, number uint64) error {
					if n == valueTag {
						s.tag = string(bytes)
					} else if n == valueSimple {
						s.value = float64(math.Float32frombits(uint32(number)))
					}
					return nil
				})
				e.values = append(e.values, s)
				return err
			})
		}
		return nil
	})
	return e, err
}

// eventLines is a run's events without their times.
func eventLines(t testing.TB, dir string) (lines []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, eventFile))
	if err != nil {
		t.Fatal(err)
	}
	list, err := readEvents(data)
	if err != nil {
		t.Fatalf("the events: %v", err)
	}
	for _, e := range list {
		lines = append(lines, fmt.Sprint(e.step, e.version, e.values))
	}
	return lines
}

// TestMaskedCRC is what TensorFlow's writers put into every file that begins
// with this version.
func TestMaskedCRC(t *testing.T) {
	if got := crcOf("123456789"); got != 0xe3069283 {
		t.Errorf("CRC-32C %#x, want 0xe3069283", got)
	}
	if got := maskedCRC([]byte{24, 0, 0, 0, 0, 0, 0, 0}); got != binary.LittleEndian.Uint32([]byte{0xa3, 0x7f, 0x4b, 0x22}) {
		t.Errorf("masked CRC of the length 24: %#x", got)
	}
}

// crcOf takes the mask off.
func crcOf(text string) uint32 {
	crc := maskedCRC([]byte(text)) - 0xa282ead8
	return crc>>17 | crc<<15
}

// goldenEvents is a file of ten updates, at fixed times.
func goldenEvents() []byte {
	at := time.Unix(1700000000, 0)
	data := encodeRecord(encodeVersion(at))
	for i := 1; i <= 10; i++ {
		data = append(data, encodeRecord(encodeEvent(at.Add(time.Duration(i)*time.Second/2), i,
			[]scalar{{"train/loss", 1 / float64(i)}, {"train/learning_rate", 1e-3 * float64(i)}}))...)
	}
	return append(data, encodeRecord(encodeEvent(at.Add(time.Minute), 10, []scalar{{"validation/accuracy", 0.75}}))...)
}

// TestEventsGolden are the bytes of a file that TensorBoard has read.
func TestEventsGolden(t *testing.T) {
	path := filepath.Join("testdata", eventFile)
	got := goldenEvents()
	if *regen {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("the events differ from those that TensorBoard has read: rewrite them with -regen and check them with tools/golden/tensorboard_events.py")
	}
}

// TestFitEvents writes each update and each validation, as metrics.jsonl has
// them.
func TestFitEvents(t *testing.T) {
	dir := straightRun(t)
	data, err := os.ReadFile(filepath.Join(dir, eventFile))
	if err != nil {
		t.Fatal(err)
	}
	list, err := readEvents(data)
	if err != nil || len(list) != 1+8+4 || list[0].version != "brain.Event:2" {
		t.Fatalf("%d events (%v)", len(list), err)
	}
	history, err := History(dir)
	if err != nil {
		t.Fatal(err)
	}
	near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-6*math.Abs(b) }
	update, epoch := 0, 0
	for _, e := range list[1:] {
		if ago := time.Since(time.UnixMicro(int64(e.time * 1e6))); ago < 0 || ago > time.Hour {
			t.Errorf("an event %v ago", ago)
		}
		if e.values[0].tag == "validation/loss" {
			h := history[epoch]
			if epoch++; e.step != int64(h.Update) || !near(e.values[0].value, h.Validation.Loss) || !near(e.values[1].value, h.Validation.Accuracy) {
				t.Errorf("event %+v, epoch %+v", e, h.Validation)
			}
			continue
		}
		if update++; e.step != int64(update) || len(e.values) != 4 || e.values[3].value <= 0 {
			t.Errorf("update %d: %+v", update, e)
		}
		// an epoch is an update of 18 pictures and one of the 2 that are left
		if update%2 == 0 {
			before := list[1+update/2*3-3]
			if h := history[update/2-1].Train; !near((18*before.values[0].value+2*e.values[0].value)/20, h.Loss) ||
				!near((18*before.values[1].value+2*e.values[1].value)/20, h.Accuracy) {
				t.Errorf("updates %d and %d, epoch %+v: %+v %+v", update-1, update, h, before, e)
			}
		}
	}
}

// TestEventsLost lets a run go on without the events of before, but not with
// others.
func TestEventsLost(t *testing.T) {
	dir := t.TempDir()
	l, err := openEvents(dir, 12345)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	if lines := eventLines(t, dir); len(lines) != 1 {
		t.Errorf("started again with %q", lines)
	}
	if _, err := openEvents(dir, 12345); err == nil || !strings.Contains(err.Error(), "was changed") {
		t.Errorf("events that were cut off: %v", err)
	}
}

// TestFitWithoutEvents resumes from a checkpoint of before there were events:
// they begin there.
func TestFitWithoutEvents(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	f, tr := fit(t, dir, false)
	ctx, cancel := context.WithCancel(context.Background())
	f.Progress = func(p Progress) {
		if p.Epoch == 2 {
			cancel()
		}
	}
	if _, err := f.Run(ctx, tr); !errors.Is(err, ErrStopped) {
		t.Fatal(err)
	}
	path := filepath.Join(dir, checkpointFile)
	file, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	meta := maps.Clone(file.Metadata())
	for _, key := range []string{"events", "group_loss", "group_correct", "group_pictures"} {
		if meta[key] == "" {
			t.Errorf("the checkpoint has no %s", key)
		}
		delete(meta, key)
	}
	var state []*weights.Tensor
	for _, name := range file.Names() {
		tensor, _ := file.Tensor(name)
		state = append(state, tensor)
	}
	if err := weights.WriteSafetensors(path, state, meta); err != nil {
		t.Fatal(err)
	}
	file.Close()
	f, tr = fit(t, dir, true)
	if _, err := f.Run(context.Background(), tr); err != nil {
		t.Fatal(err)
	}
	if lines := eventLines(t, dir); len(lines) != 1+6+3 { // of three epochs
		t.Errorf("%d events", len(lines))
	}
}

// FuzzEvents reads anything without a panic, and what it writes.
func FuzzEvents(f *testing.F) {
	f.Add(goldenEvents(), "loss", 0.5, 3)
	f.Add([]byte{}, "", 0.0, 0)
	f.Fuzz(func(t *testing.T, data []byte, tag string, value float64, step int) {
		readEvents(data)
		readEvents(encodeRecord(data))
		at := time.Unix(1700000000, 0)
		list, err := readEvents(encodeRecord(encodeEvent(at, step, []scalar{{tag, value}})))
		if err != nil || len(list) != 1 || list[0].step != int64(step) || list[0].time != 1.7e9 {
			t.Fatalf("wrote %q %v %d, read %+v (%v)", tag, value, step, list, err)
		}
		got, want := list[0].values[0], float64(float32(value))
		if got.tag != tag || got.value != want && want == want {
			t.Fatalf("wrote %q %v, read %+v", tag, value, got)
		}
	})
}
